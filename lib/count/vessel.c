/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Vessels of 20 m and more in water and berth zones.
 *
 * A unit is a water zone with the berths that touch it, or a berth alone. Each scene gets a model
 * of its own water (water.c) from a sample over the whole unit beyond the berths. Then the unit is
 * swept in blocks with a margin of the longest ship; hulls (hull.c) whose middle lies in the
 * block's core are taken, so that no ship is seen twice or cut. What was never water in any of the
 * chosen scenes and never changed is land: quays and jetties reach into zones that are drawn a
 * little generously. A rim along clouds is not trusted.
 *
 * The interval: the count at a stricter threshold, of those surely longer than 20 m, and at a
 * looser one, widened by the share of the zone that was not seen; by one to either side where too
 * few scenes tell land from ships: in eight such scenes three counts were off by one.
 *
 * Known failures stand in water.c and hull.c; besides, units above MAX_LEARN_PX learn no land, and
 * a vessel that never leaves cannot be told from a quay. Radar scenes go by sar.c.
 *
 * Constants: THRESHOLD by eye on drawn and real scenes; COARSEST_M: a ship of 20 m is under two
 * pixels; RIM_M: the soft edge of clouds in udm2 masks.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"
#include "change/background.h"
#include "count/jetty.h"
#include "count/sar.h"
#include "count/vessel_view.h"

#define THRESHOLD    5.0f
#define LOOSER       0.7f
#define STRICTER     1.5f
#define COARSEST_M   12.0
#define RIM_M        5.0
#define BLOCK_PX     1536
#define LEAST_M      20.0
#define LONGEST_M    460.0 /* the margin around a block is half of it */
#define TOUCH_M      30.0  /* a berth this near to a water zone belongs to it */
#define SAMPLE_MOST  120000
#define PLACE_M      1.0 /* what a hull's middle is good to, and */
#define PLACE_PX     0.5
#define MAX_LEARN_PX (24 << 20)
#define LEARN_LEAST  4    /* scenes that tell land from ships */
#define LAND_SPREAD  0.2f /* within this of its usual colour, as a share of it */

static bool touches(const tally_stack *stack, size_t berth, size_t water)
{
    const tally_zone *zones = stack->site->zones;
    const tally_box a = tally_stack_box(stack, &zones[berth].shape, TOUCH_M);
    return !tally_box_empty(tally_box_intersect(a, tally_stack_box(stack, &zones[water].shape, 0)));
}

/* The unit that a zone opens, or joins when `to` is one already. */
static tally_status add_zone(const tally_stack *stack, tally_unit *to, size_t zone, size_t number,
                             tally_error *err)
{
    const tally_box box = tally_stack_box(stack, &stack->site->zones[zone].shape, 2 * RIM_M);
    size_t *zones = tally_realloc(to->zones, to->n_zones + 1, sizeof *zones);

    if (!zones) return tally_nomem(err, "the water zones");
    to->zones = zones;
    to->zones[to->n_zones] = zone;
    to->box = to->n_zones ? tally_box_union(to->box, box) : box;
    to->n_zones++;
    snprintf(to->name, sizeof to->name, "water%zu", number);
    return TALLY_OK;
}

static tally_status plan(const tally_stack *stack, tally_unit **out, size_t *n, tally_error *err)
{
    const tally_site *site = stack->site;
    tally_unit *units = tally_alloc(site->n_zones + 1, sizeof *units);
    tally_status s = units ? TALLY_OK : tally_nomem(err, "the water zones");

    *out = NULL;
    *n = 0;
    for (size_t i = 0; i < site->n_zones && s == TALLY_OK; i++)
        if (site->zones[i].role == TALLY_WATER) {
            s = add_zone(stack, &units[*n], i, *n, err);
            ++*n;
        }
    const size_t waters = *n;
    for (size_t i = 0; i < site->n_zones && s == TALLY_OK; i++) {
        if (site->zones[i].role != TALLY_BERTH) continue;
        size_t at = 0;
        while (at < waters && !touches(stack, i, units[at].zones[0]))
            at++;
        if (at == waters) at = (*n)++;
        s = add_zone(stack, &units[at], i, at, err);
    }
    if (s != TALLY_OK) {
        tally_units_free(&units, *n);
        *n = 0;
    }
    *out = units;
    return s;
}

/* The blocks of a unit: cores side by side, each read with a margin. */
typedef struct sweep {
    tally_box box;
    int across, down, margin;
} sweep;

static sweep sweep_of(const tally_stack *stack, const tally_unit *unit)
{
    const tally_box grid = { 0, 0, stack->grid.width, stack->grid.height };
    const tally_box box = tally_box_intersect(unit->box, grid);
    return (sweep) {
        .box = box,
        .across = (tally_box_width(box) + BLOCK_PX - 1) / BLOCK_PX,
        .down = (tally_box_height(box) + BLOCK_PX - 1) / BLOCK_PX,
        .margin = (int)ceil(LONGEST_M / 2 / stack->grid.gsd_m),
    };
}

static tally_box core_of(const sweep *w, int i)
{
    const int x0 = w->box.x0 + i % w->across * BLOCK_PX, y0 = w->box.y0 + i / w->across * BLOCK_PX;
    return tally_box_intersect(w->box, (tally_box) { x0, y0, x0 + BLOCK_PX, y0 + BLOCK_PX });
}

static tally_box window_of(const sweep *w, int i)
{
    return tally_box_intersect(w->box, tally_box_grow(core_of(w, i), w->margin));
}

/* The water of a scene over a whole unit; berths alone are sampled where there is no open water. */
static tally_status learn_water(const tally_context *ctx, const tally_stack *stack, size_t scene,
                                const sweep *w, tally_water *water, tally_error *err)
{
    const double pixels = (double)tally_box_width(w->box) * tally_box_height(w->box);
    const int step = (int)fmax(1, ceil(sqrt(pixels / SAMPLE_MOST)));
    tally_water_sample open = { 0 }, any = { 0 };
    tally_stack_reader reader;
    tally_status s = tally_stack_reader_open(stack, scene, &reader, err);

    if (s == TALLY_OK) s = tally_water_sample_init(&open, stack->n_bands, SAMPLE_MOST, err);
    if (s == TALLY_OK) s = tally_water_sample_init(&any, stack->n_bands, SAMPLE_MOST, err);
    for (int i = 0; i < w->across * w->down && s == TALLY_OK; i++) {
        tally_patch patch = { 0 };
        tally_vessel_masks masks = { 0 };
        s = tally_stack_reader_read(ctx, &reader, core_of(w, i), &patch, err);
        if (s == TALLY_OK) s = tally_vessel_masks_init(&masks, stack, core_of(w, i), err);
        if (s == TALLY_OK) {
            tally_water_sample_add(&open, &patch, &masks.open, step);
            tally_water_sample_add(&any, &patch, &masks.where, step);
        }
        tally_vessel_masks_fini(&masks);
        tally_patch_fini(&patch);
    }
    tally_stack_reader_close(&reader);
    open.pixel_m2 = any.pixel_m2 = (float)(step * step * stack->grid.gsd_m * stack->grid.gsd_m);
    const bool is_open = 4 * open.n > any.n && open.n > 500;
    if (s == TALLY_OK)
        s = tally_water_learn(water, is_open ? &open : &any, tally_vessel_dark_band(stack),
                              is_open ? TALLY_WATER_OPEN : TALLY_WATER_BERTHS, err);
    tally_water_sample_fini(&any);
    tally_water_sample_fini(&open);
    return s;
}

/* In how many of the scenes each pixel was seen, in how many it was water, and in how many of these
 * darker than water, as a jetty in the shade of a cloud is, too. */
static tally_status count_wet(const tally_context *ctx, const tally_stack *stack, const sweep *w,
                              const size_t *chosen, size_t n_chosen, tally_patch *wet,
                              tally_error *err)
{
    tally_status s =
        tally_patch_init(wet, tally_box_width(w->box), tally_box_height(w->box), 3, err);
    for (size_t i = 0; i < n_chosen && s == TALLY_OK; i++) {
        tally_water water;
        tally_patch patch = { 0 }, distance = { 0 };
        s = learn_water(ctx, stack, chosen[i], w, &water, NULL);
        if (s == TALLY_E_NODATA) {
            s = TALLY_OK;
            continue;
        }
        if (s == TALLY_OK) s = tally_stack_read(ctx, stack, chosen[i], w->box, &patch, err);
        if (s == TALLY_OK) s = tally_water_distance(&water, &patch, &distance, err);
        for (int y = 0; y < wet->height && s == TALLY_OK; y++)
            for (int x = 0; x < wet->width; x++) {
                if (!tally_bits_get(&distance.valid, x, y)) continue;
                tally_bits_set(&wet->valid, x, y);
                tally_patch_row(wet, 0, y)[x] += 1;
                tally_patch_row(wet, 1, y)[x] += tally_patch_row(&distance, 0, y)[x] < THRESHOLD;
                tally_patch_row(wet, 2, y)[x] += !(tally_patch_row(&distance, 0, y)[x] > 0);
            }
        tally_patch_fini(&distance);
        tally_patch_fini(&patch);
    }
    return s;
}

/* In how many of the scenes each pixel has its usual colour. A quay does on nearly all dates; a
 * berth that different ships lie at on every date is not steady, though never water. */
static tally_status count_steady(const tally_context *ctx, const tally_stack *stack, const sweep *w,
                                 const size_t *chosen, size_t n_chosen, const tally_patch *usual,
                                 tally_patch *steady, tally_error *err)
{
    tally_status s =
        tally_patch_init(steady, tally_box_width(w->box), tally_box_height(w->box), 2, err);
    for (size_t i = 0; i < n_chosen && s == TALLY_OK; i++) {
        tally_patch patch = { 0 };
        s = tally_stack_read(ctx, stack, chosen[i], w->box, &patch, err);
        for (int y = 0; y < steady->height && s == TALLY_OK; y++)
            for (int x = 0; x < steady->width; x++) {
                float off = 0;
                if (!tally_bits_get(&patch.valid, x, y) || !tally_bits_get(&usual->valid, x, y))
                    continue;
                for (int b = 0; b < patch.bands; b++) {
                    const float c = tally_patch_row(usual, b, y)[x];
                    off += fabsf(tally_patch_row(&patch, b, y)[x] - c) / fmaxf(fabsf(c), 1e-6f);
                }
                tally_patch_row(steady, 0, y)[x] += 1;
                tally_patch_row(steady, 1, y)[x] += off < LAND_SPREAD * (float)patch.bands;
            }
        tally_patch_fini(&patch);
    }
    return s;
}

static tally_box *cores_of(const sweep *w, size_t *n)
{
    *n = (size_t)w->across * (size_t)w->down;
    tally_box *cores = tally_alloc(*n + 1, sizeof *cores);
    for (size_t i = 0; cores && i < *n; i++)
        cores[i] = core_of(w, (int)i);
    return cores;
}

static tally_status learn_structure(const tally_context *ctx, const tally_stack *stack,
                                    const sweep *w, const size_t *chosen, size_t n_chosen,
                                    tally_patch *land, tally_error *err)
{
    size_t n;
    tally_box *cores = cores_of(w, &n);
    if (!cores) return tally_nomem(err, "what always shines");
    const tally_status s =
        tally_sar_structure_learn(ctx, stack, chosen, n_chosen, cores, n, w->box, land, err);
    tally_free(cores);
    return s;
}

static tally_status learn(const tally_context *ctx, const tally_stack *stack,
                          const tally_unit *unit, const size_t *chosen, size_t n_chosen,
                          tally_model *model, tally_error *err)
{
    const tally_background_settings settings = { .centre = TALLY_CENTRE_MODE,
                                                 .sigma_floor = 0.02f };
    const sweep w = sweep_of(stack, unit);
    tally_patch centre = { 0 }, sigma = { 0 }, count = { 0 };
    tally_patch wet = { 0 }, steady = { 0 }, land = { 0 };
    tally_status s;

    if (n_chosen < LEARN_LEAST || stack->grid.gsd_m > COARSEST_M || tally_box_empty(w.box) ||
        (double)tally_box_width(w.box) * tally_box_height(w.box) > MAX_LEARN_PX)
        return TALLY_OK;
    if (tally_stack_is_radar(stack)) {
        s = learn_structure(ctx, stack, &w, chosen, n_chosen, &land, err);
        if (s == TALLY_OK)
            s = tally_model_put(model, stack, unit->name, "land", &land, &w.box, err);
        goto out;
    }
    if ((s = count_wet(ctx, stack, &w, chosen, n_chosen, &wet, err)) != TALLY_OK) goto out;
    s = tally_background_learn(ctx, stack, chosen, n_chosen, w.box, &settings, &centre, &sigma,
                               &count, err);
    if (s == TALLY_OK) s = count_steady(ctx, stack, &w, chosen, n_chosen, &centre, &steady, err);
    if (s == TALLY_OK) s = tally_patch_init(&land, wet.width, wet.height, 1, err);
    for (int y = 0; y < land.height && s == TALLY_OK; y++)
        for (int x = 0; x < land.width; x++) {
            const float seen = tally_patch_row(&wet, 0, y)[x];
            if (seen < LEARN_LEAST) continue;
            tally_bits_set(&land.valid, x, y);
            tally_patch_row(&land, 0, y)[x] = tally_landness(
                tally_patch_row(&wet, 1, y)[x] / seen, tally_patch_row(&wet, 2, y)[x] / seen,
                tally_patch_row(&steady, 1, y)[x] / fmaxf(tally_patch_row(&steady, 0, y)[x], 1));
        }
    if (s == TALLY_OK) s = tally_model_put(model, stack, unit->name, "land", &land, &w.box, err);
out:
    tally_patch_fini(&land);
    tally_patch_fini(&steady);
    tally_patch_fini(&wet);
    tally_patch_fini(&count);
    tally_patch_fini(&sigma);
    tally_patch_fini(&centre);
    return s;
}

/* All that counting one unit in one scene holds. */
typedef struct count_job {
    const tally_context *ctx;
    const tally_stack *stack;
    const tally_unit *unit;
    size_t scene;
    sweep w;
    tally_water water;
    bool is_radar;
    tally_sar_water sar;              /* instead of `water` */
    tally_patch land;                 /* pixels NULL: not learned */
    double *zone_px, *seen_px;        /* by place in unit->zones */
    double *hull_m, *hull_px;         /* likewise: metres of hull, its pixels */
    int64_t *n_base, *n_low, *n_high; /* vessels at the threshold, the stricter, the looser */
} count_job;

static bool place_of(const count_job *job, size_t zone, size_t *at)
{
    for (*at = 0; *at < job->unit->n_zones; ++*at)
        if (job->unit->zones[*at] == zone) return true;
    return false;
}

static const char *type_of(double length_m)
{
    return length_m < 45 ? "small vessel" : length_m < 180 ? "vessel" : "large vessel";
}

/* Whether what looks like a hull in this window is a jetty by the scenes that land was learned of.
 */
static bool is_jetty(const count_job *job, const tally_box *window, const tally_rect *rect,
                     size_t zone)
{
    tally_rect at = *rect; /* in pixels of `land` */
    if (!job->land.pixels || job->is_radar) return false;
    at.centre.x += window->x0 - job->w.box.x0;
    at.centre.y += window->y0 - job->w.box.y0;
    const bool in_berth = job->stack->site->zones[zone].role == TALLY_BERTH;
    const bool may_moor = in_berth || job->unit->n_zones == 1; /* no berth is drawn: anywhere */
    return tally_is_jetty(&job->land, &at, may_moor ? TALLY_LAND_SHADED : TALLY_LAND_MAYBE);
}

static tally_status take_hull(count_job *job, const tally_box *window, const tally_box *core,
                              const tally_hull *hull, float factor, tally_findings *out,
                              tally_error *err)
{
    const double gsd_m = job->stack->grid.gsd_m;
    const tally_point px = { hull->rect.centre.x + window->x0, hull->rect.centre.y + window->y0 };
    size_t zone, at;

    if (px.x < core->x0 || px.x >= core->x1 || px.y < core->y0 || px.y >= core->y1) return TALLY_OK;
    if (!tally_vessel_zone_near(job->stack->site, tally_stack_metres(job->stack, px),
                                hypot(PLACE_M, PLACE_PX * gsd_m), &zone) ||
        !place_of(job, zone, &at) || is_jetty(job, window, &hull->rect, zone))
        return TALLY_OK;
    if (factor > 1) { /* a length is known to a pixel: near 20 m it may be a boat */
        job->n_low[at] += hull->rect.length * gsd_m >= LEAST_M + gsd_m;
        return TALLY_OK;
    }
    if (factor < 1) {
        job->n_high[at]++;
        return TALLY_OK;
    }
    tally_found found = { .zone = zone,
                          .count = 1,
                          .length_m = tally_round_to(hull->rect.length * gsd_m, 100),
                          .width_m = tally_round_to(hull->rect.width * gsd_m, 100),
                          .heading_deg = tally_heading_deg(hull->rect.ux, -hull->rect.uy),
                          .area_m2 = hull->area_px * gsd_m * gsd_m,
                          .score = hull->score,
                          .n_ring = 4 };
    found.type = type_of(found.length_m);
    tally_rect_corners(&hull->rect, found.ring);
    for (int i = 0; i < 4; i++) {
        found.ring[i].x += window->x0;
        found.ring[i].y += window->y0;
        found.ring[i] = tally_stack_metres(job->stack, found.ring[i]);
    }
    job->n_base[at]++;
    job->hull_m[at] += found.length_m;
    job->hull_px[at] += hull->area_px;
    return tally_findings_add_found(out, &found, err);
}

static tally_status measure_seen(count_job *job, const tally_patch *patch, tally_box window,
                                 tally_box core, tally_error *err)
{
    for (size_t z = 0; z < job->unit->n_zones; z++) {
        tally_bits bits = { 0 };
        tally_status s = tally_vessel_zone_bits(job->stack, job->unit->zones[z], core, &bits, err);
        if (s != TALLY_OK) return s;
        for (int y = 0; y < bits.height; y++)
            for (int x = 0; x < bits.width; x++)
                if (tally_bits_get(&bits, x, y))
                    job->seen_px[z] += tally_bits_get(&patch->valid, x + core.x0 - window.x0,
                                                      y + core.y0 - window.y0);
        tally_bits_fini(&bits);
    }
    return TALLY_OK;
}

/* What of the window may be hull: no land, no rim along what was not seen. */
static tally_status narrow_masks(const count_job *job, tally_vessel_masks *masks,
                                 const tally_patch *patch, tally_bits *out_blind, tally_error *err)
{
    const int rim = job->is_radar ? 0 : 1 + (int)(RIM_M / job->stack->grid.gsd_m);
    const tally_box window = masks->box;
    tally_bits blind;
    tally_status s = tally_bits_init(&blind, patch->width, patch->height, err);

    for (int y = 0; y < blind.height && s == TALLY_OK; y++)
        for (int x = 0; x < blind.width; x++)
            if (!tally_bits_get(&patch->valid, x, y)) tally_bits_set(&blind, x, y);
    if (s == TALLY_OK)
        s = tally_bits_dilate(job->ctx->kernels, &blind, rim < 31 ? rim : 31, rim, err);
    for (int y = 0; y < blind.height && s == TALLY_OK; y++)
        for (int x = 0; x < blind.width; x++) {
            const int lx = x + window.x0 - job->w.box.x0, ly = y + window.y0 - job->w.box.y0;
            if (tally_bits_get(&blind, x, y) ||
                (job->land.pixels && tally_patch_row(&job->land, 0, ly)[lx] > 0.5f))
                tally_bits_clear(&masks->where, x, y);
        }
    *out_blind = blind;
    return s;
}

/* The same for a radar scene; low and high are what stands out at twice and half the power. */
static tally_status count_radar_block(count_job *job, int i, tally_findings *out, tally_error *err)
{
    static const float factors[] = { 1, 1.41421356f, 0.70710678f };
    const tally_box window = window_of(&job->w, i), core = core_of(&job->w, i);
    const tally_kernels *k = job->ctx->kernels;
    const double gsd_m = job->stack->grid.gsd_m;
    tally_patch patch = { 0 };
    tally_vessel_masks masks = { 0 };
    tally_bits blind = { 0 };
    tally_sar_block block = { 0 };
    tally_status s = tally_stack_read(job->ctx, job->stack, job->scene, window, &patch, err);

    if (s == TALLY_OK) s = measure_seen(job, &patch, window, core, err);
    if (s == TALLY_OK) s = tally_vessel_masks_init(&masks, job->stack, window, err);
    if (s == TALLY_OK) s = narrow_masks(job, &masks, &patch, &blind, err);
    if (s == TALLY_OK)
        s = tally_sar_block_init(&block, k, &job->sar, &patch, &masks.where, gsd_m, err);
    for (size_t f = 0; f < sizeof factors / sizeof *factors && s == TALLY_OK; f++) {
        const tally_sar_view view = { .contrast = &block.contrast,
                                      .water = &block.water,
                                      .where = &masks.where,
                                      .gsd_m = gsd_m,
                                      .threshold = block.threshold * factors[f],
                                      .ceiling = job->sar.ceiling };
        tally_hulls hulls;
        s = tally_sar_hulls_find(k, &view, &hulls, err);
        if (s != TALLY_OK) break;
        for (size_t h = 0; h < hulls.n && s == TALLY_OK; h++)
            s = take_hull(job, &window, &core, &hulls.hulls[h], factors[f], out, err);
        tally_hulls_fini(&hulls);
    }
    tally_sar_block_fini(&block);
    tally_bits_fini(&blind);
    tally_vessel_masks_fini(&masks);
    tally_patch_fini(&patch);
    return s;
}

static tally_status learn_radar(count_job *job, tally_error *err)
{
    size_t n;
    tally_box *cores = cores_of(&job->w, &n);
    if (!cores) return tally_nomem(err, "a radar scene's water");
    const tally_status s =
        tally_sar_learn(job->ctx, job->stack, job->scene, cores, n, &job->sar, err);
    tally_free(cores);
    return s;
}

static tally_status count_block(count_job *job, int i, tally_findings *out, tally_error *err)
{
    static const float factors[] = { 1, STRICTER, LOOSER };
    const tally_box window = window_of(&job->w, i), core = core_of(&job->w, i);
    tally_patch patch = { 0 }, distance = { 0 };
    tally_vessel_masks masks = { 0 };
    tally_bits blind = { 0 };
    tally_status s = tally_stack_read(job->ctx, job->stack, job->scene, window, &patch, err);

    if (s == TALLY_OK) s = measure_seen(job, &patch, window, core, err);
    if (s == TALLY_OK) s = tally_vessel_masks_init(&masks, job->stack, window, err);
    if (s == TALLY_OK) s = narrow_masks(job, &masks, &patch, &blind, err);
    if (s == TALLY_OK) s = tally_water_distance(&job->water, &patch, &distance, err);
    for (size_t f = 0; f < sizeof factors / sizeof *factors && s == TALLY_OK; f++) {
        const tally_hull_view view = { .scene = &patch,
                                       .distance = &distance,
                                       .where = &masks.where,
                                       .blind = &blind,
                                       .berths = masks.berths,
                                       .n_berths = masks.n_berths,
                                       .image = { -window.x0, -window.y0,
                                                  job->stack->grid.width - window.x0,
                                                  job->stack->grid.height - window.y0 },
                                       .gsd_m = job->stack->grid.gsd_m,
                                       .threshold = THRESHOLD * factors[f] };
        tally_hulls hulls;
        s = tally_hulls_find(job->ctx->kernels, &view, &hulls, err);
        if (s != TALLY_OK) break;
        for (size_t h = 0; h < hulls.n && s == TALLY_OK; h++)
            s = take_hull(job, &window, &core, &hulls.hulls[h], factors[f], out, err);
        tally_hulls_fini(&hulls);
    }
    tally_bits_fini(&blind);
    tally_vessel_masks_fini(&masks);
    tally_patch_fini(&distance);
    tally_patch_fini(&patch);
    return s;
}

/* The pixels of each zone, whether the grid reaches there or not. */
static void measure_zones(count_job *job)
{
    const double gsd_m = job->stack->grid.gsd_m;
    for (size_t z = 0; z < job->unit->n_zones; z++)
        job->zone_px[z] =
            tally_shape_area(&job->stack->site->zones[job->unit->zones[z]].shape) / (gsd_m * gsd_m);
}

static tally_status add_rows(const count_job *job, const char *why, tally_findings *out,
                             tally_error *err)
{
    tally_status s = TALLY_OK;
    for (size_t z = 0; z < job->unit->n_zones && s == TALLY_OK; z++) {
        tally_zone_count row = { .zone = job->unit->zones[z], .count = TALLY_NO_COUNT };
        row.low = row.high = row.estimate = row.extent = row.occupancy = NAN;
        row.seen = why ? 0 : tally_clamp(job->seen_px[z] / fmax(job->zone_px[z], 1), 0, 1);
        row.seen = tally_round_to(row.seen, 1000);
        row.quality = tally_quality_of(row.seen);
        if (why) snprintf(row.reason, sizeof row.reason, "%s", why);
        if (row.quality == TALLY_QUALITY_UNSEEN) {
            s = tally_findings_add_zone(out, &row, err);
            continue;
        }
        const double n = (double)job->n_base[z];
        row.count = job->n_base[z];
        row.estimate = tally_round_to(row.seen < 0.95 ? n / fmax(row.seen, 0.2) : n, 100);
        row.low = fmin(n, (double)job->n_low[z]);
        row.high = fmax(n, (double)job->n_high[z]);
        if (!job->land.pixels && n > 0) { /* nothing to hold the scene against */
            row.low = fmin(row.low, n - 1);
            row.high = fmax(row.high, n + 1);
        }
        if (row.seen < 0.95) row.high += ceil((1 - row.seen) * fmax(2, n + 1));
        row.extent = tally_round_to(job->hull_m[z], 10);
        row.occupancy =
            tally_round_to(tally_clamp(job->hull_px[z] / fmax(job->seen_px[z], 1), 0, 1), 1000);
        s = tally_findings_add_zone(out, &row, err);
    }
    return s;
}

static tally_status recall_land(count_job *job, const tally_model *model, tally_error *err)
{
    tally_status s = tally_model_get(model, job->unit->name, "land", &job->land, err);
    if (s == TALLY_E_NODATA) return TALLY_OK;
    if (s != TALLY_OK) return s;
    const int width = tally_box_width(job->w.box), height = tally_box_height(job->w.box);
    if (job->land.width == width && job->land.height == height && job->land.bands == 1)
        return TALLY_OK;
    return tally_fail(err, TALLY_E_FORMAT,
                      "land of %s: %d x %d pixels, the site asks for %d x %d; run again with "
                      "--fresh",
                      job->unit->name, job->land.width, job->land.height, width, height);
}

static tally_status run_job(count_job *job, const tally_model *model, tally_findings *out,
                            tally_error *err)
{
    tally_error why = { 0 };
    tally_status s = recall_land(job, model, err);

    if (s != TALLY_OK) return s;
    measure_zones(job);
    s = job->is_radar ? learn_radar(job, &why)
                      : learn_water(job->ctx, job->stack, job->scene, &job->w, &job->water, &why);
    if (s == TALLY_E_NODATA) return add_rows(job, why.message, out, err);
    if (s != TALLY_OK) return tally_fail(err, s, "%s", why.message);
    for (int i = 0; i < job->w.across * job->w.down; i++)
        if ((s = (job->is_radar ? count_radar_block : count_block)(job, i, out, err)) != TALLY_OK)
            return s;
    return add_rows(job, NULL, out, err);
}

static tally_status count(const tally_context *ctx, const tally_stack *stack,
                          const tally_unit *unit, size_t scene, const tally_model *model,
                          tally_findings *out, tally_error *err)
{
    count_job job = { .ctx = ctx, .stack = stack, .unit = unit, .scene = scene };
    const size_t n = unit->n_zones;
    tally_status s;

    job.is_radar = tally_stack_is_radar(stack);
    if (stack->grid.gsd_m > COARSEST_M)
        return tally_findings_refuse(unit, "pixels too coarse for vessels of 20 m", out, err);
    job.w = sweep_of(stack, unit);
    double *sums = tally_alloc(4 * n + 1, sizeof *sums);
    int64_t *counts = tally_alloc(3 * n + 1, sizeof *counts);
    if (sums && counts) {
        job.zone_px = sums;
        job.seen_px = sums + n;
        job.hull_m = sums + 2 * n;
        job.hull_px = sums + 3 * n;
        job.n_base = counts;
        job.n_low = counts + n;
        job.n_high = counts + 2 * n;
        s = tally_box_empty(job.w.box) ? add_rows(&job, "outside the images", out, err)
                                       : run_job(&job, model, out, err);
    } else {
        s = tally_nomem(err, "a count of vessels");
    }
    tally_patch_fini(&job.land);
    tally_free(counts);
    tally_free(sums);
    return s;
}

const tally_counter tally_vessel_counter = {
    .class_ = TALLY_VESSEL, .plan = plan, .learn = learn, .count = count
};
