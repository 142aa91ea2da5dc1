/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The datum: how far all scenes of a family are off together from where the site file has its
 * zones. */
#ifndef TALLY_ALIGN_DATUM_H
#define TALLY_ALIGN_DATUM_H

#include "align/stack.h"

/*
 * Set the stack's datum once its scenes are placed. wanted: `mean` (the median of the scenes'
 * positions), `scene:ID`, `DX,DY` in pixels, or NULL: the median, and where the zones as a set are
 * clearly elsewhere on the stack, that. Says what it did.
 */
tally_status tally_datum_set(const tally_context *ctx, tally_stack *stack, const char *wanted,
                             tally_error *err) TALLY_MUST_CHECK;

#endif
