/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A series made elsewhere, read from CSV. */
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
#include "tallyman/series.h"

static char path[] = "/tmp/tally_series_XXXXXX";

static tally_status read_text(const char *text, size_t size, tally_records **out, tally_error *err)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(text, 1, size, f), size);
    fclose(f);
    return tally_series_read(path, out, err);
}

static tally_records *read_good(const char *text)
{
    tally_records *r = NULL;
    tally_error err = { 0 };
    tally_status s = read_text(text, strlen(text), &r, &err);
    if (s != TALLY_OK) print_message("%s\n", err.message);
    assert_int_equal(s, TALLY_OK);
    return r;
}

static void four_columns_are_enough(void **state)
{
    (void)state;
    tally_records *r = read_good("site,class,datetime,count\n"
                                 "sines,vessel,2018-09-27,5.9\n"
                                 "sines,vessel,2018-09-22T11:20:00Z,4\n"
                                 "sines,vessel,2018-10-02,\n");
    assert_int_equal(r->n_observations, 3);
    const tally_observation *o = r->observations; /* by time */
    assert_true(o[0].count == 4 && o[0].estimate == 4 && o[0].seen == 1);
    assert_string_equal(o[0].zone, "*");
    assert_string_equal(o[0].site, "sines");
    assert_true(o[0].utc == tally_utc_from_civil(2018, 9, 22, 11, 20, 0));
    assert_true(o[1].count == 6 && o[1].estimate == 5.9);
    assert_true(isnan(o[1].low) && isnan(o[1].high));
    /* an empty count was not seen: no number anywhere */
    assert_true(o[2].count == TALLY_NO_COUNT && isnan(o[2].estimate) && o[2].seen == 0);
    assert_int_equal(o[2].quality, TALLY_QUALITY_UNSEEN);
    tally_records_destroy(&r);
}

static void all_columns_of_ours_in_any_order(void **state)
{
    (void)state;
    tally_records *r = read_good(
        "\xef\xbb\xbfquality,high,zone,site,class,datetime,scene,count,low,seen,estimate,note\r\n"
        "partial,30,\"Track 1, west\",t,railcar,2023-05-05T02:33:41Z,s1,10,9,0.5,20,\"a "
        "\"\"b\"\"\"\r\n"
        "\r\n"
        "refused,,\"Track 1, west\",t,railcar,2023-05-06T02:33:41Z,s2,,,1,,\"two\nlines\"\r\n");
    assert_int_equal(r->n_observations, 2);
    const tally_observation *o = r->observations;
    assert_string_equal(o[0].zone, "Track 1, west");
    assert_string_equal(o[0].scene, "s1");
    assert_true(o[0].count == 10 && o[0].estimate == 20 && o[0].low == 9 && o[0].high == 30);
    assert_true(o[0].seen == 0.5);
    assert_int_equal(o[0].quality, TALLY_QUALITY_PARTIAL);
    assert_int_equal(o[1].quality, TALLY_QUALITY_REFUSED);
    tally_records_destroy(&r);
}

static void a_table_without_rows_is_an_empty_series(void **state)
{
    (void)state;
    tally_records *r = read_good("site,class,datetime,count");
    assert_int_equal(r->n_observations, 0);
    tally_records_destroy(&r);
}

#define HEAD "site,class,datetime,count,low,high,seen,quality\n"
#define GOOD "t,railcar,2023-05-05,1,,,,\n"

static void what_is_wrong_is_named_with_its_line(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
    } bad[] = {
        { "", "line 1: no header row" },
        { "site,class,count\nt,railcar,1\n", "line 1: no column `datetime`" },
        { "site;class;datetime;count\n", "commas, not semicolons" },
        { HEAD GOOD "t,railcar,2023-05-06,lots,,,,\n", "line 3: `lots`" },
        { HEAD GOOD GOOD "t,railcar,2023-05-06,nan,,,,\n", "line 4: `nan`" },
        { HEAD "t,railcar,2023-05-06,-1,,,,\n", "line 2: a count of -1" },
        { HEAD "t,railcar,2023-13-06,1,,,,\n", "line 2: datetime `2023-13-06`" },
        { HEAD "t,lorry,2023-05-06,1,,,,\n", "line 2: class `lorry`" },
        { HEAD "t,railcar,2023-05-06,1\n", "line 2: 4 fields, the header names 8" },
        { HEAD "t,railcar,2023-05-06,1,9,2,,\n", "line 2: low 9 lies above high 2" },
        { HEAD "t,railcar,2023-05-06,1,,,1.5,\n", "line 2: seen is 1.5" },
        { HEAD "t,railcar,2023-05-06,1,,,,good\n", "line 2: quality `good`" },
        { HEAD "t,railcar,2023-05-06,1,,,,\"ok\n", "a quote is never closed" },
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        tally_records *r = NULL;
        tally_error err = { 0 };
        assert_int_equal(read_text(bad[i].text, strlen(bad[i].text), &r, &err), TALLY_E_FORMAT);
        if (!strstr(err.message, bad[i].says))
            fail_msg("`%s` does not say `%s`", err.message, bad[i].says);
        assert_non_null(strstr(err.message, path));
        assert_null(strchr(err.message, '\n'));
        assert_null(r);
    }
    tally_records *r = NULL;
    tally_error err = { 0 };
    static const char zeros[] = "site,class\0,datetime,count\n";
    assert_int_equal(read_text(zeros, sizeof zeros - 1, &r, &err), TALLY_E_FORMAT);
    assert_non_null(strstr(err.message, "zero bytes"));
    assert_int_equal(tally_series_read("/nowhere/at all.csv", &r, &err), TALLY_E_IO);
    assert_non_null(strstr(err.message, "/nowhere/at all.csv"));
}

static void too_many_columns_are_refused(void **state)
{
    (void)state;
    char text[1024] = "site,class,datetime,count";
    for (int i = 0; i < 80; i++)
        strcat(text, ",x");
    strcat(text, "\n");
    tally_records *r = NULL;
    tally_error err = { 0 };
    assert_int_equal(read_text(text, strlen(text), &r, &err), TALLY_E_FORMAT);
    assert_non_null(strstr(err.message, "line 1: more than 64 fields"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(four_columns_are_enough),
        cmocka_unit_test(all_columns_of_ours_in_any_order),
        cmocka_unit_test(a_table_without_rows_is_an_empty_series),
        cmocka_unit_test(what_is_wrong_is_named_with_its_line),
        cmocka_unit_test(too_many_columns_are_refused),
    };
    int fd = mkstemp(path);
    if (fd < 0) return 1;
    close(fd);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(path);
    return failed;
}
