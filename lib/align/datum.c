/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where one orthophoto lies is luck, where many lie is the ground: the datum is the median of the
 * scenes' positions. A site file drawn on another image source may be off from that by many metres,
 * all zones together; then the zones are looked for on the stack (zone_match.h) and the datum is
 * moved to where they are found. Small shifts are left alone: a drawing by hand and the median of a
 * few positions explain them, and the fit is no better than that.
 *
 * Known failure: a shift that only some of the zones have (two image sources in one site file) is
 * refused or, where the larger part agrees, taken for all.
 *
 * Constants: 2 m is about what centre lines drawn within 1 m and polygons drawn generously leave to
 * a set of zones; a third of a pixel is what the fit itself is off at 3 m.
 */
#include "align/datum.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "align/zone_match.h"

static const double LEAST_M = 2, LEAST_PX = 1.0 / 3;

static double median_position(const tally_stack *stack, bool along_x)
{
    float *v = tally_alloc(stack->n, sizeof *v);
    size_t n = 0;
    for (size_t i = 0; v && i < stack->n; i++)
        if (stack->scenes[i].placement.accepted && isfinite(stack->scenes[i].placement.dx_px))
            v[n++] = (float)(along_x ? stack->scenes[i].placement.dx_px
                                     : stack->scenes[i].placement.dy_px);
    double m = n ? tally_median(v, n) : 0;
    tally_free(v);
    return m;
}

static bool is_fit(const tally_stack_scene *scene, bool snow)
{
    return scene->placement.accepted && isfinite(scene->placement.dx_px) && !scene->hidden &&
           scene->snow == snow;
}

/* Scenes that are placed and bare, else those with snow; evenly over time. */
static size_t choose_scenes(const tally_stack *stack, size_t chosen[TALLY_ZONE_SCENES])
{
    for (int snow = 0; snow < 2; snow++) {
        size_t fit = 0, k = 0, n = 0;
        for (size_t i = 0; i < stack->n; i++)
            fit += is_fit(&stack->scenes[i], snow);
        const size_t take = fit < TALLY_ZONE_SCENES ? fit : TALLY_ZONE_SCENES;
        for (size_t i = 0; i < stack->n && n < take; i++)
            if (is_fit(&stack->scenes[i], snow)) {
                if (k * take / fit != (k + 1) * take / fit) chosen[n++] = i;
                k++;
            }
        if (n > 0) return n;
    }
    return 0;
}

static tally_status match_zones(const tally_context *ctx, const tally_stack *stack,
                                tally_zone_match *match, tally_error *err)
{
    size_t chosen[TALLY_ZONE_SCENES];
    tally_zone_map map;
    const size_t n = choose_scenes(stack, chosen);
    *match = (tally_zone_match) { .why = "no scene shows them" };
    if (n == 0) return TALLY_OK;
    tally_status s = tally_zone_map_draw(stack, &map, err);
    if (s != TALLY_OK) return s;
    if (map.n == 0) {
        match->why = "pixels too coarse, or nothing drawn";
        return TALLY_OK;
    }
    s = tally_zone_map_look(ctx, stack, chosen, n, &map, err);
    if (s == TALLY_OK) s = tally_zone_match_find(ctx, &map, match, err);
    tally_zone_map_fini(&map);
    return s;
}

/* Move the datum to where the zones are, if they are clearly elsewhere. What cannot be read here is
 * found again, and said, where it is counted. */
static tally_status fit_zones(const tally_context *ctx, tally_stack *stack, tally_error *err)
{
    tally_zone_match match;
    tally_error why = { 0 };
    tally_status s = match_zones(ctx, stack, &match, &why);
    if (s == TALLY_E_NOMEM || s == TALLY_E_CANCELLED) return tally_fail(err, s, "%s", why.message);
    if (s != TALLY_OK) match = (tally_zone_match) { .why = "a scene cannot be read there" };
    const double gsd_m = stack->grid.gsd_m, shift_m = hypot(match.dx_m, match.dy_m);
    if (match.verdict == TALLY_ZONES_UNKNOWN) {
        tally_note(
            ctx,
            "%s: whether the zones lie on what they are drawn on is unknown: %s; the scenes' "
            "median position is kept",
            stack->family, match.why);
        return TALLY_OK;
    }
    const char *where = match.verdict == TALLY_ZONES_ACROSS ? " across the tracks or quays" : "";
    if (shift_m < LEAST_M + LEAST_PX * gsd_m) {
        tally_note(ctx,
                   "%s: the zones are found again %.1f m%s from the scenes' median position, "
                   "which is kept",
                   stack->family, shift_m, where);
        return TALLY_OK;
    }
    stack->zones_x_px = tally_round_to(match.dx_m / gsd_m, 1024);
    stack->zones_y_px = tally_round_to(match.dy_m / gsd_m, 1024);
    stack->datum_x_px += stack->zones_x_px;
    stack->datum_y_px += stack->zones_y_px;
    tally_warn(ctx,
               "%s: the site file's zones lie %.1f m off the scenes%s: what they are drawn on is "
               "found %+.1f m east and %+.1f m north of them, and counted there (--datum mean "
               "counts where they are drawn)",
               stack->family, shift_m, where, match.dx_m, -match.dy_m);
    return TALLY_OK;
}

static tally_status take_median(const tally_context *ctx, tally_stack *stack, const char *wanted,
                                tally_error *err)
{
    stack->datum_x_px = -tally_round_to(median_position(stack, true), 1024);
    stack->datum_y_px = -tally_round_to(median_position(stack, false), 1024);
    /* what shines in radar is not what zones are drawn along */
    return wanted || tally_stack_is_radar(stack) ? TALLY_OK : fit_zones(ctx, stack, err);
}

tally_status tally_datum_set(const tally_context *ctx, tally_stack *stack, const char *wanted,
                             tally_error *err)
{
    double dx, dy;
    int used = 0;
    if (!wanted || strcmp(wanted, "mean") == 0) return take_median(ctx, stack, wanted, err);
    if (strncmp(wanted, "scene:", 6) == 0) {
        for (size_t i = 0; i < stack->n; i++)
            if (isfinite(stack->scenes[i].placement.dx_px) &&
                strcmp(stack->scenes[i].scene->id, wanted + 6) == 0 &&
                stack->scenes[i].placement.accepted) {
                stack->datum_x_px = -stack->scenes[i].placement.dx_px;
                stack->datum_y_px = -stack->scenes[i].placement.dy_px;
                return TALLY_OK;
            }
        return tally_fail(err, TALLY_E_ARG, "--datum %s: no such scene in %s, or it was left out",
                          wanted, stack->family);
    }
    if (sscanf(wanted, "%lf,%lf%n", &dx, &dy, &used) == 2 && wanted[used] == '\0' &&
        fabs(dx) < 1000 && fabs(dy) < 1000) {
        stack->datum_x_px = dx;
        stack->datum_y_px = dy;
        return TALLY_OK;
    }
    return tally_fail(err, TALLY_E_ARG, "--datum %s: wants mean, scene:ID, or DX,DY in pixels",
                      wanted);
}
