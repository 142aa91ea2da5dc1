/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where the light blinds: ground in deep or patchy shadow, or haze that changes from metre to
 * metre. A wagon would not stand out there, so that none was found is no evidence that none stands
 * there, and the interval's upper end takes in what may.
 *
 * The model holds on which share of the dates something stood at each place. A place is filled or
 * bare as a whole train comes or goes, so the spread is that of one draw, not of many: with a share
 * p of the room of n cars, p n and n sqrt(p (1 - p)).
 *
 * Measured on six drawn sets at 3 m (bench/accuracy rail_3m 1, 3, 4, hard 1, odd 2 and 3, 57 bare
 * scenes): totals inside the interval 65 % without this, 82 % with it, mean width 24 and 33 cars.
 */
#include <math.h>

#include "count/rail.h"

static const double NO_DATE = 0.3;     /* occupied, of a place that no date tells of */
static const double ONE_SIDED = 1.645; /* of twenty, nineteen lie below */
static const double LEAST_SHARE = 0.02;

static double at_most(double room, double expected)
{
    if (!(room > 0)) return 0;
    double share = tally_clamp(expected / room, LEAST_SHARE, 1 - LEAST_SHARE);
    return fmin(room, room * (share + ONE_SIDED * sqrt(share * (1 - share))));
}

double tally_rail_cars_hidden(const tally_track *t, const float *usual, const tally_rail_state *s,
                              double cars_a_column)
{
    double expected = 0, room = 0;
    for (int c = 0; c < t->n; c++) {
        if (s->seen[c]) continue;
        room += cars_a_column;
        expected += usual[c] * cars_a_column;
    }
    return at_most(room, expected);
}

double tally_rail_cars_unseen(const tally_track *t, const tally_rail_empty *e,
                              const tally_rail_state *s, double pitch_m)
{
    double expected = 0, room = 0;
    for (int c = 0; c < t->n; c++) {
        double cars = tally_rail_blindness(s, c) * t->step_m / pitch_m;
        room += cars;
        expected += (e->usual ? e->usual[c] : NO_DATE) * cars;
    }
    return at_most(room, expected);
}
