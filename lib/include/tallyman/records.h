/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TALLYMAN_RECORDS_H
#define TALLYMAN_RECORDS_H

#include <stddef.h>
#include <stdint.h>

#include "tallyman/status.h"

/* What is counted, and what became of it. The words of CONTRACT.md; tally_*_name() gives the
 * spelling of the files. */
typedef enum tally_class {
    TALLY_RAILCAR,
    TALLY_CONTAINER_STACK,
    TALLY_VESSEL,
    TALLY_CLASS_COUNT
} tally_class;
typedef enum tally_quality {
    TALLY_QUALITY_OK,
    TALLY_QUALITY_PARTIAL,
    TALLY_QUALITY_UNSEEN,
    TALLY_QUALITY_REFUSED,
    TALLY_QUALITY_REJECTED,
    TALLY_QUALITY_COUNT
} tally_quality;
TALLY_API const char *tally_class_name(tally_class c);
TALLY_API const char *tally_class_unit(tally_class c); /* of the extent: m or m2 */
TALLY_API const char *tally_quality_name(tally_quality q);
/* -1 when the word is unknown. */
TALLY_API int tally_class_parse(const char *word);
TALLY_API int tally_quality_parse(const char *word);

/* What an analyst says of a count or of a thing that was found. */
typedef enum tally_action {
    TALLY_ACCEPT,  /* it is right */
    TALLY_REJECT,  /* it is no such thing */
    TALLY_ADD,     /* there is one more */
    TALLY_CORRECT, /* it is so many */
    TALLY_ACTION_COUNT
} tally_action;
TALLY_API const char *tally_action_name(tally_action a);
TALLY_API int tally_action_parse(const char *word);

/* Whose counts: what the pixels gave, or that with the reviews laid over it. */
typedef enum tally_counts {
    TALLY_COUNTS_MACHINE,
    TALLY_COUNTS_REVIEWED,
    TALLY_COUNTS_COUNT
} tally_counts;
TALLY_API const char *tally_counts_name(tally_counts c);
TALLY_API int tally_counts_parse(const char *word);

#define TALLY_NO_COUNT (-1)

/* One row of scenes.csv. Strings are never NULL, numbers that are unknown are NaN. */
typedef struct tally_scene_record {
    const char *site, *scene, *files, *reason, *family, *sensor, *time_source, *time_precision,
        *basis, *model;
    int64_t utc;
    int epsg, reference, windows;
    double gsd_m, sun_azimuth, sun_elevation, off_nadir, cloud, dx_px, dy_px, rmse_px, vanishing;
    tally_quality quality; /* OK or REJECTED */
} tally_scene_record;

/* What reviews made of a row: the machine's numbers are kept here while theirs stand in the row. */
typedef struct tally_reviewed {
    int touched; /* 0: no review speaks of the row, and nothing else here is set */
    tally_quality quality;
    int64_t count;
    double low, high, estimate;
    const char *reason;
    const char *action, *who,
        *why;     /* several are joined; action `sum`: a total of reviewed zones */
    int64_t when; /* the last of them */
} tally_reviewed;

/* One row of series.csv. */
typedef struct tally_observation {
    const char *site, *zone, *scene, *reason, *family;
    tally_class class_;
    tally_quality quality;
    int64_t utc;
    int64_t count; /* TALLY_NO_COUNT: empty */
    double low, high, extent, occupancy, seen, estimate, gsd_m;
    /* Boxes in all tiers, of container stacks; NaN where containers_basis is "": not known. Else it
     * is `shadow` or `range`. */
    double containers, containers_low, containers_high;
    const char *containers_basis;
    tally_reviewed reviewed; /* set by tally_review_apply */
} tally_observation;

/* One feature of detections.geojson; the ring is open (last point not repeated), longitude and
 * latitude. */
typedef struct tally_detection {
    const char *site, *zone, *scene, *type;
    const char *cars; /* `gondola 12.5-26.4; ...`, metres along the track; NULL or "": not known */
    tally_class class_;
    int64_t utc, count;
    double length_m, width_m, heading_deg, area_m2, score;
    double (*ring)[2];
    size_t n_ring;
    const char *id; /* of what it is and where: made when NULL or "", see tally_detection_id */
} tally_detection;

/*
 * Twelve hexadecimal digits over scene, class, zone, outline and count: the same thing found again
 * has the same id, in another run and another store too; one that lies elsewhere or counts
 * otherwise is another thing, so that no review speaks of what its author did not see.
 */
enum { TALLY_ID_SIZE = 13 };
TALLY_API void tally_detection_id(const tally_detection *d, char out[TALLY_ID_SIZE]);

/*
 * One row of the layer `review`, as it was typed in: any text may be wrong or empty. `problem` is
 * set by tally_review_apply: "" where the row is used, else why not.
 */
typedef struct tally_review {
    const char *action, *class_, *zone, *scene, *datetime, *detection, *who, *why, *when;
    const char *problem;
    int64_t count;              /* TALLY_NO_COUNT: empty */
    double longitude, latitude; /* NaN: no point */
    double (*ring)[2];          /* NULL: no outline */
    size_t n_ring;
} tally_review;

/* One row of spikes.csv. */
typedef struct tally_spike {
    const char *site, *zone, *scene, *kind;
    tally_class class_;
    int64_t utc, record_since /* TALLY_NO_TIME: none */, series_since;
    double count, expected, low, high, score, count_low, count_high, previous_record;
    int n_seen;
} tally_spike;

/* One row of visits.csv; open ends are INT64_MIN. */
typedef struct tally_visit {
    const char *site, *zone, *visit, *scenes, *call;
    int64_t first_seen, last_seen, arrived_after, arrived_before, departed_after, departed_before;
    double length_m;
} tally_visit;

/*
 * All that a store holds, in the order of the files: scenes by time and id; observations by scene,
 * class, zone with the total `*` last; detections by scene, class, zone and place; spikes and
 * visits by time; reviews as they were entered. Owns: the rows, the rings and, through `strings`,
 * every text in them.
 */
struct tally_strings;
typedef struct tally_records {
    struct tally_strings *strings;
    tally_scene_record *scenes;
    tally_observation *observations;
    tally_detection *detections;
    tally_spike *spikes;
    tally_visit *visits;
    tally_review *reviews;
    size_t n_scenes, n_observations, n_detections, n_spikes, n_visits, n_reviews;
    tally_counts counts; /* whose counts the observations are */
} tally_records;

TALLY_API tally_status tally_records_create(tally_records **out, tally_error *err) TALLY_MUST_CHECK;
TALLY_API void tally_records_destroy(tally_records **records);
/* Append a copy of the row (its strings are interned, its ring copied). */
TALLY_API tally_status tally_records_add_scene(tally_records *r, const tally_scene_record *row,
                                               tally_error *err) TALLY_MUST_CHECK;
TALLY_API tally_status tally_records_add_observation(tally_records *r, const tally_observation *row,
                                                     tally_error *err) TALLY_MUST_CHECK;
TALLY_API tally_status tally_records_add_detection(tally_records *r, const tally_detection *row,
                                                   tally_error *err) TALLY_MUST_CHECK;
TALLY_API tally_status tally_records_add_spike(tally_records *r, const tally_spike *row,
                                               tally_error *err) TALLY_MUST_CHECK;
TALLY_API tally_status tally_records_add_visit(tally_records *r, const tally_visit *row,
                                               tally_error *err) TALLY_MUST_CHECK;
TALLY_API tally_status tally_records_add_review(tally_records *r, const tally_review *row,
                                                tally_error *err) TALLY_MUST_CHECK;
/* Put the rows into the order above. */
TALLY_API void tally_records_sort(tally_records *r);

#endif
