/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Hulls whose end is in shade, and superstructures beyond a dark hold. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "count/hull_ends.h"

#define WIDTH  240
#define HEIGHT 120
#define BANDS  4

static const float lit[BANDS] = { 140, 110, 84, 38 }, shaded[BANDS] = { 101, 70, 51, 20 };
static const float deck[BANDS] = { 160, 150, 210, 190 }, dim_deck[BANDS] = { 101, 70, 62, 31 };

typedef struct drawing {
    tally_patch scene, distance;
    tally_bits where;
    tally_rng rng;
} drawing;

/* A box of one colour; `distance` from water is told where the counter would see deck. */
static void draw(drawing *d, tally_box box, const float *colour, float distance)
{
    for (int y = box.y0; y < box.y1; y++)
        for (int x = box.x0; x < box.x1; x++) {
            for (int b = 0; b < BANDS; b++)
                tally_patch_row(&d->scene, b, y)[x] =
                    colour[b] * (float)(1 + 0.03 * tally_rng_normal(&d->rng));
            tally_patch_row(&d->distance, 0, y)[x] = distance;
            tally_bits_set(&d->scene.valid, x, y);
            tally_bits_set(&d->distance.valid, x, y);
            tally_bits_set(&d->where, x, y);
        }
}

/* Water, and the shadow of a hull from column 60 to `to` along rows 40 to 60. */
static void begin(drawing *d, int to)
{
    tally_error err;
    *d = (drawing) { .rng = { 5 } };
    assert_int_equal(tally_patch_init(&d->scene, WIDTH, HEIGHT, BANDS, &err), TALLY_OK);
    assert_int_equal(tally_patch_init(&d->distance, WIDTH, HEIGHT, 1, &err), TALLY_OK);
    assert_int_equal(tally_bits_init(&d->where, WIDTH, HEIGHT, &err), TALLY_OK);
    draw(d, (tally_box) { 0, 0, WIDTH, HEIGHT }, lit, 1);
    draw(d, (tally_box) { 60, 25, to + 12, 60 }, shaded, 0);
}

static void end(drawing *d)
{
    tally_bits_fini(&d->where);
    tally_patch_fini(&d->distance);
    tally_patch_fini(&d->scene);
}

static tally_rect rect_of(double x0, double x1)
{
    return (tally_rect) {
        .centre = { (x0 + x1) / 2, 50 }, .length = x1 - x0, .width = 20, .ux = 1, .uy = 0
    };
}

static tally_rect find(const drawing *d, tally_rect rect, double gsd_m)
{
    const tally_hull_view view = { .scene = &d->scene,
                                   .distance = &d->distance,
                                   .where = &d->where,
                                   .gsd_m = gsd_m,
                                   .threshold = 5 };
    tally_error err;
    assert_int_equal(tally_hull_find_ends(&view, &rect, &err), TALLY_OK);
    return rect;
}

static void a_stern_in_shade_is_hull(void **state)
{
    drawing d;
    (void)state;
    begin(&d, 157);
    draw(&d, (tally_box) { 60, 40, 150, 60 }, deck, 20);
    draw(&d, (tally_box) { 150, 40, 157, 60 }, dim_deck, 0);
    const tally_rect r = find(&d, rect_of(60, 150), 0.5);
    assert_true(fabs(r.length - 97) <= 2);
    assert_true(fabs(r.centre.x - 108.5) <= 1);
    /* too coarse: the lit deck's ends stay */
    assert_true(fabs(find(&d, rect_of(60, 150), 3).length - 90) < 1e-9);
    end(&d);
}

static void shade_on_water_is_not_hull(void **state)
{
    drawing d;
    (void)state;
    begin(&d, 150);
    draw(&d, (tally_box) { 60, 40, 150, 60 }, deck, 20);
    draw(&d, (tally_box) { 150, 40, 165, 60 }, shaded, 0);
    const tally_rect r = find(&d, rect_of(60, 150), 0.5);
    assert_true(fabs(r.length - 90) <= 1);
    end(&d);
}

static tally_hull hull_of(double x0, double x1, double y, double width)
{
    return (tally_hull) { .rect = { .centre = { (x0 + x1) / 2, y },
                                    .length = x1 - x0,
                                    .width = width,
                                    .ux = 1,
                                    .uy = 0 },
                          .area_px = (x1 - x0) * width,
                          .score = 0.9 };
}

static void a_superstructure_belongs_to_its_hull(void **state)
{
    (void)state;
    tally_hull hull = hull_of(0, 90, 50, 20), bridge = hull_of(115, 140, 51, 19),
               tug = hull_of(115, 140, 70, 19), boat = hull_of(115, 140, 50, 8),
               far = hull_of(220, 245, 50, 19);
    tally_hulls hulls = { &hull, 1 };
    tally_hull others[] = { tug, boat, far };
    tally_hulls_join_blocks(&hulls, &(tally_hulls) { others, 3 });
    assert_true(fabs(hull.rect.length - 90) < 1e-9);
    tally_hulls_join_blocks(&hulls, &(tally_hulls) { &bridge, 1 });
    assert_true(fabs(hull.rect.length - 140) < 1e-9);
    assert_true(fabs(hull.rect.centre.x - 70) < 1e-9);
}

static void a_part_is_not_counted_beside_its_hull(void **state)
{
    (void)state;
    tally_hull rows[] = { hull_of(10, 60, 48, 8), hull_of(0, 100, 50, 20),
                          hull_of(0, 100, 75, 18) };
    tally_hulls hulls = { rows, 3 };
    tally_hulls_drop_parts(&hulls);
    assert_int_equal(hulls.n, 2);
    assert_true(fabs(rows[0].rect.width - 20) < 1e-9 && fabs(rows[1].rect.width - 18) < 1e-9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stern_in_shade_is_hull),
        cmocka_unit_test(shade_on_water_is_not_hull),
        cmocka_unit_test(a_superstructure_belongs_to_its_hull),
        cmocka_unit_test(a_part_is_not_counted_beside_its_hull),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
