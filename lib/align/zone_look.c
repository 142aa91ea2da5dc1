/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What the stack shows around the zones, in three looks that hardly depend on what stands there on
 * one date: the median brightness, the median colour, and the unrest, the mean over the dates of
 * the root of how far a pixel is from its median (the root, so that one cloud does not outweigh
 * many trains; what changes smoothly over tens of metres, haze and cloud, is taken out first). Each
 * is cut into bins of equal number, so neither units nor polarity matter.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "align/zone_map.h"

static const double SMOOTH_M = 18; /* half side of the square whose mean is taken out of a change */
enum { CELLS_A_READ = 8, ENOUGH_FOR_UNREST = 3, SAMPLE_EVERY = 7 };
static const size_t BATCH_BYTES = 64 << 20;

/* A cell's window at the stack's own pixels, or groups of shrink x shrink. */
typedef struct base_window {
    int x0, y0, side;       /* in base pixels */
    float *bright, *colour; /* a plane a scene, NaN: not seen */
} base_window;

static base_window base_of(const tally_zone_map *map, const tally_map_cell *cell)
{
    const double x0 = (double)(cell->x0 - map->reach) / map->grow,
                 y0 = (double)(cell->y0 - map->reach) / map->grow;
    const int around = map->grow > 1 ? 1 : 0; /* what interpolation wants */
    return (base_window) { .x0 = (int)floor(x0) - around,
                           .y0 = (int)floor(y0) - around,
                           .side = (tally_map_window(map) + map->grow - 1) / map->grow + 1 +
                                   2 * around };
}

/* Reddest band (near infrared last) against the mean of the others; 0 for one band. */
static float colour_of(const double *band, int n)
{
    double others = 0;
    for (int b = 0; b < n - 1; b++)
        others += band[b] / (n - 1);
    const double sum = fabs(band[n - 1]) + fabs(others);
    return n > 1 && sum > 0 ? (float)((band[n - 1] - others) / sum) : 0;
}

/* Mean of shrink x shrink pixels from (u0, v0) on, of those that are seen. */
static void reduce(const tally_patch *p, int shrink, int u0, int v0, float *bright, float *colour)
{
    double band[TALLY_BAND_ROLES] = { 0 }, sum = 0;
    int n = 0;
    for (int v = v0; v < v0 + shrink; v++)
        for (int u = u0; u < u0 + shrink; u++) {
            if (!tally_bits_get(&p->valid, u, v)) continue;
            n++;
            for (int b = 0; b < p->bands; b++)
                band[b] += tally_patch_row(p, b, v)[u];
        }
    *bright = *colour = NAN;
    if (2 * n < shrink * shrink || n == 0) return;
    for (int b = 0; b < p->bands; b++) {
        band[b] /= n;
        sum += band[b];
    }
    *bright = (float)(sum / p->bands);
    *colour = colour_of(band, p->bands);
}

static tally_box box_of(const tally_zone_map *map, const base_window *w)
{
    const int f = map->shrink;
    return (tally_box) { w->x0 * f, w->y0 * f, (w->x0 + w->side) * f, (w->y0 + w->side) * f };
}

/* A scene's part of the window, out of a patch that holds the grid's `box`. */
static void take_scene(const tally_zone_map *map, const tally_patch *p, tally_box box,
                       const base_window *w, size_t scene)
{
    const size_t area = (size_t)w->side * (size_t)w->side;
    const tally_box mine = box_of(map, w);
    for (int y = 0; y < w->side; y++)
        for (int x = 0; x < w->side; x++) {
            const size_t at = scene * area + (size_t)y * (size_t)w->side + (size_t)x;
            reduce(p, map->shrink, mine.x0 - box.x0 + x * map->shrink,
                   mine.y0 - box.y0 + y * map->shrink, &w->bright[at], &w->colour[at]);
        }
}

/* Median over the scenes, pixel by pixel. */
static void median_plane(const float *planes, size_t n_scenes, size_t area, float *out)
{
    float v[TALLY_ZONE_SCENES];
    for (size_t i = 0; i < area; i++) {
        size_t n = 0;
        for (size_t k = 0; k < n_scenes; k++)
            if (isfinite(planes[k * area + i])) v[n++] = planes[k * area + i];
        out[i] = tally_median(v, n);
    }
}

/* Sums of a plane and of its seen pixels over all squares from the corner, one row and column more
 * than the plane. */
static void sum_up(const float *plane, int side, double *sums, double *counts)
{
    const size_t row = (size_t)side + 1;
    memset(sums, 0, row * sizeof *sums);
    memset(counts, 0, row * sizeof *counts);
    for (size_t y = 0; y < (size_t)side; y++) {
        double sum = 0, n = 0;
        sums[(y + 1) * row] = counts[(y + 1) * row] = 0;
        for (size_t x = 0; x < (size_t)side; x++) {
            const float v = plane[y * (size_t)side + x];
            if (isfinite(v)) {
                sum += v;
                n++;
            }
            sums[(y + 1) * row + x + 1] = sums[y * row + x + 1] + sum;
            counts[(y + 1) * row + x + 1] = counts[y * row + x + 1] + n;
        }
    }
}

static double square_sum(const double *sums, int side, int x0, int y0, int x1, int y1)
{
    const size_t row = (size_t)side + 1;
    return sums[(size_t)y1 * row + (size_t)x1] - sums[(size_t)y0 * row + (size_t)x1] -
           sums[(size_t)y1 * row + (size_t)x0] + sums[(size_t)y0 * row + (size_t)x0];
}

/* Add the root of a scene's change from the median, less what changed smoothly. */
static void add_unrest(const float *scene, const float *median, int side, int half, float *change,
                       double *sums, double *counts, float *total, uint8_t *n)
{
    const int area = side * side;
    for (int i = 0; i < area; i++)
        change[i] = scene[i] - median[i];
    sum_up(change, side, sums, counts);
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x++) {
            const int i = y * side + x;
            if (!isfinite(change[i])) continue;
            const int x0 = x < half ? 0 : x - half, y0 = y < half ? 0 : y - half,
                      x1 = x + half + 1 > side ? side : x + half + 1,
                      y1 = y + half + 1 > side ? side : y + half + 1;
            const double mean =
                square_sum(sums, side, x0, y0, x1, y1) / square_sum(counts, side, x0, y0, x1, y1);
            total[i] += sqrtf(fabsf((float)(change[i] - mean)));
            n[i]++;
        }
}

static tally_status unrest_plane(const base_window *w, size_t n_scenes, double base_m,
                                 const float *median, float *out, tally_error *err)
{
    const size_t area = (size_t)w->side * (size_t)w->side,
                 sums_size = ((size_t)w->side + 1) * ((size_t)w->side + 1);
    float *change = tally_alloc(area, sizeof *change);
    double *sums = tally_alloc(sums_size, sizeof *sums),
           *counts = tally_alloc(sums_size, sizeof *counts);
    uint8_t *n = tally_alloc(area, 1);
    tally_status s =
        change && sums && counts && n ? TALLY_OK : tally_nomem(err, "a map of the zones");
    memset(out, 0, area * sizeof *out);
    for (size_t k = 0; k < n_scenes && s == TALLY_OK; k++)
        add_unrest(w->bright + k * area, median, w->side, (int)ceil(SMOOTH_M / base_m), change,
                   sums, counts, out, n);
    for (size_t i = 0; i < area && s == TALLY_OK; i++)
        out[i] = n[i] >= ENOUGH_FOR_UNREST ? out[i] / n[i] : NAN;
    tally_free(change);
    tally_free(sums);
    tally_free(counts);
    tally_free(n);
    return s;
}

/* From base pixels to the map's: the same, or linear between their centres. */
static void spread(const tally_zone_map *map, const tally_map_cell *cell, const base_window *w,
                   const float *plane, float *out)
{
    const int window = tally_map_window(map);
    for (int y = 0; y < window; y++)
        for (int x = 0; x < window; x++) {
            const double u = (cell->x0 - map->reach + x + 0.5) / map->grow - 0.5 - w->x0,
                         v = (cell->y0 - map->reach + y + 0.5) / map->grow - 0.5 - w->y0;
            const int iu = (int)floor(u), iv = (int)floor(v);
            const float fu = (float)(u - iu), fv = (float)(v - iv);
            const float *p = plane + (ptrdiff_t)iv * w->side + iu;
            out[y * window + x] = map->grow == 1
                                      ? p[0]
                                      : (1 - fv) * ((1 - fu) * p[0] + fu * p[1]) +
                                            fv * ((1 - fu) * p[w->side] + fu * p[w->side + 1]);
        }
}

typedef struct look_job {
    const tally_context *ctx;
    const tally_stack *stack;
    const size_t *scenes;
    size_t n_scenes;
    const tally_zone_map *map;
    float *values[TALLY_LOOKS]; /* a window a cell */
    base_window *windows;       /* of the cells of a batch */
    size_t first, n;            /* the batch */
} look_job;

static tally_status take_looks(void *user, size_t i, tally_error *err)
{
    const look_job *job = user;
    const tally_zone_map *map = job->map;
    const base_window *w = &job->windows[i];
    const size_t cell = job->first + i;
    const size_t area = (size_t)w->side * (size_t)w->side,
                 window = (size_t)tally_map_window(map) * (size_t)tally_map_window(map);
    float *median = tally_alloc(area, sizeof *median), *plane = tally_alloc(area, sizeof *plane);
    tally_status s = median && plane ? TALLY_OK : tally_nomem(err, "a map of the zones");
    if (s == TALLY_OK) {
        median_plane(w->bright, job->n_scenes, area, median);
        spread(map, &map->cells[cell], w, median, job->values[TALLY_LOOK_BRIGHT] + cell * window);
        median_plane(w->colour, job->n_scenes, area, plane);
        spread(map, &map->cells[cell], w, plane, job->values[TALLY_LOOK_COLOUR] + cell * window);
        s = unrest_plane(w, job->n_scenes, map->pixel_m * map->grow, median, plane, err);
    }
    if (s == TALLY_OK)
        spread(map, &map->cells[cell], w, plane, job->values[TALLY_LOOK_UNREST] + cell * window);
    tally_free(median);
    tally_free(plane);
    return s;
}

/* How many cells from the i-th of the batch on lie side by side, to be read at once. */
static size_t run_from(const look_job *job, size_t i)
{
    const tally_map_cell *cell = &job->map->cells[job->first + i];
    size_t n = 1;
    while (i + n < job->n && n < CELLS_A_READ && cell[n].y0 == cell->y0 &&
           cell[n].x0 == cell[n - 1].x0 + job->map->side)
        n++;
    return n;
}

/* One scene in all cells of the batch: its files are opened once. */
static tally_status read_scene(void *user, size_t scene, tally_error *err)
{
    const look_job *job = user;
    tally_stack_reader reader;
    size_t run = 0;
    tally_status s = tally_stack_reader_open(job->stack, job->scenes[scene], &reader, err);
    for (size_t i = 0; i < job->n && s == TALLY_OK; i += run) {
        tally_patch p;
        run = run_from(job, i);
        const tally_box box = tally_box_union(box_of(job->map, &job->windows[i]),
                                              box_of(job->map, &job->windows[i + run - 1]));
        s = tally_stack_reader_read(job->ctx, &reader, box, &p, err);
        if (s != TALLY_OK) break;
        for (size_t k = i; k < i + run; k++)
            take_scene(job->map, &p, box, &job->windows[k], scene);
        tally_patch_fini(&p);
    }
    tally_stack_reader_close(&reader);
    return s;
}

static tally_status look_at_batch(look_job *job, tally_error *err)
{
    tally_status s = TALLY_OK;
    for (size_t i = 0; i < job->n && s == TALLY_OK; i++) {
        base_window *w = &job->windows[i];
        *w = base_of(job->map, &job->map->cells[job->first + i]);
        const size_t size = job->n_scenes * (size_t)w->side * (size_t)w->side;
        w->bright = tally_alloc(size, sizeof(float));
        w->colour = tally_alloc(size, sizeof(float));
        if (!w->bright || !w->colour) s = tally_nomem(err, "a map of the zones");
    }
    if (s == TALLY_OK) s = tally_parallel_for(job->ctx, NULL, job->n_scenes, read_scene, job, err);
    if (s == TALLY_OK) s = tally_parallel_for(job->ctx, NULL, job->n, take_looks, job, err);
    for (size_t i = 0; i < job->n; i++) {
        tally_free(job->windows[i].bright);
        tally_free(job->windows[i].colour);
        job->windows[i] = (base_window) { 0 };
    }
    return s;
}

static tally_status look_at_all(look_job *job, tally_error *err)
{
    const size_t n = job->map->n, side = (size_t)base_of(job->map, &job->map->cells[0]).side,
                 a_cell = 2 * sizeof(float) * job->n_scenes * side * side,
                 batch = BATCH_BYTES / a_cell + 1;
    tally_status s = TALLY_OK;
    if (!(job->windows = tally_alloc(batch, sizeof *job->windows)))
        return tally_nomem(err, "a map of the zones");
    for (job->first = 0; job->first < n && s == TALLY_OK; job->first += batch) {
        job->n = n - job->first < batch ? n - job->first : batch;
        s = look_at_batch(job, err);
    }
    tally_free(job->windows);
    return s;
}

tally_status tally_zone_map_bin(tally_zone_map *map, tally_look look, const float *values,
                                tally_error *err)
{
    const size_t window = (size_t)tally_map_window(map) * (size_t)tally_map_window(map),
                 all = map->n * window;
    float *sample = tally_alloc(all / SAMPLE_EVERY + 1, sizeof *sample),
          edge[TALLY_LOOK_BINS] = { 0 };
    size_t n = 0;
    if (!sample) return tally_nomem(err, "a map of the zones");
    for (size_t i = 0; i < all; i += SAMPLE_EVERY)
        if (isfinite(values[i])) sample[n++] = values[i];
    tally_sort(sample, n);
    for (size_t b = 1; b < TALLY_LOOK_BINS && n > 0; b++)
        edge[b] = sample[b * n / TALLY_LOOK_BINS];
    tally_free(sample);
    for (size_t c = 0; c < map->n; c++) {
        uint8_t *bins = tally_alloc(window, 1);
        if (!bins) return tally_nomem(err, "a map of the zones");
        for (size_t i = 0; i < window; i++) {
            const float v = values[c * window + i];
            int b = 0;
            while (b + 1 < TALLY_LOOK_BINS && v >= edge[b + 1])
                b++;
            bins[i] = isfinite(v) ? (uint8_t)b : TALLY_LOOK_UNSEEN;
        }
        tally_free(map->cells[c].look[look]);
        map->cells[c].look[look] = bins;
    }
    return TALLY_OK;
}

/* Labels that lie on nothing seen say nothing, also where a shift would lay them on something:
 * zones that reach over the images' edge would be drawn in by that. */
static void drop_unseen(tally_zone_map *map)
{
    const int window = tally_map_window(map);
    for (size_t c = 0; c < map->n; c++) {
        tally_map_cell *cell = &map->cells[c];
        for (int y = 0; y < map->side; y++)
            for (int x = 0; x < map->side; x++)
                if (cell->look[TALLY_LOOK_BRIGHT][(y + map->reach) * window + x + map->reach] ==
                    TALLY_LOOK_UNSEEN)
                    cell->label[y * map->side + x] = TALLY_MAP_FAR;
    }
}

tally_status tally_zone_map_look(const tally_context *ctx, const tally_stack *stack,
                                 const size_t *scenes, size_t n, tally_zone_map *map,
                                 tally_error *err)
{
    const size_t window = (size_t)tally_map_window(map) * (size_t)tally_map_window(map);
    look_job job = { .ctx = ctx, .stack = stack, .scenes = scenes, .n_scenes = n, .map = map };
    tally_status s = TALLY_OK;
    for (int k = 0; k < TALLY_LOOKS && s == TALLY_OK; k++)
        if (!(job.values[k] = tally_alloc(map->n * window, sizeof(float))))
            s = tally_nomem(err, "a map of the zones");
    if (s == TALLY_OK && map->n > 0) s = look_at_all(&job, err);
    for (int k = 0; k < TALLY_LOOKS; k++) {
        if (s == TALLY_OK) s = tally_zone_map_bin(map, (tally_look)k, job.values[k], err);
        tally_free(job.values[k]);
    }
    if (s == TALLY_OK) drop_unseen(map);
    return s;
}
