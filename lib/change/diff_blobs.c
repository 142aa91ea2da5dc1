/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Blobs with their place and size on the ground, and the zones as a bit mask on BEFORE's grid. A
 * blob's length and width are those of the smallest rectangle in pixels, carried to metres by the
 * map at its middle; known limit: on a grid whose pixels are not square the smallest rectangle in
 * pixels need not be the smallest on the ground.
 */
#include <math.h>
#include <string.h>
#include <strings.h>

#include "change/diff_blobs.h"

/* A track as a ribbon: one quadrangle a segment. */
static void fill_track(const tally_path *line, double half_px, tally_bits *out)
{
    for (size_t i = 0; i + 1 < line->n; i++) {
        const tally_point a = line->points[i], b = line->points[i + 1];
        const double length = hypot(b.x - a.x, b.y - a.y);
        if (!(length > 0.0)) continue;
        const double nx = -(b.y - a.y) / length * half_px, ny = (b.x - a.x) / length * half_px;
        tally_point ring[4] = { { a.x + nx, a.y + ny },
                                { b.x + nx, b.y + ny },
                                { b.x - nx, b.y - ny },
                                { a.x - nx, a.y - ny } };
        tally_path path = { ring, 4 };
        int part = 0;
        const tally_shape quadrangle = { .paths = &path, .part = &part, .n_paths = 1 };
        tally_shape_fill(&quadrangle, out);
    }
}

static tally_status fill_zone(const tally_zone *zone, tally_crs_map *map, const tally_affine *to_px,
                              double gsd_m, tally_bits *out, tally_error *err)
{
    tally_shape shape;
    const tally_status s = tally_shape_copy(&zone->shape, &shape, err);

    if (s != TALLY_OK) return s;
    for (size_t i = 0; i < shape.n_paths; i++) {
        if (!tally_crs_map_points(map, shape.paths[i].points, shape.paths[i].n)) {
            tally_shape_fini(&shape);
            return tally_fail(err, TALLY_E_CRS, "zone '%s' has no place in the CRS of the image",
                              zone->name);
        }
        for (size_t j = 0; j < shape.paths[i].n; j++)
            shape.paths[i].points[j] = tally_affine_apply(to_px, shape.paths[i].points[j]);
        if (shape.is_line) fill_track(&shape.paths[i], TALLY_TRACK_HALF_M / gsd_m, out);
    }
    if (!shape.is_line) tally_shape_fill(&shape, out);
    tally_shape_fini(&shape);
    return TALLY_OK;
}

tally_status tally_zone_mask(const tally_site *site, const tally_pair *pair, tally_bits *out,
                             tally_error *err)
{
    const tally_tile *tile = &pair->tiles[0];
    const tally_crs from = { .epsg = site->epsg }, to = { .wkt = tile->wkt };
    tally_crs_map *map = NULL;
    tally_bits ignored = { 0 };
    tally_affine to_px;
    tally_status s = tally_bits_init(out, tile->width, tile->height, err);

    if (s == TALLY_OK) s = tally_bits_init(&ignored, tile->width, tile->height, err);
    if (s == TALLY_OK) s = tally_crs_map_open(from, to, tile->path, &map, err);
    if (s == TALLY_OK && !tally_affine_invert(&tile->affine, &to_px))
        s = tally_fail(err, TALLY_E_CRS,
                       "%s: its geotransform has no inverse; warp it with gdalwarp", tile->path);
    for (size_t i = 0; i < site->n_zones && s == TALLY_OK; i++) {
        const tally_zone *zone = &site->zones[i];
        if (zone->role == TALLY_STABLE) continue;
        s = fill_zone(zone, map, &to_px, tile->gsd_m, zone->role == TALLY_IGNORE ? &ignored : out,
                      err);
    }
    for (size_t i = 0; s == TALLY_OK && i < out->words * (size_t)out->height; i++)
        out->bits[i] &= ~ignored.bits[i];
    if (s == TALLY_OK && tally_bits_count(out) == 0)
        s = tally_fail(err, TALLY_E_NODATA, "%s: no zone of site '%s' lies on it", tile->path,
                       site->id);
    if (s != TALLY_OK) tally_bits_fini(out);
    tally_crs_map_close(&map);
    tally_bits_fini(&ignored);
    return s;
}

typedef struct row {
    int64_t area_px;
    double area_m2, longitude, latitude, length_m, width_m, heading_deg;
    tally_point ring[4]; /* longitude and latitude */
} row;

static tally_status measure(const tally_pair *pair, const tally_blobs *blobs, size_t i, row *out,
                            tally_error *err)
{
    const tally_blob *b = &blobs->blobs[i];
    tally_point step[2], place, corner[4], unused[2];
    tally_rect rect;

    if (!tally_blob_rect(blobs, i, &rect)) return tally_nomem(err, "the outline of a blob");
    if (!tally_pair_ground(pair, (tally_point) { b->cx, b->cy }, step, &place))
        return tally_fail(err, TALLY_E_CRS, "%s: a changed pixel has no place on the ground",
                          pair->tiles[0].path);
    const double ex = rect.ux * step[0].x + rect.uy * step[1].x,
                 ny = rect.ux * step[0].y + rect.uy * step[1].y;
    const double wx = -rect.uy * step[0].x + rect.ux * step[1].x,
                 wy = -rect.uy * step[0].y + rect.ux * step[1].y;
    double length = rect.length * hypot(ex, ny), width = rect.width * hypot(wx, wy);
    *out = (row) { .area_px = b->area, .longitude = place.x, .latitude = place.y };
    out->area_m2 = (double)b->area * fabs(step[0].x * step[1].y - step[0].y * step[1].x);
    out->heading_deg = length >= width ? tally_heading_deg(ex, ny) : tally_heading_deg(wx, wy);
    out->length_m = fmax(length, width);
    out->width_m = fmin(length, width);
    tally_rect_corners(&rect, corner);
    for (int c = 0; c < 4; c++) {
        if (!tally_pair_ground(pair, corner[c], unused, &out->ring[c])) out->ring[c] = place;
    }
    return TALLY_OK;
}

static const char *const fields[] = { "x_px",    "y_px",        "longitude", "latitude", "length_m",
                                      "width_m", "heading_deg", "score",     "sign" };

/* In the order of `fields`, with the decimals that they carry. */
static void numbers(const tally_blob *b, const row *r, const tally_blob_score *score,
                    double value[9], int decimals[9])
{
    const double v[9] = { b->cx,      b->cy,          r->longitude, r->latitude, r->length_m,
                          r->width_m, r->heading_deg, score->score, score->sign };
    static const int d[9] = { 3, 3, 7, 7, 2, 2, 1, 4, 0 };
    memcpy(value, v, sizeof v);
    memcpy(decimals, d, sizeof d);
}

static void add_csv(tally_text *text, size_t id, const tally_blob *b, const row *r,
                    const tally_blob_score *score)
{
    double value[9];
    int decimals[9];

    numbers(b, r, score, value, decimals);
    tally_text_add(text, "%zu,%lld,", id, (long long)r->area_px);
    tally_text_number(text, r->area_m2, 2);
    for (int f = 0; f < 9; f++) {
        tally_text_add(text, ",");
        tally_text_number(text, value[f], decimals[f]);
    }
    tally_text_add(text, "\n");
}

static void add_geojson(tally_text *text, size_t id, const tally_blob *b, const row *r,
                        const tally_blob_score *score)
{
    double value[9];
    int decimals[9];

    numbers(b, r, score, value, decimals);
    tally_text_add(
        text,
        "%s\n{\"type\":\"Feature\",\"properties\":{\"blob\":%zu,\"area_px\":%lld,\"area_m2\":",
        id == 1 ? "" : ",", id, (long long)r->area_px);
    tally_text_number(text, r->area_m2, 2);
    for (int f = 0; f < 9; f++) {
        tally_text_add(text, ",\"%s\":", fields[f]);
        tally_text_number(text, value[f], decimals[f]);
    }
    tally_text_add(text, "},\"geometry\":{\"type\":\"Polygon\",\"coordinates\":[[");
    for (int c = 0; c < 5; c++) {
        tally_text_add(text, c ? ",[" : "[");
        tally_text_number(text, r->ring[c % 4].x, 7);
        tally_text_add(text, ",");
        tally_text_number(text, r->ring[c % 4].y, 7);
        tally_text_add(text, "]");
    }
    tally_text_add(text, "]]}}");
}

tally_status tally_diff_blobs_write(const char *path, const tally_blobs *blobs,
                                    const tally_blob_score *scores, const tally_pair *pair,
                                    tally_error *err)
{
    const char *dot = strrchr(path, '.');
    const bool csv = dot && strcasecmp(dot, ".csv") == 0;
    tally_text text = { 0 };
    tally_status s = TALLY_OK;

    tally_text_add(&text, csv ? "blob,area_px,area_m2,x_px,y_px,longitude,latitude,length_m,width_"
                                "m,heading_deg,score,sign\n"
                              : "{\"type\":\"FeatureCollection\",\"features\":[");
    for (size_t i = 0; i < blobs->n && s == TALLY_OK; i++) {
        row r;
        if ((s = measure(pair, blobs, i, &r, err)) != TALLY_OK) break;
        (csv ? add_csv : add_geojson)(&text, i + 1, &blobs->blobs[i], &r, &scores[i]);
    }
    if (!csv) tally_text_add(&text, "\n]}\n");
    if (s == TALLY_OK) s = tally_text_save(&text, path, err);
    tally_text_fini(&text);
    return s;
}
