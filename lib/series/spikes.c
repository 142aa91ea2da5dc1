/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is unusual in a series of counts that is irregular, overdispersed and partly missing.
 *
 * 1. Level shifts cut the line into stretches. A shift is a change that lasts: three scenes in a
 *    row, each improbable by the level before them and together more so, and further off than all
 *    but few of the scenes before (as in 2).
 * 2. Within its stretch each scene is judged by the others nearest in time, up to 24 within half a
 *    year (only the past with as_of), itself left out. Expected is their median. Mean and variance
 *    come from those that lie within four robust deviations of it (the greater of 1.4826 MAD, what
 *    four in five keep to, and Poisson's), so that another spike does not hide this one; who is
 *    less sure than the others weighs less. The variance is drawn toward what counts of that size
 *    usually have, and never below Poisson's and a tenth of the level. A count stands out when a
 *    negative binomial of that mean and variance gives it, or more, less than one chance in 300
 *    (zones: 1000), and no more than one in eight of the others went half as far: what happens
 *    every few scenes is ordinary.
 * 3. Intervals. The scatter of the others holds the error of a usual count already. A count that is
 *    less sure than usual is judged by a wider distribution: its variance, on the side toward the
 *    level and brought down to the level's size, less the usual one, is added. That is the tail
 *    averaged over where the count may truly lie. Where all intervals are wider than the counts
 *    scatter, the surplus is an error that they share, which moves none against the others.
 * 4. A record is higher than the upper end of every earlier count, with at least seven seen before.
 *
 * Source: negative binomial tails for overdispersed counts as in Noufaily et al. 2013
 * (doi:10.1002/sim.5595); we take a robust level instead of their regression, for want of years.
 * Constants: chosen so that made series (Poisson, overdispersed, busy every other scene, seasonal)
 * of fifty scenes give less than one false alarm (tests/unit/test_spikes.c), and that all spikes in
 * the true counts of eight drawn sets stand out.
 * Known failure: where three dates in ten bring a train and the others nothing, the longest trains
 * stand out (one or two in fifty scenes). A season widens the band and hides what +50 % would be.
 */
#include <math.h>
#include <string.h>

#include "series/series.h"

enum { WINDOW = 24, LEAST_WINDOW = 8, LEAST_OTHERS = 5, LASTING = 3, LEAST_BEFORE_RECORD = 7 };
static const int64_t HALF_YEAR_S = (int64_t)183 * 86400;
/* One false alarm a site-year of fifty images: the totals of three classes may take half of it, the
 * zones, of which there are about ten, the other half. */
static const double LEAST_CHANCE = 1.0 / 300, LEAST_CHANCE_ZONE = 1e-3;
static const double LEAST_CHANCE_SHIFT = 1e-3, LEAST_CHANCE_EACH = 0.05;
static const double RARELY = 0.125, HALF_AS_FAR = 0.5;
static const double LEAST_MEAN = 0.25;  /* what may come to a place where nothing was seen yet */
static const double LEAST_SEEN = 0.5;   /* a level rests on scenes that show half of the zone */
static const double LEVEL_WOBBLE = 0.1; /* counts are not better than this (docs/accuracy.md) */
/* What counts usually have beyond Poisson, as a share of the level, and how many scenes that
 * experience weighs. */
static const double USUAL_SHARE = 0.2, USUAL_WEIGHT = 4;
static const double OUTLYING = 4;
static const double FOUR_IN_FIVE = 1.2816; /* of a normal's deviations, in units of sigma */
static const double Z_95 = 1.959964;

/* The log mass of 0, and the factor from i to i + 1, of the negative binomial or Poisson. */
static double log_mass_of_zero(double mean, double r)
{
    return isfinite(r) ? r * log(r / (r + mean)) : -mean;
}

static double log_step(double i, double mean, double r)
{
    return isfinite(r) ? log((r + i) / (i + 1)) + log(mean / (r + mean)) : log(mean / (i + 1));
}

double tally_count_tail(double k, double mean, double variance)
{
    if (k <= 0) return 1;
    mean = fmax(mean, LEAST_MEAN);
    /* far out a normal tail is close enough and cheaper */
    if (k > 5000) return 0.5 * erfc((k - 0.5 - mean) / sqrt(2 * fmax(variance, mean)));
    double r = variance > mean * 1.000001 ? mean * mean / (variance - mean) : INFINITY;
    double log_mass = log_mass_of_zero(mean, r), below = 0, i = 0;
    for (; i < ceil(k - 1e-9); i++) {
        below += exp(log_mass);
        log_mass += log_step(i, mean, r);
    }
    if (i <= mean) return fmax(1 - below, 0);
    /* above the mean the masses from k on are summed themselves: 1 - below would leave only the
     * rounding of the sum */
    double tail = 0, mass = exp(log_mass);
    for (; mass > 1e-16 * tail && mass > 0; mass = exp(log_mass)) {
        tail += mass;
        log_mass += log_step(i++, mean, r);
    }
    return fmin(tail, 1);
}

/* P(X <= k) */
static double lower_tail(double k, double mean, double variance)
{
    return fmax(1 - tally_count_tail(floor(k + 1e-9) + 1, mean, variance), 0);
}

/* The scenes that one is judged by, nearest in time first. */
typedef struct company {
    size_t who[WINDOW];
    int n;
} company;

typedef struct level {
    double expected; /* the median */
    double mean;     /* of the tail's distribution: counts lean to the right of their median */
    double scatter;  /* variance of the others */
    double variance; /* the same, never less than counts have */
    double own;      /* what a usual count's interval says of its variance */
    int n;
} level;

/* Sensors differ in bias and width: a line is judged within its family, unless that has too few. */
static bool comparable(const tally_line *line, size_t i, size_t k, bool same_family)
{
    return !same_family || strcmp(line->points[i]->family, line->points[k]->family) == 0;
}

static bool family_suffices(const tally_line *line, size_t i, size_t from, size_t to)
{
    int n = 0;
    for (size_t k = from; k < to; k++)
        n += k != i && comparable(line, i, k, true);
    return n >= LEAST_OTHERS;
}

/* The others of [from, to), without i, nearest first, as far as the window reaches. */
static company company_of(const tally_line *line, size_t i, size_t from, size_t to)
{
    company c = { .n = 0 };
    bool same = family_suffices(line, i, from, to);
    size_t before = i < to ? i : to, after = i + 1 > from ? i + 1 : from;
    int64_t at = line->points[i]->utc;
    while (c.n < WINDOW && (before > from || after < to)) {
        bool back = before > from && (after >= to || at - line->points[before - 1]->utc <=
                                                         line->points[after]->utc - at);
        size_t k = back ? --before : after++;
        int64_t away = back ? at - line->points[k]->utc : line->points[k]->utc - at;
        if (away > HALF_YEAR_S && c.n >= LEAST_WINDOW) break;
        if (comparable(line, i, k, same) && !(line->points[k]->seen < LEAST_SEEN)) c.who[c.n++] = k;
    }
    return c;
}

static double side_variance(const tally_observation *o, bool below)
{
    double half = below ? o->estimate - o->low : o->high - o->estimate;
    return isfinite(half) && half > 0 ? half * half / (Z_95 * Z_95) : 0;
}

static double own_variance(const tally_observation *o)
{
    return (side_variance(o, true) + side_variance(o, false)) / 2;
}

/* What one of the others says of the level: nothing where it lies far out, less where it is less
 * sure than they are. */
static double weight_of(const tally_observation *o, const level *l, double spread)
{
    if (fabs(o->estimate - l->expected) > OUTLYING * spread) return 0;
    return spread * spread / (spread * spread + fmax(0, own_variance(o) - l->own));
}

static level level_of(const tally_line *line, const company *c)
{
    float v[WINDOW], away[WINDOW], own[WINDOW];
    level l = { .n = c->n };
    if (c->n == 0) return l;
    size_t n = (size_t)c->n;
    for (size_t k = 0; k < n; k++) {
        v[k] = (float)line->points[c->who[k]]->estimate;
        own[k] = (float)own_variance(line->points[c->who[k]]);
    }
    l.expected = tally_median(v, n);
    l.own = tally_median(own, n);
    for (size_t k = 0; k < n; k++)
        away[k] = fabsf(v[k] - (float)l.expected);
    double spread =
        fmax(1.4826 * tally_median(away, n), tally_quantile(away, n, 0.8) / FOUR_IN_FIVE);
    spread = fmax(spread, sqrt(l.expected + 0.5));
    double sum = 0, squares = 0, kept = 0;
    for (size_t k = 0; k < n; k++) { /* not v: the medians have put it into another order */
        const tally_observation *o = line->points[c->who[k]];
        double weight = weight_of(o, &l, spread);
        kept += weight;
        sum += weight * o->estimate;
        squares += weight * (o->estimate - l.expected) * (o->estimate - l.expected);
    }
    l.mean = sum / kept;
    squares = fmax(0, squares - kept * (l.mean - l.expected) * (l.mean - l.expected));
    double usual = l.mean + USUAL_SHARE * USUAL_SHARE * l.mean * l.mean;
    l.scatter = (squares + USUAL_WEIGHT * usual) / (kept - 1 + USUAL_WEIGHT);
    double wobble = LEVEL_WOBBLE * l.expected;
    l.variance = fmax(fmax(l.scatter, l.mean + wobble * wobble), LEAST_MEAN);
    return l;
}

/* How much less sure a count is than the others, in variance at the level's size. */
static double excess_variance(const tally_observation *o, const level *l, bool up)
{
    double own = side_variance(o, up);
    if (o->estimate > l->mean && o->estimate > 0) own *= l->mean / o->estimate;
    double told = l->own > l->scatter ? l->scatter / l->own : 1;
    return told * fmax(0, own - l->own);
}

/* How probable a count that far up (or down) is by that level. */
static double chance_of(const tally_observation *o, const level *l, bool up)
{
    double more = excess_variance(o, l, up);
    double variance = l->variance * (1 + 1.0 / l->n) + more;
    return up ? tally_count_tail(o->estimate, l->mean, variance)
              : lower_tail(o->estimate, l->mean, variance);
}

/* Whether few of the others went half as far. */
static bool is_rare(const tally_line *line, const company *c, const level *l, double value)
{
    int as_far = 0;
    for (int k = 0; k < c->n; k++) {
        double share = (line->points[c->who[k]]->estimate - l->expected) / (value - l->expected);
        as_far += share >= HALF_AS_FAR;
    }
    return as_far <= RARELY * c->n;
}

/* Does the line stay apart from its scenes [from, i) from i on? +1 up, -1 down, 0 no. */
static int lasting_shift(const tally_line *line, size_t from, size_t i, level *before,
                         double *chance)
{
    company c = company_of(line, i, from, i);
    int least = from == 0 ? LEAST_OTHERS : LASTING, n = 0;
    if (c.n < least) return 0;
    *before = level_of(line, &c);
    bool same = family_suffices(line, i, from, i);
    double sum = 0, nearest = 0, more = 0;
    int side = line->points[i]->estimate > before->expected ? 1 : -1;
    for (size_t k = i; k < line->n && n < LASTING; k++) {
        const tally_observation *o = line->points[k];
        if (!comparable(line, i, k, same)) continue;
        if (side * (o->estimate - before->expected) <= 0 ||
            chance_of(o, before, side > 0) >= LEAST_CHANCE_EACH)
            return 0;
        if (n == 0 || side * (o->estimate - nearest) < 0) nearest = o->estimate;
        more += excess_variance(o, before, side > 0);
        sum += o->estimate;
        n++;
    }
    if (n < LASTING || !is_rare(line, &c, before, nearest)) return 0;
    double variance = before->variance * (1.0 / n + 1.0 / before->n) + more / n / n;
    double z = fabs(sum / n - before->expected) / sqrt(variance);
    *chance = 0.5 * erfc(z / sqrt(2));
    return *chance < LEAST_CHANCE_SHIFT ? side : 0;
}

static tally_spike blank_spike(const tally_line *line, size_t i)
{
    const tally_observation *o = line->points[i];
    tally_spike s = { .site = o->site,
                      .zone = o->zone,
                      .scene = o->scene,
                      .class_ = o->class_,
                      .utc = o->utc,
                      .count = o->estimate,
                      .count_low = o->low,
                      .count_high = o->high,
                      .record_since = TALLY_NO_TIME,
                      .series_since = line->points[0]->utc,
                      .previous_record = NAN,
                      .n_seen = (int)line->n };
    for (size_t k = i; k-- > 0;)
        if (line->points[k]->estimate >= o->estimate) {
            s.record_since = line->points[k]->utc;
            break;
        }
    for (size_t k = 0; k < i; k++)
        if (!(s.previous_record >= line->points[k]->estimate))
            s.previous_record = line->points[k]->estimate;
    return s;
}

static tally_status add(tally_records *r, const tally_line *line, size_t i, const level *l,
                        const char *kind, double chance, tally_error *err)
{
    tally_spike s = blank_spike(line, i);
    double half = Z_95 * sqrt(l->variance);
    s.kind = kind;
    s.expected = l->expected;
    s.low = fmax(0, l->expected - half);
    s.high = l->expected + half;
    s.score = tally_clamp(-log10(fmax(chance, 1e-99)), 0, 99);
    return tally_records_add_spike(r, &s, err);
}

static tally_status judge_record(tally_records *r, const tally_line *line, size_t i,
                                 tally_error *err)
{
    double highest = -INFINITY;
    if (i < LEAST_BEFORE_RECORD) return TALLY_OK;
    for (size_t k = 0; k < i; k++)
        highest = fmax(highest, fmax(line->points[k]->estimate, line->points[k]->high));
    if (line->points[i]->estimate <= highest) return TALLY_OK;
    company past = company_of(line, i, 0, i);
    if (past.n == 0) return TALLY_OK;
    level l = level_of(line, &past);
    return add(r, line, i, &l, "record", chance_of(line->points[i], &l, true), err);
}

static tally_status judge(tally_records *r, const tally_line *line, size_t i, size_t from,
                          size_t to, tally_error *err)
{
    const tally_observation *o = line->points[i];
    company others = company_of(line, i, from, to);
    if (others.n < LEAST_OTHERS) return TALLY_OK;
    level l = level_of(line, &others);
    bool up = o->estimate > l.expected;
    if (!up && o->seen < LEAST_SEEN) return TALLY_OK; /* what is missing may lie under the cloud */
    double chance = chance_of(o, &l, up);
    double least = strcmp(o->zone, "*") == 0 ? LEAST_CHANCE : LEAST_CHANCE_ZONE;
    if (chance >= least || !is_rare(line, &others, &l, o->estimate)) return TALLY_OK;
    return add(r, line, i, &l, up ? "spike" : "drop", chance, err);
}

tally_status tally_line_spikes(tally_records *records, const tally_line *line, int64_t as_of,
                               tally_error *err)
{
    tally_status s = TALLY_OK;
    bool past_only = as_of != TALLY_NO_TIME;
    size_t from = 0, next = 0; /* the stretch under way; where the next one begins */
    for (size_t i = 0; i < line->n && s == TALLY_OK; i++) {
        level before;
        double chance;
        if (i == next) { /* look ahead for the end of this stretch */
            from = i;
            for (next = i + 1; next < line->n; next++)
                if (lasting_shift(line, from, next, &before, &chance)) break;
            if (next < line->n) s = add(records, line, next, &before, "level_shift", chance, err);
        }
        if (s == TALLY_OK && (i > from || from == 0)) /* the first of a shift is told already */
            s = past_only ? judge(records, line, i, from, i, err)
                          : judge(records, line, i, from, next, err);
        if (s == TALLY_OK) s = judge_record(records, line, i, err);
    }
    return s;
}
