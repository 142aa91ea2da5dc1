/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Thresholds from the histogram of the score. Otsu (1979) cuts where the two classes lie farthest
 * apart; Kittler and Illingworth (1986) where two normal laws fit with the least error, which holds
 * better when the changed class is small. Known failures: both cut somewhere even when nothing
 * changed; far and mad do not. The histogram ends at the 99.9 % quantile, so that one glint does
 * not squeeze all else into its first bin; 1024 bins keep the cut within 0.1 % of that.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "change/threshold.h"

enum { BINS = 1024 };
#define AUTO_RATE                                                                                  \
    1e-4 /* per pixel: a hundred false pixels in a million, which an opening or --min-area removes \
          */
#define TOP 0.999

static bool number(const char *text, double *out)
{
    char *end;

    errno = 0;
    *out = strtod(text, &end);
    return end != text && *end == '\0' && errno == 0 && isfinite(*out);
}

tally_status tally_threshold_parse(const char *text, tally_threshold *out, tally_error *err)
{
    *out = (tally_threshold) { .rule = TALLY_RULE_FAR, .parameter = AUTO_RATE };
    if (!text || strcmp(text, "auto") == 0) return TALLY_OK;
    if (strcmp(text, "otsu") == 0 || strcmp(text, "ki") == 0) {
        *out = (tally_threshold) { .rule = *text == 'o' ? TALLY_RULE_OTSU : TALLY_RULE_KI };
        return TALLY_OK;
    }
    if (strncmp(text, "far:", 4) == 0) {
        if (number(text + 4, &out->parameter) && out->parameter > 0.0 && out->parameter < 1.0)
            return TALLY_OK;
        return tally_fail(err, TALLY_E_ARG,
                          "threshold '%s': wants a rate between 0 and 1, such as far:0.0001", text);
    }
    if (strncmp(text, "mad:", 4) == 0) {
        out->rule = TALLY_RULE_MAD;
        if (number(text + 4, &out->parameter) && out->parameter > 0.0) return TALLY_OK;
        return tally_fail(err, TALLY_E_ARG,
                          "threshold '%s': wants a positive factor, such as mad:5", text);
    }
    out->rule = TALLY_RULE_VALUE;
    if (number(text, &out->parameter) && out->parameter >= 0.0) return TALLY_OK;
    return tally_fail(err, TALLY_E_ARG,
                      "threshold '%s': wants auto, far:P, mad:K, otsu, ki or a number from 0",
                      text);
}

/* Shares of the values by bin; returns the width of a bin, 0 when they are all the same. */
static double histogram(float *values, size_t n, double share[BINS])
{
    const double top = n ? (double)tally_quantile(values, n, TOP) : 0.0;

    memset(share, 0, BINS * sizeof *share);
    if (!(top > 0.0)) return 0.0;
    for (size_t i = 0; i < n; i++) {
        const double bin = (double)values[i] / top * BINS;
        share[bin < BINS ? (int)bin : BINS - 1] += 1.0 / (double)n;
    }
    return top / BINS;
}

/* Share, mean and variance of the bins [from, to), in bins. */
static void moments(const double *share, int from, int to, double *p, double *mean,
                    double *variance)
{
    double s0 = 0.0, s1 = 0.0, s2 = 0.0;

    for (int i = from; i < to; i++) {
        s0 += share[i];
        s1 += share[i] * (i + 0.5);
        s2 += share[i] * (i + 0.5) * (i + 0.5);
    }
    *p = s0;
    *mean = s0 > 0.0 ? s1 / s0 : 0.0;
    *variance = s0 > 0.0 ? s2 / s0 - *mean * *mean : 0.0;
}

double tally_threshold_otsu(float *values, size_t n)
{
    double share[BINS], best = -1.0;
    const double width = histogram(values, n, share);
    int cut = BINS;

    for (int t = 1; t < BINS; t++) {
        double p[2], m[2], v[2];
        moments(share, 0, t, &p[0], &m[0], &v[0]);
        moments(share, t, BINS, &p[1], &m[1], &v[1]);
        const double between = p[0] * p[1] * (m[1] - m[0]) * (m[1] - m[0]);
        if (between > best) {
            best = between;
            cut = t;
        }
    }
    return width * cut;
}

double tally_threshold_ki(float *values, size_t n)
{
    double share[BINS], best = HUGE_VAL;
    const double width = histogram(values, n, share);
    int cut = BINS;

    for (int t = 2; t < BINS - 1; t++) {
        double p[2], m[2], v[2];
        moments(share, 0, t, &p[0], &m[0], &v[0]);
        moments(share, t, BINS, &p[1], &m[1], &v[1]);
        if (p[0] <= 0.0 || p[1] <= 0.0) continue;
        /* a class narrower than its bin would win by log 0: the bin's own variance is the least */
        const double j = p[0] * log(v[0] + 1.0 / 12) + p[1] * log(v[1] + 1.0 / 12) -
                         2.0 * p[0] * log(p[0]) - 2.0 * p[1] * log(p[1]);
        if (j < best) {
            best = j;
            cut = t;
        }
    }
    return width * cut;
}
