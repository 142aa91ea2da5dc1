/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The catalogue as a table or as JSON. */
#include "tallyman/scan.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scene/scene.h"

static void list_roles(const int *bands, char *out, size_t size)
{
    size_t used = 0;
    out[0] = '\0';
    for (int r = 0; r < TALLY_BAND_ROLES; r++)
        if (bands[r]) {
            int n = snprintf(out + used, size - used, "%s%s", used ? "," : "",
                             tally_band_role_name((tally_band_role)r));
            used += n > 0 ? (size_t)n : 0;
        }
}

/* "-" for what is unknown. */
static const char *show(double value, int decimals, char out[32])
{
    if (isnan(value))
        snprintf(out, 32, "-");
    else
        snprintf(out, 32, "%.*f", decimals, value);
    return out;
}

static void tile_line(tally_text *t, const tally_tile *tile)
{
    char roles[64], gsd[32], crs[32];
    list_roles(tile->bands, roles, sizeof roles);
    if (tile->epsg)
        snprintf(crs, sizeof crs, "EPSG:%d", tile->epsg);
    else
        snprintf(crs, sizeof crs, "%s", tile->wkt && *tile->wkt ? "own CRS" : "no CRS");
    tally_text_add(t, "    %s: %d x %d, %s, %s m, %d band%s (%s)", tile->path, tile->width,
                   tile->height, crs, show(tile->gsd_m, 3, gsd), tile->n_bands,
                   tile->n_bands == 1 ? "" : "s", *roles ? roles : "roles unknown");
    if (tile->mask_path) tally_text_add(t, ", mask %s", tile->mask_path);
    if (*tile->warning) tally_text_add(t, "; note: %s", tile->warning);
    if (*tile->reason) tally_text_add(t, "; WRONG: %s", tile->reason);
    tally_text_add(t, "\n");
}

static void scene_line(tally_text *t, const tally_scene *s, int wide)
{
    char time[24], azimuth[32], elevation[32], nadir[32], cloud[32], by[64];
    tally_utc_format(s->utc, time);
    snprintf(by, sizeof by, "%s%s%s", *s->time_source ? s->time_source : "-",
             *s->time_precision ? "/" : "", s->time_precision);
    tally_text_add(t, "%-*s  %-20s  %-14s  %-24s  %6s  %5s  %5s  %5s  ", wide, s->id,
                   *time ? time : "no time", by, *s->family ? s->family : "-",
                   show(s->sun_azimuth, 1, azimuth), show(s->sun_elevation, 1, elevation),
                   show(s->off_nadir, 1, nadir), show(s->cloud, 0, cloud));
    if (*s->reason)
        tally_text_add(t, "rejected: %s", s->reason);
    else if (s->duplicate_of)
        tally_text_add(t, "duplicate of %s", s->duplicate_of);
    else
        tally_text_add(t, "ok");
    tally_text_add(t, "\n");
}

static void add_table(tally_text *t, const tally_catalogue *c)
{
    int wide = 5;
    for (size_t i = 0; i < c->n_scenes; i++)
        if ((int)strlen(c->scenes[i].id) > wide) wide = (int)strlen(c->scenes[i].id);
    tally_text_add(t, "%-*s  %-20s  %-14s  %-24s  %6s  %5s  %5s  %5s  %s\n", wide, "scene",
                   "time (UTC)", "time from", "family", "sun az", "el", "view", "cloud", "state");
    for (size_t i = 0; i < c->n_scenes; i++) {
        scene_line(t, &c->scenes[i], wide);
        for (size_t k = 0; k < c->scenes[i].n_tiles; k++)
            tile_line(t, c->scenes[i].tiles[k]);
    }
}

static json_t *real(double value)
{
    return isfinite(value) ? json_real(tally_round_to(value, 1e4)) : json_null();
}

static json_t *tile_json(const tally_tile *t)
{
    json_t *bands = json_object();
    for (int r = 0; r < TALLY_BAND_ROLES; r++)
        if (t->bands[r])
            json_object_set_new(bands, tally_band_role_name((tally_band_role)r),
                                json_integer(t->bands[r]));
    json_t *o = json_object();
    json_object_set_new(o, "path", json_string(t->path));
    json_object_set_new(o, "mask", t->mask_path ? json_string(t->mask_path) : json_null());
    json_object_set_new(o, "width", json_integer(t->width));
    json_object_set_new(o, "height", json_integer(t->height));
    json_object_set_new(o, "n_bands", json_integer(t->n_bands));
    json_object_set_new(o, "bands", bands);
    json_object_set_new(o, "epsg", t->epsg ? json_integer(t->epsg) : json_null());
    json_object_set_new(o, "gsd_m", real(t->gsd_m));
    json_object_set_new(o, "nodata", real(t->nodata));
    json_object_set_new(o, "warning", json_string(t->warning));
    json_object_set_new(o, "reason", json_string(t->reason));
    return o;
}

static json_t *scene_json(const tally_scene *s)
{
    char time[24];
    json_t *tiles = json_array(), *o = json_object();
    tally_utc_format(s->utc, time);
    json_object_set_new(o, "scene", json_string(s->id));
    json_object_set_new(o, "datetime", *time ? json_string(time) : json_null());
    json_object_set_new(o, "time_source", json_string(s->time_source));
    json_object_set_new(o, "time_precision", json_string(s->time_precision));
    json_object_set_new(o, "family", json_string(s->family));
    json_object_set_new(o, "sensor", json_string(s->sensor));
    json_object_set_new(o, "gsd_m", real(s->gsd_m));
    json_object_set_new(o, "sun_azimuth", real(s->sun_azimuth));
    json_object_set_new(o, "sun_elevation", real(s->sun_elevation));
    json_object_set_new(o, "off_nadir", real(s->off_nadir));
    json_object_set_new(o, "view_azimuth", real(s->view_azimuth));
    json_object_set_new(o, "cloud", real(s->cloud));
    json_object_set_new(o, "quality", json_string(*s->reason ? "rejected" : "ok"));
    json_object_set_new(o, "reason", json_string(s->reason));
    json_object_set_new(o, "duplicate_of",
                        s->duplicate_of ? json_string(s->duplicate_of) : json_null());
    for (size_t i = 0; i < s->n_tiles; i++)
        json_array_append_new(tiles, tile_json(s->tiles[i]));
    json_object_set_new(o, "tiles", tiles);
    return o;
}

static void add_json(tally_text *t, const tally_catalogue *c)
{
    json_t *scenes = json_array(), *root = json_object();
    for (size_t i = 0; i < c->n_scenes; i++)
        json_array_append_new(scenes, scene_json(&c->scenes[i]));
    json_object_set_new(root, "scenes", scenes);
    char *dump = json_dumps(root, JSON_INDENT(1) | JSON_REAL_PRECISION(10));
    json_decref(root);
    if (dump)
        tally_text_add(t, "%s\n", dump);
    else
        t->failed = true;
    free(dump);
}

static tally_status parse_nodata(const char *word, double *out, tally_error *err)
{
    char *end;
    *out = NAN;
    if (!word) return TALLY_OK;
    *out = strtod(word, &end);
    if (end == word || *end || isinf(*out))
        return tally_fail(err, TALLY_E_ARG,
                          "--nodata %s: is no number; give the value of empty pixels, such as 0",
                          word);
    return TALLY_OK;
}

tally_status tally_scan(const tally_context *ctx, const tally_scan_settings *settings,
                        tally_scan_result *result, tally_error *err)
{
    tally_catalogue_settings look = { .inputs = settings->inputs,
                                      .n_inputs = settings->n_inputs,
                                      .bands = settings->bands };
    tally_catalogue *c = NULL;
    tally_text text = { 0 };

    *result = (tally_scan_result) { 0 };
    tally_status s = parse_nodata(settings->nodata, &look.nodata, err);
    if (s != TALLY_OK) return s;
    const int sensor = tally_sensor_parse(settings->sensor);
    if (sensor < 0)
        return tally_fail(err, TALLY_E_ARG, "--sensor %s: is none of auto, optical, sar; give one",
                          settings->sensor);
    look.sensor = (tally_sensor_kind)sensor;
    tally_gdal_begin();
    if ((s = tally_catalogue_read(ctx, &look, &c, err)) != TALLY_OK) return s;
    result->n_scenes = c->n_scenes;
    result->n_tiles = c->n_tiles;
    for (size_t i = 0; i < c->n_scenes; i++)
        if (*c->scenes[i].reason) {
            tally_warn(ctx, "%s: left out: %s", c->scenes[i].tiles[0]->path, c->scenes[i].reason);
            result->n_left_out++;
        }
    if (settings->format == TALLY_SCAN_JSON)
        add_json(&text, c);
    else
        add_table(&text, c);
    tally_catalogue_destroy(&c);
    if (!text.failed) result->text = tally_strdup(text.bytes ? text.bytes : "");
    tally_text_fini(&text);
    return result->text ? TALLY_OK : tally_nomem(err, "the list of scenes");
}

void tally_scan_fini(tally_scan_result *result)
{
    tally_free(result->text);
    *result = (tally_scan_result) { 0 };
}
