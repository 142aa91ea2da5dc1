/* SPDX-License-Identifier: GPL-3.0-or-later */
/* median_mad and mode over scenes: every variant against the definition, the definition against
 * qsort and by hand. */
#include <math.h>

#include "check/guarded.h"

typedef struct stack {
    guarded rows[TALLY_MEDIAN_MAX], valid[TALLY_MEDIAN_MAX];
    const float *row[TALLY_MEDIAN_MAX];
    const uint64_t *seen[TALLY_MEDIAN_MAX];
    int k;
} stack;

static void fill(stack *s, tally_rng *rng, int k, size_t n, int how, int end, unsigned density)
{
    s->k = k;
    for (int i = 0; i < k; i++) {
        s->rows[i] = guarded_open(n * sizeof(float), end);
        s->valid[i] = guarded_open((n + 63) / 64 * 8, end);
        for (size_t j = 0; j < n; j++)
            ((float *)s->rows[i].at)[j] = nasty(rng, how);
        random_bits(rng, s->valid[i].at, n, density);
        s->row[i] = s->rows[i].at;
        s->seen[i] = s->valid[i].at;
    }
}

static void drop(stack *s)
{
    for (int i = 0; i < s->k; i++) {
        guarded_close(&s->rows[i]);
        guarded_close(&s->valid[i]);
    }
}

static void compare(const tally_kernels *k, const stack *s, size_t n, int end)
{
    const tally_kernels *scalar = tally_kernels_select(0);
    guarded f[6], c[2];

    for (int i = 0; i < 6; i++)
        f[i] = guarded_open(n * sizeof(float), end);
    for (int i = 0; i < 2; i++)
        c[i] = guarded_open(n, end);
    scalar->median_mad_f32(s->row, s->seen, s->k, n, f[0].at, f[1].at, c[0].at);
    k->median_mad_f32(s->row, s->seen, s->k, n, f[2].at, f[3].at, c[1].at);
    assert_true(same_floats(f[0].at, f[2].at, n));
    assert_true(same_floats(f[1].at, f[3].at, n));
    assert_memory_equal(c[0].at, c[1].at, n);
    scalar->mode_f32(s->row, s->seen, s->k, n, f[4].at);
    k->mode_f32(s->row, s->seen, s->k, n, f[5].at);
    assert_true(same_floats(f[4].at, f[5].at, n));
    for (int i = 0; i < 6; i++)
        guarded_close(&f[i]);
    for (int i = 0; i < 2; i++)
        guarded_close(&c[i]);
}

static void variants_agree(void **state)
{
    const tally_kernels *table[3];
    const int n_tables = variants(table);
    tally_rng rng = { 77 };

    (void)state;
    for (int t = 0; t < n_tables; t++) {
        for (int k = 0; k <= TALLY_MEDIAN_MAX; k++) {
            for (int how = 0; how < 3; how++) {
                const size_t n = length_of((int)(tally_rng_next(&rng) % 90));
                static const unsigned densities[] = { 0, 2, 14, 16 };
                stack s;
                fill(&s, &rng, k, n, how, k % 2, densities[(k + how) % 4]);
                compare(table[t], &s, n, k % 2);
                drop(&s);
            }
        }
        for (int l = 0; l < LENGTHS; l++) {
            stack s;
            fill(&s, &rng, 5, length_of(l), l % 3, l % 2, 13);
            compare(table[t], &s, length_of(l), l % 2);
            drop(&s);
        }
    }
}

static int ascending(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double middle(double *v, int n)
{
    qsort(v, (size_t)n, sizeof *v, ascending);
    return 0.5 * (v[(n - 1) / 2] + v[n / 2]);
}

static void against_qsort(void **state)
{
    enum { K = 11, N = 300 };
    tally_rng rng = { 5 };
    stack s;
    float median[N], mad[N];
    uint8_t count[N];

    (void)state;
    fill(&s, &rng, K, N, 0, 1, 9);
    tally_kernels_select(0)->median_mad_f32(s.row, s.seen, K, N, median, mad, count);
    for (int i = 0; i < N; i++) {
        double v[K];
        int n = 0;
        for (int j = 0; j < K; j++) {
            if (s.seen[j][i / 64] >> (i % 64) & 1) v[n++] = (double)s.row[j][i];
        }
        assert_int_equal(count[i], n);
        if (n == 0) continue;
        const double m = middle(v, n);
        assert_float_equal(median[i], m, 1e-4);
        for (int j = 0; j < n; j++)
            v[j] = fabs(v[j] - m);
        assert_float_equal(mad[i], middle(v, n), 1e-4);
    }
    drop(&s);
}

/* A place covered on four of nine dates by things of differing brightness: the mode is the ground,
 * the median is not far, and with six of nine covered only the mode still is. */
static void mode_by_hand(void **state)
{
    const float v[9] = { 100, 101, 99, 160, 210, 140, 255, 180, 120 };
    const float *rows[9];
    const uint64_t *seen[9], one = 1;
    float mode, median, mad;
    uint8_t count;

    (void)state;
    for (int i = 0; i < 9; i++) {
        rows[i] = &v[i];
        seen[i] = &one;
    }
    tally_kernels_select(0)->mode_f32(rows, seen, 9, 1, &mode);
    tally_kernels_select(0)->median_mad_f32(rows, seen, 9, 1, &median, &mad, &count);
    assert_float_equal(mode, 100.0f, 0);
    assert_float_equal(median, 140.0f, 0);
    assert_float_equal(mad, 40.0f, 0);
    assert_int_equal(count, 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(mode_by_hand),
                                        cmocka_unit_test(against_qsort),
                                        cmocka_unit_test(variants_agree) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
