/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The smallest rectangle around points: one side lies along an edge of the convex hull (Freeman and
 * Shapira 1975, doi:10.1145/360881.360919). Hull by Andrew's monotone chain (1979,
 * doi:10.1016/0020-0190(79)90072-3). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/geometry.h"

static int by_place(const void *a, const void *b)
{
    const tally_point *p = a, *q = b;
    if (p->x != q->x) return p->x < q->x ? -1 : 1;
    return (p->y > q->y) - (p->y < q->y);
}

static double turn(tally_point o, tally_point a, tally_point b)
{
    return (a.x - o.x) * (b.y - o.y) - (a.y - o.y) * (b.x - o.x);
}

/* hull has room for 2 n points. */
static size_t hull_of(tally_point *sorted, size_t n, tally_point *hull)
{
    size_t k = 0;
    for (size_t i = 0; i < n; i++) {
        while (k >= 2 && turn(hull[k - 2], hull[k - 1], sorted[i]) <= 0)
            k--;
        hull[k++] = sorted[i];
    }
    size_t lower = k + 1;
    for (size_t i = n - 1; i-- > 0;) {
        while (k >= lower && turn(hull[k - 2], hull[k - 1], sorted[i]) <= 0)
            k--;
        hull[k++] = sorted[i];
    }
    return k > 1 ? k - 1 : k;
}

static tally_rect rect_along(const tally_point *hull, size_t n, double ux, double uy)
{
    double low_u = INFINITY, high_u = -INFINITY, low_v = INFINITY, high_v = -INFINITY;
    for (size_t i = 0; i < n; i++) {
        double u = hull[i].x * ux + hull[i].y * uy, v = hull[i].y * ux - hull[i].x * uy;
        low_u = fmin(low_u, u);
        high_u = fmax(high_u, u);
        low_v = fmin(low_v, v);
        high_v = fmax(high_v, v);
    }
    double cu = (low_u + high_u) / 2, cv = (low_v + high_v) / 2;
    tally_rect r = { .centre = { cu * ux - cv * uy, cu * uy + cv * ux },
                     .length = high_u - low_u,
                     .width = high_v - low_v,
                     .ux = ux,
                     .uy = uy };
    if (r.width > r.length) {
        double t = r.length;
        r.length = r.width;
        r.width = t;
        r.ux = -uy;
        r.uy = ux;
    }
    return r;
}

bool tally_rect_around(const tally_point *points, size_t n, tally_rect *out)
{
    *out = (tally_rect) { .ux = 1 };
    if (n == 0) return false;
    tally_point *memory = tally_alloc(n, 3 * sizeof *memory);
    if (!memory) return false;
    memcpy(memory, points, n * sizeof *points);
    tally_point o = memory[0];
    for (size_t i = 0; i < n; i++) {
        memory[i].x -= o.x;
        memory[i].y -= o.y;
    }
    qsort(memory, n, sizeof *memory, by_place);
    tally_point *hull = memory + n;
    size_t k = hull_of(memory, n, hull);

    tally_rect best = rect_along(hull, k, 1, 0);
    for (size_t i = 0; i < k; i++) {
        tally_point a = hull[i], b = hull[(i + 1) % k];
        double length = hypot(b.x - a.x, b.y - a.y);
        if (length <= 0) continue;
        tally_rect r = rect_along(hull, k, (b.x - a.x) / length, (b.y - a.y) / length);
        if (r.length * r.width < best.length * best.width * (1 - 1e-12)) best = r;
    }
    best.centre.x += o.x;
    best.centre.y += o.y;
    *out = best;
    tally_free(memory);
    return true;
}

void tally_rect_corners(const tally_rect *r, tally_point out[4])
{
    static const int su[4] = { -1, 1, 1, -1 }, sv[4] = { -1, -1, 1, 1 };
    for (int i = 0; i < 4; i++) {
        double u = su[i] * r->length / 2, v = sv[i] * r->width / 2;
        out[i] = (tally_point) { r->centre.x + u * r->ux - v * r->uy,
                                 r->centre.y + u * r->uy + v * r->ux };
    }
}

double tally_heading_deg(double east, double north)
{
    double deg = atan2(east, north) * (180.0 / 3.14159265358979323846);
    deg = fmod(deg, 180.0);
    if (deg < 0) deg += 180.0;
    return deg >= 180.0 ? 0 : deg;
}
