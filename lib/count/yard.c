/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Container slots of a site, yard by yard. Each yard is a unit: its empty pad is learned once over
 * scenes (yard_pad.h), its ground as their mode, and every scene is measured against them. With
 * fewer than three scenes nothing is learned and each scene is judged within itself, with a wider
 * interval.
 *
 * Snow covers boxes and pad alike: what a scene in snow shows of a yard is mostly its shadows. Such
 * a scene gets what it shows and the usual count of the other scenes, each by what it is worth,
 * with an interval as wide as both, and says so (DESIGN.md 5.3); without a pad it is judged within
 * itself.
 *
 * The light of a yard is found in the scene itself, so the stack's gain and offset only help by
 * taking haze out. Where they are far from each other or from 1 they were fitted to something else
 * (snow, another season), and the scene's own values are used.
 *
 * Known failures stand with the steps: yard_light.c, yard_slots.c, yard_measure.c.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "change/background.h"
#include "count/yard_light.h"
#include "count/yard_measure.h"
#include "count/yard_pad.h"
#include "count/yard_sight.h"

#define MARGIN_M  9.0 /* around the yard: shadow, light, and clouds that come in from outside */
#define SCENES    3   /* the least that a mode can be taken of */
#define MAX_BANDS 8
/* Gains outside 1/4 .. 4, or bands this far apart, are not light but a bad fit: sound ones stayed
 * below 1.31 in 35 scenes of ports and stations, bad ones began at 1.38. */
#define GAIN_MOST   4.0f
#define GAIN_SPREAD 1.35f
/* Share of pixels below nothing: deep shadow may come to it, ground does not. */
#define BELOW 0.10

static tally_status plan(const tally_stack *stack, tally_unit **out, size_t *n, tally_error *err)
{
    const tally_site *site = stack->site;
    tally_unit *units = tally_alloc(site->n_zones + 1, sizeof *units);

    *out = NULL;
    *n = 0;
    if (!units) return tally_nomem(err, "the yards");
    for (size_t i = 0; i < site->n_zones; i++) {
        if (site->zones[i].role != TALLY_YARD) continue;
        tally_unit *u = &units[*n];
        u->zones = tally_alloc(1, sizeof *u->zones);
        if (!u->zones) {
            tally_units_free(&units, *n);
            *n = 0;
            return tally_nomem(err, "the yards");
        }
        snprintf(u->name, sizeof u->name, "yard%zu", *n);
        u->zones[0] = i;
        u->n_zones = 1;
        u->box = tally_stack_box(stack, &site->zones[i].shape, MARGIN_M);
        (*n)++;
    }
    *out = units;
    return TALLY_OK;
}

/* Move a shape from pixels of the grid to pixels of a box. */
static void shift_shape(tally_shape *shape, tally_box box)
{
    for (size_t i = 0; i < shape->n_paths; i++)
        for (size_t j = 0; j < shape->paths[i].n; j++) {
            shape->paths[i].points[j].x -= box.x0;
            shape->paths[i].points[j].y -= box.y0;
        }
}

/* Direction of the longest side of a shape. */
static double longest_side(const tally_shape *shape)
{
    double best = 0, angle = 0;

    for (size_t i = 0; i < shape->n_paths; i++)
        for (size_t j = 0; j < shape->paths[i].n; j++) {
            const tally_point a = shape->paths[i].points[j];
            const tally_point b = shape->paths[i].points[(j + 1) % shape->paths[i].n];
            const double length = hypot(b.x - a.x, b.y - a.y);
            if (length > best) {
                best = length;
                angle = atan2(b.y - a.y, b.x - a.x);
            }
        }
    return angle;
}

/* The pixels of a unit's yard, `ignore` zones taken out, and the direction of its longest side. */
static tally_status yard_bits(const tally_stack *stack, const tally_unit *unit, tally_bits *bits,
                              double *angle, tally_error *err)
{
    const tally_site *site = stack->site;
    tally_bits ignore = { 0 };
    tally_shape shape = { 0 };
    tally_status s =
        tally_bits_init(bits, tally_box_width(unit->box), tally_box_height(unit->box), err);

    if (s == TALLY_OK)
        s = tally_stack_shape(stack, &site->zones[unit->zones[0]].shape, &shape, err);
    if (s == TALLY_OK) {
        shift_shape(&shape, unit->box);
        tally_shape_fill(&shape, bits);
        *angle = longest_side(&shape);
        s = tally_bits_init(&ignore, bits->width, bits->height, err);
    }
    for (size_t i = 0; i < site->n_zones && s == TALLY_OK; i++) {
        if (site->zones[i].role != TALLY_IGNORE) continue;
        tally_shape_fini(&shape);
        s = tally_stack_shape(stack, &site->zones[i].shape, &shape, err);
        if (s != TALLY_OK) break;
        shift_shape(&shape, unit->box);
        tally_shape_fill(&shape, &ignore);
        for (size_t j = 0; j < bits->words * (size_t)bits->height; j++)
            bits->bits[j] &= ~ignore.bits[j];
    }
    tally_shape_fini(&shape);
    tally_bits_fini(&ignore);
    if (s != TALLY_OK) tally_bits_fini(bits);
    return s;
}

/* Did an offset that was fitted to something else take a part of the ground below nothing? */
static bool below_nothing(const tally_patch *pixels)
{
    size_t n = 0, below = 0;

    for (int y = 0; y < pixels->height; y++)
        for (int x = 0; x < pixels->width; x++) {
            bool dark = false;
            if (!tally_bits_get(&pixels->valid, x, y)) continue;
            for (int b = 0; b < pixels->bands; b++)
                dark = dark || tally_patch_row(pixels, b, y)[x] <= 0;
            n++;
            below += dark;
        }
    return (double)below > BELOW * (double)n;
}

/* Read a scene. Its own values come back where the stack's radiometry cannot be trusted: then
 * `own` is true and it must not be held against a learned level. */
static tally_status read_scene(const tally_context *ctx, const tally_stack *stack,
                               const tally_unit *unit, size_t scene, tally_patch *pixels, bool *own,
                               tally_error *err)
{
    const tally_stack_scene *at = &stack->scenes[scene];
    float low = INFINITY, high = 0;
    tally_status s = tally_stack_read(ctx, stack, scene, unit->box, pixels, err);

    *own = false;
    if (s != TALLY_OK) return s;
    for (int b = 0; b < stack->n_bands; b++) {
        low = fminf(low, at->gain[b]);
        high = fmaxf(high, at->gain[b]);
    }
    if (!(low > 0)) return TALLY_OK;
    if (high < GAIN_MOST && low > 1 / GAIN_MOST && high < GAIN_SPREAD * low &&
        !below_nothing(pixels))
        return TALLY_OK;
    *own = true;
    for (int b = 0; b < pixels->bands; b++)
        for (int y = 0; y < pixels->height; y++)
            for (int x = 0; x < pixels->width; x++)
                if (tally_bits_get(&pixels->valid, x, y)) {
                    float *p = &tally_patch_row(pixels, b, y)[x];
                    *p = (*p - at->offset[b]) / at->gain[b];
                }
    return TALLY_OK;
}

/* What was learned of a yard. pad.pixels is NULL when nothing was; usual likewise. level: one row,
 * the pad's level by band, then the usual likeness to the ground. */
typedef struct known_yard {
    tally_patch pad, ground, level, usual;
} known_yard;

static void known_fini(known_yard *l)
{
    tally_patch_fini(&l->usual);
    tally_patch_fini(&l->level);
    tally_patch_fini(&l->ground);
    tally_patch_fini(&l->pad);
}

static tally_yard_angles angles_of(const tally_scene *scene)
{
    return (tally_yard_angles) { .sun_azimuth = scene->sun_azimuth,
                                 .sun_elevation = scene->sun_elevation,
                                 .off_nadir = scene->off_nadir,
                                 .view_azimuth = scene->view_azimuth };
}

static tally_status measure(const tally_context *ctx, const tally_stack *stack,
                            const tally_unit *unit, size_t scene, const known_yard *known,
                            const tally_bits *zone, double angle, tally_yard_answer *out,
                            tally_error *err)
{
    tally_patch pixels = { 0 };
    bool own;
    tally_status s = read_scene(ctx, stack, unit, scene, &pixels, &own, err);

    if (s != TALLY_OK) return s;
    const tally_yard_view view = {
        .scene = &pixels,
        .pad = known->pad.pixels ? &known->pad : NULL,
        .level = known->level.pixels && !own ? tally_patch_row(&known->level, 0, 0) : NULL,
        .ground = known->ground.pixels ? &known->ground : NULL,
        .likeness = known->level.pixels ? tally_patch_row(&known->level, 0, 0)[stack->n_bands] : 0,
        .zone = zone,
        .gsd_m = stack->grid.gsd_m,
        .drawn_angle = angle,
        .angles = angles_of(stack->scenes[scene].scene),
        .snow = stack->scenes[scene].snow,
    };
    s = tally_yard_measure(ctx->kernels, &view, out, err);
    tally_patch_fini(&pixels);
    return s;
}

/* A table of one row. */
static tally_status make_table(const float *values, int n, tally_patch *table, tally_error *err)
{
    tally_status s = tally_patch_init(table, n, 1, 1, err);

    for (int i = 0; s == TALLY_OK && i < n; i++) {
        tally_patch_row(table, 0, 0)[i] = values[i];
        tally_bits_set(&table->valid, i, 0);
    }
    return s;
}

/* The empty pad, from scenes without snow where there are enough of them. */
static tally_status learn_pad(const tally_context *ctx, const tally_stack *stack,
                              const tally_unit *unit, const size_t *chosen, size_t n_chosen,
                              const tally_bits *zone, tally_patch *pad, float level[8], bool *found,
                              tally_error *err)
{
    tally_yard_lesson lesson;
    tally_bits near = { 0 };
    size_t bare = 0;
    tally_status s =
        tally_yard_lesson_init(&lesson, zone->width, zone->height, stack->n_bands, err);

    if (s != TALLY_OK) return s;
    for (size_t i = 0; i < n_chosen; i++)
        bare += !stack->scenes[chosen[i]].snow;
    s = tally_yard_near(ctx->kernels, zone, stack->grid.gsd_m, &near, err);
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < n_chosen && s == TALLY_OK; i++) {
            const bool snow = stack->scenes[chosen[i]].snow;
            tally_patch pixels = { 0 };
            bool own;
            if (snow && bare >= SCENES) continue;
            s = read_scene(ctx, stack, unit, chosen[i], &pixels, &own, err);
            if (s == TALLY_OK && pass == 0 && !snow && !own)
                s = tally_yard_lesson_look(&lesson, &pixels, zone, err);
            else if (s == TALLY_OK && pass == 1)
                s = tally_yard_lesson_add(&lesson, &pixels, zone, &near, snow || own,
                                          stack->grid.gsd_m, err);
            tally_patch_fini(&pixels);
        }
    if (s == TALLY_OK)
        s = tally_yard_lesson_end(ctx->kernels, &lesson, zone, stack->grid.gsd_m, pad, level, found,
                                  err);
    tally_bits_fini(&near);
    tally_yard_lesson_fini(&lesson);
    return s;
}

/* The ground as learned, and the middle of how like it the scenes without snow are. */
static tally_status learn_ground(const tally_context *ctx, const tally_stack *stack,
                                 const tally_unit *unit, const size_t *chosen, size_t n_chosen,
                                 const tally_patch *background, tally_patch *ground,
                                 float *likeness, tally_error *err)
{
    float *values = tally_alloc(n_chosen + 1, sizeof *values);
    size_t n = 0;
    tally_status s = values ? TALLY_OK : tally_nomem(err, "the ground of a yard");

    if (s == TALLY_OK) s = tally_yard_ground(background, stack->grid.gsd_m, ground, err);
    for (size_t i = 0; i < n_chosen && s == TALLY_OK; i++) {
        tally_patch pixels = { 0 }, own = { 0 };
        bool unused;
        if (stack->scenes[chosen[i]].snow) continue;
        s = read_scene(ctx, stack, unit, chosen[i], &pixels, &unused, err);
        if (s == TALLY_OK) s = tally_yard_ground(&pixels, stack->grid.gsd_m, &own, err);
        if (s == TALLY_OK) values[n++] = (float)tally_yard_likeness(&own, ground);
        tally_patch_fini(&own);
        tally_patch_fini(&pixels);
    }
    *likeness = n && s == TALLY_OK ? tally_median(values, n) : 0;
    tally_free(values);
    return s;
}

/* The counts of the scenes chosen that lie without snow: the middle, one in ten, nine in ten, and
 * how many there were. Left without pixels below SCENES. */
static tally_status learn_usual(const tally_context *ctx, const tally_stack *stack,
                                const tally_unit *unit, const size_t *chosen, size_t n_chosen,
                                const tally_bits *zone, double angle, known_yard *known,
                                tally_error *err)
{
    float *counts = tally_alloc(n_chosen + 1, sizeof *counts);
    size_t n = 0;
    tally_status s = counts ? TALLY_OK : tally_nomem(err, "the usual count of a yard");

    for (size_t i = 0; i < n_chosen && s == TALLY_OK; i++) {
        tally_yard_answer answer = { 0 };
        if (stack->scenes[chosen[i]].snow) continue;
        s = measure(ctx, stack, unit, chosen[i], known, zone, angle, &answer, err);
        if (s == TALLY_OK && answer.row.quality == TALLY_QUALITY_OK)
            counts[n++] = (float)answer.row.count;
        tally_yard_answer_fini(&answer);
    }
    if (s == TALLY_OK && n >= SCENES) {
        const float usual[4] = { tally_median(counts, n), tally_quantile(counts, n, 0.1),
                                 tally_quantile(counts, n, 0.9), (float)n };
        s = make_table(usual, 4, &known->usual, err);
    }
    tally_free(counts);
    return s;
}

static tally_status learn(const tally_context *ctx, const tally_stack *stack,
                          const tally_unit *unit, const size_t *chosen, size_t n_chosen,
                          tally_model *model, tally_error *err)
{
    const tally_background_settings settings = { .centre = TALLY_CENTRE_MODE,
                                                 .sigma_floor = 0.02f };
    tally_patch centre = { 0 }, sigma = { 0 }, count = { 0 };
    known_yard known = { 0 };
    tally_bits zone = { 0 };
    float level[MAX_BANDS + 1] = { 0 };
    double angle;
    bool found = false;
    tally_status s;

    if (n_chosen < SCENES || tally_stack_is_radar(stack)) return TALLY_OK;
    if ((s = yard_bits(stack, unit, &zone, &angle, err)) != TALLY_OK) return s;
    s = tally_background_learn(ctx, stack, chosen, n_chosen, unit->box, &settings, &centre, &sigma,
                               &count, err);
    if (s == TALLY_OK)
        s = learn_pad(ctx, stack, unit, chosen, n_chosen, &zone, &known.pad, level, &found, err);
    if (s != TALLY_OK || !found) goto out;
    s = learn_ground(ctx, stack, unit, chosen, n_chosen, &centre, &known.ground,
                     &level[centre.bands], err);
    if (s == TALLY_OK) s = make_table(level, centre.bands + 1, &known.level, err);
    if (s != TALLY_OK) goto out;
    s = learn_usual(ctx, stack, unit, chosen, n_chosen, &zone, angle, &known, err);
    if (s == TALLY_OK)
        s = tally_model_put(model, stack, unit->name, "pad", &known.pad, &unit->box, err);
    if (s == TALLY_OK)
        s = tally_model_put(model, stack, unit->name, "ground", &known.ground, NULL, err);
    if (s == TALLY_OK)
        s = tally_model_put(model, stack, unit->name, "level", &known.level, NULL, err);
    if (s == TALLY_OK && known.usual.pixels)
        s = tally_model_put(model, stack, unit->name, "usual", &known.usual, NULL, err);
out:
    known_fini(&known);
    tally_patch_fini(&count);
    tally_patch_fini(&sigma);
    tally_patch_fini(&centre);
    tally_bits_fini(&zone);
    return s;
}

static tally_status recall(const tally_model *model, const tally_stack *stack,
                           const tally_unit *unit, known_yard *out, tally_error *err)
{
    tally_error why;
    tally_status s = tally_model_get(model, unit->name, "pad", &out->pad, &why);

    if (s == TALLY_E_NODATA) return TALLY_OK;
    if (s == TALLY_OK) s = tally_model_get(model, unit->name, "ground", &out->ground, &why);
    if (s == TALLY_OK) s = tally_model_get(model, unit->name, "level", &out->level, &why);
    if (s == TALLY_OK) {
        s = tally_model_get(model, unit->name, "usual", &out->usual, &why);
        if (s == TALLY_E_NODATA) s = TALLY_OK;
    }
    if (s != TALLY_OK) return tally_fail(err, s, "%s", why.message);
    const tally_patch *pad = &out->pad;
    if (pad->width == tally_box_width(unit->box) && pad->height == tally_box_height(unit->box) &&
        pad->bands == stack->n_bands + 1 && out->level.width == stack->n_bands + 1 &&
        (!out->usual.pixels || out->usual.width == 4))
        return TALLY_OK;
    return tally_fail(err, TALLY_E_FORMAT,
                      "background of %s: %d x %d pixels in %d bands, the site asks for %d x %d in "
                      "%d; run again with --fresh",
                      unit->name, pad->width, pad->height, pad->bands, tally_box_width(unit->box),
                      tally_box_height(unit->box), stack->n_bands + 1);
}

/*
 * In snow: what little the scene shows and the usual count, each by what it is worth. Where they
 * disagree one of them is wrong, and half of their distance goes into the interval. Counts over the
 * scenes used are samples of one habit: their spread, widened for how few there are.
 */
static void lean_on_usual(const tally_patch *usual, double yard_m2, tally_yard_answer *answer)
{
    const float *u = tally_patch_row(usual, 0, 0);
    tally_zone_count *row = &answer->row;

    if (row->count == TALLY_NO_COUNT) return;
    const double n = (double)u[3];
    const double spread =
        hypot(((double)u[2] - (double)u[1]) / 2.56 * (1 + 2 / n), 2 + 0.15 * (double)u[0]);
    const double shown = fmax(1, (row->high - row->low) / 3.92);
    const double share = spread * spread / (spread * spread + shown * shown);
    const double best = share * row->estimate + (1 - share) * (double)u[0];
    const double sigma = hypot(shown * sqrt(share),
                               0.5 * fabs(row->estimate - (double)u[0])); /* of the two joined */
    tally_yard_slots_fini(&answer->slots);
    row->count = llround(best * row->seen);
    row->estimate = round(best);
    row->extent = tally_round_to((double)row->count * TALLY_SLOT_LENGTH_M * TALLY_SLOT_WIDTH_M, 10);
    row->occupancy = tally_round_to(fmin(1, row->extent / fmax(1, row->seen * yard_m2)), 1000);
    row->low = fmax(0, floor(fmin((double)row->count, best - 1.96 * sigma)));
    row->high = ceil(best + 1.96 * sigma);
    const tally_yard_heights none = { 0 };
    double boxes_a_slot, doubt;
    tally_yard_boxes_per_slot(NULL, &answer->slots, 0, &boxes_a_slot, &doubt);
    row->boxes =
        tally_yard_count_boxes(row->estimate, row->low, row->high, boxes_a_slot, doubt, &none);
    snprintf(row->reason, sizeof row->reason,
             "snow: boxes and pad look alike; leans on the usual of %.0f dates without", n);
}

/* One polygon a block: the smallest rectangle around its slots. */
static tally_status add_blocks(const tally_stack *stack, const tally_unit *unit,
                               const tally_yard_slots *slots, tally_findings *out, tally_error *err)
{
    const double gsd_m = stack->grid.gsd_m;
    tally_point *corners = tally_alloc(slots->n + 1, 4 * sizeof *corners);
    tally_status s = TALLY_OK;

    if (!corners) return tally_nomem(err, "the blocks of a yard");
    for (size_t block = 0; block < slots->n_blocks && s == TALLY_OK; block++) {
        tally_found found = { .zone = unit->zones[0], .type = "containers", .n_ring = 4 };
        tally_rect rect;
        double gain = 0;
        for (size_t i = 0; i < slots->n; i++) {
            if (slots->slots[i].block != block) continue;
            tally_yard_slot_corners(&slots->slots[i], gsd_m, corners + 4 * found.count++);
            gain += slots->slots[i].gain;
        }
        if (!tally_rect_around(corners, 4 * (size_t)found.count, &rect)) continue;
        const double face_m2 = TALLY_SLOT_LENGTH_M * TALLY_SLOT_WIDTH_M * (double)found.count;
        found.length_m = rect.length * gsd_m;
        found.width_m = rect.width * gsd_m;
        found.heading_deg = tally_heading_deg(rect.ux, -rect.uy);
        found.area_m2 = face_m2;
        found.score = tally_clamp(0.5 + 0.5 * gain / face_m2, 0, 1);
        tally_rect_corners(&rect, found.ring);
        for (int i = 0; i < 4; i++) {
            found.ring[i].x += unit->box.x0;
            found.ring[i].y += unit->box.y0;
            found.ring[i] = tally_stack_metres(stack, found.ring[i]);
        }
        s = tally_findings_add_found(out, &found, err);
    }
    tally_free(corners);
    return s;
}

static tally_status count(const tally_context *ctx, const tally_stack *stack,
                          const tally_unit *unit, size_t scene, const tally_model *model,
                          tally_findings *out, tally_error *err)
{
    known_yard known = { 0 };
    tally_bits zone = { 0 };
    tally_yard_answer answer = { 0 };
    double angle;
    tally_status s;

    if (tally_stack_is_radar(stack))
        return tally_findings_refuse(unit, "slots are not counted in radar images", out, err);
    if ((s = yard_bits(stack, unit, &zone, &angle, err)) != TALLY_OK) return s;
    if ((s = recall(model, stack, unit, &known, err)) != TALLY_OK) goto out;
    s = measure(ctx, stack, unit, scene, &known, &zone, angle, &answer, err);
    if (s != TALLY_OK) goto out;
    if (stack->scenes[scene].snow && known.usual.pixels)
        lean_on_usual(&known.usual,
                      (double)tally_bits_count(&zone) * stack->grid.gsd_m * stack->grid.gsd_m,
                      &answer);
    answer.row.zone = unit->zones[0];
    if ((s = tally_findings_add_zone(out, &answer.row, err)) != TALLY_OK) goto out;
    s = add_blocks(stack, unit, &answer.slots, out, err);
out:
    tally_yard_answer_fini(&answer);
    tally_bits_fini(&zone);
    known_fini(&known);
    return s;
}

const tally_counter tally_yard_counter = {
    .class_ = TALLY_CONTAINER_STACK, .plan = plan, .learn = learn, .count = count
};
