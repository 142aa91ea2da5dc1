/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Is there a wagon at this place of the track?
 *
 * Each column of the strip is compared with the empty track in units of noise, over the lanes that
 * a wagon covers (3.0 to 3.25 m wide). The strip comes in the empty track's light (rail_light.c),
 * with the noise that this light leaves. Where a neighbour's shadow may fall, the track may
 * be anything between lit and fully shaded: the difference is taken to the nearest point of that
 * line, not to the lit level. The wagon's own shadow lies on the anti-sun side: dark there speaks
 * for a wagon, lit ground at low sun against one. Columns are joined by the best path of two states
 * (Viterbi 1967, doi:10.1109/TIT.1967.1054010), so that a single odd column makes no wagon and a
 * coupler no gap.
 *
 * What shades the track and is no wagon is told by the ground sunward of it; what reaches across
 * it, a crane, by the ground on both sides (rail_over.c).
 *
 * Known failures: a wagon coloured like ballast under a high sun; long-parked trains
 * (rail_learn.c); thin cloud without mask.
 */
#include <math.h>

#include "count/rail.h"

static const double CORE_M =
    1.35; /* half the width of a wagon, less half a lane (DOMAIN.md: 2.9 to 3.25 m) */
static const double DEEPEST = 1.15; /* of full shade: walls and wagons take a part of the sky */
static const double CAP = 36;       /* squared z-score per cell that one cell may bring at most */
static const double STEEPNESS =
    1.3; /* log odds per unit of that root; per independent 2 m of track */
static const double INDEPENDENT_M = 2;
static const double SHADOW_WEIGHT =
    2.0; /* log odds of a clear own shadow, or of its absence, at low sun */
static const double TRUSTED_NOISE = 2;
static const double HALF_SHADED = 0.5;
static const double RIM_M = 8;
static const double LIKE_SHADE = 1.5, NEARLY_FULL = 0.8; /* in units of noise; of full shade */
static const double SPECK_M = 3;
static const double SWITCH_COST = 5; /* log odds against a change of state */

tally_status tally_rail_state_init(tally_rail_state *s, const tally_track *track, tally_error *err)
{
    int n = track->n;
    *s = (tally_rail_state) { .seen = tally_alloc((size_t)n, sizeof *s->seen),
                              .occupied = tally_alloc((size_t)n, sizeof *s->occupied),
                              .logit = tally_alloc((size_t)n, sizeof *s->logit),
                              .shaded_logit = tally_alloc((size_t)n, sizeof *s->shaded_logit),
                              .noise = tally_alloc((size_t)n, sizeof *s->noise),
                              .dim = tally_alloc((size_t)n, sizeof *s->dim),
                              .over = tally_alloc((size_t)n, sizeof *s->over) };
    for (int c = 0; s->noise && c < n; c++)
        s->noise[c] = 1;
    if (s->seen && s->occupied && s->logit && s->shaded_logit && s->noise && s->dim && s->over) {
        tally_status status = tally_bits_init(&s->shadow, n, track->lanes, err);
        if (status == TALLY_OK) status = tally_bits_init(&s->shaded, n, track->lanes, err);
        if (status == TALLY_OK) status = tally_bits_init(&s->other, n, track->lanes, err);
        return status;
    }
    tally_rail_state_fini(s);
    return tally_nomem(err, "a track");
}

void tally_rail_state_fini(tally_rail_state *s)
{
    tally_free(s->seen);
    tally_free(s->occupied);
    tally_free(s->logit);
    tally_free(s->shaded_logit);
    tally_free(s->noise);
    tally_bits_fini(&s->shadow);
    tally_bits_fini(&s->shaded);
    tally_bits_fini(&s->other);
    tally_free(s->dim);
    tally_free(s->over);
    *s = (tally_rail_state) { 0 };
}

bool tally_rail_shows_empty(const tally_rail_state *s, int column)
{
    return s->seen[column] && !s->occupied[column] && !s->dim[column] && !s->over[column] &&
           s->noise[column] <= TRUSTED_NOISE;
}

double tally_rail_blindness(const tally_rail_state *s, int column)
{
    if (!s->seen[column] || s->occupied[column]) return 0;
    return tally_clamp(s->noise[column] - TRUSTED_NOISE + 0.5, 0, 1);
}

static bool in_core(const tally_track *t, int lane)
{
    return fabs(tally_track_lane_m(t, lane)) <= fmax(CORE_M, t->lane_m * 0.6);
}

/* Root mean squared z-score of a column's core, in units of noise, to lit empty ground, or, where
 * it may be shaded (NULL: everywhere), to the line from lit to shaded. NaN: not seen. */
static double column_score(const tally_track *t, const tally_rail_empty *e,
                           const tally_patch *strip, const tally_bits *shaded,
                           const tally_rail_shade *shade, const tally_rail_state *state, int c)
{
    const double noise = state->noise[c];
    const bool trusted = tally_rail_sees_sides(t) && !state->snow;
    double total = 0;
    int cells = 0, lanes = 0;
    for (int lane = 0; lane < t->lanes; lane++) {
        if (!in_core(t, lane)) continue;
        lanes++;
        if (!tally_bits_get(&strip->valid, c, lane) || !tally_bits_get(&e->level.valid, c, lane))
            continue;
        /* in units of noise: how far from lit, and where full shade would be */
        double away[TALLY_RAIL_BANDS], deep[TALLY_RAIL_BANDS], ad = 0, dd = 0, sum = 0;
        for (int b = 0; b < strip->bands; b++) {
            double s = e->known[c] > 0 ? e->sigma[lane][b]
                                       : fmaxf(e->sigma[lane][b], e->spread[lane][b]),
                   m = tally_patch_row(&e->level, b, lane)[c];
            away[b] = (m - tally_patch_row(strip, b, lane)[c]) / s;
            deep[b] = m * (1 - shade->full[b]) / s;
            ad += away[b] * deep[b];
            dd += deep[b] * deep[b];
        }
        double depth = (!shaded || tally_bits_get(shaded, c, lane)) && dd > 0
                           ? tally_clamp(ad / dd, 0, DEEPEST)
                           : 0;
        for (int b = 0; b < strip->bands; b++)
            sum += (away[b] - depth * deep[b]) * (away[b] - depth * deep[b]);
        total += trusted ? fmin(sum / strip->bands / (noise * noise), CAP)
                         : fmin(sum / strip->bands, CAP) / (noise * noise);
        cells++;
    }
    return 2 * cells >= lanes ? sqrt(total / cells) : NAN;
}

static const double LEAST_REACH_M = 1.2; /* a shadow shorter than this stays under the wagon */

/* The light on the ground beside, of the empty track's, mean of bands: on the side where the
 * wagon's own shadow falls (+1) or on the sunward side (-1). Ground that others may shade, and
 * what a wagon hides that is seen from aside, is passed over. NAN: none is left. */
static double light_beside(const tally_track *t, const tally_rail_empty *e,
                           const tally_patch *strip, const tally_bits *shadow, int c,
                           const tally_rail_sun *sun, int side)
{
    double right = side * (sun->across_m > 0 ? 1 : -1), x = 0, m = 0;
    double nearest =
        (side > 0 ? 1.75 : 2.1) +
        (tally_rail_sees_sides(t) && isfinite(sun->lean_m) ? fmax(0, right * sun->lean_m) : 0);
    for (int lane = 0; lane < t->lanes; lane++) {
        double away = right * tally_track_lane_m(t, lane);
        if (away < nearest || away > fmax(2.9, t->lane_m * 1.1) ||
            tally_bits_get(shadow, c, lane) || !tally_bits_get(&strip->valid, c, lane) ||
            !tally_bits_get(&e->level.valid, c, lane))
            continue;
        for (int b = 0; b < strip->bands; b++) {
            x += tally_patch_row(strip, b, lane)[c];
            m += tally_patch_row(&e->level, b, lane)[c];
        }
    }
    return m > 0 ? x / m : NAN;
}

/* Log odds from the ground where the own shadow should lie. */
static double shadow_evidence(const tally_track *t, const tally_rail_empty *e,
                              const tally_patch *strip, const tally_rail_state *state, int c,
                              const tally_rail_sun *sun)
{
    /* what falls 0.75 m beside the wagon was cast as far along as the sun stands askew */
    double reach = fabs(sun->across_m);
    if (reach < LEAST_REACH_M) return 0;
    int at = c + (int)lround(tally_clamp(sun->along_m * 0.75 / reach, -20, 20) / t->step_m);
    if (at < 0 || at >= t->n) return 0;
    if (state->dim[c] || state->dim[at]) return 0; /* whose shadow it is cannot be told */
    double left = light_beside(t, e, strip, &state->shadow, at, sun, 1);
    if (!isfinite(left)) return 0;
    /* 0.55 is a clear shadow, 1 lit ground: 0.8 says nothing */
    double weight = SHADOW_WEIGHT * tally_clamp((reach - LEAST_REACH_M) / 3, 0, 1);
    return weight * tally_clamp((0.82 - left) / 0.2, -1, 1);
}

/* Is any of the ground on that side of the track in a shadow that is known of? */
static bool shaded_beside(const tally_track *t, const tally_bits *shadow, int c,
                          const tally_rail_sun *sun, int side)
{
    for (int lane = 0; lane < t->lanes; lane++) {
        double away = side * tally_track_lane_m(t, lane) * (sun->across_m > 0 ? 1 : -1);
        if (away > 1 && away < 3 && tally_bits_get(shadow, c, lane)) return true;
    }
    return false;
}

/* Is the ground dark on that side, and no wagon shades it? */
static bool dark_beside(const tally_track *t, const tally_rail_empty *e, const tally_patch *strip,
                        const tally_rail_state *state, const tally_rail_sun *sun, double darker,
                        int c, int side)
{
    return !shaded_beside(t, &state->shaded, c, sun, side) &&
           light_beside(t, e, strip, &state->shadow, c, sun, side) < darker;
}

/* Does the body's place look as its ground does in full shade, colour and grain? Where a wagon that
 * is as dark stands, its roof, rims and colour differ from that. */
static bool is_shaded_ground(const tally_track *t, const tally_rail_empty *e,
                             const tally_patch *strip, const tally_rail_shade *shade,
                             const tally_rail_state *state, int c)
{
    double light = 0, full = 0;
    if (!(column_score(t, e, strip, NULL, shade, state, c) <= LIKE_SHADE)) return false;
    for (int lane = 0; lane < t->lanes; lane++) {
        if (!in_core(t, lane) || !tally_bits_get(&strip->valid, c, lane)) continue;
        for (int b = 0; b < strip->bands; b++) {
            const float m = tally_patch_row(&e->level, b, lane)[c];
            light += m - tally_patch_row(strip, b, lane)[c];
            full += m * (1 - shade->full[b]);
        }
    }
    return light >= NEARLY_FULL * full;
}

/* The cells of a column that lie in it: its light is no light to measure, and no level to learn. */
static void mark_other(const tally_track *t, const tally_rail_empty *e, const tally_patch *strip,
                       double darker, int c, tally_rail_state *state)
{
    state->dim[c] = true;
    for (int lane = 0; lane < t->lanes; lane++) {
        double x = 0, m = 0;
        if (!tally_bits_get(&strip->valid, c, lane) || !tally_bits_get(&e->level.valid, c, lane))
            continue;
        for (int b = 0; b < strip->bands; b++) {
            x += tally_patch_row(strip, b, lane)[c];
            m += tally_patch_row(&e->level, b, lane)[c];
        }
        if (x < darker * m) tally_bits_set(&state->other, c, lane);
    }
}

static void shade_all(const tally_track *t, tally_rail_state *state, int c)
{
    for (int lane = 0; lane < t->lanes; lane++)
        tally_bits_set(&state->shaded, c, lane);
}

/* Past a shadow's rim, which runs askew across the track, the ground sunward is lit and the track
 * is not. */
static void grow_other(const tally_track *t, const tally_rail_empty *e, const tally_patch *strip,
                       const tally_rail_shade *shade, double darker, int way,
                       tally_rail_state *state)
{
    int left = 0, most = (int)(RIM_M / t->step_m);
    for (int k = 0, c = way > 0 ? 0 : t->n - 1; k < t->n; k++, c += way) {
        if (state->over[c]) {
            left = most;
        } else if (left > 0 && is_shaded_ground(t, e, strip, shade, state, c)) {
            left--;
            shade_all(t, state, c);
            mark_other(t, e, strip, darker, c, state);
        } else {
            left = 0;
        }
    }
}

/* Where the ground sunward of the track is dark and no wagon shades it, something else does: a
 * building, a mast, a crane, a tree. Then the track may lie in its shadow, too. Where the sun
 * shines along the track no wagon darkens the ground beside it, and both sides must be dark. */
static void find_other_shade(const tally_track *t, const tally_rail_empty *e,
                             const tally_patch *strip, const tally_rail_sun *sun,
                             const tally_rail_shade *shade, tally_rail_state *state)
{
    const bool fine = tally_rail_sees_sides(t), across = fabs(sun->across_m) >= LEAST_REACH_M,
               along = fine && !across && fabs(sun->along_m) >= LEAST_REACH_M;
    double full = 0;
    for (int b = 0; b < strip->bands; b++)
        full += shade->full[b] / strip->bands;
    double darker = 1 - HALF_SHADED * (1 - full);
    for (int c = 0; c < t->n; c++) {
        state->dim[c] = false;
        for (int lane = 0; lane < t->lanes; lane++)
            tally_bits_clear(&state->other, c, lane);
        bool other = dark_beside(t, e, strip, state, sun, darker, c, -1) &&
                     (across || dark_beside(t, e, strip, state, sun, darker, c, 1));
        if (!(across || along) || !other) continue;
        shade_all(t, state, c);
        if (fine) mark_other(t, e, strip, darker, c, state);
    }
    for (int way = -1; way <= 1 && fine && (across || along); way += 2)
        grow_other(t, e, strip, shade, darker, way, state);
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

/* A train that runs into cloud is counted as far as it is seen; a speck of cloud does not cut it.
 */
static void end_at_unseen(const tally_track *t, tally_rail_state *s)
{
    for (int c = 0; c < t->n;) {
        int from = c;
        while (c < t->n && s->seen[c] == s->seen[from])
            c++;
        if (s->seen[from] || (c - from) * t->step_m <= SPECK_M) continue;
        for (int m = from; m < c; m++)
            s->occupied[m] = false;
    }
}

/* The quarter of a track's columns nearest to empty keeps below this, in units of noise: 0.3 to 0.9
 * on nearly all scenes of rail_0.5m and tumangang_0.5m. */
static const double USUAL_QUARTER = 0.9;
static const double AS_QUIET = 1.5; /* as the quietest track: then its nearest columns are empty */
enum { LEAST_COLUMNS = 20 };

/* Scores of one track's columns, of those seen; returns how many. columns: which. */
static size_t scores_of(const tally_rail_scene *s, const tally_rail_shade *shade, size_t i,
                        float *out, int *columns)
{
    size_t n = 0;
    for (int c = 0; c < s->tracks[i].n; c++) {
        double score = column_score(&s->tracks[i], &s->empty[i], &s->lit[i], &s->states[i].shaded,
                                    shade, &s->states[i], c);
        if (!isfinite(score)) continue;
        if (columns) columns[n] = c;
        out[n++] = (float)score;
    }
    return n;
}

/* How far the body's lanes of this scene lie from the level, of it, on the columns nearest to
 * empty. */
static void own_look(const tally_rail_scene *s, size_t i, const float *scores, const int *columns,
                     size_t n, double nearest, float *room,
                     float look[TALLY_LANES_MAX][TALLY_RAIL_BANDS])
{
    const tally_track *t = &s->tracks[i];
    for (int lane = 0; lane < t->lanes; lane++)
        for (int b = 0; b < s->lit[i].bands; b++) {
            const float *x = tally_patch_row(&s->lit[i], b, lane),
                        *m = tally_patch_row(&s->empty[i].level, b, lane);
            size_t k = 0;
            for (size_t j = 0; j < n; j++) {
                int c = columns[j];
                if (scores[j] <= nearest && m[c] > 0 && tally_bits_get(&s->lit[i].valid, c, lane) &&
                    !tally_bits_get(&s->states[i].shaded, c, lane))
                    room[k++] = x[c] / m[c] - 1;
            }
            look[lane][b] = k >= LEAST_COLUMNS ? (float)tally_median(room, k) : 0;
        }
}

static void take_off(const tally_track *t, const tally_patch *level, tally_patch *lit,
                     float look[TALLY_LANES_MAX][TALLY_RAIL_BANDS])
{
    for (int lane = 0; lane < t->lanes; lane++)
        for (int b = 0; tally_rail_in_body(t, lane) && b < lit->bands; b++)
            for (int c = 0; c < t->n; c++)
                tally_patch_row(lit, b, lane)[c] -=
                    look[lane][b] * tally_patch_row(level, b, lane)[c];
}

tally_status tally_rail_own_look(const tally_rail_scene *s, const tally_rail_shade *shade,
                                 tally_error *err)
{
    size_t longest = 1, quietest = 0;
    double nearest[TALLY_TRACKS_A_UNIT], least = INFINITY;
    float(*look)[TALLY_LANES_MAX][TALLY_RAIL_BANDS] = tally_alloc(s->n + 1, sizeof *look);
    for (size_t i = 0; i < s->n; i++)
        longest = (size_t)s->tracks[i].n > longest ? (size_t)s->tracks[i].n : longest;
    float *room = tally_alloc(2 * longest, sizeof *room);
    int *columns = tally_alloc(longest, sizeof *columns);
    tally_status status = look && room && columns ? TALLY_OK : tally_nomem(err, "a track");
    for (size_t i = 0; i < s->n && status == TALLY_OK; i++) {
        float *scores = room + longest;
        size_t n = scores_of(s, shade, i, scores, columns);
        for (size_t j = 0; j < n; j++)
            room[j] = scores[j];
        nearest[i] = n ? tally_quantile(room, n, 0.3) : INFINITY;
        if (nearest[i] < least) least = nearest[i], quietest = i;
        own_look(s, i, scores, columns, n, nearest[i], room, look[i]);
    }
    for (size_t i = 0; i < s->n && status == TALLY_OK; i++)
        if (!s->states[i].snow)
            take_off(&s->tracks[i], &s->empty[i].level, &s->lit[i],
                     look[nearest[i] <= AS_QUIET * least ? i : quietest]);
    tally_free(look);
    tally_free(room);
    tally_free(columns);
    return status;
}

tally_status tally_rail_scene_noise(const tally_rail_scene *s, const tally_rail_shade *shade,
                                    tally_error *err)
{
    size_t longest = 1;
    double least = TALLY_RAIL_EMPTY_SCORE; /* more is wagons all along */
    for (size_t i = 0; i < s->n; i++)
        longest = (size_t)s->tracks[i].n > longest ? (size_t)s->tracks[i].n : longest;
    float *room = tally_alloc(longest, sizeof *room);
    if (!room) return tally_nomem(err, "a track");
    for (size_t i = 0; i < s->n; i++) {
        size_t n = scores_of(s, shade, i, room, NULL);
        if (n > 0) least = fmin(least, tally_quantile(room, n, 0.25));
    }
    double factor = least < TALLY_RAIL_EMPTY_SCORE ? fmax(1, least / USUAL_QUARTER) : 1;
    for (size_t i = 0; i < s->n; i++)
        for (int c = 0; c < s->tracks[i].n; c++)
            s->states[i].noise[c] *= (float)factor;
    tally_free(room);
    return TALLY_OK;
}

tally_status tally_rail_join(const tally_track *t, tally_rail_state *s, tally_error *err)
{
    unsigned char *from = tally_alloc((size_t)t->n, 2);
    if (!from) return tally_nomem(err, "a track");
    best_path(t, s, from);
    end_at_unseen(t, s);
    tally_free(from);
    return TALLY_OK;
}

/* Log odds for "occupied" of a column's score, per INDEPENDENT_M of track. */
static double odds_of(double score, double bias)
{
    double distance = isfinite(score) ? score : 0;
    return tally_clamp(STEEPNESS * (distance - TALLY_RAIL_EMPTY_SCORE) + bias, -4, 4);
}

void tally_rail_judge_shaded(const tally_track *t, const tally_rail_empty *e,
                             const tally_patch *strip, const tally_rail_shade *shade, double bias,
                             tally_rail_state *out)
{
    for (int c = 0; c < t->n; c++) {
        if (!out->seen[c]) {
            out->shaded_logit[c] = 0;
            continue;
        }
        double odds = odds_of(column_score(t, e, strip, NULL, shade, out, c), bias);
        out->shaded_logit[c] = (float)(odds * t->step_m / INDEPENDENT_M);
    }
}

tally_status tally_rail_judge(const tally_track *t, const tally_rail_empty *e,
                              const tally_bits *open, const tally_patch *strip,
                              const tally_rail_sun *sun, const tally_rail_shade *shade, double bias,
                              tally_rail_state *out, tally_error *err)
{
    find_other_shade(t, e, strip, sun, shade, out);
    for (int c = 0; c < t->n; c++) {
        double score = column_score(t, e, strip, &out->shaded, shade, out, c);
        out->seen[c] = isfinite(score);
        double odds = odds_of(score, bias) + shadow_evidence(t, e, strip, out, c, sun);
        out->logit[c] = out->seen[c] ? (float)(odds * t->step_m / INDEPENDENT_M) : 0;
    }
    tally_rail_find_over(t, e, open, strip, sun, out);
    return tally_rail_join(t, out, err);
}
