/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What makes a pixel of AFTER differ from BEFORE: the methods of `diff`, learned from a sample,
 * applied row by row. */
#ifndef TALLY_CHANGE_SCORE_H
#define TALLY_CHANGE_SCORE_H

#include "change/threshold.h"
#include "kernels/kernels.h"

#define TALLY_SCORE_BANDS 8

typedef enum tally_method {
    TALLY_METHOD_DIFFERENCE,
    TALLY_METHOD_ZSCORE,
    TALLY_METHOD_CVA,
    TALLY_METHOD_IRMAD,
    TALLY_METHOD_LOGRATIO,
    TALLY_METHOD_PCA,
    TALLY_METHODS
} tally_method;
const char *tally_method_name(tally_method method);
/* NULL or "auto" is zscore. */
tally_status tally_method_parse(const char *text, tally_method *out,
                                tally_error *err) TALLY_MUST_CHECK;

/* Pairs of pixels that both images saw, band by band. */
typedef struct tally_sample {
    int bands;
    size_t n, capacity; /* values a band */
    float *before[TALLY_SCORE_BANDS], *after[TALLY_SCORE_BANDS];
} tally_sample;
tally_status tally_sample_init(tally_sample *sample, int bands, size_t capacity,
                               tally_error *err) TALLY_MUST_CHECK;
void tally_sample_fini(tally_sample *sample);

/* A method with its numbers. The score's component i is sum over b of p[i][b] before + q[i][b]
 * after + c[i]. */
typedef struct tally_score {
    tally_method method;
    int bands;
    float gain[TALLY_SCORE_BANDS], offset[TALLY_SCORE_BANDS]; /* AFTER in BEFORE's radiometry */
    float sigma[TALLY_SCORE_BANDS];                           /* noise of that difference */
    float p[TALLY_SCORE_BANDS][TALLY_SCORE_BANDS], q[TALLY_SCORE_BANDS][TALLY_SCORE_BANDS],
        c[TALLY_SCORE_BANDS];
    float floor[TALLY_SCORE_BANDS]; /* logratio: the least value a logarithm is taken of */
    float centre, limit;            /* changed: |value - centre| > limit */
} tally_score;

/*
 * Learn gain, offset and noise (and the transform, for irmad and pca), then the threshold. The
 * sample stays as it is. Errors: TALLY_E_NODATA fewer than 16 pairs, or bands that are copies of
 * each other (irmad, pca); TALLY_E_NOMEM.
 */
tally_status tally_score_learn(tally_score *score, tally_method method,
                               const tally_threshold *threshold, const tally_sample *sample,
                               tally_error *err) TALLY_MUST_CHECK;
/* The value of n pixels (signed for difference and logratio) and the sum of standardised AFTER
 * minus BEFORE. */
void tally_score_row(const tally_score *score, const float *const *before,
                     const float *const *after, size_t n, float *value, float *sum);

#endif
