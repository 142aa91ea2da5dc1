/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Vessels in radar images: amplitudes, the water they lie on, the ring that says what is bright,
 * and hulls among what is. */
#ifndef TALLY_COUNT_SAR_H
#define TALLY_COUNT_SAR_H

#include "align/stack.h"
#include "change/blobs.h"
#include "count/hull.h"
#include "count/water.h"

/* How a product writes backscatter down. */
typedef enum tally_sar_unit {
    TALLY_SAR_AMPLITUDE,
    TALLY_SAR_INTENSITY,
    TALLY_SAR_DB
} tally_sar_unit;

/* Water of one scene, in amplitude. */
typedef struct tally_sar_water {
    tally_sar_unit unit;
    float level;   /* of smooth, dark windows */
    float spread;  /* of the logarithm of the windows' means */
    float cv;      /* deviation over mean within them: speckle alone */
    float ceiling; /* the brightest pixel of the unit over `level`; a product may cut it off */
} tally_sar_water;

/* ---- sar_water.c ---- */

/* The unit of a sample of raw values (band 0). */
tally_sar_unit tally_sar_unit_of(const tally_water_sample *sample);
/* Band 0 of a patch as amplitude, one band; initialised here. */
tally_status tally_sar_amplitude(const tally_patch *patch, tally_sar_unit unit, tally_patch *out,
                                 tally_error *err) TALLY_MUST_CHECK;

/* What windows of water look like is learned from many of them. */
typedef struct tally_sar_look {
    float log_mean, cv;
} tally_sar_look;
typedef struct tally_sar_looks {
    tally_sar_look *looks;
    size_t n, capacity;
} tally_sar_looks;
/* The windows of an amplitude patch that lie in `where`: at most `most`, evenly over it. */
tally_status tally_sar_looks_add(tally_sar_looks *looks, const tally_patch *amplitude,
                                 const tally_bits *where, double gsd_m, size_t most,
                                 tally_error *err) TALLY_MUST_CHECK;
/* Level, spread and cv of `water` from at least 50 windows; reorders them. TALLY_E_NODATA: fewer.
 */
tally_status tally_sar_water_learn(tally_sar_water *water, tally_sar_looks *looks,
                                   tally_error *err) TALLY_MUST_CHECK;
/* Which pixels are open water; `where` bounds them. Initialised here. */
tally_status tally_sar_water_find(const tally_kernels *k, const tally_sar_water *water,
                                  const tally_patch *amplitude, const tally_bits *where,
                                  double gsd_m, tally_bits *out, tally_error *err) TALLY_MUST_CHECK;

/* ---- sar_ring.c ---- */

/* Sums over boxes of the pixels of a mask: summed-area tables of a window. */
typedef struct tally_sar_sums {
    int width, height;
    double *sum, *square;
    uint32_t *n;
} tally_sar_sums;
tally_status tally_sar_sums_init(tally_sar_sums *sums, const tally_patch *patch,
                                 const tally_bits *mask, tally_error *err) TALLY_MUST_CHECK;
void tally_sar_sums_fini(tally_sar_sums *sums);
/* Of the box with half side r around (x, y), cut at the window. */
void tally_sar_sums_box(const tally_sar_sums *sums, int x, int y, int r, double *sum,
                        double *square, double *n);

typedef struct tally_sar_ring {
    int guard, reach; /* half sides, pixels: of the inner box, left out, and the outer */
    int least;        /* pixels that must be left in it; else the scene's level stands in */
} tally_sar_ring;
tally_sar_ring tally_sar_ring_of(double gsd_m);

/*
 * Amplitude over the mean of the water in the ring around each pixel. Pixels outside `water` never
 * enter a mean; what stands out in a first pass is left out of the second. One band; initialised
 * here. *threshold: what a smoothed pixel of the water passes once in 1 / TALLY_SAR_FAR times.
 */
#define TALLY_SAR_FAR 1e-3
tally_status tally_sar_contrast(const tally_kernels *k, const tally_sar_water *scene,
                                const tally_patch *amplitude, const tally_bits *water, double gsd_m,
                                tally_patch *out, float *threshold,
                                tally_error *err) TALLY_MUST_CHECK;
/* The value that a gamma variate of mean 1 and this shape passes with a chance of TALLY_SAR_FAR. */
double tally_sar_gamma_tail(double shape);
/* Half side of the box that speckle is smoothed over before a threshold: about 3 m. */
int tally_sar_smooth_px(double gsd_m);
/* Mean of those of (2 r + 1)^2 pixels that lie in `mask`; r 0 copies. Initialised here. */
tally_status tally_sar_smooth(const tally_patch *patch, const tally_bits *mask, int r,
                              tally_patch *out, tally_error *err) TALLY_MUST_CHECK;

/* ---- sar_hulls.c ---- */

typedef struct tally_sar_view {
    const tally_patch *contrast; /* over the water's mean */
    const tally_bits *water;     /* open water, up to the rims of what stands in it */
    const tally_bits *where;     /* pixels that may be hull */
    double gsd_m;
    float threshold; /* on the contrast, smoothed */
    float ceiling;   /* of the contrast */
} tally_sar_view;

/* Hulls of the view at its threshold; in order of their worth. */
tally_status tally_sar_hulls_find(const tally_kernels *k, const tally_sar_view *view,
                                  tally_hulls *out, tally_error *err) TALLY_MUST_CHECK;

/* ---- sar.c ---- */

/* What one window of a scene comes to. */
typedef struct tally_sar_block {
    tally_patch contrast;
    tally_bits water;
    double gsd_m;
    float threshold;
} tally_sar_block;
tally_status tally_sar_block_init(tally_sar_block *block, const tally_kernels *k,
                                  const tally_sar_water *scene, const tally_patch *patch,
                                  const tally_bits *where, double gsd_m,
                                  tally_error *err) TALLY_MUST_CHECK;
void tally_sar_block_fini(tally_sar_block *block);

/* The water of a scene from n windows of the grid. TALLY_E_NODATA: too little. */
tally_status tally_sar_learn(const tally_context *ctx, const tally_stack *stack, size_t scene,
                             const tally_box *cores, size_t n, tally_sar_water *water,
                             tally_error *err) TALLY_MUST_CHECK;

/* ---- sar_learn.c ---- */

/* Whether a pixel that had these contrasts on n dates, 4 to 64, is structure. */
bool tally_sar_is_structure(const float *values, size_t n, float threshold);
/* What always shines in the box of a unit: 1 in `land`, initialised here; valid where 4 scenes
 * tell. */
tally_status tally_sar_structure_learn(const tally_context *ctx, const tally_stack *stack,
                                       const size_t *chosen, size_t n, const tally_box *cores,
                                       size_t n_cores, tally_box unit, tally_patch *land,
                                       tally_error *err) TALLY_MUST_CHECK;

#endif
