/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Ground that can be looked at anywhere between pixels: a sum of waves, so a shifted copy is exact.
 */
#ifndef TEST_ALIGN_GROUND_H
#define TEST_ALIGN_GROUND_H

#include "base/patch.h"

enum { GROUND_WAVES = 160 };
typedef struct ground {
    double kx[GROUND_WAVES], ky[GROUND_WAVES], phase[GROUND_WAVES], height[GROUND_WAVES];
} ground;

/* Waves of 5 to 60 px, the long ones higher. */
void ground_init(ground *g, uint64_t seed);
/* One band, all valid: pixel (x, y) is the ground at (x0 + x + 0.5 - dx, y0 + y + 0.5 - dy). */
void ground_draw(const ground *g, double x0, double y0, double dx, double dy, tally_patch *p);

#endif
