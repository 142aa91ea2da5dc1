/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Packed-bit morphology: 64 pixels a word, neighbours by shifts across the word's borders. */
#include "kernels/variants.h"

void tally_erode_row_scalar(const uint64_t *src, size_t words, int r, uint64_t *dst)
{
    for (size_t j = 0; j < words; j++) {
        const uint64_t before = j > 0 ? src[j - 1] : 0, here = src[j],
                       after = j + 1 < words ? src[j + 1] : 0;
        uint64_t kept = here;
        for (int s = 1; s <= r; s++)
            kept &= (here << s | before >> (64 - s)) & (here >> s | after << (64 - s));
        dst[j] = kept;
    }
}

void tally_dilate_row_scalar(const uint64_t *src, size_t words, int r, uint64_t *dst)
{
    for (size_t j = 0; j < words; j++) {
        const uint64_t before = j > 0 ? src[j - 1] : 0, here = src[j],
                       after = j + 1 < words ? src[j + 1] : 0;
        uint64_t grown = here;
        for (int s = 1; s <= r; s++)
            grown |= here << s | before >> (64 - s) | here >> s | after << (64 - s);
        dst[j] = grown;
    }
}

void tally_and_row_scalar(uint64_t *dst, const uint64_t *src, size_t words)
{
    for (size_t j = 0; j < words; j++)
        dst[j] &= src[j];
}

void tally_or_row_scalar(uint64_t *dst, const uint64_t *src, size_t words)
{
    for (size_t j = 0; j < words; j++)
        dst[j] |= src[j];
}
