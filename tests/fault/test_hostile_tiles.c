/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Files that are cut, that lie, or that hold nonsense: each ends as a tile with a reason, an error
 * with a message, or pixels; never as a crash, a hang or a silent nothing. The sanitizer run gives
 * this test its teeth.
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

#include "scene/scene.h"
#include "site/site.h"
#include "unit/scene_files.h"

typedef struct bytes {
    unsigned char *at;
    size_t n;
} bytes;

static bytes slurp(const char *path)
{
    bytes b = { malloc(1 << 20), 0 };
    FILE *f = fopen(path, "rb");
    assert_non_null(b.at);
    assert_non_null(f);
    b.n = fread(b.at, 1, 1 << 20, f);
    fclose(f);
    return b;
}

static void spill(const char *path, const unsigned char *at, size_t n)
{
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    assert_int_equal(fwrite(at, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
}

/* 1: rejected with a reason; 0: fit, and its pixels were read or refused with a message. */
static int try_tile(const char *path)
{
    static const tally_band_role roles[] = { TALLY_BLUE, TALLY_GREEN, TALLY_RED, TALLY_NIR };
    tally_context ctx = { .jobs = 1 };
    tally_catalogue_settings settings = {
        .inputs = &path, .n_inputs = 1, .bands = "blue,green,red,nir", .nodata = NAN
    };
    tally_catalogue *c = NULL;
    tally_error err = { 0 };
    if (tally_catalogue_read(&ctx, &settings, &c, &err) != TALLY_OK) fail_msg("%s", err.message);
    const tally_tile *tile = &c->tiles[0];
    int rejected = *tile->reason != '\0';
    if (!rejected && tile->bands[TALLY_NIR]) {
        tally_raster *r = NULL;
        tally_patch p;
        tally_status s = tally_raster_open(tile, &r, &err);
        if (s == TALLY_OK)
            s = tally_raster_read(r, roles, 4, (tally_box) { -3, -3, 70, 70 }, &p, &err);
        if (s == TALLY_OK)
            tally_patch_fini(&p);
        else
            assert_non_null(strstr(err.message, path));
        tally_raster_close(&r);
    }
    assert_null(strchr(tile->reason, '\n'));
    tally_catalogue_destroy(&c);
    return rejected;
}

static void cut_at_every_length(void **state)
{
    (void)state;
    static const char *const tiled[] = { "TILED=YES", "BLOCKXSIZE=64", "BLOCKYSIZE=64",
                                         "COMPRESS=DEFLATE", NULL };
    files_tif("whole.tif", (made) { .width = 100, .height = 80, .options = tiled }, NULL);
    bytes b = slurp(files_path("whole.tif"));
    const char *path = files_path("20230101_cut.tif");
    for (size_t n = 0; n < b.n; n += 1 + n / 64) {
        spill(path, b.at, n);
        if (!try_tile(path)) fail_msg("%zu of %zu bytes pass for the whole", n, b.n);
    }
    spill(path, b.at, b.n);
    assert_int_equal(try_tile(path), 0);
    free(b.at);
}

static void bytes_turned_over(void **state)
{
    (void)state;
    tally_rng rng = { 20230405 };
    files_tif("whole.tif", (made) { .width = 70, .height = 66, .nodata = "0" }, NULL);
    bytes b = slurp(files_path("whole.tif"));
    unsigned char *copy = malloc(b.n);
    const char *path = files_path("20230101_turned.tif");
    size_t head = b.n < 900 ? b.n : 900; /* the directory and its values lie in front */
    int rejected = 0;
    assert_non_null(copy);
    for (int i = 0; i < 400; i++) {
        memcpy(copy, b.at, b.n);
        for (int k = 0; k <= i % 4; k++)
            copy[tally_rng_next(&rng) % head] = (unsigned char)tally_rng_next(&rng);
        spill(path, copy, b.n);
        rejected += try_tile(path);
    }
    assert_true(rejected > 0);
    free(copy);
    free(b.at);
}

static void a_tile_that_changes_under_us(void **state)
{
    (void)state;
    tally_context ctx = { .jobs = 1 };
    files_tif("20230101.tif", (made) { 0 }, NULL);
    const char *path = files_path("20230101.tif");
    tally_catalogue_settings settings = { .inputs = &path, .n_inputs = 1, .nodata = NAN };
    tally_catalogue *c = NULL;
    tally_raster *r = NULL;
    tally_error err = { 0 };
    assert_int_equal(tally_catalogue_read(&ctx, &settings, &c, &err), TALLY_OK);
    files_tif("20230101.tif", (made) { .width = 5 }, NULL);
    assert_int_equal(tally_raster_open(&c->tiles[0], &r, &err), TALLY_E_FORMAT);
    assert_non_null(strstr(err.message, "it changed while it was read"));
    remove(path);
    assert_int_equal(tally_raster_open(&c->tiles[0], &r, &err), TALLY_E_IO);
    assert_null(r);
    tally_catalogue_destroy(&c);
}

static void promises_of_a_giant(void **state)
{
    (void)state;
    static const char *const sparse[] = { "SPARSE_OK=TRUE", "TILED=YES", "BLOCKXSIZE=16",
                                          "BLOCKYSIZE=16", NULL };
    GDALDatasetH data = GDALCreate(GDALGetDriverByName("GTiff"), files_path("20230101_giant.tif"),
                                   40000, 40000, 4, GDT_UInt16, (char **)sparse);
    double c[6] = { 634000, 0.5, 0, 4697000, 0, -0.5 };
    assert_non_null(data);
    GDALSetGeoTransform(data, c);
    GDALClose(data);
    assert_int_equal(try_tile(files_path("20230101_giant.tif")),
                     1); /* no CRS; the blocks were looked at in passing */
}

static void sidecars_full_of_nonsense(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "{",
        "[]",
        "null",
        "7",
        "{\"properties\":7}",
        "{\"properties\":{\"datetime\":7,\"eo:cloud_cover\":\"much\"}}",
        "{\"id\":9,\"properties\":{\"datetime\":\"2023-99-99T99:99:99Z\",\"view:sun_azimuth\":"
        "1e308,\"view:off_nadir\":-5}}",
        "{\"id\":\"\",\"properties\":{\"datetime\":null,\"start_datetime\":\"2023-01-01\"},"
        "\"assets\":[1,2]}",
        "{\"properties\":{\"datetime\":\"2023-01-01T01:01:01Z\"},\"assets\":{\"a\":null,\"b\":{"
        "\"href\":5,\"eo:bands\":{}}}}",
        "{\"properties\":{\"acquired\":\"yesterday\",\"cloud_cover\":-1,\"view_angle\":1e9,\"gsd\":"
        "-3}}",
    };
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        files_tif("20230101.tif", (made) { 0 }, NULL);
        files_text("20230101.json", texts[i]);
        assert_int_equal(try_tile(files_path("20230101.tif")), 0);
    }
    files_text("20230101.json",
               "{\"properties\":{\"acquired\":\"2023-01-01T00:00:01Z\",\"cloud_cover\":-1}}");
    files_text("20230101.IMD",
               "satId = ;\nmeanSunAz = nan;\nmeanSunEl\ncloudCover = 1e999;\nfirstLineTime = x;");
    assert_int_equal(try_tile(files_path("20230101.tif")), 0);
}

/* A site file, cut at every length: an error with the file's name, or (when only the last line end
 * is missing) a site. */
static void site_files_cut(void **state)
{
    (void)state;
    static const char site_text[] = "{\"type\":\"FeatureCollection\",\"tallyman\":{\"site\":\"x\"},"
                                    "\"features\":[{\"type\":\"Feature\",\"properties\":"
                                    "{\"role\":\"yard\",\"name\":\"a\"},\"geometry\":{\"type\":"
                                    "\"Polygon\",\"coordinates\":[[[1,2],[1.01,2],[1.01,2.01],"
                                    "[1,2]]]}}]}";
    const char *path = files_path("site.geojson");
    for (size_t n = 0; n < sizeof site_text; n++) {
        tally_site *site = NULL;
        tally_error err = { 0 };
        spill(path, (const unsigned char *)site_text, n);
        tally_status s = tally_site_read(path, NULL, &site, &err);
        assert_true(s == TALLY_OK ? n == sizeof site_text - 1 : strstr(err.message, path) != NULL);
        tally_site_destroy(&site);
    }
}

static int setup(void **state)
{
    (void)state;
    tally_gdal_begin();
    files_begin();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    files_end();
    return 0;
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(cut_at_every_length),          TEST(bytes_turned_over),
        TEST(a_tile_that_changes_under_us), TEST(promises_of_a_giant),
        TEST(sidecars_full_of_nonsense),    TEST(site_files_cut),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
