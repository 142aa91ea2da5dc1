/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The clouds of a stack's scenes: the clear ground learned or taken up again, then scene by scene.
 * On the way it is counted how many of the background's scenes see each coarse pixel: where they
 * are too few there is no background, and no scene is read there.
 */
#include <math.h>
#include <unistd.h>

#include "align/cloud.h"

enum { MOST_CHOSEN = 32 };
static const double CLOUDY = 0.005; /* share of the cells from which on radiometry is taken again */

/* Placed scenes without snow, spread evenly over time. */
static size_t choose(const tally_stack *stack, size_t chosen[MOST_CHOSEN])
{
    size_t n_fit = 0, n = 0, k = 0;
    for (size_t i = 0; i < stack->n; i++) {
        const tally_stack_scene *e = &stack->scenes[i];
        n_fit += e->placement.accepted && !e->snow && !e->hidden;
    }
    for (size_t i = 0; i < stack->n; i++) {
        const tally_stack_scene *e = &stack->scenes[i];
        if (!e->placement.accepted || e->snow || e->hidden) continue;
        if (n_fit <= MOST_CHOSEN || k * MOST_CHOSEN / n_fit != (k + 1) * MOST_CHOSEN / n_fit)
            chosen[n++] = i;
        k++;
    }
    return n;
}

/* Does no scene come with a mask? */
static bool is_unmasked(const tally_stack *stack)
{
    for (size_t i = 0; i < stack->n; i++)
        for (size_t t = 0; t < stack->scenes[i].scene->n_tiles; t++)
            if (stack->scenes[i].scene->tiles[t]->mask_path) return false;
    return true;
}

static void forget(tally_stack *stack)
{
    tally_bits_fini(&stack->thin);
    for (size_t i = 0; i < stack->n; i++)
        tally_bits_fini(&stack->scenes[i].cloud);
}

typedef struct find_job {
    const tally_context *ctx;
    tally_stack *stack;
    const tally_ground *ground;
    bool is_learned; /* the ground has pixels; else no cloud can be told */
    const tally_samples *samples;
    uint8_t *counts; /* by coarse pixel, in all scenes at once; NULL: not wanted */
} find_job;

static bool is_sample(const find_job *job, size_t scene)
{
    for (size_t i = 0; job->counts && i < job->samples->n; i++)
        if (job->samples->chosen[i] == scene) return true;
    return false;
}

static void count_seen(const find_job *job, const tally_patch *coarse, const tally_bits *mask)
{
    const int cell = job->ground->cell;
    for (int y = 0; y < coarse->height; y++)
        for (int x = 0; x < coarse->width; x++)
            if (tally_bits_get(&coarse->valid, x, y) &&
                !(mask->bits && tally_bits_get(mask, x / cell, y / cell)))
                __atomic_fetch_add(&job->counts[(size_t)y * (size_t)coarse->width + (size_t)x], 1,
                                   __ATOMIC_RELAXED);
}

/* An empty mask is none. */
static tally_status find_clouds(const find_job *job, const tally_stack_scene *e,
                                const tally_patch *coarse, tally_bits *mask, tally_error *err)
{
    tally_cloud_facts facts = { .snow = e->snow,
                                .sun_azimuth = e->scene->sun_azimuth,
                                .sun_elevation = e->scene->sun_elevation };
    for (size_t t = 0; t < e->scene->n_tiles; t++)
        facts.masked |= e->scene->tiles[t]->mask_path != NULL;
    *mask = (tally_bits) { 0 };
    if (!job->is_learned) return TALLY_OK;
    tally_status s = tally_cloud_find(job->ground, coarse, &facts, mask, err);
    if (s == TALLY_OK && tally_bits_count(mask) == 0) tally_bits_fini(mask);
    return s;
}

static tally_status find_in_scene(void *user, size_t i, tally_error *err)
{
    const find_job *job = user;
    const tally_ground *g = job->ground;
    tally_stack_scene *e = &job->stack->scenes[i];
    tally_stack_reader reader;
    tally_patch coarse = { 0 };
    tally_bits mask = { 0 };
    tally_error why = { 0 };
    if (!e->placement.accepted || e->hidden) return TALLY_OK;
    if (!job->is_learned && !is_sample(job, i)) return TALLY_OK;
    tally_status s = tally_stack_reader_open(job->stack, i, &reader, &why);
    if (s == TALLY_OK)
        s = tally_ground_read(job->ctx, g, &reader, 0, g->water.height * g->cell, &coarse, &why);
    tally_stack_reader_close(&reader);
    /* pixels that cannot be read are found, and told, by those who count them */
    if (s == TALLY_E_IO || s == TALLY_E_FORMAT || s == TALLY_E_CRS) return TALLY_OK;
    if (s != TALLY_OK) return tally_fail(err, s, "%s", why.message);
    s = find_clouds(job, e, &coarse, &mask, err);
    if (s == TALLY_OK && is_sample(job, i)) count_seen(job, &coarse, &mask);
    tally_patch_fini(&coarse);
    if (s != TALLY_OK || !mask.bits) return s;
    const double share = (double)tally_bits_count(&mask) / ((double)mask.width * mask.height);
    e->cloud = mask;
    e->cloud_px = g->step * g->cell;
    return share > CLOUDY && (int)i != job->stack->reference
               ? tally_stack_rescale(job->ctx, job->stack, i, err)
               : TALLY_OK;
}

static tally_status find_all(find_job *job, tally_error *err)
{
    return tally_parallel_for(job->ctx, "clouds", job->stack->n, find_in_scene, job, err);
}

static void tell(const find_job *job)
{
    size_t n = 0;
    for (size_t i = 0; i < job->stack->n; i++)
        n += job->stack->scenes[i].cloud.bits != NULL;
    if (n > 0)
        tally_note(job->ctx, "%s: %zu of %zu scenes have clouds that no mask knows of",
                   job->stack->family, n, job->stack->n);
}

/* A patch of which each pixel is `px` of the grid, where it lies on the ground. */
static tally_status write_map(const tally_stack *stack, const tally_patch *patch, int px,
                              const char *path, tally_error *err)
{
    const tally_point corner = tally_stack_metres(stack, (tally_point) { 0, 0 });
    const double size = px * stack->grid.gsd_m;
    const tally_affine affine = { { corner.x, size, 0, corner.y, 0, -size } };
    return tally_raster_write(path, patch, stack->grid.epsg, &affine, NULL, err);
}

tally_status tally_clouds_write(const tally_stack *stack, size_t i, const char *path,
                                tally_error *err)
{
    const tally_stack_scene *e = &stack->scenes[i];
    tally_patch p;
    if (!e->cloud.bits) return TALLY_OK;
    tally_status s = tally_patch_init(&p, e->cloud.width, e->cloud.height, 1, err);
    if (s != TALLY_OK) return s;
    for (int y = 0; y < p.height; y++)
        for (int x = 0; x < p.width; x++) {
            tally_bits_set(&p.valid, x, y);
            tally_patch_row(&p, 0, y)[x] = tally_bits_get(&e->cloud, x, y);
        }
    s = write_map(stack, &p, e->cloud_px, path, err);
    tally_patch_fini(&p);
    return s;
}

static char *samples_path(const char *folder)
{
    return tally_format("%s/samples.tif", folder);
}

/* How many scenes of the background see each coarse pixel, not valid where they are too few. Far
 * from the zones nothing is counted, and nothing hidden. */
static tally_status save_samples(const find_job *job, const char *folder, tally_error *err)
{
    const tally_ground *g = job->ground;
    const int block = g->cell * TALLY_GROUND_BLOCK;
    const tally_stack *stack = job->stack;
    tally_patch p;
    char *path = samples_path(folder);
    tally_status s =
        tally_patch_init(&p, g->water.width * g->cell, g->water.height * g->cell, 1, err);
    for (int y = 0; s == TALLY_OK && y < p.height; y++)
        for (int x = 0; x < p.width; x++) {
            const int n = job->counts[(size_t)y * (size_t)p.width + (size_t)x];
            tally_patch_row(&p, 0, y)[x] = (float)n;
            if (n >= job->samples->least || !tally_bits_get(&g->near, x / block, y / block))
                tally_bits_set(&p.valid, x, y);
        }
    if (s == TALLY_OK)
        s = path ? write_map(stack, &p, g->step, path, err) : tally_nomem(err, "samples.tif");
    tally_patch_fini(&p);
    tally_free(path);
    return s;
}

static tally_status load_samples(tally_stack *stack, const tally_ground *g, const char *folder,
                                 tally_error *err)
{
    char *path = samples_path(folder);
    tally_patch p = { 0 };
    tally_status s = path ? TALLY_OK : tally_nomem(err, "samples.tif");
    if (s == TALLY_OK && access(path, F_OK) == 0) {
        s = tally_raster_load(path, &p, err);
        if (s == TALLY_OK && (p.width != g->water.width * g->cell ||
                              p.height != g->water.height * g->cell || p.bands != 1))
            s = tally_fail(err, TALLY_E_FORMAT,
                           "%s: is not what tallyman wrote; use --fresh to start over", path);
        if (s == TALLY_OK) s = tally_bits_init(&stack->thin, p.width, p.height, err);
        for (int y = 0; s == TALLY_OK && y < p.height; y++)
            for (int x = 0; x < p.width; x++)
                if (!tally_bits_get(&p.valid, x, y)) tally_bits_set(&stack->thin, x, y);
        stack->thin_px = g->step;
        if (s == TALLY_OK && tally_bits_count(&stack->thin) == 0) tally_bits_fini(&stack->thin);
        tally_patch_fini(&p);
    }
    tally_free(path);
    return s;
}

tally_status tally_clouds_learn(const tally_context *ctx, tally_stack *stack,
                                const tally_samples *samples, const char *folder, tally_error *err)
{
    size_t chosen[MOST_CHOSEN];
    tally_ground g;
    forget(stack);
    const size_t n = choose(stack, chosen);
    find_job job = { ctx,     stack, &g, n >= TALLY_GROUND_LEAST && !tally_stack_is_radar(stack),
                     samples, NULL };
    tally_status s = tally_ground_plan(stack, &g, err);
    if (s != TALLY_OK) return s;
    if (job.is_learned) {
        s = tally_ground_learn(ctx, stack, chosen, n, &g, err);
        if (s == TALLY_OK) s = tally_ground_save(&g, stack, folder, err);
    }
    if (!job.is_learned && !tally_stack_is_radar(stack) && is_unmasked(stack))
        tally_note(ctx, "%s: %zu clear scenes are too few to find clouds by; no mask, no cloud",
                   stack->family, n);
    if (s == TALLY_OK && samples->least > 1) {
        job.counts = tally_alloc((size_t)(g.water.width * g.cell),
                                 (size_t)(g.water.height * g.cell) * sizeof *job.counts);
        if (!job.counts) s = tally_nomem(err, "the background's samples");
    }
    if (s == TALLY_OK) s = find_all(&job, err);
    if (s == TALLY_OK) tell(&job);
    if (s == TALLY_OK && job.counts) s = save_samples(&job, folder, err);
    if (s == TALLY_OK) s = load_samples(stack, &g, folder, err);
    tally_free(job.counts);
    tally_ground_fini(&g);
    return s;
}

tally_status tally_clouds_resume(const tally_context *ctx, tally_stack *stack, const char *folder,
                                 tally_error *err)
{
    static const tally_samples none = { 0 };
    tally_ground g;
    tally_error why = { 0 };
    find_job job = { ctx, stack, &g, true, &none, NULL };
    tally_status s = tally_ground_plan(stack, &g, err);
    if (s != TALLY_OK) return s;
    s = tally_ground_load(&g, stack, folder, &why);
    job.is_learned = s == TALLY_OK;
    if (s == TALLY_E_NODATA)
        s = TALLY_OK; /* there were too few scenes to know the clear ground */
    else if (s != TALLY_OK)
        s = tally_fail(err, s, "%s", why.message);
    if (s == TALLY_OK) s = find_all(&job, err);
    if (s == TALLY_OK) s = load_samples(stack, &g, folder, err);
    tally_ground_fini(&g);
    return s;
}
