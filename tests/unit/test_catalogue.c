/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The rules of CONTRACT.md 3, each on small files in the vendor's layout. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "scene/scene.h"
#include "tallyman/scan.h"
#include "unit/scene_files.h"

typedef struct heard {
    char text[4096];
} heard;

static void hear(void *user, tally_level level, const char *text)
{
    heard *h = user;
    (void)level;
    strncat(h->text, text, sizeof h->text - strlen(h->text) - 1);
}

static tally_catalogue *read_all(const char *const *inputs, size_t n, const char *bands, heard *h)
{
    tally_context ctx = {
        .jobs = 2, .max_memory = 1 << 28, .on_message = h ? hear : NULL, .user = h
    };
    tally_catalogue_settings settings = {
        .inputs = inputs, .n_inputs = n, .bands = bands, .nodata = NAN
    };
    tally_catalogue *c = NULL;
    tally_error err = { 0 };
    if (tally_catalogue_read(&ctx, &settings, &c, &err) != TALLY_OK) fail_msg("%s", err.message);
    return c;
}

static tally_catalogue *read_folder(heard *h)
{
    const char *folder = files_path("");
    return read_all(&folder, 1, NULL, h);
}

static void is_time(int64_t utc, const char *expected)
{
    char text[24];
    tally_utc_format(utc, text);
    assert_string_equal(text, expected);
}

static void near(double value, double expected)
{
    if (!(fabs(value - expected) < 1e-6)) fail_msg("%.9g is not %.9g", value, expected);
}

#define PLANET(id, acquired)                                                                       \
    "{\"id\":\"" id "\",\"type\":\"Feature\",\"properties\":{\"acquired\":\"" acquired             \
    "\",\"sun_azimuth\":135.7,\"sun_elevation\":64.4,\"gsd\":3.0,\"view_angle\":-4.5,"             \
    "\"satellite_azimuth\":100.3,\"cloud_cover\":0.24,\"instrument\":\"PSB.SD\"}}"

static void planet_delivery(void **state)
{
    (void)state;
    files_tif("20230708_015600_87_246c_3B_AnalyticMS_SR_clip.tif", (made) { .nodata = "0" }, NULL);
    files_tif("20230708_015600_87_246c_3B_AnalyticMS_clip.tif", (made) { .nodata = "0" }, NULL);
    files_tif("20230708_015600_87_246c_3B_Visual_clip.tif",
              (made) { .bands = 3, .type = GDT_Byte, .fill = 9 }, NULL);
    files_tif("20230708_015600_87_246c_3B_udm2_clip.tif",
              (made) { .bands = 8, .type = GDT_Byte, .fill = 1 }, NULL);
    files_text("20230708_015600_87_246c_metadata.json",
               PLANET("20230708_015600_87_246c", "2023-07-08T01:56:00.5Z"));
    tally_catalogue *c = read_folder(NULL);
    assert_int_equal(c->n_tiles, 3); /* a mask is never a scene */
    assert_int_equal(c->n_scenes, 3);
    const tally_scene *s = &c->scenes[0];
    assert_string_equal(s->id, "20230708_015600_87_246c");
    assert_non_null(strstr(s->tiles[0]->path, "_SR_clip.tif"));
    assert_null(s->duplicate_of);
    assert_string_equal(c->scenes[1].id, "20230708_015600_87_246c#2");
    assert_string_equal(c->scenes[1].duplicate_of, s->id);
    assert_string_equal(c->scenes[2].duplicate_of, s->id);
    is_time(s->utc, "2023-07-08T01:56:00Z");
    assert_string_equal(s->time_source, "sidecar");
    assert_string_equal(s->time_precision, "second");
    assert_string_equal(s->sensor, "PSB.SD");
    assert_string_equal(s->family, "AnalyticMS_SR-bgrn-3m");
    near(s->sun_azimuth, 135.7);
    near(s->sun_elevation, 64.4);
    near(s->off_nadir, 4.5);
    near(s->view_azimuth, 100.3);
    near(s->cloud, 24);
    assert_true(fabs(s->gsd_m / 3 - 1) < 0.001);
    assert_int_equal(s->epsg, 32652);
    assert_non_null(strstr(s->tiles[0]->mask_path, "246c_3B_udm2_clip.tif"));
    assert_int_equal(s->tiles[0]->bands[TALLY_BLUE], 1); /* by the product's name */
    assert_int_equal(s->tiles[0]->bands[TALLY_NIR], 4);
    assert_int_equal(c->scenes[2].tiles[0]->bands[TALLY_RED], 1);
    near(s->tiles[0]->nodata, 0);
    tally_catalogue_destroy(&c);
}

#define ITEM(id, datetime, more)                                                                   \
    "{\"type\":\"Feature\",\"stac_version\":\"1.0.0\",\"id\":\"" id                                \
    "\",\"properties\":{\"datetime\":\"" datetime "\"" more "}"
#define ANGLES                                                                                     \
    ",\"view:sun_azimuth\":153.76,\"view:sun_elevation\":31.51,\"view:off_nadir\":5.59,\"view:"    \
    "azimuth\":155.62,\"eo:cloud_cover\":12.5"
#define ASSET(key, href, more)                                                                     \
    "\"" key "\":{\"href\":\"" href "\",\"type\":\"image/tiff; application=geotiff\"" more "}"

static void stac_items_and_siblings(void **state)
{
    (void)state;
    static const char *const bands[] = { "nir", "red", "green", "blue" }; /* eo:bands comes first */
    files_tif("rajin_r1c1.tif", (made) { .described = bands }, NULL);
    files_tif("rajin_r1c2.tif", (made) { .x0 = 634024, .described = bands }, NULL);
    files_text("rajin_r1c1.json",
               ITEM("rajin_a", "2023-02-17T02:02:15Z", ANGLES) ",\"assets\":{" ASSET(
                   "image", "./rajin_r1c1.tif",
                   ",\"eo:bands\":[{\"common_name\":\"blue\"},{\"common_name\":\"green\"},{"
                   "\"name\":\"red\"},{\"common_name\":\"nir\"}]") "}}");
    files_text("rajin_r1c2.json",
               ITEM("rajin_a", "2023-02-17T02:02:15Z", ANGLES) ",\"assets\":{}}");
    tally_catalogue *c = read_folder(NULL);
    assert_int_equal(c->n_scenes, 1);
    const tally_scene *s = &c->scenes[0];
    assert_int_equal(s->n_tiles, 2);
    assert_string_equal(s->id, "rajin_a");
    assert_string_equal(s->time_source, "stac");
    near(s->view_azimuth, 335.62); /* from the ground */
    near(s->sun_azimuth, 153.76);
    near(s->off_nadir, 5.59);
    near(s->cloud, 12.5);
    assert_int_equal(s->tiles[0]->bands[TALLY_BLUE], 1);
    assert_int_equal(s->tiles[1]->bands[TALLY_BLUE], 4); /* no eo:bands there: the descriptions */
    tally_catalogue_destroy(&c);
}

static void item_collection(void **state)
{
    (void)state;
    files_tif("one.tif", (made) { 0 }, NULL);
    files_tif("one_clear.tif", (made) { .bands = 1, .type = GDT_Byte, .fill = 1 }, NULL);
    files_text(
        "items.json",
        "{\"type\":\"FeatureCollection\",\"features\":[" ITEM(
            "first", "2023-02-17T02:02:15Z",
            "") ",\"assets\":{" ASSET("thumbnail", "thumb.tif",
                                      ",\"roles\":[\"thumbnail\"]") "," ASSET("analytic",
                                                                              "./one.tif",
                                                                              "") "," ASSET("qualit"
                                                                                            "y",
                                                                                            "one_"
                                                                                            "clear."
                                                                                            "tif",
                                                                                            ",\"rol"
                                                                                            "es\":["
                                                                                            "\"data"
                                                                                            "-mask"
                                                                                            "\"]") "}}]}");
    const char *path = files_path("items.json");
    tally_catalogue *c = read_all(&path, 1, "-,blue,green,red", NULL);
    assert_int_equal(c->n_scenes, 1);
    assert_int_equal(c->scenes[0].n_tiles, 1);
    assert_string_equal(c->scenes[0].id, "first");
    assert_string_equal(c->tiles[0].path, files_path("one.tif"));
    assert_string_equal(c->tiles[0].mask_path, files_path("one_clear.tif"));
    assert_int_equal(c->tiles[0].bands[TALLY_BLUE], 2); /* --bands */
    assert_int_equal(c->tiles[0].bands[TALLY_NIR], 0);
    tally_catalogue_destroy(&c);
}

static void maxar_sidecars(void **state)
{
    (void)state;
    files_tif("23OCT05021134-M2AS_R1C1-01_P001.TIF", (made) { .gsd = 0.5 }, NULL);
    files_tif("23OCT05021134-M2AS_R1C2-01_P001.TIF", (made) { .gsd = 0.5, .x0 = 634004 }, NULL);
    files_text("23OCT05021134-M2AS-01_P001.IMD",
               "version = \"28.4\";\nBEGIN_GROUP = IMAGE_1\n\tsatId = \"WV03\";\n\tCatId = "
               "\"10400100AB\";\n"
               "\tfirstLineTime = 2023-10-05T02:11:35.123456Z;\n\tmeanSunAz = 160.5;\n\tmeanSunEl "
               "=  41.25;\n"
               "\tmeanSatAz = 222.0;\n\tmeanOffNadirViewAngle = 12.5;\n\tcloudCover = "
               "-999.000;\nEND_GROUP = IMAGE_1\nEND;\n");
    files_tif("b.tif", (made) { .gsd = 0.5, .x0 = 700000 }, NULL);
    files_text("b.XML", "<isd><IMD><IMAGE><SATID>GE01</SATID><TLCTIME>2022-01-02T03:04:05.5Z</"
                        "TLCTIME><CLOUDCOVER>0.25"
                        "</CLOUDCOVER><MEANSATAZ>10</MEANSATAZ></IMAGE></IMD></isd>");
    tally_catalogue *c = read_folder(NULL);
    assert_int_equal(c->n_scenes, 2);
    const tally_scene *xml = &c->scenes[0], *imd = &c->scenes[1];
    is_time(xml->utc, "2022-01-02T03:04:05Z");
    near(xml->cloud, 25);
    near(xml->view_azimuth, 10);
    assert_string_equal(xml->sensor, "GE01");
    assert_true(xml->sun_elevation > 5 && xml->sun_elevation < 60); /* computed */
    assert_int_equal(imd->n_tiles, 2);
    assert_string_equal(imd->id, "10400100AB");
    assert_string_equal(imd->family, "M2AS-bgrn-0.5m");
    is_time(imd->utc, "2023-10-05T02:11:35Z");
    assert_string_equal(imd->time_source, "sidecar");
    near(imd->sun_azimuth, 160.5);
    near(imd->view_azimuth, 222);
    near(imd->off_nadir, 12.5);
    assert_true(isnan(imd->cloud));
    tally_catalogue_destroy(&c);
}

static void one_id_at_two_times(void **state)
{
    (void)state;
    files_tif("a.tif", (made) { 0 }, NULL);
    files_tif("b.tif", (made) { 0 }, NULL);
    files_text("a.json", ITEM("image", "2023-02-17T02:02:15Z", "") "}");
    files_text("b.json", ITEM("image", "2023-02-18T02:02:15Z", "") "}");
    tally_catalogue *c = read_folder(NULL);
    assert_int_equal(c->n_scenes, 2);
    assert_string_equal(c->scenes[0].id, "image");
    assert_string_equal(c->scenes[1].id, "image#2");
    assert_null(c->scenes[1].duplicate_of);
    tally_catalogue_destroy(&c);
}

/* A later run into the same folder: what was named keeps its number and its family. */
static void names_of_earlier_runs(void **state)
{
    (void)state;
    mkdir(files_path("a"), 0755);
    mkdir(files_path("b"), 0755);
    mkdir(files_path("c"), 0755);
    files_tif("a/image.tif", (made) { .when = "2023:03:01 02:00:00", .gsd = 3 }, NULL);
    files_tif("b/image.tif", (made) { .when = "2023:02:01 02:00:00", .gsd = 3 }, NULL);
    files_tif("c/image.tif", (made) { .when = "2023:01:01 02:00:00", .gsd = 3 }, NULL);
    const char *folder = files_path("");
    tally_catalogue *c = read_all(&folder, 1, NULL, NULL);
    assert_string_equal(c->scenes[0].id, "image"); /* by time */
    assert_string_equal(c->scenes[2].id, "image#3");
    assert_string_equal(c->scenes[0].family, "image-p-3m");
    int64_t march = c->scenes[2].utc, january = c->scenes[0].utc;
    tally_catalogue_destroy(&c);

    const tally_known_scene known[] = {
        { .id = "image", .family = "image-p-2.5m", .file = "/moved/image.tif", .utc = march },
        { .id = "image#2", .family = "image-p-2.5m", .file = files_path("b/image.tif"), .utc = 7 },
        { .id = "imagery", .family = "image-bgrn-3m", .file = "/x.tif", .utc = january },
    };
    tally_context ctx = { .jobs = 1 };
    tally_catalogue_settings settings = {
        .inputs = &folder, .n_inputs = 1, .nodata = NAN, .known = known, .n_known = 3
    };
    tally_error err = { 0 };
    assert_int_equal(tally_catalogue_read(&ctx, &settings, &c, &err), TALLY_OK);
    assert_string_equal(c->scenes[2].id, "image");   /* by its time */
    assert_string_equal(c->scenes[1].id, "image#2"); /* by its file, although its time changed */
    assert_string_equal(c->scenes[0].id, "image#3"); /* new */
    assert_string_equal(c->scenes[0].family, "image-p-2.5m");
    tally_catalogue_destroy(&c);

    /* the new one alone must not take the name of another */
    const char *alone = files_path("c/image.tif");
    settings.inputs = &alone;
    assert_int_equal(tally_catalogue_read(&ctx, &settings, &c, &err), TALLY_OK);
    assert_string_equal(c->scenes[0].id, "image#3");
    tally_catalogue_destroy(&c);
}

static void order_of_times(void **state)
{
    (void)state;
    heard h = { 0 };
    files_tif("a_20230217_020215.tif", (made) { .when = "2023:02:17 05:00:00" }, NULL);
    files_tif("b_20230218.tif", (made) { .when = "2023:02:18 05:00:00" }, NULL);
    files_tif("c_20230219.tif", (made) { .when = "2023:02:19 00:00:00" }, NULL);
    files_tif("d_20230220.tif", (made) { 0 }, NULL);
    files_tif("e_20230221.tif", (made) { .when = "2023:05:01 10:00:00" }, NULL);
    files_text("g_20230222.vrt", /* a vendor's driver fills this domain */
               "<VRTDataset rasterXSize=\"8\" rasterYSize=\"6\"><SRS>EPSG:32652</SRS><GeoTransform>"
               "634000,3,0,4697000,0,-3</GeoTransform><Metadata domain=\"IMAGERY\"><MDI "
               "key=\"ACQUISITIONDATETIME\">2023-06-01 04:05:06</MDI></Metadata>"
               "<VRTRasterBand dataType=\"Byte\" band=\"1\"/></VRTDataset>");
    files_tif("f.tif", (made) { .when = "0000:00:00 00:00:00" }, NULL);
    tally_catalogue *c = read_folder(&h);
    assert_int_equal(c->n_scenes, 7);
    static const struct {
        const char *id, *time, *source, *precision;
    } expected[] = { { "f", "", "", "" },
                     { "a_20230217_020215", "2023-02-17T02:02:15Z", "name", "second" },
                     { "b_20230218", "2023-02-18T05:00:00Z", "tiff", "second" },
                     { "c_20230219", "2023-02-19T00:00:00Z", "tiff", "day" },
                     { "d_20230220", "2023-02-20T00:00:00Z", "name", "day" },
                     { "e_20230221", "2023-05-01T10:00:00Z", "tiff", "second" },
                     { "g_20230222", "2023-06-01T04:05:06Z", "imagery", "second" } };
    for (int i = 0; i < 7; i++) {
        assert_string_equal(c->scenes[i].id, expected[i].id);
        is_time(c->scenes[i].utc, expected[i].time);
        assert_string_equal(c->scenes[i].time_source, expected[i].source);
        assert_string_equal(c->scenes[i].time_precision, expected[i].precision);
    }
    assert_non_null(strstr(c->scenes[0].reason, "has no time"));
    assert_true(isnan(c->scenes[4].sun_elevation)); /* a day has no sun */
    assert_false(isnan(c->scenes[2].sun_elevation));
    assert_non_null(strstr(h.text, "e_20230221.tif: its time is 2023-05-01T10:00:00Z by tiff and "
                                   "2023-02-21T00:00:00Z by name"));
    assert_null(strstr(h.text, "b_20230218.tif: its time"));
    tally_catalogue_destroy(&c);

    const char *alone = files_path("f.tif");
    c = read_all(&alone, 1, NULL, &h);
    assert_string_equal(c->scenes[0].reason, ""); /* one picture can be counted without a date */
    tally_catalogue_destroy(&c);
}

static void one_pass_is_one_scene(void **state)
{
    (void)state;
    static const struct {
        const char *name, *satellite, *time;
        double x0;
    } tiles[] = {
        { "a.tif", "x1", "2023-01-01T02:00:00Z", 634000 },
        { "b.tif", "x1", "2023-01-01T02:01:00Z", 634024 },
        { "c.tif", "x1", "2023-01-01T02:02:01Z", 634000 }, /* 61 s after b */
        { "d.tif", "x1", "2023-01-01T02:00:10Z", 634400 }, /* does not touch */
        { "e.tif", "x2", "2023-01-01T02:00:05Z", 634000 }, /* another satellite */
    };
    for (int i = 0; i < 5; i++) {
        char json[16], text[512];
        files_tif(tiles[i].name, (made) { .x0 = tiles[i].x0 }, NULL);
        snprintf(json, sizeof json, "%c.json", tiles[i].name[0]);
        snprintf(text, sizeof text,
                 "{\"id\":\"%s\",\"properties\":{\"datetime\":\"%s\",\"platform\":\"%s\"},"
                 "\"assets\":{}}",
                 tiles[i].name, tiles[i].time, tiles[i].satellite);
        files_text(json, text);
    }
    tally_catalogue *c = read_folder(NULL);
    assert_int_equal(c->n_scenes, 4);
    assert_int_equal(c->scenes[0].n_tiles, 2);
    assert_string_equal(c->scenes[0].id, "a.tif");
    assert_string_equal(c->scenes[0].tiles[1]->path, files_path("b.tif"));
    tally_catalogue_destroy(&c);
}

static const char *family_of(const tally_catalogue *c, const char *id)
{
    for (size_t i = 0; i < c->n_scenes; i++)
        if (strcmp(c->scenes[i].id, id) == 0) return c->scenes[i].family;
    fail_msg("no scene %s", id);
    return "";
}

static void families(void **state)
{
    (void)state;
    files_tif("a_20230101.tif", (made) { .gsd = 3 }, NULL);
    files_tif("b_20230102.tif", (made) { .gsd = 3.6 }, NULL);
    files_tif("c_20230103.tif", (made) { .gsd = 4.6 }, NULL); /* 1.28 from b, 1.53 from a */
    files_tif("d_20230104.tif", (made) { .gsd = 3, .bands = 2 }, NULL);
    files_tif("e_20230105_SR.tif", (made) { .gsd = 3 }, NULL);
    files_tif("f_20230106.tif", (made) { .gsd = 0.00003, .epsg = 4326, .x0 = 130.6, .y0 = 42.4 },
              NULL);
    const char *folder = files_path("");
    tally_catalogue *c = read_all(&folder, 1, "blue,green,red,nir", NULL);
    const char *a = family_of(c, "a_20230101");
    /* 0.00003 degree: 3.332 m by 2.468 m here; the mean, 2.868 m, is the finest of the family */
    assert_string_equal(a, "image-bgrn-2.9m");
    assert_ptr_equal(family_of(c, "b_20230102"), a);
    assert_string_equal(family_of(c, "c_20230103"), "image-bgrn-4.6m");
    assert_string_equal(family_of(c, "d_20230104"), "image-bg-3m");
    assert_string_equal(family_of(c, "e_20230105_SR"), "SR-bgrn-3m");
    assert_ptr_equal(family_of(c, "f_20230106"), a);
    tally_catalogue_destroy(&c);
}

#define TWENTY "1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0"

static void what_is_wrong_with_a_tile(void **state)
{
    (void)state;
    static const char *const striped[] = { "COMPRESS=DEFLATE", NULL };
    GDALDatasetH data;
    files_tif("20230101_nocrs.tif", (made) { .epsg = -1 }, NULL);
    files_tif("20230102_noplace.tif", (made) { .no_place = 1 }, NULL);
    files_tif("20230103_gcp.tif", (made) { .no_place = 1 }, &data);
    GDAL_GCP gcp[] = { { "1", "", 0, 0, 130.1, 42.2, 0 },
                       { "2", "", 8, 0, 130.2, 42.2, 0 },
                       { "3", "", 0, 6, 130.1, 42.1, 0 } };
    assert_int_equal(GDALSetGCPs(data, 3, gcp, NULL), CE_None);
    GDALClose(data);
    files_tif("20230110_rpc.tif", (made) { .no_place = 1 }, &data);
    static const char *const rpc[] = { "LONG_OFF=130.6",
                                       "LAT_OFF=42.4",
                                       "HEIGHT_OFF=0",
                                       "LINE_OFF=3",
                                       "SAMP_OFF=4",
                                       "LONG_SCALE=1",
                                       "LAT_SCALE=1",
                                       "HEIGHT_SCALE=1",
                                       "LINE_SCALE=1",
                                       "SAMP_SCALE=1",
                                       "LINE_NUM_COEFF=" TWENTY,
                                       "LINE_DEN_COEFF=" TWENTY,
                                       "SAMP_NUM_COEFF=" TWENTY,
                                       "SAMP_DEN_COEFF=" TWENTY,
                                       NULL };
    assert_int_equal(GDALSetMetadata(data, (char **)rpc, "RPC"), CE_None);
    GDALClose(data);
    files_tif("20230104_complex.tif", (made) { .type = GDT_CFloat32, .bands = 1 }, NULL);
    files_tif("20230105_whole.tif", (made) { .width = 400, .height = 400, .options = striped },
              NULL);
    struct stat st;
    assert_int_equal(stat(files_path("20230105_whole.tif"), &st), 0);
    char command[900];
    snprintf(command, sizeof command, "head -c %ld %s > %s", (long)st.st_size - 40,
             files_path("20230105_whole.tif"), files_path("20230106_cut.tif"));
    assert_int_equal(system(command), 0);
    files_text("20230107_text.tif", "this is no picture");
    files_text("20230108_empty.tif", "");
    files_tif("20230109_flat.tif", (made) { .gsd = 1e-9 }, NULL);
    tally_catalogue *c = read_folder(NULL);
    static const char *const says[] = {
        "has no CRS: gdal_edit.py -a_srs",
        "says not where it lies",
        "not orthorectified (GCP only): gdalwarp -tps -t_srs EPSG:32652",
        "complex pixels",
        "",
        "",
        "cannot be opened",
        "cannot be opened",
        "no place on the ground",
        "not orthorectified (RPC only): gdalwarp -rpc -to RPC_DEM=dem.tif -t_srs EPSG:32652"
    };
    assert_int_equal(c->n_scenes, 10);
    for (int i = 0; i < 10; i++) {
        const char *reason = c->scenes[i].reason;
        if (i == 5     ? !strstr(reason, "fetch it again")
            : *says[i] ? !strstr(reason, says[i])
                       : *reason != '\0')
            fail_msg("%s: %s", c->scenes[i].id, reason);
    }
    tally_catalogue_destroy(&c);
}

static void inputs_of_all_kinds(void **state)
{
    (void)state;
    char pattern[300];
    mkdir(files_path("deep"), 0755);
    mkdir(files_path("deep/er"), 0755);
    mkdir(files_path("deep/out"), 0755);
    files_tif("a_20230101.tif", (made) { 0 }, NULL);
    files_tif("deep/er/b_20230102.tif", (made) { 0 }, NULL);
    files_tif("deep/out/background.tif", (made) { 0 }, NULL); /* what a run wrote */
    files_text("deep/out/tallyman.gpkg", "");
    files_text("notes.txt", "no tile");
    snprintf(pattern, sizeof pattern, "%s", files_path("*_2023*.tif"));
    const char *inputs[] = { pattern, files_path(""), files_path("a_20230101.tif") };
    tally_catalogue *c = read_all(inputs, 3, NULL, NULL);
    assert_int_equal(c->n_tiles, 2);
    tally_catalogue_destroy(&c);

    /* what a shell's star gives: sidecars beside the tiles */
    files_text("a_metadata.json", PLANET("a", "2023-01-01T00:00:00Z"));
    files_text("a.IMD", "x");
    const char *star[] = { files_path("a_20230101.tif"), files_path("a_metadata.json"),
                           files_path("a.IMD") };
    c = read_all(star, 3, NULL, NULL);
    assert_int_equal(c->n_tiles, 1);
    tally_catalogue_destroy(&c);

    files_text("bad.json", "{ \"type\": ");
    files_text("none.json", "{ \"type\": \"FeatureCollection\", \"features\": [1, null, {}] }");
    files_tif("x_mask.tif", (made) { .bands = 1, .type = GDT_Byte }, NULL);
    const struct {
        const char *input, *bands, *says;
        tally_status status;
    } faults[] = {
        { "/nowhere/at/all", NULL, "no such file or folder", TALLY_E_IO },
        { files_path("*.nothing"), NULL, "no tile matches", TALLY_E_IO },
        { files_path("deep/out/"), "blue,blew", "blew is no role", TALLY_E_ARG },
        { files_path("deep/out/"), "blue,blue", "twice", TALLY_E_ARG },
        { files_path("bad.json"), NULL, "is no JSON", TALLY_E_FORMAT },
        { files_path("none.json"), NULL, "no GeoTIFF", TALLY_E_FORMAT },
        { files_path("x_mask.tif"), NULL, "no tile but masks", TALLY_E_IO },
    };
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        tally_context ctx = { .jobs = 1 };
        tally_catalogue_settings settings = {
            .inputs = &faults[i].input, .n_inputs = 1, .bands = faults[i].bands, .nodata = NAN
        };
        tally_error err = { 0 };
        tally_status s = tally_catalogue_read(&ctx, &settings, &c, &err);
        if (s != faults[i].status || !strstr(err.message, faults[i].says))
            fail_msg("%zu: %s", i, err.message);
        assert_null(c);
    }
}

static void a_broken_tile_among_good_ones(void **state)
{
    (void)state;
    heard h = { 0 };
    files_tif("p_20230101_020000_r1c1.tif", (made) { 0 }, NULL);
    files_text("p_20230101_020000_r1c2.tif", "broken");
    tally_catalogue *c = read_folder(&h);
    assert_int_equal(c->n_tiles, 2);
    assert_int_equal(c->n_scenes, 1);
    assert_int_equal(c->scenes[0].n_tiles, 1);
    assert_string_equal(c->scenes[0].reason, "");
    assert_non_null(strstr(h.text, "r1c2.tif: cannot be opened"));
    tally_catalogue_destroy(&c);
}

static void scan_as_table_and_json(void **state)
{
    (void)state;
    heard h = { 0 };
    tally_context ctx = { .jobs = 2, .on_message = hear, .user = &h };
    tally_error err = { 0 };
    tally_scan_result result;
    files_tif("a_20230101_020304.tif", (made) { 0 }, NULL);
    files_tif("b_20230102_020304.tif", (made) { .epsg = -1 }, NULL);
    const char *folder = files_path("");
    tally_scan_settings settings = { .inputs = &folder,
                                     .n_inputs = 1,
                                     .bands = "blue,green,red,nir" };
    assert_int_equal(tally_scan(&ctx, &settings, &result, &err), TALLY_OK);
    assert_int_equal(result.n_scenes, 2);
    assert_int_equal(result.n_left_out, 1);
    assert_non_null(strstr(result.text, "2023-01-01T02:03:04Z  name/second"));
    assert_non_null(strstr(result.text, "8 x 6, EPSG:32652, 3.00"));
    assert_non_null(strstr(result.text, " m, 4 bands (blue,green,red,nir)"));
    assert_non_null(strstr(result.text, "WRONG: has no CRS"));
    assert_non_null(strstr(h.text, "b_20230102_020304.tif: left out: has no CRS"));
    tally_scan_fini(&result);
    settings.format = TALLY_SCAN_JSON;
    assert_int_equal(tally_scan(&ctx, &settings, &result, &err), TALLY_OK);
    assert_non_null(strstr(result.text, "\"datetime\": \"2023-01-01T02:03:04Z\""));
    assert_non_null(strstr(result.text, "\"quality\": \"rejected\""));
    assert_non_null(strstr(result.text, "\"blue\": 1"));
    tally_scan_fini(&result);
    settings.nodata = "none";
    assert_int_equal(tally_scan(&ctx, &settings, &result, &err), TALLY_E_ARG);
    assert_null(result.text);
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
        TEST(planet_delivery),
        TEST(stac_items_and_siblings),
        TEST(item_collection),
        TEST(maxar_sidecars),
        TEST(names_of_earlier_runs),
        TEST(order_of_times),
        TEST(one_pass_is_one_scene),
        TEST(one_id_at_two_times),
        TEST(families),
        TEST(what_is_wrong_with_a_tile),
        TEST(inputs_of_all_kinds),
        TEST(a_broken_tile_among_good_ones),
        TEST(scan_as_table_and_json),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
