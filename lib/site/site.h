/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A site and its zones in metres, and the pixel grid that a family of scenes shares. */
#ifndef TALLY_SITE_SITE_H
#define TALLY_SITE_SITE_H

#include "base/geometry.h"
#include "tallyman/site.h"

typedef struct tally_zone {
    char *name;
    tally_role role;
    tally_shape lonlat; /* degrees, WGS 84; rings do not repeat their first point */
    tally_shape shape;  /* metres in the site's UTM zone (epsg), x east, y north */
} tally_zone;

struct tally_site {
    char *id, *title, *timezone; /* timezone "" when unknown */
    char **aliases;
    size_t n_aliases;
    tally_zone *zones;
    size_t n_zones;
    int epsg;                   /* 326zz or 327zz, the UTM zone of the middle of all zones */
    tally_point low, high;      /* bounds of all zones, metres */
    double longitude, latitude; /* the middle */
    char *text; /* the site file's geometry as canonical JSON: what the hash of a run rests on */
};

/* North-up square pixels in a UTM CRS. Pixel (0,0)'s outer north-west corner lies at (x0, y0). */
typedef struct tally_grid {
    int epsg;
    double x0, y0, gsd_m;
    int width, height;
} tally_grid;

static inline tally_point tally_grid_to_metres(const tally_grid *g, tally_point px)
{
    return (tally_point) { g->x0 + px.x * g->gsd_m, g->y0 - px.y * g->gsd_m };
}
static inline tally_point tally_grid_to_px(const tally_grid *g, tally_point m)
{
    return (tally_point) { (m.x - g->x0) / g->gsd_m, (g->y0 - m.y) / g->gsd_m };
}

/* Site metres (EPSG site->epsg) to longitude and latitude, in place. */
tally_status tally_site_to_lonlat(const tally_site *site, tally_point *points, size_t n,
                                  tally_error *err) TALLY_MUST_CHECK;

/* And back. Both set up a transformation: hand them all points at once. */
tally_status tally_site_from_lonlat(const tally_site *site, tally_point *points, size_t n,
                                    tally_error *err) TALLY_MUST_CHECK;

#endif
