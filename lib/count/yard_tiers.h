/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How high the stacks of a yard stand, from their shadows; and how many boxes that makes. */
#ifndef TALLY_COUNT_YARD_TIERS_H
#define TALLY_COUNT_YARD_TIERS_H

#include "count/counter.h"
#include "count/yard_slots.h"

/* Degrees; azimuths clockwise from north, at the ground, toward sun and sensor. NaN: unknown. */
typedef struct tally_yard_angles {
    double sun_azimuth, sun_elevation, off_nadir, view_azimuth;
} tally_yard_angles;

/* One stack whose shadow was seen to its end. */
typedef struct tally_yard_height {
    double tiers; /* of the highest that reaches there, in boxes of 2.591 m */
    double steps; /* tiers that a row behind must be higher to reach as far */
    int behind;   /* rows of slots behind it, toward the sun */
} tally_yard_height;

typedef struct tally_yard_heights {
    tally_yard_height *heights;
    size_t n;
    double sigma;    /* of each, tiers */
    double relative; /* of all together: what the angles leave open, as a share */
} tally_yard_heights;

#define TALLY_TIER_M 2.591

/*
 * Stacks at the edge of a block whose shadow falls onto bare ground. distance: two bands, how
 * unlike pad and the share of sun (yard_light.h), of the pixels of `seen`; above `least` a pixel is
 * no ground. None where the angles are unknown or a tier's shadow is too short for the pixels.
 */
tally_status tally_yard_measure_heights(const tally_patch *distance, const tally_bits *seen,
                                        const tally_yard_slots *slots,
                                        const tally_yard_angles *angles, double gsd_m, float least,
                                        tally_yard_heights *out, tally_error *err) TALLY_MUST_CHECK;
void tally_yard_heights_fini(tally_yard_heights *heights);

/* Boxes per ground slot and its standard error: 1 where all are of twenty feet, 1/2 of forty.
 * ratio: log of pixel over pad. */
void tally_yard_boxes_per_slot(const tally_patch *ratio, const tally_yard_slots *slots,
                               double gsd_m, double *share, double *sigma);

/* Boxes in all tiers of so many slots (an estimate with its 95 % interval). heights may hold none:
 * then the stated range. */
tally_boxes tally_yard_count_boxes(double slots, double slots_low, double slots_high, double share,
                                   double share_sigma, const tally_yard_heights *heights);

#endif
