/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The empty tracks in the model: step 2 keeps them, step 3 recalls them. */
#ifndef TALLY_COUNT_RAIL_KEEP_H
#define TALLY_COUNT_RAIL_KEEP_H

#include "count/rail.h"

tally_status tally_rail_keep(const tally_stack *stack, const tally_unit *unit,
                             const tally_track *track, const tally_rail_empty *empty,
                             tally_model *model, tally_error *err) TALLY_MUST_CHECK;

/* Errors: TALLY_E_NODATA: never learned; TALLY_E_FORMAT: of another track; TALLY_E_NOMEM. Owns:
 * tally_rail_empty_fini. */
tally_status tally_rail_recall(const tally_unit *unit, const tally_track *track,
                               const tally_model *model, int bands, tally_rail_empty *out,
                               tally_error *err) TALLY_MUST_CHECK;

#endif
