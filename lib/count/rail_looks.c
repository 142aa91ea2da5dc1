/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Looks: what a place of a track is judged by when there is no other date to set it against.
 *
 * A unit's ground is the brightness between its tracks, 2 to 3 m beside the centre lines, where no
 * wagon stands whether the track is empty or full; its black is the darkest it shows. Each band is
 * scaled so that ground is 1 and black about 0: gain, offset, bit depth and haze cancel. Two planes
 * are made of them, cells of 0.5 m: light, log(0.25 + mean of bands), 0 at ground level; and
 * colour, how far the bands lie apart (0 in a panchromatic image).
 *
 * The looks of a column are cross-sections, lane by lane, of these planes: the mean light and
 * colour over 2.5 m of track (what is here) and 10.5 m (what a wagon's length looks like); and over
 * 10.5 m how much light changes along a lane (grain: sleepers, loads, couplers) and from lane to
 * lane (edges: rails, rims of roofs, shadows).
 *
 * Known failures: a unit all of whose ground lies in shadow, or is of two kinds.
 */
#include "count/rail_looks.h"

#include <math.h>
#include <string.h>

static const double LANE_M = 0.5;
static const double GROUND_FROM_M = 2, GROUND_TO_M = 3; /* between tracks 4 m apart and more */
static const double GROUND_QUANTILE = 0.6;              /* of it; some lies in shadow */
static const double BLACK_QUANTILE = 0.005;
static const double LEAST_RANGE = 0.7; /* of ground: black is no darker where shadows are missing */
static const double DARKEST = 0.25;    /* light is logarithmic above this */
static const double BRIGHTEST = 5;
enum { SHORT_HALF = 2, LONG_HALF = 10, WIDE_HALF = 24, LINES_HALF = 18 }; /* columns */
enum { LINE_HALF = 1, SIDE = 5 }; /* columns: a gap between bodies, and how far its sides reach */
enum { EDGES_AT = 5 };            /* the kind of look that belongs to two lanes */

typedef struct scale {
    float ground[TALLY_BAND_ROLES], range[TALLY_BAND_ROLES];
    bool used[TALLY_BAND_ROLES];
    int bands, n_used;
} scale;

static bool is_visible(tally_band_role role)
{
    return role == TALLY_BLUE || role == TALLY_GREEN || role == TALLY_RED;
}

/* Values of a band: all cells, or those of the ground between the tracks. */
static size_t collect(const tally_track *tracks, const tally_patch *strips, size_t n, int band,
                      bool ground, float *out)
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++)
        for (int lane = 0; lane < tracks[i].lanes; lane++) {
            double off = fabs(tally_track_lane_m(&tracks[i], lane));
            if (ground && (off < GROUND_FROM_M || off > GROUND_TO_M)) continue;
            const float *row = tally_patch_row(&strips[i], band, lane);
            for (int c = 0; c < tracks[i].n; c++)
                if (tally_bits_get(&strips[i].valid, c, lane)) out[k++] = row[c];
        }
    return k;
}

static tally_status find_scale(const tally_track *tracks, const tally_patch *strips, size_t n,
                               const tally_band_role *roles, scale *out, tally_error *err)
{
    size_t cells = 1;
    *out = (scale) { .bands = n ? strips[0].bands : 0 };
    for (int b = 0; b < out->bands; b++)
        out->n_used += out->used[b] = is_visible(roles[b]);
    for (int b = 0; b < out->bands && out->n_used == 0; b++)
        out->used[b] = true;
    if (out->n_used == 0) out->n_used = out->bands;
    for (size_t i = 0; i < n; i++)
        cells += (size_t)tracks[i].n * (size_t)tracks[i].lanes;
    float *room = tally_alloc(cells, sizeof *room);
    if (!room) return tally_nomem(err, "a track's looks");
    for (int b = 0; b < out->bands; b++) {
        size_t k = collect(tracks, strips, n, b, true, room);
        float ground = k ? tally_quantile(room, k, GROUND_QUANTILE) : 0;
        k = collect(tracks, strips, n, b, false, room);
        float black = k ? tally_quantile(room, k, BLACK_QUANTILE) : 0;
        out->ground[b] = ground;
        out->range[b] = fmaxf(ground - black, fmaxf((float)LEAST_RANGE * ground, 1e-6f));
    }
    tally_free(room);
    return TALLY_OK;
}

static void see_cell(const scale *s, const tally_patch *strip, int c, int lane, float *light,
                     float *colour)
{
    float low = INFINITY, high = -INFINITY, sum = 0;
    for (int b = 0; b < s->bands; b++) {
        if (!s->used[b]) continue;
        float v = 1 + (tally_patch_row(strip, b, lane)[c] - s->ground[b]) / s->range[b];
        low = fminf(low, v);
        high = fmaxf(high, v);
        sum += v;
    }
    float mean = fminf(fmaxf(sum / (float)s->n_used, 0), (float)BRIGHTEST);
    *light = logf((float)((DARKEST + mean) / (DARKEST + 1)));
    *colour = fminf((high - low) / (mean + 0.3f), 2);
}

/* Adds the mean of `plane` over columns c - half .. c + half as a look; sum: of n + 1, seen: how
 * many of the cells up to there are known. */
static void put_means(const double *sum, const int *seen, int n, int half, float *looks)
{
    for (int c = 0; c < n; c++) {
        int from = c - half < 0 ? 0 : c - half, to = c + half + 1 > n ? n : c + half + 1;
        int k = seen[to] - seen[from];
        looks[(size_t)c * TALLY_LOOKS] = k ? (float)((sum[to] - sum[from]) / k) : 0;
    }
}

/* How far light changes along a lane: its short mean's deviation over 24 m. */
static void put_unrest(const float *looks_from, int n, double *sum, double *squares, float *looks)
{
    sum[0] = squares[0] = 0;
    for (int c = 0; c < n; c++) {
        double v = looks_from[(size_t)c * TALLY_LOOKS];
        sum[c + 1] = sum[c] + v;
        squares[c + 1] = squares[c] + v * v;
    }
    for (int c = 0; c < n; c++) {
        int from = c - WIDE_HALF < 0 ? 0 : c - WIDE_HALF,
            to = c + WIDE_HALF + 1 > n ? n : c + WIDE_HALF + 1;
        double mean = (sum[to] - sum[from]) / (to - from),
               square = (squares[to] - squares[from]) / (to - from);
        looks[(size_t)c * TALLY_LOOKS] = (float)sqrt(fmax(0, square - mean * mean));
    }
}

/* The mean of the light over columns [from, to] and the lane with its two neighbours; NAN where all
 * of it is unseen. */
static float light_around(const float *light, int n, int lanes, int lane, int from, int to)
{
    float sum = 0;
    int k = 0;
    for (int l = lane > 0 ? lane - 1 : 0; l <= lane + 1 && l < lanes; l++)
        for (int c = from < 0 ? 0 : from; c <= to && c < n; c++)
            if (isfinite(light[(size_t)l * (size_t)n + (size_t)c]))
                sum += light[(size_t)l * (size_t)n + (size_t)c], k++;
    return k ? sum / (float)k : NAN;
}

/* The deepest thin dark line across a lane within 9 m: gaps between wagons. depth: n. */
static void put_lines(const float *light, int n, int lanes, int lane, float *depth, float *looks)
{
    for (int c = 0; c < n; c++) {
        float here = light_around(light, n, lanes, lane, c - LINE_HALF, c + LINE_HALF),
              left = light_around(light, n, lanes, lane, c - SIDE, c - LINE_HALF - 1),
              right = light_around(light, n, lanes, lane, c + LINE_HALF + 1, c + SIDE);
        float d = fminf(left, right) - here;
        depth[c] = isfinite(left) && isfinite(right) && isfinite(here) ? fmaxf(d, 0) : 0;
    }
    for (int c = 0; c < n; c++) {
        float most = 0;
        for (int k = c < LINES_HALF ? 0 : c - LINES_HALF; k <= c + LINES_HALF && k < n; k++)
            most = fmaxf(most, depth[k]);
        looks[(size_t)c * TALLY_LOOKS] = most;
    }
}

typedef struct planes {
    float *light, *colour; /* lanes x n; NAN unseen */
    double *sum, *squares; /* n + 1 */
    float *depth;          /* n */
    int *seen;             /* n + 1 */
} planes;

/* What is summed up along a lane. */
typedef enum what { LIGHT, COLOUR, GRAIN, EDGES } what;

static float cell_of(const planes *p, what w, int n, int lane, int c)
{
    const float *light = p->light + (size_t)lane * (size_t)n;
    if (w == COLOUR) return p->colour[(size_t)lane * (size_t)n + (size_t)c];
    if (w == GRAIN) return c > 0 ? fabsf(light[c] - light[c - 1]) : NAN;
    if (w == EDGES) return lane > 0 ? fabsf(light[c] - light[c - n]) : NAN;
    return light[c];
}

static void sum_up(const planes *p, what w, int n, int lane)
{
    p->sum[0] = 0;
    p->seen[0] = 0;
    for (int c = 0; c < n; c++) {
        float v = cell_of(p, w, n, lane, c);
        p->sum[c + 1] = p->sum[c] + (isfinite(v) ? (double)v : 0);
        p->seen[c + 1] = p->seen[c] + (isfinite(v) ? 1 : 0);
    }
}

static void look_at(const scale *s, const tally_track *t, const tally_patch *strip, planes *p,
                    float *looks)
{
    const int n = t->n;
    for (int lane = 0; lane < t->lanes; lane++)
        for (int c = 0; c < n; c++) {
            size_t at = (size_t)lane * (size_t)n + (size_t)c;
            p->light[at] = p->colour[at] = NAN;
            if (tally_bits_get(&strip->valid, c, lane))
                see_cell(s, strip, c, lane, &p->light[at], &p->colour[at]);
        }
    for (int lane = 0; lane < t->lanes; lane++) {
        sum_up(p, LIGHT, n, lane);
        put_means(p->sum, p->seen, n, SHORT_HALF, looks + lane);
        put_means(p->sum, p->seen, n, LONG_HALF, looks + 2 * TALLY_LOOK_LANES + lane);
        sum_up(p, COLOUR, n, lane);
        put_means(p->sum, p->seen, n, SHORT_HALF, looks + TALLY_LOOK_LANES + lane);
        put_means(p->sum, p->seen, n, LONG_HALF, looks + 3 * TALLY_LOOK_LANES + lane);
        sum_up(p, GRAIN, n, lane);
        put_means(p->sum, p->seen, n, LONG_HALF, looks + 4 * TALLY_LOOK_LANES + lane);
        sum_up(p, EDGES, n, lane);
        put_means(p->sum, p->seen, n, LONG_HALF, looks + EDGES_AT * TALLY_LOOK_LANES + lane);
        put_unrest(looks + lane, n, p->sum, p->squares, looks + 6 * TALLY_LOOK_LANES + lane);
        put_lines(p->light, n, t->lanes, lane, p->depth, looks + 7 * TALLY_LOOK_LANES + lane);
    }
}

tally_status tally_rail_looks(const tally_track *tracks, const tally_patch *strips, size_t n,
                              const tally_band_role *roles, float **out, tally_error *err)
{
    scale s;
    tally_status status = find_scale(tracks, strips, n, roles, &s, err);
    for (size_t i = 0; i < n && status == TALLY_OK; i++) {
        const size_t columns = (size_t)tracks[i].n, lanes = (size_t)tracks[i].lanes;
        if (lanes != TALLY_LOOK_LANES || fabs(tracks[i].lane_m - LANE_M) > 1e-6)
            return tally_fail(err, TALLY_E_ARG, "looks want %d lanes of %.1f m", TALLY_LOOK_LANES,
                              LANE_M);
        planes p = { .light = tally_alloc(columns * lanes, sizeof *p.light),
                     .colour = tally_alloc(columns * lanes, sizeof *p.colour),
                     .sum = tally_alloc(columns + 1, sizeof *p.sum),
                     .squares = tally_alloc(columns + 1, sizeof *p.squares),
                     .depth = tally_alloc(columns, sizeof *p.depth),
                     .seen = tally_alloc(columns + 1, sizeof *p.seen) };
        out[i] = tally_alloc(columns * TALLY_LOOKS, sizeof **out);
        if (p.light && p.colour && p.sum && p.squares && p.depth && p.seen && out[i])
            look_at(&s, &tracks[i], &strips[i], &p, out[i]);
        else
            status = tally_nomem(err, "a track's looks");
        tally_free(p.light);
        tally_free(p.colour);
        tally_free(p.sum);
        tally_free(p.squares);
        tally_free(p.depth);
        tally_free(p.seen);
    }
    return status;
}

void tally_rail_looks_swap(const float looks[TALLY_LOOKS], float out[TALLY_LOOKS])
{
    for (int k = 0; k < TALLY_LOOK_KINDS; k++) {
        const float *from = looks + k * TALLY_LOOK_LANES;
        float *to = out + k * TALLY_LOOK_LANES;
        /* the edge of a lane is that towards the lane left of it; the first has none */
        int edges = k == EDGES_AT;
        for (int lane = 0; lane < TALLY_LOOK_LANES; lane++)
            to[lane] = edges && lane == 0 ? 0 : from[TALLY_LOOK_LANES - 1 - lane + edges];
    }
}

bool tally_rail_looks_seen(const tally_track *t, const tally_patch *strip, int column)
{
    int seen = 0, all = 0;
    for (int lane = 0; lane < t->lanes; lane++) {
        if (fabs(tally_track_lane_m(t, lane)) > 1.6) continue;
        all++;
        seen += tally_bits_get(&strip->valid, column, lane);
    }
    return 2 * seen > all;
}

tally_status tally_rail_looks_sample(const tally_context *ctx, const tally_track *track,
                                     const tally_patch *patch, tally_box box, tally_patch *strip,
                                     tally_error *err)
{
    tally_track moved = *track;
    tally_status s = TALLY_OK;
    moved.stretches = tally_alloc(track->n_stretches, sizeof *moved.stretches);
    if (!moved.stretches) return tally_nomem(err, "a strip");
    for (int k = 0; k < 4 && s == TALLY_OK; k++) {
        double along = k & 1 ? 0.25 : -0.25, across_m = (k & 2 ? 0.25 : -0.25) * track->lane_m;
        tally_patch one = { 0 };
        memcpy(moved.stretches, track->stretches, track->n_stretches * sizeof *moved.stretches);
        for (size_t i = 0; i < track->n_stretches; i++) {
            tally_stretch *r = &moved.stretches[i];
            r->x += along * r->dx + across_m * r->nx;
            r->y += along * r->dy + across_m * r->ny;
        }
        if (k == 0) {
            s = tally_track_sample(ctx, &moved, patch, box, strip, err);
            continue;
        }
        s = tally_track_sample(ctx, &moved, patch, box, &one, err);
        for (int lane = 0; lane < track->lanes && s == TALLY_OK; lane++)
            for (int c = 0; c < track->n; c++) {
                if (!tally_bits_get(&one.valid, c, lane)) {
                    tally_bits_clear(&strip->valid, c, lane);
                    continue;
                }
                for (int b = 0; b < one.bands; b++)
                    tally_patch_row(strip, b, lane)[c] += tally_patch_row(&one, b, lane)[c];
            }
        tally_patch_fini(&one);
    }
    for (int lane = 0; lane < track->lanes && s == TALLY_OK; lane++)
        for (int b = 0; b < strip->bands; b++)
            for (int c = 0; c < track->n; c++)
                tally_patch_row(strip, b, lane)[c] *= 0.25f;
    if (s != TALLY_OK) tally_patch_fini(strip);
    tally_free(moved.stretches);
    return s;
}
