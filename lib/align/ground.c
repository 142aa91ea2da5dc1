/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Per coarse pixel the median over clear scenes. A median stands as long as less than half of the
 * scenes are clouded there; four scenes are the fewest of which one may be.
 *
 * Sizes: 2 m keeps the structure that cloud takes away (roads, roofs, field edges) at every GSD and
 * drops what registration and sensors differ in; cells of 8 m are a tenth of the smallest cloud
 * that is looked for. A site so wide that it would have more than a million coarse pixels takes
 * larger ones, so that memory stays bounded.
 */
#include "align/ground.h"

#include <math.h>
#include <unistd.h>

#include "kernels/kernels.h"

static const double COARSE_M = 2, CELL_M = 8;
static const double MOST_COARSE = 1 << 20;
static const double REACH_M = 150; /* around zones: a cloud must be seen as a whole */

void tally_ground_fini(tally_ground *g)
{
    tally_bits_fini(&g->near);
    tally_bits_fini(&g->water);
    tally_patch_fini(&g->centre);
    *g = (tally_ground) { 0 };
}

static int up(double x, int by)
{
    return (int)ceil(x / by);
}

static bool is_watched(tally_role role)
{
    return role == TALLY_TRACK || role == TALLY_YARD || role == TALLY_WATER || role == TALLY_BERTH;
}

static tally_status mark_water(const tally_stack *stack, const tally_shape *metres, tally_ground *g,
                               tally_error *err)
{
    tally_shape px;
    tally_status s = tally_stack_shape(stack, metres, &px, err);
    if (s != TALLY_OK) return s;
    for (size_t i = 0; i < px.n_paths; i++)
        for (size_t k = 0; k < px.paths[i].n; k++) {
            px.paths[i].points[k].x /= g->step * g->cell;
            px.paths[i].points[k].y /= g->step * g->cell;
        }
    tally_shape_fill(&px, &g->water);
    tally_shape_fini(&px);
    return TALLY_OK;
}

static void mark_near(tally_ground *g, tally_box px)
{
    const int block = g->step * g->cell * TALLY_GROUND_BLOCK;
    const int x0 = px.x0 < 0 ? 0 : px.x0 / block, y0 = px.y0 < 0 ? 0 : px.y0 / block;
    for (int y = y0; y < g->near.height && y * block < px.y1; y++)
        for (int x = x0; x < g->near.width && x * block < px.x1; x++)
            tally_bits_set(&g->near, x, y);
}

tally_status tally_ground_plan(const tally_stack *stack, tally_ground *out, tally_error *err)
{
    const tally_grid *grid = &stack->grid;
    tally_ground g = { .step = (int)fmax(1, round(COARSE_M / grid->gsd_m)) };
    while ((double)grid->width / g.step * ((double)grid->height / g.step) > MOST_COARSE)
        g.step++;
    g.cell = (int)fmax(1, round(CELL_M / (g.step * grid->gsd_m)));
    g.cell_m = g.cell * g.step * grid->gsd_m;
    const int columns = up(grid->width, g.step * g.cell), rows = up(grid->height, g.step * g.cell);
    *out = (tally_ground) { 0 };
    tally_status s = tally_bits_init(&g.near, up(columns, TALLY_GROUND_BLOCK),
                                     up(rows, TALLY_GROUND_BLOCK), err);
    if (s == TALLY_OK) s = tally_bits_init(&g.water, columns, rows, err);
    for (size_t z = 0; z < stack->site->n_zones && s == TALLY_OK; z++) {
        const tally_zone *zone = &stack->site->zones[z];
        if (!is_watched(zone->role)) continue;
        mark_near(&g, tally_stack_box(stack, &zone->shape, REACH_M));
        if (zone->role == TALLY_WATER || zone->role == TALLY_BERTH)
            s = mark_water(stack, &zone->shape, &g, err);
    }
    if (s != TALLY_OK) tally_ground_fini(&g);
    *out = g;
    return s;
}

/* Average step x step pixels of a window into coarse pixels from (x0, y0) on. */
static void pool(const tally_patch *fine, int step, tally_patch *coarse, int x0, int y0)
{
    const int columns = fine->width / step, rows = fine->height / step;
    for (int cy = 0; cy < rows; cy++)
        for (int cx = 0; cx < columns; cx++) {
            float sum[TALLY_BAND_ROLES] = { 0 };
            int n = 0;
            for (int y = cy * step; y < (cy + 1) * step; y++)
                for (int x = cx * step; x < (cx + 1) * step; x++) {
                    if (!tally_bits_get(&fine->valid, x, y)) continue;
                    n++;
                    for (int b = 0; b < fine->bands; b++)
                        sum[b] += tally_patch_row(fine, b, y)[x];
                }
            if (2 * n < step * step) continue;
            for (int b = 0; b < fine->bands; b++)
                tally_patch_row(coarse, b, y0 + cy)[x0 + cx] = sum[b] / (float)n;
            tally_bits_set(&coarse->valid, x0 + cx, y0 + cy);
        }
}

tally_status tally_ground_read(const tally_context *ctx, const tally_ground *g,
                               tally_stack_reader *reader, int y0, int y1, tally_patch *patch,
                               tally_error *err)
{
    const int block = g->cell * TALLY_GROUND_BLOCK; /* coarse pixels */
    tally_status s =
        tally_patch_init(patch, g->water.width * g->cell, y1 - y0, reader->stack->n_bands, err);
    for (int by = y0 / block; by * block < y1 && s == TALLY_OK; by++)
        for (int bx = 0; bx < g->near.width && s == TALLY_OK; bx++) {
            if (!tally_bits_get(&g->near, bx, by)) continue;
            tally_box at = tally_box_intersect(
                (tally_box) { bx * block, by * block, (bx + 1) * block, (by + 1) * block },
                (tally_box) { 0, y0, patch->width, y1 });
            tally_patch fine = { 0 };
            s = tally_stack_reader_read(
                ctx, reader,
                (tally_box) { at.x0 * g->step, at.y0 * g->step, at.x1 * g->step, at.y1 * g->step },
                &fine, err);
            if (s == TALLY_OK) pool(&fine, g->step, patch, at.x0, at.y0 - y0);
            tally_patch_fini(&fine);
        }
    if (s != TALLY_OK) tally_patch_fini(patch);
    return s;
}

typedef struct learn_job {
    const tally_context *ctx;
    const tally_stack *stack;
    const size_t *chosen;
    size_t n;
    tally_ground *ground;
} learn_job;

/* Lay the scenes' medians into rows from y0 on; what fewer than the least saw is not valid. */
static tally_status lay_medians(const learn_job *job, const tally_patch *scenes, int y0,
                                tally_error *err)
{
    tally_patch *out = &job->ground->centre;
    const float *rows[TALLY_MEDIAN_MAX];
    const uint64_t *valid[TALLY_MEDIAN_MAX];
    const size_t width = (size_t)out->width;
    float *mad = tally_alloc(width, sizeof *mad);
    uint8_t *count = tally_alloc(width, 1);
    for (int y = 0; mad && count && y < scenes[0].height; y++)
        for (int b = 0; b < out->bands; b++) {
            float *row = tally_patch_row(out, b, y0 + y);
            for (size_t i = 0; i < job->n; i++) {
                rows[i] = tally_patch_row(&scenes[i], b, y);
                valid[i] = tally_bits_row(&scenes[i].valid, y);
            }
            job->ctx->kernels->median_mad_f32(rows, valid, (int)job->n, width, row, mad, count);
            for (size_t x = 0; x < width; x++) {
                if (count[x] >= TALLY_GROUND_LEAST)
                    tally_bits_set(&out->valid, (int)x, y0 + y);
                else
                    row[x] = 0;
            }
        }
    const bool room = mad && count;
    tally_free(mad);
    tally_free(count);
    return room ? TALLY_OK : tally_nomem(err, "the clear ground");
}

static tally_status learn_rows(void *user, size_t row, tally_error *err)
{
    const learn_job *job = user;
    tally_ground *g = job->ground;
    const int block = g->cell * TALLY_GROUND_BLOCK, y0 = (int)row * block;
    const int y1 = y0 + block < g->centre.height ? y0 + block : g->centre.height;
    tally_patch *coarse = tally_alloc(job->n, sizeof *coarse);
    tally_status s = coarse ? TALLY_OK : tally_nomem(err, "the clear ground");
    for (size_t i = 0; i < job->n && s == TALLY_OK; i++) {
        tally_stack_reader reader;
        s = tally_stack_reader_open(job->stack, job->chosen[i], &reader, err);
        if (s == TALLY_OK) s = tally_ground_read(job->ctx, g, &reader, y0, y1, &coarse[i], err);
        tally_stack_reader_close(&reader);
    }
    if (s == TALLY_OK) s = lay_medians(job, coarse, y0, err);
    for (size_t i = 0; i < job->n && coarse; i++)
        tally_patch_fini(&coarse[i]);
    tally_free(coarse);
    return s;
}

/* The median level of land; of water where that is all there is. */
static tally_status measure(tally_ground *g, tally_error *err)
{
    const tally_patch *p = &g->centre;
    float *levels = tally_alloc((size_t)p->width * (size_t)p->height + 1, sizeof *levels);
    if (!levels) return tally_nomem(err, "the ground's level");
    for (int b = 0; b < p->bands; b++)
        for (int water = 0; water < 2; water++) {
            size_t n = 0;
            for (int y = 0; y < p->height; y++)
                for (int x = 0; x < p->width; x++)
                    if (tally_bits_get(&p->valid, x, y) &&
                        (water || !tally_bits_get(&g->water, x / g->cell, y / g->cell)))
                        levels[n++] = tally_patch_row(p, b, y)[x];
            g->unit[b] = n ? tally_median(levels, n) : 0;
            if (g->unit[b] > 0) break;
        }
    tally_free(levels);
    return TALLY_OK;
}

tally_status tally_ground_learn(const tally_context *ctx, const tally_stack *stack,
                                const size_t *chosen, size_t n, tally_ground *g, tally_error *err)
{
    learn_job job = { ctx, stack, chosen, n, g };
    tally_status s = tally_patch_init(&g->centre, g->water.width * g->cell,
                                      g->water.height * g->cell, stack->n_bands, err);
    if (s == TALLY_OK)
        s = tally_parallel_for(ctx, "clear ground", (size_t)g->near.height, learn_rows, &job, err);
    return s == TALLY_OK ? measure(g, err) : s;
}

static char *path_in(const char *folder)
{
    return tally_format("%s/clear_ground.tif", folder);
}

tally_status tally_ground_save(const tally_ground *g, const tally_stack *stack, const char *folder,
                               tally_error *err)
{
    char *path = path_in(folder);
    const tally_point corner = tally_stack_metres(stack, (tally_point) { 0, 0 });
    const double size = g->step * stack->grid.gsd_m;
    const tally_affine affine = { { corner.x, size, 0, corner.y, 0, -size } };
    tally_status s =
        path ? tally_raster_write(path, &g->centre, stack->grid.epsg, &affine, NULL, err)
             : tally_nomem(err, "the clear ground");
    tally_free(path);
    return s;
}

tally_status tally_ground_load(tally_ground *g, const tally_stack *stack, const char *folder,
                               tally_error *err)
{
    char *path = path_in(folder);
    tally_status s = TALLY_OK;
    if (!path) return tally_nomem(err, "the clear ground");
    if (access(path, F_OK) != 0)
        s = tally_fail(err, TALLY_E_NODATA, "%s: no clear ground was learned", path);
    else
        s = tally_raster_load(path, &g->centre, err);
    if (s == TALLY_OK &&
        (g->centre.width != g->water.width * g->cell ||
         g->centre.height != g->water.height * g->cell || g->centre.bands != stack->n_bands))
        s = tally_fail(err, TALLY_E_FORMAT,
                       "%s: is not what tallyman wrote; use --fresh to start over", path);
    tally_free(path);
    return s == TALLY_OK ? measure(g, err) : s;
}
