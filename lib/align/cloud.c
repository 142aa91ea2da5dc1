/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A scene's own cloud mask, from what it shows of the ground (cloud_look.c).
 *
 * A cell is bright when it lies above the ground in every band, and in the bluest by a margin: the
 * sky is blue and ground is not, so cloud and haze show there first (Zhu and Woodcock 2014,
 * doi:10.1016/j.rse.2014.06.012, find clouds in stacks the same way, by what is brighter than the
 * stack foretells). Cloud is what is bright and smooth over a square that no ship, roof or block of
 * containers fills; from such cores it spreads through all bright cells that touch (its soft rim
 * is bright long before it hides anything, so no margin is added). Where half of
 * the ground's structure is gone, less brightness will do: haze.
 *
 * Then come the shadows that these clouds cast (cloud_shade.c).
 *
 * Smaller clouds are told by more: brighter in all bands than any ground, without texture in their
 * middle, and not filling a rectangle as roofs and ships do.
 *
 * Water has no structure, and ice and glint are bright on it: there a core must be twice as bright.
 *
 * Constants, where no other source is told: chosen on the drawn scenes of `validation` and
 * `fixtures`; docs/methods/cloud.md has what they cost.
 *
 * Snow is as bright as cloud and has most of the ground's texture: where snow lies, only what has
 * none is cloud, and its rim is not followed.
 *
 * Known failures: in snow, thin cloud and the rims of thick cloud; without it, smooth snow patches
 * of half a hectare; thick white ice; a white roof of 72 m by 72 m that is new; thin clouds smaller
 * than that where there is no larger one; an even veil over the whole scene.
 */
#include "align/cloud.h"

#include <math.h>
#include <string.h>

static const double CORE_M = 72; /* wider than any ship's beam (62 m), crane yard block or roof */
/* Where there is one cloud there are others: smaller ones on land, also half out of the frame. */
static const double SMALL_M = 40, SMALL_SEEN = 0.4;
static const double CORE_FILL = 0.9, CORE_SEEN = 0.6; /* of the square: bright of seen; bright */
static const double BRIGHT = 0.5, BRIGHT_WATER = 1.0; /* bluest band, of the ground's level */
static const double CORE_BRIGHT = 0.8, CORE_WATER = 1.8;
static const double SURE_BRIGHT = 1.2;  /* where the provider's mask says otherwise */
static const double LEAST_EXCESS = 0.1; /* every other band */
static const double SMOOTH = 1.0;       /* texture of a core, of that of land */
static const double SMOOTH_IN_SNOW =
    0.3; /* drawn cloud has 0.05 to 0.15 in its middle, snow 0.4 up */
/* Of its own level: the middle of drawn clouds has 0.005 to 0.017, decks and boxes 0.1 and more. */
static const double FLAT = 0.018;
/* Of its rectangle: turned rectangles of cells fill 0.78 and more, drawn clouds 0.7 at most. */
static const double BUILT_FILL = 0.75;
static const double HAZE_GAIN = 0.5, HAZE_BRIGHT = 0.25;

typedef struct cells {
    const tally_ground *ground;
    const tally_cloud_evidence *seen;
    tally_bits bright, core, mask;
    tally_bits sure, flat; /* bright beyond doubt; without any texture */
} cells;

static bool is_above(const tally_cloud_evidence *e, int x, int y, double first, double others)
{
    if (!tally_bits_get(&e->excess.valid, x, y) || !(tally_patch_row(&e->excess, 0, y)[x] > first))
        return false;
    for (int b = 1; b < e->excess.bands; b++)
        if (!(tally_patch_row(&e->excess, b, y)[x] > others)) return false;
    return true;
}

static bool is_hazy(const tally_cloud_evidence *e, int x, int y)
{
    return tally_bits_get(&e->gain.valid, x, y) && tally_patch_row(&e->gain, 0, y)[x] < HAZE_GAIN &&
           is_above(e, x, y, HAZE_BRIGHT, LEAST_EXCESS / 2);
}

static bool is_smooth(const tally_cloud_evidence *e, int x, int y, double most)
{
    return !tally_bits_get(&e->texture.valid, x, y) || tally_patch_row(&e->texture, 0, y)[x] < most;
}

static void mark_bright(cells *c, const tally_cloud_facts *facts)
{
    const tally_cloud_evidence *e = c->seen;
    const bool wary = facts->masked || facts->snow;
    const double flat = SMOOTH_IN_SNOW * e->land_texture;
    const double flattest = facts->snow ? flat : fmax(flat, FLAT);
    const double smooth = facts->snow ? flat : SMOOTH * e->land_texture;
    for (int y = 0; y < c->bright.height; y++)
        for (int x = 0; x < c->bright.width; x++) {
            const bool water = tally_bits_get(&c->ground->water, x, y);
            const double core = water ? CORE_WATER : wary ? SURE_BRIGHT : CORE_BRIGHT;
            const double rim = wary ? SURE_BRIGHT : water ? BRIGHT_WATER : BRIGHT;
            if (is_above(e, x, y, rim, LEAST_EXCESS) || (!wary && !water && is_hazy(e, x, y)))
                tally_bits_set(&c->bright, x, y);
            if (is_above(e, x, y, core, LEAST_EXCESS) && is_smooth(e, x, y, smooth))
                tally_bits_set(&c->core, x, y);
            if (is_above(e, x, y, water ? CORE_WATER : SURE_BRIGHT, SURE_BRIGHT))
                tally_bits_set(&c->sure, x, y);
            if (is_smooth(e, x, y, flattest)) tally_bits_set(&c->flat, x, y);
        }
}

/* How many bits are set above and left of each corner: (width + 1) x (height + 1). */
static void sum_bits(const tally_bits *bits, int *sums)
{
    const int w = bits->width + 1;
    for (int y = 0; y < bits->height; y++)
        for (int x = 0; x < bits->width; x++)
            sums[(y + 1) * w + x + 1] = tally_bits_get(bits, x, y) + sums[y * w + x + 1] +
                                        sums[(y + 1) * w + x] - sums[y * w + x];
}

static int count_in(const int *sums, const tally_bits *bits, tally_box box)
{
    const int w = bits->width + 1;
    const tally_box b = tally_box_intersect(box, (tally_box) { 0, 0, bits->width, bits->height });
    if (tally_box_empty(b)) return 0;
    return sums[b.y1 * w + b.x1] - sums[b.y0 * w + b.x1] - sums[b.y1 * w + b.x0] +
           sums[b.y0 * w + b.x0];
}

/* A square that tells cloud: its side, the share of it that must be filled, with what, and of what
 * it must hold at least one cell that is filled, too (NULL: nothing). Such cells go into `to`. */
typedef struct square {
    double side_m, part;
    const tally_bits *filled, *holds;
    tally_bits *to;
} square;

static bool holds(const square *q, tally_box box)
{
    const tally_box grid = { 0, 0, q->filled->width, q->filled->height };
    const tally_box b = tally_box_intersect(box, grid);
    for (int y = b.y0; y < b.y1 && q->holds; y++)
        for (int x = b.x0; x < b.x1; x++)
            if (tally_bits_get(q->holds, x, y) && tally_bits_get(q->filled, x, y)) return true;
    return !q->holds;
}

/* Keep the cells that lie in such a square. What the scene does not show may be cloud as well. */
static tally_status keep_squares(const cells *c, const square *q, tally_error *err)
{
    const int side = (int)ceil(q->side_m / c->ground->cell_m - 0.01);
    const int w = q->filled->width, h = q->filled->height;
    const size_t n = (size_t)(w + 1) * (size_t)(h + 1);
    int *core = tally_alloc(n, sizeof *core), *seen = tally_alloc(n, sizeof *seen);
    if (core && seen) {
        sum_bits(q->filled, core);
        sum_bits(&c->seen->excess.valid, seen);
        for (int y = 1 - side; y < h; y++)
            for (int x = 1 - side; x < w; x++) {
                const tally_box box = { x, y, x + side, y + side };
                const int filled = count_in(core, q->filled, box);
                if (filled < q->part * side * side ||
                    filled < CORE_FILL * count_in(seen, q->filled, box) || !holds(q, box))
                    continue;
                for (int v = y < 0 ? 0 : y; v < y + side && v < h; v++)
                    for (int u = x < 0 ? 0 : x; u < x + side && u < w; u++)
                        if (tally_bits_get(q->filled, u, v)) tally_bits_set(q->to, u, v);
            }
    }
    const bool room = core && seen;
    tally_free(core);
    tally_free(seen);
    return room ? TALLY_OK : tally_nomem(err, "a scene's clouds");
}

/* The cells that hang together with cell `first`, corners included; they are taken out of `from`.
 * `list` has room for all cells. */
static size_t take_blob(tally_bits *from, int first, int *list)
{
    const int w = from->width, h = from->height;
    size_t n = 0;
    list[n++] = first;
    tally_bits_clear(from, first % w, first / w);
    for (size_t i = 0; i < n; i++)
        for (int v = list[i] / w - 1; v <= list[i] / w + 1; v++)
            for (int u = list[i] % w - 1; u <= list[i] % w + 1; u++) {
                if (u < 0 || v < 0 || u >= w || v >= h || !tally_bits_get(from, u, v)) continue;
                tally_bits_clear(from, u, v);
                list[n++] = v * w + u;
            }
    return n;
}

/* How much of the tightest rectangle around them some cells fill. */
static double rectangle_fill(const int *list, size_t n, int w)
{
    double least = INFINITY;
    for (int turn = 0; turn < 90; turn += 3) {
        const double c = cos(turn * 3.14159265358979323846 / 180),
                     s = sin(turn * 3.14159265358979323846 / 180);
        double u0 = INFINITY, u1 = -INFINITY, v0 = INFINITY, v1 = -INFINITY;
        for (size_t i = 0; i < n; i++) {
            const double u = list[i] % w * c + list[i] / w * s,
                         v = list[i] / w * c - list[i] % w * s;
            u0 = fmin(u0, u), u1 = fmax(u1, u), v0 = fmin(v0, v), v1 = fmax(v1, v);
        }
        least = fmin(least, (u1 - u0 + 1) * (v1 - v0 + 1));
    }
    return (double)n / least;
}

/* Clouds too small to be told by their size alone: as bright as can be, without texture in their
 * middle, and of no shape that is built. */
static tally_status keep_dense(cells *c, tally_error *err)
{
    const int w = c->mask.width, h = c->mask.height;
    tally_bits dense = { 0 };
    int *list = tally_alloc((size_t)w * (size_t)h, sizeof *list);
    tally_status s = list ? tally_bits_init(&dense, w, h, err) : tally_nomem(err, "small clouds");
    const square q = { SMALL_M, CORE_SEEN, &c->sure, &c->flat, &dense };
    if (s == TALLY_OK) s = keep_squares(c, &q, err);
    for (int i = 0; i < w * h && s == TALLY_OK; i++) {
        if (!tally_bits_get(&c->sure, i % w, i / w)) continue;
        const size_t n = take_blob(&c->sure, i, list);
        const bool is_built = rectangle_fill(list, n, w) >= BUILT_FILL;
        for (size_t k = 0; k < n && !is_built; k++)
            if (tally_bits_get(&dense, list[k] % w, list[k] / w))
                tally_bits_set(&c->mask, list[k] % w, list[k] / w);
    }
    tally_bits_fini(&dense);
    tally_free(list);
    return s;
}

/* Spread through bright cells until nothing is added: down and up, each row left and right. */
static void spread(cells *c)
{
    const int w = c->mask.width, h = c->mask.height;
    bool again = true;
    while (again) {
        again = false;
        for (int pass = 0; pass < 2; pass++)
            for (int i = 0; i < h * w; i++) {
                const int at = pass ? h * w - 1 - i : i, x = at % w, y = at / w;
                if (tally_bits_get(&c->mask, x, y) || !tally_bits_get(&c->bright, x, y)) continue;
                bool touches = false;
                for (int v = y - 1; v <= y + 1; v++)
                    for (int u = x - 1; u <= x + 1; u++)
                        touches |=
                            u >= 0 && v >= 0 && u < w && v < h && tally_bits_get(&c->mask, u, v);
                if (!touches) continue;
                tally_bits_set(&c->mask, x, y);
                again = true;
            }
    }
}

/* Ships may be as large as a small cloud, and as bright. */
static void drop_water(tally_bits *core, const tally_bits *water)
{
    for (size_t i = 0; i < core->words * (size_t)core->height; i++)
        core->bits[i] &= ~water->bits[i];
}

tally_status tally_cloud_find(const tally_ground *g, const tally_patch *scene,
                              const tally_cloud_facts *facts, tally_bits *mask, tally_error *err)
{
    const int w = g->water.width, h = g->water.height;
    tally_cloud_evidence seen = { 0 };
    cells c = { .ground = g, .seen = &seen };
    *mask = (tally_bits) { 0 };
    tally_status s = tally_cloud_look(g, scene, &seen, err);
    if (s == TALLY_OK) s = tally_bits_init(&c.bright, w, h, err);
    if (s == TALLY_OK) s = tally_bits_init(&c.core, w, h, err);
    if (s == TALLY_OK) s = tally_bits_init(&c.mask, w, h, err);
    if (s == TALLY_OK) s = tally_bits_init(&c.sure, w, h, err);
    if (s == TALLY_OK) s = tally_bits_init(&c.flat, w, h, err);
    if (s == TALLY_OK) {
        const square large = { CORE_M, CORE_SEEN, &c.core, NULL, &c.mask };
        mark_bright(&c, facts);
        s = keep_squares(&c, &large, err);
        if (s == TALLY_OK) s = keep_dense(&c, err);
    }
    if (s == TALLY_OK && tally_bits_count(&c.mask) > 0) {
        const square small = { SMALL_M, SMALL_SEEN, &c.core, NULL, &c.mask };
        drop_water(&c.core, &g->water);
        s = keep_squares(&c, &small, err);
    }
    if (s == TALLY_OK) {
        spread(&c);
        s = tally_cloud_shade(g, &seen, facts, &c.mask, err);
    }
    tally_bits_fini(&c.bright);
    tally_bits_fini(&c.core);
    tally_bits_fini(&c.sure);
    tally_bits_fini(&c.flat);
    tally_cloud_evidence_fini(&seen);
    if (s != TALLY_OK) tally_bits_fini(&c.mask);
    *mask = c.mask;
    return s;
}
