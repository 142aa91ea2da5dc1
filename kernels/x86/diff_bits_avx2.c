/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Eight pixels at a time; the comparison's sign bits are the mask. Groups without a valid pixel are
 * not even read. */
#include <immintrin.h>
#include <string.h>

#include "kernels/variants.h"

enum element { F32, U16, U8 };

/* Eight pixels of a row as floats; the last group may be short, and nothing past it may be touched.
 */
static inline __attribute__((always_inline)) __m256 load(enum element type, const void *row,
                                                         size_t i, size_t left)
{
    static const size_t size[] = { sizeof(float), sizeof(uint16_t), sizeof(uint8_t) };
    const char *at = (const char *)row + i * size[type];
    char short_group[32] = { 0 };

    if (left < 8) {
        memcpy(short_group, at, left * size[type]);
        at = short_group;
    }
    if (type == F32) return _mm256_loadu_ps((const float *)(const void *)at);
    if (type == U16)
        return _mm256_cvtepi32_ps(
            _mm256_cvtepu16_epi32(_mm_loadu_si128((const __m128i *)(const void *)at)));
    return _mm256_cvtepi32_ps(
        _mm256_cvtepu8_epi32(_mm_loadl_epi64((const __m128i *)(const void *)at)));
}

/* Bit l of the byte as a full lane l. */
static inline __m256 lanes_of(unsigned byte)
{
    const __m256i bit = _mm256_setr_epi32(1, 2, 4, 8, 16, 32, 64, 128);
    return _mm256_castsi256_ps(
        _mm256_cmpeq_epi32(_mm256_and_si256(_mm256_set1_epi32((int)byte), bit), bit));
}

static inline void store(float *to, __m256 v, size_t left)
{
    float short_group[8];

    if (left >= 8) {
        _mm256_storeu_ps(to, v);
        return;
    }
    _mm256_storeu_ps(short_group, v);
    memcpy(to, short_group, left * sizeof *to);
}

static inline __attribute__((always_inline)) void
diff(enum element type, const void *const *x, const float *gain, const float *offset,
     const float *const *median, const float *const *inv_sigma, int bands, const uint64_t *valid,
     float threshold, size_t n, uint64_t *above, uint64_t *bright, float *score)
{
    const __m256 limit = _mm256_set1_ps(threshold);

    for (size_t j = 0; 64 * j < n; j++) {
        uint64_t word_above = 0, word_bright = 0;
        for (size_t g = 0; g < 64 && 64 * j + g < n; g += 8) {
            const size_t i = 64 * j + g, left = n - i;
            unsigned seen = (unsigned)(valid[j] >> g) & 255u;
            if (left < 8) seen &= (1u << left) - 1;
            if (!seen) {
                if (score) store(score + i, _mm256_setzero_ps(), left);
                continue;
            }
            __m256 total = _mm256_setzero_ps(), sum = _mm256_setzero_ps();
            for (int b = 0; b < bands; b++) {
                __m256 v = load(type, x[b], i, left);
                if (type != F32)
                    v = _mm256_add_ps(_mm256_mul_ps(_mm256_set1_ps(gain[b]), v),
                                      _mm256_set1_ps(offset[b]));
                const __m256 z = _mm256_mul_ps(_mm256_sub_ps(v, load(F32, median[b], i, left)),
                                               load(F32, inv_sigma[b], i, left));
                total = _mm256_add_ps(total, _mm256_mul_ps(z, z));
                sum = _mm256_add_ps(sum, z);
            }
            const unsigned hit =
                (unsigned)_mm256_movemask_ps(_mm256_cmp_ps(total, limit, _CMP_GT_OQ)) & seen;
            const __m256 up = _mm256_cmp_ps(sum, _mm256_setzero_ps(), _CMP_GE_OQ);
            word_above |= (uint64_t)hit << g;
            word_bright |= (uint64_t)((unsigned)_mm256_movemask_ps(up) & hit) << g;
            if (score)
                store(score + i, seen == 255u ? total : _mm256_and_ps(total, lanes_of(seen)), left);
        }
        above[j] = word_above;
        bright[j] = word_bright;
    }
}

void tally_diff_bits_f32_avx2(const float *const *x, const float *const *median,
                              const float *const *inv_sigma, int bands, const uint64_t *valid,
                              float threshold, size_t n, uint64_t *above, uint64_t *bright,
                              float *score)
{
    diff(F32, (const void *const *)x, NULL, NULL, median, inv_sigma, bands, valid, threshold, n,
         above, bright, score);
}

void tally_diff_bits_u16_avx2(const uint16_t *const *x, const float *gain, const float *offset,
                              const float *const *median, const float *const *inv_sigma, int bands,
                              const uint64_t *valid, float threshold, size_t n, uint64_t *above,
                              uint64_t *bright, float *score)
{
    diff(U16, (const void *const *)x, gain, offset, median, inv_sigma, bands, valid, threshold, n,
         above, bright, score);
}

void tally_diff_bits_u8_avx2(const uint8_t *const *x, const float *gain, const float *offset,
                             const float *const *median, const float *const *inv_sigma, int bands,
                             const uint64_t *valid, float threshold, size_t n, uint64_t *above,
                             uint64_t *bright, float *score)
{
    diff(U8, (const void *const *)x, gain, offset, median, inv_sigma, bands, valid, threshold, n,
         above, bright, score);
}
