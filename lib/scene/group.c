/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tiles into scenes (CONTRACT.md 3.3). An acquisition is what is tied by a sidecar's id, by
 * siblings' names, by Planet's names, or by one satellite within 60 s over touching ground. Its
 * tiles of one product are one scene; of several products the best is the scene and the others are
 * its duplicates.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "scene/draft.h"

#define SAME_PASS_S 60
#define GSD_FACTOR  1.3 /* CONTRACT.md 1, family */
#define DEGREE_M    111e3

static size_t root_of(tally_draft *d, size_t i)
{
    while (d[i].group != i)
        i = d[i].group = d[d[i].group].group;
    return i;
}

static void join(tally_draft *d, size_t a, size_t b)
{
    a = root_of(d, a);
    b = root_of(d, b);
    if (a < b)
        d[b].group = a;
    else
        d[a].group = b;
}

static int by_tie(const void *a, const void *b, void *drafts)
{
    const tally_draft *x = (tally_draft *)drafts + *(const size_t *)a,
                      *y = (tally_draft *)drafts + *(const size_t *)b;
    int order = strcmp(x->folder, y->folder);
    return order ? order : strcmp(x->naming.tie, y->naming.tie);
}

static int64_t time_of(const tally_draft *d)
{
    return d->n_moments ? d->moments[0].utc : TALLY_NO_TIME;
}

/* By id, then time: what was taken at other times is another scene, even when a careless sidecar
 * gives it the same id. */
static int by_id(const void *a, const void *b, void *drafts)
{
    const tally_draft *x = (tally_draft *)drafts + *(const size_t *)a,
                      *y = (tally_draft *)drafts + *(const size_t *)b;
    int order = strcmp(x->said.id, y->said.id);
    return order ? order : (time_of(x) > time_of(y)) - (time_of(x) < time_of(y));
}

static bool one_acquisition(const tally_draft *x, const tally_draft *y)
{
    if (!*x->said.id || strcmp(x->said.id, y->said.id) != 0) return false;
    if (!x->n_moments || !y->n_moments) return true;
    bool clocks = x->moments[0].has_clock && y->moments[0].has_clock;
    return time_of(y) - time_of(x) <= (clocks ? SAME_PASS_S : 86400);
}

static int by_pass(const void *a, const void *b, void *drafts)
{
    const tally_draft *x = (tally_draft *)drafts + *(const size_t *)a,
                      *y = (tally_draft *)drafts + *(const size_t *)b;
    int order = strcmp(x->said.satellite, y->said.satellite);
    if (order) return order;
    return (time_of(x) > time_of(y)) - (time_of(x) < time_of(y));
}

static bool is_tied(const tally_draft *d)
{
    return d->naming.is_sibling || d->naming.is_planet;
}

static bool in_pass(const tally_draft *d)
{
    return *d->said.satellite && d->n_moments && d->moments[0].has_clock && d->has_footprint;
}

static bool touching(const tally_draft *a, const tally_draft *b)
{
    double gap = 2 * fmax(a->tile.gsd_m, b->tile.gsd_m) / DEGREE_M;
    return a->low.x <= b->high.x + gap && b->low.x <= a->high.x + gap &&
           a->low.y <= b->high.y + gap && b->low.y <= a->high.y + gap;
}

static void join_passes(tally_draft *d, const size_t *order, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const tally_draft *a = &d[order[i]];
        for (size_t j = i + 1; in_pass(a) && j < n; j++) {
            const tally_draft *b = &d[order[j]];
            if (strcmp(a->said.satellite, b->said.satellite) != 0) break;
            if (!in_pass(b)) continue;
            if (time_of(b) - time_of(a) > SAME_PASS_S) break;
            if (touching(a, b)) join(d, order[i], order[j]);
        }
    }
}

static tally_status find_acquisitions(tally_builder *b, tally_error *err)
{
    tally_draft *d = b->drafts;
    size_t n = b->n_drafts, *order = tally_alloc(n, sizeof *order);

    if (!order) return tally_nomem(err, "the scenes");
    for (size_t i = 0; i < n; i++)
        d[i].group = order[i] = i;
    qsort_r(order, n, sizeof *order, by_id, d);
    for (size_t i = 1; i < n; i++)
        if (one_acquisition(&d[order[i - 1]], &d[order[i]])) join(d, order[i - 1], order[i]);
    qsort_r(order, n, sizeof *order, by_tie, d);
    for (size_t i = 1; i < n; i++)
        if (is_tied(&d[order[i - 1]]) && is_tied(&d[order[i]]) &&
            by_tie(&order[i - 1], &order[i], d) == 0)
            join(d, order[i - 1], order[i]);
    qsort_r(order, n, sizeof *order, by_pass, d);
    join_passes(d, order, n);
    for (size_t i = 0; i < n; i++)
        d[i].group = root_of(d, i);
    tally_free(order);
    return TALLY_OK;
}

/* ---- products ---- */

static unsigned roles_of(const tally_tile *t)
{
    unsigned roles = 0;
    for (int r = 0; r < TALLY_BAND_ROLES; r++)
        if (t->bands[r]) roles |= 1u << r;
    return roles;
}

/* A rejected tile may have no bands and no GSD: its name has to do. */
static bool same_product(const tally_draft *a, const tally_draft *b)
{
    if (strcmp(a->naming.product, b->naming.product) != 0) return false;
    if (*a->tile.reason || *b->tile.reason) return true;
    double ratio = a->tile.gsd_m / b->tile.gsd_m;
    return roles_of(&a->tile) == roles_of(&b->tile) && ratio < GSD_FACTOR && ratio > 1 / GSD_FACTOR;
}

/* Unnamed 8-bit red, green, blue is a picture for the eye. */
static void name_product(tally_draft *d)
{
    const unsigned rgb = 1u << TALLY_RED | 1u << TALLY_GREEN | 1u << TALLY_BLUE;
    if (*d->naming.product || *d->tile.reason || !d->is_byte || roles_of(&d->tile) != rgb) return;
    strcpy(d->naming.product, "Visual");
    d->naming.level = TALLY_LEVEL_VISUAL;
}

/* Fit before rejected, then by acquisition, level, product and time: scenes are runs of this order.
 */
static int by_scene(const void *a, const void *b, void *drafts)
{
    const tally_draft *x = (tally_draft *)drafts + *(const size_t *)a,
                      *y = (tally_draft *)drafts + *(const size_t *)b;
    if (x->group != y->group) return x->group < y->group ? -1 : 1;
    if (x->naming.level != y->naming.level) return x->naming.level < y->naming.level ? -1 : 1;
    int order = strcmp(x->naming.product, y->naming.product);
    if (order) return order;
    if (!*x->tile.reason != !*y->tile.reason) return *x->tile.reason ? 1 : -1;
    if (time_of(x) != time_of(y)) return time_of(x) < time_of(y) ? -1 : 1;
    return strcmp(x->tile.path, y->tile.path);
}

/* ---- a scene from its drafts ---- */

static double first_known(double known, double other)
{
    return isnan(known) ? other : known;
}

static void add_said(tally_scene *s, const tally_sidecar *said)
{
    s->sun_azimuth = first_known(s->sun_azimuth, said->sun_azimuth);
    s->sun_elevation = first_known(s->sun_elevation, said->sun_elevation);
    s->off_nadir = first_known(s->off_nadir, said->off_nadir);
    s->view_azimuth = first_known(s->view_azimuth, said->view_azimuth);
    s->cloud = first_known(s->cloud, said->cloud);
    if (!*s->sensor) s->sensor = said->sensor;
}

static void set_time(tally_scene *s, const tally_draft *d)
{
    s->utc = time_of(d);
    s->time_source = d->n_moments ? d->moments[0].source : "";
    s->time_precision = !d->n_moments ? "" : d->moments[0].has_clock ? "second" : "day";
}

static void set_sun(tally_scene *s, const tally_draft *d)
{
    if (!isnan(s->sun_azimuth) && !isnan(s->sun_elevation)) return;
    if (!d->has_footprint || strcmp(s->time_precision, "second") != 0) return;
    tally_sun_position(s->utc, (d->low.x + d->high.x) / 2, (d->low.y + d->high.y) / 2,
                       &s->sun_azimuth, &s->sun_elevation);
}

static const char *id_of(tally_builder *b, const tally_draft *d)
{
    return *d->said.id ? d->said.id : tally_keep(b, d->naming.tie);
}

/* Of a scene's tiles the fit ones are used; without any it is rejected for the first one's reason.
 */
static tally_status fill_scene(tally_builder *b, tally_catalogue *c, const size_t *order, size_t n,
                               tally_scene *s, tally_error *err)
{
    const tally_draft *first = &b->drafts[order[0]];
    size_t fit = 0;

    *s = (tally_scene) { .id = id_of(b, first),
                         .family = "",
                         .sensor = "",
                         .reason = first->tile.reason,
                         .gsd_m = first->tile.gsd_m,
                         .epsg = first->tile.epsg,
                         .sun_azimuth = NAN,
                         .sun_elevation = NAN,
                         .off_nadir = NAN,
                         .view_azimuth = NAN,
                         .cloud = NAN };
    s->tiles = tally_alloc(n, sizeof *s->tiles);
    if (!s->tiles) return tally_nomem(err, "the scenes");
    for (int r = 0; r < TALLY_BAND_ROLES; r++)
        s->bands[r] = 1;
    while (fit < n && !*b->drafts[order[fit]].tile.reason)
        fit++;
    for (size_t i = 0; i < (fit ? fit : n); i++) {
        const tally_draft *d = &b->drafts[order[i]];
        s->tiles[s->n_tiles++] = &c->tiles[order[i]];
        for (int r = 0; r < TALLY_BAND_ROLES; r++)
            s->bands[r] &= d->tile.bands[r] != 0;
        add_said(s, &d->said);
    }
    for (size_t i = fit; fit && i < n; i++)
        tally_warn(b->ctx, "%s: %s; its scene goes on without it", b->drafts[order[i]].tile.path,
                   b->drafts[order[i]].tile.reason);
    set_time(s, first);
    set_sun(s, first);
    return TALLY_OK;
}

/* A grey or a radar picture of the same pass is another kind of evidence, no duplicate. */
static bool is_colour(const tally_scene *s)
{
    return s->bands[TALLY_GREEN] || s->bands[TALLY_RED] || s->bands[TALLY_BLUE];
}

static void mark_duplicates(tally_scene *s, size_t n)
{
    for (size_t i = 1; i < n; i++)
        for (size_t k = 0; k < i && !s[i].duplicate_of; k++) {
            double ratio = s[i].gsd_m / s[k].gsd_m;
            if (*s[i].reason || *s[k].reason || s[k].duplicate_of || !is_colour(&s[i]) ||
                !is_colour(&s[k]))
                continue;
            if (ratio < GSD_FACTOR && ratio > 1 / GSD_FACTOR) s[i].duplicate_of = s[k].id;
        }
}

/* A scene without a time has no place in a series. One alone can still be counted. */
static void judge_undated(tally_builder *b, tally_catalogue *c)
{
    size_t fit = 0;
    for (size_t i = 0; i < c->n_scenes; i++)
        fit += !*c->scenes[i].reason;
    for (size_t i = 0; i < c->n_scenes; i++) {
        tally_scene *s = &c->scenes[i];
        if (*s->reason || s->utc != TALLY_NO_TIME) continue;
        if (fit == 1)
            tally_warn(b->ctx, "%s: has no time; it is counted, but is no part of a series",
                       s->tiles[0]->path);
        else
            s->reason = tally_keep(b, "has no time: put it into the name (YYYYMMDD_HHMMSS) or into "
                                      "a STAC item beside it");
    }
}

static int by_time(const void *a, const void *b)
{
    const tally_scene *x = a, *y = b;
    if (x->utc != y->utc) return x->utc < y->utc ? -1 : 1;
    if (!x->duplicate_of != !y->duplicate_of) return x->duplicate_of ? 1 : -1;
    int order = strcmp(x->id, y->id);
    return order ? order : strcmp(x->tiles[0]->path, y->tiles[0]->path);
}

static int by_scene_id(const void *a, const void *b)
{
    const tally_scene *const *x = a, *const *y = b;
    int order = strcmp((*x)->id, (*y)->id);
    return order ? order : (*x > *y) - (*x < *y);
}

/* The number of the name `numbered` of `id`: 1 for the id itself, k for id#k, 0: another's name. */
static size_t number_of(const char *numbered, const char *id)
{
    size_t n = strlen(id);
    if (strncmp(numbered, id, n) != 0) return 0;
    if (!numbered[n]) return 1;
    char *end;
    if (numbered[n] != '#') return 0;
    unsigned long k = strtoul(numbered + n + 1, &end, 10);
    return *end || k < 2 ? 0 : k;
}

static bool number_taken(const size_t *taken, size_t n, size_t number)
{
    for (size_t i = 0; i < n; i++)
        if (taken[i] == number) return true;
    return false;
}

static bool is_file(const char *known, const char *path)
{
    char *full = realpath(path, NULL);
    bool same = strcmp(known, full ? full : path) == 0;
    free(full);
    return same;
}

/* The number that an earlier run gave to this scene: to its file (whose sidecar may have changed),
 * else to its time (the file may have moved). 0: none that is free. */
static size_t known_number(const tally_catalogue_settings *look, const tally_scene *scene,
                           const size_t *taken, size_t n_taken)
{
    size_t by_time = 0;
    for (size_t i = 0; i < look->n_known; i++) {
        size_t number = number_of(look->known[i].id, scene->id);
        if (!number || number_taken(taken, n_taken, number)) continue;
        if (is_file(look->known[i].file, scene->tiles[0]->path)) return number;
        if (!by_time && look->known[i].utc == scene->utc) by_time = number;
    }
    return by_time;
}

/* Is the number one of a scene of another time, which an earlier run named? */
static bool number_known(const tally_catalogue_settings *look, const char *id, size_t number)
{
    for (size_t i = 0; i < look->n_known; i++)
        if (number_of(look->known[i].id, id) == number) return true;
    return false;
}

/* Scenes of one id, by time: what is known keeps its number, the others get those left. Two scenes
 * of one time (products of one pass) are told apart by their order, which is fixed. */
static tally_status number_alike(tally_builder *b, tally_scene **alike, size_t n, tally_error *err)
{
    const char *id = alike[0]->id;
    size_t *numbers = tally_alloc(n, sizeof *numbers), next = 1;
    if (!numbers) return tally_nomem(err, "the scenes");
    for (size_t i = 0; i < n; i++)
        numbers[i] = known_number(b->settings, alike[i], numbers, i);
    for (size_t i = 0; i < n; i++) {
        while (!numbers[i] &&
               (number_taken(numbers, n, next) || number_known(b->settings, id, next)))
            next++;
        if (!numbers[i]) numbers[i] = next;
        if (numbers[i] == 1) continue;
        char *numbered = tally_format("%s#%zu", id, numbers[i]);
        alike[i]->id = tally_keep(b, numbered ? numbered : id);
        tally_free(numbered);
    }
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; alike[i]->duplicate_of && k < n; k++)
            if (!alike[k]->duplicate_of && alike[k]->utc == alike[i]->utc &&
                strcmp(alike[i]->duplicate_of, id) == 0)
                alike[i]->duplicate_of = alike[k]->id;
    tally_free(numbers);
    return TALLY_OK;
}

/* The second scene of one id becomes id#2, in order of time. */
static tally_status number_ids(tally_builder *b, tally_catalogue *c, tally_error *err)
{
    tally_status s = TALLY_OK;
    tally_scene **order = tally_alloc(c->n_scenes, sizeof *order);
    if (!order) return tally_nomem(err, "the scenes");
    for (size_t i = 0; i < c->n_scenes; i++)
        order[i] = &c->scenes[i];
    qsort(order, c->n_scenes, sizeof *order, by_scene_id);
    for (size_t i = 0, end; i < c->n_scenes && s == TALLY_OK; i = end) {
        for (end = i + 1; end < c->n_scenes && strcmp(order[end]->id, order[i]->id) == 0; end++)
            ;
        s = number_alike(b, order + i, end - i, err);
    }
    tally_free(order);
    return s;
}

tally_status tally_scenes_make(tally_builder *b, tally_catalogue *c, tally_error *err)
{
    tally_draft *d = b->drafts;
    size_t n = b->n_drafts, group_at = 0, *order = tally_alloc(n, sizeof *order);
    tally_status s = order ? find_acquisitions(b, err) : tally_nomem(err, "the scenes");

    c->scenes = tally_alloc(n, sizeof *c->scenes);
    if (s == TALLY_OK && !c->scenes) s = tally_nomem(err, "the scenes");
    for (size_t i = 0; i < n && s == TALLY_OK; i++) {
        order[i] = i;
        name_product(&d[i]);
    }
    if (s == TALLY_OK) qsort_r(order, n, sizeof *order, by_scene, d);
    for (size_t i = 0, end; i < n && s == TALLY_OK; i = end) {
        const tally_draft *first = &d[order[i]];
        for (end = i + 1;
             end < n && d[order[end]].group == first->group && same_product(first, &d[order[end]]);
             end++)
            ;
        s = fill_scene(b, c, order + i, end - i, &c->scenes[c->n_scenes], err);
        if (c->scenes[c->n_scenes].tiles) c->n_scenes++;
        if (end == n || d[order[end]].group != first->group) {
            mark_duplicates(c->scenes + group_at, c->n_scenes - group_at);
            group_at = c->n_scenes;
        }
    }
    tally_free(order);
    if (s != TALLY_OK) return s;
    judge_undated(b, c);
    qsort(c->scenes, c->n_scenes, sizeof *c->scenes, by_time);
    return number_ids(b, c, err);
}

/* ---- families ---- */

/* The product and bands, before the GSD: "AnalyticMS_SR-bgrn", "sar-ascending-vv". */
static char *kind_of(const tally_builder *b, const tally_catalogue *c, const tally_scene *s)
{
    static const char *const letters[TALLY_BAND_ROLES] = { "b",  "g",  "r",  "n",  "p",
                                                           "vv", "vh", "hh", "hv", "" };
    const tally_draft *d = &b->drafts[s->tiles[0] - c->tiles];
    char bands[32] = "";
    bool sar = false;
    for (int r = TALLY_VV; r < TALLY_BAND_ROLES; r++)
        sar = sar || s->bands[r];
    for (int r = 0; r < TALLY_BAND_ROLES; r++)
        if (s->bands[r]) strcat(bands, letters[r]);
    const char *orbit = *d->said.orbit ? d->said.orbit : "any";
    const char *dash = *bands ? "-" : "";
    /* another track looks from another angle: a quay shines elsewhere */
    if (sar && d->said.relative_orbit > 0)
        return tally_format("sar-%s-%d%s%s", orbit, d->said.relative_orbit, dash, bands);
    if (sar) return tally_format("sar-%s%s%s", orbit, dash, bands);
    return tally_format("%s-%s", *d->naming.product ? d->naming.product : "image", bands);
}

typedef struct kin {
    char *kind;
    tally_scene *scene;
} kin;

static int by_kind(const void *a, const void *b)
{
    const kin *x = a, *y = b;
    int order = strcmp(x->kind, y->kind);
    if (order) return order;
    if (x->scene->gsd_m != y->scene->gsd_m) return x->scene->gsd_m < y->scene->gsd_m ? -1 : 1;
    return (x->scene > y->scene) - (x->scene < y->scene);
}

/* The family of this kind, and of a GSD within the factor, that an earlier run named; NULL: none.
 */
static const char *known_family(const tally_catalogue_settings *look, const kin *k)
{
    size_t n = strlen(k->kind);
    const char *best = NULL;
    double closest = GSD_FACTOR;
    for (size_t i = 0; i < look->n_known; i++) {
        const char *family = look->known[i].family;
        if (strncmp(family, k->kind, n) != 0 || family[n] != '-') continue;
        double gsd_m = strtod(family + n + 1, NULL);
        double apart =
            gsd_m > 0 ? fmax(k->scene->gsd_m / gsd_m, gsd_m / k->scene->gsd_m) : INFINITY;
        if (apart < closest) {
            closest = apart;
            best = family;
        }
    }
    return best;
}

/* In order of GSD; a family reaches from its finest scene to 1.3 times that, so that no chain
 * grows. */
tally_status tally_families_name(tally_builder *b, tally_catalogue *c, tally_error *err)
{
    kin *all = tally_alloc(c->n_scenes, sizeof *all);
    size_t n = 0, first = 0;
    tally_status s = all ? TALLY_OK : tally_nomem(err, "the families");

    for (size_t i = 0; i < c->n_scenes && s == TALLY_OK; i++) {
        if (*c->scenes[i].reason) continue;
        all[n].scene = &c->scenes[i];
        all[n].kind = kind_of(b, c, &c->scenes[i]);
        if (!all[n].kind)
            s = tally_nomem(err, "the families");
        else
            n++;
    }
    if (s == TALLY_OK && n) qsort(all, n, sizeof *all, by_kind);
    for (size_t i = 0, any = 0; i < n && s == TALLY_OK; i++) {
        const char *known = known_family(b->settings, &all[i]);
        if (known) {
            all[i].scene->family = tally_keep(b, known);
            continue;
        }
        if (!any || strcmp(all[i].kind, all[first].kind) != 0 ||
            all[i].scene->gsd_m > GSD_FACTOR * all[first].scene->gsd_m)
            first = i;
        any = 1;
        char *name = tally_format("%s-%.2gm", all[first].kind, all[first].scene->gsd_m);
        all[i].scene->family = tally_keep(b, name ? name : "");
        tally_free(name);
    }
    for (size_t i = 0; i < n; i++)
        tally_free(all[i].kind);
    tally_free(all);
    return s;
}
