/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Is the ground of a yard to be seen at all? */
#ifndef TALLY_COUNT_YARD_SIGHT_H
#define TALLY_COUNT_YARD_SIGHT_H

#include "base/patch.h"

/* The logarithm of the pixels, mean over bands and over blocks of about 2 m, as one band. A block
 * is valid where half of its pixels are. */
tally_status tally_yard_ground(const tally_patch *scene, double gsd_m, tally_patch *ground,
                               tally_error *err) TALLY_MUST_CHECK;
/* The side of such a block, pixels. */
int tally_yard_block(double gsd_m);
/* Correlation of the gradients of two such patches of one size, -1 to 1; 0 with too few pixels. */
double tally_yard_likeness(const tally_patch *a, const tally_patch *b);

#endif
