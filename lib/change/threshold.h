/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The threshold rules of CONTRACT.md 4: how far a score must lie from its centre. */
#ifndef TALLY_CHANGE_THRESHOLD_H
#define TALLY_CHANGE_THRESHOLD_H

#include "base/base.h"

typedef enum tally_rule {
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

/* NULL or "auto" is far:0.0001. TALLY_E_ARG names the word. */
tally_status tally_threshold_parse(const char *text, tally_threshold *out,
                                   tally_error *err) TALLY_MUST_CHECK;
/* Otsu's (1979) and Kittler and Illingworth's (1986) cut of n values >= 0, by a histogram. They are
 * reordered. */
double tally_threshold_otsu(float *values, size_t n);
double tally_threshold_ki(float *values, size_t n);

#endif
