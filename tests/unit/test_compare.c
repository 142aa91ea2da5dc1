/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Published counts beside ours: what is compared with what, and what is said where nothing can be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/base.h"
#include "tallyman/compare.h"

static char path[] = "/tmp/tally_compare_XXXXXX";

static void add_scene(tally_records *r, const char *name, int64_t utc, const char *precision)
{
    tally_scene_record s = { .site = "rajin",
                             .scene = name,
                             .files = "",
                             .reason = "",
                             .family = "",
                             .sensor = "",
                             .time_source = "",
                             .time_precision = precision,
                             .basis = "",
                             .model = "",
                             .utc = utc };
    assert_int_equal(tally_records_add_scene(r, &s, NULL), TALLY_OK);
}

static void add_count(tally_records *r, const char *scene, int64_t utc, tally_class class_,
                      const char *zone, double estimate, double half, double seen,
                      tally_quality quality)
{
    bool counted = quality == TALLY_QUALITY_OK || quality == TALLY_QUALITY_PARTIAL;
    tally_observation o = { .site = "rajin",
                            .zone = zone,
                            .scene = scene,
                            .reason = "",
                            .family = "",
                            .class_ = class_,
                            .quality = quality,
                            .utc = utc,
                            .count = counted ? (int64_t)estimate : TALLY_NO_COUNT,
                            .estimate = counted ? estimate : NAN,
                            .low = counted ? estimate - half : NAN,
                            .high = counted ? estimate + half : NAN,
                            .seen = seen };
    if (class_ == TALLY_CONTAINER_STACK && counted && !strcmp(zone, "*")) {
        o.containers = 2 * estimate;
        o.containers_low = 1.5 * estimate;
        o.containers_high = 3 * estimate;
        o.containers_basis = "shadow";
    }
    assert_int_equal(tally_records_add_observation(r, &o, NULL), TALLY_OK);
}

static int64_t at(int day, int hour)
{
    return tally_utc_from_civil(2023, 2, day, hour, 0, 0);
}

static tally_records *made(void)
{
    tally_records *r = NULL;
    assert_int_equal(tally_records_create(&r, NULL), TALLY_OK);
    add_scene(r, "a", at(1, 2), "second");
    add_scene(r, "b", at(3, 23), "second"); /* the 4th in Korea */
    add_scene(r, "c", at(6, 2), "second");
    add_scene(r, "d", at(8, 0), "day");
    add_count(r, "a", at(1, 2), TALLY_RAILCAR, "*", 70, 5, 1, TALLY_QUALITY_OK);
    add_count(r, "a", at(1, 2), TALLY_RAILCAR, "spur 1", 40, 3, 1, TALLY_QUALITY_OK);
    add_count(r, "a", at(1, 2), TALLY_CONTAINER_STACK, "*", 50, 6, 1, TALLY_QUALITY_OK);
    add_count(r, "a", at(1, 2), TALLY_CONTAINER_STACK, "block 1", 12, 2, 1, TALLY_QUALITY_OK);
    add_count(r, "b", at(3, 23), TALLY_RAILCAR, "*", 20, 2, 1, TALLY_QUALITY_OK);
    add_count(r, "c", at(6, 2), TALLY_RAILCAR, "*", 0, 0, 0, TALLY_QUALITY_UNSEEN);
    add_count(r, "c", at(6, 2), TALLY_CONTAINER_STACK, "*", 0, 0, 1, TALLY_QUALITY_REFUSED);
    add_count(r, "d", at(8, 0), TALLY_RAILCAR, "*", 10, 1, 1, TALLY_QUALITY_OK);
    tally_records_sort(r);
    return r;
}

static void write_counts(const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static int64_t korea(int64_t utc, const void *zone)
{
    (void)utc;
    (void)zone;
    return 9 * 3600;
}

/* The verdict of one row under a header. */
static tally_comparison compare_one(tally_records *r, const char *header, const char *row,
                                    bool zone_known)
{
    char text[512];
    tally_comparison *rows = NULL, first;
    tally_compare_settings settings = { .ahead_s = zone_known ? korea : NULL };
    size_t n = 0;
    snprintf(text, sizeof text, "site,class,date,count%s\n%s\n", header, row);
    write_counts(text);
    assert_int_equal(tally_compare(r, path, &settings, &rows, &n, NULL), TALLY_OK);
    assert_int_equal(n, 1);
    first = rows[0]; /* its strings live as long as the records */
    tally_comparisons_free(&rows);
    assert_null(rows);
    return first;
}

static void intervals_that_meet_agree(void **state)
{
    (void)state;
    tally_records *r = made();
    tally_comparison c = compare_one(r, "", "rajin,railcar,2023-02-01,73", true);
    assert_int_equal(c.verdict, TALLY_AGREES);
    assert_true(c.ours == 70 && c.low == 65 && c.high == 75 && c.published == 73);
    assert_string_equal(c.scene, "a");
    assert_string_equal(c.reason, "");
    /* a tenth of 77 reaches 70, a tenth of 79 and our 75 do not */
    assert_int_equal(compare_one(r, "", "rajin,railcar,2023-02-01,77", true).verdict, TALLY_AGREES);
    assert_int_equal(compare_one(r, "", "rajin,railcar,2023-02-01,79", true).verdict,
                     TALLY_DIFFERS);
    assert_int_equal(compare_one(r, ",low,high", "rajin,railcar,2023-02-01,85,74,96", true).verdict,
                     TALLY_AGREES);
    assert_int_equal(compare_one(r, ",low,high", "rajin,railcar,2023-02-01,,60,66", true).verdict,
                     TALLY_AGREES);
    tally_records_destroy(&r);
}

static void a_tolerance_is_taken_at_its_word(void **state)
{
    (void)state;
    tally_records *r = made();
    assert_int_equal(compare_one(r, ",tolerance", "rajin,railcar,2023-02-01,73,3", true).verdict,
                     TALLY_AGREES);
    assert_int_equal(compare_one(r, ",tolerance", "rajin,railcar,2023-02-01,73,2.9", true).verdict,
                     TALLY_DIFFERS);
    assert_int_equal(compare_one(r, ",tolerance", "rajin,railcar,2023-02-01,100,30%", true).verdict,
                     TALLY_AGREES);
    assert_int_equal(compare_one(r, ",tolerance", "rajin,railcar,2023-02-01,100,29%", true).verdict,
                     TALLY_DIFFERS);
    assert_int_equal(compare_one(r, ",tolerance", "rajin,railcar,2023-02-01,73,0", true).verdict,
                     TALLY_DIFFERS);
    tally_records_destroy(&r);
}

static void zones_and_quantities(void **state)
{
    (void)state;
    tally_records *r = made();
    tally_comparison c =
        compare_one(r, ",quantity,zone", "rajin,railcar,2023-02-01,40,,spur 1", true);
    assert_int_equal(c.verdict, TALLY_AGREES);
    assert_true(c.ours == 40);
    c = compare_one(r, ",quantity", "rajin,container_stack,2023-02-01,50,slots", true);
    assert_int_equal(c.verdict, TALLY_AGREES);
    c = compare_one(r, ",quantity", "rajin,container_stack,2023-02-01,110,boxes", true);
    assert_int_equal(c.verdict, TALLY_AGREES);
    assert_true(c.ours == 100 && c.low == 75 && c.high == 150);
    c = compare_one(r, ",quantity", "rajin,container_stack,2023-02-01,300,boxes", true);
    assert_int_equal(c.verdict, TALLY_DIFFERS);
    c = compare_one(r, ",quantity,zone", "rajin,container_stack,2023-02-01,20,boxes,block 1", true);
    assert_int_equal(c.verdict, TALLY_INCOMPARABLE); /* a store of before boxes were counted */
    assert_non_null(strstr(c.reason, "boxes"));
    assert_true(isnan(c.ours));
    static const char *const others[][2] = {
        { "rajin,container_stack,2023-02-01,50,objects", "slots" },
        { "rajin,container_stack,2023-02-01,50,", "slots" },
        { "rajin,railcar,2023-02-01,70,slots", "objects" },
        { "rajin,lorry,2023-02-01,70,objects", "class" },
        { "rason,railcar,2023-02-01,70,objects", "site" },
        { "rajin,vessel,2023-02-01,2,objects", "zone" },
        { "rajin,railcar,2023-02-01,,objects", "no published count" },
    };
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        c = compare_one(r, ",quantity", others[i][0], true);
        assert_int_equal(c.verdict, TALLY_INCOMPARABLE);
        assert_non_null(strstr(c.reason, others[i][1]));
        assert_true(isnan(c.ours));
    }
    tally_records_destroy(&r);
}

static void days_are_local_where_the_zone_is_known(void **state)
{
    (void)state;
    tally_records *r = made();
    assert_int_equal(compare_one(r, "", "rajin,railcar,2023-02-04,20", true).verdict, TALLY_AGREES);
    tally_comparison c = compare_one(r, "", "rajin,railcar,2023-02-03,20", true);
    assert_int_equal(c.verdict, TALLY_INCOMPARABLE);
    assert_string_equal(c.reason, "no scene of that day");
    /* unknown: UTC, and the neighbouring day for want of one, which is said */
    c = compare_one(r, "", "rajin,railcar,2023-02-03,20", false);
    assert_int_equal(c.verdict, TALLY_AGREES);
    assert_string_equal(c.reason, "");
    c = compare_one(r, "", "rajin,railcar,2023-02-04,20", false);
    assert_int_equal(c.verdict, TALLY_AGREES);
    assert_non_null(strstr(c.reason, "time zone is not known"));
    assert_string_equal(c.scene, "b");
    /* a day without a clock is not moved */
    assert_int_equal(compare_one(r, "", "rajin,railcar,2023-02-08,10", true).verdict, TALLY_AGREES);
    tally_records_destroy(&r);
}

static void not_seen_is_not_zero(void **state)
{
    (void)state;
    tally_records *r = made();
    tally_comparison c = compare_one(r, "", "rajin,railcar,2023-02-06,0", true);
    assert_int_equal(c.verdict, TALLY_INCOMPARABLE);
    assert_string_equal(c.reason, "not seen that day");
    c = compare_one(r, ",quantity", "rajin,container_stack,2023-02-06,9,slots", true);
    assert_int_equal(c.verdict, TALLY_INCOMPARABLE);
    assert_non_null(strstr(c.reason, "resolution"));
    tally_records_destroy(&r);
}

static void bad_tables_are_named_by_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } bad[] = {
        { "site,class,date\nrajin,railcar,2023-02-01\n", "line 1: no column `count`" },
        { "site;class;date;count\n", "semicolons" },
        { "site,class,date,count\nrajin,railcar,2023-02-01,1\nrajin,railcar,soon,3\n",
          "line 3: date `soon`" },
        { "site,class,date,count\nrajin,railcar,2023-02-01,many\n", "line 2: `many`" },
        { "site,class,date,count\nrajin,railcar,2023-02-01,-4\n", "line 2: count is -4" },
        { "site,class,date,count,low,high\nrajin,railcar,2023-02-01,4,6,2\n", "line 2: low 6" },
        { "site,class,date,count,tolerance\nrajin,railcar,2023-02-01,4,-1\n", "tolerance" },
        { "site,class,date,count,quantity\nrajin,railcar,2023-02-01,4,tons\n", "`tons`" },
    };
    tally_records *r = made();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        tally_comparison *rows = NULL;
        tally_compare_settings settings = { 0 };
        tally_error err = { 0 };
        size_t n = 0;
        write_counts(bad[i].text);
        assert_int_equal(tally_compare(r, path, &settings, &rows, &n, &err), TALLY_E_FORMAT);
        assert_non_null(strstr(err.message, path));
        assert_non_null(strstr(err.message, bad[i].says));
        assert_null(strchr(err.message, '\n'));
        assert_null(rows);
        assert_int_equal(n, 0);
    }
    tally_records_destroy(&r);
}

static void the_table_quotes_what_needs_it(void **state)
{
    (void)state;
    tally_records *r = made();
    tally_comparison row =
        compare_one(r, ",source", "rajin,railcar,2023-02-01,73,\"A, \"\"B\"\"\"", true);
    char *text = tally_comparisons_csv(&row, 1);
    assert_string_equal(
        text, "site,class,zone,date,published,ours,low,high,verdict,reason,scene,source,counts\n"
              "rajin,railcar,*,2023-02-01,73,70,65,75,agrees,,a,\"A, \"\"B\"\"\",machine\n");
    free(text);
    tally_records_destroy(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(intervals_that_meet_agree),
        cmocka_unit_test(a_tolerance_is_taken_at_its_word),
        cmocka_unit_test(zones_and_quantities),
        cmocka_unit_test(days_are_local_where_the_zone_is_known),
        cmocka_unit_test(not_seen_is_not_zero),
        cmocka_unit_test(bad_tables_are_named_by_line),
        cmocka_unit_test(the_table_quotes_what_needs_it),
    };
    int fd = mkstemp(path);
    if (fd < 0) return 1;
    close(fd);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
