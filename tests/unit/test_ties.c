/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Registration in windows against shifts that are known because the ground is a formula. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "align/ties.h"
#include "align_ground.h"
#include "kernels/kernels.h"

enum { N = TALLY_TIE_SIZE, ACROSS = 3, WINDOWS = ACROSS * ACROSS, APART = 400 };

typedef struct scene {
    tally_ties ties;
    tally_patch moving[WINDOWS];
    ground land;
    tally_context ctx;
} scene;

/* Windows on nine places of the land, and the same shifted, turned and stretched about the middle.
 */
static void set_up(scene *s, double dx, double dy, double turn, double stretch)
{
    const double middle = APART + N / 2.0;
    memset(s, 0, sizeof *s);
    ground_init(&s->land, 7);
    s->ctx = (tally_context) { .jobs = 1, .kernels = tally_kernels_select(tally_cpu_flags()) };
    s->ties.boxes = tally_alloc(WINDOWS, sizeof *s->ties.boxes);
    s->ties.ground = tally_alloc(WINDOWS, sizeof *s->ties.ground);
    s->ties.pixels = tally_alloc(WINDOWS, sizeof *s->ties.pixels);
    assert_non_null(s->ties.boxes);
    assert_non_null(s->ties.ground);
    assert_non_null(s->ties.pixels);
    for (int i = 0; i < WINDOWS; i++) {
        const int x0 = i % ACROSS * APART, y0 = i / ACROSS * APART;
        const double rx = x0 + N / 2.0 - middle, ry = y0 + N / 2.0 - middle;
        s->ties.boxes[i] = (tally_box) { x0, y0, x0 + N, y0 + N };
        assert_int_equal(tally_bits_init(&s->ties.ground[i], N, N, NULL), TALLY_OK);
        memset(s->ties.ground[i].bits, 0xff, s->ties.ground[i].words * N * sizeof(uint64_t));
        assert_int_equal(tally_patch_init(&s->ties.pixels[i], N, N, 1, NULL), TALLY_OK);
        assert_int_equal(tally_patch_init(&s->moving[i], N, N, 1, NULL), TALLY_OK);
        ground_draw(&s->land, x0, y0, 0, 0, &s->ties.pixels[i]);
        ground_draw(&s->land, x0, y0, dx + stretch * rx - turn * ry, dy + turn * rx + stretch * ry,
                    &s->moving[i]);
        s->ties.n++;
    }
}

static void tear_down(scene *s)
{
    tally_ties_fini(&s->ties);
    for (int i = 0; i < WINDOWS; i++)
        tally_patch_fini(&s->moving[i]);
}

static tally_placement place(scene *s)
{
    tally_placement p;
    tally_point off[WINDOWS] = { { 0, 0 } };
    tally_tie_view view = { (tally_patch *)s->moving, off };
    assert_int_equal(tally_ties_register(&s->ctx, &s->ties, &view, TALLY_EDGE_DIRECTIONS, &p, NULL),
                     TALLY_OK);
    return p;
}

static void check(const tally_placement *p, double dx, double dy, double within)
{
    assert_true(p->accepted);
    if (!(hypot(p->dx_px - dx, p->dy_px - dy) <= within))
        fail_msg("%.4f,%.4f px instead of %.4f,%.4f", p->dx_px, p->dy_px, dx, dy);
}

static void add_noise(scene *s, double sigma)
{
    tally_rng rng = { 99 };
    for (int i = 0; i < WINDOWS; i++)
        for (int y = 0; y < N; y++)
            for (int x = 0; x < N; x++)
                tally_patch_row(&s->moving[i], 0, y)[x] += (float)(sigma * tally_rng_normal(&rng));
}

static void fill_square(tally_patch *p, int x0, int y0, int side, float value)
{
    for (int y = y0; y < y0 + side; y++)
        for (int x = x0; x < x0 + side; x++)
            tally_patch_row(p, 0, y)[x] = value;
}

static void an_image_lies_on_itself(void **state)
{
    (void)state;
    scene s;
    set_up(&s, 0, 0, 0, 0);
    const tally_placement p = place(&s);
    check(&p, 0, 0, 0.001);
    assert_int_equal(p.windows, WINDOWS);
    assert_string_equal(tally_placement_model(&p), "translation");
    tear_down(&s);
}

static void shifts_between_pixels_are_found(void **state)
{
    static const double shifts[][2] = {
        { 0.37, -1.62 }, { 5.5, 3.25 }, { -0.5, 0.5 }, { 14.2, -9.8 }
    };
    (void)state;
    for (size_t i = 0; i < sizeof shifts / sizeof *shifts; i++) {
        scene s;
        set_up(&s, shifts[i][0], shifts[i][1], 0, 0);
        const tally_placement p = place(&s);
        check(&p, shifts[i][0], shifts[i][1], 0.05);
        /* to 1/1024 px, so that the last bit of a transform cannot show */
        assert_true(p.dx_px * 1024 == floor(p.dx_px * 1024));
        tear_down(&s);
    }
}

static void noise_and_another_light_do_not_move_it(void **state)
{
    (void)state;
    scene s;
    set_up(&s, 1.3, 0.8, 0, 0);
    for (int i = 0; i < WINDOWS; i++)
        for (int y = 0; y < N; y++)
            for (int x = 0; x < N; x++) {
                float *v = &tally_patch_row(&s.moving[i], 0, y)[x];
                *v = 0.6f * *v + 300;
            }
    add_noise(&s, 40);
    const tally_placement p = place(&s);
    check(&p, 1.3, 0.8, 0.1);
    tear_down(&s);
}

static void clouds_do_not_move_it(void **state)
{
    (void)state;
    scene s;
    set_up(&s, -0.7, 1.9, 0, 0);
    for (int i = 0; i < 3; i++) { /* seen as cloud */
        for (int y = 0; y < N; y++)
            memset(tally_bits_row(&s.moving[i].valid, y), 0, sizeof(uint64_t));
        fill_square(&s.moving[i], 0, 0, 64, 0);
    }
    fill_square(&s.moving[4], 10, 10, 100, 9000); /* one that no mask knows of */
    fill_square(&s.moving[5], 0, 20, 90, 9000);
    const tally_placement p = place(&s);
    check(&p, -0.7, 1.9, 0.1);
    tear_down(&s);
}

static void what_moves_does_not_move_it(void **state)
{
    (void)state;
    scene s;
    set_up(&s, 0.4, 0.2, 0, 0);
    for (int i = 0; i < WINDOWS; i++) { /* a lorry in every window that drove on */
        fill_square(&s.ties.pixels[i], 40, 50, 12, 3000);
        fill_square(&s.moving[i], 46, 50, 12, 3000);
    }
    const tally_placement p = place(&s);
    check(&p, 0.4, 0.2, 0.1);
    tear_down(&s);
}

static void turn_and_stretch_are_told_apart_from_noise(void **state)
{
    (void)state;
    scene s;
    set_up(&s, 0.6, -0.3, 4e-4, -2e-4);
    const tally_placement p = place(&s);
    check(&p, 0.6, -0.3, 0.05);
    assert_string_equal(tally_placement_model(&p), "similarity");
    assert_float_equal(p.residual.c[1] - 1, -2e-4, 6e-5);
    assert_float_equal(p.residual.c[4], 4e-4, 6e-5);
    tear_down(&s);
}

static void other_ground_is_refused(void **state)
{
    (void)state;
    scene s;
    set_up(&s, 0, 0, 0, 0);
    ground elsewhere;
    ground_init(&elsewhere, 8);
    for (int i = 0; i < WINDOWS; i++)
        ground_draw(&elsewhere, 90 * i, 0, 0, 0, &s.moving[i]);
    add_noise(&s, 20);
    const tally_placement p = place(&s);
    assert_false(p.accepted);
    assert_true(strlen(p.reason) > 0);
    tear_down(&s);
}

static void too_little_to_see_is_no_failure(void **state)
{
    (void)state;
    scene s;
    set_up(&s, 0.5, 0.5, 0, 0);
    for (int i = 0; i < WINDOWS - 1; i++)
        memset(s.moving[i].valid.bits, 0, s.moving[i].valid.words * N * sizeof(uint64_t));
    const tally_placement p = place(&s);
    assert_true(p.accepted);
    assert_true(isnan(p.dx_px) && isnan(p.dy_px));
    assert_int_equal(p.windows, 0);
    tear_down(&s);
}

static void scalar_and_best_kernels_agree_to_the_bit(void **state)
{
    (void)state;
    scene s;
    set_up(&s, 2.2, -0.9, 1e-4, 0);
    add_noise(&s, 15);
    const tally_placement fast = place(&s);
    s.ctx.kernels = tally_kernels_select(0);
    const tally_placement plain = place(&s);
    assert_memory_equal(&fast.residual, &plain.residual, sizeof fast.residual);
    assert_true(fast.rmse_px == plain.rmse_px);
    tear_down(&s);
}

/* A scene of the land under a map, drawn where it is asked for. Every window is read .3 px left of
 * and .2 px below its place, as whole pixels would be. */
typedef struct drawn {
    const scene *s;
    tally_affine truth;
    bool is_noise;
} drawn;

static tally_status draw_through(void *user, const tally_affine *map, int margin,
                                 tally_tie_view *view, tally_error *err)
{
    const drawn *d = user;
    tally_rng rng = { 3 };
    for (int i = 0; i < WINDOWS; i++) {
        const tally_box b = tally_box_grow(d->s->ties.boxes[i], margin);
        const tally_point at = { (b.x0 + b.x1) / 2.0, (b.y0 + b.y1) / 2.0 };
        const tally_point is = tally_affine_apply(&d->truth, at),
                          asked = tally_affine_apply(map, at);
        tally_patch *const p = &view->windows[i];
        tally_patch_fini(p);
        const tally_status s = tally_patch_init(p, N + 2 * margin, N + 2 * margin, 1, err);
        if (s != TALLY_OK) return s;
        view->off[i] = (tally_point) { 0.3, -0.2 };
        ground_draw(&d->s->land, b.x0, b.y0, is.x - asked.x + 0.3, is.y - asked.y - 0.2, p);
        for (int y = 0; y < p->height; y++)
            for (int x = 0; x < p->width; x++) {
                float *v = &tally_patch_row(p, 0, y)[x];
                *v = (d->is_noise ? 0 : *v) + (float)(5 * tally_rng_normal(&rng));
            }
    }
    return TALLY_OK;
}

static tally_placement place_drawn(const tally_affine *truth, bool is_noise)
{
    static const tally_affine unmoved = { { 0, 1, 0, 0, 0, 1 } };
    scene s;
    tally_placement p;
    tally_tie_view view;
    set_up(&s, 0, 0, 0, 0);
    drawn d = { &s, *truth, is_noise };
    const tally_tie_source source = { draw_through, &d };
    assert_int_equal(tally_tie_view_init(&view, WINDOWS, NULL), TALLY_OK);
    assert_int_equal(draw_through(&d, &unmoved, 0, &view, NULL), TALLY_OK);
    assert_int_equal(
        tally_ties_place(&s.ctx, &s.ties, &source, (tally_point) { 464, 464 }, &view, &p, NULL),
        TALLY_OK);
    tally_tie_view_fini(&view, WINDOWS);
    tear_down(&s);
    return p;
}

static void whole_pixels_and_the_phase_are_exact(void **state)
{
    (void)state;
    const tally_placement p = place_drawn(&(tally_affine) { { 0.37, 1, 0, -0.41, 0, 1 } }, false);
    check(&p, 0.37, -0.41, 0.015); /* three deviations of the mean of nine such windows */
    assert_true(p.rmse_px < 0.02);
}

static void a_scene_60_px_off_is_found_and_one_200_px_off_is_left_out(void **state)
{
    (void)state;
    tally_placement p = place_drawn(&(tally_affine) { { 47.3, 1, 0, -61.8, 0, 1 } }, false);
    check(&p, 47.3, -61.8, 0.015);
    p = place_drawn(&(tally_affine) { { 200, 1, 0, 0, 0, 1 } }, false);
    assert_false(p.accepted);
    assert_true(strlen(p.reason) > 0);
}

static void noise_is_left_out(void **state)
{
    (void)state;
    const tally_placement p = place_drawn(&(tally_affine) { { 0, 1, 0, 0, 0, 1 } }, true);
    assert_false(p.accepted);
    assert_true(strlen(p.reason) > 0);
}

/* Three per mille over 800 px: windows differ by up to 3.4 px, and no joint peak holds them. */
static void a_turn_of_per_milles_is_found(void **state)
{
    (void)state;
    const double turn = 3e-3, stretch = -1e-3, m = 464;
    const tally_affine truth = { { 4 - m * stretch + m * turn, 1 + stretch, -turn,
                                   -7 - m * turn - m * stretch, turn, 1 + stretch } };
    const tally_placement p = place_drawn(&truth, false);
    check(&p, 4, -7, 0.02);
    assert_string_equal(tally_placement_model(&p), "similarity");
    assert_float_equal(p.residual.c[4], turn, 4e-5);
    assert_float_equal(p.residual.c[1] - 1, stretch, 4e-5);
}

static void change_that_vanishes_tells_a_misplaced_scene(void **state)
{
    (void)state;
    const float gain = 1, offset = 0;
    double placed, misplaced;
    scene s;
    set_up(&s, 0, 0, 0, 0);
    add_noise(&s, 5);
    for (int i = 0; i < WINDOWS; i++)
        fill_square(&s.moving[i], 30, 40, 20, 4000); /* what is new does not vanish */
    assert_int_equal(tally_ties_vanishing(&s.ties, s.moving, &gain, &offset, &placed, NULL),
                     TALLY_OK);
    tear_down(&s);
    set_up(&s, 1, 0, 0, 0);
    add_noise(&s, 5);
    assert_int_equal(tally_ties_vanishing(&s.ties, s.moving, &gain, &offset, &misplaced, NULL),
                     TALLY_OK);
    tear_down(&s);
    assert_true(placed < 0.3); /* chance takes some of the noise */
    assert_true(misplaced > 0.9);
}

static void gain_and_offset_are_found_beside_clouds(void **state)
{
    (void)state;
    scene s;
    float gain, offset, noise;
    set_up(&s, 0, 0, 0, 0);
    for (int i = 0; i < WINDOWS; i++)
        for (int y = 0; y < N; y++)
            for (int x = 0; x < N; x++) {
                float *v = &tally_patch_row(&s.moving[i], 0, y)[x];
                *v = (*v - 120) / 1.25f; /* reference = 1.25 x + 120 */
            }
    add_noise(&s, 3);
    fill_square(&s.moving[2], 0, 0, N, 9000);
    fill_square(&s.moving[6], 0, 0, 100, 7000);
    assert_int_equal(tally_ties_radiometry(&s.ties, s.moving, 1, &gain, &offset, &noise, NULL),
                     TALLY_OK);
    assert_float_equal(gain, 1.25, 0.01);
    assert_float_equal(gain * 700 + offset, 1.25 * 700 + 120, 2);
    /* the deviation of what was added, in the reference's units */
    assert_float_equal(noise, 3 * 1.25, 0.2);
    tear_down(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_image_lies_on_itself),
        cmocka_unit_test(shifts_between_pixels_are_found),
        cmocka_unit_test(noise_and_another_light_do_not_move_it),
        cmocka_unit_test(clouds_do_not_move_it),
        cmocka_unit_test(what_moves_does_not_move_it),
        cmocka_unit_test(turn_and_stretch_are_told_apart_from_noise),
        cmocka_unit_test(other_ground_is_refused),
        cmocka_unit_test(too_little_to_see_is_no_failure),
        cmocka_unit_test(scalar_and_best_kernels_agree_to_the_bit),
        cmocka_unit_test(whole_pixels_and_the_phase_are_exact),
        cmocka_unit_test(a_scene_60_px_off_is_found_and_one_200_px_off_is_left_out),
        cmocka_unit_test(noise_is_left_out),
        cmocka_unit_test(a_turn_of_per_milles_is_found),
        cmocka_unit_test(change_that_vanishes_tells_a_misplaced_scene),
        cmocka_unit_test(gain_and_offset_are_found_beside_clouds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
