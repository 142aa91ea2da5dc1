/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What diff finds out on its own: radar or optical, where noise ends, grounds that differ. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "change/score.h"
#include "kernels/kernels.h"
#include "scene/scene.h"
#include "tallyman/diff.h"

enum { W = 256, H = 200 };
static char folder[64];

static const char *in(const char *name)
{
    static char path[32][128]; /* calls keep theirs */
    static int at;
    at = (at + 1) % 32;
    snprintf(path[at], sizeof path[at], "%s/%s", folder, name);
    return path[at];
}

/* Speckle of `looks` in amplitude: the root of a mean of exponential draws. */
static double speckle(tally_rng *rng, int looks)
{
    double sum = 0.0;

    for (int i = 0; i < looks; i++)
        sum -= log(1.0 - tally_rng_uniform(rng));
    return sqrt(sum / looks);
}

static double fields(int x, int y)
{
    return 30.0 + 40.0 * (x / 40 % 2) + 25.0 * (y / 50 % 2);
}

static bool object(int x, int y)
{
    return x >= 90 && x < 150 && y >= 60 && y < 110;
}

typedef enum picture { RADAR, RADAR_DECIBELS, GREY, COLOURS, GREY_IN_COLOURS } picture;

static const tally_affine ground_of = { { 500000, 10, 0, 4700000, 0, -10 } };

/* a.tif and b.tif of one grey band: side 0 and 1 of `level`, with noise of 2. */
static void make_pair(double (*level)(int side, int x, int y), uint64_t seed)
{
    static const char *const name = "pan";
    tally_patch p;

    for (int side = 0; side < 2; side++) {
        tally_rng rng = { seed + (uint64_t)side };
        assert_int_equal(tally_patch_init(&p, W, H, 1, NULL), TALLY_OK);
        for (int y = 0; y < H; y++) {
            for (int x = 0; x < W; x++) {
                tally_patch_row(&p, 0, y)[x] =
                    (float)(level(side, x, y) + 2.0 * tally_rng_normal(&rng));
                tally_bits_set(&p.valid, x, y);
            }
        }
        assert_int_equal(
            tally_raster_write(in(side ? "b.tif" : "a.tif"), &p, 32652, &ground_of, &name, NULL),
            TALLY_OK);
        tally_patch_fini(&p);
    }
}

/* One side of a pair; the object only with `with`. Colours differ by band, not by name. */
static void make(const char *name, picture kind, uint64_t seed, bool with)
{
    static const char *const unnamed[] = { "1", "2", "3" };
    const int bands = kind == COLOURS || kind == GREY_IN_COLOURS ? 3 : 1;
    tally_rng rng = { seed };
    tally_patch p;

    assert_int_equal(tally_patch_init(&p, W, H, bands, NULL), TALLY_OK);
    for (int y = 0; y < H; y++) {
        for (int x = 0; x < W; x++) {
            const double level = fields(x, y) * (with && object(x, y) ? 3.0 : 1.0);
            double value = kind == RADAR || kind == RADAR_DECIBELS
                               ? level * speckle(&rng, 4)
                               : level + 3.0 * tally_rng_normal(&rng);
            for (int b = 0; b < bands; b++) {
                if (kind == COLOURS) value = level * (b + 1) + 3.0 * tally_rng_normal(&rng);
                tally_patch_row(&p, b, y)[x] =
                    (float)(kind == RADAR_DECIBELS ? 20.0 * log10(value / 1000.0) : value);
            }
            tally_bits_set(&p.valid, x, y);
        }
    }
    assert_int_equal(tally_raster_write(in(name), &p, 32652, &ground_of, unnamed, NULL), TALLY_OK);
    tally_patch_fini(&p);
}

static tally_context context(void)
{
    return (tally_context) { .jobs = 1,
                             .max_memory = 64 << 20,
                             .kernels = tally_kernels_select(tally_cpu_flags()) };
}

static tally_diff_result diff(const tally_diff_settings *settings, tally_patch *out)
{
    const tally_context ctx = context();
    tally_diff_result result;
    tally_error err = { 0 };

    if (tally_diff(&ctx, settings, &result, &err) != TALLY_OK) fail_msg("%s", err.message);
    if (out) assert_int_equal(tally_raster_load(settings->output, out, NULL), TALLY_OK);
    return result;
}

static void rate(const tally_patch *p, double *hit, double *false_alarm)
{
    double n[2] = { 0 }, set[2] = { 0 };

    for (int y = 0; y < H; y++) {
        for (int x = 0; x < W; x++) {
            n[object(x, y)]++;
            set[object(x, y)] += tally_patch_row(p, 0, y)[x] == 1.0f;
        }
    }
    *hit = set[1] / n[1];
    *false_alarm = set[0] / n[0];
}

static void auto_tells_radar_from_optical(void **state)
{
    static const struct {
        picture kind;
        const char *method;
    } cases[] = { { RADAR, "logratio" },
                  { RADAR_DECIBELS, "logratio" },
                  { GREY, "zscore" },
                  { COLOURS, "zscore" },
                  { GREY_IN_COLOURS, "zscore" } };
    const tally_diff_settings settings = { .before = in("a.tif"),
                                           .after = in("b.tif"),
                                           .output = in("c.tif") };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double hit, false_alarm;
        tally_patch c;
        make("a.tif", cases[i].kind, 1, false);
        make("b.tif", cases[i].kind, 2, true);
        const tally_diff_result r = diff(&settings, &c);
        rate(&c, &hit, &false_alarm);
        print_message("case %zu: %s over %s, %.4f found, %.5f false\n", i, r.method, r.scales, hit,
                      false_alarm);
        assert_string_equal(r.method, cases[i].method);
        assert_true(hit > 0.98);
        assert_true(false_alarm < 0.01);
        tally_patch_fini(&c);
    }
}

/* Nothing changed: hardly anything is called change, in either kind of picture. */
static void nothing_changed(void **state)
{
    static const picture kinds[] = { RADAR, GREY, COLOURS };
    const tally_diff_settings settings = { .before = in("a.tif"), .after = in("b.tif") };

    (void)state;
    for (int i = 0; i < 3; i++) {
        make("a.tif", kinds[i], 3, false);
        make("b.tif", kinds[i], 4, false);
        assert_true(diff(&settings, NULL).changed < 1e-3);
    }
}

static double rise_beside_fall(int side, int x, int y)
{
    const double change = side && object(x, y) ? (x < 120 ? 60.0 : -30.0) : 0.0;
    return fields(x, y) + change;
}

/* Rise beside fall are two blobs; mask, score and sign are those of one. */
static void rise_and_fall_apart(void **state)
{
    const tally_diff_settings settings = { .before = in("a.tif"),
                                           .after = in("b.tif"),
                                           .output = in("c.tif"),
                                           .min_area = 20,
                                           .align = "none" };
    tally_patch p;

    (void)state;
    make_pair(rise_beside_fall, 5);
    const tally_diff_result r = diff(&settings, &p);
    assert_int_equal(r.n_blobs, 2);
    assert_true(tally_patch_row(&p, 2, 80)[100] == 1.0f);
    assert_true(tally_patch_row(&p, 2, 80)[140] == -1.0f);
    tally_patch_fini(&p);
}

/* `share` of lengths of 3 normal components is far out; the cut parts them, and without any it lies
 * in the far tail. */
static void cut_follows_the_changed_share(void **state)
{
    enum { N = 60000 };
    static const double shares[] = { 0.0, 0.01, 0.1, 0.35 };
    float *v = tally_alloc(N, sizeof *v);

    (void)state;
    for (int k = 0; k < 4; k++) {
        tally_rng rng = { 9 };
        double cut, beyond = 0;
        for (int i = 0; i < N; i++) {
            const bool changed = (i % 1000) < 1000 * shares[k];
            double sum = 0;
            for (int b = 0; b < 3; b++) {
                const double z = tally_rng_normal(&rng) + (changed ? 6.0 : 0.0);
                sum += z * z;
            }
            v[i] = (float)sqrt(sum);
        }
        assert_int_equal(tally_threshold_auto_length(v, N, &cut, NULL), TALLY_OK);
        for (int i = 0; i < N; i++)
            beyond += (double)v[i] > cut;
        print_message("share %.2f: cut %.2f, %.4f beyond\n", shares[k], cut, beyond / N);
        assert_true(fabs(beyond / N - shares[k]) < 0.002 + 0.03 * shares[k]);
    }
    tally_free(v);
}

/* The noise of signed values is that of the unchanged ones, though a third lies to one side. */
static void noise_beside_change(void **state)
{
    enum { N = 40000 };
    float *v = tally_alloc(2 * N, sizeof *v);
    tally_rng rng = { 11 };

    (void)state;
    for (int i = 0; i < N; i++)
        v[i] = (float)(0.3 + 0.1 * tally_rng_normal(&rng) + (i % 3 == 0 ? 0.8 : 0.0));
    const tally_noise noise = tally_noise_signed(v, N, v + N);
    assert_float_equal(noise.centre, 0.3, 0.02);
    assert_float_equal(noise.sigma, 0.1, 0.015);
    tally_free(v);
}

/* A pile at an end is a clipped level; a tail, or an 8-bit image's few dark steps, is not. */
static void clipped_levels_are_found(void **state)
{
    enum { N = 20000 };
    float *v = tally_alloc(N, sizeof *v), low, high;
    tally_rng rng = { 13 };

    (void)state;
    for (int i = 0; i < N; i++)
        v[i] = (float)fmin(255.0, round(200.0 + 40.0 * tally_rng_normal(&rng)));
    tally_unclipped(v, N, &low, &high);
    assert_true(high == 255.0f);
    assert_true(low == -INFINITY);
    for (int i = 0; i < N; i++)
        v[i] = (float)round(20.0 + fabs(4.0 * tally_rng_normal(&rng)));
    tally_unclipped(v, N, &low, &high);
    assert_true(low == -INFINITY && high == INFINITY);
    for (int i = 0; i < N; i++)
        v[i] = 7.0f;
    tally_unclipped(v, N, &low, &high); /* all alike: nothing to tell by */
    assert_true(low == -INFINITY && high == INFINITY);
    tally_free(v);
}

static void scales_are_checked(void **state)
{
    static const char *const bad[] = { "", "2", "3,1", "1,,3", "1,3,", "-1", "11", "1,3,5,7,9" };
    tally_scales s;
    tally_error err;

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(tally_scales_parse(bad[i], &s, &err), TALLY_E_ARG);
    assert_int_equal(tally_scales_parse("1,3,9", &s, &err), TALLY_OK);
    assert_int_equal(s.n, 3);
    assert_int_equal(s.side[2], 9);
    assert_int_equal(tally_scales_parse("auto", &s, &err), TALLY_OK);
    assert_int_equal(s.n, 0);
}

static bool ship_in_slip(int x, int y)
{
    return x >= 190 && x < 220 && y >= 40 && y < 46;
}

static double slip_beside_water(int side, int x, int y)
{
    const double level = x < 156 ? 100.0 : 60.0 + 25.0 * side;
    return side && ship_in_slip(x, y) ? level + 40.0 : level;
}

/* Two grounds that drifted apart between the images: a slip that got brighter as a whole is no
 * change where it is a zone, and what moved in it still is. */
static void zones_have_their_own_light(void **state)
{
    static const char site[] =
        "{\"type\":\"FeatureCollection\",\"tallyman\":{\"site\":\"t\"},\"features\":["
        "{\"type\":\"Feature\",\"properties\":{\"role\":\"water\",\"name\":\"open\"},\"geometry\":{"
        "\"type\":\"Polygon\",\"coordinates\":[[[129,42.4436],[129.0188,42.4436],[129.0188,42.4520]"
        ","
        "[129,42.4520],[129,42.4436]]]}},"
        "{\"type\":\"Feature\",\"properties\":{\"role\":\"water\",\"name\":\"slip\"},\"geometry\":{"
        "\"type\":\"Polygon\",\"coordinates\":[[[129.0190,42.4436],[129.0300,42.4436],[129.0300,"
        "42.4520],[129.0190,42.4520],[129.0190,42.4436]]]}}]}";
    tally_diff_settings settings = {
        .before = in("a.tif"), .after = in("b.tif"), .output = in("c.tif"), .align = "none"
    };
    const char *path = in("site.geojson");
    tally_patch p;

    (void)state;
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(site, f);
    fclose(f);
    make_pair(slip_beside_water, 21);
    settings.site = path;
    const tally_diff_result r = diff(&settings, &p);
    assert_int_equal(r.regions, 2);
    double ship = 0, water = 0, seen = 0;
    for (int y = 0; y < H; y++) {
        for (int x = 160; x < W; x++) {
            if (tally_patch_row(&p, 0, y)[x] == 255.0f) continue;
            const bool is_ship = ship_in_slip(x, y);
            *(is_ship ? &ship : &water) += tally_patch_row(&p, 0, y)[x] == 1.0f;
            seen += !is_ship;
        }
    }
    assert_true(seen > 5000);
    assert_true(ship >= 0.95 * 30 * 6);
    assert_true(water < 0.01 * seen);
    tally_patch_fini(&p);
}

static int open_folder(void **state)
{
    (void)state;
    tally_gdal_begin();
    snprintf(folder, sizeof folder, "/tmp/tally_diff_auto_XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int close_folder(void **state)
{
    static const char *const names[] = { "a.tif", "b.tif", "c.tif", "site.geojson" };
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(in(names[i]));
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(auto_tells_radar_from_optical),
        cmocka_unit_test(nothing_changed),
        cmocka_unit_test(rise_and_fall_apart),
        cmocka_unit_test(cut_follows_the_changed_share),
        cmocka_unit_test(noise_beside_change),
        cmocka_unit_test(clipped_levels_are_found),
        cmocka_unit_test(scales_are_checked),
        cmocka_unit_test(zones_have_their_own_light),
    };
    return cmocka_run_group_tests(tests, open_folder, close_folder);
}
