/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Celik, "Unsupervised change detection in satellite images using principal component analysis and
 * k-means clustering", IEEE GRSL 6(4), 2009, doi:10.1109/LGRS.2009.2025059. The plane of change is
 * cut into squares that do not overlap; their principal components, as many as hold 90 % of the
 * variance, describe the square around every pixel; two-means parts the descriptions.
 *
 * Two clusters are parted by a plane, and the description is linear in the square's pixels. So all
 * that is learned folds into one filter of 5 x 5 weights and one cut: with centres c0 and c1 and
 * components E, the sign of |v - c0|^2 - |v - c1|^2 for v = E'(square - mean) is that of
 * 2 (E (c1 - c0)) . square + const. Divided by the sum of the weights, the score is a weighted mean
 * of the change around the pixel, in its units.
 *
 * The plane of change is the length of the noise-weighted change vector, or |log ratio| under
 * speckle, where Celik takes |AFTER - BEFORE| of one band. Known failures: two-means cuts somewhere
 * even where nothing changed, and too high where few pixels changed a lot.
 */
#include "change/celik.h"

#include <math.h>
#include <string.h>

#include "change/opencv_adapter.h"

enum { SIDE = TALLY_FILTER_SIDE, N = SIDE * SIDE, REACH = SIDE / 2, MOST_POINTS = 1 << 15 };
static const double SHARE_KEPT = 0.9; /* of the variance: Celik's own */

typedef struct squares {
    float *planes; /* of all blocks, one after the other */
    size_t n, covariance_n;
    double mean[N], covariance[N * N];
} squares;

static void add_square(const float *plane, size_t width, int x, int y, double *out)
{
    for (int j = 0; j < SIDE; j++) {
        for (int i = 0; i < SIDE; i++)
            out[j * SIDE + i] =
                (double)plane[(size_t)(y - REACH + j) * width + (size_t)(x - REACH + i)];
    }
}

static bool whole(const tally_block *b, int x, int y)
{
    if (x < REACH || y < REACH || x + REACH >= b->after.width || y + REACH >= b->after.height)
        return false;
    for (int j = -REACH; j <= REACH; j++) {
        for (int i = -REACH; i <= REACH; i++)
            if (!tally_bits_get(&b->after.valid, x + i, y + j)) return false;
    }
    return true;
}

/* Mean and covariance of the squares that do not overlap. */
static void learn_components(squares *s, const tally_sample *sample)
{
    const float *plane = s->planes;
    double sum[N] = { 0 }, product[N * N] = { 0 }, v[N];

    for (size_t k = 0; k < sample->n_blocks; k++) {
        const tally_block *b = &sample->blocks[k];
        for (int y = b->core.y0 + REACH; y < b->core.y1; y += SIDE) {
            for (int x = b->core.x0 + REACH; x < b->core.x1; x += SIDE) {
                if (!whole(b, x, y)) continue;
                add_square(plane, (size_t)b->after.width, x, y, v);
                for (int i = 0; i < N; i++) {
                    sum[i] += v[i];
                    for (int j = 0; j <= i; j++)
                        product[i * N + j] += v[i] * v[j];
                }
                s->covariance_n++;
            }
        }
        plane += (size_t)b->after.width * (size_t)b->after.height;
    }
    const double n = (double)s->covariance_n;
    for (int i = 0; i < N; i++)
        s->mean[i] = sum[i] / n;
    for (int i = 0; i < N; i++) {
        for (int j = 0; j <= i; j++)
            s->covariance[i * N + j] = s->covariance[j * N + i] =
                product[i * N + j] / n - s->mean[i] * s->mean[j];
    }
}

/* Descriptions of every `step`-th pixel. */
static size_t describe(const squares *s, const tally_sample *sample, size_t step,
                       const double *components, int kept, float *out)
{
    const float *plane = s->planes;
    double v[N];
    size_t met = 0, n = 0;

    for (size_t k = 0; k < sample->n_blocks; k++) {
        const tally_block *b = &sample->blocks[k];
        for (int y = b->core.y0; y < b->core.y1; y++) {
            for (int x = b->core.x0; x < b->core.x1; x++) {
                if (!whole(b, x, y) || met++ % step != 0 || n == MOST_POINTS) continue;
                add_square(plane, (size_t)b->after.width, x, y, v);
                for (int c = 0; c < kept; c++) {
                    double total = 0.0;
                    for (int i = 0; i < N; i++)
                        total += components[c * N + i] * (v[i] - s->mean[i]);
                    out[n * (size_t)kept + (size_t)c] = (float)total;
                }
                n++;
            }
        }
        plane += (size_t)b->after.width * (size_t)b->after.height;
    }
    return n;
}

/* The plane between two centres, as weights of the square's pixels. False: they are one. */
static bool fold(tally_score *score, const squares *s, const double *components, int kept,
                 const double *centres)
{
    double weight[N] = { 0 }, total = 0.0, offset = 0.0;

    for (int c = 0; c < kept; c++) {
        const double c0 = centres[c], c1 = centres[kept + c];
        offset += c0 * c0 - c1 * c1;
        for (int i = 0; i < N; i++)
            weight[i] += 2.0 * components[c * N + i] * (c1 - c0);
    }
    for (int i = 0; i < N; i++) {
        total += weight[i];
        offset -= weight[i] * s->mean[i];
    }
    if (!(fabs(total) > 0.0)) return false;
    for (int i = 0; i < N; i++)
        score->filter[i] = (float)(weight[i] / total);
    score->filter_cut = (float)fmax(-offset / total, 0.0);
    return true;
}

tally_status tally_celik_learn(tally_score *score, const tally_sample *sample, tally_error *err)
{
    squares s = { 0 };
    double value[N], components[N * N], centres[2 * N], all = 0.0, held = 0.0;
    size_t pixels = 0;
    int kept = 0;

    for (size_t k = 0; k < sample->n_blocks; k++)
        pixels += (size_t)sample->blocks[k].after.width * (size_t)sample->blocks[k].after.height;
    s.planes = tally_alloc(pixels + 1, sizeof *s.planes);
    float *points = tally_alloc((size_t)MOST_POINTS * N, sizeof *points), *at = s.planes;
    bool found = s.planes && points;
    tally_status status = found ? TALLY_OK : tally_nomem(err, "the squares of a sample");
    for (size_t k = 0; k < sample->n_blocks && found; k++) {
        const tally_block *b = &sample->blocks[k];
        tally_score_lengths(score, &b->before, &b->after, at);
        at += (size_t)b->after.width * (size_t)b->after.height;
    }
    if (found) {
        learn_components(&s, sample);
        found = s.covariance_n > N && tally_eigen_symmetric(s.covariance, N, value, components) &&
                value[0] > 0.0;
    }
    for (int i = 0; i < N && found; i++)
        all += fmax(value[i], 0.0);
    while (found && kept < N && held < SHARE_KEPT * all)
        held += fmax(value[kept++], 0.0);
    if (found) {
        const size_t step = sample->n / MOST_POINTS + 1;
        const size_t n = describe(&s, sample, step, components, kept, points);
        found = n > 1 && tally_two_means(points, (int)n, kept, centres) &&
                fold(score, &s, components, kept, centres);
    }
    if (status == TALLY_OK && !found)
        status = tally_fail(err, TALLY_E_NODATA,
                            "pca: the two images show no change in two clusters; use --method "
                            "zscore");
    tally_free(points);
    tally_free(s.planes);
    return status;
}
