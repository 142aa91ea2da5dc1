/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a cross-section of empty track looks like, found among trains.
 *
 * On a busy track the commonest sight of a place is a train, so the mode over dates is no empty
 * track (DESIGN.md 5.2). But empty cross-sections resemble each other, at every place and on every
 * date, and those of the neighbouring tracks; wagons do not. So: start from the typical
 * cross-section of the unit's quietest track, and let it drift to where this track's own
 * cross-sections lie densest (mean shift with medians; Fukunaga and Hostetler 1975,
 * doi:10.1109/TIT.1975.1055330): take all that lie within reach, move to their median, again.
 *
 * Then, with what is believed of each date, the learned level of a place is kept where it was seen
 * empty. Where it never was, over more than a wagon's length, the profile takes its place, and the
 * place is marked as never seen empty. What is shorter is a mark on the ground.
 *
 * Known failure: a unit whose quietest track always carries the same block train; ballast that
 * differs from track to track by more than a quarter.
 */
#include <math.h>

#include "count/rail.h"

static const double BODY_M = 1.9;      /* a wagon's side and the dark line under it included */
static const double EVERY_M = 2;       /* one cross-section in two metres is enough */
static const double FIRST_REACH = 0.12, LEAST_REACH = 0.06; /* of the level: 2 of these either way */
static const double INSIDE = 2;
static const double LEAST_SHARE = 0.02; /* of the cross-sections: fewer are no track's empty state */
static const double LEAST_SPREAD = 0.03;
static const double SHORTEST_TRAIN_M = 8;
static const double UNLIKE = 3, SMOOTH_M = 6;
enum { STEPS = 5 };

static bool in_body(const tally_track *t, int lane)
{
    return fabs(tally_track_lane_m(t, lane)) <= fmax(BODY_M, t->lane_m * 0.6);
}

static double robust_spread(float *v, size_t n, double middle)
{
    for (size_t i = 0; i < n; i++)
        v[i] = fabsf(v[i] - (float)middle);
    return 1.4826 * tally_median(v, n);
}

/* Median and spread along the track of what was learned. room: n floats. */
static void along(const tally_track *t, const tally_rail_empty *e, float *room,
                  tally_rail_profile *out)
{
    for (int lane = 0; lane < t->lanes; lane++)
        for (int b = 0; b < e->level.bands; b++) {
            size_t n = 0;
            const float *level = tally_patch_row(&e->level, b, lane);
            for (int c = 0; c < t->n; c++)
                if (tally_bits_get(&e->level.valid, c, lane)) room[n++] = level[c];
            double middle = n ? tally_median(room, n) : 0;
            out->level[lane][b] = (float)middle;
            out->spread[lane][b] = (float)(n ? robust_spread(room, n, middle) : 0);
        }
}

static double unrest(const tally_track *t, const tally_rail_profile *p, int bands)
{
    double sum = 0;
    int n = 0;
    for (int lane = 0; lane < t->lanes; lane++)
        for (int b = 0; in_body(t, lane) && b < bands; b++, n++)
            sum += p->spread[lane][b] / fmax(p->level[lane][b], 1e-6);
    return n ? sum / n : 0;
}

/* Root mean squared distance of a column to a profile, in units of its spread; NAN: not seen. */
static double distance(const tally_track *t, const tally_patch *strip, int c,
                       const tally_rail_profile *p)
{
    static const double CAP = 25;
    double sum = 0;
    int cells = 0, lanes = 0;
    for (int lane = 0; lane < t->lanes; lane++) {
        if (!in_body(t, lane)) continue;
        lanes++;
        if (!tally_bits_get(&strip->valid, c, lane)) continue;
        cells++;
        for (int b = 0; b < strip->bands; b++) {
            double z = (tally_patch_row(strip, b, lane)[c] - p->level[lane][b]) /
                       fmax(p->spread[lane][b], 1e-6);
            sum += fmin(z * z, CAP) / strip->bands;
        }
    }
    return 2 * cells > lanes ? sqrt(sum / cells) : NAN;
}

typedef struct member {
    const tally_patch *strip;
    int c;
} member;

/* Cross-sections of all dates that lie inside. `total`: how many were seen. */
static size_t members_of(const tally_track *t, const tally_patch *strips, size_t k,
                         const tally_rail_profile *p, member *out, size_t *total)
{
    int every = (int)fmax(1, EVERY_M / t->step_m);
    size_t n = 0;
    *total = 0;
    for (size_t i = 0; i < k; i++)
        for (int c = 0; c < t->n; c += every) {
            double d = distance(t, &strips[i], c, p);
            if (!isfinite(d)) continue;
            (*total)++;
            if (d <= INSIDE) out[n++] = (member) { &strips[i], c };
        }
    return n;
}

static void move_to(const tally_track *t, const member *m, size_t n, float *room,
                    tally_rail_profile *p, int bands)
{
    for (int lane = 0; lane < t->lanes; lane++)
        for (int b = 0; b < bands; b++) {
            size_t k = 0;
            for (size_t i = 0; i < n; i++)
                if (tally_bits_get(&m[i].strip->valid, m[i].c, lane))
                    room[k++] = tally_patch_row(m[i].strip, b, lane)[m[i].c];
            if (k == 0) continue;
            p->level[lane][b] = (float)tally_median(room, k);
            p->spread[lane][b] = (float)robust_spread(room, k, p->level[lane][b]);
        }
}

static void widen(const tally_track *t, double least, tally_rail_profile *p, int bands)
{
    for (int lane = 0; lane < t->lanes; lane++)
        for (int b = 0; b < bands; b++)
            p->spread[lane][b] =
                fmaxf(p->spread[lane][b], (float)(least * fabs(p->level[lane][b])) + 1e-6f);
}

/* Drift from `start`; false: nothing of this track looks like it. */
static bool drift(const tally_track *t, const tally_patch *strips, size_t k,
                  const tally_rail_profile *start, member *members, float *room,
                  tally_rail_profile *out)
{
    int bands = strips[0].bands;
    tally_rail_profile p = *start;
    for (int lane = 0; lane < t->lanes; lane++)
        for (int b = 0; b < bands; b++)
            p.spread[lane][b] = 0;
    for (int step = 0; step < STEPS; step++) {
        size_t total;
        widen(t, step == 0 ? FIRST_REACH : LEAST_REACH, &p, bands);
        size_t n = members_of(t, strips, k, &p, members, &total);
        if (n < 4 || (double)n < LEAST_SHARE * (double)total) return false;
        move_to(t, members, n, room, &p, bands);
    }
    widen(t, LEAST_SPREAD, &p, bands);
    *out = p;
    return true;
}

tally_status tally_rail_profiles(const tally_track *tracks, size_t n_tracks,
                                 const tally_patch *strips, size_t k, size_t apart,
                                 const tally_rail_empty *empty, tally_rail_profile *out,
                                 tally_error *err)
{
    size_t longest = 0, quietest = 0;
    for (size_t i = 0; i < n_tracks; i++)
        longest = (size_t)tracks[i].n > longest ? (size_t)tracks[i].n : longest;
    float *room = tally_alloc(longest * (k + 1), sizeof *room);
    member *members = tally_alloc(longest * k + 1, sizeof *members);
    tally_patch *own = tally_alloc(k, sizeof *own);
    tally_rail_profile *typical = tally_alloc(n_tracks, sizeof *typical);
    tally_status s = room && members && own && typical ? TALLY_OK
                                                       : tally_nomem(err, "a track's background");
    for (size_t i = 0; i < n_tracks && s == TALLY_OK; i++) {
        int bands = empty[i].level.bands;
        along(&tracks[i], &empty[i], room, &typical[i]);
        if (unrest(&tracks[i], &typical[i], bands) <
            unrest(&tracks[quietest], &typical[quietest], bands))
            quietest = i;
    }
    for (size_t i = 0; i < n_tracks && s == TALLY_OK; i++) {
        for (size_t d = 0; d < k; d++)
            own[d] = strips[d * apart + i];
        if (drift(&tracks[i], own, k, &typical[quietest], members, room, &out[i])) continue;
        if (drift(&tracks[i], own, k, &typical[i], members, room, &out[i])) continue;
        out[i] = typical[i];
        widen(&tracks[i], FIRST_REACH, &out[i], empty[i].level.bands);
    }
    tally_free(room);
    tally_free(members);
    tally_free(own);
    tally_free(typical);
    return s;
}

static void put_profile(const tally_track *t, const tally_rail_profile *p, int c,
                        tally_rail_empty *e)
{
    for (int lane = 0; lane < t->lanes; lane++) {
        if (!in_body(t, lane)) continue;
        tally_bits_set(&e->level.valid, c, lane);
        for (int b = 0; b < e->level.bands; b++)
            tally_patch_row(&e->level, b, lane)[c] = p->level[lane][b];
    }
    e->known[c] = 0;
}

void tally_rail_start_from(const tally_track *t, const tally_rail_profile *p, tally_rail_empty *e)
{
    for (int c = 0; c < t->n; c++)
        put_profile(t, p, c, e);
}

/* How many dates show a place, and how many of them empty. */
static void tell_dates(const tally_rail_state *states, size_t k, int c, int *shown, int *bare)
{
    *shown = *bare = 0;
    for (size_t i = 0; i < k; i++) {
        *shown += states[i].seen[c];
        *bare += states[i].seen[c] && !states[i].occupied[c];
    }
}

tally_status tally_rail_fill(const tally_track *t, const tally_rail_profile *p,
                             const tally_rail_state *states, size_t k, tally_rail_empty *e,
                             tally_error *err)
{
    int half = (int)(SMOOTH_M / t->step_m / 2);
    float *raw = tally_alloc((size_t)t->n, sizeof *raw);
    bool *doubtful = tally_alloc((size_t)t->n, sizeof *doubtful);
    tally_status s = raw && doubtful ? TALLY_OK : tally_nomem(err, "a track's background");
    for (int c = 0; c < t->n && s == TALLY_OK; c++)
        raw[c] = (float)distance(t, &e->level, c, p);
    for (int c = 0; c < t->n && s == TALLY_OK; c++) {
        double sum = 0;
        int n = 0, shown, bare;
        for (int m = c - half; m <= c + half; m++)
            if (m >= 0 && m < t->n && isfinite(raw[m])) sum += raw[m], n++;
        bool unlike = n == 0 || sum / n > UNLIKE;
        tell_dates(states, k, c, &shown, &bare);
        doubtful[c] = bare == 0 || (unlike && 2 * bare < shown);
    }
    for (int c = 0; c < t->n && s == TALLY_OK;) {
        int from = c;
        while (c < t->n && doubtful[c] == doubtful[from])
            c++;
        bool train = doubtful[from] && (c - from) * t->step_m >= SHORTEST_TRAIN_M;
        for (int m = from; m < c; m++)
            if (train)
                put_profile(t, p, m, e);
            else
                e->known[m] = 1;
    }
    tally_free(raw);
    tally_free(doubtful);
    return s;
}
