/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The catalogue of wagons: what a table may look like, and what no table can do to us. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "count/rail_catalogue.h"

static const char HEAD[] = "type,name,length_over_couplers_m,width_m,height_m,kind,weight,fleet\n";

static tally_status parse(const char *text, tally_rail_catalogue **out, tally_error *err)
{
    return tally_rail_catalogue_parse(text, strlen(text), "t.csv", out, err);
}

/* Refused, with a message that holds the words. */
static void check_refused(const char *text, const char *words)
{
    tally_rail_catalogue *c;
    tally_error err = { 0 };
    assert_int_equal(parse(text, &c, &err), TALLY_E_FORMAT);
    assert_null(c);
    assert_non_null(strstr(err.message, "t.csv: "));
    if (!strstr(err.message, words)) fail_msg("`%s` lacks `%s`", err.message, words);
}

static void check_line_refused(const char *line, const char *words)
{
    char text[600];
    strcpy(text, HEAD);
    strcat(text, line);
    check_refused(text, words);
}

static void test_built_in(void **state)
{
    (void)state;
    tally_rail_catalogue *c;
    assert_int_equal(tally_rail_catalogue_read(NULL, &c, NULL), TALLY_OK);
    assert_true(c->n > 20 && c->n_fleets >= 2);
    bool locomotive = false;
    double sums[TALLY_FLEETS_MAX] = { 0 };
    for (size_t i = 0; i < c->n; i++) {
        locomotive |= c->kinds[i].locomotive;
        sums[c->kinds[i].fleet] += c->kinds[i].weight;
        assert_true(c->kinds[i].length_m >= 12 && c->kinds[i].length_m <= 30);
    }
    assert_true(locomotive);
    for (int f = 0; f < c->n_fleets; f++)
        assert_true(fabs(sums[f] - 1) < 1e-9);
    /* a mixed fleet of the 1520 mm net: DOMAIN.md's lengths, gondolas the half of it */
    assert_true(fabs(tally_rail_catalogue_pitch(c, 0) - 14.2) < 0.4);
    assert_int_equal(strlen(c->sha256), 64);
    tally_rail_catalogue_destroy(&c);
    assert_null(c);
}

static void test_quotes_notes_and_line_ends(void **state)
{
    (void)state;
    tally_rail_catalogue *c;
    tally_error err = { 0 };
    assert_int_equal(parse("\xef\xbb\xbf# mine\r\nnote,kind,type,length_over_couplers_m,name\r\n"
                           "\"a, b\",wagon,gondola,13.92,\"the \"\"big\"\" one\"\r\n\r\n"
                           ",locomotive,locomotive,17,",
                           &c, &err),
                     TALLY_OK);
    assert_int_equal(c->n, 2);
    assert_string_equal(c->kinds[0].name, "the \"big\" one");
    assert_true(c->kinds[0].length_m == 13.92 && c->kinds[0].weight == 0.5);
    assert_true(c->kinds[1].locomotive && !c->kinds[0].locomotive);
    assert_int_equal(c->n_fleets, 1);
    tally_rail_catalogue_destroy(&c);
}

static void test_what_is_refused(void **state)
{
    (void)state;
    check_refused("", "no head line");
    check_refused("type,kind\ngondola,wagon\n", "length_over_couplers_m");
    check_refused("type,type,kind,length_over_couplers_m\n", "twice");
    check_refused(HEAD, "no kind of wagon");
    check_line_refused("gondola,a,13.9 m,3,3,wagon,1,\n", "wants a number");
    check_line_refused("gondola,a,,3,3,wagon,1,\n", "wants a number");
    check_line_refused("gondola,a,nan,3,3,wagon,1,\n", "wants a number");
    check_line_refused("gondola,a,inf,3,3,wagon,1,\n", "wants a number");
    check_line_refused("gondola,a,-14,3,3,wagon,1,\n", "from 6 to 40");
    check_line_refused("gondola,a,1e300,3,3,wagon,1,\n", "from 6 to 40");
    check_line_refused("gondola,a,14,0,3,wagon,1,\n", "width_m");
    check_line_refused("gondola,a,14,3,99,wagon,1,\n", "height_m");
    check_line_refused("gondola,a,14,3,3,wagon,0,\n", "weight");
    check_line_refused("gondola,a,14,3,3,wagon,-1,\n", "weight");
    check_line_refused("gondola,a,14,3,3,train,1,\n", "neither");
    check_line_refused(",a,14,3,3,wagon,1,\n", "no type");
    check_line_refused("gon\x01"
                       "dola,a,14,3,3,wagon,1,\n",
                       "control character");
    check_line_refused(
        "gondola,aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa,14,3,"
        "3,wagon,1,\n",
        "longer than 47 bytes");
    check_line_refused("gondola", "length_over_couplers_m");
    check_line_refused("\"gondola,a,14,3,3,wagon,1,\n", "control character");
}

static void test_too_much(void **state)
{
    (void)state;
    tally_rail_catalogue *c;
    tally_text t = { 0 };
    tally_text_add(&t, "%s", HEAD);
    for (int i = 0; i < 300; i++)
        tally_text_add(&t, "gondola,a%d,14,3,3,wagon,1,\n", i);
    check_refused(t.bytes, "more than 256 kinds");
    t.size = 0;
    tally_text_add(&t, "%s", HEAD);
    for (int i = 0; i < 9; i++)
        tally_text_add(&t, "gondola,a,14,3,3,wagon,1,fleet %d\n", i);
    check_refused(t.bytes, "more than 8 fleets");
    t.size = 0;
    for (int i = 0; i < 100; i++)
        tally_text_add(&t, "a,");
    check_refused(t.bytes, "more than 64 columns");
    tally_text_fini(&t);
    assert_int_equal(tally_rail_catalogue_parse("type\0kind", 9, "t.csv", &c, NULL),
                     TALLY_E_FORMAT);
    assert_int_equal(tally_rail_catalogue_read("/nowhere/wagons.csv", &c, NULL), TALLY_E_IO);
    assert_null(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_built_in),
        cmocka_unit_test(test_quotes_notes_and_line_ends),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_too_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
