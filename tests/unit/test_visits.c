/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Visits from sightings: who is the same ship, and which scenes bound the stay. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "series/series.h"

enum { DAY = 86400 };
static const int64_t START = 1674181803; /* 2023-01-20T02:30:03Z */
static const double LATITUDE = 42.22, METRES_A_DEGREE = 111195;

typedef struct ship {
    const char *zone;
    double east_m, north_m, length_m, heading_deg;
} ship;

static tally_records *new_records(void)
{
    tally_records *r = NULL;
    assert_int_equal(tally_records_create(&r, NULL), TALLY_OK);
    return r;
}

static void name_of(int day, char out[16])
{
    snprintf(out, 16, "d%02d", day);
}

static void add_scene(tally_records *r, int day, const char *precision)
{
    char name[16];
    name_of(day, name);
    tally_scene_record s = { .site = "here",
                             .scene = name,
                             .files = "",
                             .reason = "",
                             .family = "",
                             .sensor = "",
                             .time_source = "",
                             .time_precision = precision,
                             .basis = "",
                             .model = "",
                             .utc = START + (int64_t)day * DAY,
                             .gsd_m = 0.5 };
    assert_int_equal(tally_records_add_scene(r, &s, NULL), TALLY_OK);
}

/* seen 0: the zone is unseen */
static void add_look(tally_records *r, int day, const char *zone, double seen)
{
    char name[16];
    name_of(day, name);
    tally_observation o = { .site = "here",
                            .zone = zone,
                            .scene = name,
                            .reason = "",
                            .family = "",
                            .class_ = TALLY_VESSEL,
                            .utc = START + (int64_t)day * DAY,
                            .count = seen > 0 ? 0 : TALLY_NO_COUNT,
                            .seen = seen,
                            .quality = seen > 0 ? TALLY_QUALITY_OK : TALLY_QUALITY_UNSEEN,
                            .estimate = seen > 0 ? 0 : NAN,
                            .low = NAN,
                            .high = NAN };
    assert_int_equal(tally_records_add_observation(r, &o, NULL), TALLY_OK);
}

static void add_ship(tally_records *r, int day, ship s)
{
    char name[16];
    double ring[4][2], h = s.heading_deg * 3.14159265358979 / 180, width = s.length_m / 6;
    static const double corners[4][2] = { { 1, 1 }, { 1, -1 }, { -1, -1 }, { -1, 1 } };
    for (int k = 0; k < 4; k++) {
        double along = corners[k][0] * s.length_m / 2, across = corners[k][1] * width / 2;
        double east = s.east_m + along * sin(h) + across * cos(h),
               north = s.north_m + along * cos(h) - across * sin(h);
        ring[k][0] = 130.3 + east / (METRES_A_DEGREE * cos(LATITUDE * 3.14159265358979 / 180));
        ring[k][1] = LATITUDE + north / METRES_A_DEGREE;
    }
    name_of(day, name);
    tally_detection d = { .site = "here",
                          .zone = s.zone,
                          .scene = name,
                          .type = "",
                          .class_ = TALLY_VESSEL,
                          .utc = START + (int64_t)day * DAY,
                          .count = 1,
                          .length_m = s.length_m,
                          .width_m = width,
                          .heading_deg = s.heading_deg,
                          .ring = ring,
                          .n_ring = 4 };
    assert_int_equal(tally_records_add_detection(r, &d, NULL), TALLY_OK);
}

/* A scene that shows the berth and, where length > 0, a ship there. */
static void berth(tally_records *r, int day, double seen, double along_m, double length_m)
{
    add_scene(r, day, "second");
    add_look(r, day, "berth", seen);
    if (length_m > 0) add_ship(r, day, (ship) { "berth", 0, along_m, length_m, 0 });
}

static void find(tally_records *r, size_t n_visits)
{
    tally_series_settings settings = { .as_of = TALLY_NO_TIME };
    tally_records_sort(r);
    assert_int_equal(tally_series_find(r, &settings, NULL), TALLY_OK);
    assert_int_equal(r->n_visits, n_visits);
}

enum { NEVER = -1 };
static void check_bracket(const tally_visit *v, int after, int first, int last, int before)
{
    assert_true(v->arrived_after == (after == NEVER ? TALLY_NO_TIME : START + after * DAY));
    assert_true(v->first_seen == START + first * DAY);
    assert_true(v->arrived_before == START + first * DAY);
    assert_true(v->last_seen == START + last * DAY);
    assert_true(v->departed_after == START + last * DAY);
    assert_true(v->departed_before == (before == NEVER ? TALLY_NO_TIME : START + before * DAY));
}

static void one_ship_is_one_visit(void **state)
{
    (void)state;
    tally_records *r = new_records();
    berth(r, 0, 1, 0, 0);
    berth(r, 2, 1, 0, 101);
    berth(r, 3, 1, 1, 99);
    berth(r, 4, 1, -1, 103);
    berth(r, 7, 1, 0, 0);
    find(r, 1);
    check_bracket(&r->visits[0], 0, 2, 4, 7);
    assert_true(fabs(r->visits[0].length_m - 101) < 0.01);
    assert_string_equal(r->visits[0].scenes, "d02;d03;d04");
    tally_records_destroy(&r);
}

static void ends_of_the_series_stay_open(void **state)
{
    (void)state;
    tally_records *r = new_records();
    berth(r, 0, 1, 0, 80);
    berth(r, 1, 1, 0, 80);
    find(r, 1);
    check_bracket(&r->visits[0], NEVER, 0, 1, NEVER);
    tally_records_destroy(&r);
}

static void other_length_or_place_is_another_ship(void **state)
{
    (void)state;
    tally_records *r = new_records();
    berth(r, 0, 1, 0, 104);
    berth(r, 2, 1, 0, 89);  /* shorter by 15 m */
    berth(r, 4, 1, 12, 90); /* as long, but both ends elsewhere */
    berth(r, 5, 1, 12, 88); /* the same */
    find(r, 3);
    check_bracket(&r->visits[0], NEVER, 0, 0, 2);
    check_bracket(&r->visits[1], 0, 2, 2, 4);
    check_bracket(&r->visits[2], 2, 4, 5, NEVER);
    tally_records_destroy(&r);
}

/* One end misread by 5 m: the other end lies still, and moves the middle by half. */
static void a_misread_end_is_the_same_ship(void **state)
{
    (void)state;
    tally_records *r = new_records();
    berth(r, 0, 1, 0, 75);
    berth(r, 2, 1, -2.5, 70);
    find(r, 1);
    tally_records_destroy(&r);
}

/* Ice at the bow adds 11 m; the stern lies where it lay. As much at both ends is another ship. */
static void ice_at_an_end_is_the_same_ship(void **state)
{
    (void)state;
    tally_records *r = new_records();
    berth(r, 0, 1, 0, 76);
    berth(r, 2, 1, 5.5, 87);
    find(r, 1);
    tally_records_destroy(&r);
    r = new_records();
    berth(r, 0, 1, 0, 76);
    berth(r, 2, 1, 0, 87);
    find(r, 2);
    tally_records_destroy(&r);
}

static void unseen_says_nothing(void **state)
{
    (void)state;
    tally_records *r = new_records();
    berth(r, 0, 1, 0, 0);
    berth(r, 1, 0, 0, 0);
    berth(r, 2, 1, 0, 90);
    berth(r, 3, 0, 0, 0);
    berth(r, 4, 1, 0, 91);
    berth(r, 5, 0, 0, 0);
    find(r, 1);
    check_bracket(&r->visits[0], 0, 2, 4, NEVER);
    tally_records_destroy(&r);
}

static void a_partly_seen_zone_may_hide_a_ship(void **state)
{
    (void)state;
    tally_records *r = new_records();
    berth(r, 0, 1, 0, 90);
    berth(r, 1, 0.6, 0, 0);
    berth(r, 2, 1, 0, 90); /* still there */
    berth(r, 3, 0.6, 0, 0);
    berth(r, 4, 1, 0, 0); /* only this scene shows that it left */
    berth(r, 5, 0.6, 0, 0);
    berth(r, 6, 1, 0, 120);
    find(r, 2);
    check_bracket(&r->visits[0], NEVER, 0, 2, 4);
    check_bracket(&r->visits[1], 4, 6, 6, NEVER);
    tally_records_destroy(&r);
}

static void an_empty_berth_ends_a_visit_even_if_the_ship_returns(void **state)
{
    (void)state;
    tally_records *r = new_records();
    berth(r, 0, 1, 0, 90);
    berth(r, 1, 1, 0, 0);
    berth(r, 2, 1, 0, 90);
    find(r, 2);
    check_bracket(&r->visits[0], NEVER, 0, 0, 1);
    check_bracket(&r->visits[1], 1, 2, 2, NEVER);
    tally_records_destroy(&r);
}

static void another_ship_in_the_place_ends_a_visit_under_partial_cloud(void **state)
{
    (void)state;
    tally_records *r = new_records();
    berth(r, 0, 1, 0, 90);
    berth(r, 2, 0.7, 5, 130);
    berth(r, 4, 1, 0, 0);
    find(r, 2);
    check_bracket(&r->visits[0], NEVER, 0, 0, 2);
    check_bracket(&r->visits[1], 0, 2, 2, 4);
    tally_records_destroy(&r);
}

/* A zone that no scene shows whole: as much as the best of them is whole. */
static void a_zone_beyond_the_scenes_edge_counts_as_seen(void **state)
{
    (void)state;
    tally_records *r = new_records();
    berth(r, 0, 0.8, 0, 0);
    berth(r, 1, 0.8, 0, 90);
    berth(r, 2, 0.79, 0, 0);
    find(r, 1);
    check_bracket(&r->visits[0], 0, 1, 1, 2);
    tally_records_destroy(&r);
}

static void a_hull_cut_by_cloud_is_the_same_ship(void **state)
{
    (void)state;
    tally_records *r = new_records();
    berth(r, 0, 1, 0, 100);
    berth(r, 1, 0.6, 20, 55); /* its northern half */
    berth(r, 2, 1, 0, 102);
    find(r, 1);
    assert_true(fabs(r->visits[0].length_m - 101) < 0.01); /* the cut hull does not count */
    tally_records_destroy(&r);
}

static void a_ship_at_anchor_swings(void **state)
{
    (void)state;
    tally_records *r = new_records();
    static const double headings[] = { 20, 95, 150 };
    for (int day = 0; day < 3; day++) {
        add_scene(r, day, "second");
        add_look(r, day, "roads", 1);
        add_ship(r, day, (ship) { "roads", 60.0 * day, -40.0 * day, 100, headings[day] });
        add_ship(r, day, (ship) { "roads", 900, 700, 140, headings[day] + 3 });
    }
    find(r, 2);
    check_bracket(&r->visits[0], NEVER, 0, 2, NEVER);
    check_bracket(&r->visits[1], NEVER, 0, 2, NEVER);
    tally_records_destroy(&r);
}

static void a_hull_on_a_zones_rim_does_not_leave(void **state)
{
    (void)state;
    tally_records *r = new_records();
    for (int day = 0; day < 3; day++) {
        add_scene(r, day, "second");
        add_look(r, day, "basin", 1);
        add_look(r, day, "berth", 1);
        add_ship(r, day, (ship) { day == 1 ? "basin" : "berth", day == 1 ? 0.8 : 0, 0, 90, 0 });
    }
    find(r, 1);
    check_bracket(&r->visits[0], NEVER, 0, 2, NEVER);
    assert_string_equal(r->visits[0].zone, "berth");
    tally_records_destroy(&r);
}

static void a_day_without_a_clock_widens_the_bracket(void **state)
{
    (void)state;
    tally_records *r = new_records();
    for (int day = 0; day < 3; day++) {
        add_scene(r, day, "day");
        add_look(r, day, "berth", 1);
    }
    add_ship(r, 1, (ship) { "berth", 0, 0, 90, 0 });
    find(r, 1);
    const tally_visit *v = &r->visits[0];
    assert_true(v->arrived_after == START);
    assert_true(v->arrived_before == START + 2 * DAY);
    assert_true(v->departed_after == START + DAY);
    assert_true(v->departed_before == START + 3 * DAY);
    tally_records_destroy(&r);
}

static void a_call_joins_roads_and_berth(void **state)
{
    (void)state;
    tally_records *r = new_records();
    for (int day = 0; day < 3; day++) {
        add_scene(r, day, "second");
        add_look(r, day, "roads", 1);
        add_look(r, day, "berth", 1);
    }
    add_ship(r, 0, (ship) { "roads", 3000, 0, 110, 40 });
    add_ship(r, 0, (ship) { "roads", 4000, 0, 80, 40 });
    add_ship(r, 1, (ship) { "berth", 0, 0, 111, 0 });
    add_ship(r, 1, (ship) { "berth", 0, 200, 60, 0 });
    find(r, 4);
    const char *calls[2] = { "", "" };
    int joined = 0;
    for (size_t i = 0; i < r->n_visits; i++)
        if (r->visits[i].length_m > 100) calls[joined++] = r->visits[i].call;
    assert_int_equal(joined, 2);
    assert_string_equal(calls[0], calls[1]);
    for (size_t i = 0; i < r->n_visits; i++)
        if (r->visits[i].length_m < 100) assert_string_not_equal(r->visits[i].call, calls[0]);
    tally_records_destroy(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_ship_is_one_visit),
        cmocka_unit_test(ends_of_the_series_stay_open),
        cmocka_unit_test(other_length_or_place_is_another_ship),
        cmocka_unit_test(a_misread_end_is_the_same_ship),
        cmocka_unit_test(ice_at_an_end_is_the_same_ship),
        cmocka_unit_test(unseen_says_nothing),
        cmocka_unit_test(a_partly_seen_zone_may_hide_a_ship),
        cmocka_unit_test(an_empty_berth_ends_a_visit_even_if_the_ship_returns),
        cmocka_unit_test(another_ship_in_the_place_ends_a_visit_under_partial_cloud),
        cmocka_unit_test(a_zone_beyond_the_scenes_edge_counts_as_seen),
        cmocka_unit_test(a_hull_cut_by_cloud_is_the_same_ship),
        cmocka_unit_test(a_ship_at_anchor_swings),
        cmocka_unit_test(a_hull_on_a_zones_rim_does_not_leave),
        cmocka_unit_test(a_day_without_a_clock_widens_the_bracket),
        cmocka_unit_test(a_call_joins_roads_and_berth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
