/* SPDX-License-Identifier: GPL-3.0-or-later */
/* gather_f32: variants against the definition; the definition on surfaces that each interpolation
 * must reproduce. */
#include <math.h>

#include "check/guarded.h"

typedef struct scene {
    guarded pixels, valid;
    int width, height, bands;
    size_t words;
} scene;

static scene make(tally_rng *rng, int width, int height, int bands, int how, int end,
                  unsigned density)
{
    scene s = {
        .width = width, .height = height, .bands = bands, .words = ((size_t)width + 63) / 64
    };
    const size_t n = (size_t)width * (size_t)height;

    s.pixels = guarded_open(n * (size_t)bands * sizeof(float), end);
    s.valid = guarded_open(s.words * (size_t)height * 8, end);
    for (size_t i = 0; i < n * (size_t)bands; i++)
        ((float *)s.pixels.at)[i] = nasty(rng, how);
    for (int y = 0; y < height; y++)
        random_bits(rng, (uint64_t *)s.valid.at + (size_t)y * s.words, (size_t)width, density);
    return s;
}

static void gather(const tally_kernels *k, const scene *s, const double line[4], size_t n,
                   float *dst, uint64_t *seen)
{
    const size_t w = (size_t)s->width;
    k->gather_f32(s->pixels.at, w, w * (size_t)s->height, s->bands, s->width, s->height,
                  s->valid.at, s->words, line[0], line[1], line[2], line[3], n, dst, n, seen);
}

static void variants_agree(void **state)
{
    const tally_kernels *table[3];
    const int n_tables = variants(table);
    tally_rng rng = { 4 };

    (void)state;
    for (int t = 0; t < n_tables; t++) {
        for (int round = 0; round < 3000; round++) {
            const int width = 1 + (int)(tally_rng_next(&rng) % 150),
                      height = 1 + (int)(tally_rng_next(&rng) % 12);
            const size_t n = tally_rng_next(&rng) % 201, bytes = (n + 63) / 64 * 8;
            scene s =
                make(&rng, width, height, 1 + round % 3, round % 3, round % 2, round % 5 ? 16 : 14);
            double line[4] = { tally_rng_uniform(&rng) * (width + 4) - 2,
                               tally_rng_uniform(&rng) * (height + 4) - 2, tally_rng_normal(&rng),
                               0.1 * tally_rng_normal(&rng) };
            if (round % 4 >
                0) { /* plain shifts, whole and broken, with and without a short fraction */
                line[2] = 1;
                line[3] = 0;
                if (round % 4 > 1) line[0] = floor(line[0] * 1024) / 1024;
                if (round % 4 > 2) line[1] = floor(line[1]);
            }
            if (round % 97 == 0) line[round % 2] = (double)nasty(&rng, 2);
            guarded dst[2], seen[2];
            for (int i = 0; i < 2; i++) {
                dst[i] = guarded_open(n * (size_t)s.bands * sizeof(float), 1);
                seen[i] = guarded_open(bytes, 1);
                gather(i ? table[t] : tally_kernels_select(0), &s, line, n, dst[i].at, seen[i].at);
            }
            assert_true(same_floats(dst[0].at, dst[1].at, n * (size_t)s.bands));
            assert_memory_equal(seen[0].at, seen[1].at, bytes);
            for (int i = 0; i < 2; i++) {
                guarded_close(&dst[i]);
                guarded_close(&seen[i]);
            }
            guarded_close(&s.pixels);
            guarded_close(&s.valid);
        }
    }
}

/* Catmull-Rom reproduces squares, bilinear planes; whole coordinates give the pixels themselves,
 * the last one too. */
static void definition_on_surfaces(void **state)
{
    tally_rng rng = { 1 };
    scene s = make(&rng, 20, 16, 1, 0, 1, 16);
    float *v = s.pixels.at, dst[20];
    uint64_t seen;

    (void)state;
    for (int y = 0; y < 16; y++) {
        for (int x = 0; x < 20; x++)
            v[y * 20 + x] = (float)(x * x + 3 * y);
    }
    gather(tally_kernels_select(0), &s, (double[4]) { 2.25, 4.5, 1, 0 }, 15, dst, &seen);
    assert_int_equal(seen, 0x7FFF);
    for (int i = 0; i < 15; i++)
        assert_float_equal(dst[i], (2.25 + i) * (2.25 + i) + 3 * 4.5, 1e-3);
    gather(tally_kernels_select(0), &s, (double[4]) { 0, 15, 1, 0 }, 20, dst, &seen);
    assert_int_equal(seen, 0xFFFFF);
    for (int i = 0; i < 20; i++)
        assert_float_equal(dst[i], v[15 * 20 + i], 0);
    gather(tally_kernels_select(0), &s, (double[4]) { 0.5, 0.5, 0, 1 }, 16, dst, &seen);
    assert_int_equal(seen, 0x7FFF); /* the last has no row below */
    assert_float_equal(dst[0], 2.0, 1e-6);
    ((uint64_t *)s.valid.at)[5] &= ~UINT64_C(0x400); /* (10, 5) is not seen */
    v[5 * 20 + 10] = 1e9f;                           /* and what it holds gets nowhere */
    gather(tally_kernels_select(0), &s, (double[4]) { 8.5, 5, 1, 0 }, 4, dst, &seen);
    assert_int_equal(seen, 0x9);
    assert_float_equal(dst[0], 8.5 * 8.5 + 15 + 0.25, 1e-4); /* bilinear is a quarter high on x^2 */
    assert_float_equal(dst[3], 11.5 * 11.5 + 15 + 0.25, 1e-4);
    for (int y = 3; y <= 7; y++) { /* all that a hole touches, and nothing more */
        gather(tally_kernels_select(0), &s, (double[4]) { 6.25, y + 0.25, 1, 0 }, 8, dst, &seen);
        assert_int_equal(seen, y == 4 || y == 5 ? 0xE7 : 0xFF);
        for (int i = 0; i < 8; i++) {
            const double x = 6.25 + i;
            if (seen >> i & 1) assert_float_equal(dst[i], x * x + 3 * (y + 0.25), 0.2);
        }
    }
    guarded_close(&s.pixels);
    guarded_close(&s.valid);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(definition_on_surfaces),
                                        cmocka_unit_test(variants_agree) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
