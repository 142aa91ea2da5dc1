/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What was learned of a track, as layers of its unit's background, and back. */
#include "count/rail_keep.h"

#include <math.h>
#include <stdio.h>

static void layer_name(char name[40], size_t zone, const char *what)
{
    snprintf(name, 40, "z%zu_%s", zone, what);
}

tally_status tally_rail_keep(const tally_stack *stack, const tally_unit *unit, const tally_track *t,
                             const tally_rail_empty *e, tally_model *model, tally_error *err)
{
    char name[40];
    tally_patch noise = { 0 }, known = { 0 };
    int bands = e->level.bands;
    /* row 0: over dates; row 1: along the track */
    tally_status s = tally_patch_init(&noise, t->lanes, 2, bands, err);
    if (s == TALLY_OK) s = tally_patch_init(&known, t->n, 1, 1, err);
    for (int lane = 0; s == TALLY_OK && lane < t->lanes; lane++) {
        for (int b = 0; b < bands; b++) {
            tally_patch_row(&noise, b, 0)[lane] = e->sigma[lane][b];
            tally_patch_row(&noise, b, 1)[lane] = e->spread[lane][b];
        }
        tally_bits_set(&noise.valid, lane, 0);
        tally_bits_set(&noise.valid, lane, 1);
    }
    for (int c = 0; s == TALLY_OK && c < t->n; c++) {
        tally_bits_set(&known.valid, c, 0);
        tally_patch_row(&known, 0, 0)[c] = e->known[c];
    }
    layer_name(name, t->zone, "level");
    if (s == TALLY_OK) s = tally_model_put(model, stack, unit->name, name, &e->level, NULL, err);
    layer_name(name, t->zone, "noise");
    if (s == TALLY_OK) s = tally_model_put(model, stack, unit->name, name, &noise, NULL, err);
    layer_name(name, t->zone, "known");
    if (s == TALLY_OK) s = tally_model_put(model, stack, unit->name, name, &known, NULL, err);
    for (int c = 0; s == TALLY_OK && e->usual && c < t->n; c++)
        tally_patch_row(&known, 0, 0)[c] = e->usual[c];
    layer_name(name, t->zone, "usual");
    if (s == TALLY_OK && e->usual)
        s = tally_model_put(model, stack, unit->name, name, &known, NULL, err);
    for (int c = 0; s == TALLY_OK && e->over && c < t->n; c++)
        tally_patch_row(&known, 0, 0)[c] = e->over[c];
    layer_name(name, t->zone, "over");
    if (s == TALLY_OK && e->over)
        s = tally_model_put(model, stack, unit->name, name, &known, NULL, err);
    tally_patch_fini(&noise);
    tally_patch_fini(&known);
    return s;
}

/* A share of dates for each column; stays NULL where a background has not learned it. */
static tally_status get_share(const tally_unit *unit, const tally_track *t,
                              const tally_model *model, const char *what, float **out,
                              tally_error *err)
{
    char name[40];
    tally_patch shares = { 0 };
    tally_error none = { 0 };
    layer_name(name, t->zone, what);
    tally_status s = tally_model_get(model, unit->name, name, &shares, &none);
    if (s == TALLY_E_NODATA) return TALLY_OK;
    if (s != TALLY_OK) return tally_fail(err, s, "%s", none.message);
    if (shares.width != t->n)
        s = tally_fail(err, TALLY_E_FORMAT,
                       "%s_%s: another size than the track; use --fresh to start over", unit->name,
                       name);
    else if (!(*out = tally_alloc((size_t)t->n, sizeof **out)))
        s = tally_nomem(err, "a track");
    for (int c = 0; s == TALLY_OK && c < t->n; c++) {
        const float share = tally_patch_row(&shares, 0, 0)[c];
        (*out)[c] = isfinite(share) ? fminf(fmaxf(share, 0), 1) : 0;
    }
    tally_patch_fini(&shares);
    return s;
}

tally_status tally_rail_recall(const tally_unit *unit, const tally_track *t,
                               const tally_model *model, int bands, tally_rail_empty *e,
                               tally_error *err)
{
    char name[40];
    tally_patch noise = { 0 }, known = { 0 };
    *e = (tally_rail_empty) { 0 };
    layer_name(name, t->zone, "level");
    tally_status s = tally_model_get(model, unit->name, name, &e->level, err);
    layer_name(name, t->zone, "noise");
    if (s == TALLY_OK) s = tally_model_get(model, unit->name, name, &noise, err);
    layer_name(name, t->zone, "known");
    if (s == TALLY_OK) s = tally_model_get(model, unit->name, name, &known, err);
    if (s == TALLY_OK && (e->level.width != t->n || e->level.height != t->lanes ||
                          e->level.bands != bands || noise.width != t->lanes || noise.height != 2 ||
                          noise.bands != bands || known.width != t->n))
        s = tally_fail(err, TALLY_E_FORMAT,
                       "%s_%s: another size than the track; use --fresh to start over", unit->name,
                       name);
    if (s == TALLY_OK && !(e->known = tally_alloc((size_t)t->n, sizeof *e->known)))
        s = tally_nomem(err, "a track");
    for (int lane = 0; s == TALLY_OK && lane < t->lanes; lane++)
        for (int b = 0; b < bands; b++) {
            e->sigma[lane][b] = fmaxf(tally_patch_row(&noise, b, 0)[lane], 1e-6f);
            e->spread[lane][b] = tally_patch_row(&noise, b, 1)[lane];
        }
    for (int c = 0; s == TALLY_OK && c < t->n; c++)
        e->known[c] = tally_patch_row(&known, 0, 0)[c];
    if (s == TALLY_OK) s = get_share(unit, t, model, "usual", &e->usual, err);
    if (s == TALLY_OK) s = get_share(unit, t, model, "over", &e->over, err);
    tally_patch_fini(&noise);
    tally_patch_fini(&known);
    if (s != TALLY_OK) tally_rail_empty_fini(e);
    return s;
}
