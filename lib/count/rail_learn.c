/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the track looks like with nothing on it.
 *
 * Per place: the half-sample mode over dates, later the median over the dates believed empty there.
 * A track that is busy most of the time has a train in it: so the level's cross-profile is compared
 * with the track's own typical one (the median along), and places that are unlike it over more than
 * a shunting's length are replaced by it and marked as never seen empty. Noise per lane: the median
 * along of the dates' robust deviations, so that a few busy places do not inflate it.
 *
 * Known failure: a track whose larger part is never empty on any date; its typical profile is then
 * a train's.
 */
#include <math.h>
#include <string.h>

#include "count/rail.h"
#include "kernels/kernels.h"

static const double SIGMA_FLOOR =
    0.035; /* of the level: texture of ballast that a shift of 0.1 px moves (rail_0.5m) */
static const double UNLIKE =
    3.0; /* z-score of a smoothed cross-profile beyond which it is no empty track */
static const double SMOOTH_M = 6;
static const double MOST_LIKE = 0.5, SHADOWED = 0.9;
static const double LEAST_LIKE =
    0.08; /* share of a track that must look like its quieter neighbour's empty state */

void tally_rail_empty_fini(tally_rail_empty *e)
{
    tally_patch_fini(&e->level);
    tally_free(e->known);
    *e = (tally_rail_empty) { 0 };
}

typedef struct rows {
    const float **values;
    const uint64_t **valid;
    uint64_t *bits; /* k x words */
    float *median, *mad, *mode;
    uint8_t *count;
} rows;

static void rows_fini(rows *r)
{
    tally_free(r->values);
    tally_free(r->valid);
    tally_free(r->bits);
    tally_free(r->median);
    tally_free(r->mad);
    tally_free(r->mode);
    tally_free(r->count);
}

static tally_status rows_init(rows *r, size_t k, size_t n, size_t words, tally_error *err)
{
    *r = (rows) { .values = tally_alloc(k, sizeof *r->values),
                  .valid = tally_alloc(k, sizeof *r->valid),
                  .bits = tally_alloc(k, words * sizeof *r->bits),
                  .median = tally_alloc(n, sizeof(float)),
                  .mad = tally_alloc(n, sizeof(float)),
                  .mode = tally_alloc(n, sizeof(float)),
                  .count = tally_alloc(n, 1) };
    if (r->values && r->valid && r->bits && r->median && r->mad && r->mode && r->count)
        return TALLY_OK;
    rows_fini(r);
    return tally_nomem(err, "a track's background");
}

/* A lane's valid bits, without the columns believed occupied; where that leaves fewer than two
 * dates, all of them. */
static void mask_rows(const tally_track *t, const tally_patch *strips,
                      const tally_rail_state *states, size_t k, int lane, rows *r)
{
    size_t words = strips[0].valid.words;
    for (size_t i = 0; i < k; i++) {
        uint64_t *bits = r->bits + i * words;
        memcpy(bits, tally_bits_row(&strips[i].valid, lane), words * sizeof *bits);
        for (int c = 0; states && c < t->n; c++)
            if (states[i].occupied[c] || !states[i].seen[c])
                bits[c >> 6] &= ~(UINT64_C(1) << (c & 63));
        r->valid[i] = bits;
    }
    for (int c = 0; states && c < t->n; c++) {
        int left = 0;
        for (size_t i = 0; i < k; i++)
            left += r->bits[i * words + (size_t)(c >> 6)] >> (c & 63) & 1;
        for (size_t i = 0; left < 2 && i < k; i++)
            if (tally_bits_get(&strips[i].valid, c, lane))
                r->bits[i * words + (size_t)(c >> 6)] |= UINT64_C(1) << (c & 63);
    }
}

static float positive_median(const float *v, const uint8_t *count, int n, float *scratch)
{
    size_t m = 0;
    for (int c = 0; c < n; c++)
        if (count[c] >= 2) scratch[m++] = v[c];
    return m ? tally_median(scratch, m) : 0;
}

static void learn_lane(const tally_context *ctx, const tally_track *t, const tally_patch *strips,
                       const tally_rail_state *states, size_t k, int lane, rows *r, float *scratch,
                       tally_rail_empty *out)
{
    mask_rows(t, strips, states, k, lane, r);
    for (int b = 0; b < strips[0].bands; b++) {
        for (size_t i = 0; i < k; i++)
            r->values[i] = tally_patch_row(&strips[i], b, lane);
        ctx->kernels->median_mad_f32(r->values, r->valid, (int)k, (size_t)t->n, r->median, r->mad,
                                     r->count);
        bool first = !states;
        if (first) ctx->kernels->mode_f32(r->values, r->valid, (int)k, (size_t)t->n, r->mode);
        float *level = tally_patch_row(&out->level, b, lane);
        for (int c = 0; c < t->n; c++) {
            level[c] = first ? r->mode[c] : r->median[c];
            if (r->count[c] && b == 0) tally_bits_set(&out->level.valid, c, lane);
        }
        float noise = 1.4826f * positive_median(r->mad, r->count, t->n, scratch);
        float floor = (float)SIGMA_FLOOR * positive_median(level, r->count, t->n, scratch);
        out->sigma[lane][b] = fmaxf(fmaxf(noise, floor), 1e-6f);
    }
}

static bool is_core(const tally_track *t, int lane)
{
    return fabs(tally_track_lane_m(t, lane)) <= 1.6;
}

/* Median along of the places that `keep` names (NULL: all). scratch: n floats. */
static void typical_of(const tally_track *t, const tally_rail_empty *e, const bool *keep,
                       float *scratch, tally_rail_profile *out)
{
    for (int lane = 0; lane < t->lanes; lane++)
        for (int b = 0; b < e->level.bands; b++) {
            size_t n = 0;
            const float *level = tally_patch_row(&e->level, b, lane);
            for (int c = 0; c < t->n; c++)
                if (tally_bits_get(&e->level.valid, c, lane) && (!keep || keep[c]))
                    scratch[n++] = level[c];
            out->level[lane][b] = n ? tally_median(scratch, n) : 0;
            for (size_t i = 0; i < n; i++)
                scratch[i] = fabsf(scratch[i] - out->level[lane][b]);
            out->spread[lane][b] =
                fmaxf(n ? 1.4826f * tally_median(scratch, n) : 0, e->sigma[lane][b]);
        }
}

/* How unlike a profile the core of each place is: root mean squared z-score, smoothed along. raw: n
 * floats. */
static void unlikeness(const tally_track *t, const tally_rail_empty *e, const tally_rail_profile *p,
                       float *raw, float *out)
{
    int half = (int)(SMOOTH_M / t->step_m / 2);
    for (int c = 0; c < t->n; c++) {
        double sum = 0;
        int n = 0;
        for (int lane = 0; lane < t->lanes; lane++) {
            if (!is_core(t, lane) || !tally_bits_get(&e->level.valid, c, lane)) continue;
            for (int b = 0; b < e->level.bands; b++, n++) {
                double z = (tally_patch_row(&e->level, b, lane)[c] - p->level[lane][b]) /
                           p->spread[lane][b];
                sum += fmin(z * z, 25);
            }
        }
        raw[c] = n ? (float)sqrt(sum / n) : 0;
    }
    for (int c = 0; c < t->n; c++) {
        double sum = 0;
        int n = 0;
        for (int k = c - half; k <= c + half; k++)
            if (k >= 0 && k < t->n) sum += raw[k], n++;
        out[c] = (float)(sum / n);
    }
}

/* Of the places along this track, the share that looks like `p`; keep names them. */
static double share_like(const tally_track *t, const float *unlike, bool *keep)
{
    int n = 0;
    for (int c = 0; c < t->n; c++)
        n += keep[c] = unlike[c] <= UNLIKE;
    return (double)n / t->n;
}

/* The median of a side lane's level over the kept or the other places, first band: shadow stands
 * there beside a train. */
static float side_level(const tally_track *t, const tally_rail_empty *e, int lane, const bool *keep,
                        bool wanted, float *scratch)
{
    size_t n = 0;
    for (int c = 0; c < t->n; c++)
        if (keep[c] == wanted && tally_bits_get(&e->level.valid, c, lane))
            scratch[n++] = tally_patch_row(&e->level, 0, lane)[c];
    return n ? tally_median(scratch, n) : 0;
}

/* Is the ground beside the places that `keep` leaves out darker on one side, as beside a train? Too
 * coarse pixels cannot say. */
static bool shadow_beside(const tally_track *t, const tally_rail_empty *e, const bool *keep,
                          float *scratch)
{
    if (t->lane_m > 1) return true;
    for (int lane = 0; lane < t->lanes; lane++) {
        double m = fabs(tally_track_lane_m(t, lane));
        if (m < 1.9 || m > 2.6) continue;
        if (side_level(t, e, lane, keep, false, scratch) <
            SHADOWED * side_level(t, e, lane, keep, true, scratch))
            return true;
    }
    return false;
}

/* What empty looks like on this track: its own median, or, when a smaller part of it looks like a
 * neighbour and the rest casts a shadow, that part's median. */
static void typical_empty(const tally_track *tracks, size_t n_tracks, size_t i,
                          const tally_rail_empty *e, const tally_rail_profile *own, float *scratch,
                          float *unlike, bool *keep, tally_rail_profile *best)
{
    const tally_track *t = &tracks[i];
    double most = LEAST_LIKE;
    *best = own[i];
    for (size_t k = 0; k < n_tracks; k++) {
        if (k == i || tracks[k].lanes != t->lanes) continue;
        unlikeness(t, e, &own[k], scratch, unlike);
        double share = share_like(t, unlike, keep);
        if (share <= most || share > MOST_LIKE || !shadow_beside(t, e, keep, scratch)) continue;
        most = share;
        typical_of(t, e, keep, scratch, best);
    }
}

tally_status tally_rail_reject_trains(const tally_track *tracks, size_t n_tracks,
                                      tally_rail_empty *empty, tally_error *err)
{
    int longest = 0;
    for (size_t i = 0; i < n_tracks; i++)
        longest = tracks[i].n > longest ? tracks[i].n : longest;
    float *scratch = tally_alloc((size_t)longest, sizeof *scratch);
    float *unlike = tally_alloc((size_t)longest, sizeof *unlike);
    bool *keep = tally_alloc((size_t)longest, sizeof *keep);
    tally_rail_profile *own = tally_alloc(n_tracks, sizeof *own);
    tally_status s =
        scratch && unlike && keep && own ? TALLY_OK : tally_nomem(err, "a track's background");
    for (size_t i = 0; i < n_tracks && s == TALLY_OK; i++)
        typical_of(&tracks[i], &empty[i], NULL, scratch, &own[i]);
    for (size_t i = 0; i < n_tracks && s == TALLY_OK; i++) {
        const tally_track *t = &tracks[i];
        tally_rail_profile best;
        typical_empty(tracks, n_tracks, i, &empty[i], own, scratch, unlike, keep, &best);
        unlikeness(t, &empty[i], &best, scratch, unlike);
        for (int c = 0; c < t->n; c++) {
            empty[i].known[c] = unlike[c] <= UNLIKE;
            for (int lane = 0; lane < t->lanes && !(empty[i].known[c] > 0); lane++)
                for (int b = 0; b < empty[i].level.bands; b++)
                    tally_patch_row(&empty[i].level, b, lane)[c] = best.level[lane][b];
        }
    }
    tally_free(scratch);
    tally_free(unlike);
    tally_free(keep);
    tally_free(own);
    return s;
}

tally_status tally_rail_learn(const tally_context *ctx, const tally_track *t,
                              const tally_patch *strips, const tally_rail_state *states, size_t k,
                              tally_rail_empty *out, tally_error *err)
{
    rows r = { 0 };
    float *scratch = NULL;
    *out = (tally_rail_empty) { 0 };
    tally_status s = tally_patch_init(&out->level, t->n, t->lanes, strips[0].bands, err);
    if (s == TALLY_OK) s = rows_init(&r, k, (size_t)t->n, strips[0].valid.words, err);
    if (s == TALLY_OK && (!(out->known = tally_alloc((size_t)t->n, sizeof *out->known)) ||
                          !(scratch = tally_alloc((size_t)t->n, sizeof *scratch))))
        s = tally_nomem(err, "a track's background");
    for (int lane = 0; lane < t->lanes && s == TALLY_OK; lane++)
        learn_lane(ctx, t, strips, states, k, lane, &r, scratch, out);
    rows_fini(&r);
    tally_free(scratch);
    if (s != TALLY_OK) tally_rail_empty_fini(out);
    return s;
}
