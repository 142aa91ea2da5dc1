/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Two images on one grid, strip by strip: AFTER warped and shifted onto BEFORE. */
#ifndef TALLY_CHANGE_PAIR_H
#define TALLY_CHANGE_PAIR_H

#include "align/stack.h"
#include "site/crs.h"

typedef struct tally_pair {
    tally_catalogue *catalogues[2];
    tally_tile
        tiles[2]; /* before, after; their band tables may be by position where no role is known */
    tally_raster *rasters[2];
    tally_crs_map *to_after, *to_lonlat; /* from BEFORE's CRS; to_after NULL: the same CRS */
    tally_affine after_px;               /* AFTER's CRS -> its pixels */
    tally_affine shift;                  /* BEFORE px -> BEFORE px where AFTER shows that content */
    tally_bend bend;                     /* beyond it */
    tally_placement placement; /* what tally_pair_align found, also when it was not used */
    tally_band_role roles[TALLY_BAND_ROLES];
    int bands;
    bool roles_known;     /* false: `roles` only number the bands, by their position */
    const char *names[2]; /* paths as given */
} tally_pair;

tally_status tally_pair_open(const tally_context *ctx, const char *before, const char *after,
                             const char *bands, tally_pair *pair,
                             tally_error *err) TALLY_MUST_CHECK;
void tally_pair_close(tally_pair *pair);
/* A box of BEFORE's grid in both images; valid where each saw. Both patches are initialised here.
 */
tally_status tally_pair_read(const tally_context *ctx, tally_pair *pair, tally_box box,
                             tally_patch *before, tally_patch *after,
                             tally_error *err) TALLY_MUST_CHECK;
/* The same without interpolation where the pixels of both are of one size: the nearest whole pixels
 * of AFTER, read `off` px left of and above their place. Else interpolated, and off is 0. For boxes
 * of one piece (512 px). */
tally_status tally_pair_read_whole(const tally_context *ctx, tally_pair *pair, tally_box box,
                                   tally_patch *before, tally_patch *after, tally_point *off,
                                   tally_error *err) TALLY_MUST_CHECK;
/* Find how AFTER's content lies on BEFORE's, and read through that from now on. False: no
 * trustworthy shift, and the reason goes to the context's warnings; nothing changes then. */
tally_status tally_pair_align(const tally_context *ctx, tally_pair *pair, double *dx_px,
                              double *dy_px, bool *found, tally_error *err) TALLY_MUST_CHECK;
/* BEFORE's pixels to AFTER's, exact at three corners. False: no place in AFTER's CRS. */
bool tally_pair_map(const tally_pair *pair, tally_affine *out);
/* Where AFTER shows what BEFORE has at a place, in BEFORE's pixels: the shift and the bend. */
tally_point tally_pair_shifted(const tally_pair *pair, tally_point px);
/* Metres east and north of one pixel's step right (out[0]) and down (out[1]) at a place, and its
 * longitude and latitude. */
bool tally_pair_ground(const tally_pair *pair, tally_point px, tally_point out[2],
                       tally_point *lonlat);

#endif
