/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The main job. One direction: catalogue -> families -> survey and background (run_family.c) ->
 * count -> rows (run_scene.c) -> store, one transaction a scene -> series over the whole store ->
 * tables, pictures, report. What a scene gives depends on the scene and the frozen background
 * alone, so a later run may add scenes.
 */
#include "tallyman/run.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "align/cloud.h"
#include "count/rail_catalogue.h"
#include "run_background.h"
#include "run_family.h"
#include "run_lock.h"
#include "run_pictures.h"
#include "run_scene.h"
#include "tallyman/report.h"
#include "tallyman/series.h"
#include "tallyman/store.h"

typedef struct run_job {
    const tally_context *ctx;
    tally_rail_catalogue *wagons;
    const tally_run_settings *settings;
    tally_run_result *result;
    tally_site *site;
    tally_catalogue *catalogue;
    tally_run_state *state;
    tally_known_scene *known; /* what earlier runs named */
    tally_store *store;
    char (*fingerprints)[65];   /* by catalogue scene; "" when a file cannot be read */
    bool *is_new;               /* by catalogue scene: to be surveyed and counted now */
    bool *is_unfit;             /* by catalogue scene: its family shows nothing of the site */
    bool *is_stored;            /* by catalogue scene: the store has a row of it, maybe an older */
    tally_family_job *families; /* open until the pictures are drawn; a stack is small, its pixels
                                   stay in the files */
    size_t n_families;
    tally_error unfit; /* of the first family that shows nothing of the site */
    int lock;
} run_job;

/* --fresh: the store without what was counted; the analysts' reviews stay. */
static tally_status renew_store(const tally_context *ctx, const char *folder, tally_error *err)
{
    char *aside = NULL, *path = tally_format("%s/tallyman.gpkg", folder);
    tally_status s = path ? tally_store_renew(path, &aside, err) : tally_nomem(err, folder);
    if (aside)
        tally_warn(ctx, "%s: cannot be opened; if there were reviews in it, they are in %s now",
                   path, aside);
    tally_free(aside);
    tally_free(path);
    return s;
}

/* --fresh: what the last runs left goes, by name; nothing else in the folder is touched. The store
 * first: it alone may refuse. */
static tally_status forget(const tally_context *ctx, const char *folder, tally_error *err)
{
    static const char *const ours[] = { "clouds", "run.json", "backgrounds", "pictures" };
    tally_status s = renew_store(ctx, folder, err);
    if (s != TALLY_OK) return s;
    for (size_t i = 0; i < sizeof ours / sizeof *ours; i++) {
        char *path = tally_format("%s/%s", folder, ours[i]);
        if (!path) return tally_nomem(err, "a file's name");
        s = tally_remove_tree(path, err);
        tally_free(path);
        if (s != TALLY_OK) return s;
    }
    return TALLY_OK;
}

static tally_status fingerprint_scene(void *user, size_t i, tally_error *err)
{
    run_job *job = user;
    tally_scene *scene = &job->catalogue->scenes[i];
    (void)err;
    /* an unreadable file is the scene's fault, not the run's: its fingerprint stays empty, so that
     * it is tried again */
    if (tally_scene_fingerprint(scene, job->fingerprints[i], NULL) != TALLY_OK)
        job->fingerprints[i][0] = '\0';
    return TALLY_OK;
}

static tally_status find_new_scenes(run_job *job, size_t *n_new, tally_error *err)
{
    size_t n = job->catalogue->n_scenes;
    *n_new = 0;
    job->fingerprints = tally_alloc(n, sizeof *job->fingerprints);
    job->is_new = tally_alloc(n, sizeof *job->is_new);
    job->is_stored = tally_alloc(n, sizeof *job->is_stored);
    job->is_unfit = tally_alloc(n, sizeof *job->is_unfit);
    if (!job->fingerprints || !job->is_new || !job->is_stored || !job->is_unfit)
        return tally_nomem(err, "the list of scenes");
    tally_status s = tally_parallel_for(job->ctx, "reading", n, fingerprint_scene, job, err);
    if (s != TALLY_OK) return s;
    for (size_t i = 0; i < n; i++) {
        const char *id = job->catalogue->scenes[i].id;
        if ((s = tally_store_has_scene(job->store, id, &job->is_stored[i], err)) != TALLY_OK)
            return s;
        job->is_new[i] = !job->is_stored[i] || !job->fingerprints[i][0] ||
                         !tally_run_state_has_scene(job->state, id, job->fingerprints[i]);
        *n_new += job->is_new[i];
    }
    return TALLY_OK;
}

static tally_status put_rows(run_job *job, tally_records *rows, tally_error *err)
{
    tally_records_sort(rows);
    return tally_store_put_scene(job->store, &rows->scenes[0], rows->observations,
                                 rows->n_observations, rows->detections, rows->n_detections, err);
}

static tally_status leave_out(run_job *job, const tally_scene *scene, const char *reason,
                              tally_error *err)
{
    tally_records *rows = NULL;
    tally_status s = tally_records_create(&rows, err);
    if (s == TALLY_OK) s = tally_scene_rows_rejected(job->site, scene, reason, rows, err);
    if (s == TALLY_OK) s = put_rows(job, rows, err);
    if (s == TALLY_OK && !scene->duplicate_of) {
        tally_warn(job->ctx, "%s: left out: %s", scene->id, reason);
        job->result->n_left_out++;
    }
    tally_records_destroy(&rows);
    return s;
}

/* The mask that was made for the scene goes into clouds/, to be looked at. */
static tally_status keep_mask(const run_job *job, const tally_family_job *family, size_t i,
                              tally_error *err)
{
    char *folder = tally_format("%s/clouds", job->settings->folder);
    char *name = tally_safe_name(family->stack->scenes[i].scene->id);
    char *path = folder && name ? tally_format("%s/%s.tif", folder, name) : NULL;
    tally_status s = path ? tally_remove_tree(path, err) : tally_nomem(err, "a file's name");
    if (s == TALLY_OK && family->stack->scenes[i].cloud.bits) {
        s = tally_mkdir(folder, err);
        if (s == TALLY_OK) s = tally_clouds_write(family->stack, i, path, err);
    }
    tally_free(path);
    tally_free(name);
    tally_free(folder);
    return s;
}

static tally_status store_scene(run_job *job, const tally_family_job *family, size_t i,
                                const tally_findings *findings, tally_error *err)
{
    const tally_stack_scene *entry = &family->stack->scenes[i];
    if (!entry->placement.accepted)
        return leave_out(job, entry->scene, entry->placement.reason, err);
    tally_records *rows = NULL;
    tally_status s = tally_records_create(&rows, err);
    if (s == TALLY_OK) s = tally_scene_rows(family->stack, i, family->basis, findings, rows, err);
    if (s == TALLY_OK) s = put_rows(job, rows, err);
    if (s == TALLY_OK) s = keep_mask(job, family, i, err);
    if (s == TALLY_OK) job->result->n_counted++;
    tally_records_destroy(&rows);
    return s;
}

/* A few scenes at a time, so that memory does not grow with their number; each is stored as soon as
 * it is whole. */
static tally_status count_family(run_job *job, tally_family_job *family, tally_error *err)
{
    size_t batch = (size_t)job->ctx->jobs * 2, n = family->stack->n;
    tally_findings *findings = tally_alloc(batch, sizeof *findings);
    tally_status s = findings ? TALLY_OK : tally_nomem(err, "what was found");
    for (size_t first = 0; first < n && s == TALLY_OK; first += batch) {
        size_t now = n - first < batch ? n - first : batch;
        memset(findings, 0, batch * sizeof *findings);
        s = tally_family_count(family, first, now, findings, err);
        for (size_t i = 0; i < now; i++) {
            if (s == TALLY_OK) s = store_scene(job, family, first + i, &findings[i], err);
            tally_findings_fini(&findings[i]);
        }
        tally_progress(job->ctx, "counting", first + now, n);
    }
    tally_free(findings);
    return s;
}

/* A family that shows nothing of the site is left out like a scene; the others are counted. */
static tally_status note_unfit(run_job *job, const tally_scene *const *scenes, size_t n,
                               const tally_error *why)
{
    if (!job->unfit.message[0]) job->unfit = *why;
    for (size_t i = 0; i < n; i++)
        job->is_unfit[scenes[i] - job->catalogue->scenes] = true;
    return TALLY_OK;
}

/* Where no family fits, now or before, site file and tiles do not belong together. */
static tally_status leave_out_unfit(run_job *job, tally_error *err)
{
    tally_status s = TALLY_OK;
    if (job->unfit.message[0] && job->n_families == 0 && tally_run_state_is_new(job->state))
        return tally_fail(err, job->unfit.status, "%s", job->unfit.message);
    for (size_t i = 0; i < job->catalogue->n_scenes && s == TALLY_OK; i++)
        if (job->is_unfit[i])
            s = leave_out(
                job, &job->catalogue->scenes[i],
                "shows nothing of the site's zones and the ground around them; check that "
                "it is of this place",
                err);
    return s;
}

static tally_status run_family(run_job *job, const tally_scene *const *scenes, size_t n,
                               tally_error *err)
{
    tally_family_job *family = &job->families[job->n_families++];
    *family = (tally_family_job) { .ctx = job->ctx,
                                   .site = job->site,
                                   .settings = job->settings,
                                   .state = job->state,
                                   .number = job->n_families };
    tally_error why = { 0 };
    tally_status s = tally_family_begin(family, scenes, n, &why);
    if (s == TALLY_E_NODATA) {
        job->n_families--;
        return note_unfit(job, scenes, n, &why);
    }
    if (s != TALLY_OK) return tally_fail(err, s, "%s", why.message);
    /* From here on the background is on disk: an interrupted run goes on from it. */
    if (s == TALLY_OK) s = tally_run_state_save(job->state, job->settings->folder, err);
    if (s == TALLY_OK) s = count_family(job, family, err);
    return s;
}

/* Scenes of one family, by time; rejected ones and duplicates were stored before. */
static tally_status run_families(run_job *job, tally_error *err)
{
    size_t n_all = job->catalogue->n_scenes;
    const tally_scene *const all = job->catalogue->scenes;
    const tally_scene **members = tally_alloc(n_all, sizeof *members);
    bool *done = tally_alloc(n_all, sizeof *done);
    job->families = tally_alloc(n_all, sizeof *job->families);
    tally_status s =
        members && done && job->families ? TALLY_OK : tally_nomem(err, "the list of scenes");
    for (size_t i = 0; i < n_all && s == TALLY_OK; i++) {
        size_t n = 0;
        for (size_t k = i; k < n_all; k++) {
            if (done[k] || !job->is_new[k] || all[k].reason[0] || all[k].duplicate_of ||
                strcmp(all[k].family, all[i].family) != 0)
                continue;
            done[k] = true;
            members[n++] = &all[k];
        }
        if (n > 0) s = run_family(job, members, n, err);
    }
    tally_free(members);
    tally_free(done);
    return s;
}

static tally_status leave_out_rejected(run_job *job, tally_error *err)
{
    for (size_t i = 0; i < job->catalogue->n_scenes; i++) {
        const tally_scene *scene = &job->catalogue->scenes[i];
        if (!job->is_new[i] || (!scene->reason[0] && !scene->duplicate_of)) continue;
        char *reason = scene->reason[0] ? tally_strdup(scene->reason)
                                        : tally_format("duplicate of %s", scene->duplicate_of);
        tally_status s = reason ? leave_out(job, scene, reason, err) : tally_nomem(err, scene->id);
        tally_free(reason);
        if (s != TALLY_OK) return s;
    }
    return TALLY_OK;
}

/* Scenes go into run.json before they are counted, so that an interrupted run goes on where it
 * stopped: what the store has by then is done. Those of which it has an older row only afterwards.
 */
static tally_status note_scenes(run_job *job, bool stored, tally_error *err)
{
    for (size_t i = 0; i < job->catalogue->n_scenes; i++) {
        if (!job->is_new[i] || !job->fingerprints[i][0] || job->is_stored[i] != stored) continue;
        tally_status s = tally_run_state_set_scene(job->state, &job->catalogue->scenes[i],
                                                   job->fingerprints[i], err);
        if (s != TALLY_OK) return s;
    }
    return TALLY_OK;
}

/* Dates on which the site's total of a class stands out; several rows may tell of one date. */
static size_t count_dates(const tally_records *records)
{
    size_t n = 0;
    for (size_t i = 0; i < records->n_spikes; i++) {
        const tally_spike *s = &records->spikes[i];
        bool first = strcmp(s->zone, "*") == 0;
        for (size_t k = 0; k < i && first; k++)
            first = strcmp(records->spikes[k].zone, "*") != 0 ||
                    strcmp(records->spikes[k].scene, s->scene) != 0;
        n += first;
    }
    return n;
}

static const tally_scene_record *record_of(const tally_records *records, const char *id)
{
    for (size_t i = 0; i < records->n_scenes; i++)
        if (strcmp(records->scenes[i].scene, id) == 0) return &records->scenes[i];
    return NULL;
}

/* What an earlier run left out is left out still: said again, so that the exit status does not
 * depend on how often the run is repeated. */
static void name_left_out(run_job *job, const tally_records *records)
{
    for (size_t i = 0; i < job->catalogue->n_scenes; i++) {
        const tally_scene *scene = &job->catalogue->scenes[i];
        if (job->is_new[i] || scene->duplicate_of) continue;
        const tally_scene_record *row = record_of(records, scene->id);
        if (!row || row->quality != TALLY_QUALITY_REJECTED) continue;
        tally_warn(job->ctx, "%s: left out: %s", scene->id, row->reason);
        job->result->n_left_out++;
    }
}

/* A zone that none of several scenes shows is mostly one drawn in the wrong place. */
static void name_unseen_zones(const run_job *job, const tally_records *records)
{
    for (size_t z = 0; z < job->site->n_zones; z++) {
        const char *name = job->site->zones[z].name;
        size_t n = 0;
        double seen = 0;
        for (size_t i = 0; i < records->n_observations; i++) {
            const tally_observation *o = &records->observations[i];
            if (strcmp(o->zone, name) != 0 || o->quality == TALLY_QUALITY_REJECTED) continue;
            n++;
            if (o->seen > 0) seen += o->seen;
        }
        if (n > 0 && seen == 0)
            tally_warn(job->ctx,
                       "%s: zone %s: none of %zu scenes shows it; check where it is drawn, or give "
                       "tiles that reach it",
                       job->settings->site_path, name, n);
    }
}

/* What the whole store says: spikes and visits, then the tables and the report. */
static tally_status tell(run_job *job, tally_error *err)
{
    tally_records *records = NULL;
    tally_series_settings series = { .as_of = job->settings->as_of };
    tally_status s = tally_store_read(job->store, &records, err);
    if (s == TALLY_OK) s = tally_store_dress_review(job->store, records, err);
    if (s == TALLY_OK) s = tally_series_find(records, &series, err);
    if (s == TALLY_OK)
        s = tally_store_put_series(job->store, records->spikes, records->n_spikes, records->visits,
                                   records->n_visits, err);
    for (size_t i = 0; i < job->n_families && s == TALLY_OK; i++)
        s = tally_run_pictures_draw(&job->families[i], records, err);
    if (s == TALLY_OK) {
        name_left_out(job, records);
        name_unseen_zones(job, records);
        job->result->n_scenes = records->n_scenes;
        job->result->n_spikes = count_dates(records);
    }
    tally_records_destroy(&records);
    return s;
}

static tally_status take_folder(run_job *job, tally_error *err)
{
    const tally_run_settings *settings = job->settings;
    tally_status s;
    if ((s = tally_mkdir(settings->folder, err)) != TALLY_OK) return s;
    if ((s = tally_folder_lock(settings->folder, &job->lock, err)) != TALLY_OK) return s;
    if (settings->freshness == TALLY_FRESH &&
        (s = forget(job->ctx, settings->folder, err)) != TALLY_OK)
        return s;
    return tally_run_state_open(settings->folder, &job->state, err);
}

/* Earlier runs' names are needed to name scenes, so a folder that is there is taken first; one that
 * is to be made or emptied, only once site and tiles have been found. */
static tally_status find_scenes(run_job *job, tally_catalogue_settings *look, tally_error *err)
{
    bool first =
        job->settings->freshness != TALLY_FRESH && access(job->settings->folder, F_OK) == 0;
    tally_status s = first ? take_folder(job, err) : TALLY_OK;
    if (s == TALLY_OK && first)
        s = tally_run_state_scenes(job->state, &job->known, &look->n_known, err);
    look->known = job->known;
    if (s == TALLY_OK) s = tally_catalogue_read(job->ctx, look, &job->catalogue, err);
    return s == TALLY_OK && !first ? take_folder(job, err) : s;
}

static tally_status check_zones(const tally_site *site, const char *path, tally_error *err)
{
    for (size_t z = 0; z < site->n_zones; z++)
        if (site->zones[z].role != TALLY_STABLE && site->zones[z].role != TALLY_IGNORE)
            return TALLY_OK;
    return tally_fail(err, TALLY_E_FORMAT,
                      "%s: has no zone in which anything is counted; draw tracks, yards, water or "
                      "berths in it",
                      path);
}

static tally_status check_settings(const tally_run_settings *settings, tally_error *err)
{
    const char *n = settings->min_background;
    char *end;
    if (!n) return TALLY_OK;
    const long least = strtol(n, &end, 10);
    if (end == n || *end || least < 1 || least > 64)
        return tally_fail(err, TALLY_E_ARG,
                          "--min-background %s: wants a whole number of scenes from 1 to 64", n);
    return TALLY_OK;
}

static tally_status prepare(run_job *job, size_t *n_new, tally_error *err)
{
    const tally_run_settings *settings = job->settings;
    char sha256[65];
    char *store_path = NULL;
    tally_catalogue_settings look = { .inputs = settings->inputs,
                                      .n_inputs = settings->n_inputs,
                                      .bands = settings->bands,
                                      .nodata = NAN };
    tally_status s;

    if (settings->nodata) {
        char *end;
        look.nodata = strtod(settings->nodata, &end);
        if (end == settings->nodata || *end || isinf(look.nodata))
            return tally_fail(
                err, TALLY_E_ARG,
                "--nodata %s: is no number; give the value of empty pixels, such as 0",
                settings->nodata);
    }
    const int sensor = tally_sensor_parse(settings->sensor);
    if (sensor < 0)
        return tally_fail(err, TALLY_E_ARG, "--sensor %s: is none of auto, optical, sar; give one",
                          settings->sensor);
    look.sensor = (tally_sensor_kind)sensor;
    if ((s = check_settings(settings, err)) != TALLY_OK) return s;
    tally_gdal_begin();
    if ((s = tally_site_read(settings->site_path, settings->site_id, &job->site, err)) != TALLY_OK)
        return s;
    if ((s = check_zones(job->site, settings->site_path, err)) != TALLY_OK) return s;
    tally_sha256(job->site->text, strlen(job->site->text), sha256);
    if (settings->background && (s = tally_background_check(settings, sha256, err)) != TALLY_OK)
        return s;
    if ((s = find_scenes(job, &look, err)) != TALLY_OK) return s;
    if (settings->save_background && !tally_run_state_is_new(job->state))
        return tally_fail(err, TALLY_E_ARG,
                          "--save-background %s: the background in %s was learned by an earlier "
                          "run; use --fresh or another folder",
                          settings->save_background, settings->folder);
    if ((s = tally_run_state_begin(job->state, settings, sha256, err)) != TALLY_OK) return s;
    if (settings->background &&
        (s = tally_background_adopt(job->state, settings, sha256, err)) != TALLY_OK)
        return s;
    if ((s = tally_run_state_set_catalogue(job->state, settings->folder, job->wagons->sha256,
                                           err)) != TALLY_OK)
        return s;
    s = tally_run_state_set_timezone(job->state, job->site->timezone, err);
    if (s != TALLY_OK) return s;
    if (!(store_path = tally_format("%s/tallyman.gpkg", settings->folder)))
        return tally_nomem(err, "a file's name");
    s = tally_store_open(store_path, TALLY_STORE_CREATE, &job->store, err);
    tally_free(store_path);
    if (s == TALLY_OK) s = tally_store_set_title(job->store, job->site->title, err);
    if (s == TALLY_OK) s = tally_run_state_note_versions(job->state, job->ctx, job->store, err);
    return s == TALLY_OK ? find_new_scenes(job, n_new, err) : s;
}

static void finish(run_job *job)
{
    for (size_t i = 0; i < job->n_families; i++)
        tally_family_end(&job->families[i]);
    tally_free(job->families);
    tally_store_close(&job->store);
    tally_run_state_close(&job->state);
    tally_catalogue_destroy(&job->catalogue);
    tally_site_destroy(&job->site);
    tally_rail_catalogue_destroy(&job->wagons);
    tally_free(job->known);
    tally_free(job->is_stored);
    tally_free(job->is_unfit);
    tally_free(job->fingerprints);
    tally_free(job->is_new);
    if (job->lock >= 0) close(job->lock);
}

tally_status tally_run(const tally_context *ctx, const tally_run_settings *settings,
                       tally_run_result *result, tally_error *err)
{
    *result = (tally_run_result) { 0 };
    run_job job = { .ctx = ctx, .settings = settings, .result = result, .lock = -1 };
    size_t n_new = 0;
    tally_context with_wagons = *ctx;
    tally_status s = tally_rail_catalogue_read(settings->catalogue, &job.wagons, err);
    with_wagons.wagons = job.wagons;
    job.ctx = &with_wagons;
    if (s == TALLY_OK) s = prepare(&job, &n_new, err);
    if (s == TALLY_OK && n_new == 0) {
        result->nothing_new = 1;
        tally_note(ctx, "%s: every input was counted before; nothing to do (--fresh counts again)",
                   settings->folder);
    }
    if (s == TALLY_OK && n_new > 0) {
        if ((s = note_scenes(&job, false, err)) != TALLY_OK) goto out;
        if ((s = leave_out_rejected(&job, err)) != TALLY_OK) goto out;
        if ((s = run_families(&job, err)) != TALLY_OK) goto out;
        if ((s = leave_out_unfit(&job, err)) != TALLY_OK) goto out;
        if ((s = note_scenes(&job, true, err)) != TALLY_OK) goto out;
        if ((s = tally_run_state_save(job.state, settings->folder, err)) != TALLY_OK) goto out;
    }
    if (s == TALLY_OK) s = tell(&job, err);
    tally_store_close(&job.store);
    if (s == TALLY_OK) s = tally_report_write(ctx, settings->folder, err);
out:
    finish(&job);
    return s;
}
