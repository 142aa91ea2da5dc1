/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Eight pixels' values over the scenes, side by side in the lanes, sorted at once by a network (no
 * branches on data). */
#ifndef TALLY_KERNELS_SORT_AVX2_H
#define TALLY_KERNELS_SORT_AVX2_H

#include <immintrin.h>
#include <string.h>

#include "kernels/kernels.h"

typedef struct tally_column {
    float v[TALLY_MEDIAN_MAX * 8]; /* scene by scene, eight pixels each */
} __attribute__((aligned(32))) tally_column;

static inline void tally_exchange_avx2(float *low, float *high)
{
    const __m256 a = _mm256_load_ps(low), b = _mm256_load_ps(high);
    _mm256_store_ps(low, _mm256_min_ps(a, b));
    _mm256_store_ps(high, _mm256_max_ps(a, b));
}

/* Merge exchange (Batcher 1968; Knuth, The Art of Computer Programming 3, 5.2.2 M), which takes any
 * k. */
static inline void tally_sort_avx2(float *v, int k)
{
    int top = 1;

    while (2 * top < k)
        top *= 2;
    for (int p = k > 1 ? top : 0; p > 0; p /= 2) {
        int r = 0, d = p;
        for (int q = top;; q /= 2) {
            for (int base = r; base < k - d; base += 2 * p) {
                const int end = base + p < k - d ? base + p : k - d;
                for (int i = base; i < end; i++)
                    tally_exchange_avx2(v + 8 * i, v + 8 * (i + d));
            }
            if (q == p) break;
            d = q - p;
            r = p;
        }
    }
}

/* The valid values of pixels i.. (at most 8 of them, `left`) with +inf for the others; returns how
 * many are valid. */
static inline __m256i tally_load_column_avx2(const float *const *rows, const uint64_t *const *valid,
                                             int k, size_t i, size_t left, float *v)
{
    const __m256i bit = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    const __m256 none = _mm256_set1_ps(__builtin_inff());
    __m256i count = _mm256_setzero_si256();

    for (int s = 0; s < k; s++) {
        unsigned seen = (unsigned)(valid[s][i >> 6] >> (i & 63)) & 255u;
        __m256 value;
        if (left < 8) {
            float short_group[8] = { 0 };
            memcpy(short_group, rows[s] + i, left * sizeof(float));
            value = _mm256_loadu_ps(short_group);
            seen &= (1u << left) - 1;
        } else {
            value = _mm256_loadu_ps(rows[s] + i);
        }
        __m256 take = _mm256_castsi256_ps(
            _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32((int)seen), bit), bit));
        take = _mm256_and_ps(take, _mm256_cmp_ps(value, value, _CMP_ORD_Q));
        count = _mm256_sub_epi32(count, _mm256_castps_si256(take));
        value = _mm256_add_ps(value, _mm256_setzero_ps()); /* -0 becomes +0 */
        _mm256_store_ps(v + 8 * s, _mm256_blendv_ps(none, value, take));
    }
    return count;
}

#endif
