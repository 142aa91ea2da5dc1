/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A cut is a row of cars whose lengths stand in a catalogue: a semi-Markov chain (explicit-duration
 * hidden Markov model; Rabiner 1989, doi:10.1109/5.18626). Each car's length is that of its kind,
 * give or take SIZE_SD_M; after a car its own kind follows more often than chance, for trains are
 * made up of lots; a boundary between two cars gains or loses what the gap evidence says at its
 * column. The cut's ends are where they were found, give or take, with a heavy tail.
 *
 * Two passes by dynamic programming over (column, cars so far, length). The sum over all ways gives
 * the probability of each count, for each fleet of the catalogue, and the fleets are weighed by how
 * well they explain the cut. The count is the median of that. Then the best single way with so many
 * cars (Viterbi) gives the boundaries.
 *
 * Gap evidence is zero-sum by construction (rail_gaps.c): its likelihood ratios have mean one, so
 * that it moves boundaries and chooses between lengths, but a cut without visible gaps is counted
 * by its length alone, and the posterior is as wide as the mix of lengths makes it.
 *
 * Known failures: a space of more than a metre or two between uncoupled wagons that the occupancy
 * bridged is taken for longer wagons; wagons that are in no row of the catalogue.
 */
#include "count/rail_cars.h"

#include <math.h>
#include <string.h>

static const double SIZE_SD_M = 0.25;    /* a boundary is found to half a column */
static const double SAME_AGAIN = 0.6;    /* probability that a car repeats the last one's kind;
                                            trains on the 1520 mm net are made up of lots */
static const double HALF_GAP_M = 0.57;   /* coupler face to body: (13.92 - 12.78) / 2 (DOMAIN.md) */
static const double MARGIN_M = 8;        /* ends are looked for this far out */
static const double ALIKE_M = 0.12;      /* lengths this close are one to the eye */
static const double MOST_PIECE_M = 1200; /* more is taken in pieces, cut at the clearest gap */
static const double LAST_M = 40;         /* of a piece: where that gap is looked for */
static const double MOST_LOG = 3.5;      /* of one gap's evidence: 340 gaps stay within a double */
enum { MOST_LENGTHS = 24, MOST_SPAN = 12, MOST_COLUMNS = 100000000 };

typedef struct length_class {
    double length, weight; /* columns */
    int shortest, n_spans; /* columns */
    double span[MOST_SPAN];
} length_class;

/* The distinct lengths of one fleet. */
typedef struct fleet {
    length_class lengths[MOST_LENGTHS];
    int n;
    int longest; /* columns */
} fleet;

/* One piece of a cut on its own grid of columns. */
typedef struct piece {
    int first, n;        /* columns of the track, margins included */
    double *lr;          /* n: likelihood ratio of a boundary */
    double *start, *end; /* n: weight of the cut's beginning or ending there */
    double from, to;     /* places, relative to first */
    bool from_open, to_open;
    int most; /* cars */
} piece;

/* To the length that is alike; when there is no more room, to the nearest. */
static void add_length(fleet *f, double length, double weight, double step_m)
{
    int near = -1;
    for (int i = 0; i < f->n; i++)
        if (near < 0 ||
            fabs(f->lengths[i].length - length) < fabs(f->lengths[near].length - length))
            near = i;
    if (near < 0 ||
        (fabs(f->lengths[near].length - length) * step_m > ALIKE_M && f->n < MOST_LENGTHS)) {
        f->lengths[f->n++] = (length_class) { .length = length, .weight = weight };
        return;
    }
    length_class *l = &f->lengths[near];
    l->length = (l->length * l->weight + length * weight) / (l->weight + weight);
    l->weight += weight;
}

/* Deviation of a car's length, columns: it is no finer than the columns are. */
static double size_sd(double step_m)
{
    return tally_clamp(SIZE_SD_M / step_m, 0.5, (MOST_SPAN / 2 - 1) / 2.5);
}

static void make_fleet(const tally_rail_catalogue *c, int which, double step_m, fleet *f)
{
    *f = (fleet) { 0 };
    for (size_t i = 0; i < c->n; i++)
        if (c->kinds[i].fleet == which)
            add_length(f, c->kinds[i].length_m / step_m, c->kinds[i].weight, step_m);
    double sd = size_sd(step_m);
    for (int k = 0; k < f->n; k++) {
        length_class *l = &f->lengths[k];
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
    }
}

/* How likely a car of the fleet is longer than twice `half`. */
static double longer_than(const fleet *f, double half)
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

static void weigh_ends(const fleet *f, double step_m, double end_sd_m, piece *p)
{
    double gap = HALF_GAP_M / step_m, sd = fmax(end_sd_m, 0.1) / step_m;
    for (int j = 0; j < p->n; j++) {
        /* the car before an open beginning has its middle outside */
        p->start[j] =
            p->from_open ? longer_than(f, j - p->from) : end_density((j + gap - p->from) / sd) / sd;
        p->end[j] =
            p->to_open ? longer_than(f, p->to - j) : end_density((j - gap - p->to) / sd) / sd;
    }
}

/* May a car from j to j + span belong to the cut? At an open end its middle must lie inside. */
static bool middle_inside(const piece *p, int j, int span)
{
    double middle = j + span / 2.0;
    return !(p->from_open && middle < p->from) && !(p->to_open && middle > p->to);
}

/* Cars that fit between the piece's beginning and column j, at most. */
static int most_at(const piece *p, const fleet *f, int j)
{
    int shortest = f->longest;
    for (int k = 0; k < f->n; k++)
        shortest = f->lengths[k].shortest < shortest ? f->lengths[k].shortest : shortest;
    int m = j / (shortest > 1 ? shortest : 1);
    return m < p->most ? m : p->most;
}

/* Sum over all ways: out[m] is the likelihood of m cars. */
static tally_status sum_ways(const piece *p, const fleet *f, double *out, tally_error *err)
{
    /* a ring of columns, for no car reaches back farther than the longest */
    size_t ring = (size_t)f->longest + 1, cell = (size_t)f->n, row = (size_t)(p->most + 1) * cell;
    double *ways = tally_alloc(ring * row, sizeof *ways);
    if (!ways) return tally_nomem(err, "a cut");
    memset(out, 0, (size_t)(p->most + 1) * sizeof *out);
    for (int j = 0; j < p->n; j++) {
        double *here = ways + (size_t)j % ring * row;
        int most = most_at(p, f, j);
        if (p->from_open || p->to_open) out[0] += p->start[j] * p->end[j];
        for (int m = 0; m <= most; m++) {
            double sum = 0;
            for (int k = 0; k < f->n; k++)
                sum += here[(size_t)m * cell + (size_t)k];
            if (m > 0) out[m] += sum * p->end[j];
            if (m == p->most || (sum == 0 && m > 0)) continue;
            for (int k = 0; k < f->n; k++) {
                const length_class *l = &f->lengths[k];
                double go = m == 0 ? l->weight * p->start[j]
                                   : p->lr[j] * (SAME_AGAIN * here[(size_t)m * cell + (size_t)k] +
                                                 (1 - SAME_AGAIN) * l->weight * sum);
                if (!(go > 0)) continue;
                for (int i = 0; i < l->n_spans; i++) {
                    int to = j + l->shortest + i;
                    if (to >= p->n || !middle_inside(p, j, l->shortest + i)) continue;
                    ways[(size_t)to % ring * row + (size_t)(m + 1) * cell + (size_t)k] +=
                        go * l->span[i];
                }
            }
        }
        memset(here, 0, row * sizeof *here);
    }
    tally_free(ways);
    return TALLY_OK;
}

/* The best way with `n` cars. bounds: n + 1 columns; kinds: n indices of the fleet's lengths. */
static tally_status best_way(const piece *p, const fleet *f, int n, int *bounds, int *kinds,
                             tally_error *err)
{
    size_t ring = (size_t)f->longest + 1, cell = (size_t)f->n, row = (size_t)(n + 1) * cell;
    double *ways = tally_alloc(ring * row, sizeof *ways), best = 0;
    /* how a car came to end at a column: its span, and the length of the one before */
    uint8_t(*back)[2] = tally_alloc((size_t)p->n * row, sizeof *back);
    tally_status s = ways && back ? TALLY_OK : tally_nomem(err, "a cut");
    int at = -1, kind = 0;
    for (int j = 0; j < p->n && s == TALLY_OK; j++) {
        double *here = ways + (size_t)j % ring * row;
        int most = most_at(p, f, j);
        for (int m = 0; m <= n && m <= most; m++) {
            int top = 0;
            const double *now = here + (size_t)m * cell;
            for (int k = 1; k < f->n; k++)
                if (now[k] > now[top]) top = k;
            if (m == n && now[top] * p->end[j] > best)
                best = now[top] * p->end[j], at = j, kind = top;
            if (m == n || (m > 0 && !(now[top] > 0))) continue;
            for (int k = 0; k < f->n; k++) {
                const length_class *l = &f->lengths[k];
                double fresh = m == 0 ? l->weight * p->start[j]
                                      : p->lr[j] * (1 - SAME_AGAIN) * l->weight * now[top];
                double same =
                    m == 0 ? 0 : p->lr[j] * (SAME_AGAIN + (1 - SAME_AGAIN) * l->weight) * now[k];
                double go = fmax(fresh, same);
                for (int i = 0; i < l->n_spans && go > 0; i++) {
                    int to = j + l->shortest + i;
                    if (to >= p->n || !middle_inside(p, j, l->shortest + i)) continue;
                    double *there =
                        &ways[(size_t)to % ring * row + (size_t)(m + 1) * cell + (size_t)k];
                    if (!(go * l->span[i] > *there)) continue;
                    *there = go * l->span[i];
                    uint8_t *b = back[(size_t)to * row + (size_t)(m + 1) * cell + (size_t)k];
                    b[0] = (uint8_t)i;
                    b[1] = (uint8_t)(same >= fresh ? k : top);
                }
            }
        }
        memset(here, 0, row * sizeof *here);
    }
    for (int m = n; m > 0 && at >= 0 && s == TALLY_OK; m--) {
        const uint8_t *b = back[(size_t)at * row + (size_t)m * cell + (size_t)kind];
        bounds[m] = at;
        kinds[m - 1] = kind;
        at -= f->lengths[kind].shortest + b[0];
        kind = b[1];
        bounds[m - 1] = at;
    }
    if (s == TALLY_OK && at < 0)
        for (int m = 0; m <= n; m++) /* no way fits: as many equal cars */
            bounds[m] = (int)lround(p->from + (p->to - p->from) * m / n);
    tally_free(ways);
    tally_free(back);
    return s;
}

static void piece_fini(piece *p)
{
    tally_free(p->lr);
    tally_free(p->start);
    tally_free(p->end);
}

static tally_status piece_init(const tally_cut_evidence *e, double from, double to, bool from_open,
                               bool to_open, double shortest, piece *p, tally_error *err)
{
    int margin = (int)ceil((MARGIN_M + HALF_GAP_M) / e->step_m);
    *p = (piece) { .first = (int)floor(from) - margin, .from_open = from_open, .to_open = to_open };
    p->n = (int)ceil(to) + margin - p->first + 1;
    p->from = from - p->first;
    p->to = to - p->first;
    p->most = (int)(p->n / fmax(shortest, 1)) + 1;
    p->lr = tally_alloc((size_t)p->n, sizeof *p->lr);
    p->start = tally_alloc((size_t)p->n, sizeof *p->start);
    p->end = tally_alloc((size_t)p->n, sizeof *p->end);
    if (!p->lr || !p->start || !p->end) {
        piece_fini(p);
        return tally_nomem(err, "a cut");
    }
    for (int j = 0; j < p->n; j++) {
        int c = p->first + j;
        double say = e->gap && c >= 0 && c < e->n && isfinite(e->gap[c]) ? e->gap[c] : 0;
        p->lr[j] = exp(tally_clamp(say, -MOST_LOG, MOST_LOG));
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
                                const tally_cut_evidence *e, piece *p, double *posterior,
                                double logs[TALLY_FLEETS_MAX], tally_cars *out, tally_error *err)
{
    size_t n = (size_t)p->most + 1;
    fleet *f = tally_alloc(1, sizeof *f);
    double *ways = tally_alloc(n * TALLY_FLEETS_MAX, sizeof *ways);
    int *bounds = tally_alloc(n + 1, sizeof *bounds), *kinds = tally_alloc(n, sizeof *kinds);
    double weight[TALLY_FLEETS_MAX] = { 0 }, most = -INFINITY, total = 0;
    int best = 0;
    tally_status s = f && ways && bounds && kinds ? TALLY_OK : tally_nomem(err, "a cut");
    for (int w = 0; w < c->n_fleets && s == TALLY_OK; w++) {
        make_fleet(c, w, e->step_m, f);
        weigh_ends(f, e->step_m, e->end_sd_m, p);
        s = sum_ways(p, f, ways + (size_t)w * n, err);
        double sum = 0;
        for (size_t m = 0; m < n; m++)
            sum += ways[(size_t)w * n + m];
        logs[w] = sum > 0 ? log(sum) : -700;
        weight[w] = logs[w] + (fleet_log ? fleet_log[w] : 0);
        if (weight[w] > most) most = weight[w], best = w;
    }
    for (int w = 0; w < c->n_fleets && s == TALLY_OK; w++) {
        double share = exp(weight[w] - most - logs[w]);
        for (size_t m = 0; m < n; m++)
            posterior[m] += share * ways[(size_t)w * n + m];
    }
    for (size_t m = 0; m < n && s == TALLY_OK; m++)
        total += posterior[m];
    if (s == TALLY_OK && !(total > 0)) { /* no car of the catalogue fits */
        double pitch = tally_rail_catalogue_pitch(c, best) / e->step_m;
        size_t cars = (size_t)tally_clamp(round((p->to - p->from) / pitch), 1, p->most);
        posterior[cars] = total = 1;
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
        s = best_way(p, f, (int)count, bounds, kinds, err);
    }
    if (s == TALLY_OK) {
        tally_car *cars = tally_realloc(out->cars, out->n + count + 1, sizeof *cars);
        if (!cars) s = tally_nomem(err, "a cut");
        if (cars) out->cars = cars;
    }
    for (size_t m = 0; m < count && s == TALLY_OK; m++)
        out->cars[out->n++] =
            (tally_car) { .from = p->first + bounds[m],
                          .to = p->first + bounds[m + 1],
                          .kind = kind_of(c, best, f->lengths[kinds[m]].length * e->step_m) };
    tally_free(f);
    tally_free(ways);
    tally_free(bounds);
    tally_free(kinds);
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
        piece p;
        s = piece_init(e, from, last ? to : to - half_gap, from <= e->from && e->from_open,
                       last && e->to_open, shortest, &p, err);
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
