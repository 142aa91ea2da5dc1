/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which model a set of votes gets: the simplest that foretells the votes it has not seen. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "align/stack.h"
#include "align/votes.h"

enum { SIDE = 6, N = SIDE * SIDE };

/* Votes on a lattice of 1000 px: off = M (at - middle) + noise. */
static void cast(tally_vote *votes, double xx, double xy, double yx, double yy, double sigma)
{
    tally_rng rng = { 5 };
    for (int i = 0; i < N; i++) {
        const double x = i % SIDE * 200.0, y = i / SIDE * 200.0;
        votes[i].at = (tally_point) { x, y };
        votes[i].off.x = xx * (x - 500) + xy * (y - 500) + sigma * tally_rng_normal(&rng);
        votes[i].off.y = yx * (x - 500) + yy * (y - 500) + sigma * tally_rng_normal(&rng);
    }
}

static const char *model_of(const tally_affine *a)
{
    const tally_placement p = { .residual = *a };
    return tally_placement_model(&p);
}

static void noise_is_a_translation(void **state)
{
    tally_vote votes[N];
    tally_affine a;
    double rmse;
    (void)state;
    cast(votes, 0, 0, 0, 0, 0.2);
    tally_votes_fit(votes, N, (tally_point) { 1.5, -2.25 }, &a, &rmse);
    assert_string_equal(model_of(&a), "translation");
    assert_true(a.c[0] == 1.5 && a.c[3] == -2.25);
    assert_float_equal(rmse, 0.2 * sqrt(2), 0.06);
}

static void a_turn_is_a_similarity(void **state)
{
    tally_vote votes[N];
    tally_affine a;
    double rmse;
    (void)state;
    cast(votes, 1e-4, -3e-4, 3e-4, 1e-4, 0.05);
    tally_votes_fit(votes, N, (tally_point) { 0, 0 }, &a, &rmse);
    assert_string_equal(model_of(&a), "similarity");
    assert_float_equal(a.c[4], 3e-4, 4e-5);
    assert_float_equal(a.c[1] - 1, 1e-4, 4e-5);
}

static void a_shear_is_affine(void **state)
{
    tally_vote votes[N];
    tally_affine a;
    double rmse;
    (void)state;
    cast(votes, 5e-4, 4e-4, 0, -5e-4, 0.05);
    tally_votes_fit(votes, N, (tally_point) { 0, 0 }, &a, &rmse);
    assert_string_equal(model_of(&a), "affine");
    assert_float_equal(a.c[2], 4e-4, 4e-5);
    assert_float_equal(a.c[5] - 1, -5e-4, 4e-5);
}

static void one_wrong_window_does_not_turn_the_map(void **state)
{
    tally_vote votes[N];
    tally_affine a;
    double rmse;
    (void)state;
    cast(votes, 0, 0, 0, 0, 0.05);
    votes[0].off = (tally_point) { 0.9, 0.1 };
    votes[1].off = (tally_point) { 0.8, -0.2 };
    tally_votes_fit(votes, N, (tally_point) { 0, 0 }, &a, &rmse);
    assert_string_equal(model_of(&a), "translation");
}

static void few_votes_and_votes_in_a_row_stay_a_translation(void **state)
{
    tally_vote votes[N];
    tally_affine a;
    double rmse;
    (void)state;
    cast(votes, 0, -3e-4, 3e-4, 0, 0.01);
    tally_votes_fit(votes, 5, (tally_point) { 0, 0 }, &a, &rmse);
    assert_string_equal(model_of(&a), "translation");
    tally_votes_fit(votes, 0, (tally_point) { 0.25, 0 }, &a, &rmse);
    assert_true(a.c[0] == 0.25 && isnan(rmse));
    for (int i = 0; i < N; i++)
        votes[i].at.y = 0;
    tally_votes_fit(votes, N, (tally_point) { 0, 0 }, &a, &rmse);
    assert_string_equal(model_of(&a), "translation");
}

/* Half of the votes lie anywhere within 20 px. */
static void a_map_is_found_among_wrong_votes(void **state)
{
    tally_vote votes[N];
    tally_affine a;
    double rmse;
    tally_rng rng = { 11 };
    (void)state;
    cast(votes, 1e-3, -3e-3, 3e-3, 1e-3, 0.2);
    for (int i = 0; i < N; i++)
        votes[i].off.x += 12;
    for (int i = 0; i < N; i += 2)
        votes[i].off =
            (tally_point) { 40 * tally_rng_uniform(&rng) - 20, 40 * tally_rng_uniform(&rng) - 20 };
    assert_in_range(tally_votes_agree(votes, N, &a, &rmse), N / 2 - 1, N / 2 + 2);
    assert_float_equal(a.c[4], 3e-3, 4e-4);
    assert_float_equal(a.c[1] - 1, 1e-3, 4e-4);
    const tally_point at = tally_affine_apply(&a, (tally_point) { 500, 500 });
    assert_float_equal(at.x, 512, 0.2);
    assert_float_equal(at.y, 500, 0.2);
    assert_true(rmse < 0.6);
    for (int i = 0; i < N; i++) /* nothing to agree about */
        votes[i].off =
            (tally_point) { 40 * tally_rng_uniform(&rng) - 20, 40 * tally_rng_uniform(&rng) - 20 };
    assert_true(tally_votes_agree(votes, N, &a, &rmse) < N / 5);
}

/* A bow of 0.4 px beyond the map is found where windows carry it, and is none in noise, nor from
 * few votes. */
static void a_bow_is_a_field(void **state)
{
    tally_vote votes[N];
    tally_affine a;
    tally_bend bend;
    double rmse;
    (void)state;
    for (int bowed = 0; bowed < 2; bowed++) {
        cast(votes, 1e-4, 0, 0, 1e-4, 0.05);
        for (int i = 0; i < N && bowed; i++) {
            const double u = (votes[i].at.x - 500) / 500;
            votes[i].off.x += 0.4 * u * u;
        }
        tally_votes_fit(votes, N, (tally_point) { 3, -2 }, &a, &rmse);
        tally_votes_bend(votes, N, (tally_point) { 3, -2 }, &a, &bend, &rmse);
        if (!bowed) {
            assert_true(bend.scale == 0);
            continue;
        }
        assert_true(bend.scale != 0);
        assert_float_equal(rmse, 0.05 * sqrt(2), 0.025);
        for (int x = 0; x <= 1000; x += 250) {
            const tally_point at = { x, 300 }, off = tally_bend_at(&bend, at);
            const double u = (x - 500) / 500.0, true_x = x + 3 + 1e-4 * (x - 500) + 0.4 * u * u;
            assert_float_equal(tally_affine_apply(&a, at).x + off.x, true_x, 0.1);
        }
        /* beyond the windows it stays as at their rim */
        const tally_point rim = tally_bend_at(&bend, (tally_point) { 1000, 300 }),
                          beyond = tally_bend_at(&bend, (tally_point) { 5000, 300 });
        assert_true(rim.x == beyond.x && rim.y == beyond.y);
    }
    tally_votes_bend(votes, 20, (tally_point) { 0, 0 }, &a, &bend, &rmse);
    assert_true(bend.scale == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(noise_is_a_translation),
        cmocka_unit_test(a_turn_is_a_similarity),
        cmocka_unit_test(a_shear_is_affine),
        cmocka_unit_test(one_wrong_window_does_not_turn_the_map),
        cmocka_unit_test(a_map_is_found_among_wrong_votes),
        cmocka_unit_test(a_bow_is_a_field),
        cmocka_unit_test(few_votes_and_votes_in_a_row_stay_a_translation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
