/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Railcars where a pixel is wider than half a wagon: what snow hides. */
#ifndef TALLY_COUNT_RAIL_COARSE_H
#define TALLY_COUNT_RAIL_COARSE_H

#include "count/rail.h"

/* A wagon is two pixels wide at most. */
static inline bool tally_rail_is_coarse(double gsd_m)
{
    return gsd_m > 1.5;
}

/*
 * The share of dates on which each column of one track is occupied, without the date on which the
 * unit is fullest (a spike is no habit) where there are three and more.
 * states: of k scenes, those of scene d and track i at states[d * apart + i]. share: n columns.
 */
void tally_rail_usual(const tally_track *tracks, size_t n_tracks, size_t track,
                      const tally_rail_state *states, size_t k, size_t apart, float *share);

/* In snow: the usual of the other dates instead of what was found, in an interval that holds both.
 * share: tally_rail_usual. */
void tally_rail_coarse_snow(const tally_track *track, const tally_rail_state *state,
                            const float *share, double pitch_m, tally_zone_count *z);

#endif
