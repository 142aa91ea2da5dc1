/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The shift between two whole images: the tie windows of the align room, spread evenly over BEFORE
 * instead of around zones, all of it taken for ground. Windows on things that moved disagree and
 * lose the vote there. Known failures are registration.c's: water, snow, cloud. Constant: up to 8 x
 * 8 windows, the room's limit, half overlapping where the image is small; enough that a third of
 * them on water does no harm.
 */
#include <math.h>

#include "align/ties.h"
#include "change/pair.h"

enum { SIDE = 8 };

/* The first pixel of window i of n along `extent` pixels: spread evenly, the outermost ones at the
 * edges. */
static int place(int i, int n, int extent)
{
    return n > 1 ? (int)((int64_t)(extent - TALLY_TIE_SIZE) * i / (n - 1)) : 0;
}

static int how_many(int extent)
{
    const int n = extent <= TALLY_TIE_SIZE ? 1 : (extent - TALLY_TIE_SIZE) * 2 / TALLY_TIE_SIZE + 1;
    return n > SIDE ? SIDE : n;
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

/* Both images in the windows, AFTER through `map`; BEFORE goes to the ties. */
static tally_status read_windows(const tally_context *ctx, tally_pair *pair, tally_ties *ties,
                                 const tally_affine *map, int margin, tally_tie_view *moving,
                                 tally_error *err)
{
    tally_status s = TALLY_OK;
    pair->shift = *map;
    for (size_t i = 0; i < ties->n && s == TALLY_OK; i++) {
        tally_patch fixed = { 0 };
        tally_patch_fini(&moving->windows[i]);
        s = tally_pair_read_whole(ctx, pair, tally_box_grow(ties->boxes[i], margin), &fixed,
                                  &moving->windows[i], &moving->off[i], err);
        if (s == TALLY_OK && margin == 0) {
            tally_patch_fini(&ties->pixels[i]);
            ties->pixels[i] = fixed;
        } else
            tally_patch_fini(&fixed);
    }
    return s;
}

typedef struct pair_source {
    const tally_context *ctx;
    tally_pair *pair;
    tally_ties *ties;
} pair_source;

static tally_status read_through(void *user, const tally_affine *map, int margin,
                                 tally_tie_view *view, tally_error *err)
{
    const pair_source *p = user;
    return read_windows(p->ctx, p->pair, p->ties, map, margin, view, err);
}

static tally_status place_pair(const tally_context *ctx, tally_pair *pair, tally_ties *ties,
                               tally_tie_view *moving, tally_placement *placement, tally_error *err)
{
    const tally_affine unmoved = { { 0, 1, 0, 0, 0, 1 } };
    pair_source from = { ctx, pair, ties };
    const tally_tie_source source = { read_through, &from };
    const tally_point middle = { pair->tiles[0].width / 2.0, pair->tiles[0].height / 2.0 };
    tally_status s = lay_windows(pair, ties, err);
    if (s == TALLY_OK) s = read_windows(ctx, pair, ties, &unmoved, 0, moving, err);
    if (s == TALLY_OK) s = tally_ties_place(ctx, ties, &source, middle, moving, placement, err);
    pair->shift = unmoved;
    return s;
}

tally_status tally_pair_align(const tally_context *ctx, tally_pair *pair, double *dx_px,
                              double *dy_px, bool *found, tally_error *err)
{
    tally_ties ties = { .boxes = tally_alloc(TALLY_TIES_MAX, sizeof *ties.boxes),
                        .ground = tally_alloc(TALLY_TIES_MAX, sizeof *ties.ground),
                        .pixels = tally_alloc(TALLY_TIES_MAX, sizeof *ties.pixels) };
    tally_tie_view moving = { 0 };
    tally_placement placement = { 0 };
    tally_status s = ties.boxes && ties.ground && ties.pixels
                         ? tally_tie_view_init(&moving, TALLY_TIES_MAX, err)
                         : tally_nomem(err, "the tie windows of two images");

    *dx_px = *dy_px = 0.0;
    if (s == TALLY_OK) s = place_pair(ctx, pair, &ties, &moving, &placement, err);
    *found = s == TALLY_OK && placement.accepted && isfinite(placement.dx_px);
    pair->placement = placement;
    if (*found) {
        pair->shift = placement.residual;
        *dx_px = placement.dx_px;
        *dy_px = placement.dy_px;
    } else if (s == TALLY_OK) {
        tally_warn(ctx, "%s: not aligned to %s: %s", pair->tiles[1].path, pair->tiles[0].path,
                   placement.reason && *placement.reason
                       ? placement.reason
                       : "nothing in them that a shift could be seen by");
    }
    tally_tie_view_fini(&moving, ties.n);
    tally_ties_fini(&ties);
    return s;
}
