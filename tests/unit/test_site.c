/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Site files, good and bad, written in the test: what is read, and that each fault is named with
 * its cure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "site/crs.h"
#include "site/site.h"

static char folder[] = "/tmp/tally_site_XXXXXX";

static const char *put(const char *name, const char *text)
{
    static char path[256];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "wb");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
    return path;
}

#define COLLECTION(member, features)                                                               \
    "{\"type\":\"FeatureCollection\"," member "\"features\":[" features "]}"
#define ZONE(role, name, type, coordinates)                                                        \
    "{\"type\":\"Feature\",\"properties\":{\"role\":\"" role "\",\"name\":\"" name                 \
    "\"},\"geometry\":{\"type\":\"" type "\",\"coordinates\":" coordinates "}}"
#define TRACK                                                                                      \
    ZONE("track", "track 1", "LineString",                                                         \
         "[[130.637,42.414],[130.638,42.414],[130.638,42.414],[130.639,42.4141]]")
#define SQUARE "[[[130.64,42.41],[130.641,42.41],[130.641,42.411],[130.64,42.411],[130.64,42.41]]]"

static void reads_what_stands_there(void **state)
{
    (void)state;
    tally_site *site = NULL;
    tally_error err = { 0 };
    const char *path = put(
        "a.geojson",
        COLLECTION(
            "\"tallyman\":{\"site\":\"tumangang\",\"title\":\"Tumangang "
            "station\",\"aliases\":[\"Tuman\"],"
            "\"timezone\":\"Asia/Pyongyang\"},",
            TRACK "," ZONE("yard", "yard", "Polygon", SQUARE) "," ZONE(
                "berth", "two parts", "MultiPolygon",
                "[[[[130.65,42.41],[130.651,42.41],[130.651,42.411],[130.65,42.41]]],"
                "[[[130.66,42.41],[130.662,42.41],[130.662,42.412],[130.66,42.412],[130.66,42.41]],"
                "[[130.6605,42.4105],[130.661,42.4105],[130.661,42.411],[130.6605,42.4105]]]]")));
    assert_int_equal(tally_site_read(path, NULL, &site, &err), TALLY_OK);
    assert_string_equal(site->id, "tumangang");
    assert_string_equal(site->title, "Tumangang station");
    assert_string_equal(site->timezone, "Asia/Pyongyang");
    assert_int_equal(site->n_aliases, 1);
    assert_int_equal(site->epsg, 32652);
    assert_int_equal(site->n_zones, 3);
    assert_int_equal(site->zones[0].role, TALLY_TRACK);
    assert_true(site->zones[0].lonlat.is_line);
    assert_int_equal(site->zones[0].lonlat.paths[0].n, 3); /* the repeated point is gone */
    assert_int_equal(site->zones[1].lonlat.paths[0].n, 4); /* open ring */
    assert_int_equal(site->zones[2].shape.n_paths, 3);
    assert_int_equal(site->zones[2].shape.part[0], 0);
    assert_int_equal(site->zones[2].shape.part[2], 1);
    /* 0.001 degree is 82.24 m by 111.08 m here (WGS 84 at 42.41 degrees north) */
    assert_true(fabs(tally_shape_area(&site->zones[1].shape) / (82.30 * 111.08) - 1) < 0.002);
    tally_point p = site->zones[1].shape.paths[0].points[2];
    assert_int_equal(tally_site_to_lonlat(site, &p, 1, &err), TALLY_OK);
    assert_true(fabs(p.x - 130.641) < 1e-9 && fabs(p.y - 42.411) < 1e-9);
    assert_non_null(strstr(site->text, "\"track 1\""));
    tally_site_destroy(&site);
    assert_null(site);

    assert_int_equal(tally_site_read(path, "mine", &site, &err), TALLY_OK);
    assert_string_equal(site->id, "mine");
    tally_site_destroy(&site);
    assert_int_equal(tally_site_read(put("stem.geojson", COLLECTION("", TRACK)), NULL, &site, &err),
                     TALLY_OK);
    assert_string_equal(site->id, "stem");
    assert_string_equal(site->timezone, "");
    tally_site_destroy(&site);
}

static void names_each_fault(void **state)
{
    (void)state;
    static const struct {
        const char *text, *says;
        tally_status status;
    } faults[] = {
        { COLLECTION("", ""), "has no zone", TALLY_E_FORMAT },
        { "not json", "is no vector file", TALLY_E_FORMAT },
        { COLLECTION("", ZONE("trak", "a", "LineString", "[[1,2],[1,3]]")),
          "feature 1 (a): unknown role trak", TALLY_E_FORMAT },
        { COLLECTION("", TRACK "," TRACK),
          "feature 2 (track 1): a zone before it has the same name", TALLY_E_FORMAT },
        { COLLECTION("", ZONE("track", "", "LineString", "[[1,2],[1,3]]")), "has no name",
          TALLY_E_FORMAT },
        { COLLECTION("", ZONE("track", "*", "LineString", "[[1,2],[1,3]]")), "the whole site",
          TALLY_E_FORMAT },
        { COLLECTION("", ZONE("yard", "a", "LineString", "[[1,2],[1,3]]")), "is a LINESTRING",
          TALLY_E_FORMAT },
        { COLLECTION("", ZONE("track", "a", "Point", "[1,2]")), "is a POINT", TALLY_E_FORMAT },
        { COLLECTION("", ZONE("track", "a", "LineString", "[[1,2],[1,2]]")), "1 different points",
          TALLY_E_FORMAT },
        { COLLECTION("", ZONE("track", "a", "LineString", "[[1,200],[1,3]]")),
          "no longitude and latitude", TALLY_E_FORMAT },
        { COLLECTION("", ZONE("track", "a", "LineString", "[[1e400,2],[1,3]]")), "feature 1 (a)",
          TALLY_E_FORMAT },
        { COLLECTION("", ZONE("track", "a", "LineString", "[[1,2],[1.000001,2]]")),
          "shorter than 1 m", TALLY_E_FORMAT },
        { COLLECTION("", ZONE("track", "a", "LineString", "[[1,2],[9,2]]")), "one place",
          TALLY_E_FORMAT },
        { COLLECTION("", ZONE("track", "a", "LineString", "[[1,86],[1,86.001]]")), "beyond UTM",
          TALLY_E_CRS },
        { COLLECTION("",
                     ZONE("yard", "a", "Polygon", "[[[1,2],[1.01,2.01],[1.01,2],[1,2.01],[1,2]]]")),
          "crosses or touches", TALLY_E_FORMAT },
        { COLLECTION("", ZONE("yard", "a", "Polygon", "[[[1,2],[1.01,2],[1,2]]]")),
          "different points", TALLY_E_FORMAT },
        { COLLECTION("", ZONE("yard", "a", "Polygon", "[[[1,2],[1.01,2],[1.01,2.01],[1,2.01]]]")),
          "not closed", TALLY_E_FORMAT },
        { COLLECTION("", ZONE("yard", "a", "Polygon", "[]")), "feature 1 (a)", TALLY_E_FORMAT },
        { COLLECTION("\"tallyman\":{\"site\":7},", TRACK), "\"site\" is no plain text",
          TALLY_E_FORMAT },
        { "{\"type\":\"FeatureCollection\",\"features\":[{\"type\":\"Feature\",\"properties\":{"
          "\"role\":\"track\",\"name\":"
          "\"a\"},\"geometry\":null}]}",
          "has no geometry", TALLY_E_FORMAT },
    };
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        tally_site *site = NULL;
        tally_error err = { 0 };
        const char *path = put("bad.geojson", faults[i].text);
        tally_status s = tally_site_read(path, NULL, &site, &err);
        if (s != faults[i].status || !strstr(err.message, faults[i].says) ||
            !strstr(err.message, path) || strchr(err.message, '\n'))
            fail_msg("fault %zu: %s: %s", i, tally_status_name(s), err.message);
        assert_null(site);
    }
    tally_site *site = NULL;
    tally_error err = { 0 };
    assert_int_equal(tally_site_read("/nowhere/site.geojson", NULL, &site, &err), TALLY_E_IO);
    assert_non_null(strstr(err.message, "no such site file"));
}

static void utm_zone_of_a_place(void **state)
{
    (void)state;
    assert_int_equal(tally_utm_epsg(130.6, 42.4), 32652);
    assert_int_equal(tally_utm_epsg(-118.2, 33.7), 32611);
    assert_int_equal(tally_utm_epsg(18.4, -33.9), 32734);
    assert_int_equal(tally_utm_epsg(180, 10), 32601);
    assert_int_equal(tally_utm_epsg(10, 85), 0);
    assert_int_equal(tally_utm_epsg(NAN, 5), 0);
}

#define WEST                                                                                       \
    ZONE("yard", "west", "Polygon", "[[[179.98,10],[179.99,10],[179.99,10.01],[179.98,10]]]")
#define ROUND "[[[179.999,10],[-179.999,10],[-179.999,10.001],[179.999,10.001],[179.999,10]]]"
#define BOTH  ZONE("yard", "both", "Polygon", ROUND)
#define EAST  ZONE("track", "east", "LineString", "[[-179.99,10],[-179.98,10]]")

/* 0.02 degrees on each side of the antimeridian are one place, with true metres. */
static void across_the_antimeridian(void **state)
{
    (void)state;
    tally_site *site = NULL;
    tally_error err = { 0 };
    const char *path = put("far_east.geojson", COLLECTION("", WEST "," BOTH "," EAST));
    assert_int_equal(tally_site_read(path, NULL, &site, &err), TALLY_OK);
    assert_true(site->epsg == 32660 || site->epsg == 32601);
    assert_true(fabs(fabs(site->longitude) - 180) < 1e-9);
    /* a degree of longitude at 10 N: 109,640 m; of latitude: 110,608 m */
    assert_true(fabs(tally_shape_area(&site->zones[1].shape) / (219.28 * 110.61) - 1) < 0.003);
    assert_true(fabs(tally_path_length(&site->zones[2].shape.paths[0]) / 1096.4 - 1) < 0.003);
    assert_true(site->high.x - site->low.x < 4500);
    tally_site_destroy(&site);
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    char command[300];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    return system(command);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_what_stands_there),
        cmocka_unit_test(names_each_fault),
        cmocka_unit_test(utm_zone_of_a_place),
        cmocka_unit_test(across_the_antimeridian),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
