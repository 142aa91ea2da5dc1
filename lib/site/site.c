/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A site file through OGR: each feature a zone, each doubt an error that names the feature and what
 * to do. */
#include "site/site.h"

#include <cpl_conv.h>
#include <cpl_string.h>
#include <gdal.h>
#include <jansson.h>
#include <math.h>
#include <ogr_srs_api.h>
#include <string.h>

#include "site/crs.h"
#include "site/shape.h"

#define MOST_ZONES    10000
#define MOST_BYTES    (64 << 20)
#define LONGEST_NAME  200
#define WIDEST_SITE_M 200e3 /* beyond it one UTM zone no longer gives true metres */

static const char *const role_names[] = { "track", "yard", "water", "berth", "stable", "ignore" };

const char *tally_role_name(tally_role role)
{
    return (unsigned)role < TALLY_ROLE_COUNT ? role_names[role] : "?";
}

void tally_site_destroy(tally_site **site)
{
    if (!site || !*site) return;
    tally_site *s = *site;
    for (size_t i = 0; i < s->n_zones; i++) {
        tally_free(s->zones[i].name);
        tally_shape_fini(&s->zones[i].lonlat);
        tally_shape_fini(&s->zones[i].shape);
    }
    tally_free(s->zones);
    for (size_t i = 0; i < s->n_aliases; i++)
        tally_free(s->aliases[i]);
    tally_free(s->aliases);
    tally_free(s->id);
    tally_free(s->title);
    tally_free(s->timezone);
    tally_free(s->text);
    tally_free(s);
    *site = NULL;
}

/* A name that goes into tables and file names. */
static bool is_plain(const char *text)
{
    size_t n = strlen(text);
    if (n == 0 || n > LONGEST_NAME || !CPLIsUTF8(text, -1)) return false;
    for (const unsigned char *p = (const unsigned char *)text; *p; p++)
        if (*p < ' ' || *p == 0x7f) return false;
    return true;
}

static tally_status keep(char **slot, const char *text, tally_error *err)
{
    tally_free(*slot);
    *slot = tally_strdup(text);
    return *slot ? TALLY_OK : tally_nomem(err, "the site");
}

static tally_status read_aliases(tally_site *site, const json_t *list, tally_error *err)
{
    size_t n = json_array_size(list);
    if (n == 0) return TALLY_OK;
    if (n > MOST_ZONES)
        return tally_fail(err, TALLY_E_FORMAT, "the site file lists %zu aliases, the limit is %d",
                          n, MOST_ZONES);
    site->aliases = tally_alloc(n, sizeof *site->aliases);
    if (!site->aliases) return tally_nomem(err, "the site");
    for (size_t i = 0; i < n; i++) {
        const char *text = json_string_value(json_array_get(list, i));
        tally_status s = text ? keep(&site->aliases[site->n_aliases], text, err) : TALLY_OK;
        if (s != TALLY_OK) return s;
        if (text) site->n_aliases++;
    }
    return TALLY_OK;
}

/* The foreign member `tallyman`. OGR does not show it, so the JSON is read once more. */
static tally_status read_member(const char *path, tally_site *site, tally_error *err)
{
    GByte *bytes = NULL;
    vsi_l_offset size = 0;
    json_t *root = NULL;
    tally_status s = TALLY_OK;

    if (!VSIIngestFile(NULL, path, &bytes, &size, MOST_BYTES))
        return tally_fail(err, TALLY_E_FORMAT,
                          "%s: is larger than %d MB; a site file is a drawing by hand", path,
                          MOST_BYTES >> 20);
    root = json_loadb((const char *)bytes, (size_t)size, 0, NULL);
    const json_t *member = json_object_get(root, "tallyman");
    const struct {
        const char *key;
        char **slot;
    } texts[] = { { "site", &site->id },
                  { "title", &site->title },
                  { "timezone", &site->timezone } };
    for (size_t i = 0; i < sizeof texts / sizeof *texts && s == TALLY_OK; i++) {
        const json_t *value = json_object_get(member, texts[i].key);
        if (!value || json_is_null(value)) continue;
        if (!json_is_string(value) || !is_plain(json_string_value(value)))
            s = tally_fail(
                err, TALLY_E_FORMAT,
                "%s: \"tallyman\".\"%s\" is no plain text of 1 to %d bytes; write it as a string",
                path, texts[i].key, LONGEST_NAME);
        else
            s = keep(texts[i].slot, json_string_value(value), err);
    }
    if (s == TALLY_OK) s = read_aliases(site, json_object_get(member, "aliases"), err);
    json_decref(root);
    VSIFree(bytes);
    return s;
}

static tally_status name_site(const char *path, const char *id, GDALDatasetH source,
                              tally_site *site, tally_error *err)
{
    const char *driver = GDALGetDriverShortName(GDALGetDatasetDriver(source));
    tally_status s = TALLY_OK;

    if (strcmp(driver, "GeoJSON") == 0) s = read_member(path, site, err);
    if (s == TALLY_OK && id) s = keep(&site->id, id, err);
    if (s == TALLY_OK && !site->id) s = keep(&site->id, CPLGetBasename(path), err);
    if (s == TALLY_OK && (!is_plain(site->id) || strpbrk(site->id, "/\\")))
        s = tally_fail(err, TALLY_E_FORMAT,
                       "%s: the site's id is no plain text of 1 to %d bytes without slashes; give "
                       "one with --site",
                       path, LONGEST_NAME);
    if (s == TALLY_OK && !site->title) s = keep(&site->title, site->id, err);
    if (s == TALLY_OK && !site->timezone) s = keep(&site->timezone, "", err);
    return s;
}

/* As text. OGR keeps a number's text only until the next is asked for: use it at once, or copy it.
 */
static const char *field(OGRFeatureH feature, const char *name)
{
    int i = OGR_F_GetFieldIndex(feature, name);
    return i >= 0 && OGR_F_IsFieldSetAndNotNull(feature, i) ? OGR_F_GetFieldAsString(feature, i)
                                                            : "";
}

static tally_status read_properties(tally_site *site, OGRFeatureH feature, const char *who,
                                    tally_zone *zone, tally_error *err)
{
    const char *role = field(feature, "role"), *name;
    int r = 0;

    while (r < TALLY_ROLE_COUNT && strcmp(role, role_names[r]) != 0)
        r++;
    if (r == TALLY_ROLE_COUNT)
        return tally_fail(err, TALLY_E_FORMAT,
                          "%s: %s%.40s; role is one of track, yard, water, berth, stable, ignore",
                          who, *role ? "unknown role " : "has no role", role);
    zone->role = (tally_role)r;
    name = field(feature, "name");
    if (!*name)
        return tally_fail(err, TALLY_E_FORMAT,
                          "%s: has no name; give it one, unique within the site", who);
    if (!is_plain(name) || strcmp(name, "*") == 0)
        return tally_fail(err, TALLY_E_FORMAT,
                          "%s: its name is no plain text of 1 to %d bytes (or is \"*\", the whole "
                          "site); rename it",
                          who, LONGEST_NAME);
    for (size_t i = 0; i < site->n_zones; i++)
        if (strcmp(site->zones[i].name, name) == 0)
            return tally_fail(
                err, TALLY_E_FORMAT,
                "%s: a zone before it has the same name; names are unique within a site", who);
    return keep(&zone->name, name, err);
}

/* Curves become lines, the third coordinate goes, the CRS becomes longitude and latitude. */
static tally_status read_geometry(OGRFeatureH feature, OGRCoordinateTransformationH map,
                                  const char *who, tally_zone *zone, tally_error *err)
{
    OGRGeometryH drawn = OGR_F_GetGeometryRef(feature);
    if (!drawn || OGR_G_IsEmpty(drawn))
        return tally_fail(err, TALLY_E_FORMAT,
                          "%s: has no geometry, or one that cannot be read; draw it or take it out",
                          who);
    OGRGeometryH g = OGR_G_GetLinearGeometry(drawn, 0, NULL);
    tally_status s = TALLY_OK;
    if (!g) return tally_nomem(err, who);
    if (map && OGR_G_Transform(g, map) != OGRERR_NONE)
        s = tally_fail(err, TALLY_E_CRS,
                       "%s: cannot be brought to longitude and latitude; check the file's CRS",
                       who);
    if (s == TALLY_OK) s = tally_shape_from_ogr(g, zone->role, who, &zone->lonlat, err);
    OGR_G_DestroyGeometry(g);
    return s;
}

static tally_status add_zone(tally_site *site, const char *path, OGRFeatureH feature, size_t number,
                             OGRCoordinateTransformationH map, tally_error *err)
{
    char who[1024];
    const char *name = field(feature, "name");

    if (site->n_zones == MOST_ZONES)
        return tally_fail(err, TALLY_E_FORMAT,
                          "%s: has more than %d features; take out what is no zone", path,
                          MOST_ZONES);
    CPLsnprintf(who, sizeof who, "%.300s: feature %d%s%.60s%s", path, (int)number,
                *name ? " (" : "", name, *name ? ")" : "");
    if (site->n_zones % 64 == 0) {
        tally_zone *more = tally_realloc(site->zones, site->n_zones + 64, sizeof *more);
        if (!more) return tally_nomem(err, path);
        site->zones = more;
    }
    tally_zone *zone = &site->zones[site->n_zones];
    *zone = (tally_zone) { 0 };
    tally_status s = read_properties(site, feature, who, zone, err);
    if (s == TALLY_OK) s = read_geometry(feature, map, who, zone, err);
    if (s != TALLY_OK) {
        tally_free(zone->name);
        return s;
    }
    site->n_zones++;
    return TALLY_OK;
}

static OGRCoordinateTransformationH to_lonlat(OGRSpatialReferenceH from)
{
    OGRSpatialReferenceH to = OSRNewSpatialReference(NULL), own = OSRClone(from);
    OSRImportFromEPSG(to, TALLY_LONLAT);
    OSRSetAxisMappingStrategy(to, OAMS_TRADITIONAL_GIS_ORDER);
    OSRSetAxisMappingStrategy(own, OAMS_TRADITIONAL_GIS_ORDER);
    OGRCoordinateTransformationH map = OCTNewCoordinateTransformation(own, to);
    OSRDestroySpatialReference(own);
    OSRDestroySpatialReference(to);
    return map;
}

static tally_status read_layer(tally_site *site, const char *path, OGRLayerH layer, size_t *number,
                               tally_error *err)
{
    OGRSpatialReferenceH crs = OGR_L_GetSpatialRef(layer);
    OGRFeatureH feature;
    tally_status s = TALLY_OK;

    if (!crs)
        return tally_fail(
            err, TALLY_E_CRS,
            "%s: layer %.60s has no CRS; set it, for example with ogr2ogr -a_srs EPSG:4326", path,
            OGR_L_GetName(layer));
    OGRCoordinateTransformationH map = to_lonlat(crs);
    if (!map)
        return tally_fail(err, TALLY_E_CRS,
                          "%s: the CRS of layer %.60s cannot be related to WGS 84; use EPSG:4326",
                          path, OGR_L_GetName(layer));
    OGR_L_ResetReading(layer);
    while (s == TALLY_OK && (feature = OGR_L_GetNextFeature(layer)) != NULL) {
        s = add_zone(site, path, feature, ++*number, map, err);
        OGR_F_Destroy(feature);
    }
    OCTDestroyCoordinateTransformation(map);
    return s;
}

/* Of several layers those count that have a field `role`; a single one always does, so that its
 * faults are named. */
static tally_status read_zones(tally_site *site, const char *path, GDALDatasetH source,
                               tally_error *err)
{
    int layers = GDALDatasetGetLayerCount(source);
    size_t number = 0;
    tally_status s = TALLY_OK;

    for (int i = 0; i < layers && s == TALLY_OK; i++) {
        OGRLayerH layer = GDALDatasetGetLayer(source, i);
        if (layers > 1 && OGR_L_FindFieldIndex(layer, "role", TRUE) < 0) continue;
        s = read_layer(site, path, layer, &number, err);
    }
    if (s == TALLY_OK && site->n_zones == 0)
        s = tally_fail(err, TALLY_E_FORMAT,
                       "%s: has no zone; draw tracks, yards, water or berths in it", path);
    return s;
}

/* A site on both sides of the antimeridian: longitudes within 180 degrees of its first point. */
static double unwrapped(double longitude, double near)
{
    return longitude - near > 180   ? longitude - 360
           : near - longitude > 180 ? longitude + 360
                                    : longitude;
}

static void take_in_degrees(const tally_shape *shape, double near, tally_point *low,
                            tally_point *high)
{
    for (size_t i = 0; i < shape->n_paths; i++)
        for (size_t k = 0; k < shape->paths[i].n; k++) {
            tally_point p = shape->paths[i].points[k];
            p.x = unwrapped(p.x, near);
            *low = (tally_point) { fmin(low->x, p.x), fmin(low->y, p.y) };
            *high = (tally_point) { fmax(high->x, p.x), fmax(high->y, p.y) };
        }
}

static void take_in(const tally_shape *shape, tally_point *low, tally_point *high)
{
    tally_point a, b;
    tally_shape_bounds(shape, &a, &b);
    *low = (tally_point) { fmin(low->x, a.x), fmin(low->y, a.y) };
    *high = (tally_point) { fmax(high->x, b.x), fmax(high->y, b.y) };
}

static tally_status set_metres(tally_site *site, const char *path, tally_error *err)
{
    tally_point low = { INFINITY, INFINITY }, high = { -INFINITY, -INFINITY };
    tally_crs_map *map = NULL;
    tally_status s = TALLY_OK;

    for (size_t i = 0; i < site->n_zones; i++)
        take_in_degrees(&site->zones[i].lonlat, site->zones[0].lonlat.paths[0].points[0].x, &low,
                        &high);
    site->longitude = unwrapped((low.x + high.x) / 2, 0);
    site->latitude = (low.y + high.y) / 2;
    double high_m = (high.y - low.y) * 111e3;
    double wide_m = (high.x - low.x) * 111e3 * cos(site->latitude * M_PI / 180);
    if (high_m > WIDEST_SITE_M || wide_m > WIDEST_SITE_M)
        return tally_fail(err, TALLY_E_FORMAT,
                          "%s: its zones lie %.0f km apart, a site is one place (at most %.0f km); "
                          "make several site files",
                          path, fmax(high_m, wide_m) / 1e3, WIDEST_SITE_M / 1e3);
    site->epsg = tally_utm_epsg(site->longitude, site->latitude);
    if (!site->epsg)
        return tally_fail(
            err, TALLY_E_CRS,
            "%s: lies at latitude %.2f, beyond UTM (-80 to 84); it cannot be worked on", path,
            site->latitude);
    s = tally_crs_map_open((tally_crs) { .epsg = TALLY_LONLAT }, (tally_crs) { .epsg = site->epsg },
                           path, &map, err);
    site->low = (tally_point) { INFINITY, INFINITY };
    site->high = (tally_point) { -INFINITY, -INFINITY };
    for (size_t i = 0; i < site->n_zones && s == TALLY_OK; i++) {
        tally_zone *zone = &site->zones[i];
        char who[600];
        CPLsnprintf(who, sizeof who, "%.300s: zone %.200s", path, zone->name);
        if ((s = tally_shape_copy(&zone->lonlat, &zone->shape, err)) != TALLY_OK) break;
        for (size_t p = 0; p < zone->shape.n_paths && s == TALLY_OK; p++)
            if (!tally_crs_map_points(map, zone->shape.paths[p].points, zone->shape.paths[p].n))
                s = tally_fail(err, TALLY_E_CRS,
                               "%s: cannot be brought to EPSG:%d; check its coordinates", who,
                               site->epsg);
        if (s == TALLY_OK) s = tally_shape_check(&zone->shape, who, err);
        take_in(&zone->shape, &site->low, &site->high);
    }
    tally_crs_map_close(&map);
    return s;
}

/* Roles, names and corners to 1e-9 degree (0.1 mm), in the order of the file. */
static tally_status set_text(tally_site *site, tally_error *err)
{
    tally_text text = { 0 };
    for (size_t i = 0; i < site->n_zones; i++) {
        const tally_zone *zone = &site->zones[i];
        json_t *name = json_string(zone->name);
        char *quoted = name ? json_dumps(name, JSON_ENCODE_ANY | JSON_ENSURE_ASCII) : NULL;
        json_decref(name);
        if (!quoted) text.failed = true;
        tally_text_add(&text, "%s{\"role\":\"%s\",\"name\":%s,\"paths\":[", i ? ",\n" : "[",
                       tally_role_name(zone->role), quoted ? quoted : "\"\"");
        free(quoted);
        for (size_t p = 0; p < zone->lonlat.n_paths; p++) {
            const tally_path *path = &zone->lonlat.paths[p];
            tally_text_add(&text, "%s[%d", p ? "," : "", zone->lonlat.part[p]);
            for (size_t k = 0; k < path->n; k++)
                tally_text_add(&text, ",[%.9f,%.9f]", path->points[k].x, path->points[k].y);
            tally_text_add(&text, "]");
        }
        tally_text_add(&text, "]}");
    }
    tally_text_add(&text, "]\n");
    if (!text.failed) site->text = tally_strdup(text.bytes);
    tally_text_fini(&text);
    return site->text ? TALLY_OK : tally_nomem(err, "the site");
}

static tally_status read_source(tally_site *site, const char *path, const char *id,
                                tally_error *err)
{
    char said[256];
    VSIStatBufL stat;
    tally_status s;

    CPLErrorReset();
    GDALDatasetH source = GDALOpenEx(path, GDAL_OF_VECTOR | GDAL_OF_READONLY, NULL, NULL, NULL);
    if (!source && VSIStatL(path, &stat) != 0)
        return tally_fail(err, TALLY_E_IO, "%s: no such site file; check the path", path);
    if (!source)
        return tally_fail(err, TALLY_E_FORMAT,
                          "%s: is no vector file (%s); give a GeoJSON file of zones", path,
                          tally_gdal_said(said, sizeof said));
    s = name_site(path, id, source, site, err);
    if (s == TALLY_OK) s = read_zones(site, path, source, err);
    GDALClose(source);
    if (s == TALLY_OK) s = set_metres(site, path, err);
    if (s == TALLY_OK) s = set_text(site, err);
    return s;
}

tally_status tally_site_read(const char *path, const char *id, tally_site **out, tally_error *err)
{
    *out = NULL;
    tally_site *site = tally_alloc(1, sizeof *site);
    if (!site) return tally_nomem(err, path);
    if (GDALGetDriverCount() == 0) GDALAllRegister();
    CPLPushErrorHandler(CPLQuietErrorHandler);
    tally_status s = read_source(site, path, id, err);
    CPLPopErrorHandler();
    if (s != TALLY_OK) {
        tally_site_destroy(&site);
        return s;
    }
    *out = site;
    return TALLY_OK;
}

static tally_status move_points(const tally_site *site, tally_crs from, tally_crs to,
                                tally_point *points, size_t n, tally_error *err)
{
    tally_crs_map *map = NULL;
    tally_status s = tally_crs_map_open(from, to, site->id, &map, err);
    if (s != TALLY_OK) return s;
    if (!tally_crs_map_points(map, points, n))
        s = tally_fail(err, TALLY_E_CRS,
                       "%s: a point lies beyond EPSG:%d; its alignment cannot be right", site->id,
                       site->epsg);
    tally_crs_map_close(&map);
    return s;
}

tally_status tally_site_to_lonlat(const tally_site *site, tally_point *points, size_t n,
                                  tally_error *err)
{
    return move_points(site, (tally_crs) { .epsg = site->epsg },
                       (tally_crs) { .epsg = TALLY_LONLAT }, points, n, err);
}

tally_status tally_site_from_lonlat(const tally_site *site, tally_point *points, size_t n,
                                    tally_error *err)
{
    return move_points(site, (tally_crs) { .epsg = TALLY_LONLAT },
                       (tally_crs) { .epsg = site->epsg }, points, n, err);
}
