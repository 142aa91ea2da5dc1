/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * IR-MAD (Nielsen, "The regularized iteratively reweighted MAD method for change detection in
 * multi- and hyperspectral data", IEEE TIP 16(2), 2007) and the principal axes of the difference.
 * Canonical correlation: the generalised problem Sxy Syy^-1 Syx a = rho^2 Sxx a is whitened by the
 * Cholesky factor of Sxx, since the eigensolver takes symmetric matrices only. Every round weighs a
 * pixel with its chance of no change. Both transforms end with a scale that sets the median of the
 * score to that of its chi-square law, so that the far threshold holds although real noise has
 * tails. Known failures: bands that are copies of each other (refused), and an image of which most
 * has changed.
 */
#include <math.h>
#include <string.h>

#include "change/background.h"
#include "change/irmad.h"
#include "change/opencv_adapter.h"

enum { B = TALLY_SCORE_BANDS, ROUNDS = 30 };
#define SETTLED 1e-3 /* of every canonical correlation; Nielsen's own rule */
#define LEAST_UNCHANGED                                                                            \
    0.001 /* mean weight: on fewer pixels the rounds close in on water, whose noise is none */
#define SINGULAR 1e-9 /* of a pivot against the variance it came from */
#define LEAST_AXIS                                                                                 \
    1e-4 /* variance of a principal axis against the largest: below it there are only rounding     \
            steps */
#define CLEAN 0.01 /* pixels beyond this tail of the z-score stay out of the covariance */

typedef struct moments {
    double mean[2 * B], s[2 * B][2 * B];
} moments;

/* Weighted mean and covariance of the m columns. */
static void weigh(const float *const *column, int m, size_t n, const float *weight, moments *out)
{
    double total = 0.0;

    memset(out, 0, sizeof *out);
    for (size_t i = 0; i < n; i++) {
        const double w = (double)weight[i];
        total += w;
        for (int a = 0; a < m; a++)
            out->mean[a] += w * (double)column[a][i];
    }
    for (int a = 0; a < m; a++)
        out->mean[a] /= total;
    for (size_t i = 0; i < n; i++) {
        double d[2 * B];
        for (int a = 0; a < m; a++)
            d[a] = (double)column[a][i] - out->mean[a];
        for (int a = 0; a < m; a++) {
            for (int b = 0; b <= a; b++)
                out->s[a][b] += (double)weight[i] * d[a] * d[b];
        }
    }
    for (int a = 0; a < m; a++) {
        for (int b = 0; b <= a; b++)
            out->s[a][b] = out->s[b][a] = out->s[a][b] / total;
    }
}

/* Inverse of the lower Cholesky factor of the n x n block of s at (at, at). False: singular. */
static bool whitener(const moments *m, int at, int n, double out[B][B])
{
    double l[B][B] = { { 0 } };

    for (int i = 0; i < n; i++) {
        for (int j = 0; j <= i; j++) {
            double sum = m->s[at + i][at + j];
            for (int k = 0; k < j; k++)
                sum -= l[i][k] * l[j][k];
            if (i == j && !(sum > SINGULAR * m->s[at + i][at + i])) return false;
            l[i][j] = i == j ? sqrt(sum) : sum / l[j][j];
        }
    }
    memset(out, 0, sizeof(double[B][B]));
    for (int c = 0; c < n; c++) {
        for (int i = c; i < n; i++) {
            double sum = i == c ? 1.0 : 0.0;
            for (int k = c; k < i; k++)
                sum -= l[i][k] * out[k][c];
            out[i][c] = sum / l[i][i];
        }
    }
    return true;
}

/* Canonical vectors (rows of a and b, unit variance each) and correlations. False: singular, or
 * OpenCV failed. */
static bool canonical(const moments *m, int n, double a[B][B], double b[B][B], double rho[B])
{
    double wx[B][B], wy[B][B], k[B][B] = { { 0 } }, flat[B * B], value[B], vector[B * B];

    if (!whitener(m, 0, n, wx) || !whitener(m, n, n, wy)) return false;
    for (int i = 0; i < n; i++) { /* k = wx Sxy wy' */
        for (int j = 0; j < n; j++) {
            for (int p = 0; p <= i; p++) {
                for (int q = 0; q <= j; q++)
                    k[i][j] += wx[i][p] * m->s[p][n + q] * wy[j][q];
            }
        }
    }
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) {
            flat[i * n + j] = 0.0;
            for (int p = 0; p < n; p++)
                flat[i * n + j] += k[i][p] * k[j][p];
        }
    }
    if (!tally_eigen_symmetric(flat, n, value, vector)) return false;
    for (int i = 0; i < n; i++) {
        rho[i] = sqrt(tally_clamp(value[i], 0.0, 1.0));
        for (int j = 0; j < n; j++) {
            a[i][j] = b[i][j] = 0.0;
            for (int p = j; p < n; p++) {
                double partner = 0.0; /* k' v / rho */
                for (int q = 0; q < n; q++)
                    partner += k[q][p] * vector[i * n + q];
                a[i][j] += wx[p][j] * vector[i * n + p];
                b[i][j] += wy[p][j] * partner / fmax(rho[i], 1e-6);
            }
        }
    }
    return true;
}

static void set_components(tally_score *score, const moments *m, double a[B][B], double b[B][B],
                           const double *rho)
{
    const int n = score->bands;

    for (int i = 0; i < n; i++) {
        const double scale = 1.0 / sqrt(2.0 * fmax(1.0 - rho[i], 1e-9));
        double c = 0.0;
        for (int j = 0; j < n; j++) {
            score->p[i][j] = (float)(-a[i][j] * scale);
            score->q[i][j] = (float)(b[i][j] * scale);
            c += (a[i][j] * m->mean[j] - b[i][j] * m->mean[n + j]) * scale;
        }
        score->c[i] = (float)c;
    }
}

/* Squared length of each pixel's change vector. */
static void squared_lengths(const tally_score *score, const float *const *before,
                            const float *const *after, size_t n, float *out)
{
    for (size_t i = 0; i < n; i++) {
        float total = 0.0f;
        for (int k = 0; k < score->bands; k++) {
            float z = score->c[k];
            for (int b = 0; b < score->bands; b++)
                z += score->p[k][b] * before[b][i] + score->q[k][b] * after[b][i];
            total += z * z;
        }
        out[i] = total;
    }
}

tally_status tally_irmad_learn(tally_score *score, const tally_columns *sample,
                               double *correlations, tally_error *err)
{
    const int n = score->bands;
    const float *column[2 * B];
    float *weight = tally_alloc(sample->n, sizeof *weight),
          *value = tally_alloc(sample->n, sizeof *value);
    double a[B][B], b[B][B], rho[B], before[B] = { 0 };
    tally_status s = TALLY_OK;
    moments m;

    if (!weight || !value) s = tally_nomem(err, "the weights of IR-MAD");
    for (int i = 0; i < n; i++) {
        column[i] = sample->before[i];
        column[n + i] = sample->after[i];
    }
    for (size_t i = 0; i < sample->n && s == TALLY_OK; i++)
        weight[i] = 1.0f;
    for (int round = 0; round < ROUNDS && s == TALLY_OK; round++) {
        double moved = 0.0;
        weigh(column, 2 * n, sample->n, weight, &m);
        if (!canonical(&m, n, a, b, rho)) {
            if (round > 0) break; /* closed in on pixels that are all alike: keep the last round */
            s = tally_fail(err, TALLY_E_NODATA,
                           "irmad: the bands of an image are constant or copies of each other; use "
                           "--method zscore");
            break;
        }
        set_components(score, &m, a, b, rho);
        squared_lengths(score, column, column + n, sample->n, value);
        double unchanged = 0.0;
        for (size_t i = 0; i < sample->n; i++) {
            weight[i] = (float)tally_chi_square_tail((double)value[i], n);
            unchanged += (double)weight[i];
        }
        for (int i = 0; i < n; i++) {
            moved = fmax(moved, fabs(rho[i] - before[i]));
            before[i] = rho[i];
        }
        if (moved < SETTLED || unchanged < LEAST_UNCHANGED * (double)sample->n) break;
    }
    for (int i = 0; i < n && correlations && s == TALLY_OK; i++)
        correlations[i] = rho[i];
    if (s == TALLY_OK) {
        const double half = (double)tally_median(value, sample->n);
        const float scale =
            half > 0.0 ? (float)sqrt((double)tally_threshold_far(0.5, n) / half) : 1.0f;
        for (int i = 0; i < n; i++) {
            score->c[i] *= scale;
            for (int j = 0; j < n; j++) {
                score->p[i][j] *= scale;
                score->q[i][j] *= scale;
            }
        }
    }
    tally_free(value);
    tally_free(weight);
    return s;
}

/* The normalised difference of each band, and a weight of 0 where it is plainly change. */
static void clean_differences(const tally_score *score, const tally_columns *sample,
                              float *const *d, float *weight)
{
    const double limit = (double)tally_threshold_far(CLEAN, score->bands);

    for (size_t i = 0; i < sample->n; i++) {
        double total = 0.0;
        for (int b = 0; b < score->bands; b++) {
            d[b][i] =
                score->gain[b] * sample->after[b][i] + score->offset[b] - sample->before[b][i];
            const double z = (double)d[b][i] / (double)score->sigma[b];
            total += z * z;
        }
        weight[i] = total <= limit ? 1.0f : 0.0f;
    }
}

tally_status tally_whiten_learn(const tally_score *score, const tally_columns *sample,
                                double w[B][B], double centre[B], tally_error *err)
{
    const int n = score->bands;
    float *room = tally_alloc((size_t)(n + 1) * sample->n, sizeof *room), *d[B];
    double flat[B * B], value[B], vector[B * B], kept = 0.0;
    moments m;

    if (!room) return tally_nomem(err, "the differences of two images");
    float *weight = room + (size_t)n * sample->n;
    for (int b = 0; b < n; b++)
        d[b] = room + (size_t)b * sample->n;
    clean_differences(score, sample, d, weight);
    for (size_t i = 0; i < sample->n; i++)
        kept += (double)weight[i];
    if (kept > 0.0) weigh((const float *const *)d, n, sample->n, weight, &m);
    for (int i = 0; i < n && kept > 0.0; i++) {
        for (int j = 0; j < n; j++)
            flat[i * n + j] = m.s[i][j];
        /* images that hardly differ have their least noise, not none */
        const double least = 0.5 * (double)score->sigma[i];
        flat[i * n + i] = fmax(flat[i * n + i], least * least);
        centre[i] = m.mean[i];
    }
    if (!(kept > 0.0) || !tally_eigen_symmetric(flat, n, value, vector) || !(value[0] > 0.0)) {
        tally_free(room);
        return tally_fail(err, TALLY_E_NODATA,
                          "the two images show no noise to compare with; use --method difference");
    }
    for (size_t i = 0; i < sample->n; i++) {
        double total = 0.0;
        for (int k = 0; k < n; k++) {
            double z = 0.0;
            for (int b = 0; b < n; b++)
                z += vector[k * n + b] * ((double)d[b][i] - centre[b]);
            total += z * z / fmax(value[k], LEAST_AXIS * value[0]);
        }
        weight[i] = (float)total;
    }
    const double half = (double)tally_median(weight, sample->n);
    const double scale = half > 0.0 ? sqrt((double)tally_threshold_far(0.5, n) / half) : 1.0;
    for (int k = 0; k < n; k++) {
        for (int b = 0; b < n; b++)
            w[k][b] = vector[k * n + b] * scale / sqrt(fmax(value[k], LEAST_AXIS * value[0]));
    }
    tally_free(room);
    return TALLY_OK;
}
