/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A hull by its surroundings. The model of water (water.c) is of a whole basin; what it does not
 * know (a plume of sand, surf, ice in one corner) can lie far from it and be long and slim by
 * chance. So a hull away from berths is held against what lies around it: the median
 * of its pixels' distances from that water's median, in that water's MAD, root mean square over
 * bands, as the local test of a CFAR detector. At berths quay, fenders and shadows are too near.
 *
 * Known failures: a hull wrapped in its own wake or among floes no smaller than itself; a plume
 * with a sharp front.
 *
 * Constants: CONTRAST: hulls in the open, on real and drawn scenes at 3 m, stood out by 5 and more;
 * plumes and rims of quays by 2.2 and less. Moored hulls went down to 0.7. The shares by eye on the
 * same. JUMP_LEAST, STRAIGHT: on drawn ports 260 hulls fell by 6.6 sigmas and more across 4 pixels
 * of their best side, patches of other water by 2.2 at most; of hulls 0.61 and more of that side
 * lay on a line, but for three with a tug or a crane before it, of such patches 0.46 at most.
 */
#include "count/hull_judge.h"

#include <math.h>
#include <string.h>

#define RING_PX       4    /* around a hull: where more than */
#define RING_BLIND    0.25 /* of this ring is not seen, it is the rim of a cloud */
#define EDGE_PX       2    /* from the images' edge */
#define HUGS          0.3  /* of the outline */
#define NEAR_PX       2    /* the water that a hull is held against begins here, past the blur, */
#define FAR_PX        6    /* and ends here, or */
#define FAR_M         8.0  /* here, whatever is farther, */
#define RING_LEAST    30   /* if it has as many pixels */
#define CONTRAST      2.3f
#define FLOOR         0.02f /* of the level: as in water.c */
#define MAX_BANDS     8
#define MID_BODY      0.35 /* of the length to either side of the middle: there sides are straight */
#define SIDE_PX       4    /* a side is looked for this far from that of the rectangle, or */
#define SIDE_M        4.0
#define LINE_M        0.5 /* and lies on a line within a pixel or this */
#define JUMP_PX       2   /* to either side of the edge, past the blur */
#define JUMP_MOST     20.0f
#define JUMP_LEAST    4.0f
#define SIDE_SEEN     0.2
#define STRAIGHT      0.45
#define SURE_CONTRAST 5.0f

/* How far a pixel's middle lies outside a rectangle: below 0 inside. */
static double outside(const tally_rect *rect, int x, int y)
{
    const double dx = x + .5 - rect->centre.x, dy = y + .5 - rect->centre.y;
    const double u = fabs(dx * rect->ux + dy * rect->uy) - rect->length / 2;
    const double v = fabs(dy * rect->ux - dx * rect->uy) - rect->width / 2;
    return fmax(u, v);
}

/* The pixels of a patch around a rectangle, `more` beyond its corners. */
static tally_box reach_of(const tally_rect *rect, int more, const tally_bits *patch)
{
    const int reach = (int)ceil(hypot(rect->length / 2 + more, rect->width / 2 + more));
    const int cx = (int)floor(rect->centre.x), cy = (int)floor(rect->centre.y);
    return tally_box_intersect(
        (tally_box) { cx - reach, cy - reach, cx + reach + 1, cy + reach + 1 },
        (tally_box) { 0, 0, patch->width, patch->height });
}

bool tally_hull_is_rim(const tally_hull_view *view, const tally_rect *rect)
{
    double ring = 0, dark = 0;

    if (!view->blind) return false;
    const tally_box at = reach_of(rect, RING_PX, view->blind);
    for (int y = at.y0; y < at.y1; y++)
        for (int x = at.x0; x < at.x1; x++) {
            const double far = outside(rect, x, y);
            if (far <= 0 || far > RING_PX) continue;
            ring++;
            dark += tally_bits_get(view->blind, x, y);
        }
    return dark > RING_BLIND * fmax(ring, 1);
}

bool tally_hull_meets_edge(const tally_hull_view *view, const tally_rect *rect)
{
    tally_point corners[4];

    if (tally_box_empty(view->image)) return false;
    tally_rect_corners(rect, corners);
    for (int i = 0; i < 4; i++)
        if (corners[i].x < view->image.x0 + EDGE_PX || corners[i].x > view->image.x1 - EDGE_PX ||
            corners[i].y < view->image.y0 + EDGE_PX || corners[i].y > view->image.y1 - EDGE_PX)
            return true;
    return false;
}

/* Something other than water beyond the zones: land, as a rule. */
static bool is_land(const tally_hull_view *view, int x, int y)
{
    const tally_patch *d = view->distance;
    if (x < 0 || y < 0 || x >= d->width || y >= d->height) return false;
    return !tally_bits_get(view->where, x, y) && tally_bits_get(&d->valid, x, y) &&
           tally_patch_row(d, 0, y)[x] > view->threshold &&
           !(view->blind && tally_bits_get(view->blind, x, y));
}

static bool in_blob(const tally_bits *bits, int x, int y)
{
    return x >= 0 && y >= 0 && x < bits->width && y < bits->height && tally_bits_get(bits, x, y);
}

static bool in_berth(const tally_hull_view *view, tally_point at)
{
    for (size_t i = 0; i < view->n_berths; i++)
        if (tally_shape_contains(&view->berths[i].shape, at)) return true;
    return false;
}

bool tally_hull_hugs_edge(const tally_hull_view *view, const tally_blobs *blobs, size_t blob,
                          const tally_bits *bits)
{
    static const int dx[] = { 1, -1, 0, 0 }, dy[] = { 0, 0, 1, -1 };
    const tally_blob *b = &blobs->blobs[blob];
    double outline = 0, land = 0;

    if (in_berth(view, (tally_point) { b->cx, b->cy })) return false;
    for (size_t r = b->first_run; r < b->first_run + b->n_runs; r++) {
        const tally_span *run = &blobs->runs[r];
        for (int x = run->x0; x < run->x1; x++)
            for (int k = 0; k < 4; k++) {
                if (in_blob(bits, x + dx[k], run->y + dy[k])) continue;
                outline++;
                land += is_land(view, x + dx[k], run->y + dy[k]);
            }
    }
    return land >= HUGS * outline;
}

typedef struct near_water {
    float middle[MAX_BANDS], spread[MAX_BANDS];
    size_t n;
} near_water;

static bool is_seen(const tally_hull_view *view, int x, int y)
{
    return tally_bits_get(&view->scene->valid, x, y) && tally_bits_get(view->where, x, y) &&
           !(view->blind && tally_bits_get(view->blind, x, y));
}

static near_water water_near(const tally_hull_view *view, const tally_rect *rect, tally_box at,
                             int bands, float *room)
{
    const double reach = fmax(FAR_PX, FAR_M / view->gsd_m);
    near_water w = { 0 };

    for (int b = 0; b < bands; b++) {
        size_t n = 0;
        for (int y = at.y0; y < at.y1; y++)
            for (int x = at.x0; x < at.x1; x++) {
                const double far = outside(rect, x, y);
                if (far >= NEAR_PX && far < reach && is_seen(view, x, y))
                    room[n++] = tally_patch_row(view->scene, b, y)[x];
            }
        w.n = n;
        if (n < RING_LEAST) return w;
        w.middle[b] = tally_median(room, n);
        for (size_t i = 0; i < n; i++)
            room[i] = fabsf(room[i] - w.middle[b]);
        w.spread[b] = 1.4826f * tally_median(room, n) + FLOOR * fabsf(w.middle[b]);
        w.spread[b] = fmaxf(w.spread[b], 1e-6f);
    }
    return w;
}

/* Median of a hull's distances from the water around it; *known: there is enough of both. */
static tally_status find_contrast(const tally_hull_view *view, const tally_rect *rect, bool *known,
                                  float *contrast, tally_error *err)
{
    const int bands = view->scene->bands < MAX_BANDS ? view->scene->bands : MAX_BANDS;
    const tally_box at = reach_of(rect, (int)fmax(FAR_PX, FAR_M / view->gsd_m), view->where);
    float *room =
        tally_alloc((size_t)tally_box_width(at) * (size_t)tally_box_height(at) + 1, sizeof *room);
    if (!room) return tally_nomem(err, "the water near a hull");
    const near_water w = water_near(view, rect, at, bands, room);
    size_t n = 0;
    for (int y = at.y0; y < at.y1 && w.n >= RING_LEAST; y++)
        for (int x = at.x0; x < at.x1; x++) {
            float sum = 0;
            if (outside(rect, x, y) > 0 || !is_seen(view, x, y)) continue;
            for (int b = 0; b < bands; b++) {
                const float z = (tally_patch_row(view->scene, b, y)[x] - w.middle[b]) / w.spread[b];
                sum += z * z;
            }
            room[n++] = sqrtf(sum / (float)bands);
        }
    *known = n > 0;
    *contrast = n > 0 ? tally_median(room, n) : 0;
    tally_free(room);
    return TALLY_OK;
}

tally_status tally_hull_stands_out(const tally_hull_view *view, const tally_rect *rect, bool *out,
                                   tally_error *err)
{
    bool known;
    float contrast;

    *out = true;
    if (!view->scene || in_berth(view, rect->centre)) return TALLY_OK;
    const tally_status s = find_contrast(view, rect, &known, &contrast, err);
    if (s == TALLY_OK && known) *out = contrast >= CONTRAST;
    return s;
}

/* A pixel of the view that is seen, and may be hull. */
static bool pixel_at(const tally_hull_view *view, const tally_rect *rect, double u, double v,
                     int *x, int *y)
{
    *x = (int)floor(rect->centre.x + u * rect->ux - v * rect->uy);
    *y = (int)floor(rect->centre.y + u * rect->uy + v * rect->ux);
    return *x >= 0 && *y >= 0 && *x < view->where->width && *y < view->where->height &&
           tally_bits_get(view->where, *x, *y) && tally_bits_get(&view->distance->valid, *x, *y) &&
           !(view->blind && tally_bits_get(view->blind, *x, *y));
}

/* Where a column across the hull leaves it on one side for water. */
static bool find_side(const tally_hull_view *view, const tally_rect *rect, double u, int side,
                      float *at, float *jump)
{
    const double reach = fmax(SIDE_PX, SIDE_M / view->gsd_m);
    const double from = fmax(rect->width / 2 - reach, 0), to = rect->width / 2 + reach;
    double v = to;
    int x, y;

    for (;; v--) {
        if (v < from || !pixel_at(view, rect, u, side * v, &x, &y)) return false;
        if (tally_patch_row(view->distance, 0, y)[x] > view->threshold) break;
    }
    if (v == to || !pixel_at(view, rect, u, side * (v + JUMP_PX), &x, &y)) return false;
    const float out = tally_patch_row(view->distance, 0, y)[x];
    if (!pixel_at(view, rect, u, side * fmax(v - JUMP_PX, 0), &x, &y)) return false;
    *jump = fminf(tally_patch_row(view->distance, 0, y)[x], JUMP_MOST) - fminf(out, JUMP_MOST);
    *at = (float)v;
    return true;
}

/* The share of places that lie on the line through the medians of both halves. */
static double straightness(const float *at, size_t n, float *room, double most)
{
    const size_t half = n / 2;
    size_t good = 0;

    if (half < 3) return 1;
    memcpy(room, at, half * sizeof *room);
    const double first = tally_median(room, half);
    memcpy(room, at + n - half, half * sizeof *room);
    const double last = tally_median(room, half);
    for (size_t i = 0; i < n; i++) {
        const double along = 2 * (double)i / (double)(n - 1) - 0.5;
        good += fabs(at[i] - first - (last - first) * along) <= most;
    }
    return (double)good / (double)n;
}

/* One side: where its edge runs and how far it falls, in `columns` columns across the middle. */
static tally_hull_sides look_at_side(const tally_hull_view *view, const tally_rect *rect, int side,
                                     int columns, float *room, bool *sharp)
{
    float *at = room, *jump = at + columns, *more = jump + columns;
    size_t n = 0;

    *sharp = false;
    for (int i = 0; i < columns; i++)
        n += find_side(view, rect, i - MID_BODY * rect->length, side, &at[n], &jump[n]);
    if ((double)n < SIDE_SEEN * columns) return TALLY_SIDES_HIDDEN;
    *sharp = tally_median(jump, n) >= JUMP_LEAST;
    const bool straight = straightness(at, n, more, fmax(1, LINE_M / view->gsd_m)) >= STRAIGHT;
    return *sharp && straight ? TALLY_SIDES_OF_HULL : TALLY_SIDES_OF_NONE;
}

tally_status tally_hull_look_at_sides(const tally_hull_view *view, const tally_rect *rect,
                                      tally_hull_sides *out, tally_error *err)
{
    const int columns = (int)(2 * MID_BODY * rect->length) + 1;
    bool any_sharp = false, known = false;
    float contrast = 0;
    tally_status s = TALLY_OK;

    *out = TALLY_SIDES_HIDDEN;
    if (!view->scene) return TALLY_OK;
    float *room = tally_alloc(3 * (size_t)columns, sizeof *room);
    if (!room) return tally_nomem(err, "the sides of a hull");
    for (int side = -1; side <= 1 && *out != TALLY_SIDES_OF_HULL; side += 2) {
        bool sharp;
        const tally_hull_sides one = look_at_side(view, rect, side, columns, room, &sharp);
        any_sharp |= sharp;
        if (one != TALLY_SIDES_HIDDEN) *out = one;
    }
    tally_free(room);
    if (*out != TALLY_SIDES_OF_NONE || !any_sharp) return TALLY_OK;
    /* crooked, but a step: a tug or a crane may stand before a hull that nobody overlooks */
    s = find_contrast(view, rect, &known, &contrast, err);
    if (s == TALLY_OK && known && contrast >= SURE_CONTRAST) *out = TALLY_SIDES_HIDDEN;
    return s;
}
