/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What stands out in a series: drawn cases with one answer, and made series for how often the rule
 * cries wolf and how often it hears one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "series/series.h"

enum { MOST = 64, DAY = 86400, WEEK = 7 * DAY };
static const int64_t START = 1674181803; /* 2023-01-20T02:30:03Z */

static tally_records *new_records(void)
{
    tally_records *r = NULL;
    assert_int_equal(tally_records_create(&r, NULL), TALLY_OK);
    return r;
}

/* One count of the whole site, a week after the last; NaN: the scene shows nothing. */
static void add_count(tally_records *r, double count, double low, double high)
{
    char scene[16];
    snprintf(scene, sizeof scene, "s%02zu", r->n_observations);
    tally_observation o = { .site = "here",
                            .zone = "*",
                            .scene = scene,
                            .reason = "",
                            .family = "0.5 m",
                            .class_ = TALLY_RAILCAR,
                            .quality = isfinite(count) ? TALLY_QUALITY_OK : TALLY_QUALITY_UNSEEN,
                            .utc = START + (int64_t)r->n_observations * WEEK,
                            .count = isfinite(count) ? (int64_t)llround(count) : TALLY_NO_COUNT,
                            .estimate = count,
                            .low = low,
                            .high = high,
                            .extent = NAN,
                            .occupancy = NAN,
                            .gsd_m = NAN,
                            .seen = isfinite(count) };
    assert_int_equal(tally_records_add_observation(r, &o, NULL), TALLY_OK);
}

static tally_records *series_of(const double *counts, size_t n)
{
    tally_records *r = new_records();
    for (size_t i = 0; i < n; i++)
        add_count(r, counts[i], NAN, NAN);
    return r;
}

static void find(tally_records *r, int64_t as_of)
{
    tally_series_settings settings = { .as_of = as_of };
    tally_records_sort(r);
    assert_int_equal(tally_series_find(r, &settings, NULL), TALLY_OK);
}

static int count_of(const tally_records *r, const char *kind)
{
    int n = 0;
    for (size_t i = 0; i < r->n_spikes; i++)
        n += strcmp(r->spikes[i].kind, kind) == 0;
    return n;
}

static const tally_spike *row_of(const tally_records *r, const char *kind, const char *scene)
{
    for (size_t i = 0; i < r->n_spikes; i++)
        if (strcmp(r->spikes[i].kind, kind) == 0 && strcmp(r->spikes[i].scene, scene) == 0)
            return &r->spikes[i];
    return NULL;
}

#define FIND(name, ...)                                                                            \
    const double name##_counts[] = { __VA_ARGS__ };                                                \
    tally_records *name = series_of(name##_counts, sizeof name##_counts / sizeof(double));         \
    find(name, TALLY_NO_TIME)

static void tails_are_those_of_the_books(void **state)
{
    (void)state;
    /* Poisson 3 from 7 on: 1 - 0.966491; Poisson 12 from 73 on: DOMAIN.md A5 has 1e-32; the
     * negative binomials of mean 12 with k = 2 and 1: 1.5e-4 and 2.9e-3 there */
    assert_true(fabs(tally_count_tail(7, 3, 3) - 0.0335085) < 1e-6);
    double poisson = tally_count_tail(73, 12, 12);
    assert_true(poisson > 1e-33 && poisson < 1e-31);
    assert_true(fabs(tally_count_tail(73, 12, 12 + 72) - 1.5e-4) < 0.1e-4);
    assert_true(fabs(tally_count_tail(73, 12, 12 + 144) - 2.9e-3) < 0.1e-3);
    assert_true(tally_count_tail(0, 5, 9) == 1);
    /* a geometric: P(X >= k) = q^k */
    assert_true(fabs(tally_count_tail(4, 1, 2) - 0.0625) < 1e-9);
    assert_true(fabs(tally_count_tail(40, 1, 2) / pow(0.5, 40) - 1) < 1e-6);
}

static void a_spike_stands_out_and_nothing_else(void **state)
{
    (void)state;
    FIND(r, 12, 9, 14, 11, 10, 13, 12, 73, 8, 12, 11, 15);
    assert_int_equal(count_of(r, "spike"), 1);
    assert_int_equal(count_of(r, "drop") + count_of(r, "level_shift"), 0);
    const tally_spike *s = row_of(r, "spike", "s07");
    assert_non_null(s);
    assert_true(s->expected >= 11 && s->expected <= 12.5);
    assert_true(s->low < 12 && s->high > 12 && s->high < 30 && s->score > 3);
    assert_int_equal(s->n_seen, 12);
    tally_records_destroy(&r);
}

static void two_spikes_do_not_hide_each_other(void **state)
{
    (void)state;
    FIND(r, 32, 29, 34, 31, 70, 33, 32, 28, 30, 31, 35, 80, 30, 32, 29, 33);
    assert_int_equal(count_of(r, "spike"), 2);
    assert_non_null(row_of(r, "spike", "s04"));
    assert_non_null(row_of(r, "spike", "s11"));
    tally_records_destroy(&r);
}

static void a_drop_is_a_drop(void **state)
{
    (void)state;
    FIND(r, 52, 49, 54, 51, 50, 53, 52, 3, 48, 52, 51, 55);
    assert_int_equal(count_of(r, "drop"), 1);
    assert_non_null(row_of(r, "drop", "s07"));
    assert_int_equal(count_of(r, "spike") + count_of(r, "level_shift"), 0);
    tally_records_destroy(&r);
}

static void what_was_not_seen_is_not_zero(void **state)
{
    (void)state;
    FIND(r, 52, 49, NAN, 51, NAN, NAN, NAN, 50, 48, 52, NAN, 55);
    assert_int_equal(r->n_spikes, 0);
    /* and does not hide a spike beside it */
    FIND(q, 12, 9, NAN, 14, 11, NAN, 10, NAN, 70, NAN, 13, 12, 9, 11);
    assert_non_null(row_of(q, "spike", "s08"));
    assert_int_equal(row_of(q, "spike", "s08")->n_seen, 10);
    tally_records_destroy(&r);
    tally_records_destroy(&q);
}

static void low_counts_behave(void **state)
{
    (void)state;
    FIND(none, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
    assert_int_equal(none->n_spikes, 0);
    FIND(one, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0);
    assert_int_equal(count_of(one, "spike"), 0);
    FIND(few, 0, 1, 1, 0, 1, 0, 4, 0, 0, 0, 1); /* tankers at an oil berth */
    assert_non_null(row_of(few, "spike", "s06"));
    tally_records_destroy(&none);
    tally_records_destroy(&one);
    tally_records_destroy(&few);
}

static void busy_every_other_scene_is_ordinary(void **state)
{
    (void)state;
    FIND(r, 0, 42, 1, 39, 0, 45, 0, 41, 2, 38, 0, 44, 0);
    assert_int_equal(count_of(r, "spike") + count_of(r, "drop") + count_of(r, "level_shift"), 0);
    tally_records_destroy(&r);
}

static void too_few_others_say_nothing(void **state)
{
    (void)state;
    FIND(r, 10, 11, 90, 12, 9);
    assert_int_equal(r->n_spikes, 0);
    tally_records_destroy(&r);
}

/* The pattern of a station that is rebuilt: a spike, back, then up for good. */
static void a_shift_is_told_once_at_its_first_scene(void **state)
{
    (void)state;
    FIND(r, 12, 13, 8, 12, 10, 35, 18, 14, 12, 35, 34, 32, 33, 36, 31);
    assert_int_equal(count_of(r, "level_shift"), 1);
    assert_non_null(row_of(r, "level_shift", "s09"));
    assert_int_equal(count_of(r, "spike"), 1);
    assert_non_null(row_of(r, "spike", "s05"));
    assert_int_equal(count_of(r, "drop"), 0);
    tally_records_destroy(&r);
}

/* Counts of +-3 round 20 with intervals of +-width, one of 45 with an interval of its own. */
static int spikes_with(double usual, double own)
{
    static const double counts[] = { 20, 23, 18, 21, 17, 20, 45, 19, 22, 21, 18, 20 };
    tally_records *r = new_records();
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
        double width = i == 6 ? own : usual;
        add_count(r, counts[i], fmax(0, counts[i] - width), counts[i] + width);
    }
    find(r, TALLY_NO_TIME);
    int n = count_of(r, "spike");
    tally_records_destroy(&r);
    return n;
}

static void an_unsure_count_is_judged_with_its_interval(void **state)
{
    (void)state;
    assert_int_equal(spikes_with(4, 4), 1);
    assert_int_equal(spikes_with(4, 9), 1);
    assert_int_equal(spikes_with(4, 40), 0); /* 45, but perhaps 5 */
    /* intervals far wider than the counts scatter: an error that all share */
    assert_int_equal(spikes_with(20, 36), 1);
}

/* Among counts of +-3 round 30, 65 is seen although three half-clouded scenes tell of 45, +-30. */
static void unsure_scenes_do_not_hide_a_spike(void **state)
{
    (void)state;
    static const double counts[] = { 30, 33, 45, 28, 31, 27, 65, 45, 29, 32, 45, 30, 28 };
    int found[2];
    for (int unsure = 0; unsure < 2; unsure++) {
        tally_records *r = new_records();
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
            double half = unsure && counts[i] == 45 ? 30 : 5;
            add_count(r, counts[i], counts[i] - half, counts[i] + half);
        }
        find(r, TALLY_NO_TIME);
        const tally_spike *s = row_of(r, "spike", "s06");
        found[unsure] = s ? (int)(100 * s->score) : 0;
        tally_records_destroy(&r);
    }
    assert_true(found[1] > 0);
    assert_true(found[1] > found[0] + 30);
}

/* Nothing in the third of the zone that a scene shows is not a drop. */
static void a_drop_wants_to_be_seen(void **state)
{
    (void)state;
    static const double counts[] = { 52, 49, 54, 51, 50, 53, 3, 48, 52, 51, 55 };
    for (int partly = 0; partly < 2; partly++) {
        tally_records *r = series_of(counts, sizeof counts / sizeof *counts);
        if (partly) r->observations[6].seen = 0.3;
        find(r, TALLY_NO_TIME);
        assert_int_equal(count_of(r, "drop"), !partly);
        tally_records_destroy(&r);
    }
}

static void a_record_clears_all_before_and_their_intervals(void **state)
{
    (void)state;
    static const double counts[] = { 10, 12, 11, 14, 10, 12, 15, 13, 16, 19, 11 };
    tally_records *r = new_records();
    for (size_t i = 0; i < sizeof counts / sizeof *counts; i++)
        add_count(r, counts[i], counts[i] - 2, counts[i] + 2);
    find(r, TALLY_NO_TIME);
    assert_int_equal(count_of(r, "record"), 1); /* 15 comes too early, 16 within 15 + 2 */
    const tally_spike *s = row_of(r, "record", "s09");
    assert_non_null(s);
    assert_true(s->previous_record == 16);
    assert_true(s->record_since == TALLY_NO_TIME);
    assert_true(s->series_since == START);
    tally_records_destroy(&r);
}

static void as_of_knows_only_the_past(void **state)
{
    (void)state;
    static const double counts[] = { 12, 9, 14, 11, 10, 13, 12, 31, 30, 33, 32, 29, 31, 30 };
    tally_records *whole = series_of(counts, sizeof counts / sizeof *counts),
                  *then = series_of(counts, 8);
    int64_t day = START + 7 * WEEK;
    find(whole, day);
    find(then, day);
    assert_int_equal(whole->n_spikes, then->n_spikes);
    assert_non_null(row_of(whole, "spike", "s07")); /* that it lasts is not known yet */
    assert_int_equal(count_of(whole, "level_shift"), 0);
    for (size_t i = 0; i < whole->n_spikes; i++) {
        assert_string_equal(whole->spikes[i].kind, then->spikes[i].kind);
        assert_true(whole->spikes[i].expected == then->spikes[i].expected);
        assert_true(whole->spikes[i].score == then->spikes[i].score);
    }
    find(whole, TALLY_NO_TIME);
    assert_non_null(row_of(whole, "level_shift", "s07"));
    tally_records_destroy(&whole);
    tally_records_destroy(&then);
}

/* A second sensor that counts half: judged among its own. */
static void families_are_judged_apart(void **state)
{
    (void)state;
    static const double counts[] = { 40, 20, 42, 19, 38, 21, 41, 38, 39, 20, 43, 18, 40, 21 };
    tally_records *r = series_of(counts, sizeof counts / sizeof *counts);
    for (size_t i = 1; i < r->n_observations; i += 2)
        r->observations[i].family = "3 m";
    find(r, TALLY_NO_TIME);
    assert_int_equal(count_of(r, "spike"), 1); /* 38 among the 20s; usual among the 40s */
    assert_non_null(row_of(r, "spike", "s07"));
    tally_records_destroy(&r);
}

/* ---- made series ---- */

static double uniform(tally_rng *rng)
{
    return 1 - tally_rng_uniform(rng); /* (0, 1] */
}

static double poisson(tally_rng *rng, double mean)
{
    double product = uniform(rng), n = 0;
    for (double least = exp(-mean); product > least; n++)
        product *= uniform(rng);
    return n;
}

/* Marsaglia and Tsang 2000, doi:10.1145/358407.358414 */
static double gamma_of(tally_rng *rng, double shape)
{
    double d = shape - 1.0 / 3, c = 1 / sqrt(9 * d);
    for (;;) {
        double x = tally_rng_normal(rng), v = pow(1 + c * x, 3);
        if (v > 0 && log(uniform(rng)) < 0.5 * x * x + d - d * v + d * log(v)) return d * v;
    }
}

typedef enum made_kind { POISSON, SPREAD_8, SPREAD_2, EVERY_OTHER, SEASON, KINDS } made_kind;
static const char *const kind_names[KINDS] = { "Poisson", "negative binomial, k = 8",
                                               "negative binomial, k = 2", "busy every other",
                                               "season" };

static double made_count(tally_rng *rng, made_kind kind, double mean, int i)
{
    switch (kind) {
    case SPREAD_8:
        return poisson(rng, mean * gamma_of(rng, 8) / 8);
    case SPREAD_2:
        return poisson(rng, mean * gamma_of(rng, 2) / 2);
    case EVERY_OTHER:
        return poisson(rng, i % 2 ? 2 * mean : 0.1 * mean);
    case SEASON:
        return poisson(rng, mean * (1 + 0.5 * sin(i * 0.15)) * gamma_of(rng, 8) / 8);
    default:
        return poisson(rng, mean);
    }
}

/* One series of 10 to 59 dates, days apart, some not seen; factor > 1 lifts one of them, whose
 * number is returned. */
static int make_series(tally_rng *rng, made_kind kind, double mean, double factor, tally_records *r)
{
    int n = 10 + (int)(tally_rng_uniform(rng) * 50), lifted = (int)(tally_rng_uniform(rng) * n);
    int64_t utc = START;
    for (int i = 0; i < n; i++) {
        double count = made_count(rng, kind, mean, i);
        bool seen = tally_rng_uniform(rng) > 0.15 || i == lifted;
        utc += DAY * (1 + (int64_t)(-8 * log(uniform(rng))));
        if (i == lifted && factor > 1) count += poisson(rng, mean * (factor - 1));
        add_count(r, seen ? count : NAN, NAN, NAN);
        r->observations[i].utc = utc;
    }
    return lifted;
}

static double false_alarms_in_fifty(made_kind kind, double mean)
{
    enum { SERIES = 150 };
    tally_rng rng = { .state = 20230120u + 100u * kind + (unsigned)mean };
    double alarms = 0, scenes = 0;
    for (int k = 0; k < SERIES; k++) {
        tally_records *r = new_records();
        make_series(&rng, kind, mean, 1, r);
        find(r, TALLY_NO_TIME);
        for (size_t i = 0; i < r->n_observations; i++)
            scenes += r->observations[i].quality == TALLY_QUALITY_OK;
        alarms += count_of(r, "spike") + count_of(r, "drop") + count_of(r, "level_shift");
        tally_records_destroy(&r);
    }
    return 50 * alarms / scenes;
}

static void made_series_give_few_false_alarms(void **state)
{
    (void)state;
    static const double means[] = { 0.3, 3, 30, 100 };
    for (made_kind kind = 0; kind < KINDS; kind++)
        for (size_t m = 0; m < sizeof means / sizeof *means; m++) {
            double alarms = false_alarms_in_fifty(kind, means[m]);
            print_message("%-26s mean %5.1f: %.2f false alarms in 50 scenes\n", kind_names[kind],
                          means[m], alarms);
            assert_true(alarms <= 1.5);
            if (kind == POISSON || kind == EVERY_OTHER) assert_true(alarms <= 0.4);
        }
}

static double share_found(made_kind kind, double mean, double factor)
{
    enum { SERIES = 150 };
    tally_rng rng = { .state = 77u + 100u * kind + (unsigned)(10 * factor) };
    double found = 0;
    for (int k = 0; k < SERIES; k++) {
        char scene[16];
        tally_records *r = new_records();
        snprintf(scene, sizeof scene, "s%02d", make_series(&rng, kind, mean, factor, r));
        find(r, TALLY_NO_TIME);
        found += row_of(r, "spike", scene) || row_of(r, "level_shift", scene);
        tally_records_destroy(&r);
    }
    return found / SERIES;
}

static void made_spikes_are_found(void **state)
{
    (void)state;
    static const struct {
        made_kind kind;
        double mean, factor, least;
    } wanted[] = { { POISSON, 30, 1.5, 0.1 }, { POISSON, 30, 2, 0.75 }, { POISSON, 30, 3, 0.97 },
                   { POISSON, 10, 3, 0.75 },  { SPREAD_8, 30, 2, 0.2 }, { SPREAD_8, 30, 3, 0.75 },
                   { SPREAD_2, 30, 3, 0.2 } };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        double share = share_found(wanted[i].kind, wanted[i].mean, wanted[i].factor);
        print_message("%-26s mean %5.1f x %.1f: %.2f found\n", kind_names[wanted[i].kind],
                      wanted[i].mean, wanted[i].factor, share);
        assert_true(share >= wanted[i].least);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tails_are_those_of_the_books),
        cmocka_unit_test(a_spike_stands_out_and_nothing_else),
        cmocka_unit_test(two_spikes_do_not_hide_each_other),
        cmocka_unit_test(a_drop_is_a_drop),
        cmocka_unit_test(what_was_not_seen_is_not_zero),
        cmocka_unit_test(low_counts_behave),
        cmocka_unit_test(busy_every_other_scene_is_ordinary),
        cmocka_unit_test(too_few_others_say_nothing),
        cmocka_unit_test(a_shift_is_told_once_at_its_first_scene),
        cmocka_unit_test(an_unsure_count_is_judged_with_its_interval),
        cmocka_unit_test(unsure_scenes_do_not_hide_a_spike),
        cmocka_unit_test(a_drop_wants_to_be_seen),
        cmocka_unit_test(a_record_clears_all_before_and_their_intervals),
        cmocka_unit_test(as_of_knows_only_the_past),
        cmocka_unit_test(families_are_judged_apart),
        cmocka_unit_test(made_series_give_few_false_alarms),
        cmocka_unit_test(made_spikes_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
