/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Learning and counting of a unit of tracks at pixels over 1.5 m: docs/methods/coarse.md. */
#ifndef TALLY_COUNT_RAIL_TOGETHER_H
#define TALLY_COUNT_RAIL_TOGETHER_H

#include "count/rail_coarse.h"

/* The unit's ground, from the chosen scenes, into the model. */
tally_status tally_rail_learn_together(const tally_context *ctx, const tally_stack *stack,
                                       const tally_unit *unit, const tally_track *tracks, size_t n,
                                       const size_t *chosen, size_t n_chosen, tally_model *model,
                                       tally_error *err) TALLY_MUST_CHECK;

/* Errors: TALLY_E_NODATA: never learned; TALLY_E_FORMAT: of another unit. */
tally_status tally_rail_count_together(const tally_context *ctx, const tally_stack *stack,
                                       const tally_unit *unit, const tally_track *tracks, size_t n,
                                       size_t scene, const tally_model *model, tally_findings *out,
                                       tally_error *err) TALLY_MUST_CHECK;

#endif
