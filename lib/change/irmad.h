/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The transforms of `diff` that take linear algebra. */
#ifndef TALLY_CHANGE_IRMAD_H
#define TALLY_CHANGE_IRMAD_H

#include "change/score.h"

/* The judged pixels of a sample, band by band. */
typedef struct tally_columns {
    int bands;
    size_t n;
    float *before[TALLY_SCORE_BANDS], *after[TALLY_SCORE_BANDS];
} tally_columns;

/* Fill p, q and c so that the squares of the components sum to a chi-square where nothing changed.
 * correlations: the canonical ones, largest first, one a band; NULL: not wanted. */
tally_status tally_irmad_learn(tally_score *score, const tally_columns *columns,
                               double *correlations, tally_error *err) TALLY_MUST_CHECK;
/* Rows of w whiten the normalised difference of pixels that hardly changed, whose mean is
 * `centre`. */
tally_status tally_whiten_learn(const tally_score *score, const tally_columns *columns,
                                double w[TALLY_SCORE_BANDS][TALLY_SCORE_BANDS],
                                double centre[TALLY_SCORE_BANDS],
                                tally_error *err) TALLY_MUST_CHECK;

#endif
