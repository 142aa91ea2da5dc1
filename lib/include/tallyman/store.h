/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TALLYMAN_STORE_H
#define TALLYMAN_STORE_H

#include <stdbool.h>

#include "tallyman/records.h"

/*
 * The store of a site: a GeoPackage that QGIS opens, with the layers scenes, observations,
 * detections, spikes, visits, and review, which is the analysts': rows are only ever added to it.
 * Each scene goes in whole or not at all. One store stays on one thread.
 */
typedef struct tally_store tally_store;
typedef enum tally_store_mode {
    TALLY_STORE_READ,
    TALLY_STORE_CREATE, /* takes up what is there, else makes it */
    TALLY_STORE_UPDATE  /* only what is there */
} tally_store_mode;

/* A store of an earlier program is read as it is; CREATE and UPDATE add what it lacks. Errors:
 * TALLY_E_IO, TALLY_E_FORMAT when it is not a store of ours, or a later program's. */
TALLY_API tally_status tally_store_open(const char *path, tally_store_mode mode, tally_store **out,
                                        tally_error *err) TALLY_MUST_CHECK;
TALLY_API void tally_store_close(tally_store **store);
/* What the site is called, for people: kept in the store's metadata. "" when it was never set; the
 * text lives as long as the store. */
TALLY_API tally_status tally_store_set_title(tally_store *store, const char *title,
                                             tally_error *err) TALLY_MUST_CHECK;
TALLY_API const char *tally_store_title(tally_store *store);
/* The SQLite that keeps it, "3.40.1"; "" when it does not say. Lives as long as the store. */
TALLY_API const char *tally_store_sqlite_version(tally_store *store);
TALLY_API tally_status tally_store_has_scene(tally_store *store, const char *scene, bool *stored,
                                             tally_error *err) TALLY_MUST_CHECK;
/* One transaction; what the store held of this scene before is replaced. */
TALLY_API tally_status tally_store_put_scene(tally_store *store, const tally_scene_record *scene,
                                             const tally_observation *observations,
                                             size_t n_observations,
                                             const tally_detection *detections, size_t n_detections,
                                             tally_error *err) TALLY_MUST_CHECK;
/* One transaction; all spikes and visits are replaced. */
TALLY_API tally_status tally_store_put_series(tally_store *store, const tally_spike *spikes,
                                              size_t n_spikes, const tally_visit *visits,
                                              size_t n_visits, tally_error *err) TALLY_MUST_CHECK;
/* One transaction; added to what the layer `review` holds. */
TALLY_API tally_status tally_store_put_reviews(tally_store *store, const tally_review *reviews,
                                               size_t n, tally_error *err) TALLY_MUST_CHECK;
/*
 * The form in which QGIS shows the layer `review`: scenes and zones to choose from are those of
 * `records`. A form that somebody else changed stays as it is.
 */
TALLY_API tally_status tally_store_dress_review(tally_store *store, const tally_records *records,
                                                tally_error *err) TALLY_MUST_CHECK;
/*
 * Make the store at `path` anew and empty but for its reviews, which are carried over, forms and
 * columns of the analysts' own included; what cannot be opened as a store is set aside under
 * another name, and *aside (freed with tally_free, else NULL) says where. One rename: it is done or
 * not. Fine when there is none. Errors: TALLY_E_BUSY while QGIS has it open, TALLY_E_IO.
 */
TALLY_API tally_status tally_store_renew(const char *path, char **aside,
                                         tally_error *err) TALLY_MUST_CHECK;
/* All that it holds, sorted. */
TALLY_API tally_status tally_store_read(tally_store *store, tally_records **out,
                                        tally_error *err) TALLY_MUST_CHECK;

#endif
