/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "store/rows.h"

#include <math.h>
#include <string.h>

#include "base/base.h"

#define FIELD(type, member, kind)                                                                  \
    {                                                                                              \
#member, TALLY_FIELD_##kind, offsetof(type, member)                                        \
    }
#define NAMED(type, member, name, kind)                                                            \
    {                                                                                              \
        name, TALLY_FIELD_##kind, offsetof(type, member)                                           \
    }
#define COUNT_OF(fields) ((int)(sizeof(fields) / sizeof *(fields)))

static const tally_field scene_fields[] = {
    FIELD(tally_scene_record, site, TEXT),
    FIELD(tally_scene_record, scene, TEXT),
    NAMED(tally_scene_record, utc, "datetime", TIME),
    FIELD(tally_scene_record, files, TEXT),
    FIELD(tally_scene_record, epsg, INT),
    FIELD(tally_scene_record, gsd_m, NUMBER),
    FIELD(tally_scene_record, sun_azimuth, NUMBER),
    FIELD(tally_scene_record, sun_elevation, NUMBER),
    FIELD(tally_scene_record, off_nadir, NUMBER),
    FIELD(tally_scene_record, cloud, NUMBER),
    FIELD(tally_scene_record, reference, INT),
    FIELD(tally_scene_record, dx_px, NUMBER),
    FIELD(tally_scene_record, dy_px, NUMBER),
    FIELD(tally_scene_record, rmse_px, NUMBER),
    FIELD(tally_scene_record, windows, INT),
    FIELD(tally_scene_record, quality, QUALITY),
    FIELD(tally_scene_record, reason, TEXT),
    FIELD(tally_scene_record, family, TEXT),
    FIELD(tally_scene_record, sensor, TEXT),
    FIELD(tally_scene_record, time_source, TEXT),
    FIELD(tally_scene_record, time_precision, TEXT),
    FIELD(tally_scene_record, basis, TEXT),
    FIELD(tally_scene_record, model, TEXT),
    FIELD(tally_scene_record, vanishing, NUMBER),
};

static const tally_field observation_fields[] = {
    FIELD(tally_observation, site, TEXT),
    FIELD(tally_observation, zone, TEXT),
    NAMED(tally_observation, class_, "class", CLASS),
    NAMED(tally_observation, utc, "datetime", TIME),
    FIELD(tally_observation, scene, TEXT),
    FIELD(tally_observation, count, COUNT),
    FIELD(tally_observation, low, NUMBER),
    FIELD(tally_observation, high, NUMBER),
    FIELD(tally_observation, extent, NUMBER),
    FIELD(tally_observation, occupancy, NUMBER),
    FIELD(tally_observation, seen, NUMBER),
    FIELD(tally_observation, quality, QUALITY),
    FIELD(tally_observation, estimate, NUMBER),
    FIELD(tally_observation, reason, TEXT),
    FIELD(tally_observation, family, TEXT),
    FIELD(tally_observation, gsd_m, NUMBER),
    FIELD(tally_observation, containers, NUMBER),
    FIELD(tally_observation, containers_low, NUMBER),
    FIELD(tally_observation, containers_high, NUMBER),
    FIELD(tally_observation, containers_basis, TEXT),
};

static const tally_field detection_fields[] = {
    FIELD(tally_detection, site, TEXT),
    FIELD(tally_detection, zone, TEXT),
    NAMED(tally_detection, class_, "class", CLASS),
    NAMED(tally_detection, utc, "datetime", TIME),
    FIELD(tally_detection, scene, TEXT),
    FIELD(tally_detection, count, COUNT),
    FIELD(tally_detection, length_m, NUMBER),
    FIELD(tally_detection, width_m, NUMBER),
    FIELD(tally_detection, heading_deg, NUMBER),
    FIELD(tally_detection, area_m2, NUMBER),
    FIELD(tally_detection, score, NUMBER),
    FIELD(tally_detection, type, TEXT),
    FIELD(tally_detection, id, TEXT),
    FIELD(tally_detection, cars, TEXT),
};

static const tally_field spike_fields[] = {
    FIELD(tally_spike, site, TEXT),
    FIELD(tally_spike, zone, TEXT),
    NAMED(tally_spike, class_, "class", CLASS),
    NAMED(tally_spike, utc, "datetime", TIME),
    FIELD(tally_spike, scene, TEXT),
    FIELD(tally_spike, count, NUMBER),
    FIELD(tally_spike, expected, NUMBER),
    FIELD(tally_spike, low, NUMBER),
    FIELD(tally_spike, high, NUMBER),
    FIELD(tally_spike, score, NUMBER),
    FIELD(tally_spike, kind, TEXT),
    FIELD(tally_spike, record_since, TIME),
    FIELD(tally_spike, count_low, NUMBER),
    FIELD(tally_spike, count_high, NUMBER),
    FIELD(tally_spike, n_seen, INT),
    FIELD(tally_spike, series_since, TIME),
    FIELD(tally_spike, previous_record, NUMBER),
};

static const tally_field visit_fields[] = {
    FIELD(tally_visit, site, TEXT),           FIELD(tally_visit, zone, TEXT),
    FIELD(tally_visit, visit, TEXT),          FIELD(tally_visit, length_m, NUMBER),
    FIELD(tally_visit, first_seen, TIME),     FIELD(tally_visit, last_seen, TIME),
    FIELD(tally_visit, arrived_after, TIME),  FIELD(tally_visit, arrived_before, TIME),
    FIELD(tally_visit, departed_after, TIME), FIELD(tally_visit, departed_before, TIME),
    FIELD(tally_visit, scenes, TEXT),         FIELD(tally_visit, call, TEXT),
};

static const tally_field review_fields[] = {
    FIELD(tally_review, action, TEXT),      NAMED(tally_review, class_, "class", TEXT),
    FIELD(tally_review, zone, TEXT),        FIELD(tally_review, scene, TEXT),
    FIELD(tally_review, datetime, TEXT),    FIELD(tally_review, detection, TEXT),
    FIELD(tally_review, count, COUNT),      FIELD(tally_review, who, TEXT),
    FIELD(tally_review, why, TEXT),         FIELD(tally_review, when, TEXT),
    FIELD(tally_review, longitude, NUMBER), FIELD(tally_review, latitude, NUMBER),
};

const tally_layer tally_layers[TALLY_LAYER_COUNT] = {
    [TALLY_SCENES] = { "scenes", scene_fields, COUNT_OF(scene_fields), 22, wkbNone },
    [TALLY_OBSERVATIONS] = { "observations", observation_fields, COUNT_OF(observation_fields), 16,
                             wkbNone },
    [TALLY_DETECTIONS] = { "detections", detection_fields, COUNT_OF(detection_fields), 12,
                           wkbPolygon },
    [TALLY_SPIKES] = { "spikes", spike_fields, COUNT_OF(spike_fields), 17, wkbNone },
    [TALLY_VISITS] = { "visits", visit_fields, COUNT_OF(visit_fields), 12, wkbNone },
    [TALLY_REVIEWS] = { "review", review_fields, COUNT_OF(review_fields), 0, wkbPolygon },
};

OGRFieldType tally_field_type(tally_field_kind kind)
{
    switch (kind) {
    case TALLY_FIELD_NUMBER:
        return OFTReal;
    case TALLY_FIELD_INT:
        return OFTInteger;
    case TALLY_FIELD_COUNT:
        return OFTInteger64;
    default:
        return OFTString;
    }
}

static void write_field(const tally_field *field, const char *at, OGRFeatureH feature, int i)
{
    char text[24];
    double number;
    int64_t whole;
    switch (field->kind) {
    case TALLY_FIELD_TEXT:
        OGR_F_SetFieldString(feature, i, *(const char *const *)at);
        return;
    case TALLY_FIELD_NUMBER:
        number = *(const double *)at;
        if (isfinite(number)) OGR_F_SetFieldDouble(feature, i, number);
        return;
    case TALLY_FIELD_INT:
        OGR_F_SetFieldInteger(feature, i, *(const int *)at);
        return;
    case TALLY_FIELD_COUNT:
        whole = *(const int64_t *)at;
        if (whole != TALLY_NO_COUNT) OGR_F_SetFieldInteger64(feature, i, whole);
        return;
    case TALLY_FIELD_TIME:
        tally_utc_format(*(const int64_t *)at, text);
        if (text[0]) OGR_F_SetFieldString(feature, i, text);
        return;
    case TALLY_FIELD_CLASS:
        OGR_F_SetFieldString(feature, i, tally_class_name(*(const tally_class *)at));
        return;
    case TALLY_FIELD_QUALITY:
        OGR_F_SetFieldString(feature, i, tally_quality_name(*(const tally_quality *)at));
        return;
    }
}

void tally_row_write(const tally_layer *layer, const tally_columns *columns, const void *row,
                     OGRFeatureH feature)
{
    for (int i = 0; i < layer->n_fields; i++)
        if (columns->at[i] >= 0)
            write_field(&layer->fields[i], (const char *)row + layer->fields[i].offset, feature,
                        columns->at[i]);
}

static bool read_field(const tally_field *field, OGRFeatureH feature, int i, char *to)
{
    bool set = i >= 0 && OGR_F_IsFieldSetAndNotNull(feature, i);
    const char *text = set ? OGR_F_GetFieldAsString(feature, i) : "";
    int word;
    switch (field->kind) {
    case TALLY_FIELD_TEXT:
        *(const char **)to = text;
        return true;
    case TALLY_FIELD_NUMBER:
        *(double *)to = set ? OGR_F_GetFieldAsDouble(feature, i) : NAN;
        return true;
    case TALLY_FIELD_INT:
        *(int *)to = set ? OGR_F_GetFieldAsInteger(feature, i) : 0;
        return true;
    case TALLY_FIELD_COUNT:
        *(int64_t *)to = set ? OGR_F_GetFieldAsInteger64(feature, i) : TALLY_NO_COUNT;
        return true;
    case TALLY_FIELD_TIME:
        *(int64_t *)to = TALLY_NO_TIME;
        return !set || tally_utc_parse(text, (int64_t *)to, NULL);
    case TALLY_FIELD_CLASS:
        word = tally_class_parse(text);
        *(tally_class *)to = word < 0 ? TALLY_RAILCAR : (tally_class)word;
        return word >= 0;
    case TALLY_FIELD_QUALITY:
        word = tally_quality_parse(text);
        *(tally_quality *)to = word < 0 ? TALLY_QUALITY_UNSEEN : (tally_quality)word;
        return word >= 0;
    }
    return false;
}

bool tally_row_read(const tally_layer *layer, const tally_columns *columns, OGRFeatureH feature,
                    void *row)
{
    bool good = true;
    for (int i = 0; i < layer->n_fields; i++)
        good = read_field(&layer->fields[i], feature, columns->at[i],
                          (char *)row + layer->fields[i].offset) &&
               good;
    return good;
}
