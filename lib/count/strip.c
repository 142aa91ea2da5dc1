/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "count/strip.h"

#include <math.h>

#include "kernels/kernels.h"

static tally_status add_path(const tally_stack *stack, const tally_path *path, tally_track *t,
                             tally_error *err)
{
    double step_px = t->step_m / stack->grid.gsd_m, carry = 0;
    for (size_t i = 1; i < path->n; i++) {
        tally_point a = tally_stack_px(stack, path->points[i - 1]),
                    b = tally_stack_px(stack, path->points[i]);
        double length = hypot(b.x - a.x, b.y - a.y);
        int n = length > carry ? (int)((length - carry) / step_px) + 1 : 0;
        if (n == 0) {
            carry -= length;
            continue;
        }
        if (n > 1000000 || t->n > 1000000)
            return tally_fail(err, TALLY_E_ARG, "%s: longer than can be counted; split it",
                              stack->site->zones[t->zone].name);
        tally_stretch *more = tally_realloc(t->stretches, t->n_stretches + 1, sizeof *more);
        if (!more) return tally_nomem(err, "a track");
        t->stretches = more;
        double ux = (b.x - a.x) / length, uy = (b.y - a.y) / length;
        t->stretches[t->n_stretches++] = (tally_stretch) { .first = t->n,
                                                           .n = n,
                                                           .x = a.x + carry * ux,
                                                           .y = a.y + carry * uy,
                                                           .dx = ux * step_px,
                                                           .dy = uy * step_px,
                                                           .nx = -uy / stack->grid.gsd_m,
                                                           .ny = ux / stack->grid.gsd_m };
        t->n += n;
        carry = carry + n * step_px - length;
    }
    return TALLY_OK;
}

tally_status tally_track_init(const tally_stack *stack, size_t zone, double half_width_m,
                              tally_track *out, tally_error *err)
{
    double half_gsd = stack->grid.gsd_m / 2;
    *out = (tally_track) { .zone = zone,
                           .step_m = fmax(half_gsd, 0.5),
                           .lane_m = fmax(half_gsd, 0.5) };
    int side = (int)ceil(half_width_m / out->lane_m);
    out->lanes = 2 * (side > TALLY_LANES_MAX / 2 ? TALLY_LANES_MAX / 2 : side) + 1;
    const tally_shape *shape = &stack->site->zones[zone].shape;
    tally_status s = TALLY_OK;
    for (size_t i = 0; i < shape->n_paths && s == TALLY_OK; i++)
        s = add_path(stack, &shape->paths[i], out, err);
    if (s == TALLY_OK && out->n < 3)
        s = tally_fail(err, TALLY_E_NODATA, "%s: shorter than three pixels",
                       stack->site->zones[zone].name);
    if (s != TALLY_OK) tally_track_fini(out);
    return s;
}

void tally_track_fini(tally_track *track)
{
    tally_free(track->stretches);
    *track = (tally_track) { 0 };
}

static const tally_stretch *stretch_of(const tally_track *t, double column)
{
    size_t i = 0;
    while (i + 1 < t->n_stretches && column >= t->stretches[i + 1].first)
        i++;
    return &t->stretches[i];
}

tally_point tally_track_at(const tally_track *t, double column, double right_m)
{
    const tally_stretch *s = stretch_of(t, column);
    double k = column - s->first;
    return (tally_point) { s->x + k * s->dx + right_m * s->nx, s->y + k * s->dy + right_m * s->ny };
}

tally_point tally_track_direction(const tally_track *t, int column)
{
    const tally_stretch *s = stretch_of(t, column);
    double length = hypot(s->dx, s->dy);
    return (tally_point) { s->dx / length, s->dy / length };
}

int tally_track_under(const tally_track *t, tally_point p, double gsd_m, double half_width_m)
{
    for (size_t i = 0; i < t->n_stretches; i++) {
        const tally_stretch *s = &t->stretches[i];
        double vx = p.x - s->x, vy = p.y - s->y, dd = s->dx * s->dx + s->dy * s->dy;
        double k = (vx * s->dx + vy * s->dy) / dd;
        if (k < -0.5 || k > s->n - 0.5) continue;
        if (fabs(vx * s->dy - vy * s->dx) / sqrt(dd) * gsd_m <= half_width_m)
            return s->first + (int)tally_clamp(lround(k), 0, s->n - 1);
    }
    return -1;
}

tally_status tally_track_sample(const tally_context *ctx, const tally_track *t,
                                const tally_patch *patch, tally_box box, tally_patch *strip,
                                tally_error *err)
{
    tally_status s = tally_patch_init(strip, t->n, t->lanes, patch->bands, err);
    if (s != TALLY_OK) return s;
    size_t words = ((size_t)t->n + 63) / 64;
    uint64_t *valid = tally_alloc(words, sizeof *valid);
    float *row = tally_alloc((size_t)t->n * (size_t)patch->bands, sizeof *row);
    if (!valid || !row) s = tally_nomem(err, "a strip");
    for (int lane = 0; s == TALLY_OK && lane < t->lanes; lane++)
        for (size_t i = 0; i < t->n_stretches; i++) {
            const tally_stretch *r = &t->stretches[i];
            double m = tally_track_lane_m(t, lane);
            ctx->kernels->gather_f32(patch->pixels, patch->stride, patch->plane, patch->bands,
                                     patch->width, patch->height, patch->valid.bits,
                                     patch->valid.words, r->x + m * r->nx - box.x0 - 0.5,
                                     r->y + m * r->ny - box.y0 - 0.5, r->dx, r->dy, (size_t)r->n,
                                     row, (size_t)r->n, valid);
            for (int k = 0; k < r->n; k++) {
                if (!(valid[k >> 6] >> (k & 63) & 1)) continue;
                tally_bits_set(&strip->valid, r->first + k, lane);
                for (int b = 0; b < patch->bands; b++)
                    tally_patch_row(strip, b, lane)[r->first + k] =
                        row[(size_t)b * (size_t)r->n + (size_t)k];
            }
        }
    tally_free(valid);
    tally_free(row);
    if (s != TALLY_OK) tally_patch_fini(strip);
    return s;
}
