/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Intervals, made as wide as drawn scenes with known truth say that they have to be. */
#ifndef TALLY_COUNT_CALIBRATE_H
#define TALLY_COUNT_CALIBRATE_H

#include "count/counter.h"

/* The bounds of a zone that was counted; others stay as they are. Count and estimate do not change.
 * snow: snow lies in the scene. alone: there is no other; railcars then have widths of their own
 * (rail_single.c), which are left as they are. */
void tally_calibrate(tally_class class_, double gsd_m, bool snow, bool alone,
                     tally_zone_count *zone);

#endif
