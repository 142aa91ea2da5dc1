/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What a scene shows of the ground, by cell: how much brighter than the ground it is in each band,
 * how much of the ground's structure is left in it, and how rough it is.
 *
 * Cloud of opacity a over ground G shows (1 - a) G + a W: the level rises by a (W - G) in every
 * band, and the structure shrinks to 1 - a. The share that is left is the slope of the scene on the
 * ground (least squares over a window of five cells, all bands together, each in units of its
 * level).
 *
 * The survey's gain and offset rest on all pixels of the tie windows, and where half of them are
 * cloud they fit the cloud. So both are taken here once more, from windows in which the ground is
 * recognised by its structure: the upper quartile of their slopes is that of clear air (cloud and
 * haze only lower it), and the windows near it give gain and offset of each band.
 *
 * Known failures: a thin veil over the whole scene is taken for clear air, as gain and offset undo
 * it; where no window of a scene matches the ground the survey's radiometry stands.
 */
#include "align/cloud.h"

#include <math.h>
#include <string.h>

enum { WINDOW = 2, LEAST_SAMPLES = 12, LEAST_CLEAR = 8 }; /* WINDOW: cells to each side */
static const double LEAST_CONTRAST =
    0.03; /* of the level: ground flatter than that has no structure to be lost */
static const double RECOGNISED[] = { 0.8,
                                     0.6 }; /* correlation; drawn clear ground has 0.9 and more,
                                               the second is for scenes that show little */
static const double CLEAR_AIR = 0.85;       /* of the upper quartile's slope */

/* Sums over the coarse pixels of a cell or window; x: ground, y: scene, in units of the level. */
typedef struct sums {
    double n, rough_n, rough_x, rough_y;
    double x[TALLY_BAND_ROLES], y[TALLY_BAND_ROLES];
    double xx[TALLY_BAND_ROLES], xy[TALLY_BAND_ROLES], yy[TALLY_BAND_ROLES];
} sums;

/* Slope and correlation of a window: all bands together, and each band's slope. */
typedef struct slope {
    double all, match, band[TALLY_BAND_ROLES];
} slope;

typedef struct look {
    const tally_ground *ground;
    sums *cells;
    float *scratch; /* as many as there are cells */
    slope *slopes;
    double gain[TALLY_BAND_ROLES], offset[TALLY_BAND_ROLES]; /* scene = gain ground + offset */
    double clear;
} look;

void tally_cloud_evidence_fini(tally_cloud_evidence *e)
{
    tally_patch_fini(&e->excess);
    tally_patch_fini(&e->gain);
    tally_patch_fini(&e->match);
    tally_patch_fini(&e->texture);
}

static bool has_cross(const tally_bits *v, int x, int y)
{
    return x > 0 && y > 0 && x + 1 < v->width && y + 1 < v->height && tally_bits_get(v, x, y) &&
           tally_bits_get(v, x - 1, y) && tally_bits_get(v, x + 1, y) &&
           tally_bits_get(v, x, y - 1) && tally_bits_get(v, x, y + 1);
}

static double roughness(const tally_patch *p, int band, int x, int y)
{
    const float *row = tally_patch_row(p, band, y);
    return fabs(4.0 * row[x] - row[x - 1] - row[x + 1] - tally_patch_row(p, band, y - 1)[x] -
                tally_patch_row(p, band, y + 1)[x]);
}

static void add_pixel(const tally_ground *g, const tally_patch *scene, int x, int y, sums *s)
{
    const bool cross = has_cross(&scene->valid, x, y) && has_cross(&g->centre.valid, x, y);
    s->n++;
    s->rough_n += cross;
    for (int b = 0; b < scene->bands; b++) {
        if (!(g->unit[b] > 0)) continue;
        const double u = tally_patch_row(&g->centre, b, y)[x] / g->unit[b];
        const double v = tally_patch_row(scene, b, y)[x] / g->unit[b];
        s->x[b] += u;
        s->y[b] += v;
        s->xx[b] += u * u;
        s->xy[b] += u * v;
        s->yy[b] += v * v;
        if (!cross) continue;
        s->rough_x += roughness(&g->centre, b, x, y) / g->unit[b];
        s->rough_y += roughness(scene, b, x, y) / g->unit[b];
    }
}

static void sum_cells(const tally_ground *g, const tally_patch *scene, sums *cells)
{
    const int columns = g->water.width;
    for (int y = 0; y < scene->height; y++)
        for (int x = 0; x < scene->width; x++)
            if (tally_bits_get(&scene->valid, x, y) && tally_bits_get(&g->centre.valid, x, y))
                add_pixel(g, scene, x, y, &cells[(y / g->cell) * columns + x / g->cell]);
}

static sums sum_window(const look *l, int cx, int cy, int reach)
{
    const tally_ground *g = l->ground;
    sums all = { 0 };
    for (int y = cy - reach; y <= cy + reach; y++)
        for (int x = cx - reach; x <= cx + reach; x++) {
            if (x < 0 || y < 0 || x >= g->water.width || y >= g->water.height) continue;
            const sums *c = &l->cells[y * g->water.width + x];
            all.n += c->n;
            all.rough_x += c->rough_x;
            all.rough_y += c->rough_y;
            all.rough_n += c->rough_n;
            for (int b = 0; b < g->centre.bands; b++) {
                all.x[b] += c->x[b];
                all.y[b] += c->y[b];
                all.xx[b] += c->xx[b];
                all.xy[b] += c->xy[b];
                all.yy[b] += c->yy[b];
            }
        }
    return all;
}

/* NaN: the ground has no structure here. */
static slope slope_of(const sums *w, int bands)
{
    double xx = 0, xy = 0, yy = 0;
    slope s = { .all = NAN, .match = NAN };
    for (int b = 0; b < bands; b++) {
        const double vx = w->xx[b] - w->x[b] * w->x[b] / w->n;
        const double vxy = w->xy[b] - w->x[b] * w->y[b] / w->n;
        s.band[b] = vx > 0 ? vxy / vx : 0;
        xx += vx;
        xy += vxy;
        yy += w->yy[b] - w->y[b] * w->y[b] / w->n;
    }
    if (w->n < LEAST_SAMPLES || !(xx > bands * w->n * LEAST_CONTRAST * LEAST_CONTRAST)) return s;
    s.all = xy / xx;
    s.match = yy > 0 ? xy / sqrt(xx * yy) : 0;
    return s;
}

static size_t recognised(look *l, double least)
{
    const int n_cells = l->ground->water.width * l->ground->water.height;
    size_t n = 0;
    for (int i = 0; i < n_cells; i++)
        if (l->slopes[i].match > least) l->scratch[n++] = (float)l->slopes[i].all;
    return n;
}

/* Gain and offset of one band from the windows that show the ground through clear air. */
static void find_band(look *l, int b, double least, double air)
{
    const int n_cells = l->ground->water.width * l->ground->water.height;
    size_t n = 0;
    for (int i = 0; i < n_cells; i++)
        if (l->slopes[i].match > least && l->slopes[i].all > air)
            l->scratch[n++] = (float)l->slopes[i].band[b];
    const double gain = n ? tally_median(l->scratch, n) : 0;
    if (!(gain > 0)) return;
    n = 0;
    for (int i = 0; i < n_cells; i++)
        if (l->slopes[i].match > least && l->slopes[i].all > air && l->cells[i].n > 0)
            l->scratch[n++] = (float)((l->cells[i].y[b] - gain * l->cells[i].x[b]) / l->cells[i].n);
    if (n == 0) return;
    l->gain[b] = gain;
    l->offset[b] = tally_median(l->scratch, n);
}

/* Gain and offset of clear air; what the survey found (1 and 0 here) when too little of it is seen.
 */
static void find_air(look *l)
{
    const int n_cells = l->ground->water.width * l->ground->water.height;
    size_t n = 0, structured = 0;
    int least = 0;
    for (int b = 0; b < TALLY_BAND_ROLES; b++)
        l->gain[b] = 1, l->offset[b] = 0;
    for (int i = 0; i < n_cells; i++)
        structured += isfinite(l->slopes[i].all);
    while (least < 2 && (n = recognised(l, RECOGNISED[least])) < LEAST_CLEAR)
        least++;
    l->clear = structured ? (double)n / (double)structured : 1;
    if (least == 2) return;
    const double most = tally_quantile(l->scratch, n, 0.75);
    for (int b = 0; b < l->ground->centre.bands; b++)
        find_band(l, b, RECOGNISED[least], CLEAR_AIR * most);
}

static void put(tally_patch *p, int x, int y, double v)
{
    tally_patch_row(p, 0, y)[x] = (float)v;
    tally_bits_set(&p->valid, x, y);
}

static void judge_cell(const look *l, int cx, int cy, tally_cloud_evidence *out)
{
    const tally_ground *g = l->ground;
    const sums *own = &l->cells[cy * g->water.width + cx];
    const slope *s = &l->slopes[cy * g->water.width + cx];
    double mean_gain = 0, level = 0;
    if (2 * own->n < g->cell * g->cell) return;
    for (int b = 0; b < g->centre.bands; b++) {
        const double y = (own->y[b] / own->n - l->offset[b]) / l->gain[b];
        tally_patch_row(&out->excess, b, cy)[cx] = (float)(y - own->x[b] / own->n);
        mean_gain += l->gain[b] / g->centre.bands;
        level += fmax(y, 0.05);
    }
    tally_bits_set(&out->excess.valid, cx, cy);
    if (isfinite(s->all)) {
        put(&out->gain, cx, cy, s->all / mean_gain);
        put(&out->match, cx, cy, s->match);
    }
    const sums t = sum_window(l, cx, cy, 1);
    if (t.rough_n > 0) put(&out->texture, cx, cy, t.rough_y / t.rough_n / mean_gain / level);
}

static double land_texture(const look *l)
{
    const tally_ground *g = l->ground;
    size_t n = 0;
    for (int y = 0; y < g->water.height; y++)
        for (int x = 0; x < g->water.width; x++) {
            const sums *c = &l->cells[y * g->water.width + x];
            double level = 0;
            if (tally_bits_get(&g->water, x, y) || !(c->rough_n > 0)) continue;
            for (int b = 0; b < g->centre.bands; b++)
                level += fmax(c->x[b] / c->n, 0.05);
            l->scratch[n++] = (float)(c->rough_x / c->rough_n / level);
        }
    return n ? tally_median(l->scratch, n) : 0;
}

tally_status tally_cloud_look(const tally_ground *g, const tally_patch *scene,
                              tally_cloud_evidence *out, tally_error *err)
{
    const int columns = g->water.width, rows = g->water.height;
    const size_t n = (size_t)columns * (size_t)rows;
    look l = { .ground = g,
               .cells = tally_alloc(n, sizeof *l.cells),
               .slopes = tally_alloc(n, sizeof *l.slopes),
               .scratch = tally_alloc(n, sizeof *l.scratch) };
    *out = (tally_cloud_evidence) { 0 };
    tally_status s =
        l.cells && l.slopes && l.scratch ? TALLY_OK : tally_nomem(err, "a scene's clouds");
    if (s == TALLY_OK) s = tally_patch_init(&out->excess, columns, rows, g->centre.bands, err);
    if (s == TALLY_OK) s = tally_patch_init(&out->gain, columns, rows, 1, err);
    if (s == TALLY_OK) s = tally_patch_init(&out->match, columns, rows, 1, err);
    if (s == TALLY_OK) s = tally_patch_init(&out->texture, columns, rows, 1, err);
    if (s == TALLY_OK) {
        sum_cells(g, scene, l.cells);
        for (int y = 0; y < rows; y++)
            for (int x = 0; x < columns; x++) {
                const sums w = sum_window(&l, x, y, WINDOW);
                l.slopes[y * columns + x] = slope_of(&w, g->centre.bands);
            }
        find_air(&l);
        out->clear_share = l.clear;
        out->land_texture = land_texture(&l);
        for (int y = 0; y < rows; y++)
            for (int x = 0; x < columns; x++)
                judge_cell(&l, x, y, out);
    } else {
        tally_cloud_evidence_fini(out);
    }
    tally_free(l.cells);
    tally_free(l.slopes);
    tally_free(l.scratch);
    return s;
}
