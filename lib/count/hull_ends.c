/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The ends of a hull. A ship's superstructure stands at one end and throws the deck behind it into
 * shade; hatches lie in the shade of cranes. Such deck is darker than lit water, as shaded water
 * is, and the distance from water (water.c) takes it for that. Beside the hull both kinds of water
 * can be seen: lit, and where the ship's shadow falls. Between these two colours water moves along
 * a line; what lies off the line, in units of that water's own spread, is deck.
 *
 * From each end of the box that the lit deck gave, columns across the hull are walked outward while
 * at least half of their middle part is deck, over gaps as long as a hatch coaming; then along the
 * narrowing bow or stern while its very middle is. Only pixels darker than lit water are judged by
 * the line: what is brighter was judged before, and a wake is bright.
 *
 * A block as wide as a hull, in line with it and near, but too short to be a ship, is that ship's
 * superstructure beyond a dark hold: both are one hull.
 *
 * Known failures: deck as dark as shaded water in all bands; a second hull bow to stern in the
 * shade of the first; where no shadow falls on water within AROUND_M nothing is moved but the tips.
 *
 * Constants: MIDDLE and TIP are shares of the width that a bow leaves at a third and a tenth of the
 * taper; OFF by eye on drawn hulls at 0.5 m, where columns of shaded deck lay 0.9 to 3 off the
 * line, of water 0.7 at most. LIKE_WIDTH, STUB_GAP: superstructures of drawn ships.
 */
#include "count/hull_ends.h"

#include <math.h>
#include <stdlib.h>

#define MAX_BANDS    8
#define FINE_M       1.4 /* pixels to which hulls are opened (hull.c), so that tips are lost; and */
#define LEAST_PX     8   /* across the hull: else the blur of the pixels hides the shade's edge */
#define AROUND_M     15.0 /* the water that is looked at */
#define NEAR_PX      2    /* begins past the blur */
#define LEAST_SAMPLE 40   /* pixels of it, lit or shaded, */
#define SHADED       0.85 /* which is darker than this share of the lit */
#define FLOOR        0.02f
#define DARK         0.93 /* of lit water: brighter is not judged by the line */
#define OFF          0.85 /* sigmas of a pixel that a column's usual colour lies off the line */
#define MOST_HALF    64   /* pixels of a column to either side */
#define MIDDLE       0.6  /* of the width, in which a column must be deck by half */
#define TIP          0.2  /* of the width, along the taper, */
#define TIP_SHARE    0.6  /* by this much, */
#define TIP_REACH    0.4  /* up to this many widths beyond */
#define GAP_M        2.0
#define MOST_LONGER  0.08 /* times the lit length: beyond, it is shade of the quay, not a deck */
#define LIKE_WIDTH   0.7  /* a superstructure is as wide as its hull, within this, */
#define STUB_GAP     0.35 /* and this near to it, as a share of both lengths */
#define MOST_SLIM    10.0

typedef struct water_line {
    int bands;
    bool shaded; /* `shade` was seen */
    float lit[MAX_BANDS], lit_sigma[MAX_BANDS];
    float shade[MAX_BANDS], shade_sigma[MAX_BANDS];
} water_line;

static bool is_seen(const tally_hull_view *view, int x, int y)
{
    return x >= 0 && y >= 0 && x < view->where->width && y < view->where->height &&
           tally_bits_get(view->where, x, y) && tally_bits_get(&view->scene->valid, x, y) &&
           !(view->blind && tally_bits_get(view->blind, x, y));
}

static float level(const tally_hull_view *view, const water_line *line, int band, int x, int y)
{
    return tally_patch_row(view->scene, band, y)[x] / fmaxf(line->lit[band], 1e-6f);
}

/* The mean over bands of a pixel's brightness as a share of lit water's. */
static float brightness(const tally_hull_view *view, const water_line *line, int x, int y)
{
    float sum = 0;
    for (int b = 0; b < line->bands; b++)
        sum += level(view, line, b, x, y);
    return sum / (float)line->bands;
}

/* The pixels of water around a hull. */
typedef struct ring {
    int *x, *y;
    float *value, *room;
    size_t n;
} ring;

static void ring_fini(ring *r)
{
    tally_free(r->room);
    tally_free(r->value);
    tally_free(r->y);
    tally_free(r->x);
}

static tally_status ring_init(ring *r, const tally_hull_view *view, const tally_rect *rect,
                              tally_error *err)
{
    const double far = AROUND_M / view->gsd_m;
    const int reach = (int)ceil(hypot(rect->length / 2 + far, rect->width / 2 + far));
    const int cx = (int)floor(rect->centre.x), cy = (int)floor(rect->centre.y);
    const size_t most = (size_t)(2 * reach + 1) * (size_t)(2 * reach + 1);

    *r = (ring) { .x = tally_alloc(most, sizeof *r->x),
                  .y = tally_alloc(most, sizeof *r->y),
                  .value = tally_alloc(most, sizeof *r->value),
                  .room = tally_alloc(most, sizeof *r->room) };
    if (!r->x || !r->y || !r->value || !r->room) {
        ring_fini(r);
        return tally_nomem(err, "the water beside a hull");
    }
    for (int y = cy - reach; y <= cy + reach; y++)
        for (int x = cx - reach; x <= cx + reach; x++) {
            if (!is_seen(view, x, y)) continue;
            if (tally_patch_row(view->distance, 0, y)[x] > view->threshold) continue;
            const double dx = x + .5 - rect->centre.x, dy = y + .5 - rect->centre.y;
            const double u = fabs(dx * rect->ux + dy * rect->uy) - rect->length / 2;
            const double v = fabs(dy * rect->ux - dx * rect->uy) - rect->width / 2;
            if (fmax(u, v) < NEAR_PX || fmax(u, v) > far) continue;
            r->x[r->n] = x;
            r->y[r->n++] = y;
        }
    return TALLY_OK;
}

/* Centre and spread, band by band, of the ring's pixels whose value lies within limits. */
static size_t read_colour(const tally_hull_view *view, const ring *r, float from, float to,
                          int bands, float *centre, float *sigma)
{
    size_t n = 0;
    for (int b = 0; b < bands; b++) {
        n = 0;
        for (size_t i = 0; i < r->n; i++)
            if (r->value[i] >= from && r->value[i] <= to)
                r->room[n++] = tally_patch_row(view->scene, b, r->y[i])[r->x[i]];
        if (n < LEAST_SAMPLE) return n;
        centre[b] = tally_median(r->room, n);
        for (size_t i = 0; i < n; i++)
            r->room[i] = fabsf(r->room[i] - centre[b]);
        sigma[b] = 1.4826f * tally_median(r->room, n) + FLOOR * fabsf(centre[b]);
        sigma[b] = fmaxf(sigma[b], 1e-6f);
    }
    return n;
}

/* False: too little water around. */
static bool learn_line(const tally_hull_view *view, ring *r, water_line *line)
{
    if (r->n < LEAST_SAMPLE) return false;
    for (size_t i = 0; i < r->n; i++)
        r->value[i] = 1;
    read_colour(view, r, 0, 2, line->bands, line->lit, line->lit_sigma);
    for (size_t i = 0; i < r->n; i++)
        r->value[i] = r->room[i] = brightness(view, line, r->x[i], r->y[i]);
    const float bright = tally_quantile(r->room, r->n, 0.8);
    if (read_colour(view, r, (float)SHADED * bright, INFINITY, line->bands, line->lit,
                    line->lit_sigma) < LEAST_SAMPLE)
        return false;
    size_t n = 0;
    for (size_t i = 0; i < r->n; i++)
        if (r->value[i] < (float)SHADED * bright) r->room[n++] = r->value[i];
    if (n < LEAST_SAMPLE) return true;
    const float middle = tally_quantile(r->room, n, 0.6);
    line->shaded = read_colour(view, r, 0, middle, line->bands, line->shade, line->shade_sigma) >=
                   LEAST_SAMPLE;
    return true;
}

/* How far a dark colour lies off the line from lit water to shaded, in sigmas; 0 for a colour that
 * is not dark, or where no shade was seen. */
static double off_line(const water_line *line, const float *colour)
{
    double across = 0, along = 0, sum = 0, share = 0;

    for (int b = 0; b < line->bands; b++)
        share += colour[b] / fmax(line->lit[b], 1e-6) / line->bands;
    if (!line->shaded || share > DARK) return 0;
    for (int b = 0; b < line->bands; b++) {
        const double step = (line->shade[b] - line->lit[b]) / line->shade_sigma[b];
        across += step * (colour[b] - line->lit[b]) / line->shade_sigma[b];
        along += step * step;
    }
    const double t = tally_clamp(across / fmax(along, 1e-9), 0, 1.5), s = fmin(t, 1);
    for (int b = 0; b < line->bands; b++) {
        const double sigma = (1 - s) * line->lit_sigma[b] + s * line->shade_sigma[b];
        const double off = colour[b] - line->lit[b] - t * (line->shade[b] - line->lit[b]);
        sum += off * off / (sigma * sigma);
    }
    return sqrt(sum / line->bands);
}

/* Whether the middle of a column across the hull is deck: more than `least` of it lies far from
 * water, or its usual colour is off the line. False where less than half of it is seen. */
static bool is_deck(const tally_hull_view *view, const water_line *line, const tally_rect *rect,
                    double u, double share, double least)
{
    float values[MAX_BANDS][2 * MOST_HALF + 1], colour[MAX_BANDS];
    const int half = (int)tally_clamp(share * rect->width / 2, 1, MOST_HALF);
    size_t n = 0, far = 0;

    for (int v = -half; v <= half; v++) {
        const int x = (int)floor(rect->centre.x + u * rect->ux - v * rect->uy);
        const int y = (int)floor(rect->centre.y + u * rect->uy + v * rect->ux);
        if (!is_seen(view, x, y)) continue;
        far += tally_patch_row(view->distance, 0, y)[x] > view->threshold;
        for (int b = 0; b < line->bands; b++)
            values[b][n] = tally_patch_row(view->scene, b, y)[x];
        n++;
    }
    if (2 * n <= (size_t)(2 * half + 1)) return false;
    if ((double)far >= least * (double)n) return true;
    for (int b = 0; b < line->bands; b++)
        colour[b] = tally_median(values[b], n);
    return off_line(line, colour) > OFF;
}

/* How far the hull goes on beyond its end on one side, in pixels. */
static double walk_out(const tally_hull_view *view, const water_line *line, const tally_rect *rect,
                       int side)
{
    const double most = MOST_LONGER * rect->length, gap = GAP_M / view->gsd_m;
    double end = 0, tip = 0;

    for (double u = 0.5; u < most && u <= end + gap + 1; u++) {
        if (is_deck(view, line, rect, side * (rect->length / 2 + u), MIDDLE, 0.5)) end = u + 0.5;
    }
    while (tip + 1 <= TIP_REACH * rect->width &&
           is_deck(view, line, rect, side * (rect->length / 2 + end + tip + 0.5), TIP, TIP_SHARE))
        tip++;
    return end + tip;
}

tally_status tally_hull_find_ends(const tally_hull_view *view, tally_rect *rect, tally_error *err)
{
    water_line line = { 0 };
    ring r;

    if (!view->scene || view->gsd_m > FINE_M || rect->width < LEAST_PX) return TALLY_OK;
    line.bands = view->scene->bands < MAX_BANDS ? view->scene->bands : MAX_BANDS;
    tally_status s = ring_init(&r, view, rect, err);
    if (s != TALLY_OK) return s;
    if (learn_line(view, &r, &line)) {
        const double before = walk_out(view, &line, rect, -1),
                     after = walk_out(view, &line, rect, 1);
        rect->centre.x += (after - before) / 2 * rect->ux;
        rect->centre.y += (after - before) / 2 * rect->uy;
        rect->length += before + after;
    }
    ring_fini(&r);
    return TALLY_OK;
}

/* Whether a block lies in line with a hull, as wide, and near. *from, *to: the ends of both on the
 * hull's axis, from its middle. */
static bool is_superstructure(const tally_rect *hull, const tally_rect *block, double *from,
                              double *to)
{
    const double dx = block->centre.x - hull->centre.x, dy = block->centre.y - hull->centre.y;
    const double u = dx * hull->ux + dy * hull->uy, v = dy * hull->ux - dx * hull->uy;
    /* the block's own sides along the hull's axis and across it */
    const double turn = fabs(block->ux * hull->ux + block->uy * hull->uy);
    const double along = turn > 0.7 ? block->length : block->width,
                 across = turn > 0.7 ? block->width : block->length;
    const double gap = fabs(u) - (hull->length + along) / 2;

    *from = fmin(-hull->length / 2, u - along / 2);
    *to = fmax(hull->length / 2, u + along / 2);
    return gap > 0 && gap <= STUB_GAP * (hull->length + along) &&
           fabs(v) <= (1 - LIKE_WIDTH) * hull->width / 2 + 1 &&
           across >= LIKE_WIDTH * hull->width && LIKE_WIDTH * across <= hull->width &&
           *to - *from <= MOST_SLIM * hull->width;
}

void tally_hulls_join_blocks(tally_hulls *hulls, const tally_hulls *blocks)
{
    for (size_t i = 0; i < hulls->n; i++)
        for (size_t k = 0; k < blocks->n; k++) {
            tally_rect *rect = &hulls->hulls[i].rect;
            double from, to;
            if (!is_superstructure(rect, &blocks->hulls[k].rect, &from, &to)) continue;
            rect->centre.x += (from + to) / 2 * rect->ux;
            rect->centre.y += (from + to) / 2 * rect->uy;
            rect->length = to - from;
            hulls->hulls[i].area_px += blocks->hulls[k].area_px;
        }
}

static bool is_part_of(const tally_hull *small, const tally_hull *big)
{
    const double dx = small->rect.centre.x - big->rect.centre.x,
                 dy = small->rect.centre.y - big->rect.centre.y;
    const double u = fabs(dx * big->rect.ux + dy * big->rect.uy),
                 v = fabs(dy * big->rect.ux - dx * big->rect.uy);
    return u < big->rect.length / 2 && v < big->rect.width / 2 &&
           small->rect.length * small->rect.width < big->rect.length * big->rect.width;
}

void tally_hulls_drop_parts(tally_hulls *hulls)
{
    size_t kept = 0;

    for (size_t i = 0; i < hulls->n; i++) {
        bool part = false;
        for (size_t k = 0; k < hulls->n && !part; k++)
            part = k != i && is_part_of(&hulls->hulls[i], &hulls->hulls[k]);
        if (part)
            hulls->hulls[i].score = -1; /* marked: others are still held against it */
        else
            kept++;
    }
    size_t n = 0;
    for (size_t i = 0; i < hulls->n; i++)
        if (hulls->hulls[i].score >= 0) hulls->hulls[n++] = hulls->hulls[i];
    hulls->n = kept;
}
