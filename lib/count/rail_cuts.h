/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cuts: cars that stand coupled, as they are counted and as `detections` tells them. */
#ifndef TALLY_COUNT_RAIL_CUTS_H
#define TALLY_COUNT_RAIL_CUTS_H

#include "count/rail.h"
#include "count/rail_fine.h"

/* Between couplers, mean of a mixed 1520 mm fleet: 12.0 to 15.7 (DOMAIN.md). */
#define TALLY_RAIL_PITCH_M 14.1

typedef struct tally_rail_cut {
    int from, to;
    int64_t cars;
    size_t first; /* of the row's cars; fine pixels */
} tally_rail_cut;

/* Runs of occupied columns, each of length / pitch cars; returns the cars. cuts: room for a column
 * each; NULL: not wanted. */
int64_t tally_rail_cuts_of(const tally_track *track, const tally_rail_state *state,
                           tally_rail_cut *cuts, size_t *n_cuts);
/* The cars of a row that are coupled, as cuts; returns how many. cuts: room for row->n. */
size_t tally_rail_cuts_of_row(const tally_track *track, const tally_rail_row *row,
                              tally_rail_cut *cuts);
/* As something found. row: of no cars where they are not told apart. */
tally_status tally_rail_add_cut(const tally_stack *stack, const tally_track *track,
                                const tally_rail_state *state, const tally_rail_cut *cut,
                                const tally_rail_catalogue *wagons, const tally_rail_row *row,
                                tally_findings *out, tally_error *err) TALLY_MUST_CHECK;

#endif
