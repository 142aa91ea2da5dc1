/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What stands over a track and is no wagon: the legs, girder and boom of a crane, a footbridge, a
 * load on its hook.
 *
 * A wagon ends 1.6 m beside the centre line; past that lies ground, in its shadow on one side, lit
 * on the other. What reaches across the track changes the ground on both sides. Such columns say
 * nothing about wagons: a train that is seen before and behind goes on under a crane, and a crane
 * alone is none. A crane that hardly moves is told by the dates: where something reaches across on
 * most of them, nothing is said on the others either, for it leans as the sensor looks, and its
 * shadow turns with the sun.
 *
 * Known failures: a wagon that stands under a crane alone is not counted.
 */
#include <math.h>

#include "count/rail.h"

static const double NEAR_M = 2.1, FAR_M = 3.0;  /* from the centre line: beside a wagon */
static const double MOST_LEAN_M = 1.6;          /* of a wagon, more hides the ground beside it */
static const double UNLIKE = 0.25;              /* of the level: ground keeps to a tenth */
static const double CLOSE_M = 4, REACH_M = 1.5; /* gaps between its parts; its rims */
static const double LONGEST_M = 25;
static const double MOST = 0.5; /* of the dates */

/* How far the ground on one side (+1 right) is from the level, of that; NAN: nothing tells. */
static double unlike_beside(const tally_track *t, const tally_rail_empty *e, const tally_bits *open,
                            const tally_patch *strip, const tally_rail_state *state, int c,
                            int side, double lean_m)
{
    double sum = 0;
    int n = 0;
    for (int lane = 0; lane < t->lanes; lane++) {
        double away = side * tally_track_lane_m(t, lane);
        if (away < NEAR_M + fmax(0, side * lean_m) || away > FAR_M + fmax(0, side * lean_m) ||
            !tally_bits_get(open, c, lane))
            continue;
        if (tally_bits_get(&state->shadow, c, lane)) return NAN;
        if (!tally_bits_get(&strip->valid, c, lane) || !tally_bits_get(&e->level.valid, c, lane))
            continue;
        for (int b = 0; b < strip->bands; b++, n++)
            sum += fabs(tally_patch_row(strip, b, lane)[c] /
                            fmaxf(tally_patch_row(&e->level, b, lane)[c], 1e-6f) -
                        1);
    }
    return n ? sum / n : NAN;
}

/* Joins what lies close together, widens it, and forgets what is too long for a crane. */
static void tidy(const tally_track *t, bool *over)
{
    int close = (int)(CLOSE_M / t->step_m), reach = (int)(REACH_M / t->step_m), last = -1;
    for (int c = 0; c < t->n; c++) {
        if (!over[c]) continue;
        for (int m = last + 1; last >= 0 && c - last <= close && m < c; m++)
            over[m] = true;
        last = c;
    }
    for (int c = 0; c < t->n;) {
        int from = c;
        while (c < t->n && over[c] == over[from])
            c++;
        if (!over[from]) continue;
        bool crane = (c - from) * t->step_m <= LONGEST_M;
        for (int m = from; m < c && !crane; m++)
            over[m] = false;
        for (int m = from - reach; m < from && crane; m++)
            if (m >= 0) over[m] = true;
        int end = c;
        for (; c < end + reach && c < t->n && crane && !over[c]; c++)
            over[c] = true;
    }
}

void tally_rail_find_over(const tally_track *t, const tally_rail_empty *e, const tally_bits *open,
                          const tally_patch *strip, const tally_rail_sun *sun, tally_rail_state *s)
{
    for (int c = 0; c < t->n; c++)
        s->over[c] = false;
    if (!tally_rail_sees_sides(t)) return;
    s->sides = fabs(sun->lean_m) <= MOST_LEAN_M; /* and known */
    for (int c = 0; c < t->n && s->sides; c++)
        s->over[c] = s->seen[c] &&
                     unlike_beside(t, e, open, strip, s, c, 1, sun->lean_m) > UNLIKE &&
                     unlike_beside(t, e, open, strip, s, c, -1, sun->lean_m) > UNLIKE;
    tidy(t, s->over);
    for (int c = 0; c < t->n; c++)
        if (s->over[c] || (e->over && e->over[c] > MOST)) s->logit[c] = 0;
}

/* Only the dates whose view shows both sides tell; where they are few, nothing is usual. */
void tally_rail_usually_over(const tally_track *t, const tally_rail_state *states, size_t k,
                             size_t apart, float *share)
{
    for (int c = 0; c < t->n; c++) {
        int seen = 0, shown = 0, over = 0;
        for (size_t i = 0; i < k; i++) {
            const tally_rail_state *s = &states[i * apart];
            seen += s->seen[c];
            shown += s->seen[c] && s->sides;
            over += s->seen[c] && s->sides && (s->over[c] || s->dim[c]);
        }
        share[c] = shown > 0 && 2 * shown >= seen ? (float)over / (float)shown : 0;
    }
}
