/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Hulls from the distance to water.
 *
 * What is far enough from water and not land is opened (mooring lines, cranes' arms), closed along
 * the axis of the berth only (a closing in all directions would join neighbours and the quay) and
 * labelled. Each blob is turned into a frame along its axis: that of its moments, or the berth's
 * where they nearly agree, refined by the angle at which the blob is narrowest. In that frame the
 * rows of the blob (lines along the axis) and its columns (across) give width and length: what
 * covers less than a third of the usual is a crane, a wake or a rim, not hull. A blob too wide for
 * its length is cut lengthwise where two rectangles cover it best, and taken for two ships if both
 * are shaped like ships; one too long for its width is cut where only a strip of quay joins two
 * ships. What is then shaped like a ship is judged by its surroundings (hull_judge.c).
 *
 * Known failures: a small ship inside the outline of a big one; two hulls bow to stern without a
 * gap; decks of the colour of ice, which break a hull into pieces longer apart than the gap.
 *
 * Constants: ships are 20 to 460 m long, four to ten times as long as wide, of which 8.6 with the
 * pixels' blur is the limit at 3 m and slivers of quay lie beyond (DESIGN.md 5.7); MIN_WIDTH_M as
 * there. The shares of coverage by eye on drawn hulls.
 */
#include "count/hull_ends.h"
#include "count/hull_judge.h"

#include <math.h>
#include <string.h>

#define PI           3.14159265358979323846
#define MIN_LENGTH_M 20.0
#define MAX_LENGTH_M 460.0
#define MIN_WIDTH_M  3.5
#define MIN_WIDTH_PX 2.7 /* with the blur: 8 m at 3 m */
#define MAX_SLIM     10.0
#define MIN_SLIM     2.2  /* of a ship of 40 m or less, and */
#define LONG_SLIM    3.2  /* of one of 80 m or more */
#define GAP_M        9.0  /* closed along the berth: hatches, shadows across the deck */
#define OPEN_M       1.4  /* radius of the opening, where pixels are small enough */
#define COVER        0.33 /* of the usual coverage: less is not hull */
#define BERTH_TURN   12.0 /* degrees by which a moored hull may lie off its berth */
#define FREE_REFINE  4.0  /* degrees within which the axis is refined, */
#define MOOR_REFINE  1.5  /* and where the berth gave it */
#define BLUR_PX      0.8  /* by which partly covered pixels widen a hull */
#define SPLIT_GAIN   0.12 /* of the rectangle that two narrower ones must save */
#define STOUT        4.0  /* times as long as wide: below, hardly one ship, and a saving of */
#define STOUT_GAIN   0.04 /* will do */
#define WIDE_SLIM    4.6  /* times as long as wide: below, a lengthwise cut is tried */
#define LEAST_FILL   0.6  /* of its rectangle: most hulls fill 0.8 and more */
#define HUG_FILL     0.75
#define HUG_SLIM     3.0
#define ENDS_LEAST_M 15.0 /* of a hull's lit part, to look for what is in shade */
#define CUT_SLIMMEST                                                                               \
    7.6 /* times as long as wide, of ships side by side: halves of one are slimmer */
#define BLOCK_LEAST_M 5.0  /* either way */
#define MAX_GROUP     8    /* ships in one blob */
#define CUT_SLIM      7.0  /* times as long as wide: from here on a gap may part two ships */
#define CUT_SHARE     0.06 /* of the length, and GAP_M, that such a gap has at least */

typedef struct pixel_list {
    float *u, *v; /* in the frame of the blob, pixels from its centroid */
    float *d;     /* distance from water */
    size_t n;
} pixel_list;

typedef struct frame {
    double cx, cy, ux, uy;
} frame;

static tally_status find_evidence(const tally_kernels *k, const tally_hull_view *view,
                                  tally_bits *out, tally_error *err)
{
    const tally_patch *d = view->distance;
    const int radius = (int)(OPEN_M / view->gsd_m);
    tally_status s = tally_bits_init(out, d->width, d->height, err);

    for (int y = 0; y < d->height && s == TALLY_OK; y++)
        for (int x = 0; x < d->width; x++)
            if (tally_bits_get(view->where, x, y) && tally_bits_get(&d->valid, x, y) &&
                tally_patch_row(d, 0, y)[x] > view->threshold)
                tally_bits_set(out, x, y);
    if (s == TALLY_OK && radius > 0) s = tally_bits_close(k, out, 1, 1, err);
    if (s == TALLY_OK && radius > 0) s = tally_bits_open(k, out, radius, radius, err);
    return s;
}

/* Fill between bits that lie at most `gap` pixels apart along (ux, uy), inside the berth. */
static void close_along(tally_bits *bits, const tally_bits *from, const tally_bits *berth,
                        double ux, double uy, int gap)
{
    for (int y = 0; y < bits->height; y++)
        for (int x = 0; x < bits->width; x++) {
            if (!tally_bits_get(from, x, y) || !tally_bits_get(berth, x, y)) continue;
            int far = 0;
            for (int i = 1; i <= gap; i++) {
                const int px = x + (int)lround(i * ux), py = y + (int)lround(i * uy);
                if (px < 0 || py < 0 || px >= bits->width || py >= bits->height) break;
                if (tally_bits_get(from, px, py)) {
                    far = i;
                    break;
                }
            }
            for (int i = 1; i < far; i++)
                tally_bits_set(bits, x + (int)lround(i * ux), y + (int)lround(i * uy));
        }
}

static tally_status close_berths(const tally_hull_view *view, tally_bits *bits, tally_error *err)
{
    const int gap = (int)fmax(2, round(GAP_M / view->gsd_m));
    tally_status s = TALLY_OK;

    for (size_t i = 0; i < view->n_berths && s == TALLY_OK; i++) {
        tally_bits berth = { 0 }, from = { 0 };
        s = tally_bits_init(&berth, bits->width, bits->height, err);
        if (s == TALLY_OK) s = tally_bits_init(&from, bits->width, bits->height, err);
        if (s == TALLY_OK) {
            tally_shape_fill(&view->berths[i].shape, &berth);
            memcpy(from.bits, bits->bits, bits->words * (size_t)bits->height * sizeof *bits->bits);
            close_along(bits, &from, &berth, view->berths[i].ux, view->berths[i].uy, gap);
        }
        tally_bits_fini(&from);
        tally_bits_fini(&berth);
    }
    return s;
}

static void to_frame(const tally_blobs *blobs, size_t i, const tally_patch *distance,
                     const frame *at, pixel_list *out)
{
    const tally_blob *blob = &blobs->blobs[i];
    out->n = 0;
    for (size_t r = blob->first_run; r < blob->first_run + blob->n_runs; r++)
        for (int x = blobs->runs[r].x0; x < blobs->runs[r].x1; x++) {
            const double dx = x + .5 - at->cx, dy = blobs->runs[r].y + .5 - at->cy;
            out->u[out->n] = (float)(dx * at->ux + dy * at->uy);
            out->v[out->n] = (float)(dy * at->ux - dx * at->uy);
            out->d[out->n++] = tally_patch_row(distance, 0, blobs->runs[r].y)[x];
        }
}

/* How many of `x` lie in each bin of one pixel; *zero is the value of the first bin's lower edge.
 */
static tally_status histogram(const float *x, size_t n, double **bins, int *n_bins, double *zero,
                              tally_error *err)
{
    float low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        low = fminf(low, x[i]);
        high = fmaxf(high, x[i]);
    }
    *zero = floor(low - 1);
    *n_bins = (int)(high - *zero) + 3;
    *bins = tally_alloc((size_t)*n_bins, sizeof **bins);
    if (!*bins) return tally_nomem(err, "the profile of a hull");
    for (size_t i = 0; i < n; i++) {
        /* shared between two bins, so that a turned lattice makes no comb */
        const double at = x[i] - *zero - .5;
        const int k = (int)floor(at);
        (*bins)[k] += 1 - (at - k);
        (*bins)[k + 1] += at - k;
    }
    return TALLY_OK;
}

/* The level that a profile rises above where it is hull: COVER of its usual height, the mean
 * weighed with the square of itself, which neither thin ends nor a long strip of quay move much. */
static double level_of(const double *bins, int n)
{
    double top = 0, total = 0;

    for (int i = 0; i < n; i++) {
        top += bins[i] * bins[i] * bins[i];
        total += bins[i] * bins[i];
    }
    return COVER * top / fmax(total, 1e-9);
}

/* Where a profile rises above its level for the first and for the last time, read between bins. */
static void extent_of(const double *bins, int n, double zero, double *from, double *to)
{
    const double level = level_of(bins, n);
    int first = -1, last = -1;

    for (int i = 0; i < n; i++)
        if (bins[i] >= level) {
            if (first < 0) first = i;
            last = i;
        }
    if (first < 0) first = last = 0;
    const double before = first > 0 ? bins[first - 1] : 0,
                 after = last + 1 < n ? bins[last + 1] : 0;
    *from = zero + first + 0.5 - fmin(1, (bins[first] - level) / fmax(bins[first] - before, 1e-9));
    *to = zero + last + 0.5 + fmin(1, (bins[last] - level) / fmax(bins[last] - after, 1e-9));
}

/* The part of a blob that is looked at, in its frame. */
typedef struct piece {
    double u0, u1, v0, v1;
} piece;

typedef struct box_uv {
    double u0, u1, v0, v1;
    double area;  /* pixels inside */
    double light; /* sum of min(distance, 20) of these */
} box_uv;

static bool holds(const piece *part, const pixel_list *p, size_t i)
{
    return p->u[i] >= part->u0 && p->u[i] < part->u1 && p->v[i] >= part->v0 && p->v[i] < part->v1;
}

/* The box of the pixels of a piece: width first, then length of what lies within it. */
static tally_status fit_box(const pixel_list *p, const piece *part, box_uv *out, tally_error *err)
{
    double *bins = NULL, zero;
    int n_bins;
    size_t n = 0;
    float *room = tally_alloc(p->n + 1, sizeof *room);
    tally_status s = room ? TALLY_OK : tally_nomem(err, "the box of a hull");

    *out = (box_uv) { 0 };
    for (size_t i = 0; i < p->n && s == TALLY_OK; i++)
        if (holds(part, p, i)) room[n++] = p->v[i];
    if (s != TALLY_OK || n == 0) goto out;
    if ((s = histogram(room, n, &bins, &n_bins, &zero, err)) != TALLY_OK) goto out;
    extent_of(bins, n_bins, zero, &out->v0, &out->v1);
    tally_free(bins);
    bins = NULL;
    n = 0;
    for (size_t i = 0; i < p->n; i++)
        if (holds(part, p, i) && p->v[i] >= out->v0 && p->v[i] <= out->v1) room[n++] = p->u[i];
    if (n == 0) goto out;
    if ((s = histogram(room, n, &bins, &n_bins, &zero, err)) != TALLY_OK) goto out;
    extent_of(bins, n_bins, zero, &out->u0, &out->u1);
    for (size_t i = 0; i < p->n; i++)
        if (holds(part, p, i) && p->v[i] >= out->v0 && p->v[i] <= out->v1 && p->u[i] >= out->u0 &&
            p->u[i] <= out->u1) {
            out->area++;
            out->light += fmin(p->d[i], 20);
        }
out:
    tally_free(bins);
    tally_free(room);
    return s;
}

static double width_at(const pixel_list *p, double turn)
{
    const double c = cos(turn), s = sin(turn);
    double sum = 0, sum2 = 0;
    for (size_t i = 0; i < p->n; i++) {
        const double v = p->v[i] * c - p->u[i] * s;
        sum += v;
        sum2 += v * v;
    }
    return sum2 / (double)p->n - sum * sum / (double)p->n / (double)p->n;
}

/* The frame of a blob: its moments' axis, the berth's where they nearly agree. */
static frame find_frame(const tally_hull_view *view, const tally_blob *blob, double *refine)
{
    const double angle = 0.5 * atan2(2 * blob->mxy, blob->mxx - blob->myy);
    frame at = { blob->cx, blob->cy, cos(angle), sin(angle) };

    *refine = FREE_REFINE;
    for (size_t i = 0; i < view->n_berths; i++) {
        const tally_hull_berth *berth = &view->berths[i];
        const double along = fabs(at.ux * berth->ux + at.uy * berth->uy);
        if (along < cos(BERTH_TURN * PI / 180) ||
            !tally_shape_contains(&berth->shape, (tally_point) { blob->cx, blob->cy }))
            continue;
        at.ux = berth->ux;
        at.uy = berth->uy;
        *refine = MOOR_REFINE;
        break;
    }
    return at;
}

/* Turn the frame by the angle within +-`most` degrees at which the core of the blob is narrowest.
 */
static void refine_frame(const tally_blobs *blobs, size_t i, const tally_patch *distance,
                         double most, frame *at, pixel_list *p)
{
    double best = 0, narrowest = INFINITY;
    const int steps = 12;
    for (int k = -steps; k <= steps; k++) {
        const double turn = most * k / steps * PI / 180;
        const double width = width_at(p, turn);
        if (width < narrowest) {
            narrowest = width;
            best = turn;
        }
    }
    const double ux = at->ux * cos(best) - at->uy * sin(best);
    at->uy = at->uy * cos(best) + at->ux * sin(best);
    at->ux = ux;
    to_frame(blobs, i, distance, at, p);
}

typedef enum hull_end { HULL_WHOLE, HULL_CUT_BY_EDGE } hull_end;

/* Shaped like a ship; one that the image's edge cuts may be shorter for its width. */
static bool is_ship(const box_uv *box, double length_px, double gsd_m, hull_end end)
{
    const double length = length_px * gsd_m, width = (box->v1 - box->v0) * gsd_m;
    const double narrow = fmax(MIN_WIDTH_M, MIN_WIDTH_PX * gsd_m);
    const double longer = end == HULL_WHOLE ? tally_clamp((length - 40) / 40, 0, 1) : 0;
    const double slim = MIN_SLIM + (LONG_SLIM - MIN_SLIM) * longer;
    return length >= MIN_LENGTH_M && length <= MAX_LENGTH_M && width >= narrow &&
           length <= MAX_SLIM * width && length >= slim * width;
}

static double box_area(const box_uv *b)
{
    return (b->u1 - b->u0) * (b->v1 - b->v0);
}

/* Too short to be a ship, and wide enough for what stands across one. */
static bool is_block(const box_uv *box, double length_px, double gsd_m)
{
    const double width = (box->v1 - box->v0) * gsd_m;
    const double area = (box->u1 - box->u0) * (box->v1 - box->v0);
    return width >= BLOCK_LEAST_M && length_px * gsd_m >= BLOCK_LEAST_M &&
           length_px * gsd_m < MIN_SLIM * width && box->area >= LEAST_FILL * area;
}

/* Half of a ship, cut along its deck pipes, rather than a ship. */
static bool is_sliver(const box_uv *box)
{
    return box->u1 - box->u0 > CUT_SLIMMEST * (box->v1 - box->v0);
}

/* Look for the line along the axis that cuts the box into two ships best. *gain: share of the box's
 * area that the two save, and of darkness at the cut. */
static tally_status best_cut(const pixel_list *p, const piece *part, const box_uv *whole,
                             double gsd_m, double *cut, double *gain, tally_error *err)
{
    const double narrow = fmax(5.0 / gsd_m, MIN_WIDTH_PX);
    *gain = 0;
    for (double at = whole->v0 + narrow; at <= whole->v1 - narrow; at += 1) {
        const piece low = { part->u0, part->u1, part->v0, at },
                    high = { part->u0, part->u1, at, part->v1 };
        box_uv one, two;
        tally_status s = fit_box(p, &low, &one, err);
        if (s == TALLY_OK) s = fit_box(p, &high, &two, err);
        if (s != TALLY_OK) return s;
        if (!is_ship(&one, one.u1 - one.u0, gsd_m, HULL_WHOLE) ||
            !is_ship(&two, two.u1 - two.u0, gsd_m, HULL_WHOLE) || is_sliver(&one) ||
            is_sliver(&two))
            continue;
        double near = 0;
        for (size_t i = 0; i < p->n; i++)
            near += holds(part, p, i) && fabs(p->v[i] - at) <= 1 && p->u[i] >= whole->u0 &&
                    p->u[i] <= whole->u1;
        const double shorter = fmin(one.u1 - one.u0, two.u1 - two.u0);
        const double valley = tally_clamp(1 - near / (2 * shorter), 0, 1);
        const double saved = 1 - (box_area(&one) + box_area(&two)) / fmax(box_area(whole), 1);
        if (saved + 0.5 * valley > *gain) {
            *gain = saved + 0.5 * valley;
            *cut = at;
        }
    }
    return TALLY_OK;
}

/* The middle of the longest stretch inside the box whose columns are covered like a quay's edge or
 * a mooring line, not like a hull. False: none as long as `least` pixels. */
static bool longest_gap(const double *bins, int n, double zero, const box_uv *box, double least,
                        double *middle)
{
    const double level = level_of(bins, n);
    double longest = 0;
    int from = -1;

    for (int k = 0; k <= n; k++) {
        const double u = zero + k + 0.5;
        const bool thin = k < n && bins[k] < level && u > box->u0 && u < box->u1;
        if (thin && from < 0) from = k;
        if (thin || from < 0) continue;
        if (k - from > longest) {
            longest = k - from;
            *middle = zero + (k + from) / 2.0;
        }
        from = -1;
    }
    return longest >= least;
}

/* Look for a gap across the axis that parts two ships bow to stern. */
static tally_status find_gap(const pixel_list *p, const piece *part, const box_uv *whole,
                             double gsd_m, bool *found, double *at, tally_error *err)
{
    const double length = whole->u1 - whole->u0;
    double *bins = NULL, zero;
    int n_bins;
    size_t n = 0;
    float *room = tally_alloc(p->n + 1, sizeof *room);
    tally_status s = room ? TALLY_OK : tally_nomem(err, "the gap between hulls");

    *found = false;
    for (size_t i = 0; i < p->n && s == TALLY_OK; i++)
        if (holds(part, p, i) && p->v[i] >= whole->v0 && p->v[i] <= whole->v1) room[n++] = p->u[i];
    if (s == TALLY_OK && n > 0) s = histogram(room, n, &bins, &n_bins, &zero, err);
    if (bins)
        *found =
            longest_gap(bins, n_bins, zero, whole, fmax(GAP_M / gsd_m, CUT_SHARE * length), at);
    tally_free(bins);
    tally_free(room);
    return s;
}

static tally_rect rect_of(const frame *at, const box_uv *box)
{
    const double mu = (box->u0 + box->u1) / 2, mv = (box->v0 + box->v1) / 2;
    return (tally_rect) {
        .centre = { at->cx + mu * at->ux - mv * at->uy, at->cy + mu * at->uy + mv * at->ux },
        .length = box->u1 - box->u0,
        .width = fmax(box->v1 - box->v0 - BLUR_PX, 1),
        .ux = at->ux,
        .uy = at->uy,
    };
}

static tally_status add_hull(const tally_hull_view *view, const tally_rect *rect, const box_uv *box,
                             tally_hulls *out, tally_error *err)
{
    const double fill = box->area / fmax(box_area(box), 1);
    const double far = box->light / fmax(box->area, 1) / view->threshold;
    tally_hull *rows = tally_realloc(out->hulls, out->n + 1, sizeof *rows);

    if (!rows) return tally_nomem(err, "hulls");
    out->hulls = rows;
    out->hulls[out->n++] =
        (tally_hull) { .rect = *rect,
                       .area_px = box->area,
                       .score = tally_clamp(0.25 * fmin(far, 2) + 0.5 * fill, 0, 1) };
    return TALLY_OK;
}

/* What is known of a blob while it is cut into ships. */
typedef struct group {
    const pixel_list *pixels;
    frame at;
    bool hugs;    /* what lies outside the zones along much of its outline */
    bool divided; /* cut lengthwise */
    piece parts[MAX_GROUP + 1];
    int n;
    size_t hidden[2 * MAX_GROUP]; /* hulls none of whose sides could be seen */
    size_t n_hidden, n_faced, n_none;
} group;

/* Cut a piece in two, back onto the list. False: it stays whole. */
static tally_status divide(const tally_hull_view *view, group *g, const piece *part,
                           const box_uv *box, double length_px, hull_end end, bool *done,
                           tally_error *err)
{
    const double slim = length_px / fmax(box->v1 - box->v0, 1);
    double at = 0, gain = 0;
    tally_status s = TALLY_OK;

    *done = false;
    if (g->n + 2 > MAX_GROUP) return TALLY_OK;
    if (slim > CUT_SLIM || (box->u1 - box->u0) * view->gsd_m > MAX_LENGTH_M) {
        s = find_gap(g->pixels, part, box, view->gsd_m, done, &at, err);
        if (s != TALLY_OK || !*done) return s;
        g->parts[g->n++] = (piece) { part->u0, at, part->v0, part->v1 };
        g->parts[g->n++] = (piece) { at, part->u1, part->v0, part->v1 };
        return TALLY_OK;
    }
    if (slim >= WIDE_SLIM || end == HULL_CUT_BY_EDGE) return TALLY_OK;
    s = best_cut(g->pixels, part, box, view->gsd_m, &at, &gain, err);
    if (s != TALLY_OK || gain <= (slim < STOUT ? STOUT_GAIN : SPLIT_GAIN)) return s;
    *done = g->divided = true;
    g->parts[g->n++] = (piece) { part->u0, part->u1, part->v0, at };
    g->parts[g->n++] = (piece) { part->u0, part->u1, at, part->v1 };
    return TALLY_OK;
}

/* Against the zone's edge lie moored ships and what of the quay reaches in: there a hull must be
 * slim, full and of one piece. */
static bool is_full(const group *g, const box_uv *box)
{
    return !g->divided && box->area >= HUG_FILL * box_area(box) &&
           box->u1 - box->u0 >= HUG_SLIM * (box->v1 - box->v0);
}

/* What is shaped like a ship is one if its surroundings do not speak against it. */
static tally_status judge(const tally_hull_view *view, group *g, const tally_rect *rect,
                          const box_uv *box, tally_hulls *out, tally_error *err)
{
    tally_hull_sides sides = TALLY_SIDES_HIDDEN;
    bool stands_out = true;
    tally_status s = tally_hull_stands_out(view, rect, &stands_out, err);

    if (s == TALLY_OK && stands_out) s = tally_hull_look_at_sides(view, rect, &sides, err);
    if (s != TALLY_OK || !stands_out) return s;
    g->n_faced += sides == TALLY_SIDES_OF_HULL;
    g->n_none += sides == TALLY_SIDES_OF_NONE;
    if (sides == TALLY_SIDES_OF_NONE) return TALLY_OK;
    if (sides == TALLY_SIDES_HIDDEN && g->n_hidden < 2 * MAX_GROUP)
        g->hidden[g->n_hidden++] = out->n;
    return add_hull(view, rect, box, out, err);
}

/* A part between others has no side to be seen: where these are no hulls it is none either. */
static void drop_hidden(const group *g, tally_hulls *out)
{
    if (g->n_none == 0 || g->n_faced > 0) return;
    for (size_t i = g->n_hidden; i-- > 0;) {
        memmove(&out->hulls[g->hidden[i]], &out->hulls[g->hidden[i] + 1],
                (out->n - g->hidden[i] - 1) * sizeof *out->hulls);
        out->n--;
    }
}

/* One blob: one hull, or several side by side or bow to stern. */
static tally_status read_blob(const tally_hull_view *view, const tally_blobs *blobs,
                              const tally_bits *bits, size_t i, pixel_list *p, tally_hulls *out,
                              tally_hulls *blocks, tally_error *err)
{
    double refine;
    group g = { .pixels = p,
                .at = find_frame(view, &blobs->blobs[i], &refine),
                .parts = { { -INFINITY, INFINITY, -INFINITY, INFINITY } },
                .n = 1 };

    g.hugs = tally_hull_hugs_edge(view, blobs, i, bits);
    to_frame(blobs, i, view->distance, &g.at, p);
    refine_frame(blobs, i, view->distance, refine, &g.at, p);
    while (g.n > 0) {
        const piece part = g.parts[--g.n];
        box_uv box;
        bool divided;
        tally_status s = fit_box(p, &part, &box, err);
        if (s != TALLY_OK) return s;
        tally_rect rect = rect_of(&g.at, &box);
        if (tally_hull_is_rim(view, &rect)) continue;
        if (rect.length * view->gsd_m >= ENDS_LEAST_M &&
            (s = tally_hull_find_ends(view, &rect, err)) != TALLY_OK)
            return s;
        const hull_end end = tally_hull_meets_edge(view, &rect) ? HULL_CUT_BY_EDGE : HULL_WHOLE;
        s = divide(view, &g, &part, &box, rect.length, end, &divided, err);
        if (s != TALLY_OK) return s;
        if (!divided && is_block(&box, rect.length, view->gsd_m)) {
            if ((s = add_hull(view, &rect, &box, blocks, err)) != TALLY_OK) return s;
            continue;
        }
        if (divided || !is_ship(&box, rect.length, view->gsd_m, end) ||
            box.area < LEAST_FILL * box_area(&box) || (g.hugs && !is_full(&g, &box)))
            continue;
        if ((s = judge(view, &g, &rect, &box, out, err)) != TALLY_OK) return s;
    }
    drop_hidden(&g, out);
    return TALLY_OK;
}

tally_status tally_hulls_find(const tally_kernels *k, const tally_hull_view *view, tally_hulls *out,
                              tally_error *err)
{
    const double least_px =
        0.5 * MIN_LENGTH_M * fmax(MIN_WIDTH_M, view->gsd_m) / (view->gsd_m * view->gsd_m);
    const int64_t most_px = (int64_t)(2 * MAX_LENGTH_M * 100 / (view->gsd_m * view->gsd_m));
    tally_bits bits = { 0 };
    tally_blobs blobs = { 0 };
    tally_hulls parts = { 0 };
    pixel_list p = { 0 };
    tally_status s = find_evidence(k, view, &bits, err);

    *out = (tally_hulls) { 0 };
    if (s == TALLY_OK) s = close_berths(view, &bits, err);
    if (s == TALLY_OK) s = tally_blobs_label(k, &bits, (int64_t)fmax(3, least_px), &blobs, err);
    for (size_t i = 0; i < blobs.n && s == TALLY_OK; i++) {
        const size_t area = (size_t)blobs.blobs[i].area;
        if (blobs.blobs[i].area > most_px) continue;
        p.u = tally_alloc(area, sizeof *p.u);
        p.v = tally_alloc(area, sizeof *p.v);
        p.d = tally_alloc(area, sizeof *p.d);
        s = p.u && p.v && p.d ? read_blob(view, &blobs, &bits, i, &p, out, &parts, err)
                              : tally_nomem(err, "the pixels of a hull");
        tally_free(p.d);
        tally_free(p.v);
        tally_free(p.u);
    }
    tally_blobs_fini(&blobs);
    tally_bits_fini(&bits);
    tally_hulls_join_blocks(out, &parts);
    tally_hulls_drop_parts(out);
    tally_hulls_fini(&parts);
    if (s != TALLY_OK) tally_hulls_fini(out);
    return s;
}

void tally_hulls_fini(tally_hulls *hulls)
{
    tally_free(hulls->hulls);
    *hulls = (tally_hulls) { 0 };
}
