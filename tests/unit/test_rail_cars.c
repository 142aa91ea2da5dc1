/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A cut taken apart into cars: known cars go in as evidence or as pixels, the same must come out.
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

#include "count/rail_cars.h"

enum { COLUMNS = 6000, MOST = 300 };
static const double STEP_M = 0.5, HALF_GAP_M = 0.57;

/* Cars in a row from `at_m`: lengths over couplers, 0 ends them. */
typedef struct cut {
    double at_m;
    double cars[MOST];
    float gap[COLUMNS];
    tally_cut_evidence evidence;
} cut;

static size_t n_cars(const cut *t)
{
    size_t n = 0;
    while (n < MOST && t->cars[n] > 0)
        n++;
    return n;
}

/* Gap evidence of this strength at each boundary, and the little that each other column loses. */
static void couple(cut *t, double strength)
{
    double at = t->at_m;
    size_t n = n_cars(t);
    for (int c = 0; c < COLUMNS; c++)
        t->gap[c] = strength > 0 ? -0.5f : 0;
    t->evidence = (tally_cut_evidence) { .gap = t->gap,
                                         .n = COLUMNS,
                                         .step_m = STEP_M,
                                         .from = (at + HALF_GAP_M) / STEP_M,
                                         .end_sd_m = 0.7 };
    for (size_t i = 0; i < n; i++) {
        at += t->cars[i];
        if (i + 1 < n && strength > 0) t->gap[lround(at / STEP_M)] = (float)strength;
    }
    t->evidence.to = (at - HALF_GAP_M) / STEP_M;
}

static tally_rail_catalogue *catalogue;

static int load(void **state)
{
    (void)state;
    return tally_rail_catalogue_read(NULL, &catalogue, NULL) != TALLY_OK;
}

static int unload(void **state)
{
    (void)state;
    tally_rail_catalogue_destroy(&catalogue);
    return 0;
}

static void fill(cut *t, size_t n, double length)
{
    for (size_t i = 0; i < n; i++)
        t->cars[i] = length;
}

static void check_is_distribution(const tally_cars *c)
{
    double sum = 0;
    for (size_t i = 0; i < c->n_posterior; i++) {
        assert_true(c->posterior[i] >= 0);
        sum += c->posterior[i];
    }
    assert_true(fabs(sum - 1) < 1e-9);
    assert_true(c->low <= (int64_t)c->n && (int64_t)c->n <= c->high);
}

static void test_a_mixed_train(void **state)
{
    (void)state;
    cut *t = calloc(1, sizeof *t);
    static const double cars[] = { 16.97, 13.92, 13.92, 13.92, 12.02, 12.02, 14.73,
                                   14.73, 13.92, 12.02, 12.02, 12.02, 14.62 };
    *t = (cut) { .at_m = 40.2 };
    memcpy(t->cars, cars, sizeof cars);
    couple(t, 3);
    tally_cars out;
    assert_int_equal(tally_cars_split(catalogue, NULL, &t->evidence, &out, NULL), TALLY_OK);
    check_is_distribution(&out);
    assert_int_equal(out.n, 13);
    assert_true(out.posterior[13] > 0.95);
    double at = t->at_m;
    for (size_t i = 0; i < out.n; i++) {
        assert_true(fabs(out.cars[i].from * STEP_M - at) < 0.8);
        at += t->cars[i];
        assert_true(fabs(out.cars[i].to * STEP_M - at) < 0.8);
    }
    assert_string_equal(catalogue->kinds[out.cars[0].kind].type, "locomotive");
    assert_string_equal(catalogue->kinds[out.cars[1].kind].type, "gondola");
    assert_string_equal(catalogue->kinds[out.cars[4].kind].type, "tank");
    tally_cars_fini(&out);
    free(t);
}

/* Without gaps only the length speaks: the truth lies inside, and the answer knows its doubt. */
static void test_no_gaps_to_be_seen(void **state)
{
    (void)state;
    cut *t = calloc(1, sizeof *t);
    *t = (cut) { .at_m = 20 };
    fill(t, 20, 13.92);
    couple(t, 0);
    double fleet[TALLY_FLEETS_MAX] = { 0, -20, -20 };
    tally_cars blind, sighted;
    assert_int_equal(tally_cars_split(catalogue, fleet, &t->evidence, &blind, NULL), TALLY_OK);
    check_is_distribution(&blind);
    assert_true(labs((long)blind.n - 20) <= 1);
    assert_true(blind.low <= 20 && blind.high >= 20 && blind.high > blind.low);
    couple(t, 3);
    assert_int_equal(tally_cars_split(catalogue, fleet, &t->evidence, &sighted, NULL), TALLY_OK);
    assert_int_equal(sighted.n, 20);
    assert_true(sighted.high - sighted.low < blind.high - blind.low);
    tally_cars_fini(&blind);
    tally_cars_fini(&sighted);
    free(t);
}

/* The gaps say which fleet it is. */
static void test_which_fleet(void **state)
{
    (void)state;
    cut *t = calloc(1, sizeof *t);
    *t = (cut) { .at_m = 20 };
    fill(t, 12, 19.74);
    couple(t, 2.5);
    tally_cars out;
    assert_int_equal(tally_cars_split(catalogue, NULL, &t->evidence, &out, NULL), TALLY_OK);
    assert_int_equal(out.n, 12);
    assert_true(out.fleet_log[1] > out.fleet_log[0]);
    tally_cars_fini(&out);
    free(t);
}

/* A car at an open end counts when its middle is inside. */
static void test_open_ends(void **state)
{
    (void)state;
    cut *t = calloc(1, sizeof *t);
    for (int more = 0; more < 2; more++) {
        *t = (cut) { .at_m = 100 };
        fill(t, 6, 13.92);
        couple(t, 3);
        double last = t->at_m + 5 * 13.92;
        t->evidence.to = (last + (more ? 9.5 : 4.5)) / STEP_M;
        t->evidence.to_open = true;
        tally_cars out;
        assert_int_equal(tally_cars_split(catalogue, NULL, &t->evidence, &out, NULL), TALLY_OK);
        check_is_distribution(&out);
        assert_int_equal(out.n, more ? 6 : 5);
        tally_cars_fini(&out);
    }
    /* a sliver at the edge may be no car at all */
    t->evidence = (tally_cut_evidence) {
        .n = COLUMNS, .step_m = STEP_M, .to = 6, .from_open = true, .end_sd_m = 0.5
    };
    tally_cars out;
    assert_int_equal(tally_cars_split(catalogue, NULL, &t->evidence, &out, NULL), TALLY_OK);
    assert_int_equal(out.n, 0);
    tally_cars_fini(&out);
    free(t);
}

static void test_longer_than_a_piece(void **state)
{
    (void)state;
    cut *t = calloc(1, sizeof *t);
    *t = (cut) { .at_m = 20 };
    fill(t, 190, 13.92);
    couple(t, 3);
    tally_cars out;
    assert_int_equal(tally_cars_split(catalogue, NULL, &t->evidence, &out, NULL), TALLY_OK);
    check_is_distribution(&out);
    assert_true(labs((long)out.n - 190) <= 1);
    for (size_t i = 1; i < out.n; i++)
        assert_true(out.cars[i].from >= out.cars[i - 1].from);
    tally_cars_fini(&out);
    free(t);
}

static void test_what_fits_nothing(void **state)
{
    (void)state;
    tally_rail_catalogue *only;
    static const char text[] = "type,kind,length_over_couplers_m\ncoach,wagon,26.4\n";
    assert_int_equal(tally_rail_catalogue_parse(text, sizeof text - 1, "t", &only, NULL), TALLY_OK);
    tally_cut_evidence e = { .n = 100, .step_m = 0.5, .from = 10, .to = 30, .end_sd_m = 0 };
    tally_cars out;
    assert_int_equal(tally_cars_split(only, NULL, &e, &out, NULL), TALLY_OK);
    check_is_distribution(&out);
    assert_int_equal(out.n, 1);
    tally_cars_fini(&out);
    float odd[100];
    for (int i = 0; i < 100; i++)
        odd[i] = i % 3 ? NAN : INFINITY;
    e.gap = odd;
    e.to = 99;
    assert_int_equal(tally_cars_split(only, NULL, &e, &out, NULL), TALLY_OK);
    check_is_distribution(&out);
    tally_cars_fini(&out);
    e.to = 5;
    assert_int_equal(tally_cars_split(only, NULL, &e, &out, NULL), TALLY_E_ARG);
    e.to = NAN;
    assert_int_equal(tally_cars_split(only, NULL, &e, &out, NULL), TALLY_E_ARG);
    assert_null(out.cars);
    tally_rail_catalogue_destroy(&only);
}

/* With the occupancy known: two cuts with bare track between them, and a shadow past the end. */
static void test_spaces_and_own_shadow(void **state)
{
    (void)state;
    enum { N = 400 };
    float logit[N], shaded[N], gap[N] = { 0 };
    /* four gondolas from 20 m, 9 m of bare track, two boxcars, 6 m of their shadow */
    const double first = 20, second = first + 4 * 13.92 + 9, end = second + 2 * 14.73;
    for (int c = 0; c < N; c++) {
        double m = c * STEP_M;
        bool car =
            (m > first + 0.5 && m < first + 4 * 13.92 - 0.5) || (m > second + 0.5 && m < end - 0.5);
        bool shadow = m >= end - 0.5 && m < end + 6;
        logit[c] = car || shadow ? 0.8f : -0.5f;
        shaded[c] = car ? 0.6f : -0.5f;
    }
    tally_cut_evidence e = { .gap = gap,
                             .n = N,
                             .step_m = STEP_M,
                             .from = first / STEP_M,
                             .to = (end + 6) / STEP_M,
                             .logit = logit,
                             .window_from = (int)(first / STEP_M) - 16,
                             .window_to = (int)((end + 6) / STEP_M) + 16,
                             .shaded_logit = shaded,
                             .shade_m = 5 };
    double fleet[TALLY_FLEETS_MAX] = { 0, -20, -20 };
    tally_cars out;
    assert_int_equal(tally_cars_split(catalogue, fleet, &e, &out, NULL), TALLY_OK);
    check_is_distribution(&out);
    assert_int_equal(out.n, 6);
    assert_true(fabs(out.cars[3].to * STEP_M - (second - 9)) < 1.6);
    assert_true(fabs(out.cars[4].from * STEP_M - second) < 1.6);
    assert_true(fabs(out.cars[5].to * STEP_M - end) < 1.6);
    tally_cars_fini(&out);
    /* bare all along: nothing stands there */
    for (int c = 0; c < N; c++)
        logit[c] = -0.5f;
    assert_int_equal(tally_cars_split(catalogue, fleet, &e, &out, NULL), TALLY_OK);
    assert_int_equal(out.n, 0);
    tally_cars_fini(&out);
}

/* A strip with gondolas in it, seen with noise: gaps are found, and they are zero-sum. */
static void test_gaps_from_pixels(void **state)
{
    (void)state;
    enum { N = 400, LANES = 17, BANDS = 2 };
    tally_track t = { .n = N, .step_m = STEP_M, .lanes = LANES, .lane_m = STEP_M };
    tally_patch strip;
    float gap[N];
    tally_rng rng = { .state = 7 };
    assert_int_equal(tally_patch_init(&strip, N, LANES, BANDS, NULL), TALLY_OK);
    for (int lane = 0; lane < LANES; lane++)
        for (int c = 0; c < N; c++) {
            double in_car = fmod(c * STEP_M, 13.92);
            bool in_gap = in_car < HALF_GAP_M || in_car > 13.92 - HALF_GAP_M;
            tally_bits_set(&strip.valid, c, lane);
            for (int b = 0; b < BANDS; b++)
                tally_patch_row(&strip, b, lane)[c] =
                    (float)((in_gap ? 250 : 500) + 25 * tally_rng_normal(&rng));
        }
    assert_int_equal(tally_cars_gaps(&t, &strip, 10, 390, gap, NULL), TALLY_OK);
    assert_true(gap[0] == 0 && gap[395] == 0);
    double mean = 0;
    for (int c = 10; c < 390; c++)
        mean += exp(gap[c]) / 380;
    assert_true(mean > 0.8 && mean < 1.25);
    for (int k = 2; k < 13; k++) {
        int c = (int)lround(k * 13.92 / STEP_M);
        assert_true(fmaxf(gap[c], fmaxf(gap[c - 1], gap[c + 1])) > 1.5f);
    }
    double pitch = tally_cars_pitch(gap, 10, 390, STEP_M);
    assert_true(fabs(pitch - 13.92) < 0.15);
    assert_int_equal(tally_cars_gaps(&t, &strip, 10, 401, gap, NULL), TALLY_E_ARG);
    /* noise alone has no pitch */
    for (int lane = 0; lane < LANES; lane++)
        for (int c = 0; c < N; c++)
            for (int b = 0; b < BANDS; b++)
                tally_patch_row(&strip, b, lane)[c] = (float)(500 + 25 * tally_rng_normal(&rng));
    assert_int_equal(tally_cars_gaps(&t, &strip, 10, 390, gap, NULL), TALLY_OK);
    assert_true(isnan(tally_cars_pitch(gap, 10, 390, STEP_M)));
    tally_patch_fini(&strip);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_mixed_train),       cmocka_unit_test(test_no_gaps_to_be_seen),
        cmocka_unit_test(test_which_fleet),         cmocka_unit_test(test_open_ends),
        cmocka_unit_test(test_longer_than_a_piece), cmocka_unit_test(test_what_fits_nothing),
        cmocka_unit_test(test_gaps_from_pixels),    cmocka_unit_test(test_spaces_and_own_shadow),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
