/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What is usual on a track, what snow leaves of a count, and what may stand where the light blinds.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "count/rail_coarse.h"

enum { N = 100, DATES = 4 };
static const double PITCH_M = 15;
static const tally_track track = { .n = N, .step_m = 1.5, .lanes = 1, .lane_m = 1.5 };

typedef struct dates {
    bool seen[DATES][N], occupied[DATES][N];
    tally_rail_state states[DATES];
} dates;

/* Every date is seen; date d has `columns[d]` occupied ones from the track's start. */
static void fill(dates *d, const int columns[DATES])
{
    for (int k = 0; k < DATES; k++) {
        for (int c = 0; c < N; c++) {
            d->seen[k][c] = true;
            d->occupied[k][c] = c < columns[k];
        }
        d->states[k] = (tally_rail_state) { .seen = d->seen[k], .occupied = d->occupied[k] };
    }
}

static void test_fullest_date_is_no_habit(void **state)
{
    (void)state;
    dates d;
    float share[N];
    fill(&d, (const int[DATES]) { 20, 100, 20, 0 });
    tally_rail_usual(&track, 1, 0, d.states, DATES, 1, share);
    assert_true(fabsf(share[10] - 2 / 3.0f) < 1e-6f);
    assert_true(share[50] == 0);
    /* of two dates both are needed */
    tally_rail_usual(&track, 1, 0, d.states, 2, 1, share);
    assert_true(share[50] == 0.5f);
}

static void test_unseen_dates_do_not_vote(void **state)
{
    (void)state;
    dates d;
    float share[N];
    fill(&d, (const int[DATES]) { 20, 100, 20, 0 });
    memset(d.seen[3], 0, sizeof d.seen[3]);
    tally_rail_usual(&track, 1, 0, d.states, DATES, 1, share);
    assert_true(share[10] == 1);
}

static void test_snow_takes_the_usual(void **state)
{
    (void)state;
    dates d;
    float share[N];
    tally_zone_count z = { .quality = TALLY_QUALITY_OK, .high = 1, .seen = 1 };
    fill(&d, (const int[DATES]) { 0, 0, 0, 0 });
    for (int c = 0; c < N; c++)
        share[c] = 0.5f;
    tally_rail_coarse_snow(&track, &d.states[0], share, PITCH_M, &z);
    assert_int_equal(z.count, 5);
    assert_true(fabs(z.extent - 75) < 1e-3 && fabs(z.occupancy - 0.5) < 1e-6);
    /* nothing was found, and a full track is not ruled out */
    assert_true(z.low == 0 && z.high >= 10);
    assert_non_null(strstr(z.reason, "snow"));
    /* half of it seen: the estimate is of all */
    memset(d.seen[0], 0, N / 2);
    tally_rail_coarse_snow(&track, &d.states[0], share, PITCH_M, &z);
    assert_true(z.count == 2 || z.count == 3);
    assert_true(fabs(z.estimate - 5) < 1e-3);
}

static void test_what_the_light_hides_widens_the_interval(void **state)
{
    (void)state;
    dates d;
    float noise[N], share[N];
    tally_rail_empty empty = { .usual = share };
    fill(&d, (const int[DATES]) { 20, 0, 0, 0 });
    for (int c = 0; c < N; c++) {
        noise[c] = 1;
        share[c] = 0.5f;
    }
    d.states[0].noise = noise;
    assert_true(tally_rail_cars_unseen(&track, &empty, &d.states[0], PITCH_M) == 0);
    /* 40 columns of 1.5 m, of which the train takes 20: room for two cars, and both may be there */
    for (int c = 0; c < 40; c++)
        noise[c] = 3;
    assert_true(fabs(tally_rail_cars_unseen(&track, &empty, &d.states[0], PITCH_M) - 2) < 1e-6);
    /* where hardly ever anything stands, less */
    for (int c = 0; c < N; c++)
        share[c] = 0.02f;
    double rare = tally_rail_cars_unseen(&track, &empty, &d.states[0], PITCH_M);
    assert_true(rare > 0.04 && rare < 1);
    /* nothing is learned: the fleet's usual */
    empty.usual = NULL;
    assert_true(tally_rail_cars_unseen(&track, &empty, &d.states[0], PITCH_M) > rare);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fullest_date_is_no_habit),
        cmocka_unit_test(test_unseen_dates_do_not_vote),
        cmocka_unit_test(test_snow_takes_the_usual),
        cmocka_unit_test(test_what_the_light_hides_widens_the_interval),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
