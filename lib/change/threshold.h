/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The threshold rules of CONTRACT.md 4: how far a score must lie from its centre. */
#ifndef TALLY_CHANGE_THRESHOLD_H
#define TALLY_CHANGE_THRESHOLD_H

#include "base/base.h"

typedef enum tally_rule {
    TALLY_RULE_AUTO,
    TALLY_RULE_FAR,
    TALLY_RULE_MAD,
    TALLY_RULE_OTSU,
    TALLY_RULE_KI,
    TALLY_RULE_VALUE
} tally_rule;

typedef struct tally_threshold {
    tally_rule rule;
    double parameter; /* P, K or the value; 0 where there is none */
} tally_threshold;

/* NULL is auto. TALLY_E_ARG names the word. */
tally_status tally_threshold_parse(const char *text, tally_threshold *out,
                                   tally_error *err) TALLY_MUST_CHECK;
/* Otsu's (1979) and Kittler and Illingworth's (1986) cut of n values >= 0, by a histogram. They are
 * reordered. */
double tally_threshold_otsu(float *values, size_t n);
double tally_threshold_ki(float *values, size_t n);

/* What the unchanged pixels of a score look like, when many others changed, too. */
typedef struct tally_noise {
    double centre, sigma; /* of a normal law; of `length`, of its power 2/3 */
} tally_noise;
/* Signed values: the mode, and the spread on the side of it that change left alone. n > 0. */
tally_noise tally_noise_signed(const float *values, size_t n, float *room);
/* Lengths (>= 0) of vectors of any number of components. n > 0; values are reordered. */
tally_noise tally_noise_length(float *values, size_t n);
/* The least deviation in sigmas at which at most the share `rate` of what lies beyond is noise,
 * from 2.24 to 3.72. The z are reordered. */
double tally_threshold_false_share(float *z, size_t n, double rate);

/* The automatic cut of n lengths (>= 0; at least 16). They are reordered. */
tally_status tally_threshold_auto_length(const float *values, size_t n, double *cut,
                                         tally_error *err) TALLY_MUST_CHECK;
/* The automatic cut of n signed log ratios about the centre that comes back. `clear`: the changed
 * class stands apart from the noise. */
tally_status tally_threshold_auto_speckle(const float *values, size_t n, double *centre,
                                          double *cut, bool *clear,
                                          tally_error *err) TALLY_MUST_CHECK;

#endif
