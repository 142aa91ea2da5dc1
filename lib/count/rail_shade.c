/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Shadows of wagons: where they fall, and what light is left in them.
 *
 * The wagons found so far are drawn into a map of a quarter of a metre a cell. A place is in shadow
 * when the walk from it toward the sun, as long as a shadow is, meets one.
 */
#include <math.h>

#include "count/rail.h"

static const double CELL_M = 0.25, STEP_M = 1;
static const double DARKEST = 0.1, LIGHTEST = 0.7; /* shade, of full light */
enum { MOST_CELLS = 20000, LEAST_SHADE = 60 };

tally_status tally_rail_wagons_init(const tally_track *tracks, size_t n_tracks, double gsd_m,
                                    tally_rail_wagons *out, tally_error *err)
{
    tally_point low = { INFINITY, INFINITY }, high = { -INFINITY, -INFINITY };
    for (size_t i = 0; i < n_tracks; i++)
        for (size_t k = 0; k < tracks[i].n_stretches; k++)
            for (int end = 0; end < 2; end++) {
                const tally_stretch *s = &tracks[i].stretches[k];
                tally_point p = tally_track_at(&tracks[i], s->first + end * (s->n - 1), 0);
                low = (tally_point) { fmin(low.x, p.x), fmin(low.y, p.y) };
                high = (tally_point) { fmax(high.x, p.x), fmax(high.y, p.y) };
            }
    double margin = 2 * TALLY_RAIL_HALF_WAGON_M / gsd_m + 1;
    double longest = fmax(high.x - low.x, high.y - low.y) + 2 * margin;
    *out = (tally_rail_wagons) { .gsd_m = gsd_m };
    if (!isfinite(longest)) return TALLY_OK; /* no tracks, no wagons */
    out->x0 = low.x - margin;
    out->y0 = low.y - margin;
    out->per_px = fmin(gsd_m / CELL_M, MOST_CELLS / longest);
    return tally_bits_init(&out->cells, (int)((high.x + margin - out->x0) * out->per_px) + 1,
                           (int)((high.y + margin - out->y0) * out->per_px) + 1, err);
}

void tally_rail_wagons_fini(tally_rail_wagons *w)
{
    tally_bits_fini(&w->cells);
    *w = (tally_rail_wagons) { 0 };
}

static bool cell_of(const tally_rail_wagons *w, tally_point p, int *x, int *y)
{
    double cx = (p.x - w->x0) * w->per_px, cy = (p.y - w->y0) * w->per_px;
    if (!(cx >= 0 && cy >= 0 && cx < w->cells.width && cy < w->cells.height)) return false;
    *x = (int)cx;
    *y = (int)cy;
    return true;
}

void tally_rail_wagons_add(tally_rail_wagons *w, const tally_track *t, const tally_rail_state *s)
{
    double cell_m = w->per_px > 0 ? w->gsd_m / w->per_px : CELL_M;
    int across = (int)ceil(2 * TALLY_RAIL_HALF_WAGON_M / cell_m),
        along = (int)ceil(t->step_m / cell_m);
    for (int c = 0; c < t->n; c++)
        for (int i = 0; s->occupied[c] && i <= across; i++)
            for (int k = 0; k < along; k++) {
                int x, y;
                double right_m =
                    -TALLY_RAIL_HALF_WAGON_M + 2 * TALLY_RAIL_HALF_WAGON_M * i / across;
                if (cell_of(w, tally_track_at(t, c - 0.5 + (k + 0.5) / along, right_m), &x, &y))
                    tally_bits_set(&w->cells, x, y);
            }
}

void tally_rail_wagons_shadow(const tally_rail_wagons *w, const tally_track *t, tally_point shadow,
                              tally_bits *out)
{
    double length_m = hypot(shadow.x, shadow.y) * w->gsd_m;
    /* a coarse pixel reaches past the shadow's end */
    double reach_m = length_m + fmax(0, w->gsd_m - 1);
    int steps = length_m > 0 ? (int)ceil(reach_m / STEP_M) : 0;
    for (int lane = 0; lane < t->lanes; lane++)
        for (int c = 0; c < t->n; c++) {
            tally_point p = tally_track_at(t, c, tally_track_lane_m(t, lane));
            bool dark = false;
            for (int k = 1; k <= steps && !dark; k++) {
                double share = reach_m * k / steps / length_m;
                int x, y;
                dark = cell_of(w, (tally_point) { p.x - shadow.x * share, p.y - shadow.y * share },
                               &x, &y) &&
                       tally_bits_get(&w->cells, x, y);
            }
            if (dark)
                tally_bits_set(out, c, lane);
            else
                tally_bits_clear(out, c, lane);
        }
}

tally_rail_shade tally_rail_usual_shade(const tally_band_role *roles, int bands)
{
    /* skylight under a clear sky is blue: shares of full light measured on drawn and real shadows
     * lie about here; each scene is measured again */
    tally_rail_shade s;
    for (int b = 0; b < TALLY_RAIL_BANDS; b++)
        s.full[b] = 0.35;
    for (int b = 0; b < bands; b++)
        s.full[b] = roles[b] == TALLY_BLUE    ? 0.45
                    : roles[b] == TALLY_GREEN ? 0.38
                    : roles[b] == TALLY_RED   ? 0.32
                    : roles[b] == TALLY_NIR   ? 0.25
                                              : 0.35;
    return s;
}

/* Less than the middle, for some of the ground believed shaded is none, or its rim. */
tally_status tally_rail_measure_shade(const tally_rail_scene *s, tally_rail_shade *shade,
                                      tally_error *err)
{
    size_t most = 1, n = 0;
    for (size_t i = 0; i < s->n; i++)
        most += (size_t)s->tracks[i].n * (size_t)s->tracks[i].lanes;
    float *left = tally_alloc(most, sizeof *left);
    if (!left) return tally_nomem(err, "a scene's shade");
    for (int b = 0; s->n > 0 && b < s->lit[0].bands; b++, n = 0) {
        for (size_t i = 0; i < s->n; i++)
            for (int lane = 0; lane < s->tracks[i].lanes; lane++) {
                const float *x = tally_patch_row(&s->lit[i], b, lane),
                            *level = tally_patch_row(&s->empty[i].level, b, lane);
                for (int c = 0; c < s->tracks[i].n; c++)
                    if ((tally_bits_get(&s->states[i].shadow, c, lane) ||
                         tally_bits_get(&s->states[i].other, c, lane)) &&
                        tally_bits_get(&s->open[i], c, lane) &&
                        tally_bits_get(&s->lit[i].valid, c, lane) && level[c] > 0)
                        left[n++] = x[c] / level[c];
            }
        if (n >= LEAST_SHADE)
            shade->full[b] = tally_clamp(tally_quantile(left, n, 0.35), DARKEST, LIGHTEST);
    }
    tally_free(left);
    return TALLY_OK;
}
