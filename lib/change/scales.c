/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The score of a pixel from its neighbourhoods. One pixel is noisy, a window is blurred, and what
 * both call changed is: lengths are joined over the scales by their geometric mean, which keeps the
 * rim of a strong change from spreading by half a window, as a mean would let it. Log ratios are
 * signed, and are joined by the mean of
 *   ln of the ratio of the means over the least window (speckle averaged before the logarithm,
 *   which its dark tail would stretch), and
 *   the mean of the log ratios over each window (where one bright scatterer does not outweigh all).
 * The first is better where areas change, the second where the ground is rough; chosen on drawn
 * pairs and on two real ones (docs/methods/logratio.md).
 *
 * Means are over valid pixels. Rows are summed column by column and along, always from the patch's
 * left edge, so that a row's values do not depend on the strip that it is read in.
 */
#include <math.h>
#include <string.h>

#include "change/score.h"

/* A neighbourhood may outweigh the first scale by this factor, no more: so the pixel itself has to
 * show 0.58 (1 / sqrt 3) of the change that it is called for, and rims stay narrow. */
static const float MOST_RAISED = 3.0f;

typedef struct windows {
    const tally_patch *after; /* its mask counts */
    int width, height;
    double *column, *weight; /* a row of sums each */
    float *finest;           /* a row of the first scale */
} windows;

/* Row y of the mean of `plane` (stride floats a row) over `side` pixels, into out[width]. */
static void mean_row(const windows *w, const float *plane, size_t stride, int side, int y,
                     float *out)
{
    const int reach = side / 2;
    double sum = 0.0, n = 0.0;

    for (int x = 0; x < w->width; x++)
        w->column[x] = w->weight[x] = 0.0;
    for (int v = y - reach < 0 ? 0 : y - reach; v <= y + reach && v < w->height; v++) {
        for (int x = 0; x < w->width; x++) {
            if (!tally_bits_get(&w->after->valid, x, v)) continue;
            w->column[x] += (double)plane[(size_t)v * stride + (size_t)x];
            w->weight[x] += 1.0;
        }
    }
    for (int x = 0; x < reach && x < w->width; x++) {
        sum += w->column[x];
        n += w->weight[x];
    }
    for (int x = 0; x < w->width; x++) {
        if (x + reach < w->width) {
            sum += w->column[x + reach];
            n += w->weight[x + reach];
        }
        if (x - reach - 1 >= 0) {
            sum -= w->column[x - reach - 1];
            n -= w->weight[x - reach - 1];
        }
        out[x] = n > 0.5 ? (float)(sum / n) : 0.0f;
    }
}

/* Geometric mean of the lengths over the scales, squared where the method's score is. */
static void join_lengths(const tally_score *score, const windows *w, const float *plane,
                         tally_box core, float *row, float *value)
{
    const double power = (score->method == TALLY_METHOD_CVA ? 1.0 : 2.0) / score->scales.n;
    const int width = tally_box_width(core);

    for (int y = core.y0; y < core.y1; y++) {
        float *out = value + (size_t)(y - core.y0) * (size_t)width;
        for (int i = 0; i < score->scales.n; i++) {
            mean_row(w, plane, (size_t)w->width, score->scales.side[i], y, row);
            const float *finest = w->finest;
            for (int x = 0; x < width; x++)
                out[x] = i ? out[x] * fminf(row[core.x0 + x], MOST_RAISED * finest[x])
                           : (w->finest[x] = row[core.x0 + x]);
        }
        for (int x = 0; x < width && power != 1.0; x++)
            out[x] = power == 2.0 ? out[x] * out[x] : (float)pow((double)out[x], power);
    }
}

static void join_differences(const tally_score *score, const windows *w, const float *plane,
                             tally_box core, float *row, float *value)
{
    const int width = tally_box_width(core);

    for (int y = core.y0; y < core.y1; y++) {
        float *out = value + (size_t)(y - core.y0) * (size_t)width;
        for (int i = 0; i < score->scales.n; i++) {
            mean_row(w, plane, (size_t)w->width, score->scales.side[i], y, row);
            for (int x = 0; x < width; x++)
                out[x] = (i ? out[x] : 0.0f) + row[core.x0 + x];
        }
        for (int x = 0; x < width; x++)
            out[x] = out[x] / (float)score->scales.n - score->log_centre;
    }
}

/* Add ln of the ratio of the means over the least window that is more than a pixel, to what
 * join_differences made of the log ratios: one more of n + 1 values. */
static void add_ratio_of_means(const tally_score *score, const windows *w,
                               const tally_patch *before, const tally_patch *after, tally_box core,
                               float *row, float *value)
{
    const int width = tally_box_width(core), n = score->scales.n;
    int side = 1;
    float *mean[2] = { row, row + w->width };

    for (int i = n - 1; i >= 0; i--)
        if (score->scales.side[i] > 1) side = score->scales.side[i];
    if (side == 1) return;
    for (int y = core.y0; y < core.y1; y++) {
        float *out = value + (size_t)(y - core.y0) * (size_t)width;
        for (int x = 0; x < width; x++)
            out[x] = (out[x] + score->log_centre) * (float)n;
        for (int b = 0; b < score->bands; b++) {
            const float low = score->floor[b];
            mean_row(w, tally_patch_row(before, b, 0), before->stride, side, y, mean[0]);
            mean_row(w, tally_patch_row(after, b, 0), after->stride, side, y, mean[1]);
            for (int x = 0; x < width; x++)
                out[x] += tally_log_ratio(mean[0][core.x0 + x], mean[1][core.x0 + x], low) /
                          (float)score->bands;
        }
        for (int x = 0; x < width; x++)
            out[x] = out[x] / (float)(n + 1) - score->log_centre;
    }
}

/* pca's filter; a neighbour that is not seen is taken for the pixel itself. */
static void apply_filter(const tally_score *score, const windows *w, const float *plane,
                         tally_box core, float *value)
{
    enum { REACH = TALLY_FILTER_SIDE / 2 };
    const size_t width = (size_t)w->width;

    for (int y = core.y0; y < core.y1; y++) {
        for (int x = core.x0; x < core.x1; x++) {
            const float own = plane[(size_t)y * width + (size_t)x];
            float total = 0.0f;
            for (int j = -REACH; j <= REACH; j++) {
                for (int i = -REACH; i <= REACH; i++) {
                    const int u = x + i, v = y + j;
                    const bool seen = u >= 0 && v >= 0 && u < w->width && v < w->height &&
                                      tally_bits_get(&w->after->valid, u, v);
                    total += score->filter[(j + REACH) * TALLY_FILTER_SIDE + i + REACH] *
                             (seen ? plane[(size_t)v * width + (size_t)u] : own);
                }
            }
            *value++ = fmaxf(total, 0.0f);
        }
    }
}

/* Standardised AFTER minus BEFORE, summed over the bands. */
static void sum_rows(const tally_score *score, const tally_patch *before, const tally_patch *after,
                     tally_box core, float *sum)
{
    const int width = tally_box_width(core);

    for (int y = core.y0; y < core.y1; y++) {
        float *out = sum + (size_t)(y - core.y0) * (size_t)width;
        for (int x = 0; x < width; x++)
            out[x] = 0.0f;
        for (int b = 0; b < score->bands; b++) {
            const float *u = tally_patch_row(before, b, y) + core.x0,
                        *v = tally_patch_row(after, b, y) + core.x0;
            for (int x = 0; x < width; x++)
                out[x] += (score->gain[b] * v[x] + score->offset[b] - u[x]) / score->sigma[b];
        }
    }
}

/* pca under speckle: the log ratio of each pixel. plane: room for the whole patch. */
static void sum_log_ratios(const tally_score *score, const tally_patch *before,
                           const tally_patch *after, tally_box core, float *plane, float *sum)
{
    tally_score_signed(score, before, after, plane);
    for (int y = core.y0; y < core.y1; y++) {
        for (int x = core.x0; x < core.x1; x++)
            *sum++ = plane[(size_t)y * (size_t)after->width + (size_t)x] - score->log_centre;
    }
}

static void clear_unseen(const tally_patch *after, tally_box core, float *value, float *sum)
{
    for (int y = core.y0; y < core.y1; y++) {
        for (int x = core.x0; x < core.x1; x++, value++, sum++)
            if (!tally_bits_get(&after->valid, x, y)) *value = *sum = 0.0f;
    }
}

tally_status tally_score_window(const tally_score *score, const tally_patch *before,
                                const tally_patch *after, tally_box core, float *value, float *sum,
                                tally_error *err)
{
    const size_t width = (size_t)after->width, pixels = width * (size_t)after->height;
    float *plane = tally_alloc(pixels + 3 * width + 1, sizeof *plane);
    double *sums = tally_alloc(2 * width + 1, sizeof *sums);
    windows w = { .after = after, .width = after->width, .height = after->height, .column = sums };

    if (!plane || !sums) {
        tally_free(plane);
        tally_free(sums);
        return tally_nomem(err, "a strip of scores");
    }
    w.weight = sums + width;
    w.finest = plane + pixels + 2 * width;
    float *row = plane + pixels;
    if (score->method == TALLY_METHOD_DIFFERENCE || score->method == TALLY_METHOD_LOGRATIO) {
        tally_score_signed(score, before, after, plane);
        join_differences(score, &w, plane, core, row, value);
        if (score->method == TALLY_METHOD_LOGRATIO)
            add_ratio_of_means(score, &w, before, after, core, row, value);
    } else {
        tally_score_lengths(score, before, after, plane);
        if (score->method == TALLY_METHOD_PCA)
            apply_filter(score, &w, plane, core, value);
        else
            join_lengths(score, &w, plane, core, row, value);
    }
    if (score->method == TALLY_METHOD_LOGRATIO) /* standardised already */
        memcpy(sum, value,
               (size_t)tally_box_width(core) * (size_t)tally_box_height(core) * sizeof *sum);
    else if (score->speckled)
        sum_log_ratios(score, before, after, core, plane, sum);
    else
        sum_rows(score, before, after, core, sum);
    clear_unseen(after, core, value, sum);
    tally_free(plane);
    tally_free(sums);
    return TALLY_OK;
}
