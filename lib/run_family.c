/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "run_family.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "align/cloud.h"
#include "change/background.h"
#include "count/calibrate.h"
#include "run_background.h"

enum { MAX_CHOSEN = 64, ENOUGH_FOR_BACKGROUND = 7, MAX_PICTURE_PIXELS = 4 << 20 };
enum { MIN_BACKGROUND = 3 }; /* scenes: of two, one may be covered and none says which */

static const tally_counter *const counters[] = { &tally_rail_counter, &tally_yard_counter,
                                                 &tally_vessel_counter };
enum { N_COUNTERS = sizeof counters / sizeof *counters };

/* In radar a wagon or a box is a handful of corners that shine; hulls on water alone stand out. */
static bool can_count(const tally_stack *stack, const tally_counter *counter)
{
    return !tally_stack_is_radar(stack) || counter == &tally_vessel_counter;
}

/* The scenes that the background is learned from: placed, without snow as long as enough are left,
 * spread evenly over time. */
static size_t choose_scenes(const tally_stack *stack, size_t chosen[MAX_CHOSEN])
{
    size_t n_fit = 0, n_bare = 0, n = 0;
    for (size_t i = 0; i < stack->n; i++) {
        if (!stack->scenes[i].placement.accepted) continue;
        n_fit++;
        n_bare += !stack->scenes[i].snow;
    }
    bool bare_only = n_bare >= ENOUGH_FOR_BACKGROUND;
    size_t n_wanted = bare_only ? n_bare : n_fit, k = 0;
    for (size_t i = 0; i < stack->n; i++) {
        if (!stack->scenes[i].placement.accepted || (bare_only && stack->scenes[i].snow)) continue;
        /* with more than 64, take those where k * 64 / n_wanted steps up */
        bool take =
            n_wanted <= MAX_CHOSEN || k * MAX_CHOSEN / n_wanted != (k + 1) * MAX_CHOSEN / n_wanted;
        if (take && n < MAX_CHOSEN) chosen[n++] = i;
        k++;
    }
    return n;
}

static tally_status plan_units(tally_family_job *job, tally_error *err)
{
    for (int c = 0; c < N_COUNTERS; c++) {
        tally_unit *units = NULL;
        size_t n = 0;
        tally_status s = counters[c]->plan(job->stack, &units, &n, err);
        if (s != TALLY_OK) return s;
        if (n == 0) {
            tally_units_free(&units, n);
            continue;
        }
        tally_task_unit *all = tally_realloc(job->units, job->n_units + n, sizeof *all);
        if (!all) {
            tally_units_free(&units, n);
            return tally_nomem(err, "the units of the site");
        }
        job->units = all;
        for (size_t i = 0; i < n; i++)
            all[job->n_units++] = (tally_task_unit) { .counter = counters[c], .unit = units[i] };
        tally_free(units); /* their zones went along */
    }
    return TALLY_OK;
}

static int min_background(const tally_family_job *job)
{
    const char *wanted = job->settings->min_background;
    return wanted ? atoi(wanted) : MIN_BACKGROUND; /* tally_run has looked at it */
}

/* Names the background by all that it rests on, so that two that differ never share a name. */
static tally_status name_background(const tally_family_job *job, const size_t *chosen, size_t n,
                                    char id[17], tally_error *err)
{
    char sha256[65];
    tally_text text = { 0 };
    tally_status s = TALLY_OK;
    tally_text_add(&text, "%s\n%s\n%s\n", TALLYMAN_VERSION, job->site->text, job->stack->family);
    tally_text_add(&text, "%s\n%s\n%d\n", job->settings->reference ? job->settings->reference : "",
                   job->settings->datum ? job->settings->datum : "", min_background(job));
    for (size_t i = 0; i < n && s == TALLY_OK; i++) {
        s = tally_scene_fingerprint(job->stack->scenes[chosen[i]].scene, sha256, err);
        tally_text_add(&text, "%s\n", sha256);
    }
    if (s == TALLY_OK && text.failed) s = tally_nomem(err, "the background's name");
    if (s == TALLY_OK) {
        tally_sha256(text.bytes, text.size, sha256);
        memcpy(id, sha256, 16);
        id[16] = '\0';
    }
    tally_text_fini(&text);
    return s;
}

typedef struct learn_job {
    const tally_family_job *job;
    const size_t *chosen;
    size_t n_chosen;
} learn_job;

/* What the unit looks like when empty, for the report. Too large a unit (open water) goes without.
 */
static tally_status learn_empty(const learn_job *l, const tally_unit *unit, tally_error *err)
{
    const tally_background_settings settings = { .centre = TALLY_CENTRE_MODE,
                                                 .sigma_floor = 0.02f };
    tally_patch centre = { 0 }, sigma = { 0 }, count = { 0 };
    tally_box box = unit->box;
    if ((int64_t)tally_box_width(box) * tally_box_height(box) > MAX_PICTURE_PIXELS) return TALLY_OK;
    tally_status s = tally_background_learn(l->job->ctx, l->job->stack, l->chosen, l->n_chosen, box,
                                            &settings, &centre, &sigma, &count, err);
    if (s == TALLY_OK)
        s = tally_model_put(l->job->model, l->job->stack, unit->name, TALLY_EMPTY_LAYER, &centre,
                            &box, err);
    tally_patch_fini(&centre);
    tally_patch_fini(&sigma);
    tally_patch_fini(&count);
    return s;
}

static tally_status learn_unit(void *user, size_t i, tally_error *err)
{
    const learn_job *l = user;
    const tally_task_unit *u = &l->job->units[i];
    if (!can_count(l->job->stack, u->counter)) return TALLY_OK;
    tally_status s = u->counter->learn(l->job->ctx, l->job->stack, &u->unit, l->chosen, l->n_chosen,
                                       l->job->model, err);
    return s == TALLY_OK ? learn_empty(l, &u->unit, err) : s;
}

static tally_status background_folder(const tally_family_job *job, const char *id, char **out,
                                      tally_error *err)
{
    char *parent = tally_format("%s/backgrounds", job->settings->folder);
    *out = tally_format("%s/backgrounds/%s", job->settings->folder, id);
    tally_status s = TALLY_OK;
    if (!parent || !*out) s = tally_nomem(err, "a folder's name");
    if (s == TALLY_OK) s = tally_mkdir(parent, err);
    if (s == TALLY_OK) s = tally_mkdir(*out, err);
    tally_free(parent);
    return s;
}

/* Does a window of the scene fail to read that the survey did not look at? */
static bool is_unreadable(const tally_family_job *job, size_t i, tally_error *why)
{
    enum { BLOCK = 1024 };
    for (size_t u = 0; u < job->n_units; u++) {
        const tally_box all = job->units[u].unit.box;
        for (int y = all.y0; y < all.y1; y += BLOCK)
            for (int x = all.x0; x < all.x1; x += BLOCK) {
                tally_patch patch = { 0 };
                const tally_box box =
                    tally_box_intersect(all, (tally_box) { x, y, x + BLOCK, y + BLOCK });
                tally_status s = tally_stack_read(job->ctx, job->stack, i, box, &patch, why);
                tally_patch_fini(&patch);
                if (s != TALLY_OK && s != TALLY_E_NOMEM) return true;
            }
    }
    return false;
}

/* After a failure that a broken file may have caused: leave out the scenes [first, first + n) that
 * cannot be read where it matters. How many. */
static size_t drop_unreadable(tally_family_job *job, tally_status s, size_t first, size_t n)
{
    size_t dropped = 0;
    if (s != TALLY_E_IO && s != TALLY_E_FORMAT && s != TALLY_E_CRS) return 0;
    for (size_t i = first; i < first + n; i++) {
        tally_placement *p = &job->stack->scenes[i].placement;
        tally_error why = { 0 };
        if (!p->accepted || !is_unreadable(job, i, &why)) continue;
        tally_warn(job->ctx, "%s", why.message);
        p->accepted = false;
        p->reason = "its pixels cannot be read; fetch the file again";
        dropped++;
    }
    return dropped;
}

/* How many of `n` scenes must show a place for it to have a background: fewer than a background
 * wants leave no choice. */
static int least_samples(const tally_family_job *job, size_t n)
{
    return n >= ENOUGH_FOR_BACKGROUND ? min_background(job) : 1;
}

/* The first family's background goes into FILE.tif, the second's into FILE-2.tif. */
static tally_status save_background(const tally_family_job *job, const size_t *chosen, size_t n,
                                    const char *id, tally_error *err)
{
    const char *wanted = job->settings->save_background, *dot = strrchr(wanted, '.');
    const size_t stem = dot && !strchr(dot, '/') ? (size_t)(dot - wanted) : strlen(wanted);
    char *path = job->number > 1
                     ? tally_format("%.*s-%zu%s", (int)stem, wanted, job->number, wanted + stem)
                     : tally_strdup(wanted);
    tally_status s =
        path ? tally_background_save(job, chosen, n, least_samples(job, n), id, path, err)
             : tally_nomem(err, wanted);
    tally_free(path);
    return s;
}

/* What is learned from the scenes that are placed by now goes into a folder named by them. */
static tally_status learn_once(tally_family_job *job, char id[17], tally_error *err)
{
    size_t chosen[MAX_CHOSEN];
    char *folder = NULL;
    size_t n = choose_scenes(job->stack, chosen);
    learn_job learn = { .job = job, .chosen = chosen, .n_chosen = n };
    tally_status s;

    job->basis = n >= ENOUGH_FOR_BACKGROUND ? "background" : n >= 2 ? "pair" : "single";
    tally_model_close(&job->model);
    if ((s = name_background(job, chosen, n, id, err)) != TALLY_OK) goto out;
    if ((s = background_folder(job, id, &folder, err)) != TALLY_OK) goto out;
    if ((s = tally_model_open(folder, &job->model, err)) != TALLY_OK) goto out;
    const tally_samples samples = { .chosen = chosen, .n = n, .least = least_samples(job, n) };
    s = tally_clouds_learn(job->ctx, job->stack, &samples, folder, err);
    if (s == TALLY_OK && n > 0)
        s = tally_parallel_for(job->ctx, "background", job->n_units, learn_unit, &learn, err);
    if (s == TALLY_OK) s = tally_stack_save(job->ctx, job->stack, folder, err);
    if (s == TALLY_OK && job->settings->save_background)
        s = save_background(job, chosen, n, id, err);
    if (s != TALLY_OK && tally_remove_tree(folder, NULL) != TALLY_OK)
        tally_note(job->ctx, "%s: is half of a background, and could not be removed", folder);
out:
    tally_free(folder);
    return s;
}

/* A scene that turns out to be broken where the survey did not look is left out, and the rest
 * learned from anew. */
static tally_status learn_background(tally_family_job *job, tally_error *err)
{
    char id[17];
    tally_status s = plan_units(job, err);
    while (s == TALLY_OK && (s = learn_once(job, id, err)) != TALLY_OK &&
           drop_unreadable(job, s, 0, job->stack->n) > 0)
        s = TALLY_OK;
    return s == TALLY_OK
               ? tally_run_state_set_background(job->state, job->stack->family, id, job->basis, err)
               : s;
}

static tally_status note_datum(const tally_family_job *job, tally_error *err)
{
    const tally_stack *stack = job->stack;
    const double gsd_m = stack->grid.gsd_m;
    const tally_run_datum datum = { .east_m = tally_round_to(stack->datum_x_px * gsd_m, 1000),
                                    .north_m = tally_round_to(-stack->datum_y_px * gsd_m, 1000),
                                    .zones_east_m = tally_round_to(stack->zones_x_px * gsd_m, 1000),
                                    .zones_north_m =
                                        tally_round_to(-stack->zones_y_px * gsd_m, 1000) };
    return tally_run_state_set_datum(job->state, stack->family, datum, err);
}

static tally_status resume_background(tally_family_job *job, const char *id,
                                      const tally_scene *const *scenes, size_t n, tally_error *err)
{
    char *folder = NULL;
    tally_status s = background_folder(job, id, &folder, err);
    if (s == TALLY_OK)
        s = tally_stack_resume(job->ctx, job->site, folder, scenes, n, &job->stack, err);
    if (s == TALLY_OK) s = note_datum(job, err);
    if (s == TALLY_OK) s = tally_clouds_resume(job->ctx, job->stack, folder, err);
    if (s == TALLY_OK) s = tally_model_open(folder, &job->model, err);
    if (s == TALLY_OK) s = plan_units(job, err);
    if (s == TALLY_OK)
        tally_note(job->ctx, "%s: counting %zu new scenes against background %s",
                   job->stack->family, n, id);
    tally_free(folder);
    return s;
}

tally_status tally_family_begin(tally_family_job *job, const tally_scene *const *scenes, size_t n,
                                tally_error *err)
{
    const char *id = tally_run_state_background(job->state, scenes[0]->family, &job->basis);
    if (id) return resume_background(job, id, scenes, n, err);
    tally_survey_settings survey = { .reference = job->settings->reference,
                                     .datum = job->settings->datum };
    tally_status s = tally_stack_survey(job->ctx, job->site, scenes, n, &survey, &job->stack, err);
    if (s == TALLY_OK) s = note_datum(job, err);
    return s == TALLY_OK ? learn_background(job, err) : s;
}

typedef struct count_job {
    const tally_family_job *job;
    size_t first;
    tally_findings *parts; /* n_scenes x n_units */
} count_job;

/* Zones of which a part has no background say so. */
static tally_status tell_thin(const tally_family_job *job, tally_findings *f, tally_error *err)
{
    for (size_t i = 0; i < f->n_zones; i++) {
        double share;
        tally_zone_count *z = &f->zones[i];
        tally_status s =
            tally_stack_thin_share(job->stack, &job->site->zones[z->zone].shape, &share, err);
        if (s != TALLY_OK) return s;
        if (share > 0.5 || (share > 0.05 && !z->reason[0]))
            snprintf(z->reason, sizeof z->reason,
                     "%.0f %% of it has no background: too few scenes show it", 100 * share);
    }
    return TALLY_OK;
}

static tally_status count_unit(void *user, size_t i, tally_error *err)
{
    const count_job *c = user;
    const tally_task_unit *u = &c->job->units[i % c->job->n_units];
    size_t scene = c->first + i / c->job->n_units;
    if (!c->job->stack->scenes[scene].placement.accepted) return TALLY_OK;
    if (!can_count(c->job->stack, u->counter))
        return tally_findings_refuse(&u->unit, "radar shows them as unresolved points: not counted",
                                     &c->parts[i], err);
    tally_status s = u->counter->count(c->job->ctx, c->job->stack, &u->unit, scene, c->job->model,
                                       &c->parts[i], err);
    if (s != TALLY_OK) return s;
    const bool alone = c->job->basis && strcmp(c->job->basis, "single") == 0;
    for (size_t z = 0; z < c->parts[i].n_zones; z++)
        tally_calibrate(u->counter->class_, c->job->stack->grid.gsd_m,
                        c->job->stack->scenes[scene].snow, alone, &c->parts[i].zones[z]);
    return tell_thin(c->job, &c->parts[i], err);
}

static tally_status append_findings(tally_findings *all, const tally_findings *part,
                                    tally_error *err)
{
    for (size_t i = 0; i < part->n_zones; i++) {
        tally_status s = tally_findings_add_zone(all, &part->zones[i], err);
        if (s != TALLY_OK) return s;
    }
    for (size_t i = 0; i < part->n_found; i++) {
        tally_status s = tally_findings_add_found(all, &part->found[i], err);
        if (s != TALLY_OK) return s;
    }
    return TALLY_OK;
}

static tally_status count_batch(const tally_family_job *job, size_t first, size_t n,
                                tally_findings *findings, tally_error *err)
{
    size_t n_parts = n * job->n_units;
    count_job count = { .job = job,
                        .first = first,
                        .parts = tally_alloc(n_parts, sizeof *count.parts) };
    if (!count.parts) return tally_nomem(err, "what was found");
    tally_status s = tally_parallel_for(job->ctx, NULL, n_parts, count_unit, &count, err);
    for (size_t i = 0; i < n_parts && s == TALLY_OK; i++)
        s = append_findings(&findings[i / job->n_units], &count.parts[i], err);
    for (size_t i = 0; i < n_parts; i++)
        tally_findings_fini(&count.parts[i]);
    tally_free(count.parts);
    return s;
}

tally_status tally_family_count(tally_family_job *job, size_t first, size_t n,
                                tally_findings *findings, tally_error *err)
{
    tally_status s;
    do
        s = count_batch(job, first, n, findings, err);
    while (s != TALLY_OK && drop_unreadable(job, s, first, n) > 0);
    return s;
}

void tally_family_end(tally_family_job *job)
{
    for (size_t i = 0; i < job->n_units; i++)
        tally_free(job->units[i].unit.zones);
    tally_free(job->units);
    job->units = NULL;
    job->n_units = 0;
    tally_model_close(&job->model);
    tally_stack_destroy(&job->stack);
}
