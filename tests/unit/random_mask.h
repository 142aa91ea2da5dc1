/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Masks for the labelling and morphology tests: clumps of several sizes, and plain noise. Compiles
 * as C and C++. */
#ifndef TALLY_TESTS_RANDOM_MASK_H
#define TALLY_TESTS_RANDOM_MASK_H

#ifdef __cplusplus
extern "C" {
#endif
#include "base/patch.h"
#ifdef __cplusplus
}
#endif

static inline void random_mask(tally_rng *rng, tally_bits *bits, unsigned sixteenths, int clumps)
{
    for (int y = 0; y < bits->height; y++) {
        for (int x = 0; x < bits->width; x++) {
            if (tally_rng_next(rng) % 16 < sixteenths) tally_bits_set(bits, x, y);
        }
    }
    for (int c = 0; c < clumps && bits->width > 0 && bits->height > 0; c++) {
        const int x0 = (int)(tally_rng_next(rng) % (unsigned)bits->width);
        const int y0 = (int)(tally_rng_next(rng) % (unsigned)bits->height);
        for (int y = y0; y < y0 + 5 && y < bits->height; y++) {
            for (int x = x0; x < x0 + 9 && x < bits->width; x++)
                tally_bits_set(bits, x, y);
        }
    }
}

#endif
