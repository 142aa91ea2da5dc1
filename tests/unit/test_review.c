/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reviews: what each does to a count and to the total, what is refused, and that a table is taken
 * whole or not at all. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/base.h"
#include "tallyman/review.h"

/* 2026-03-01 and 2026-03-08 */
static const int64_t FIRST = 1772330400, SECOND = 1772935200, NOW = 1773000000;
static char table[] = "/tmp/tally_review_XXXXXX";

static void add_zone(tally_records *r, const char *scene, int64_t utc, const char *zone,
                     int64_t count, double half)
{
    const bool seen = count != TALLY_NO_COUNT;
    const tally_observation o = { .site = "s",
                                  .zone = zone,
                                  .scene = scene,
                                  .reason = "",
                                  .family = "f",
                                  .class_ = TALLY_VESSEL,
                                  .quality = seen ? TALLY_QUALITY_OK : TALLY_QUALITY_UNSEEN,
                                  .utc = utc,
                                  .count = count,
                                  .low = seen ? (double)count - half : NAN,
                                  .high = seen ? (double)count + half : NAN,
                                  .estimate = seen ? (double)count : NAN,
                                  .extent = NAN,
                                  .occupancy = NAN,
                                  .seen = seen,
                                  .gsd_m = 3 };
    assert_int_equal(tally_records_add_observation(r, &o, NULL), TALLY_OK);
}

static void add_ship(tally_records *r, double longitude, int64_t count)
{
    double ring[4][2] = { { longitude, 42 },
                          { longitude + .001, 42 },
                          { longitude + .001, 42.0002 },
                          { longitude, 42.0002 } };
    const tally_detection d = { .site = "s",
                                .zone = "quay",
                                .scene = "a",
                                .type = "ship",
                                .class_ = TALLY_VESSEL,
                                .utc = FIRST,
                                .count = count,
                                .length_m = 82,
                                .width_m = 22,
                                .score = .9,
                                .ring = ring,
                                .n_ring = 4 };
    assert_int_equal(tally_records_add_detection(r, &d, NULL), TALLY_OK);
}

/* Two scenes; quay and roads; the roads of the second are not seen. */
static tally_records *made(void)
{
    tally_records *r = NULL;
    assert_int_equal(tally_records_create(&r, NULL), TALLY_OK);
    const char *const names[] = { "a", "b" };
    for (int i = 0; i < 2; i++) {
        const int64_t utc = i ? SECOND : FIRST;
        const tally_scene_record s = { .site = "s", .scene = names[i], .utc = utc };
        assert_int_equal(tally_records_add_scene(r, &s, NULL), TALLY_OK);
        add_zone(r, names[i], utc, "quay", 4, 1);
        add_zone(r, names[i], utc, "roads", i ? TALLY_NO_COUNT : 2, 0);
        add_zone(r, names[i], utc, "*", i ? 4 : 6, 1);
    }
    add_ship(r, 130, 1);
    add_ship(r, 130.01, 3);
    tally_records_sort(r);
    return r;
}

static void says(tally_records *r, const char *action, const char *zone, const char *scene,
                 const char *detection, int64_t count, const char *when)
{
    const tally_review v = { .action = action,
                             .class_ = "vessel",
                             .zone = zone,
                             .scene = scene,
                             .datetime = "",
                             .detection = detection,
                             .who = "Ann",
                             .why = "looked",
                             .when = when,
                             .problem = "",
                             .count = count,
                             .longitude = NAN,
                             .latitude = NAN };
    assert_int_equal(tally_records_add_review(r, &v, NULL), TALLY_OK);
}

static const tally_observation *row_of(const tally_records *r, const char *scene, const char *zone)
{
    for (size_t i = 0; i < r->n_observations; i++)
        if (!strcmp(r->observations[i].scene, scene) && !strcmp(r->observations[i].zone, zone))
            return &r->observations[i];
    fail_msg("no row of %s in %s", zone, scene);
    return NULL;
}

static void is(const tally_observation *o, int64_t count, double low, double high)
{
    assert_int_equal(o->count, count);
    assert_true(fabs(o->low - low) < 1e-9);
    assert_true(fabs(o->high - high) < 1e-9);
}

static void no_review_changes_nothing(void **state)
{
    (void)state;
    tally_records *r = made();
    assert_int_equal(tally_review_apply(r, NULL), TALLY_OK);
    assert_int_equal(r->counts, TALLY_COUNTS_REVIEWED);
    is(row_of(r, "a", "*"), 6, 5, 7);
    assert_false(row_of(r, "a", "*")->reviewed.touched);
    assert_int_equal(r->n_detections, 2);
    tally_records_destroy(&r);
}

static void a_corrected_count_is_sure_and_sums_up(void **state)
{
    (void)state;
    tally_records *r = made();
    says(r, "correct", "quay", "a", "", 9, "2026-03-10");
    assert_int_equal(tally_review_apply(r, NULL), TALLY_OK);
    const tally_observation *o = row_of(r, "a", "quay"), *total = row_of(r, "a", "*");
    is(o, 9, 9, 9);
    assert_int_equal(o->reviewed.count, 4);
    assert_string_equal(o->reviewed.who, "Ann");
    assert_non_null(strstr(o->reason, "correct by Ann: looked (machine: 4)"));
    is(total, 11, 11, 11); /* the only doubt was the quay's */
    assert_int_equal(total->reviewed.count, 6);
    assert_string_equal(total->reviewed.action, "sum");
    is(row_of(r, "b", "quay"), 4, 3, 5);
    tally_records_destroy(&r);
}

static void things_shift_count_and_interval(void **state)
{
    (void)state;
    tally_records *r = made();
    says(r, "reject", "quay", "a", r->detections[1].id, TALLY_NO_COUNT, "");
    says(r, "add", "quay", "a", "", 2, "");
    says(r, "correct", "", "a", r->detections[0].id, 2, "");
    assert_int_equal(tally_review_apply(r, NULL), TALLY_OK);
    is(row_of(r, "a", "quay"), 4 - 3 + 2 + 1, 3, 5);
    is(row_of(r, "a", "*"), 6, 5, 7);
    assert_int_equal(r->n_detections, 1);
    assert_int_equal(r->detections[0].count, 2);
    tally_records_destroy(&r);
}

/* What the machine scaled up to zones that it did not see is added once, however many were
 * corrected. */
static void two_corrections_make_one_sum(void **state)
{
    (void)state;
    tally_records *r = made();
    add_zone(r, "b", SECOND, "bay", 2, 0);
    tally_records_sort(r);
    for (size_t i = 0; i < r->n_observations; i++)
        if (!strcmp(r->observations[i].scene, "b") && !strcmp(r->observations[i].zone, "*")) {
            r->observations[i].count = 6;
            r->observations[i].estimate = 8;
        }
    says(r, "correct", "quay", "b", "", 9, "");
    says(r, "correct", "bay", "b", "", 1, "");
    assert_int_equal(tally_review_apply(r, NULL), TALLY_OK);
    assert_int_equal(row_of(r, "b", "*")->count, 10);
    assert_true(fabs(row_of(r, "b", "*")->estimate - 12) < 1e-9);
    tally_records_destroy(&r);
}

static void accepting_keeps_the_count(void **state)
{
    (void)state;
    tally_records *r = made();
    says(r, "accept", "quay", "a", "", TALLY_NO_COUNT, "");
    assert_int_equal(tally_review_apply(r, NULL), TALLY_OK);
    is(row_of(r, "a", "quay"), 4, 3, 5);
    assert_true(row_of(r, "a", "quay")->reviewed.touched);
    is(row_of(r, "a", "*"), 6, 5, 7);
    tally_records_destroy(&r);
}

static void what_was_not_seen_stays_so_unless_counted(void **state)
{
    (void)state;
    tally_records *r = made();
    says(r, "add", "roads", "b", "", 1, "");
    assert_int_equal(tally_review_apply(r, NULL), TALLY_OK);
    assert_int_equal(row_of(r, "b", "roads")->count, TALLY_NO_COUNT);
    assert_non_null(strstr(r->reviews[0].problem, "no count"));
    tally_records_destroy(&r);

    r = made();
    says(r, "correct", "roads", "b", "", 0, "");
    assert_int_equal(tally_review_apply(r, NULL), TALLY_OK);
    is(row_of(r, "b", "roads"), 0, 0, 0);
    assert_int_equal(row_of(r, "b", "roads")->quality, TALLY_QUALITY_OK);
    is(row_of(r, "b", "*"), 4, 3, 5);
    assert_int_equal(row_of(r, "b", "*")->quality, TALLY_QUALITY_OK);
    tally_records_destroy(&r);
}

static void the_later_review_holds(void **state)
{
    (void)state;
    tally_records *r = made();
    says(r, "correct", "quay", "a", "", 9, "2026-03-12T10:00:00Z");
    says(r, "correct", "quay", "a", "", 7, "2026-03-11T10:00:00Z");
    says(r, "correct", "*", "a", "", 5, "");
    says(r, "correct", "*", "a", "", 6, "");
    assert_int_equal(tally_review_apply(r, NULL), TALLY_OK);
    is(row_of(r, "a", "quay"), 9, 9, 9);
    assert_non_null(strstr(r->reviews[1].problem, "a later review holds"));
    is(row_of(r, "a", "*"), 6, 6, 6); /* as it was given, though its zones say 11 */
    assert_string_equal(r->reviews[3].problem, "");
    tally_records_destroy(&r);
}

static void a_drawn_outline_is_a_thing_found(void **state)
{
    (void)state;
    tally_records *r = made();
    double ring[4][2] = {
        { 130.02, 42 }, { 130.021, 42 }, { 130.021, 42.0002 }, { 130.02, 42.0002 }
    };
    tally_review v = { .action = "add",
                       .class_ = "vessel",
                       .zone = "quay",
                       .scene = "a",
                       .who = "Ann",
                       .why = "missed",
                       .count = TALLY_NO_COUNT,
                       .longitude = NAN,
                       .latitude = NAN,
                       .ring = ring,
                       .n_ring = 4 };
    assert_int_equal(tally_records_add_review(r, &v, NULL), TALLY_OK);
    assert_int_equal(tally_review_apply(r, NULL), TALLY_OK);
    is(row_of(r, "a", "quay"), 5, 4, 6);
    assert_int_equal(r->n_detections, 3);
    assert_string_equal(r->detections[2].type, "added");
    assert_true(fabs(r->detections[2].length_m - 82.8) < 0.5); /* .001 degree at 42 north */
    assert_true(fabs(r->detections[2].width_m - 22.2) < 0.2);
    assert_true(fabs(r->detections[2].heading_deg - 90) < 0.5);
    tally_records_destroy(&r);
}

static void ids_tell_what_was_found(void **state)
{
    (void)state;
    tally_records *r = made(), *again = made();
    assert_string_equal(r->detections[0].id, again->detections[0].id);
    assert_int_equal(strlen(r->detections[0].id), TALLY_ID_SIZE - 1);
    assert_string_not_equal(r->detections[0].id, r->detections[1].id);
    char id[TALLY_ID_SIZE];
    tally_detection other = r->detections[0];
    other.count++;
    tally_detection_id(&other, id);
    assert_string_not_equal(id, r->detections[0].id);
    tally_records_destroy(&r);
    tally_records_destroy(&again);
}

static void write_table(const char *text)
{
    FILE *f = fopen(table, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void a_table_is_taken_once(void **state)
{
    (void)state;
    tally_records *r = made();
    tally_review_result result;
    write_table(
        "action,class,who,zone,scene,datetime,count,why,wkt,longitude,latitude\n"
        "correct,vessel,Ann,quay,,2026-03-01,3,\"two, not four\",,,\n"
        "add,vessel,Ann,quay,b,,,missed,\"POLYGON ((130 42, 130.1 42, 130.1 42.1, 130 42))\",,\n"
        "add,vessel,Ann,quay,b,,,missed,,130.5,42.5\n"
        ",vessel,,quay,b,,,,,,\n");
    assert_int_equal(tally_review_read(table, NOW, r, &result, NULL), TALLY_OK);
    assert_int_equal(result.n_added, 3);
    assert_int_equal(result.n_blank, 1);
    assert_string_equal(r->reviews[0].scene, "a");
    assert_string_equal(r->reviews[0].when, "2026-03-08T20:00:00Z");
    assert_int_equal(r->reviews[1].n_ring, 3);
    assert_int_equal(tally_review_read(table, NOW + 60, r, &result, NULL), TALLY_OK);
    assert_int_equal(result.n_added, 0);
    assert_int_equal(result.n_known, 3);
    /* and what it prints is such a table */
    char *text = tally_reviews_csv(r);
    write_table(text);
    tally_free(text);
    assert_int_equal(tally_review_read(table, NOW + 120, r, &result, NULL), TALLY_OK);
    assert_int_equal(result.n_known, 3);
    tally_records *fresh = made();
    assert_int_equal(tally_review_read(table, NOW, fresh, &result, NULL), TALLY_OK);
    assert_int_equal(result.n_added, 3);
    assert_true(fabs(fresh->reviews[2].latitude - 42.5) < 1e-9);
    tally_records_destroy(&fresh);
    tally_records_destroy(&r);
}

/* Each row is wrong in one way; the good row before it is not taken either. */
static void what_is_wrong_is_named_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *row, *says;
    } wrong[] = {
        { "remove,vessel,quay,a,,,1,Ann,why,,,", "action `remove`" },
        { "correct,lorry,quay,a,,,1,Ann,why,,,", "class `lorry`" },
        { "correct,vessel,jetty,a,,,1,Ann,why,,,", "zone `jetty`" },
        { "correct,railcar,quay,a,,,1,Ann,why,,,", "has no railcar" },
        { "correct,vessel,quay,c,,,1,Ann,why,,,", "scene `c`" },
        { "correct,vessel,quay,,2026-04-01,,1,Ann,why,,,", "no scene of 2026-04-01" },
        { "correct,vessel,quay,a,2026-03-08,,1,Ann,why,,,", "is not of 2026-03-08" },
        { "correct,vessel,quay,,,,1,Ann,why,,,", "neither scene nor datetime" },
        { "correct,vessel,quay,a,,,-1,Ann,why,,,", "count `-1`" },
        { "correct,vessel,quay,a,,,2.5,Ann,why,,,", "count `2.5`" },
        { "correct,vessel,quay,a,,,=1+1,Ann,why,,,", "count `=1+1`" },
        { "correct,vessel,quay,a,,,99999999,Ann,why,,,", "99999999" },
        { "correct,vessel,quay,a,,,,Ann,why,,,", "wants the right count" },
        { "correct,vessel,quay,a,,,1,,why,,,", "`who` is empty" },
        { "correct,vessel,quay,a,,,1,Ann,,,,", "`why` is empty" },
        { "correct,vessel,quay,a,,,1,Ann,=cmd(),,,", "formula" },
        { "correct,vessel,quay,a,,,1,@Ann,why,,,", "formula" },
        { "correct,vessel,quay,a,,,1,Ann,\xff,,,", "UTF-8" },
        { "correct,vessel,quay,a,,,1,Ann,why,soon,,", "when `soon`" },
        { "correct,vessel,quay,b,,,4,Ann,why,,,", "line 2" }, /* said twice */
        { "reject,vessel,quay,a,,,,Ann,why,,,", "reject wants" },
        { "reject,vessel,quay,a,,0123456789ab,,Ann,why,,,", "detection `0123456789ab`" },
        { "add,vessel,*,a,,,1,Ann,why,,,", "not *" },
        { "add,vessel,quay,a,,,0,Ann,why,,,", "adds 0" },
        { "add,vessel,quay,a,,,1,Ann,why,,200,42", "200" },
        { "add,vessel,quay,a,,,1,Ann,why,,130,", "go together" },
        { "accept,vessel,quay,a,,,4,Ann,why,,,", "takes no count" },
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        tally_records *r = made();
        tally_review_result result;
        tally_error err = { 0 };
        char text[512];
        snprintf(
            text, sizeof text,
            "action,class,zone,scene,datetime,detection,count,who,why,when,longitude,latitude\n"
            "correct,vessel,quay,b,,,3,Ann,why,,,\n%s\n",
            wrong[i].row);
        write_table(text);
        assert_int_equal(tally_review_read(table, NOW, r, &result, &err), TALLY_E_FORMAT);
        if (!strstr(err.message, wrong[i].says) || !strstr(err.message, "line 3") ||
            !strstr(err.message, table))
            fail_msg("%s: %s", wrong[i].row, err.message);
        assert_int_equal(r->n_reviews, 0);
        tally_records_destroy(&r);
    }
}

static void outlines_that_are_none(void **state)
{
    (void)state;
    static const char *const wrong[] = { "POINT (130 42)",
                                         "POLYGON ((130 42, 131 42, 131 43))",
                                         "POLYGON ((130 42, 131 42, 130 42))",
                                         "POLYGON ((130 42, 131 42, 131 43, 130 42)",
                                         "POLYGON ((nan 42, 131 42, 131 43, nan 42))",
                                         "POLYGON ((130 42, 131 42, 131 95, 130 42))",
                                         "POLYGON EMPTY",
                                         "POLYGON ((" };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        tally_records *r = made();
        tally_review_result result;
        tally_error err = { 0 };
        char text[256];
        snprintf(text, sizeof text,
                 "action,class,who,why,zone,scene,wkt\nadd,vessel,Ann,why,quay,a,\"%s\"\n",
                 wrong[i]);
        write_table(text);
        assert_int_equal(tally_review_read(table, NOW, r, &result, &err), TALLY_E_FORMAT);
        tally_records_destroy(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_review_changes_nothing),
        cmocka_unit_test(a_corrected_count_is_sure_and_sums_up),
        cmocka_unit_test(things_shift_count_and_interval),
        cmocka_unit_test(two_corrections_make_one_sum),
        cmocka_unit_test(accepting_keeps_the_count),
        cmocka_unit_test(what_was_not_seen_stays_so_unless_counted),
        cmocka_unit_test(the_later_review_holds),
        cmocka_unit_test(a_drawn_outline_is_a_thing_found),
        cmocka_unit_test(ids_tell_what_was_found),
        cmocka_unit_test(a_table_is_taken_once),
        cmocka_unit_test(what_is_wrong_is_named_with_its_line),
        cmocka_unit_test(outlines_that_are_none),
    };
    const int fd = mkstemp(table);
    if (fd < 0) return 1;
    close(fd);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(table);
    return failed;
}
