/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Slots by dynamic programming. The evidence is turned onto the yard's axes; each connected patch
 * of it is covered by rows, each row by slots of 6.058 m x 2.438 m (ISO 668), so that the sum of
 * the evidence under the slots is the largest that can be had: first along each possible row, then
 * over the rows. Both are the textbook problem of weighted intervals (Kleinberg and Tardos 2005,
 * section 6.1), exact and in linear time. A forty-foot box takes two slots. Rows of one patch share
 * no phase, so rows that are shifted against each other are no harm.
 *
 * Known failures: lanes narrower than the gap below fill up; boxes that touch cranes or lorries
 * make one patch with them; a box of two metres' evidence at the zone's edge is left out.
 *
 * Constants: spacing 6.30 m x 2.75 m, what slots with gaps of 0.25 to 0.4 m come to (drawn lanes of
 * yards, DESIGN.md 5.6); a slot needs 2 m2 more evidence for than against, 14 % of its face,
 * chosen by eye on port and rail scenes at 0.5 m: less lets spots in, more loses boxes in shadow.
 * Boxes across the rows must explain 15 % more than along them: a full block explains either way.
 * Slots within 0.8 m of each other belong to one block.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "change/blobs.h"
#include "count/yard_slots.h"

#define PITCH_LENGTH_M 6.30
#define PITCH_WIDTH_M  2.75
#define GAIN_MIN_M2    2.0
#define JOIN_M         0.8
#define ACROSS         1.15
#define SIDE_MAX       30000 /* of the working raster; larger yards get a coarser one */

/* The evidence on the yard's axes. */
typedef struct turned {
    int width, height;
    double step_m, u0, v0, c, s; /* u0, v0: metres along the axes of the first sample */
    float *values;
} turned;

/* The work on one patch: its box in samples, the slot's face and pitch, sums, and room for the
 * programmes. */
typedef struct table {
    int width, height;
    int length, breadth, pitch_length, pitch_breadth;
    double *sums; /* (width + 1) x (height + 1) */
    double *row_value;
    double *value; /* max(width, height) + 1 */
    unsigned char *taken;
} table;

static tally_point to_pixels(const turned *t, double gsd_m, double u, double v)
{
    return (tally_point) { (u * t->c - v * t->s) / gsd_m, (u * t->s + v * t->c) / gsd_m };
}

/* Bilinear; outside the zone or the patch -1. */
static float sample(const tally_patch *e, const tally_bits *zone, tally_point p)
{
    const double x = p.x - 0.5, y = p.y - 0.5;
    const int x0 = (int)floor(x), y0 = (int)floor(y);
    const double fx = x - x0, fy = y - y0;
    double sum = 0;

    for (int j = 0; j < 2; j++)
        for (int i = 0; i < 2; i++) {
            const int px = x0 + i, py = y0 + j;
            const bool in = px >= 0 && py >= 0 && px < e->width && py < e->height &&
                            tally_bits_get(zone, px, py);
            sum +=
                (i ? fx : 1 - fx) * (j ? fy : 1 - fy) * (in ? tally_patch_row(e, 0, py)[px] : -1);
        }
    return (float)sum;
}

static tally_status turn(const tally_patch *e, const tally_bits *zone, double gsd_m, double angle,
                         double step_m, turned *t, tally_error *err)
{
    double low_u = INFINITY, high_u = -INFINITY, low_v = INFINITY, high_v = -INFINITY;

    *t = (turned) { .step_m = step_m, .c = cos(angle), .s = sin(angle) };
    for (int y = 0; y < e->height; y++)
        for (int x = 0; x < e->width; x++) {
            if (!tally_bits_get(zone, x, y)) continue;
            const double u = ((x + .5) * t->c + (y + .5) * t->s) * gsd_m;
            const double v = ((y + .5) * t->c - (x + .5) * t->s) * gsd_m;
            low_u = fmin(low_u, u), high_u = fmax(high_u, u);
            low_v = fmin(low_v, v), high_v = fmax(high_v, v);
        }
    if (!(high_u >= low_u)) return TALLY_OK; /* no pixel at all */
    while (fmax(high_u - low_u, high_v - low_v) > t->step_m * (SIDE_MAX - 16))
        t->step_m *= 2;
    t->u0 = low_u - 1;
    t->v0 = low_v - 1;
    t->width = (int)((high_u - low_u + 2) / t->step_m) + 1;
    t->height = (int)((high_v - low_v + 2) / t->step_m) + 1;
    t->values = tally_alloc((size_t)t->width * (size_t)t->height, sizeof *t->values);
    if (!t->values) return tally_nomem(err, "the raster of a yard's slots");
    for (int j = 0; j < t->height; j++)
        for (int i = 0; i < t->width; i++)
            t->values[(size_t)j * (size_t)t->width + (size_t)i] =
                sample(e, zone, to_pixels(t, gsd_m, t->u0 + i * t->step_m, t->v0 + j * t->step_m));
    return TALLY_OK;
}

/* The same with its axes exchanged, so that boxes always lie along a row. */
static tally_status transpose(const turned *t, turned *out, tally_error *err)
{
    *out = *t;
    out->width = t->height;
    out->height = t->width;
    out->values = tally_alloc((size_t)t->width * (size_t)t->height, sizeof *out->values);
    if (!out->values) return tally_nomem(err, "the raster of a yard's slots");
    for (int j = 0; j < t->height; j++)
        for (int i = 0; i < t->width; i++)
            out->values[(size_t)i * (size_t)t->height + (size_t)j] =
                t->values[(size_t)j * (size_t)t->width + (size_t)i];
    return TALLY_OK;
}

static tally_status table_init(table *w, int width, int height, tally_error *err)
{
    const size_t side = (size_t)(width > height ? width : height) + 1;

    *w = (table) { .width = width, .height = height };
    w->sums = tally_alloc((size_t)(width + 1) * (size_t)(height + 1), sizeof *w->sums);
    w->row_value = tally_alloc((size_t)height + 1, sizeof *w->row_value);
    w->value = tally_alloc(side, sizeof *w->value);
    w->taken = tally_alloc(side, 1);
    if (w->sums && w->row_value && w->value && w->taken) return TALLY_OK;
    return tally_nomem(err, "the slots of a yard");
}

static void table_fini(table *w)
{
    tally_free(w->taken);
    tally_free(w->value);
    tally_free(w->row_value);
    tally_free(w->sums);
    *w = (table) { 0 };
}

static double sum_of(const table *w, int x, int y, int length, int breadth)
{
    const size_t wide = (size_t)w->width + 1;
    const double *top = w->sums + (size_t)y * wide, *low = top + (size_t)breadth * wide;
    return low[x + length] - low[x] - top[x + length] + top[x];
}

/* Samples a length comes to, at least 1. */
static int samples(double metres, double step_m)
{
    const int n = (int)lround(metres / step_m);
    return n < 1 ? 1 : n;
}

/* Weighted intervals: gain[i] of starting at i, the next start `pitch` further on. Leaves value and
 * taken for the way back. */
static double best_starts(table *w, int n, int pitch, double (*gain)(const table *, int, int),
                          int y, double least)
{
    w->value[0] = 0;
    for (int i = 1; i <= n; i++) {
        const double g = gain(w, i - 1, y), before = w->value[i > pitch ? i - pitch : 0];
        w->value[i] = w->value[i - 1];
        w->taken[i] = g > least && before + g > w->value[i];
        if (w->taken[i]) w->value[i] = before + g;
    }
    return w->value[n];
}

static double slot_gain(const table *w, int x, int y)
{
    return sum_of(w, x, y, w->length, w->breadth);
}

static double row_gain(const table *w, int y, int unused)
{
    (void)unused;
    return w->row_value[y];
}

static tally_status add_slot(tally_yard_slots *out, const tally_yard_slot *slot, tally_error *err)
{
    if ((out->n & (out->n - 1)) == 0) { /* a power of two: full */
        tally_yard_slot *more = tally_realloc(out->slots, out->n ? out->n * 2 : 1, sizeof *more);
        if (!more) return tally_nomem(err, "the slots of a yard");
        out->slots = more;
    }
    out->slots[out->n++] = *slot;
    out->gain += slot->gain;
    return TALLY_OK;
}

/* Evidence of this patch; what belongs to another patch counts as pad. */
static void fill_sums(table *w, const turned *t, const tally_blobs *blobs, size_t blob, int x0,
                      int y0)
{
    const size_t wide = (size_t)w->width + 1;
    const double area = t->step_m * t->step_m;
    const tally_span *run = blobs->runs + blobs->blobs[blob].first_run;
    const tally_span *end = run + blobs->blobs[blob].n_runs;

    memset(w->sums, 0, wide * sizeof *w->sums);
    for (int y = 0; y < w->height; y++) {
        const float *v = t->values + (size_t)(y + y0) * (size_t)t->width + (size_t)x0;
        double *top = w->sums + (size_t)y * wide, *low = top + wide, sum = 0;
        low[0] = 0;
        while (run < end && run->y < y + y0)
            run++;
        for (int x = 0; x < w->width; x++) {
            while (run < end && run->y == y + y0 && run->x1 <= x + x0)
                run++;
            const bool mine = run < end && run->y == y + y0 && run->x0 <= x + x0;
            sum += area * (mine || v[x] < 0 ? v[x] : 0);
            low[x + 1] = top[x + 1] + sum;
        }
    }
}

static tally_status take_rows(table *w, const turned *t, bool across, double gsd_m, int x0, int y0,
                              int n_x, int n_y, tally_yard_slots *out, tally_error *err)
{
    int *rows = tally_alloc((size_t)n_y + 1, sizeof *rows);
    int n_rows = 0;
    tally_status s = TALLY_OK;

    if (!rows) return tally_nomem(err, "the rows of a yard");
    for (int y = 0; y < n_y; y++)
        w->row_value[y] = best_starts(w, n_x, w->pitch_length, slot_gain, y, GAIN_MIN_M2);
    best_starts(w, n_y, w->pitch_breadth, row_gain, 0, 0);
    for (int y = n_y; y > 0;) {
        if (w->taken[y]) rows[n_rows++] = y - 1;
        y -= w->taken[y] ? w->pitch_breadth : 1;
    }
    while (n_rows-- > 0 && s == TALLY_OK) {
        const int y = rows[n_rows];
        best_starts(w, n_x, w->pitch_length, slot_gain, y, GAIN_MIN_M2);
        for (int x = n_x; x > 0 && s == TALLY_OK;) {
            if (!w->taken[x]) {
                x--;
                continue;
            }
            const double a = (x - 1 + x0 + (w->length - 1) / 2.0) * t->step_m;
            const double b = (y + y0 + (w->breadth - 1) / 2.0) * t->step_m;
            const tally_yard_slot slot = {
                .centre = across ? to_pixels(t, gsd_m, t->u0 + b, t->v0 + a)
                                 : to_pixels(t, gsd_m, t->u0 + a, t->v0 + b),
                .ux = across ? -t->s : t->c,
                .uy = across ? t->c : t->s,
                .gain = slot_gain(w, x - 1, y),
            };
            s = add_slot(out, &slot, err);
            x -= w->pitch_length;
        }
    }
    tally_free(rows);
    return s;
}

static tally_status cover_patch(const turned *t, bool across, double gsd_m,
                                const tally_blobs *blobs, size_t blob, tally_yard_slots *out,
                                tally_error *err)
{
    const tally_box box = tally_box_intersect(tally_box_grow(blobs->blobs[blob].box, 4),
                                              (tally_box) { 0, 0, t->width, t->height });
    const int length = samples(TALLY_SLOT_LENGTH_M, t->step_m);
    const int breadth = samples(TALLY_SLOT_WIDTH_M, t->step_m);
    const int n_x = tally_box_width(box) - length + 1, n_y = tally_box_height(box) - breadth + 1;
    table w;
    tally_status s;

    if (n_x < 1 || n_y < 1) return TALLY_OK;
    s = table_init(&w, tally_box_width(box), tally_box_height(box), err);
    if (s == TALLY_OK) {
        w.length = length;
        w.breadth = breadth;
        w.pitch_length = samples(PITCH_LENGTH_M, t->step_m);
        w.pitch_breadth = samples(PITCH_WIDTH_M, t->step_m);
        fill_sums(&w, t, blobs, blob, box.x0, box.y0);
        s = take_rows(&w, t, across, gsd_m, box.x0, box.y0, n_x, n_y, out, err);
    }
    table_fini(&w);
    return s;
}

/* All patches, boxes lying along the rows of `t`. */
static tally_status cover(const tally_kernels *k, const turned *t, bool across, double gsd_m,
                          tally_yard_slots *out, tally_error *err)
{
    tally_bits bits = { 0 };
    tally_blobs blobs = { 0 };
    const int64_t least = (int64_t)(GAIN_MIN_M2 / (t->step_m * t->step_m));
    tally_status s;

    *out = (tally_yard_slots) { 0 };
    if ((s = tally_bits_init(&bits, t->width, t->height, err)) != TALLY_OK) return s;
    for (int y = 0; y < t->height; y++)
        for (int x = 0; x < t->width; x++)
            if (t->values[(size_t)y * (size_t)t->width + (size_t)x] > 0)
                tally_bits_set(&bits, x, y);
    s = tally_bits_close(k, &bits, 1, 1, err);
    if (s == TALLY_OK) s = tally_blobs_label(k, &bits, least > 1 ? least : 1, &blobs, err);
    for (size_t i = 0; i < blobs.n && s == TALLY_OK; i++)
        s = cover_patch(t, across, gsd_m, &blobs, i, out, err);
    tally_blobs_fini(&blobs);
    tally_bits_fini(&bits);
    if (s != TALLY_OK) tally_yard_slots_fini(out);
    return s;
}

typedef struct keyed {
    double along;
    size_t i;
} keyed;

static int by_place(const void *a, const void *b)
{
    const keyed *p = a, *q = b;
    if (p->along != q->along) return p->along < q->along ? -1 : 1;
    return (p->i > q->i) - (p->i < q->i);
}

static size_t root_of(size_t *parent, size_t i)
{
    while (parent[i] != i)
        i = parent[i] = parent[parent[i]];
    return i;
}

/* Blocks: slots that lie within JOIN_M of each other, numbered in the slots' order. */
static tally_status make_blocks(tally_yard_slots *out, double gsd_m, tally_error *err)
{
    keyed *order = tally_alloc(out->n + 1, sizeof *order);
    size_t *parent = tally_alloc(out->n + 1, sizeof *parent);

    if (!order || !parent) {
        tally_free(parent);
        tally_free(order);
        return tally_nomem(err, "the blocks of a yard");
    }
    for (size_t i = 0; i < out->n; i++) {
        const tally_yard_slot *s = &out->slots[i];
        order[i] = (keyed) { (s->centre.x * s->ux + s->centre.y * s->uy) * gsd_m, i };
        parent[i] = i;
    }
    qsort(order, out->n, sizeof *order, by_place);
    for (size_t i = 0; i < out->n; i++)
        for (size_t j = i + 1; j < out->n; j++) {
            if (order[j].along - order[i].along > TALLY_SLOT_LENGTH_M + JOIN_M) break;
            const tally_yard_slot *a = &out->slots[order[i].i], *b = &out->slots[order[j].i];
            const double across =
                ((b->centre.y - a->centre.y) * a->ux - (b->centre.x - a->centre.x) * a->uy) * gsd_m;
            if (fabs(across) > TALLY_SLOT_WIDTH_M + JOIN_M) continue;
            const size_t ra = root_of(parent, order[i].i), rb = root_of(parent, order[j].i);
            parent[ra > rb ? ra : rb] = ra > rb ? rb : ra;
        }
    for (size_t i = 0; i < out->n; i++) { /* a root is the first slot of its block */
        const size_t root = root_of(parent, i);
        out->slots[i].block = root == i ? out->n_blocks++ : out->slots[root].block;
    }
    tally_free(parent);
    tally_free(order);
    return TALLY_OK;
}

tally_status tally_yard_fit(const tally_kernels *k, const tally_patch *evidence,
                            const tally_bits *zone, double gsd_m, double angle, double step_m,
                            tally_yard_slots *out, tally_error *err)
{
    turned along = { 0 }, across = { 0 };
    tally_yard_slots other = { 0 };
    tally_status s;

    *out = (tally_yard_slots) { 0 };
    if ((s = turn(evidence, zone, gsd_m, angle, step_m, &along, err)) != TALLY_OK) return s;
    if (!along.values) return TALLY_OK;
    if ((s = cover(k, &along, false, gsd_m, out, err)) != TALLY_OK) goto out;
    if ((s = transpose(&along, &across, err)) != TALLY_OK) goto out;
    if ((s = cover(k, &across, true, gsd_m, &other, err)) != TALLY_OK) goto out;
    if (other.gain > out->gain * ACROSS) {
        tally_yard_slots keep = *out;
        *out = other;
        other = keep;
    }
    out->angle = angle;
    s = make_blocks(out, gsd_m, err);
out:
    tally_yard_slots_fini(&other);
    tally_free(across.values);
    tally_free(along.values);
    if (s != TALLY_OK) tally_yard_slots_fini(out);
    return s;
}

tally_status tally_yard_angle(const tally_kernels *k, const tally_patch *evidence,
                              const tally_bits *zone, double gsd_m, double drawn, double *out,
                              tally_error *err)
{
    /* degrees off the drawn side; the last ones for zones drawn without regard to the rows */
    static const double offsets[] = {
        0, -2, 2, -4, 4, -7, 7, -15, 15, -22, 22, -30, 30, -37, 37, 45
    };
    /* another angle must explain 3 % and a third of a box more than the drawn one: a lone box turns
     * the axes for nothing */
    const double tie = 1.03, tie_m2 = 5.0;
    const double step_m = fmax(0.5, gsd_m);
    double best = 0;

    *out = drawn;
    for (size_t i = 0; i < sizeof offsets / sizeof *offsets; i++) {
        const double angle = drawn + offsets[i] * 3.14159265358979323846 / 180;
        tally_yard_slots fit;
        tally_status s = tally_yard_fit(k, evidence, zone, gsd_m, angle, step_m, &fit, err);
        if (s != TALLY_OK) return s;
        if (fit.gain > best + (i ? tie_m2 * (*out == drawn) : 0) &&
            fit.gain > best * (*out == drawn ? tie : 1)) {
            best = fit.gain;
            *out = angle;
        }
        tally_yard_slots_fini(&fit);
    }
    return TALLY_OK;
}

void tally_yard_slots_fini(tally_yard_slots *slots)
{
    tally_free(slots->slots);
    *slots = (tally_yard_slots) { 0 };
}

void tally_yard_slot_corners(const tally_yard_slot *slot, double gsd_m, tally_point out[4])
{
    const double l = TALLY_SLOT_LENGTH_M / 2 / gsd_m, w = TALLY_SLOT_WIDTH_M / 2 / gsd_m;

    for (int i = 0; i < 4; i++) {
        const double a = i == 0 || i == 3 ? -l : l, b = i < 2 ? -w : w;
        out[i] = (tally_point) { slot->centre.x + a * slot->ux - b * slot->uy,
                                 slot->centre.y + a * slot->uy + b * slot->ux };
    }
}
