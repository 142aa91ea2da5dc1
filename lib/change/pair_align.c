/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The shift between two whole images: the tie windows of the align room, spread evenly over BEFORE
 * instead of around zones, all of it taken for ground. Windows on things that moved disagree and
 * lose the vote there. Known failures are registration.c's: water, snow, cloud. Constant: up to 7 x
 * 7 windows, under the room's limit of 64 and enough that a third of them on water does no harm.
 */
#include <math.h>

#include "align/ties.h"
#include "change/pair.h"

enum { SIDE = 7 };

/* The first pixel of window i of n along `extent` pixels: spread evenly, the outermost ones at the
 * edges. */
static int place(int i, int n, int extent)
{
    return n > 1 ? (int)((int64_t)(extent - TALLY_TIE_SIZE) * i / (n - 1)) : 0;
}

static int how_many(int extent)
{
    const int n = extent / TALLY_TIE_SIZE;
    return n < 1 ? 1 : n > SIDE ? SIDE : n;
}

static tally_status lay_windows(const tally_pair *pair, tally_ties *ties, tally_error *err)
{
    const int across = how_many(pair->tiles[0].width), down = how_many(pair->tiles[0].height);

    for (int i = 0; i < across * down; i++) {
        const int x = place(i % across, across, pair->tiles[0].width),
                  y = place(i / across, down, pair->tiles[0].height);
        const tally_status s =
            tally_bits_init(&ties->ground[i], TALLY_TIE_SIZE, TALLY_TIE_SIZE, err);
        if (s != TALLY_OK) return s;
        for (size_t w = 0; w < ties->ground[i].words * TALLY_TIE_SIZE; w++)
            ties->ground[i].bits[w] = UINT64_MAX;
        ties->boxes[i] = (tally_box) { x, y, x + TALLY_TIE_SIZE, y + TALLY_TIE_SIZE };
        ties->n++;
    }
    return TALLY_OK;
}

/* Both images in the windows, AFTER through the shift as it now stands, and what shift is left. */
static tally_status look(const tally_context *ctx, tally_pair *pair, tally_ties *ties,
                         tally_patch *moving, tally_placement *left, tally_error *err)
{
    for (size_t i = 0; i < ties->n; i++) {
        tally_patch_fini(&ties->pixels[i]);
        tally_patch_fini(&moving[i]);
        const tally_status s =
            tally_pair_read(ctx, pair, ties->boxes[i], &ties->pixels[i], &moving[i], err);
        if (s != TALLY_OK) return s;
    }
    return tally_ties_register(ctx, ties, moving, left, err);
}

tally_status tally_pair_align(const tally_context *ctx, tally_pair *pair, double *dx_px,
                              double *dy_px, bool *found, tally_error *err)
{
    tally_ties ties = { .boxes = tally_alloc(SIDE * SIDE, sizeof *ties.boxes),
                        .ground = tally_alloc(SIDE * SIDE, sizeof *ties.ground),
                        .pixels = tally_alloc(SIDE * SIDE, sizeof *ties.pixels) };
    tally_patch *moving = tally_alloc(SIDE * SIDE, sizeof *moving);
    tally_placement placement = { 0 }, rest;
    tally_status s;

    *dx_px = *dy_px = 0.0;
    *found = false;
    s = ties.boxes && ties.ground && ties.pixels && moving
            ? TALLY_OK
            : tally_nomem(err, "the tie windows of two images");
    if (s == TALLY_OK) s = lay_windows(pair, &ties, err);
    if (s == TALLY_OK) s = look(ctx, pair, &ties, moving, &placement, err);
    *found = s == TALLY_OK && placement.accepted && isfinite(placement.dx_px) &&
             isfinite(placement.dy_px);
    if (*found) {
        pair->shift = placement.residual;
        s = look(ctx, pair, &ties, moving, &rest, err);
        if (s == TALLY_OK)
            tally_placement_refine(
                &placement, &rest,
                (tally_point) { pair->tiles[0].width / 2.0, pair->tiles[0].height / 2.0 });
    }
    pair->placement = placement;
    if (s == TALLY_OK && *found) {
        pair->shift = placement.residual;
        *dx_px = placement.dx_px;
        *dy_px = placement.dy_px;
    } else if (s == TALLY_OK) {
        tally_warn(ctx, "%s: not aligned to %s: %s", pair->tiles[1].path, pair->tiles[0].path,
                   placement.reason && *placement.reason
                       ? placement.reason
                       : "nothing in them that a shift could be seen by");
    }
    for (size_t i = 0; moving && i < ties.n; i++)
        tally_patch_fini(&moving[i]);
    tally_free(moving);
    tally_ties_fini(&ties);
    return s;
}
