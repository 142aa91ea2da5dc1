/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * --fresh forgets what the machine counted, never what people said of it. The new store is made
 * beside the old one with the layers `review` and `layer_styles` copied whole, columns of the
 * analysts' own included, and takes its place by one rename. Reviews name scene, zone and
 * detection, and a detection's id is made of what it is: so they speak again of what is found
 * again.
 */
#include <cpl_error.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "scene/scene.h"
#include "site/crs.h"
#include "store/inside.h"

static tally_status io_failed(const char *path, tally_error *err)
{
    return tally_fail(err, TALLY_E_IO, "%s: cannot be written: %s; check who may write there", path,
                      strerror(errno));
}

/* What cannot be read may hold reviews all the same: it is kept for somebody to mend. */
static tally_status set_aside(const char *path, char **aside, tally_error *err)
{
    for (int i = 1; i < 1000; i++) {
        char *to = tally_format("%s.unreadable%d", path, i);
        if (!to) return tally_nomem(err, path);
        if (access(to, F_OK) != 0) {
            if (rename(path, to) == 0) {
                *aside = to;
                return TALLY_OK;
            }
            tally_status s = io_failed(to, err);
            tally_free(to);
            return s;
        }
        tally_free(to);
    }
    return tally_fail(err, TALLY_E_IO, "%s: too many unreadable ones lie beside it; look at them",
                      path);
}

static GIntBig n_rows(GDALDatasetH dataset, const char *layer)
{
    OGRLayerH l = GDALDatasetGetLayerByName(dataset, layer);
    return l ? OGR_L_GetFeatureCount(l, TRUE) : 0;
}

static tally_status copy_layer(tally_store *to, GDALDatasetH from, const char *name,
                               tally_error *err)
{
    OGRLayerH old = GDALDatasetGetLayerByName(from, name);
    if (!old) return TALLY_OK;
    char *fid = tally_format("FID=%s", OGR_L_GetFIDColumn(old));
    char *geometry = tally_format("GEOMETRY_NAME=%s", OGR_L_GetGeometryColumn(old));
    char *options[] = { fid, geometry, NULL };
    OGRLayerH made = fid && geometry
                         ? GDALDatasetCopyLayer(to->dataset, old, name,
                                                *OGR_L_GetFIDColumn(old) ? options : options + 1)
                         : NULL;
    tally_free(fid);
    tally_free(geometry);
    if (!made || n_rows(to->dataset, name) != n_rows(from, name))
        return tally_store_failed(to->path, "given the reviews", err);
    return TALLY_OK;
}

static tally_status fill(tally_store *to, GDALDatasetH from, tally_error *err)
{
    tally_status s = TALLY_OK;
    for (int id = 0; id < TALLY_REVIEWS && s == TALLY_OK; id++)
        s = tally_layer_make(to, id, err);
    if (s == TALLY_OK) s = copy_layer(to, from, "review", err);
    if (s == TALLY_OK) s = copy_layer(to, from, "layer_styles", err);
    /* what a review of an older layout lacks */
    for (int id = 0; id < TALLY_LAYER_COUNT && s == TALLY_OK; id++)
        s = tally_layer_take(to, id, err);
    return s == TALLY_OK ? tally_schema_upgrade(to, err) : s;
}

static tally_status make_anew(const char *beside, GDALDatasetH from, tally_error *err)
{
    tally_store to = { .path = (char *)beside };
    unlink(beside);
    to.dataset = GDALCreate(GDALGetDriverByName("GPKG"), beside, 0, 0, 0, GDT_Unknown, NULL);
    tally_status s = to.dataset ? fill(&to, from, err) : tally_store_failed(beside, "made", err);
    if (to.dataset) GDALClose(to.dataset);
    return s;
}

/* SQLite takes its log away with the last one who has the file open. */
static bool has_log(const char *path)
{
    char *log = tally_format("%s-wal", path);
    const bool there = log && access(log, F_OK) == 0;
    tally_free(log);
    return there;
}

static tally_status is_busy(const char *path, tally_error *err)
{
    return tally_fail(err, TALLY_E_BUSY,
                      "%s: another program, such as QGIS, has it open; close it there first", path);
}

static tally_status take_place(const char *beside, const char *path, tally_error *err)
{
    if (has_log(path)) return is_busy(path, err);
    return rename(beside, path) == 0 ? TALLY_OK : io_failed(path, err);
}

tally_status tally_store_renew(const char *path, char **aside, tally_error *err)
{
    static const char *const drivers[] = { "GPKG", NULL };
    *aside = NULL;
    if (access(path, F_OK) != 0) return TALLY_OK;
    tally_gdal_begin();
    char *beside = tally_format("%s.part", path);
    if (!beside) return tally_nomem(err, path);
    CPLPushErrorHandler(CPLQuietErrorHandler);
    CPLErrorReset();
    tally_status s;
    GDALDatasetH from = GDALOpenEx(path, GDAL_OF_VECTOR | GDAL_OF_UPDATE, drivers, NULL, NULL);
    char said[256];
    if (!from && strstr(tally_gdal_said(said, sizeof said), "locked")) {
        s = is_busy(path, err);
    } else if (!from) {
        s = set_aside(path, aside, err);
    } else {
        s = make_anew(beside, from, err);
        GDALClose(from);
        if (s == TALLY_OK) s = take_place(beside, path, err);
        if (s != TALLY_OK) unlink(beside);
    }
    CPLPopErrorHandler();
    tally_free(beside);
    return s;
}
