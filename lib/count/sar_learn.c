/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What always shines: quays, jetties, rocks, moored pontoons. The scenes of a family look from one
 * side and under one angle, so a structure sends back much the same on every date, while ships come
 * and go, and one ship at a berth shines elsewhere than the next. A pixel is structure where its
 * smoothed amplitude, over the water's level of its scene, has a median over the dates above the
 * threshold of clutter and keeps near that median on most of them. Done tile by tile with all
 * scenes together, so memory does not grow with the unit.
 *
 * Known failures: a ship that never leaves is structure; a crane that moves along its quay is not,
 * where it does.
 *
 * Constants: STEADY and NEAR as for the colours of optical land, wider by the speckle that is left
 * in a smoothed pixel.
 */
#include <math.h>

#include "count/sar.h"

#define TILE     256
#define MOST     64
#define LEAST    4
#define NEAR     1.7f /* factor to either side of the median */
#define STEADY   0.7f /* of the dates */
#define SMOOTHED 0.65 /* what smoothing leaves of the deviation of speckle with its correlation */

typedef struct scene_water {
    tally_sar_water water;
    bool is_known;
} scene_water;

static tally_status learn_waters(const tally_context *ctx, const tally_stack *stack,
                                 const size_t *chosen, size_t n, const tally_box *cores,
                                 size_t n_cores, scene_water *waters, tally_error *err)
{
    for (size_t i = 0; i < n; i++) {
        tally_error why = { 0 };
        const tally_status s =
            tally_sar_learn(ctx, stack, chosen[i], cores, n_cores, &waters[i].water, &why);
        waters[i].is_known = s == TALLY_OK && waters[i].water.level > 0;
        if (s != TALLY_OK && s != TALLY_E_NODATA) return tally_fail(err, s, "%s", why.message);
    }
    return TALLY_OK;
}

/* Smoothed amplitude over the level of the scene's water. */
static tally_status read_contrast(const tally_context *ctx, const tally_stack *stack, size_t scene,
                                  const tally_sar_water *water, tally_box box, tally_patch *out,
                                  tally_error *err)
{
    tally_patch raw = { 0 }, amplitude = { 0 };
    tally_status s = tally_stack_read(ctx, stack, scene, box, &raw, err);
    if (s == TALLY_OK) s = tally_sar_amplitude(&raw, water->unit, &amplitude, err);
    if (s == TALLY_OK)
        s = tally_sar_smooth(&amplitude, &amplitude.valid, tally_sar_smooth_px(stack->grid.gsd_m),
                             out, err);
    for (int y = 0; s == TALLY_OK && y < out->height; y++)
        for (int x = 0; x < out->width; x++)
            tally_patch_row(out, 0, y)[x] /= water->level;
    tally_patch_fini(&amplitude);
    tally_patch_fini(&raw);
    return s;
}

bool tally_sar_is_structure(const float *values, size_t n, float threshold)
{
    float sorted[MOST];
    size_t near = 0;
    if (n < LEAST || n > MOST) return false;
    for (size_t i = 0; i < n; i++)
        sorted[i] = values[i];
    const float median = tally_median(sorted, n);
    for (size_t i = 0; i < n; i++)
        near += values[i] > median / NEAR && values[i] < median * NEAR;
    return median > threshold && (float)near >= STEADY * (float)n;
}

static tally_status mark_tile(const tally_context *ctx, const tally_stack *stack,
                              const size_t *chosen, size_t n, const scene_water *waters,
                              tally_box tile, tally_box unit, tally_patch *out, tally_error *err)
{
    tally_patch seen[MOST] = { { 0 } };
    size_t known = 0;
    double cv = 0;
    tally_status s = TALLY_OK;
    for (size_t i = 0; i < n && s == TALLY_OK; i++) {
        if (!waters[i].is_known) continue;
        s = read_contrast(ctx, stack, chosen[i], &waters[i].water, tile, &seen[known], err);
        if (s == TALLY_OK) cv += waters[i].water.cv, known++;
    }
    const double smooth_cv = known ? SMOOTHED * cv / (double)known : 1;
    const float threshold = (float)tally_sar_gamma_tail(1 / fmax(smooth_cv * smooth_cv, 1e-4));
    for (int y = tile.y0; y < tile.y1 && s == TALLY_OK; y++)
        for (int x = tile.x0; x < tile.x1; x++) {
            float values[MOST];
            size_t k = 0;
            for (size_t i = 0; i < known; i++)
                if (tally_bits_get(&seen[i].valid, x - tile.x0, y - tile.y0))
                    values[k++] = tally_patch_row(&seen[i], 0, y - tile.y0)[x - tile.x0];
            if (k < LEAST) continue;
            tally_bits_set(&out->valid, x - unit.x0, y - unit.y0);
            tally_patch_row(out, 0, y - unit.y0)[x - unit.x0] =
                tally_sar_is_structure(values, k, threshold);
        }
    for (size_t i = 0; i < known; i++)
        tally_patch_fini(&seen[i]);
    return s;
}

/* A rim around what was found: where blur and half a pixel of shift let it flicker. */
static tally_status widen(const tally_kernels *k, tally_patch *land, int by, tally_error *err)
{
    tally_bits bits;
    tally_status s = tally_bits_init(&bits, land->width, land->height, err);
    if (s != TALLY_OK) return s;
    for (int y = 0; y < land->height; y++)
        for (int x = 0; x < land->width; x++)
            if (tally_patch_row(land, 0, y)[x] > 0.5f) tally_bits_set(&bits, x, y);
    s = tally_bits_close(k, &bits, by, by, err);
    if (s == TALLY_OK) s = tally_bits_dilate(k, &bits, by, by, err);
    for (int y = 0; y < land->height && s == TALLY_OK; y++)
        for (int x = 0; x < land->width; x++)
            tally_patch_row(land, 0, y)[x] = tally_bits_get(&bits, x, y);
    tally_bits_fini(&bits);
    return s;
}

tally_status tally_sar_structure_learn(const tally_context *ctx, const tally_stack *stack,
                                       const size_t *chosen, size_t n, const tally_box *cores,
                                       size_t n_cores, tally_box unit, tally_patch *land,
                                       tally_error *err)
{
    n = n < MOST ? n : MOST;
    scene_water *waters = tally_alloc(n + 1, sizeof *waters);
    tally_status s = waters ? TALLY_OK : tally_nomem(err, "what always shines");
    if (s == TALLY_OK) s = learn_waters(ctx, stack, chosen, n, cores, n_cores, waters, err);
    if (s == TALLY_OK)
        s = tally_patch_init(land, tally_box_width(unit), tally_box_height(unit), 1, err);
    for (int y = unit.y0; y < unit.y1 && s == TALLY_OK; y += TILE)
        for (int x = unit.x0; x < unit.x1 && s == TALLY_OK; x += TILE) {
            const tally_box tile =
                tally_box_intersect(unit, (tally_box) { x, y, x + TILE, y + TILE });
            s = mark_tile(ctx, stack, chosen, n, waters, tile, unit, land, err);
        }
    if (s == TALLY_OK)
        s = widen(ctx->kernels, land, 1 + tally_sar_smooth_px(stack->grid.gsd_m), err);
    tally_free(waters);
    return s;
}
