/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "align_ground.h"

#include <math.h>

void ground_init(ground *g, uint64_t seed)
{
    tally_rng rng = { seed };
    for (int i = 0; i < GROUND_WAVES; i++) {
        const double length = 5 * pow(12, tally_rng_uniform(&rng));
        const double turn = 2 * M_PI * tally_rng_uniform(&rng);
        g->kx[i] = 2 * M_PI / length * cos(turn);
        g->ky[i] = 2 * M_PI / length * sin(turn);
        g->phase[i] = 2 * M_PI * tally_rng_uniform(&rng);
        g->height[i] = 4 * sqrt(length);
    }
}

double ground_at(const ground *g, double x, double y)
{
    double v = 1000;
    for (int i = 0; i < GROUND_WAVES; i++)
        v += g->height[i] * cos(g->kx[i] * x + g->ky[i] * y + g->phase[i]);
    return v;
}

void ground_draw(const ground *g, double x0, double y0, double dx, double dy, tally_patch *p)
{
    for (int y = 0; y < p->height; y++) {
        for (int x = 0; x < p->width; x++) {
            tally_patch_row(p, 0, y)[x] = (float)ground_at(g, x0 + x + 0.5 - dx, y0 + y + 0.5 - dy);
            tally_bits_set(&p->valid, x, y);
        }
    }
}
