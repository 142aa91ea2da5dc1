/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The shift between two whole images: the tie windows of the align room, spread evenly over BEFORE
 * instead of around zones, all of it taken for ground. Windows on things that moved disagree and
 * lose the vote there. Known failures are registration.c's: water, snow, cloud. Constant: up to 8 x
 * 8 windows, the room's limit, half overlapping where the image is small; enough that a third of
 * them on water does no harm.
 *
 * Where AFTER is coarser, its grid is the one to compare on: BEFORE is laid onto it (averaged, as
 * pair.c does), and the map that is found is turned round. On BEFORE's grid AFTER would be smooth,
 * and whitening would make its rounding noise as loud as its edges.
 */
#include <math.h>
#include <string.h>

#include "align/ties.h"
#include "change/pair.h"

enum { SIDE = 8 };
static const double COARSER = 1.5; /* in ground sample distance: another grid is better */

/* Windows along one side of an image, spread evenly, the outermost ones at the edges; in a small
 * image two that reach beyond it, so that there are two to agree. */
typedef struct row_of {
    int n, first, span;
} row_of;

static row_of spread(int from, int to)
{
    const int span = to - from - TALLY_TIE_SIZE, least = TALLY_TIE_SIZE / 2;
    if (span < least) return (row_of) { 2, from + (span - least) / 2, least };
    const int n = 2 * span / TALLY_TIE_SIZE + 1;
    return (row_of) { n > SIDE ? SIDE : n, from, span };
}

/* What of BEFORE lies under AFTER, by the geotransforms; all of it where that cannot be told. */
static tally_box common_ground(const tally_pair *pair)
{
    const tally_box all = { 0, 0, pair->tiles[0].width, pair->tiles[0].height };
    tally_affine there, back;
    tally_point low = { INFINITY, INFINITY }, high = { -INFINITY, -INFINITY };
    if (!tally_pair_map(pair, &there) || !tally_affine_invert(&there, &back)) return all;
    for (int i = 0; i < 4; i++) {
        const tally_point p =
            tally_affine_apply(&back, (tally_point) { i & 1 ? pair->tiles[1].width : 0,
                                                      i & 2 ? pair->tiles[1].height : 0 });
        low = (tally_point) { fmin(low.x, p.x), fmin(low.y, p.y) };
        high = (tally_point) { fmax(high.x, p.x), fmax(high.y, p.y) };
    }
    const tally_box common = { (int)tally_clamp(floor(low.x), 0, all.x1),
                               (int)tally_clamp(floor(low.y), 0, all.y1),
                               (int)tally_clamp(ceil(high.x), 0, all.x1),
                               (int)tally_clamp(ceil(high.y), 0, all.y1) };
    return tally_box_empty(common) ? all : common;
}

static int place(const row_of *r, int i)
{
    return r->first + (int)((int64_t)r->span * i / (r->n - 1));
}

/* How much the image changes from one square of 4 pixels to the next: noise averages out there, and
 * water and fog have little else. */
static double texture(const tally_patch *p)
{
    enum { SQUARE = 4, SQUARES = TALLY_TIE_SIZE / SQUARE };
    double sum = 0;
    float before[SQUARES] = { 0 };
    for (int v = 0; v < SQUARES; v++)
        for (int u = 0; u < SQUARES; u++) {
            float mean = 0;
            for (int i = 0; i < SQUARE * SQUARE; i++)
                mean += tally_patch_row(p, 0, v * SQUARE + i / SQUARE)[u * SQUARE + i % SQUARE];
            if (u > 0) sum += (double)fabsf(mean - before[u - 1]);
            if (v > 0) sum += (double)fabsf(mean - before[u]);
            before[u] = mean;
        }
    return sum;
}

/* In a large image, where windows lie far apart, the one of four around a place that has the most
 * in it. */
static tally_status choose_window(tally_pair *pair, int step_x, int step_y, tally_box *box,
                                  tally_error *err)
{
    const tally_box first = *box;
    double most = -1;
    for (int i = 0; i < 4; i++) {
        const int dx = i % 2 * step_x / 2, dy = i / 2 * step_y / 2;
        const tally_box at = { first.x0 + dx, first.y0 + dy, first.x1 + dx, first.y1 + dy };
        tally_patch p;
        const tally_status s =
            tally_raster_read(pair->rasters[0], pair->roles, pair->bands, at, &p, err);
        if (s != TALLY_OK) return s;
        const double has = texture(&p) * (double)tally_bits_count(&p.valid);
        tally_patch_fini(&p);
        if (has <= most) continue;
        most = has;
        *box = at;
    }
    return TALLY_OK;
}

static tally_status lay_windows(tally_pair *pair, tally_ties *ties, tally_error *err)
{
    enum { APART = 3 * TALLY_TIE_SIZE }; /* room for four that overlap by a half at most */
    const tally_box common = common_ground(pair);
    const row_of across = spread(common.x0, common.x1), down = spread(common.y0, common.y1);
    const int step_x = across.span / across.n, step_y = down.span / down.n;

    for (int i = 0; i < across.n * down.n; i++) {
        const int column = i % across.n, row = i / across.n;
        const int x = place(&across, column), y = place(&down, row);
        tally_bits *const ground = &ties->ground[i];
        tally_status s = tally_bits_init(ground, TALLY_TIE_SIZE, TALLY_TIE_SIZE, err);
        if (s != TALLY_OK) return s;
        memset(ground->bits, 0xff, ground->words * TALLY_TIE_SIZE * sizeof *ground->bits);
        ties->boxes[i] = (tally_box) { x, y, x + TALLY_TIE_SIZE, y + TALLY_TIE_SIZE };
        if (step_x >= APART && step_y >= APART)
            s = choose_window(pair, column + 1 < across.n ? step_x : -step_x,
                              row + 1 < down.n ? step_y : -step_y, &ties->boxes[i], err);
        if (s != TALLY_OK) return s;
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

/* What of the change would be none a pixel elsewhere. */
static tally_status measure_vanishing(const tally_context *ctx, tally_pair *pair,
                                      const tally_ties *ties, tally_patch *moving,
                                      tally_placement *placement, tally_error *err)
{
    float gain[TALLY_BAND_ROLES], offset[TALLY_BAND_ROLES], noise;
    tally_status s = TALLY_OK;
    pair->shift = placement->residual;
    for (size_t i = 0; i < ties->n && s == TALLY_OK; i++) {
        tally_patch fixed = { 0 };
        tally_patch_fini(&moving[i]);
        s = tally_pair_read(ctx, pair, ties->boxes[i], &fixed, &moving[i], err);
        tally_patch_fini(&fixed);
    }
    if (s == TALLY_OK)
        s = tally_ties_radiometry(ties, moving, pair->bands, gain, offset, &noise, err);
    if (s == TALLY_E_NO_MATCH) return TALLY_OK; /* nothing to measure it by */
    return s == TALLY_OK
               ? tally_ties_vanishing(ties, moving, gain, offset, &placement->vanishing, err)
               : s;
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
    if (s == TALLY_OK && placement->accepted && isfinite(placement->dx_px))
        s = measure_vanishing(ctx, pair, ties, moving->windows, placement, err);
    pair->shift = unmoved;
    return s;
}

/* The pair the other way round; borrows its rasters. */
static tally_status turn_round(const tally_pair *pair, tally_pair *out, tally_error *err)
{
    *out = (tally_pair) { .rasters = { pair->rasters[1], pair->rasters[0] },
                          .tiles = { pair->tiles[1], pair->tiles[0] },
                          .bands = pair->bands,
                          .shift = { { 0, 1, 0, 0, 0, 1 } } };
    for (int i = 0; i < pair->bands; i++)
        out->roles[i] = pair->roles[i];
    if (!tally_affine_invert(&pair->tiles[0].affine, &out->after_px))
        return tally_fail(err, TALLY_E_CRS,
                          "%s: its geotransform has no inverse; warp it with gdalwarp",
                          pair->tiles[0].path);
    if (!pair->to_after) return TALLY_OK;
    const tally_crs crs[2] = { { .wkt = pair->tiles[0].wkt }, { .wkt = pair->tiles[1].wkt } };
    return tally_crs_map_open(crs[1], crs[0], pair->tiles[0].path, &out->to_after, err);
}

/* Align BEFORE to AFTER's grid, and say it in BEFORE's. */
static tally_status place_coarser(const tally_context *ctx, const tally_pair *pair,
                                  tally_ties *ties, tally_tie_view *moving,
                                  tally_placement *placement, tally_error *err)
{
    tally_pair other;
    tally_affine there, back, round;
    tally_status s = turn_round(pair, &other, err);
    if (s == TALLY_OK) s = place_pair(ctx, &other, ties, moving, placement, err);
    tally_crs_map_close(&other.to_after);
    if (s != TALLY_OK || !placement->accepted || !isfinite(placement->dx_px)) return s;
    if (!tally_pair_map(pair, &there) || !tally_affine_invert(&there, &back) ||
        !tally_affine_invert(&placement->residual, &round)) {
        placement->accepted = false;
        placement->reason = "its grid cannot be laid onto the other's";
        return TALLY_OK;
    }
    round = tally_affine_compose(&round, &there);
    placement->residual = tally_affine_compose(&back, &round);
    placement->bend = (tally_bend) { 0 }; /* of the other grid */
    placement->rmse_px *= pair->tiles[1].gsd_m / pair->tiles[0].gsd_m;
    tally_placement_at(placement,
                       (tally_point) { pair->tiles[0].width / 2.0, pair->tiles[0].height / 2.0 });
    return TALLY_OK;
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
    const bool coarser = pair->tiles[1].gsd_m > COARSER * pair->tiles[0].gsd_m;
    if (s == TALLY_OK)
        s = coarser ? place_coarser(ctx, pair, &ties, &moving, &placement, err)
                    : place_pair(ctx, pair, &ties, &moving, &placement, err);
    *found = s == TALLY_OK && placement.accepted && isfinite(placement.dx_px);
    pair->placement = placement;
    if (*found) {
        pair->shift = placement.residual;
        pair->bend = placement.bend;
        const tally_point middle = { pair->tiles[0].width / 2.0, pair->tiles[0].height / 2.0 },
                          off = tally_bend_at(&pair->bend, middle);
        *dx_px = placement.dx_px + off.x;
        *dy_px = placement.dy_px + off.y;
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
