/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Temporal median and MAD: per pixel, sort the valid values of up to 64 scenes. */
#include <math.h>

#include "kernels/variants.h"

void tally_insertion_sort(float *v, int n)
{
    for (int i = 1; i < n; i++) {
        const float value = v[i];
        int j = i;
        for (; j > 0 && v[j - 1] > value; j--)
            v[j] = v[j - 1];
        v[j] = value;
    }
}

/* Halves before the sum, so that it cannot overflow. */
static float middle(const float *sorted, int n)
{
    return 0.5f * sorted[(n - 1) / 2] + 0.5f * sorted[n / 2];
}

void tally_median_mad_f32_scalar(const float *const *rows, const uint64_t *const *valid, int k,
                                 size_t n, float *median, float *mad, uint8_t *count)
{
    for (size_t i = 0; i < n; i++) {
        float v[TALLY_MEDIAN_MAX];
        int seen = 0;

        for (int s = 0; s < k; s++) {
            const float value = rows[s][i];
            if (valid[s][i >> 6] >> (i & 63) & 1 && value == value)
                v[seen++] = value + 0.0f; /* -0 becomes +0 */
        }
        count[i] = (uint8_t)seen;
        if (seen == 0) {
            median[i] = mad[i] = 0.0f;
            continue;
        }
        tally_insertion_sort(v, seen);
        median[i] = middle(v, seen);
        for (int s = 0; s < seen; s++) {
            const float deviation = fabsf(v[s] - median[i]);
            v[s] = deviation == deviation ? deviation : 0.0f; /* inf - inf */
        }
        tally_insertion_sort(v, seen);
        mad[i] = middle(v, seen);
    }
}
