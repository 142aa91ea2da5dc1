/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The zones as classes. A track is a strip as wide as its wagons on a bed of ballast; a polygon is
 * what is inside it. Only pixels near an outline are labelled: what lies deep inside a zone or far
 * from all says nothing of where its border is. Known failure: a bed much wider or narrower than
 * the usual one, and tracks that nobody drew beside drawn ones, blur the classes.
 *
 * Constants: half a wagon with the room that a hand-drawn centre line needs; ballast reaches about
 * 3.5 m from the centre of a line (its gauge and shoulder), so that beds 4.5 m apart touch; 15 m of
 * ground beside an outline is about as much again as the largest shift looked for. The pixel is
 * finer than half the closest spacing of tracks and no finer than the drawing.
 */
#include "align/zone_map.h"

#include <math.h>
#include <string.h>

static const double STRIP_M = 1.7, BED_M = 3.6, NEAR_M = 15, CELL_M = 64, REACH_M = 22;
static const double PIXEL_M = 1, COARSEST_PIXEL_M = 1.5, COARSEST_GSD_M = 6;
enum { MOST_CELLS = 192 };
static const double LEAST_LABELLED = 0.05; /* of a cell */

/* The zones in pixels of the map. */
typedef struct drawing {
    const tally_site *site;
    tally_shape *shapes;
} drawing;

static void free_drawing(drawing *d)
{
    for (size_t z = 0; d->shapes && z < d->site->n_zones; z++)
        tally_shape_fini(&d->shapes[z]);
    tally_free(d->shapes);
}

static tally_status draw_shapes(const tally_stack *stack, double scale, drawing *d,
                                tally_error *err)
{
    *d = (drawing) { .site = stack->site,
                     .shapes = tally_alloc(stack->site->n_zones, sizeof *d->shapes) };
    if (!d->shapes) return tally_nomem(err, "a map of the zones");
    for (size_t z = 0; z < stack->site->n_zones; z++) {
        tally_shape *shape = &d->shapes[z];
        tally_status s = tally_stack_shape(stack, &stack->site->zones[z].shape, shape, err);
        if (s != TALLY_OK) return s;
        for (size_t i = 0; i < shape->n_paths; i++)
            for (size_t k = 0; k < shape->paths[i].n; k++) {
                shape->paths[i].points[k].x *= scale;
                shape->paths[i].points[k].y *= scale;
            }
    }
    return TALLY_OK;
}

static double square_from_segment(tally_point p, tally_point a, tally_point b)
{
    const double dx = b.x - a.x, dy = b.y - a.y, length2 = dx * dx + dy * dy;
    const double t =
        length2 > 0 ? tally_clamp(((p.x - a.x) * dx + (p.y - a.y) * dy) / length2, 0, 1) : 0;
    const double ex = p.x - a.x - t * dx, ey = p.y - a.y - t * dy;
    return ex * ex + ey * ey;
}

/* A cell while it is drawn: squares of distances, in pixels. */
typedef struct sheet {
    int x0, y0, side;
    float *track, *outline;
    uint8_t *label;
} sheet;

/* Lower the distances around a segment, as far as `reach`. */
static void near_segment(const sheet *s, float *distance2, tally_point a, tally_point b,
                         double reach)
{
    const int x0 = (int)tally_clamp(floor(fmin(a.x, b.x) - reach - s->x0), 0, s->side),
              x1 = (int)tally_clamp(ceil(fmax(a.x, b.x) + reach - s->x0), 0, s->side),
              y0 = (int)tally_clamp(floor(fmin(a.y, b.y) - reach - s->y0), 0, s->side),
              y1 = (int)tally_clamp(ceil(fmax(a.y, b.y) + reach - s->y0), 0, s->side);
    for (int y = y0; y < y1; y++)
        for (int x = x0; x < x1; x++) {
            const tally_point p = { s->x0 + x + 0.5, s->y0 + y + 0.5 };
            float *d = &distance2[y * s->side + x];
            *d = fminf(*d, (float)square_from_segment(p, a, b));
        }
}

static void near_shape(const sheet *s, float *distance2, const tally_shape *shape, double reach)
{
    for (size_t i = 0; i < shape->n_paths; i++) {
        const tally_path *path = &shape->paths[i];
        for (size_t k = 1; k < path->n; k++)
            near_segment(s, distance2, path->points[k - 1], path->points[k], reach);
        if (!shape->is_line && path->n > 2)
            near_segment(s, distance2, path->points[path->n - 1], path->points[0], reach);
    }
}

static bool meets(const sheet *s, const tally_shape *shape, double reach)
{
    tally_point low, high;
    tally_shape_bounds(shape, &low, &high);
    return low.x - reach < s->x0 + s->side && high.x + reach > s->x0 &&
           low.y - reach < s->y0 + s->side && high.y + reach > s->y0;
}

static tally_status fill(const sheet *s, const tally_shape *shape, tally_map_class class,
                         tally_error *err)
{
    tally_bits inside;
    tally_shape moved = { 0 };
    tally_status status = tally_bits_init(&inside, s->side, s->side, err);
    if (status != TALLY_OK) return status;
    if ((status = tally_shape_copy(shape, &moved, err)) == TALLY_OK) {
        for (size_t i = 0; i < moved.n_paths; i++)
            for (size_t k = 0; k < moved.paths[i].n; k++) {
                moved.paths[i].points[k].x -= s->x0;
                moved.paths[i].points[k].y -= s->y0;
            }
        tally_shape_fill(&moved, &inside);
        for (int y = 0; y < s->side; y++)
            for (int x = 0; x < s->side; x++)
                if (tally_bits_get(&inside, x, y)) s->label[y * s->side + x] = (uint8_t) class;
    }
    tally_shape_fini(&moved);
    tally_bits_fini(&inside);
    return status;
}

/* Classes of polygons, the later over the earlier. An ignored area is a class, not evidence of
 * anything in it: a jetty drawn as one leaves a hole in the water. */
static const struct {
    tally_role role;
    tally_map_class class;
} polygons[] = { { TALLY_STABLE, TALLY_MAP_STABLE },
                 { TALLY_YARD, TALLY_MAP_YARD },
                 { TALLY_WATER, TALLY_MAP_WATER },
                 { TALLY_BERTH, TALLY_MAP_WATER },
                 { TALLY_IGNORE, TALLY_MAP_IGNORE } };

/* Tracks over polygons, their beds not over what is ignored; far pixels out. The share that is
 * labelled. */
static double settle_labels(const sheet *s, double pixel_m)
{
    const float strip = (float)(STRIP_M * STRIP_M / (pixel_m * pixel_m)),
                bed = (float)(BED_M * BED_M / (pixel_m * pixel_m)),
                far_track = (float)(pow(NEAR_M + BED_M, 2) / (pixel_m * pixel_m)),
                far_outline = (float)(NEAR_M * NEAR_M / (pixel_m * pixel_m));
    const int n = s->side * s->side;
    int kept = 0;
    for (int i = 0; i < n; i++) {
        if (s->track[i] < strip)
            s->label[i] = TALLY_MAP_STRIP;
        else if (s->track[i] < bed && s->label[i] != TALLY_MAP_IGNORE)
            s->label[i] = TALLY_MAP_BED;
        if (s->track[i] >= far_track && s->outline[i] >= far_outline)
            s->label[i] = TALLY_MAP_FAR;
        else
            kept++;
    }
    return (double)kept / n;
}

static tally_status draw_cell(const drawing *d, const tally_zone_map *map, sheet *s, double *share,
                              tally_error *err)
{
    const double reach = (NEAR_M + BED_M) / map->pixel_m;
    const int n = s->side * s->side;
    bool met = false;
    *share = 0;
    for (size_t z = 0; z < d->site->n_zones && !met; z++)
        met = meets(s, &d->shapes[z], reach);
    if (!met) return TALLY_OK;
    for (int i = 0; i < n; i++)
        s->track[i] = s->outline[i] = INFINITY;
    memset(s->label, TALLY_MAP_OUTSIDE, (size_t)n);
    for (size_t z = 0; z < d->site->n_zones; z++)
        if (meets(s, &d->shapes[z], reach))
            near_shape(s, d->site->zones[z].role == TALLY_TRACK ? s->track : s->outline,
                       &d->shapes[z], reach);
    for (size_t p = 0; p < sizeof polygons / sizeof *polygons; p++)
        for (size_t z = 0; z < d->site->n_zones; z++) {
            if (d->site->zones[z].role != polygons[p].role || !meets(s, &d->shapes[z], 0)) continue;
            tally_status status = fill(s, &d->shapes[z], polygons[p].class, err);
            if (status != TALLY_OK) return status;
        }
    *share = settle_labels(s, map->pixel_m);
    return TALLY_OK;
}

/* Mean direction of all segments of tracks (angles doubled, so that both ways are one). */
static void find_across(const drawing *d, tally_zone_map *map)
{
    static const double ONE_DIRECTION = 0.7; /* of the length pulls one way: within about 20 deg */
    double c = 0, s = 0, total = 0;
    for (size_t z = 0; z < d->site->n_zones; z++) {
        if (d->site->zones[z].role != TALLY_TRACK) continue;
        for (size_t i = 0; i < d->shapes[z].n_paths; i++)
            for (size_t k = 1; k < d->shapes[z].paths[i].n; k++) {
                const tally_point *p = d->shapes[z].paths[i].points + k - 1;
                const double dx = p[1].x - p[0].x, dy = p[1].y - p[0].y, length = hypot(dx, dy);
                if (!(length > 0)) continue;
                c += (dx * dx - dy * dy) / length;
                s += 2 * dx * dy / length;
                total += length;
            }
    }
    map->has_tracks = total > 0;
    if (!(hypot(c, s) > ONE_DIRECTION * total)) return;
    const double along = atan2(s, c) / 2;
    map->across_x = -sin(along);
    map->across_y = cos(along);
}

static bool choose_scale(double gsd_m, tally_zone_map *map)
{
    if (!(gsd_m > 0) || gsd_m > COARSEST_GSD_M) return false;
    map->shrink = gsd_m < PIXEL_M ? (int)round(PIXEL_M / gsd_m) : 1;
    map->grow = gsd_m > COARSEST_PIXEL_M ? (int)ceil(gsd_m / COARSEST_PIXEL_M) : 1;
    map->pixel_m = gsd_m * map->shrink / map->grow;
    map->side = (int)round(CELL_M / map->pixel_m);
    map->reach = (int)ceil(REACH_M / map->pixel_m);
    return true;
}

/* A lattice of cells over all zones. */
typedef struct lattice {
    int x0, y0, columns, rows;
} lattice;

static lattice lay(const drawing *d, const tally_zone_map *map)
{
    const double reach = NEAR_M / map->pixel_m;
    tally_point low = { INFINITY, INFINITY }, high = { -INFINITY, -INFINITY };
    for (size_t z = 0; z < d->site->n_zones; z++) {
        tally_point a, b;
        tally_shape_bounds(&d->shapes[z], &a, &b);
        low = (tally_point) { fmin(low.x, a.x), fmin(low.y, a.y) };
        high = (tally_point) { fmax(high.x, b.x), fmax(high.y, b.y) };
    }
    return (lattice) { .x0 = (int)floor(low.x - reach),
                       .y0 = (int)floor(low.y - reach),
                       .columns = (int)ceil((high.x - low.x + 2 * reach) / map->side),
                       .rows = (int)ceil((high.y - low.y + 2 * reach) / map->side) };
}

static void place_sheet(const lattice *l, size_t i, sheet *s)
{
    s->x0 = l->x0 + (int)(i % (size_t)l->columns) * s->side;
    s->y0 = l->y0 + (int)(i / (size_t)l->columns) * s->side;
}

/* Draw the cells; of more than MOST_CELLS, that many evenly. */
static tally_status draw_cells(const drawing *d, tally_zone_map *map, sheet *s, tally_error *err)
{
    const lattice l = lay(d, map);
    const size_t all = (size_t)l.columns * (size_t)l.rows;
    size_t *fit = tally_alloc(all, sizeof *fit), n = 0;
    double share = 0;
    tally_status status = fit ? TALLY_OK : tally_nomem(err, "a map of the zones");
    for (size_t i = 0; i < all && status == TALLY_OK; i++) {
        place_sheet(&l, i, s);
        status = draw_cell(d, map, s, &share, err);
        if (share >= LEAST_LABELLED) fit[n++] = i;
    }
    const size_t take = n < MOST_CELLS ? n : MOST_CELLS, area = (size_t)map->side * map->side;
    if (status == TALLY_OK && !(map->cells = tally_alloc(take, sizeof *map->cells)))
        status = tally_nomem(err, "a map of the zones");
    for (size_t k = 0; k < take && status == TALLY_OK; k++) {
        tally_map_cell *cell = &map->cells[map->n];
        place_sheet(&l, fit[(2 * k + 1) * n / (2 * take)], s);
        status = draw_cell(d, map, s, &share, err);
        if (status == TALLY_OK && !(cell->label = tally_alloc(area, 1)))
            status = tally_nomem(err, "a map of the zones");
        if (status != TALLY_OK) break;
        memcpy(cell->label, s->label, area);
        cell->x0 = s->x0, cell->y0 = s->y0;
        map->n++;
    }
    tally_free(fit);
    return status;
}

tally_status tally_zone_map_draw(const tally_stack *stack, tally_zone_map *out, tally_error *err)
{
    drawing d;
    *out = (tally_zone_map) { 0 };
    if (!choose_scale(stack->grid.gsd_m, out) || stack->site->n_zones == 0) return TALLY_OK;
    const size_t area = (size_t)out->side * (size_t)out->side;
    sheet s = { .side = out->side,
                .track = tally_alloc(area, sizeof(float)),
                .outline = tally_alloc(area, sizeof(float)),
                .label = tally_alloc(area, 1) };
    tally_status status = draw_shapes(stack, stack->grid.gsd_m / out->pixel_m, &d, err);
    if (status == TALLY_OK && !(s.track && s.outline && s.label))
        status = tally_nomem(err, "a map of the zones");
    if (status == TALLY_OK) find_across(&d, out);
    if (status == TALLY_OK) status = draw_cells(&d, out, &s, err);
    free_drawing(&d);
    tally_free(s.track);
    tally_free(s.outline);
    tally_free(s.label);
    if (status != TALLY_OK) tally_zone_map_fini(out);
    return status;
}

void tally_zone_map_fini(tally_zone_map *map)
{
    for (size_t i = 0; i < map->n; i++) {
        tally_free(map->cells[i].label);
        for (int k = 0; k < TALLY_LOOKS; k++)
            tally_free(map->cells[i].look[k]);
    }
    tally_free(map->cells);
    *map = (tally_zone_map) { 0 };
}
