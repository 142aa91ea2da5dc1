/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The whole site from its zones. */
#ifndef TALLY_COUNT_TOTAL_H
#define TALLY_COUNT_TOTAL_H

#include "count/counter.h"

/*
 * One row for all zones of a class: `count` sums what the scene shows, `seen` is the mean over
 * zones, `estimate` scales the zones that were seen to those that were not by their size (metres of
 * track, square metres of yard or water).
 *
 * rows:    n >= 1, one per zone; sizes: n, each > 0.
 * Method:  half-widths add as errors with a correlation of 0.3 between zones: light, season and
 * radiometry err alike in all of them, occlusion and gaps do not (chosen by eye on the validation
 * sets; issue 4 calibrates it). What is scaled up carries its own doubt, twice its Poisson error
 * and its half.
 */
tally_zone_count tally_total(const tally_zone_count *rows, const double *sizes, size_t n);

#endif
