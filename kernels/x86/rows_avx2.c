/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Straight rows, eight floats (four complex numbers) at a time; what is left over goes through the
 * scalar definition. */
#include <immintrin.h>

#include "kernels/variants.h"

void tally_scale_f32_avx2(const float *x, float gain, float offset, size_t n, float *y)
{
    const __m256 g = _mm256_set1_ps(gain), o = _mm256_set1_ps(offset);
    size_t i = 0;

    for (; i + 8 <= n; i += 8)
        _mm256_storeu_ps(y + i, _mm256_add_ps(_mm256_mul_ps(g, _mm256_loadu_ps(x + i)), o));
    tally_scale_f32_scalar(x + i, gain, offset, n - i, y + i);
}

void tally_gradient_f32_avx2(const float *above, const float *middle, const float *below, size_t n,
                             float *dst)
{
    const __m256 half = _mm256_set1_ps(0.5f);
    size_t i = 1;

    if (n > 0) dst[0] = dst[n - 1] = 0.0f;
    for (; i + 9 <= n; i += 8) {
        const __m256 gx = _mm256_mul_ps(
            half, _mm256_sub_ps(_mm256_loadu_ps(middle + i + 1), _mm256_loadu_ps(middle + i - 1)));
        const __m256 gy = _mm256_mul_ps(
            half, _mm256_sub_ps(_mm256_loadu_ps(below + i), _mm256_loadu_ps(above + i)));
        _mm256_storeu_ps(
            dst + i, _mm256_sqrt_ps(_mm256_add_ps(_mm256_mul_ps(gx, gx), _mm256_mul_ps(gy, gy))));
    }
    for (; i + 1 < n; i++) {
        const float gx = 0.5f * (middle[i + 1] - middle[i - 1]), gy = 0.5f * (below[i] - above[i]);
        dst[i] = _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(gx * gx + gy * gy)));
    }
}

void tally_direction_f32_avx2(const float *above, const float *middle, const float *below, size_t n,
                              float least, float *x, float *y)
{
    const __m256 half = _mm256_set1_ps(0.5f), low = _mm256_set1_ps(least);
    size_t i = 1;

    for (; i + 9 <= n; i += 8) {
        const __m256 gx = _mm256_mul_ps(
            half, _mm256_sub_ps(_mm256_loadu_ps(middle + i + 1), _mm256_loadu_ps(middle + i - 1)));
        const __m256 gy = _mm256_mul_ps(
            half, _mm256_sub_ps(_mm256_loadu_ps(below + i), _mm256_loadu_ps(above + i)));
        const __m256 length =
            _mm256_sqrt_ps(_mm256_add_ps(_mm256_mul_ps(gx, gx), _mm256_mul_ps(gy, gy)));
        const __m256 norm = _mm256_max_ps(
            length, low); /* the second operand when the length is NaN, as in the definition */
        _mm256_storeu_ps(x + i, _mm256_add_ps(_mm256_loadu_ps(x + i), _mm256_div_ps(gx, norm)));
        _mm256_storeu_ps(y + i, _mm256_add_ps(_mm256_loadu_ps(y + i), _mm256_div_ps(gy, norm)));
    }
    /* from one before what is left, so that its first pixel has a neighbour */
    if (i + 1 < n)
        tally_direction_f32_scalar(above + i - 1, middle + i - 1, below + i - 1, n - i + 1, least,
                                   x + i - 1, y + i - 1);
}

/* Re and im of the pairs' sums of products: |a|^2 in both places. */
static inline __m256 power4(__m256 v)
{
    const __m256 square = _mm256_mul_ps(v, v);
    const __m256 re = _mm256_permute_ps(square, 0xA0), im = _mm256_permute_ps(square, 0xF5);
    return _mm256_add_ps(re, im);
}

void tally_cross_power_f32_avx2(const float *a, const float *b, size_t n_complex, float *cross,
                                float *power_a, float *power_b)
{
    size_t i = 0;

    for (; i + 4 <= n_complex; i += 4) {
        const __m256 va = _mm256_loadu_ps(a + 2 * i), vb = _mm256_loadu_ps(b + 2 * i);
        const __m256 same = _mm256_mul_ps(va, vb);                           /* ar br, ai bi */
        const __m256 mixed = _mm256_mul_ps(va, _mm256_permute_ps(vb, 0xB1)); /* ar bi, ai br */
        const __m256 re =
            _mm256_add_ps(_mm256_permute_ps(same, 0xA0), _mm256_permute_ps(same, 0xF5));
        const __m256 im =
            _mm256_sub_ps(_mm256_permute_ps(mixed, 0xA0), _mm256_permute_ps(mixed, 0xF5));
        float *const to = cross + 2 * i, *const pa = power_a + 2 * i, *const pb = power_b + 2 * i;
        _mm256_storeu_ps(to, _mm256_add_ps(_mm256_loadu_ps(to), _mm256_blend_ps(re, im, 0xAA)));
        _mm256_storeu_ps(pa, _mm256_add_ps(_mm256_loadu_ps(pa), power4(va)));
        _mm256_storeu_ps(pb, _mm256_add_ps(_mm256_loadu_ps(pb), power4(vb)));
    }
    tally_cross_power_f32_scalar(a + 2 * i, b + 2 * i, n_complex - i, cross + 2 * i,
                                 power_a + 2 * i, power_b + 2 * i);
}

size_t tally_moments_f32_avx2(const float *x, const uint64_t *valid, size_t n, double *sum,
                              double *sum2)
{
    const __m256i bit = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    __m256d low = _mm256_setzero_pd(), high = low, low2 = low, high2 = low;
    size_t seen = 0;

    for (size_t i = 0; i < n; i += 8) {
        unsigned byte = (unsigned)(valid[i >> 6] >> (i & 63)) & 255u;
        if (n - i < 8) byte &= (1u << (n - i)) - 1;
        if (!byte) continue;
        seen += (size_t)__builtin_popcount(byte);
        const __m256i take =
            _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32((int)byte), bit), bit);
        const __m256 v = _mm256_maskload_ps(x + i, take); /* 0 where not taken */
        const __m256d a = _mm256_cvtps_pd(_mm256_castps256_ps128(v)),
                      b = _mm256_cvtps_pd(_mm256_extractf128_ps(v, 1));
        low = _mm256_add_pd(low, a);
        high = _mm256_add_pd(high, b);
        low2 = _mm256_add_pd(low2, _mm256_mul_pd(a, a));
        high2 = _mm256_add_pd(high2, _mm256_mul_pd(b, b));
    }
    double lane[4];
    _mm256_storeu_pd(lane, _mm256_add_pd(low, high));
    *sum = (lane[0] + lane[2]) + (lane[1] + lane[3]);
    _mm256_storeu_pd(lane, _mm256_add_pd(low2, high2));
    *sum2 = (lane[0] + lane[2]) + (lane[1] + lane[3]);
    return seen;
}
