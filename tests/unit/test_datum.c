/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The search for the zones on a drawn station: tracks 5 m apart on a bed, yards beside them. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "align/zone_match.h"
#include "kernels/kernels.h"

enum { TRACKS = 4, YARDS = 4, MOST_ZONES = TRACKS + YARDS, WIDE = 400, HIGH = 200 };
static const double SPACING_M = 5, FIRST_TRACK_M = 90, FIRST_YARD_M = 40, YARDS_APART_M = 85;

typedef enum parts { TRACKS_ONLY, TRACKS_AND_YARDS } parts;
typedef enum ground { BARE, DRAWN } ground;

typedef struct station {
    tally_zone zones[MOST_ZONES];
    tally_path paths[MOST_ZONES];
    tally_point points[MOST_ZONES][4];
    int part;
    tally_site site;
    tally_stack stack;
    tally_zone_map map;
    tally_context ctx;
} station;

static void add_zone(station *s, tally_role role, const tally_point *points, size_t n)
{
    const size_t z = s->site.n_zones++;
    memcpy(s->points[z], points, n * sizeof *points);
    s->paths[z] = (tally_path) { s->points[z], n };
    s->zones[z] = (tally_zone) { .role = role,
                                 .shape = { .paths = &s->paths[z],
                                            .part = &s->part,
                                            .n_paths = 1,
                                            .is_line = role == TALLY_TRACK } };
}

/* Metres with north up from the grid's upper left corner, so y is negative. */
static void add_yard(station *s, int i)
{
    const double x = FIRST_YARD_M + i * YARDS_APART_M;
    const tally_point ring[] = { { x, -40 }, { x + 40, -40 }, { x + 40, -65 }, { x, -65 } };
    add_zone(s, TALLY_YARD, ring, 4);
}

static void set_up(station *s, parts what)
{
    memset(s, 0, sizeof *s);
    s->ctx = (tally_context) { .jobs = 2, .kernels = tally_kernels_select(tally_cpu_flags()) };
    for (int t = 0; t < TRACKS; t++) {
        const double y = -FIRST_TRACK_M - t * SPACING_M;
        const tally_point line[] = { { 20, y }, { 380, y } };
        add_zone(s, TALLY_TRACK, line, 2);
    }
    for (int i = 0; what == TRACKS_AND_YARDS && i < YARDS; i++)
        add_yard(s, i);
    s->site.zones = s->zones;
    s->stack =
        (tally_stack) { .site = &s->site, .grid = { .gsd_m = 1, .width = WIDE, .height = HIGH } };
    assert_int_equal(tally_zone_map_draw(&s->stack, &s->map, NULL), TALLY_OK);
    assert_true(s->map.n > 4);
}

/* What the ground is at a place, in metres right of and below the corner. `extra`: tracks that are
 * there but not drawn, below the others. */
static float brightness(double x, double y, int extra)
{
    const double last = FIRST_TRACK_M + (TRACKS - 1 + extra) * SPACING_M;
    const int yard = (int)floor((x - FIRST_YARD_M) / YARDS_APART_M);
    if (yard >= 0 && yard < YARDS && x - FIRST_YARD_M - yard * YARDS_APART_M < 40 && y > 40 &&
        y < 65)
        return 160;
    if (y < FIRST_TRACK_M - 3.6 || y > last + 3.6) return 100;
    const double off = fabs(remainder(y - FIRST_TRACK_M, SPACING_M));
    return off < 1.7 ? 70 : 130;
}

/* Looks of the ground moved right and down by (dx, dy), with noise. */
static void look(station *s, ground what, double dx, double dy, int extra)
{
    tally_zone_map *map = &s->map;
    const int window = tally_map_window(map);
    const size_t area = (size_t)window * (size_t)window;
    tally_rng rng = { 11 };
    for (int k = 0; k < TALLY_LOOKS; k++) {
        float *values = tally_alloc(map->n * area, sizeof *values);
        assert_non_null(values);
        for (size_t c = 0; c < map->n; c++)
            for (size_t i = 0; i < area; i++) {
                const double x = map->cells[c].x0 - map->reach + (double)(i % (size_t)window) + 0.5,
                             y = map->cells[c].y0 - map->reach + (double)(i / (size_t)window) + 0.5;
                const float level = what == DRAWN && k == TALLY_LOOK_BRIGHT
                                        ? brightness(x - dx, y - dy, extra)
                                        : 100;
                values[c * area + i] = level + (float)(15 * tally_rng_normal(&rng));
            }
        assert_int_equal(tally_zone_map_bin(map, (tally_look)k, values, NULL), TALLY_OK);
        tally_free(values);
    }
}

static tally_zone_match find(station *s)
{
    tally_zone_match match;
    assert_int_equal(tally_zone_match_find(&s->ctx, &s->map, &match, NULL), TALLY_OK);
    tally_zone_map_fini(&s->map);
    return match;
}

static void finds_a_shift_of_all_zones(void **state)
{
    static const double shifts[][2] = { { 0, 0 }, { -5, 7 }, { 8, -13 } };
    (void)state;
    for (size_t i = 0; i < sizeof shifts / sizeof *shifts; i++) {
        station s;
        set_up(&s, TRACKS_AND_YARDS);
        look(&s, DRAWN, shifts[i][0], shifts[i][1], 0);
        const tally_zone_match m = find(&s);
        assert_int_equal(m.verdict, TALLY_ZONES_FOUND);
        assert_true(fabs(m.dx_m - shifts[i][0]) < 0.6);
        assert_true(fabs(m.dy_m - shifts[i][1]) < 0.3);
    }
}

/* Tracks that nobody drew beside those that are: the set could as well lie one spacing on, but for
 * the yards. With one it is found, with three it may be refused, and is never put on the wrong
 * track. */
static void is_not_drawn_to_the_next_track(void **state)
{
    (void)state;
    for (int extra = 1; extra <= 3; extra += 2) {
        station s;
        set_up(&s, TRACKS_AND_YARDS);
        look(&s, DRAWN, 0, 7, extra);
        const tally_zone_match m = find(&s);
        if (extra == 1) assert_int_not_equal(m.verdict, TALLY_ZONES_UNKNOWN);
        if (m.verdict != TALLY_ZONES_UNKNOWN) assert_true(fabs(m.dy_m - 7) < 0.5);
    }
}

static void tracks_alone_are_not_enough(void **state)
{
    station s;
    (void)state;
    set_up(&s, TRACKS_ONLY);
    look(&s, DRAWN, 0, 7, 3);
    const tally_zone_match m = find(&s);
    assert_int_equal(m.verdict, TALLY_ZONES_UNKNOWN);
    assert_non_null(m.why);
    assert_true(m.dx_m == 0 && m.dy_m == 0);
}

static void nothing_to_see_is_unknown(void **state)
{
    station s;
    (void)state;
    set_up(&s, TRACKS_AND_YARDS);
    look(&s, BARE, 0, 0, 0);
    assert_int_equal(find(&s).verdict, TALLY_ZONES_UNKNOWN);
}

static void farther_than_it_looks_is_unknown(void **state)
{
    station s;
    (void)state;
    set_up(&s, TRACKS_AND_YARDS);
    look(&s, DRAWN, 0, 21, 0);
    assert_int_equal(find(&s).verdict, TALLY_ZONES_UNKNOWN);
}

static void threads_do_not_matter(void **state)
{
    tally_zone_match m[2];
    (void)state;
    for (int i = 0; i < 2; i++) {
        station s;
        set_up(&s, TRACKS_AND_YARDS);
        s.ctx.jobs = 1 + 3 * i;
        look(&s, DRAWN, 4, -6, 0);
        m[i] = find(&s);
    }
    assert_true(m[0].dx_m == m[1].dx_m && m[0].dy_m == m[1].dy_m &&
                m[0].agreement == m[1].agreement);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finds_a_shift_of_all_zones),
        cmocka_unit_test(is_not_drawn_to_the_next_track),
        cmocka_unit_test(tracks_alone_are_not_enough),
        cmocka_unit_test(nothing_to_see_is_unknown),
        cmocka_unit_test(farther_than_it_looks_is_unknown),
        cmocka_unit_test(threads_do_not_matter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
