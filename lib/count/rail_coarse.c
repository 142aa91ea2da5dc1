/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Railcars at a GSD over 1.5 m, where the counts of rail.c need more care: docs/methods/coarse.md.
 *
 * Snow. At 3 m a train under fresh snow differs from snowy ballast by less than the snow itself
 * varies; on drawn sets what was found had an error of 75 % and more, worse than knowing nothing of
 * the scene. Not seen is not zero: the count is the mean of the other dates, and the interval that
 * of trains which come and go as a whole.
 *
 * Known failures: a spike on a snowy day is not told; a yard that is always busy has a background
 * with trains in it, and then the usual is too low as well.
 */
#include "count/rail_coarse.h"

#include <math.h>
#include <stdio.h>

/* Wagons that come or stay away as one: cuts of the fixtures have 3 to 18. */
static const double CUT_CARS = 8;

static size_t fullest(size_t n_tracks, const tally_track *tracks, const tally_rail_state *states,
                      size_t k, size_t apart)
{
    size_t best = k;
    double most = 0;
    for (size_t d = 0; d < k; d++) {
        double m = 0;
        for (size_t i = 0; i < n_tracks; i++)
            for (int c = 0; c < tracks[i].n; c++)
                m += states[d * apart + i].occupied[c] ? tracks[i].step_m : 0;
        if (m > most) {
            most = m;
            best = d;
        }
    }
    return best;
}

void tally_rail_usual(const tally_track *tracks, size_t n_tracks, size_t track,
                      const tally_rail_state *states, size_t k, size_t apart, float *share)
{
    const size_t skip = k >= 3 ? fullest(n_tracks, tracks, states, k, apart) : k;
    for (int c = 0; c < tracks[track].n; c++) {
        int seen = 0, occupied = 0;
        for (size_t d = 0; d < k; d++) {
            const tally_rail_state *s = &states[d * apart + track];
            if (d == skip || !s->seen[c]) continue;
            seen++;
            occupied += s->occupied[c];
        }
        share[c] = seen > 0 ? (float)occupied / (float)seen : 0;
    }
}

void tally_rail_coarse_snow(const tally_track *t, const tally_rail_state *s, const float *share,
                            double pitch_m, tally_zone_count *z)
{
    double all = 0, seen = 0;
    int n_seen = 0;
    for (int c = 0; c < t->n; c++) {
        all += share[c];
        seen += s->seen[c] ? share[c] : 0;
        n_seen += s->seen[c];
    }
    if (n_seen == 0) return;
    z->extent = seen * t->step_m;
    z->occupancy = seen / n_seen;
    z->count = (int64_t)lround(z->extent / pitch_m);
    z->estimate = fmax(all * t->step_m / pitch_m, (double)z->count);
    const double half = 1.96 * sqrt(CUT_CARS * fmax(z->estimate, 1));
    z->low = fmax(0, fmin(z->low, z->estimate - half));
    z->high = fmax(z->high, z->estimate + half);
    snprintf(z->reason, sizeof z->reason,
             "snow: trains hardly show at this GSD, the count is the usual of other dates");
}
