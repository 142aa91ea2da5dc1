/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Bounds are moved, counts are not: whatever the table holds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>

#include "count/calibrate.h"

static const double GSDS_M[] = { 0.3, 0.5, 3 };

static tally_zone_count counted(int64_t count, double estimate, double low, double high)
{
    tally_zone_count z = tally_zone_blank(0, TALLY_QUALITY_OK, "");
    z.count = count;
    z.estimate = estimate;
    z.low = low;
    z.high = high;
    return z;
}

static void each(void (*check)(tally_class class_, double gsd_m, bool snow))
{
    for (int c = 0; c < TALLY_CLASS_COUNT; c++)
        for (size_t g = 0; g < sizeof GSDS_M / sizeof *GSDS_M; g++)
            for (int snow = 0; snow < 2; snow++)
                check((tally_class)c, GSDS_M[g], snow);
}

static void keeps_counts_and_order(tally_class class_, double gsd_m, bool snow)
{
    for (int count = 0; count < 60; count += 7) {
        const double estimate = count * 1.25;
        tally_zone_count z = counted(count, estimate, fmax(0, count - 4), estimate + 6);
        tally_calibrate(class_, gsd_m, snow, false, &z);
        assert_int_equal(z.count, count);
        assert_true(z.estimate == estimate);
        assert_true(z.low >= 0 && z.low <= count && z.high >= estimate && isfinite(z.high));
    }
}
static void test_counts_stay(void **state)
{
    (void)state;
    each(keeps_counts_and_order);
}

/* where the counter doubts more, so does what comes of it */
static void wider_stays_wider(tally_class class_, double gsd_m, bool snow)
{
    tally_zone_count narrow = counted(40, 40, 36, 45), wide = counted(40, 40, 30, 60);
    tally_calibrate(class_, gsd_m, snow, false, &narrow);
    tally_calibrate(class_, gsd_m, snow, false, &wide);
    assert_true(wide.low < narrow.low && wide.high > narrow.high);
}
static void test_order_of_doubt_stays(void **state)
{
    (void)state;
    each(wider_stays_wider);
}

static void leaves_what_has_no_count(tally_class class_, double gsd_m, bool snow)
{
    tally_zone_count z = tally_zone_blank(3, TALLY_QUALITY_UNSEEN, "cloud");
    tally_calibrate(class_, gsd_m, snow, false, &z);
    assert_int_equal(z.count, TALLY_NO_COUNT);
    assert_true(isnan(z.low) && isnan(z.high));
}
static void test_unseen_stays_unseen(void **state)
{
    (void)state;
    each(leaves_what_has_no_count);
}

static void test_one_image_has_its_own(void **state)
{
    (void)state;
    tally_zone_count z = counted(40, 40, 30, 60);
    tally_calibrate(TALLY_RAILCAR, 0.5, false, true, &z);
    assert_true(z.low == 30 && z.high == 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_counts_stay),
        cmocka_unit_test(test_order_of_doubt_stays),
        cmocka_unit_test(test_unseen_stays_unseen),
        cmocka_unit_test(test_one_image_has_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
