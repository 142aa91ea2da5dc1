/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "align/ties.h"

#include <math.h>
#include <string.h>

/* Ground within this distance of a zone where things move is left out: a wagon's shadow and a
 * ship's side reach over the line. */
static const double ZONE_MARGIN_M = 6;

static bool moves(tally_role role)
{
    return role == TALLY_TRACK || role == TALLY_YARD || role == TALLY_WATER ||
           role == TALLY_BERTH || role == TALLY_IGNORE;
}

/* Clear the pixels within `reach` of a line. */
static void clear_line(tally_bits *ground, const tally_path *line, tally_box box, double reach)
{
    for (size_t i = 1; i < line->n; i++) {
        tally_point a = line->points[i - 1], b = line->points[i];
        double length = hypot(b.x - a.x, b.y - a.y);
        int x0 = (int)tally_clamp(fmin(a.x, b.x) - reach - box.x0, 0, ground->width);
        int x1 = (int)tally_clamp(fmax(a.x, b.x) + reach - box.x0 + 1, 0, ground->width);
        int y0 = (int)tally_clamp(fmin(a.y, b.y) - reach - box.y0, 0, ground->height);
        int y1 = (int)tally_clamp(fmax(a.y, b.y) + reach - box.y0 + 1, 0, ground->height);
        for (int y = y0; y < y1; y++)
            for (int x = x0; x < x1; x++) {
                double px = x + box.x0 + 0.5 - a.x, py = y + box.y0 + 0.5 - a.y;
                double t =
                    length > 0
                        ? tally_clamp((px * (b.x - a.x) + py * (b.y - a.y)) / (length * length), 0,
                                      1)
                        : 0;
                if (hypot(px - t * (b.x - a.x), py - t * (b.y - a.y)) <= reach)
                    tally_bits_clear(ground, x, y);
            }
    }
}

static tally_status clear_polygon(tally_bits *ground, const tally_shape *shape, tally_box box,
                                  double reach, tally_error *err)
{
    tally_bits inside;
    tally_status s = tally_bits_init(&inside, ground->width, ground->height, err);
    if (s != TALLY_OK) return s;
    tally_shape moved;
    if ((s = tally_shape_copy(shape, &moved, err)) == TALLY_OK) {
        for (size_t i = 0; i < moved.n_paths; i++)
            for (size_t k = 0; k < moved.paths[i].n; k++) {
                moved.paths[i].points[k].x -= box.x0;
                moved.paths[i].points[k].y -= box.y0;
            }
        tally_shape_fill(&moved, &inside);
        for (size_t i = 0; i < inside.words * (size_t)inside.height; i++)
            ground->bits[i] &= ~inside.bits[i];
        tally_shape_fini(&moved);
    }
    tally_bits_fini(&inside);
    for (size_t i = 0; i < shape->n_paths && s == TALLY_OK; i++)
        clear_line(ground, &shape->paths[i], box, reach);
    return s;
}

static bool boxes_meet(const tally_shape *shape, tally_box box, double reach)
{
    tally_point low, high;
    tally_shape_bounds(shape, &low, &high);
    return low.x - reach < box.x1 && high.x + reach > box.x0 && low.y - reach < box.y1 &&
           high.y + reach > box.y0;
}

static tally_status mark_ground(const tally_stack *stack, tally_box box, tally_bits *ground,
                                tally_error *err)
{
    tally_status s = tally_bits_init(ground, tally_box_width(box), tally_box_height(box), err);
    if (s != TALLY_OK) return s;
    for (int y = 0; y < ground->height; y++)
        for (int x = 0; x < ground->width; x++)
            tally_bits_set(ground, x, y);
    double reach = fmax(ZONE_MARGIN_M / stack->grid.gsd_m, 1);
    for (size_t z = 0; z < stack->site->n_zones && s == TALLY_OK; z++) {
        const tally_zone *zone = &stack->site->zones[z];
        tally_shape px;
        if (!moves(zone->role)) continue;
        if ((s = tally_stack_shape(stack, &zone->shape, &px, err)) != TALLY_OK) break;
        if (boxes_meet(&px, box, reach)) {
            if (px.is_line)
                for (size_t i = 0; i < px.n_paths; i++)
                    clear_line(ground, &px.paths[i], box, reach);
            else
                s = clear_polygon(ground, &px, box, reach, err);
        }
        tally_shape_fini(&px);
    }
    return s;
}

/* A lattice of windows over the grid, from edge to edge: half overlapping, wider apart where that
 * would be too many.
 */
typedef struct lattice {
    int columns, rows;
    tally_grid grid;
} lattice;

static int steps(int extent, int step)
{
    return extent <= TALLY_TIE_SIZE ? 1 : (extent - TALLY_TIE_SIZE + step - 1) / step + 1;
}

static lattice lay(const tally_grid *grid)
{
    enum { STEP = TALLY_TIE_SIZE / 2, MOST = 1024 };
    lattice l = { .grid = *grid };
    for (int step = STEP;; step += STEP) {
        l.columns = steps(grid->width, step);
        l.rows = steps(grid->height, step);
        if ((int64_t)l.columns * l.rows <= MOST) return l;
    }
}

static int spread(int i, int n, int extent)
{
    return n > 1 ? (int)((int64_t)(extent - TALLY_TIE_SIZE) * i / (n - 1)) : 0;
}

static tally_box lattice_box(const lattice *l, size_t i)
{
    const int x0 = spread((int)(i % (size_t)l->columns), l->columns, l->grid.width),
              y0 = spread((int)(i / (size_t)l->columns), l->rows, l->grid.height);
    return (tally_box) { x0, y0, x0 + TALLY_TIE_SIZE, y0 + TALLY_TIE_SIZE };
}

/* The windows whose share of ground is at least `least`. */
static size_t with_ground(const float *share, size_t all, double least, size_t *fit)
{
    size_t n = 0;
    for (size_t i = 0; i < all; i++)
        if (share[i] >= least) fit[n++] = i;
    return n;
}

/* Of all windows with enough ground in them at most TALLY_TIES_MAX, evenly along the lattice's
 * rows. */
tally_status tally_ties_choose(const tally_stack *stack, tally_ties *out, tally_error *err)
{
    static const double LEAST_GROUND = 0.3;
    enum { FEW = 8 };
    const lattice l = lay(&stack->grid);
    const size_t all = (size_t)l.columns * (size_t)l.rows;
    *out = (tally_ties) { .boxes = tally_alloc(TALLY_TIES_MAX, sizeof *out->boxes),
                          .ground = tally_alloc(TALLY_TIES_MAX, sizeof *out->ground),
                          .pixels = tally_alloc(TALLY_TIES_MAX, sizeof *out->pixels) };
    size_t *fit = tally_alloc(all, sizeof *fit), n = 0;
    float *share = tally_alloc(all, sizeof *share);
    tally_status s = out->boxes && out->ground && out->pixels && fit && share
                         ? TALLY_OK
                         : tally_nomem(err, "tie windows");
    for (size_t i = 0; i < all && s == TALLY_OK; i++) {
        tally_bits ground;
        s = mark_ground(stack, lattice_box(&l, i), &ground, err);
        if (s != TALLY_OK) break;
        share[i] = (float)tally_bits_count(&ground) / (TALLY_TIE_SIZE * TALLY_TIE_SIZE);
        tally_bits_fini(&ground);
    }
    if (s == TALLY_OK) n = with_ground(share, all, LEAST_GROUND, fit);
    /* a small site that zones nearly fill has no others */
    if (s == TALLY_OK && n < FEW) n = with_ground(share, all, LEAST_GROUND / 2, fit);
    const size_t take = n < TALLY_TIES_MAX ? n : TALLY_TIES_MAX;
    for (size_t k = 0; k < take && s == TALLY_OK; k++) {
        const tally_box box = lattice_box(&l, fit[(2 * k + 1) * n / (2 * take)]);
        s = mark_ground(stack, box, &out->ground[k], err);
        if (s == TALLY_OK) out->boxes[out->n++] = box;
    }
    tally_free(fit);
    tally_free(share);
    return s;
}

tally_status tally_ties_fill(const tally_context *ctx, const tally_stack *stack, size_t reference,
                             tally_ties *ties, tally_error *err)
{
    tally_stack_reader reader;
    tally_status s = tally_stack_reader_open(stack, reference, &reader, err);
    for (size_t i = 0; i < ties->n && s == TALLY_OK; i++) {
        tally_patch_fini(&ties->pixels[i]);
        s = tally_stack_reader_read(ctx, &reader, ties->boxes[i], &ties->pixels[i], err);
    }
    tally_stack_reader_close(&reader);
    return s;
}

void tally_ties_fini(tally_ties *ties)
{
    for (size_t i = 0; i < ties->n; i++) {
        if (ties->ground) tally_bits_fini(&ties->ground[i]);
        if (ties->pixels) tally_patch_fini(&ties->pixels[i]);
    }
    tally_free(ties->boxes);
    tally_free(ties->ground);
    tally_free(ties->pixels);
    *ties = (tally_ties) { 0 };
}
