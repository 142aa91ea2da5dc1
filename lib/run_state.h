/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * run.json: what a folder was made from. Settings, versions, hashes of every input, the runs in
 * their order, the frozen backgrounds. It is what a second run continues and what `verify` replays.
 */
#ifndef TALLY_RUN_STATE_H
#define TALLY_RUN_STATE_H

#include "base/base.h"
#include "scene/scene.h"
#include "tallyman/run.h"
#include "tallyman/store.h"

typedef struct tally_run_state tally_run_state;

/* Read folder/run.json; a folder without one gives an empty state. TALLY_E_FORMAT when it is not
 * ours. */
tally_status tally_run_state_open(const char *folder, tally_run_state **out,
                                  tally_error *err) TALLY_MUST_CHECK;
void tally_run_state_close(tally_run_state **state);
tally_status tally_run_state_save(const tally_run_state *state, const char *folder,
                                  tally_error *err) TALLY_MUST_CHECK;
bool tally_run_state_is_new(const tally_run_state *state);

/* Begin a run: the first one fixes site and settings; later ones must agree with it (TALLY_E_ARG
 * says where they differ). */
tally_status tally_run_state_begin(tally_run_state *state, const tally_run_settings *settings,
                                   const char *site_sha256, tally_error *err) TALLY_MUST_CHECK;
/* The hash of the catalogue of rail vehicles; TALLY_E_ARG when the folder was made with another. */
tally_status tally_run_state_set_catalogue(tally_run_state *state, const char *folder,
                                           const char *sha256, tally_error *err) TALLY_MUST_CHECK;

/* The site's time zone, "" when unknown, for those who read the folder later. */
tally_status tally_run_state_set_timezone(tally_run_state *state, const char *timezone,
                                          tally_error *err) TALLY_MUST_CHECK;

/* What does the work of the run that begins, by name and version of each library. */
tally_status tally_run_state_note_versions(tally_run_state *state, const tally_context *ctx,
                                           tally_store *store, tally_error *err) TALLY_MUST_CHECK;

/* SHA-256 over all that decides what a scene gives: its files, time, angles, bands. Reads the files
 * whole. */
tally_status tally_scene_fingerprint(const tally_scene *scene, char out[65],
                                     tally_error *err) TALLY_MUST_CHECK;
bool tally_run_state_has_scene(const tally_run_state *state, const char *id,
                               const char *fingerprint);
/* All of them, for the catalogue: *out is freed with tally_free, its strings are the state's. */
tally_status tally_run_state_scenes(const tally_run_state *state, tally_known_scene **out,
                                    size_t *n, tally_error *err) TALLY_MUST_CHECK;
tally_status tally_run_state_set_scene(tally_run_state *state, const tally_scene *scene,
                                       const char *fingerprint, tally_error *err) TALLY_MUST_CHECK;

/* The frozen background of a family, or NULL; basis: `background`, `pair`, `single`. Borrowed. */
const char *tally_run_state_background(const tally_run_state *state, const char *family,
                                       const char **basis);
tally_status tally_run_state_set_background(tally_run_state *state, const char *family,
                                            const char *id, const char *basis,
                                            tally_error *err) TALLY_MUST_CHECK;

/* Each frozen background of a folder, by family. */
typedef tally_status (*tally_background_fn)(void *user, const char *family, const char *id,
                                            const char *basis, tally_error *err);
tally_status tally_run_state_each_background(const tally_run_state *state, tally_background_fn each,
                                             void *user, tally_error *err) TALLY_MUST_CHECK;
/* Can a run of these settings count against this folder's backgrounds? TALLY_E_ARG says why not. */
tally_status tally_run_state_check_frozen(const tally_run_state *state,
                                          const tally_run_settings *settings,
                                          const char *site_sha256,
                                          tally_error *err) TALLY_MUST_CHECK;
/* Where a family's zones are counted: metres east and north of where the site file has them, and
 * how much of that is because they were found there (0, 0: not). For readers; nothing goes on from
 * it. */
typedef struct tally_run_datum {
    double east_m, north_m, zones_east_m, zones_north_m;
} tally_run_datum;
tally_status tally_run_state_set_datum(tally_run_state *state, const char *family,
                                       tally_run_datum datum, tally_error *err) TALLY_MUST_CHECK;

/* The runs that made the folder, for verify. Strings are borrowed from the state; inputs are freed
 * with tally_free. */
size_t tally_run_state_n_runs(const tally_run_state *state);
tally_status tally_run_state_run(const tally_run_state *state, size_t i,
                                 tally_run_settings *settings, tally_error *err) TALLY_MUST_CHECK;

#endif
