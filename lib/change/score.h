/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What makes a pixel of AFTER differ from BEFORE: the methods of `diff`, learned from a sample,
 * applied window by window. */
#ifndef TALLY_CHANGE_SCORE_H
#define TALLY_CHANGE_SCORE_H

#include <math.h>

#include "change/sample.h"
#include "change/threshold.h"

enum {
    TALLY_SCALES = 4,     /* neighbourhoods that a score may look at, at most */
    TALLY_FILTER_SIDE = 5 /* of pca's learned filter */
};

typedef enum tally_method {
    TALLY_METHOD_AUTO,
    TALLY_METHOD_DIFFERENCE,
    TALLY_METHOD_ZSCORE,
    TALLY_METHOD_CVA,
    TALLY_METHOD_IRMAD,
    TALLY_METHOD_LOGRATIO,
    TALLY_METHOD_PCA,
    TALLY_METHODS
} tally_method;
const char *tally_method_name(tally_method method);
/* NULL is auto. */
tally_status tally_method_parse(const char *text, tally_method *out,
                                tally_error *err) TALLY_MUST_CHECK;

/* Sides of square neighbourhoods, pixels: odd, rising, up to 2 TALLY_HALO + 1. n 0: the method's
 * own. */
typedef struct tally_scales {
    int n, side[TALLY_SCALES];
} tally_scales;
tally_status tally_scales_parse(const char *text, tally_scales *out,
                                tally_error *err) TALLY_MUST_CHECK;

/* A method with its numbers. Component i of the change vector is sum over b of p[i][b] before +
 * q[i][b] after + c[i]. */
typedef struct tally_score {
    tally_method method; /* never auto */
    tally_scales scales;
    int bands;
    bool speckled;                                            /* logratio, and pca on log ratios */
    float gain[TALLY_SCORE_BANDS], offset[TALLY_SCORE_BANDS]; /* AFTER in BEFORE's radiometry */
    float sigma[TALLY_SCORE_BANDS];                           /* noise of that difference */
    float p[TALLY_SCORE_BANDS][TALLY_SCORE_BANDS], q[TALLY_SCORE_BANDS][TALLY_SCORE_BANDS],
        c[TALLY_SCORE_BANDS];
    float floor[TALLY_SCORE_BANDS]; /* logratio: added before a logarithm is taken */
    float log_centre;               /* logratio: the unchanged pixels' value, taken out */
    float filter[TALLY_FILTER_SIDE * TALLY_FILTER_SIDE]; /* pca: adds up to 1 */
    float filter_cut;                                    /* pca: between its two clusters */
    float centre, limit;                                 /* changed: |value - centre| > limit */
} tally_score;

/*
 * Learn a method from a sample, and the threshold on its value. `auto` becomes what the images are:
 * logratio for radar, else zscore, each over the neighbourhoods of its own. The sample stays as it
 * is, but that radar in decibels becomes amplitude. Errors: TALLY_E_NODATA fewer than 16 pairs,
 * or bands that are copies of each other (irmad); TALLY_E_NOMEM.
 */
tally_status tally_score_learn(tally_score *score, tally_method method, const tally_scales *scales,
                               const tally_threshold *threshold, tally_sample *sample,
                               tally_error *err) TALLY_MUST_CHECK;

/*
 * The values of the pixels of `core`, a box of both patches, row by row: signed for difference and
 * logratio, else >= 0; and the sum over the bands of standardised AFTER minus BEFORE. Only pixels
 * that `after` calls valid are looked at; up to TALLY_HALO pixels around the core are, too. What is
 * not valid gets 0.
 */
tally_status tally_score_window(const tally_score *score, const tally_patch *before,
                                const tally_patch *after, tally_box core, float *value, float *sum,
                                tally_error *err) TALLY_MUST_CHECK;

/* ln of the ratio of two levels of a band; `low`: its floor. */
static inline float tally_log_ratio(float before, float after, float low)
{
    return logf(fmaxf(after, 0.0f) + low) - logf(fmaxf(before, 0.0f) + low);
}

/* score.c: the plane of change of whole patches: the length of the change vector, or |log ratio|.
 * `signed_log`: the log ratio itself, or difference's mean. */
void tally_score_lengths(const tally_score *score, const tally_patch *before,
                         const tally_patch *after, float *plane);
void tally_score_signed(const tally_score *score, const tally_patch *before,
                        const tally_patch *after, float *plane);

#endif
