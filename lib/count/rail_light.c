/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Local light: DESIGN.md 5.3. Haze adds, shadow of clouds multiplies, season does both, and all of
 * it changes over tens of metres. So each block of 24 m of each track gets a line
 * (align/radiometry.h) through the cells of all tracks within 20 m of it against their empty
 * levels: bright and dark ballast, platforms and grass give the contrast that one track lacks.
 * Wagons are the outliers that the fit trims.
 *
 * A block whose light is mostly offset shows cloud, not ground.
 */
#include <math.h>

#include "align/radiometry.h"
#include "count/rail.h"

static const double BLOCK_M = 24, REACH_M = 20;
static const double LEAST_GAIN = 0.3, MOST_GAIN = 3.5;
static const double CLOUD_OFFSET =
    0.4; /* of the ground's level in every band: hardly seen through it */
static const double SHADOW_LIGHT =
    0.55; /* of the ground's level in every band: under a cloud's shadow, not seen */
static const double COARSEST_LANE_M =
    0.1; /* coarser strips mix a wagon with its neighbours: no local line can be had */

typedef struct line_fit {
    double gain[TALLY_RAIL_BANDS], offset[TALLY_RAIL_BANDS];
    bool cloud;
} line_fit;

typedef struct cells {
    float *level, *value, *residual, *scratch;
    size_t most;
} cells;

static tally_status cells_init(cells *c, size_t most, tally_error *err)
{
    *c = (cells) { .level = tally_alloc(most, sizeof(float)),
                   .value = tally_alloc(most, sizeof(float)),
                   .residual = tally_alloc(most, sizeof(float)),
                   .scratch = tally_alloc(most, sizeof(float)),
                   .most = most };
    return c->level && c->value && c->residual && c->scratch ? TALLY_OK
                                                             : tally_nomem(err, "a track's light");
}

static void cells_fini(cells *c)
{
    tally_free(c->level);
    tally_free(c->value);
    tally_free(c->residual);
    tally_free(c->scratch);
}

/* Cells of one band, of all tracks, within reach of a place. */
static size_t collect(const tally_track *tracks, size_t n_tracks, const tally_rail_empty *empty,
                      const tally_patch *strips, int band, tally_point at, double reach_px,
                      cells *c)
{
    size_t n = 0;
    for (size_t k = 0; k < n_tracks; k++)
        for (size_t i = 0; i < tracks[k].n_stretches; i++) {
            const tally_stretch *s = &tracks[k].stretches[i];
            for (int m = 0; m < s->n; m++) {
                if (hypot(s->x + m * s->dx - at.x, s->y + m * s->dy - at.y) > reach_px) continue;
                int column = s->first + m;
                for (int lane = 0; lane < tracks[k].lanes && n < c->most; lane++) {
                    if (!tally_bits_get(&strips[k].valid, column, lane) ||
                        !tally_bits_get(&empty[k].level.valid, column, lane))
                        continue;
                    c->level[n] = tally_patch_row(&empty[k].level, band, lane)[column];
                    c->value[n++] = tally_patch_row(&strips[k], band, lane)[column];
                }
            }
        }
    return n;
}

static line_fit fit_place(const tally_track *tracks, size_t n_tracks, const tally_rail_empty *empty,
                          const tally_patch *strips, tally_point at, double reach_px, bool snow,
                          cells *c)
{
    line_fit f = { 0 };
    bool cloud = !snow, shadow = true;
    for (int b = 0; b < strips[0].bands; b++) {
        size_t n = collect(tracks, n_tracks, empty, strips, b, at, reach_px, c);
        double level = NAN, sigma = tally_radiometry_fit(c->level, c->value, c->residual,
                                                         c->scratch, n, &f.gain[b], &f.offset[b]);
        if (!isfinite(sigma) || f.gain[b] < LEAST_GAIN || f.gain[b] > MOST_GAIN) {
            /* no contrast to tell gain from offset: all of it is gain */
            f.gain[b] = 1;
            f.offset[b] = 0;
            for (size_t i = 0; i < n; i++)
                c->scratch[i] = c->level[i] > 0 ? c->value[i] / c->level[i] : 1;
            if (n > 0) f.gain[b] = tally_clamp(tally_median(c->scratch, n), LEAST_GAIN, MOST_GAIN);
        }
        for (size_t i = 0; i < n; i++)
            c->scratch[i] = c->level[i];
        if (n > 0) level = tally_median(c->scratch, n);
        cloud = cloud && f.offset[b] > CLOUD_OFFSET * level;
        shadow = shadow && f.gain[b] * level + f.offset[b] < SHADOW_LIGHT * level;
    }
    f.cloud = cloud || shadow;
    return f;
}

static void apply(const tally_track *t, const line_fit *fits, int n, int block, tally_patch *strip)
{
    for (int c = 0; c < t->n; c++) {
        double at = (c + 0.5) / block - 0.5;
        int k = (int)tally_clamp(floor(at), 0, n - 1), next = k + 1 < n ? k + 1 : k;
        double share = tally_clamp(at - k, 0, 1);
        bool cloud = fits[k].cloud && fits[next].cloud;
        for (int lane = 0; lane < t->lanes; lane++) {
            if (cloud) tally_bits_clear(&strip->valid, c, lane);
            for (int b = 0; b < strip->bands; b++) {
                double gain = fits[k].gain[b] + share * (fits[next].gain[b] - fits[k].gain[b]);
                double offset =
                    fits[k].offset[b] + share * (fits[next].offset[b] - fits[k].offset[b]);
                float *x = &tally_patch_row(strip, b, lane)[c];
                *x = cloud ? 0 : (float)((*x - offset) / gain);
            }
        }
    }
}

tally_status tally_rail_relight(const tally_track *tracks, size_t n_tracks,
                                const tally_rail_empty *empty, bool snow, tally_patch *strips,
                                tally_error *err)
{
    line_fit *fits[TALLY_TRACKS_A_UNIT] = { 0 };
    int counts[TALLY_TRACKS_A_UNIT] = { 0 }, blocks[TALLY_TRACKS_A_UNIT] = { 0 };
    size_t most = 0;
    cells c = { 0 };
    if (n_tracks == 0 || tracks[0].lane_m > COARSEST_LANE_M) return TALLY_OK;
    for (size_t i = 0; i < n_tracks; i++)
        most += (size_t)(2 * REACH_M / tracks[i].step_m + 4) * (size_t)tracks[i].lanes;
    tally_status s = cells_init(&c, most, err);
    for (size_t i = 0; i < n_tracks && s == TALLY_OK; i++) {
        const tally_track *t = &tracks[i];
        double px_a_metre = hypot(t->stretches[0].dx, t->stretches[0].dy) / t->step_m;
        blocks[i] = (int)ceil(BLOCK_M / t->step_m);
        counts[i] = (t->n + blocks[i] - 1) / blocks[i];
        fits[i] = tally_alloc((size_t)counts[i], sizeof *fits[i]);
        if (!fits[i]) s = tally_nomem(err, "a track's light");
        for (int k = 0; k < counts[i] && s == TALLY_OK; k++)
            fits[i][k] = fit_place(tracks, n_tracks, empty, strips,
                                   tally_track_at(t, (k + 0.5) * blocks[i], 0),
                                   REACH_M * px_a_metre, snow, &c);
    }
    /* only when all are known: a fit looks at the neighbours' light as it was */
    for (size_t i = 0; i < n_tracks && s == TALLY_OK; i++)
        apply(&tracks[i], fits[i], counts[i], blocks[i], &strips[i]);
    for (size_t i = 0; i < n_tracks; i++)
        tally_free(fits[i]);
    cells_fini(&c);
    return s;
}
