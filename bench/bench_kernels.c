/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * bench_kernels [RUNS]: every kernel, every table that this CPU can run, three sizes of row: in the
 * first cache, in the second, in memory. Each variant's result is compared with the scalar one
 * before it is timed. CSV on standard output; the time is the median of RUNS (30) runs, the spread
 * their interquartile range over it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/base.h"
#include "kernels/kernels.h"

enum { SCENES = 16, BANDS = 4, MOST_RUNS = 1000 };

/* Inputs and outputs of every kernel; rows of n pixels. */
typedef struct rows {
    size_t n, words;
    float *in[SCENES], *out[3];
    const float *rows[SCENES];
    uint16_t *u16[BANDS];
    uint8_t *u8[BANDS], *count;
    uint64_t *valid[SCENES], *mask[2];
    const uint64_t *seen[SCENES];
    tally_span *runs;
    double sums[2];
    size_t found;
    float gain[BANDS], offset[BANDS];
} rows;

typedef struct kernel_case {
    const char *name;
    void (*run)(const tally_kernels *k, rows *r);
    double bytes; /* read and written, a pixel */
} kernel_case;

static void *need(void *memory)
{
    if (!memory) {
        fprintf(stderr, "bench_kernels: out of memory\n");
        exit(1);
    }
    return memory;
}

static void make(rows *r, size_t n)
{
    tally_rng rng = { 99 };

    *r = (rows) { .n = n, .words = (n + 63) / 64 };
    for (int s = 0; s < SCENES; s++) {
        r->in[s] = need(tally_alloc(n, sizeof(float)));
        r->valid[s] = need(tally_alloc(r->words, 8));
        for (size_t i = 0; i < n; i++)
            r->in[s][i] = 100.0f + 20.0f * (float)tally_rng_uniform(&rng);
        for (size_t i = 0; i < n; i++)
            r->valid[s][i / 64] |= (uint64_t)(tally_rng_next(&rng) % 32 > 0) << i % 64;
        r->rows[s] = r->in[s];
        r->seen[s] = r->valid[s];
    }
    for (int b = 0; b < BANDS; b++) {
        r->u16[b] = need(tally_alloc(n, 2));
        r->u8[b] = need(tally_alloc(n, 1));
        for (size_t i = 0; i < n; i++) {
            r->u16[b][i] = (uint16_t)r->in[b][i];
            r->u8[b][i] = (uint8_t)r->in[b][i];
        }
        r->gain[b] = 1.01f;
        r->offset[b] = -2.0f;
    }
    for (int i = 0; i < 3; i++)
        r->out[i] = need(tally_alloc(n + 8, sizeof(float)));
    for (int i = 0; i < 2; i++)
        r->mask[i] = need(tally_alloc(r->words, 8));
    r->count = need(tally_alloc(n, 1));
    r->runs = need(tally_alloc(n / 2 + 1, sizeof(tally_span)));
}

static void drop(rows *r)
{
    for (int s = 0; s < SCENES; s++) {
        tally_free(r->in[s]);
        tally_free(r->valid[s]);
    }
    for (int b = 0; b < BANDS; b++) {
        tally_free(r->u16[b]);
        tally_free(r->u8[b]);
    }
    for (int i = 0; i < 3; i++)
        tally_free(r->out[i]);
    for (int i = 0; i < 2; i++)
        tally_free(r->mask[i]);
    tally_free(r->count);
    tally_free(r->runs);
}

static void diff_f32(const tally_kernels *k, rows *r)
{
    k->diff_bits_f32(r->rows, r->rows + 4, r->rows + 8, BANDS, r->valid[0], 1e6f, r->n, r->mask[0],
                     r->mask[1], NULL);
}
static void diff_u16(const tally_kernels *k, rows *r)
{
    k->diff_bits_u16((const uint16_t *const *)r->u16, r->gain, r->offset, r->rows + 4, r->rows + 8,
                     BANDS, r->valid[0], 1e6f, r->n, r->mask[0], r->mask[1], NULL);
}
static void diff_u8(const tally_kernels *k, rows *r)
{
    k->diff_bits_u8((const uint8_t *const *)r->u8, r->gain, r->offset, r->rows + 4, r->rows + 8,
                    BANDS, r->valid[0], 1e6f, r->n, r->mask[0], r->mask[1], NULL);
}
static void median_mad(const tally_kernels *k, rows *r)
{
    k->median_mad_f32(r->rows, r->seen, SCENES, r->n, r->out[0], r->out[1], r->count);
}
static void mode(const tally_kernels *k, rows *r)
{
    k->mode_f32(r->rows, r->seen, SCENES, r->n, r->out[0]);
}
static void erode(const tally_kernels *k, rows *r)
{
    k->erode_row(r->valid[0], r->words, 2, r->mask[0]);
}
static void dilate(const tally_kernels *k, rows *r)
{
    k->dilate_row(r->valid[0], r->words, 2, r->mask[0]);
}
static void and_row(const tally_kernels *k, rows *r)
{
    k->and_row(r->mask[0], r->valid[1], r->words);
}
static void or_row(const tally_kernels *k, rows *r)
{
    k->or_row(r->mask[0], r->valid[1], r->words);
}
static void to_runs(const tally_kernels *k, rows *r)
{
    r->found = k->bits_to_runs(r->valid[0], r->n, 0, r->runs);
}
/* The row and its three neighbours as one image of four rows, everything valid: what a shift meets.
 */
static void gather(const tally_kernels *k, rows *r, double dx)
{
    const int width = (int)(r->n / 4);
    k->gather_f32(r->in[0], (size_t)width, 0, 1, width, 4, r->mask[1], 0, 1.25, 1.5, dx, 0.0,
                  (size_t)width - 4, r->out[0], 0, r->mask[0]);
}
static void gather_shift(const tally_kernels *k, rows *r)
{
    gather(k, r, 1.0);
}
static void gather_warp(const tally_kernels *k, rows *r)
{
    gather(k, r, 0.99);
}
static void scale(const tally_kernels *k, rows *r)
{
    k->scale_f32(r->in[0], 1.1f, 3.0f, r->n, r->out[0]);
}
static void gradient(const tally_kernels *k, rows *r)
{
    k->gradient_f32(r->in[0], r->in[1], r->in[2], r->n, r->out[0]);
}
static void direction(const tally_kernels *k, rows *r)
{
    k->direction_f32(r->in[0], r->in[1], r->in[2], r->n, 1.0f, r->out[0], r->out[1]);
}
static void cross_power(const tally_kernels *k, rows *r)
{
    k->cross_power_f32(r->in[0], r->in[1], r->n / 2, r->out[0], r->out[1], r->out[2]);
}
static void moments(const tally_kernels *k, rows *r)
{
    r->found = k->moments_f32(r->in[0], r->valid[0], r->n, &r->sums[0], &r->sums[1]);
}

static const kernel_case cases[] = {
    { "diff_bits_f32 x4", diff_f32, 48.4 },
    { "diff_bits_u16 x4", diff_u16, 40.4 },
    { "diff_bits_u8 x4", diff_u8, 36.4 },
    { "median_mad x16", median_mad, 75.0 },
    { "mode x16", mode, 70.0 },
    { "erode_row r2", erode, 0.25 },
    { "dilate_row r2", dilate, 0.25 },
    { "and_row", and_row, 0.375 },
    { "or_row", or_row, 0.375 },
    { "bits_to_runs", to_runs, 0.5 },
    { "gather shift", gather_shift, 2.0 },
    { "gather warp", gather_warp, 2.0 },
    { "scale_f32", scale, 8.0 },
    { "gradient_f32", gradient, 16.0 },
    { "direction_f32", direction, 28.0 },
    { "cross_power_f32", cross_power, 32.0 },
    { "moments_f32", moments, 4.125 },
};
enum { CASES = sizeof cases / sizeof *cases };

static double seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Seconds a call, the median; *spread the interquartile range over it. */
static double measure(const kernel_case *c, const tally_kernels *k, rows *r, int runs,
                      double *spread)
{
    double times[MOST_RUNS];
    const int calls = r->n > 100000 ? 1 : (int)(400000 / r->n); /* long enough for the clock */

    for (int i = 0; i < runs; i++) {
        const double start = seconds();
        for (int call = 0; call < calls; call++)
            c->run(k, r);
        times[i] = (seconds() - start) / calls;
    }
    qsort(times, (size_t)runs, sizeof *times, ascending);
    *spread = (times[3 * runs / 4] - times[runs / 4]) / times[runs / 2];
    return times[runs / 2];
}

static void clear(rows *r)
{
    for (int i = 0; i < 3; i++)
        memset(r->out[i], 0, r->n * sizeof(float));
    memset(r->mask[0], 0, r->words * 8);
    memset(r->mask[1], 0xFF, r->words * 8);
    memset(r->count, 0, r->n);
    r->found = 0;
    r->sums[0] = r->sums[1] = 0.0;
}

/* One hash of all outputs. */
static void digest(rows *r, char out[65])
{
    char all[8][65];

    for (int i = 0; i < 3; i++)
        tally_sha256(r->out[i], r->n * sizeof(float), all[i]);
    for (int i = 0; i < 2; i++)
        tally_sha256(r->mask[i], r->words * 8, all[3 + i]);
    tally_sha256(r->count, r->n, all[5]);
    tally_sha256(r->runs, r->found <= r->n / 2 ? r->found * sizeof(tally_span) : 0, all[6]);
    tally_sha256(r->sums, sizeof r->sums, all[7]);
    tally_sha256(all, sizeof all, out);
}

int main(int argc, char **argv)
{
    static const size_t sizes[] = { 1024, 16384, 1048576 };
    static const char *const names[] = { "scalar", "avx2", "avx512", "neon" };
    const int runs = argc > 1 ? atoi(argv[1]) : 30;

    if (runs < 4 || runs > MOST_RUNS) {
        fprintf(stderr, "bench_kernels: RUNS wants 4 to %d\n", MOST_RUNS);
        return 2;
    }
    printf("# compiler %s, flags and commit: see the build folder; %d runs\n", __VERSION__, runs);
    printf("kernel,variant,pixels,ns_per_px,gb_per_s,speed_up,spread\n");
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        rows r;
        make(&r, sizes[s]);
        for (int c = 0; c < CASES; c++) {
            char expected[65] = "";
            double scalar = 0.0;
            for (int v = 0; v < 4; v++) {
                const tally_kernels *k;
                char got[65];
                double spread;
                if (tally_kernels_for(names[v], &k, NULL) != TALLY_OK) continue;
                clear(&r);
                cases[c].run(k, &r);
                digest(&r, v == 0 ? expected : got);
                if (v > 0 && strcmp(expected, got) != 0) {
                    fprintf(stderr, "bench_kernels: %s, %s: not what scalar gives\n", cases[c].name,
                            names[v]);
                    return 1;
                }
                const double t = measure(&cases[c], k, &r, runs, &spread), n = (double)r.n;
                if (v == 0) scalar = t;
                printf("%s,%s,%zu,%.4f,%.2f,%.2f,%.2f\n", cases[c].name, names[v], r.n, 1e9 * t / n,
                       cases[c].bytes * n / t / 1e9, scalar / t, spread);
            }
        }
        drop(&r);
    }
    return 0;
}
