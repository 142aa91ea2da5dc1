/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One yard in one scene: from pixels to slots with an interval. */
#ifndef TALLY_COUNT_YARD_MEASURE_H
#define TALLY_COUNT_YARD_MEASURE_H

#include "count/counter.h"
#include "count/yard_slots.h"
#include "count/yard_tiers.h"

typedef struct tally_yard_view {
    const tally_patch *scene;
    const tally_patch *pad; /* bands of the scene: log of pad over its level; and one more: 1 where
                               it was never seen empty. NULL: not learned */
    const float *level;     /* the pad's learned level by band, or NULL */
    const tally_patch *ground; /* learned (yard_sight.h), or NULL */
    double likeness;           /* of scenes that show it */
    const tally_bits *zone;    /* pixels of the yard, those to be ignored taken out */
    double gsd_m;
    double drawn_angle; /* of the yard's longest side, radians in pixels */
    tally_yard_angles angles;
    bool snow;
} tally_yard_view;

typedef struct tally_yard_answer {
    tally_zone_count row;   /* its `zone` is the caller's */
    tally_yard_slots slots; /* none where the GSD is too coarse to lay them */
} tally_yard_answer;

/*
 * Up to 1.2 m slots are laid; up to 5 m the area is divided by what a slot takes there; above, or
 * with fewer than three optical bands, the count is refused and the area stands.
 */
tally_status tally_yard_measure(const tally_kernels *k, const tally_yard_view *view,
                                tally_yard_answer *out, tally_error *err) TALLY_MUST_CHECK;
/* The yard and what lies around it, from which its light is taken: `out` is initialised here. */
tally_status tally_yard_near(const tally_kernels *k, const tally_bits *zone, double gsd_m,
                             tally_bits *out, tally_error *err) TALLY_MUST_CHECK;
void tally_yard_answer_fini(tally_yard_answer *answer);

#endif
