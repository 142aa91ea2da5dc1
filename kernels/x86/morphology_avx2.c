/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Four words at a time; their neighbours by loads that are off by one word. The first and the last
 * words go one by one. */
#include <immintrin.h>

#include "kernels/variants.h"

static inline __m256i load(const uint64_t *at)
{
    return _mm256_loadu_si256((const __m256i *)at);
}

static uint64_t word(const uint64_t *src, size_t words, size_t j, int r, int grow)
{
    const uint64_t before = j > 0 ? src[j - 1] : 0, here = src[j],
                   after = j + 1 < words ? src[j + 1] : 0;
    uint64_t out = here;

    for (int s = 1; s <= r; s++) {
        const uint64_t left = here << s | before >> (64 - s), right = here >> s | after << (64 - s);
        out = grow ? out | left | right : out & left & right;
    }
    return out;
}

static inline __attribute__((always_inline)) void pass(const uint64_t *src, size_t words, int r,
                                                       uint64_t *dst, int grow)
{
    size_t j = 0;

    if (words > 0) dst[0] = word(src, words, 0, r, grow);
    for (j = 1; j + 5 <= words; j += 4) {
        const __m256i before = load(src + j - 1), here = load(src + j), after = load(src + j + 1);
        __m256i out = here;
        for (int s = 1; s <= r; s++) {
            const __m128i by = _mm_cvtsi32_si128(s), rest = _mm_cvtsi32_si128(64 - s);
            const __m256i left =
                _mm256_or_si256(_mm256_sll_epi64(here, by), _mm256_srl_epi64(before, rest));
            const __m256i right =
                _mm256_or_si256(_mm256_srl_epi64(here, by), _mm256_sll_epi64(after, rest));
            out = grow ? _mm256_or_si256(out, _mm256_or_si256(left, right))
                       : _mm256_and_si256(out, _mm256_and_si256(left, right));
        }
        _mm256_storeu_si256((__m256i *)(dst + j), out);
    }
    for (; j < words; j++)
        dst[j] = word(src, words, j, r, grow);
}

void tally_erode_row_avx2(const uint64_t *src, size_t words, int r, uint64_t *dst)
{
    pass(src, words, r, dst, 0);
}

void tally_dilate_row_avx2(const uint64_t *src, size_t words, int r, uint64_t *dst)
{
    pass(src, words, r, dst, 1);
}

void tally_and_row_avx2(uint64_t *dst, const uint64_t *src, size_t words)
{
    size_t j = 0;

    for (; j + 4 <= words; j += 4)
        _mm256_storeu_si256((__m256i *)(dst + j), _mm256_and_si256(load(dst + j), load(src + j)));
    for (; j < words; j++)
        dst[j] &= src[j];
}

void tally_or_row_avx2(uint64_t *dst, const uint64_t *src, size_t words)
{
    size_t j = 0;

    for (; j + 4 <= words; j += 4)
        _mm256_storeu_si256((__m256i *)(dst + j), _mm256_or_si256(load(dst + j), load(src + j)));
    for (; j < words; j++)
        dst[j] |= src[j];
}
