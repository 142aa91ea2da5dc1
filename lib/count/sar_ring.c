/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A constant false alarm rate from a ring of water: cell averaging with a guard box, censored in a
 * second pass, after Novak, Owirka and Netishen, "Performance of a high-resolution polarimetric SAR
 * automatic target recognition system", Lincoln Laboratory Journal 6 (1993), and the censored ring
 * of Gao, Liu, Zhao, Shi and Kuang 2009 (doi:10.1109/TGRS.2008.2006504). Two things differ. The
 * ring is the difference of two boxes of summed-area tables that hold the pixels of the water mask
 * alone: land, quays and what lies outside the zones add nothing to sum or count, so no ring,
 * however near the shore, is raised by them. And the scale of the clutter is the ring's, its shape
 * the whole window's: a ring cut short by a quay has a fair mean, but no tail.
 *
 * Clutter model: smoothed amplitude over the ring's mean as a gamma variate, shape 1 / cv^2 of the
 * water itself, so the number of looks need not be known; tail by Wilson and Hilferty 1931
 * (doi:10.1073/pnas.17.12.684). FAR is a smoothed pixel's; a hull wants dozens together.
 *
 * Known failures: sea clutter with a heavier tail (swell, long waves at low incidence) passes more
 * often than stated; a ring across a front of wind takes the mean of both sides.
 *
 * Constants: GUARD_M beyond half the length of most ships, REACH_M some water beyond it.
 */
#include <math.h>
#include <string.h>

#include "count/sar.h"

#define GUARD_M 60.0
#define REACH_M 150.0
#define LEAST   200

tally_status tally_sar_sums_init(tally_sar_sums *sums, const tally_patch *patch,
                                 const tally_bits *mask, tally_error *err)
{
    const size_t across = (size_t)patch->width + 1, cells = across * ((size_t)patch->height + 1);
    *sums = (tally_sar_sums) { .width = patch->width, .height = patch->height };
    sums->sum = tally_alloc(cells, sizeof *sums->sum);
    sums->square = tally_alloc(cells, sizeof *sums->square);
    sums->n = tally_alloc(cells, sizeof *sums->n);
    if (!sums->sum || !sums->square || !sums->n) {
        tally_sar_sums_fini(sums);
        return tally_nomem(err, "sums over radar pixels");
    }
    for (int y = 0; y < patch->height; y++) {
        const float *row = tally_patch_row(patch, 0, y);
        const size_t at = ((size_t)y + 1) * across;
        double sum = 0, square = 0;
        uint32_t n = 0;
        for (int x = 0; x < patch->width; x++) {
            if (tally_bits_get(mask, x, y) && tally_bits_get(&patch->valid, x, y)) {
                sum += row[x];
                square += (double)row[x] * row[x];
                n++;
            }
            const size_t i = at + (size_t)x + 1;
            sums->sum[i] = sums->sum[i - across] + sum;
            sums->square[i] = sums->square[i - across] + square;
            sums->n[i] = sums->n[i - across] + n;
        }
    }
    return TALLY_OK;
}

void tally_sar_sums_fini(tally_sar_sums *sums)
{
    tally_free(sums->sum);
    tally_free(sums->square);
    tally_free(sums->n);
    *sums = (tally_sar_sums) { 0 };
}

void tally_sar_sums_box(const tally_sar_sums *s, int x, int y, int r, double *sum, double *square,
                        double *n)
{
    const size_t across = (size_t)s->width + 1;
    const int x0 = x - r > 0 ? x - r : 0, x1 = x + r + 1 < s->width ? x + r + 1 : s->width;
    const int y0 = y - r > 0 ? y - r : 0, y1 = y + r + 1 < s->height ? y + r + 1 : s->height;
    const size_t a = (size_t)y0 * across + (size_t)x0, b = (size_t)y0 * across + (size_t)x1;
    const size_t c = (size_t)y1 * across + (size_t)x0, d = (size_t)y1 * across + (size_t)x1;
    *sum = s->sum[d] - s->sum[b] - s->sum[c] + s->sum[a];
    *square = s->square[d] - s->square[b] - s->square[c] + s->square[a];
    *n = (double)s->n[d] - s->n[b] - s->n[c] + s->n[a];
}

tally_sar_ring tally_sar_ring_of(double gsd_m)
{
    const int guard = (int)lround(GUARD_M / gsd_m), reach = (int)lround(REACH_M / gsd_m);
    return (tally_sar_ring) { .guard = guard > 2 ? guard : 2,
                              .reach = reach > 8 ? reach : 8,
                              .least = LEAST };
}

static float ring_mean(const tally_sar_sums *sums, const tally_sar_ring *ring, int x, int y,
                       float otherwise)
{
    double outer, inner, square, n, n_inner;
    tally_sar_sums_box(sums, x, y, ring->reach, &outer, &square, &n);
    tally_sar_sums_box(sums, x, y, ring->guard, &inner, &square, &n_inner);
    return n - n_inner < ring->least ? otherwise
                                     : fmaxf((float)((outer - inner) / (n - n_inner)), 1e-9f);
}

int tally_sar_smooth_px(double gsd_m)
{
    return gsd_m < 2 ? (int)lround(1 / gsd_m) : 0;
}

tally_status tally_sar_smooth(const tally_patch *patch, const tally_bits *mask, int r,
                              tally_patch *out, tally_error *err)
{
    tally_sar_sums sums = { 0 };
    tally_status s = tally_patch_init(out, patch->width, patch->height, 1, err);
    if (s == TALLY_OK) s = tally_sar_sums_init(&sums, patch, mask, err);
    for (int y = 0; y < patch->height && s == TALLY_OK; y++)
        for (int x = 0; x < patch->width; x++) {
            double sum, square, n;
            if (!tally_bits_get(&patch->valid, x, y)) continue;
            tally_sar_sums_box(&sums, x, y, r, &sum, &square, &n);
            tally_bits_set(&out->valid, x, y);
            tally_patch_row(out, 0, y)[x] =
                r > 0 && n > 0 ? fmaxf((float)(sum / n), 0) : tally_patch_row(patch, 0, y)[x];
        }
    tally_sar_sums_fini(&sums);
    return s;
}

double tally_sar_gamma_tail(double shape)
{
    const double z = 3.0902; /* of the normal distribution at TALLY_SAR_FAR */
    const double k = tally_clamp(shape, 0.5, 1e6);
    return pow(1 - 1 / (9 * k) + z / (3 * sqrt(k)), 3);
}

/* One pass: pixel over ring. */
static tally_status divide(const tally_patch *amplitude, const tally_bits *water, double gsd_m,
                           float otherwise, tally_patch *out, tally_error *err)
{
    const tally_sar_ring ring = tally_sar_ring_of(gsd_m);
    tally_sar_sums sums = { 0 };
    tally_status s = tally_sar_sums_init(&sums, amplitude, water, err);
    for (int y = 0; y < amplitude->height && s == TALLY_OK; y++)
        for (int x = 0; x < amplitude->width; x++) {
            if (!tally_bits_get(&amplitude->valid, x, y)) continue;
            tally_bits_set(&out->valid, x, y);
            tally_patch_row(out, 0, y)[x] =
                tally_patch_row(amplitude, 0, y)[x] / ring_mean(&sums, &ring, x, y, otherwise);
        }
    tally_sar_sums_fini(&sums);
    return s;
}

/* Deviation over mean of the smoothed contrast on water. */
static double cv_of(const tally_patch *smooth, const tally_bits *water, double otherwise)
{
    double sum = 0, square = 0, n = 0;
    for (int y = 0; y < smooth->height; y++)
        for (int x = 0; x < smooth->width; x++) {
            if (!tally_bits_get(water, x, y) || !tally_bits_get(&smooth->valid, x, y)) continue;
            const double v = tally_patch_row(smooth, 0, y)[x];
            sum += v;
            square += v * v;
            n++;
        }
    if (n < 2000 || sum <= 0) return otherwise;
    return sqrt(fmax(square / n - sum * sum / (n * n), 1e-6)) / (sum / n);
}

/* Water less what stands out, with a rim of it. */
static tally_status censor(const tally_kernels *k, const tally_patch *smooth, float threshold,
                           const tally_bits *water, tally_bits *out, tally_error *err)
{
    tally_bits bright = { 0 };
    tally_status s = tally_bits_init(&bright, smooth->width, smooth->height, err);
    for (int y = 0; y < smooth->height && s == TALLY_OK; y++)
        for (int x = 0; x < smooth->width; x++)
            if (tally_bits_get(water, x, y) && tally_patch_row(smooth, 0, y)[x] > threshold)
                tally_bits_set(&bright, x, y);
    if (s == TALLY_OK) s = tally_bits_dilate(k, &bright, 2, 2, err);
    if (s == TALLY_OK) s = tally_bits_init(out, smooth->width, smooth->height, err);
    const size_t words = s == TALLY_OK ? out->words * (size_t)out->height : 0;
    for (size_t i = 0; i < words; i++)
        out->bits[i] = water->bits[i] & ~bright.bits[i];
    tally_bits_fini(&bright);
    return s;
}

tally_status tally_sar_contrast(const tally_kernels *k, const tally_sar_water *scene,
                                const tally_patch *amplitude, const tally_bits *water, double gsd_m,
                                tally_patch *out, float *threshold, tally_error *err)
{
    const int r = tally_sar_smooth_px(gsd_m);
    tally_patch smooth = { 0 };
    tally_bits calm = { 0 };
    tally_status s = tally_patch_init(out, amplitude->width, amplitude->height, 1, err);

    *threshold = 0;
    if (s == TALLY_OK) s = divide(amplitude, water, gsd_m, scene->level, out, err);
    if (s == TALLY_OK) s = tally_sar_smooth(out, water, r, &smooth, err);
    if (s == TALLY_OK) {
        const double cv = cv_of(&smooth, water, scene->cv);
        *threshold = (float)tally_sar_gamma_tail(1 / (cv * cv));
        s = censor(k, &smooth, *threshold, water, &calm, err);
    }
    if (s == TALLY_OK) s = divide(amplitude, &calm, gsd_m, scene->level, out, err);
    tally_patch_fini(&smooth);
    if (s == TALLY_OK) s = tally_sar_smooth(out, water, r, &smooth, err);
    if (s == TALLY_OK) {
        const double cv = cv_of(&smooth, &calm, scene->cv);
        *threshold = (float)tally_sar_gamma_tail(1 / (cv * cv));
    }
    tally_patch_fini(&smooth);
    tally_bits_fini(&calm);
    if (s != TALLY_OK) tally_patch_fini(out);
    return s;
}
