/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Six ways to say how much a pixel changed.
 *   difference  AFTER minus BEFORE as they are, mean of the bands, signed
 *   zscore      sum over the bands of ((AFTER' - BEFORE) / sigma)^2, AFTER' in BEFORE's radiometry
 *   cva         length of the change vector AFTER' - BEFORE (Malila 1980)
 *   irmad       canonical variates of both images, iterated with the chance of no change as weight
 * (Nielsen 2007) logratio    mean over the bands of ln(AFTER / BEFORE), its median taken out,
 * signed: for speckle (Rignot, van Zyl 1993) pca         like zscore, in the principal axes of the
 * difference, where noise that bands share counts once Gain and offset per band come from a reduced
 * major axis fit that drops what lies beyond 2.5 robust deviations and fits again, ten times; sigma
 * is 1.4826 MAD of what is left over. Known failures: more than half of the image changed (the
 * change becomes the norm); misregistration counts as change along every edge; irmad and pca want
 * bands that are not copies of each other.
 *
 * Constants: 2.5 and ten rounds are the usual trimming, chosen on made images; sigma is at least
 * 0.2 % of the band's level, since 8-bit images of flat ground differ by whole steps or not at all;
 * irmad stops at 30 rounds or when no correlation moves by 0.001, as Nielsen does.
 */
#include <math.h>
#include <string.h>

#include "change/background.h"
#include "change/irmad.h"
#include "change/score.h"

#define MAD_TO_SIGMA 1.4826
#define TRIM         2.5
#define ROUNDS       10
#define SIGMA_FLOOR  0.002
#define LEAST_SAMPLE 16
#define LOG_FLOOR    0.001 /* of the median level: ln of nothing is no measurement */
#define LEAST_FIT_R  0.3   /* bands less alike than this carry no gain; the offset alone is taken */

static const char *const names[TALLY_METHODS] = { "difference", "zscore",   "cva",
                                                  "irmad",      "logratio", "pca" };

const char *tally_method_name(tally_method method)
{
    return names[method];
}

tally_status tally_method_parse(const char *text, tally_method *out, tally_error *err)
{
    *out = TALLY_METHOD_ZSCORE;
    if (!text || strcmp(text, "auto") == 0) return TALLY_OK;
    for (int m = 0; m < TALLY_METHODS; m++) {
        if (strcmp(text, names[m]) != 0) continue;
        *out = (tally_method)m;
        return TALLY_OK;
    }
    return tally_fail(err, TALLY_E_ARG,
                      "method '%s': wants auto, difference, zscore, cva, irmad, logratio or pca",
                      text);
}

tally_status tally_sample_init(tally_sample *sample, int bands, size_t capacity, tally_error *err)
{
    *sample = (tally_sample) { .bands = bands, .capacity = capacity };
    for (int b = 0; b < bands; b++) {
        sample->before[b] = tally_alloc(capacity + 1, sizeof(float));
        sample->after[b] = tally_alloc(capacity + 1, sizeof(float));
        if (sample->before[b] && sample->after[b]) continue;
        tally_sample_fini(sample);
        return tally_nomem(err, "a sample of two images");
    }
    return TALLY_OK;
}

void tally_sample_fini(tally_sample *sample)
{
    for (int b = 0; b < TALLY_SCORE_BANDS; b++) {
        tally_free(sample->before[b]);
        tally_free(sample->after[b]);
    }
    *sample = (tally_sample) { 0 };
}

/* Median and 1.4826 MAD of values that are given up. */
static void robust(float *v, size_t n, double *median, double *sigma)
{
    *median = (double)tally_median(v, n);
    for (size_t i = 0; i < n; i++)
        v[i] = (float)fabs((double)v[i] - *median);
    *sigma = MAD_TO_SIGMA * (double)tally_median(v, n);
}

/* What is left over of BEFORE - (gain AFTER + offset). */
static void residuals(const float *x, const float *y, size_t n, double gain, double offset,
                      float *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = (float)((double)x[i] - gain * (double)y[i] - offset);
}

/* One fit to what lies within TRIM robust deviations. False: nothing to fit. */
static bool fit_once(const float *x, const float *y, size_t n, float *room, double *gain,
                     double *offset)
{
    double centre, spread, s0 = 0, sx = 0, sy = 0, sxx = 0, syy = 0, sxy = 0;

    residuals(x, y, n, *gain, *offset, room);
    robust(room, n, &centre, &spread);
    const double x0 = (double)x[0], y0 = (double)y[0], reach = TRIM * spread + 1e-9 * fabs(x0);
    for (size_t i = 0; i < n; i++) {
        const double left = (double)x[i] - *gain * (double)y[i] - *offset;
        if (fabs(left - centre) > reach) continue;
        const double u = (double)x[i] - x0, v = (double)y[i] - y0;
        s0 += 1;
        sx += u;
        sy += v;
        sxx += u * u;
        syy += v * v;
        sxy += u * v;
    }
    const double vx = sxx - sx * sx / s0, vy = syy - sy * sy / s0, cov = sxy - sx * sy / s0;
    if (!(s0 > 2) || !(vx > 0) || !(vy > 0) || cov < LEAST_FIT_R * sqrt(vx * vy)) return false;
    *gain = sqrt(vx / vy);
    *offset = x0 + sx / s0 - *gain * (y0 + sy / s0);
    return true;
}

static void fit_band(tally_score *score, int b, const tally_sample *s, float *room)
{
    const float *x = s->before[b], *y = s->after[b];
    double mx, sx, my, sy, gain = 1.0, offset = 0.0;

    memcpy(room, x, s->n * sizeof *room);
    robust(room, s->n, &mx, &sx);
    memcpy(room, y, s->n * sizeof *room);
    robust(room, s->n, &my, &sy);
    if (sx > 0 && sy > 0) gain = sx / sy;
    offset = mx - gain * my;
    for (int round = 0; round < ROUNDS; round++) {
        if (fit_once(x, y, s->n, room, &gain, &offset)) continue;
        gain = 1.0;
        offset = mx - my;
        break;
    }
    score->gain[b] = (float)tally_round_to(gain, 1e6);
    score->offset[b] = (float)tally_round_to(offset, 1e6);
}

static void noise_of_band(tally_score *score, int b, const tally_sample *s, float *room)
{
    double centre, sigma, level;

    memcpy(room, s->before[b], s->n * sizeof *room);
    level = fabs((double)tally_median(room, s->n));
    residuals(s->before[b], s->after[b], s->n, (double)score->gain[b], (double)score->offset[b],
              room);
    robust(room, s->n, &centre, &sigma);
    sigma = fmax(fmax(sigma, SIGMA_FLOOR * level), 1e-6);
    score->sigma[b] = (float)sigma;
    score->floor[b] = (float)fmax(LOG_FLOOR * level, 1e-12);
}

/* p = -w, q = w gain, c = w (offset - centre): a transform w of the normalised difference. */
static void set_transform(tally_score *score, int i, const double *w, const double *centre)
{
    double c = 0.0;

    for (int b = 0; b < score->bands; b++) {
        score->p[i][b] = (float)-w[b];
        score->q[i][b] = (float)(w[b] * (double)score->gain[b]);
        c += w[b] * ((double)score->offset[b] - centre[b]);
    }
    score->c[i] = (float)c;
}

static tally_status learn_transform(tally_score *score, const tally_sample *s, tally_error *err)
{
    const double zero[TALLY_SCORE_BANDS] = { 0 };

    if (score->method == TALLY_METHOD_IRMAD) return tally_irmad_learn(score, s, err);
    if (score->method == TALLY_METHOD_PCA) {
        double w[TALLY_SCORE_BANDS][TALLY_SCORE_BANDS], centre[TALLY_SCORE_BANDS];
        const tally_status status = tally_pca_learn(score, s, w, centre, err);
        for (int i = 0; i < score->bands && status == TALLY_OK; i++)
            set_transform(score, i, w[i], centre);
        return status;
    }
    for (int b = 0; b < score->bands; b++) {
        double w[TALLY_SCORE_BANDS] = { 0 };
        w[b] = score->method == TALLY_METHOD_CVA ? 1.0 : 1.0 / (double)score->sigma[b];
        set_transform(score, b, w, zero);
    }
    return TALLY_OK;
}

static bool is_signed(tally_method m)
{
    return m == TALLY_METHOD_DIFFERENCE || m == TALLY_METHOD_LOGRATIO;
}

/* Where a false-alarm rate a pixel lies under the noise model of the method. */
static double far_limit(const tally_score *score, double rate, double sigma)
{
    if (is_signed(score->method)) return sqrt((double)tally_threshold_far(rate, 1)) * sigma;
    const double q = (double)tally_threshold_far(rate, score->bands);
    if (score->method != TALLY_METHOD_CVA) return q;
    double pooled = 0.0;
    for (int b = 0; b < score->bands; b++)
        pooled += (double)score->sigma[b] * (double)score->sigma[b] / score->bands;
    return sqrt(q * pooled);
}

/* The threshold, from the values of the whole sample. */
static tally_status learn_limit(tally_score *score, const tally_threshold *t, const tally_sample *s,
                                tally_error *err)
{
    float *value = tally_alloc(s->n, sizeof *value), *sum = tally_alloc(s->n, sizeof *sum);
    double median, sigma;

    if (!value || !sum) {
        tally_free(value);
        tally_free(sum);
        return tally_nomem(err, "the scores of a sample");
    }
    tally_score_row(score, (const float *const *)s->before, (const float *const *)s->after, s->n,
                    value, sum);
    memcpy(sum, value, s->n * sizeof *sum);
    robust(sum, s->n, &median, &sigma);
    if (score->method ==
        TALLY_METHOD_LOGRATIO) { /* the common factor of both images is no change */
        score->c[0] = (float)-median;
        for (size_t i = 0; i < s->n; i++)
            value[i] -= (float)median;
        median = 0.0;
    }
    const double centre = is_signed(score->method) ? median : 0.0;
    score->centre = (float)(t->rule == TALLY_RULE_MAD     ? median
                            : t->rule == TALLY_RULE_VALUE ? 0.0
                                                          : centre);
    switch (t->rule) {
    case TALLY_RULE_FAR: {
        float least = 0.0f;
        for (int b = 0; b < score->bands; b++)
            least += score->sigma[b] / (float)score->bands;
        if (score->method == TALLY_METHOD_DIFFERENCE && !(sigma > 0)) sigma = (double)least;
        if (score->method == TALLY_METHOD_LOGRATIO) sigma = fmax(sigma, SIGMA_FLOOR);
        score->limit = (float)far_limit(score, t->parameter, sigma);
        break;
    }
    case TALLY_RULE_MAD:
        score->limit = (float)(t->parameter * sigma);
        break;
    case TALLY_RULE_VALUE:
        score->limit = (float)t->parameter;
        break;
    default: /* otsu and ki see amplitudes: squares would put nearly all into the first bin */
        for (size_t i = 0; i < s->n; i++) {
            const float from = fabsf(value[i] - (float)centre);
            value[i] =
                is_signed(score->method) || score->method == TALLY_METHOD_CVA ? from : sqrtf(from);
        }
        const double cut = t->rule == TALLY_RULE_OTSU ? tally_threshold_otsu(value, s->n)
                                                      : tally_threshold_ki(value, s->n);
        score->limit =
            (float)(is_signed(score->method) || score->method == TALLY_METHOD_CVA ? cut
                                                                                  : cut * cut);
    }
    tally_free(value);
    tally_free(sum);
    return TALLY_OK;
}

tally_status tally_score_learn(tally_score *score, tally_method method,
                               const tally_threshold *threshold, const tally_sample *sample,
                               tally_error *err)
{
    float *room;
    tally_status s;

    *score = (tally_score) { .method = method, .bands = sample->bands };
    if (sample->n < LEAST_SAMPLE)
        return tally_fail(err, TALLY_E_NODATA,
                          "only %zu pixels are seen by both images; at least %d are needed",
                          sample->n, LEAST_SAMPLE);
    if (!(room = tally_alloc(sample->n, sizeof *room)))
        return tally_nomem(err, "a sample of two images");
    for (int b = 0; b < score->bands; b++) {
        score->gain[b] = 1.0f;
        if (!is_signed(method)) fit_band(score, b, sample, room);
        noise_of_band(score, b, sample, room);
    }
    tally_free(room);
    s = is_signed(method) ? TALLY_OK : learn_transform(score, sample, err);
    return s == TALLY_OK ? learn_limit(score, threshold, sample, err) : s;
}

static void signed_row(const tally_score *score, const float *const *before,
                       const float *const *after, size_t n, float *value)
{
    for (size_t i = 0; i < n; i++) {
        float total = 0.0f;
        for (int b = 0; b < score->bands; b++) {
            const float x = before[b][i], y = after[b][i], low = score->floor[b];
            total += score->method == TALLY_METHOD_DIFFERENCE
                         ? y - x
                         : logf(fmaxf(y, low)) - logf(fmaxf(x, low));
        }
        value[i] = total / (float)score->bands + score->c[0];
    }
}

static void transformed_row(const tally_score *score, const float *const *before,
                            const float *const *after, size_t n, float *value)
{
    for (size_t i = 0; i < n; i++) {
        float total = 0.0f;
        for (int k = 0; k < score->bands; k++) {
            float z = score->c[k];
            for (int b = 0; b < score->bands; b++)
                z += score->p[k][b] * before[b][i] + score->q[k][b] * after[b][i];
            total += z * z;
        }
        value[i] = score->method == TALLY_METHOD_CVA ? sqrtf(total) : total;
    }
}

void tally_score_row(const tally_score *score, const float *const *before,
                     const float *const *after, size_t n, float *value, float *sum)
{
    if (is_signed(score->method))
        signed_row(score, before, after, n, value);
    else
        transformed_row(score, before, after, n, value);
    if (score->method == TALLY_METHOD_LOGRATIO) { /* standardised already */
        memcpy(sum, value, n * sizeof *sum);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        float total = 0.0f;
        for (int b = 0; b < score->bands; b++)
            total +=
                (score->gain[b] * after[b][i] + score->offset[b] - before[b][i]) / score->sigma[b];
        sum[i] = total;
    }
}
