/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The GeoPackage store. Manners of our guest: OGR's own transactions only (a BEGIN in SQL would
 * slip past its bookkeeping); rows are replaced by delete and insert; the axis order of the CRS is
 * longitude, latitude; one handle, one thread.
 */
#include "tallyman/store.h"

#include <cpl_error.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "scene/scene.h"
#include "site/crs.h"
#include "store/inside.h"

static tally_status make_store(tally_store *store, tally_error *err)
{
    GDALDriverH driver = GDALGetDriverByName("GPKG");
    if (!driver)
        return tally_fail(err, TALLY_E_IO,
                          "%s: this GDAL has no GeoPackage driver; install libgdal with SQLite",
                          store->path);
    store->dataset = GDALCreate(driver, store->path, 0, 0, 0, GDT_Unknown, NULL);
    if (!store->dataset) return tally_store_failed(store->path, "made", err);
    tally_status s = TALLY_OK;
    for (int i = 0; i < TALLY_LAYER_COUNT && s == TALLY_OK; i++)
        s = tally_layer_make(store, i, err);
    return s == TALLY_OK ? tally_schema_note(store, err) : s;
}

/* Made beside its place and renamed, so that a run that is killed meanwhile leaves no half of a
 * store. */
static tally_status make_store_beside(tally_store *store, tally_error *err)
{
    char *place = store->path, *beside = tally_format("%s.part", place);
    if (!beside) return tally_nomem(err, place);
    unlink(beside);
    store->path = beside;
    tally_status s = make_store(store, err);
    if (store->dataset) GDALClose(store->dataset);
    store->dataset = NULL;
    store->path = place;
    if (s == TALLY_OK && rename(beside, place) != 0)
        s = tally_fail(err, TALLY_E_IO, "%s: cannot be written: %s; check who may write there",
                       place, strerror(errno));
    if (s != TALLY_OK) unlink(beside);
    tally_free(beside);
    return s;
}

static tally_status take_store(tally_store *store, tally_store_mode mode, tally_error *err)
{
    static const char *const drivers[] = { "GPKG", NULL };
    char said[256];
    unsigned flags =
        GDAL_OF_VECTOR | (mode == TALLY_STORE_READ ? GDAL_OF_READONLY : GDAL_OF_UPDATE);
    store->dataset = GDALOpenEx(store->path, flags, drivers, NULL, NULL);
    if (!store->dataset)
        return tally_fail(err, TALLY_E_IO,
                          "%s: cannot be opened as a store: %s; check the folder, or use --fresh",
                          store->path, tally_gdal_said(said, sizeof said));
    tally_status s = tally_schema_check(store, err);
    for (int i = 0; i < TALLY_LAYER_COUNT && s == TALLY_OK; i++)
        s = tally_layer_take(store, i, err);
    if (s == TALLY_OK && mode != TALLY_STORE_READ) s = tally_schema_upgrade(store, err);
    return s;
}

tally_status tally_store_open(const char *path, tally_store_mode mode, tally_store **out,
                              tally_error *err)
{
    *out = NULL;
    tally_gdal_begin();
    tally_store *store = tally_alloc(1, sizeof *store);
    if (!store || !(store->path = tally_strdup(path))) {
        tally_free(store);
        return tally_nomem(err, path);
    }
    CPLPushErrorHandler(CPLQuietErrorHandler);
    CPLErrorReset();
    tally_status s = TALLY_OK;
    if (access(path, F_OK) != 0)
        s = mode == TALLY_STORE_CREATE
                ? make_store_beside(store, err)
                : tally_fail(err, TALLY_E_IO,
                             "%s: no such store; name a folder that `tallyman run` made", path);
    if (s == TALLY_OK) s = take_store(store, mode, err);
    CPLPopErrorHandler();
    if (s != TALLY_OK) tally_store_close(&store);
    *out = store;
    return s;
}

void tally_store_close(tally_store **store)
{
    if (!store || !*store) return;
    CPLPushErrorHandler(CPLQuietErrorHandler);
    if ((*store)->dataset) GDALClose((*store)->dataset);
    CPLPopErrorHandler();
    tally_free((*store)->path);
    tally_free(*store);
    *store = NULL;
}

tally_status tally_store_set_title(tally_store *store, const char *title, tally_error *err)
{
    if (strcmp(tally_store_title(store), title) == 0) return TALLY_OK;
    CPLPushErrorHandler(CPLQuietErrorHandler);
    CPLErr bad = GDALSetMetadataItem(store->dataset, "TITLE", title, NULL);
    CPLPopErrorHandler();
    return bad == CE_None ? TALLY_OK : tally_store_failed(store->path, "given its title", err);
}

const char *tally_store_title(tally_store *store)
{
    const char *title = GDALGetMetadataItem(store->dataset, "TITLE", NULL);
    return title ? title : "";
}

const char *tally_store_sqlite_version(tally_store *store)
{
    CPLPushErrorHandler(CPLQuietErrorHandler);
    OGRLayerH answer =
        GDALDatasetExecuteSQL(store->dataset, "SELECT sqlite_version()", NULL, "SQLITE");
    OGRFeatureH row = answer ? OGR_L_GetNextFeature(answer) : NULL;
    if (row)
        snprintf(store->sqlite_version, sizeof store->sqlite_version, "%s",
                 OGR_F_GetFieldAsString(row, 0));
    OGR_F_Destroy(row);
    if (answer) GDALDatasetReleaseResultSet(store->dataset, answer);
    CPLPopErrorHandler();
    return store->sqlite_version;
}

/* `scene = '...'` with quotes doubled: an attribute filter knows no parameters. */
static char *scene_filter(const char *scene)
{
    tally_text t = { 0 };
    tally_text_bytes(&t, "scene = '", 9);
    for (const char *c = scene; *c; c++)
        tally_text_bytes(&t, *c == '\'' ? "''" : c, *c == '\'' ? 2 : 1);
    tally_text_bytes(&t, "'", 1);
    if (t.failed) tally_text_fini(&t);
    return t.bytes;
}

static tally_status filter_layer(tally_store *store, int id, const char *scene, tally_error *err)
{
    char *filter = scene ? scene_filter(scene) : NULL;
    if (scene && !filter) return tally_nomem(err, store->path);
    OGRErr bad = OGR_L_SetAttributeFilter(store->layers[id], filter);
    tally_free(filter);
    OGR_L_ResetReading(store->layers[id]);
    return bad ? tally_store_failed(store->path, "searched", err) : TALLY_OK;
}

tally_status tally_store_has_scene(tally_store *store, const char *scene, bool *stored,
                                   tally_error *err)
{
    *stored = false;
    CPLPushErrorHandler(CPLQuietErrorHandler);
    tally_status s = filter_layer(store, TALLY_SCENES, scene, err);
    if (s == TALLY_OK) *stored = OGR_L_GetFeatureCount(store->layers[TALLY_SCENES], TRUE) > 0;
    OGR_L_SetAttributeFilter(store->layers[TALLY_SCENES], NULL);
    CPLPopErrorHandler();
    return s;
}

/* The feature ids of a scene's rows, or of all when scene is NULL. */
static tally_status list_rows(tally_store *store, int id, const char *scene, GIntBig **out,
                              size_t *n, tally_error *err)
{
    OGRLayerH layer = store->layers[id];
    tally_status s = filter_layer(store, id, scene, err);
    OGRFeatureH feature;
    while (s == TALLY_OK && (feature = OGR_L_GetNextFeature(layer))) {
        GIntBig *more = tally_realloc(*out, *n + 1, sizeof **out);
        if (more) {
            *out = more;
            (*out)[(*n)++] = OGR_F_GetFID(feature);
        } else {
            s = tally_nomem(err, store->path);
        }
        OGR_F_Destroy(feature);
    }
    OGR_L_SetAttributeFilter(layer, NULL);
    return s;
}

/* Delete the rows of a scene, or all when scene is NULL. */
static tally_status clear_rows(tally_store *store, int id, const char *scene, tally_error *err)
{
    GIntBig *ids = NULL;
    size_t n = 0;
    tally_status s = list_rows(store, id, scene, &ids, &n, err);
    for (size_t i = 0; i < n && s == TALLY_OK; i++)
        if (OGR_L_DeleteFeature(store->layers[id], ids[i]) != OGRERR_NONE)
            s = tally_store_failed(store->path, "written", err);
    tally_free(ids);
    return s;
}

static OGRGeometryH polygon_of(double (*points)[2], size_t n)
{
    OGRGeometryH polygon = OGR_G_CreateGeometry(wkbPolygon),
                 ring = OGR_G_CreateGeometry(wkbLinearRing);
    for (size_t i = 0; i <= n && n; i++)
        OGR_G_AddPoint_2D(ring, points[i % n][0], points[i % n][1]);
    OGR_G_AddGeometryDirectly(polygon, ring);
    return polygon;
}

static tally_status add_row(tally_store *store, int id, const void *row, tally_error *err)
{
    OGRFeatureH feature = OGR_F_Create(OGR_L_GetLayerDefn(store->layers[id]));
    if (!feature) return tally_nomem(err, store->path);
    tally_row_write(&tally_layers[id], &store->columns[id], row, feature);
    const tally_detection *d = row;
    const tally_review *r = row;
    if (id == TALLY_DETECTIONS)
        OGR_F_SetGeometryDirectly(feature, polygon_of(d->ring, d->n_ring));
    else if (id == TALLY_REVIEWS && r->n_ring)
        OGR_F_SetGeometryDirectly(feature, polygon_of(r->ring, r->n_ring));
    OGRErr bad = OGR_L_CreateFeature(store->layers[id], feature);
    OGR_F_Destroy(feature);
    return bad ? tally_store_failed(store->path, "written", err) : TALLY_OK;
}

static tally_status add_rows(tally_store *store, int id, const void *rows, size_t n, size_t size,
                             tally_error *err)
{
    tally_status s = TALLY_OK;
    for (size_t i = 0; i < n && s == TALLY_OK; i++)
        s = add_row(store, id, (const char *)rows + i * size, err);
    return s;
}

tally_status tally_store_begin(tally_store *store, tally_error *err)
{
    CPLPushErrorHandler(CPLQuietErrorHandler);
    CPLErrorReset();
    return GDALDatasetStartTransaction(store->dataset, FALSE) == OGRERR_NONE
               ? TALLY_OK
               : tally_store_failed(store->path, "written", err);
}

tally_status tally_store_end(tally_store *store, tally_status s, tally_error *err)
{
    if (s != TALLY_OK)
        GDALDatasetRollbackTransaction(store->dataset);
    else if (GDALDatasetCommitTransaction(store->dataset) != OGRERR_NONE)
        s = tally_store_failed(store->path, "written", err);
    CPLPopErrorHandler();
    return s;
}

tally_status tally_store_put_scene(tally_store *store, const tally_scene_record *scene,
                                   const tally_observation *observations, size_t n_observations,
                                   const tally_detection *detections, size_t n_detections,
                                   tally_error *err)
{
    tally_status s = tally_store_begin(store, err);
    for (int id = TALLY_SCENES; id <= TALLY_DETECTIONS && s == TALLY_OK; id++)
        s = clear_rows(store, id, scene->scene, err);
    if (s == TALLY_OK) s = add_row(store, TALLY_SCENES, scene, err);
    if (s == TALLY_OK)
        s = add_rows(store, TALLY_OBSERVATIONS, observations, n_observations, sizeof *observations,
                     err);
    if (s == TALLY_OK)
        s = add_rows(store, TALLY_DETECTIONS, detections, n_detections, sizeof *detections, err);
    return tally_store_end(store, s, err);
}

tally_status tally_store_put_series(tally_store *store, const tally_spike *spikes, size_t n_spikes,
                                    const tally_visit *visits, size_t n_visits, tally_error *err)
{
    tally_status s = tally_store_begin(store, err);
    for (int id = TALLY_SPIKES; id <= TALLY_VISITS && s == TALLY_OK; id++)
        s = clear_rows(store, id, NULL, err);
    if (s == TALLY_OK) s = add_rows(store, TALLY_SPIKES, spikes, n_spikes, sizeof *spikes, err);
    if (s == TALLY_OK) s = add_rows(store, TALLY_VISITS, visits, n_visits, sizeof *visits, err);
    return tally_store_end(store, s, err);
}

tally_status tally_store_put_reviews(tally_store *store, const tally_review *reviews, size_t n,
                                     tally_error *err)
{
    tally_status s = tally_store_begin(store, err);
    if (s == TALLY_OK) s = add_rows(store, TALLY_REVIEWS, reviews, n, sizeof *reviews, err);
    return tally_store_end(store, s, err);
}

/* The outer ring, open; NULL and 0 where there is none. */
static tally_status read_ring(OGRFeatureH feature, double (**out)[2], size_t *n_out,
                              tally_error *err)
{
    *out = NULL;
    *n_out = 0;
    OGRGeometryH polygon = OGR_F_GetGeometryRef(feature);
    OGRGeometryH ring =
        polygon && OGR_G_GetGeometryCount(polygon) > 0 ? OGR_G_GetGeometryRef(polygon, 0) : NULL;
    int n = ring ? OGR_G_GetPointCount(ring) - 1 : 0;
    if (n < 3) return TALLY_OK;
    double(*points)[2] = tally_alloc((size_t)n, sizeof *points);
    if (!points) return tally_nomem(err, "an outline");
    for (int i = 0; i < n; i++) {
        points[i][0] = OGR_G_GetX(ring, i);
        points[i][1] = OGR_G_GetY(ring, i);
    }
    *out = points;
    *n_out = (size_t)n;
    return TALLY_OK;
}

static tally_status name_detection(tally_store *store, OGRFeatureH feature, int column,
                                   tally_error *err)
{
    tally_detection row;
    char id[TALLY_ID_SIZE];
    memset(&row, 0, sizeof row);
    if (!tally_row_read(&tally_layers[TALLY_DETECTIONS], &store->columns[TALLY_DETECTIONS], feature,
                        &row))
        return tally_fail(err, TALLY_E_FORMAT,
                          "%s: a detection of no known class; use --fresh to start over",
                          store->path);
    tally_status s = read_ring(feature, &row.ring, &row.n_ring, err);
    if (s != TALLY_OK) return s;
    tally_detection_id(&row, id);
    tally_free(row.ring);
    OGR_F_SetFieldString(feature, column, id);
    return OGR_L_SetFeature(store->layers[TALLY_DETECTIONS], feature) == OGRERR_NONE
               ? TALLY_OK
               : tally_store_failed(store->path, "written", err);
}

tally_status tally_store_name_detections(tally_store *store, tally_error *err)
{
    OGRLayerH layer = store->layers[TALLY_DETECTIONS];
    const int column = OGR_FD_GetFieldIndex(OGR_L_GetLayerDefn(layer), "id");
    GIntBig *ids = NULL;
    size_t n = 0;
    tally_status s = tally_store_begin(store, err);
    if (s == TALLY_OK) s = list_rows(store, TALLY_DETECTIONS, NULL, &ids, &n, err);
    for (size_t i = 0; i < n && s == TALLY_OK; i++) {
        OGRFeatureH feature = OGR_L_GetFeature(layer, ids[i]);
        s = feature ? name_detection(store, feature, column, err)
                    : tally_store_failed(store->path, "read", err);
        OGR_F_Destroy(feature);
    }
    tally_free(ids);
    return tally_store_end(store, s, err);
}

static tally_status take_detection(OGRFeatureH feature, tally_detection *row, tally_records *r,
                                   tally_error *err)
{
    tally_status s = read_ring(feature, &row->ring, &row->n_ring, err);
    if (s == TALLY_OK && row->n_ring == 0)
        s = tally_fail(err, TALLY_E_FORMAT,
                       "a detection without an outline; use --fresh to start over");
    if (s == TALLY_OK) s = tally_records_add_detection(r, row, err);
    tally_free(row->ring);
    return s;
}

static tally_status take_review(OGRFeatureH feature, tally_review *row, tally_records *r,
                                tally_error *err)
{
    tally_status s = read_ring(feature, &row->ring, &row->n_ring, err);
    if (s == TALLY_OK) s = tally_records_add_review(r, row, err);
    tally_free(row->ring);
    return s;
}

static tally_status take_row(const tally_store *store, int id, OGRFeatureH feature,
                             tally_records *r, tally_error *err)
{
    union {
        tally_scene_record scene;
        tally_observation observation;
        tally_detection detection;
        tally_spike spike;
        tally_visit visit;
        tally_review review;
    } row;
    memset(&row, 0, sizeof row);
    if (!tally_row_read(&tally_layers[id], &store->columns[id], feature, &row))
        return tally_fail(
            err, TALLY_E_FORMAT,
            "layer %s holds a word that tallyman does not know; use --fresh to start over",
            tally_layers[id].name);
    switch (id) {
    case TALLY_SCENES:
        return tally_records_add_scene(r, &row.scene, err);
    case TALLY_OBSERVATIONS:
        return tally_records_add_observation(r, &row.observation, err);
    case TALLY_SPIKES:
        return tally_records_add_spike(r, &row.spike, err);
    case TALLY_VISITS:
        return tally_records_add_visit(r, &row.visit, err);
    case TALLY_REVIEWS:
        return take_review(feature, &row.review, r, err);
    default:
        return take_detection(feature, &row.detection, r, err);
    }
}

tally_status tally_store_read(tally_store *store, tally_records **out, tally_error *err)
{
    tally_status s = tally_records_create(out, err);
    CPLPushErrorHandler(CPLQuietErrorHandler);
    for (int id = 0; id < TALLY_LAYER_COUNT && s == TALLY_OK; id++) {
        OGRFeatureH feature;
        if (!store->layers[id]) continue; /* an older store */
        OGR_L_ResetReading(store->layers[id]);
        while (s == TALLY_OK && (feature = OGR_L_GetNextFeature(store->layers[id]))) {
            s = take_row(store, id, feature, *out, err);
            OGR_F_Destroy(feature);
        }
    }
    CPLPopErrorHandler();
    if (s == TALLY_OK)
        tally_records_sort(*out);
    else
        tally_records_destroy(out);
    return s;
}
