/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Plane geometry in metres or pixels. Polygons are lists of rings (the first outside, the others
 * holes). */
#ifndef TALLY_GEOMETRY_H
#define TALLY_GEOMETRY_H

#include "base/patch.h"

typedef struct tally_point {
    double x, y;
} tally_point;

/* x' = c[0] + c[1] x + c[2] y;  y' = c[3] + c[4] x + c[5] y  (GDAL's order; maps the outer corner
 * of pixel (0,0)). */
typedef struct tally_affine {
    double c[6];
} tally_affine;

typedef struct tally_path {
    tally_point *points;
    size_t n;
} tally_path;

/* One part: a line (track) or a ring. `part` numbers the polygon or line of a Multi* geometry it
 * belongs to. */
typedef struct tally_shape {
    tally_path *paths;
    int *part;
    size_t n_paths;
    bool is_line;
} tally_shape;

void tally_shape_fini(tally_shape *shape);
tally_status tally_shape_copy(const tally_shape *from, tally_shape *to,
                              tally_error *err) TALLY_MUST_CHECK;
void tally_shape_bounds(const tally_shape *shape, tally_point *low, tally_point *high);
bool tally_shape_contains(const tally_shape *shape, tally_point p); /* even-odd over all rings */
double tally_shape_area(const tally_shape *shape);                  /* even-odd, holes taken out */
double tally_path_length(const tally_path *path);
/* Set the bits whose pixel centre (x + .5, y + .5) lies inside; points are in the pixels of `bits`.
 */
void tally_shape_fill(const tally_shape *shape, tally_bits *bits);

tally_point tally_affine_apply(const tally_affine *a, tally_point p);
bool tally_affine_invert(const tally_affine *a, tally_affine *out); /* false: singular */
tally_affine tally_affine_compose(const tally_affine *after, const tally_affine *first);
/* The shift by whole pixels that is nearest to a map at a place: it falls short of the map by `off`
 * there. False, and nothing changes: the map turns or scales by more than a few per mille. */
bool tally_affine_snap(tally_affine *map, tally_point at, tally_point *off);

/* Smallest rectangle around points (rotating calipers over the convex hull); length >= width.
 * False: fewer than 1 point. */
typedef struct tally_rect {
    tally_point centre;
    double length, width;
    double ux, uy; /* unit vector along the length */
} tally_rect;
bool tally_rect_around(const tally_point *points, size_t n, tally_rect *out);
void tally_rect_corners(const tally_rect *rect, tally_point out[4]);
/* Heading of a direction in map metres (x east, y north): 0..180 clockwise from north. */
double tally_heading_deg(double east, double north);

/* A smooth field of offsets, of second order in place: what an affine map leaves over. `scale` 0:
 * none. */
typedef struct tally_bend {
    tally_point middle;    /* of the places that it was learned at */
    double scale;          /* 1 / their half extent: u, v = (place - middle) scale */
    tally_point low, high; /* bounds of those places: beyond, the field stays as at the rim */
    double x[6], y[6];     /* of 1, u, v, u u, u v, v v */
} tally_bend;
tally_point tally_bend_at(const tally_bend *bend, tally_point place);

#endif
