/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The layers of a store and their columns, found by name: a store of an earlier program lacks some,
 * and one that was edited in QGIS may have more. The layout's number stands in the store's
 * metadata; layouts only grow.
 *   1  scenes, observations, detections, spikes, visits (no number is written)
 *   2  detections have `id`; the layer `review`
 */
#include <cpl_error.h>
#include <ogr_srs_api.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scene/scene.h"
#include "site/crs.h"
#include "store/inside.h"

enum { SCHEMA = 2 };
static const char schema_key[] = "TALLYMAN_SCHEMA";

tally_status tally_store_failed(const char *path, const char *doing, tally_error *err)
{
    char said[256];
    return tally_fail(err, TALLY_E_IO,
                      "%s: cannot be %s: %s; check the disk's space and who may write there", path,
                      doing, tally_gdal_said(said, sizeof said));
}

static tally_status make_column(tally_store *store, int id, int i, tally_error *err)
{
    const tally_field *field = &tally_layers[id].fields[i];
    OGRFieldDefnH made = OGR_Fld_Create(field->name, tally_field_type(field->kind));
    OGRErr bad = OGR_L_CreateField(store->layers[id], made, TRUE);
    OGR_Fld_Destroy(made);
    if (bad) return tally_store_failed(store->path, "given its columns", err);
    store->columns[id].at[i] =
        OGR_FD_GetFieldIndex(OGR_L_GetLayerDefn(store->layers[id]), field->name);
    return TALLY_OK;
}

tally_status tally_layer_make(tally_store *store, int id, tally_error *err)
{
    const tally_layer *l = &tally_layers[id];
    OGRSpatialReferenceH srs = NULL;
    if (l->geometry != wkbNone) {
        srs = OSRNewSpatialReference(NULL);
        if (OSRImportFromEPSG(srs, TALLY_LONLAT) != OGRERR_NONE) {
            OSRRelease(srs);
            return tally_store_failed(store->path, "given a CRS", err);
        }
        OSRSetAxisMappingStrategy(srs, OAMS_TRADITIONAL_GIS_ORDER);
    }
    OGRLayerH layer = GDALDatasetCreateLayer(store->dataset, l->name, srs, l->geometry, NULL);
    if (srs) OSRRelease(srs);
    if (!layer) return tally_store_failed(store->path, "given its layers", err);
    store->layers[id] = layer;
    tally_status s = TALLY_OK;
    for (int i = 0; i < l->n_fields && s == TALLY_OK; i++)
        s = make_column(store, id, i, err);
    return s;
}

tally_status tally_layer_take(tally_store *store, int id, tally_error *err)
{
    const tally_layer *l = &tally_layers[id];
    OGRLayerH layer = GDALDatasetGetLayerByName(store->dataset, l->name);
    OGRFeatureDefnH columns = layer ? OGR_L_GetLayerDefn(layer) : NULL;
    bool good = columns || l->n_first == 0;
    for (int i = 0; i < l->n_fields; i++) {
        store->columns[id].at[i] = columns ? OGR_FD_GetFieldIndex(columns, l->fields[i].name) : -1;
        good = good && (i >= l->n_first || store->columns[id].at[i] >= 0);
    }
    if (!good)
        return tally_fail(err, TALLY_E_FORMAT,
                          "%s: its layer %s is not what tallyman writes; use --fresh to start over",
                          store->path, l->name);
    store->layers[id] = layer;
    return TALLY_OK;
}

static int schema_of(tally_store *store)
{
    const char *text = GDALGetMetadataItem(store->dataset, schema_key, NULL);
    return text ? atoi(text) : 1;
}

tally_status tally_schema_check(tally_store *store, tally_error *err)
{
    const int schema = schema_of(store);
    return schema >= 1 && schema <= SCHEMA
               ? TALLY_OK
               : tally_fail(err, TALLY_E_FORMAT,
                            "%s: its layout has the number %d and this program knows %d; use the "
                            "tallyman that wrote it, or a newer one",
                            store->path, schema, SCHEMA);
}

tally_status tally_schema_note(tally_store *store, tally_error *err)
{
    char text[16];
    snprintf(text, sizeof text, "%d", SCHEMA);
    return GDALSetMetadataItem(store->dataset, schema_key, text, NULL) == CE_None
               ? TALLY_OK
               : tally_store_failed(store->path, "given the number of its layout", err);
}

tally_status tally_schema_upgrade(tally_store *store, tally_error *err)
{
    tally_status s = TALLY_OK;
    if (schema_of(store) == SCHEMA) return TALLY_OK;
    for (int id = 0; id < TALLY_LAYER_COUNT && s == TALLY_OK; id++) {
        if (!store->layers[id]) {
            s = tally_layer_make(store, id, err);
            continue;
        }
        for (int i = 0; i < tally_layers[id].n_fields && s == TALLY_OK; i++)
            if (store->columns[id].at[i] < 0) s = make_column(store, id, i, err);
    }
    if (s == TALLY_OK) s = tally_store_name_detections(store, err);
    return s == TALLY_OK ? tally_schema_note(store, err) : s;
}
