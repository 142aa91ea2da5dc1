/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What each place of a track looks like in one image, without having seen it at another time. */
#ifndef TALLY_COUNT_RAIL_LOOKS_H
#define TALLY_COUNT_RAIL_LOOKS_H

#include "align/stack.h"
#include "count/strip.h"

enum {
    TALLY_LOOK_LANES = 19, /* 4.5 m to both sides of the centre line, a lane each 0.5 m */
    TALLY_LOOK_KINDS = 8, /* short light, colour; long light, colour, grain, edges; unrest, lines */
    TALLY_LOOKS = TALLY_LOOK_KINDS * TALLY_LOOK_LANES
};

/*
 * The looks of all places of the tracks of a unit, method: rail_looks.c.
 *
 * strips: one a track, columns and lanes of 0.5 m. roles: of their bands.
 * out:    one array a track, columns x TALLY_LOOKS, lane by lane within each kind; all zero where
 *         nothing was seen. Freed by the caller, also on failure.
 * Errors: TALLY_E_ARG other lanes; TALLY_E_NOMEM.
 */
tally_status tally_rail_looks(const tally_track *tracks, const tally_patch *strips, size_t n,
                              const tally_band_role *roles, float **out,
                              tally_error *err) TALLY_MUST_CHECK;

/* The same seen from the other side: right and left swapped. */
void tally_rail_looks_swap(const float looks[TALLY_LOOKS], float out[TALLY_LOOKS]);

/* Does a column show enough of what would be a wagon's roof? */
bool tally_rail_looks_seen(const tally_track *track, const tally_patch *strip, int column);

/* Sample `patch` as tally_track_sample, each cell the mean of four points of it, so that pixels
 * finer than a cell do not alias (sleepers lie 0.6 m apart). */
tally_status tally_rail_looks_sample(const tally_context *ctx, const tally_track *track,
                                     const tally_patch *patch, tally_box box, tally_patch *strip,
                                     tally_error *err) TALLY_MUST_CHECK;

#endif
