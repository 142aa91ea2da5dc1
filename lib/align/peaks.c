/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The sub-pixel peak is the maximum of the trigonometric interpolation, which an upsampled DFT
 * around the highest pixel would find to its step (Guizar-Sicairos, Thurman and Fienup 2008,
 * doi:10.1364/OL.33.000156); here Newton's method finds it to 1e-5 px with fewer evaluations, since
 * the first two derivatives of a sum of waves come with it.
 *
 * Frequencies are divided by the root of both powers, taken over all edge images, and not by their
 * own length: where images disagree the sum is short, and counts for little. The plain phase
 * (division by its length) was .047, .064, .083 px instead of .046, .062, .079 on rail_3m, oil_3m
 * and tumangang_3m.
 */
#include "align/peaks.h"

#include <math.h>
#include <string.h>

#include "base/base.h"

enum { MOST_SIDE = 256 };
/* Of Nyquist: what lies above is noise and, worse, aliased: kept whole below the first, nothing
 * above the second. */
static const double PASS = 0.4, STOP = 0.7;

static int signed_index(int i, int n)
{
    return i > n / 2 ? i - n : i;
}

/* The highest frequency that passes. */
static int last_passed(int n)
{
    return (int)(STOP * n / 2);
}

/* How much of a frequency passes. */
static double pass(int n, int u, int v)
{
    const double r = hypot(u, v) / (n / 2);
    if (r > STOP || r == 0) return 0;
    return r < PASS ? 1 : 0.5 + 0.5 * cos((r - PASS) / (STOP - PASS) * M_PI);
}

void tally_peak_whiten(int n, const float *cross, const float *power_a, const float *power_b,
                       tally_point off, float *out)
{
    const int half = n / 2 + 1, most = last_passed(n);
    const double turn = 2 * M_PI / n;
    float along[MOST_SIDE / 2 + 1][2];
    memset(out, 0, 2 * (size_t)n * (size_t)half * sizeof *out);
    for (int u = 0; u <= most; u++) {
        along[u][0] = (float)cos(turn * u * off.x);
        along[u][1] = (float)sin(turn * u * off.x);
    }
    for (int v = -most; v <= most; v++) {
        const size_t row = 2 * (size_t)(v < 0 ? v + n : v) * (size_t)half;
        const float c = (float)cos(turn * v * off.y), d = (float)sin(turn * v * off.y);
        for (int u = 0; u <= most; u++) {
            const size_t i = row + 2 * (size_t)u;
            const float scale = (float)pass(n, u, v) / sqrtf(power_a[i] * power_b[i] + 1e-30f);
            const float pc = along[u][0] * c - along[u][1] * d,
                        ps = along[u][0] * d + along[u][1] * c;
            out[i] = scale * (cross[i] * pc - cross[i + 1] * ps);
            out[i + 1] = scale * (cross[i] * ps + cross[i + 1] * pc);
        }
    }
}

double tally_peak_highest(int n, const float *surface, tally_point at, double reach, int *px,
                          int *py)
{
    double best = -INFINITY, power = 0;
    for (int y = 0; y < n; y++)
        for (int x = 0; x < n; x++) {
            const double v = (double)surface[y * n + x];
            power += v * v;
            if (v <= best || fabs(signed_index(x, n) - at.x) > reach ||
                fabs(signed_index(y, n) - at.y) > reach)
                continue;
            best = v;
            *px = signed_index(x, n);
            *py = signed_index(y, n);
        }
    return best / (sqrt(power / ((double)n * n)) + 1e-30);
}

/* Value, slope and bend of a surface at a place. */
typedef struct shape {
    double value, x, y, xx, xy, yy;
} shape;

static shape surface_shape(int n, const float *spectrum, tally_point at)
{
    const int half = n / 2 + 1, most = last_passed(n);
    const double turn = 2 * M_PI / n;
    double along[MOST_SIDE / 2 + 1][2];
    shape s = { 0 };
    for (int u = 0; u <= most; u++) {
        along[u][0] = cos(turn * u * at.x);
        along[u][1] = sin(turn * u * at.x);
    }
    for (int v = -most; v <= most; v++) {
        const float *row = spectrum + 2 * (size_t)(v < 0 ? v + n : v) * (size_t)half;
        const double c = cos(turn * v * at.y), d = sin(turn * v * at.y);
        double re0 = 0, re2 = 0, im0 = 0, im1 = 0, re1 = 0;
        for (int u = 0; u <= most; u++) {
            const double w = u == 0 ? 1 : 2;
            const double pc = along[u][0] * c - along[u][1] * d,
                         ps = along[u][0] * d + along[u][1] * c;
            const double re = w * ((double)row[2 * u] * pc - (double)row[2 * u + 1] * ps),
                         im = w * ((double)row[2 * u] * ps + (double)row[2 * u + 1] * pc);
            re0 += re;
            re1 += re * u;
            re2 += re * u * u;
            im0 += im;
            im1 += im * u;
        }
        s.value += re0;
        s.x -= im1;
        s.y -= im0 * v;
        s.xx -= re2;
        s.xy -= re1 * v;
        s.yy -= re0 * v * v;
    }
    s.x *= turn;
    s.y *= turn;
    s.xx *= turn * turn;
    s.xy *= turn * turn;
    s.yy *= turn * turn;
    return s;
}

/* The height with all frequencies in step. */
static double highest_possible(int n, const float *spectrum)
{
    const int half = n / 2 + 1, most = last_passed(n);
    double sum = 0;
    for (int v = -most; v <= most; v++) {
        const float *row = spectrum + 2 * (size_t)(v < 0 ? v + n : v) * (size_t)half;
        for (int u = 0; u <= most; u++)
            sum += (u == 0 ? 1 : 2) *
                   (double)sqrtf(row[2 * u] * row[2 * u] + row[2 * u + 1] * row[2 * u + 1]);
    }
    return sum;
}

double tally_peak_climb(int n, const float *spectrum, tally_point *at)
{
    enum { MOST_STEPS = 20 };
    static const double LONGEST = 0.5, SHORTEST = 1e-5;
    double value = 0;
    for (int i = 0; i < MOST_STEPS; i++) {
        const shape s = surface_shape(n, spectrum, *at);
        const double det = s.xx * s.yy - s.xy * s.xy;
        tally_point step;
        if (s.xx < 0 && det > 0)
            step =
                (tally_point) { (s.xy * s.y - s.yy * s.x) / det, (s.xy * s.x - s.xx * s.y) / det };
        else { /* not on the hill yet: uphill */
            const double slope = hypot(s.x, s.y) + 1e-30;
            step = (tally_point) { LONGEST / 2 * s.x / slope, LONGEST / 2 * s.y / slope };
        }
        const double length = hypot(step.x, step.y), cut = fmin(1, LONGEST / (length + 1e-30));
        value = s.value;
        at->x += cut * step.x;
        at->y += cut * step.y;
        if (length < SHORTEST) break;
    }
    return value / (highest_possible(n, spectrum) + 1e-30);
}
