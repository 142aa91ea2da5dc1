/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "run_state.h"

#include <jansson.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "align/fft.h"
#include "change/opencv_adapter.h"

struct tally_run_state {
    json_t *root;
    bool is_new;
};

static const char *const setting_names[] = { "site_id", "bands",          "nodata", "reference",
                                             "datum",   "min_background", "sensor" };
enum { N_SETTINGS = sizeof setting_names / sizeof *setting_names };

static const char *setting_of(const tally_run_settings *s, int i)
{
    const char *values[N_SETTINGS] = { s->site_id, s->bands,          s->nodata, s->reference,
                                       s->datum,   s->min_background, s->sensor };
    return values[i];
}

static json_t *object_at(json_t *root, const char *key)
{
    json_t *o = json_object_get(root, key);
    if (o) return o;
    json_object_set_new(root, key, json_object());
    return json_object_get(root, key);
}

static const char *string_at(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

tally_status tally_run_state_open(const char *folder, tally_run_state **out, tally_error *err)
{
    *out = NULL;
    char *path = tally_format("%s/run.json", folder);
    tally_run_state *state = tally_alloc(1, sizeof *state);
    tally_status s = TALLY_OK;
    if (!path || !state) {
        s = tally_nomem(err, "run.json");
    } else if (access(path, F_OK) != 0) {
        state->is_new = true;
        state->root = json_object();
        if (!state->root) s = tally_nomem(err, "run.json");
    } else {
        json_error_t at;
        state->root = json_load_file(path, JSON_REJECT_DUPLICATES, &at);
        if (!json_is_object(state->root) || !json_is_array(json_object_get(state->root, "runs")))
            s = tally_fail(
                err, TALLY_E_FORMAT,
                "%s: line %d: %s; it is not what tallyman wrote: use --fresh to start over", path,
                state->root ? 1 : at.line, state->root ? "no runs" : at.text);
    }
    tally_free(path);
    if (s != TALLY_OK) tally_run_state_close(&state);
    *out = state;
    return s;
}

void tally_run_state_close(tally_run_state **state)
{
    if (!state || !*state) return;
    json_decref((*state)->root);
    tally_free(*state);
    *state = NULL;
}

tally_status tally_run_state_save(const tally_run_state *state, const char *folder,
                                  tally_error *err)
{
    char *path = tally_format("%s/run.json", folder);
    char *dump = json_dumps(state->root, JSON_INDENT(1) | JSON_SORT_KEYS);
    tally_text text = { 0 };
    tally_status s = TALLY_OK;
    if (!path || !dump) s = tally_nomem(err, "run.json");
    if (s == TALLY_OK) {
        tally_text_add(&text, "%s\n", dump);
        s = tally_text_save(&text, path, err);
    }
    tally_text_fini(&text);
    free(dump);
    tally_free(path);
    return s;
}

bool tally_run_state_is_new(const tally_run_state *state)
{
    return state->is_new;
}

/* Inputs are kept as absolute paths, so that `verify` works from any folder. Globs and /vsi paths
 * stay as they are. */
static json_t *absolute(const char *path)
{
    char resolved[PATH_MAX];
    if (realpath(path, resolved)) return json_string(resolved);
    if (path[0] != '/' && getcwd(resolved, sizeof resolved))
        return json_sprintf("%s/%s", resolved, path);
    return json_string(path);
}

static tally_status check_same(const json_t *root, const tally_run_settings *settings,
                               const char *site_sha256, tally_error *err)
{
    const json_t *kept = json_object_get(root, "settings");
    const char *sha256 = string_at(root, "site_sha256");
    if (!sha256 || strcmp(sha256, site_sha256) != 0)
        return tally_fail(
            err, TALLY_E_ARG,
            "%s: the folder was made with another site file than %s; use --fresh or another folder",
            settings->folder, settings->site_path);
    for (int i = 0; i < N_SETTINGS; i++) {
        const char *was = string_at(kept, setting_names[i]), *is = setting_of(settings, i);
        if (strcmp(was ? was : "", is ? is : "") != 0)
            return tally_fail(
                err, TALLY_E_ARG,
                "%s: the folder was made with %s `%s`, not `%s`; use --fresh or another folder",
                settings->folder, setting_names[i], was ? was : "", is ? is : "");
    }
    return TALLY_OK;
}

tally_status tally_run_state_begin(tally_run_state *state, const tally_run_settings *settings,
                                   const char *site_sha256, tally_error *err)
{
    json_t *root = state->root;
    if (!state->is_new) {
        tally_status s = check_same(root, settings, site_sha256, err);
        if (s != TALLY_OK) return s;
    } else {
        json_object_set_new(root, "tallyman", json_string(TALLYMAN_VERSION));
        json_object_set_new(root, "site_path", absolute(settings->site_path));
        json_object_set_new(root, "site_sha256", json_string(site_sha256));
        json_object_set_new(root, "runs", json_array());
        json_t *kept = object_at(root, "settings");
        for (int i = 0; i < N_SETTINGS; i++)
            if (setting_of(settings, i))
                json_object_set_new(kept, setting_names[i], json_string(setting_of(settings, i)));
    }
    if (settings->catalogue)
        json_object_set_new(object_at(root, "settings"), "catalogue",
                            absolute(settings->catalogue));
    if (settings->background)
        json_object_set_new(object_at(root, "settings"), "background",
                            absolute(settings->background));
    json_t *inputs = json_array();
    for (size_t i = 0; i < settings->n_inputs; i++)
        json_array_append_new(inputs, absolute(settings->inputs[i]));
    json_t *run = json_pack("{s:o}", "inputs", inputs);
    if (!run || json_array_append_new(json_object_get(root, "runs"), run) != 0)
        return tally_nomem(err, "run.json");
    if (settings->as_of != TALLY_NO_TIME_GIVEN)
        json_object_set_new(run, "as_of", json_integer(settings->as_of));
    return TALLY_OK;
}

tally_status tally_run_state_set_catalogue(tally_run_state *state, const char *folder,
                                           const char *sha256, tally_error *err)
{
    const char *was = string_at(state->root, "catalogue_sha256");
    if (was && strcmp(was, sha256) != 0)
        return tally_fail(err, TALLY_E_ARG,
                          "%s: the folder was made with another catalogue of rail vehicles; give "
                          "that one, or use --fresh or another folder",
                          folder);
    return json_object_set_new(state->root, "catalogue_sha256", json_string(sha256)) == 0
               ? TALLY_OK
               : tally_nomem(err, "run.json");
}

tally_status tally_run_state_set_timezone(tally_run_state *state, const char *timezone,
                                          tally_error *err)
{
    return json_object_set_new(state->root, "timezone", json_string(timezone)) == 0
               ? TALLY_OK
               : tally_nomem(err, "run.json");
}

/* Another library may give another last bit: which ones they were stands beside the result. */
tally_status tally_run_state_note_versions(tally_run_state *state, const tally_context *ctx,
                                           tally_store *store, tally_error *err)
{
    const char *const pairs[][2] = { { "tallyman", TALLYMAN_VERSION },
                                     { "kernels", tally_kernels_name(ctx->kernels) },
                                     { "gdal", tally_gdal_version() },
                                     { "libtiff", tally_tiff_version() },
                                     { "fftw", tally_fft_version() },
                                     { "opencv", tally_opencv_version() },
                                     { "sqlite", tally_store_sqlite_version(store) } };
    json_t *versions = json_object(), *runs = json_object_get(state->root, "runs");
    bool good = versions && json_array_size(runs) > 0;
    for (size_t i = 0; i < sizeof pairs / sizeof *pairs && good; i++)
        good = json_object_set_new(versions, pairs[i][0], json_string(pairs[i][1])) == 0;
    json_t *run = json_array_get(runs, json_array_size(runs) - 1);
    good = good && json_object_set(state->root, "versions", versions) == 0 &&
           json_object_set(run, "versions", versions) == 0;
    json_decref(versions);
    return good ? TALLY_OK : tally_nomem(err, "run.json");
}

tally_status tally_run_timezone(const char *folder, char **out, tally_error *err)
{
    tally_run_state *state = NULL;
    *out = NULL;
    tally_status s = tally_run_state_open(folder, &state, err);
    if (s != TALLY_OK) return s;
    const char *name = string_at(state->root, "timezone");
    *out = tally_strdup(name ? name : "");
    tally_run_state_close(&state);
    return *out ? TALLY_OK : tally_nomem(err, "run.json");
}

static bool is_remote(const char *path)
{
    return strncmp(path, "/vsi", 4) == 0;
}

static tally_status add_file(tally_text *text, const char *path, tally_error *err)
{
    char sha256[65];
    const char *name = strrchr(path, '/');
    /* a remote file is known by its name: hashing it would fetch the whole of it */
    if (is_remote(path)) {
        tally_text_add(text, "%s\n", path);
        return TALLY_OK;
    }
    tally_status s = tally_file_sha256(path, sha256, err);
    if (s == TALLY_OK) tally_text_add(text, "%s %s\n", name ? name + 1 : path, sha256);
    return s;
}

tally_status tally_scene_fingerprint(const tally_scene *scene, char out[65], tally_error *err)
{
    tally_text text = { 0 };
    tally_status s = TALLY_OK;
    out[0] = '\0';
    tally_text_add(&text, "%s\n%s\n%lld %s\n", scene->id, scene->family, (long long)scene->utc,
                   scene->time_precision);
    tally_text_add(&text, "%.6f %.6f %.6f %.6f %.6f\n", scene->sun_azimuth, scene->sun_elevation,
                   scene->off_nadir, scene->view_azimuth, scene->cloud);
    /* a scene that a better product of the same pass stands in for is to be judged anew */
    tally_text_add(&text, "%s\n%s\n", scene->reason,
                   scene->duplicate_of ? scene->duplicate_of : "");
    for (size_t i = 0; i < scene->n_tiles && s == TALLY_OK; i++) {
        const tally_tile *tile = scene->tiles[i];
        for (int b = 0; b < TALLY_BAND_ROLES; b++)
            tally_text_add(&text, "%d ", tile->bands[b]);
        s = add_file(&text, tile->path, err);
        if (s == TALLY_OK && tile->mask_path) s = add_file(&text, tile->mask_path, err);
    }
    if (s == TALLY_OK && text.failed) s = tally_nomem(err, scene->id);
    if (s == TALLY_OK) tally_sha256(text.bytes, text.size, out);
    tally_text_fini(&text);
    return s;
}

bool tally_run_state_has_scene(const tally_run_state *state, const char *id,
                               const char *fingerprint)
{
    const char *kept =
        string_at(json_object_get(json_object_get(state->root, "scenes"), id), "sha256");
    return kept && strcmp(kept, fingerprint) == 0;
}

tally_status tally_run_state_scenes(const tally_run_state *state, tally_known_scene **out,
                                    size_t *n, tally_error *err)
{
    json_t *scenes = json_object_get(state->root, "scenes"), *row;
    const char *id;
    *n = 0;
    *out = tally_alloc(json_object_size(scenes), sizeof **out);
    if (!*out) return tally_nomem(err, "run.json");
    json_object_foreach(scenes, id, row)
    {
        const char *family = string_at(row, "family");
        const char *file = json_string_value(json_array_get(json_object_get(row, "files"), 0));
        const json_t *utc = json_object_get(row, "utc");
        if (family && file && json_is_integer(utc))
            (*out)[(*n)++] = (tally_known_scene) {
                .id = id, .family = family, .file = file, .utc = json_integer_value(utc)
            };
    }
    return TALLY_OK;
}

tally_status tally_run_state_set_scene(tally_run_state *state, const tally_scene *scene,
                                       const char *fingerprint, tally_error *err)
{
    json_t *files = json_array();
    for (size_t i = 0; i < scene->n_tiles; i++) {
        json_array_append_new(files, absolute(scene->tiles[i]->path));
        if (scene->tiles[i]->mask_path)
            json_array_append_new(files, absolute(scene->tiles[i]->mask_path));
    }
    json_t *row = json_pack("{s:s,s:s,s:I,s:o}", "sha256", fingerprint, "family", scene->family,
                            "utc", (json_int_t)scene->utc, "files", files);
    if (!row || json_object_set_new(object_at(state->root, "scenes"), scene->id, row) != 0)
        return tally_nomem(err, "run.json");
    return TALLY_OK;
}

const char *tally_run_state_background(const tally_run_state *state, const char *family,
                                       const char **basis)
{
    const json_t *row = json_object_get(json_object_get(state->root, "backgrounds"), family);
    *basis = string_at(row, "basis");
    return string_at(row, "id");
}

tally_status tally_run_state_set_background(tally_run_state *state, const char *family,
                                            const char *id, const char *basis, tally_error *err)
{
    json_t *row = json_pack("{s:s,s:s}", "id", id, "basis", basis);
    if (!row || json_object_set_new(object_at(state->root, "backgrounds"), family, row) != 0)
        return tally_nomem(err, "run.json");
    return TALLY_OK;
}

tally_status tally_run_state_each_background(const tally_run_state *state, tally_background_fn each,
                                             void *user, tally_error *err)
{
    json_t *row;
    const char *family;
    json_object_foreach(json_object_get(state->root, "backgrounds"), family, row)
    {
        const char *id = string_at(row, "id"), *basis = string_at(row, "basis");
        if (!id || !basis || strchr(id, '/'))
            return tally_fail(err, TALLY_E_FORMAT,
                              "run.json: the background of %s is not what tallyman wrote", family);
        tally_status s = each(user, family, id, basis, err);
        if (s != TALLY_OK) return s;
    }
    return TALLY_OK;
}

tally_status tally_run_state_check_frozen(const tally_run_state *state,
                                          const tally_run_settings *settings,
                                          const char *site_sha256, tally_error *err)
{
    static const char *const shared[] = { "bands", "nodata", "sensor" };
    const char *given[] = { settings->bands, settings->nodata, settings->sensor };
    const char *sha256 = string_at(state->root, "site_sha256");
    const json_t *kept = json_object_get(state->root, "settings");
    if (!sha256 || strcmp(sha256, site_sha256) != 0)
        return tally_fail(err, TALLY_E_ARG,
                          "--background %s: was made with another site file than %s; give that one",
                          settings->background, settings->site_path);
    for (int i = 0; i < 3; i++) {
        const char *was = string_at(kept, shared[i]);
        if (strcmp(was ? was : "", given[i] ? given[i] : "") != 0)
            return tally_fail(err, TALLY_E_ARG,
                              "--background %s: was made with --%s `%s`, not `%s`; give the same",
                              settings->background, shared[i], was ? was : "",
                              given[i] ? given[i] : "");
    }
    if (json_object_size(json_object_get(state->root, "backgrounds")) == 0)
        return tally_fail(err, TALLY_E_ARG,
                          "--background %s: that run froze none; give another folder",
                          settings->background);
    return TALLY_OK;
}

tally_status tally_run_state_set_datum(tally_run_state *state, const char *family,
                                       tally_run_datum datum, tally_error *err)
{
    json_t *row =
        json_pack("{s:f,s:f,s:f,s:f}", "east_m", datum.east_m, "north_m", datum.north_m,
                  "zones_east_m", datum.zones_east_m, "zones_north_m", datum.zones_north_m);
    if (!row || json_object_set_new(object_at(state->root, "datum"), family, row) != 0)
        return tally_nomem(err, "run.json");
    return TALLY_OK;
}

size_t tally_run_state_n_runs(const tally_run_state *state)
{
    return json_array_size(json_object_get(state->root, "runs"));
}

tally_status tally_run_state_run(const tally_run_state *state, size_t i,
                                 tally_run_settings *settings, tally_error *err)
{
    const json_t *run = json_array_get(json_object_get(state->root, "runs"), i);
    const json_t *inputs = json_object_get(run, "inputs"),
                 *kept = json_object_get(state->root, "settings");
    const json_t *as_of = json_object_get(run, "as_of");
    size_t n = json_array_size(inputs);
    *settings = (tally_run_settings) { .as_of = json_is_integer(as_of) ? json_integer_value(as_of)
                                                                       : TALLY_NO_TIME_GIVEN };
    const char **names = tally_alloc(n, sizeof *names);
    if (!names) return tally_nomem(err, "run.json");
    for (size_t k = 0; k < n; k++) {
        names[k] = json_string_value(json_array_get(inputs, k));
        if (names[k]) continue;
        tally_free(names);
        return tally_fail(err, TALLY_E_FORMAT,
                          "run.json: run %zu: input %zu is no text; it is not what tallyman wrote",
                          i, k);
    }
    settings->inputs = names;
    settings->n_inputs = n;
    settings->site_path = string_at(state->root, "site_path");
    settings->site_id = string_at(kept, "site_id");
    settings->bands = string_at(kept, "bands");
    settings->nodata = string_at(kept, "nodata");
    settings->sensor = string_at(kept, "sensor");
    settings->catalogue = string_at(kept, "catalogue");
    settings->reference = string_at(kept, "reference");
    settings->datum = string_at(kept, "datum");
    settings->background = string_at(kept, "background");
    settings->min_background = string_at(kept, "min_background");
    if (!settings->site_path) {
        tally_free(names);
        settings->inputs = NULL;
        return tally_fail(err, TALLY_E_FORMAT,
                          "run.json: no site_path; it is not what tallyman wrote");
    }
    return TALLY_OK;
}
