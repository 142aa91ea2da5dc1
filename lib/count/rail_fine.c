/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From occupied columns to cars, where pixels show single wagons.
 *
 * Runs of occupied columns (rail_judge.c) are where cars are; how many, where each begins and ends,
 * and whether there is bare track between them, is found by rail_cars.c from the occupancy column
 * by column, the gaps on the pixels (not in snow: drifts and swept roofs draw lines of their own),
 * and the sun: past the end of a cut that the sun shines along, its own shadow lies on the track.
 *
 * A run that reaches the track's end, or unseen ground, is open there: a car counts when its middle
 * is on the track, seen.
 */
#include "count/rail_fine.h"

#include <math.h>
#include <string.h>

static const double LEAST_RUN_M = 6; /* shorter is clutter: no car is so short */
static const double MARGIN_M = 8;    /* past a run: where its end may be instead */
static const double AT_END_M = 1.5;  /* a run that comes this near to an end is open there */
static const double BESIDE_M = 2;    /* a shadow that falls farther aside leaves the track free */
static const double SHORTEST_SHADE_M = 1;

typedef struct run {
    size_t track;
    int from, to;               /* columns */
    int window_from, window_to; /* up to the middle between it and the next */
} run;

void tally_rail_row_fini(tally_rail_row *row)
{
    tally_free(row->cars);
    *row = (tally_rail_row) { 0 };
}

/* The runs of one track; room for n columns. */
static size_t runs_of(const tally_rail_scene *s, size_t i, run *out)
{
    const tally_track *t = &s->tracks[i];
    const bool *occupied = s->states[i].occupied;
    int margin = (int)(MARGIN_M / t->step_m);
    size_t n = 0;
    for (int c = 0; c < t->n;) {
        int from = c;
        while (c < t->n && occupied[c] == occupied[from])
            c++;
        if (!occupied[from] || (c - from) * t->step_m < LEAST_RUN_M) continue;
        out[n++] = (run) { .track = i, .from = from, .to = c };
    }
    for (size_t k = 0; k < n; k++) {
        int before = k > 0 ? (out[k - 1].to + out[k].from) / 2 : 0,
            after = k + 1 < n ? (out[k].to + out[k + 1].from) / 2 : t->n;
        out[k].window_from = out[k].from - margin > before ? out[k].from - margin : before;
        out[k].window_to = out[k].to + margin < after ? out[k].to + margin : after;
    }
    return n;
}

/* Does what is seen end within `near` columns of c, that way? */
static bool ends_near(const tally_track *t, const tally_rail_state *s, int c, int way, int near)
{
    for (int k = 0; k <= near; k++, c += way)
        if (c < 0 || c >= t->n || !s->seen[c]) return true;
    return false;
}

static tally_status take_run(const tally_rail_catalogue *catalogue, const double *fleet_log,
                             const tally_rail_scene *s, const run *r, const tally_rail_sun *sun,
                             const float *gap, tally_cars *out, tally_error *err)
{
    const tally_track *t = &s->tracks[r->track];
    const tally_rail_state *state = &s->states[r->track];
    int near = (int)(AT_END_M / t->step_m);
    double shade_m = sun->along_m * fmin(1, BESIDE_M / fmax(fabs(sun->across_m), 1e-6));
    tally_cut_evidence e = { .gap = gap,
                             .n = t->n,
                             .step_m = t->step_m,
                             .from = r->from - 0.5,
                             .to = r->to - 0.5,
                             .end_sd_m = 1,
                             .logit = state->logit,
                             .window_from = r->window_from,
                             .window_to = r->window_to,
                             .shaded_logit =
                                 fabs(shade_m) >= SHORTEST_SHADE_M ? state->shaded_logit : NULL,
                             .shade_m = shade_m,
                             .from_open = ends_near(t, state, r->from, -1, near),
                             .to_open = ends_near(t, state, r->to - 1, 1, near) };
    return tally_cars_split(catalogue, fleet_log, &e, out, err);
}

static tally_status append(tally_rail_row *row, const tally_cars *cars, tally_error *err)
{
    tally_car *more = tally_realloc(row->cars, row->n + cars->n + 1, sizeof *more);
    if (!more) return tally_nomem(err, "a cut");
    row->cars = more;
    if (cars->n) memcpy(row->cars + row->n, cars->cars, cars->n * sizeof *more);
    row->n += cars->n;
    return TALLY_OK;
}

/* What the pixels say of gaps, run by run: each has its own contrast. */
static tally_status see_gaps(const tally_rail_scene *s, const run *runs, size_t n, float **gaps,
                             tally_error *err)
{
    size_t longest = 0;
    for (size_t i = 0; i < s->n; i++)
        longest = (size_t)s->tracks[i].n > longest ? (size_t)s->tracks[i].n : longest;
    float *room = tally_alloc(longest, sizeof *room);
    tally_status status = room ? TALLY_OK : tally_nomem(err, "a cut");
    for (size_t k = 0; k < n && status == TALLY_OK; k++) {
        const run *r = &runs[k];
        status =
            tally_cars_gaps(&s->tracks[r->track], &s->lit[r->track], r->from, r->to, room, err);
        for (int c = r->from; c < r->to && status == TALLY_OK; c++)
            gaps[r->track][c] = room[c];
    }
    tally_free(room);
    return status;
}

tally_status tally_rail_take_apart(const tally_rail_catalogue *catalogue, const tally_rail_scene *s,
                                   const tally_rail_sun *suns, bool snow, double other_fleet,
                                   tally_rail_row *rows, tally_error *err)
{
    double fleet[TALLY_FLEETS_MAX] = { 0 }, prior[TALLY_FLEETS_MAX] = { 0 };
    float *gaps[TALLY_TRACKS_A_UNIT] = { 0 };
    size_t columns = 1, n = 0;
    tally_status status = TALLY_OK;
    for (size_t i = 0; i < s->n; i++) {
        rows[i] = (tally_rail_row) { 0 };
        columns += (size_t)s->tracks[i].n;
        if (!(gaps[i] = tally_alloc((size_t)s->tracks[i].n, sizeof *gaps[i])))
            status = tally_nomem(err, "a cut");
    }
    run *runs = tally_alloc(columns, sizeof *runs);
    if (!runs) status = tally_nomem(err, "a cut");
    for (size_t i = 0; i < s->n && status == TALLY_OK; i++)
        n += runs_of(s, i, runs + n);
    if (status == TALLY_OK && !snow) status = see_gaps(s, runs, n, gaps, err);
    for (int w = 1; w < TALLY_FLEETS_MAX; w++)
        fleet[w] = prior[w] = other_fleet;
    /* first to learn which fleet it is, then with that */
    for (int pass = 0; pass < 2; pass++)
        for (size_t k = 0; k < n && status == TALLY_OK; k++) {
            tally_cars cars;
            status = take_run(catalogue, pass ? fleet : prior, s, &runs[k], &suns[runs[k].track],
                              gaps[runs[k].track], &cars, err);
            for (int w = 0; w < catalogue->n_fleets && pass == 0; w++)
                fleet[w] += cars.fleet_log[w];
            if (status == TALLY_OK && pass == 1) status = append(&rows[runs[k].track], &cars, err);
            tally_cars_fini(&cars);
        }
    for (size_t i = 0; i < s->n; i++) {
        tally_free(gaps[i]);
        if (status != TALLY_OK) tally_rail_row_fini(&rows[i]);
    }
    tally_free(runs);
    return status;
}
