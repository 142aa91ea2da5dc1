/* SPDX-License-Identifier: GPL-3.0-or-later */
/* diff_bits_*: every variant against the scalar definition, and the definition against numbers
 * worked out by hand. */
#include "check/guarded.h"

enum { BANDS = 8 };

typedef struct inputs {
    guarded x[BANDS], median[BANDS], inverse[BANDS], valid;
    const float *f[BANDS], *m[BANDS], *s[BANDS];
    const uint16_t *u16[BANDS];
    const uint8_t *u8[BANDS];
    float gain[BANDS], offset[BANDS];
} inputs;

static void fill(inputs *in, tally_rng *rng, size_t n, size_t element, int how, int end,
                 unsigned density)
{
    for (int b = 0; b < BANDS; b++) {
        in->x[b] = guarded_open(n * element, end);
        in->median[b] = guarded_open(n * sizeof(float), end);
        in->inverse[b] = guarded_open(n * sizeof(float), end);
        for (size_t i = 0; i < n; i++) {
            if (element == sizeof(float)) ((float *)in->x[b].at)[i] = nasty(rng, how);
            if (element == 2) ((uint16_t *)in->x[b].at)[i] = (uint16_t)tally_rng_next(rng);
            if (element == 1) ((uint8_t *)in->x[b].at)[i] = (uint8_t)tally_rng_next(rng);
            ((float *)in->median[b].at)[i] = nasty(rng, how);
            ((float *)in->inverse[b].at)[i] = how == 2 ? nasty(rng, 2) : 0.02f;
        }
        in->f[b] = in->x[b].at;
        in->u16[b] = in->x[b].at;
        in->u8[b] = in->x[b].at;
        in->m[b] = in->median[b].at;
        in->s[b] = in->inverse[b].at;
        in->gain[b] = 0.5f + 0.1f * (float)b;
        in->offset[b] = (float)b - 3.0f;
    }
    in->valid = guarded_open((n + 63) / 64 * 8, end);
    random_bits(rng, in->valid.at, n, density);
}

static void drop(inputs *in)
{
    for (int b = 0; b < BANDS; b++) {
        guarded_close(&in->x[b]);
        guarded_close(&in->median[b]);
        guarded_close(&in->inverse[b]);
    }
    guarded_close(&in->valid);
}

static void run(const tally_kernels *k, const inputs *in, size_t element, int bands, size_t n,
                uint64_t *above, uint64_t *bright, float *score)
{
    const uint64_t *valid = in->valid.at;

    if (element == 4)
        k->diff_bits_f32(in->f, in->m, in->s, bands, valid, 3.0f, n, above, bright, score);
    if (element == 2)
        k->diff_bits_u16(in->u16, in->gain, in->offset, in->m, in->s, bands, valid, 3.0f, n, above,
                         bright, score);
    if (element == 1)
        k->diff_bits_u8(in->u8, in->gain, in->offset, in->m, in->s, bands, valid, 3.0f, n, above,
                        bright, score);
}

static void compare(const tally_kernels *k, const inputs *in, size_t element, int bands, size_t n,
                    int end)
{
    const size_t bytes = (n + 63) / 64 * 8;
    guarded above[2] = { guarded_open(bytes, end), guarded_open(bytes, end) };
    guarded bright[2] = { guarded_open(bytes, end), guarded_open(bytes, end) };
    guarded score[2] = { guarded_open(n * 4, end), guarded_open(n * 4, end) };

    run(tally_kernels_select(0), in, element, bands, n, above[0].at, bright[0].at, score[0].at);
    run(k, in, element, bands, n, above[1].at, bright[1].at, score[1].at);
    assert_memory_equal(above[0].at, above[1].at, bytes);
    assert_memory_equal(bright[0].at, bright[1].at, bytes);
    assert_true(same_floats(score[0].at, score[1].at, n));
    run(k, in, element, bands, n, above[1].at, bright[1].at, NULL);
    assert_memory_equal(above[0].at, above[1].at, bytes);
    for (int i = 0; i < 2; i++) {
        guarded_close(&above[i]);
        guarded_close(&bright[i]);
        guarded_close(&score[i]);
    }
}

static void variants_agree(void **state)
{
    static const unsigned densities[] = { 0, 3, 15, 16 };
    const tally_kernels *table[3];
    const int n_tables = variants(table);
    tally_rng rng = { 20240131 };

    (void)state;
    for (int t = 0; t < n_tables; t++) {
        for (int l = 0; l < LENGTHS; l++) {
            for (size_t element = 1; element <= 4; element *= 2) {
                const size_t n = length_of(l);
                const int how = (int)(tally_rng_next(&rng) % 3);
                inputs in;
                fill(&in, &rng, n, element, how, l % 2, densities[(l + (int)element) % 4]);
                compare(table[t], &in, element, 1 + l % BANDS, n, l % 2);
                drop(&in);
            }
        }
    }
}

static void by_hand(void **state)
{
    const float a[] = { 10, 14, 6, 20, 10 }, b[] = { 5, 5, 5, 5, 5 },
                zero[5] = { 10, 10, 10, 10, 10 };
    const float five[5] = { 5, 5, 5, 5, 6 }, half[5] = { .5f, .5f, .5f, .5f, .5f };
    const float *x[] = { a, b }, *m[] = { zero, five }, *s[] = { half, half };
    const uint64_t valid = 0x17; /* the fourth is not seen */
    uint64_t above, bright;
    float score[5];

    (void)state;
    tally_kernels_select(0)->diff_bits_f32(x, m, s, 2, &valid, 3.9f, 5, &above, &bright, score);
    assert_int_equal(above, 0x6);
    assert_int_equal(bright, 0x2);
    const float expected[5] = { 0.0f, 4.0f, 4.0f, 0.0f, 0.25f };
    for (int i = 0; i < 5; i++)
        assert_float_equal(score[i], expected[i], 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(by_hand),
                                        cmocka_unit_test(variants_agree) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
