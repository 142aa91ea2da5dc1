/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a window looks like when empty. All chosen scenes are laid over each other, block of rows by
 * block of rows; per pixel the centre is the median, or the half-sample mode (Robertson and Cryer
 * 1974; Bickel 2002), which stays on the ground even when it is covered more often than not as long
 * as what covers it varies. Sigma is 1.4826 MAD (Hampel 1974),
 * corrected for few scenes (Croux and Rousseeuw 1992). Then each scene's pixels that lie
 * farther than 3 sigma from the centre in any band are left out, and both are taken again:
 * DESIGN.md 5.2 in its first form. Known failures: a place covered by the same thing most of the
 * time has that thing for background; with fewer than about seven scenes the MAD is rough, which
 * the floor below is for.
 *
 * Constants: 1.4826 makes the MAD a deviation for normal noise; 3 sigma is the usual rule of
 * rejection and keeps 99.7 % of clean values; the floor is the caller's. A pixel's block does not
 * enter its value: results do not depend on memory.
 */
#include <math.h>
#include <string.h>

#include "change/background.h"
#include "kernels/kernels.h"

#define MAD_TO_SIGMA 1.4826f
#define REJECT       3.0f
#define BLOCK_MIN    16

typedef struct block {
    tally_patch *scenes;
    size_t n;
    const tally_stack *stack;
    const size_t *chosen;
    tally_box box;
    const tally_context *ctx;
} block;

static void close_block(block *b)
{
    for (size_t i = 0; i < b->n; i++)
        tally_patch_fini(&b->scenes[i]);
}

static tally_status read_block(block *b, tally_box box, tally_error *err)
{
    tally_status s = TALLY_OK;

    b->box = box;
    for (size_t i = 0; i < b->n && s == TALLY_OK; i++)
        s = tally_stack_read(b->ctx, b->stack, b->chosen[i], box, &b->scenes[i], err);
    if (s != TALLY_OK) close_block(b);
    return s;
}

/* 1.4826, and what the MAD of n values falls short of it (Croux and Rousseeuw 1992, section 3; n /
 * (n - 0.8) above 9). */
static float mad_to_sigma(int n)
{
    static const float small[] = { 1.0f,   1.0f,   1.196f, 1.495f, 1.363f,
                                   1.206f, 1.200f, 1.140f, 1.129f, 1.107f };
    return MAD_TO_SIGMA * (n <= 9 ? small[n] : (float)n / ((float)n - 0.8f));
}

/* Centre and sigma of one row of one band over the scenes of the block. */
static void row_statistics(const block *b, tally_centre what, int band, int y, float *centre,
                           float *sigma, uint8_t *count)
{
    const float *rows[TALLY_MEDIAN_MAX];
    const uint64_t *valid[TALLY_MEDIAN_MAX];
    const size_t width = (size_t)tally_box_width(b->box);
    const tally_kernels *k = b->ctx->kernels;

    for (size_t i = 0; i < b->n; i++) {
        rows[i] = tally_patch_row(&b->scenes[i], band, y);
        valid[i] = tally_bits_row(&b->scenes[i].valid, y);
    }
    k->median_mad_f32(rows, valid, (int)b->n, width, centre, sigma, count);
    if (what == TALLY_CENTRE_MODE) k->mode_f32(rows, valid, (int)b->n, width, centre);
    for (size_t x = 0; x < width; x++)
        sigma[x] *= mad_to_sigma(count[x]);
}

/* Room for the rejection of one row. */
typedef struct scratch {
    float *inverse, *centre, *sigma;
    uint8_t *count;
    uint64_t *far, *bright;
} scratch;

/* Clear the valid bits of what lies farther than REJECT sigma from the centre in any band. */
static void reject_row(block *b, int y, const tally_patch *centre, const tally_patch *sigma,
                       int out_y, float floor, scratch *room)
{
    const size_t width = (size_t)tally_box_width(b->box);
    const size_t words = centre->valid.words;

    for (int band = 0; band < centre->bands; band++) {
        const float *c = tally_patch_row(centre, band, out_y),
                    *noise = tally_patch_row(sigma, band, out_y);
        const float *inverse = room->inverse;
        for (size_t x = 0; x < width; x++) {
            const float spread = fmaxf(noise[x], floor * fabsf(c[x]));
            room->inverse[x] = spread > 0.0f ? 1.0f / spread : 0.0f;
        }
        for (size_t i = 0; i < b->n; i++) {
            const float *values = tally_patch_row(&b->scenes[i], band, y);
            uint64_t *valid = tally_bits_row(&b->scenes[i].valid, y);
            /* earlier bands of this scene may have cleared bits: they stay cleared */
            b->ctx->kernels->diff_bits_f32(&values, &c, &inverse, 1, valid, REJECT * REJECT, width,
                                           room->far, room->bright, NULL);
            for (size_t j = 0; j < words; j++)
                valid[j] &= ~room->far[j];
        }
    }
}

static void learn_row(block *b, int y, const tally_background_settings *settings,
                      tally_patch *centre, tally_patch *sigma, tally_patch *count, int out_y,
                      scratch *room)
{
    const int width = centre->width;
    const uint64_t *seen = tally_bits_row(&count->valid, out_y);

    for (int band = 0; band < centre->bands; band++)
        row_statistics(b, settings->centre, band, y, tally_patch_row(centre, band, out_y),
                       tally_patch_row(sigma, band, out_y), room->count);
    for (int x = 0; x < width; x++) {
        if (!room->count[x]) continue;
        tally_patch_row(count, 0, out_y)[x] = room->count[x];
        tally_bits_set(&count->valid, x, out_y);
    }
    memcpy(tally_bits_row(&centre->valid, out_y), seen, centre->valid.words * sizeof *seen);
    memcpy(tally_bits_row(&sigma->valid, out_y), seen, centre->valid.words * sizeof *seen);
    reject_row(b, y, centre, sigma, out_y, settings->sigma_floor, room);
    for (int band = 0; band < centre->bands; band++) {
        float *c = tally_patch_row(centre, band, out_y),
              *noise = tally_patch_row(sigma, band, out_y);
        row_statistics(b, settings->centre, band, y, room->centre, room->sigma, room->count);
        for (int x = 0; x < width; x++) {
            if (!room->count[x])
                continue; /* each scene was far off in some band: the first pass stands */
            c[x] = room->centre[x];
            noise[x] = room->sigma[x];
        }
    }
}

/* Sigma is never under the floor: a share of the band's median level over the whole window. */
static tally_status floor_sigma(const tally_patch *centre, tally_patch *sigma, float share,
                                tally_error *err)
{
    const size_t pixels = (size_t)centre->width * (size_t)centre->height;
    float *levels = tally_alloc(pixels + 1, sizeof *levels);

    if (!levels) return tally_nomem(err, "the levels of a background");
    for (int band = 0; band < centre->bands; band++) {
        size_t n = 0;
        for (int y = 0; y < centre->height; y++) {
            for (int x = 0; x < centre->width; x++) {
                if (tally_bits_get(&centre->valid, x, y))
                    levels[n++] = fabsf(tally_patch_row(centre, band, y)[x]);
            }
        }
        const float floor = n ? share * tally_median(levels, n) : 0.0f;
        for (int y = 0; y < centre->height; y++) {
            float *row = tally_patch_row(sigma, band, y);
            for (int x = 0; x < centre->width; x++)
                row[x] = tally_bits_get(&centre->valid, x, y) ? fmaxf(row[x], floor) : 0.0f;
        }
    }
    tally_free(levels);
    return TALLY_OK;
}

/* Rows a block: an eighth of each thread's share of the memory. */
static int rows_per_block(const tally_context *ctx, const tally_stack *stack, size_t n,
                          tally_box box)
{
    const size_t share = ctx->max_memory / (8 * (size_t)(ctx->jobs > 0 ? ctx->jobs : 1));
    const size_t row =
        n * (size_t)tally_box_width(box) * (size_t)(stack->n_bands + 1) * sizeof(float) + 1;
    const size_t rows = share / row;

    if (rows < BLOCK_MIN) return BLOCK_MIN;
    return rows > (size_t)tally_box_height(box) ? tally_box_height(box) : (int)rows;
}

tally_status tally_background_learn(const tally_context *ctx, const tally_stack *stack,
                                    const size_t *chosen, size_t n_chosen, tally_box box,
                                    const tally_background_settings *settings, tally_patch *centre,
                                    tally_patch *sigma, tally_patch *count, tally_error *err)
{
    const int width = tally_box_width(box), height = tally_box_height(box);
    block b = { .n = n_chosen, .stack = stack, .chosen = chosen, .ctx = ctx };
    scratch room = { 0 };
    tally_status s;

    *centre = *sigma = *count = (tally_patch) { 0 };
    if (n_chosen < 1 || n_chosen > TALLY_MEDIAN_MAX || tally_box_empty(box))
        return tally_fail(
            err, TALLY_E_ARG,
            "a background of %zu scenes over %d x %d pixels; 1 to %d scenes can be taken", n_chosen,
            width, height, TALLY_MEDIAN_MAX);
    if ((s = tally_patch_init(centre, width, height, stack->n_bands, err)) != TALLY_OK) goto out;
    if ((s = tally_patch_init(sigma, width, height, stack->n_bands, err)) != TALLY_OK) goto out;
    if ((s = tally_patch_init(count, width, height, 1, err)) != TALLY_OK) goto out;
    b.scenes = tally_alloc(n_chosen, sizeof *b.scenes);
    room.inverse = tally_alloc((size_t)width, sizeof *room.inverse);
    room.centre = tally_alloc((size_t)width, sizeof *room.centre);
    room.sigma = tally_alloc((size_t)width, sizeof *room.sigma);
    room.count = tally_alloc((size_t)width, sizeof *room.count);
    room.far = tally_alloc(centre->valid.words, sizeof *room.far);
    room.bright = tally_alloc(centre->valid.words, sizeof *room.bright);
    if (!b.scenes || !room.inverse || !room.centre || !room.sigma || !room.count || !room.far ||
        !room.bright) {
        s = tally_nomem(err, "a block of a background");
        goto out;
    }
    const int rows = rows_per_block(ctx, stack, n_chosen, box);
    for (int y0 = 0; y0 < height; y0 += rows) {
        const int y1 = y0 + rows < height ? y0 + rows : height;
        const tally_box part = { box.x0, box.y0 + y0, box.x1, box.y0 + y1 };
        if ((s = read_block(&b, part, err)) != TALLY_OK) goto out;
        for (int y = y0; y < y1; y++)
            learn_row(&b, y - y0, settings, centre, sigma, count, y, &room);
        close_block(&b);
    }
    s = floor_sigma(centre, sigma, settings->sigma_floor, err);
out:
    if (s != TALLY_OK) {
        tally_patch_fini(centre);
        tally_patch_fini(sigma);
        tally_patch_fini(count);
    }
    tally_free(room.bright);
    tally_free(room.far);
    tally_free(room.count);
    tally_free(room.sigma);
    tally_free(room.centre);
    tally_free(room.inverse);
    tally_free(b.scenes);
    return s;
}
