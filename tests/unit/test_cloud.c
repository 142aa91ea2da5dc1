/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is called a cloud, and what is not: drawn in coarse pixels of 2 m, cells of 8 m. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "align/cloud.h"

enum { CELL = 4, COLUMNS = 80, ROWS = 60, W = CELL * COLUMNS, H = CELL * ROWS, BANDS = 4 };
static const float LEVEL[BANDS] = { 200, 180, 170, 350 }; /* of land, as sensors count */
static const float CLOUD[BANDS] = { 1200, 1150, 1100, 1250 };
static const float WATER[BANDS] = { 120, 90, 50, 25 };
static const float SHORE_M = 300; /* water south of it */

typedef struct drawn {
    tally_ground ground;
    tally_patch scene;
} drawn;

static const tally_cloud_facts plain = { .sun_azimuth = 180, .sun_elevation = 45 };

static bool is_water(int y)
{
    return 2 * y >= SHORE_M;
}

static void draw_ground(tally_patch *p, uint64_t seed, float noise)
{
    tally_rng rng = { seed };
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            /* fields of 24 m, and a grain that is the same on every date */
            const uint32_t field = (uint32_t)(x / 12 * 7919 + y / 12 * 104729) % 101;
            const uint32_t grain = (uint32_t)(x * 31 + y * 17 + x * y) % 53;
            const double g = 0.8 + 0.4 * field / 101.0 + 0.1 * grain / 53.0;
            for (int b = 0; b < BANDS; b++)
                tally_patch_row(p, b, y)[x] = (is_water(y) ? WATER[b] : (float)(LEVEL[b] * g)) +
                                              noise * (float)tally_rng_normal(&rng);
            tally_bits_set(&p->valid, x, y);
        }
}

static void begin(drawn *d)
{
    tally_ground *g = &d->ground;
    *g = (tally_ground) { .step = 4, .cell = CELL, .cell_m = 8 };
    assert_int_equal(tally_bits_init(&g->water, COLUMNS, ROWS, NULL), TALLY_OK);
    for (int y = 0; y < ROWS; y++)
        for (int x = 0; x < COLUMNS; x++)
            if (is_water(y * CELL)) tally_bits_set(&g->water, x, y);
    assert_int_equal(tally_patch_init(&g->centre, W, H, BANDS, NULL), TALLY_OK);
    assert_int_equal(tally_patch_init(&d->scene, W, H, BANDS, NULL), TALLY_OK);
    draw_ground(&g->centre, 1, 1);
    draw_ground(&d->scene, 2, 3);
    for (int b = 0; b < BANDS; b++)
        g->unit[b] = LEVEL[b];
}

static void end(drawn *d)
{
    tally_ground_fini(&d->ground);
    tally_patch_fini(&d->scene);
}

/* Metres from the north-west corner; hardness 1 ends sharply. */
static void add_cloud(drawn *d, double cx, double cy, double radius, double opacity)
{
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            const double r = hypot(2 * x - cx, 2 * y - cy) / radius;
            const double a = opacity * tally_clamp((1.1 - r) / 0.2, 0, 1);
            for (int b = 0; b < BANDS; b++) {
                float *v = &tally_patch_row(&d->scene, b, y)[x];
                *v = (float)((1 - a) * *v + a * CLOUD[b] * (1 + 0.03 * sin(x / 9.0 + y / 7.0)));
            }
        }
}

static void fill(drawn *d, double x0, double y0, double x1, double y1, const float value[BANDS])
{
    for (int y = (int)(y0 / 2); y < (int)(y1 / 2); y++)
        for (int x = (int)(x0 / 2); x < (int)(x1 / 2); x++)
            for (int b = 0; b < BANDS; b++)
                tally_patch_row(&d->scene, b, y)[x] = value[b];
}

static size_t masked(drawn *d, const tally_cloud_facts *facts, double x, double y, bool *at)
{
    tally_bits mask;
    assert_int_equal(tally_cloud_find(&d->ground, &d->scene, facts, &mask, NULL), TALLY_OK);
    const size_t n = tally_bits_count(&mask);
    if (at) *at = tally_bits_get(&mask, (int)(x / 8), (int)(y / 8));
    tally_bits_fini(&mask);
    return n;
}

static void nothing_on_a_clear_day(void **state)
{
    drawn d;
    (void)state;
    begin(&d);
    assert_int_equal(masked(&d, &plain, 0, 0, NULL), 0);
    end(&d);
}

static void finds_a_cloud_over_land_and_over_water(void **state)
{
    (void)state;
    for (int water = 0; water < 2; water++) {
        drawn d;
        bool at;
        begin(&d);
        const double cy = water ? 400 : 150;
        add_cloud(&d, 300, cy, 60, 1);
        const size_t n = masked(&d, &plain, 300, cy, &at);
        assert_true(at);
        /* pi 60^2 m2 are 177 cells; its soft rim makes them more */
        assert_in_range(n, 160, 280);
        end(&d);
    }
}

static void haze_is_a_cloud_where_it_takes_the_structure(void **state)
{
    drawn d;
    bool at;
    (void)state;
    begin(&d);
    add_cloud(&d, 300, 150, 90, 0.55);
    masked(&d, &plain, 300, 150, &at);
    assert_true(at);
    end(&d);
    begin(&d);
    add_cloud(&d, 300, 150, 90, 0.06);
    assert_int_equal(masked(&d, &plain, 0, 0, NULL), 0);
    end(&d);
}

/* Half of the scene under cloud, and gain and offset fitted to that: as the survey hands it over.
 */
static void finds_cloud_that_spoilt_the_radiometry(void **state)
{
    drawn d;
    bool under, clear;
    (void)state;
    begin(&d);
    add_cloud(&d, 150, 150, 170, 1);
    for (int b = 0; b < BANDS; b++)
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                float *v = &tally_patch_row(&d.scene, b, y)[x];
                *v = 0.2f * *v + 40;
            }
    masked(&d, &plain, 150, 150, &under);
    masked(&d, &plain, 550, 150, &clear);
    assert_true(under);
    assert_false(clear);
    end(&d);
}

static void a_white_ship_is_no_cloud(void **state)
{
    static const float white[BANDS] = { 1200, 1200, 1200, 1200 };
    (void)state;
    for (int at_edge = 0; at_edge < 2; at_edge++) {
        drawn d;
        begin(&d);
        /* 200 m x 30 m in open water, and cut lengthwise by the edge of the scene */
        const double y1 = at_edge ? 2 * H : 420;
        fill(&d, 200, y1 - 30, 400, y1, white);
        assert_int_equal(masked(&d, &plain, 0, 0, NULL), 0);
        end(&d);
    }
}

static void two_ships_and_a_white_roof_are_no_cloud(void **state)
{
    static const float white[BANDS] = { 1200, 1200, 1200, 1200 };
    drawn d;
    (void)state;
    begin(&d);
    fill(&d, 200, 360, 400, 392, white);
    fill(&d, 200, 394, 400, 426, white);
    fill(&d, 100, 100, 160, 300, white);
    assert_int_equal(masked(&d, &plain, 0, 0, NULL), 0);
    end(&d);
}

/* 200 m x 120 m of white and coloured boxes, with gaps, where the pad was empty. */
static void a_filled_container_yard_is_no_cloud(void **state)
{
    drawn d;
    (void)state;
    begin(&d);
    for (int y = 60; y < 120; y += 3)
        for (int x = 100; x < 200; x += 7) {
            const float colour = 350 + 130 * (float)((x * 13 + y * 7) % 5);
            const float value[BANDS] = { colour, 900, colour + 150, 800 };
            fill(&d, 2 * x, 2 * y, 2 * x + 12, 2 * y + 4, value);
        }
    assert_int_equal(masked(&d, &plain, 0, 0, NULL), 0);
    end(&d);
}

/* White wagons under snow, 14 m x 3 m, side by side on eight tracks 5 m apart over 300 m. */
static void snowy_wagons_are_no_cloud(void **state)
{
    static const float white[BANDS] = { 1200, 1150, 1100, 1000 };
    drawn d;
    (void)state;
    begin(&d);
    for (int t = 0; t < 8; t++)
        for (int i = 0; i < 20; i++)
            fill(&d, 100 + 16 * i, 100 + 6 * t, 114 + 16 * i, 104 + 6 * t, white);
    assert_int_equal(masked(&d, &plain, 0, 0, NULL), 0);
    end(&d);
}

/* Turbid water: bright where water is dark, but not in the near infrared. */
static void a_plume_is_no_cloud(void **state)
{
    drawn d;
    (void)state;
    begin(&d);
    static const float mud[BANDS] = { 500, 620, 640, 40 };
    fill(&d, 150, 320, 450, 470, mud);
    assert_int_equal(masked(&d, &plain, 0, 0, NULL), 0);
    end(&d);
}

/* Twice as bright, whiter, and with the grain of the ground: snow. A cloud in it is found all the
 * same.
 */
static void snow_is_no_cloud(void **state)
{
    static const tally_cloud_facts winter = { .sun_azimuth = 160,
                                              .sun_elevation = 25,
                                              .snow = true };
    drawn d;
    bool under, beside;
    (void)state;
    begin(&d);
    for (int b = 0; b < BANDS; b++)
        for (int y = 0; y < H && !is_water(y); y++)
            for (int x = 0; x < W; x++) {
                float *v = &tally_patch_row(&d.scene, b, y)[x];
                *v = 0.4f * *v * CLOUD[b] / LEVEL[b];
            }
    assert_int_equal(masked(&d, &winter, 0, 0, NULL), 0);
    add_cloud(&d, 300, 150, 70, 1);
    masked(&d, &winter, 300, 150, &under);
    masked(&d, &winter, 450, 150, &beside);
    assert_true(under);
    assert_false(beside);
    end(&d);
}

static void darken(drawn *d, double cx, double cy, double radius)
{
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++)
            if (hypot(2 * x - cx, 2 * y - cy) < radius)
                for (int b = 0; b < BANDS; b++)
                    tally_patch_row(&d->scene, b, y)[x] *= 0.55f;
}

/* The sun stands in the south at 45 degrees: a cloud 130 m high darkens the ground 130 m north. */
static void a_shadow_counts_where_a_cloud_casts_it(void **state)
{
    static const double dark[][2] = { { 300, 95 }, { 440, 225 } };
    (void)state;
    for (int side = 0; side < 2; side++)
        for (int cloud = 0; cloud < 2; cloud++) {
            drawn d;
            bool at;
            begin(&d);
            darken(&d, dark[side][0], dark[side][1], 60);
            if (cloud) add_cloud(&d, 300, 225, 60, 1);
            masked(&d, &plain, dark[side][0], dark[side][1], &at);
            assert_int_equal(at, side == 0 && cloud == 1);
            end(&d);
        }
}

/* A cloud of 50 m by 80 m by itself is one by its brightness, its flat middle and its outline;
 * a white roof and a ship as wide have straight ones. */
static void a_small_cloud_is_no_rectangle(void **state)
{
    static const float white[BANDS] = { 1200, 1200, 1200, 1200 };
    drawn d;
    bool cloud, roof, ship;
    (void)state;
    begin(&d);
    add_cloud(&d, 520, 130, 27, 1);
    add_cloud(&d, 550, 165, 27, 1);
    fill(&d, 100, 60, 156, 130, white);
    fill(&d, 400, 380, 600, 428, white); /* 48 m wide, and no textured deck */
    masked(&d, &plain, 520, 130, &cloud);
    masked(&d, &plain, 130, 90, &roof);
    masked(&d, &plain, 500, 400, &ship);
    assert_true(cloud);
    assert_false(roof);
    assert_false(ship);
    end(&d);
}

/* What is not as bright as that, or rough, needs a large one beside it. */
static void a_thin_small_cloud_goes_with_a_large_one(void **state)
{
    static const float white[BANDS] = { 1200, 1200, 1200, 1200 };
    (void)state;
    for (int large = 0; large < 2; large++) {
        drawn d;
        bool small, ship;
        begin(&d);
        add_cloud(&d, 520, 150, 27, 0.22);
        fill(&d, 400, 380, 600, 428, white);
        if (large) add_cloud(&d, 200, 150, 70, 1);
        masked(&d, &plain, 520, 150, &small);
        masked(&d, &plain, 500, 400, &ship);
        assert_int_equal(small, large);
        assert_false(ship);
        end(&d);
    }
}

/* A cloud that the provider's mask left: only where it is beyond doubt. */
static void with_a_mask_only_what_is_sure(void **state)
{
    static const tally_cloud_facts with_mask = { .sun_azimuth = NAN,
                                                 .sun_elevation = NAN,
                                                 .masked = true };
    drawn d;
    bool at;
    (void)state;
    begin(&d);
    add_cloud(&d, 300, 150, 90, 0.2);
    assert_int_equal(masked(&d, &with_mask, 0, 0, NULL), 0);
    add_cloud(&d, 300, 150, 90, 1);
    masked(&d, &with_mask, 300, 150, &at);
    assert_true(at);
    end(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_on_a_clear_day),
        cmocka_unit_test(finds_a_cloud_over_land_and_over_water),
        cmocka_unit_test(haze_is_a_cloud_where_it_takes_the_structure),
        cmocka_unit_test(finds_cloud_that_spoilt_the_radiometry),
        cmocka_unit_test(a_white_ship_is_no_cloud),
        cmocka_unit_test(two_ships_and_a_white_roof_are_no_cloud),
        cmocka_unit_test(a_filled_container_yard_is_no_cloud),
        cmocka_unit_test(snowy_wagons_are_no_cloud),
        cmocka_unit_test(a_plume_is_no_cloud),
        cmocka_unit_test(snow_is_no_cloud),
        cmocka_unit_test(a_shadow_counts_where_a_cloud_casts_it),
        cmocka_unit_test(a_small_cloud_is_no_rectangle),
        cmocka_unit_test(a_thin_small_cloud_goes_with_a_large_one),
        cmocka_unit_test(with_a_mask_only_what_is_sure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
