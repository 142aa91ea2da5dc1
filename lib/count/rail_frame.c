/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Neighbouring tracks in one frame. The longest track is the reference: what lies beside it has a
 * place along and a place across. A slice is what lies across all tracks in one pixel's length; the
 * pixels of a slice, as they are (not resampled once more), are what is known of it.
 *
 * The blur is a Gaussian of 0.6 pixels: optics and motion 0.4 to 0.55, the pixel's own box 0.29
 * (root of a twelfth), and what resampling adds (fixtures, and what PlanetScope's MTF of 0.2 to 0.3
 * at half the sampling frequency comes to).
 *
 * Known failure: tracks that run apart by more than a quarter are not parallel, and the counter
 * makes two units of them.
 */
#include "count/rail_frame.h"

#include <math.h>

static const double BLUR_PX = 0.6;

int tally_rail_frame_margin_px(double gsd_m)
{
    return (int)ceil(TALLY_RAIL_AROUND_M / gsd_m);
}

double tally_rail_share(const tally_rail_frame *f, double a, double b, double across_m)
{
    const double root = 1 / (BLUR_PX * f->gsd_m * sqrt(2));
    return b > a ? 0.5 * (erf((b - across_m) * root) - erf((a - across_m) * root)) : 0;
}

unsigned tally_rail_frame_mask(const tally_rail_frame *f, int slice)
{
    unsigned mask = 0;
    for (size_t i = 0; i < f->n; i++)
        if (!isnan(tally_rail_frame_track(f, i, slice))) mask |= 1u << i;
    return mask;
}

typedef struct place {
    double along_m, across_m;
    tally_point right;
} place;

/* The nearest point of a track; past its ends it runs on straight. */
static place place_of(const tally_track *t, double gsd_m, tally_point p)
{
    place out = { 0 };
    double nearest = INFINITY;
    for (size_t i = 0; i < t->n_stretches; i++) {
        const tally_stretch *s = &t->stretches[i];
        double vx = p.x - s->x, vy = p.y - s->y, dd = s->dx * s->dx + s->dy * s->dy;
        double k = tally_clamp((vx * s->dx + vy * s->dy) / dd, i == 0 ? -INFINITY : -0.5,
                               i + 1 == t->n_stretches ? INFINITY : s->n - 0.5);
        double away = hypot(vx - k * s->dx, vy - k * s->dy), length = sqrt(dd);
        if (away >= nearest) continue;
        nearest = away;
        out.along_m = (s->first + k) * t->step_m;
        out.right = (tally_point) { -s->dy / length, s->dx / length };
        out.across_m = (vx * out.right.x + vy * out.right.y) * gsd_m;
    }
    return out;
}

static const tally_track *longest(const tally_track *tracks, size_t n)
{
    const tally_track *t = &tracks[0];
    for (size_t i = 1; i < n; i++)
        if (tracks[i].n * tracks[i].step_m > t->n * t->step_m) t = &tracks[i];
    return t;
}

/* Where along the reference the slices begin, and how many they are. */
static double lay_slices(tally_rail_frame *f, const tally_track *ref)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < f->n; i++)
        for (int c = 0; c < f->tracks[i].n; c++) {
            double along = place_of(ref, f->gsd_m, tally_track_at(&f->tracks[i], c, 0)).along_m;
            low = fmin(low, along);
            high = fmax(high, along);
        }
    f->slices = (int)floor((high - low) / f->gsd_m + 0.5) + 1;
    return low - f->gsd_m / 2;
}

static int slice_at(const tally_rail_frame *f, double begin, double along_m)
{
    return (int)floor((along_m - begin) / f->gsd_m);
}

static void lay_tracks(tally_rail_frame *f, const tally_track *ref, double begin, int *columns)
{
    for (size_t i = 0; i < f->n; i++) {
        float *across = f->across_m + i * (size_t)f->slices;
        for (int s = 0; s < f->slices; s++)
            columns[s] = 0;
        for (int c = 0; c < f->tracks[i].n; c++) {
            place p = place_of(ref, f->gsd_m, tally_track_at(&f->tracks[i], c, 0));
            int s = (int)tally_clamp(slice_at(f, begin, p.along_m), 0, f->slices - 1);
            f->slice_of[i][c] = s;
            across[s] += (float)p.across_m;
            columns[s]++;
        }
        for (int s = 0; s < f->slices; s++)
            across[s] = columns[s] ? across[s] / (float)columns[s] : NAN;
        for (int s = 1; s + 1 < f->slices; s++) /* between two columns of a bend */
            if (isnan(across[s]) && !isnan(across[s - 1]) && !isnan(across[s + 1]))
                across[s] = (across[s - 1] + across[s + 1]) / 2;
    }
}

/* Which slice a pixel belongs to, and where it lies in it; -1: none. */
static int pixel_at(const tally_rail_frame *f, const tally_track *ref, double begin, int x, int y,
                    tally_rail_pixel *out, tally_point *right)
{
    place p = place_of(ref, f->gsd_m, (tally_point) { f->box.x0 + x + 0.5, f->box.y0 + y + 0.5 });
    int s = slice_at(f, begin, p.along_m);
    if (s < 0 || s >= f->slices) return -1;
    *out = (tally_rail_pixel) { x, y, (float)p.across_m, INFINITY, -1 };
    *right = p.right;
    for (size_t i = 0; i < f->n; i++) {
        float off = (float)p.across_m - tally_rail_frame_track(f, i, s);
        if (!(fabsf(off) < fabsf(out->off_m))) continue;
        out->off_m = off;
        out->nearest = (int)i;
    }
    return fabsf(out->off_m) <= TALLY_RAIL_AROUND_M ? s : -1;
}

/* Twice over the box: first to count, then to fill in. */
static tally_status lay_pixels(tally_rail_frame *f, const tally_track *ref, double begin, int *next,
                               tally_error *err)
{
    tally_rail_pixel p;
    tally_point right;
    for (int fill = 0; fill < 2; fill++) {
        for (int y = 0; y < tally_box_height(f->box); y++)
            for (int x = 0; x < tally_box_width(f->box); x++) {
                int s = pixel_at(f, ref, begin, x, y, &p, &right);
                if (s < 0) continue;
                f->right[s] = right;
                if (fill)
                    f->pixels[next[s]++] = p;
                else
                    f->first[s + 1]++;
            }
        if (fill) break;
        for (int s = 0; s < f->slices; s++) {
            f->first[s + 1] += f->first[s];
            next[s] = f->first[s];
        }
        f->n_pixels = f->first[f->slices];
        f->pixels = tally_alloc((size_t)f->n_pixels, sizeof *f->pixels);
        if (!f->pixels) return tally_nomem(err, "a unit's frame");
    }
    return TALLY_OK;
}

tally_status tally_rail_frame_init(const tally_track *tracks, size_t n, double gsd_m, tally_box box,
                                   tally_rail_frame *out, tally_error *err)
{
    *out = (tally_rail_frame) { .tracks = tracks, .n = n, .gsd_m = gsd_m, .box = box };
    if (n == 0) return TALLY_OK;
    const tally_track *ref = longest(tracks, n);
    double begin = lay_slices(out, ref);
    size_t slices = (size_t)out->slices;
    bool got = true;
    for (size_t i = 0; i < n; i++)
        got = (out->slice_of[i] = tally_alloc((size_t)tracks[i].n, sizeof(int))) && got;
    out->across_m = tally_alloc(n * slices, sizeof *out->across_m);
    out->right = tally_alloc(slices, sizeof *out->right);
    out->first = tally_alloc(slices + 1, sizeof *out->first);
    int *room = tally_alloc(slices, sizeof *room);
    tally_status s = got && out->across_m && out->right && out->first && room
                         ? TALLY_OK
                         : tally_nomem(err, "a unit's frame");
    if (s == TALLY_OK) {
        lay_tracks(out, ref, begin, room);
        s = lay_pixels(out, ref, begin, room, err);
    }
    tally_free(room);
    if (s != TALLY_OK) tally_rail_frame_fini(out);
    return s;
}

void tally_rail_frame_fini(tally_rail_frame *f)
{
    for (size_t i = 0; i < TALLY_TRACKS_A_UNIT; i++)
        tally_free(f->slice_of[i]);
    tally_free(f->across_m);
    tally_free(f->right);
    tally_free(f->first);
    tally_free(f->pixels);
    *f = (tally_rail_frame) { 0 };
}
