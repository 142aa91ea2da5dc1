/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From pixels that are not water to hulls: blobs, their axis, their ends, ships side by side. */
#ifndef TALLY_COUNT_HULL_H
#define TALLY_COUNT_HULL_H

#include "change/blobs.h"

/* A berth in pixels of the view: hulls inside lie along its longest side. */
typedef struct tally_hull_berth {
    tally_shape shape;
    double ux, uy;
} tally_hull_berth;

typedef struct tally_hull_view {
    const tally_patch *scene;    /* what the distance was taken of; NULL: contrast is not asked */
    const tally_patch *distance; /* from water, in sigmas (count/water.h) */
    const tally_bits *where;     /* pixels that may be hull: zones less land and `ignore` */
    const tally_bits *blind;     /* not seen, with the rim that is not trusted */
    const tally_hull_berth *berths;
    size_t n_berths;
    tally_box image; /* where the images reach, in pixels of the view; empty: beyond all sides */
    double gsd_m;
    float threshold; /* on the distance */
} tally_hull_view;

typedef struct tally_hull {
    tally_rect rect; /* pixels of the view; length and width without the blur of the pixels */
    double area_px;
    double score; /* 0..1 */
} tally_hull;

typedef struct tally_hulls {
    tally_hull *hulls;
    size_t n;
} tally_hulls;

/* Hulls of 20 m and more, ordered by row then column of their blob. */
tally_status tally_hulls_find(const tally_kernels *k, const tally_hull_view *view, tally_hulls *out,
                              tally_error *err) TALLY_MUST_CHECK;
void tally_hulls_fini(tally_hulls *hulls);

#endif
