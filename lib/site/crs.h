/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From one CRS to another. CRS objects ask for x-east, y-north axis order: longitude before
 * latitude. */
#ifndef TALLY_SITE_CRS_H
#define TALLY_SITE_CRS_H

#include "base/geometry.h"

#define TALLY_LONLAT 4326

/* A CRS is named by its WKT or, where that is NULL, by its EPSG code. */
typedef struct tally_crs {
    const char *wkt;
    int epsg;
} tally_crs;

/* Stays on one thread. `what` names the file in messages. */
typedef struct tally_crs_map tally_crs_map;
tally_status tally_crs_map_open(tally_crs from, tally_crs to, const char *what, tally_crs_map **out,
                                tally_error *err) TALLY_MUST_CHECK;
void tally_crs_map_close(tally_crs_map **map);
/* In place; false when a point has no place in the target. */
bool tally_crs_map_points(tally_crs_map *map, tally_point *points, size_t n);

/* The UTM zone of a place: 326zz or 327zz; 0 outside of -80..84 degrees. */
int tally_utm_epsg(double longitude, double latitude);
/* GDAL's last message on this thread as one line that ends without a stop. */
const char *tally_gdal_said(char *buffer, size_t size);

#endif
