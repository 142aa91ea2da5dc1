/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bit masks to blobs: packed-bit morphology, runs, and labelling by runs (8-connected). */
#ifndef TALLY_CHANGE_BLOBS_H
#define TALLY_CHANGE_BLOBS_H

#include "base/geometry.h"
#include "kernels/kernels.h"

/* Rectangle (2 rx + 1) x (2 ry + 1); past the edge is 0 for dilation; erosion treats it as 0 too.
 * In place. */
tally_status tally_bits_erode(const tally_kernels *k, tally_bits *bits, int rx, int ry,
                              tally_error *err) TALLY_MUST_CHECK;
tally_status tally_bits_dilate(const tally_kernels *k, tally_bits *bits, int rx, int ry,
                               tally_error *err) TALLY_MUST_CHECK;
tally_status tally_bits_open(const tally_kernels *k, tally_bits *bits, int rx, int ry,
                             tally_error *err) TALLY_MUST_CHECK;
tally_status tally_bits_close(const tally_kernels *k, tally_bits *bits, int rx, int ry,
                              tally_error *err) TALLY_MUST_CHECK;

typedef struct tally_blob {
    int64_t area;         /* pixels */
    double cx, cy;        /* centroid, centre of the first pixel is 0.5 */
    double mxx, mxy, myy; /* central second moments per pixel */
    tally_box box;
    size_t first_run, n_runs; /* in tally_blobs.runs, by row then column */
} tally_blob;

typedef struct tally_blobs {
    tally_blob *blobs; /* in order of their first pixel, row by row */
    size_t n;
    tally_span *runs; /* grouped by blob */
    size_t n_runs;
} tally_blobs;

/* All 8-connected blobs of at least min_area pixels. */
tally_status tally_blobs_label(const tally_kernels *k, const tally_bits *bits, int64_t min_area,
                               tally_blobs *out, tally_error *err) TALLY_MUST_CHECK;
void tally_blobs_fini(tally_blobs *blobs);
/* The smallest rectangle around the pixels' outer corners. */
bool tally_blob_rect(const tally_blobs *blobs, size_t i, tally_rect *out);

#endif
