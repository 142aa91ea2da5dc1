/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What lies beside a tile: a STAC Item, Planet's metadata, Maxar's IMD or XML
 * (CONTRACT.md 3.2, 3.4, 3.5). */
#include <cpl_conv.h>
#include <cpl_vsi.h>
#include <jansson.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#include "scene/sensor.h"

#define MOST_BYTES (16 << 20)

void tally_sidecar_none(tally_sidecar *out)
{
    *out = (tally_sidecar) { .id = "",
                             .satellite = "",
                             .sensor = "",
                             .orbit = "",
                             .polarisation = -1,
                             .sun_azimuth = NAN,
                             .sun_elevation = NAN,
                             .off_nadir = NAN,
                             .view_azimuth = NAN,
                             .cloud = NAN,
                             .gsd_m = NAN };
}

/* A number within its range, else unknown. */
static double number(const json_t *object, const char *key, double low, double high)
{
    const json_t *value = json_object_get(object, key);
    double x = json_is_number(value) ? json_number_value(value) : NAN;
    return x >= low && x <= high ? x : NAN;
}

static double turned(double azimuth, double by)
{
    return isnan(azimuth) ? NAN : fmod(azimuth + by + 720, 360);
}

static const char *text(tally_builder *b, const json_t *object, const char *key)
{
    const char *value = json_string_value(json_object_get(object, key));
    return value ? tally_keep(b, value) : "";
}

static void add_moment(tally_sidecar *out, const char *source, const char *value)
{
    tally_moment m = { .source = source };
    if (!value || out->n_moments == 2 || !tally_utc_parse(value, &m.utc, &m.has_clock)) return;
    out->moments[out->n_moments++] = m;
}

static int role_of(const json_t *band)
{
    static const char *const keys[] = { "common_name", "eo:common_name", "name" };
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *word = json_string_value(json_object_get(band, keys[i]));
        int role = word ? tally_band_role_parse(word) : -1;
        if (role >= 0) return role;
    }
    return -1;
}

/* The bands of the asset that the file is; a single asset needs no matching. */
static void read_bands(const json_t *item, const char *key, const char *file, tally_sidecar *out)
{
    json_t *assets = json_object_get(item, "assets"),
           *asset = key ? json_object_get(assets, key) : NULL;
    const char *name;
    json_t *each;
    json_object_foreach(assets, name, each)
    {
        const char *href = json_string_value(json_object_get(each, "href"));
        if (!asset && href && strcasecmp(CPLGetFilename(href), file) == 0) asset = each;
    }
    const json_t *bands = json_object_get(asset, "eo:bands");
    if (!bands) bands = json_object_get(asset, "bands");
    if (!bands) bands = json_object_get(json_object_get(item, "properties"), "eo:bands");
    size_t n = json_array_size(bands);
    for (size_t i = 0; i < n && i < TALLY_NAMED_BANDS; i++) {
        out->roles[i] = role_of(json_array_get(bands, i));
        out->n_roles = (int)i + 1;
    }
}

void tally_sidecar_item(tally_builder *b, const json_t *item, const char *asset, const char *file,
                        tally_sidecar *out)
{
    const json_t *p = json_object_get(item, "properties");

    out->id = text(b, item, "id");
    const char *datetime = json_string_value(json_object_get(p, "datetime"));
    add_moment(out, "stac",
               datetime ? datetime : json_string_value(json_object_get(p, "start_datetime")));
    out->sun_azimuth = turned(number(p, "view:sun_azimuth", -360, 360), 0);
    out->sun_elevation = number(p, "view:sun_elevation", -90, 90);
    out->off_nadir = number(p, "view:off_nadir", 0, 90);
    /* STAC looks from the point below the satellite; we look from the ground */
    out->view_azimuth = turned(number(p, "view:azimuth", -360, 360), 180);
    out->cloud = number(p, "eo:cloud_cover", 0, 100);
    out->gsd_m = number(p, "gsd", 0.01, 10000);
    out->satellite = text(b, p, "platform");
    out->orbit = text(b, p, "sat:orbit_state");
    const double track = number(p, "sat:relative_orbit", 1, 100000);
    out->relative_orbit = isnan(track) ? 0 : (int)track;
    out->is_radar = tally_item_is_radar(p);
    const json_t *polarisations = json_object_get(p, "sar:polarizations");
    const char *first = json_string_value(json_array_get(polarisations, 0));
    if (first && json_array_size(polarisations) == 1)
        out->polarisation = tally_band_role_parse(first);
    const char *instrument =
        json_string_value(json_array_get(json_object_get(p, "instruments"), 0));
    out->sensor = *out->satellite ? out->satellite : instrument ? tally_keep(b, instrument) : "";
    read_bands(item, asset, file, out);
}

/* cloud_cover is a fraction, negative unknown; cloud_percent is what it says. */
static double planet_cloud(const json_t *p)
{
    double fraction = number(p, "cloud_cover", 0, 1);
    return isnan(fraction) ? number(p, "cloud_percent", 0, 100) : 100 * fraction;
}

static void read_planet(tally_builder *b, const json_t *item, tally_sidecar *out)
{
    const json_t *p = json_object_get(item, "properties");

    out->id = text(b, item, "id");
    add_moment(out, "sidecar", json_string_value(json_object_get(p, "acquired")));
    out->sun_azimuth = turned(number(p, "sun_azimuth", -360, 360), 0);
    out->sun_elevation = number(p, "sun_elevation", -90, 90);
    out->off_nadir =
        fabs(number(p, "view_angle", -90, 90)); /* signed where the satellite rolls to both sides */
    out->view_azimuth = turned(number(p, "satellite_azimuth", -360, 360), 0);
    out->cloud = planet_cloud(p);
    out->gsd_m = number(p, "gsd", 0.01, 10000);
    out->satellite = text(b, p, "satellite_id");
    out->sensor = text(b, p, "instrument");
    if (!*out->sensor) out->sensor = out->satellite;
}

static json_t *load(const char *path)
{
    GByte *bytes = NULL;
    vsi_l_offset size = 0;
    VSIStatBufL stat;
    json_t *root = NULL;

    if (VSIStatL(path, &stat) == 0 && VSIIngestFile(NULL, path, &bytes, &size, MOST_BYTES))
        root = json_loadb((const char *)bytes, (size_t)size, 0, NULL);
    VSIFree(bytes);
    return root;
}

/* STAC or Planet, whichever the properties show. */
static bool read_json(tally_builder *b, const tally_draft *d, const char *name, tally_sidecar *out)
{
    char *path = tally_format("%s%s", d->folder, name);
    json_t *root = path ? load(path) : NULL;
    const json_t *p = json_object_get(root, "properties");
    bool found = true;

    if (json_object_get(p, "acquired"))
        read_planet(b, root, out);
    else if (json_object_get(p, "datetime") || json_object_get(p, "start_datetime"))
        tally_sidecar_item(b, root, NULL, CPLGetFilename(d->tile.path), out);
    else
        found = false;
    json_decref(root);
    tally_free(path);
    return found;
}

static bool read_maxar(tally_builder *b, const tally_draft *d, const char *stem, tally_sidecar *out)
{
    static const char *const endings[] = { "IMD", "imd", "XML", "xml" };
    bool found = false;
    for (size_t i = 0; i < sizeof endings / sizeof *endings && !found; i++) {
        char *path = tally_format("%s%s.%s", d->folder, stem, endings[i]);
        found = path && tally_maxar_read(b, path, out);
        tally_free(path);
    }
    return found;
}

/* A delivery's IMD is named without the tile: ...-M2AS-xxx_P001.IMD for ...-M2AS_R1C1-xxx_P001.TIF
 */
static char *without_tile(const char *stem)
{
    char *copy = tally_strdup(stem);
    for (char *p = copy; p && (p = strchr(p, '_')) != NULL; p++) {
        int row, column, n = 0;
        if (sscanf(p, "_%*1[rR]%4d%*1[cC]%4d%n", &row, &column, &n) == 2 && n > 0) {
            memmove(p, p + n, strlen(p + n) + 1);
            return copy;
        }
    }
    tally_free(copy);
    return NULL;
}

void tally_sidecar_read(tally_builder *b, const tally_draft *d, tally_sidecar *out)
{
    char *name;
    bool found = false;

    tally_sidecar_none(out);
    if (d->item) {
        tally_sidecar_item(b, d->item, d->item_asset, CPLGetFilename(d->tile.path), out);
        return;
    }
    if ((name = tally_format("%s.json", d->stem)) != NULL) found = read_json(b, d, name, out);
    tally_free(name);
    if (!found && d->naming.is_planet &&
        (name = tally_format("%s_metadata.json", d->naming.tie)) != NULL) {
        found = read_json(b, d, name, out);
        tally_free(name);
    }
    if (!found) found = read_maxar(b, d, d->stem, out);
    if (!found && d->naming.is_sibling && (name = without_tile(d->stem)) != NULL) {
        found = read_maxar(b, d, name, out);
        tally_free(name);
    }
    /* Planet's id ends in the satellite's number */
    const char *last = strrchr(d->naming.tie, '_');
    if (d->naming.is_planet && !*out->satellite && last) out->satellite = tally_keep(b, last + 1);
}
