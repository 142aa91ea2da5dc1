/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sort is shared with the median; the halving itself goes pixel by pixel, as the scalar
 * definition does it. */
#include "kernels/variants.h"
#include "kernels/x86/sort_avx2.h"

void tally_mode_f32_avx2(const float *const *rows, const uint64_t *const *valid, int k, size_t n,
                         float *mode)
{
    tally_column column;

    for (size_t i = 0; i < n; i += 8) {
        const size_t left = n - i < 8 ? n - i : 8;
        int32_t counts[8];
        _mm256_storeu_si256((__m256i *)counts,
                            tally_load_column_avx2(rows, valid, k, i, left, column.v));
        tally_sort_avx2(column.v, k);
        for (size_t l = 0; l < left; l++) {
            float v[TALLY_MEDIAN_MAX];
            for (int s = 0; s < counts[l]; s++)
                v[s] = column.v[8 * (size_t)s + l];
            mode[i + l] = tally_half_sample_mode(v, counts[l]);
        }
    }
}
