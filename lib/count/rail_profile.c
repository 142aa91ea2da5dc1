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
 * At first the level of a place is that of the two dates which look most like the profile there.
 * Then, with what is believed of each date, the learned level of a place is kept where it was seen
 * empty. Where it never was, over more than a wagon's length, the profile takes its place, and the
 * place is marked as never seen empty. What is shorter is a mark on the ground; so is what nearly
 * all dates show alike, and a long stretch that hardly a date shows like empty track.
 *
 * Known failure: a unit whose quietest track always carries the same block train; ballast that
 * differs from track to track by more than a quarter.
 */
#include <math.h>

#include "count/rail.h"

static const double EVERY_M = 2; /* one cross-section in two metres is enough */
/* How far empty cross-sections lie from their median, root mean square over lanes and bands, of the
 * level: 0.09 on half, 0.17 on nine tenths of the places (rail_0.5m); wagons of ballast's colour
 * from 0.21 up. So the reach is a little more than what half of the quietest track keeps to. */
static const double REACH_OF_QUIET = 1.35, LEAST_REACH = 0.05, MOST_REACH = 0.2;
static const double LEAST_SHARE =
    0.02;                              /* of the cross-sections: fewer are no track's empty state */
static const double PLAIN_SHARE = 0.1; /* this many need no second start */
static const double SHORTEST_TRAIN_M = 8;
static const double SHADOW = 0.8, SHADOW_M = 3; /* darker than this beside a train: its shadow */
static const double NEAREST_SMOOTH_M = 3, NEARLY = 1.25;
static const double ALIKE = 2.3, MOST = 0.75,
                    NEARLY_ALL = 0.9; /* in units of noise; of the dates: then it is ground */
static const double LONGEST_IDLE_M = 60, MOST_OF_STRETCH = 0.65, HARDLY_ANY = 1; /* date a column */
static const double UNLIKE = 1.15, SMOOTH_M = 6;                                 /* of the reach */
enum { STEPS = 5 };

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
        for (int b = 0; tally_rail_in_body(t, lane) && b < bands; b++, n++)
            sum += p->spread[lane][b] / fmax(p->level[lane][b], 1e-6);
    return n ? sum / n : 0;
}

/* Root mean squared distance of a column to a profile, in units of its level; NAN: not seen. */
static double distance(const tally_track *t, const tally_patch *strip, int c,
                       const tally_rail_profile *p)
{
    double sum = 0;
    int cells = 0, lanes = 0;
    for (int lane = 0; lane < t->lanes; lane++) {
        if (!tally_rail_in_body(t, lane)) continue;
        lanes++;
        if (!tally_bits_get(&strip->valid, c, lane)) continue;
        cells++;
        for (int b = 0; b < strip->bands; b++) {
            double z = (tally_patch_row(strip, b, lane)[c] - p->level[lane][b]) /
                       fmax(fabsf(p->level[lane][b]), 1e-6);
            sum += fmin(z * z, 1) / strip->bands;
        }
    }
    return 2 * cells > lanes ? sqrt(sum / cells) : NAN;
}

typedef struct member {
    const tally_patch *strip;
    int c;
} member;

/* Cross-sections of all dates within reach. `total`: how many were seen. */
static size_t members_of(const tally_track *t, const tally_patch *strips, size_t k,
                         const tally_rail_profile *p, double reach, member *out, size_t *total)
{
    int every = (int)fmax(1, EVERY_M / t->step_m);
    size_t n = 0;
    *total = 0;
    for (size_t i = 0; i < k; i++)
        for (int c = 0; c < t->n; c += every) {
            double d = distance(t, &strips[i], c, p);
            if (!isfinite(d)) continue;
            (*total)++;
            if (d <= reach) out[n++] = (member) { &strips[i], c };
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

/* Drift from `start`; returns the share of all cross-sections within reach of where it ends. */
static double drift(const tally_track *t, const tally_patch *strips, size_t k,
                    const tally_rail_profile *start, double reach, member *members, float *room,
                    tally_rail_profile *out)
{
    double share = 0;
    *out = *start;
    for (int step = 0; step < STEPS; step++) {
        size_t total, n = members_of(t, strips, k, out, reach, members, &total);
        share = total ? (double)n / (double)total : 0;
        if (n < 4 || share < LEAST_SHARE) return 0;
        move_to(t, members, n, room, out, strips[0].bands);
    }
    return share;
}

/* What half of a track's cross-sections keep to, of all dates. */
static double usual_distance(const tally_track *t, const tally_patch *strips, size_t k,
                             const tally_rail_profile *p, float *room)
{
    int every = (int)fmax(1, EVERY_M / t->step_m);
    size_t n = 0;
    for (size_t i = 0; i < k; i++)
        for (int c = 0; c < t->n; c += every) {
            double d = distance(t, &strips[i], c, p);
            if (isfinite(d)) room[n++] = (float)d;
        }
    return n ? tally_median(room, n) : MOST_REACH;
}

/* So that a place judged by the profile alone is as likely a wagon as not at one and a half times
 * what is usual. */
static void spread_of(const tally_track *t, double usual, int bands, tally_rail_profile *p)
{
    for (int lane = 0; lane < t->lanes; lane++)
        for (int b = 0; b < bands; b++)
            p->spread[lane][b] =
                (float)(1.5 / TALLY_RAIL_EMPTY_SCORE * usual * fabs(p->level[lane][b])) + 1e-6f;
}

/* The empty cross-section of one track: from the quietest track's, or, where hardly anything of
 * this track looks like that, from its own typical one. */
static void settle(const tally_track *t, const tally_patch *strips, size_t k,
                   const tally_rail_profile *quiet, const tally_rail_profile *typical, double reach,
                   member *members, float *room, tally_rail_profile *out)
{
    double share = drift(t, strips, k, quiet, reach, members, room, out);
    if (share >= PLAIN_SHARE) return;
    tally_rail_profile other;
    double other_share = drift(t, strips, k, typical, reach, members, room, &other);
    if (other_share > share)
        *out = other;
    else if (share == 0)
        *out = *typical;
}

static void strips_of(const tally_patch *strips, size_t k, size_t apart, size_t track,
                      tally_patch *out)
{
    for (size_t d = 0; d < k; d++)
        out[d] = strips[d * apart + track];
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
    tally_status s =
        room && members && own && typical ? TALLY_OK : tally_nomem(err, "a track's background");
    for (size_t i = 0; i < n_tracks && s == TALLY_OK; i++) {
        int bands = empty[i].level.bands;
        along(&tracks[i], &empty[i], room, &typical[i]);
        if (unrest(&tracks[i], &typical[i], bands) <
            unrest(&tracks[quietest], &typical[quietest], bands))
            quietest = i;
    }
    double reach = 0;
    if (s == TALLY_OK && n_tracks > 0) {
        strips_of(strips, k, apart, quietest, own);
        reach = tally_clamp(REACH_OF_QUIET *
                                usual_distance(&tracks[quietest], own, k, &typical[quietest], room),
                            LEAST_REACH, MOST_REACH);
    }
    for (size_t i = 0; i < n_tracks && s == TALLY_OK; i++) {
        strips_of(strips, k, apart, i, own);
        settle(&tracks[i], own, k, &typical[quietest], &typical[i], reach, members, room, &out[i]);
        spread_of(&tracks[i], reach / REACH_OF_QUIET, empty[i].level.bands, &out[i]);
        out[i].reach = reach;
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
        if (!tally_rail_in_body(t, lane)) continue;
        tally_bits_set(&e->level.valid, c, lane);
        for (int b = 0; b < e->level.bands; b++)
            tally_patch_row(&e->level, b, lane)[c] = p->level[lane][b];
    }
    e->known[c] = 0;
}

/* The ground beside a train that is always there lies in its shadow, which is not its level. */
static void light_beside(const tally_track *t, const tally_rail_profile *p, int c,
                         tally_rail_empty *e)
{
    for (int lane = 0; lane < t->lanes; lane++) {
        double m = fabs(tally_track_lane_m(t, lane));
        if (tally_rail_in_body(t, lane) || m > SHADOW_M) continue;
        for (int b = 0; b < e->level.bands; b++) {
            float *level = &tally_patch_row(&e->level, b, lane)[c];
            if (*level < SHADOW * p->level[lane][b]) *level = p->level[lane][b];
        }
    }
}

/* A column's mean over the smoothed distances of one date. */
static double smoothed(const tally_track *t, const float *raw, int c, int half)
{
    double sum = 0;
    int n = 0;
    for (int m = c - half; m <= c + half; m++)
        if (m >= 0 && m < t->n && isfinite(raw[m])) sum += raw[m], n++;
    return n ? sum / n : NAN;
}

/* The two dates that look most like the profile at a column; -1: none. The second only when it
 * looks nearly as much like it. Returns the distance of the first. raw: k rows of n. */
static double nearest_dates(const tally_track *t, const float *raw, size_t k, int c, int out[2])
{
    double first = INFINITY, second = INFINITY;
    int half = (int)(NEAREST_SMOOTH_M / t->step_m / 2);
    out[0] = out[1] = -1;
    for (size_t i = 0; i < k; i++) {
        double d = smoothed(t, raw + i * (size_t)t->n, c, half);
        if (!isfinite(d) || !isfinite(raw[i * (size_t)t->n + (size_t)c])) continue;
        if (d < first) {
            second = first, out[1] = out[0];
            first = d, out[0] = (int)i;
        } else if (d < second) {
            second = d, out[1] = (int)i;
        }
    }
    if (!(second < NEARLY * first)) out[1] = -1;
    return first;
}

/* Of the dates that show a column, how many show what was learned there. */
static double share_alike(const tally_track *t, const tally_patch *strips, size_t k, size_t apart,
                          const tally_rail_empty *e, int c)
{
    int seen = 0, alike = 0;
    for (size_t i = 0; i < k; i++) {
        const tally_patch *strip = &strips[i * apart];
        double sum = 0;
        int n = 0;
        for (int lane = 0; lane < t->lanes; lane++)
            for (int b = 0; tally_rail_in_body(t, lane) && tally_bits_get(&strip->valid, c, lane) &&
                            b < strip->bands;
                 b++, n++) {
                double z =
                    (tally_patch_row(strip, b, lane)[c] - tally_patch_row(&e->level, b, lane)[c]) /
                    e->sigma[lane][b];
                sum += z * z;
            }
        seen += n > 0;
        alike += n > 0 && sqrt(sum / n) <= ALIKE;
    }
    return seen ? (double)alike / seen : 0;
}

/* The level of the ground beside, on one side, of the profile's. */
static double level_beside(const tally_track *t, const tally_rail_profile *p,
                           const tally_rail_empty *e, int c, int side)
{
    double level = 0, lit = 0;
    for (int lane = 0; lane < t->lanes; lane++) {
        double m = side * tally_track_lane_m(t, lane);
        if (tally_rail_in_body(t, lane) || m <= 0 || m > SHADOW_M) continue;
        for (int b = 0; b < e->level.bands; b++) {
            level += tally_patch_row(&e->level, b, lane)[c];
            lit += p->level[lane][b];
        }
    }
    return lit > 0 ? level / lit : 1;
}

/* Is the ground dark where a train's shadow would fall, and not on the other side? */
static bool dark_beside(const tally_track *t, const tally_rail_profile *p,
                        const tally_rail_empty *e, int c, int shadow_side)
{
    return shadow_side != 0 && level_beside(t, p, e, c, shadow_side) <
                                   SHADOW * fmin(1, level_beside(t, p, e, c, -shadow_side));
}

/* Nearly all dates show the same, or most do and nothing beside it lies in shadow: a mark on the
 * ground, however unlike the profile. */
static bool is_ground(const tally_track *t, const tally_rail_profile *p, const tally_patch *strips,
                      size_t k, size_t apart, int shadow_side, const tally_rail_empty *e, int c)
{
    double alike = share_alike(t, strips, k, apart, e, c);
    return alike >= NEARLY_ALL || (alike >= MOST && !dark_beside(t, p, e, c, shadow_side));
}

/* What most columns within `half` say. room: n. */
static void smooth_marks(bool *marks, int n, int half, bool *room)
{
    for (int c = 0; c < n; c++) {
        int yes = 0, all = 0;
        for (int m = c - half; m <= c + half; m++)
            if (m >= 0 && m < n) all++, yes += marks[m];
        room[c] = 2 * yes > all;
    }
    for (int c = 0; c < n; c++)
        marks[c] = room[c];
}

/* Where the learned level may be a train's over more than a wagon's length, the profile. */
static void replace_trains(const tally_track *t, const tally_rail_profile *p, const bool *doubtful,
                           tally_rail_empty *e)
{
    for (int c = 0; c < t->n;) {
        int from = c;
        while (c < t->n && doubtful[c] == doubtful[from])
            c++;
        bool train = doubtful[from] && (c - from) * t->step_m >= SHORTEST_TRAIN_M;
        for (int m = from; m < c; m++)
            if (train) {
                put_profile(t, p, m, e);
                light_beside(t, p, m, e);
            } else {
                e->known[m] = 1;
            }
    }
}

/* Long stretches unlike the profile that most dates show alike, and that hardly a date shows like
 * it: other ballast, a paved quay. A train of that length which never left is rarer. Marks them.
 * learned: distances of what is commonest; dates: of each date, k rows of n. */
static void find_other_ground(const tally_track *t, const tally_rail_profile *p,
                              const tally_patch *strips, size_t k, size_t apart,
                              const tally_rail_empty *e, const float *learned, const float *dates,
                              bool *ground, bool *room)
{
    int half = (int)(SMOOTH_M / t->step_m / 2);
    for (int c = 0; c < t->n; c++)
        ground[c] = !(smoothed(t, learned, c, half) <= UNLIKE * p->reach);
    smooth_marks(ground, t->n, half, room);
    for (int c = 0; c < t->n;) {
        int from = c;
        double alike = 0, bare = 0;
        for (; c < t->n && ground[c] == ground[from]; c++) {
            alike += ground[c] ? share_alike(t, strips, k, apart, e, c) : 0;
            for (size_t i = 0; i < k; i++)
                bare += dates[i * (size_t)t->n + (size_t)c] <= UNLIKE * p->reach;
        }
        bool is_long = (c - from) * t->step_m >= LONGEST_IDLE_M;
        for (int m = from; m < c; m++)
            ground[m] = ground[m] && is_long && alike / (c - from) >= MOST_OF_STRETCH &&
                        bare / (c - from) < HARDLY_ANY;
    }
}

tally_status tally_rail_start(const tally_track *t, const tally_rail_profile *p,
                              const tally_patch *strips, size_t k, size_t apart, int shadow_side,
                              tally_rail_empty *e, tally_error *err)
{
    float *raw = tally_alloc(k * (size_t)t->n, sizeof *raw);
    float *learned = tally_alloc((size_t)t->n, sizeof *learned);
    bool *doubtful = tally_alloc((size_t)t->n, sizeof *doubtful);
    bool *room = tally_alloc((size_t)t->n, sizeof *room);
    int half = (int)(SMOOTH_M / t->step_m / 2);
    bool *ground = tally_alloc((size_t)t->n, sizeof *ground);
    tally_status s = raw && learned && doubtful && room && ground
                         ? TALLY_OK
                         : tally_nomem(err, "a track's background");
    if (s != TALLY_OK) goto out;
    for (int c = 0; c < t->n; c++)
        learned[c] = (float)distance(t, &e->level, c, p);
    for (size_t i = 0; i < k; i++)
        for (int c = 0; c < t->n; c++)
            raw[i * (size_t)t->n + (size_t)c] = (float)distance(t, &strips[i * apart], c, p);
    find_other_ground(t, p, strips, k, apart, e, learned, raw, ground, room);
    for (int c = 0; c < t->n; c++) {
        int near[2];
        double nearest = nearest_dates(t, raw, k, c, near);
        if (smoothed(t, learned, c, (int)(NEAREST_SMOOTH_M / t->step_m / 2)) <= NEARLY * nearest)
            continue; /* what is commonest looks as empty as anything */
        if (ground[c] || is_ground(t, p, strips, k, apart, shadow_side, e, c)) continue;
        for (int lane = 0; near[0] >= 0 && lane < t->lanes; lane++) {
            const tally_patch *a = &strips[(size_t)near[0] * apart],
                              *b = &strips[(size_t)(near[1] >= 0 ? near[1] : near[0]) * apart];
            if (!tally_rail_in_body(t, lane) || !tally_bits_get(&a->valid, c, lane) ||
                !tally_bits_get(&b->valid, c, lane))
                continue;
            for (int band = 0; band < e->level.bands; band++)
                tally_patch_row(&e->level, band, lane)[c] =
                    (tally_patch_row(a, band, lane)[c] + tally_patch_row(b, band, lane)[c]) / 2;
        }
    }
    for (int c = 0; c < t->n; c++)
        learned[c] = (float)distance(t, &e->level, c, p);
    for (int c = 0; c < t->n; c++)
        doubtful[c] = !ground[c] && !(smoothed(t, learned, c, half) <= UNLIKE * p->reach) &&
                      !is_ground(t, p, strips, k, apart, shadow_side, e, c);
    smooth_marks(doubtful, t->n, half, room);
    replace_trains(t, p, doubtful, e);
out:
    tally_free(raw);
    tally_free(learned);
    tally_free(doubtful);
    tally_free(room);
    tally_free(ground);
    return s;
}

/* How many dates show a place, and how many of them empty. */
static void tell_dates(const tally_rail_state *states, size_t k, int c, int *shown, int *bare)
{
    *shown = *bare = 0;
    for (size_t i = 0; i < k; i++) {
        *shown += states[i].seen[c];
        *bare += tally_rail_shows_empty(&states[i], c);
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
        int shown, bare;
        bool unlike = !(smoothed(t, raw, c, half) <= UNLIKE * p->reach);
        tell_dates(states, k, c, &shown, &bare);
        doubtful[c] = bare == 0 || (unlike && 2 * bare < shown);
    }
    if (s == TALLY_OK) replace_trains(t, p, doubtful, e);
    tally_free(raw);
    tally_free(doubtful);
    return s;
}
