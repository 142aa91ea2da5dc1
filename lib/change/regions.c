/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The zones of a site as regions of an image. Grounds differ in light and noise: a slip in the
 * shadow of its quay, open water, a yard of boxes. One gain and one noise for all would call the
 * slip changed and miss what moves in the yard. So what `diff` learns is learned in each on its
 * own. A berth is too small for that, and often full: it goes with the water that it overlaps most,
 * else with the nearest. Tracks are narrow and alike: they go together.
 */
#include "change/regions.h"

#include <math.h>
#include <string.h>

typedef struct builder {
    const tally_pair *pair;
    tally_crs_map *map; /* site metres -> BEFORE's CRS */
    tally_affine to_px;
} builder;

bool tally_region_has(const tally_region *region, int x, int y)
{
    const tally_box b = region->box;

    return x >= b.x0 && x < b.x1 && y >= b.y0 && y < b.y1 &&
           (!region->mask.words || tally_bits_get(&region->mask, x - b.x0, y - b.y0));
}

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

/* The zone's shape in pixels of BEFORE (fresh), and the box of the image that holds it. */
static tally_status shape_px(const builder *b, const tally_zone *zone, tally_shape *out,
                             tally_box *box, tally_error *err)
{
    const tally_tile *tile = &b->pair->tiles[0];
    const double reach = zone->shape.is_line ? TALLY_TRACK_HALF_M / tile->gsd_m + 1.0 : 1.0;
    tally_point low, high;
    const tally_status s = tally_shape_copy(&zone->shape, out, err);

    if (s != TALLY_OK) return s;
    for (size_t i = 0; i < out->n_paths; i++) {
        if (!tally_crs_map_points(b->map, out->paths[i].points, out->paths[i].n)) {
            tally_shape_fini(out);
            return tally_fail(err, TALLY_E_CRS, "zone '%s' has no place in the CRS of the image",
                              zone->name);
        }
        for (size_t j = 0; j < out->paths[i].n; j++)
            out->paths[i].points[j] = tally_affine_apply(&b->to_px, out->paths[i].points[j]);
    }
    tally_shape_bounds(out, &low, &high);
    *box = (tally_box) { (int)tally_clamp(floor(low.x - reach), 0, tile->width),
                         (int)tally_clamp(floor(low.y - reach), 0, tile->height),
                         (int)tally_clamp(ceil(high.x + reach), 0, tile->width),
                         (int)tally_clamp(ceil(high.y + reach), 0, tile->height) };
    return TALLY_OK;
}

/* An empty box: the zone lies off the image, and there is no mask. */
static tally_status draw_zone(const builder *b, const tally_zone *zone, tally_region *out,
                              tally_error *err)
{
    tally_shape shape;
    tally_status s = shape_px(b, zone, &shape, &out->box, err);

    if (s != TALLY_OK) return s;
    if (!tally_box_empty(out->box))
        s = tally_bits_init(&out->mask, tally_box_width(out->box), tally_box_height(out->box), err);
    for (size_t i = 0; s == TALLY_OK && out->mask.words && i < shape.n_paths; i++) {
        for (size_t j = 0; j < shape.paths[i].n; j++) {
            shape.paths[i].points[j].x -= out->box.x0;
            shape.paths[i].points[j].y -= out->box.y0;
        }
        if (shape.is_line)
            fill_track(&shape.paths[i], TALLY_TRACK_HALF_M / b->pair->tiles[0].gsd_m, &out->mask);
    }
    if (s == TALLY_OK && out->mask.words && !shape.is_line) tally_shape_fill(&shape, &out->mask);
    tally_shape_fini(&shape);
    return s;
}

/* Grow `to` by the pixels of `from`. */
static tally_status join(tally_region *to, const tally_region *from, tally_error *err)
{
    tally_region both = { .box = tally_box_union(to->box, from->box) };
    const tally_region *parts[] = { to, from };
    const tally_status s =
        tally_bits_init(&both.mask, tally_box_width(both.box), tally_box_height(both.box), err);

    if (s != TALLY_OK) return s;
    for (int k = 0; k < 2; k++) {
        const tally_box p = parts[k]->box;
        for (int y = p.y0; y < p.y1; y++) {
            for (int x = p.x0; x < p.x1; x++)
                if (tally_region_has(parts[k], x, y))
                    tally_bits_set(&both.mask, x - both.box.x0, y - both.box.y0);
        }
    }
    tally_bits_fini(&to->mask);
    *to = both;
    return TALLY_OK;
}

/* Take the pixels of `what` out. */
static void subtract(tally_region *from, const tally_region *what)
{
    const tally_box meet = tally_box_intersect(from->box, what->box);

    for (int y = meet.y0; y < meet.y1; y++) {
        for (int x = meet.x0; x < meet.x1; x++)
            if (tally_region_has(what, x, y))
                tally_bits_clear(&from->mask, x - from->box.x0, y - from->box.y0);
    }
}

static size_t shared_pixels(const tally_region *a, const tally_region *b)
{
    const tally_box meet = tally_box_intersect(a->box, b->box);
    size_t n = 0;

    for (int y = meet.y0; y < meet.y1; y++) {
        for (int x = meet.x0; x < meet.x1; x++)
            n += tally_region_has(a, x, y) && tally_region_has(b, x, y);
    }
    return n;
}

static double gap(tally_box a, tally_box b)
{
    const double dx = fmax(0, fmax(a.x0 - b.x1, b.x0 - a.x1)),
                 dy = fmax(0, fmax(a.y0 - b.y1, b.y0 - a.y1));
    return hypot(dx, dy);
}

/* The region that a zone joins, or out->n: one of its own. roles[i] is the role of region i. */
static size_t partner(const tally_regions *out, const tally_role *roles, tally_role role,
                      const tally_region *zone)
{
    size_t best = out->n, most = 0;
    double nearest = INFINITY;

    for (size_t i = 0; i < out->n; i++) {
        if (role == TALLY_TRACK && roles[i] == TALLY_TRACK) return i;
        if (role != TALLY_BERTH || roles[i] != TALLY_WATER) continue;
        const size_t shared = shared_pixels(&out->regions[i], zone);
        const double far = gap(out->regions[i].box, zone->box);
        if (shared > most || (most == 0 && shared == 0 && far < nearest)) {
            best = i;
            most = shared;
            nearest = far;
        }
    }
    return best;
}

static tally_status add_zones(const builder *b, const tally_site *site, tally_role role,
                              tally_role *roles, tally_regions *out, tally_error *err)
{
    for (size_t z = 0; z < site->n_zones; z++) {
        tally_region zone = { 0 };
        if (site->zones[z].role != role) continue;
        tally_status s = draw_zone(b, &site->zones[z], &zone, err);
        if (s == TALLY_OK && zone.mask.words) {
            const size_t at = partner(out, roles, role, &zone);
            if (at == out->n) {
                roles[out->n] = role;
                out->regions[out->n++] = zone;
                continue;
            }
            s = join(&out->regions[at], &zone, err);
        }
        tally_bits_fini(&zone.mask);
        if (s != TALLY_OK) return s;
    }
    return TALLY_OK;
}

static tally_status add_all(const builder *b, const tally_site *site, tally_regions *out,
                            tally_error *err)
{
    static const tally_role order[] = { TALLY_WATER, TALLY_BERTH, TALLY_YARD, TALLY_TRACK };
    tally_role *roles = tally_alloc(site->n_zones + 1, sizeof *roles);
    tally_status s = roles ? TALLY_OK : tally_nomem(err, "the zones of an image");
    size_t pixels = 0;

    for (int r = 0; r < 4 && s == TALLY_OK; r++)
        s = add_zones(b, site, order[r], roles, out, err);
    tally_free(roles);
    for (size_t z = 0; z < site->n_zones && s == TALLY_OK; z++) {
        tally_region ignored = { 0 };
        if (site->zones[z].role != TALLY_IGNORE) continue;
        s = draw_zone(b, &site->zones[z], &ignored, err);
        for (size_t i = 0; i < out->n && s == TALLY_OK && ignored.mask.words; i++)
            subtract(&out->regions[i], &ignored);
        tally_bits_fini(&ignored.mask);
    }
    for (size_t i = 0; i < out->n && s == TALLY_OK; i++) {
        for (size_t k = 0; k < i; k++)
            subtract(&out->regions[i], &out->regions[k]);
        pixels += tally_bits_count(&out->regions[i].mask);
    }
    if (s == TALLY_OK && pixels == 0)
        s = tally_fail(err, TALLY_E_NODATA, "%s: no zone of site '%s' lies on it",
                       b->pair->tiles[0].path, site->id);
    return s;
}

tally_status tally_regions_init(const tally_site *site, const tally_pair *pair, tally_regions *out,
                                tally_error *err)
{
    const tally_tile *tile = &pair->tiles[0];
    builder b = { .pair = pair };

    *out = (tally_regions) { .regions =
                                 tally_alloc(site ? site->n_zones + 1 : 1, sizeof *out->regions) };
    if (!out->regions) return tally_nomem(err, "the zones of an image");
    if (!site) {
        out->regions[out->n++].box = (tally_box) { 0, 0, tile->width, tile->height };
        return TALLY_OK;
    }
    const tally_crs from = { .epsg = site->epsg }, to = { .wkt = tile->wkt };
    tally_status s = tally_crs_map_open(from, to, tile->path, &b.map, err);
    if (s == TALLY_OK && !tally_affine_invert(&tile->affine, &b.to_px))
        s = tally_fail(err, TALLY_E_CRS,
                       "%s: its geotransform has no inverse; warp it with gdalwarp", tile->path);
    if (s == TALLY_OK) s = add_all(&b, site, out, err);
    tally_crs_map_close(&b.map);
    if (s != TALLY_OK) tally_regions_fini(out);
    return s;
}

void tally_regions_fini(tally_regions *regions)
{
    for (size_t i = 0; i < regions->n; i++)
        tally_bits_fini(&regions->regions[i].mask);
    tally_free(regions->regions);
    *regions = (tally_regions) { 0 };
}
