/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Light on a pad. Let q be the pixel over the sunlit pad, band by band. Bare pad in sun, shadow and
 * all between follows q = t (a + (1 - a) k): a the share of the sun that reaches it, k the colour
 * of skylight there (blue is dimmed least), t its own grey texture. Paint is none of this: a box
 * differs in hue, in the sun and in the shadow of its neighbour alike, or is brighter than the pad.
 * So the evidence for "not pad" is the distance of log q from that curve, t at the price of its
 * usual spread. The idea of ratios that share one illuminant is old (Finlayson, Hordley, Drew 2002,
 * "Removing shadows from images"); we take the line from the scene itself rather than from a
 * calibrated camera.
 *
 * The level is the brightest clear peak of the brightness of the pixels: shadow only darkens, so
 * the pad in the sun is the last peak before the few bright boxes. The colour k is chosen among the
 * medians of slices of the dark pixels: the one that explains most of them, then refined.
 *
 * Known failures: a box of the very grey of the pad, in the sun or in shadow, is not seen. Darker
 * grey boxes pass for half shadow here (yard_measure.c finds them by their evenness), black ones
 * for shadow. Patchy snow has two pads; the nearer is taken.
 *
 * Constants, chosen by eye on port and rail scenes at 0.5 m, at high and low sun: texture 0.10
 * (measured 0.07 to 0.13 in log), noise 0.045 in log plus 1.2 % of the level, the histogram's bin
 * 0.04, a peak counts from 0.3 of the highest. Usual shadow: medians over fourteen scenes, blue to
 * near infrared 0.60, 0.48, 0.40, 0.35.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"
#include "count/yard_light.h"

#define TEXTURE     0.10f
#define TEXTURE_3M  0.06f
#define NOISE       0.045f
#define NOISE_LEVEL 0.012f /* of the level: matters in the dark */
#define FLOOR       0.02f  /* of the level: below it a logarithm says nothing */
#define BIN         0.04f
#define BINS        256
#define PEAK        0.3
#define PEAK_OF_ALL 0.5  /* the same over several scenes, where one scene's */
#define MOST_SHARE  0.5  /* bin counts at most as this share of its pixels */
#define EXPECTED    0.3  /* log, sigma: light not taken out by the stack's gain, wet ground */
#define COLOUR      0.12 /* log, sigma: of the pad from date to date, and its texture's */
#define UNEXPECTED  0.1  /* weight of peaks far off: haze over everything leaves no other */
#define ENOUGH      20   /* pixels for a level */
#define ENOUGH_ZONE 60   /* the same in the yard alone: ground around it is another one */
#define ENOUGH_DARK 40   /* pixels for a colour of shadow */
#define STEPS       10   /* between shadow and sun */
#define SAMPLES     600
#define SLICES      15

static const float usual_shade[8] = { -0.51f, -0.73f, -0.92f, -1.05f, -1.0f, -1.0f, -1.0f, -1.0f };

static void draw_line(tally_yard_light *light)
{
    for (int step = 0; step <= STEPS; step++)
        for (int b = 0; b < 8; b++) {
            const float a = (float)step / STEPS;
            light->line[step][b] = logf(a + (1.0f - a) * expf(light->shade[b]));
        }
}

static float mean_of(const float *v, int bands)
{
    float sum = 0.0f;
    for (int b = 0; b < bands; b++)
        sum += v[b];
    return sum / (float)bands;
}

static void pixel_of(const tally_patch *p, int x, int y, float *v)
{
    for (int b = 0; b < p->bands; b++)
        v[b] = tally_patch_row(p, b, y)[x];
}

/* The pixels of `near` that are valid, as n x bands floats. NULL without memory. */
static float *gather(const tally_patch *p, const tally_bits *near, size_t *n)
{
    const size_t room = tally_bits_count(near) + 1;
    float *v = tally_alloc(room, (size_t)p->bands * sizeof *v);

    *n = 0;
    if (!v) return NULL;
    for (int y = 0; y < p->height; y++)
        for (int x = 0; x < p->width; x++)
            if (tally_bits_get(near, x, y) && tally_bits_get(&p->valid, x, y))
                pixel_of(p, x, y, v + (size_t)p->bands * (*n)++);
    return v;
}

static double smoothed(const double *bins, int i)
{
    return bins[i - 2] + 2 * bins[i - 1] + 3 * bins[i] + 2 * bins[i + 1] + bins[i + 2];
}

/* The brightest peak above a share of the highest, in bins; -1: none. */
static int last_above(const double *smooth, double share)
{
    double highest = 0;

    for (int i = 2; i < BINS - 2; i++)
        highest = fmax(highest, smooth[i]);
    for (int i = BINS - 2; i > 1; i--)
        if (smooth[i] >= smooth[i - 1] && smooth[i] > smooth[i + 1] && smooth[i] > share * highest)
            return i;
    return -1;
}

/* How like the expected colour a pixel's is, whatever its brightness: 1, falling off. */
static double likeness(const float *v, int bands, const float *expected)
{
    const float middle = mean_of(v, bands) - mean_of(expected, bands);
    float off = 0;

    for (int b = 0; b < bands; b++) {
        const float d = v[b] - expected[b] - middle;
        off += d * d / (float)bands;
    }
    return UNEXPECTED + exp(-(double)off / (2 * COLOUR * COLOUR));
}

/* Middle of the brightest peak of the mean over bands; with something expected, of the highest
 * where pixels of that colour and peaks near that level count for more. The histogram lies around
 * their mean. */
static float last_peak(const float *v, size_t n, int bands, const float *expected)
{
    double plain[BINS] = { 0 }, smooth[BINS] = { 0 }, sum = 0;

    for (size_t i = 0; i < n; i++)
        sum += mean_of(v + i * (size_t)bands, bands);
    const float low = (float)(sum / (double)n) - BINS / 2 * BIN;
    for (size_t i = 0; i < n; i++) {
        const float *p = v + i * (size_t)bands;
        const float at = (mean_of(p, bands) - low) / BIN;
        plain[(int)tally_clamp(at, 2, BINS - 3)] += expected ? likeness(p, bands, expected) : 1;
    }
    for (int i = 2; i < BINS - 2; i++) {
        smooth[i] = smoothed(plain, i);
        if (!expected) continue;
        const double off = (low + (i + 0.5) * BIN - mean_of(expected, bands)) / EXPECTED;
        smooth[i] *= UNEXPECTED + exp(-off * off / 2);
    }
    const int peak = last_above(smooth, expected ? 0.999 : PEAK);
    return low + (peak < 0 ? BINS / 2 : (float)peak + 0.5f) * BIN;
}

/* Median by band of the chosen pixels; `room` takes n floats. */
static void band_medians(const float *v, size_t n, int bands, const unsigned char *chosen,
                         float *room, float *out)
{
    for (int b = 0; b < bands; b++) {
        size_t m = 0;
        for (size_t i = 0; i < n; i++)
            if (chosen[i]) room[m++] = v[i * (size_t)bands + (size_t)b];
        if (m) out[b] = tally_median(room, m);
    }
}

/* The pad's level as logarithms by band; false: too few pixels. */
static bool level_of(const float *v, size_t n, int bands, const float *expected, float *room,
                     unsigned char *chosen, float *level)
{
    const float radius = 0.12f; /* three textures with noise, either side of the peak */
    size_t m = 0;

    if (n < ENOUGH) return false;
    const float peak = last_peak(v, n, bands, expected);
    for (size_t i = 0; i < n; i++)
        m += chosen[i] = fabsf(mean_of(v + i * (size_t)bands, bands) - peak) < radius;
    if (m == 0) return false;
    band_medians(v, n, bands, chosen, room, level);
    for (int round = 0; round < 3; round++) {
        m = 0;
        for (size_t i = 0; i < n; i++) {
            float d = 0.0f;
            for (int b = 0; b < bands; b++) {
                const float e = v[i * (size_t)bands + (size_t)b] - level[b];
                d += e * e;
            }
            const bool at_peak = fabsf(mean_of(v + i * (size_t)bands, bands) - peak) < radius;
            m += chosen[i] = at_peak && d < radius * radius * (float)bands;
        }
        if (m <= ENOUGH) break;
        band_medians(v, n, bands, chosen, room, level);
    }
    return true;
}

/* Logarithms of the scene less those of the pad. What is 0 or less is held at a small share of the
 * band's mean, so that one dead pixel is not minus infinity. */
static void take_logs(const tally_patch *scene, const tally_patch *pad, tally_patch *ratio)
{
    for (int b = 0; b < scene->bands; b++) {
        double sum = 0;
        size_t n = 0;
        for (int y = 0; y < scene->height; y++)
            for (int x = 0; x < scene->width; x++)
                if (tally_bits_get(&scene->valid, x, y)) {
                    sum += tally_patch_row(scene, b, y)[x];
                    n++;
                }
        const float low = n && sum > 0 ? (float)(sum / (double)n) * FLOOR : 1e-6f;
        for (int y = 0; y < scene->height; y++)
            for (int x = 0; x < scene->width; x++) {
                if (!tally_bits_get(&scene->valid, x, y)) continue;
                tally_patch_row(ratio, b, y)[x] =
                    logf(fmaxf(tally_patch_row(scene, b, y)[x], low)) -
                    (pad ? tally_patch_row(pad, b, y)[x] : 0.0f);
            }
    }
}

tally_status tally_yard_peaks_add(tally_yard_peaks *peaks, const tally_patch *scene,
                                  const tally_bits *zone, tally_error *err)
{
    double bins[BINS] = { 0 }, sum = 0;
    tally_patch logs = { 0 };
    tally_status s = tally_patch_init(&logs, scene->width, scene->height, scene->bands, err);
    size_t n = 0;

    if (s != TALLY_OK) return s;
    memcpy(logs.valid.bits, scene->valid.bits,
           scene->valid.words * (size_t)scene->height * sizeof *logs.valid.bits);
    take_logs(scene, NULL, &logs);
    float *v = gather(&logs, zone, &n);
    if (!v) s = tally_nomem(err, "the light of a yard");
    if (v && n >= ENOUGH) {
        for (size_t i = 0; i < n; i++)
            sum += mean_of(v + i * (size_t)scene->bands, scene->bands);
        if (peaks->n++ == 0) peaks->low = (float)(sum / (double)n) - BINS / 2 * BIN;
        for (size_t i = 0; i < n; i++) {
            const float at = (mean_of(v + i * (size_t)scene->bands, scene->bands) - peaks->low);
            const int bin = (int)tally_clamp(at / BIN, 2, BINS - 3);
            bins[bin] += 1 / (double)n;
            peaks->weight[bin] += 1 / (double)n;
            for (int b = 0; b < scene->bands; b++)
                peaks->colour[b][bin] += v[i * (size_t)scene->bands + (size_t)b] / (double)n;
        }
        for (int i = 2; i < BINS - 2; i++)
            peaks->share[i] += fmin(smoothed(bins, i), MOST_SHARE);
    }
    tally_free(v);
    tally_patch_fini(&logs);
    return s;
}

bool tally_yard_peaks_expect(const tally_yard_peaks *peaks, int bands, float expected[8])
{
    double smooth[BINS] = { 0 };

    for (int i = 2; i < BINS - 2 && peaks->n > 0; i++)
        smooth[i] = smoothed(peaks->share, i);
    const int peak = last_above(smooth, PEAK_OF_ALL);
    for (int b = 0; b < bands && peak > 0; b++)
        expected[b] = (float)(smoothed(peaks->colour[b], peak) / smoothed(peaks->weight, peak));
    return peak > 0;
}

tally_status tally_yard_ratio(const tally_patch *scene, const tally_patch *pad,
                              const float *expected, const tally_bits *zone, const tally_bits *near,
                              double gsd_m, tally_yard_light *light, tally_patch *ratio,
                              tally_error *err)
{
    const int bands = scene->bands;
    float level[8] = { 0 };
    tally_status s;
    size_t n;

    /* texture is averaged within a pixel: all of it to 1 m, then falling to what 3 m leave */
    const float coarse = (float)tally_clamp((gsd_m - 1) / 2, 0, 1);
    *light = (tally_yard_light) { .texture = TEXTURE + coarse * (TEXTURE_3M - TEXTURE) };
    memcpy(light->shade, usual_shade, sizeof light->shade);
    draw_line(light);
    if ((s = tally_patch_init(ratio, scene->width, scene->height, bands, err)) != TALLY_OK)
        return s;
    memcpy(ratio->valid.bits, scene->valid.bits,
           scene->valid.words * (size_t)scene->height * sizeof *ratio->valid.bits);
    take_logs(scene, pad, ratio);
    float *v = gather(ratio, zone, &n);
    if (v && n < ENOUGH_ZONE) {
        tally_free(v);
        v = gather(ratio, near, &n);
    }
    float *room = tally_alloc(n + 1, sizeof *room);
    unsigned char *chosen = tally_alloc(n + 1, 1);
    if (!v || !room || !chosen) {
        s = tally_nomem(err, "the light of a yard");
        goto out;
    }
    light->found = level_of(v, n, bands, expected, room, chosen, level);
    for (int b = 0; b < bands; b++) {
        light->level[b] = expf(level[b]);
        for (int y = 0; y < ratio->height; y++)
            for (int x = 0; x < ratio->width; x++)
                if (tally_bits_get(&ratio->valid, x, y))
                    tally_patch_row(ratio, b, y)[x] -= level[b];
    }
out:
    tally_free(chosen);
    tally_free(room);
    tally_free(v);
    if (s != TALLY_OK) tally_patch_fini(ratio);
    return s;
}

float tally_yard_distance(const float *ratio, int bands, const tally_yard_light *light, float *lit)
{
    float weight[8], rough = light->texture * light->texture;
    float total = 1 / rough, best = INFINITY;

    for (int b = 0; b < bands; b++) {
        const float dim = NOISE_LEVEL / fmaxf(expf(ratio[b]), FLOOR);
        weight[b] = 1.0f / (NOISE * NOISE + dim * dim);
        total += weight[b];
    }
    *lit = 1.0f;
    for (int step = 0; step <= STEPS; step++) {
        float d[8], t = 0.0f, sum = 0.0f;
        for (int b = 0; b < bands; b++) {
            d[b] = ratio[b] - light->line[step][b];
            t += d[b] * weight[b];
        }
        t /= total;
        sum = t * t / rough;
        for (int b = 0; b < bands; b++)
            sum += (d[b] - t) * (d[b] - t) * weight[b];
        if (sum < best) {
            best = sum;
            *lit = (float)step / STEPS;
        }
    }
    return best / (float)bands;
}

/* Pixels darker than the pad in every band, n x bands, from dark to bright. */
typedef struct keyed {
    float mean;
    size_t i;
} keyed;

static int by_mean(const void *a, const void *b)
{
    const keyed *p = a, *q = b;
    if (p->mean != q->mean) return p->mean < q->mean ? -1 : 1;
    return (p->i > q->i) - (p->i < q->i);
}

static size_t keep_dark(float *v, size_t n, int bands)
{
    const float dark = -0.2f; /* twice the texture */
    size_t kept = 0;

    for (size_t i = 0; i < n; i++) {
        bool all = true;
        for (int b = 0; b < bands; b++)
            all = all && v[i * (size_t)bands + (size_t)b] < dark;
        if (!all) continue;
        memmove(v + kept * (size_t)bands, v + i * (size_t)bands, (size_t)bands * sizeof *v);
        kept++;
    }
    return kept;
}

/* Skylight is blue: each band is dimmed at least about as much as the one of shorter wave before
 * it. */
static bool may_be_shade(const float *k, int bands)
{
    for (int b = 0; b < bands; b++)
        if (k[b] > -0.3f || (b && k[b] - k[b - 1] > 0.12f)) return false;
    return mean_of(k, bands) < -0.45f;
}

static double cost_of(const float *v, size_t n, int bands, const tally_yard_light *light)
{
    const size_t step = n / SAMPLES + 1;
    double sum = 0;
    float lit;

    for (size_t i = 0; i < n; i += step)
        sum += fminf(tally_yard_distance(v + i * (size_t)bands, bands, light, &lit), 6.0f);
    return sum;
}

static void choose_shade(const float *v, const keyed *order, size_t n, int bands, float *room,
                         unsigned char *chosen, tally_yard_light *light)
{
    tally_yard_light trial = *light;
    double best = cost_of(v, n, bands, light);

    for (int slice = 1; slice <= SLICES; slice++) {
        const size_t from = n * (size_t)(slice - 1) / 20, to = n * (size_t)(slice + 1) / 20;
        memset(chosen, 0, n);
        for (size_t i = from; i < to; i++)
            chosen[order[i].i] = 1;
        band_medians(v, n, bands, chosen, room, trial.shade);
        if (!may_be_shade(trial.shade, bands)) continue;
        draw_line(&trial);
        const double cost = cost_of(v, n, bands, &trial);
        if (cost < best - 1e-6) {
            best = cost;
            *light = trial;
        }
    }
    for (int round = 0; round < 2; round++) {
        size_t m = 0;
        for (size_t i = 0; i < n; i++) {
            float lit;
            const float d = tally_yard_distance(v + i * (size_t)bands, bands, light, &lit);
            m += chosen[i] = d < 3.0f && lit < 0.25f;
        }
        if (m < ENOUGH_DARK) break;
        band_medians(v, n, bands, chosen, room, light->shade);
        for (int b = 0; b < bands; b++)
            light->shade[b] = (float)tally_clamp(light->shade[b], -3.0, -0.3);
        draw_line(light);
    }
}

tally_status tally_yard_shade(const tally_patch *ratio, const tally_bits *near,
                              tally_yard_light *light, tally_error *err)
{
    const int bands = ratio->bands;
    size_t n;
    float *v = gather(ratio, near, &n);
    tally_status s = TALLY_OK;

    if (v) n = keep_dark(v, n, bands);
    float *room = tally_alloc(n + 1, sizeof *room);
    keyed *order = tally_alloc(n + 1, sizeof *order);
    unsigned char *chosen = tally_alloc(n + 1, 1);
    if (!v || !room || !order || !chosen) {
        s = tally_nomem(err, "the shadow of a yard");
    } else if (n >= ENOUGH_DARK) {
        for (size_t i = 0; i < n; i++)
            order[i] = (keyed) { mean_of(v + i * (size_t)bands, bands), i };
        qsort(order, n, sizeof *order, by_mean);
        choose_shade(v, order, n, bands, room, chosen, light);
    }
    tally_free(chosen);
    tally_free(order);
    tally_free(room);
    tally_free(v);
    return s;
}
