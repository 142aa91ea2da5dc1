/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A unit at pixels over 1.5 m, from the scenes to its rows: the frame and the looks are made here,
 * the ground is learned (rail_ground.c) and kept, scenes are fitted (rail_joint.c), and what stands
 * becomes counts: occupied length over the mean pitch.
 *
 * Interval: the spread of 64 draws from what the scene leaves possible; the pitch of a cut of one
 * kind of wagon against the fleet's mean; the ends of cuts, which fall within a pixel; and what may
 * stand where nothing was seen.
 */
#include "count/rail_together.h"

#include <math.h>
#include <stdio.h>

#include "count/rail_cuts.h"
#include "count/rail_joint.h"

enum { K = TALLY_TRACKS_A_UNIT };
static const double WAGON_HEIGHT_M = 3.6; /* between gondolas (3.2) and box wagons (4.2) */
static const double LOWEST_SUN_DEG = 8;
static const double PITCH_ERROR = 0.12, CUT_ENDS = 0.5, LEAST_VARIANCE = 0.5; /* cars, squared */
/* What the model leaves out (buildings' shadows, veils, light of its own) is in no draw: on 106
 * bare drawn scenes the truth lay inside in 89 % without this, 94 to 99 % with 1.25 to 1.5, where
 * the interval score is least. */
static const double WIDER = 1.4;
static const double LIKELY = 0.5;

static double radians(double degrees)
{
    return degrees * 3.14159265358979323846 / 180;
}

/* From a wagon's foot to where its roof's shadow, and its roof, lie in the image. */
static void aim(const tally_stack *stack, const tally_scene *scene, tally_rail_look *out)
{
    const double high_px = WAGON_HEIGHT_M / stack->grid.gsd_m;
    out->shade = tally_rail_usual_shade(stack->roles, stack->n_bands);
    out->sun = isfinite(scene->sun_azimuth) && scene->sun_elevation >= LOWEST_SUN_DEG;
    if (out->sun) {
        double reach = high_px / tan(radians(scene->sun_elevation)),
               azimuth = radians(scene->sun_azimuth);
        out->shadow = (tally_point) { -sin(azimuth) * reach, cos(azimuth) * reach };
    }
    if (isfinite(scene->view_azimuth) && isfinite(scene->off_nadir)) {
        double reach = high_px * tan(radians(scene->off_nadir)),
               azimuth = radians(scene->view_azimuth);
        out->lean = (tally_point) { -sin(azimuth) * reach, cos(azimuth) * reach };
    }
}

static tally_status frame_of(const tally_stack *stack, const tally_unit *unit,
                             const tally_track *tracks, size_t n, tally_rail_frame *out,
                             tally_error *err)
{
    const double gsd_m = stack->grid.gsd_m;
    return tally_rail_frame_init(
        tracks, n, gsd_m, tally_box_grow(unit->box, tally_rail_frame_margin_px(gsd_m)), out, err);
}

static tally_status read_look(const tally_context *ctx, const tally_stack *stack, size_t scene,
                              const tally_rail_frame *frame, tally_patch *patch,
                              tally_rail_look *look, tally_error *err)
{
    tally_status s = tally_stack_read(ctx, stack, scene, frame->box, patch, err);
    if (s != TALLY_OK) return s;
    aim(stack, stack->scenes[scene].scene, look);
    return tally_rail_look_init(frame, patch, look, err);
}

/* What is believed of a track, column by column. */
static void state_of(const tally_rail_frame *f, const tally_rail_look *look,
                     const tally_rail_belief *belief, size_t track, tally_rail_state *out)
{
    const tally_track *t = &f->tracks[track];
    for (int c = 0; c < t->n; c++) {
        int s = f->slice_of[track][c];
        double p =
            tally_clamp(belief->occupied[track * (size_t)f->slices + (size_t)s], 1e-4, 1 - 1e-4);
        out->seen[c] = tally_rail_joint_sees(f, look, track, s);
        out->occupied[c] = out->seen[c] && p > LIKELY;
        out->logit[c] = (float)(out->seen[c] ? log(p / (1 - p)) / 4 : 0);
    }
}

/* ---- learn ---- */

static tally_status keep(const tally_stack *stack, const tally_unit *unit,
                         const tally_rail_frame *f, const tally_rail_ground *g, tally_model *model,
                         tally_error *err)
{
    char name[40];
    tally_patch level = { 0 }, doubt = { 0 }, usual = { 0 };
    int width = tally_box_width(f->box), height = tally_box_height(f->box);
    tally_status s = tally_patch_init(&level, width, height, g->bands, err);
    if (s == TALLY_OK) s = tally_patch_init(&doubt, width, height, 1, err);
    for (int o = 0; s == TALLY_OK && o < f->n_pixels; o++) {
        const tally_rail_pixel *p = &f->pixels[o];
        for (int b = 0; b < g->bands; b++)
            tally_patch_row(&level, b, p->y)[p->x] = g->level[b * g->n + o];
        tally_patch_row(&doubt, 0, p->y)[p->x] = g->doubt[o];
        tally_bits_set(&level.valid, p->x, p->y);
        tally_bits_set(&doubt.valid, p->x, p->y);
    }
    if (s == TALLY_OK)
        s = tally_model_put(model, stack, unit->name, "ground", &level, &f->box, err);
    if (s == TALLY_OK) s = tally_model_put(model, stack, unit->name, "doubt", &doubt, &f->box, err);
    for (size_t i = 0; i < f->n && s == TALLY_OK; i++) {
        s = tally_patch_init(&usual, f->tracks[i].n, 1, 1, err);
        for (int c = 0; s == TALLY_OK && c < f->tracks[i].n; c++) {
            tally_patch_row(&usual, 0, 0)[c] = g->usual[i][c];
            tally_bits_set(&usual.valid, c, 0);
        }
        snprintf(name, sizeof name, "z%zu_usual", f->tracks[i].zone);
        if (s == TALLY_OK) s = tally_model_put(model, stack, unit->name, name, &usual, NULL, err);
        tally_patch_fini(&usual);
    }
    tally_patch_fini(&level);
    tally_patch_fini(&doubt);
    return s;
}

static tally_status find_usual(const tally_rail_frame *f, const tally_rail_look *looks,
                               const tally_rail_belief *beliefs, size_t k, tally_rail_ground *g,
                               tally_error *err)
{
    tally_status s = TALLY_OK;
    tally_rail_state *states = tally_alloc(k * K, sizeof *states);
    if (!states) return tally_nomem(err, "a unit's tracks");
    for (size_t d = 0; d < k; d++)
        for (size_t i = 0; i < f->n && s == TALLY_OK; i++) {
            s = tally_rail_state_init(&states[d * K + i], &f->tracks[i], err);
            if (s == TALLY_OK) state_of(f, &looks[d], &beliefs[d], i, &states[d * K + i]);
        }
    for (size_t i = 0; i < f->n && s == TALLY_OK; i++)
        tally_rail_usual(f->tracks, f->n, i, states, k, K, g->usual[i]);
    for (size_t d = 0; d < k * K; d++)
        tally_rail_state_fini(&states[d]);
    tally_free(states);
    return s;
}

/* Snow is another ground: without its dates, where two and more are left. Returns how many. */
static size_t bare_scenes(const tally_stack *stack, const size_t *chosen, size_t n, size_t *out)
{
    size_t bare = 0;
    for (size_t k = 0; k < n; k++)
        bare += !stack->scenes[chosen[k]].snow;
    size_t m = 0;
    for (size_t k = 0; k < n; k++)
        if (bare < 2 || !stack->scenes[chosen[k]].snow) out[m++] = chosen[k];
    return m;
}

tally_status tally_rail_learn_together(const tally_context *ctx, const tally_stack *stack,
                                       const tally_unit *unit, const tally_track *tracks, size_t n,
                                       const size_t *chosen, size_t n_chosen, tally_model *model,
                                       tally_error *err)
{
    tally_rail_frame frame = { 0 };
    tally_rail_ground ground = { 0 };
    tally_patch *patches = tally_alloc(n_chosen, sizeof *patches);
    tally_rail_look *looks = tally_alloc(n_chosen, sizeof *looks);
    tally_rail_belief *beliefs = tally_alloc(n_chosen, sizeof *beliefs);
    size_t *bare = tally_alloc(n_chosen, sizeof *bare), k = 0;
    tally_status s =
        patches && looks && beliefs && bare ? TALLY_OK : tally_nomem(err, "a unit's ground");
    if (s != TALLY_OK || n == 0) goto out;
    k = bare_scenes(stack, chosen, n_chosen, bare);
    if ((s = frame_of(stack, unit, tracks, n, &frame, err)) != TALLY_OK) goto out;
    for (size_t d = 0; d < k && s == TALLY_OK; d++) {
        s = read_look(ctx, stack, bare[d], &frame, &patches[d], &looks[d], err);
        if (s == TALLY_OK) s = tally_rail_belief_init(&frame, false, &beliefs[d], err);
    }
    if (s == TALLY_OK) s = tally_rail_ground_init(&frame, stack->n_bands, &ground, err);
    if (s == TALLY_OK) s = tally_rail_joint_learn(&frame, looks, beliefs, k, &ground, err);
    if (s == TALLY_OK) s = find_usual(&frame, looks, beliefs, k, &ground, err);
    if (s == TALLY_OK) s = keep(stack, unit, &frame, &ground, model, err);
out:
    for (size_t d = 0; d < k; d++) {
        tally_rail_belief_fini(&beliefs[d]);
        tally_rail_look_fini(&looks[d]);
        tally_patch_fini(&patches[d]);
    }
    tally_rail_ground_fini(&ground);
    tally_rail_frame_fini(&frame);
    tally_free(bare);
    tally_free(beliefs);
    tally_free(looks);
    tally_free(patches);
    return s;
}

/* ---- count ---- */

static tally_status recall(const tally_unit *unit, const tally_rail_frame *f,
                           const tally_model *model, int bands, tally_rail_ground *g,
                           tally_error *err)
{
    char name[40];
    tally_patch level = { 0 }, doubt = { 0 }, usual = { 0 };
    int width = tally_box_width(f->box), height = tally_box_height(f->box);
    tally_status s = tally_model_get(model, unit->name, "ground", &level, err);
    if (s == TALLY_OK) s = tally_model_get(model, unit->name, "doubt", &doubt, err);
    if (s == TALLY_OK && (level.width != width || level.height != height || level.bands != bands ||
                          doubt.width != width || doubt.height != height))
        s = tally_fail(err, TALLY_E_FORMAT,
                       "%s_ground: another size than the tracks; use --fresh to start over",
                       unit->name);
    if (s == TALLY_OK) s = tally_rail_ground_init(f, bands, g, err);
    for (int o = 0; s == TALLY_OK && o < f->n_pixels; o++) {
        const tally_rail_pixel *p = &f->pixels[o];
        for (int b = 0; b < bands; b++)
            g->level[b * g->n + o] = fmaxf(tally_patch_row(&level, b, p->y)[p->x], 1e-6f);
        g->doubt[o] = fmaxf(tally_patch_row(&doubt, 0, p->y)[p->x], 1);
    }
    for (size_t i = 0; i < f->n && s == TALLY_OK; i++) {
        snprintf(name, sizeof name, "z%zu_usual", f->tracks[i].zone);
        s = tally_model_get(model, unit->name, name, &usual, err);
        if (s == TALLY_OK && usual.width != f->tracks[i].n)
            s = tally_fail(err, TALLY_E_FORMAT,
                           "%s_%s: another size than the track; use --fresh to start over",
                           unit->name, name);
        for (int c = 0; s == TALLY_OK && c < f->tracks[i].n; c++)
            g->usual[i][c] = (float)tally_clamp(tally_patch_row(&usual, 0, 0)[c], 0, 1);
        tally_patch_fini(&usual);
    }
    tally_patch_fini(&level);
    tally_patch_fini(&doubt);
    return s;
}

/* Cars on the seen columns of a track, draw by draw, in ascending order. */
static void draw_cars(const tally_rail_frame *f, const tally_rail_belief *belief,
                      const tally_rail_state *state, size_t track, float out[TALLY_RAIL_DRAWS])
{
    const tally_track *t = &f->tracks[track];
    const int *slice = f->slice_of[track];
    for (int d = 0; d < TALLY_RAIL_DRAWS; d++) {
        const uint8_t *patterns = belief->draws + (size_t)d * (size_t)f->slices;
        int columns = 0;
        for (int c = 0; c < t->n; c++)
            columns += state->seen[c] && patterns[slice[c]] >> track & 1;
        out[d] = (float)(columns * t->step_m / TALLY_RAIL_PITCH_M);
    }
    tally_sort(out, TALLY_RAIL_DRAWS);
}

static tally_zone_count count_track(const tally_rail_frame *f, const tally_rail_ground *g,
                                    const tally_rail_belief *belief, const tally_rail_state *state,
                                    size_t track, int64_t cars, size_t n_cuts)
{
    const tally_track *t = &f->tracks[track];
    double seen = 0, occupied = 0, cars_a_column = t->step_m / TALLY_RAIL_PITCH_M;
    for (int c = 0; c < t->n; c++) {
        seen += (double)state->seen[c] / t->n;
        occupied += state->occupied[c];
    }
    tally_zone_count z = tally_zone_blank(t->zone, tally_quality_of(seen), "");
    z.seen = seen;
    if (z.quality == TALLY_QUALITY_UNSEEN) {
        snprintf(z.reason, sizeof z.reason, "cloud, nodata, or outside of the scene");
        return z;
    }
    z.extent = occupied * t->step_m;
    z.occupancy = occupied / (seen * t->n);
    z.count = cars;
    z.estimate = (double)cars / seen;
    float draws[TALLY_RAIL_DRAWS];
    draw_cars(f, belief, state, track, draws);
    double own = WIDER * 1.96 *
                 sqrt(LEAST_VARIANCE + CUT_ENDS * (double)n_cuts +
                      pow(PITCH_ERROR * (double)cars, 2)),
           below = WIDER * fmax(0, (double)cars - draws[1]),
           above = WIDER * fmax(0, draws[TALLY_RAIL_DRAWS - 2] - (double)cars);
    z.low = fmax(0, (double)cars - hypot(own, below));
    z.high = fmax(z.estimate, (double)cars + hypot(own, above)) +
             tally_rail_cars_hidden(t, g->usual[track], state, cars_a_column);
    return z;
}

static tally_status add_track(const tally_context *ctx, const tally_stack *stack,
                              const tally_rail_frame *f, const tally_rail_ground *g,
                              const tally_rail_belief *belief, const tally_rail_state *state,
                              size_t track, bool snow, tally_findings *out, tally_error *err)
{
    static const tally_rail_row no_cars;
    const tally_track *t = &f->tracks[track];
    size_t n_cuts = 0;
    tally_rail_cut *cuts = tally_alloc((size_t)t->n, sizeof *cuts);
    if (!cuts) return tally_nomem(err, "the cuts");
    int64_t cars = tally_rail_cuts_of(t, state, cuts, &n_cuts);
    tally_zone_count z = count_track(f, g, belief, state, track, cars, n_cuts);
    if (snow && z.count != TALLY_NO_COUNT)
        tally_rail_coarse_snow(t, state, g->usual[track], TALLY_RAIL_PITCH_M, &z);
    tally_status s = tally_findings_add_zone(out, &z, err);
    for (size_t k = 0; k < n_cuts && s == TALLY_OK && !snow && z.count != TALLY_NO_COUNT; k++)
        s = tally_rail_add_cut(stack, t, state, &cuts[k], ctx->wagons, &no_cars, out, err);
    tally_free(cuts);
    return s;
}

tally_status tally_rail_count_together(const tally_context *ctx, const tally_stack *stack,
                                       const tally_unit *unit, const tally_track *tracks, size_t n,
                                       size_t scene, const tally_model *model, tally_findings *out,
                                       tally_error *err)
{
    tally_rail_frame frame = { 0 };
    tally_rail_ground ground = { 0 };
    tally_rail_belief belief = { 0 };
    tally_rail_look look = { 0 };
    tally_patch patch = { 0 };
    tally_status s = frame_of(stack, unit, tracks, n, &frame, err);
    if (s == TALLY_OK) s = recall(unit, &frame, model, stack->n_bands, &ground, err);
    if (s == TALLY_OK) s = read_look(ctx, stack, scene, &frame, &patch, &look, err);
    if (s == TALLY_OK) s = tally_rail_belief_init(&frame, true, &belief, err);
    if (s == TALLY_OK) s = tally_rail_joint_fit(&frame, &ground, &look, &belief, err);
    for (size_t i = 0; i < n && s == TALLY_OK; i++) {
        tally_rail_state state;
        s = tally_rail_state_init(&state, &tracks[i], err);
        if (s != TALLY_OK) break;
        state_of(&frame, &look, &belief, i, &state);
        s = add_track(ctx, stack, &frame, &ground, &belief, &state, i, stack->scenes[scene].snow,
                      out, err);
        tally_rail_state_fini(&state);
    }
    tally_rail_belief_fini(&belief);
    tally_rail_look_fini(&look);
    tally_patch_fini(&patch);
    tally_rail_ground_fini(&ground);
    tally_rail_frame_fini(&frame);
    return s;
}
