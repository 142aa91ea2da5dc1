/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Ground keeps its seams, stains and edges from date to date, under any light; cloud has none of
 * them. So the gradients of the logarithm, in the yard and around it, are correlated with those of
 * the learned ground. The idea is that of change detection by correlation of gradients; what counts
 * as like is learned from the scenes themselves (yard.c), because a bare pad has little to hold on
 * to. Strong gradients are left out: they are boxes and shadows, and a yard that fills up is still
 * the same ground.
 *
 * Known failures: thin cloud lets the ground through, and is for the light to find; a yard without
 * any structure cannot be told from cloud and is not judged.
 */
#include <math.h>

#include "count/yard_sight.h"

#define FLOOR   0.02 /* of the mean: below it a logarithm says nothing */
#define BLOCK_M 2.0  /* smaller detail drowns in noise and misregistration */
#define STRONG  0.25 /* log, from block to block: the edge of a box or of its shadow */
#define ENOUGH  50   /* pairs of blocks */

/* What a band's values are held at before the logarithm. */
static float floor_of(const tally_patch *p, int band)
{
    double sum = 0;
    size_t n = 0;

    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++)
            if (tally_bits_get(&p->valid, x, y)) {
                sum += tally_patch_row(p, band, y)[x];
                n++;
            }
    return n && sum > 0 ? (float)(sum / (double)n * FLOOR) : 1e-6f;
}

/* Mean logarithm of one band in one block; false: less than half of it is valid. */
static bool block_mean(const tally_patch *p, int band, tally_box box, float low, float *out)
{
    double sum = 0;
    int n = 0;

    for (int y = box.y0; y < box.y1; y++)
        for (int x = box.x0; x < box.x1; x++)
            if (tally_bits_get(&p->valid, x, y)) {
                sum += logf(fmaxf(tally_patch_row(p, band, y)[x], low));
                n++;
            }
    *out = n ? (float)(sum / n) : 0;
    return 2 * n >= tally_box_width(box) * tally_box_height(box);
}

int tally_yard_block(double gsd_m)
{
    return (int)tally_clamp(round(BLOCK_M / gsd_m), 1, 64);
}

tally_status tally_yard_ground(const tally_patch *scene, double gsd_m, tally_patch *ground,
                               tally_error *err)
{
    const int side = tally_yard_block(gsd_m);
    const int width = scene->width / side, height = scene->height / side;
    tally_status s =
        tally_patch_init(ground, width > 0 ? width : 1, height > 0 ? height : 1, 1, err);

    for (int b = 0; s == TALLY_OK && b < scene->bands; b++) {
        const float low = floor_of(scene, b);
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++) {
                const tally_box box = { x * side, y * side, (x + 1) * side, (y + 1) * side };
                float mean;
                if (!block_mean(scene, b, box, low, &mean)) continue;
                tally_bits_set(&ground->valid, x, y);
                tally_patch_row(ground, 0, y)[x] += mean / (float)scene->bands;
            }
    }
    return s;
}

/* Sums over pairs of gradients. */
typedef struct sums {
    double n, a, b, aa, bb, ab;
} sums;

static void add_pair(sums *s, double a, double b)
{
    if (fabs(a) > STRONG || fabs(b) > STRONG) return;
    s->n++;
    s->a += a;
    s->b += b;
    s->aa += a * a;
    s->bb += b * b;
    s->ab += a * b;
}

static bool both_valid(const tally_patch *a, const tally_patch *b, int x, int y)
{
    return tally_bits_get(&a->valid, x, y) && tally_bits_get(&b->valid, x, y);
}

double tally_yard_likeness(const tally_patch *a, const tally_patch *b)
{
    sums s = { 0 };

    if (a->width != b->width || a->height != b->height) return 0;
    for (int y = 0; y + 1 < a->height; y++) {
        const float *a0 = tally_patch_row(a, 0, y), *a1 = tally_patch_row(a, 0, y + 1);
        const float *b0 = tally_patch_row(b, 0, y), *b1 = tally_patch_row(b, 0, y + 1);
        for (int x = 0; x + 1 < a->width; x++) {
            if (!both_valid(a, b, x, y)) continue;
            if (both_valid(a, b, x + 1, y)) add_pair(&s, a0[x + 1] - a0[x], b0[x + 1] - b0[x]);
            if (both_valid(a, b, x, y + 1)) add_pair(&s, a1[x] - a0[x], b1[x] - b0[x]);
        }
    }
    if (s.n < ENOUGH) return 0;
    const double va = s.aa - s.a * s.a / s.n, vb = s.bb - s.b * s.b / s.n;
    return va > 0 && vb > 0 ? (s.ab - s.a * s.b / s.n) / sqrt(va * vb) : 0;
}
