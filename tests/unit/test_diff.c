/* SPDX-License-Identifier: GPL-3.0-or-later */
/* diff on images made here: mask, score and sign against numbers worked out in the test; grids that
 * differ; bad calls. */
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

enum { W = 300, H = 260, BANDS = 4 };
static const char *const roles[BANDS] = { "blue", "green", "red", "nir" };
static char folder[64];

static const char *in(const char *name)
{
    static char path[4][128];
    static int at;
    at = (at + 1) % 4;
    snprintf(path[at], sizeof path[at], "%s/%s", folder, name);
    return path[at];
}

/* Ground with edges at (x, y) metres from the corner; a function of place, so that any grid can
 * show it. */
static double ground(double x, double y, int band)
{
    const double s = sin(x * 0.09) + sin(y * 0.07 + 1.0) + sin((x + y) * 0.05);
    const double fields =
        300.0 / (1.0 + exp(-4.0 * (s - 0.3))); /* as blurred as a sensor makes it */
    return 900.0 + 150.0 * band + fields + 80.0 * sin(x * 0.31) * sin(y * 0.27) +
           60.0 * cos(0.15 * x - 0.2 * y);
}

static bool object(double x, double y)
{
    return x >= 120 && x < 180 && y >= 90 && y < 120;
}

/* 1 m pixels; everything lies `shift` pixels right of where the ground has it, and
 * the tile begins `east` pixels farther east. */
static void make(const char *path, uint64_t seed, double gain, int with_object, double shift,
                 int east, tally_patch *out)
{
    const tally_affine affine = { { 500000 + east, 1, 0, 4700000, 0, -1 } };
    tally_rng rng = { seed };
    tally_patch p;

    assert_int_equal(tally_patch_init(&p, W, H, BANDS, NULL), TALLY_OK);
    for (int y = 0; y < H; y++) {
        for (int x = 0; x < W; x++) {
            if (x < 10 && y < 10) continue; /* a corner without data */
            const double u = x + 0.5 + east - shift, v = y + 0.5;
            for (int b = 0; b < BANDS; b++)
                tally_patch_row(&p, b, y)[x] =
                    (float)((ground(u, v, b) + (with_object && object(u, v) ? 500.0 : 0.0)) * gain +
                            4.0 * tally_rng_normal(&rng));
            tally_bits_set(&p.valid, x, y);
        }
    }
    assert_int_equal(tally_raster_write(path, &p, 32652, &affine, roles, NULL), TALLY_OK);
    if (out)
        *out = p;
    else
        tally_patch_fini(&p);
}

static tally_context context(void)
{
    return (tally_context) { .jobs = 1,
                             .max_memory = 64 << 20,
                             .kernels = tally_kernels_select(tally_cpu_flags()) };
}

static tally_diff_result diff(const tally_diff_settings *settings)
{
    const tally_context ctx = context();
    tally_diff_result result;
    tally_error err = { 0 };

    if (tally_diff(&ctx, settings, &result, &err) != TALLY_OK) fail_msg("%s", err.message);
    return result;
}

/* Share of the object that is in the mask, and share of the rest that is. */
static void rate(const char *path, double *hit, double *false_alarm, double *bright)
{
    tally_patch c;
    double n = 0, m = 0;

    *hit = *false_alarm = *bright = 0;
    assert_int_equal(tally_raster_load(path, &c, NULL), TALLY_OK);
    assert_int_equal(c.bands, 3);
    assert_int_equal(c.width, W);
    for (int y = 8; y < H - 8; y++) {
        for (int x = 20; x < W - 8; x++) {
            const double mask = (double)tally_patch_row(&c, 0, y)[x];
            if (object(x + 0.5, y + 0.5)) {
                n++;
                *hit += mask == 1.0;
                *bright += tally_patch_row(&c, 2, y)[x] == 1.0f;
            } else if (!(x > 115 && x < 185 && y > 85 && y < 125)) {
                m++;
                *false_alarm += mask == 1.0;
            }
        }
    }
    *hit /= n;
    *bright /= n;
    *false_alarm /= m;
    assert_true(tally_patch_row(&c, 0, 2)[2] == 255.0f);
    tally_patch_fini(&c);
}

static void every_method_finds_the_object(void **state)
{
    static const char *const methods[] = { "auto",  "zscore",     "cva",     "pca",
                                           "irmad", "difference", "logratio" };

    (void)state;
    make(in("20240101_before.tif"), 1, 1.0, 0, 0.0, 0, NULL);
    make(in("20240102_after.tif"), 2, 1.0, 1, 0.0, 0, NULL);
    make(in("20240103_haze.tif"), 3, 1.25, 1, 0.0, 0, NULL);
    for (int m = 0; m < 7; m++) {
        double hit, false_alarm, bright;
        const tally_diff_settings settings = { .before = in("20240101_before.tif"),
                                               .after = in(m < 5 ? "20240103_haze.tif"
                                                                 : "20240102_after.tif"),
                                               .method = methods[m],
                                               .align = "none",
                                               .output = in("change.tif") };
        const tally_diff_result r = diff(&settings);
        rate(settings.output, &hit, &false_alarm, &bright);
        print_message("%s: %.3f found, %.5f false\n", methods[m], hit, false_alarm);
        assert_true(hit > 0.99);
        assert_true(false_alarm < 0.002);
        assert_true(bright > 0.99);
        assert_float_equal(r.seen, 1.0 - 100.0 / (W * H), 1e-9);
    }
}

/* mad:K by its definition in CONTRACT.md, on every pixel. */
static void mad_rule_by_definition(void **state)
{
    tally_patch a, b, c;
    float *d = tally_alloc(W * H, sizeof *d), *e = tally_alloc(W * H, sizeof *e);
    size_t n = 0;

    (void)state;
    make(in("20240101_before.tif"), 1, 1.0, 0, 0.0, 0, &a);
    make(in("20240102_after.tif"), 2, 1.0, 1, 0.0, 0, &b);
    const tally_diff_settings settings = { .before = in("20240101_before.tif"),
                                           .after = in("20240102_after.tif"),
                                           .method = "difference",
                                           .align = "none",
                                           .threshold = "mad:6",
                                           .output = in("change.tif") };
    diff(&settings);
    assert_int_equal(tally_raster_load(settings.output, &c, NULL), TALLY_OK);
    for (int pass = 0; pass < 2; pass++) {
        double median = 0, limit = 0;
        if (pass) {
            memcpy(e, d, n * sizeof *e);
            median = (double)tally_median(e, n);
            for (size_t i = 0; i < n; i++)
                e[i] = fabsf(d[i] - (float)median);
            limit = 6 * 1.4826 * (double)tally_median(e, n);
        }
        for (int y = 0; y < H; y++) {
            for (int x = 0; x < W; x++) {
                if (!tally_bits_get(&a.valid, x, y)) continue;
                float sum = 0;
                for (int k = 0; k < BANDS; k++)
                    sum += tally_patch_row(&b, k, y)[x] - tally_patch_row(&a, k, y)[x];
                sum /= BANDS;
                if (!pass) {
                    d[n++] = sum;
                    continue;
                }
                assert_float_equal(tally_patch_row(&c, 1, y)[x], fabsf(sum), 1e-3);
                if (fabsf(sum) > 20.0f)
                    assert_float_equal(tally_patch_row(&c, 2, y)[x], (sum > 0) - (sum < 0), 0.0);
                const double over = fabs((double)sum - median) - limit;
                if (fabs(over) > 1e-3)
                    assert_true(tally_patch_row(&c, 0, y)[x] == (over > 0 ? 1.0f : 0.0f));
            }
        }
    }
    tally_free(d);
    tally_free(e);
    tally_patch_fini(&a);
    tally_patch_fini(&b);
    tally_patch_fini(&c);
}

static void shift_is_taken_out(void **state)
{
    double hit, false_alarm, bright;

    (void)state;
    make(in("20240101_before.tif"), 1, 1.0, 0, 0.0, 0, NULL);
    make(in("20240104_shifted.tif"), 4, 1.1, 1, 2.5, 0, NULL);
    const tally_diff_settings settings = { .before = in("20240101_before.tif"),
                                           .after = in("20240104_shifted.tif"),
                                           .output = in("change.tif"),
                                           .blobs = in("blobs.csv"),
                                           .open = 1,
                                           .min_area = 50 };
    const tally_diff_result r = diff(&settings);
    assert_true(r.aligned);
    assert_float_equal(r.dx_px, 2.5, 0.1);
    assert_float_equal(r.dy_px, 0.0, 0.1);
    rate(settings.output, &hit, &false_alarm, &bright);
    assert_true(hit > 0.97);
    assert_true(false_alarm < 0.001);
    assert_int_equal(r.n_blobs, 1);

    char *text;
    size_t size;
    double v[11];
    assert_int_equal(tally_file_read(settings.blobs, 10000, &text, &size, NULL), TALLY_OK);
    const char *line = strchr(text, '\n') + 1;
    assert_int_equal(sscanf(line, "1,%lf,%lf,%lf,%lf,%lf,%lf,%lf,%lf,%lf,%lf,%lf", &v[0], &v[1],
                            &v[2], &v[3], &v[4], &v[5], &v[6], &v[7], &v[8], &v[9], &v[10]),
                     11);
    /* 60 x 30, and what a cubic at half a pixel makes of an edge: a column half object, and beyond
     * it on each side one that undershoots by a sixteenth of 500, which is far out of the noise */
    assert_float_equal(v[0], 63 * 30, 30);
    assert_float_equal(v[2], 150, 0.5); /* the middle of the object */
    assert_float_equal(v[3], 105, 0.5);
    assert_float_equal(
        v[6], 60, 4); /* pixels of the edge that are half object are far out of the noise, too */
    assert_float_equal(v[7], 30, 4);
    assert_float_equal(v[8], 90, 2);
    assert_float_equal(v[10], 1, 0);
    tally_free(text);
}

/* A tile that begins 37 pixels farther east: the same change in the same place, and nothing seen
 * west of it. */
static void other_grid(void **state)
{
    double hit, false_alarm, bright;
    tally_patch c;

    (void)state;
    make(in("20240101_before.tif"), 1, 1.0, 0, 0.0, 0, NULL);
    make(in("20240102_after.tif"), 2, 1.0, 1, 0.0, 37, NULL);
    const tally_diff_settings settings = { .before = in("20240101_before.tif"),
                                           .after = in("20240102_after.tif"),
                                           .align = "none",
                                           .output = in("change.tif") };
    diff(&settings);
    rate(settings.output, &hit, &false_alarm, &bright);
    assert_true(hit > 0.99);
    assert_true(false_alarm < 0.001);
    assert_int_equal(tally_raster_load(settings.output, &c, NULL), TALLY_OK);
    assert_true(tally_patch_row(&c, 0, 100)[36] == 255.0f);
    assert_true(tally_patch_row(&c, 0, 100)[37] == 0.0f);
    tally_patch_fini(&c);
}

/* The same bytes from the definition and from the best kernels, and from strips of any height. */
static void kernels_and_memory_do_not_matter(void **state)
{
    static const size_t memory[] = { 64 << 20, 1 << 20 };
    char hash[2][65];

    (void)state;
    make(in("20240101_before.tif"), 1, 1.0, 0, 0.0, 0, NULL);
    make(in("20240104_shifted.tif"), 4, 1.1, 1, 2.5, 0, NULL);
    for (int i = 0; i < 2; i++) {
        const tally_diff_settings settings = { .before = in("20240101_before.tif"),
                                               .after = in("20240104_shifted.tif"),
                                               .output = in("change.tif"),
                                               .open = 1 };
        tally_context ctx = context();
        tally_diff_result r;
        ctx.max_memory = memory[i];
        if (i) ctx.kernels = tally_kernels_select(0);
        assert_int_equal(tally_diff(&ctx, &settings, &r, NULL), TALLY_OK);
        assert_int_equal(tally_file_sha256(settings.output, hash[i], NULL), TALLY_OK);
    }
    assert_string_equal(hash[0], hash[1]);
}

static void bad_calls(void **state)
{
    const tally_context ctx = context();
    tally_diff_result r;
    tally_error err;

    (void)state;
    make(in("20240101_before.tif"), 1, 1.0, 0, 0.0, 0, NULL);
    const char *b = in("20240101_before.tif");
    const tally_diff_settings bad[] = { { .before = b },
                                        { .before = b, .after = b, .method = "magic" },
                                        { .before = b, .after = b, .threshold = "far:2" },
                                        { .before = b, .after = b, .threshold = "mad:" },
                                        { .before = b, .after = b, .align = "maybe" },
                                        { .before = b, .after = b, .blobs = "blobs.xlsx" },
                                        { .before = b, .after = b, .open = -1 } };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_int_equal(tally_diff(&ctx, &bad[i], &r, &err), TALLY_E_ARG);
    const tally_diff_settings missing = { .before = b, .after = in("none.tif") };
    assert_int_equal(tally_diff(&ctx, &missing, &r, &err), TALLY_E_IO);
    assert_non_null(strstr(err.message, "none.tif"));
    const tally_diff_settings nowhere = { .before = b,
                                          .after = b,
                                          .output = "/nonexistent/change.tif" };
    assert_int_equal(tally_diff(&ctx, &nowhere, &r, &err), TALLY_E_IO);
    /* the same image twice: nothing changed, and that is no error */
    const tally_diff_settings same = { .before = b, .after = b, .threshold = "5" };
    assert_int_equal(tally_diff(&ctx, &same, &r, &err), TALLY_OK);
    assert_true(r.changed == 0.0);
}

/* Two clear classes: both rules cut between them. */
static void histogram_rules(void **state)
{
    enum { N = 20000 };
    float *v = tally_alloc(N, sizeof *v);
    tally_rng rng = { 6 };

    (void)state;
    for (int rule = 0; rule < 2; rule++) {
        for (int i = 0; i < N; i++)
            v[i] = (float)fabs((i % 10 ? 10.0 : 60.0) + 3.0 * tally_rng_normal(&rng));
        const double cut = rule ? tally_threshold_ki(v, N) : tally_threshold_otsu(v, N);
        assert_true(cut > 17 && cut < 52);
    }
    tally_free(v);
}

static int open_folder(void **state)
{
    (void)state;
    tally_gdal_begin();
    snprintf(folder, sizeof folder, "/tmp/tally_diff_XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int close_folder(void **state)
{
    static const char *const names[] = { "20240101_before.tif", "20240102_after.tif",
                                         "20240103_haze.tif",   "20240104_shifted.tif",
                                         "change.tif",          "blobs.csv" };
    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unlink(in(names[i]));
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_method_finds_the_object),
        cmocka_unit_test(mad_rule_by_definition),
        cmocka_unit_test(shift_is_taken_out),
        cmocka_unit_test(other_grid),
        cmocka_unit_test(kernels_and_memory_do_not_matter),
        cmocka_unit_test(bad_calls),
        cmocka_unit_test(histogram_rules),
    };
    return cmocka_run_group_tests(tests, open_folder, close_folder);
}
