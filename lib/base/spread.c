/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/spread.h"

#include <math.h>

static const double ZONE_CORRELATION = 0.3;

void tally_spread_add(tally_spread *s, double half)
{
    if (!(half > 0)) return;
    s->sum += half;
    s->sum_of_squares += half * half;
}

double tally_spread_half(const tally_spread *s, double more)
{
    return sqrt((1 - ZONE_CORRELATION) * s->sum_of_squares + ZONE_CORRELATION * s->sum * s->sum +
                more * more);
}

double tally_spread_of_added(double added)
{
    return added / 2 + 2 * sqrt(added + 1);
}

tally_quality tally_quality_of(double seen)
{
    return seen >= 0.95   ? TALLY_QUALITY_OK
           : seen >= 0.05 ? TALLY_QUALITY_PARTIAL
                          : TALLY_QUALITY_UNSEEN;
}
