/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Local light: DESIGN.md 5.3. Haze adds, a cloud's shadow multiplies, season does both, and all of
 * it changes over tens of metres. It is measured on open ground alone: the lanes beside and between
 * the tracks, where no wagon stands. Every block of a track gets, per band, a line
 *
 *     pixel = gain * level + offset
 *
 * through the open cells of all tracks within reach. Wagons' shadows are outliers below, clouds'
 * rims outliers above: cells are trimmed at 2.5 robust deviations, thrice. Ballast has little
 * contrast, and then a line cannot tell gain from offset; so the line is drawn towards what physics
 * expects, by a prior (ridge regression; Hoerl and Kennard 1970,
 * doi:10.1080/00401706.1970.10488634) that weighs as much as ground whose levels differ by a tenth:
 * ground brighter than is usual in the scene has haze added, ground darker than that gets less
 * light.
 *
 * Where the ground is much brighter than the scene's usual light there is cloud, and nothing is
 * seen. What the line leaves over, in units of noise, says how far this place can be trusted.
 *
 * Known failure: ground beside five wagons and more that stand there on most dates is known in
 * their shadow alone; on the dates without them it is brighter by what cloud would be.
 */
#include <math.h>

#include "count/rail.h"

static const double BLOCK_M = 6, REACH_M = 16;
static const double OPEN_M = 1.9;   /* from a centre line: past a wagon's side */
static const double CONTRAST = 0.1; /* of the level: what the prior weighs */
static const double TRIM = 2.5;
static const double LEAST_GAIN = 0.2, MOST_GAIN = 4;
static const double CLOUD_BRIGHTER = 1.6; /* than the scene's usual light: opacity of a fifth over
                                             ballast, which reflects a fourth of what cloud does */
static const double MOST_NOISE = 4;
/* Spread is read off the nearer cells, for shadows of trains may lie on more than half of them: the
 * 0.3 quantile, and what it is of a standard normal number's size. */
static const double NEARER = 0.3, NEARER_SIZE = 0.3853;
static const double BRIGHTER_HALF =
    0.7; /* where the fit starts: shadows darken, only cloud brightens */
enum { LEAST_CELLS = 24, ROUNDS = 3 };
static const double EVERY_M = 1.5; /* cells along: closer ones say the same */

typedef struct block {
    int from, to; /* columns */
    tally_point middle;
    double gain[TALLY_RAIL_BANDS], offset[TALLY_RAIL_BANDS];
    double bright[TALLY_RAIL_BANDS]; /* its ground, of the level; NAN: unknown */
    double ratio;                    /* mean of that */
    double noise;                    /* in units of the level's noise */
} block;

typedef struct cells {
    float *level, *value, *sigma, *scratch;
    size_t n, most;
} cells;

static tally_status cells_init(cells *c, size_t most, tally_error *err)
{
    *c = (cells) { .level = tally_alloc(most, sizeof(float)),
                   .value = tally_alloc(most, sizeof(float)),
                   .sigma = tally_alloc(most, sizeof(float)),
                   .scratch = tally_alloc(most, sizeof(float)),
                   .most = most };
    return c->level && c->value && c->sigma && c->scratch ? TALLY_OK
                                                          : tally_nomem(err, "a track's light");
}

static void cells_fini(cells *c)
{
    tally_free(c->level);
    tally_free(c->value);
    tally_free(c->sigma);
    tally_free(c->scratch);
}

tally_status tally_rail_open_ground(const tally_track *tracks, size_t n_tracks, double gsd_m,
                                    tally_bits *open, tally_error *err)
{
    for (size_t i = 0; i < n_tracks; i++) {
        const tally_track *t = &tracks[i];
        double clear_m = OPEN_M + fmax(0, t->lane_m - 0.5);
        tally_status s = tally_bits_init(&open[i], t->n, t->lanes, err);
        if (s != TALLY_OK) return s;
        for (int lane = 0; lane < t->lanes; lane++) {
            double m = tally_track_lane_m(t, lane);
            if (fabs(m) < clear_m) continue;
            for (int c = 0; c < t->n; c++) {
                tally_point p = tally_track_at(t, c, m);
                bool clear = true;
                for (size_t k = 0; k < n_tracks && clear; k++)
                    clear = k == i || tally_track_under(&tracks[k], p, gsd_m, clear_m) < 0;
                if (clear) tally_bits_set(&open[i], c, lane);
            }
        }
    }
    return TALLY_OK;
}

/* The open cells of one band of all blocks within reach of a place. */
static void collect(const tally_rail_scene *r, block *const *blocks, const int *n_blocks, int band,
                    tally_point at, double reach_px, cells *c)
{
    c->n = 0;
    for (size_t i = 0; i < r->n; i++) {
        int every = (int)fmax(1, EVERY_M / r->tracks[i].step_m);
        for (int k = 0; k < n_blocks[i]; k++) {
            const block *b = &blocks[i][k];
            if (hypot(b->middle.x - at.x, b->middle.y - at.y) > reach_px) continue;
            for (int lane = 0; lane < r->tracks[i].lanes; lane++) {
                const float *level = tally_patch_row(&r->empty[i].level, band, lane),
                            *value = tally_patch_row(&r->raw[i], band, lane);
                for (int col = b->from; col < b->to && c->n < c->most; col += every) {
                    if (!tally_bits_get(&r->open[i], col, lane) ||
                        tally_bits_get(&r->states[i].shadow, col, lane) ||
                        tally_bits_get(&r->states[i].other, col, lane) ||
                        !tally_bits_get(&r->raw[i].valid, col, lane) ||
                        !tally_bits_get(&r->empty[i].level.valid, col, lane) || !(level[col] > 0))
                        continue;
                    c->level[c->n] = level[col];
                    c->value[c->n] = value[col];
                    c->sigma[c->n++] = r->empty[i].sigma[lane][band];
                }
            }
        }
    }
}

static double spread_about(cells *c, double gain, double offset)
{
    for (size_t i = 0; i < c->n; i++)
        c->scratch[i] = fabsf((float)(c->value[i] - (gain * c->level[i] + offset)));
    return tally_quantile(c->scratch, c->n, NEARER) / NEARER_SIZE;
}

/* Of the level; above the middle, for shadows darken a part of the ground. */
static double brightness(cells *c)
{
    for (size_t i = 0; i < c->n; i++)
        c->scratch[i] = c->value[i] / c->level[i];
    return tally_quantile(c->scratch, c->n, BRIGHTER_HALF);
}

static double mean_level(const cells *c)
{
    double sum = 0;
    for (size_t i = 0; i < c->n; i++)
        sum += c->level[i];
    return sum / (double)c->n;
}

/* What is expected of ground so bright: haze above what is usual, less light below it. */
static void start_line(double ratio, double usual, double level, double *gain, double *offset)
{
    *gain = fmin(ratio, usual);
    *offset = (ratio - *gain) * level;
}

/* The line through the cells; false: too few of them. */
static bool fit_line(cells *c, double usual, double *gain, double *offset)
{
    if (c->n < LEAST_CELLS) return false;
    start_line(brightness(c), usual, mean_level(c), gain, offset);
    for (int round = 0; round < ROUNDS; round++) {
        double cut = TRIM * spread_about(c, *gain, *offset) + 1e-6;
        double n = 0, mx = 0, my = 0, xx = 0, xy = 0;
        for (size_t i = 0; i < c->n; i++)
            if (fabs(c->value[i] - (*gain * c->level[i] + *offset)) <= cut)
                n++, mx += c->level[i], my += c->value[i];
        if (n < LEAST_CELLS / 2) return false;
        mx /= n;
        my /= n;
        for (size_t i = 0; i < c->n; i++)
            if (fabs(c->value[i] - (*gain * c->level[i] + *offset)) <= cut) {
                double dx = c->level[i] - mx;
                xx += dx * dx;
                xy += dx * (c->value[i] - my);
            }
        double prior = n * CONTRAST * CONTRAST * mx * mx, expected, none;
        start_line(my / mx, usual, mx, &expected, &none);
        *gain = tally_clamp((xy + prior * expected) / (xx + prior), LEAST_GAIN, MOST_GAIN);
        *offset = my - *gain * mx;
    }
    return true;
}

static void look_at_block(const tally_rail_scene *r, block *const *blocks, const int *n_blocks,
                          double reach_px, block *b, cells *c)
{
    int bands = r->raw[0].bands;
    b->noise = 1;
    b->ratio = 0;
    for (int band = 0; band < bands; band++) {
        b->gain[band] = 1;
        b->offset[band] = 0;
        collect(r, blocks, n_blocks, band, b->middle, reach_px, c);
        b->bright[band] = c->n >= LEAST_CELLS ? brightness(c) : NAN;
        b->ratio += b->bright[band] / bands;
    }
}

static void fit_block(const tally_rail_scene *r, block *const *blocks, const int *n_blocks,
                      const double usual[], double reach_px, block *b, cells *c)
{
    int bands = r->raw[0].bands;
    double noise = 0;
    for (int band = 0; band < bands; band++) {
        collect(r, blocks, n_blocks, band, b->middle, reach_px, c);
        if (!fit_line(c, usual[band], &b->gain[band], &b->offset[band])) return;
        for (size_t i = 0; i < c->n; i++) {
            double z = (c->value[i] - b->offset[band]) / b->gain[band] - c->level[i];
            c->scratch[i] = (float)fabs(z / c->sigma[i]);
        }
        noise += tally_quantile(c->scratch, c->n, NEARER) / NEARER_SIZE / bands;
    }
    b->noise = tally_clamp(noise, 1, MOST_NOISE);
}

static void apply(const tally_track *t, const block *blocks, int n, double usual, bool snow,
                  const tally_patch *raw, tally_patch *lit, float *noise)
{
    int block_columns = blocks[0].to - blocks[0].from;
    for (int c = 0; c < t->n; c++) {
        double at = (c + 0.5) / block_columns - 0.5;
        int k = (int)tally_clamp(floor(at), 0, n - 1), next = k + 1 < n ? k + 1 : k;
        double share = tally_clamp(at - k, 0, 1);
        const block *a = &blocks[k], *b = &blocks[next];
        double ratio = a->ratio + share * (b->ratio - a->ratio);
        bool cloud = !snow && ratio > CLOUD_BRIGHTER * usual;
        noise[c] = (float)(a->noise + share * (b->noise - a->noise));
        for (int lane = 0; lane < t->lanes; lane++) {
            if (cloud || !tally_bits_get(&raw->valid, c, lane)) {
                tally_bits_clear(&lit->valid, c, lane);
                continue;
            }
            tally_bits_set(&lit->valid, c, lane);
            for (int band = 0; band < lit->bands; band++) {
                double gain = a->gain[band] + share * (b->gain[band] - a->gain[band]),
                       offset = a->offset[band] + share * (b->offset[band] - a->offset[band]);
                tally_patch_row(lit, band, lane)[c] =
                    (float)((tally_patch_row(raw, band, lane)[c] - offset) / gain);
            }
        }
    }
}

/* The light that is usual in this scene; band -1: over all. */
static double usual_of(block *const *blocks, const int *n_blocks, size_t n_tracks, int band,
                       float *room)
{
    size_t n = 0;
    for (size_t i = 0; i < n_tracks; i++)
        for (int k = 0; k < n_blocks[i]; k++) {
            double v = band < 0 ? blocks[i][k].ratio : blocks[i][k].bright[band];
            if (isfinite(v)) room[n++] = (float)v;
        }
    /* below the middle: cloud may lie over half of the tracks, and it only brightens */
    return n > 0 ? tally_quantile(room, n, 0.25) : 1;
}

static tally_status cut_blocks(const tally_track *t, block **out, int *n, tally_error *err)
{
    int columns = (int)ceil(BLOCK_M / t->step_m);
    *n = (t->n + columns - 1) / columns;
    *out = tally_alloc((size_t)*n, sizeof **out);
    if (!*out) return tally_nomem(err, "a track's light");
    for (int k = 0; k < *n; k++) {
        block *b = &(*out)[k];
        b->from = k * columns;
        b->to = k + 1 < *n ? b->from + columns : t->n;
        b->middle = tally_track_at(t, (b->from + b->to) / 2.0, 0);
    }
    return TALLY_OK;
}

tally_status tally_rail_relight(const tally_rail_scene *r, bool snow, tally_error *err)
{
    block *blocks[TALLY_TRACKS_A_UNIT] = { 0 };
    int n_blocks[TALLY_TRACKS_A_UNIT] = { 0 };
    size_t most = 0;
    cells c = { 0 };
    tally_status s = TALLY_OK;
    for (size_t i = 0; i < r->n && s == TALLY_OK; i++) {
        s = cut_blocks(&r->tracks[i], &blocks[i], &n_blocks[i], err);
        most += (size_t)n_blocks[i];
    }
    for (size_t i = 0; i < r->n; i++)
        most += (size_t)(2 * (REACH_M + BLOCK_M) / r->tracks[i].step_m + 4) *
                (size_t)r->tracks[i].lanes;
    if (s == TALLY_OK) s = cells_init(&c, most, err);
    double reach_px = REACH_M / r->gsd_m;
    if (s == TALLY_OK) {
        double usual[TALLY_RAIL_BANDS];
        for (size_t i = 0; i < r->n; i++)
            for (int k = 0; k < n_blocks[i]; k++)
                look_at_block(r, blocks, n_blocks, reach_px, &blocks[i][k], &c);
        for (int band = 0; r->n > 0 && band < r->raw[0].bands; band++)
            usual[band] = usual_of(blocks, n_blocks, r->n, band, c.scratch);
        for (size_t i = 0; i < r->n; i++)
            for (int k = 0; k < n_blocks[i]; k++)
                fit_block(r, blocks, n_blocks, usual, reach_px, &blocks[i][k], &c);
        /* only when all are known: a fit looks at the neighbours' pixels as they were */
        double over_all = usual_of(blocks, n_blocks, r->n, -1, c.scratch);
        for (size_t i = 0; i < r->n; i++)
            apply(&r->tracks[i], blocks[i], n_blocks[i], over_all, snow, &r->raw[i], &r->lit[i],
                  r->states[i].noise);
    }
    for (size_t i = 0; i < r->n; i++)
        tally_free(blocks[i]);
    cells_fini(&c);
    return s;
}
