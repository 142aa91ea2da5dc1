/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What needs no pixels: names, dates in names, the sun. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "scene/draft.h"

static void dates_in_names(void **state)
{
    (void)state;
    static const struct {
        const char *stem, *with_clock, *date;
    } cases[] = {
        { "rajin_20230217T020215Z_r1c1", "2023-02-17T02:02:15Z", "2023-02-17T00:00:00Z" },
        { "20230706_012705_71_2433_3B_AnalyticMS", "2023-07-06T01:27:05Z", "2023-07-06T00:00:00Z" },
        { "x_20230706012705", "2023-07-06T01:27:05Z", "2023-07-06T00:00:00Z" },
        { "s1a-iw-grd-vv-20230101t021133-x", "2023-01-01T02:11:33Z", "2023-01-01T00:00:00Z" },
        { "23OCT05021134-M2AS_R1C1-0123_01_P001", "2023-10-05T02:11:34Z", "" },
        { "98jan31235959-P2AS", "1998-01-31T23:59:59Z", "" },
        { "m_4709963_se_14_1_20140720", "", "2014-07-20T00:00:00Z" },
        { "site_2019-05-06_a", "", "2019-05-06T00:00:00Z" },
        { "a_20230229_b", "", "" },                          /* no such day */
        { "a_20230228_256060", "", "2023-02-28T00:00:00Z" }, /* no such time */
        { "120230706", "", "" },                             /* nine digits */
        { "tumangang_001", "", "" },
        { "", "", "" },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        for (int clock = 0; clock < 2; clock++) {
            int64_t utc;
            char text[24] = "";
            if (tally_name_moment(cases[i].stem, clock, &utc)) tally_utc_format(utc, text);
            assert_string_equal(text, clock ? cases[i].with_clock : cases[i].date);
        }
}

static void names_of_products(void **state)
{
    (void)state;
    tally_naming n = tally_naming_of("20230325_020215_32_240b_3B_AnalyticMS_SR_8b_harmonized_clip");
    assert_true(n.is_planet);
    assert_string_equal(n.tie, "20230325_020215_32_240b");
    assert_string_equal(n.product, "AnalyticMS_SR_8b");
    assert_int_equal(n.level, TALLY_LEVEL_SR);
    assert_int_equal(tally_naming_of("20230325_020215_32_240b_3B_AnalyticMS").level,
                     TALLY_LEVEL_ANALYTIC);
    assert_int_equal(tally_naming_of("20230325_020215_32_240b_3B_Visual").level,
                     TALLY_LEVEL_VISUAL);

    static const char *const masks[] = { "a_3B_udm2", "a_3B_udm2_clip", "x_udm2",
                                         "x_mask",    "x_MASK",         "a_3B_AnalyticMS_DN_udm" };
    for (size_t i = 0; i < sizeof masks / sizeof *masks; i++)
        assert_true(tally_naming_of(masks[i]).is_mask);
    assert_false(tally_naming_of("maskat_20200101").is_mask);
    assert_false(tally_naming_of("damask").is_mask);

    static const char *const siblings[][2] = {
        { "rajin_20230217T020215Z_r1c2", "rajin_20230217T020215Z" },
        { "23OCT05021134-M2AS_R10C1-0123_01_P001", "23OCT05021134-M2AS-0123_01" },
        { "image-P001", "image" },
    };
    for (size_t i = 0; i < sizeof siblings / sizeof *siblings; i++) {
        n = tally_naming_of(siblings[i][0]);
        assert_true(n.is_sibling);
        assert_string_equal(n.tie, siblings[i][1]);
    }
    assert_false(tally_naming_of("port_r1").is_sibling);
    assert_false(tally_naming_of("arc1_20200101").is_sibling);
    assert_true(tally_naming_of("m_4709963_se_14_1_20140720").is_naip);
    assert_false(tally_naming_of("m_4709963").is_naip);
}

/* NREL's worked example (Reda and Andreas 2003, NREL/TP-560-34302, table A5.1): zenith 50.11162
 * with 0.0163 degrees of refraction, azimuth 194.34024. The solstice of 2024 fell on
 * 2024-06-20T20:51Z: the sun stood over the tropic, near 132.3 degrees west by the equation of time
 * (-1.8 min). */
static void sun_in_the_sky(void **state)
{
    (void)state;
    double azimuth, elevation;
    tally_sun_position(tally_utc_from_civil(2003, 10, 17, 19, 30, 30), -105.1786, 39.742476,
                       &azimuth, &elevation);
    assert_true(fabs(azimuth - 194.34024) < 0.02);
    assert_true(fabs(elevation - (90 - 50.11162)) < 0.03);
    tally_sun_position(tally_utc_from_civil(2024, 6, 20, 20, 51, 0), -132.3, 23.437, &azimuth,
                       &elevation);
    assert_true(elevation > 89.8);
    tally_sun_position(tally_utc_from_civil(2023, 1, 1, 2, 0, 0), 18.4, -33.9, &azimuth,
                       &elevation);
    assert_true(elevation < -10); /* Cape Town, before dawn */
    assert_true(azimuth >= 0 && azimuth < 360);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dates_in_names),
        cmocka_unit_test(names_of_products),
        cmocka_unit_test(sun_in_the_sky),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
