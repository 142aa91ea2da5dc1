/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Along a row with whole steps (a plain shift, the common case) the weights never change, and eight
 * pixels share each load. All else goes through the scalar definition: four loads of four pixels
 * each were tried and did not pay.
 */
#include <immintrin.h>
#include <math.h>
#include <string.h>

#include "kernels/variants.h"

/* Are the 11 pixels under eight cubic neighbourhoods all valid? */
static inline int eleven_valid(const uint64_t *row, int x0)
{
    const size_t word = (size_t)x0 >> 6;
    const int shift = x0 & 63;
    uint64_t bits = row[word] >> shift;

    if (shift > 53) bits |= row[word + 1] << (64 - shift);
    return (bits & 2047) == 2047;
}

static inline void cubic_weights(float t, float w[4])
{
    w[0] = t * (-0.5f + t * (1.0f - 0.5f * t));
    w[1] = 1.0f + t * t * (-2.5f + 1.5f * t);
    w[2] = t * (0.5f + t * (2.0f - 1.5f * t));
    w[3] = t * t * (-0.5f + 0.5f * t);
}

static inline __m256 column8(const float *at, size_t stride, const float w[4])
{
    __m256 c = _mm256_mul_ps(_mm256_set1_ps(w[0]), _mm256_loadu_ps(at));
    c = _mm256_add_ps(c, _mm256_mul_ps(_mm256_set1_ps(w[1]), _mm256_loadu_ps(at + stride)));
    c = _mm256_add_ps(c, _mm256_mul_ps(_mm256_set1_ps(w[2]), _mm256_loadu_ps(at + 2 * stride)));
    return _mm256_add_ps(c, _mm256_mul_ps(_mm256_set1_ps(w[3]), _mm256_loadu_ps(at + 3 * stride)));
}

static inline __m256 cubic8(const float *at, size_t stride, const float wx[4], const float wy[4])
{
    const __m256 p0 = _mm256_mul_ps(_mm256_set1_ps(wx[0]), column8(at, stride, wy));
    const __m256 p1 = _mm256_mul_ps(_mm256_set1_ps(wx[1]), column8(at + 1, stride, wy));
    const __m256 p2 = _mm256_mul_ps(_mm256_set1_ps(wx[2]), column8(at + 2, stride, wy));
    const __m256 p3 = _mm256_mul_ps(_mm256_set1_ps(wx[3]), column8(at + 3, stride, wy));
    return _mm256_add_ps(_mm256_add_ps(p0, p1), _mm256_add_ps(p2, p3));
}

/* Whole steps from a place whose fraction has few enough bits that x + i is exact: one fraction for
 * the whole row. */
static int is_shift(double x, double y, double dx, double dy)
{
    const double limit = 1073741824.0; /* 2^30: 22 bits are left for the fraction */
    return dx == 1.0 && dy == 0.0 && fabs(x) < limit && fabs(y) < limit &&
           x * 1048576.0 == floor(x * 1048576.0);
}

void tally_gather_f32_avx2(const float *src, size_t stride, size_t plane, int bands, int width,
                           int height, const uint64_t *valid, size_t words, double x, double y,
                           double dx, double dy, size_t n, float *dst, size_t dst_plane,
                           uint64_t *dst_valid)
{
    if (!is_shift(x, y, dx, dy)) {
        tally_gather_f32_scalar(src, stride, plane, bands, width, height, valid, words, x, y, dx,
                                dy, n, dst, dst_plane, dst_valid);
        return;
    }
    const int iy =
        y >= 1.0 && y < (double)height - 2.0 ? (int)y : 0; /* 0: no eight at once on this row */

    memset(dst_valid, 0, (n + 63) / 64 * sizeof *dst_valid);
    for (size_t i = 0; i < n;) {
        const double px = x + (double)i;
        const int ix = px >= 1.0 && px < (double)width - 9.0 ? (int)px : 0;

        if (iy && ix && i + 8 <= n) {
            const uint64_t *row = valid + (size_t)(iy - 1) * words;
            if (eleven_valid(row, ix - 1) && eleven_valid(row + words, ix - 1) &&
                eleven_valid(row + 2 * words, ix - 1) && eleven_valid(row + 3 * words, ix - 1)) {
                const float *at = src + (size_t)(iy - 1) * stride + (size_t)(ix - 1);
                float wx[4], wy[4];
                cubic_weights((float)(px - ix), wx);
                cubic_weights((float)(y - iy), wy);
                for (int b = 0; b < bands; b++)
                    _mm256_storeu_ps(dst + (size_t)b * dst_plane + i,
                                     cubic8(at + (size_t)b * plane, stride, wx, wy));
                dst_valid[i >> 6] |= UINT64_C(255) << (i & 63);
                if ((i & 63) > 56) dst_valid[(i >> 6) + 1] |= UINT64_C(255) >> (64 - (i & 63));
                i += 8;
                continue;
            }
        }
        uint64_t bit = 0;
        tally_gather_f32_scalar(src, stride, plane, bands, width, height, valid, words, px, y, dx,
                                dy, 1, dst + i, dst_plane, &bit);
        dst_valid[i >> 6] |= (bit & 1) << (i & 63);
        i++;
    }
}
