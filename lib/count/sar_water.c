/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Water in a radar image, and what is not: land inside a generous zone, quays, ships.
 *
 * Calm water throws the pulse away from the sensor: it is dark, and its only texture is speckle.
 * So the scene's water is the darkest common level among the windows whose relative spread is among
 * the smallest; water is where a window is about as dark and as even as that, in patches large
 * enough to float a ship. What is neither dark nor even is not water, whether it is a hull or a
 * quarter of a town; sar_hulls.c tells which. Whatever is lost along rims by the window's size is
 * won back pixel by pixel from the smoothed amplitude.
 *
 * Units: dB are told by their sign; values under 1, or with a spread that no amplitude has, are
 * intensities; the rest are amplitudes. All work is on amplitudes; a wrong guess changes ratios by
 * a power of two and the thresholds with them, for those come from the image.
 *
 * Known failures: smooth land as dark as water (runways, dry lakes, radar shadow behind a ridge) is
 * water until a ship-like thing is found on it; water roughened by wind beside calm water is not
 * water where it is brighter by more than SPREADS.
 *
 * Constants: WINDOW_M holds enough pixels at 3 m to tell speckle from texture; SPREADS, BRIGHTER,
 * UNEVEN by eye on two X-band chips and drawn scenes.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "count/sar.h"

#define WINDOW_M   7.5 /* half side */
#define SPREADS    3.0f
#define BRIGHTER   0.3f /* of the logarithm of amplitude */
#define UNEVEN     1.5f
#define EVEN_SHARE 0.25 /* of the windows, the smoothest */
#define PATCH_M2   10000.0
#define BIN        0.04f
#define MOST_BINS  2048
#define COMMON     0.1   /* share of the smooth windows that a level must hold */
#define RIM_SHARE  1.75f /* smoothed amplitude over the level up to which rims are water */

tally_sar_unit tally_sar_unit_of(const tally_water_sample *sample)
{
    size_t negative = 0, small = 0;
    double sum = 0, square = 0;
    for (size_t i = 0; i < sample->n; i++) {
        const double v = sample->values[0][i];
        negative += v < 0;
        small += v < 1;
        sum += v;
        square += v * v;
    }
    const double n = (double)sample->n;
    if (sample->n == 0) return TALLY_SAR_AMPLITUDE;
    if ((double)negative > 0.2 * n) return TALLY_SAR_DB;
    return (double)small > 0.5 * n ? TALLY_SAR_INTENSITY : TALLY_SAR_AMPLITUDE;
}

static float amplitude_of(float v, tally_sar_unit unit)
{
    if (unit == TALLY_SAR_DB) return powf(10, (float)tally_clamp(v, -100, 100) / 20);
    if (v <= 0) return 0;
    return unit == TALLY_SAR_INTENSITY ? sqrtf(v) : v;
}

tally_status tally_sar_amplitude(const tally_patch *patch, tally_sar_unit unit, tally_patch *out,
                                 tally_error *err)
{
    const tally_status s = tally_patch_init(out, patch->width, patch->height, 1, err);
    for (int y = 0; y < patch->height && s == TALLY_OK; y++)
        for (int x = 0; x < patch->width; x++) {
            const float v = tally_patch_row(patch, 0, y)[x];
            if (!tally_bits_get(&patch->valid, x, y) || !isfinite(v)) continue;
            tally_bits_set(&out->valid, x, y);
            tally_patch_row(out, 0, y)[x] = amplitude_of(v, unit);
        }
    return s;
}

static int window_px(double gsd_m)
{
    const int r = (int)lround(WINDOW_M / gsd_m);
    return r > 2 ? r : 2;
}

/* Logarithm of the mean and relative deviation of a window; false: mostly outside. */
static bool look_at(const tally_sar_sums *sums, int x, int y, int r, tally_sar_look *out)
{
    double sum, square, n;
    tally_sar_sums_box(sums, x, y, r, &sum, &square, &n);
    if (n < 2.0 * r * r || sum <= 0) return false;
    out->log_mean = (float)log(sum / n);
    out->cv = (float)(sqrt(fmax(square / n - sum * sum / (n * n), 0)) * n / sum);
    return true;
}

tally_status tally_sar_looks_add(tally_sar_looks *looks, const tally_patch *amplitude,
                                 const tally_bits *where, double gsd_m, size_t most,
                                 tally_error *err)
{
    const int r = window_px(gsd_m);
    const double pixels = (double)amplitude->width * amplitude->height;
    const int even = (int)ceil(sqrt(pixels / fmax((double)most, 1))), step = even > r ? even : r;
    tally_sar_sums sums;
    tally_status s = tally_sar_sums_init(&sums, amplitude, where, err);
    for (int y = step / 2; y < amplitude->height && s == TALLY_OK; y += step)
        for (int x = step / 2; x < amplitude->width && looks->n < looks->capacity; x += step)
            if (look_at(&sums, x, y, r, &looks->looks[looks->n])) looks->n++;
    tally_sar_sums_fini(&sums);
    return s;
}

/* The darkest level that is common among n sorted values; -1 bin: none. */
static float darkest_mode(const float *v, size_t n)
{
    double h[MOST_BINS] = { 0 }, smooth[MOST_BINS];
    const float low = v[0] - 3 * BIN;
    const int bins = (int)fminf((v[n - 1] - low) / BIN + 4, MOST_BINS);
    for (size_t i = 0; i < n; i++) {
        const int b = (int)((v[i] - low) / BIN);
        h[b < bins ? b : bins - 1]++;
    }
    for (int b = 0; b < bins; b++) {
        static const double weight[] = { 0.4, 0.24, 0.06 };
        smooth[b] = h[b] * weight[0];
        for (int o = 1; o < 3; o++)
            smooth[b] += weight[o] * ((b >= o ? h[b - o] : 0) + (b + o < bins ? h[b + o] : 0));
    }
    int best = 0;
    for (int b = 0; b < bins; b++) {
        double held = 0;
        bool is_peak = smooth[b] > 0;
        for (int o = -6; o <= 6; o++) {
            if (b + o < 0 || b + o >= bins) continue;
            is_peak = is_peak && smooth[b + o] <= smooth[b];
            held += o >= -5 && o <= 5 ? h[b + o] : 0;
        }
        if (is_peak && held >= COMMON * (double)n) return low + ((float)b + 0.5f) * BIN;
        if (smooth[b] > smooth[best]) best = b;
    }
    return low + ((float)best + 0.5f) * BIN;
}

/* One after another the values that `learn` sorts. */
static size_t collect(const tally_sar_looks *looks, float most_cv, float *level, float *cv)
{
    size_t n = 0;
    for (size_t i = 0; i < looks->n; i++) {
        if (looks->looks[i].cv > most_cv) continue;
        if (level) level[n] = looks->looks[i].log_mean;
        if (cv) cv[n] = looks->looks[i].cv;
        n++;
    }
    return n;
}

/* The speckle of windows near a level, and how far the darker half strays from it. */
static void measure_mode(tally_sar_water *water, const tally_sar_looks *looks, float mode,
                         float most_cv, float *scratch)
{
    size_t n = 0;
    for (size_t i = 0; i < looks->n; i++)
        if (looks->looks[i].cv <= most_cv && fabsf(looks->looks[i].log_mean - mode) < 0.15f)
            scratch[n++] = looks->looks[i].cv;
    tally_sort(scratch, n);
    water->cv = n ? scratch[n / 2] : 0.5f;
    n = 0;
    for (size_t i = 0; i < looks->n; i++)
        if (looks->looks[i].log_mean < mode && looks->looks[i].log_mean > mode - 1)
            scratch[n++] = mode - looks->looks[i].log_mean;
    tally_sort(scratch, n);
    water->spread = n ? 1.4826f * scratch[n / 2] : 0.1f;
    water->level = expf(mode);
}

tally_status tally_sar_water_learn(tally_sar_water *water, tally_sar_looks *looks, tally_error *err)
{
    if (looks->n < 50)
        return tally_fail(err, TALLY_E_NODATA, "%zu windows of water are too few to learn it from",
                          looks->n);
    float *v = tally_alloc(looks->n, sizeof *v);
    if (!v) return tally_nomem(err, "a radar scene's water");
    size_t n = collect(looks, INFINITY, NULL, v);
    tally_sort(v, n);
    const float most_cv = 1.15f * v[(size_t)(EVEN_SHARE * (double)(n - 1))] + 1e-4f;
    n = collect(looks, most_cv, v, NULL);
    tally_sort(v, n);
    measure_mode(water, looks, darkest_mode(v, n), most_cv, v);
    if (water->unit == TALLY_SAR_AMPLITUDE && water->cv > 0.65f) { /* of one look: 0.52 */
        water->unit = TALLY_SAR_INTENSITY;
        water->level = sqrtf(water->level);
        water->spread /= 2;
        water->cv = fminf(water->cv / 2, 0.6f);
    }
    tally_free(v);
    return TALLY_OK;
}

/* Only patches that could float a ship. */
static tally_status keep_large(const tally_kernels *k, tally_bits *bits, int64_t least,
                               tally_error *err)
{
    tally_blobs blobs = { 0 };
    tally_status s = tally_blobs_label(k, bits, least, &blobs, err);
    if (s != TALLY_OK) return s;
    memset(bits->bits, 0, bits->words * (size_t)bits->height * sizeof *bits->bits);
    for (size_t i = 0; i < blobs.n_runs; i++)
        for (int x = blobs.runs[i].x0; x < blobs.runs[i].x1; x++)
            tally_bits_set(bits, x, blobs.runs[i].y);
    tally_blobs_fini(&blobs);
    return TALLY_OK;
}

/* Rims that the window's size lost: near water, and no brighter than it when a little smoothed. */
static tally_status win_rims(const tally_kernels *k, const tally_sar_water *water,
                             const tally_patch *amplitude, const tally_bits *where, double gsd_m,
                             tally_bits *bits, tally_error *err)
{
    const int r = (int)fmax(1, lround(2 / gsd_m)), reach = window_px(gsd_m) + 2;
    const float most = 1.1f * water->level * (1 + 1.2f * water->cv);
    tally_sar_sums sums = { 0 };
    tally_bits near = { 0 };
    tally_status s = tally_sar_sums_init(&sums, amplitude, &amplitude->valid, err);
    if (s == TALLY_OK) s = tally_bits_init(&near, bits->width, bits->height, err);
    if (s == TALLY_OK) {
        memcpy(near.bits, bits->bits, bits->words * (size_t)bits->height * sizeof *bits->bits);
        s = tally_bits_dilate(k, &near, reach, reach, err);
    }
    for (int y = 0; y < bits->height && s == TALLY_OK; y++)
        for (int x = 0; x < bits->width; x++) {
            double sum, square, n;
            if (!tally_bits_get(&near, x, y) || tally_bits_get(bits, x, y) ||
                !tally_bits_get(where, x, y))
                continue;
            tally_sar_sums_box(&sums, x, y, r, &sum, &square, &n);
            if (n > 0 && sum / n < most) tally_bits_set(bits, x, y);
        }
    tally_bits_fini(&near);
    tally_sar_sums_fini(&sums);
    return s;
}

tally_status tally_sar_water_find(const tally_kernels *k, const tally_sar_water *water,
                                  const tally_patch *amplitude, const tally_bits *where,
                                  double gsd_m, tally_bits *out, tally_error *err)
{
    const int r = window_px(gsd_m);
    const float most = logf(fmaxf(water->level, 1e-12f)) + fmaxf(SPREADS * water->spread, BRIGHTER);
    const float most_cv = UNEVEN * water->cv + 0.1f;
    tally_sar_sums sums = { 0 };
    tally_status s = tally_bits_init(out, amplitude->width, amplitude->height, err);
    if (s == TALLY_OK) s = tally_sar_sums_init(&sums, amplitude, where, err);
    for (int y = 0; y < out->height && s == TALLY_OK; y++)
        for (int x = 0; x < out->width; x++) {
            tally_sar_look look;
            if (tally_bits_get(where, x, y) && tally_bits_get(&amplitude->valid, x, y) &&
                look_at(&sums, x, y, r, &look) && look.log_mean < most && look.cv < most_cv)
                tally_bits_set(out, x, y);
        }
    tally_sar_sums_fini(&sums);
    if (s == TALLY_OK) {
        const double least =
            fmin(PATCH_M2 / (gsd_m * gsd_m), 0.1 * (double)tally_bits_count(where));
        s = keep_large(k, out, (int64_t)fmax(least, 1), err);
    }
    if (s == TALLY_OK) s = win_rims(k, water, amplitude, where, gsd_m, out, err);
    if (s != TALLY_OK) tally_bits_fini(out);
    return s;
}
