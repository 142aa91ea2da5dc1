/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Is there a wagon at this place of the track?
 *
 * Each column of the strip is compared with the empty track in units of noise, over the lanes that
 * a wagon covers (3.0 to 3.25 m wide). Local light first: the gain of a block of 30 m from the
 * lanes beside the wagon, as DESIGN.md 5.3 asks. Where a neighbour's shadow may fall, the track may
 * be anything between lit and fully shaded: the difference is taken to the nearest point of that
 * line, not to the lit level. The wagon's own shadow lies on the anti-sun side: dark there speaks
 * for a wagon, lit ground at low sun against one. Columns are joined by the best path of two states
 * (Viterbi 1967, doi:10.1109/TIT.1967.1054010), so that a single odd column makes no wagon and a
 * coupler no gap.
 *
 * Known failures: a wagon coloured like ballast under a high sun; long-parked trains
 * (rail_learn.c); thin cloud without mask.
 */
#include <math.h>

#include "count/rail.h"

static const double CORE_M =
    1.35; /* half the width of a wagon, less half a lane (DOMAIN.md: 2.9 to 3.25 m) */
static const double SIDE_NEAR_M = 1.9, SIDE_FAR_M = 3.4; /* between tracks 4.5 to 5.3 m apart */
static const double BLOCK_M = 24;
static const double QUIET_BLOCKS = 0.3;
static const double
    LEAST_GAIN = 0.25,
    MOST_GAIN = 4; /* cloud shadow to thin haze, after a global fit that cloud may have misled */
static const double CLOUD_GAIN =
    1.75; /* all of 30 m brighter by this: cloud, or snow (then not asked) */
static const double DARKEST_SHADE =
    0.35; /* skylight's share of full light, clear sky; chosen on the validation sets */
static const double CAP = 36; /* squared z-score per cell that one cell may bring at most */
static const double EMPTY_SCORE =
    2.3; /* root of the mean squared z-score where both states are as likely */
static const double STEEPNESS =
    1.3; /* log odds per unit of that root; per independent 2 m of track */
static const double INDEPENDENT_M = 2;
static const double SHADOW_WEIGHT =
    2.0; /* log odds of a clear own shadow, or of its absence, at low sun */
static const double SWITCH_COST = 5; /* log odds against a change of state */

tally_status tally_rail_state_init(tally_rail_state *s, int n, tally_error *err)
{
    *s = (tally_rail_state) { .seen = tally_alloc((size_t)n, sizeof *s->seen),
                              .occupied = tally_alloc((size_t)n, sizeof *s->occupied),
                              .logit = tally_alloc((size_t)n, sizeof *s->logit) };
    if (s->seen && s->occupied && s->logit) return TALLY_OK;
    tally_rail_state_fini(s);
    return tally_nomem(err, "a track");
}

void tally_rail_state_fini(tally_rail_state *s)
{
    tally_free(s->seen);
    tally_free(s->occupied);
    tally_free(s->logit);
    *s = (tally_rail_state) { 0 };
}

static bool in_core(const tally_track *t, int lane)
{
    return fabs(tally_track_lane_m(t, lane)) <= fmax(CORE_M, t->lane_m * 0.6);
}

static bool in_side(const tally_track *t, int lane)
{
    double m = fabs(tally_track_lane_m(t, lane));
    return m >= SIDE_NEAR_M && m <= fmax(SIDE_FAR_M, t->lane_m * 2.1);
}

/* The light of one block: gain per band, and how much noisier than on the dates learned from. */
typedef struct block_light {
    double gain[TALLY_RAIL_BANDS];
    double noise;
} block_light;

/* From the lanes beside the wagons. values: room for the block's cells. */
static block_light light_of(const tally_track *t, const tally_rail_empty *e,
                            const tally_patch *strip, int from, int to, float *values)
{
    /* median of a squared standard normal number */
    static const double MEDIAN_CHI2 = 0.4549, MOST_NOISE = 3;
    block_light out = { .noise = 1 };
    double noise = 0;
    for (int b = 0; b < strip->bands; b++) {
        for (int pass = 0; pass < 2; pass++) {
            size_t n = 0;
            for (int lane = 0; lane < t->lanes; lane++) {
                if (!in_side(t, lane)) continue;
                for (int c = from; c < to; c++) {
                    float m = tally_patch_row(&e->level, b, lane)[c],
                          x = tally_patch_row(strip, b, lane)[c];
                    if (!tally_bits_get(&strip->valid, c, lane) ||
                        !tally_bits_get(&e->level.valid, c, lane) || !(m > 0))
                        continue;
                    double z = (x - out.gain[b] * m) / e->sigma[lane][b];
                    values[n++] = pass == 0 ? x / m : (float)(z * z);
                }
            }
            /* above the median: shadows darken a part of the side lanes, nothing but light
             * brightens them */
            if (pass == 0)
                out.gain[b] =
                    n >= 8 ? tally_clamp(tally_quantile(values, n, 0.6), LEAST_GAIN, MOST_GAIN) : 1;
            else
                noise += n >= 8 ? tally_median(values, n) / MEDIAN_CHI2 : 1;
        }
    }
    out.noise = tally_clamp(sqrt(noise / strip->bands), 1, MOST_NOISE);
    return out;
}

static double least_gain(const block_light *l, int bands)
{
    double least = INFINITY;
    for (int b = 0; b < bands; b++)
        least = fmin(least, l->gain[b]);
    return least;
}

/* Light between the middles of two blocks. */
static block_light between(const block_light *a, const block_light *b, double share, int bands)
{
    block_light out = { .noise = a->noise + share * (b->noise - a->noise) };
    for (int k = 0; k < bands; k++)
        out.gain[k] = a->gain[k] + share * (b->gain[k] - a->gain[k]);
    return out;
}

static block_light light_at(const block_light *lights, int n, int block, int c, int bands)
{
    double at = (c + 0.5) / block - 0.5;
    int k = (int)tally_clamp(floor(at), 0, n - 1), next = k + 1 < n ? k + 1 : k;
    return between(&lights[k], &lights[next], tally_clamp(at - k, 0, 1), bands);
}

/* Mean squared z-score of a column's core to lit empty ground, or to the line from lit to shaded.
 * NaN: not seen. */
static double column_score(const tally_track *t, const tally_rail_empty *e,
                           const tally_patch *strip, int c, const double gain[], bool shaded)
{
    double total = 0;
    int cells = 0, lanes = 0;
    for (int lane = 0; lane < t->lanes; lane++) {
        if (!in_core(t, lane)) continue;
        lanes++;
        if (!tally_bits_get(&strip->valid, c, lane) || !tally_bits_get(&e->level.valid, c, lane))
            continue;
        double xm = 0, mm = 0, xx = 0;
        for (int b = 0; b < strip->bands; b++) {
            double s = e->sigma[lane][b], x = tally_patch_row(strip, b, lane)[c] / s,
                   m = gain[b] * tally_patch_row(&e->level, b, lane)[c] / s;
            xx += x * x;
            xm += x * m;
            mm += m * m;
        }
        double shade = shaded && mm > 0 ? tally_clamp(xm / mm, DARKEST_SHADE, 1) : 1;
        total += fmin((xx - 2 * shade * xm + shade * shade * mm) / strip->bands, CAP);
        cells++;
    }
    return 2 * cells >= lanes ? total / cells : NAN;
}

/* Log odds from the ground beside, where the own shadow should lie: its light against the empty
 * track's. */
static double shadow_evidence(const tally_track *t, const tally_rail_empty *e,
                              const tally_patch *strip, int c, const double gain[],
                              const tally_rail_sun *sun)
{
    double reach = fabs(sun->across_m), x = 0, m = 0;
    int at =
        c - (int)lround(tally_clamp(sun->along_m * 2.3 / fmax(reach, 0.1), -20, 20) / t->step_m);
    if (reach < 1.2 || at < 0 || at >= t->n) return 0;
    for (int lane = 0; lane < t->lanes; lane++) {
        double right = tally_track_lane_m(t, lane) * (sun->across_m > 0 ? 1 : -1);
        if (right < 1.75 || right > fmax(2.9, t->lane_m * 1.1) ||
            !tally_bits_get(&strip->valid, c, lane) || !tally_bits_get(&e->level.valid, c, lane))
            continue;
        for (int b = 0; b < strip->bands; b++) {
            x += tally_patch_row(strip, b, lane)[c];
            m += gain[b] * tally_patch_row(&e->level, b, lane)[c];
        }
    }
    if (!(m > 0)) return 0;
    /* 0.55 is a clear shadow, 1 lit ground: 0.8 says nothing */
    double weight = SHADOW_WEIGHT * tally_clamp((reach - 1.2) / 3, 0, 1);
    return weight * tally_clamp((0.82 - x / m) / 0.2, -1, 1);
}

/* The path of least cost through empty and occupied; columns that were not seen say nothing. */
static void best_path(const tally_track *t, tally_rail_state *s, unsigned char *from)
{
    double cost[2] = { 0, 0 };
    for (int c = 0; c < t->n; c++) {
        double say = s->seen[c] ? s->logit[c] : 0, next[2];
        for (int to = 0; to < 2; to++) {
            double stay = cost[to], change = cost[1 - to] + SWITCH_COST;
            bool changed = change < stay;
            from[2 * c + to] = (unsigned char)(changed ? 1 - to : to);
            next[to] = (changed ? change : stay) + (to == 1 ? -say : say) / 2;
        }
        cost[0] = next[0];
        cost[1] = next[1];
    }
    int state = cost[1] < cost[0];
    for (int c = t->n - 1; c >= 0; c--) {
        s->occupied[c] = state == 1;
        state = from[2 * c + state];
    }
}

tally_status tally_rail_judge(const tally_track *t, const tally_rail_empty *e,
                              const tally_patch *strip, const tally_rail_sun *sun,
                              const bool *shaded, bool snow, double bias, tally_rail_state *out,
                              tally_error *err)
{
    int block = (int)ceil(BLOCK_M / t->step_m), n = (t->n + block - 1) / block;
    float *values = tally_alloc((size_t)block * (size_t)t->lanes + (size_t)n, sizeof *values);
    block_light *lights = tally_alloc((size_t)n, sizeof *lights);
    unsigned char *from = tally_alloc((size_t)t->n, 2);
    tally_status s = values && lights && from ? TALLY_OK : tally_nomem(err, "a track");
    if (s != TALLY_OK) goto out;
    for (int k = 0; k < n; k++)
        lights[k] = light_of(t, e, strip, k * block, k + 1 < n ? (k + 1) * block : t->n, values);
    for (int k = 0; k < n; k++)
        values[k] = (float)least_gain(&lights[k], strip->bands);
    double usual = tally_median(values, (size_t)n);
    /* the scene's noise from its quieter blocks: trains on the next track make the others noisy */
    for (int k = 0; k < n; k++)
        values[k] = (float)lights[k].noise;
    double noise = tally_quantile(values, (size_t)n, QUIET_BLOCKS);
    for (int c = 0; c < t->n; c++) {
        block_light here = light_at(lights, n, block, c, strip->bands);
        double score = column_score(t, e, strip, c, here.gain, shaded && shaded[c]);
        bool cloud = !snow && least_gain(&here, strip->bands) > CLOUD_GAIN * usual;
        out->seen[c] = isfinite(score) && !cloud;
        double odds = STEEPNESS * (sqrt(isfinite(score) ? score : 0) / noise - EMPTY_SCORE) + bias;
        odds = tally_clamp(odds, -4, 4) + shadow_evidence(t, e, strip, c, here.gain, sun);
        out->logit[c] = out->seen[c] ? (float)(odds * t->step_m / INDEPENDENT_M) : 0;
    }
    best_path(t, out, from);
out:
    tally_free(values);
    tally_free(lights);
    tally_free(from);
    return s;
}
