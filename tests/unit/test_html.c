/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The report: what must stand in it, what must not get out of it. */
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

#include "report/html.h"

#define HOSTILE "<script>alert(1)</script>\"' &\x01\xff"
#define N_DATES 12
#define DAY_S   86400
#define START   1674181803 /* 2023-01-20T02:30:03Z */

static char folder[] = "/tmp/tally_html_XXXXXX";

typedef struct made {
    tally_records records;
    tally_scene_record scenes[N_DATES];
    tally_observation rows[2 * N_DATES];
    tally_spike spikes[2];
    tally_visit visit;
    char ids[N_DATES][24];
} made;

/* Twelve dates of one zone and the site: the fourth under cloud, the ninth a spike, the last one
 * rejected. */
static void make(made *m, const char *zone)
{
    *m = (made) { 0 };
    for (int i = 0; i < N_DATES; i++) {
        snprintf(m->ids[i], sizeof m->ids[i], "scene_%02d", i);
        const bool out = i == N_DATES - 1, unseen = i == 3;
        const int64_t utc = START + (int64_t)i * 9 * DAY_S;
        m->scenes[i] =
            (tally_scene_record) { .site = "rajin",
                                   .scene = m->ids[i],
                                   .files = "",
                                   .reason = out ? "truncated" : "",
                                   .family = i % 5 ? "optical 0.5 m" : "optical 3 m",
                                   .sensor = "",
                                   .time_source = "",
                                   .time_precision = "",
                                   .basis = "background",
                                   .model = "translation",
                                   .utc = utc,
                                   .gsd_m = 0.5,
                                   .sun_azimuth = NAN,
                                   .sun_elevation = 33,
                                   .off_nadir = NAN,
                                   .cloud = NAN,
                                   .dx_px = .25,
                                   .dy_px = -.5,
                                   .rmse_px = .1,
                                   .quality = out ? TALLY_QUALITY_REJECTED : TALLY_QUALITY_OK };
        for (int k = 0; k < 2; k++)
            m->rows[2 * i + k] = (tally_observation) { .site = "rajin",
                                                       .zone = k ? "*" : zone,
                                                       .scene = m->ids[i],
                                                       .reason = unseen ? "cloud" : "",
                                                       .family = m->scenes[i].family,
                                                       .class_ = TALLY_CONTAINER_STACK,
                                                       .quality = out      ? TALLY_QUALITY_REJECTED
                                                                  : unseen ? TALLY_QUALITY_UNSEEN
                                                                  : i == 6 ? TALLY_QUALITY_PARTIAL
                                                                           : TALLY_QUALITY_OK,
                                                       .utc = utc,
                                                       .count = out || unseen ? TALLY_NO_COUNT
                                                                : i == 8      ? 98
                                                                              : 40 + i % 3 * 7,
                                                       .estimate = out || unseen ? NAN
                                                                   : i == 8      ? 98
                                                                                 : 40 + i % 3 * 7,
                                                       .low = out || unseen ? NAN : 30,
                                                       .high = out || unseen ? NAN
                                                               : i == 8      ? 118
                                                                             : 65,
                                                       .extent = 500,
                                                       .occupancy = .4,
                                                       .seen = unseen || out ? 0
                                                               : i == 6      ? .7
                                                                             : 1,
                                                       .gsd_m = .5 };
    }
    m->spikes[0] = (tally_spike) { .site = "rajin",
                                   .zone = "*",
                                   .scene = m->ids[8],
                                   .kind = "spike",
                                   .class_ = TALLY_CONTAINER_STACK,
                                   .utc = m->scenes[8].utc,
                                   .record_since = TALLY_NO_TIME,
                                   .series_since = START,
                                   .count = 98,
                                   .expected = 47,
                                   .low = 30,
                                   .high = 66,
                                   .score = 5,
                                   .count_low = 80,
                                   .count_high = 118,
                                   .previous_record = 54,
                                   .n_seen = 10 };
    m->spikes[1] = m->spikes[0];
    m->spikes[1].zone = zone;
    m->spikes[1].record_since = START + 9 * DAY_S;
    m->visit = (tally_visit) { .site = "rajin",
                               .zone = zone,
                               .visit = "1",
                               .scenes = "",
                               .call = "",
                               .first_seen = START,
                               .last_seen = START + DAY_S,
                               .arrived_after = TALLY_NO_TIME,
                               .arrived_before = START,
                               .departed_after = START + DAY_S,
                               .departed_before = TALLY_NO_TIME,
                               .length_m = 119.6 };
    m->records = (tally_records) { .scenes = m->scenes,
                                   .n_scenes = N_DATES,
                                   .observations = m->rows,
                                   .n_observations = (size_t)2 * N_DATES,
                                   .spikes = m->spikes,
                                   .n_spikes = 2,
                                   .visits = &m->visit,
                                   .n_visits = 1 };
}

static char *page_of(const tally_records *records, const char *title)
{
    const tally_context ctx = { .jobs = 1 };
    tally_error err = { 0 };
    char path[64], *text = NULL;
    size_t size;
    assert_int_equal(tally_report_html(&ctx, records, title, folder, &err), TALLY_OK);
    snprintf(path, sizeof path, "%s/report.html", folder);
    assert_int_equal(tally_file_read(path, 1 << 24, &text, &size, &err), TALLY_OK);
    return text;
}

static size_t times(const char *text, const char *what)
{
    size_t n = 0;
    for (const char *p = text; (p = strstr(p, what)); p += strlen(what))
        n++;
    return n;
}

static void says_what_an_analyst_says(void **state)
{
    (void)state;
    made m;
    make(&m, "block 1");
    char *t = page_of(&m.records, "Rajin port");
    assert_non_null(strstr(t, "<h1>Rajin port</h1>"));
    assert_non_null(strstr(t, "11 scenes, 2023-01-20 to 2023-04-20"));
    assert_non_null(strstr(t, "1 left out"));
    assert_non_null(strstr(t, "<b>98 container slots</b> (80 to 118): far above what is usual, "
                              "highest of 10 images since 2023-01-20 (before: 54); usual then: 47 "
                              "(30 to 66)."));
    assert_non_null(strstr(t, "highest since 2023-01-29"));
    assert_non_null(strstr(t, "truncated"));
    tally_free(t);
}

static void draws_each_date_once(void **state)
{
    (void)state;
    made m;
    make(&m, "block 1");
    char *t = page_of(&m.records, NULL);
    assert_int_equal(times(t, "class=\"dot f"), 9);
    assert_int_equal(times(t, "class=\"dot hollow f"), 1);
    assert_int_equal(times(t, "class=\"unseen\""), 1);
    assert_int_equal(times(t, "class=\"ring\""), 1);
    assert_int_equal(times(t, "class=\"whisker f"), 10);
    /* the other family has dates 0, 5, 10; the first one's line breaks at the unseen date: 1-2,
     * 4-6-7-8-9 */
    assert_int_equal(times(t, "class=\"line f"), 2 + 1 + 4);
    tally_free(t);
}

static void nothing_gets_out(void **state)
{
    (void)state;
    made m;
    make(&m, HOSTILE);
    m.scenes[2].scene = m.scenes[N_DATES - 1].reason = HOSTILE;
    m.rows[5].scene = m.rows[5].family = m.rows[5].reason = HOSTILE;
    m.spikes[0].kind = m.visit.call = HOSTILE;
    m.spikes[0].scene = "../../etc/passwd";
    char *t = page_of(&m.records, HOSTILE);
    assert_null(strstr(t, "<script"));
    assert_null(strchr(t, '\x01'));
    assert_null(strchr(t, '\xff'));
    assert_non_null(strstr(t, "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#39; &amp; ?"));
    assert_non_null(strstr(t, "default-src 'none'"));
    assert_null(strstr(t, "http://"));
    assert_null(strstr(t, "https://"));
    tally_free(t);
}

static void put_picture(const char *name, const char *bytes)
{
    char path[128];
    snprintf(path, sizeof path, "%s/pictures/%s", folder, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fputs(bytes, f);
    fclose(f);
}

static void pictures_are_inside(void **state)
{
    (void)state;
    made m;
    tally_error err;
    char path[64];
    snprintf(path, sizeof path, "%s/pictures", folder);
    assert_int_equal(tally_mkdir(path, &err), TALLY_OK);
    put_picture("container_stack_scene_08_yard1.png", "ab");
    put_picture("container_stack_scene_08_yard0.png", "abc");
    put_picture("container_stack_scene_07_yard0.png", "no");
    put_picture("vessel_scene_08_water0.png", "no");
    make(&m, "block 1");
    char *t = page_of(&m.records, NULL);
    const char *first = strstr(t, "data:image/png;base64,YWJj\"");
    const char *second = strstr(t, "data:image/png;base64,YWI=\"");
    assert_non_null(first);
    assert_non_null(second);
    assert_true(first < second); /* by name */
    assert_int_equal(times(t, "<img "), 2);
    tally_free(t);
}

static void nothing_counted_is_said(void **state)
{
    (void)state;
    const tally_records none = { 0 };
    char *t = page_of(&none, "An empty site");
    assert_non_null(strstr(t, "Nothing was counted"));
    assert_null(strstr(t, "<svg"));
    tally_free(t);
}

static void one_date_is_enough_for_a_chart(void **state)
{
    (void)state;
    made m;
    make(&m, "block 1");
    m.records.n_observations = 2;
    m.records.n_scenes = 1;
    m.records.n_spikes = 0;
    char *t = page_of(&m.records, NULL);
    assert_int_equal(times(t, "class=\"dot f"), 1);
    assert_null(strstr(t, "nan"));
    assert_null(strstr(t, "inf"));
    tally_free(t);
}

static void the_same_bytes_again(void **state)
{
    (void)state;
    made m;
    make(&m, "block 1");
    char *a = page_of(&m.records, "x"), *b = page_of(&m.records, "x");
    assert_string_equal(a, b);
    tally_free(a);
    tally_free(b);
}

static void an_unwritable_folder_is_named(void **state)
{
    (void)state;
    const tally_records none = { 0 };
    const tally_context ctx = { .jobs = 1 };
    tally_error err = { 0 };
    assert_int_equal(tally_report_html(&ctx, &none, NULL, "/nonexistent/place", &err), TALLY_E_IO);
    assert_non_null(strstr(err.message, "/nonexistent/place"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_an_analyst_says),
        cmocka_unit_test(draws_each_date_once),
        cmocka_unit_test(nothing_gets_out),
        cmocka_unit_test(pictures_are_inside),
        cmocka_unit_test(nothing_counted_is_said),
        cmocka_unit_test(one_date_is_enough_for_a_chart),
        cmocka_unit_test(the_same_bytes_again),
        cmocka_unit_test(an_unwritable_folder_is_named),
    };
    if (!mkdtemp(folder)) return 1;
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    if (!getenv("TALLY_KEEP")) {
        tally_error err;
        if (tally_remove_tree(folder, &err) != TALLY_OK) return 1;
    }
    return failed;
}
