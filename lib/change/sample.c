/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A sample of two images in blocks of 64 x 64 pixels with the pixels around them, so that what a
 * method learns of single pixels and what it makes of neighbourhoods come from one reading. Images
 * of up to 128 blocks are taken whole; of larger ones every k-th block, along a lattice that leans,
 * so that it falls in step with no structure of the image. Half a million pixels give gain, noise
 * and quantiles to a few tenths of a percent.
 */
#include "change/sample.h"

#include <math.h>
#include <stdatomic.h>

enum { SIDE = 64, MOST_BLOCKS = 128 };

void tally_both_saw(const tally_patch *before, tally_patch *after)
{
    for (int y = 0; y < after->height; y++) {
        for (size_t w = 0; w < after->valid.words; w++)
            tally_bits_row(&after->valid, y)[w] &= tally_bits_row(&before->valid, y)[w];
    }
}

typedef struct lattice {
    tally_box box;
    int columns, rows;
    tally_is_wanted is_wanted;
    const void *user;
} lattice;

static tally_box block_box(const lattice *l, size_t i)
{
    const int row = (int)(i / (size_t)l->columns), lean = 5 * row;
    const int x0 = l->box.x0 + ((int)(i % (size_t)l->columns) + lean) % l->columns * SIDE,
              y0 = l->box.y0 + row * SIDE;

    return tally_box_intersect((tally_box) { x0, y0, x0 + SIDE, y0 + SIDE }, l->box);
}

static bool any_wanted(const lattice *l, tally_box box)
{
    for (int y = box.y0; y < box.y1; y++) {
        for (int x = box.x0; x < box.x1; x++)
            if (l->is_wanted(l->user, x, y)) return true;
    }
    return false;
}

static tally_status read_block(const tally_context *ctx, tally_pair *pair, const lattice *l,
                               tally_box box, tally_block *out, size_t *n, tally_error *err)
{
    const tally_box image = { 0, 0, pair->tiles[0].width, pair->tiles[0].height };
    const tally_box wide = tally_box_intersect(tally_box_grow(box, TALLY_HALO), image);
    tally_status s = tally_pair_read(ctx, pair, wide, &out->before, &out->after, err);

    if (s == TALLY_OK)
        s = tally_bits_init(&out->judged, tally_box_width(wide), tally_box_height(wide), err);
    if (s != TALLY_OK) return s;
    tally_both_saw(&out->before, &out->after);
    out->core =
        (tally_box) { box.x0 - wide.x0, box.y0 - wide.y0, box.x1 - wide.x0, box.y1 - wide.y0 };
    for (int y = out->core.y0; y < out->core.y1; y++) {
        for (int x = out->core.x0; x < out->core.x1; x++) {
            if (!tally_bits_get(&out->after.valid, x, y) ||
                !l->is_wanted(l->user, x + wide.x0, y + wide.y0))
                continue;
            tally_bits_set(&out->judged, x, y);
            ++*n;
        }
    }
    return TALLY_OK;
}

/* What the roles of the bands say. */
static void tell_roles(tally_sample *out, const tally_pair *pair)
{
    for (int b = 0; b < pair->bands && pair->roles_known; b++) {
        const bool radar = tally_band_is_radar(pair->roles[b]);
        out->named_radar |= radar;
        out->named_optical |= !radar && pair->roles[b] != TALLY_PAN;
    }
}

tally_status tally_sample_read(const tally_context *ctx, tally_pair *pair, tally_box box,
                               tally_is_wanted is_wanted, const void *user, tally_sample *out,
                               tally_error *err)
{
    const lattice l = { .box = box,
                        .columns = (tally_box_width(box) + SIDE - 1) / SIDE,
                        .rows = (tally_box_height(box) + SIDE - 1) / SIDE,
                        .is_wanted = is_wanted,
                        .user = user };
    const size_t all = (size_t)l.columns * (size_t)l.rows;
    tally_status s = TALLY_OK;
    size_t wanted = 0, met = 0;

    *out = (tally_sample) { .bands = pair->bands };
    tell_roles(out, pair);
    for (size_t i = 0; i < all; i++)
        wanted += any_wanted(&l, block_box(&l, i));
    const size_t take = wanted < MOST_BLOCKS ? wanted : MOST_BLOCKS;
    if (!(out->blocks = tally_alloc(take + 1, sizeof *out->blocks)))
        return tally_nomem(err, "a sample of two images");
    for (size_t i = 0; i < all && s == TALLY_OK; i++) {
        const tally_box block = block_box(&l, i);
        if (!any_wanted(&l, block)) continue;
        const bool taken = (met + 1) * take / wanted > met * take / wanted;
        met++;
        if (!taken) continue;
        if (ctx->cancel && atomic_load(ctx->cancel))
            s = tally_fail(err, TALLY_E_CANCELLED, "diff was stopped");
        else
            s = read_block(ctx, pair, &l, block, &out->blocks[out->n_blocks++], &out->n, err);
        tally_progress(ctx, "sample", out->n_blocks, take);
    }
    if (s != TALLY_OK) tally_sample_fini(out);
    return s;
}

void tally_sample_fini(tally_sample *sample)
{
    for (size_t i = 0; i < sample->n_blocks; i++) {
        tally_patch_fini(&sample->blocks[i].before);
        tally_patch_fini(&sample->blocks[i].after);
        tally_bits_fini(&sample->blocks[i].judged);
    }
    tally_free(sample->blocks);
    *sample = (tally_sample) { 0 };
}

void tally_sample_column(const tally_sample *sample, int side, int band, float *out)
{
    for (size_t i = 0; i < sample->n_blocks; i++) {
        const tally_block *b = &sample->blocks[i];
        for (int y = b->core.y0; y < b->core.y1; y++) {
            const float *row = tally_patch_row(side ? &b->after : &b->before, band, y);
            for (int x = b->core.x0; x < b->core.x1; x++)
                if (tally_bits_get(&b->judged, x, y)) *out++ = row[x];
        }
    }
}

static bool are_copies(const tally_patch *p)
{
    for (int b = 1; b < p->bands; b++) {
        for (int y = 0; y < p->height; y++) {
            const float *first = tally_patch_row(p, 0, y), *row = tally_patch_row(p, b, y);
            for (int x = 0; x < p->width; x++)
                if (tally_bits_get(&p->valid, x, y) && row[x] != first[x]) return false;
        }
    }
    return true;
}

bool tally_sample_is_grey(const tally_sample *sample)
{
    for (size_t i = 0; i < sample->n_blocks; i++)
        if (!are_copies(&sample->blocks[i].before) || !are_copies(&sample->blocks[i].after))
            return false;
    return sample->bands > 1;
}

void tally_patch_undo_decibels(tally_patch *patch)
{
    static const double TO_AMPLITUDE = 0.11512925464970228; /* ln 10 / 20 */

    for (int b = 0; b < patch->bands; b++) {
        for (int y = 0; y < patch->height; y++) {
            float *row = tally_patch_row(patch, b, y);
            for (int x = 0; x < patch->width; x++)
                if (tally_bits_get(&patch->valid, x, y))
                    row[x] = (float)exp(TO_AMPLITUDE * (double)row[x]);
        }
    }
}

static void count_negative(const tally_patch *p, size_t *negative, size_t *n)
{
    for (int y = 0; y < p->height; y++) {
        const float *row = tally_patch_row(p, 0, y);
        for (int x = 0; x < p->width; x++) {
            if (!tally_bits_get(&p->valid, x, y)) continue;
            ++*n;
            *negative += row[x] < 0.0f;
        }
    }
}

void tally_sample_undo_decibels(tally_sample *sample)
{
    size_t negative[2] = { 0 }, n[2] = { 0 };

    for (size_t i = 0; i < sample->n_blocks; i++) {
        count_negative(&sample->blocks[i].before, &negative[0], &n[0]);
        count_negative(&sample->blocks[i].after, &negative[1], &n[1]);
    }
    if (2 * negative[0] <= n[0] || 2 * negative[1] <= n[1]) return;
    for (size_t i = 0; i < sample->n_blocks; i++) {
        tally_patch_undo_decibels(&sample->blocks[i].before);
        tally_patch_undo_decibels(&sample->blocks[i].after);
    }
    sample->decibels = true;
}
