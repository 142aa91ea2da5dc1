/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pixels in and out: which are usable, where they lie, and what comes back from what was written.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <cpl_conv.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scene/scene.h"
#include "unit/scene_files.h"

static const tally_band_role bgrn[] = { TALLY_BLUE, TALLY_GREEN, TALLY_RED, TALLY_NIR };

static tally_catalogue *look(const char *name, const char *bands)
{
    tally_context ctx = { .jobs = 1 };
    const char *path = files_path(name);
    tally_catalogue_settings settings = {
        .inputs = &path, .n_inputs = 1, .bands = bands, .nodata = NAN
    };
    tally_catalogue *c = NULL;
    tally_error err = { 0 };
    if (tally_catalogue_read(&ctx, &settings, &c, &err) != TALLY_OK) fail_msg("%s", err.message);
    assert_string_equal(c->tiles[0].reason, "");
    return c;
}

static void read_box(const tally_tile *tile, int n, tally_box box, tally_patch *patch)
{
    tally_raster *r = NULL;
    tally_error err = { 0 };
    if (tally_raster_open(tile, &r, &err) != TALLY_OK ||
        tally_raster_read(r, bgrn, n, box, patch, &err) != TALLY_OK)
        fail_msg("%s", err.message);
    tally_raster_close(&r);
}

static void put(GDALDatasetH data, int band, int x, int y, float value)
{
    assert_int_equal(GDALRasterIO(GDALGetRasterBand(data, band), GF_Write, x, y, 1, 1, &value, 1, 1,
                                  GDT_Float32, 0, 0),
                     CE_None);
}

static void window_and_nodata(void **state)
{
    (void)state;
    GDALDatasetH data;
    tally_patch p;
    files_tif("a.tif", (made) { .nodata = "0" }, &data);
    for (int b = 1; b <= 4; b++)
        put(data, b, 2, 1, 0); /* nodata in all bands */
    put(data, 4, 3, 1, 0);     /* in one: dark water, and seen */
    put(data, 2, 0, 0, 7);
    GDALClose(data);
    tally_catalogue *c = look("a.tif", "blue,green,red,nir");
    read_box(&c->tiles[0], 4, (tally_box) { -2, -1, 10, 7 }, &p);
    assert_int_equal(p.width, 12);
    assert_int_equal(tally_bits_count(&p.valid), 8 * 6 - 1);
    assert_false(tally_bits_get(&p.valid, 4, 2));
    assert_true(tally_bits_get(&p.valid, 5, 2));
    assert_false(tally_bits_get(&p.valid, 1, 1)); /* left of the tile */
    assert_true(tally_patch_row(&p, 1, 1)[2] == 7);
    assert_true(tally_patch_row(&p, 3, 2)[6] == 400);
    assert_true(tally_patch_row(&p, 3, 2)[5] == 0);
    tally_patch_fini(&p);
    read_box(&c->tiles[0], 1, (tally_box) { 20, 20, 25, 23 }, &p); /* beside it */
    assert_int_equal(tally_bits_count(&p.valid), 0);
    tally_patch_fini(&p);

    tally_raster *r;
    tally_band_role none = TALLY_VV;
    tally_error err = { 0 };
    assert_int_equal(tally_raster_open(&c->tiles[0], &r, &err), TALLY_OK);
    assert_int_equal(tally_raster_read(r, &none, 1, (tally_box) { 0, 0, 2, 2 }, &p, &err),
                     TALLY_E_FORMAT);
    assert_int_equal(tally_raster_read(r, bgrn, 1, (tally_box) { 2, 2, 2, 2 }, &p, &err),
                     TALLY_E_ARG);
    tally_raster_close(&r);
    tally_catalogue_destroy(&c);
}

static void not_a_number(void **state)
{
    (void)state;
    GDALDatasetH data;
    tally_patch p;
    files_tif("a.tif", (made) { .type = GDT_Float32 }, &data);
    put(data, 3, 1, 1, NAN);
    put(data, 1, 2, 1, INFINITY);
    GDALClose(data);
    tally_catalogue *c = look("a.tif", "blue,green,red,nir");
    read_box(&c->tiles[0], 4, (tally_box) { 0, 0, 8, 6 }, &p);
    assert_int_equal(tally_bits_count(&p.valid), 46);
    assert_true(tally_patch_row(&p, 2, 1)[1] == 0);
    tally_patch_fini(&p);
    tally_catalogue_destroy(&c);
}

static void alpha_and_dataset_mask(void **state)
{
    (void)state;
    static const char *const alpha[] = { "PHOTOMETRIC=RGB", "ALPHA=YES", NULL };
    GDALDatasetH data;
    tally_patch p;
    files_tif("a.tif", (made) { .type = GDT_Byte, .fill = 90, .options = alpha }, &data);
    put(data, 4, 5, 3, 0);
    GDALClose(data);
    tally_catalogue *c = look("a.tif", NULL);
    assert_int_equal(c->tiles[0].has_alpha, 4);
    assert_int_equal(c->tiles[0].bands[TALLY_RED], 1);
    read_box(&c->tiles[0], 3, (tally_box) { 0, 0, 8, 6 }, &p);
    assert_int_equal(tally_bits_count(&p.valid), 47);
    assert_false(tally_bits_get(&p.valid, 5, 3));
    tally_patch_fini(&p);
    tally_catalogue_destroy(&c);

    files_tif("b.tif", (made) { 0 }, &data);
    CPLSetConfigOption("GDAL_TIFF_INTERNAL_MASK", "YES");
    assert_int_equal(GDALCreateDatasetMaskBand(data, GMF_PER_DATASET), CE_None);
    CPLSetConfigOption("GDAL_TIFF_INTERNAL_MASK", NULL);
    GDALRasterBandH mask = GDALGetMaskBand(GDALGetRasterBand(data, 1));
    GDALFillRaster(mask, 255, 0);
    unsigned char zero = 0;
    assert_int_equal(GDALRasterIO(mask, GF_Write, 4, 2, 1, 1, &zero, 1, 1, GDT_Byte, 0, 0),
                     CE_None);
    GDALClose(data);
    c = look("b.tif", "blue,green,red,nir");
    read_box(&c->tiles[0], 4, (tally_box) { 0, 0, 8, 6 }, &p);
    assert_int_equal(tally_bits_count(&p.valid), 47);
    assert_false(tally_bits_get(&p.valid, 4, 2));
    tally_patch_fini(&p);
    tally_catalogue_destroy(&c);
}

/* Pixels of 30 m, of which the margin around what is hidden is no whole one: here and below, what
 * each value means by itself. One pixel for each combination of the eight bands that matters. */
static void eight_band_udm2(void **state)
{
    (void)state;
    static const struct {
        const char *bands; /* clear snow shadow light-haze heavy-haze cloud */
        int seen;
    } cases[] = { { "100000", 1 }, { "010000", 1 }, { "000100", 1 }, { "001000", 0 },
                  { "000010", 0 }, { "000001", 0 }, { "000000", 0 }, { "101000", 0 } };
    GDALDatasetH data;
    tally_patch p;
    files_tif("20230101_020000_1_a_3B_AnalyticMS.tif", (made) { .gsd = 30 }, NULL);
    files_tif("20230101_020000_1_a_3B_udm2.tif", (made) { .bands = 8, .type = GDT_Byte, .gsd = 30 },
              &data);
    for (int b = 1; b <= 8; b++)
        GDALFillRaster(GDALGetRasterBand(data, b), 0, 0);
    for (int i = 0; i < 8; i++)
        for (int b = 0; b < 6; b++)
            put(data, b + 1, i, 0, (float)(cases[i].bands[b] - '0'));
    GDALClose(data);
    tally_catalogue *c = look("20230101_020000_1_a_3B_AnalyticMS.tif", NULL);
    assert_non_null(c->tiles[0].mask_path);
    read_box(&c->tiles[0], 4, (tally_box) { 0, 0, 8, 6 }, &p);
    for (int i = 0; i < 8; i++)
        if (tally_bits_get(&p.valid, i, 0) != cases[i].seen) fail_msg("%s", cases[i].bands);
    assert_int_equal(tally_bits_count(&p.valid), 3);
    tally_patch_fini(&p);
    tally_catalogue_destroy(&c);
}

static void one_band_masks(void **state)
{
    (void)state;
    GDALDatasetH data;
    tally_patch p;
    files_tif("a.tif", (made) { .gsd = 30 }, NULL);
    /* twice as coarse, and a pixel further east: what lies west of it is not seen */
    files_tif("a_mask.tif",
              (made) { .bands = 1,
                       .type = GDT_Byte,
                       .gsd = 60,
                       .x0 = 634060,
                       .width = 4,
                       .height = 3,
                       .fill = 1 },
              &data);
    put(data, 1, 0, 0, 0);
    put(data, 1, 1, 0, 255);
    put(data, 1, 2, 0, 2);
    GDALClose(data);
    tally_catalogue *c = look("a.tif", "blue,green,red,nir");
    read_box(&c->tiles[0], 1, (tally_box) { 0, 0, 8, 6 }, &p);
    static const char *const rows[] = { "00001100", "00001100", "00111111" };
    for (int y = 0; y < 3; y++)
        for (int x = 0; x < 8; x++)
            assert_int_equal(tally_bits_get(&p.valid, x, y), rows[y][x] - '0');
    tally_patch_fini(&p);
    tally_catalogue_destroy(&c);
}

/* A pixel of cloud hides 6 m around it, two pixels of 3 m, whatever window is read; one outside of
 * the image hides itself. */
static void what_a_mask_hides_is_widened(void **state)
{
    (void)state;
    GDALDatasetH data;
    files_tif("20230102_020000_1_a_3B_AnalyticMS.tif", (made) { .width = 24 }, NULL);
    files_tif("20230102_020000_1_a_3B_udm2.tif",
              (made) { .bands = 8, .type = GDT_Byte, .width = 24 }, &data);
    for (int b = 1; b <= 8; b++)
        GDALFillRaster(GDALGetRasterBand(data, b), b == 1, 0);
    put(data, 1, 10, 0, 0);
    put(data, 6, 10, 0, 1);
    put(data, 1, 20, 0, 0);
    GDALClose(data);
    tally_catalogue *c = look("20230102_020000_1_a_3B_AnalyticMS.tif", NULL);
    for (int x0 = 0; x0 < 24; x0++) {
        tally_patch p;
        read_box(&c->tiles[0], 4, (tally_box) { x0, 0, x0 + 1, 6 }, &p);
        for (int y = 0; y < 6; y++)
            assert_int_equal(tally_bits_get(&p.valid, 0, y),
                             !(x0 >= 8 && x0 <= 12 && y <= 2) && !(x0 == 20 && y == 0));
        tally_patch_fini(&p);
    }
    tally_catalogue_destroy(&c);
}

/* A dark picture with a black border 20 wide: the border goes, the black inside stays. */
static void border_of_a_jpeg(void **state)
{
    (void)state;
    static const char *const jpeg[] = { "COMPRESS=JPEG", "PHOTOMETRIC=YCBCR", "TILED=YES",
                                        "JPEG_QUALITY=90", NULL };
    enum { SIDE = 160, RIM = 20 };
    static unsigned char pixels[SIDE * SIDE];
    GDALDatasetH data;
    tally_patch p;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            int in = x >= RIM, hole = x > 80 && x < 100 && y > 80 && y < 100;
            pixels[y * SIDE + x] = in && !hole ? 90 : 0;
        }
    files_tif(
        "a_20230101.tif",
        (made) { .type = GDT_Byte, .bands = 3, .width = SIDE, .height = SIDE, .options = jpeg },
        &data);
    for (int b = 1; b <= 3; b++)
        assert_int_equal(GDALRasterIO(GDALGetRasterBand(data, b), GF_Write, 0, 0, SIDE, SIDE,
                                      pixels, SIDE, SIDE, GDT_Byte, 0, 0),
                         CE_None);
    GDALClose(data);
    tally_catalogue *c = look("a_20230101.tif", NULL);
    assert_non_null(c->tiles[0].border);
    read_box(&c->tiles[0], 3, (tally_box) { 0, 0, SIDE, SIDE }, &p);
    for (int y = 0; y < SIDE; y++) {
        for (int x = 0; x < RIM - 3; x++)
            assert_false(tally_bits_get(&p.valid, x, y));
        for (int x = RIM + 2; x < SIDE; x++)
            assert_true(tally_bits_get(&p.valid, x, y));
    }
    tally_patch_fini(&p);
    tally_catalogue_destroy(&c);
}

static void grid_to_tile(void **state)
{
    (void)state;
    tally_error err = { 0 };
    tally_affine a;
    tally_point p;
    files_tif("utm.tif", (made) { 0 }, NULL);
    tally_catalogue *c = look("utm.tif", NULL);
    assert_int_equal(tally_tile_affine_from(&c->tiles[0], 32652, 634006, 4696997, 1.5,
                                            (tally_box) { 0, 0, 8, 8 }, &a, &err),
                     TALLY_OK);
    p = tally_affine_apply(&a, (tally_point) { 4, 2 });
    assert_true(fabs(p.x - 4) < 1e-9 && fabs(p.y - 2) < 1e-9);
    /* the next UTM zone; gdaltransform -s_srs EPSG:32653 -t_srs EPSG:32652 makes 634242.9445
     * 4700741.4112 of 140800 4708700, which is pixel (100, 100) of the grid */
    assert_int_equal(tally_tile_affine_from(&c->tiles[0], 32653, 140500, 4709000, 3,
                                            (tally_box) { 0, 0, 400, 400 }, &a, &err),
                     TALLY_OK);
    p = tally_affine_apply(&a, (tally_point) { 100, 100 });
    assert_true(fabs(p.x - 242.9445 / 3) < 0.01);
    assert_true(fabs(p.y + 3741.4112 / 3) < 0.01);
    /* degrees bend over kilometres: refused, with what mends it */
    tally_catalogue_destroy(&c);
    files_tif("deg.tif", (made) { .epsg = 4326, .gsd = 0.000005, .x0 = 130.6, .y0 = 42.4 }, NULL);
    c = look("deg.tif", NULL);
    assert_int_equal(tally_tile_affine_from(&c->tiles[0], 32652, 634000, 4696000, 0.5,
                                            (tally_box) { 0, 0, 300, 300 }, &a, &err),
                     TALLY_OK);
    assert_int_equal(tally_tile_affine_from(&c->tiles[0], 32652, 634000, 4696000, 0.5,
                                            (tally_box) { 0, 0, 40000, 40000 }, &a, &err),
                     TALLY_E_CRS);
    assert_non_null(strstr(err.message, "gdalwarp -t_srs EPSG:32652"));
    assert_int_equal(
        tally_tile_affine_from(&c->tiles[0], 32652, 0, 0, 1, (tally_box) { 0 }, &a, &err),
        TALLY_E_ARG);
    tally_catalogue_destroy(&c);
}

static void written_and_read_again(void **state)
{
    (void)state;
    tally_error err = { 0 };
    tally_patch p, q;
    tally_affine affine = { { 634000, 0.5, 0, 4697000, 0, -0.5 } };
    static const char *const names[] = { "median", "sigma" };
    assert_int_equal(tally_patch_init(&p, 300, 270, 2, &err), TALLY_OK);
    for (int y = 0; y < p.height; y++)
        for (int x = 0; x < p.width; x++) {
            tally_patch_row(&p, 0, y)[x] = (float)(x * y) / 7;
            tally_patch_row(&p, 1, y)[x] = (float)(x - y);
            if ((x + y) % 11) tally_bits_set(&p.valid, x, y);
        }
    assert_int_equal(tally_raster_write(files_path("a.tif"), &p, 32652, &affine, names, &err),
                     TALLY_OK);
    assert_int_equal(tally_raster_load(files_path("a.tif"), &q, &err), TALLY_OK);
    assert_int_equal(q.bands, 2);
    for (int y = 0; y < p.height; y++)
        for (int x = 0; x < p.width; x++) {
            assert_int_equal(tally_bits_get(&q.valid, x, y), tally_bits_get(&p.valid, x, y));
            if (tally_bits_get(&p.valid, x, y))
                assert_true(tally_patch_row(&q, 0, y)[x] == tally_patch_row(&p, 0, y)[x] &&
                            tally_patch_row(&q, 1, y)[x] == tally_patch_row(&p, 1, y)[x]);
        }
    GDALDatasetH data = GDALOpen(files_path("a.tif"), GA_ReadOnly);
    double c[6];
    int has;
    assert_int_equal(GDALGetGeoTransform(data, c), CE_None);
    assert_true(c[0] == 634000 && c[5] == -0.5);
    assert_string_equal(GDALGetDescription(GDALGetRasterBand(data, 2)), "sigma");
    GDALGetRasterNoDataValue(GDALGetRasterBand(data, 1), &has);
    assert_false(has);
    GDALClose(data);
    assert_int_equal(tally_raster_write("/nowhere/a.tif", &p, 0, NULL, NULL, &err), TALLY_E_IO);
    assert_non_null(strstr(err.message, "/nowhere/a.tif: cannot be written"));
    tally_patch_fini(&p);
    tally_patch_fini(&q);
    assert_int_equal(tally_raster_load("/nowhere/a.tif", &q, &err), TALLY_E_IO);
}

static void pictures(void **state)
{
    (void)state;
    tally_error err = { 0 };
    static const unsigned char rgb[2 * 3 * 3] = { 255, 0, 0, 0, 255, 0, 0, 0, 255,
                                                  1,   2, 3, 4, 5,   6, 7, 8, 9 };
    unsigned char back[18];
    struct stat st;
    assert_int_equal(tally_picture_write(files_path("a.png"), rgb, 3, 2, &err), TALLY_OK);
    GDALDatasetH data = GDALOpen(files_path("a.png"), GA_ReadOnly);
    assert_int_equal(
        GDALDatasetRasterIO(data, GF_Read, 0, 0, 3, 2, back, 3, 2, GDT_Byte, 3, NULL, 3, 9, 1),
        CE_None);
    GDALClose(data);
    assert_memory_equal(back, rgb, sizeof back);
    assert_int_not_equal(stat(files_path("a.png.part"), &st), 0);
    assert_int_not_equal(stat(files_path("a.png.part.aux.xml"), &st), 0);
    assert_int_equal(tally_picture_write("/nowhere/a.png", rgb, 3, 2, &err), TALLY_E_IO);
}

static const tally_tile *shared_tile;

static void *read_often(void *user)
{
    size_t *seen = user;
    for (int i = 0; i < 20; i++) {
        tally_patch p;
        tally_raster *r = NULL;
        if (tally_raster_open(shared_tile, &r, NULL) != TALLY_OK) return NULL;
        if (tally_raster_read(r, bgrn, 4, (tally_box) { i, 0, i + 64, 64 }, &p, NULL) == TALLY_OK) {
            *seen += tally_bits_count(&p.valid);
            tally_patch_fini(&p);
        }
        tally_raster_close(&r);
    }
    return NULL;
}

static void threads_with_rasters_of_their_own(void **state)
{
    (void)state;
    enum { THREADS = 4 };
    pthread_t threads[THREADS];
    size_t seen[THREADS] = { 0 };
    static const char *const tiled[] = { "TILED=YES", "COMPRESS=DEFLATE", NULL };
    files_tif("a.tif", (made) { .width = 100, .height = 64, .options = tiled }, NULL);
    tally_catalogue *c = look("a.tif", "blue,green,red,nir");
    shared_tile = &c->tiles[0];
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_often, &seen[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_int_equal(seen[i], 20 * 64 * 64);
    }
    tally_catalogue_destroy(&c);
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
        TEST(window_and_nodata),
        TEST(not_a_number),
        TEST(alpha_and_dataset_mask),
        TEST(eight_band_udm2),
        TEST(one_band_masks),
        TEST(what_a_mask_hides_is_widened),
        TEST(border_of_a_jpeg),
        TEST(grid_to_tile),
        TEST(written_and_read_again),
        TEST(pictures),
        TEST(threads_with_rasters_of_their_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
