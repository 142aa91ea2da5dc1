/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Slots laid into the footprint of stacks, on the yard's own axes. */
#ifndef TALLY_COUNT_YARD_SLOTS_H
#define TALLY_COUNT_YARD_SLOTS_H

#include "base/geometry.h"
#include "kernels/kernels.h"

typedef struct tally_yard_slot {
    tally_point centre; /* pixels */
    double ux, uy;      /* unit vector along the box */
    double gain;        /* m2: evidence for less evidence against */
    size_t block;       /* numbered from 0 in order of the slots */
} tally_yard_slot;

typedef struct tally_yard_slots {
    tally_yard_slot *slots;
    size_t n, n_blocks;
    double angle, gain; /* of the axes, radians in pixels (x right, y down); sum over slots */
} tally_yard_slots;

#define TALLY_SLOT_LENGTH_M 6.058
#define TALLY_SLOT_WIDTH_M  2.438

/*
 * Lay slots into `evidence` (one band, -1 surely pad .. 1 surely box; outside `zone` it counts as
 * -1) along `angle` and across it, whichever explains more.
 * step_m: of the working raster, a whole number of pixels is not needed.
 */
tally_status tally_yard_fit(const tally_kernels *k, const tally_patch *evidence,
                            const tally_bits *zone, double gsd_m, double angle, double step_m,
                            tally_yard_slots *out, tally_error *err) TALLY_MUST_CHECK;
/* The angle that explains the evidence best; `drawn` is that of the zone's longest side, which
 * wins ties. */
tally_status tally_yard_angle(const tally_kernels *k, const tally_patch *evidence,
                              const tally_bits *zone, double gsd_m, double drawn, double *out,
                              tally_error *err) TALLY_MUST_CHECK;
void tally_yard_slots_fini(tally_yard_slots *slots);
/* Corners of a slot in pixels. */
void tally_yard_slot_corners(const tally_yard_slot *slot, double gsd_m, tally_point out[4]);

#endif
