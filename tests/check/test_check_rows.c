/* SPDX-License-Identifier: GPL-3.0-or-later */
/* scale, gradient, cross power and moments: variants against the definition, the definition by
 * hand. */
#include "check/guarded.h"

static void rows_agree(const tally_kernels *k, tally_rng *rng, size_t n, int how, int end)
{
    const tally_kernels *scalar = tally_kernels_select(0);
    guarded in[3], out[2], valid = guarded_open((n + 63) / 64 * 8, end);
    double sum[4];

    for (int i = 0; i < 3; i++) {
        in[i] = guarded_open(n * 4, end);
        for (size_t j = 0; j < n; j++)
            ((float *)in[i].at)[j] = nasty(rng, how);
    }
    for (int i = 0; i < 2; i++)
        out[i] = guarded_open(n * 4, end);
    scalar->scale_f32(in[0].at, 1.7f, -3.0f, n, out[0].at);
    k->scale_f32(in[0].at, 1.7f, -3.0f, n, out[1].at);
    assert_true(same_floats(out[0].at, out[1].at, n));
    scalar->gradient_f32(in[0].at, in[1].at, in[2].at, n, out[0].at);
    k->gradient_f32(in[0].at, in[1].at, in[2].at, n, out[1].at);
    assert_true(same_floats(out[0].at, out[1].at, n));
    scalar->cross_power_f32(in[0].at, in[1].at, n / 2, out[0].at);
    k->cross_power_f32(in[0].at, in[1].at, n / 2, out[1].at);
    assert_true(same_floats(out[0].at, out[1].at, n / 2 * 2));
    random_bits(rng, valid.at, n, n % 3 ? 12 : 16);
    assert_int_equal(scalar->moments_f32(in[0].at, valid.at, n, &sum[0], &sum[1]),
                     k->moments_f32(in[0].at, valid.at, n, &sum[2], &sum[3]));
    for (int i = 0; i < 2; i++)
        assert_true((sum[i] != sum[i] && sum[i + 2] != sum[i + 2]) ||
                    memcmp(&sum[i], &sum[i + 2], 8) == 0);
    for (int i = 0; i < 3; i++)
        guarded_close(&in[i]);
    for (int i = 0; i < 2; i++)
        guarded_close(&out[i]);
    guarded_close(&valid);
}

static void variants_agree(void **state)
{
    const tally_kernels *table[3];
    const int n_tables = variants(table);
    tally_rng rng = { 1234 };

    (void)state;
    for (int t = 0; t < n_tables; t++) {
        for (int l = 0; l < LENGTHS; l++) {
            for (int how = 0; how < 3; how++)
                rows_agree(table[t], &rng, length_of(l), how, (l + how) % 2);
        }
    }
}

static void by_hand(void **state)
{
    const tally_kernels *k = tally_kernels_select(0);
    const float above[4] = { 0, 0, 0, 0 }, middle[4] = { 1, 4, 7, 100 }, below[4] = { 0, 8, 0, 0 };
    const float a[4] = { 3, 4, 0, 0 }, b[4] = { 6, 8, 1, 1 };
    const uint64_t valid = 0x7;
    float out[4];
    double sum, sum2;

    (void)state;
    k->gradient_f32(above, middle, below, 4, out);
    assert_float_equal(out[0], 0, 0);
    assert_float_equal(out[1], 5, 0); /* 3, 4, 5 */
    assert_float_equal(out[3], 0, 0);
    k->cross_power_f32(a, b, 2, out);
    assert_float_equal(out[0], 1, 0); /* same phase */
    assert_float_equal(out[1], 0, 0);
    assert_float_equal(out[2], 0, 0); /* no power, no phase, no NaN */
    assert_int_equal(k->moments_f32(middle, &valid, 4, &sum, &sum2), 3);
    assert_true(sum == 12.0 && sum2 == 66.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(by_hand),
                                        cmocka_unit_test(variants_agree) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
