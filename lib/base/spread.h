/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What zones come to: how the doubts about single ones add up to that about the site. */
#ifndef TALLY_SPREAD_H
#define TALLY_SPREAD_H

#include "tallyman/records.h"

/*
 * Half-widths add as errors with a correlation of 0.3 between zones: light, season and radiometry
 * err alike in all of them, occlusion and gaps do not (chosen by eye on the validation sets).
 */
typedef struct tally_spread {
    double sum, sum_of_squares;
} tally_spread;
/* Halves that are not above 0, or NaN, add nothing. */
void tally_spread_add(tally_spread *s, double half);
/* Of all that was added, and of `more` that goes with none of it. */
double tally_spread_half(const tally_spread *s, double more);
/* The doubt about `added` things that were scaled up to zones that were not seen: twice their
 * Poisson error and half of them. */
double tally_spread_of_added(double added);

/* `ok` at seen >= 0.95, `partial` from 0.05, else `unseen` (CONTRACT.md). */
tally_quality tally_quality_of(double seen);

#endif
