/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Neighbouring tracks at 3 m solved together, on drawn pixels: three tracks 5 m apart, running
 * east. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "count/rail_joint.h"

enum { WIDTH = 80, HEIGHT = 22, TRACKS = 3, DATES = 6, BANDS = 4 };
static const double GSD_M = 3, APART_M = 5, ROAD = 0.14, GRASS = 0.09;
static const tally_box box = { 0, 0, WIDTH, HEIGHT };

typedef struct train {
    int track, from_px, to_px;
    double bright; /* of the track's ground */
} train;
typedef struct day {
    train trains[3];
    double gain, shadow_m; /* south */
    bool cloud;
} day;

static tally_stretch stretches[TRACKS];
static tally_track tracks[TRACKS];

static void lay(void)
{
    for (int i = 0; i < TRACKS; i++) {
        stretches[i] = (tally_stretch) { .n = 2 * (WIDTH - 8),
                                         .x = 4.25,
                                         .y = 9.3 + i * APART_M / GSD_M,
                                         .dx = 0.5,
                                         .ny = 1 / GSD_M };
        tracks[i] = (tally_track) { .zone = (size_t)i,
                                    .stretches = &stretches[i],
                                    .n_stretches = 1,
                                    .n = stretches[i].n,
                                    .step_m = GSD_M / 2,
                                    .lanes = 3,
                                    .lane_m = GSD_M / 2 };
    }
}

/* Of a pixel's row, what lies from a to b metres south of the first track. */
static double share(int y, double a, double b)
{
    static const double SD = 1.8;
    double at = (y + 0.5 - stretches[0].y) * GSD_M;
    return 0.5 * (erf((b - at) / SD / sqrt(2)) - erf((a - at) / SD / sqrt(2)));
}

static void draw(const day *d, uint64_t seed, tally_patch *out)
{
    tally_rng rng = { .state = seed }, texture = { .state = 5 };
    tally_error err;
    assert_int_equal(tally_patch_init(out, WIDTH, HEIGHT, BANDS, &err), TALLY_OK);
    for (int y = 0; y < HEIGHT; y++)
        for (int x = 0; x < WIDTH; x++) {
            double bed = share(y, -4, 2 * APART_M + 4),
                   ground =
                       (bed * ROAD + (1 - bed) * GRASS) * (1 + 0.05 * tally_rng_normal(&texture)),
                   value = ground;
            for (int k = 0; k < 3; k++) {
                const train *t = &d->trains[k];
                double m = t->track * APART_M;
                if (x < t->from_px || x >= t->to_px) continue;
                value += ground * (t->bright - 1) * share(y, m - 1.55, m + 1.55) -
                         ground * 0.65 * share(y, m + 1.55, m + 1.55 + d->shadow_m);
            }
            if (d->cloud && x > 20 && x < 32 && y > 4 && y < 18) value = 0.8;
            for (int b = 0; b < BANDS; b++)
                tally_patch_row(out, b, y)[x] =
                    (float)(d->gain * value * (1 + 0.01 * tally_rng_normal(&rng)));
            tally_bits_set(&out->valid, x, y);
        }
}

static const day days[DATES] = {
    { .trains = { { 1, 10, 40, 0.4 } }, .gain = 1, .shadow_m = 3 },
    { .trains = { { 0, 30, 70, 0.5 } }, .gain = 1.3, .shadow_m = 3 },
    { .trains = { { 2, 5, 30, 2 }, { 0, 50, 70, 0.4 } }, .gain = 0.8, .shadow_m = 3 },
    { .gain = 1, .shadow_m = 3 },
    { .trains = { { 0, 10, 60, 0.4 }, { 1, 10, 60, 0.6 }, { 2, 10, 60, 0.4 } },
      .gain = 1,
      .shadow_m = 3 },
    { .gain = 1.1, .shadow_m = 3, .cloud = true },
};

typedef struct answer {
    tally_rail_frame frame;
    tally_rail_ground ground;
    tally_patch patches[DATES];
    tally_rail_look looks[DATES];
    tally_rail_belief beliefs[DATES];
} answer;

static void solve(answer *a)
{
    static const tally_band_role roles[BANDS] = { TALLY_BLUE, TALLY_GREEN, TALLY_RED, TALLY_NIR };
    tally_error err;
    lay();
    memset(a, 0, sizeof *a);
    assert_int_equal(tally_rail_frame_init(tracks, TRACKS, GSD_M, box, &a->frame, &err), TALLY_OK);
    assert_int_equal(tally_rail_ground_init(&a->frame, BANDS, &a->ground, &err), TALLY_OK);
    for (int d = 0; d < DATES; d++) {
        draw(&days[d], 100 + (uint64_t)d, &a->patches[d]);
        a->looks[d].sun = true;
        a->looks[d].shadow = (tally_point) { 0, days[d].shadow_m / GSD_M };
        a->looks[d].shade = tally_rail_usual_shade(roles, BANDS);
        assert_int_equal(tally_rail_look_init(&a->frame, &a->patches[d], &a->looks[d], &err),
                         TALLY_OK);
        assert_int_equal(tally_rail_belief_init(&a->frame, true, &a->beliefs[d], &err), TALLY_OK);
    }
    assert_int_equal(
        tally_rail_joint_learn(&a->frame, a->looks, a->beliefs, DATES, &a->ground, &err), TALLY_OK);
}

static void forget(answer *a)
{
    for (int d = 0; d < DATES; d++) {
        tally_rail_belief_fini(&a->beliefs[d]);
        tally_rail_look_fini(&a->looks[d]);
        tally_patch_fini(&a->patches[d]);
    }
    tally_rail_ground_fini(&a->ground);
    tally_rail_frame_fini(&a->frame);
}

static int slice_at(const answer *a, int track, int x)
{
    return a->frame.slice_of[track][2 * (x - 4)];
}

static double believed(const answer *a, int d, int track, int x)
{
    return a->beliefs[d].occupied[track * a->frame.slices + slice_at(a, track, x)];
}

static bool stands(const day *d, int track, int x)
{
    for (int k = 0; k < 3; k++)
        if (d->trains[k].track == track && x >= d->trains[k].from_px && x < d->trains[k].to_px)
            return true;
    return false;
}

static void frame_knows_its_tracks(void **state)
{
    answer a;
    (void)state;
    solve(&a);
    int s = slice_at(&a, 0, 40);
    assert_int_equal(tally_rail_frame_mask(&a.frame, s), 7);
    for (int i = 0; i < TRACKS; i++)
        assert_true(fabs(tally_rail_frame_track(&a.frame, (size_t)i, s) -
                         tally_rail_frame_track(&a.frame, 0, s) - i * APART_M) < 1e-3);
    /* all of a pixel lies somewhere */
    assert_true(fabs(tally_rail_share(&a.frame, -INFINITY, 1, 0.5) +
                     tally_rail_share(&a.frame, 1, INFINITY, 0.5) - 1) < 1e-9);
    assert_true(tally_rail_share(&a.frame, 2, 1, 1.5) == 0);
    forget(&a);
}

/* Each train on its own track: neither the spill of the blur nor the shadow on the next one is a
 * train, and three side by side are three. */
static void trains_are_on_their_own_tracks(void **state)
{
    answer a;
    (void)state;
    solve(&a);
    for (int d = 0; d < DATES; d++)
        for (int i = 0; i < TRACKS; i++) {
            int wrong = 0, n = 0;
            for (int x = 6; x < WIDTH - 6; x++) {
                if (!tally_rail_joint_sees(&a.frame, &a.looks[d], (size_t)i, slice_at(&a, i, x)))
                    continue;
                bool there = stands(&days[d], i, x);
                if (there != stands(&days[d], i, x - 1) || there != stands(&days[d], i, x + 1))
                    continue; /* an end may be a pixel off */
                n++;
                wrong += (believed(&a, d, i, x) > 0.5) != there;
            }
            assert_true(n > 30);
            assert_in_range(wrong, 0, 2);
        }
    forget(&a);
}

static void cloud_is_not_seen_through(void **state)
{
    answer a;
    (void)state;
    solve(&a);
    assert_false(tally_rail_joint_sees(&a.frame, &a.looks[5], 1, slice_at(&a, 1, 26)));
    assert_true(tally_rail_joint_sees(&a.frame, &a.looks[5], 1, slice_at(&a, 1, 60)));
    assert_true(tally_rail_joint_sees(&a.frame, &a.looks[3], 1, slice_at(&a, 1, 26)));
    forget(&a);
}

/* Gains are told apart from what stands there, and draws say what is believed. */
static void light_and_draws(void **state)
{
    answer a;
    (void)state;
    solve(&a);
    tally_rail_belief *b = &a.beliefs[1];
    double ratio = a.looks[0].scale[0] / a.looks[1].scale[0];
    assert_true(fabs(ratio - 1.3) < 0.05);
    int s = slice_at(&a, 0, 50), on = 0;
    for (int k = 0; k < TALLY_RAIL_DRAWS; k++)
        on += b->draws[k * a.frame.slices + s] & 1;
    assert_true(on > TALLY_RAIL_DRAWS * 0.9);
    forget(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frame_knows_its_tracks),
        cmocka_unit_test(trains_are_on_their_own_tracks),
        cmocka_unit_test(cloud_is_not_seen_through),
        cmocka_unit_test(light_and_draws),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
