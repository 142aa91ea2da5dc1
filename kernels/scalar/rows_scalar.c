/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The small float rows: gain and offset, the gradient's magnitude and direction, cross
 * power, moments. */
#include <math.h>

#include "kernels/variants.h"

void tally_scale_f32_scalar(const float *x, float gain, float offset, size_t n, float *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] = gain * x[i] + offset;
}

void tally_gradient_f32_scalar(const float *above, const float *middle, const float *below,
                               size_t n, float *dst)
{
    if (n > 0) dst[0] = dst[n - 1] = 0.0f;
    for (size_t i = 1; i + 1 < n; i++) {
        const float gx = 0.5f * (middle[i + 1] - middle[i - 1]);
        const float gy = 0.5f * (below[i] - above[i]);
        dst[i] = sqrtf(gx * gx + gy * gy);
    }
}

void tally_direction_f32_scalar(const float *above, const float *middle, const float *below,
                                size_t n, float least, float *x, float *y)
{
    for (size_t i = 1; i + 1 < n; i++) {
        const float gx = 0.5f * (middle[i + 1] - middle[i - 1]);
        const float gy = 0.5f * (below[i] - above[i]);
        const float length = sqrtf(gx * gx + gy * gy);
        const float norm = length > least ? length : least;
        x[i] += gx / norm;
        y[i] += gy / norm;
    }
}

void tally_cross_power_f32_scalar(const float *a, const float *b, size_t n_complex, float *cross,
                                  float *power_a, float *power_b)
{
    for (size_t i = 0; i < 2 * n_complex; i += 2) {
        const float pa = a[i] * a[i] + a[i + 1] * a[i + 1];
        const float pb = b[i] * b[i] + b[i + 1] * b[i + 1];
        cross[i] += a[i] * b[i] + a[i + 1] * b[i + 1];
        cross[i + 1] += a[i] * b[i + 1] - a[i + 1] * b[i];
        power_a[i] += pa;
        power_a[i + 1] += pa;
        power_b[i] += pb;
        power_b[i + 1] += pb;
    }
}

/* The tree that every variant adds its eight lanes up by. */
static double tree(const double lane[8])
{
    return ((lane[0] + lane[4]) + (lane[2] + lane[6])) +
           ((lane[1] + lane[5]) + (lane[3] + lane[7]));
}

size_t tally_moments_f32_scalar(const float *x, const uint64_t *valid, size_t n, double *sum,
                                double *sum2)
{
    double lane[8] = { 0 }, lane2[8] = { 0 };
    size_t seen = 0;

    for (size_t i = 0; i < n; i++) {
        if (!(valid[i >> 6] >> (i & 63) & 1)) continue;
        const double v = (double)x[i];
        lane[i & 7] += v;
        lane2[i & 7] += v * v;
        seen++;
    }
    *sum = tree(lane);
    *sum2 = tree(lane2);
    return seen;
}
