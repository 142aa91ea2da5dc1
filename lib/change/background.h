/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a window looks like when empty: mode or median over scenes, robust sigma, how often each
 * pixel was seen. */
#ifndef TALLY_CHANGE_BACKGROUND_H
#define TALLY_CHANGE_BACKGROUND_H

#include "align/stack.h"

typedef enum tally_centre { TALLY_CENTRE_MEDIAN, TALLY_CENTRE_MODE } tally_centre;

typedef struct tally_background_settings {
    tally_centre centre;
    float sigma_floor; /* as a share of the reference level, e.g. 0.02: sensor and registration
                          noise never vanish */
} tally_background_settings;

/*
 * Learn the background of `box` from the scenes `chosen`, block of rows by block of rows, so that
 * memory stays O(n_chosen x block). centre and sigma (1.4826 MAD, floored) are n_bands patches;
 * `count` (one band): how many scenes saw the pixel. Iterated: after the first pass, values farther
 * than 3 sigma from the centre are left out and both taken again. All three patches are initialised
 * here; not seen in any scene -> not valid.
 */
tally_status tally_background_learn(const tally_context *ctx, const tally_stack *stack,
                                    const size_t *chosen, size_t n_chosen, tally_box box,
                                    const tally_background_settings *settings, tally_patch *centre,
                                    tally_patch *sigma, tally_patch *count,
                                    tally_error *err) TALLY_MUST_CHECK;

/*
 * Difference of an aligned patch against a background: bits where the multi-band score passes the
 * threshold, and those of them that got brighter. score may be NULL (else one band, initialised
 * here).
 */
tally_status tally_difference(const tally_context *ctx, const tally_patch *scene,
                              const tally_patch *centre, const tally_patch *sigma, float threshold,
                              tally_bits *above, tally_bits *bright, tally_patch *score,
                              tally_error *err) TALLY_MUST_CHECK;
/* Threshold on a sum of n_bands squared z-scores for a false-alarm rate per pixel (chi-square tail,
 * Wilson-Hilferty 1931). */
float tally_threshold_far(double rate, int n_bands);
/* The chance that a chi-square value of k degrees of freedom exceeds x. */
double tally_chi_square_tail(double x, int k);

#endif
