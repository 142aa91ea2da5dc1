/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reading a stack: one resampling from the tile's own pixels to the reference, CRS, grid and
 * residual shift together. */
#include "align/survey.h"

#include "align/seams.h"

#include <math.h>
#include <string.h>

#include "kernels/kernels.h"

enum { REACH = 3 }; /* pixels that a cubic kernel wants around the window */

tally_status tally_stack_shape(const tally_stack *s, const tally_shape *metres, tally_shape *px,
                               tally_error *err)
{
    tally_status status = tally_shape_copy(metres, px, err);
    for (size_t i = 0; status == TALLY_OK && i < px->n_paths; i++)
        for (size_t k = 0; k < px->paths[i].n; k++)
            px->paths[i].points[k] = tally_stack_px(s, px->paths[i].points[k]);
    return status;
}

tally_box tally_stack_box(const tally_stack *s, const tally_shape *metres, double margin_m)
{
    static const double FAR =
        1e8; /* what lies farther away than any tile is wide is cut, so that an int can hold it */
    tally_point low, high;
    tally_shape_bounds(metres, &low, &high);
    if (!(low.x <= high.x)) return (tally_box) { 0, 0, 0, 0 };
    tally_point a = tally_stack_px(s, (tally_point) { low.x - margin_m, high.y + margin_m });
    tally_point b = tally_stack_px(s, (tally_point) { high.x + margin_m, low.y - margin_m });
    return (tally_box) { (int)tally_clamp(floor(a.x), -FAR, FAR),
                         (int)tally_clamp(floor(a.y), -FAR, FAR),
                         (int)tally_clamp(ceil(b.x), -FAR, FAR),
                         (int)tally_clamp(ceil(b.y), -FAR, FAR) };
}

/* The tile's pixels under `box`, with what the kernel wants around them, at most `beyond` of them
 * past the tile's edge. Empty: the tile does not reach there. */
static tally_box window_under(const tally_affine *map, tally_box box, const tally_tile *tile,
                              int beyond)
{
    tally_point low = { INFINITY, INFINITY }, high = { -INFINITY, -INFINITY };
    for (int i = 0; i < 4; i++) {
        tally_point p = tally_affine_apply(
            map, (tally_point) { i & 1 ? box.x1 : box.x0, i & 2 ? box.y1 : box.y0 });
        low = (tally_point) { fmin(low.x, p.x), fmin(low.y, p.y) };
        high = (tally_point) { fmax(high.x, p.x), fmax(high.y, p.y) };
    }
    if (!(low.x < tile->width && low.y < tile->height && high.x > 0 && high.y > 0))
        return (tally_box) { 0, 0, 0, 0 };
    tally_box window = { (int)fmax(floor(low.x) - REACH, -beyond),
                         (int)fmax(floor(low.y) - REACH, -beyond),
                         (int)fmin(ceil(high.x) + REACH, tile->width + beyond),
                         (int)fmin(ceil(high.y) + REACH, tile->height + beyond) };
    return window;
}

typedef struct row_buffers {
    float *pixels;
    uint64_t *valid;
} row_buffers;

/* Fill what no earlier tile has filled. */
static void merge_row(const row_buffers *row, int y, tally_patch *patch)
{
    uint64_t *have = tally_bits_row(&patch->valid, y);
    for (size_t w = 0; w < patch->valid.words; w++) {
        uint64_t fresh = row->valid[w] & ~have[w];
        have[w] |= fresh;
        for (; fresh; fresh &= fresh - 1) {
            size_t x = 64 * w + (size_t)__builtin_ctzll(fresh);
            for (int b = 0; b < patch->bands; b++)
                tally_patch_row(patch, b, y)[x] = row->pixels[(size_t)b * patch->stride + x];
        }
    }
}

/* Whole pixels: all tiles of a scene are read off their place by the same, chosen for the first. */
typedef struct snap {
    bool chosen;
    tally_point off;
} snap;

static void snap_map(snap *to, tally_box box, tally_affine *map)
{
    static const double SAME_PX = 1e-3;
    const tally_point middle = { (box.x0 + box.x1) / 2.0, (box.y0 + box.y1) / 2.0 };
    tally_affine whole = *map;
    tally_point off;
    if (!tally_affine_snap(&whole, middle, &off)) return;
    if (!to->chosen) *to = (snap) { true, off };
    if (hypot(off.x - to->off.x, off.y - to->off.y) < SAME_PX) {
        *map = whole;
    } else {
        map->c[0] -= to->off.x;
        map->c[3] -= to->off.y;
    }
}

static tally_status read_tile(const tally_context *ctx, const tally_stack *stack,
                              const tally_stack_scene *entry, size_t t, tally_raster **rasters,
                              tally_box box, snap *whole, const row_buffers *row,
                              tally_patch *patch, tally_error *err)
{
    const tally_tile *tile = entry->scene->tiles[t];
    const int beyond = entry->scene->n_tiles > 1 ? REACH : 0;
    tally_affine to_tile;
    const tally_grid *g = &stack->grid;
    tally_status s =
        tally_tile_affine_from(tile, g->epsg, g->x0, g->y0, g->gsd_m, box, &to_tile, err);
    if (s != TALLY_OK) return s;
    tally_affine map = tally_affine_compose(&to_tile, &entry->placement.residual);
    tally_box window = window_under(&map, box, tile, beyond);
    if (tally_box_empty(window)) return TALLY_OK;
    if (whole) {
        snap_map(whole, box, &map);
        window = window_under(&map, box, tile, beyond);
        if (tally_box_empty(window)) return TALLY_OK;
    }

    tally_patch native = { 0 };
    s = tally_seams_read(entry->scene, t, rasters, stack->roles, stack->n_bands, window, &native,
                         err);
    for (int y = 0; s == TALLY_OK && y < patch->height; y++) {
        tally_point at = tally_affine_apply(&map, (tally_point) { box.x0 + 0.5, box.y0 + y + 0.5 });
        ctx->kernels->gather_f32(native.pixels, native.stride, native.plane, native.bands,
                                 native.width, native.height, native.valid.bits, native.valid.words,
                                 at.x - window.x0 - 0.5, at.y - window.y0 - 0.5, map.c[1], map.c[4],
                                 (size_t)patch->width, row->pixels, patch->stride, row->valid);
        merge_row(row, y, patch);
    }
    tally_patch_fini(&native);
    return s;
}

static void scale(const tally_context *ctx, const tally_stack_scene *entry, tally_patch *patch)
{
    for (int b = 0; b < patch->bands; b++)
        for (int y = 0; y < patch->height; y++) {
            float *row = tally_patch_row(patch, b, y);
            ctx->kernels->scale_f32(row, entry->gain[b], entry->offset[b], (size_t)patch->width,
                                    row);
            /* not seen stays 0, whatever the offset */
            for (size_t w = 0; w < patch->valid.words; w++)
                for (uint64_t dark = ~tally_bits_row(&patch->valid, y)[w]; dark; dark &= dark - 1) {
                    size_t x = 64 * w + (size_t)__builtin_ctzll(dark);
                    if (x >= (size_t)patch->width) break;
                    row[x] = 0;
                }
        }
}

/* Take out the pixels of `valid` (the window `box`) whose bit of px x px is set in `hidden`. */
static void hide(const tally_bits *hidden, int px, tally_box box, tally_bits *valid)
{
    if (!hidden->bits) return;
    for (int cy = box.y0 < 0 ? 0 : box.y0 / px; cy < hidden->height && cy * px < box.y1; cy++)
        for (int cx = box.x0 < 0 ? 0 : box.x0 / px; cx < hidden->width && cx * px < box.x1; cx++) {
            if (!tally_bits_get(hidden, cx, cy)) continue;
            const tally_box cell = tally_box_intersect(
                box, (tally_box) { cx * px, cy * px, (cx + 1) * px, (cy + 1) * px });
            for (int y = cell.y0; y < cell.y1; y++)
                for (int x = cell.x0; x < cell.x1; x++)
                    tally_bits_clear(valid, x - box.x0, y - box.y0);
        }
}

tally_status tally_stack_reader_open(const tally_stack *stack, size_t i, tally_stack_reader *out,
                                     tally_error *err)
{
    *out = (tally_stack_reader) { .stack = stack, .scene = i };
    out->rasters = tally_alloc(stack->scenes[i].scene->n_tiles, sizeof *out->rasters);
    return out->rasters ? TALLY_OK : tally_nomem(err, stack->scenes[i].scene->id);
}

void tally_stack_reader_close(tally_stack_reader *r)
{
    for (size_t t = 0; r->rasters && t < r->stack->scenes[r->scene].scene->n_tiles; t++)
        tally_raster_close(&r->rasters[t]);
    tally_free(r->rasters);
    *r = (tally_stack_reader) { 0 };
}

static tally_status read_box(const tally_context *ctx, tally_stack_reader *r, tally_box box,
                             snap *whole, tally_patch *patch, tally_error *err)
{
    const tally_stack *stack = r->stack;
    const tally_stack_scene *entry = &stack->scenes[r->scene];
    row_buffers row = { 0 };
    tally_status s =
        tally_patch_init(patch, tally_box_width(box), tally_box_height(box), stack->n_bands, err);
    if (s != TALLY_OK) return s;
    row.pixels = tally_alloc(patch->stride * (size_t)patch->bands, sizeof(float));
    row.valid = tally_alloc(patch->valid.words, sizeof(uint64_t));
    if (!row.pixels || !row.valid) s = tally_nomem(err, "a window of pixels");
    const size_t n_tiles = entry->hidden ? 0 : entry->scene->n_tiles;
    for (size_t t = 0; t < n_tiles && s == TALLY_OK; t++)
        s = read_tile(ctx, stack, entry, t, r->rasters, box, whole, &row, patch, err);
    if (s == TALLY_OK) {
        hide(&entry->cloud, entry->cloud_px, box, &patch->valid);
        hide(&stack->thin, stack->thin_px, box, &patch->valid);
        scale(ctx, entry, patch);
    }
    tally_free(row.pixels);
    tally_free(row.valid);
    if (s != TALLY_OK) tally_patch_fini(patch);
    return s;
}

tally_status tally_stack_reader_read(const tally_context *ctx, tally_stack_reader *r, tally_box box,
                                     tally_patch *patch, tally_error *err)
{
    return read_box(ctx, r, box, NULL, patch, err);
}

tally_status tally_stack_reader_read_whole(const tally_context *ctx, tally_stack_reader *r,
                                           tally_box box, tally_patch *patch, tally_point *off,
                                           tally_error *err)
{
    snap to = { 0 };
    const tally_status s = read_box(ctx, r, box, &to, patch, err);
    *off = to.off;
    return s;
}

tally_status tally_stack_read(const tally_context *ctx, const tally_stack *stack, size_t i,
                              tally_box box, tally_patch *patch, tally_error *err)
{
    tally_stack_reader reader;
    tally_status s = tally_stack_reader_open(stack, i, &reader, err);
    if (s == TALLY_OK) s = tally_stack_reader_read(ctx, &reader, box, patch, err);
    tally_stack_reader_close(&reader);
    return s;
}

void tally_stack_destroy(tally_stack **stack)
{
    if (!stack || !*stack) return;
    if ((*stack)->survey) tally_ties_fini(&(*stack)->survey->ties);
    tally_free((*stack)->survey);
    tally_bits_fini(&(*stack)->thin);
    tally_free((*stack)->family);
    for (size_t i = 0; (*stack)->scenes && i < (*stack)->n; i++)
        tally_bits_fini(&(*stack)->scenes[i].cloud);
    tally_free((*stack)->scenes);
    tally_free(*stack);
    *stack = NULL;
}
