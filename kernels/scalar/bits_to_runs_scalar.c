/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Runs of set bits: count trailing zeros to the next start, trailing ones to its end. */
#include "kernels/variants.h"

size_t tally_bits_to_runs_scalar(const uint64_t *bits, size_t n, int32_t y, tally_span *runs)
{
    const size_t words = (n + 63) / 64;
    size_t n_runs = 0;
    int open = 0; /* the last run reaches the end of the word before */

    for (size_t j = 0; j < words; j++) {
        uint64_t word = bits[j];
        const int32_t base = (int32_t)(64 * j);
        int at = 0;

        if (j == words - 1 && n % 64) word &= (UINT64_C(1) << n % 64) - 1;
        if (open) {
            const int ones = word == UINT64_MAX ? 64 : __builtin_ctzll(~word);
            runs[n_runs - 1].x1 = base + ones;
            if (ones == 64) continue;
            open = 0;
            at = ones;
        }
        while (at < 64 && word >> at) {
            const int start = at + __builtin_ctzll(word >> at);
            const uint64_t rest = ~(word >> start);
            const int end = start + (rest ? __builtin_ctzll(rest) : 64);
            runs[n_runs++] = (tally_span) { .y = y, .x0 = base + start, .x1 = base + end };
            open = end == 64;
            at = end;
        }
    }
    return n_runs;
}
