/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One shift for all zones. At each shift of the labels over the stack, classes and looks make a
 * table of counts; the shift at which a pixel's class tells most of its look (count times mutual
 * information: the log-likelihood ratio of dependence) is where the zones lie. Polarity does not
 * matter: ballast may be darker or brighter than the ground. All zones share one table, so they are
 * to look alike by class wherever they lie.
 *
 * How sure: the cells fall into groups, and groups drawn with replacement (bootstrap) must find the
 * same place. Where they scatter along one line (straight tracks: nothing tells where along them)
 * and agree across it, only the part across counts, the least shift that has it. And subsets of
 * zones must agree: parallel tracks look alike one spacing on, so the other zones alone must put
 * the set within less than a spacing of where all put it, across the tracks; without other zones
 * the place is unknown.
 *
 * Known failures: polygons drawn generous on one side only pull the fit by part of that (a metre on
 * the drawn ports); a site with tracks alone is refused; tracks that curve away or end would tell
 * the place along them, but hardly weigh against their sides.
 *
 * Constants: chosen on the drawn scenes, where the place across tracks is met within 1 m (0.5 m
 * pixels) and 1.5 m (3 m); 4.5 m is the closest spacing of tracks, 3 m leaves room under it.
 */
#include "align/zone_match.h"

#include <math.h>
#include <string.h>

enum { GROUPS = 16, DRAWS = 64, LEAST_CELLS = 4, DIRECTIONS = 90 };
/* A row of a table: the bins, and a last place for what is unseen, which nobody reads. */
enum { ROW = TALLY_LOOK_BINS + 1, LOOK = TALLY_MAP_CLASSES * ROW, TABLE = TALLY_LOOKS * LOOK };
static const double SAME_PLACE_M = 2, AGREE = 0.9, UNDER_A_SPACING_M = 3, SCATTER_CAP_M = 4;

typedef struct search {
    const tally_zone_map *map;
    int across;      /* shifts a row: 2 reach + 1 */
    size_t n_shifts; /* across squared */
    size_t groups;
    uint32_t *counts; /* group, shift, look, class, bin */
    bool *inside;     /* by shift: within the circle */
    float *draws;     /* evidence: a plane of shifts a draw */
    double same_m;    /* what counts as one place */
} search;

static uint32_t *table_at(const search *s, size_t group, size_t shift)
{
    return s->counts + (group * s->n_shifts + shift) * TABLE;
}

/* The labelled pixels of a cell, every other one as on a chequerboard: neighbours look alike. */
typedef struct labels {
    size_t n;
    uint32_t *at;  /* in the cell's window, at no shift to the upper left */
    uint16_t *row; /* of the table */
} labels;

static void list_labels(const tally_map_cell *cell, const tally_zone_map *map, labels *out)
{
    const int window = tally_map_window(map);
    out->n = 0;
    for (int y = 0; y < map->side; y++)
        for (int x = y & 1; x < map->side; x += 2) {
            const uint8_t label = cell->label[y * map->side + x];
            if (label == TALLY_MAP_FAR) continue;
            out->at[out->n] = (uint32_t)(y * window + x);
            out->row[out->n++] = (uint16_t)(label * ROW);
        }
}

static void count_cell(const tally_map_cell *cell, const labels *l, size_t shift, uint32_t *table)
{
    for (int k = 0; k < TALLY_LOOKS; k++) {
        const uint8_t *look = cell->look[k] + shift;
        uint32_t *t = table + k * LOOK;
        for (size_t i = 0; i < l->n; i++)
            t[l->row[i] + look[l->at[i]]]++;
    }
}

static tally_status count_group(void *user, size_t g, tally_error *err)
{
    const search *s = user;
    const tally_zone_map *map = s->map;
    const size_t area = (size_t)map->side * (size_t)map->side;
    labels l = { .at = tally_alloc(area, sizeof *l.at), .row = tally_alloc(area, sizeof *l.row) };
    tally_status status = l.at && l.row ? TALLY_OK : tally_nomem(err, "the search for the zones");
    for (size_t c = g; c < map->n && status == TALLY_OK; c += s->groups) {
        list_labels(&map->cells[c], map, &l);
        for (size_t i = 0; i < s->n_shifts; i++) {
            const size_t sx = i % (size_t)s->across, sy = i / (size_t)s->across;
            if (s->inside[i])
                count_cell(&map->cells[c], &l, sy * (size_t)tally_map_window(map) + sx,
                           table_at(s, g, i));
        }
    }
    tally_free(l.at);
    tally_free(l.row);
    return status;
}

static double x_log_x(double x)
{
    return x > 0 ? x * log(x) : 0;
}

/* Which rows of a table count: all classes; the ground and the zones that are no tracks, whatever
 * lies on tracks left out; or tracks against all the rest taken together. */
typedef enum rows { ALL_ROWS, WITHOUT_TRACKS, ONLY_TRACKS } rows;

static bool is_track(int class)
{
    return class == TALLY_MAP_BED || class == TALLY_MAP_STRIP;
}

/* Count times mutual information of class and look. */
static double information(const uint32_t *t, rows which)
{
    double columns[TALLY_LOOK_BINS] = { 0 }, rest[TALLY_LOOK_BINS] = { 0 }, sum = 0, all = 0,
           rest_row = 0;
    for (int c = 0; c < TALLY_MAP_CLASSES; c++) {
        const bool merge = which == ONLY_TRACKS && !is_track(c);
        double row = 0;
        if (which == WITHOUT_TRACKS && is_track(c)) continue;
        for (int b = 0; b < TALLY_LOOK_BINS; b++) {
            const double n = t[c * ROW + b];
            columns[b] += n;
            row += n;
            if (merge)
                rest[b] += n;
            else
                sum += x_log_x(n);
        }
        all += row;
        if (merge)
            rest_row += row;
        else
            sum -= x_log_x(row);
    }
    for (int b = 0; b < TALLY_LOOK_BINS; b++)
        sum += x_log_x(rest[b]) - x_log_x(columns[b]);
    return sum - x_log_x(rest_row) + x_log_x(all);
}

/* The evidence at every shift with each group counted `weight` times. */
static void weigh(const search *s, const uint32_t *weight, rows which, float *out)
{
    uint32_t sum[TABLE];
    for (size_t i = 0; i < s->n_shifts; i++) {
        out[i] = -INFINITY;
        if (!s->inside[i]) continue;
        memset(sum, 0, sizeof sum);
        for (size_t g = 0; g < s->groups; g++) {
            const uint32_t *t = table_at(s, g, i);
            for (int k = 0; k < TABLE && weight[g] > 0; k++)
                sum[k] += weight[g] * t[k];
        }
        double total = 0;
        for (int k = 0; k < TALLY_LOOKS; k++) {
            const uint32_t *t = sum + k * LOOK;
            /* what comes and goes tells tracks; elsewhere it is cloud, shadow and waves */
            if (k != TALLY_LOOK_UNREST)
                total += information(t, which);
            else if (which == ALL_ROWS)
                total += information(t, ONLY_TRACKS);
        }
        out[i] = (float)total;
    }
}

static tally_status weigh_draw(void *user, size_t draw, tally_error *err)
{
    const search *s = user;
    uint32_t weight[GROUPS] = { 0 };
    tally_rng rng = { 1 + draw };
    (void)err;
    for (size_t i = 0; i < s->groups; i++)
        weight[(size_t)(tally_rng_uniform(&rng) * (double)s->groups)]++;
    weigh(s, weight, ALL_ROWS, s->draws + draw * s->n_shifts);
    return TALLY_OK;
}

static tally_point shift_at(const search *s, size_t i)
{
    const int reach = s->map->reach;
    return (tally_point) { ((int)(i % (size_t)s->across) - reach) * s->map->pixel_m,
                           ((int)(i / (size_t)s->across) - reach) * s->map->pixel_m };
}

static tally_point best_place(const search *s, const float *plane)
{
    size_t best = s->n_shifts / 2;
    for (size_t i = 0; i < s->n_shifts; i++)
        if (plane[i] > plane[best]) best = i;
    return shift_at(s, best);
}

/* Evidence between shifts; -INFINITY outside of the circle. */
static double evidence_at(const search *s, const float *plane, tally_point m)
{
    const double x = m.x / s->map->pixel_m + s->map->reach,
                 y = m.y / s->map->pixel_m + s->map->reach;
    const int ix = (int)floor(x), iy = (int)floor(y);
    double sum = 0;
    for (int c = 0; c < 4; c++) {
        const int u = ix + (c & 1), v = iy + (c >> 1);
        const double w = (c & 1 ? x - ix : 1 - x + ix) * (c >> 1 ? y - iy : 1 - y + iy);
        if (w <= 0) continue;
        if (u < 0 || v < 0 || u >= s->across || v >= s->across) return -INFINITY;
        sum += w * plane[(size_t)v * (size_t)s->across + (size_t)u];
    }
    return sum;
}

static tally_point along(tally_point from, tally_point way, double t)
{
    return (tally_point) { from.x + t * way.x, from.y + t * way.y };
}

/* The best t on the line from + t way, in steps of half a pixel. */
static double best_on_line(const search *s, const float *plane, tally_point from, tally_point way)
{
    const double step = s->map->pixel_m / 2;
    double best = 0, most = -INFINITY;
    for (int i = -4 * s->map->reach; i <= 4 * s->map->reach; i++) {
        const double e = evidence_at(s, plane, along(from, way, i * step));
        if (e > most || (e == most && fabs(i * step) < fabs(best))) {
            best = i * step;
            most = e;
        }
    }
    return best;
}

/* The top of the parabola through the evidence a pixel before, at, and after a place: at most half
 * a pixel from it. */
static double top_beside(const search *s, const float *plane, tally_point at, tally_point way)
{
    const double step = s->map->pixel_m, e = evidence_at(s, plane, at),
                 before = evidence_at(s, plane, along(at, way, -step)),
                 after = evidence_at(s, plane, along(at, way, step));
    const double bend = before - 2 * e + after;
    if (!isfinite(bend) || !(bend < 0)) return 0;
    return tally_clamp((before - after) / (2 * bend), -0.5, 0.5) * step;
}

static double dot(tally_point a, tally_point b)
{
    return a.x * b.x + a.y * b.y;
}

/* The direction in which the draws lie closest to `middle`. */
static tally_point firmest_way(const tally_point *places, tally_point middle)
{
    tally_point best = { 1, 0 };
    double least = INFINITY;
    for (int d = 0; d < DIRECTIONS; d++) {
        const tally_point way = { cos(M_PI * d / DIRECTIONS), sin(M_PI * d / DIRECTIONS) };
        double sum = 0;
        for (int i = 0; i < DRAWS; i++)
            sum += fmin(fabs(dot(way, places[i]) - dot(way, middle)), SCATTER_CAP_M);
        if (sum < least) {
            least = sum;
            best = way;
        }
    }
    return best;
}

static void find_across(const search *s, const float *plane, const tally_point *places,
                        tally_point middle, tally_zone_match *out)
{
    const tally_point none = { 0, 0 }, way = firmest_way(places, middle);
    const double t = best_on_line(s, plane, none, way);
    int same_place = 0, same_on_line = 0;
    for (int i = 0; i < DRAWS; i++) {
        const float *draw = s->draws + (size_t)i * s->n_shifts;
        same_place += fabs(dot(way, places[i]) - dot(way, middle)) <= s->same_m;
        same_on_line += fabs(best_on_line(s, draw, none, way) - t) <= s->same_m;
    }
    const double agreement = fmin(same_place, same_on_line) / DRAWS;
    /* the line through no shift must meet the ridge where all evidence has its top */
    if (agreement < AGREE || fabs(t - dot(way, middle)) > 2 * s->same_m) {
        out->agreement = agreement;
        out->why = "parts of the site put the zones at different places";
        return;
    }
    const tally_point at = along(none, way, t),
                      top = along(none, way, t + top_beside(s, plane, at, way));
    *out = (tally_zone_match) {
        .verdict = TALLY_ZONES_ACROSS, .dx_m = top.x, .dy_m = top.y, .agreement = agreement
    };
}

static void find_place(const search *s, const float *plane, tally_zone_match *out)
{
    const tally_point right = { 1, 0 }, down = { 0, 1 }, middle = best_place(s, plane);
    tally_point places[DRAWS];
    int same = 0;
    for (int i = 0; i < DRAWS; i++) {
        places[i] = best_place(s, s->draws + (size_t)i * s->n_shifts);
        same += hypot(places[i].x - middle.x, places[i].y - middle.y) <= s->same_m;
    }
    if (same < AGREE * DRAWS) {
        find_across(s, plane, places, middle, out);
        return;
    }
    *out = (tally_zone_match) { .verdict = TALLY_ZONES_FOUND,
                                .dx_m = middle.x + top_beside(s, plane, middle, right),
                                .dy_m = middle.y + top_beside(s, plane, middle, down),
                                .agreement = (double)same / DRAWS };
}

static void refuse(tally_zone_match *out, const char *why)
{
    out->verdict = TALLY_ZONES_UNKNOWN;
    out->dx_m = out->dy_m = 0;
    out->why = why;
}

/* Zones but tracks: how many pixels are labelled as theirs. */
static size_t count_others(const tally_zone_map *map)
{
    size_t n = 0;
    for (size_t c = 0; c < map->n; c++)
        for (int i = 0; i < map->side * map->side; i++) {
            const uint8_t l = map->cells[c].label[i];
            n += l == TALLY_MAP_STABLE || l == TALLY_MAP_YARD || l == TALLY_MAP_WATER ||
                 l == TALLY_MAP_IGNORE;
        }
    return n;
}

/* A place that tracks had a say in, against what the other zones alone say across the tracks. */
static void check_others(const search *s, float *plane, tally_zone_match *out)
{
    uint32_t all[GROUPS];
    if (out->verdict == TALLY_ZONES_UNKNOWN || !s->map->has_tracks) return;
    if (count_others(s->map) == 0) {
        refuse(out, "tracks alone look alike one track on; draw a yard, a quay or stable ground");
        return;
    }
    for (size_t g = 0; g < GROUPS; g++)
        all[g] = 1;
    weigh(s, all, WITHOUT_TRACKS, plane);
    const tally_point at = { out->dx_m, out->dy_m };
    tally_point ways[2] = { { s->map->across_x, s->map->across_y }, { 0, 0 } };
    int n = 1;
    /* tracks in several directions: both axes */
    if (ways[0].x == 0 && ways[0].y == 0) {
        ways[0] = (tally_point) { 1, 0 };
        ways[1] = (tally_point) { 0, 1 };
        n = 2;
    }
    for (int i = 0; i < n; i++)
        if (fabs(best_on_line(s, plane, at, ways[i])) > UNDER_A_SPACING_M)
            refuse(out, "tracks and other zones put the set at different places");
}

static tally_status open_search(search *s, const tally_zone_map *map, tally_error *err)
{
    *s = (search) { .map = map,
                    .across = 2 * map->reach + 1,
                    .groups = map->n < GROUPS ? map->n : GROUPS,
                    .same_m = fmax(SAME_PLACE_M, 2 * map->pixel_m) + 1e-6 };
    s->n_shifts = (size_t)s->across * (size_t)s->across;
    s->counts = tally_alloc(s->groups * s->n_shifts, TABLE * sizeof *s->counts);
    s->inside = tally_alloc(s->n_shifts, sizeof *s->inside);
    s->draws = tally_alloc(DRAWS * s->n_shifts, sizeof *s->draws);
    if (!s->counts || !s->inside || !s->draws) return tally_nomem(err, "the search for the zones");
    for (size_t i = 0; i < s->n_shifts; i++) {
        const tally_point m = shift_at(s, i);
        s->inside[i] = hypot(m.x, m.y) <= map->reach * map->pixel_m;
    }
    return TALLY_OK;
}

static void close_search(search *s)
{
    tally_free(s->counts);
    tally_free(s->inside);
    tally_free(s->draws);
}

tally_status tally_zone_match_find(const tally_context *ctx, const tally_zone_map *map,
                                   tally_zone_match *out, tally_error *err)
{
    search s = { 0 };
    uint32_t all[GROUPS];
    float *plane = NULL;
    *out = (tally_zone_match) { .why = "too little of the zones' outlines is seen" };
    if (map->n < LEAST_CELLS) return TALLY_OK;
    for (size_t g = 0; g < GROUPS; g++)
        all[g] = 1;
    tally_status status = open_search(&s, map, err);
    if (status == TALLY_OK && !(plane = tally_alloc(s.n_shifts, sizeof *plane)))
        status = tally_nomem(err, "the search for the zones");
    if (status == TALLY_OK) status = tally_parallel_for(ctx, NULL, s.groups, count_group, &s, err);
    if (status == TALLY_OK) status = tally_parallel_for(ctx, NULL, DRAWS, weigh_draw, &s, err);
    if (status == TALLY_OK) {
        weigh(&s, all, ALL_ROWS, plane);
        find_place(&s, plane, out);
        check_others(&s, plane, out);
        if (hypot(out->dx_m, out->dy_m) > TALLY_ZONES_FARTHEST_M)
            refuse(out, "they seem to lie farther off than is looked for");
    }
    tally_free(plane);
    close_search(&s);
    return status;
}
