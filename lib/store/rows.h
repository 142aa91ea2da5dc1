/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How the fields of each record lie in its layer: one table a record, read and written by the same
 * two functions. */
#ifndef TALLY_STORE_ROWS_H
#define TALLY_STORE_ROWS_H

#include <ogr_api.h>
#include <stdbool.h>
#include <stddef.h>

#include "tallyman/records.h"

typedef enum tally_field_kind {
    TALLY_FIELD_TEXT,    /* const char * */
    TALLY_FIELD_NUMBER,  /* double; NaN is NULL */
    TALLY_FIELD_INT,     /* int */
    TALLY_FIELD_COUNT,   /* int64_t; TALLY_NO_COUNT is NULL */
    TALLY_FIELD_TIME,    /* int64_t seconds, kept as text; no time is NULL */
    TALLY_FIELD_CLASS,   /* tally_class, kept as its name */
    TALLY_FIELD_QUALITY, /* tally_quality, kept as its name */
} tally_field_kind;

typedef struct tally_field {
    const char *name;
    tally_field_kind kind;
    size_t offset;
} tally_field;

typedef struct tally_layer {
    const char *name;
    const tally_field *fields;
    int n_fields;
    int n_first; /* of the first stores: what any of ours has; 0: they lacked the layer */
    OGRwkbGeometryType geometry;
} tally_layer;

typedef enum tally_layer_id {
    TALLY_SCENES,
    TALLY_OBSERVATIONS,
    TALLY_DETECTIONS,
    TALLY_SPIKES,
    TALLY_VISITS,
    TALLY_REVIEWS, /* the analysts': no run deletes a row of it */
    TALLY_LAYER_COUNT
} tally_layer_id;
extern const tally_layer tally_layers[TALLY_LAYER_COUNT];

OGRFieldType tally_field_type(tally_field_kind kind);
/* Where each field of a layer lies among the columns of a file; -1: an older store lacks it. */
enum { TALLY_FIELDS = 40 };
typedef struct tally_columns {
    int at[TALLY_FIELDS];
} tally_columns;
/* Copy a record into a feature, field by field. */
void tally_row_write(const tally_layer *layer, const tally_columns *columns, const void *row,
                     OGRFeatureH feature);
/* And back; what the file lacks is unknown. Texts stay the feature's. False: a word that is none of
 * ours. */
bool tally_row_read(const tally_layer *layer, const tally_columns *columns, OGRFeatureH feature,
                    void *row);

#endif
