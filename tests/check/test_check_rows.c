/* SPDX-License-Identifier: GPL-3.0-or-later */
/* scale, gradient, direction, cross power and moments: variants against the definition, the
 * definition by hand. */
#include "check/guarded.h"

static void rows_agree(const tally_kernels *k, tally_rng *rng, size_t n, int how, int end)
{
    const tally_kernels *scalar = tally_kernels_select(0);
    guarded in[3], out[2], more[4], valid = guarded_open((n + 63) / 64 * 8, end);
    double sum[4];

    for (int i = 0; i < 3; i++) {
        in[i] = guarded_open(n * 4, end);
        for (size_t j = 0; j < n; j++)
            ((float *)in[i].at)[j] = nasty(rng, how);
    }
    for (int i = 0; i < 2; i++)
        out[i] = guarded_open(n * 4, end);
    for (int i = 0; i < 4; i++) {
        more[i] = guarded_open(n * 4, end);
        memset(more[i].at, 0, n * 4);
    }
    scalar->scale_f32(in[0].at, 1.7f, -3.0f, n, out[0].at);
    k->scale_f32(in[0].at, 1.7f, -3.0f, n, out[1].at);
    assert_true(same_floats(out[0].at, out[1].at, n));
    scalar->gradient_f32(in[0].at, in[1].at, in[2].at, n, out[0].at);
    k->gradient_f32(in[0].at, in[1].at, in[2].at, n, out[1].at);
    assert_true(same_floats(out[0].at, out[1].at, n));
    scalar->direction_f32(in[0].at, in[1].at, in[2].at, n, 0.3f, more[0].at, more[1].at);
    k->direction_f32(in[0].at, in[1].at, in[2].at, n, 0.3f, more[2].at, more[3].at);
    assert_true(same_floats(more[0].at, more[2].at, n));
    assert_true(same_floats(more[1].at, more[3].at, n));
    memcpy(out[1].at, out[0].at, n * 4); /* both add to the same */
    scalar->cross_power_f32(in[0].at, in[1].at, n / 2, out[0].at, more[0].at, more[1].at);
    k->cross_power_f32(in[0].at, in[1].at, n / 2, out[1].at, more[2].at, more[3].at);
    assert_true(same_floats(out[0].at, out[1].at, n / 2 * 2));
    assert_true(same_floats(more[0].at, more[2].at, n / 2 * 2));
    assert_true(same_floats(more[1].at, more[3].at, n / 2 * 2));
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
    for (int i = 0; i < 4; i++)
        guarded_close(&more[i]);
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
    float x[4] = { 0 }, y[4] = { 0 }, power_a[4] = { 0 }, power_b[4] = { 1, 1, 1, 1 };
    k->direction_f32(above, middle, below, 4, 1, x, y);
    assert_float_equal(x[1], 0.6f, 0); /* 3, 4, 5 */
    assert_float_equal(y[1], 0.8f, 0);
    assert_float_equal(x[0] + y[0] + x[3] + y[3], 0, 0);
    k->direction_f32(above, middle, below, 4, 10, x, y); /* too weak to have much of one */
    assert_float_equal(x[1], 0.6f + 0.3f, 0);
    memset(out, 0, sizeof out);
    k->cross_power_f32(a, b, 2, out, power_a, power_b);
    assert_float_equal(out[0], 50, 0); /* same phase */
    assert_float_equal(out[1], 0, 0);
    assert_float_equal(out[2], 0, 0);
    assert_true(power_a[0] == 25 && power_a[1] == 25 && power_a[2] == 0);
    assert_true(power_b[0] == 101 && power_b[1] == 101 && power_b[3] == 3); /* added */
    assert_int_equal(k->moments_f32(middle, &valid, 4, &sum, &sum2), 3);
    assert_true(sum == 12.0 && sum2 == 66.0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(by_hand),
                                        cmocka_unit_test(variants_agree) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
