/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Yards drawn pixel by pixel: how many slots are found where how many were drawn. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <string.h>

#include "count/yard_measure.h"
#include "count/yard_pad.h"
#include "count/yard_sight.h"

#define SIZE  240
#define GSD_M 0.5
#define BANDS 4
#define PI    3.14159265358979323846

static const float pad_colour[BANDS] = { 300, 260, 250, 240 };
static const float shade[BANDS] = { 0.60f, 0.47f, 0.38f, 0.28f };
static const float paint[4][BANDS] = {
    { 330, 230, 150, 150 }, /* blue */
    { 110, 110, 260, 280 }, /* red */
    { 620, 600, 590, 560 }, /* white */
    { 130, 200, 120, 230 }, /* green */
};

/* A yard under construction: axes at `angle` around the middle, in metres. */
typedef struct drawing {
    tally_patch scene;
    tally_bits zone;
    double angle;
    tally_rng rng;
} drawing;

static void to_yard(const drawing *d, double x, double y, double *u, double *v)
{
    const double mx = (x - SIZE / 2.0) * GSD_M, my = (y - SIZE / 2.0) * GSD_M;
    *u = mx * cos(d->angle) + my * sin(d->angle);
    *v = my * cos(d->angle) - mx * sin(d->angle);
}

/* The empty pad, grey texture and sensor noise; the zone is 90 m x 40 m in the middle. */
static void begin(drawing *d, double angle, uint64_t seed)
{
    tally_error err;
    *d = (drawing) { .angle = angle, .rng = { seed } };
    assert_int_equal(tally_patch_init(&d->scene, SIZE, SIZE, BANDS, &err), TALLY_OK);
    assert_int_equal(tally_bits_init(&d->zone, SIZE, SIZE, &err), TALLY_OK);
    for (int y = 0; y < SIZE; y++)
        for (int x = 0; x < SIZE; x++) {
            double u, v;
            to_yard(d, x + .5, y + .5, &u, &v);
            if (fabs(u) < 45 && fabs(v) < 20) tally_bits_set(&d->zone, x, y);
            tally_bits_set(&d->scene.valid, x, y);
            const double texture = 1 + 0.06 * sin(x * .21) * cos(y * .17);
            for (int b = 0; b < BANDS; b++)
                tally_patch_row(&d->scene, b, y)[x] =
                    pad_colour[b] * (float)(texture * (1 + 0.015 * tally_rng_normal(&d->rng)));
        }
}

/* Multiply or replace the colour inside a rectangle of the yard's axes, mixing at its edges. */
static void draw(drawing *d, double u0, double v0, double u1, double v1, const float *colour,
                 const float *factor)
{
    for (int y = 0; y < SIZE; y++)
        for (int x = 0; x < SIZE; x++) {
            int inside = 0;
            double u, v;
            to_yard(d, x + .5, y + .5, &u, &v);
            if (u < u0 - 1 || u > u1 + 1 || v < v0 - 1 || v > v1 + 1) continue; /* nowhere near */
            for (int k = 0; k < 16; k++) {
                to_yard(d, x + (k % 4 + .5) / 4, y + (int)(k / 4) / 4.0 + .125, &u, &v);
                inside += u > u0 && u < u1 && v > v0 && v < v1;
            }
            const float a = (float)inside / 16;
            for (int b = 0; b < BANDS && inside; b++) {
                float *p = &tally_patch_row(&d->scene, b, y)[x];
                *p += a * ((colour ? colour[b] : *p * factor[b]) - *p);
            }
        }
}

/* n_u x n_v slots from (u, v), lanes of 0.3 m, the shadow of the block 4 m to its far side. */
static void draw_block(drawing *d, double u, double v, int n_u, int n_v, int first_paint)
{
    const double pu = 6.058 + .3, pv = 2.438 + .3;
    draw(d, u + 1, v - 4, u + n_u * pu + 1, v + n_v * pv - .3, NULL, shade);
    for (int j = 0; j < n_v; j++)
        for (int i = 0; i < n_u; i++)
            draw(d, u + i * pu, v + j * pv, u + i * pu + 6.058, v + j * pv + 2.438,
                 paint[(first_paint + i + j) % 4], NULL);
}

static void end(drawing *d)
{
    tally_bits_fini(&d->zone);
    tally_patch_fini(&d->scene);
}

/* The pad as so many scenes teach it. */
static void learn(const drawing *const *scenes, int n, double gsd_m, tally_patch *pad,
                  float level[8])
{
    const tally_kernels *k = tally_kernels_select(0);
    const tally_patch *first = &scenes[0]->scene;
    tally_yard_lesson lesson;
    tally_bits near;
    tally_error err;
    bool found;

    assert_int_equal(
        tally_yard_lesson_init(&lesson, first->width, first->height, first->bands, &err), TALLY_OK);
    assert_int_equal(tally_yard_near(k, &scenes[0]->zone, gsd_m, &near, &err), TALLY_OK);
    for (int i = 0; i < n; i++)
        assert_int_equal(tally_yard_lesson_look(&lesson, &scenes[i]->scene, &scenes[0]->zone, &err),
                         TALLY_OK);
    for (int i = 0; i < n; i++)
        assert_int_equal(tally_yard_lesson_add(&lesson, &scenes[i]->scene, &scenes[0]->zone, &near,
                                               false, gsd_m, &err),
                         TALLY_OK);
    assert_int_equal(
        tally_yard_lesson_end(k, &lesson, &scenes[0]->zone, gsd_m, pad, level, &found, &err),
        TALLY_OK);
    assert_true(found);
    tally_bits_fini(&near);
    tally_yard_lesson_fini(&lesson);
}

static tally_yard_answer measure(const drawing *d, const tally_patch *pad, const float *level)
{
    const tally_yard_view view = { .scene = &d->scene,
                                   .pad = pad,
                                   .level = level,
                                   .zone = &d->zone,
                                   .gsd_m = GSD_M,
                                   .drawn_angle = d->angle };
    tally_yard_answer a;
    tally_error err = { 0 };
    assert_int_equal(tally_yard_measure(tally_kernels_select(tally_cpu_flags()), &view, &a, &err),
                     TALLY_OK);
    return a;
}

static void check_about(const tally_yard_answer *a, int drawn)
{
    assert_int_equal(a->row.quality, TALLY_QUALITY_OK);
    assert_true(fabs((double)a->row.count - drawn) <= 0.1 * drawn);
    assert_true(a->row.low <= drawn && drawn <= a->row.high);
    assert_true(a->row.low <= (double)a->row.count && (double)a->row.count <= a->row.high);
    assert_true(a->row.high <= 2 * drawn); /* wide is not good */
}

static void an_empty_yard_is_zero(void **state)
{
    (void)state;
    drawing d;
    begin(&d, 0.1, 1);
    tally_yard_answer a = measure(&d, NULL, NULL);
    assert_int_equal(a.row.quality, TALLY_QUALITY_OK);
    assert_int_equal(a.row.count, 0);
    assert_true(a.row.seen == 1 && a.row.extent == 0 && a.row.occupancy == 0);
    assert_true(a.row.low == 0 && a.row.high <= 3);
    tally_yard_answer_fini(&a);
    /* a shadow that falls across it is no box */
    draw(&d, -20, -30, 10, 5, NULL, shade);
    a = measure(&d, NULL, NULL);
    assert_int_equal(a.row.count, 0);
    tally_yard_answer_fini(&a);
    end(&d);
}

static void boxes_drawn_are_boxes_found(void **state)
{
    (void)state;
    for (int turn = 0; turn < 4; turn++) { /* the last is a turn by 180 degrees of the second */
        static const double angles[] = { 0, 0.3, -1.1, 0.3 + PI };
        drawing d;
        begin(&d, angles[turn], 7);
        draw_block(&d, -40, -8, 5, 4, 0);
        draw_block(&d, 5, -10, 3, 3, 1);
        draw_block(&d, 30, 5, 1, 1, 2);
        tally_yard_answer a = measure(&d, NULL, NULL);
        check_about(&a, 30);
        assert_int_equal(a.slots.n_blocks, 3);
        assert_true(fabs(a.row.extent - (double)a.row.count * 14.77) < 1);
        /* the boxes lie along the drawn axis: each slot's direction is its own or the opposite */
        for (size_t i = 0; i < a.slots.n; i++)
            assert_true(fabs(a.slots.slots[i].ux * sin(d.angle) -
                             a.slots.slots[i].uy * cos(d.angle)) < 0.13);
        tally_yard_answer_fini(&a);
        end(&d);
    }
}

static void boxes_that_never_moved_still_count(void **state)
{
    (void)state;
    drawing d;
    const drawing *const scenes[] = { &d, &d, &d };
    tally_patch pad;
    float level[8];

    begin(&d, 0.2, 4);
    draw_block(&d, 0, 0, 4, 3, 0);
    learn(scenes, 3, GSD_M, &pad, level);
    assert_int_equal(pad.bands, BANDS + 1);
    for (int b = 0; b < BANDS; b++)
        assert_true(fabsf(level[b] / pad_colour[b] - 1) < 0.08f);
    tally_yard_answer a = measure(&d, &pad, level);
    assert_int_equal(a.row.count, 12);
    tally_yard_answer_fini(&a);
    tally_patch_fini(&pad);
    end(&d);
}

/* On three dates of four the same grey boxes stand there, on the fourth none: the mode would be the
 * boxes. */
static void one_empty_date_outvotes_three(void **state)
{
    (void)state;
    static const float grey[BANDS] = { 255, 230, 235, 250 };
    drawing d[4];
    const drawing *scenes[4];
    tally_patch pad;
    float level[8];

    for (int i = 0; i < 4; i++) {
        begin(&d[i], 0.2, 20 + (uint64_t)i);
        scenes[i] = &d[i];
        if (i < 3) draw(&d[i], -20, -5, 20, 5, grey, NULL);
    }
    learn(scenes, 4, GSD_M, &pad, level);
    tally_yard_answer a = measure(&d[3], &pad, level);
    assert_int_equal(a.row.count, 0);
    tally_yard_answer_fini(&a);
    tally_patch_fini(&pad);
    for (int i = 0; i < 4; i++)
        end(&d[i]);
}

/* A yard of dark pad in bright ground; on one date a block of one bright colour fills a third of
 * it. Neither is the pad, and the ground is no cloud. */
static void bright_blocks_and_ground_are_not_the_pad(void **state)
{
    (void)state;
    static const float orange[BANDS] = { 380, 480, 640, 560 };
    static const float soil[BANDS] = { 2.2f, 2.3f, 2.4f, 2.4f };
    drawing d[4];
    const drawing *scenes[4];
    tally_patch pad, ground;
    tally_error err;
    float level[8];

    for (int i = 0; i < 4; i++) {
        begin(&d[i], 0, 50 + (uint64_t)i);
        scenes[i] = &d[i];
        draw(&d[i], -60, -60, 60, -20.5, NULL, soil);
        draw(&d[i], -60, 20.5, 60, 60, NULL, soil);
        draw(&d[i], -60, -20.5, -45.5, 20.5, NULL, soil);
        draw(&d[i], 45.5, -20.5, 60, 20.5, NULL, soil);
        if (i == 3) draw(&d[i], -25, -13.7, 25.5, 13.5, orange, NULL); /* 8 x 10 slots */
    }
    learn(scenes, 4, GSD_M, &pad, level);
    for (int b = 0; b < BANDS; b++)
        assert_true(fabsf(level[b] / pad_colour[b] - 1) < 0.08f);
    assert_int_equal(tally_yard_ground(&d[0].scene, GSD_M, &ground, &err), TALLY_OK);
    for (int i = 2; i < 4; i++) {
        const tally_yard_view view = { .scene = &d[i].scene,
                                       .pad = &pad,
                                       .level = level,
                                       .ground = &ground,
                                       .zone = &d[i].zone,
                                       .gsd_m = GSD_M };
        tally_yard_answer a;
        assert_int_equal(tally_yard_measure(tally_kernels_select(0), &view, &a, &err), TALLY_OK);
        assert_true(a.row.seen == 1);
        if (i == 2)
            assert_int_equal(a.row.count, 0);
        else
            check_about(&a, 80);
        tally_yard_answer_fini(&a);
    }
    tally_patch_fini(&ground);
    tally_patch_fini(&pad);
    for (int i = 0; i < 4; i++)
        end(&d[i]);
}

/* Light grey boxes that differ from date to date, and no date without: never seen empty. */
static void boxes_that_came_and_went_are_no_pad(void **state)
{
    (void)state;
    static const float greys[3][BANDS] = { { 430, 375, 360, 345 },
                                           { 190, 165, 235, 225 },
                                           { 445, 385, 370, 355 } };
    drawing d[3];
    const drawing *scenes[3];
    tally_patch pad;
    float level[8];

    for (int i = 0; i < 3; i++) {
        begin(&d[i], 0, 60 + (uint64_t)i);
        scenes[i] = &d[i];
        draw(&d[i], -12.6, -5.5, 12.6, 5.5, greys[i], NULL); /* 4 x 4 slots */
    }
    learn(scenes, 3, GSD_M, &pad, level);
    assert_true(tally_patch_row(&pad, BANDS, SIZE / 2)[SIZE / 2] == 1);
    tally_yard_answer a = measure(&d[2], &pad, level);
    check_about(&a, 16);
    tally_yard_answer_fini(&a);
    tally_patch_fini(&pad);
    for (int i = 0; i < 3; i++)
        end(&d[i]);
}

/* In coarse pixels: ground of another colour under the yard's rim is no box, a row of boxes that
 * never moved is. */
static void a_rim_of_other_ground_is_no_box(void **state)
{
    (void)state;
    static const float soil[BANDS] = { 150, 170, 230, 300 };
    drawing d[3];
    const drawing *scenes[3];
    tally_patch pad;
    float level[8];

    for (int i = 0; i < 3; i++) {
        begin(&d[i], 0, 30 + (uint64_t)i);
        scenes[i] = &d[i];
        draw(&d[i], -60, 18.5, 60, 40, soil, NULL);
        draw_block(&d[i], -30, -2, 4, 2, 0);
    }
    learn(scenes, 3, 3.0, &pad, level);
    for (int x = 90; x < 150; x++) {                            /* u from -15 to 15 m */
        assert_true(tally_patch_row(&pad, BANDS, 158)[x] == 0); /* v = 19 m: soil */
        assert_true(tally_patch_row(&pad, 0, 158)[x] < -0.3f);
    }
    assert_true(tally_patch_row(&pad, BANDS, 118)[64] == 1); /* u = -28 m, v = -1 m: a box */
    tally_patch_fini(&pad);
    for (int i = 0; i < 3; i++)
        end(&d[i]);
}

static void grey_boxes_need_the_learned_pad(void **state)
{
    (void)state;
    drawing empty, full;
    const drawing *const scenes[] = { &empty };
    tally_patch pad;
    float level[8];
    static const float slate[BANDS] = { 240, 191, 172, 154 }; /* the very colour of half shadow */

    begin(&empty, 0.2, 9);
    begin(&full, 0.2, 10);
    for (int i = 0; i < 6; i++)
        draw(&full, -30 + i % 3 * 6.36, i / 3 * 2.74, -30 + i % 3 * 6.36 + 6.058,
             i / 3 * 2.74 + 2.438, slate, NULL);
    draw(&full, 5, -12, 40, 12, NULL, shade); /* true shadow beside them */
    learn(scenes, 1, GSD_M, &pad, level);
    tally_yard_answer a = measure(&full, &pad, level);
    assert_int_equal(a.row.count, 6);
    tally_yard_answer_fini(&a);
    a = measure(&full, NULL, NULL);
    assert_int_equal(a.row.count, 0); /* a documented limit: alone they pass for shadow */
    tally_yard_answer_fini(&a);
    tally_patch_fini(&pad);
    end(&full);
    end(&empty);
}

static void ground_that_is_not_recognised_is_not_seen(void **state)
{
    (void)state;
    drawing learned, clear, cloud;
    tally_patch ground, own;
    tally_error err;

    begin(&learned, 0.2, 11);
    begin(&clear, 0.2, 12);
    draw_block(&clear, 0, 0, 4, 3, 0);
    begin(&cloud, 0.2, 13);
    for (int b = 0; b < BANDS; b++) /* as bright as the pad, soft, and of another pattern */
        for (int y = 0; y < SIZE; y++)
            for (int x = 0; x < SIZE; x++)
                tally_patch_row(&cloud.scene, b, y)[x] =
                    pad_colour[b] *
                    (float)(1 + 0.1 * sin(x * .05 + y * .11) + 0.01 * tally_rng_normal(&cloud.rng));
    assert_int_equal(tally_yard_ground(&learned.scene, GSD_M, &ground, &err), TALLY_OK);
    assert_int_equal(tally_yard_ground(&learned.scene, GSD_M, &own, &err), TALLY_OK);
    assert_true(tally_yard_likeness(&ground, &own) > 0.999);
    tally_patch_fini(&own);
    const drawing *const drawn[] = { &clear, &cloud };
    for (int i = 0; i < 2; i++) {
        const tally_yard_view view = { .scene = &drawn[i]->scene,
                                       .ground = &ground,
                                       .likeness = 0.6,
                                       .zone = &drawn[i]->zone,
                                       .gsd_m = GSD_M,
                                       .drawn_angle = 0.2 };
        tally_yard_answer a;
        assert_int_equal(tally_yard_measure(tally_kernels_select(0), &view, &a, &err), TALLY_OK);
        assert_int_equal(a.row.quality, i ? TALLY_QUALITY_UNSEEN : TALLY_QUALITY_OK);
        assert_int_equal(a.row.count, i ? TALLY_NO_COUNT : 12);
        tally_yard_answer_fini(&a);
    }
    tally_patch_fini(&ground);
    end(&cloud);
    end(&clear);
    end(&learned);
}

static void cloud_is_not_zero(void **state)
{
    (void)state;
    drawing d;
    begin(&d, 0.1, 5);
    draw_block(&d, -20, -5, 4, 3, 0);
    const float level[8] = { 300, 260, 250, 240 };
    for (int b = 0; b < BANDS; b++)
        for (int y = 0; y < SIZE; y++)
            for (int x = 0; x < SIZE; x++)
                tally_patch_row(&d.scene, b, y)[x] =
                    900 + 0.05f * tally_patch_row(&d.scene, b, y)[x];
    tally_yard_answer a = measure(&d, NULL, level);
    assert_int_equal(a.row.quality, TALLY_QUALITY_UNSEEN);
    assert_int_equal(a.row.count, TALLY_NO_COUNT);
    assert_true(a.row.seen == 0 && isnan(a.row.estimate));
    tally_yard_answer_fini(&a);
    /* nothing at all */
    memset(d.scene.valid.bits, 0, d.scene.valid.words * SIZE * sizeof *d.scene.valid.bits);
    a = measure(&d, NULL, NULL);
    assert_int_equal(a.row.quality, TALLY_QUALITY_UNSEEN);
    assert_int_equal(a.row.count, TALLY_NO_COUNT);
    tally_yard_answer_fini(&a);
    end(&d);
}

static void half_a_yard_is_partial(void **state)
{
    (void)state;
    drawing d;
    begin(&d, 0, 6);
    draw_block(&d, -40, -8, 4, 4, 0); /* x from 40 px on */
    for (int y = 0; y < SIZE; y++)
        for (int x = SIZE / 2; x < SIZE; x++)
            tally_bits_clear(&d.scene.valid, x, y);
    tally_yard_answer a = measure(&d, NULL, NULL);
    assert_int_equal(a.row.quality, TALLY_QUALITY_PARTIAL);
    assert_true(fabs(a.row.seen - 0.5) < 0.02);
    assert_true(a.row.count >= 14 && a.row.count <= 18);
    assert_true(a.row.estimate > 1.8 * (double)a.row.count);
    assert_true(a.row.high > a.row.estimate);             /* what the other half may hold, */
    assert_true(a.row.high < 18 + 0.8 * 3600 / 2 / 17.3); /* not all that it has room for */
    tally_yard_answer_fini(&a);
    end(&d);
}

/* A pixel twice as wide, seen through optics that blur by about one such pixel. */
static float blurred(const tally_patch *scene, int band, int x, int y)
{
    static const float weights[6] = { 1, 3, 4, 4, 3, 1 };
    float sum = 0, total = 0;

    for (int j = 0; j < 6; j++)
        for (int i = 0; i < 6; i++) {
            const int px = 2 * x - 2 + i, py = 2 * y - 2 + j;
            if (px < 0 || py < 0 || px >= SIZE || py >= SIZE) continue;
            sum += weights[i] * weights[j] * tally_patch_row(scene, band, py)[px];
            total += weights[i] * weights[j];
        }
    return sum / total;
}

/* The same yard in pixels twice as wide: boxes are two and a half of them wide, and their rims must
 * not become boxes. */
static void pixels_of_a_metre_do_not_fill_the_yard(void **state)
{
    (void)state;
    for (int turn = 0; turn < 3; turn++) {
        static const double angles[] = { 0, 0.3, 0.3 + PI };
        drawing d, half = { 0 };
        tally_error err;
        begin(&d, angles[turn], 9);
        draw_block(&d, -42, -12, 6, 3, 0);
        draw_block(&d, -42, 4, 6, 3, 1);
        draw_block(&d, 4, -12, 5, 3, 2);
        half.angle = d.angle;
        assert_int_equal(tally_patch_init(&half.scene, SIZE / 2, SIZE / 2, BANDS, &err), TALLY_OK);
        assert_int_equal(tally_bits_init(&half.zone, SIZE / 2, SIZE / 2, &err), TALLY_OK);
        for (int y = 0; y < SIZE / 2; y++)
            for (int x = 0; x < SIZE / 2; x++) {
                tally_bits_set(&half.scene.valid, x, y);
                if (tally_bits_get(&d.zone, 2 * x, 2 * y)) tally_bits_set(&half.zone, x, y);
                for (int b = 0; b < BANDS; b++)
                    tally_patch_row(&half.scene, b, y)[x] = blurred(&d.scene, b, x, y);
            }
        const tally_yard_view view = {
            .scene = &half.scene, .zone = &half.zone, .gsd_m = 2 * GSD_M, .drawn_angle = half.angle
        };
        tally_yard_answer a;
        assert_int_equal(
            tally_yard_measure(tally_kernels_select(tally_cpu_flags()), &view, &a, &err), TALLY_OK);
        check_about(&a, 51);
        tally_yard_answer_fini(&a);
        end(&half);
        end(&d);
    }
}

/* At 3 m what is as dark as shadow is boxes under a high sun, and shadow under a low one. */
static void what_is_dark_at_3_m_counts_under_a_high_sun(void **state)
{
    (void)state;
    drawing d;
    int64_t counts[3];
    static const double suns[3] = { 60, 35, 15 };

    begin(&d, 0, 70);
    draw(&d, -30, -6, 30, 6, NULL, shade);
    for (int i = 0; i < 3; i++) {
        const tally_yard_view view = {
            .scene = &d.scene, .zone = &d.zone, .gsd_m = 3.0, .angles = { .sun_elevation = suns[i] }
        };
        tally_yard_answer a;
        tally_error err;
        assert_int_equal(tally_yard_measure(tally_kernels_select(0), &view, &a, &err), TALLY_OK);
        counts[i] = a.row.count;
        tally_yard_answer_fini(&a);
    }
    assert_true(counts[0] > counts[1] && counts[1] > counts[2]);
    end(&d);
}

static void coarse_pixels_give_area_or_nothing(void **state)
{
    (void)state;
    drawing d;
    begin(&d, 0, 8);
    draw_block(&d, -40, -8, 5, 4, 0);
    tally_yard_view view = { .scene = &d.scene, .zone = &d.zone, .gsd_m = 6.0 };
    tally_yard_answer a;
    tally_error err;
    const tally_kernels *k = tally_kernels_select(0);
    assert_int_equal(tally_yard_measure(k, &view, &a, &err), TALLY_OK);
    assert_int_equal(a.row.quality, TALLY_QUALITY_REFUSED);
    assert_int_equal(a.row.count, TALLY_NO_COUNT);
    assert_true(a.row.extent > 0 && a.row.occupancy > 0 && a.row.seen == 1);
    tally_yard_answer_fini(&a);
    view.gsd_m = 3.0;
    assert_int_equal(tally_yard_measure(k, &view, &a, &err), TALLY_OK);
    assert_int_equal(a.row.quality, TALLY_QUALITY_OK);
    assert_true(a.row.count > 0 && a.row.high > 1.3 * (double)a.row.count);
    assert_int_equal(a.slots.n, 0);
    tally_yard_answer_fini(&a);
    end(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_yard_is_zero),
        cmocka_unit_test(boxes_drawn_are_boxes_found),
        cmocka_unit_test(boxes_that_never_moved_still_count),
        cmocka_unit_test(one_empty_date_outvotes_three),
        cmocka_unit_test(bright_blocks_and_ground_are_not_the_pad),
        cmocka_unit_test(boxes_that_came_and_went_are_no_pad),
        cmocka_unit_test(what_is_dark_at_3_m_counts_under_a_high_sun),
        cmocka_unit_test(a_rim_of_other_ground_is_no_box),
        cmocka_unit_test(grey_boxes_need_the_learned_pad),
        cmocka_unit_test(ground_that_is_not_recognised_is_not_seen),
        cmocka_unit_test(cloud_is_not_zero),
        cmocka_unit_test(half_a_yard_is_partial),
        cmocka_unit_test(pixels_of_a_metre_do_not_fill_the_yard),
        cmocka_unit_test(coarse_pixels_give_area_or_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
