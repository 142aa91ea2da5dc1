/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From the looks of one image (rail_single.c) to cars, rows and outlines. */
#include <math.h>
#include <stdio.h>

#include "count/rail_coarse.h"
#include "count/rail_cuts.h"
#include "count/rail_fine.h"
#include "count/rail_single.h"

/* Ends found by looks are too blurred to tell one fleet's lengths from another's: the catalogue's
 * first is taken unless much speaks against it. */
static const double OTHER_FLEET = -30;

/* One image's tracks. */
typedef struct view {
    tally_patch strips[TALLY_TRACKS_A_UNIT];
    tally_rail_state states[TALLY_TRACKS_A_UNIT];
    tally_rail_row rows[TALLY_TRACKS_A_UNIT];
} view;

static void view_fini(view *v)
{
    for (size_t i = 0; i < TALLY_TRACKS_A_UNIT; i++) {
        tally_patch_fini(&v->strips[i]);
        tally_rail_state_fini(&v->states[i]);
        tally_rail_row_fini(&v->rows[i]);
    }
}

static tally_status look(const tally_context *ctx, const tally_stack *stack, const tally_unit *unit,
                         const tally_track *tracks, size_t n, size_t scene, view *v,
                         tally_error *err)
{
    const tally_rail_sun suns[TALLY_TRACKS_A_UNIT] = { 0 };
    tally_patch patch;
    tally_status s = tally_stack_read(ctx, stack, scene, unit->box, &patch, err);
    for (size_t i = 0; i < n && s == TALLY_OK; i++) {
        s = tally_rail_looks_sample(ctx, &tracks[i], &patch, unit->box, &v->strips[i], err);
        if (s == TALLY_OK) s = tally_rail_state_init(&v->states[i], &tracks[i], err);
    }
    tally_patch_fini(&patch);
    if (s == TALLY_OK)
        s = tally_rail_single_judge(tracks, v->strips, n, stack->roles, v->states, err);
    for (size_t i = 0; i < n && s == TALLY_OK; i++)
        s = tally_rail_join(&tracks[i], &v->states[i], err);
    const tally_rail_scene judged = { .tracks = tracks,
                                      .n = n,
                                      .gsd_m = stack->grid.gsd_m,
                                      .raw = v->strips,
                                      .lit = v->strips,
                                      .states = v->states };
    if (s == TALLY_OK)
        s = tally_rail_take_apart(ctx->wagons, &judged, suns, stack->scenes[scene].snow,
                                  OTHER_FLEET, v->rows, err);
    return s;
}

static tally_zone_count row_of(const tally_track *t, const tally_rail_state *s, size_t cars,
                               const char *why)
{
    double seen = 0, occupied = 0;
    for (int c = 0; c < t->n; c++) {
        seen += s->seen[c];
        occupied += s->seen[c] && s->occupied[c];
    }
    seen /= t->n;
    tally_zone_count z = tally_zone_blank(t->zone, tally_quality_of(seen), why);
    z.seen = seen;
    if (z.quality == TALLY_QUALITY_UNSEEN) {
        snprintf(z.reason, sizeof z.reason, "cloud, nodata, or outside of the scene");
        return z;
    }
    z.extent = occupied * t->step_m;
    z.occupancy = occupied / (seen * t->n);
    z.count = (int64_t)cars;
    z.estimate = (double)cars / seen;
    const double half = tally_rail_single_doubt(t, s, (double)cars, TALLY_RAIL_PITCH_M);
    z.low = fmax(0, (double)cars - half);
    z.high = z.estimate + half + 0.5 * (1 - seen) * t->n * t->step_m / TALLY_RAIL_PITCH_M;
    return z;
}

tally_status tally_rail_single_count(const tally_context *ctx, const tally_stack *stack,
                                     const tally_unit *unit, const tally_track *tracks, size_t n,
                                     size_t scene, const char *why, tally_findings *out,
                                     tally_error *err)
{
    view v = { 0 };
    tally_status s = look(ctx, stack, unit, tracks, n, scene, &v, err);
    for (size_t i = 0; i < n && s == TALLY_OK; i++) {
        const tally_zone_count z = row_of(&tracks[i], &v.states[i], v.rows[i].n, why);
        tally_rail_cut *cuts = tally_alloc((size_t)tracks[i].n, sizeof *cuts);
        if (!cuts) {
            s = tally_nomem(err, "the cuts");
            break;
        }
        s = tally_findings_add_zone(out, &z, err);
        const size_t n_cuts =
            z.count == TALLY_NO_COUNT ? 0 : tally_rail_cuts_of_row(&tracks[i], &v.rows[i], cuts);
        for (size_t k = 0; k < n_cuts && s == TALLY_OK; k++)
            s = tally_rail_add_cut(stack, &tracks[i], &v.states[i], &cuts[k], ctx->wagons,
                                   &v.rows[i], out, err);
        tally_free(cuts);
    }
    view_fini(&v);
    return s;
}
