/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One radar scene for the vessel counter: its water from all blocks of a unit (sar_water.c), then
 * block by block what stands out from the water around it (sar_ring.c) and which of that is hull
 * (sar_hulls.c). Every scene is taken in its own units: the stack's radiometry is for optical
 * bands.
 */
#include <math.h>

#include "count/sar.h"

#include "count/vessel_view.h"

#define SAMPLE_MOST 120000
#define LOOKS_MOST  60000

static tally_status learn_unit_of(const tally_context *ctx, tally_stack_reader *reader,
                                  const tally_box *cores, size_t n, int step, tally_sar_unit *unit,
                                  tally_error *err)
{
    tally_water_sample sample = { 0 };
    tally_status s = tally_water_sample_init(&sample, 1, SAMPLE_MOST, err);
    for (size_t i = 0; i < n && s == TALLY_OK; i++) {
        tally_patch patch = { 0 };
        tally_vessel_masks masks = { 0 };
        s = tally_stack_reader_read(ctx, reader, cores[i], &patch, err);
        if (s == TALLY_OK) s = tally_vessel_masks_init(&masks, reader->stack, cores[i], err);
        if (s == TALLY_OK) tally_water_sample_add(&sample, &patch, &masks.where, step);
        tally_vessel_masks_fini(&masks);
        tally_patch_fini(&patch);
    }
    *unit = tally_sar_unit_of(&sample);
    tally_water_sample_fini(&sample);
    return s;
}

static float brightest(const tally_patch *amplitude, const tally_bits *where)
{
    float most = 0;
    for (int y = 0; y < amplitude->height; y++)
        for (int x = 0; x < amplitude->width; x++)
            if (tally_bits_get(where, x, y))
                most = fmaxf(most, tally_patch_row(amplitude, 0, y)[x]);
    return most;
}

tally_status tally_sar_learn(const tally_context *ctx, const tally_stack *stack, size_t scene,
                             const tally_box *cores, size_t n, tally_sar_water *water,
                             tally_error *err)
{
    double pixels = 0;
    float most = 0;
    tally_sar_looks looks = { .capacity = LOOKS_MOST };
    tally_stack_reader reader;
    tally_status s = tally_stack_reader_open(stack, scene, &reader, err);
    if (s != TALLY_OK) return s;
    *water = (tally_sar_water) { .unit = TALLY_SAR_AMPLITUDE };
    for (size_t i = 0; i < n; i++)
        pixels += (double)tally_box_width(cores[i]) * tally_box_height(cores[i]);
    const int step = (int)fmax(1, ceil(sqrt(pixels / SAMPLE_MOST)));
    looks.looks = tally_alloc(LOOKS_MOST, sizeof *looks.looks);
    if (!looks.looks) s = tally_nomem(err, "a radar scene's water");
    if (s == TALLY_OK) s = learn_unit_of(ctx, &reader, cores, n, step, &water->unit, err);
    for (size_t i = 0; i < n && s == TALLY_OK; i++) {
        tally_patch patch = { 0 }, amplitude = { 0 };
        tally_vessel_masks masks = { 0 };
        s = tally_stack_reader_read(ctx, &reader, cores[i], &patch, err);
        if (s == TALLY_OK) s = tally_vessel_masks_init(&masks, stack, cores[i], err);
        if (s == TALLY_OK) s = tally_sar_amplitude(&patch, water->unit, &amplitude, err);
        if (s == TALLY_OK)
            s = tally_sar_looks_add(&looks, &amplitude, &masks.where, stack->grid.gsd_m,
                                    (size_t)(LOOKS_MOST / n), err);
        if (s == TALLY_OK) most = fmaxf(most, brightest(&amplitude, &masks.where));
        tally_vessel_masks_fini(&masks);
        tally_patch_fini(&amplitude);
        tally_patch_fini(&patch);
    }
    const tally_sar_unit before = water->unit;
    if (s == TALLY_OK) s = tally_sar_water_learn(water, &looks, err);
    if (s == TALLY_OK && water->unit != before) most = sqrtf(most);
    water->ceiling = most / fmaxf(water->level, 1e-9f);
    tally_free(looks.looks);
    tally_stack_reader_close(&reader);
    return s;
}

tally_status tally_sar_block_init(tally_sar_block *block, const tally_kernels *k,
                                  const tally_sar_water *scene, const tally_patch *patch,
                                  const tally_bits *where, double gsd_m, tally_error *err)
{
    tally_patch amplitude = { 0 };
    tally_status s = tally_sar_amplitude(patch, scene->unit, &amplitude, err);
    *block = (tally_sar_block) { .gsd_m = gsd_m };
    if (s == TALLY_OK)
        s = tally_sar_water_find(k, scene, &amplitude, where, gsd_m, &block->water, err);
    if (s == TALLY_OK)
        s = tally_sar_contrast(k, scene, &amplitude, &block->water, gsd_m, &block->contrast,
                               &block->threshold, err);
    tally_patch_fini(&amplitude);
    if (s != TALLY_OK) tally_sar_block_fini(block);
    return s;
}

void tally_sar_block_fini(tally_sar_block *block)
{
    tally_patch_fini(&block->contrast);
    tally_bits_fini(&block->water);
}
