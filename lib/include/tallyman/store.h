/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TALLYMAN_STORE_H
#define TALLYMAN_STORE_H

#include <stdbool.h>

#include "tallyman/records.h"

/*
 * The store of a site: a GeoPackage that QGIS opens, with the layers scenes, observations,
 * detections, spikes, visits. Each scene goes in whole or not at all. One store stays on one
 * thread.
 */
typedef struct tally_store tally_store;
typedef enum tally_store_mode { TALLY_STORE_READ, TALLY_STORE_CREATE } tally_store_mode;

/* CREATE takes up what is there, else makes it. Errors: TALLY_E_IO, TALLY_E_FORMAT when it is not a
 * store of ours. */
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
/* All that it holds, sorted. */
TALLY_API tally_status tally_store_read(tally_store *store, tally_records **out,
                                        tally_error *err) TALLY_MUST_CHECK;

#endif
