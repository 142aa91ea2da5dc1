/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the long sides of something shaped like a hull say. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "count/hull_judge.h"

enum { SIZE = 160 };
static const tally_rect hull = { .centre = { 80, 80 }, .length = 100, .width = 16, .ux = 1 };

typedef enum kind { SHARP, SOFT, RAGGED } kind;

typedef struct drawing {
    tally_patch scene, distance;
    tally_bits where, blind;
} drawing;

/* A body along the rectangle: its distance from water falls from 16 to 1 at a step, by a slope of
 * 0.4 a pixel, or at a step whose place wavers. `contrast`: of its colour, in parts of water's. */
static void begin(drawing *d, kind of, float contrast)
{
    assert_int_equal(tally_patch_init(&d->scene, SIZE, SIZE, 1, NULL), TALLY_OK);
    assert_int_equal(tally_patch_init(&d->distance, SIZE, SIZE, 1, NULL), TALLY_OK);
    assert_int_equal(tally_bits_init(&d->where, SIZE, SIZE, NULL), TALLY_OK);
    assert_int_equal(tally_bits_init(&d->blind, SIZE, SIZE, NULL), TALLY_OK);
    for (int y = 0; y < SIZE; y++)
        for (int x = 0; x < SIZE; x++) {
            const double waver = of == RAGGED ? 3.4 * sin(x * 0.9) : 0;
            const double in = 8 + waver - fabs(y + .5 - 80); /* pixels from the edge, inward */
            const double far = of == SOFT ? fmax(1, 5.2 + 0.4 * in) : in > 0 ? 16 : 1;
            tally_bits_set(&d->scene.valid, x, y);
            tally_bits_set(&d->distance.valid, x, y);
            tally_bits_set(&d->where, x, y);
            tally_patch_row(&d->distance, 0, y)[x] = (float)far;
            tally_patch_row(&d->scene, 0, y)[x] =
                100 * (1 + (in > 0 ? contrast : 0)) + (float)((x + 2 * y) % 3);
        }
}

static tally_hull_sides look(const drawing *d)
{
    const tally_hull_view view = { .scene = &d->scene,
                                   .distance = &d->distance,
                                   .where = &d->where,
                                   .blind = &d->blind,
                                   .gsd_m = 0.5,
                                   .threshold = 5 };
    tally_hull_sides sides;
    assert_int_equal(tally_hull_look_at_sides(&view, &hull, &sides, NULL), TALLY_OK);
    return sides;
}

static void end(drawing *d)
{
    tally_bits_fini(&d->blind);
    tally_bits_fini(&d->where);
    tally_patch_fini(&d->distance);
    tally_patch_fini(&d->scene);
}

static void a_hull_ends_at_a_step_along_a_line(void **state)
{
    static const tally_hull_sides expected[] = { TALLY_SIDES_OF_HULL, TALLY_SIDES_OF_NONE,
                                                 TALLY_SIDES_OF_NONE };
    (void)state;
    for (int k = SHARP; k <= RAGGED; k++) {
        drawing d;
        begin(&d, (kind)k, 0.05f);
        assert_int_equal(look(&d), expected[k]);
        end(&d);
    }
}

/* A crane or a tug before it: nobody overlooks a hull that stands out as much. A slope is none. */
static void a_ragged_side_is_borne_where_the_contrast_is_high(void **state)
{
    (void)state;
    drawing d;
    begin(&d, RAGGED, 1);
    assert_int_equal(look(&d), TALLY_SIDES_HIDDEN);
    end(&d);
    begin(&d, SOFT, 1);
    assert_int_equal(look(&d), TALLY_SIDES_OF_NONE);
    end(&d);
}

/* One good side is enough, the other may lie at a quay; of a part between two others there is none
 * to be seen. */
static void sides_without_water_say_nothing(void **state)
{
    (void)state;
    drawing d;
    begin(&d, SHARP, 0.05f);
    for (int y = 0; y < 70; y++)
        for (int x = 0; x < SIZE; x++)
            tally_bits_clear(&d.where, x, y);
    assert_int_equal(look(&d), TALLY_SIDES_OF_HULL);
    for (int y = 90; y < SIZE; y++)
        for (int x = 0; x < SIZE; x++)
            tally_bits_set(&d.blind, x, y);
    assert_int_equal(look(&d), TALLY_SIDES_HIDDEN);
    end(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hull_ends_at_a_step_along_a_line),
        cmocka_unit_test(a_ragged_side_is_borne_where_the_contrast_is_high),
        cmocka_unit_test(sides_without_water_say_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
