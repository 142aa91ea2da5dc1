/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files of the store share. */
#ifndef TALLY_STORE_INSIDE_H
#define TALLY_STORE_INSIDE_H

#include <gdal.h>

#include "base/base.h"
#include "store/rows.h"
#include "tallyman/store.h"

struct tally_store {
    GDALDatasetH dataset;
    OGRLayerH layers[TALLY_LAYER_COUNT]; /* NULL: an older store lacks it */
    tally_columns columns[TALLY_LAYER_COUNT];
    char *path;
    char sqlite_version[32];
};

/* "PATH: cannot be DOING: what GDAL said". */
tally_status tally_store_failed(const char *path, const char *doing, tally_error *err);

/* layers.c: a layer with its columns, made or found; the version of their layout. */
tally_status tally_layer_make(tally_store *store, int id, tally_error *err) TALLY_MUST_CHECK;
tally_status tally_layer_take(tally_store *store, int id, tally_error *err) TALLY_MUST_CHECK;
tally_status tally_schema_check(tally_store *store, tally_error *err) TALLY_MUST_CHECK;
tally_status tally_schema_note(tally_store *store, tally_error *err) TALLY_MUST_CHECK;
/* Add what an older store lacks; all that it holds stays. */
tally_status tally_schema_upgrade(tally_store *store, tally_error *err) TALLY_MUST_CHECK;

/* What was found before ids were kept gets them: QGIS shows them to be named in a review. */
tally_status tally_store_name_detections(tally_store *store, tally_error *err) TALLY_MUST_CHECK;

/* A transaction; `end` commits where s is TALLY_OK, else rolls back and hands s on. */
tally_status tally_store_begin(tally_store *store, tally_error *err) TALLY_MUST_CHECK;
tally_status tally_store_end(tally_store *store, tally_status s, tally_error *err) TALLY_MUST_CHECK;

#endif
