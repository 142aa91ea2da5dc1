/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A cut is a row of cars whose lengths stand in a catalogue, and, where the occupancy is known
 * column by column, of spaces between them (rail_chain.c). Each car's length is that of its kind,
 * give or take SIZE_SD_M; after a car its own kind follows more often than chance; a boundary
 * between two cars gains or loses what the gap evidence says at its column; a space must look bare,
 * or, behind the end that the sun shines past, like bare ground in the cut's own shadow. Without
 * occupancy the cut's ends are where they were found, give or take, with a heavy tail.
 *
 * The sum over all ways gives the probability of each count, for each fleet of the catalogue, and
 * the fleets are weighed by how well they explain the cut. The count is the median of that. Then
 * the best single way with so many cars (Viterbi) gives the boundaries.
 *
 * Gap evidence is zero-sum by construction (rail_gaps.c): its likelihood ratios have mean one, so
 * that it moves boundaries and chooses between lengths, but a cut without visible gaps is counted
 * by its length alone, and the posterior is as wide as the mix of lengths makes it.
 *
 * Known failures: without occupancy, a space between uncoupled wagons is taken for longer wagons;
 * wagons that are in no row of the catalogue.
 */
#include "count/rail_cars.h"

#include <math.h>
#include <string.h>

#include "count/rail_chain.h"

static const double SIZE_SD_M = 0.25; /* a boundary is found to half a column */
static const double HALF_GAP_M = TALLY_CAR_HALF_GAP_M;
static const double MARGIN_M = 8;        /* ends are looked for this far out */
static const double ALIKE_M = 0.12;      /* lengths this close are one to the eye */
static const double MOST_PIECE_M = 1200; /* more is taken in pieces, cut at the clearest gap */
static const double LAST_M = 40;         /* of a piece: where that gap is looked for */
static const double MOST_LOG = 3.5;      /* of one gap's evidence */
static const double MOST_BARE_LOG = 3;   /* of one column's occupancy */
static const double RUNS_ON = 0.3; /* probability that a cut at an open end does reach past it */
enum { MOST_COLUMNS = 100000000 };

/* To the length that is alike; when there is no more room, to the nearest. */
static void add_length(tally_chain_fleet *f, double length, double weight, double step_m)
{
    int near = -1;
    for (int i = 0; i < f->n; i++)
        if (near < 0 ||
            fabs(f->lengths[i].length - length) < fabs(f->lengths[near].length - length))
            near = i;
    if (near < 0 ||
        (fabs(f->lengths[near].length - length) * step_m > ALIKE_M && f->n < TALLY_CHAIN_LENGTHS)) {
        f->lengths[f->n++] = (tally_chain_length) { .length = length, .weight = weight };
        return;
    }
    tally_chain_length *l = &f->lengths[near];
    l->length = (l->length * l->weight + length * weight) / (l->weight + weight);
    l->weight += weight;
}

/* Deviation of a car's length, columns: it is no finer than the columns are. */
static double size_sd(double step_m)
{
    return tally_clamp(SIZE_SD_M / step_m, 0.5, (TALLY_CHAIN_SPAN / 2 - 1) / 2.5);
}

static void make_fleet(const tally_rail_catalogue *c, int which, double step_m,
                       tally_chain_fleet *f)
{
    *f = (tally_chain_fleet) { 0 };
    for (size_t i = 0; i < c->n; i++)
        if (c->kinds[i].fleet == which)
            add_length(f, c->kinds[i].length_m / step_m, c->kinds[i].weight, step_m);
    double sd = size_sd(step_m);
    f->shortest = MOST_COLUMNS;
    for (int k = 0; k < f->n; k++) {
        tally_chain_length *l = &f->lengths[k];
        int half = (int)ceil(2.5 * sd);
        double sum = 0;
        l->shortest = (int)floor(l->length) - half + 1;
        if (l->shortest < 1) l->shortest = 1;
        l->n_spans = 2 * half;
        for (int i = 0; i < l->n_spans; i++)
            sum += l->span[i] = exp(-0.5 * pow((l->shortest + i - l->length) / sd, 2));
        for (int i = 0; i < l->n_spans; i++)
            l->span[i] /= sum;
        int longest = l->shortest + l->n_spans;
        f->longest = longest > f->longest ? longest : f->longest;
        f->shortest = l->shortest < f->shortest ? l->shortest : f->shortest;
    }
}

/* How likely a car of the fleet is longer than twice `half`. */
static double longer_than(const tally_chain_fleet *f, double half)
{
    double sum = 0;
    for (int k = 0; k < f->n; k++)
        if (f->lengths[k].length > 2 * half) sum += f->lengths[k].weight;
    return sum;
}

/* Student's t of three degrees: ends are mostly near, sometimes far. */
static double end_density(double off_sd)
{
    double a = 1 + off_sd * off_sd / 3;
    return 1 / (a * a);
}

/* Where a piece may begin and end. At an open end the next car has its middle outside, and its
 * phase is anything; at a closed one the body begins where it was found; before a space nothing is
 * fixed. */
static void weigh_ends(const tally_chain_fleet *f, double step_m, double end_sd_m,
                       tally_chain_piece *p)
{
    double gap = HALF_GAP_M / step_m, sd = fmax(end_sd_m, 0.1) / step_m;
    double open = p->bare ? RUNS_ON / fmax(1, f->lengths[0].length) : 1;
    for (int j = 0; j < p->n; j++) {
        p->start[j] = p->from_open     ? open * longer_than(f, j - p->from)
                      : p->bare_before ? 0
                                       : end_density((j + gap - p->from) / sd) / sd;
        p->end[j] = p->to_open      ? open * longer_than(f, p->to - j)
                    : p->bare_after ? j == p->n - 1
                                    : end_density((j - gap - p->to) / sd) / sd;
    }
}

static void piece_fini(tally_chain_piece *p)
{
    tally_free(p->lr);
    tally_free(p->start);
    tally_free(p->end);
    tally_free(p->bare);
    tally_free(p->shaded);
}

/* exp of what is said at a column, or 1. */
static double ratio_at(const float *say, int n, int c, double sign, double most)
{
    if (!say || c < 0 || c >= n || !isfinite(say[c])) return 1;
    return exp(tally_clamp(sign * say[c], -most, most));
}

/* The piece of `e` from..to; `first`, `last`: it holds that end of the cut. */
static tally_status piece_init(const tally_cut_evidence *e, double from, double to, bool first,
                               bool last, double shortest, tally_chain_piece *p, tally_error *err)
{
    int margin = (int)ceil((MARGIN_M + HALF_GAP_M) / e->step_m);
    *p = (tally_chain_piece) { .first = (int)floor(from) - margin,
                               .from_open = first && e->from_open,
                               .to_open = last && e->to_open,
                               .bare_before = first && e->logit,
                               .bare_after = last && e->logit,
                               .shade = e->shaded_logit ? e->shade_m / e->step_m : 0,
                               .edge = (int)lround(HALF_GAP_M / e->step_m) };
    int end = (int)ceil(to) + margin + 1;
    if (p->bare_before && !p->from_open && p->first < e->window_from) p->first = e->window_from;
    if (p->bare_after && !p->to_open && end > e->window_to) end = e->window_to;
    p->n = end - p->first;
    p->from = from - p->first;
    p->to = to - p->first;
    p->most = (int)(p->n / fmax(shortest, 1)) + 1;
    p->lr = tally_alloc((size_t)p->n, sizeof *p->lr);
    p->start = tally_alloc((size_t)p->n, sizeof *p->start);
    p->end = tally_alloc((size_t)p->n, sizeof *p->end);
    p->bare = e->logit ? tally_alloc((size_t)p->n, sizeof *p->bare) : NULL;
    p->shaded = e->logit ? tally_alloc((size_t)p->n, sizeof *p->shaded) : NULL;
    if (!p->lr || !p->start || !p->end || (e->logit && (!p->bare || !p->shaded))) {
        piece_fini(p);
        return tally_nomem(err, "a cut");
    }
    for (int j = 0; j < p->n; j++) {
        p->lr[j] = ratio_at(e->gap, e->n, p->first + j, 1, MOST_LOG);
        if (!p->bare) continue;
        p->bare[j] = ratio_at(e->logit, e->n, p->first + j, -1, MOST_BARE_LOG);
        p->shaded[j] =
            fmax(p->bare[j], ratio_at(e->shaded_logit, e->n, p->first + j, -1, MOST_BARE_LOG));
    }
    return TALLY_OK;
}

/* The kind that a length stands for: of those alike, the commonest. */
static int kind_of(const tally_rail_catalogue *c, int which, double length_m)
{
    int best = -1;
    double badness = INFINITY;
    for (size_t i = 0; i < c->n; i++) {
        const tally_car_kind *k = &c->kinds[i];
        double off = fabs(k->length_m - length_m) / SIZE_SD_M;
        double b = off * off / 2 - log(k->weight);
        if (k->fleet == which && b < badness) badness = b, best = (int)i;
    }
    return best;
}

/* What one piece came to: the posterior of its count, and its boundaries. */
static tally_status solve_piece(const tally_rail_catalogue *c, const double *fleet_log,
                                const tally_cut_evidence *e, tally_chain_piece *p,
                                double *posterior, double logs[TALLY_FLEETS_MAX], tally_cars *out,
                                tally_error *err)
{
    size_t n = (size_t)p->most + 1;
    tally_chain_fleet *f = tally_alloc(1, sizeof *f);
    double *ways = tally_alloc(n * TALLY_FLEETS_MAX, sizeof *ways);
    tally_chain_car *cars = tally_alloc(n, sizeof *cars);
    double weight[TALLY_FLEETS_MAX] = { 0 }, most = -INFINITY, total = 0;
    int best = 0, found = 0;
    tally_status s = f && ways && cars ? TALLY_OK : tally_nomem(err, "a cut");
    for (int w = 0; w < c->n_fleets && s == TALLY_OK; w++) {
        make_fleet(c, w, e->step_m, f);
        weigh_ends(f, e->step_m, e->end_sd_m, p);
        double sum = 0, scale_log;
        s = tally_chain_sum(p, f, ways + (size_t)w * n, &scale_log, err);
        for (size_t m = 0; m < n; m++)
            sum += ways[(size_t)w * n + m];
        for (size_t m = 0; m < n && sum > 0; m++)
            ways[(size_t)w * n + m] /= sum;
        logs[w] = sum > 0 ? log(sum) + scale_log : -1e6;
        weight[w] = logs[w] + (fleet_log ? fleet_log[w] : 0);
        if (weight[w] > most) most = weight[w], best = w;
    }
    for (int w = 0; w < c->n_fleets && s == TALLY_OK; w++) {
        double share = exp(weight[w] - most);
        for (size_t m = 0; m < n; m++)
            posterior[m] += share * ways[(size_t)w * n + m];
    }
    for (size_t m = 0; m < n && s == TALLY_OK; m++)
        total += posterior[m];
    if (s == TALLY_OK && !(total > 0)) { /* no car of the catalogue fits */
        double pitch = tally_rail_catalogue_pitch(c, best) / e->step_m;
        size_t fit = (size_t)tally_clamp(round((p->to - p->from) / pitch), 1, p->most);
        posterior[fit] = total = 1;
    }
    double below = 0;
    size_t count = 0;
    for (size_t m = 0; m < n && s == TALLY_OK; m++)
        posterior[m] /= total;
    while (s == TALLY_OK && count + 1 < n && (below += posterior[count]) < 0.5)
        count++;
    if (s == TALLY_OK && count > 0) {
        make_fleet(c, best, e->step_m, f);
        weigh_ends(f, e->step_m, e->end_sd_m, p);
        s = tally_chain_best(p, f, (int)count, cars, &found, err);
    }
    for (size_t m = 0; m < count && found == 0; m++) /* no way fits: as many equal cars */
        cars[m] = (tally_chain_car) {
            .from = (int)lround(p->from + (p->to - p->from) * (double)m / (double)count),
            .to = (int)lround(p->from + (p->to - p->from) * (double)(m + 1) / (double)count)
        };
    if (s == TALLY_OK) {
        tally_car *more = tally_realloc(out->cars, out->n + count + 1, sizeof *more);
        if (!more) s = tally_nomem(err, "a cut");
        if (more) out->cars = more;
    }
    for (size_t m = 0; m < count && s == TALLY_OK; m++)
        out->cars[out->n++] =
            (tally_car) { .from = p->first + cars[m].from,
                          .to = p->first + cars[m].to,
                          .kind = kind_of(c, best, f->lengths[cars[m].length].length * e->step_m) };
    tally_free(f);
    tally_free(ways);
    tally_free(cars);
    return s;
}

/* The posterior of a sum. */
static tally_status add_posterior(tally_cars *out, const double *p, size_t n, tally_error *err)
{
    size_t both = out->n_posterior + n - 1;
    double *sum = tally_alloc(both, sizeof *sum);
    if (!sum) return tally_nomem(err, "a cut");
    for (size_t a = 0; a < out->n_posterior; a++)
        for (size_t b = 0; b < n; b++)
            sum[a + b] += out->posterior[a] * p[b];
    tally_free(out->posterior);
    out->posterior = sum;
    out->n_posterior = both;
    return TALLY_OK;
}

static void summarise(tally_cars *out)
{
    double below = 0;
    bool low = false;
    while (out->n_posterior > 1 && out->posterior[out->n_posterior - 1] < 1e-12)
        out->n_posterior--;
    out->mean = 0;
    out->high = (int64_t)out->n_posterior - 1;
    for (size_t m = 0; m < out->n_posterior; m++) {
        out->mean += (double)m * out->posterior[m];
        below += out->posterior[m];
        if (!low && below > 0.025) low = true, out->low = (int64_t)m;
        if (below >= 0.975) {
            out->high = (int64_t)m;
            return;
        }
    }
}

/* Where a long cut is taken apart: at the clearest gap of its last metres. */
static double piece_end(const tally_cut_evidence *e, double from, double to)
{
    double most = MOST_PIECE_M / e->step_m;
    if (to - from <= most) return to;
    int last = (int)(from + most), best = last;
    for (int c = last - (int)(LAST_M / e->step_m); e->gap && c <= last; c++)
        if (c >= 0 && c < e->n && last < e->n && e->gap[c] > e->gap[best]) best = c;
    return best;
}

tally_status tally_cars_split(const tally_rail_catalogue *c, const double *fleet_log,
                              const tally_cut_evidence *e, tally_cars *out, tally_error *err)
{
    *out = (tally_cars) { 0 };
    if (!(e->step_m >= 0.1 && e->step_m <= 5) || e->n < 1 || !(e->to > e->from) ||
        !(e->from >= -1 && e->to <= MOST_COLUMNS) || !(e->end_sd_m >= 0) || c->n == 0)
        return tally_fail(err, TALLY_E_ARG, "a cut from %g to %g of %d columns of %g m", e->from,
                          e->to, e->n, e->step_m);
    double shortest = INFINITY;
    for (size_t i = 0; i < c->n; i++)
        shortest = fmin(shortest, floor(c->kinds[i].length_m / e->step_m) -
                                      ceil(2.5 * size_sd(e->step_m)) + 1);
    tally_status s = TALLY_OK;
    out->posterior = tally_alloc(1, sizeof *out->posterior);
    if (!out->posterior) return tally_nomem(err, "a cut");
    out->posterior[0] = 1;
    out->n_posterior = 1;
    double half_gap = HALF_GAP_M / e->step_m;
    for (double from = e->from; from < e->to && s == TALLY_OK;) {
        double to = piece_end(e, from, e->to), logs[TALLY_FLEETS_MAX] = { 0 };
        bool last = to >= e->to;
        tally_chain_piece p;
        s = piece_init(e, from, last ? to : to - half_gap, from <= e->from, last, shortest, &p,
                       err);
        if (s != TALLY_OK) break;
        double *posterior = tally_alloc((size_t)p.most + 1, sizeof *posterior);
        if (!posterior) s = tally_nomem(err, "a cut");
        if (s == TALLY_OK) s = solve_piece(c, fleet_log, e, &p, posterior, logs, out, err);
        if (s == TALLY_OK) s = add_posterior(out, posterior, (size_t)p.most + 1, err);
        for (int w = 0; w < c->n_fleets; w++)
            out->fleet_log[w] += logs[w];
        tally_free(posterior);
        piece_fini(&p);
        from = last ? e->to : to + half_gap;
    }
    if (s == TALLY_OK)
        summarise(out);
    else
        tally_cars_fini(out);
    return s;
}

void tally_cars_fini(tally_cars *cars)
{
    tally_free(cars->cars);
    tally_free(cars->posterior);
    *cars = (tally_cars) { 0 };
}
