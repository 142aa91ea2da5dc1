/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "align_ground.h"

#include <math.h>
#include <stdlib.h>

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

/* cos(a + b) = cos a cos b - sin a sin b: a table each of columns and rows instead of a cosine a
 * pixel. */
void ground_draw(const ground *g, double x0, double y0, double dx, double dy, tally_patch *p)
{
    double *const sum = tally_alloc((size_t)p->width * (size_t)p->height, sizeof *sum);
    double *const across = tally_alloc(2 * (size_t)p->width, sizeof *across);
    if (!sum || !across) abort();
    for (int i = 0; i < GROUND_WAVES; i++) {
        for (int x = 0; x < p->width; x++) {
            const double a = g->kx[i] * (x0 + x + 0.5 - dx) + g->phase[i];
            across[2 * x] = g->height[i] * cos(a);
            across[2 * x + 1] = g->height[i] * sin(a);
        }
        for (int y = 0; y < p->height; y++) {
            const double b = g->ky[i] * (y0 + y + 0.5 - dy), c = cos(b), s = sin(b);
            double *const row = sum + (size_t)y * (size_t)p->width;
            for (int x = 0; x < p->width; x++)
                row[x] += across[2 * x] * c - across[2 * x + 1] * s;
        }
    }
    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++) {
            tally_patch_row(p, 0, y)[x] =
                (float)(1000 + sum[(size_t)y * (size_t)p->width + (size_t)x]);
            tally_bits_set(&p->valid, x, y);
        }
    tally_free(sum);
    tally_free(across);
}
