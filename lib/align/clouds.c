/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The clouds of a stack's scenes: the clear ground learned or taken up again, then scene by scene.
 */
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

static void forget(tally_stack *stack)
{
    for (size_t i = 0; i < stack->n; i++)
        tally_bits_fini(&stack->scenes[i].cloud);
}

typedef struct find_job {
    const tally_context *ctx;
    tally_stack *stack;
    const tally_ground *ground;
} find_job;

static tally_status find_in_scene(void *user, size_t i, tally_error *err)
{
    const find_job *job = user;
    const tally_ground *g = job->ground;
    tally_stack_scene *e = &job->stack->scenes[i];
    tally_stack_reader reader;
    tally_patch coarse = { 0 };
    tally_bits mask = { 0 };
    if (!e->placement.accepted || e->hidden) return TALLY_OK;
    tally_cloud_facts facts = { .snow = e->snow,
                                .sun_azimuth = e->scene->sun_azimuth,
                                .sun_elevation = e->scene->sun_elevation };
    for (size_t t = 0; t < e->scene->n_tiles; t++)
        facts.masked |= e->scene->tiles[t]->mask_path != NULL;
    tally_status s = tally_stack_reader_open(job->stack, i, &reader, err);
    if (s == TALLY_OK)
        s = tally_ground_read(job->ctx, g, &reader, 0, g->centre.height, &coarse, NULL);
    tally_stack_reader_close(&reader);
    if (s == TALLY_OK) s = tally_cloud_find(g, &coarse, &facts, &mask, err);
    tally_patch_fini(&coarse);
    /* pixels that cannot be read are found, and told, by those who count them */
    if (s == TALLY_E_IO || s == TALLY_E_FORMAT || s == TALLY_E_CRS) return TALLY_OK;
    if (s != TALLY_OK) return s;
    const double share = (double)tally_bits_count(&mask) / ((double)mask.width * mask.height);
    if (!(share > 0)) {
        tally_bits_fini(&mask);
        return TALLY_OK;
    }
    e->cloud = mask;
    e->cloud_px = g->step * g->cell;
    return share > CLOUDY && (int)i != job->stack->reference
               ? tally_stack_rescale(job->ctx, job->stack, i, err)
               : TALLY_OK;
}

static tally_status find_all(const tally_context *ctx, tally_stack *stack, const tally_ground *g,
                             tally_error *err)
{
    find_job job = { ctx, stack, g };
    return tally_parallel_for(ctx, "clouds", stack->n, find_in_scene, &job, err);
}

tally_status tally_clouds_learn(const tally_context *ctx, tally_stack *stack, const char *folder,
                                tally_error *err)
{
    size_t chosen[MOST_CHOSEN];
    tally_ground ground;
    forget(stack);
    const size_t n = choose(stack, chosen);
    if (n < TALLY_GROUND_LEAST) return TALLY_OK;
    tally_status s = tally_ground_plan(stack, &ground, err);
    if (s == TALLY_OK) s = tally_ground_learn(ctx, stack, chosen, n, &ground, err);
    if (s == TALLY_OK) s = tally_ground_save(&ground, stack, folder, err);
    if (s == TALLY_OK) s = find_all(ctx, stack, &ground, err);
    tally_ground_fini(&ground);
    return s;
}

tally_status tally_clouds_resume(const tally_context *ctx, tally_stack *stack, const char *folder,
                                 tally_error *err)
{
    tally_ground ground;
    tally_error why = { 0 };
    tally_status s = tally_ground_plan(stack, &ground, &why);
    if (s == TALLY_OK) s = tally_ground_load(&ground, stack, folder, &why);
    if (s == TALLY_OK) s = find_all(ctx, stack, &ground, &why);
    tally_ground_fini(&ground);
    if (s == TALLY_E_NODATA) return TALLY_OK;
    return s == TALLY_OK ? s : tally_fail(err, s, "%s", why.message);
}
