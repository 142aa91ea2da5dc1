/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sort once; the deviations from the median then fall and rise again, so that one bitonic merge
 * sorts them. */
#include "kernels/variants.h"
#include "kernels/x86/sort_avx2.h"

/* The mean of the middle two of each lane's first `count` values. */
static inline __m256 middle(const float *v, __m256i count)
{
    const __m256i lane = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
    const __m256i some = _mm256_cmpgt_epi32(count, _mm256_setzero_si256());
    const __m256i low =
        _mm256_srli_epi32(_mm256_and_si256(_mm256_sub_epi32(count, _mm256_set1_epi32(1)), some), 1);
    const __m256i high = _mm256_srli_epi32(count, 1);
    const __m256 half = _mm256_set1_ps(0.5f);
    const __m256 a = _mm256_i32gather_ps(v, _mm256_add_epi32(_mm256_slli_epi32(low, 3), lane), 4);
    const __m256 b = _mm256_i32gather_ps(v, _mm256_add_epi32(_mm256_slli_epi32(high, 3), lane), 4);

    return _mm256_and_ps(_mm256_add_ps(_mm256_mul_ps(half, a), _mm256_mul_ps(half, b)),
                         _mm256_castsi256_ps(some));
}

/* |v - centre| in place, +inf from each lane's count up to the power of two; returns that power. */
static inline int deviations(float *v, int k, __m256i count, __m256 centre)
{
    const __m256 sign = _mm256_set1_ps(-0.0f), none = _mm256_set1_ps(__builtin_inff());
    int power = 1;

    while (power < k)
        power *= 2;
    for (int s = 0; s < power; s++) {
        __m256 d = none;
        if (s < k) {
            const __m256 raw =
                _mm256_andnot_ps(sign, _mm256_sub_ps(_mm256_load_ps(v + 8 * s), centre));
            const __m256 seen =
                _mm256_castsi256_ps(_mm256_cmpgt_epi32(count, _mm256_set1_epi32(s)));
            d = _mm256_and_ps(raw, _mm256_cmp_ps(raw, raw, _CMP_ORD_Q)); /* inf - inf: 0 */
            d = _mm256_blendv_ps(none, d, seen);
        }
        _mm256_store_ps(v + 8 * s, d);
    }
    return power;
}

static inline void merge_bitonic(float *v, int power)
{
    for (int d = power / 2; d > 0; d /= 2) {
        for (int base = 0; base < power; base += 2 * d) {
            for (int i = base; i < base + d; i++)
                tally_exchange_avx2(v + 8 * i, v + 8 * (i + d));
        }
    }
}

void tally_median_mad_f32_avx2(const float *const *rows, const uint64_t *const *valid, int k,
                               size_t n, float *median, float *mad, uint8_t *count)
{
    tally_column column;

    memset(&column, 0, sizeof column);
    for (size_t i = 0; i < n; i += 8) {
        const size_t left = n - i < 8 ? n - i : 8;
        const __m256i seen = tally_load_column_avx2(rows, valid, k, i, left, column.v);
        tally_sort_avx2(column.v, k);
        const __m256 centre = middle(column.v, seen);
        merge_bitonic(column.v, deviations(column.v, k, seen, centre));
        const __m256 spread = middle(column.v, seen);
        float out[16];
        int32_t counts[8];
        _mm256_storeu_ps(out, centre);
        _mm256_storeu_ps(out + 8, spread);
        _mm256_storeu_si256((__m256i *)counts, seen);
        memcpy(median + i, out, left * sizeof *out);
        memcpy(mad + i, out + 8, left * sizeof *out);
        for (size_t l = 0; l < left; l++)
            count[i + l] = (uint8_t)counts[l];
    }
}
