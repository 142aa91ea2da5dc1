/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "count/rail_cuts.h"

#include <math.h>

static const double LEAST_CUT_M = 8; /* shorter is no wagon but clutter */

int64_t tally_rail_cuts_of(const tally_track *t, const tally_rail_state *s, tally_rail_cut *cuts,
                           size_t *n_cuts)
{
    int64_t cars = 0;
    size_t n = 0;
    for (int c = 0; c < t->n;) {
        int from = c;
        while (c < t->n && s->occupied[c] == s->occupied[from])
            c++;
        double length = (c - from) * t->step_m;
        if (!s->occupied[from] || length < LEAST_CUT_M) continue;
        int64_t k = (int64_t)fmax(1, lround(length / TALLY_RAIL_PITCH_M));
        if (cuts) cuts[n] = (tally_rail_cut) { .from = from, .to = c, .cars = k };
        n++;
        cars += k;
    }
    if (n_cuts) *n_cuts = n;
    return cars;
}

/* `locomotive 12.5-29.5; gondola 29.5-43.4`: kind and coupler faces, metres along the track. */
static char *tell_cars(const tally_track *t, const tally_rail_cut *cut,
                       const tally_rail_catalogue *wagons, const tally_rail_row *row)
{
    tally_text text = { 0 };
    for (int64_t k = 0; k < cut->cars; k++) {
        const tally_car *car = &row->cars[cut->first + (size_t)k];
        tally_text_add(&text, "%s%s %.1f-%.1f", k ? "; " : "",
                       car->kind >= 0 ? wagons->kinds[car->kind].type : "wagon",
                       (car->from + 0.5) * t->step_m, (car->to + 0.5) * t->step_m);
    }
    char *out = text.failed ? NULL : tally_strdup(text.size ? text.bytes : "");
    tally_text_fini(&text);
    return out;
}

tally_status tally_rail_add_cut(const tally_stack *stack, const tally_track *t,
                                const tally_rail_state *s, const tally_rail_cut *cut,
                                const tally_rail_catalogue *wagons, const tally_rail_row *row,
                                tally_findings *out, tally_error *err)
{
    tally_point a = tally_stack_metres(stack, tally_track_at(t, cut->from - 0.5, 0)),
                b = tally_stack_metres(stack, tally_track_at(t, cut->to - 0.5, 0));
    double odds = 0;
    for (int c = cut->from; c < cut->to; c++)
        odds += s->logit[c] / (cut->to - cut->from);
    tally_found f = { .zone = t->zone,
                      .count = cut->cars,
                      .length_m = (cut->to - cut->from) * t->step_m,
                      .width_m = 2 * TALLY_RAIL_HALF_WAGON_M,
                      .heading_deg = tally_heading_deg(b.x - a.x, b.y - a.y),
                      .type = cut->cars > 1 ? "cut" : "wagon" };
    f.area_m2 = f.length_m * f.width_m;
    f.score = tally_clamp(1 / (1 + exp(-4 * odds)), 0, 1);
    /* four places along each side, so that the outline follows a bend */
    for (int k = 0; k < 4; k++) {
        double c = cut->from - 0.5 + (cut->to - cut->from) * k / 3.0;
        f.ring[k] = tally_stack_metres(stack, tally_track_at(t, c, TALLY_RAIL_HALF_WAGON_M));
        f.ring[7 - k] = tally_stack_metres(stack, tally_track_at(t, c, -TALLY_RAIL_HALF_WAGON_M));
    }
    f.n_ring = 8;
    tally_status status = TALLY_OK;
    if (row->n > 0) {
        if (!(f.cars = tell_cars(t, cut, wagons, row))) return tally_nomem(err, "a cut");
        int kind = row->cars[cut->first].kind;
        if (cut->cars == 1 && kind >= 0 && wagons->kinds[kind].locomotive) f.type = "locomotive";
    }
    status = tally_findings_add_found(out, &f, err);
    tally_free(f.cars);
    return status;
}

size_t tally_rail_cuts_of_row(const tally_track *t, const tally_rail_row *row, tally_rail_cut *cuts)
{
    size_t n = 0;
    double body = 0.5 + TALLY_CAR_HALF_GAP_M / t->step_m;
    for (size_t k = 0; k < row->n; k++) {
        const tally_car *car = &row->cars[k];
        if (k == 0 || car->from > row->cars[k - 1].to)
            cuts[n++] =
                (tally_rail_cut) { .from = (int)fmax(0, lround(car->from + body)), .first = k };
        cuts[n - 1].to = (int)fmin(t->n, lround(car->to - body) + 1);
        cuts[n - 1].cars++;
    }
    return n;
}
