/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A stack on disk: stack.json (grid, datum, windows) and reference.tif (the reference's pixels in
 * the tie windows, one below the other). A later scene is placed on these, so it gets what it would
 * have got in the first run, even when the reference's own file is gone.
 */
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "align/survey.h"

enum { N = TALLY_TIE_SIZE };

static tally_status save_pixels(const tally_stack *stack, const char *path, tally_error *err)
{
    const tally_ties *ties = &stack->survey->ties;
    tally_patch all;
    tally_status s = tally_patch_init(&all, N, N * (int)ties->n, stack->n_bands, err);
    if (s != TALLY_OK) return s;
    for (size_t t = 0; t < ties->n; t++)
        for (int y = 0; y < ties->pixels[t].height; y++) {
            int to = (int)t * N + y;
            memcpy(tally_bits_row(&all.valid, to), tally_bits_row(&ties->pixels[t].valid, y),
                   all.valid.words * sizeof(uint64_t));
            for (int b = 0; b < all.bands; b++)
                memcpy(tally_patch_row(&all, b, to), tally_patch_row(&ties->pixels[t], b, y),
                       N * sizeof(float));
        }
    s = tally_raster_write(path, &all, 0, NULL, NULL, err);
    tally_patch_fini(&all);
    return s;
}

tally_status tally_stack_save(const tally_context *ctx, const tally_stack *stack,
                              const char *folder, tally_error *err)
{
    (void)ctx;
    const tally_ties *ties = &stack->survey->ties;
    char *path = tally_format("%s/stack.json", folder),
         *tif = tally_format("%s/reference.tif", folder), *dump = NULL;
    json_t *windows = json_array(), *roles = json_array();
    for (size_t t = 0; t < ties->n; t++)
        json_array_append_new(windows, json_pack("[i,i]", ties->boxes[t].x0, ties->boxes[t].y0));
    for (int b = 0; b < stack->n_bands; b++)
        json_array_append_new(roles, json_integer(stack->roles[b]));
    json_t *root =
        json_pack("{s:s,s:s,s:i,s:f,s:f,s:f,s:i,s:i,s:f,s:f,s:f,s:f,s:f,s:o,s:o}", "family",
                  stack->family, "reference", stack->scenes[stack->reference].scene->id, "epsg",
                  stack->grid.epsg, "x0", stack->grid.x0, "y0", stack->grid.y0, "gsd_m",
                  stack->grid.gsd_m, "width", stack->grid.width, "height", stack->grid.height,
                  "datum_x_px", stack->datum_x_px, "datum_y_px", stack->datum_y_px, "zones_x_px",
                  stack->zones_x_px, "zones_y_px", stack->zones_y_px, "bare_blue",
                  (double)stack->survey->bare_blue, "roles", roles, "windows", windows);
    tally_text text = { 0 };
    tally_status s = root && path && tif && (dump = json_dumps(root, JSON_INDENT(1)))
                         ? TALLY_OK
                         : tally_nomem(err, "stack.json");
    if (s == TALLY_OK && ties->n > 0) s = save_pixels(stack, tif, err);
    if (s == TALLY_OK) {
        tally_text_add(&text, "%s\n", dump);
        s = tally_text_save(&text, path, err);
    }
    tally_text_fini(&text);
    free(dump);
    json_decref(root);
    tally_free(path);
    tally_free(tif);
    return s;
}

static tally_status not_ours(const char *path, tally_error *err)
{
    return tally_fail(err, TALLY_E_FORMAT,
                      "%s: is not what tallyman wrote; use --fresh to start over", path);
}

/* Grid, datum and roles; everything is checked, for the file may have been touched. */
static tally_status read_json(const char *path, tally_stack *stack, json_t **windows, json_t **keep,
                              tally_error *err)
{
    json_error_t at;
    json_t *roles = NULL;
    double blue;
    tally_grid *g = &stack->grid;
    *keep = json_load_file(path, JSON_REJECT_DUPLICATES, &at);
    if (!*keep || json_unpack(*keep, "{s:i,s:F,s:F,s:F,s:i,s:i,s:F,s:F,s?F,s?F,s:F,s:o,s:o}",
                              "epsg", &g->epsg, "x0", &g->x0, "y0", &g->y0, "gsd_m", &g->gsd_m,
                              "width", &g->width, "height", &g->height, "datum_x_px",
                              &stack->datum_x_px, "datum_y_px", &stack->datum_y_px, "zones_x_px",
                              &stack->zones_x_px, "zones_y_px", &stack->zones_y_px, "bare_blue",
                              &blue, "roles", &roles, "windows", windows) != 0)
        return not_ours(path, err);
    stack->survey->bare_blue = (float)blue;
    bool good = g->epsg == stack->site->epsg && isfinite(g->x0) && isfinite(g->y0) &&
                g->gsd_m > 0.01 && g->gsd_m < 1e4 && g->width > 0 && g->height > 0 &&
                g->width < 10000000 && g->height < 10000000 && fabs(stack->datum_x_px) < 1000 &&
                fabs(stack->datum_y_px) < 1000 && fabs(stack->zones_x_px) < 1000 &&
                fabs(stack->zones_y_px) < 1000;
    size_t n = json_array_size(*windows);
    if (!good || n > TALLY_TIES_MAX || json_array_size(roles) == 0 ||
        json_array_size(roles) > TALLY_BAND_ROLES)
        return not_ours(path, err);
    stack->n_bands = (int)json_array_size(roles);
    for (int b = 0; b < stack->n_bands; b++) {
        json_int_t role = json_integer_value(json_array_get(roles, (size_t)b));
        if (role < 0 || role >= TALLY_BAND_ROLES) return not_ours(path, err);
        stack->roles[b] = (tally_band_role)role;
    }
    return TALLY_OK;
}

static tally_status read_windows(const tally_stack *stack, const json_t *windows, const char *path,
                                 const char *tif, tally_error *err)
{
    tally_ties *ties = &stack->survey->ties;
    size_t n = json_array_size(windows);
    tally_ties chosen;
    tally_status s = tally_ties_choose(stack, &chosen, err);
    *ties = chosen;
    if (s != TALLY_OK) return s;
    if (ties->n != n) return not_ours(path, err);
    if (n == 0) return TALLY_OK; /* scenes lie where their files say: trust.c */
    for (size_t t = 0; t < n; t++) {
        const json_t *at = json_array_get(windows, t);
        if (json_integer_value(json_array_get(at, 0)) != ties->boxes[t].x0 ||
            json_integer_value(json_array_get(at, 1)) != ties->boxes[t].y0)
            return not_ours(path, err);
    }
    tally_patch all;
    if ((s = tally_raster_load(tif, &all, err)) != TALLY_OK) return s;
    if (all.width != N || all.height != N * (int)n || all.bands != stack->n_bands)
        s = not_ours(tif, err);
    for (size_t t = 0; t < n && s == TALLY_OK; t++) {
        tally_patch *p = &ties->pixels[t];
        s = tally_patch_init(p, N, N, stack->n_bands, err);
        for (int y = 0; s == TALLY_OK && y < N; y++) {
            memcpy(tally_bits_row(&p->valid, y), tally_bits_row(&all.valid, (int)t * N + y),
                   p->valid.words * sizeof(uint64_t));
            for (int b = 0; b < p->bands; b++)
                memcpy(tally_patch_row(p, b, y), tally_patch_row(&all, b, (int)t * N + y),
                       N * sizeof(float));
        }
    }
    tally_patch_fini(&all);
    return s;
}

/* Does scene i show in the windows exactly what was frozen? */
static tally_status shows_frozen(const tally_context *ctx, const tally_stack *stack, size_t i,
                                 bool *same, tally_error *err)
{
    const tally_ties *ties = &stack->survey->ties;
    *same = true;
    for (size_t t = 0; t < ties->n && *same; t++) {
        const tally_patch *kept = &ties->pixels[t];
        tally_patch p;
        tally_status s = tally_stack_read(ctx, stack, i, ties->boxes[t], &p, err);
        if (s != TALLY_OK) return s;
        for (int y = 0; y < N && *same; y++) {
            *same = memcmp(tally_bits_row(&p.valid, y), tally_bits_row(&kept->valid, y),
                           p.valid.words * sizeof(uint64_t)) == 0;
            for (int b = 0; b < p.bands && *same; b++)
                *same = memcmp(tally_patch_row(&p, b, y), tally_patch_row(kept, b, y),
                               N * sizeof(float)) == 0;
        }
        tally_patch_fini(&p);
    }
    return TALLY_OK;
}

/* A run that was interrupted may not have counted the reference itself: it is the reference still,
 * as long as its pixels are those that were frozen. */
static void find_reference(const tally_context *ctx, tally_stack *stack, const json_t *kept)
{
    const char *id = json_string_value(json_object_get(kept, "reference"));
    for (size_t i = 0; id && i < stack->n; i++) {
        bool same = false;
        if (strcmp(stack->scenes[i].scene->id, id) != 0) continue;
        /* one that cannot be read is no reference; placing it will say so */
        if (shows_frozen(ctx, stack, i, &same, NULL) == TALLY_OK && same) stack->reference = (int)i;
    }
}

tally_status tally_stack_resume(const tally_context *ctx, const tally_site *site,
                                const char *folder, const tally_scene *const *scenes, size_t n,
                                tally_stack **out, tally_error *err)
{
    tally_stack *stack = NULL;
    json_t *keep = NULL, *windows = NULL;
    char *path = tally_format("%s/stack.json", folder),
         *tif = tally_format("%s/reference.tif", folder);
    *out = NULL;
    tally_status s = path && tif ? tally_stack_create(site, scenes, n, &stack, err)
                                 : tally_nomem(err, "stack.json");
    if (s == TALLY_OK && !(stack->survey = tally_alloc(1, sizeof *stack->survey)))
        s = tally_nomem(err, "a survey");
    if (s == TALLY_OK) s = read_json(path, stack, &windows, &keep, err);
    double dx = 0, dy = 0;
    if (s == TALLY_OK) {
        /* windows are chosen before the datum is known */
        dx = stack->datum_x_px, dy = stack->datum_y_px;
        stack->datum_x_px = stack->datum_y_px = 0;
        s = read_windows(stack, windows, path, tif, err);
    }
    if (s == TALLY_OK) find_reference(ctx, stack, keep);
    if (s == TALLY_OK) s = tally_survey_scenes(ctx, stack, stack->survey, err);
    if (s == TALLY_OK) {
        stack->datum_x_px = dx, stack->datum_y_px = dy;
        tally_survey_settle(stack);
    }
    json_decref(keep);
    tally_free(path);
    tally_free(tif);
    if (s != TALLY_OK) tally_stack_destroy(&stack);
    *out = stack;
    return s;
}
