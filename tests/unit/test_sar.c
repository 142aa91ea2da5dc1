/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Radar: the ring against a plain double loop, land that never enters it, units, what always
 * shines, and harbours drawn with speckle. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "count/sar.h"

#define SIZE 360
#define PI   3.14159265358979323846

typedef struct drawing {
    tally_patch power; /* sigma0, before speckle */
    tally_patch scene; /* as a product */
    tally_bits where;
    tally_rng rng;
    double gsd_m;
} drawing;

static const tally_kernels *kernels(void)
{
    return tally_kernels_select(0);
}

static void begin(drawing *d, uint64_t seed, double gsd_m)
{
    tally_error err;
    *d = (drawing) { .rng = { seed }, .gsd_m = gsd_m };
    assert_int_equal(tally_patch_init(&d->power, SIZE, SIZE, 1, &err), TALLY_OK);
    assert_int_equal(tally_patch_init(&d->scene, SIZE, SIZE, 1, &err), TALLY_OK);
    assert_int_equal(tally_bits_init(&d->where, SIZE, SIZE, &err), TALLY_OK);
    for (int y = 0; y < SIZE; y++)
        for (int x = 0; x < SIZE; x++) {
            tally_bits_set(&d->scene.valid, x, y);
            tally_bits_set(&d->where, x, y);
            tally_patch_row(&d->power, 0, y)[x] = 0.01f;
        }
}

static void end(drawing *d)
{
    tally_bits_fini(&d->where);
    tally_patch_fini(&d->scene);
    tally_patch_fini(&d->power);
}

/* A box along `angle` (radians); its rim shines more than its middle. Pixels. */
static void draw_box(drawing *d, double cx, double cy, double length, double width, double angle,
                     float power)
{
    for (int y = 0; y < SIZE; y++)
        for (int x = 0; x < SIZE; x++) {
            const double dx = x + .5 - cx, dy = y + .5 - cy;
            const double u = fabs(dx * cos(angle) + dy * sin(angle));
            const double v = fabs(dy * cos(angle) - dx * sin(angle));
            if (u < length / 2 && v < width / 2)
                tally_patch_row(&d->power, 0, y)[x] = power * (v > width / 3 ? 4.0f : 1.0f);
        }
}

/* Speckle of whole looks, and the product's way of writing it down. */
static void take(drawing *d, int looks, tally_sar_unit unit)
{
    for (int y = 0; y < SIZE; y++)
        for (int x = 0; x < SIZE; x++) {
            double sum = 0;
            for (int i = 0; i < looks; i++)
                sum -= log(1 - tally_rng_uniform(&d->rng));
            const double p = tally_patch_row(&d->power, 0, y)[x] * sum / looks;
            tally_patch_row(&d->scene, 0, y)[x] =
                unit == TALLY_SAR_DB          ? (float)(10 * log10(p + 1e-9))
                : unit == TALLY_SAR_INTENSITY ? (float)p
                                              : (float)fmin(255, floor(200 * sqrt(p)));
        }
}

static void learn(const drawing *d, tally_sar_water *water)
{
    tally_error err;
    tally_patch amplitude;
    tally_sar_look room[4000];
    tally_sar_looks looks = { .looks = room, .capacity = 4000 };
    float *values = tally_alloc((size_t)SIZE * SIZE, sizeof *values);
    tally_water_sample sample = { .values = { values }, .bands = 1 };
    for (int y = 0; y < SIZE; y++)
        for (int x = 0; x < SIZE; x++)
            values[sample.n++] = tally_patch_row(&d->scene, 0, y)[x];
    *water = (tally_sar_water) { .unit = tally_sar_unit_of(&sample), .ceiling = 30 };
    tally_free(values);
    assert_int_equal(tally_sar_amplitude(&d->scene, water->unit, &amplitude, &err), TALLY_OK);
    assert_int_equal(tally_sar_looks_add(&looks, &amplitude, &d->where, d->gsd_m, 4000, &err),
                     TALLY_OK);
    assert_int_equal(tally_sar_water_learn(water, &looks, &err), TALLY_OK);
    tally_patch_fini(&amplitude);
}

static tally_hulls find(const drawing *d)
{
    tally_error err;
    tally_sar_water water;
    tally_sar_block block;
    tally_hulls hulls;
    learn(d, &water);
    assert_int_equal(
        tally_sar_block_init(&block, kernels(), &water, &d->scene, &d->where, d->gsd_m, &err),
        TALLY_OK);
    const tally_sar_view view = { .contrast = &block.contrast,
                                  .water = &block.water,
                                  .where = &d->where,
                                  .gsd_m = d->gsd_m,
                                  .threshold = block.threshold,
                                  .ceiling = water.ceiling };
    assert_int_equal(tally_sar_hulls_find(kernels(), &view, &hulls, &err), TALLY_OK);
    tally_sar_block_fini(&block);
    return hulls;
}

/* ---- the ring ---- */

static double plain_ring(const drawing *d, const tally_bits *mask, const tally_sar_ring *ring,
                         int x, int y, double otherwise)
{
    double sum = 0;
    int n = 0;
    for (int v = y - ring->reach; v <= y + ring->reach; v++)
        for (int u = x - ring->reach; u <= x + ring->reach; u++) {
            if (u < 0 || v < 0 || u >= SIZE || v >= SIZE || !tally_bits_get(mask, u, v)) continue;
            if (abs(u - x) <= ring->guard && abs(v - y) <= ring->guard) continue;
            sum += tally_patch_row(&d->scene, 0, v)[u];
            n++;
        }
    return n < ring->least ? otherwise : sum / n;
}

/* A calm sea has nothing to censor, so one pass is all. */
static void ring_is_that_of_a_double_loop(void **state)
{
    (void)state;
    drawing d;
    tally_error err;
    tally_patch contrast;
    float threshold;
    const tally_sar_water water = { .level = 3, .cv = 0.5f };
    begin(&d, 7, 10);
    const tally_sar_ring ring = tally_sar_ring_of(d.gsd_m);
    for (int y = 0; y < SIZE; y++)
        for (int x = 0; x < SIZE; x++) {
            tally_patch_row(&d.scene, 0, y)[x] =
                3 * (float)(0.75 + 0.5 * tally_rng_uniform(&d.rng));
            if ((x * 31 + y * 17) % 5 == 0 || x > 300) tally_bits_clear(&d.where, x, y);
        }
    assert_int_equal(tally_sar_contrast(kernels(), &water, &d.scene, &d.where, d.gsd_m, &contrast,
                                        &threshold, &err),
                     TALLY_OK);
    for (int y = 0; y < SIZE; y += 11)
        for (int x = 0; x < SIZE; x += 13) {
            const double mean = plain_ring(&d, &d.where, &ring, x, y, water.level);
            const double wanted = tally_patch_row(&d.scene, 0, y)[x] / mean;
            assert_true(fabs(tally_patch_row(&contrast, 0, y)[x] - wanted) < 1e-5 * wanted);
        }
    tally_patch_fini(&contrast);
    end(&d);
}

/* Land may be as bright as it likes: what stands on water has the same contrast to the bit. */
static void land_never_enters(void **state)
{
    (void)state;
    drawing d;
    tally_error err;
    tally_patch dim, bright;
    float threshold, again;
    const tally_sar_water water = { .level = 10, .cv = 0.52f };
    begin(&d, 5, 2);
    take(&d, 1, TALLY_SAR_AMPLITUDE);
    for (int y = 250; y < SIZE; y++)
        for (int x = 0; x < SIZE; x++)
            tally_bits_clear(&d.where, x, y);
    assert_int_equal(
        tally_sar_contrast(kernels(), &water, &d.scene, &d.where, 2, &dim, &threshold, &err),
        TALLY_OK);
    for (int y = 250; y < SIZE; y++)
        for (int x = 0; x < SIZE; x++)
            tally_patch_row(&d.scene, 0, y)[x] = 1e6f;
    assert_int_equal(
        tally_sar_contrast(kernels(), &water, &d.scene, &d.where, 2, &bright, &again, &err),
        TALLY_OK);
    for (int y = 0; y < 250; y++)
        assert_memory_equal(tally_patch_row(&dim, 0, y), tally_patch_row(&bright, 0, y),
                            SIZE * sizeof(float));
    assert_true(threshold == again);
    tally_patch_fini(&dim);
    tally_patch_fini(&bright);
    end(&d);
}

/* A neighbour in the ring would hide a ship: the second pass leaves it out. */
static void neighbours_are_censored(void **state)
{
    (void)state;
    drawing d;
    tally_error err;
    tally_patch alone, crowded;
    float threshold;
    const tally_sar_water water = { .level = 18, .cv = 0.3f };
    begin(&d, 6, 2);
    draw_box(&d, 100, 100, 60, 10, 0, 1);
    take(&d, 3, TALLY_SAR_AMPLITUDE);
    assert_int_equal(
        tally_sar_contrast(kernels(), &water, &d.scene, &d.where, 2, &alone, &threshold, &err),
        TALLY_OK);
    for (int y = 145; y < 155; y++)
        for (int x = 60; x < 140; x++)
            tally_patch_row(&d.scene, 0, y)[x] = 255;
    assert_int_equal(
        tally_sar_contrast(kernels(), &water, &d.scene, &d.where, 2, &crowded, &threshold, &err),
        TALLY_OK);
    const float a = tally_patch_row(&alone, 0, 100)[100],
                b = tally_patch_row(&crowded, 0, 100)[100];
    assert_true(fabsf(a - b) < 0.02f * a);
    tally_patch_fini(&alone);
    tally_patch_fini(&crowded);
    end(&d);
}

static void false_alarms_are_as_stated(void **state)
{
    (void)state;
    /* exponential; four looks: chi-square tables */
    assert_true(fabs(tally_sar_gamma_tail(1) - 6.908) < 0.2);
    assert_true(fabs(tally_sar_gamma_tail(4) - 3.266) < 0.05);
    drawing d;
    tally_error err;
    tally_patch contrast, smooth;
    float threshold;
    tally_sar_water water;
    begin(&d, 11, 1);
    take(&d, 2, TALLY_SAR_INTENSITY);
    learn(&d, &water);
    tally_patch amplitude;
    assert_int_equal(tally_sar_amplitude(&d.scene, water.unit, &amplitude, &err), TALLY_OK);
    assert_int_equal(
        tally_sar_contrast(kernels(), &water, &amplitude, &d.where, 1, &contrast, &threshold, &err),
        TALLY_OK);
    assert_int_equal(
        tally_sar_smooth(&contrast, &contrast.valid, tally_sar_smooth_px(1), &smooth, &err),
        TALLY_OK);
    int over = 0;
    for (int y = 0; y < SIZE; y++)
        for (int x = 0; x < SIZE; x++)
            over += tally_patch_row(&smooth, 0, y)[x] > threshold;
    assert_in_range(over, 10, 2 * TALLY_SAR_FAR * SIZE * SIZE);
    tally_patch_fini(&smooth);
    tally_patch_fini(&contrast);
    tally_patch_fini(&amplitude);
    end(&d);
}

/* ---- units and structure ---- */

static void units_are_told(void **state)
{
    (void)state;
    static const tally_sar_unit units[] = { TALLY_SAR_AMPLITUDE, TALLY_SAR_INTENSITY,
                                            TALLY_SAR_DB };
    for (int i = 0; i < 3; i++) {
        drawing d;
        tally_sar_water water;
        begin(&d, 20 + (uint64_t)i, 1);
        take(&d, 1, units[i]);
        learn(&d, &water);
        assert_int_equal(water.unit, units[i]);
        const float level = units[i] == TALLY_SAR_AMPLITUDE ? 200 * 0.1f * 0.886f : 0.1f * 0.886f;
        assert_true(fabsf(water.level / level - 1) < 0.08f);
        assert_true(fabsf(water.cv - 0.52f) < 0.06f);
        end(&d);
    }
}

static void structure_is_steady(void **state)
{
    (void)state;
    const float quay[] = { 9, 8, 10, 11, 9, 7, 9, 30 }, berth[] = { 9, 1, 25, 4, 1, 12, 30, 3 };
    const float water[] = { 1, 1.2f, .9f, 1, 1.1f, 1, .8f, 20 };
    assert_true(tally_sar_is_structure(quay, 8, 2.4f));
    assert_false(tally_sar_is_structure(berth, 8, 2.4f));
    assert_false(tally_sar_is_structure(water, 8, 2.4f));
    assert_false(tally_sar_is_structure(quay, 3, 2.4f));
}

/* ---- harbours ---- */

static void ships_are_found_in_any_unit(void **state)
{
    (void)state;
    static const tally_sar_unit units[] = { TALLY_SAR_AMPLITUDE, TALLY_SAR_INTENSITY,
                                            TALLY_SAR_DB };
    for (int i = 0; i < 3; i++) {
        drawing d;
        begin(&d, 30 + (uint64_t)i, 2);
        draw_box(&d, 120, 90, 60, 10, 0.4, 0.3f);
        draw_box(&d, 260, 200, 90, 14, 1.9, 0.3f);
        take(&d, 1 + 2 * i, units[i]);
        tally_hulls hulls = find(&d);
        assert_int_equal(hulls.n, 2);
        for (size_t h = 0; h < 2; h++) {
            const bool first = hulls.hulls[h].rect.length < 75;
            const double length = first ? 60 : 90, angle = first ? 0.4 : 1.9;
            assert_true(fabs(hulls.hulls[h].rect.length - length) < 5);
            assert_true(fabs(hulls.hulls[h].rect.ux * cos(angle) +
                             hulls.hulls[h].rect.uy * sin(angle)) > 0.995);
        }
        tally_hulls_fini(&hulls);
        end(&d);
    }
}

/* A town in the zone, brighter and far larger than a ship, and a ship at its quay. */
static void land_is_no_ship(void **state)
{
    (void)state;
    drawing d;
    begin(&d, 40, 2);
    for (int y = 240; y < SIZE; y++)
        for (int x = 0; x < SIZE; x++)
            tally_patch_row(&d.power, 0, y)[x] =
                0.06f * (1 + 40 * (tally_rng_uniform(&d.rng) < 0.1));
    draw_box(&d, 180, 232, 80, 12, 0, 0.5f);
    take(&d, 2, TALLY_SAR_INTENSITY);
    tally_hulls hulls = find(&d);
    assert_int_equal(hulls.n, 1);
    assert_true(fabs(hulls.hulls[0].rect.centre.x - 180) < 6);
    assert_true(fabs(hulls.hulls[0].rect.centre.y - 232) < 6);
    tally_hulls_fini(&hulls);
    end(&d);
}

static void empty_sea_is_empty(void **state)
{
    (void)state;
    static const double gsds[] = { 0.5, 1, 3, 10 };
    for (int i = 0; i < 4; i++) {
        drawing d;
        begin(&d, 50 + (uint64_t)i, gsds[i]);
        take(&d, 1 + i, TALLY_SAR_INTENSITY);
        tally_hulls hulls = find(&d);
        assert_int_equal(hulls.n, 0);
        tally_hulls_fini(&hulls);
        end(&d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ring_is_that_of_a_double_loop),
        cmocka_unit_test(land_never_enters),
        cmocka_unit_test(neighbours_are_censored),
        cmocka_unit_test(false_alarms_are_as_stated),
        cmocka_unit_test(units_are_told),
        cmocka_unit_test(structure_is_steady),
        cmocka_unit_test(ships_are_found_in_any_unit),
        cmocka_unit_test(land_is_no_ship),
        cmocka_unit_test(empty_sea_is_empty),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
