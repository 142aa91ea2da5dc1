/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Railcars in tracks.
 *
 * Neighbouring tracks are one unit, because their shadows reach each other. Each track is
 * straightened into a strip (strip.c). Step 2: the empty track is learned (rail_learn.c) in rounds:
 * judge all dates against it, leave out what is believed occupied, learn again. Step 3: a scene's
 * tracks are judged (rail_judge.c) from the sunward one outward, each with the shadow that the
 * wagons found so far throw on it; runs of occupied columns are cuts; a cut is taken apart into
 * cars (rail_fine.c), or, where pixels are coarser than 0.6 m, has length / pitch cars. Where they
 * are coarser than 1.5 m, the tracks of a unit are solved together instead (rail_together.c).
 *
 * Source of the parts: DESIGN.md 5.2 to 5.5; sizes: DOMAIN.md. Known failures: see these files.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "count/rail.h"
#include "count/rail_coarse.h"
#include "count/rail_cuts.h"
#include "count/rail_keep.h"
#include "count/rail_single.h"
#include "count/rail_together.h"

enum { TRACKS_A_UNIT = TALLY_TRACKS_A_UNIT, ROUNDS = 3 };
static const double HALF_WIDTH_M =
    4.2; /* of a strip: a wagon, its shadow's first metres, the next track's near side */
static const double NEIGHBOURS_M = 16; /* tracks this close are one unit */
static const double MOST_APART = 0.35; /* sine of the angle between tracks of a coarse unit */
static const double WAGON_HEIGHT_M =
    3.8; /* over the ground: box wagons 4.2, gondolas 3.2, tanks 4.3 (DOMAIN.md) */
static const double LOWEST_SUN_DEG = 8, STEEP_DEG = 5, RADIANS = 3.14159265358979323846 / 180;
static const double TALL = 1.25; /* of WAGON_HEIGHT_M: box wagons and loads of 4.7 m */
static const double COARSEST_GSD_M =
    5; /* beyond this a wagon is less than three pixels long: refused */
static const double PITCH_ERROR = 0.06; /* a cut of one kind of wagon against the fleet's mean */
static const double BIAS_STEP =
    1.0; /* log odds by which the threshold is moved to see how much hangs on it */

typedef struct rail_unit {
    tally_track tracks[TRACKS_A_UNIT];
    tally_bits open[TRACKS_A_UNIT]; /* ground where no wagon of any track stands */
    size_t n;
} rail_unit;

static void unit_fini(rail_unit *u)
{
    for (size_t i = 0; i < u->n; i++)
        tally_track_fini(&u->tracks[i]);
    for (size_t i = 0; i < u->n; i++)
        tally_bits_fini(&u->open[i]);
    u->n = 0;
}

static tally_status unit_init(const tally_stack *stack, const tally_unit *unit, rail_unit *out,
                              tally_error *err)
{
    *out = (rail_unit) { 0 };
    for (size_t i = 0; i < unit->n_zones && i < TRACKS_A_UNIT; i++) {
        tally_status s =
            tally_track_init(stack, unit->zones[i], HALF_WIDTH_M, &out->tracks[out->n], err);
        if (s == TALLY_E_NODATA) continue; /* too short for its pixels: the count says so */
        if (s != TALLY_OK) {
            unit_fini(out);
            return s;
        }
        out->n++;
    }
    tally_status s = tally_rail_open_ground(out->tracks, out->n, stack->grid.gsd_m, out->open, err);
    if (s != TALLY_OK) unit_fini(out);
    return s;
}

/* ---- plan ---- */

static tally_box zone_box(const tally_stack *stack, size_t zone)
{
    return tally_stack_box(stack, &stack->site->zones[zone].shape,
                           HALF_WIDTH_M + 2 * stack->grid.gsd_m + 2);
}

static bool boxes_near(tally_box a, tally_box b, int by)
{
    return !tally_box_empty(tally_box_intersect(tally_box_grow(a, by), b));
}

/* Tracks that run apart are not solved together. */
static bool runs_along(const tally_shape *a, const tally_shape *b)
{
    if (a->n_paths == 0 || b->n_paths == 0) return true;
    const tally_path *p = &a->paths[0], *q = &b->paths[0];
    double ax = p->points[p->n - 1].x - p->points[0].x, ay = p->points[p->n - 1].y - p->points[0].y,
           bx = q->points[q->n - 1].x - q->points[0].x, by = q->points[q->n - 1].y - q->points[0].y;
    return fabs(ax * by - ay * bx) <= MOST_APART * hypot(ax, ay) * hypot(bx, by);
}

static tally_status plan(const tally_stack *stack, tally_unit **out, size_t *n, tally_error *err)
{
    const tally_site *site = stack->site;
    int near_px = (int)ceil(NEIGHBOURS_M / stack->grid.gsd_m);
    *out = NULL;
    *n = 0;
    bool *taken = tally_alloc(site->n_zones, sizeof *taken);
    tally_unit *units = tally_alloc(site->n_zones, sizeof *units);
    if (!taken || !units) goto no_memory;
    for (size_t z = 0; z < site->n_zones; z++) {
        if (taken[z] || site->zones[z].role != TALLY_TRACK) continue;
        tally_unit *u = &units[*n];
        u->zones = tally_alloc(TRACKS_A_UNIT, sizeof *u->zones);
        if (!u->zones) goto no_memory;
        (*n)++;
        snprintf(u->name, sizeof u->name, "rail%zu", *n - 1);
        for (size_t k = z; k < site->n_zones && u->n_zones < TRACKS_A_UNIT; k++) {
            if (taken[k] || site->zones[k].role != TALLY_TRACK) continue;
            tally_box box = zone_box(stack, k);
            if (u->n_zones > 0 && !boxes_near(u->box, box, near_px)) continue;
            if (tally_rail_is_coarse(stack->grid.gsd_m) &&
                !runs_along(&site->zones[z].shape, &site->zones[k].shape))
                continue;
            taken[k] = true;
            u->zones[u->n_zones++] = k;
            u->box = tally_box_union(u->box, box);
        }
    }
    tally_free(taken);
    *out = units;
    return TALLY_OK;
no_memory:
    tally_free(taken);
    tally_units_free(&units, *n);
    *n = 0;
    return tally_nomem(err, "the tracks");
}

/* ---- light ---- */

/* Where a wagon's shadow falls, in grid px: right and down. False: no sun, or too low to use. */
static bool shadow_px(const tally_stack *stack, const tally_scene *scene, tally_point *out)
{
    if (!isfinite(scene->sun_azimuth) || !(scene->sun_elevation >= LOWEST_SUN_DEG)) return false;
    double reach = WAGON_HEIGHT_M / tan(scene->sun_elevation * RADIANS) / stack->grid.gsd_m;
    *out = (tally_point) { -sin(scene->sun_azimuth * RADIANS) * reach,
                           cos(scene->sun_azimuth * RADIANS) * reach };
    return true;
}

/* Where a wagon's roof is seen, from where it stands. False: the view is not known. */
static bool lean_px(const tally_stack *stack, const tally_scene *scene, tally_point *out)
{
    const bool askew = isfinite(scene->view_azimuth);
    if (!isfinite(scene->off_nadir) || (!askew && scene->off_nadir > STEEP_DEG)) return false;
    double reach = askew ? WAGON_HEIGHT_M * tan(scene->off_nadir * RADIANS) / stack->grid.gsd_m : 0;
    *out = (tally_point) { -sin(scene->view_azimuth * RADIANS) * reach,
                           cos(scene->view_azimuth * RADIANS) * reach };
    if (!askew) *out = (tally_point) { 0, 0 };
    return true;
}

static tally_rail_sun sun_on(const tally_stack *stack, const tally_track *t,
                             const tally_scene *scene)
{
    tally_point shadow, lean, d = tally_track_direction(t, t->n / 2);
    tally_rail_sun out = { .lean_m = NAN };
    if (shadow_px(stack, scene, &shadow)) {
        out.across_m = (-shadow.x * d.y + shadow.y * d.x) * stack->grid.gsd_m;
        out.along_m = (shadow.x * d.x + shadow.y * d.y) * stack->grid.gsd_m;
    }
    if (lean_px(stack, scene, &lean))
        out.lean_m = (-lean.x * d.y + lean.y * d.x) * stack->grid.gsd_m;
    return out;
}

/* Tracks from the sunward one outward. */
static void sunward_order(const tally_track *tracks, size_t n, bool sun, tally_point shadow,
                          size_t order[TRACKS_A_UNIT])
{
    double along[TRACKS_A_UNIT];
    for (size_t i = 0; i < n; i++) {
        tally_point p = tally_track_at(&tracks[i], tracks[i].n / 2, 0);
        along[i] = sun ? p.x * shadow.x + p.y * shadow.y : (double)i;
        size_t k = i;
        for (; k > 0 && along[order[k - 1]] > along[i]; k--)
            order[k] = order[k - 1];
        order[k] = i;
    }
}

/* ---- one scene ---- */

/* bias: log odds for "occupied" a column. shadows: the ground beside is known as it is when lit.
 * own_shadow: the cuts are taken apart next, and must know what a cut's own shadow may darken. */
typedef struct rail_belief {
    double bias;
    bool shadows, own_shadow;
} rail_belief;

static tally_rail_scene scene_of(const tally_stack *stack, const rail_unit *u,
                                 const tally_rail_empty *empty, const tally_patch *raw,
                                 tally_patch *lit, tally_rail_state *states)
{
    return (tally_rail_scene) { .tracks = u->tracks,
                                .n = u->n,
                                .gsd_m = stack->grid.gsd_m,
                                .open = u->open,
                                .empty = empty,
                                .raw = raw,
                                .lit = lit,
                                .states = states };
}

static tally_status judge_unit(const tally_stack *stack, const tally_rail_scene *s, size_t scene,
                               const rail_belief *belief, tally_rail_shade *shade, tally_error *err)
{
    const tally_stack_scene *entry = &stack->scenes[scene];
    size_t order[TRACKS_A_UNIT] = { 0 };
    tally_point shadow = { 0, 0 };
    tally_rail_wagons wagons;
    bool sun = shadow_px(stack, entry->scene, &shadow);
    tally_status status = tally_rail_wagons_init(s->tracks, s->n, s->gsd_m, &wagons, err);
    sunward_order(s->tracks, s->n, sun, shadow, order);
    for (size_t k = 0; k < s->n && status == TALLY_OK; k++) {
        const tally_track *t = &s->tracks[order[k]];
        tally_rail_state *state = &s->states[order[k]];
        tally_rail_sun light =
            belief->shadows ? sun_on(stack, t, entry->scene) : (tally_rail_sun) { .lean_m = NAN };
        /* what may be in shadow: of wagons taller than most */
        tally_point tall = { shadow.x * TALL, shadow.y * TALL };
        if (sun) tally_rail_wagons_shadow(&wagons, t, shadow, &state->shadow);
        if (sun) tally_rail_wagons_shadow(&wagons, t, tall, &state->shaded);
        status = tally_rail_judge(t, &s->empty[order[k]], &s->open[order[k]], &s->lit[order[k]],
                                  &light, shade, belief->bias, state, err);
        if (status != TALLY_OK) break;
        if (belief->own_shadow)
            tally_rail_judge_shaded(t, &s->empty[order[k]], &s->lit[order[k]], shade, belief->bias,
                                    state);
        tally_rail_wagons_add(&wagons, t, state);
    }
    /* by now with their own, for the light of the next round */
    for (size_t i = 0; i < s->n && status == TALLY_OK && sun; i++)
        tally_rail_wagons_shadow(&wagons, &s->tracks[i], shadow, &s->states[i].shadow);
    if (status == TALLY_OK && sun) status = tally_rail_measure_shade(s, shade, err);
    tally_rail_wagons_fini(&wagons);
    return status;
}

static tally_status lit_init(const rail_unit *u, const tally_patch *raw, tally_patch *lit,
                             tally_error *err)
{
    tally_status s = TALLY_OK;
    for (size_t i = 0; i < u->n && s == TALLY_OK; i++)
        s = tally_patch_init(&lit[i], raw[i].width, raw[i].height, raw[i].bands, err);
    return s;
}

static tally_status read_strips(const tally_context *ctx, const tally_stack *stack,
                                const tally_unit *unit, const rail_unit *u, size_t scene,
                                tally_patch *strips, tally_error *err)
{
    tally_patch patch;
    tally_status s = tally_stack_read(ctx, stack, scene, unit->box, &patch, err);
    for (size_t i = 0; i < u->n && s == TALLY_OK; i++)
        s = tally_track_sample(ctx, &u->tracks[i], &patch, unit->box, &strips[i], err);
    tally_patch_fini(&patch);
    return s;
}

/* ---- learn ---- */

typedef struct lesson {
    size_t k;                     /* scenes */
    tally_patch *raw;             /* k x TRACKS_A_UNIT */
    tally_patch *strips;          /* the same, in the light of the empty tracks */
    tally_rail_state *states;     /* the same */
    tally_rail_profile *profiles; /* TRACKS_A_UNIT */
    tally_rail_shade *shades;     /* k */
} lesson;

static void lesson_fini(lesson *l)
{
    for (size_t i = 0; i < l->k * TRACKS_A_UNIT; i++) {
        if (l->raw) tally_patch_fini(&l->raw[i]);
        if (l->strips) tally_patch_fini(&l->strips[i]);
        if (l->states) tally_rail_state_fini(&l->states[i]);
    }
    tally_free(l->raw);
    tally_free(l->strips);
    tally_free(l->states);
    tally_free(l->profiles);
    tally_free(l->shades);
}

/* The level of every place from all scenes' strips; `use_states` false: nothing is believed yet. */
static tally_status learn_levels(const tally_context *ctx, const rail_unit *u, const lesson *l,
                                 const tally_patch *from, bool use_states, tally_rail_empty *empty,
                                 tally_error *err)
{
    tally_patch *strips = tally_alloc(l->k, sizeof *strips);
    tally_rail_state *states = tally_alloc(l->k, sizeof *states);
    tally_status s = strips && states ? TALLY_OK : tally_nomem(err, "a track's background");
    for (size_t i = 0; i < u->n && s == TALLY_OK; i++) {
        for (size_t k = 0; k < l->k; k++) {
            strips[k] = from[k * TRACKS_A_UNIT + i];
            states[k] = l->states[k * TRACKS_A_UNIT + i];
        }
        tally_rail_empty_fini(&empty[i]);
        s = tally_rail_learn(ctx, &u->tracks[i], strips, use_states ? states : NULL, l->k,
                             &empty[i], err);
        if (s == TALLY_OK && use_states)
            s = tally_rail_fill(&u->tracks[i], &l->profiles[i], states, l->k, &empty[i], err);
        memcpy(empty[i].spread, l->profiles[i].spread, sizeof empty[i].spread);
    }
    if (s == TALLY_OK) s = tally_rail_quiet_noise(u->tracks, u->n, empty, err);
    tally_free(strips);
    tally_free(states);
    return s;
}

static tally_rail_scene lesson_scene(const tally_stack *stack, const rail_unit *u, const lesson *l,
                                     const tally_rail_empty *empty, size_t k)
{
    return scene_of(stack, u, empty, &l->raw[k * TRACKS_A_UNIT], &l->strips[k * TRACKS_A_UNIT],
                    &l->states[k * TRACKS_A_UNIT]);
}

static tally_status relight_all(const tally_stack *stack, const rail_unit *u, lesson *l,
                                const size_t *chosen, const tally_rail_empty *empty,
                                tally_error *err)
{
    tally_status s = TALLY_OK;
    for (size_t k = 0; k < l->k && s == TALLY_OK; k++) {
        tally_rail_scene scene = lesson_scene(stack, u, l, empty, k);
        s = tally_rail_relight(&scene, stack->scenes[chosen[k]].snow, err);
    }
    return s;
}

/* Where shadows fall on most of the dates: 1 right of the track, -1 left, 0 not known. */
static int shadow_side(const tally_stack *stack, const tally_track *t, const size_t *chosen,
                       size_t n)
{
    int right = 0;
    for (size_t k = 0; k < n; k++) {
        double across_m = sun_on(stack, t, stack->scenes[chosen[k]].scene).across_m;
        right += (across_m > 0) - (across_m < 0);
    }
    return (right > 0) - (right < 0);
}

/* First light, then the profiles, then rounds of judging, learning and light. */
static tally_status learn_tracks(const tally_context *ctx, const tally_stack *stack,
                                 const rail_unit *u, lesson *l, const size_t *chosen,
                                 tally_rail_empty *empty, tally_error *err)
{
    tally_status s = learn_levels(ctx, u, l, l->raw, false, empty, err);
    if (s == TALLY_OK) s = relight_all(stack, u, l, chosen, empty, err);
    if (s == TALLY_OK) s = learn_levels(ctx, u, l, l->strips, false, empty, err);
    if (s == TALLY_OK)
        s = tally_rail_profiles(u->tracks, u->n, l->strips, l->k, TRACKS_A_UNIT, empty, l->profiles,
                                err);
    for (size_t i = 0; i < u->n && s == TALLY_OK; i++) {
        memcpy(empty[i].spread, l->profiles[i].spread, sizeof empty[i].spread);
        s = tally_rail_start(&u->tracks[i], &l->profiles[i], &l->strips[i], l->k, TRACKS_A_UNIT,
                             shadow_side(stack, &u->tracks[i], chosen, l->k), &empty[i], err);
    }
    for (int round = 0; round < ROUNDS && s == TALLY_OK; round++) {
        /* at first a parked train's shadow is in the level of the ground beside it */
        const rail_belief belief = { .shadows = round > 0 };
        if (round > 0) s = relight_all(stack, u, l, chosen, empty, err);
        for (size_t k = 0; k < l->k && s == TALLY_OK; k++) {
            tally_rail_scene scene = lesson_scene(stack, u, l, empty, k);
            if (round > 0 && stack->grid.gsd_m <= TALLY_RAIL_FINEST_M)
                s = tally_rail_own_look(&scene, &l->shades[k], err);
            if (s != TALLY_OK) break;
            s = judge_unit(stack, &scene, chosen[k], &belief, &l->shades[k], err);
        }
        if (s == TALLY_OK) s = learn_levels(ctx, u, l, l->strips, true, empty, err);
    }
    return s;
}

static tally_status learn(const tally_context *ctx, const tally_stack *stack,
                          const tally_unit *unit, const size_t *chosen, size_t n_chosen,
                          tally_model *model, tally_error *err)
{
    rail_unit u;
    tally_rail_empty empty[TRACKS_A_UNIT] = { 0 };
    lesson l = { .k = n_chosen };
    /* one scene alone cannot say what is empty; a wagon is not looked for where it cannot be
     * counted */
    if (n_chosen < 2 || stack->grid.gsd_m > COARSEST_GSD_M) return TALLY_OK;
    tally_status s = unit_init(stack, unit, &u, err);
    if (s != TALLY_OK) return s;
    if (tally_rail_is_coarse(stack->grid.gsd_m)) {
        s = tally_rail_learn_together(ctx, stack, unit, u.tracks, u.n, chosen, n_chosen, model,
                                      err);
        unit_fini(&u);
        return s;
    }
    l.raw = tally_alloc(l.k * TRACKS_A_UNIT, sizeof *l.raw);
    l.strips = tally_alloc(l.k * TRACKS_A_UNIT, sizeof *l.strips);
    l.states = tally_alloc(l.k * TRACKS_A_UNIT, sizeof *l.states);
    l.profiles = tally_alloc(TRACKS_A_UNIT, sizeof *l.profiles);
    l.shades = tally_alloc(l.k, sizeof *l.shades);
    if (!l.raw || !l.strips || !l.states || !l.profiles || !l.shades)
        s = tally_nomem(err, "a track's background");
    for (size_t k = 0; k < l.k && s == TALLY_OK; k++) {
        l.shades[k] = tally_rail_usual_shade(stack->roles, stack->n_bands);
        s = read_strips(ctx, stack, unit, &u, chosen[k], &l.raw[k * TRACKS_A_UNIT], err);
        if (s == TALLY_OK)
            s = lit_init(&u, &l.raw[k * TRACKS_A_UNIT], &l.strips[k * TRACKS_A_UNIT], err);
        for (size_t i = 0; i < u.n && s == TALLY_OK; i++)
            s = tally_rail_state_init(&l.states[k * TRACKS_A_UNIT + i], &u.tracks[i], err);
        for (size_t i = 0; i < u.n; i++)
            l.states[k * TRACKS_A_UNIT + i].snow = stack->scenes[chosen[k]].snow;
    }
    if (s == TALLY_OK) s = learn_tracks(ctx, stack, &u, &l, chosen, empty, err);
    for (size_t i = 0; i < u.n && s == TALLY_OK; i++) {
        empty[i].usual = tally_alloc((size_t)u.tracks[i].n, sizeof(float));
        empty[i].over = tally_alloc((size_t)u.tracks[i].n, sizeof(float));
        if (!empty[i].usual || !empty[i].over) s = tally_nomem(err, "a track's background");
        if (s == TALLY_OK)
            tally_rail_usually_over(&u.tracks[i], &l.states[i], l.k, TRACKS_A_UNIT, empty[i].over);
        if (s == TALLY_OK)
            tally_rail_usual(u.tracks, u.n, i, l.states, l.k, TRACKS_A_UNIT, empty[i].usual);
    }
    for (size_t i = 0; i < u.n && s == TALLY_OK; i++)
        s = tally_rail_keep(stack, unit, &u.tracks[i], &empty[i], model, err);
    for (size_t i = 0; i < TRACKS_A_UNIT; i++)
        tally_rail_empty_fini(&empty[i]);
    lesson_fini(&l);
    unit_fini(&u);
    return s;
}

/* ---- count ---- */

static double share_seen(const tally_track *t, const tally_rail_state *s)
{
    int n = 0;
    for (int c = 0; c < t->n; c++)
        n += s->seen[c];
    return (double)n / t->n;
}

/* cars: with the threshold as it is, stricter, looser. */
static tally_zone_count count_track(const tally_track *t, const tally_rail_empty *e,
                                    const tally_rail_state *s, const int64_t cars[3], size_t n_cuts)
{
    double seen = share_seen(t, s), occupied = 0, unknown = 0;
    tally_zone_count z = tally_zone_blank(t->zone, tally_quality_of(seen), "");
    z.seen = seen;
    if (z.quality == TALLY_QUALITY_UNSEEN) {
        snprintf(z.reason, sizeof z.reason, "cloud, nodata, or outside of the scene");
        return z;
    }
    for (int c = 0; c < t->n; c++) {
        occupied += s->occupied[c] && s->seen[c];
        unknown += s->seen[c] && !(e->known[c] > 0);
    }
    z.extent = occupied * t->step_m;
    z.occupancy = occupied / (seen * t->n);
    z.count = cars[0];
    z.estimate = (double)cars[0] / seen;
    double own = 0.5 + 0.25 * (double)n_cuts + pow(PITCH_ERROR * (double)cars[0], 2);
    double never = 0.25 * unknown * t->step_m / TALLY_RAIL_PITCH_M;
    double missing = (1 - seen) * t->n * t->step_m / TALLY_RAIL_PITCH_M;
    double half = 1.96 * sqrt(own + never * never);
    z.low = fmax(0, fmin((double)cars[1], z.estimate - half));
    z.high = fmax((double)cars[2], z.estimate + half) + missing * 0.5;
    if (cars[0] == 0 && cars[2] == 0) z.high = 1 + never + missing * 0.5;
    z.high += tally_rail_cars_unseen(t, e, s, TALLY_RAIL_PITCH_M);
    return z;
}

static tally_status count_seen(const tally_context *ctx, const tally_stack *stack,
                               const tally_unit *unit, const rail_unit *u,
                               const tally_rail_empty *empty, size_t scene, tally_findings *out,
                               tally_error *err)
{
    tally_patch strips[TRACKS_A_UNIT] = { 0 }, lit[TRACKS_A_UNIT] = { 0 };
    tally_rail_state states[TRACKS_A_UNIT] = { 0 };
    tally_rail_row rows[TRACKS_A_UNIT] = { 0 };
    tally_rail_sun suns[TRACKS_A_UNIT] = { 0 };
    int64_t cars[TRACKS_A_UNIT][3] = { 0 };
    const bool fine = stack->grid.gsd_m <= TALLY_RAIL_FINEST_M;
    static const double biases[3] = { 0, -BIAS_STEP, BIAS_STEP };
    tally_status s = read_strips(ctx, stack, unit, u, scene, strips, err);
    for (size_t i = 0; i < u->n && s == TALLY_OK; i++)
        s = tally_rail_state_init(&states[i], &u->tracks[i], err);
    for (size_t i = 0; i < u->n; i++)
        states[i].snow = stack->scenes[scene].snow;
    for (size_t i = 0; i < u->n; i++)
        suns[i] = sun_on(stack, &u->tracks[i], stack->scenes[scene].scene);
    if (s == TALLY_OK) s = lit_init(u, strips, lit, err);
    /* light twice: what was found in the first throws the shadows that the second leaves out */
    const rail_belief first = { .shadows = true };
    tally_rail_shade shade = tally_rail_usual_shade(stack->roles, stack->n_bands);
    const bool snow = stack->scenes[scene].snow;
    tally_rail_scene view = scene_of(stack, u, empty, strips, lit, states);
    if (s == TALLY_OK) s = tally_rail_relight(&view, snow, err);
    if (s == TALLY_OK) s = judge_unit(stack, &view, scene, &first, &shade, err);
    if (s == TALLY_OK) s = tally_rail_relight(&view, snow, err);
    if (s == TALLY_OK && fine) s = tally_rail_own_look(&view, &shade, err);
    if (s == TALLY_OK && fine) s = tally_rail_scene_noise(&view, &shade, err);
    /* the threshold as it is comes last, so that its states stay */
    for (int k = 2; k >= 0 && s == TALLY_OK; k--) {
        const rail_belief belief = { .bias = biases[k], .shadows = true, .own_shadow = fine };
        tally_rail_shade same = shade;
        s = judge_unit(stack, &view, scene, &belief, &same, err);
        for (size_t i = 0; i < u->n; i++)
            tally_rail_row_fini(&rows[i]);
        if (s == TALLY_OK && fine)
            s = tally_rail_take_apart(ctx->wagons, &view, suns, snow, TALLY_RAIL_OTHER_FLEET, rows,
                                      err);
        for (size_t i = 0; i < u->n && s == TALLY_OK; i++)
            cars[i][k] = fine ? (int64_t)rows[i].n
                              : tally_rail_cuts_of(&u->tracks[i], &states[i], NULL, NULL);
    }
    for (size_t i = 0; i < u->n && s == TALLY_OK; i++) {
        const tally_track *t = &u->tracks[i];
        size_t n_cuts = 0;
        tally_rail_cut *cuts = tally_alloc((size_t)t->n, sizeof *cuts);
        if (!cuts) {
            s = tally_nomem(err, "the cuts");
            break;
        }
        if (fine)
            n_cuts = tally_rail_cuts_of_row(t, &rows[i], cuts);
        else
            tally_rail_cuts_of(t, &states[i], cuts, &n_cuts);
        tally_zone_count z = count_track(t, &empty[i], &states[i], cars[i], n_cuts);
        s = tally_findings_add_zone(out, &z, err);
        for (size_t k = 0; k < n_cuts && s == TALLY_OK && z.count != TALLY_NO_COUNT; k++)
            s = tally_rail_add_cut(stack, t, &states[i], &cuts[k], ctx->wagons, &rows[i], out, err);
        tally_free(cuts);
    }
    for (size_t i = 0; i < TRACKS_A_UNIT; i++) {
        tally_patch_fini(&strips[i]);
        tally_patch_fini(&lit[i]);
        tally_rail_state_fini(&states[i]);
        tally_rail_row_fini(&rows[i]);
    }
    return s;
}

/* Zones that get no count at all, with the reason. seen is looked up, for a refusal must say what
 * was seen. */
static tally_status refuse(const tally_context *ctx, const tally_stack *stack,
                           const tally_unit *unit, const rail_unit *u, size_t scene,
                           const char *reason, tally_findings *out, tally_error *err)
{
    tally_patch strips[TRACKS_A_UNIT] = { 0 };
    tally_status s = read_strips(ctx, stack, unit, u, scene, strips, err);
    for (size_t i = 0; i < u->n && s == TALLY_OK; i++) {
        int n = 0;
        for (int c = 0; c < u->tracks[i].n; c++)
            n += tally_bits_get(&strips[i].valid, c, u->tracks[i].lanes / 2);
        tally_zone_count z = tally_zone_blank(u->tracks[i].zone, TALLY_QUALITY_REFUSED, reason);
        z.seen = (double)n / u->tracks[i].n;
        if (tally_quality_of(z.seen) == TALLY_QUALITY_UNSEEN)
            z = tally_zone_blank(z.zone, TALLY_QUALITY_UNSEEN,
                                 "cloud, nodata, or outside of the scene");
        s = tally_findings_add_zone(out, &z, err);
    }
    for (size_t i = 0; i < TRACKS_A_UNIT; i++)
        tally_patch_fini(&strips[i]);
    return s;
}

static tally_status count(const tally_context *ctx, const tally_stack *stack,
                          const tally_unit *unit, size_t scene, const tally_model *model,
                          tally_findings *out, tally_error *err)
{
    rail_unit u;
    tally_rail_empty empty[TRACKS_A_UNIT] = { 0 };
    tally_status s = unit_init(stack, unit, &u, err);
    if (s != TALLY_OK) return s;
    const bool coarse = tally_rail_is_coarse(stack->grid.gsd_m);
    if (coarse)
        s = tally_rail_count_together(ctx, stack, unit, u.tracks, u.n, scene, model, out, err);
    for (size_t i = 0; i < u.n && s == TALLY_OK && !coarse; i++)
        s = tally_rail_recall(unit, &u.tracks[i], model, stack->n_bands, &empty[i], err);
    const bool fine = stack->grid.gsd_m <= TALLY_RAIL_FINEST_M;
    /* snow makes other ground of it: what the light leaves over of the other dates' empty track is
     * more than a wagon stands out by, while by its looks a wagon is plain */
    const bool by_looks =
        fine && (s == TALLY_E_NODATA || (s == TALLY_OK && stack->scenes[scene].snow));
    if (by_looks)
        s = tally_rail_single_count(ctx, stack, unit, u.tracks, u.n, scene,
                                    s == TALLY_OK ? "snow: judged by its own looks alone" : "", out,
                                    err);
    else if (s == TALLY_OK && !coarse)
        s = count_seen(ctx, stack, unit, &u, empty, scene, out, err);
    else if (s == TALLY_E_NODATA)
        s = refuse(ctx, stack, unit, &u, scene,
                   stack->grid.gsd_m > COARSEST_GSD_M
                       ? "the GSD cannot carry a count of railcars"
                       : "one scene alone does not show the empty track",
                   out, err);
    for (size_t i = 0; i < TRACKS_A_UNIT; i++)
        tally_rail_empty_fini(&empty[i]);
    unit_fini(&u);
    return s;
}

const tally_counter tally_rail_counter = {
    .class_ = TALLY_RAILCAR, .plan = plan, .learn = learn, .count = count
};
