/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The ground without clouds, coarse: what a scene is held against to find its clouds.
 *
 * Coarse pixels of about 2 m, and cells of about 8 m that are judged as one: clouds are far larger,
 * and so a whole site fits in a few megabytes. Only blocks near zones are looked at.
 */
#ifndef TALLY_ALIGN_GROUND_H
#define TALLY_ALIGN_GROUND_H

#include "align/stack.h"

typedef struct tally_ground {
    int step, cell; /* grid pixels a coarse pixel; coarse pixels a cell */
    double cell_m;
    tally_bits near;              /* by block of TALLY_GROUND_BLOCK cells: close to a zone */
    tally_bits water;             /* by cell: in a zone of water, or a berth */
    tally_patch centre;           /* coarse: median of clear scenes; valid where enough saw it */
    float unit[TALLY_BAND_ROLES]; /* level of the ground: the measure of brightness */
} tally_ground;

enum { TALLY_GROUND_BLOCK = 32, TALLY_GROUND_LEAST = 4 };

/* Steps, blocks and water of a stack's grid; no pixels yet. Call when the datum is set. */
tally_status tally_ground_plan(const tally_stack *stack, tally_ground *out,
                               tally_error *err) TALLY_MUST_CHECK;
void tally_ground_fini(tally_ground *ground);

/* Scene `i` in coarse rows [y0, y1): means over the pixels seen, valid where at least half were.
 * patch is initialised here. */
tally_status tally_ground_read(const tally_context *ctx, const tally_ground *ground,
                               tally_stack_reader *reader, int y0, int y1, tally_patch *patch,
                               tally_error *err) TALLY_MUST_CHECK;
/* Centre and units from the scenes `chosen` (at most 64), block row by block row. */
tally_status tally_ground_learn(const tally_context *ctx, const tally_stack *stack,
                                const size_t *chosen, size_t n, tally_ground *ground,
                                tally_error *err) TALLY_MUST_CHECK;
/* What was learned, as FOLDER/clear_ground.tif, and back (TALLY_E_NODATA: none was). Loading wants
 * a planned ground. */
tally_status tally_ground_save(const tally_ground *ground, const tally_stack *stack,
                               const char *folder, tally_error *err) TALLY_MUST_CHECK;
tally_status tally_ground_load(tally_ground *ground, const tally_stack *stack, const char *folder,
                               tally_error *err) TALLY_MUST_CHECK;

#endif
