/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The frozen background of a stack: named float rasters per unit, learned in step 2, read in step
 * 3, kept as GeoTIFFs (FOLDER/<unit>_<layer>.tif) so that a later run counts against the very same
 * numbers.
 */
#ifndef TALLY_CHANGE_MODEL_H
#define TALLY_CHANGE_MODEL_H

#include "align/stack.h"

typedef struct tally_model tally_model;
/* `folder` must exist. */
tally_status tally_model_open(const char *folder, tally_model **out,
                              tally_error *err) TALLY_MUST_CHECK;
void tally_model_close(tally_model **model);
/* Write a layer. `at`: its box on the stack's grid (georeferenced), or NULL for strips and tables,
 * which have no place. unit and layer: letters, digits, `-`, `_` only. Safe from several threads on
 * different layers. */
tally_status tally_model_put(tally_model *model, const tally_stack *stack, const char *unit,
                             const char *layer, const tally_patch *patch, const tally_box *at,
                             tally_error *err) TALLY_MUST_CHECK;
/* TALLY_E_NODATA when the layer was never learned (too few scenes). patch is initialised here. */
tally_status tally_model_get(const tally_model *model, const char *unit, const char *layer,
                             tally_patch *patch, tally_error *err) TALLY_MUST_CHECK;

#endif
