/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Heights from drawn shadows, and boxes from heights. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "count/total.h"
#include "count/yard_tiers.h"

#define GSD_M   0.5
#define SIDE    200
#define RADIANS (3.14159265358979323846 / 180)

/* A row of eight slots that lies east to west in the middle, north side free. */
typedef struct drawing {
    tally_patch distance;
    tally_bits seen;
    tally_yard_slot slot[8];
    tally_yard_slots slots;
} drawing;

static bool in_slot(const tally_yard_slot *s, double x, double y)
{
    return fabs(x - s->centre.x) * GSD_M < TALLY_SLOT_LENGTH_M / 2 &&
           fabs(y - s->centre.y) * GSD_M < TALLY_SLOT_WIDTH_M / 2;
}

/* Is (x, y) in the shadow of a stack? Walked toward the sun. */
static bool is_dark(const drawing *d, const int *tiers, const tally_yard_angles *a, double x,
                    double y)
{
    if (y > SIDE / 2 + 4 || y < SIDE / 2 - 60) return false; /* the sun stands in the south */
    for (double at = 0; at < 20; at += 0.2) {
        const double px = x + at * sin(a->sun_azimuth * RADIANS) / GSD_M;
        const double py = y - at * cos(a->sun_azimuth * RADIANS) / GSD_M;
        for (int i = 0; i < 8; i++)
            if (in_slot(&d->slot[i], px, py) &&
                tiers[i] * TALLY_TIER_M > at * tan(a->sun_elevation * RADIANS))
                return true;
    }
    return false;
}

static void begin(drawing *d, const int *tiers, const tally_yard_angles *a)
{
    tally_error err;

    *d = (drawing) { 0 };
    assert_int_equal(tally_patch_init(&d->distance, SIDE, SIDE, 2, &err), TALLY_OK);
    assert_int_equal(tally_bits_init(&d->seen, SIDE, SIDE, &err), TALLY_OK);
    for (int i = 0; i < 8; i++)
        d->slot[i] = (tally_yard_slot) { .centre = { SIDE / 2 + (i - 3.5) * 6.3 / GSD_M, SIDE / 2 },
                                         .ux = 1 };
    d->slots = (tally_yard_slots) { .slots = d->slot, .n = 8 };
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            bool box = false;
            for (int i = 0; i < 8; i++)
                box = box || in_slot(&d->slot[i], x + .5, y + .5);
            tally_bits_set(&d->seen, x, y);
            tally_patch_row(&d->distance, 0, y)[x] = box ? 20 : 0.3f;
            tally_patch_row(&d->distance, 1, y)[x] =
                box || !is_dark(d, tiers, a, x + .5, y + .5) ? 1 : 0;
        }
}

static void end(drawing *d)
{
    tally_bits_fini(&d->seen);
    tally_patch_fini(&d->distance);
}

static void a_shadow_tells_the_height(void **state)
{
    (void)state;
    static const double suns[][2] = { { 180, 40 }, { 160, 30 }, { 205, 58 } };
    for (int k = 0; k < 3; k++)
        for (int high = 1; high <= 4; high++) {
            const int tiers[8] = { high, high, high, high, high, high, high, high };
            const tally_yard_angles a = { suns[k][0], suns[k][1], 0, 0 };
            drawing d;
            tally_yard_heights heights;
            tally_error err;
            begin(&d, tiers, &a);
            assert_int_equal(tally_yard_measure_heights(&d.distance, &d.seen, &d.slots, &a, GSD_M,
                                                        1.5f, &heights, &err),
                             TALLY_OK);
            assert_true(heights.n >= 5);
            for (size_t i = 0; i < heights.n; i++)
                assert_true(fabs(heights.heights[i].tiers - high) < 0.3);
            const tally_boxes b = tally_yard_count_boxes(8, 8, 8, 1, 0.05, &heights);
            assert_int_equal(b.basis, TALLY_BOXES_SHADOW);
            assert_true(b.low <= 8 * high && 8 * high <= b.high);
            assert_true(fabs(b.best - 8 * high) <= 0.15 * 8 * high);
            assert_true(b.high - b.low < 0.8 * 8 * high);
            tally_yard_heights_fini(&heights);
            end(&d);
        }
}

/* The roof of a stack leans over its own shadow, away from the sensor. */
static void lean_is_taken_out(void **state)
{
    (void)state;
    const int tiers[8] = { 2, 2, 2, 2, 2, 2, 2, 2 };
    const tally_yard_angles sun = { 180, 45, NAN, NAN };
    drawing d;
    tally_error err;
    begin(&d, tiers, &sun);
    double found[3];
    for (int k = 0; k < 3; k++) { /* sensor to the south, to the north, not known */
        const tally_yard_angles a = { 180, 45, k < 2 ? 20 : NAN, k == 0 ? 180 : 0 };
        tally_yard_heights heights;
        assert_int_equal(tally_yard_measure_heights(&d.distance, &d.seen, &d.slots, &a, GSD_M, 1.5f,
                                                    &heights, &err),
                         TALLY_OK);
        assert_true(heights.n >= 5);
        found[k] = heights.heights[heights.n / 2].tiers;
        assert_true(k == 0 ? heights.relative == 0 : heights.relative > 0.05);
        tally_yard_heights_fini(&heights);
    }
    /* what is seen of it is shorter by tan(20 deg) of a height when the roof covers it */
    assert_true(fabs(found[0] / found[2] - 1 / (1 - tan(20 * RADIANS))) < 0.02);
    assert_true(found[1] < found[2]);
    end(&d);
}

static void no_shadow_is_a_range(void **state)
{
    (void)state;
    const int tiers[8] = { 1, 1, 1, 1, 1, 1, 1, 1 };
    static const tally_yard_angles none[] = { { NAN, NAN, 0, 0 }, /* no sun known */
                                              { 180, 80, 0, 0 },  /* too high: half a metre */
                                              { 90, 30, 0, 0 } }; /* along the row */
    const tally_yard_angles drawn = { 180, 30, 0, 0 };
    drawing d;
    tally_error err;
    begin(&d, tiers, &drawn);
    for (int k = 0; k < 3; k++) {
        tally_yard_heights heights;
        assert_int_equal(tally_yard_measure_heights(&d.distance, &d.seen, &d.slots, &none[k], GSD_M,
                                                    1.5f, &heights, &err),
                         TALLY_OK);
        assert_int_equal(heights.n, 0);
        const tally_boxes b = tally_yard_count_boxes(8, 7, 10, 2.0 / 3, 0.1, &heights);
        assert_int_equal(b.basis, TALLY_BOXES_RANGE);
        assert_true(b.low <= 4 && b.high >= 50 && b.best > 8 && b.best < 16);
        tally_yard_heights_fini(&heights);
    }
    end(&d);
}

/* Front rows of one tier before rows of three: the far end of the shadow is the third row's. */
static void rows_behind_are_undone(void **state)
{
    (void)state;
    tally_yard_height measured[12];
    for (int i = 0; i < 12; i++) /* 2.4 = 3 less one step of 0.6: never 3 in front */
        measured[i] = (tally_yard_height) { .tiers = i % 3 ? 2.4 : 1.4, .steps = 0.6, .behind = 2 };
    const tally_yard_heights heights = { .heights = measured, .n = 12, .sigma = 0.15 };
    const tally_boxes b = tally_yard_count_boxes(36, 36, 36, 1, 0, &heights);
    assert_true(b.best >= 36 * 1.4 && b.best <= 36 * 2.3);
}

static void totals_add_boxes(void **state)
{
    (void)state;
    tally_zone_count rows[2] = {
        { .count = 10,
          .low = 8,
          .high = 12,
          .estimate = 10,
          .extent = 1,
          .occupancy = .5,
          .seen = 1,
          .quality = TALLY_QUALITY_OK,
          .boxes = { TALLY_BOXES_SHADOW, 20, 15, 26 } },
        { .count = 4,
          .low = 3,
          .high = 5,
          .estimate = 4,
          .extent = 1,
          .occupancy = .5,
          .seen = 1,
          .quality = TALLY_QUALITY_OK,
          .boxes = { TALLY_BOXES_RANGE, 6, 2, 20 } },
    };
    const double sizes[2] = { 100, 100 };
    tally_zone_count t = tally_total(rows, sizes, 2);
    assert_int_equal(t.boxes.basis, TALLY_BOXES_RANGE);
    assert_true(t.boxes.best == 26 && t.boxes.low <= 21 && t.boxes.high >= 40);
    rows[1].boxes = (tally_boxes) { 0 };
    t = tally_total(rows, sizes, 2);
    assert_int_equal(t.boxes.basis, TALLY_BOXES_UNKNOWN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shadow_tells_the_height), cmocka_unit_test(lean_is_taken_out),
        cmocka_unit_test(no_shadow_is_a_range),      cmocka_unit_test(rows_behind_are_undone),
        cmocka_unit_test(totals_add_boxes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
