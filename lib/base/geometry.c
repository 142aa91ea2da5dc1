/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/geometry.h"

void tally_shape_fini(tally_shape *shape)
{
    for (size_t i = 0; i < shape->n_paths; i++)
        tally_free(shape->paths[i].points);
    tally_free(shape->paths);
    tally_free(shape->part);
    *shape = (tally_shape) { 0 };
}

tally_status tally_shape_copy(const tally_shape *from, tally_shape *to, tally_error *err)
{
    *to = (tally_shape) { .is_line = from->is_line };
    to->paths = tally_alloc(from->n_paths, sizeof *to->paths);
    to->part = tally_alloc(from->n_paths, sizeof *to->part);
    if (!to->paths || !to->part) goto no_memory;
    for (size_t i = 0; i < from->n_paths; i++) {
        const tally_path *p = &from->paths[i];
        to->paths[i].points = tally_alloc(p->n, sizeof *p->points);
        if (!to->paths[i].points) goto no_memory;
        if (p->n) memcpy(to->paths[i].points, p->points, p->n * sizeof *p->points);
        to->paths[i].n = p->n;
        to->part[i] = from->part ? from->part[i] : (int)i;
        to->n_paths = i + 1;
    }
    return TALLY_OK;
no_memory:
    tally_shape_fini(to);
    return tally_nomem(err, "a zone's shape");
}

void tally_shape_bounds(const tally_shape *shape, tally_point *low, tally_point *high)
{
    *low = (tally_point) { INFINITY, INFINITY };
    *high = (tally_point) { -INFINITY, -INFINITY };
    for (size_t i = 0; i < shape->n_paths; i++)
        for (size_t j = 0; j < shape->paths[i].n; j++) {
            tally_point p = shape->paths[i].points[j];
            low->x = fmin(low->x, p.x);
            low->y = fmin(low->y, p.y);
            high->x = fmax(high->x, p.x);
            high->y = fmax(high->y, p.y);
        }
}

/* Rings may repeat their first point at the end or not: an edge of no length changes nothing here.
 */
bool tally_shape_contains(const tally_shape *shape, tally_point p)
{
    bool inside = false;
    if (shape->is_line) return false;
    for (size_t i = 0; i < shape->n_paths; i++) {
        const tally_path *ring = &shape->paths[i];
        for (size_t j = 0; j < ring->n; j++) {
            tally_point a = ring->points[j], b = ring->points[(j + 1) % ring->n];
            if ((a.y > p.y) == (b.y > p.y)) continue;
            if (p.x < a.x + (p.y - a.y) * (b.x - a.x) / (b.y - a.y)) inside = !inside;
        }
    }
    return inside;
}

static double ring_area(const tally_path *ring)
{
    double twice = 0;
    if (ring->n == 0) return 0;
    tally_point o = ring->points[0]; /* near the ring, so that large coordinates lose nothing */
    for (size_t j = 0; j < ring->n; j++) {
        tally_point a = ring->points[j], b = ring->points[(j + 1) % ring->n];
        twice += (a.x - o.x) * (b.y - o.y) - (b.x - o.x) * (a.y - o.y);
    }
    return fabs(twice) / 2;
}

double tally_shape_area(const tally_shape *shape)
{
    double area = 0;
    if (shape->is_line) return 0;
    for (size_t i = 0; i < shape->n_paths; i++) {
        /* a ring inside an odd number of others is a hole */
        int around = 0;
        for (size_t k = 0; k < shape->n_paths && shape->paths[i].n; k++) {
            tally_shape one = { .paths = &shape->paths[k], .n_paths = 1 };
            if (k != i && tally_shape_contains(&one, shape->paths[i].points[0])) around++;
        }
        area += (around % 2 ? -1 : 1) * ring_area(&shape->paths[i]);
    }
    return area;
}

double tally_path_length(const tally_path *path)
{
    double length = 0;
    for (size_t i = 1; i < path->n; i++)
        length += hypot(path->points[i].x - path->points[i - 1].x,
                        path->points[i].y - path->points[i - 1].y);
    return length;
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The row's crossings, sorted: pixels whose centres lie between an odd and an even one are inside.
 */
static size_t crossings_of(const tally_shape *shape, double y, double *out)
{
    size_t n = 0;
    for (size_t i = 0; i < shape->n_paths; i++) {
        const tally_path *ring = &shape->paths[i];
        for (size_t j = 0; j < ring->n; j++) {
            tally_point a = ring->points[j], b = ring->points[(j + 1) % ring->n];
            if ((a.y > y) == (b.y > y)) continue;
            out[n++] = a.x + (y - a.y) * (b.x - a.x) / (b.y - a.y);
        }
    }
    qsort(out, n, sizeof *out, by_value);
    return n;
}

void tally_shape_fill(const tally_shape *shape, tally_bits *bits)
{
    size_t edges = 0;
    if (shape->is_line) return;
    for (size_t i = 0; i < shape->n_paths; i++)
        edges += shape->paths[i].n;
    double *x = tally_alloc(edges, sizeof *x);
    if (!x) return;
    for (int row = 0; row < bits->height; row++) {
        size_t n = crossings_of(shape, row + 0.5, x);
        for (size_t i = 0; i + 1 < n; i += 2) {
            int from = (int)tally_clamp(ceil(x[i] - 0.5), 0, bits->width);
            int to = (int)tally_clamp(ceil(x[i + 1] - 0.5), 0, bits->width);
            for (int c = from; c < to; c++)
                tally_bits_set(bits, c, row);
        }
    }
    tally_free(x);
}

tally_point tally_affine_apply(const tally_affine *a, tally_point p)
{
    return (tally_point) { a->c[0] + a->c[1] * p.x + a->c[2] * p.y,
                           a->c[3] + a->c[4] * p.x + a->c[5] * p.y };
}

bool tally_affine_invert(const tally_affine *a, tally_affine *out)
{
    const double *c = a->c;
    double det = c[1] * c[5] - c[2] * c[4];
    double size = fabs(c[1] * c[5]) + fabs(c[2] * c[4]);
    if (!isfinite(det) || fabs(det) <= 1e-12 * size) return false;
    *out = (tally_affine) { { (c[2] * c[3] - c[0] * c[5]) / det, c[5] / det, -c[2] / det,
                              (c[0] * c[4] - c[1] * c[3]) / det, -c[4] / det, c[1] / det } };
    return true;
}

tally_affine tally_affine_compose(const tally_affine *after, const tally_affine *first)
{
    const double *g = after->c, *f = first->c;
    return (tally_affine) { { g[0] + g[1] * f[0] + g[2] * f[3], g[1] * f[1] + g[2] * f[4],
                              g[1] * f[2] + g[2] * f[5], g[3] + g[4] * f[0] + g[5] * f[3],
                              g[4] * f[1] + g[5] * f[4], g[4] * f[2] + g[5] * f[5] } };
}

bool tally_affine_snap(tally_affine *map, tally_point at, tally_point *off)
{
    static const double MOST = 4e-3; /* over half a window of 128 px: a quarter of a pixel */
    const double *c = map->c;
    if (fabs(c[1] - 1) > MOST || fabs(c[5] - 1) > MOST || fabs(c[2]) > MOST || fabs(c[4]) > MOST)
        return false;
    const tally_point to = tally_affine_apply(map, at);
    const double dx = round(to.x - at.x), dy = round(to.y - at.y);
    *off = (tally_point) { to.x - at.x - dx, to.y - at.y - dy };
    *map = (tally_affine) { { dx, 1, 0, dy, 0, 1 } };
    return true;
}

tally_point tally_bend_at(const tally_bend *bend, tally_point place)
{
    if (bend->scale == 0) return (tally_point) { 0, 0 };
    const double u =
        (tally_clamp(place.x, bend->low.x, bend->high.x) - bend->middle.x) * bend->scale;
    const double v =
        (tally_clamp(place.y, bend->low.y, bend->high.y) - bend->middle.y) * bend->scale;
    const double term[6] = { 1, u, v, u * u, u * v, v * v };
    tally_point off = { 0, 0 };
    for (int i = 0; i < 6; i++) {
        off.x += bend->x[i] * term[i];
        off.y += bend->y[i] * term[i];
    }
    return off;
}
