/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One image alone: strips drawn by hand, and what is believed of their columns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "count/rail_single.h"

enum { COLUMNS = 600, LANES = TALLY_LOOK_LANES, BANDS = 3 };
static const tally_band_role rgb[BANDS] = { TALLY_RED, TALLY_GREEN, TALLY_BLUE };

/* What stands on the track: wagons of 14.1 m from..to (metres along), and a mast's shadow. */
typedef struct sight {
    double from_m, to_m, mast_m;
    float gain, offset;
    bool turned; /* by 180 degrees */
} sight;

static const float paint[3][BANDS] = { { 0.32f, 0.12f, 0.10f },
                                       { 0.55f, 0.54f, 0.50f },
                                       { 0.12f, 0.13f, 0.14f } };

/* The colour at a place; sun from the left, so that shadows fall right of what stands. */
static void colour_at(const sight *s, double along, double across, tally_rng *rng, float *out)
{
    const float ballast[BANDS] = { 0.26f, 0.245f, 0.225f };
    const double into = fmod(along - s->from_m, 14.1), off = fabs(across);
    const bool body = s->to_m > s->from_m && along >= s->from_m && along < s->to_m && into < 12.9;
    double factor = 1 + 0.06 * tally_rng_normal(rng);
    const float *p = ballast;
    if (fabs(off - 0.75) < 0.25) factor *= 1.15;       /* rails */
    if (off > 2 && off < 3) factor *= 0.95;            /* path between tracks */
    if (fabs(along - s->mast_m) < 0.4) factor *= 0.45; /* the mast's shadow */
    if (body && off < 1.55) {
        p = paint[(int)((along - s->from_m) / 14.1) % 3];
        factor = 1 + 0.03 * tally_rng_normal(rng);
    } else if (body && across > 0 && off < 4)
        factor *= 0.25;
    for (int b = 0; b < BANDS; b++)
        out[b] = s->offset + s->gain * (float)(p[b] * factor);
}

static void draw(const sight *s, tally_track *track, tally_stretch *stretch, tally_patch *strip)
{
    tally_rng rng = { 7 };
    *stretch = (tally_stretch) { .n = COLUMNS, .dx = 1, .ny = 2 };
    *track = (tally_track) { .stretches = stretch,
                             .n_stretches = 1,
                             .n = COLUMNS,
                             .step_m = 0.5,
                             .lanes = LANES,
                             .lane_m = 0.5 };
    assert_int_equal(tally_patch_init(strip, COLUMNS, LANES, BANDS, NULL), TALLY_OK);
    for (int lane = 0; lane < LANES; lane++)
        for (int c = 0; c < COLUMNS; c++) {
            float v[BANDS];
            const int x = s->turned ? COLUMNS - 1 - c : c, y = s->turned ? LANES - 1 - lane : lane;
            colour_at(s, 0.5 * c, (lane - LANES / 2) * 0.5, &rng, v);
            tally_bits_set(&strip->valid, x, y);
            for (int b = 0; b < BANDS; b++)
                tally_patch_row(strip, b, y)[x] = v[b];
        }
}

typedef struct belief {
    bool occupied[COLUMNS];
    float logit[COLUMNS];
    double metres, doubt;
} belief;

static void believe(const sight *s, belief *out)
{
    tally_track track;
    tally_stretch stretch;
    tally_patch strip;
    tally_rail_state state;
    draw(s, &track, &stretch, &strip);
    assert_int_equal(tally_rail_state_init(&state, &track, NULL), TALLY_OK);
    assert_int_equal(tally_rail_single_judge(&track, &strip, 1, rgb, &state, NULL), TALLY_OK);
    assert_int_equal(tally_rail_join(&track, &state, NULL), TALLY_OK);
    *out = (belief) { .doubt = tally_rail_single_doubt(&track, &state, 5, 14.1) };
    for (int c = 0; c < COLUMNS; c++) {
        out->occupied[c] = state.occupied[c];
        out->logit[c] = state.logit[c];
        out->metres += state.occupied[c] ? 0.5 : 0;
        assert_true(state.seen[c]);
    }
    tally_rail_state_fini(&state);
    tally_patch_fini(&strip);
}

static const sight train = { .from_m = 80, .to_m = 80 + 7 * 14.1, .mast_m = -100, .gain = 200 };

static void a_train_is_found_where_it_stands(void **state)
{
    belief b;
    (void)state;
    believe(&train, &b);
    assert_true(fabs(b.metres - 7 * 14.1) < 10);
    for (int c = 0; c < COLUMNS; c++)
        if (0.5 * c > 90 && 0.5 * c < 165) assert_true(b.occupied[c]);
}

static void empty_track_stays_empty_under_a_mast_s_shadow(void **state)
{
    const sight empty = { .mast_m = 120, .gain = 200 };
    belief b;
    (void)state;
    believe(&empty, &b);
    assert_true(b.metres == 0);
}

static void gain_and_depth_of_bits_cancel_and_offset_nearly(void **state)
{
    sight other = train, hazy = train;
    belief a, b, c;
    (void)state;
    other.gain = 3000;
    hazy.offset = 20;
    believe(&train, &a);
    believe(&other, &b);
    believe(&hazy, &c);
    for (int k = 0; k < COLUMNS; k++)
        assert_true(fabsf(a.logit[k] - b.logit[k]) < 0.01f);
    assert_true(fabs(a.metres - b.metres) < 0.6);
    assert_true(fabs(a.metres - c.metres) < 4);
}

static void a_turned_scene_gives_the_same(void **state)
{
    sight other = train;
    belief a, b;
    (void)state;
    other.turned = true;
    believe(&train, &a);
    believe(&other, &b);
    /* grain and edges lie between two cells, so a turn moves them by one */
    assert_true(fabs(a.metres - b.metres) <= 1);
}

static void doubt_grows_with_what_is_not_sure(void **state)
{
    tally_stretch stretch = { .n = 400 };
    tally_track track = { .stretches = &stretch,
                          .n_stretches = 1,
                          .n = 400,
                          .step_m = 0.5,
                          .lanes = LANES,
                          .lane_m = 0.5 };
    tally_rail_state sure, unsure;
    (void)state;
    assert_int_equal(tally_rail_state_init(&sure, &track, NULL), TALLY_OK);
    assert_int_equal(tally_rail_state_init(&unsure, &track, NULL), TALLY_OK);
    for (int c = 0; c < 400; c++) {
        sure.seen[c] = unsure.seen[c] = true;
        sure.logit[c] = -0.6f;
        unsure.logit[c] = 0;
    }
    const double little = tally_rail_single_doubt(&track, &sure, 0, 14.1),
                 much = tally_rail_single_doubt(&track, &unsure, 0, 14.1),
                 full = tally_rail_single_doubt(&track, &sure, 14, 14.1);
    assert_true(little > 0.5 && little < 3);
    assert_true(much > little + 2);
    assert_true(full > little + 1);
    tally_rail_state_fini(&sure);
    tally_rail_state_fini(&unsure);
}

static void what_is_not_seen_says_nothing(void **state)
{
    tally_track track;
    tally_stretch stretch;
    tally_patch strip;
    tally_rail_state s;
    (void)state;
    draw(&train, &track, &stretch, &strip);
    for (int lane = 0; lane < LANES; lane++)
        for (int c = 300; c < COLUMNS; c++)
            tally_bits_clear(&strip.valid, c, lane);
    assert_int_equal(tally_rail_state_init(&s, &track, NULL), TALLY_OK);
    assert_int_equal(tally_rail_single_judge(&track, &strip, 1, rgb, &s, NULL), TALLY_OK);
    assert_int_equal(tally_rail_join(&track, &s, NULL), TALLY_OK);
    for (int c = 300; c < COLUMNS; c++)
        assert_true(!s.seen[c] && s.logit[c] == 0 && !s.occupied[c]);
    assert_true(s.occupied[250]);
    tally_rail_state_fini(&s);
    tally_patch_fini(&strip);
}

static void other_lanes_are_refused(void **state)
{
    tally_stretch stretch = { .n = 50 };
    tally_track track = {
        .stretches = &stretch, .n_stretches = 1, .n = 50, .step_m = 1, .lanes = 9, .lane_m = 1
    };
    tally_patch strip;
    tally_rail_state s;
    tally_error err = { 0 };
    (void)state;
    assert_int_equal(tally_patch_init(&strip, 50, 9, BANDS, NULL), TALLY_OK);
    assert_int_equal(tally_rail_state_init(&s, &track, NULL), TALLY_OK);
    assert_int_equal(tally_rail_single_judge(&track, &strip, 1, rgb, &s, &err), TALLY_E_ARG);
    assert_non_null(strstr(err.message, "lanes"));
    tally_rail_state_fini(&s);
    tally_patch_fini(&strip);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_train_is_found_where_it_stands),
        cmocka_unit_test(empty_track_stays_empty_under_a_mast_s_shadow),
        cmocka_unit_test(gain_and_depth_of_bits_cancel_and_offset_nearly),
        cmocka_unit_test(a_turned_scene_gives_the_same),
        cmocka_unit_test(doubt_grows_with_what_is_not_sure),
        cmocka_unit_test(what_is_not_seen_says_nothing),
        cmocka_unit_test(other_lanes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
