/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What `diff` writes beside the raster, and where it looks. */
#ifndef TALLY_CHANGE_DIFF_BLOBS_H
#define TALLY_CHANGE_DIFF_BLOBS_H

#include "change/blobs.h"
#include "change/pair.h"

/* What a blob adds up to beyond its shape. */
typedef struct tally_blob_score {
    double score; /* mean of |score| */
    int sign;     /* of the mean of the standardised difference */
} tally_blob_score;

/* The blobs of a mask, those that mostly got brighter and the others apart, in order of their first
 * pixel. */
tally_status tally_diff_label(const tally_kernels *kernels, const tally_bits *mask,
                              const tally_bits *brighter, const tally_bits *darker,
                              int64_t min_area, tally_blobs *out,
                              tally_error *err) TALLY_MUST_CHECK;
/* GeoJSON for .geojson and .json, CSV for .csv, whole by rename. */
tally_status tally_diff_blobs_write(const char *path, const tally_blobs *blobs,
                                    const tally_blob_score *scores, const tally_pair *pair,
                                    tally_error *err) TALLY_MUST_CHECK;

#endif
