/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Half-sample mode: of the sorted values keep the half that lies closest together, again and again,
 * until at most three are left. Integer sensors give many equally narrow halves; the middle one of
 * them keeps the mode from drifting dark.
 */
#include "kernels/variants.h"

/* Where the narrowest run of `half` neighbours of v[0..n) begins. */
static int narrowest(const float *v, int n, int half)
{
    const int starts = n - half + 1;
    float best = v[half - 1] - v[0];
    int ties = 1;

    for (int j = 1; j < starts; j++) {
        const float width = v[j + half - 1] - v[j];
        if (width < best) {
            best = width;
            ties = 1;
        } else if (width == best) {
            ties++;
        }
    }
    int wanted = (ties - 1) / 2;
    for (int j = 0; j < starts; j++) {
        if (v[j + half - 1] - v[j] == best && wanted-- == 0) return j;
    }
    return 0; /* only with infinities, where widths are NaN */
}

float tally_half_sample_mode(const float *v, int n)
{
    while (n > 3) {
        const int half = (n + 1) / 2;
        v += narrowest(v, n, half);
        n = half;
    }
    if (n == 3) {
        const float low = v[1] - v[0], high = v[2] - v[1];
        if (low == high) return v[1];
        if (high < low) v++;
        n = 2;
    }
    return n == 0 ? 0.0f : 0.5f * v[0] + 0.5f * v[n - 1];
}

void tally_mode_f32_scalar(const float *const *rows, const uint64_t *const *valid, int k, size_t n,
                           float *mode)
{
    for (size_t i = 0; i < n; i++) {
        float v[TALLY_MEDIAN_MAX];
        int seen = 0;

        for (int s = 0; s < k; s++) {
            const float value = rows[s][i];
            if (valid[s][i >> 6] >> (i & 63) & 1 && value == value) v[seen++] = value + 0.0f;
        }
        tally_insertion_sort(v, seen);
        mode[i] = tally_half_sample_mode(v, seen);
    }
}
