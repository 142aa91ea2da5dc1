/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A counter knows how clear its evidence was, and its bounds are wide where it was not. What it
 * cannot know is how often clear evidence misleads: a background with a train in it, a lorry beside
 * the boxes. That shows only where the truth is known, so the last step is to hold the bounds of
 * many drawn scenes against it and to move them until their interval score (Gneiting and Raftery
 * 2007, doi:10.1198/016214506000001437), which punishes width and misses alike, is least:
 *
 *     half = stretch * (the counter's half) + floor * sqrt(count + 1)
 *
 * below and above apart. bench/calibrate fits the table from sets of bench/accuracy; no validation
 * scene took part. How often the truth is inside then: docs/accuracy.md, "Intervals".
 *
 * Known failure: drawn scenes hold what their authors thought of. What none of them shows, a crane
 * of an unknown shape over the tracks, no interval knows of either.
 */
#include "count/calibrate.h"

#include <math.h>

#include "count/rail_coarse.h"

#ifdef TALLYMAN_RAW_INTERVALS
static const bool RAW = true;
#else
static const bool RAW = false;
#endif

typedef struct side {
    double stretch, floor;
} side;

typedef struct widths {
    side down, up;
} widths;

typedef enum looks { FINE, COARSE, FINE_SNOW, COARSE_SNOW, LOOKS } looks;

/* What `fitted` says of 48 drawn sets, rounded to the wider side where its halves, each told for
 * sets that took no part (`unseen`), asked for more. */
static const widths TABLE[TALLY_CLASS_COUNT][LOOKS] = {
    [TALLY_RAILCAR] = {
        [FINE] = { { 1.5, 0.3 }, { 1, 0.1 } },
        [COARSE] = { { 1.2, 0 }, { 0.85, 0 } },
        [FINE_SNOW] = { { 0.7, 2 }, { 0.7, 1.3 } },
        [COARSE_SNOW] = { { 1.2, 0 }, { 0.85, 0.1 } },
    },
    [TALLY_CONTAINER_STACK] = {
        [FINE] = { { 2.2, 0.2 }, { 1, 0 } },
        [COARSE] = { { 1, 0.5 }, { 1, 0 } },
        [FINE_SNOW] = { { 1.2, 3 }, { 3.3, 1.3 } },
        [COARSE_SNOW] = { { 1, 0.5 }, { 1, 0 } },
    },
    /* clear water's are left alone: a ship that is plain to see is not `0 to 1` */
    [TALLY_VESSEL] = {
        [FINE] = { { 1, 0 }, { 1, 0 } },
        [COARSE] = { { 1, 0 }, { 1, 0 } },
        [FINE_SNOW] = { { 0.5, 1.3 }, { 1.2, 0 } },
        [COARSE_SNOW] = { { 1, 0 }, { 1, 0 } },
    },
};

void tally_calibrate(tally_class class_, double gsd_m, bool snow, bool alone, tally_zone_count *z)
{
    if (alone && class_ == TALLY_RAILCAR) return;
    if (RAW || z->count == TALLY_NO_COUNT || !isfinite(z->low) || !isfinite(z->high)) return;
    const bool coarse = tally_rail_is_coarse(gsd_m);
    const widths *w = &TABLE[class_][snow     ? (coarse ? COARSE_SNOW : FINE_SNOW)
                                     : coarse ? COARSE
                                              : FINE];
    const double count = (double)z->count;
    z->low = fmax(0, count - w->down.stretch * fmax(0, count - z->low) -
                         w->down.floor * sqrt(count + 1));
    z->high = z->estimate + w->up.stretch * fmax(0, z->high - z->estimate) +
              w->up.floor * sqrt(z->estimate + 1);
}
