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
 * Water has no structure, and ice and glint are bright on it: there a core must be twice as bright.
 *
 * Constants, where no other source is told: chosen on the drawn scenes of `validation` and
 * `fixtures`; docs/methods/cloud.md has what they cost.
 *
 * Snow is as bright as cloud and has most of the ground's texture: where snow lies, only what has
 * none is cloud, and its rim is not followed.
 *
 * Known failures: in snow, thin cloud and the rims of thick cloud; without it, smooth snow patches
 * of half a hectare; thick white ice; a white roof of 72 m by 72 m that is new; clouds smaller than
 * that where there is no larger one; an even veil over the whole scene.
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
static const double HAZE_GAIN = 0.5, HAZE_BRIGHT = 0.25;

typedef struct cells {
    const tally_ground *ground;
    const tally_cloud_evidence *seen;
    tally_bits bright, core, mask;
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

static bool is_smooth(const tally_cloud_evidence *e, int x, int y, double share)
{
    return !tally_bits_get(&e->texture.valid, x, y) ||
           tally_patch_row(&e->texture, 0, y)[x] < share * e->land_texture;
}

static void mark_bright(cells *c, const tally_cloud_facts *facts)
{
    const tally_cloud_evidence *e = c->seen;
    const bool wary = facts->masked || facts->snow;
    const double smooth = facts->snow ? SMOOTH_IN_SNOW : SMOOTH;
    for (int y = 0; y < c->bright.height; y++)
        for (int x = 0; x < c->bright.width; x++) {
            const bool water = tally_bits_get(&c->ground->water, x, y);
            const double core = water ? CORE_WATER : wary ? SURE_BRIGHT : CORE_BRIGHT;
            const double rim = wary ? SURE_BRIGHT : water ? BRIGHT_WATER : BRIGHT;
            if (is_above(e, x, y, rim, LEAST_EXCESS) || (!wary && !water && is_hazy(e, x, y)))
                tally_bits_set(&c->bright, x, y);
            if (is_above(e, x, y, core, LEAST_EXCESS) && is_smooth(e, x, y, smooth))
                tally_bits_set(&c->core, x, y);
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

/* Keep the core cells that lie in a square filled with such. What the scene does not show may be
 * cloud as well. */
static tally_status keep_large(cells *c, double side_m, double part, tally_error *err)
{
    const int side = (int)ceil(side_m / c->ground->cell_m - 0.01);
    const int w = c->core.width, h = c->core.height;
    const size_t n = (size_t)(w + 1) * (size_t)(h + 1);
    int *core = tally_alloc(n, sizeof *core), *seen = tally_alloc(n, sizeof *seen);
    if (core && seen) {
        sum_bits(&c->core, core);
        sum_bits(&c->seen->excess.valid, seen);
        for (int y = 1 - side; y < h; y++)
            for (int x = 1 - side; x < w; x++) {
                const tally_box box = { x, y, x + side, y + side };
                const int filled = count_in(core, &c->core, box);
                if (filled < part * side * side ||
                    filled < CORE_FILL * count_in(seen, &c->core, box))
                    continue;
                for (int v = y < 0 ? 0 : y; v < y + side && v < h; v++)
                    for (int u = x < 0 ? 0 : x; u < x + side && u < w; u++)
                        if (tally_bits_get(&c->core, u, v)) tally_bits_set(&c->mask, u, v);
            }
    }
    const bool room = core && seen;
    tally_free(core);
    tally_free(seen);
    return room ? TALLY_OK : tally_nomem(err, "a scene's clouds");
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
    if (s == TALLY_OK) {
        mark_bright(&c, facts);
        s = keep_large(&c, CORE_M, CORE_SEEN, err);
    }
    if (s == TALLY_OK && tally_bits_count(&c.mask) > 0) {
        drop_water(&c.core, &g->water);
        s = keep_large(&c, SMALL_M, SMALL_SEEN, err);
    }
    if (s == TALLY_OK) {
        spread(&c);
        s = tally_cloud_shade(g, &seen, facts, &c.mask, err);
    }
    tally_bits_fini(&c.bright);
    tally_bits_fini(&c.core);
    tally_cloud_evidence_fini(&seen);
    if (s != TALLY_OK) tally_bits_fini(&c.mask);
    *mask = c.mask;
    return s;
}
