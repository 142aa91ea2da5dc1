/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "run_background.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "change/background.h"
#include "scene/cog.h"
#include "scene/sink.h"

#define TAG_RUN    "TALLYMAN_RUN"
#define TAG_ID     "TALLYMAN_BACKGROUND"
#define TAG_FAMILY "TALLYMAN_FAMILY"

enum { MOST_SCENES = 64, BANDS_A_STATE = 2 * TALLY_BAND_ROLES + 1 };

/* The scenes of one state, bare or under snow. */
typedef struct season {
    size_t scenes[MOST_SCENES], n;
} season;

typedef struct save_job {
    const tally_family_job *family;
    const season *states;
    size_t n_states;
    int least, rows0;    /* rows0: the first block's first row */
    tally_patch *layers; /* per block and state: centre, sigma, count */
} save_job;

static tally_status learn_block(void *user, size_t i, tally_error *err)
{
    static const tally_background_settings settings = { .centre = TALLY_CENTRE_MODE };
    const save_job *job = user;
    const tally_stack *stack = job->family->stack;
    const int y0 = job->rows0 + (int)i * TALLY_SINK_ROWS, y1 = y0 + TALLY_SINK_ROWS;
    const tally_box box = { 0, y0, stack->grid.width,
                            y1 < stack->grid.height ? y1 : stack->grid.height };
    tally_status s = TALLY_OK;
    if (y0 >= stack->grid.height) return TALLY_OK;
    for (size_t k = 0; k < job->n_states && s == TALLY_OK; k++) {
        tally_patch *at = job->layers + 3 * (i * job->n_states + k);
        s = tally_background_learn(job->family->ctx, stack, job->states[k].scenes, job->states[k].n,
                                   box, &settings, &at[0], &at[1], &at[2], err);
    }
    return s;
}

/* One band of one layer; NaN where too few scenes saw it. */
static tally_status put_rows(tally_sink *sink, int band, int y0, const tally_patch *p, int of,
                             const tally_patch *count, int least, tally_error *err)
{
    const size_t width = (size_t)p->width;
    float *rows = tally_alloc(width * (size_t)p->height, sizeof *rows);
    if (!rows) return tally_nomem(err, "a background");
    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++)
            rows[(size_t)y * width + (size_t)x] = tally_patch_row(count, 0, y)[x] >= (float)least
                                                      ? tally_patch_row(p, of, y)[x]
                                                      : NAN;
    tally_status s = tally_sink_rows(sink, band, y0, p->height, rows, err);
    tally_free(rows);
    return s;
}

static tally_status put_block(const save_job *job, size_t i, tally_sink *sink, tally_error *err)
{
    const int y0 = job->rows0 + (int)i * TALLY_SINK_ROWS;
    const int bands = job->family->stack->n_bands;
    tally_status s = TALLY_OK;
    if (y0 >= job->family->stack->grid.height) return TALLY_OK;
    for (size_t k = 0; k < job->n_states; k++) {
        const tally_patch *at = job->layers + 3 * (i * job->n_states + k);
        int to = (int)k * (2 * bands + 1);
        for (int layer = 0; layer < 2; layer++)
            for (int b = 0; b < bands && s == TALLY_OK; b++)
                s = put_rows(sink, to++, y0, &at[layer], b, &at[2], job->least, err);
        /* the count itself stands where it is small, too */
        if (s == TALLY_OK) s = put_rows(sink, to, y0, &at[2], 0, &at[2], 0, err);
    }
    return s;
}

static tally_status put_blocks(save_job *job, tally_sink *sink, tally_error *err)
{
    const tally_context *ctx = job->family->ctx;
    const size_t batch = (size_t)ctx->jobs, n_layers = 3 * batch * job->n_states;
    tally_status s = TALLY_OK;
    for (; job->rows0 < job->family->stack->grid.height && s == TALLY_OK;
         job->rows0 += (int)batch * TALLY_SINK_ROWS) {
        job->layers = tally_alloc(n_layers, sizeof *job->layers);
        if (!job->layers) return tally_nomem(err, "a background");
        s = tally_parallel_for(ctx, NULL, batch, learn_block, job, err);
        for (size_t i = 0; i < batch && s == TALLY_OK; i++)
            s = put_block(job, i, sink, err);
        for (size_t i = 0; i < n_layers; i++)
            tally_patch_fini(&job->layers[i]);
        tally_free(job->layers);
    }
    return s;
}

/* `blue empty`, ..., `blue sigma`, ..., `scenes`; then the same of snow. */
static tally_status name_bands(const tally_stack *stack, size_t n_states, char **names,
                               tally_error *err)
{
    for (size_t k = 0, at = 0; k < n_states; k++)
        for (int b = 0; b <= 2 * stack->n_bands; b++, at++) {
            const char *snow = k ? " in snow" : "";
            names[at] = b == 2 * stack->n_bands
                            ? tally_format("scenes%s", snow)
                            : tally_format("%s %s%s",
                                           tally_band_role_name(stack->roles[b % stack->n_bands]),
                                           b < stack->n_bands ? "empty" : "sigma", snow);
            if (!names[at]) return tally_nomem(err, "a band's name");
        }
    return TALLY_OK;
}

static tally_status write_tiles(save_job *job, const char *path, tally_error *err)
{
    const tally_stack *stack = job->family->stack;
    const tally_point corner = tally_stack_metres(stack, (tally_point) { 0, 0 });
    const tally_tile like = { .path = path,
                              .width = stack->grid.width,
                              .height = stack->grid.height,
                              .wkt = "",
                              .affine = { { corner.x, stack->grid.gsd_m, 0, corner.y, 0,
                                            -stack->grid.gsd_m } } };
    char *names[2 * BANDS_A_STATE] = { NULL };
    tally_sink *sink = NULL;
    const int bands = (int)job->n_states * (2 * stack->n_bands + 1);
    tally_status s = name_bands(stack, job->n_states, names, err);
    if (s == TALLY_OK)
        s = tally_sink_create(path, &like, bands, (const char *const *)names, &sink, err);
    if (s == TALLY_OK) s = put_blocks(job, sink, err);
    if (s == TALLY_OK) s = tally_sink_finish(&sink, err);
    tally_sink_abandon(&sink);
    for (size_t i = 0; i < 2 * BANDS_A_STATE; i++)
        tally_free(names[i]);
    return s;
}

static void absolute(const char *path, char out[PATH_MAX])
{
    if (!realpath(path, out)) snprintf(out, PATH_MAX, "%s", path);
}

tally_status tally_background_save(const tally_family_job *job, const size_t *chosen, size_t n,
                                   int least, const char *id, const char *path, tally_error *err)
{
    season states[2] = { { .n = 0 }, { .n = 0 } };
    const tally_stack *stack = job->stack;
    char run[PATH_MAX];
    for (size_t i = 0; i < n; i++)
        if (!stack->scenes[chosen[i]].snow) states[0].scenes[states[0].n++] = chosen[i];
    for (size_t i = 0; i < stack->n && states[1].n < MOST_SCENES; i++)
        if (stack->scenes[i].placement.accepted && stack->scenes[i].snow)
            states[1].scenes[states[1].n++] = i;
    if (states[0].n == 0) /* a place that was never seen without snow */
        states[0] = states[1], states[1].n = 0;
    const size_t n_states = states[1].n >= (size_t)least ? 2 : 1;
    save_job save = { .family = job, .states = states, .n_states = n_states, .least = least };
    char *tiles = tally_format("%s.tiles", path);
    tally_status s = tiles ? TALLY_OK : tally_nomem(err, path);
    if (s == TALLY_OK && states[0].n == 0)
        s = tally_fail(err, TALLY_E_NODATA, "%s: no scene of %s could be laid, so there is none",
                       path, stack->family);
    if (s == TALLY_OK) s = write_tiles(&save, tiles, err);
    absolute(job->settings->folder, run);
    const tally_tag tags[] = { { TAG_RUN, run }, { TAG_ID, id }, { TAG_FAMILY, stack->family } };
    if (s == TALLY_OK)
        s = tally_cog_write(path, tiles, stack->grid.epsg, tags, sizeof tags / sizeof *tags, err);
    if (tiles) unlink(tiles);
    tally_free(tiles);
    if (s == TALLY_OK)
        tally_note(job->ctx, "%s: the background of %s, from %zu scenes", path, stack->family,
                   states[0].n);
    return s;
}

static bool is_run(const char *folder)
{
    char *path = tally_format("%s/run.json", folder);
    const bool is = path && access(path, F_OK) == 0;
    tally_free(path);
    return is;
}

/* The run's folder that PATH stands for: itself, its `backgrounds`, one of these, or what the COG
 * says. Freed with tally_free. */
static tally_status find_run(const char *path, char **out, tally_error *err)
{
    struct stat what;
    *out = NULL;
    if (stat(path, &what) != 0)
        return tally_fail(err, TALLY_E_IO,
                          "--background %s: %s; give the folder of an earlier run, or what its "
                          "--save-background wrote",
                          path, strerror(errno));
    if (!S_ISDIR(what.st_mode)) {
        tally_status s = tally_tag_read(path, TAG_RUN, out, err);
        if (s != TALLY_OK) return s;
        if (!*out)
            return tally_fail(err, TALLY_E_FORMAT,
                              "--background %s: is not what --save-background wrote; give such a "
                              "file, or the folder of an earlier run",
                              path);
        if (is_run(*out)) return TALLY_OK;
        s = tally_fail(err, TALLY_E_IO,
                       "--background %s: belongs to the run in %s, which is not there; give the "
                       "folder where that run is now",
                       path, *out);
        tally_free(*out);
        *out = NULL;
        return s;
    }
    static const char *const above[] = { "", "/..", "/../.." };
    for (size_t i = 0; i < sizeof above / sizeof *above; i++) {
        char *folder = tally_format("%s%s", path, above[i]);
        if (!folder) return tally_nomem(err, path);
        if (is_run(folder)) {
            *out = folder;
            return TALLY_OK;
        }
        tally_free(folder);
    }
    return tally_fail(err, TALLY_E_FORMAT,
                      "--background %s: no run.json there; give the folder of an earlier run",
                      path);
}

static tally_status copy_file(const char *from, const char *to, tally_error *err)
{
    enum { CHUNK = 1 << 20 };
    char *bytes = tally_alloc(CHUNK, 1);
    FILE *in = fopen(from, "rb"), *out = in ? fopen(to, "wb") : NULL;
    bool good = bytes && in && out;
    for (size_t n; good && (n = fread(bytes, 1, CHUNK, in)) > 0;)
        good = fwrite(bytes, 1, n, out) == n;
    good = good && !ferror(in);
    if (out && fclose(out) != 0) good = false;
    if (in) fclose(in);
    tally_free(bytes);
    return good ? TALLY_OK
                : tally_fail(err, TALLY_E_IO,
                             "%s: cannot be copied to %s: %s; free some space, or check the rights",
                             from, to, strerror(errno));
}

/* A background's files: no folders in it. */
static tally_status copy_folder(const char *from, const char *to, tally_error *err)
{
    DIR *list = opendir(from);
    if (!list)
        return tally_fail(err, TALLY_E_IO,
                          "%s: the frozen background is not there: %s; run again with --fresh, "
                          "without --background",
                          from, strerror(errno));
    tally_status s = tally_mkdir(to, err);
    for (struct dirent *e; s == TALLY_OK && (e = readdir(list));) {
        if (e->d_name[0] == '.') continue;
        char *a = tally_format("%s/%s", from, e->d_name), *b = tally_format("%s/%s", to, e->d_name);
        s = a && b ? copy_file(a, b, err) : tally_nomem(err, from);
        tally_free(a);
        tally_free(b);
    }
    closedir(list);
    return s;
}

typedef struct adopt_job {
    tally_run_state *state;
    const tally_run_settings *settings;
    const char *from; /* the run's folder */
} adopt_job;

static tally_status adopt_one(void *user, const char *family, const char *id, const char *basis,
                              tally_error *err)
{
    const adopt_job *job = user;
    const char *own_basis, *own = tally_run_state_background(job->state, family, &own_basis);
    if (own && strcmp(own, id) == 0) return TALLY_OK;
    if (own)
        return tally_fail(err, TALLY_E_ARG,
                          "--background %s: %s holds another background of %s; use --fresh or "
                          "another folder",
                          job->settings->background, job->settings->folder, family);
    char *from = tally_format("%s/backgrounds/%s", job->from, id);
    char *to = tally_format("%s/backgrounds/%s", job->settings->folder, id);
    tally_status s = from && to ? TALLY_OK : tally_nomem(err, "a background");
    if (s == TALLY_OK) s = copy_folder(from, to, err);
    if (s == TALLY_OK) s = tally_run_state_set_background(job->state, family, id, basis, err);
    tally_free(from);
    tally_free(to);
    return s;
}

/* The run that is meant, looked at: can its backgrounds be counted against? */
static tally_status open_run(const tally_run_settings *settings, const char *site_sha256,
                             char **folder, tally_run_state **run, tally_error *err)
{
    *folder = NULL;
    *run = NULL;
    if (settings->reference || settings->datum || settings->min_background)
        return tally_fail(err, TALLY_E_ARG,
                          "--background %s: comes with its own reference, datum and least number "
                          "of scenes; leave out --reference, --datum and --min-background",
                          settings->background);
    tally_status s = find_run(settings->background, folder, err);
    if (s == TALLY_OK) s = tally_run_state_open(*folder, run, err);
    if (s == TALLY_OK) s = tally_run_state_check_frozen(*run, settings, site_sha256, err);
    return s;
}

tally_status tally_background_check(const tally_run_settings *settings, const char *site_sha256,
                                    tally_error *err)
{
    tally_run_state *other;
    char *folder;
    tally_status s = open_run(settings, site_sha256, &folder, &other, err);
    tally_run_state_close(&other);
    tally_free(folder);
    return s;
}

tally_status tally_background_adopt(tally_run_state *own, const tally_run_settings *settings,
                                    const char *site_sha256, tally_error *err)
{
    tally_run_state *other;
    char *folder;
    tally_status s = open_run(settings, site_sha256, &folder, &other, err);
    adopt_job job = { .state = own, .settings = settings, .from = folder };
    if (s == TALLY_OK) s = tally_run_state_each_background(other, adopt_one, &job, err);
    tally_run_state_close(&other);
    tally_free(folder);
    return s;
}
