/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Land inside water zones, by what the scenes of the background showed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "count/jetty.h"

static void what_never_was_water_and_never_changed_is_land(void **state)
{
    (void)state;
    assert_true(tally_landness(0, 0, 0.9f) > 0.5f);
    assert_true(tally_landness(0.1f, 0, 0.7f) > 0.5f);
    assert_true(tally_landness(0, 0, 0.6f) <= 0.5f);
    assert_true(tally_landness(0.5f, 0, 1) == 0);
}

/* Water in three of ten scenes: in the shade of clouds a jetty may be; a ship that stays seven
 * weeks of ten leaves lit water behind. */
static void shade_is_not_water(void **state)
{
    (void)state;
    assert_true(tally_landness(0.3f, 0.3f, 0.5f) == TALLY_LAND_SHADED);
    assert_true(tally_landness(0.3f, 0.1f, 0.5f) == TALLY_LAND_MAYBE);
    assert_true(tally_landness(0.3f, 0.3f, 0.3f) == 0);
    assert_true(tally_landness(0.5f, 0.5f, 0.5f) == 0);
}

/* A jetty of 60 m with its usual look in half of the scenes; a busy berth beside it. */
static void a_jetty_is_told_by_all_of_its_pixels(void **state)
{
    tally_patch land;
    (void)state;
    assert_int_equal(tally_patch_init(&land, 60, 60, 1, NULL), TALLY_OK);
    for (int y = 0; y < 60; y++)
        for (int x = 0; x < 60; x++) {
            const float odd = (x * 7 + y * 3) % 5 == 0 ? 0.2f : 0; /* a pixel in five is none */
            const float steady = y < 20 ? 0 : y < 30 ? 0.5f - odd : 0.3f + odd;
            tally_patch_row(&land, 0, y)[x] = y < 20 ? 0 : tally_landness(0, 0, steady);
        }
    const tally_rect jetty = { .centre = { 30, 25 }, .length = 40, .width = 6, .ux = 1 };
    const tally_rect berth = { .centre = { 30, 45 }, .length = 40, .width = 6, .ux = 1 };
    const tally_rect open = { .centre = { 30, 10 }, .length = 40, .width = 6, .ux = 1 };
    const tally_rect outside = { .centre = { -90, 10 }, .length = 40, .width = 6, .ux = 1 };
    assert_true(tally_is_jetty(&land, &jetty, TALLY_LAND_SHADED));
    assert_false(tally_is_jetty(&land, &berth, TALLY_LAND_SHADED));
    assert_false(tally_is_jetty(&land, &open, TALLY_LAND_SHADED));
    assert_false(tally_is_jetty(&land, &outside, TALLY_LAND_SHADED));
    for (int y = 30; y < 60; y++)
        for (int x = 0; x < 60; x++)
            tally_patch_row(&land, 0, y)[x] = TALLY_LAND_MAYBE;
    assert_false(tally_is_jetty(&land, &berth, TALLY_LAND_SHADED));
    assert_true(tally_is_jetty(&land, &berth, TALLY_LAND_MAYBE));
    tally_patch_fini(&land);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_never_was_water_and_never_changed_is_land),
        cmocka_unit_test(shade_is_not_water),
        cmocka_unit_test(a_jetty_is_told_by_all_of_its_pixels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
