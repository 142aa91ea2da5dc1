/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Harbours drawn pixel by pixel: water, ice, clouds, hulls of known length. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "count/hull.h"
#include "count/water.h"

#define SIZE  400
#define GSD_M 1.0
#define BANDS 4
#define PI    3.14159265358979323846

static const float water_colour[BANDS] = { 130, 100, 70, 20 };
static const float ice_colour[BANDS] = { 420, 400, 380, 300 };
static const float deck_colour[BANDS] = { 90, 110, 210, 190 };

typedef struct drawing {
    tally_patch scene;
    tally_bits where, blind;
    tally_box image;
    tally_rng rng;
} drawing;

static void begin(drawing *d, uint64_t seed)
{
    tally_error err;
    *d = (drawing) { .rng = { seed } };
    assert_int_equal(tally_patch_init(&d->scene, SIZE, SIZE, BANDS, &err), TALLY_OK);
    assert_int_equal(tally_bits_init(&d->where, SIZE, SIZE, &err), TALLY_OK);
    assert_int_equal(tally_bits_init(&d->blind, SIZE, SIZE, &err), TALLY_OK);
    for (int y = 0; y < SIZE; y++)
        for (int x = 0; x < SIZE; x++) {
            const double swell = 0.04 * sin(x * .05 + y * .03);
            tally_bits_set(&d->scene.valid, x, y);
            tally_bits_set(&d->where, x, y);
            for (int b = 0; b < BANDS; b++)
                tally_patch_row(&d->scene, b, y)[x] =
                    water_colour[b] * (float)(1 + swell + 0.02 * tally_rng_normal(&d->rng));
        }
}

static void end(drawing *d)
{
    tally_bits_fini(&d->blind);
    tally_bits_fini(&d->where);
    tally_patch_fini(&d->scene);
}

/* A hull with a pointed bow, its middle at (cx, cy), turned by `angle`; edges mixed by 4 x 4. */
static void draw_hull(drawing *d, double cx, double cy, double length, double width, double angle)
{
    for (int y = 0; y < SIZE; y++)
        for (int x = 0; x < SIZE; x++) {
            int inside = 0;
            for (int k = 0; k < 16; k++) {
                const double dx = x + (k % 4 + .5) / 4 - cx, dy = y + ((k >> 2) + .5) / 4 - cy;
                const double u = dx * cos(angle) + dy * sin(angle);
                const double v = dy * cos(angle) - dx * sin(angle);
                const double bow = length / 2 - u; /* to the tip */
                const double half =
                    bow < width ? width / 2 * sqrt(fmax(0, bow / width)) : width / 2;
                inside += fabs(u) < length / 2 && fabs(v) < half;
            }
            for (int b = 0; b < BANDS && inside; b++) {
                float *p = &tally_patch_row(&d->scene, b, y)[x];
                *p += (float)inside / 16 * (deck_colour[b] - *p);
            }
        }
}

static tally_hulls find(const drawing *d)
{
    tally_water_sample sample;
    tally_water water;
    tally_patch distance;
    tally_hulls hulls;
    tally_error err;

    assert_int_equal(tally_water_sample_init(&sample, BANDS, 50000, &err), TALLY_OK);
    tally_water_sample_add(&sample, &d->scene, &d->where, 2);
    sample.pixel_m2 = 4 * GSD_M * GSD_M;
    assert_int_equal(tally_water_learn(&water, &sample, 3, TALLY_WATER_OPEN, &err), TALLY_OK);
    assert_int_equal(tally_water_distance(&water, &d->scene, &distance, &err), TALLY_OK);
    const tally_hull_view view = { .scene = &d->scene,
                                   .distance = &distance,
                                   .where = &d->where,
                                   .blind = &d->blind,
                                   .image = d->image,
                                   .gsd_m = GSD_M,
                                   .threshold = 5 };
    assert_int_equal(tally_hulls_find(tally_kernels_select(0), &view, &hulls, &err), TALLY_OK);
    tally_patch_fini(&distance);
    tally_water_sample_fini(&sample);
    return hulls;
}

static void empty_water_is_zero(void **state)
{
    (void)state;
    for (uint64_t seed = 1; seed <= 3; seed++) {
        drawing d;
        begin(&d, seed);
        tally_hulls found = find(&d);
        assert_int_equal(found.n, 0);
        tally_hulls_fini(&found);
        end(&d);
    }
}

static void expect_one(drawing *d, double cx, double cy, double length, double width, double angle)
{
    tally_hulls found = find(d);
    assert_int_equal(found.n, 1);
    const tally_rect *r = &found.hulls[0].rect;
    assert_true(fabs(r->length - length) < 0.05 * length);
    assert_true(fabs(r->width - width) < 1.5);
    assert_true(hypot(r->centre.x - cx, r->centre.y - cy) < 0.03 * length);
    assert_true(fabs(r->ux * cos(angle) + r->uy * sin(angle)) > cos(PI / 180));
    assert_true(found.hulls[0].score > 0.5 && found.hulls[0].score <= 1);
    tally_hulls_fini(&found);
}

static void a_hull_has_its_length_wherever_it_lies(void **state)
{
    (void)state;
    static const double angles[] = { 0, 0.3, 0.9, PI / 2, 2.2, PI, PI + 0.3 };
    for (size_t i = 0; i < sizeof angles / sizeof *angles; i++) {
        drawing d;
        begin(&d, 7);
        draw_hull(&d, 200.3, 190.6, 100, 16, angles[i]);
        expect_one(&d, 200.3, 190.6, 100, 16, angles[i]);
        end(&d);
        begin(&d, 8);
        draw_hull(&d, 137.8, 241.1, 100, 16, angles[i]);
        expect_one(&d, 137.8, 241.1, 100, 16, angles[i]);
        end(&d);
    }
}

static void boats_below_20_m_are_clutter(void **state)
{
    drawing d;
    (void)state;
    begin(&d, 3);
    draw_hull(&d, 100, 100, 14, 4.5, 0.4);
    draw_hull(&d, 300, 300, 16, 5, 1.4);
    tally_hulls found = find(&d);
    assert_int_equal(found.n, 0);
    tally_hulls_fini(&found);
    end(&d);
}

static void two_side_by_side_are_two(void **state)
{
    drawing d;
    (void)state;
    begin(&d, 5);
    draw_hull(&d, 200, 200, 100, 16, 0);
    draw_hull(&d, 190, 214.5, 70, 12, 0); /* touches the first */
    tally_hulls found = find(&d);
    assert_int_equal(found.n, 2);
    const double a = found.hulls[0].rect.length, b = found.hulls[1].rect.length;
    assert_true(fabs(fmax(a, b) - 100) < 8);
    assert_true(fabs(fmin(a, b) - 70) < 8);
    tally_hulls_fini(&found);
    end(&d);
}

/* Floes over half of the water: a line of colours that is not hull. */
static void ice_is_water(void **state)
{
    drawing d;
    (void)state;
    begin(&d, 11);
    for (int y = 0; y < SIZE; y++)
        for (int x = 0; x < SIZE; x++) {
            const double floe = sin(x * .06 + 2 * sin(y * .02)) * cos(y * .05);
            const double thick = tally_clamp(3 * floe, 0, 1) * (0.5 + 0.4 * cos(x * .011));
            for (int b = 0; b < BANDS; b++) {
                float *p = &tally_patch_row(&d.scene, b, y)[x];
                *p += (float)thick * (ice_colour[b] - *p);
            }
        }
    tally_hulls found = find(&d);
    assert_int_equal(found.n, 0);
    tally_hulls_fini(&found);
    draw_hull(&d, 210, 180, 100, 16, 0.5);
    expect_one(&d, 210, 180, 100, 16, 0.5);
    end(&d);
}

static void shadow_is_not_hull(void **state)
{
    drawing d;
    (void)state;
    begin(&d, 13);
    for (int y = 150; y < 170; y++)
        for (int x = 100; x < 220; x++)
            for (int b = 0; b < BANDS; b++)
                tally_patch_row(&d.scene, b, y)[x] *= 0.6f;
    tally_hulls found = find(&d);
    assert_int_equal(found.n, 0);
    tally_hulls_fini(&found);
    end(&d);
}

/* A bright strip along what was not seen is a cloud's rim; the same strip in the open is a ship. */
static void the_rim_of_a_cloud_is_not_hull(void **state)
{
    (void)state;
    for (int cloudy = 0; cloudy < 2; cloudy++) {
        drawing d;
        begin(&d, 17);
        draw_hull(&d, 200, 200, 90, 14, 0);
        for (int y = 208; y < 300 && cloudy; y++)
            for (int x = 100; x < 300; x++) {
                tally_bits_set(&d.blind, x, y);
                tally_bits_clear(&d.where, x, y);
            }
        tally_hulls found = find(&d);
        assert_int_equal(found.n, cloudy ? 0 : 1);
        tally_hulls_fini(&found);
        end(&d);
    }
}

static void water_under_cloud_cannot_be_learned(void **state)
{
    tally_water_sample sample;
    tally_water water;
    tally_error err;
    drawing d;
    (void)state;
    begin(&d, 19);
    for (size_t j = 0; j < d.scene.valid.words * SIZE; j++)
        d.scene.valid.bits[j] = 0;
    assert_int_equal(tally_water_sample_init(&sample, BANDS, 1000, &err), TALLY_OK);
    tally_water_sample_add(&sample, &d.scene, &d.where, 1);
    assert_int_equal(sample.n, 0);
    assert_int_equal(tally_water_learn(&water, &sample, 3, TALLY_WATER_OPEN, &err), TALLY_E_NODATA);
    tally_water_sample_fini(&sample);
    end(&d);
}

static const float quay_colour[BANDS] = { 300, 310, 320, 330 };

static void draw_block(drawing *d, int x0, int y0, int x1, int y1, bool turned)
{
    for (int y = y0; y < y1; y++)
        for (int x = x0; x < x1; x++)
            for (int b = 0; b < BANDS; b++)
                tally_patch_row(&d->scene, b, turned ? x : y)[turned ? y : x] = quay_colour[b];
}

/* The water zone reaches a few metres into the quay; the strip joins the ships that lie at it. */
static void ships_bow_to_stern_are_two_though_the_quay_joins_them(void **state)
{
    (void)state;
    for (int turned = 0; turned < 2; turned++)
        for (int shift = 0; shift < 12; shift += 5) {
            drawing d;
            begin(&d, 23);
            draw_block(&d, 0, 0, SIZE, 183, turned);
            for (int v = 0; v < 180; v++)
                for (int u = 0; u < SIZE; u++)
                    tally_bits_clear(&d.where, turned ? v : u, turned ? u : v);
            for (int i = 0; i < 2; i++) {
                const double along = 95 + shift + 95 * i, length = 70 - 10 * i;
                draw_hull(&d, turned ? 188.5 : along, turned ? along : 188.5, length, 11,
                          turned ? PI / 2 : 0);
            }
            tally_hulls found = find(&d);
            assert_int_equal(found.n, 2);
            const double a = found.hulls[0].rect.length, b = found.hulls[1].rect.length;
            assert_true(fabs(fmax(a, b) - 70) < 7);
            assert_true(fabs(fmin(a, b) - 60) < 7);
            tally_hulls_fini(&found);
            end(&d);
        }
}

/* A corner of rock that a generous zone takes in is no hull, though it is long; a ship moored at
 * the same edge is. */
static void what_hugs_the_edge_must_look_like_a_ship(void **state)
{
    (void)state;
    for (int ship = 0; ship < 2; ship++) {
        drawing d;
        begin(&d, 29);
        draw_block(&d, 0, 0, SIZE, 180, false);
        for (int y = 0; y < 180; y++)
            for (int x = 0; x < SIZE; x++)
                tally_bits_clear(&d.where, x, y);
        if (ship)
            draw_hull(&d, 200, 188, 80, 16, 0);
        else
            for (int x = 150; x < 200; x++) /* a wedge, 14 m at its widest */
                draw_block(&d, x, 180, x + 1, 180 + (x - 150) * 14 / 50, false);
        tally_hulls found = find(&d);
        assert_int_equal(found.n, ship);
        tally_hulls_fini(&found);
        end(&d);
    }
}

/* A faint plume as long and slim as a ship, but without an edge; with one it is a hull. */
static void a_plume_is_not_hull(void **state)
{
    (void)state;
    for (int sharp = 0; sharp < 2; sharp++) {
        drawing d;
        begin(&d, 31);
        for (int y = 0; y < SIZE; y++)
            for (int x = 0; x < SIZE; x++) {
                const double u = (x - 200) / 50.0, v = (y - 190) / 15.0, r = u * u + v * v;
                const double thick = sharp ? r < 1 : exp(-r);
                for (int b = 0; b < BANDS; b++)
                    tally_patch_row(&d.scene, b, y)[x] *= (float)(1 + 0.35 * thick);
            }
        tally_hulls found = find(&d);
        assert_int_equal(found.n, sharp);
        tally_hulls_fini(&found);
        end(&d);
    }
}

/* Of a basin of 280 m x 90 m the ship covers a twentieth: its deck must not be learned as water. */
static void a_ship_that_fills_a_small_basin_counts(void **state)
{
    (void)state;
    for (int turn = 0; turn < 3; turn++) {
        drawing d;
        begin(&d, 41);
        for (int y = 0; y < SIZE; y++)
            for (int x = 0; x < SIZE; x++)
                if (x < 60 || x >= 340 || y < 150 || y >= 240) tally_bits_clear(&d.where, x, y);
        draw_hull(&d, 200, 195, 90, 15, 0.2 * (turn - 1));
        expect_one(&d, 200, 195, 90, 15, 0.2 * (turn - 1));
        end(&d);
    }
}

/* Half of a ship is in the image: too short for its width, but its end is the image's. */
static void a_ship_cut_by_the_edge_counts(void **state)
{
    (void)state;
    for (int known = 0; known < 2; known++) {
        drawing d;
        begin(&d, 37);
        draw_hull(&d, 0, 200, 160, 30, 0);
        if (known) d.image = (tally_box) { 0, 0, SIZE, SIZE };
        tally_hulls found = find(&d);
        assert_int_equal(found.n, known);
        tally_hulls_fini(&found);
        end(&d);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(empty_water_is_zero),
        cmocka_unit_test(a_hull_has_its_length_wherever_it_lies),
        cmocka_unit_test(boats_below_20_m_are_clutter),
        cmocka_unit_test(two_side_by_side_are_two),
        cmocka_unit_test(ice_is_water),
        cmocka_unit_test(shadow_is_not_hull),
        cmocka_unit_test(the_rim_of_a_cloud_is_not_hull),
        cmocka_unit_test(ships_bow_to_stern_are_two_though_the_quay_joins_them),
        cmocka_unit_test(what_hugs_the_edge_must_look_like_a_ship),
        cmocka_unit_test(a_plume_is_not_hull),
        cmocka_unit_test(a_ship_that_fills_a_small_basin_counts),
        cmocka_unit_test(a_ship_cut_by_the_edge_counts),
        cmocka_unit_test(water_under_cloud_cannot_be_learned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
