/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Buffers between guard pages, nasty numbers, and the list of kernel tables that this CPU can run.
 */
#ifndef TALLY_TESTS_GUARDED_H
#define TALLY_TESTS_GUARDED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/base.h"
#include "kernels/kernels.h"

typedef struct guarded {
    char *map;
    size_t mapped;
    void *at;
} guarded;

/* size bytes that touch the guard page behind them (end != 0) or the one before them, filled with
 * rubbish. */
static inline guarded guarded_open(size_t size, int end)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), body = (size / page + 1) * page;
    guarded g = { .mapped = body + 2 * page };

    g.map = mmap(NULL, g.mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(g.map != MAP_FAILED);
    assert_int_equal(mprotect(g.map, page, PROT_NONE), 0);
    assert_int_equal(mprotect(g.map + page + body, page, PROT_NONE), 0);
    g.at = end ? g.map + page + body - size : g.map + page;
    memset(g.map + page, 0xA5, body);
    return g;
}

static inline void guarded_close(guarded *g)
{
    munmap(g->map, g->mapped);
    g->at = NULL;
}

/* How nasty: 0 plain noise, 1 small whole numbers with ties, 2 everything that IEEE 754 has. */
static inline float nasty(tally_rng *rng, int how)
{
    static const float specials[] = {
        0.0f,   -0.0f,  1e-40f, -1e-42f,          3.4e38f,           -3.4e38f,
        1e-30f, -1e19f, 1.0f,   __builtin_inff(), -__builtin_inff(), __builtin_nanf("")
    };
    if (how == 1) return (float)(tally_rng_next(rng) % 7);
    if (how == 2 && tally_rng_next(rng) % 3 == 0)
        return specials[tally_rng_next(rng) % (sizeof specials / sizeof *specials)];
    return (float)tally_rng_normal(rng) * 50.0f + 100.0f;
}

/* n bits, bits past n zero; density in 1/16: 0 none, 16 all. */
static inline void random_bits(tally_rng *rng, uint64_t *bits, size_t n, unsigned density)
{
    memset(bits, 0, (n + 63) / 64 * 8);
    for (size_t i = 0; i < n; i++) {
        if (tally_rng_next(rng) % 16 < density) bits[i >> 6] |= UINT64_C(1) << (i & 63);
    }
}

static inline int same_floats(const float *a, const float *b, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (a[i] != a[i] && b[i] != b[i]) continue;
        if (memcmp(&a[i], &b[i], sizeof *a) != 0) {
            fprintf(stderr, "element %zu: %a against %a\n", i, (double)a[i], (double)b[i]);
            return 0;
        }
    }
    return 1;
}

/* The tables of this CPU other than the scalar one; returns how many. */
static inline int variants(const tally_kernels *out[3])
{
    const unsigned cpu = tally_cpu_flags(), levels[] = { cpu & TALLY_CPU_AVX2, cpu };
    int n = 0;

    for (int i = 0; i < 2; i++) {
        const tally_kernels *k = tally_kernels_select(levels[i]);
        if (strcmp(k->name, "scalar") != 0 && (n == 0 || out[n - 1] != k)) out[n++] = k;
    }
    return n;
}

/* Lengths 0..200 and a few large ones. */
#define LENGTHS 204
static inline size_t length_of(int i)
{
    static const size_t large[] = { 511, 4096, 10007 };
    return i <= 200 ? (size_t)i : large[i - 201];
}

#endif
