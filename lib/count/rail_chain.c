/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A semi-Markov chain of cars and spaces (explicit-duration hidden Markov model; Rabiner 1989,
 * doi:10.1109/5.18626). States are the car lengths of a fleet, bare track, and bare track in the
 * cut's own shadow. The walk goes over columns; what is kept at a column is, for each number of
 * cars so far and each state that ends there, the sum of all ways (or the best one, with a way
 * back). No car reaches back farther than the longest, so a ring of columns is enough.
 */
#include "count/rail_chain.h"

#include <math.h>
#include <string.h>

static const double SAME_AGAIN = 0.6; /* probability that a car repeats the last one's kind: trains
                                         are made up of lots (chosen, not measured) */
static const double LEAVE = 0.1;      /* probability that a car is the last of its cut */
static const double ENTER = 0.004;    /* that a cut begins at a given column of bare track */
static const double SHADOWED = 0.8;   /* that an end in the sun's line is followed by its shadow */
static const double TALLEST = 1.25;   /* of the usual wagon, whose shadow is known */
enum { MOST_SHADE = 60 };
static const double LARGE = 1e200, TINY = 1e-200;

typedef struct walk {
    const tally_chain_piece *p;
    const tally_chain_fleet *f;
    double *ways; /* ring of columns x cars x states */
    size_t ring, row, cell;
    uint8_t (*back)[2]; /* columns x cars x states: span and the state before; NULL: sums */
    int most;
} walk;

enum { BEGINNING = 255 };

static double *at(const walk *w, int j, int m)
{
    return w->ways + (size_t)j % w->ring * w->row + (size_t)m * w->cell;
}

static void reach(walk *w, int j, int m, int state, double value, int span, int before)
{
    if (j >= w->p->n || !(value > 0)) return;
    double *there = at(w, j, m) + state;
    if (!w->back) {
        *there += value;
        return;
    }
    if (!(value > *there)) return;
    *there = value;
    uint8_t *b = w->back[(size_t)j * w->row + (size_t)m * w->cell + (size_t)state];
    b[0] = (uint8_t)span;
    b[1] = (uint8_t)before;
}

/* Two ways to one place: their sum, or the better one and where it comes from. */
static void join(const walk *w, double value, int before, double *total, int *from)
{
    if (!w->back) {
        *total += value;
    } else if (value > *total) {
        *total = value;
        *from = before;
    }
}

/* May a car from j to j + span belong to the cut? At an open end its middle must lie inside. */
static bool middle_inside(const tally_chain_piece *p, int j, int span)
{
    double middle = j + span / 2.0;
    return !(p->from_open && middle < p->from) && !(p->to_open && middle > p->to);
}

/* The half gap before or after a space looks bare, too. */
static double edge_of(const tally_chain_piece *p, int from)
{
    double product = 1;
    for (int c = from; c < from + p->edge; c++)
        if (c >= 0 && c < p->n) product *= p->bare[c];
    return product;
}

static void go_on_with_cars(walk *w, int j, int m, const double *now, double cars, int top)
{
    const tally_chain_piece *p = w->p;
    const int space = w->f->n, dark = space + 1;
    double coupled = p->lr[j] * (p->bare ? 1 - LEAVE : 1);
    double enter = p->bare ? edge_of(p, j) : 0;
    bool backward = p->shade < 0;
    double from_bare = enter * ENTER * (backward ? 1 - SHADOWED : 1),
           from_dark = enter * (backward ? 1 : ENTER);
    for (int k = 0; k < w->f->n; k++) {
        const tally_chain_length *l = &w->f->lengths[k];
        double go = 0;
        int before = BEGINNING;
        if (m == 0) join(w, p->start[j] * l->weight, BEGINNING, &go, &before);
        join(w, cars * coupled * (1 - SAME_AGAIN) * l->weight, top, &go, &before);
        join(w, now[k] * coupled * SAME_AGAIN, k, &go, &before);
        join(w, now[space] * from_bare * l->weight, space, &go, &before);
        join(w, now[dark] * from_dark * l->weight, dark, &go, &before);
        for (int i = 0; i < l->n_spans && go > 0; i++)
            if (middle_inside(p, j, l->shortest + i))
                reach(w, j + l->shortest + i, m + 1, k, go * l->span[i], i, before);
    }
}

/* As far as the shadow of a tall wagon reaches, ground may lie in it; then it is in
 * state `dark`, from where only the next step follows. */
static void go_on_dark(walk *w, int j, int m, double value, int before)
{
    int columns = (int)ceil(TALLEST * fabs(w->p->shade));
    if (columns > MOST_SHADE) columns = MOST_SHADE;
    for (int i = 1; i <= columns && j + i <= w->p->n && value > 0; i++) {
        value *= w->p->shaded[j + i - 1];
        reach(w, j + i, m, w->f->n + 1, value / columns, i, before);
    }
}

static void go_on_bare(walk *w, int j, int m, const double *now, double cars, int top)
{
    const tally_chain_piece *p = w->p;
    const int space = w->f->n, dark = space + 1;
    double leave = cars * LEAVE * edge_of(p, j - p->edge);
    bool forward = p->shade > 0, backward = p->shade < 0;
    reach(w, j + 1, m, space, leave * (forward ? 1 - SHADOWED : 1) * p->bare[j], 1, top);
    reach(w, j + 1, m, space, now[space] * p->bare[j], 1, space);
    if (forward) {
        go_on_dark(w, j, m, leave * SHADOWED, top);
        reach(w, j + 1, m, space, now[dark] * p->bare[j], 1, dark);
    }
    if (backward) go_on_dark(w, j, m, now[space] * ENTER * SHADOWED, space);
}

/* Cars and their way at a column: sum, or the best and which. */
static double cars_at(const walk *w, const double *now, int *top)
{
    double cars = 0;
    *top = 0;
    for (int k = 0; k < w->f->n; k++)
        join(w, now[k], k, &cars, top);
    return cars;
}

/* Cars that fit before column j, at most. */
static int most_at(const walk *w, int j)
{
    int m = j / (w->f->shortest > 1 ? w->f->shortest : 1);
    return m < w->most ? m : w->most;
}

/* What ends at column j with m cars, as the end of the whole. */
static double ending(const walk *w, int j, int m, const double *now, double cars, int top,
                     int *before)
{
    const int space = w->f->n;
    double total = 0;
    *before = BEGINNING;
    if (m == 0 && (w->p->from_open || w->p->to_open))
        join(w, w->p->start[j] * w->p->end[j], BEGINNING, &total, before);
    join(w, cars * w->p->end[j], top, &total, before);
    for (int s = space; s <= space + 1 && j == w->p->n - 1 && w->p->bare_after; s++)
        join(w, now[s], s, &total, before);
    return total;
}

static tally_status walk_init(walk *w, const tally_chain_piece *p, const tally_chain_fleet *f,
                              int most, tally_error *err)
{
    size_t cell = (size_t)f->n + 2;
    *w = (walk) { .p = p,
                  .f = f,
                  .most = most,
                  .ring = (size_t)(f->longest > MOST_SHADE ? f->longest : MOST_SHADE) + 1,
                  .cell = cell,
                  .row = (size_t)(most + 1) * cell };
    w->ways = tally_alloc(w->ring, w->row * sizeof *w->ways);
    if (!w->ways) return tally_nomem(err, "a cut");
    if (p->bare && p->bare_before) w->ways[f->n] = 1;
    return TALLY_OK;
}

/* Keeps the numbers within a double; true: all were scaled down. */
static bool scale(walk *w, double largest)
{
    if (largest < LARGE) return false;
    for (size_t i = 0; i < w->ring * w->row; i++)
        w->ways[i] *= TINY;
    return true;
}

tally_status tally_chain_sum(const tally_chain_piece *p, const tally_chain_fleet *f, double *out,
                             double *scale_log, tally_error *err)
{
    walk w;
    tally_status s = walk_init(&w, p, f, p->most, err);
    memset(out, 0, (size_t)(p->most + 1) * sizeof *out);
    *scale_log = 0;
    for (int j = 0; j < p->n && s == TALLY_OK; j++) {
        double largest = 0;
        for (int m = 0; m <= most_at(&w, j); m++) {
            const double *now = at(&w, j, m);
            int top, before;
            double cars = cars_at(&w, now, &top);
            out[m] += ending(&w, j, m, now, cars, top, &before);
            if (m < p->most) go_on_with_cars(&w, j, m, now, cars, top);
            if (p->bare) go_on_bare(&w, j, m, now, cars, top);
            largest = fmax(largest, fmax(cars, now[f->n] + now[f->n + 1]));
        }
        memset(at(&w, j, 0), 0, w.row * sizeof *w.ways);
        if (!scale(&w, largest)) continue;
        *scale_log -= log(TINY);
        for (int m = 0; m <= p->most; m++)
            out[m] *= TINY;
    }
    tally_free(w.ways);
    return s;
}

/* From the end back to the beginning. */
static int trace(const walk *w, int j, int state, int n, tally_chain_car *out)
{
    int m = n;
    while (state != BEGINNING && j >= 0) {
        const uint8_t *b = w->back[(size_t)j * w->row + (size_t)m * w->cell + (size_t)state];
        int from = j - (state < w->f->n ? w->f->lengths[state].shortest + b[0] : b[0]);
        if (state < w->f->n)
            out[--m] = (tally_chain_car) { .from = from, .to = j, .length = state };
        if (m == 0 && (state >= w->f->n || b[1] >= w->f->n)) break; /* bare from here back */
        state = b[1];
        j = from;
    }
    return n;
}

tally_status tally_chain_best(const tally_chain_piece *p, const tally_chain_fleet *f, int n,
                              tally_chain_car *out, int *found, tally_error *err)
{
    walk w;
    double best = 0;
    int end = -1, state = BEGINNING;
    *found = 0;
    tally_status s = walk_init(&w, p, f, n, err);
    if (s == TALLY_OK && !(w.back = tally_alloc((size_t)p->n, w.row * sizeof *w.back)))
        s = tally_nomem(err, "a cut");
    for (int j = 0; j < p->n && s == TALLY_OK; j++) {
        double largest = 0;
        for (int m = 0; m <= most_at(&w, j); m++) {
            const double *now = at(&w, j, m);
            int top, before;
            double cars = cars_at(&w, now, &top), whole;
            if (m == n && (whole = ending(&w, j, m, now, cars, top, &before)) > best)
                best = whole, end = j, state = before;
            if (m < n) go_on_with_cars(&w, j, m, now, cars, top);
            if (p->bare) go_on_bare(&w, j, m, now, cars, top);
            largest = fmax(largest, fmax(cars, fmax(now[f->n], now[f->n + 1])));
        }
        memset(at(&w, j, 0), 0, w.row * sizeof *w.ways);
        if (scale(&w, largest)) best *= TINY;
    }
    if (s == TALLY_OK && end >= 0) *found = trace(&w, end, state, n, out);
    tally_free(w.ways);
    tally_free(w.back);
    return s;
}
