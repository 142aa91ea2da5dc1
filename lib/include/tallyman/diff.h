/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TALLYMAN_DIFF_H
#define TALLYMAN_DIFF_H

#include "tallyman/context.h"

/* Two images: what changed. Every text may be NULL for its default. */
typedef struct tally_diff_settings {
    const char *before, *after;
    const char *method; /* auto (logratio for radar, else zscore), difference, zscore, cva, irmad,
                           logratio, pca */
    const char *scales; /* auto, or sides of neighbourhoods in pixels, such as 1,3 */
    const char *align;  /* auto, none */
    const char *threshold; /* auto (by noise and histogram), far:P, mad:K, otsu, ki, or a number in
                              units of the score */
    int open;              /* radius of the opening, pixels; 0: none */
    long min_area;         /* pixels; smaller blobs leave the mask */
    const char *site;      /* site file: only within its zones */
    const char *bands;     /* roles of the bands in their order, as the files do not say them */
    const char *output;    /* change.tif; NULL: not written */
    const char *blobs;     /* .geojson, .json or .csv; NULL: not written */
} tally_diff_settings;

typedef struct tally_diff_result {
    const char *method; /* what auto became; static */
    char scales[16];    /* sides of the neighbourhoods looked at, as `1,3` */
    double threshold;   /* on |score - centre| */
    double centre;      /* 0, but for the two-sided rules of signed scores */
    double seen;        /* share of BEFORE's pixels (within the zones) that both images saw */
    double changed;     /* share of those in the mask */
    size_t n_blobs;
    size_t regions; /* grounds that gain, noise and threshold were learned in; the threshold above
                       is that of the first */
    double dx_px, dy_px; /* what the alignment took out; 0 without */
    int aligned;         /* 1 when a trustworthy shift was found and used */
} tally_diff_result;

/*
 * AFTER is laid onto BEFORE's grid (warped where its CRS or grid differs, shifted by what
 * registration finds), brought to BEFORE's radiometry, and scored by pixels and their
 * neighbourhoods. Streams: memory is a strip, a sample and four bits a pixel. Errors: TALLY_E_ARG
 * an unknown word; TALLY_E_IO, TALLY_E_FORMAT, TALLY_E_CRS a file; TALLY_E_NODATA nothing is seen
 * by both.
 */
TALLY_API tally_status tally_diff(const tally_context *ctx, const tally_diff_settings *settings,
                                  tally_diff_result *result, tally_error *err) TALLY_MUST_CHECK;

#endif
