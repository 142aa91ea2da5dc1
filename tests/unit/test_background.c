/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Background, difference and thresholds on stacks made here; tally_stack_read below stands in for
 * the align room. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "change/background.h"
#include "kernels/kernels.h"

enum { WIDTH = 70, HEIGHT = 60, SCENES = 9 };

/* Ground 100 and 200 in two bands with noise 2; on scenes 0..3 a block of something else; (0, y)
 * never seen. */
tally_status tally_stack_read(const tally_context *ctx, const tally_stack *stack, size_t i,
                              tally_box box, tally_patch *patch, tally_error *err)
{
    const tally_status s =
        tally_patch_init(patch, tally_box_width(box), tally_box_height(box), stack->n_bands, err);

    (void)ctx;
    if (s != TALLY_OK) return s;
    for (int y = box.y0; y < box.y1; y++) {
        for (int x = box.x0; x < box.x1; x++) {
            tally_rng rng = { (uint64_t)(((size_t)y * WIDTH + (size_t)x) * SCENES + i) *
                              UINT64_C(0x9E3779B97F4A7C15) };
            tally_rng_next(&rng);
            const bool covered = i < 4 && x >= 20 && x < 40 && y >= 10 && y < 30;
            if (x == 0) continue;
            for (int b = 0; b < stack->n_bands; b++)
                tally_patch_row(patch, b, y - box.y0)[x - box.x0] =
                    (float)((covered ? 50.0 + 30.0 * (double)i : 100.0 * (b + 1)) +
                            2.0 * tally_rng_normal(&rng));
            tally_bits_set(&patch->valid, x - box.x0, y - box.y0);
        }
    }
    return TALLY_OK;
}

static tally_context context(size_t memory)
{
    return (tally_context) { .jobs = 1,
                             .max_memory = memory,
                             .kernels = tally_kernels_select(tally_cpu_flags()) };
}

static const size_t all[SCENES] = { 0, 1, 2, 3, 4, 5, 6, 7, 8 };

static void learn(size_t memory, tally_centre what, tally_patch out[3])
{
    const tally_context ctx = context(memory);
    const tally_stack stack = { .n_bands = 2 };
    const tally_background_settings settings = { .centre = what, .sigma_floor = 0.005f };
    tally_error err;

    assert_int_equal(tally_background_learn(&ctx, &stack, all, SCENES,
                                            (tally_box) { 0, 0, WIDTH, HEIGHT }, &settings, &out[0],
                                            &out[1], &out[2], &err),
                     TALLY_OK);
}

static void drop(tally_patch out[3])
{
    for (int i = 0; i < 3; i++)
        tally_patch_fini(&out[i]);
}

static void ground_comes_back(void **state)
{
    (void)state;
    for (int what = 0; what < 2; what++) {
        tally_patch out[3];
        double sigma = 0;
        int n = 0;
        learn(1 << 30, what ? TALLY_CENTRE_MODE : TALLY_CENTRE_MEDIAN, out);
        for (int y = 0; y < HEIGHT; y++) {
            assert_false(tally_bits_get(&out[0].valid, 0, y));
            for (int x = 1; x < WIDTH; x++) {
                assert_true(tally_bits_get(&out[0].valid, x, y));
                assert_float_equal(tally_patch_row(&out[2], 0, y)[x], SCENES, 0);
                for (int b = 0; b < 2; b++) {
                    assert_float_equal(tally_patch_row(&out[0], b, y)[x], 100 * (b + 1), 8);
                    assert_true(tally_patch_row(&out[1], b, y)[x] >=
                                0.005f * 95.0f * (float)(b + 1));
                    sigma += (double)tally_patch_row(&out[1], b, y)[x];
                    n++;
                }
            }
        }
        assert_float_equal(sigma / n, 2.0,
                           0.6); /* MADs of few scenes are rough, their mean is not */
        drop(out);
    }
}

static void memory_does_not_matter(void **state)
{
    tally_patch a[3], b[3];

    (void)state;
    learn(1 << 30, TALLY_CENTRE_MEDIAN, a);
    learn(1, TALLY_CENTRE_MEDIAN, b);
    for (int i = 0; i < 3; i++)
        assert_memory_equal(a[i].pixels, b[i].pixels,
                            a[i].plane * (size_t)a[i].bands * sizeof(float));
    drop(a);
    drop(b);
}

static void difference_finds_the_block(void **state)
{
    const tally_context ctx = context(1 << 30);
    const tally_stack stack = { .n_bands = 2 };
    tally_patch out[3], scene, score;
    tally_bits above, bright;
    int hit = 0, false_alarm = 0, up = 0;

    (void)state;
    learn(1 << 30, TALLY_CENTRE_MEDIAN, out);
    assert_int_equal(
        tally_stack_read(&ctx, &stack, 0, (tally_box) { 0, 0, WIDTH, HEIGHT }, &scene, NULL),
        TALLY_OK);
    assert_int_equal(
        tally_difference(&ctx, &scene, &out[0], &out[1], 60.0f, &above, &bright, &score, NULL),
        TALLY_OK);
    for (int y = 0; y < HEIGHT; y++) {
        for (int x = 0; x < WIDTH; x++) {
            const bool inside = x >= 20 && x < 40 && y >= 10 && y < 30;
            hit += inside && tally_bits_get(&above, x, y);
            false_alarm += !inside && tally_bits_get(&above, x, y);
            up += tally_bits_get(&bright, x, y) && inside;
        }
    }
    assert_int_equal(hit, 400);
    assert_true(false_alarm < 80);
    assert_int_equal(up, 0); /* 50 against 100 and 200: darker */
    assert_false(tally_bits_get(&score.valid, 0, 5));
    tally_bits_fini(&above);
    tally_bits_fini(&bright);
    tally_patch_fini(&score);
    assert_int_equal(
        tally_difference(&ctx, &scene, &out[0], &out[2], 60.0f, &above, &bright, NULL, NULL),
        TALLY_E_ARG);
    tally_patch_fini(&scene);
    drop(out);
}

/* Quantiles of the chi-square law from tables (Abramowitz and Stegun 1964, table 26.8). */
static void thresholds_from_tables(void **state)
{
    (void)state;
    assert_float_equal(tally_threshold_far(0.05, 1), 3.841, 1e-3);
    assert_float_equal(tally_threshold_far(0.01, 2), 9.210, 1e-3);
    assert_float_equal(tally_threshold_far(0.001, 3), 16.266, 1e-3);
    assert_float_equal(tally_threshold_far(0.001, 4), 18.467, 1e-3);
    assert_float_equal(tally_threshold_far(0.025, 5), 12.833, 1e-3);
    assert_float_equal(tally_threshold_far(0.005, 8), 21.955, 1e-3);
}

static void bad_calls(void **state)
{
    const tally_context ctx = context(1 << 20);
    const tally_stack stack = { .n_bands = 1 };
    const tally_background_settings settings = { TALLY_CENTRE_MEDIAN, 0.02f };
    tally_patch out[3];
    tally_error err;

    (void)state;
    assert_int_equal(tally_background_learn(&ctx, &stack, all, 0, (tally_box) { 0, 0, 4, 4 },
                                            &settings, &out[0], &out[1], &out[2], &err),
                     TALLY_E_ARG);
    assert_int_equal(tally_background_learn(&ctx, &stack, all, 3, (tally_box) { 0, 0, 0, 4 },
                                            &settings, &out[0], &out[1], &out[2], &err),
                     TALLY_E_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ground_comes_back),
        cmocka_unit_test(memory_does_not_matter),
        cmocka_unit_test(difference_finds_the_block),
        cmocka_unit_test(thresholds_from_tables),
        cmocka_unit_test(bad_calls),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
