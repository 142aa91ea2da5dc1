/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Thresholds from the values of the score. Otsu (1979) cuts where the two classes lie farthest
 * apart; Kittler and Illingworth (1986) where two normal laws fit with the least error. Both cut
 * somewhere even when nothing changed. The histogram ends at the 99.9 % quantile, so that one glint
 * does not squeeze all else into its first bin; 1024 bins keep the cut within 0.1 % of that.
 *
 * `auto` therefore asks a second judge, who knows the noise: the cut must lie where at most a
 * twentieth of the pixels beyond it can be noise (Benjamini and Hochberg 1995), and where none is
 * so clear, at a false-alarm rate of 1e-4. The noise is read off the part of the values that change
 * does not reach: of signed values the mode and the spread on its quieter side; of lengths the
 * quantiles 10 and 40 %, since the cube root of a chi-square is as good as normal for any number of
 * components, correlated or averaged (Wilson and Hilferty 1931). The first judge is Kittler and
 * Illingworth for optical images, and Otsu under speckle, whose tails the former takes for a class.
 *
 * Known failures: change over more than half of the image becomes the norm; a season that alters
 * every field differently has no unchanged class, and much of it is called change.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "change/threshold.h"

enum { BINS = 1024 };
#define TOP 0.999
/* Chosen on drawn pairs (docs/methods/thresholds.md): the share of noise among what is called
 * change, and the deviations between which the second judge's cut lies: tails of 1.25 % (beyond
 * that, real noise has no normal law) and 1e-4. */
#define FALSE_SHARE 0.05
#define LEAST_Z     2.24
#define MOST_Z      3.72

static bool number(const char *text, double *out)
{
    char *end;

    errno = 0;
    *out = strtod(text, &end);
    return end != text && *end == '\0' && errno == 0 && isfinite(*out);
}

tally_status tally_threshold_parse(const char *text, tally_threshold *out, tally_error *err)
{
    *out = (tally_threshold) { .rule = TALLY_RULE_AUTO };
    if (!text || strcmp(text, "auto") == 0) return TALLY_OK;
    out->rule = TALLY_RULE_FAR;
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

static int falling(const void *a, const void *b)
{
    const float x = *(const float *)a, y = *(const float *)b;
    return (x < y) - (x > y);
}

double tally_threshold_false_share(float *z, size_t n, double rate)
{
    double cut = MOST_Z;

    qsort(z, n, sizeof *z, falling);
    for (size_t k = 0; k < n && (double)z[k] >= LEAST_Z; k++) {
        const double noise = 0.5 * erfc((double)z[k] * M_SQRT1_2) * (double)n;
        if (noise <= rate * (double)(k + 1)) cut = fmin(cut, (double)z[k]);
    }
    return cut;
}

/* The mode of values that spread by `sigma` about `middle`: the top of their histogram, smoothed
 * twice over a seventh of sigma. */
static double mode_of(const float *values, size_t n, double middle, double sigma)
{
    enum { N = 400, HALF = 14 };
    double count[2][N] = { { 0 } };
    const double from = middle - 4.0 * sigma, width = 8.0 * sigma / N;
    int best = N / 2;

    for (size_t i = 0; i < n; i++) {
        const double bin = ((double)values[i] - from) / width;
        if (bin >= 0.0 && bin < N) count[0][(int)bin] += 1.0;
    }
    for (int pass = 0; pass < 2; pass++) {
        const double *in = count[pass];
        double *out = count[1 - pass];
        for (int i = 0; i < N; i++) {
            out[i] = 0.0;
            for (int j = i - HALF < 0 ? 0 : i - HALF; j <= i + HALF && j < N; j++)
                out[i] += in[j];
        }
    }
    for (int i = 0; i < N; i++) {
        if (count[0][i] > count[0][best]) best = i;
    }
    return from + (best + 0.5) * width;
}

tally_noise tally_noise_signed(const float *values, size_t n, float *room)
{
    memcpy(room, values, n * sizeof *room);
    const double median = (double)tally_median(room, n);
    for (size_t i = 0; i < n; i++)
        room[i] = fabsf(values[i] - (float)median);
    const double spread = 1.4826 * (double)tally_median(room, n);
    if (!(spread > 0.0)) return (tally_noise) { median, 0.0 };
    tally_noise noise = { mode_of(values, n, median, spread), spread };
    for (int side = -1; side <= 1; side += 2) {
        size_t k = 0;
        for (size_t i = 0; i < n; i++) {
            const double d = side * ((double)values[i] - noise.centre);
            if (d > 0.0) room[k++] = (float)d;
        }
        if (k > n / 10) noise.sigma = fmin(noise.sigma, 1.4826 * (double)tally_median(room, k));
    }
    return noise;
}

tally_noise tally_noise_length(float *values, size_t n)
{
    static const double Z10 = -1.2815515655, Z40 = -0.2533471031;
    const double low = pow((double)tally_quantile(values, n, 0.1), 2.0 / 3.0);
    const double high = pow((double)tally_quantile(values, n, 0.4), 2.0 / 3.0);
    const double sigma = (high - low) / (Z40 - Z10);

    return (tally_noise) { high - Z40 * sigma, sigma };
}

tally_status tally_threshold_auto_length(const float *values, size_t n, double *cut,
                                         tally_error *err)
{
    float *room = tally_alloc(n, sizeof *room);

    if (!room) return tally_nomem(err, "the scores of a sample");
    memcpy(room, values, n * sizeof *room);
    const tally_noise noise = tally_noise_length(room, n);
    const double sigma = fmax(noise.sigma, 1e-9);
    for (size_t i = 0; i < n; i++)
        room[i] = (float)((pow((double)values[i], 2.0 / 3.0) - noise.centre) / sigma);
    const double z = tally_threshold_false_share(room, n, FALSE_SHARE);
    const double by_noise = pow(fmax(noise.centre + sigma * z, 0.0), 1.5);
    memcpy(room, values, n * sizeof *room);
    *cut = fmax(by_noise, tally_threshold_ki(room, n));
    tally_free(room);
    return TALLY_OK;
}

tally_status tally_threshold_auto_speckle(const float *values, size_t n, double *centre,
                                          double *cut, bool *clear, tally_error *err)
{
    float *room = tally_alloc(n, sizeof *room);

    if (!room) return tally_nomem(err, "the scores of a sample");
    const tally_noise noise = tally_noise_signed(values, n, room);
    const double sigma = fmax(noise.sigma, 1e-9);
    for (size_t i = 0; i < n; i++)
        room[i] = (float)(fabs((double)values[i] - noise.centre) / sigma);
    /* both tails count, so each may hold half of the share */
    const double by_noise = sigma * tally_threshold_false_share(room, n, FALSE_SHARE / 2);
    for (size_t i = 0; i < n; i++)
        room[i] = (float)fabs((double)values[i] - noise.centre);
    const double by_class = tally_threshold_otsu(room, n);
    *centre = noise.centre;
    *cut = fmax(by_noise, by_class);
    *clear = by_class >= by_noise;
    tally_free(room);
    return TALLY_OK;
}
