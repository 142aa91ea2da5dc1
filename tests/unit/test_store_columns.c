/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A store of before there were boxes: it opens for reading and for writing, and they are unknown.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <gdal.h>
#include <math.h>
#include <string.h>
#include <unistd.h>

#include "tallyman/store.h"

static const char path[] = "test_store_columns.gpkg";

static void put(tally_store *store, const char *scene, const char *basis)
{
    const tally_scene_record row = { .site = "rajin",
                                     .scene = scene,
                                     .files = "",
                                     .reason = "",
                                     .family = "",
                                     .sensor = "",
                                     .time_source = "",
                                     .time_precision = "second",
                                     .basis = "single",
                                     .model = "",
                                     .utc = 1675216800 };
    const tally_observation o = { .site = "rajin",
                                  .zone = "*",
                                  .scene = scene,
                                  .reason = "",
                                  .family = "",
                                  .class_ = TALLY_CONTAINER_STACK,
                                  .utc = 1675216800,
                                  .count = 50,
                                  .estimate = 50,
                                  .low = 44,
                                  .high = 60,
                                  .seen = 1,
                                  .containers = 97,
                                  .containers_low = 60,
                                  .containers_high = 140,
                                  .containers_basis = basis };
    assert_int_equal(tally_store_put_scene(store, &row, &o, 1, NULL, 0, NULL), TALLY_OK);
}

static tally_observation read_one(const char *scene)
{
    tally_store *store;
    tally_records *r;
    tally_observation o = { .count = -9 };
    tally_error err = { 0 };

    assert_int_equal(tally_store_open(path, TALLY_STORE_READ, &store, &err), TALLY_OK);
    assert_int_equal(tally_store_read(store, &r, &err), TALLY_OK);
    for (size_t i = 0; i < r->n_observations; i++)
        if (!strcmp(r->observations[i].scene, scene)) o = r->observations[i];
    o.site = o.zone = o.scene = o.reason = o.family = NULL; /* the records' */
    o.containers_basis = o.containers_basis && *o.containers_basis ? "some" : "";
    tally_records_destroy(&r);
    tally_store_close(&store);
    return o;
}

static void drop_columns(void)
{
    static const char *const names[] = { "containers", "containers_low", "containers_high",
                                         "containers_basis" };
    GDALDatasetH d = GDALOpenEx(path, GDAL_OF_VECTOR | GDAL_OF_UPDATE, NULL, NULL, NULL);
    OGRLayerH layer = GDALDatasetGetLayerByName(d, "observations");
    for (int i = 0; i < 4; i++)
        assert_int_equal(
            OGR_L_DeleteField(layer, OGR_FD_GetFieldIndex(OGR_L_GetLayerDefn(layer), names[i])),
            OGRERR_NONE);
    GDALClose(d);
}

static void boxes_are_kept_and_old_stores_open(void **state)
{
    (void)state;
    tally_store *store;
    tally_error err = { 0 };

    unlink(path);
    assert_int_equal(tally_store_open(path, TALLY_STORE_CREATE, &store, &err), TALLY_OK);
    put(store, "old", "shadow");
    tally_store_close(&store);
    tally_observation o = read_one("old");
    assert_true(o.containers == 97 && o.containers_low == 60 && o.containers_high == 140);
    assert_string_equal(o.containers_basis, "some");

    drop_columns();
    o = read_one("old");
    assert_int_equal(o.count, 50);
    assert_true(isnan(o.containers) && isnan(o.containers_low));
    assert_string_equal(o.containers_basis, "");

    assert_int_equal(tally_store_open(path, TALLY_STORE_CREATE, &store, &err), TALLY_OK);
    put(store, "new", "range");
    tally_store_close(&store);
    o = read_one("new"); /* its columns stay as they were made */
    assert_int_equal(o.count, 50);
    assert_true(isnan(o.containers));
    assert_int_equal(read_one("old").count, 50);
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(boxes_are_kept_and_old_stores_open) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
