/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Where one car of a cut ends and the next begins, seen on the strip.
 *
 * Between two bodies lie 1.1 to 1.3 m of couplers and, between those, ground, mostly in shade: a
 * thin line across the body that is darker than both its sides (on snow, or beside dark gondolas,
 * brighter). And cars differ in colour. Both are measured for each column, in units of their own
 * robust spread along the cut. What is usual says nothing, what stands out says the more the
 * farther it does:
 *
 *     ratio = exp(slope * max(0, z - usual)),   divided by its mean over 60 m around
 *
 * and mixed with one, for some gaps do not show.
 * The division makes the likelihood ratios zero-sum: ribs, hatches and noise that are everywhere
 * cancel, and a cut whose gaps cannot be seen keeps ratios of about one.
 *
 * Known failures: shadows of catenary masts and lamp posts across a train are thin dark lines, too;
 * a tarpaulin over two gondolas hides their gap; the hood of a locomotive, seen between its ends,
 * is a change of colour within one car.
 */
#include <math.h>
#include <string.h>

#include "count/rail_cars.h"

static const double CORE_M = 1.1; /* of the body, on both sides of the middle */
static const double LINE_M = 0.6; /* half of what a gap covers, blur included */
static const double SIDE_M = 2.4; /* from a line's middle: how far its sides reach */
static const double COLOUR_M = 4; /* how far the colour on each side is taken */
static const double USUAL = 1.5, SLOPE = 1.0, MOST_Z = 8;
static const double COLOUR_SHARE = 0.5; /* a change of colour is also found within cars */
static const double AROUND_M = 30;
static const double HIDDEN = 0.4; /* of the gaps do not show: under a tarpaulin, in one shade */
static const double SHORTEST_PERIOD_M = 11, LONGEST_PERIOD_M = 27, LEAST_PERIODIC = 0.25;

/* The body's mean colour per column; NAN where it was not seen. mean: bands rows of n. */
static void body_colours(const tally_track *t, const tally_patch *strip, float *mean)
{
    for (int c = 0; c < strip->width; c++) {
        int cells = 0;
        for (int b = 0; b < strip->bands; b++)
            mean[(size_t)b * (size_t)strip->width + (size_t)c] = 0;
        for (int lane = 0; lane < strip->height; lane++) {
            if (fabs(tally_track_lane_m(t, lane)) > CORE_M ||
                !tally_bits_get(&strip->valid, c, lane))
                continue;
            cells++;
            for (int b = 0; b < strip->bands; b++)
                mean[(size_t)b * (size_t)strip->width + (size_t)c] +=
                    tally_patch_row(strip, b, lane)[c];
        }
        for (int b = 0; b < strip->bands; b++)
            mean[(size_t)b * (size_t)strip->width + (size_t)c] /= (float)cells;
    }
}

/* Mean of v over columns [from, to] within [low, high); NAN: none. */
static double mean_over(const float *v, int from, int to, int low, int high)
{
    double sum = 0;
    int n = 0;
    for (int c = from < low ? low : from; c <= to && c < high; c++)
        if (isfinite(v[c])) sum += v[c], n++;
    return n ? sum / n : NAN;
}

/* In place: how far each value stands out of the rest, in robust deviations. room: to - from. */
static void standardise(float *v, int from, int to, float *room)
{
    size_t n = 0;
    for (int c = from; c < to; c++)
        if (isfinite(v[c])) room[n++] = v[c];
    double middle = n ? tally_median(room, n) : 0;
    for (size_t i = 0; i < n; i++)
        room[i] = fabsf(room[i] - (float)middle);
    double spread = n ? 1.4826 * tally_median(room, n) : 0;
    for (int c = from; c < to; c++)
        v[c] = isfinite(v[c]) && spread > 0 ? (float)((v[c] - middle) / spread) : 0;
}

/* How thin lines and changes of colour stand out at each column. */
static void look(const tally_patch *strip, double step_m, const float *mean, int from, int to,
                 float *line, float *change)
{
    int half = (int)fmax(0, lround(LINE_M / step_m - 0.5)), side = (int)lround(SIDE_M / step_m),
        far = (int)lround(COLOUR_M / step_m);
    for (int c = from; c < to; c++) {
        double depth = 0, step = 0;
        for (int b = 0; b < strip->bands; b++) {
            const float *v = mean + (size_t)b * (size_t)strip->width;
            double here = mean_over(v, c - half, c + half, from, to),
                   left = mean_over(v, c - side, c - half - 1, from, to),
                   right = mean_over(v, c + half + 1, c + side, from, to),
                   before = mean_over(v, c - far, c - half - 1, from, to),
                   after = mean_over(v, c + half + 1, c + far, from, to);
            /* a line is darker than both sides, or brighter than both */
            double low = fmin(left, right) - here, high = here - fmax(left, right);
            depth += fmax(low, 0.7 * high) / fmax(1e-6, left + right);
            step += fabs(before - after) / fmax(1e-6, before + after);
        }
        line[c] = (float)depth;
        change[c] = (float)step;
    }
}

tally_status tally_cars_gaps(const tally_track *t, const tally_patch *strip, int from, int to,
                             float *gap, tally_error *err)
{
    size_t n = (size_t)strip->width;
    float *mean = tally_alloc(n * (size_t)strip->bands, sizeof *mean);
    float *line = tally_alloc(n, sizeof *line), *change = tally_alloc(n, sizeof *change);
    float *room = tally_alloc(n, sizeof *room);
    tally_status s = mean && line && change && room ? TALLY_OK : tally_nomem(err, "a cut");
    memset(gap, 0, n * sizeof *gap);
    if (s == TALLY_OK && (from < 0 || to > strip->width || from >= to))
        s = tally_fail(err, TALLY_E_ARG, "a cut of columns %d to %d of %d", from, to, strip->width);
    if (s == TALLY_OK) {
        body_colours(t, strip, mean);
        look(strip, t->step_m, mean, from, to, line, change);
        standardise(line, from, to, room);
        standardise(change, from, to, room);
        for (int c = from; c < to; c++)
            room[c] =
                (float)exp(SLOPE * (tally_clamp(line[c] - USUAL, 0, MOST_Z) +
                                    COLOUR_SHARE * tally_clamp(change[c] - USUAL, 0, MOST_Z / 2)));
        int around = (int)(AROUND_M / t->step_m);
        for (int c = from; c < to; c++)
            gap[c] = (float)log(HIDDEN + (1 - HIDDEN) * room[c] /
                                             mean_over(room, c - around, c + around, from, to));
    }
    tally_free(mean);
    tally_free(line);
    tally_free(change);
    tally_free(room);
    return s;
}

double tally_cars_pitch(const float *gap, int from, int to, double step_m)
{
    int least = (int)(SHORTEST_PERIOD_M / step_m), most = (int)(LONGEST_PERIOD_M / step_m);
    double mean = 0, power = 0, best = 0, at = NAN;
    if (to - from < 3 * least) return NAN;
    for (int c = from; c < to; c++)
        mean += fmax(0, gap[c]) / (to - from);
    for (int c = from; c < to; c++)
        power += pow(fmax(0, gap[c]) - mean, 2) / (to - from);
    if (!(power > 0)) return NAN;
    /* at half a column, because cars are no whole number of them: a line between neighbours */
    double r[3] = { 0 };
    for (int lag = least; lag <= most && lag < (to - from) / 2; lag++) {
        double sum = 0;
        for (int c = from; c + lag < to; c++)
            sum += (fmax(0, gap[c]) - mean) * (fmax(0, gap[c + lag]) - mean);
        r[0] = r[1], r[1] = r[2];
        r[2] = sum / (to - from - lag) / power;
        if (lag < least + 2 || !(r[1] > r[0] && r[1] >= r[2]) || r[1] <= best) continue;
        best = r[1];
        double bend = r[0] - 2 * r[1] + r[2];
        at = lag - 1 + (bend < 0 ? tally_clamp(0.5 * (r[0] - r[2]) / bend, -0.5, 0.5) : 0);
    }
    return best >= LEAST_PERIODIC ? at * step_m : NAN;
}
