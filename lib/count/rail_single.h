/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Railcars in one image alone: is there a wagon at this place, told by its looks. */
#ifndef TALLY_COUNT_RAIL_SINGLE_H
#define TALLY_COUNT_RAIL_SINGLE_H

#include "count/rail.h"
#include "count/rail_looks.h"

/* Log odds for "occupied" of one column (rail_looks.h), seen from both sides. */
double tally_rail_single_odds(const float *looks);

/*
 * Judge the tracks of a unit (at most TALLY_TRACKS_A_UNIT) by one image: writes seen and logit of
 * the states. Method, known failures: rail_single.c. strips: by tally_rail_looks_sample.
 */
tally_status tally_rail_single_judge(const tally_track *tracks, const tally_patch *strips, size_t n,
                                     const tally_band_role *roles, tally_rail_state *states,
                                     tally_error *err) TALLY_MUST_CHECK;

/* Of a judged track, half the width of the interval that holds its number of cars in 95 %. */
double tally_rail_single_doubt(const tally_track *track, const tally_rail_state *state, double cars,
                               double pitch_m);

/* Count the tracks of a unit in one image of at most TALLY_RAIL_FINEST_M; the counter's step 3
 * where no background is known, or none that holds (snow). tracks: straightened, cells of 0.5 m.
 * why: the rows' reason. */
tally_status tally_rail_single_count(const tally_context *ctx, const tally_stack *stack,
                                     const tally_unit *unit, const tally_track *tracks, size_t n,
                                     size_t scene, const char *why, tally_findings *out,
                                     tally_error *err) TALLY_MUST_CHECK;

/* The network's numbers (bench/fit_single writes them). */
enum { TALLY_SINGLE_HIDDEN = 16, TALLY_SINGLE_SECOND = 8 };
typedef struct tally_single_net {
    float mean[TALLY_LOOKS], scale[TALLY_LOOKS];
    float w0[TALLY_LOOKS][TALLY_SINGLE_HIDDEN], b0[TALLY_SINGLE_HIDDEN];
    float w1[TALLY_SINGLE_HIDDEN][TALLY_SINGLE_SECOND], b1[TALLY_SINGLE_SECOND];
    float w2[TALLY_SINGLE_SECOND], b2;
} tally_single_net;
extern const tally_single_net tally_rail_single_net;

#endif
