/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What each place of a track looks like with nothing on it.
 *
 * Per place: the half-sample mode over dates, later the median over the dates believed empty there.
 * Noise per lane: the median along of the dates' robust deviations, so that a few busy places do
 * not inflate it; and on a track that is busy all along, no more than its quieter neighbours show.
 * Places that are never empty: rail_profile.c.
 */
#include <math.h>
#include <string.h>

#include "count/rail.h"
#include "kernels/kernels.h"

static const double SIGMA_FLOOR =
    0.035; /* of the level: texture of ballast that a shift of 0.1 px moves (rail_0.5m) */
static const double BUSIER = 1.5; /* than the quietest track's noise: the rest is wagons */

void tally_rail_empty_fini(tally_rail_empty *e)
{
    tally_patch_fini(&e->level);
    tally_free(e->known);
    tally_free(e->usual);
    tally_free(e->over);
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

/* A lane's valid bits, without the columns believed occupied; where that leaves none, all of
 * them. */
static void mask_rows(const tally_track *t, const tally_patch *strips,
                      const tally_rail_state *states, size_t k, int lane, rows *r)
{
    size_t words = strips[0].valid.words;
    for (size_t i = 0; i < k; i++) {
        uint64_t *bits = r->bits + i * words;
        memcpy(bits, tally_bits_row(&strips[i].valid, lane), words * sizeof *bits);
        for (int c = 0; states && c < t->n; c++)
            if (!tally_rail_shows_empty(&states[i], c)) bits[c >> 6] &= ~(UINT64_C(1) << (c & 63));
        r->valid[i] = bits;
    }
    for (int c = 0; states && c < t->n; c++) {
        int left = 0;
        for (size_t i = 0; i < k; i++)
            left += r->bits[i * words + (size_t)(c >> 6)] >> (c & 63) & 1;
        for (size_t i = 0; left < 1 && i < k; i++)
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

/* The noise of the body's lanes, of their level, mean of bands. */
static double relative_noise(const tally_track *t, const tally_rail_empty *e, const float level[])
{
    double sum = 0;
    int n = 0;
    for (int lane = 0; lane < t->lanes; lane++)
        for (int b = 0; tally_rail_in_body(t, lane) && b < e->level.bands; b++, n++)
            sum += e->sigma[lane][b] / fmaxf(level[lane * e->level.bands + b], 1e-6f);
    return n ? sum / n : 0;
}

tally_status tally_rail_quiet_noise(const tally_track *tracks, size_t n_tracks,
                                    tally_rail_empty *empty, tally_error *err)
{
    size_t longest = 0, cells = 0;
    double least = INFINITY;
    for (size_t i = 0; i < n_tracks; i++) {
        size_t own = (size_t)tracks[i].lanes * (size_t)empty[i].level.bands;
        longest = (size_t)tracks[i].n > longest ? (size_t)tracks[i].n : longest;
        cells = own > cells ? own : cells;
    }
    float *room = tally_alloc(longest, sizeof *room);
    float *levels = tally_alloc(cells * n_tracks, sizeof *levels);
    tally_status s = room && levels ? TALLY_OK : tally_nomem(err, "a track's background");
    for (size_t i = 0; i < n_tracks && s == TALLY_OK; i++) {
        const tally_track *t = &tracks[i];
        int bands = empty[i].level.bands;
        for (int lane = 0; lane < t->lanes; lane++)
            for (int b = 0; b < bands; b++) {
                const float *level = tally_patch_row(&empty[i].level, b, lane);
                size_t n = 0;
                for (int c = 0; c < t->n; c++)
                    if (tally_bits_get(&empty[i].level.valid, c, lane)) room[n++] = level[c];
                levels[i * cells + (size_t)(lane * bands + b)] =
                    n ? (float)tally_median(room, n) : 0;
            }
        least = fmin(least, relative_noise(t, &empty[i], levels + i * cells));
    }
    for (size_t i = 0; i < n_tracks && s == TALLY_OK; i++)
        for (int lane = 0; lane < tracks[i].lanes; lane++)
            for (int b = 0; b < empty[i].level.bands; b++) {
                float level = levels[i * cells + (size_t)(lane * empty[i].level.bands + b)];
                empty[i].sigma[lane][b] =
                    fmaxf(fminf(empty[i].sigma[lane][b], (float)(BUSIER * least * level)), 1e-6f);
            }
    tally_free(room);
    tally_free(levels);
    return s;
}
