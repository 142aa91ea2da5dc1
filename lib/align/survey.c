/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Step 1: grid, reference, placement, radiometry, datum.
 *
 * The reference is the scene that shows most of the tie windows and, of those, has its brightness
 * in the middle: neither hazy nor dark nor snowed in. Every other scene is placed on it and scaled
 * to it. Where less than half of them can be, the odd one may be the reference itself (a wrong
 * geotransform, a picture of something else): then the next ones are tried. The datum is datum.c's.
 */
#include "align/survey.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "align/datum.h"

static const double MARGIN_M = 150; /* ground around the zones to look for tie windows in */
static const double SNOW_BRIGHTER =
    1.9; /* snow over bare ground in blue; chosen on the validation sets, where it is 2.5 to 4 */
static const double CLOUD_SMOOTHER =
    0.55; /* than bare ground: drawn cloud keeps 0.26 to 0.49 of its texture, drawn snow 0.65 up */
static const double OTHER_UNITS =
    30; /* than bare ground: no snow on dark ground is, so the pixels are in other units */
static const double SNOW_GROUND = 0.5; /* share of the ground that must be so bright */

static void unplace(tally_stack *stack)
{
    for (size_t i = 0; i < stack->n; i++) {
        stack->scenes[i] = (tally_stack_scene) {
            .scene = stack->scenes[i].scene,
            .placement = { .residual = { { 0, 1, 0, 0, 0, 1 } }, .vanishing = NAN, .reason = "" }
        };
        for (int b = 0; b < TALLY_BAND_ROLES; b++)
            stack->scenes[i].gain[b] = 1;
    }
}

tally_status tally_stack_create(const tally_site *site, const tally_scene *const *scenes, size_t n,
                                tally_stack **out, tally_error *err)
{
    *out = NULL;
    tally_stack *stack = tally_alloc(1, sizeof *stack);
    if (!stack) return tally_nomem(err, "a stack");
    stack->site = site;
    stack->reference = -1;
    stack->family = tally_strdup(scenes[0]->family);
    stack->scenes = tally_alloc(n, sizeof *stack->scenes);
    if (!stack->family || !stack->scenes) {
        tally_stack_destroy(&stack);
        return tally_nomem(err, "a stack");
    }
    for (int r = 0; r < TALLY_BAND_ROLES; r++) {
        bool all = true;
        for (size_t i = 0; i < n; i++)
            all = all && scenes[i]->bands[r];
        if (all) stack->roles[stack->n_bands++] = (tally_band_role)r;
    }
    stack->n = n;
    for (size_t i = 0; i < n; i++)
        stack->scenes[i].scene = scenes[i];
    unplace(stack);
    if (stack->n_bands == 0) {
        tally_status s =
            tally_fail(err, TALLY_E_FORMAT,
                       "%s: no band whose role is known; name them with --bands", scenes[0]->id);
        tally_stack_destroy(&stack);
        return s;
    }
    *out = stack;
    return TALLY_OK;
}

static bool is_north_up(const tally_affine *a)
{
    return a->c[2] == 0 && a->c[4] == 0 && a->c[1] > 0 && a->c[5] < 0 &&
           fabs(a->c[1] + a->c[5]) < 1e-6 * a->c[1];
}

/* What the scenes show, in pixels of the grid; empty when no tile can be related to it. */
static tally_box footprints(const tally_stack *stack)
{
    const tally_grid *g = &stack->grid;
    const tally_box at = { 0, 0, g->width, g->height };
    tally_box all = { 0, 0, 0, 0 };
    for (size_t i = 0; i < stack->n; i++)
        for (size_t t = 0; t < stack->scenes[i].scene->n_tiles; t++) {
            const tally_tile *tile = stack->scenes[i].scene->tiles[t];
            tally_affine map, back;
            tally_point low = { INFINITY, INFINITY }, high = { -INFINITY, -INFINITY };
            if (tally_tile_affine_from(tile, g->epsg, g->x0, g->y0, g->gsd_m, at, &map, NULL) !=
                    TALLY_OK ||
                !tally_affine_invert(&map, &back))
                continue;
            for (int c = 0; c < 4; c++) {
                const tally_point p = tally_affine_apply(
                    &back, (tally_point) { c & 1 ? tile->width : 0, c & 2 ? tile->height : 0 });
                low = (tally_point) { fmin(low.x, p.x), fmin(low.y, p.y) };
                high = (tally_point) { fmax(high.x, p.x), fmax(high.y, p.y) };
            }
            const tally_box shown = { (int)tally_clamp(floor(low.x), 0, g->width),
                                      (int)tally_clamp(floor(low.y), 0, g->height),
                                      (int)tally_clamp(ceil(high.x), 0, g->width),
                                      (int)tally_clamp(ceil(high.y), 0, g->height) };
            if (!tally_box_empty(shown))
                all = tally_box_empty(all) ? shown : tally_box_union(all, shown);
        }
    return all;
}

/* The grid around the zones, as far as scenes reach; where `like` is north-up in the site's CRS it
 * keeps that tile's pixels. */
static tally_status make_grid(tally_stack *stack, const tally_scene *like, tally_error *err)
{
    const tally_site *site = stack->site;
    const tally_tile *tile = like->tiles[0];
    tally_grid *g = &stack->grid;
    bool same = tile->epsg == site->epsg && is_north_up(&tile->affine);
    *g = (tally_grid) { .epsg = site->epsg, .gsd_m = same ? tile->affine.c[1] : like->gsd_m };
    if (!(g->gsd_m > 0.01 && g->gsd_m < 10000))
        return tally_fail(err, TALLY_E_FORMAT, "%s: pixels of %g m; check its geotransform",
                          tile->path, g->gsd_m);
    double phase_x = same ? tile->affine.c[0] : 0, phase_y = same ? tile->affine.c[3] : 0;
    double margin = fmax(MARGIN_M, TALLY_TIE_SIZE * g->gsd_m / 2);
    g->x0 = phase_x + floor((site->low.x - margin - phase_x) / g->gsd_m) * g->gsd_m;
    g->y0 = phase_y + ceil((site->high.y + margin - phase_y) / g->gsd_m) * g->gsd_m;
    double width = ceil((site->high.x + margin - g->x0) / g->gsd_m),
           height = ceil((g->y0 - site->low.y + margin) / g->gsd_m);
    if (!(width < 1e7 && height < 1e7))
        return tally_fail(err, TALLY_E_FORMAT,
                          "%s: its zones span %.0f km; one site is one place: split it", site->id,
                          fmax(width, height) * g->gsd_m / 1000);
    g->width = (int)width;
    g->height = (int)height;
    const tally_box shown = footprints(stack);
    if (tally_box_empty(shown)) return TALLY_OK;
    g->x0 += shown.x0 * g->gsd_m;
    g->y0 -= shown.y0 * g->gsd_m;
    g->width = tally_box_width(shown);
    g->height = tally_box_height(shown);
    return TALLY_OK;
}

/* The bluest band: snow and haze show there most. */
static int bluest(const tally_stack *stack)
{
    int best = 0;
    for (int b = 1; b < stack->n_bands; b++)
        if (stack->roles[b] < stack->roles[best]) best = b;
    return best;
}

typedef struct look {
    double seen; /* share of the ground in the windows that it shows */
    float blue;  /* median there; NaN: nothing seen, or all alike, as no ground is */
    bool broken, tried;
    char reason[256];
} look;

typedef struct look_job {
    const tally_context *ctx;
    const tally_stack *stack;
    const tally_ties *ties;
    look *looks;
} look_job;

static size_t sample_ground(const tally_patch *p, const tally_bits *ground, int band, float *out)
{
    size_t n = 0;
    for (int y = 0; y < p->height; y += 4)
        for (int x = 0; x < p->width; x += 4)
            if (tally_bits_get(ground, x, y) && tally_bits_get(&p->valid, x, y))
                out[n++] = tally_patch_row(p, band, y)[x];
    return n;
}

enum { SAMPLES_A_WINDOW = (TALLY_TIE_SIZE / 4) * (TALLY_TIE_SIZE / 4) };

static bool all_alike(const float *v, size_t n)
{
    for (size_t i = 1; i < n; i++)
        if (v[i] != v[0]) return false;
    return n > 1;
}

/* A first look at every scene, unplaced: is it readable, how much does it show, how bright is it.
 */
static tally_status look_at(void *user, size_t i, tally_error *err)
{
    look_job *job = user;
    look *l = &job->looks[i];
    size_t n = 0, ground = 0;
    float *sample = tally_alloc(job->ties->n * SAMPLES_A_WINDOW, sizeof *sample);
    if (!sample) return tally_nomem(err, "a survey");
    tally_stack_reader reader;
    tally_status opened = tally_stack_reader_open(job->stack, i, &reader, err);
    if (opened != TALLY_OK) {
        tally_free(sample);
        return opened;
    }
    for (size_t t = 0; t < job->ties->n && !l->broken; t++) {
        tally_patch p;
        tally_error why = { 0 };
        tally_status s = tally_stack_reader_read(job->ctx, &reader, job->ties->boxes[t], &p, &why);
        if (s != TALLY_OK) {
            l->broken = true;
            memcpy(l->reason, why.message, sizeof l->reason - 1);
            break;
        }
        n += sample_ground(&p, &job->ties->ground[t], bluest(job->stack), sample + n);
        ground += tally_bits_count(&job->ties->ground[t]) / 16;
        tally_patch_fini(&p);
    }
    tally_stack_reader_close(&reader);
    l->seen = ground ? (double)n / (double)ground : 0;
    l->blue = n && !all_alike(sample, n) ? tally_median(sample, n) : NAN;
    tally_free(sample);
    return TALLY_OK;
}

/* -1: none that can be read, or all were tried. `middle`: the median brightness of the scenes that
 * show most, also when the reference was asked for. */
static int choose_reference(const tally_stack *stack, const look *looks, const char *wanted,
                            float *middle)
{
    double most = 0;
    size_t n = 0;
    int best = -1, asked = -1;
    float blues[256];
    for (size_t i = 0; i < stack->n; i++) {
        if (looks[i].broken) continue;
        if (asked < 0 && wanted && strcmp(stack->scenes[i].scene->id, wanted) == 0) asked = (int)i;
        if (isfinite(looks[i].blue)) most = fmax(most, looks[i].seen);
    }
    for (size_t i = 0; i < stack->n; i++)
        if (!looks[i].broken && looks[i].seen >= 0.9 * most && isfinite(looks[i].blue) && n < 256)
            blues[n++] = looks[i].blue;
    if (n == 0) return asked;
    tally_sort(blues, n);
    *middle = blues[(n - 1) / 2];
    if (asked >= 0) return asked;
    for (size_t i = 0; i < stack->n; i++) {
        if (looks[i].broken || looks[i].tried || looks[i].seen < 0.9 * most ||
            !isfinite(looks[i].blue))
            continue;
        if (best < 0 || fabsf(looks[i].blue - *middle) < fabsf(looks[best].blue - *middle))
            best = (int)i;
    }
    return best;
}

typedef struct place_job {
    const tally_context *ctx;
    tally_stack *stack;
    const tally_survey *survey;
} place_job;

/* The tie windows as scene `i` shows them through its placement, in whole pixels. */
static tally_status read_windows(const place_job *job, size_t i, int margin, tally_tie_view *view,
                                 tally_error *err)
{
    const tally_ties *ties = &job->survey->ties;
    tally_stack_reader reader;
    tally_status s = tally_stack_reader_open(job->stack, i, &reader, err);
    for (size_t t = 0; t < ties->n && s == TALLY_OK; t++) {
        const tally_box box = tally_box_grow(ties->boxes[t], margin);
        tally_patch_fini(&view->windows[t]);
        s = tally_stack_reader_read_whole(job->ctx, &reader, box, &view->windows[t], &view->off[t],
                                          err);
    }
    tally_stack_reader_close(&reader);
    return s;
}

/* The same between pixels: what lies where the placement says. */
static tally_status read_placed(const place_job *job, size_t i, tally_patch *windows,
                                tally_error *err)
{
    const tally_ties *ties = &job->survey->ties;
    tally_stack_reader reader;
    tally_status s = tally_stack_reader_open(job->stack, i, &reader, err);
    for (size_t t = 0; t < ties->n && s == TALLY_OK; t++) {
        tally_patch_fini(&windows[t]);
        s = tally_stack_reader_read(job->ctx, &reader, ties->boxes[t], &windows[t], err);
    }
    tally_stack_reader_close(&reader);
    return s;
}

typedef struct scene_source {
    const place_job *job;
    size_t scene;
} scene_source;

static tally_status read_through(void *user, const tally_affine *map, int margin,
                                 tally_tie_view *view, tally_error *err)
{
    const scene_source *source = user;
    source->job->stack->scenes[source->scene].placement.residual = *map;
    return read_windows(source->job, source->scene, margin, view, err);
}

/* Mean step from pixel to pixel of a window's ground, of its mean level; NAN: nothing seen. */
static double texture_of(const tally_patch *p, const tally_bits *ground, int band)
{
    double steps = 0, level = 0;
    size_t n = 0;
    for (int y = 0; y < p->height; y++) {
        const float *row = tally_patch_row(p, band, y);
        for (int x = 1; x < p->width; x++)
            if (tally_bits_get(ground, x, y) && tally_bits_get(&p->valid, x, y) &&
                tally_bits_get(&p->valid, x - 1, y)) {
                steps += fabsf(row[x] - row[x - 1]);
                level += row[x];
                n++;
            }
    }
    return n > 0 && level > 0 ? steps / level : NAN;
}

/* Snow covers, but roads, rails and walls show; under cloud nothing does. */
static bool is_smooth(const place_job *job, const tally_patch *windows, size_t t)
{
    const tally_ties *ties = &job->survey->ties;
    int band = bluest(job->stack);
    return texture_of(&windows[t], &ties->ground[t], band) <
           CLOUD_SMOOTHER * texture_of(&ties->pixels[t], &ties->ground[t], band);
}

enum white { WHITE_ANY, WHITE_WITH_TEXTURE };

/* Most of the ground as bright as snow: in all windows, or in those that are not smooth as cloud.
 */
static bool is_white(const place_job *job, const tally_patch *windows, enum white where)
{
    const tally_ties *ties = &job->survey->ties;
    size_t bright = 0, n = 0;
    float sample[SAMPLES_A_WINDOW];
    if (!(job->survey->bare_blue > 0)) return false;
    for (size_t t = 0; t < ties->n; t++) {
        size_t k = sample_ground(&windows[t], &ties->ground[t], bluest(job->stack), sample);
        if (where == WHITE_WITH_TEXTURE && is_smooth(job, windows, t)) continue;
        n += k;
        for (size_t i = 0; i < k; i++)
            bright += sample[i] > SNOW_BRIGHTER * job->survey->bare_blue &&
                      sample[i] < OTHER_UNITS * job->survey->bare_blue;
    }
    return n > 0 && (double)bright > SNOW_GROUND * (double)n;
}

static tally_point middle_of_zones(const tally_stack *stack)
{
    const tally_site *site = stack->site;
    return tally_grid_to_px(&stack->grid, (tally_point) { (site->low.x + site->high.x) / 2,
                                                          (site->low.y + site->high.y) / 2 });
}

/* Most of its ground as bright as snow, and nothing in it that matches: snow would show roads and
 * walls, so this is cloud, and the scene is kept with nothing seen. */
static void hide_cloud(tally_stack_scene *entry)
{
    if (entry->placement.accepted) return;
    entry->snow = false;
    entry->hidden = true;
    entry->placement.accepted = true;
    entry->placement.reason = "";
    entry->placement.dx_px = entry->placement.dy_px = entry->placement.rmse_px = NAN;
    entry->placement.windows = 0;
}

/* Where the scene lies, from `view` as read unplaced. */
static tally_status find_place(const place_job *job, size_t i, tally_tie_view *view,
                               tally_error *err)
{
    scene_source from = { job, i };
    const tally_tie_source source = { read_through, &from };
    tally_placement found;
    tally_status s = tally_ties_place(job->ctx, &job->survey->ties, &source,
                                      middle_of_zones(job->stack), view, &found, err);
    if (s == TALLY_OK) job->stack->scenes[i].placement = found;
    return s;
}

/* One scene: place it, look again where it now lies, scale it. A scene that cannot be read is left
 * out, not fatal. */
static tally_status place_scene(void *user, size_t i, tally_error *err)
{
    place_job *job = user;
    tally_stack_scene *entry = &job->stack->scenes[i];
    const tally_ties *ties = &job->survey->ties;
    tally_tie_view view;
    tally_error why = { 0 };
    const bool is_reference = (int)i == job->stack->reference;
    const bool is_radar = tally_stack_is_radar(job->stack);
    if (ties->n == 0) {
        tally_survey_trust(entry);
        return TALLY_OK;
    }
    tally_status s = tally_tie_view_init(&view, ties->n, err);
    if (s != TALLY_OK) return s;
    s = read_windows(job, i, 0, &view, &why);
    if (s == TALLY_OK) {
        const bool white = !is_radar && is_white(job, view.windows, WHITE_ANY);
        entry->snow = white && is_white(job, view.windows, WHITE_WITH_TEXTURE);
        if (!is_reference) s = find_place(job, i, &view, &why);
        if (s == TALLY_OK && white && !is_reference) hide_cloud(entry);
    }
    if (is_reference && s == TALLY_OK) {
        entry->placement = (tally_placement) { .residual = { { 0, 1, 0, 0, 0, 1 } },
                                               .windows = (int)ties->n,
                                               .vanishing = NAN,
                                               .accepted = true,
                                               .reason = "" };
        entry->noise = 0;
    } else if (s == TALLY_OK && is_radar) {
        /* each in its own units, for counting holds it against its own water */
        if (!entry->placement.accepted) {
            tally_note(job->ctx, "%s: %s; it is taken to lie where its file says", entry->scene->id,
                       entry->placement.reason);
            tally_survey_trust(entry);
        }
    } else if (s == TALLY_OK && entry->placement.accepted) {
        s = read_placed(job, i, view.windows, &why);
        if (s == TALLY_OK)
            s = tally_ties_radiometry(ties, view.windows, job->stack->n_bands, entry->gain,
                                      entry->offset, &entry->noise, &why);
        if (s == TALLY_OK && isfinite(entry->placement.dx_px))
            s = tally_ties_vanishing(ties, view.windows, entry->gain, entry->offset,
                                     &entry->placement.vanishing, &why);
    }
    if (s == TALLY_E_NOMEM)
        s = tally_fail(err, s, "%s", why.message);
    else if (s == TALLY_E_NO_MATCH) {
        entry->placement.accepted = false;
        entry->placement.reason = "its brightness cannot be related to the reference's; check its "
                                  "bands and units";
        s = TALLY_OK;
    } else if (s != TALLY_OK) {
        entry->placement.accepted = false;
        entry->placement.reason = "its pixels cannot be read; fetch the file again";
        tally_warn(job->ctx, "%s", why.message);
        s = TALLY_OK;
    }
    tally_tie_view_fini(&view, ties->n);
    return s;
}

tally_status tally_survey_scenes(const tally_context *ctx, tally_stack *stack, tally_survey *survey,
                                 tally_error *err)
{
    place_job job = { .ctx = ctx, .stack = stack, .survey = survey };
    return tally_parallel_for(ctx, "survey", stack->n, place_scene, &job, err);
}

tally_status tally_stack_rescale(const tally_context *ctx, tally_stack *stack, size_t i,
                                 tally_error *err)
{
    const place_job job = { .ctx = ctx, .stack = stack, .survey = stack->survey };
    const tally_ties *ties = &stack->survey->ties;
    tally_stack_scene *entry = &stack->scenes[i];
    const tally_stack_scene before = *entry;
    tally_patch *windows = tally_alloc(ties->n, sizeof *windows);
    if (!windows) return tally_nomem(err, "a survey");
    for (int b = 0; b < stack->n_bands; b++)
        entry->gain[b] = 1, entry->offset[b] = 0;
    tally_status s = read_placed(&job, i, windows, err);
    if (s == TALLY_OK && !tally_stack_is_radar(stack)) {
        /* a cloud over half of the scene looks like snow with something dark in it */
        entry->snow = entry->snow && is_white(&job, windows, WHITE_ANY) &&
                      is_white(&job, windows, WHITE_WITH_TEXTURE);
        s = tally_ties_radiometry(ties, windows, stack->n_bands, entry->gain, entry->offset,
                                  &entry->noise, err);
    }
    /* nothing is left to fit: what was found with the clouds stands */
    if (s == TALLY_E_NO_MATCH) s = TALLY_OK, *entry = before;
    for (size_t t = 0; t < ties->n; t++)
        tally_patch_fini(&windows[t]);
    tally_free(windows);
    return s;
}

void tally_survey_settle(tally_stack *stack)
{
    for (size_t i = 0; i < stack->n; i++) {
        tally_placement *p = &stack->scenes[i].placement;
        if (!p->accepted || isfinite(p->dx_px)) continue;
        p->dx_px = p->residual.c[0] = stack->zones_x_px - stack->datum_x_px;
        p->dy_px = p->residual.c[3] = stack->zones_y_px - stack->datum_y_px;
    }
}

static tally_status look_at_all(const tally_context *ctx, tally_stack *stack,
                                const tally_survey *survey, look *looks, tally_error *err)
{
    look_job job = { .ctx = ctx, .stack = stack, .ties = &survey->ties, .looks = looks };
    return tally_parallel_for(ctx, "first look", stack->n, look_at, &job, err);
}

/* Place all on one reference. */
static tally_status place_on(const tally_context *ctx, tally_stack *stack, tally_survey *survey,
                             int reference, tally_error *err)
{
    unplace(stack);
    stack->reference = reference;
    tally_status s = tally_ties_fill(ctx, stack, (size_t)reference, &survey->ties, err);
    return s == TALLY_OK ? tally_survey_scenes(ctx, stack, survey, err) : s;
}

/* How many scenes show the ground, and how many of those lie on the reference (itself included). */
static size_t count_placed(const tally_stack *stack, const look *looks, size_t *shown)
{
    size_t placed = 0;
    *shown = 0;
    for (size_t i = 0; i < stack->n; i++) {
        const tally_placement *p = &stack->scenes[i].placement;
        if (looks[i].broken || looks[i].seen < 0.5) continue;
        ++*shown;
        placed += p->accepted && isfinite(p->dx_px);
    }
    return placed;
}

/* Try references in their order until half of what shows the ground lies on one; else the one on
 * which most did. */
static tally_status take_reference(const tally_context *ctx, tally_stack *stack,
                                   tally_survey *survey, const char *wanted, look *looks,
                                   tally_error *err)
{
    enum { MOST_TRIES = 5 };
    int best = -1;
    size_t most = 0;
    for (int tries = 0; tries < MOST_TRIES; tries++) {
        size_t shown;
        const int next = choose_reference(stack, looks, wanted, &survey->bare_blue);
        if (next < 0 || (tries > 0 && wanted && looks[next].tried)) break;
        looks[next].tried = true;
        tally_status s = place_on(ctx, stack, survey, next, err);
        if (s != TALLY_OK) return s;
        const size_t placed = count_placed(stack, looks, &shown);
        if (best < 0 || placed > most) {
            best = next;
            most = placed;
        }
        if (2 * placed >= shown) return TALLY_OK;
    }
    if (best < 0)
        return tally_fail(err, TALLY_E_NODATA,
                          "%s: no scene of %s shows the site's zones; check that site file and "
                          "tiles are of one place%s%s",
                          stack->site->id, stack->family, looks[0].broken ? ": " : "",
                          looks[0].broken ? looks[0].reason : "");
    return best == stack->reference ? TALLY_OK : place_on(ctx, stack, survey, best, err);
}

tally_status tally_stack_survey(const tally_context *ctx, const tally_site *site,
                                const tally_scene *const *scenes, size_t n,
                                const tally_survey_settings *settings, tally_stack **out,
                                tally_error *err)
{
    tally_stack *stack = NULL;
    look *looks = tally_alloc(n, sizeof *looks);
    tally_survey *survey = tally_alloc(1, sizeof *survey);
    *out = NULL;
    if (n == 0 || !survey || !looks) {
        tally_free(looks);
        tally_free(survey);
        return n ? tally_nomem(err, "a survey")
                 : tally_fail(err, TALLY_E_ARG, "a stack of no scene");
    }
    tally_status s = tally_stack_create(site, scenes, n, &stack, err);
    if (s != TALLY_OK) {
        tally_free(looks);
        tally_free(survey);
        return s;
    }
    stack->survey = survey;
    if ((s = make_grid(stack, scenes[0], err)) != TALLY_OK) goto out;
    if ((s = tally_ties_choose(stack, &survey->ties, err)) != TALLY_OK) goto out;
    if (survey->ties.n == 0 && tally_survey_may_trust(stack)) {
        unplace(stack);
        stack->reference = tally_survey_trust_all(ctx, stack, settings->reference);
        s = tally_datum_set(ctx, stack, settings->datum ? settings->datum : "mean", err);
        if (s == TALLY_OK) tally_survey_settle(stack);
        goto out;
    }
    if (survey->ties.n == 0) {
        s = tally_fail(
            err, TALLY_E_NODATA,
            "%s: no ground outside of the zones to align scenes on; draw the zones tighter",
            site->id);
        goto out;
    }
    if ((s = look_at_all(ctx, stack, survey, looks, err)) != TALLY_OK) goto out;
    if ((s = take_reference(ctx, stack, survey, settings->reference, looks, err)) != TALLY_OK)
        goto out;
    if ((s = tally_datum_set(ctx, stack, settings->datum, err)) != TALLY_OK) goto out;
    tally_survey_settle(stack);
    tally_note(ctx, "%s: %zu scenes on %s, datum %+.2f,%+.2f px", stack->family, n,
               stack->scenes[stack->reference].scene->id, stack->datum_x_px, stack->datum_y_px);
out:
    tally_free(looks);
    if (s != TALLY_OK) tally_stack_destroy(&stack);
    *out = stack;
    return s;
}
