/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From a first look to a placement. The first look compares other ground in each window, the more
 * the farther off the scene lies, and that pulls its shift toward none; the scene is read again
 * through what was found, and what is still missing is added, until it is less than a pixel.
 *
 * Every look reads whole pixels: where a window's place falls between them the nearest are taken
 * and the rest is made good in the phase of its spectrum, since interpolation moves what it smooths
 * (by .02 to .03 px, cubic, which was all of the error on known shifts of real images).
 *
 * Directions of edges find the place under any light. Under the same light the whole gradient is
 * more exact (edges.c), so it is asked last, where the scene already lies; whose windows agree
 * better with what the others foretell is believed.
 */
#include <math.h>

#include "align/ties.h"

/* A look whose correction stays under this is the last: windows then show the same ground. */
static const double SETTLED_PX = 0.75;
/* Under one light the gradient's windows, as many as the directions', agree to a few hundredths of
 * a pixel (known shifts of real images: .003 to .05, by noise) and better than those. Under another
 * they do not (validation sets: .08 up, but for a few that are right), even where they seem to
 * agree better (oil_3m: .11 against .25, and wrong by .16). */
static const double SAME_LIGHT_PX = 0.05, BETTER = 0.8, AS_MANY = 0.9;

tally_status tally_tie_view_init(tally_tie_view *view, size_t n, tally_error *err)
{
    *view = (tally_tie_view) { .windows = tally_alloc(n, sizeof *view->windows),
                               .off = tally_alloc(n, sizeof *view->off) };
    if (view->windows && view->off) return TALLY_OK;
    tally_tie_view_fini(view, 0);
    return tally_nomem(err, "tie windows");
}

void tally_tie_view_fini(tally_tie_view *view, size_t n)
{
    for (size_t i = 0; view->windows && i < n; i++)
        tally_patch_fini(&view->windows[i]);
    tally_free(view->windows);
    tally_free(view->off);
    *view = (tally_tie_view) { 0 };
}

/* How far the map moves the windows at most. */
static double farthest(const tally_ties *ties, const tally_affine *map)
{
    double most = 0;
    for (size_t i = 0; i < ties->n; i++) {
        const tally_box b = ties->boxes[i];
        const tally_point at = { (b.x0 + b.x1) / 2.0, (b.y0 + b.y1) / 2.0 };
        const tally_point to = tally_affine_apply(map, at);
        most = fmax(most, hypot(to.x - at.x, to.y - at.y));
    }
    return most;
}

static tally_status read(const tally_tie_source *source, const tally_ties *ties,
                         const tally_affine *map, int margin, tally_tie_view *view,
                         tally_error *err)
{
    for (size_t i = 0; i < ties->n; i++) {
        tally_patch_fini(&view->windows[i]);
        view->off[i] = (tally_point) { 0, 0 };
    }
    return source->read(source->user, map, margin, view, err);
}

static tally_status search_widely(const tally_context *ctx, const tally_ties *ties,
                                  const tally_tie_source *source, tally_tie_view *view,
                                  tally_placement *out, tally_error *err)
{
    tally_placement wide;
    tally_status s =
        read(source, ties, &out->residual, (TALLY_TIE_WIDE - TALLY_TIE_SIZE) / 2, view, err);
    if (s == TALLY_OK) s = tally_ties_search(ctx, ties, view, &wide, err);
    if (s == TALLY_OK && wide.accepted && isfinite(wide.dx_px)) *out = wide;
    return s;
}

/* What is missing beyond `out`, by what kind of image says it best. */
static tally_status last_look(const tally_context *ctx, const tally_ties *ties,
                              const tally_tie_view *view, tally_placement *rest, tally_error *err)
{
    tally_placement whole;
    tally_status s = tally_ties_register(ctx, ties, view, TALLY_EDGE_GRADIENTS, &whole, err);
    if (s == TALLY_OK && whole.accepted && isfinite(whole.dx_px) &&
        whole.windows >= AS_MANY * rest->windows && whole.rmse_px < SAME_LIGHT_PX &&
        whole.rmse_px < BETTER * rest->rmse_px)
        *rest = whole;
    return s;
}

tally_status tally_ties_place(const tally_context *ctx, const tally_ties *ties,
                              const tally_tie_source *source, tally_point middle,
                              tally_tie_view *view, tally_placement *out, tally_error *err)
{
    enum { MOST_LOOKS = 5 };
    tally_placement rest;
    tally_status s = tally_ties_register(ctx, ties, view, TALLY_EDGE_DIRECTIONS, out, err);
    if (s == TALLY_OK && !out->accepted) s = search_widely(ctx, ties, source, view, out, err);
    if (s != TALLY_OK || !out->accepted || !isfinite(out->dx_px)) return s;
    rest = *out;
    *out = (tally_placement) {
        .residual = { { 0, 1, 0, 0, 0, 1 } }, .vanishing = NAN, .accepted = true, .reason = ""
    };
    for (int i = 1; farthest(ties, &rest.residual) > SETTLED_PX && i < MOST_LOOKS; i++) {
        tally_placement next;
        tally_placement_refine(out, &rest, middle);
        s = read(source, ties, &out->residual, 0, view, err);
        if (s == TALLY_OK)
            s = tally_ties_register(ctx, ties, view, TALLY_EDGE_DIRECTIONS, &next, err);
        if (s != TALLY_OK) return s;
        if (!next.accepted || !isfinite(next.dx_px)) return TALLY_OK;
        rest = next;
    }
    s = last_look(ctx, ties, view, &rest, err);
    if (s == TALLY_OK) tally_placement_refine(out, &rest, middle);
    return s;
}
