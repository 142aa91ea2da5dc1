/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is unusual in a series of counts that is irregular, overdispersed and partly missing.
 *
 * Expected: the median of the nearest seen scenes (up to six on each side; only the past with
 * as_of), the one judged left out. The spread around it is the greater of Poisson's, 1.4826 MAD of
 * those scenes, and a tenth of the level; the width of the judged count's own interval is added. A
 * count stands out when a negative binomial of that mean and variance gives it, or more, less than
 * one chance in a thousand. A level shift is a change that lasts: three scenes in a row stand apart
 * from all of the six before. A record is higher than the upper end of every earlier count, with at
 * least seen scenes before it.
 *
 * Source: negative binomial tails for overdispersed counts as in Noufaily et al. 2013
 * (doi:10.1002/sim.5595); we take a robust level instead of their regression, for want of years.
 * Known failure: a series that is busy every other scene has no level.
 */
#include <math.h>
#include <string.h>

#include "series/series.h"

enum { SIDE = 6, LEAST_OTHERS = 4, LASTING = 3, LEAST_BEFORE_RECORD = 7 };
static const double LEAST_CHANCE = 1e-3;
static const double LEAST_MEAN = 0.25;  /* what may come to a place where nothing was seen yet */
static const double LEAST_LEVEL = 0.25; /* a zone that is always empty still has some variance */
static const double LEAST_CHANCE_LOW = 0.05; /* for the near end of the count's own interval */
static const double LEVEL_WOBBLE = 0.1; /* counts are not better than this (docs/accuracy.md) */
static const double Z_95 = 1.959964;

double tally_count_tail(double k, double mean, double variance)
{
    if (k <= 0) return 1;
    mean = fmax(mean, LEAST_MEAN);
    double below = 0;
    /* sum the mass below k; far out a normal tail is close enough and cheaper */
    if (k > 5000) return 0.5 * erfc((k - 0.5 - mean) / sqrt(2 * fmax(variance, mean)));
    double r = variance > mean * 1.000001 ? mean * mean / (variance - mean) : INFINITY;
    double log_mass = isfinite(r) ? r * log(r / (r + mean)) : -mean;
    for (double i = 0; i < ceil(k - 1e-9); i++) {
        below += exp(log_mass);
        log_mass +=
            isfinite(r) ? log((r + i) / (i + 1)) + log(mean / (r + mean)) : log(mean / (i + 1));
    }
    return fmax(1 - below, 1e-300);
}

/* P(X <= k) */
static double lower_tail(double k, double mean, double variance)
{
    return fmax(1 - tally_count_tail(floor(k + 1e-9) + 1, mean, variance), 1e-300);
}

typedef struct level {
    double expected, variance;
    int n;
} level;

static double own_variance(const tally_observation *o)
{
    double half = isfinite(o->high) && isfinite(o->low) ? (o->high - o->low) / 2 / Z_95 : 0;
    return half * half;
}

/* Sensors differ in bias and width: a line is judged within its family, unless that has too few. */
static bool comparable(const tally_line *line, size_t i, size_t k, bool same_family)
{
    return !same_family || strcmp(line->points[i]->family, line->points[k]->family) == 0;
}

static bool family_suffices(const tally_line *line, size_t i)
{
    int n = 0;
    for (size_t k = 0; k < line->n; k++)
        n += k != i && comparable(line, i, k, true);
    return n >= LEAST_OTHERS;
}

static size_t neighbours(const tally_line *line, size_t i, bool past_only, size_t out[2 * SIDE])
{
    bool same = family_suffices(line, i);
    size_t n = 0, side = 0;
    for (size_t k = i; k-- > 0 && side < (past_only ? 2 * SIDE : SIDE);)
        if (comparable(line, i, k, same)) out[n++] = k, side++;
    side = 0;
    for (size_t k = i + 1; !past_only && k < line->n && side < SIDE; k++)
        if (comparable(line, i, k, same)) out[n++] = k, side++;
    return n;
}

static level level_at(const tally_line *line, size_t i, bool past_only)
{
    size_t others[2 * SIDE];
    float v[2 * SIDE];
    level l = { .n = (int)neighbours(line, i, past_only, others) };
    if (l.n == 0) return l;
    for (int k = 0; k < l.n; k++)
        v[k] = (float)line->points[others[k]]->estimate;
    l.expected = tally_median(v, (size_t)l.n);
    for (int k = 0; k < l.n; k++)
        v[k] = fabsf((float)(line->points[others[k]]->estimate - l.expected));
    double spread = 1.4826 * tally_median(v, (size_t)l.n), wobble = LEVEL_WOBBLE * l.expected;
    l.variance = fmax(fmax(spread * spread, wobble * wobble), fmax(l.expected, LEAST_LEVEL));
    return l;
}

/* The end of the count's own interval that lies nearest to the level; without one, the count. */
static double near_end(double end, double estimate)
{
    return isfinite(end) ? end : estimate;
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

static tally_status add(tally_records *r, tally_spike s, const level *l, const char *kind,
                        double chance, tally_error *err)
{
    double half = Z_95 * sqrt(l->variance);
    s.kind = kind;
    s.expected = l->expected;
    s.low = fmax(0, l->expected - half);
    s.high = l->expected + half;
    s.score = tally_clamp(-log10(chance), 0, 99);
    return tally_records_add_spike(r, &s, err);
}

/* Does the series stay apart from i on? +1 up, -1 down, 0 no. The six before must all lie on one
 * side of the three from i. */
static int lasting_shift(const tally_line *line, size_t i, level *before)
{
    size_t others[2 * SIDE];
    *before = level_at(line, i, true);
    int n = (int)neighbours(line, i, true, others);
    if (n < LEAST_OTHERS || i + LASTING > line->n) return 0;
    n = n < SIDE ? n : SIDE;
    double low = INFINITY, high = -INFINITY, after_low = INFINITY, after_high = -INFINITY;
    for (int k = 0; k < n; k++) {
        low = fmin(low, line->points[others[k]]->estimate);
        high = fmax(high, line->points[others[k]]->estimate);
    }
    for (size_t k = i; k < i + LASTING; k++) {
        after_low = fmin(after_low, line->points[k]->estimate);
        after_high = fmax(after_high, line->points[k]->estimate);
    }
    double gap = 2 * sqrt(before->variance);
    if (after_low > high && after_low > before->expected + gap) return 1;
    if (after_high < low && after_high < before->expected - gap) return -1;
    return 0;
}

tally_status tally_line_spikes(tally_records *records, const tally_line *line, int64_t as_of,
                               tally_error *err)
{
    tally_status s = TALLY_OK;
    bool past_only = as_of != TALLY_NO_TIME;
    size_t quiet_until = 0; /* scenes of a shift do not stand out one by one */
    for (size_t i = 0; i < line->n && s == TALLY_OK; i++) {
        const tally_observation *o = line->points[i];
        tally_spike spike = blank_spike(line, i);
        level before, l = level_at(line, i, past_only);
        int shift = i >= quiet_until ? lasting_shift(line, i, &before) : 0;
        if (shift) {
            double chance = shift > 0
                                ? tally_count_tail(o->estimate, before.expected, before.variance)
                                : lower_tail(o->estimate, before.expected, before.variance);
            s = add(records, spike, &before, "level_shift", chance, err);
            quiet_until = i + LASTING;
        }
        if (s == TALLY_OK && i >= quiet_until && l.n >= LEAST_OTHERS) {
            double above = tally_count_tail(o->estimate, l.expected, l.variance),
                   below = lower_tail(o->estimate, l.expected, l.variance);
            double near_above =
                tally_count_tail(near_end(o->low, o->estimate), l.expected, l.variance);
            double near_below = lower_tail(near_end(o->high, o->estimate), l.expected, l.variance);
            if (above < LEAST_CHANCE && near_above < LEAST_CHANCE_LOW)
                s = add(records, spike, &l, "spike", above, err);
            else if (below < LEAST_CHANCE && near_below < LEAST_CHANCE_LOW)
                s = add(records, spike, &l, "drop", below, err);
        }
        if (s == TALLY_OK && i >= LEAST_BEFORE_RECORD) {
            double highest = -INFINITY;
            for (size_t k = 0; k < i; k++)
                highest = fmax(highest, fmax(line->points[k]->estimate, line->points[k]->high));
            level past = level_at(line, i, true);
            if (o->estimate > highest)
                s = add(
                    records, spike, &past, "record",
                    tally_count_tail(o->estimate, past.expected, past.variance + own_variance(o)),
                    err);
        }
    }
    return s;
}
