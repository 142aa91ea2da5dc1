/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Six ways to say how much a pixel changed.
 *   difference  AFTER minus BEFORE as they are, mean of the bands, signed
 *   zscore      the squared length of the change vector AFTER' - BEFORE in units of its noise,
 *               AFTER' in BEFORE's radiometry; noise that bands share counts once (Mahalanobis)
 *   cva         the length of that vector in the images' units (Malila 1980)
 *   irmad       canonical variates of both images, iterated with the chance of no change as weight
 *               (Nielsen 2007; irmad.c)
 *   logratio    mean over the bands of ln(AFTER / BEFORE), the unchanged pixels' value taken out,
 *               signed: for speckle (Rignot and van Zyl 1993)
 *   pca         principal components of the change in squares of 5 x 5 pixels, cut in two clusters
 *               (Celik 2009; celik.c)
 * Gain and offset per band come from a reduced major axis fit that drops what lies beyond 2.5
 * robust deviations, or is saturated or clipped dark on either side, and fits again, ten times;
 * sigma is 1.4826 MAD of what is left over. What both do with the neighbourhood of a pixel is in
 * scales.c.
 *
 * `auto` takes logratio over 3 and 5 pixels where the images are radar: their bands are called so,
 * or all that they have is one or two bands under speckle (speckle.c). Where that leaves no class
 * apart from the noise, larger neighbourhoods are tried. All else is optical: zscore over 1 and 3
 * pixels.
 *
 * Known failures: more than half of the image changed (the change becomes the norm);
 * misregistration counts as change along every edge; irmad wants bands that are not copies of each
 * other.
 *
 * Constants: 2.5 and ten rounds are the usual trimming, chosen on made images; sigma is at least
 * 0.2 % of the band's level, since 8-bit images of flat ground differ by whole steps or not at all;
 * a hundredth of the level is added before a logarithm, since dark water of 8-bit radar holds whole
 * steps, too.
 */
#include "change/score.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "change/background.h"
#include "change/celik.h"
#include "change/irmad.h"
#include "change/speckle.h"

#define MAD_TO_SIGMA 1.4826
#define TRIM         2.5
#define ROUNDS       10
#define SIGMA_FLOOR  0.002
#define LEAST_SAMPLE 16
#define LOG_FLOOR    0.01
#define LEAST_FIT_R  0.3 /* bands less alike than this carry no gain; the offset alone is taken */

static const char *const names[TALLY_METHODS] = { "auto",  "difference", "zscore", "cva",
                                                  "irmad", "logratio",   "pca" };

const char *tally_method_name(tally_method method)
{
    return names[method];
}

tally_status tally_method_parse(const char *text, tally_method *out, tally_error *err)
{
    *out = TALLY_METHOD_AUTO;
    for (int m = 0; text && m < TALLY_METHODS; m++) {
        if (strcmp(text, names[m]) != 0) continue;
        *out = (tally_method)m;
        return TALLY_OK;
    }
    return !text ? TALLY_OK
                 : tally_fail(err, TALLY_E_ARG,
                              "method '%s': wants auto, difference, zscore, cva, irmad, logratio "
                              "or pca",
                              text);
}

tally_status tally_scales_parse(const char *text, tally_scales *out, tally_error *err)
{
    const char *at = text;

    *out = (tally_scales) { 0 };
    if (!text || strcmp(text, "auto") == 0) return TALLY_OK;
    while (out->n < TALLY_SCALES) {
        char *end;
        errno = 0;
        const long side = strtol(at, &end, 10);
        const bool rises = out->n == 0 || side > out->side[out->n - 1];
        if (end == at || errno || side < 1 || side > 2 * TALLY_HALO + 1 || side % 2 == 0 || !rises)
            break;
        out->side[out->n++] = (int)side;
        if (*end == '\0') return TALLY_OK;
        if (*end != ',') break;
        at = end + 1;
    }
    return tally_fail(err, TALLY_E_ARG,
                      "scales '%s': wants auto, or up to %d rising odd numbers of pixels from 1 to "
                      "%d, such as 1,3",
                      text, TALLY_SCALES, 2 * TALLY_HALO + 1);
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

typedef struct clip {
    float low[2], high[2]; /* of BEFORE and AFTER: open intervals */
} clip;

/* One fit to what lies within TRIM robust deviations. False: nothing to fit. */
static bool fit_once(const float *x, const float *y, size_t n, const clip *c, float *room,
                     double *gain, double *offset)
{
    double centre, spread, s0 = 0, sx = 0, sy = 0, sxx = 0, syy = 0, sxy = 0;

    residuals(x, y, n, *gain, *offset, room);
    robust(room, n, &centre, &spread);
    const double x0 = (double)x[0], y0 = (double)y[0], reach = TRIM * spread + 1e-9 * fabs(x0);
    for (size_t i = 0; i < n; i++) {
        const double left = (double)x[i] - *gain * (double)y[i] - *offset;
        if (fabs(left - centre) > reach || !(x[i] > c->low[0] && x[i] < c->high[0]) ||
            !(y[i] > c->low[1] && y[i] < c->high[1]))
            continue;
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

static void fit_band(tally_score *score, int b, const tally_columns *s, float *room)
{
    const float *x = s->before[b], *y = s->after[b];
    double mx, sx, my, sy, gain = 1.0, offset = 0.0;

    memcpy(room, x, s->n * sizeof *room);
    robust(room, s->n, &mx, &sx);
    memcpy(room, y, s->n * sizeof *room);
    robust(room, s->n, &my, &sy);
    if (sx > 0 && sy > 0) gain = sx / sy;
    offset = mx - gain * my;
    clip c;
    tally_unclipped(x, s->n, &c.low[0], &c.high[0]);
    tally_unclipped(y, s->n, &c.low[1], &c.high[1]);
    for (int round = 0; round < ROUNDS; round++) {
        if (fit_once(x, y, s->n, &c, room, &gain, &offset)) continue;
        gain = 1.0;
        offset = mx - my;
        break;
    }
    score->gain[b] = (float)tally_round_to(gain, 1e6);
    score->offset[b] = (float)tally_round_to(offset, 1e6);
}

static void noise_of_band(tally_score *score, int b, const tally_columns *s, float *room)
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

static bool is_signed(tally_method m)
{
    return m == TALLY_METHOD_DIFFERENCE || m == TALLY_METHOD_LOGRATIO;
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

static tally_status learn_transform(tally_score *score, const tally_columns *s, tally_error *err)
{
    double w[TALLY_SCORE_BANDS][TALLY_SCORE_BANDS] = { { 0 } }, centre[TALLY_SCORE_BANDS] = { 0 };

    if (score->method == TALLY_METHOD_IRMAD) return tally_irmad_learn(score, s, NULL, err);
    if (score->method == TALLY_METHOD_CVA) {
        for (int b = 0; b < score->bands; b++)
            w[b][b] = 1.0;
    } else {
        const tally_status status = tally_whiten_learn(score, s, w, centre, err);
        if (status != TALLY_OK) return status;
    }
    for (int i = 0; i < score->bands; i++)
        set_transform(score, i, w[i], centre);
    return TALLY_OK;
}

static void columns_fini(tally_columns *c)
{
    for (int b = 0; b < TALLY_SCORE_BANDS; b++) {
        tally_free(c->before[b]);
        tally_free(c->after[b]);
    }
}

static tally_status columns_init(tally_columns *c, const tally_sample *sample, tally_error *err)
{
    *c = (tally_columns) { .bands = sample->bands, .n = sample->n };
    for (int b = 0; b < sample->bands; b++) {
        c->before[b] = tally_alloc(sample->n, sizeof(float));
        c->after[b] = tally_alloc(sample->n, sizeof(float));
        if (!c->before[b] || !c->after[b]) {
            columns_fini(c);
            return tally_nomem(err, "a sample of two images");
        }
        tally_sample_column(sample, 0, b, c->before[b]);
        tally_sample_column(sample, 1, b, c->after[b]);
    }
    return TALLY_OK;
}

static float median_ratio(const tally_score *score, const tally_columns *s, float *room)
{
    for (size_t i = 0; i < s->n; i++) {
        room[i] = 0.0f;
        for (int b = 0; b < score->bands; b++)
            room[i] += tally_log_ratio(s->before[b][i], s->after[b][i], score->floor[b]);
        room[i] /= (float)score->bands;
    }
    return tally_median(room, s->n);
}

/* Gain, offset, noise, transform: what does not depend on the neighbourhood. */
static tally_status learn_bands(tally_score *score, const tally_sample *sample, tally_error *err)
{
    tally_columns columns;
    tally_status s = columns_init(&columns, sample, err);

    if (s != TALLY_OK) return s;
    float *room = tally_alloc(sample->n, sizeof *room);
    if (!room) s = tally_nomem(err, "a sample of two images");
    for (int b = 0; b < score->bands && s == TALLY_OK; b++) {
        score->gain[b] = 1.0f;
        if (!is_signed(score->method) && !score->speckled) fit_band(score, b, &columns, room);
        noise_of_band(score, b, &columns, room);
    }
    if (s == TALLY_OK && !is_signed(score->method) && !score->speckled)
        s = learn_transform(score, &columns, err);
    if (s == TALLY_OK && score->method == TALLY_METHOD_PCA && score->speckled)
        score->log_centre = median_ratio(score, &columns, room);
    tally_free(room);
    columns_fini(&columns);
    return s;
}

void tally_score_signed(const tally_score *score, const tally_patch *before,
                        const tally_patch *after, float *plane)
{
    const bool log = score->method != TALLY_METHOD_DIFFERENCE;

    for (int y = 0; y < before->height; y++) {
        float *out = plane + (size_t)y * (size_t)before->width;
        for (int x = 0; x < before->width; x++)
            out[x] = 0.0f;
        for (int b = 0; b < score->bands; b++) {
            const float *u = tally_patch_row(before, b, y), *v = tally_patch_row(after, b, y);
            const float low = score->floor[b];
            for (int x = 0; x < before->width; x++)
                out[x] += log ? tally_log_ratio(u[x], v[x], low) : v[x] - u[x];
        }
        for (int x = 0; x < before->width; x++)
            out[x] /= (float)score->bands;
    }
}

void tally_score_lengths(const tally_score *score, const tally_patch *before,
                         const tally_patch *after, float *plane)
{
    const int n = score->bands;

    if (score->speckled) {
        tally_score_signed(score, before, after, plane);
        for (size_t i = 0; i < (size_t)before->width * (size_t)before->height; i++)
            plane[i] = fabsf(plane[i] - score->log_centre);
        return;
    }
    for (int y = 0; y < before->height; y++) {
        const float *u[TALLY_SCORE_BANDS], *v[TALLY_SCORE_BANDS];
        float *out = plane + (size_t)y * (size_t)before->width;
        for (int b = 0; b < n; b++) {
            u[b] = tally_patch_row(before, b, y);
            v[b] = tally_patch_row(after, b, y);
        }
        for (int x = 0; x < before->width; x++) {
            float total = 0.0f;
            for (int k = 0; k < n; k++) {
                float z = score->c[k];
                for (int b = 0; b < n; b++)
                    z += score->p[k][b] * u[b][x] + score->q[k][b] * v[b][x];
                total += z * z;
            }
            out[x] = sqrtf(total);
        }
    }
}

/* Values of all judged pixels; `values` has room for sample->n. */
static tally_status sample_values(const tally_score *score, const tally_sample *sample,
                                  float *values, tally_error *err)
{
    tally_status s = TALLY_OK;

    for (size_t i = 0; i < sample->n_blocks && s == TALLY_OK; i++) {
        const tally_block *b = &sample->blocks[i];
        const size_t width = (size_t)tally_box_width(b->core),
                     pixels = width * (size_t)tally_box_height(b->core);
        float *value = tally_alloc(2 * pixels, sizeof *value);
        if (!value) return tally_nomem(err, "the scores of a block");
        s = tally_score_window(score, &b->before, &b->after, b->core, value, value + pixels, err);
        for (size_t k = 0; k < pixels && s == TALLY_OK; k++) {
            if (tally_bits_get(&b->judged, b->core.x0 + (int)(k % width),
                               b->core.y0 + (int)(k / width)))
                *values++ = value[k];
        }
        tally_free(value);
    }
    return s;
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

/* Scores that are lengths already; the others are squares, which the histogram rules see by their
 * root: squares would put nearly all into the first bin. */
static bool is_length(const tally_score *score)
{
    return is_signed(score->method) || score->method == TALLY_METHOD_CVA ||
           score->method == TALLY_METHOD_PCA;
}

static tally_status limit_by_histogram(tally_score *score, tally_rule rule, float *value, size_t n,
                                       tally_error *err)
{
    const bool length = is_length(score);
    double cut = 0.0;
    tally_status s = TALLY_OK;

    for (size_t i = 0; i < n; i++) {
        const float from = fabsf(value[i] - score->centre);
        value[i] = length ? from : sqrtf(from);
    }
    if (rule == TALLY_RULE_AUTO)
        s = tally_threshold_auto_length(value, n, &cut, err);
    else
        cut =
            rule == TALLY_RULE_OTSU ? tally_threshold_otsu(value, n) : tally_threshold_ki(value, n);
    score->limit = (float)(length ? cut : cut * cut);
    return s;
}

static double far_by_noise(tally_score *score, double rate, double sigma)
{
    double least = 0.0;

    for (int b = 0; b < score->bands; b++)
        least += (double)score->sigma[b] / score->bands;
    if (score->method == TALLY_METHOD_DIFFERENCE && !(sigma > 0)) sigma = least;
    if (score->method == TALLY_METHOD_LOGRATIO) sigma = fmax(sigma, SIGMA_FLOOR);
    return far_limit(score, rate, sigma);
}

/* Centre and limit, from the values of the whole sample, which are given up. */
static tally_status learn_limit(tally_score *score, const tally_threshold *t, float *value,
                                size_t n, tally_error *err)
{
    double median, sigma;
    float *room = tally_alloc(n, sizeof *room);

    if (!room) return tally_nomem(err, "the scores of a sample");
    memcpy(room, value, n * sizeof *room);
    robust(room, n, &median, &sigma);
    tally_free(room);
    if (score->method == TALLY_METHOD_LOGRATIO) { /* the common factor of both is no change */
        score->log_centre += (float)median;
        for (size_t i = 0; i < n; i++)
            value[i] -= (float)median;
        median = 0.0;
    }
    const bool absolute = t->rule == TALLY_RULE_VALUE;
    score->centre =
        (float)(t->rule == TALLY_RULE_MAD || (is_signed(score->method) && !absolute) ? median
                                                                                     : 0.0);
    switch (t->rule) {
    case TALLY_RULE_FAR:
        score->limit = (float)far_by_noise(score, t->parameter, sigma);
        return TALLY_OK;
    case TALLY_RULE_MAD:
        score->limit = (float)(t->parameter * sigma);
        return TALLY_OK;
    case TALLY_RULE_VALUE:
        score->limit = (float)t->parameter;
        return TALLY_OK;
    case TALLY_RULE_AUTO:
        if (score->method == TALLY_METHOD_PCA) {
            score->limit = score->filter_cut;
            return TALLY_OK;
        }
        return limit_by_histogram(score, t->rule, value, n, err);
    default:
        return limit_by_histogram(score, t->rule, value, n, err);
    }
}

/* The automatic cut under speckle: over wider neighbourhoods where the changed class does not stand
 * apart, unless the scales were asked for. */
static tally_status learn_speckle_limit(tally_score *score, bool fixed, const tally_sample *sample,
                                        float *value, tally_error *err)
{
    enum { TRIES = 3, MIDDLE = 1 };
    const tally_scales tries[TRIES] = { score->scales, { 3, { 3, 5, 7 } }, { 3, { 5, 7, 9 } } };
    double centre[TRIES], cut[TRIES];
    int taken = MIDDLE; /* clear nowhere: neither end is better */

    for (int i = 0; i < TRIES; i++) {
        bool clear;
        score->scales = tries[i];
        tally_status s = sample_values(score, sample, value, err);
        if (s == TALLY_OK)
            s = tally_threshold_auto_speckle(value, sample->n, &centre[i], &cut[i], &clear, err);
        if (s != TALLY_OK) return s;
        if (!clear && !fixed) continue;
        taken = i;
        break;
    }
    score->scales = tries[taken];
    score->log_centre += (float)centre[taken];
    score->centre = 0.0f;
    score->limit = (float)cut[taken];
    return TALLY_OK;
}

/* By name; else, of one or two bands that are not named as colours, by the speckle of either side:
 * the other may have been averaged over more looks. */
static tally_status is_radar(tally_sample *sample, bool *out, tally_error *err)
{
    tally_status s = TALLY_OK;

    *out = sample->named_radar;
    for (int side = 0; side < 2 && !*out; side++) {
        tally_speckle windows = { 0 };
        if (sample->named_optical || sample->bands > 2) break;
        for (size_t i = 0; i < sample->n_blocks && s == TALLY_OK; i++)
            s = tally_speckle_add(
                &windows, side ? &sample->blocks[i].after : &sample->blocks[i].before, 0, err);
        if (s == TALLY_OK) s = tally_speckle_found(&windows, out, err);
        tally_speckle_fini(&windows);
        if (s != TALLY_OK) break;
    }
    return s;
}

static void choose_scales(tally_score *score, const tally_scales *wanted, bool is_auto)
{
    if (wanted->n > 0)
        score->scales = *wanted;
    else if (score->method == TALLY_METHOD_LOGRATIO)
        score->scales = (tally_scales) { 2, { 3, 5 } };
    else if (is_auto)
        score->scales = (tally_scales) { 2, { 1, 3 } };
    else
        score->scales = (tally_scales) { 1, { 1 } };
}

tally_status tally_score_learn(tally_score *score, tally_method method, const tally_scales *scales,
                               const tally_threshold *threshold, tally_sample *sample,
                               tally_error *err)
{
    *score = (tally_score) { .method = method, .bands = sample->bands };
    if (sample->n < LEAST_SAMPLE)
        return tally_fail(err, TALLY_E_NODATA,
                          "only %zu pixels are seen by both images; at least %d are needed",
                          sample->n, LEAST_SAMPLE);
    if (method == TALLY_METHOD_AUTO || method == TALLY_METHOD_LOGRATIO ||
        method == TALLY_METHOD_PCA)
        tally_sample_undo_decibels(sample);
    bool radar = false;
    tally_status s = TALLY_OK;
    if (method == TALLY_METHOD_AUTO || method == TALLY_METHOD_PCA)
        s = is_radar(sample, &radar, err);
    if (s != TALLY_OK) return s;
    if (method == TALLY_METHOD_AUTO)
        score->method = radar ? TALLY_METHOD_LOGRATIO : TALLY_METHOD_ZSCORE;
    score->speckled = radar || score->method == TALLY_METHOD_LOGRATIO;
    choose_scales(score, scales, method == TALLY_METHOD_AUTO);
    if ((s = learn_bands(score, sample, err)) != TALLY_OK) return s;
    if (score->method == TALLY_METHOD_PCA &&
        (s = tally_celik_learn(score, sample, err)) != TALLY_OK)
        return s;

    float *value = tally_alloc(sample->n, sizeof *value);
    if (!value) return tally_nomem(err, "the scores of a sample");
    if (score->method == TALLY_METHOD_LOGRATIO && threshold->rule == TALLY_RULE_AUTO)
        s = learn_speckle_limit(score, scales->n > 0, sample, value, err);
    else {
        s = sample_values(score, sample, value, err);
        if (s == TALLY_OK) s = learn_limit(score, threshold, value, sample->n, err);
    }
    tally_free(value);
    return s;
}
