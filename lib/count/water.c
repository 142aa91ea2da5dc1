/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Water of one scene as a line of colours.
 *
 * The darkest well-filled value of the near infrared is open water; its median and MAD by band are
 * the core. Thin ice, haze, glint and turbid plumes all move water's colour along one direction
 * each scene (the mixture of two media is a line), so the commonest direction of what is not core
 * becomes an axis. Along it the colours are cut into bins; a bin that holds enough of the sample is
 * water too, with a centre and a spread of its own, which lets the line bend. A hull is what lies
 * off the line, or farther along it than water goes. What is darker than water in every band is
 * shadow.
 *
 * Source: the mixing line is the linear mixture model; the distance is that of an RX detector with
 * a diagonal covariance (Reed and Yu 1990). Known failures: ice whose colour a deck shares hides
 * that deck; two different bright media at once (ice and haze) leave one of them as false hull; a
 * basin that ships fill to more than a half.
 *
 * Constants: SUPPORT: a ship of 120 m covers 0.1 % of a roadstead, 1.5 % of a basin of 300 m by
 * 300 m, but 4 % of one of 400 m by 85 m, where its deck would be learned as water. FLOOR 2 % of
 * the level: sensor noise and registration never vanish. The others by eye on drawn scenes with and
 * without ice.
 */
#include "count/water.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define SUPPORT     0.02f
#define SHIP_M2     1500.0f /* 100 m x 15 m: in a small basin, the support must be as large */
#define SUPPORT_TOP 0.10f
#define LEAST       200
#define FLOOR       0.02f
#define ZERO_BIN    12
#define BINS_PER_E  5.0f  /* bins per factor e along the axis */
#define BIN_KNEE    4.0f  /* sigmas below which bins are of equal width */
#define TAIL        0.96  /* of the distances from a bin's centre, taken for two sigmas */
#define TAIL_MOST   3.0f  /* times the robust sigma: above, ships share the bin */
#define CORE        5.0f  /* sigmas: what is not core tells the axis */
#define BERTH_REACH 6.0f  /* sigmas along the axis that are water though ships fill the sample */
#define BEYOND      20.0f /* the distance of what lies farther along the axis than water goes */

tally_status tally_water_sample_init(tally_water_sample *sample, int bands, size_t capacity,
                                     tally_error *err)
{
    *sample = (tally_water_sample) { .bands = bands < TALLY_WATER_BANDS ? bands : TALLY_WATER_BANDS,
                                     .capacity = capacity };
    for (int b = 0; b < sample->bands; b++) {
        sample->values[b] = tally_alloc(capacity + 1, sizeof(float));
        if (!sample->values[b]) {
            tally_water_sample_fini(sample);
            return tally_nomem(err, "a sample of water");
        }
    }
    return TALLY_OK;
}

void tally_water_sample_fini(tally_water_sample *sample)
{
    for (int b = 0; b < TALLY_WATER_BANDS; b++)
        tally_free(sample->values[b]);
    *sample = (tally_water_sample) { 0 };
}

void tally_water_sample_add(tally_water_sample *sample, const tally_patch *patch,
                            const tally_bits *where, int step)
{
    for (int y = step / 2; y < patch->height; y += step)
        for (int x = step / 2; x < patch->width; x += step) {
            if (sample->n == sample->capacity) return;
            if (!tally_bits_get(&patch->valid, x, y) || !tally_bits_get(where, x, y)) continue;
            for (int b = 0; b < sample->bands; b++)
                sample->values[b][sample->n] = tally_patch_row(patch, b, y)[x];
            sample->n++;
        }
}

/* The darkest well-filled interval of sorted values: its middle and its width. A tenth of the
 * sample fits into it, and it is at most 1.6 times as wide as the narrowest such interval. */
static void dark_mode(const float *sorted, size_t n, float *middle, float *width)
{
    const size_t k = n / 10;
    float narrow = INFINITY;

    for (size_t i = 0; i + k < n; i++)
        narrow = fminf(narrow, sorted[i + k] - sorted[i]);
    narrow = fmaxf(narrow, FLOOR * fabsf(sorted[n / 2]) / 4);
    size_t i = 0;
    while (i + k + 1 < n && sorted[i + k] - sorted[i] > 1.6f * narrow)
        i++;
    /* from the first that is narrow enough to the narrowest of that slope */
    while (i + k + 1 < n && sorted[i + 1 + k] - sorted[i + 1] <= sorted[i + k] - sorted[i])
        i++;
    *middle = (sorted[i] + sorted[i + k]) / 2;
    *width = fmaxf(sorted[i + k] - sorted[i], narrow);
}

static void centre_and_spread(float *values, size_t n, float *centre, float *spread)
{
    *centre = tally_median(values, n);
    for (size_t i = 0; i < n; i++)
        values[i] = fabsf(values[i] - *centre);
    *spread = 1.4826f * tally_median(values, n);
}

static tally_status find_core(tally_water *water, const tally_water_sample *sample, int dark_band,
                              float *room)
{
    float middle, width;

    memcpy(room, sample->values[dark_band], sample->n * sizeof *room);
    tally_sort(room, sample->n);
    dark_mode(room, sample->n, &middle, &width);
    for (int b = 0; b < water->bands; b++) {
        size_t n = 0;
        for (size_t i = 0; i < sample->n; i++)
            if (fabsf(sample->values[dark_band][i] - middle) <= 5 * width)
                room[n++] = sample->values[b][i];
        centre_and_spread(room, n, &water->mean[b], &water->scale[b]);
        water->scale[b] = fmaxf(water->scale[b], fmaxf(FLOOR * fabsf(water->mean[b]), 1e-6f));
    }
    return TALLY_OK;
}

static float scaled(const tally_water *water, const tally_water_sample *s, size_t i, float *z)
{
    float norm2 = 0;
    for (int b = 0; b < water->bands; b++) {
        z[b] = (s->values[b][i] - water->mean[b]) / water->scale[b];
        norm2 += z[b] * z[b];
    }
    return sqrtf(norm2);
}

/* The commonest direction in which the sample leaves the core; that of haze where it does not. */
static void find_axis(tally_water *water, const tally_water_sample *sample, float support)
{
    double axis[TALLY_WATER_BANDS], norm = 0;
    float z[TALLY_WATER_BANDS];

    for (int b = 0; b < water->bands; b++) {
        axis[b] = 1 / water->scale[b];
        norm += axis[b] * axis[b];
    }
    for (int b = 0; b < water->bands; b++)
        axis[b] /= sqrt(norm);
    for (int round = 0; round < 8; round++) {
        const double least = round < 3 ? 0.7 : 0.9;
        double sum[TALLY_WATER_BANDS] = { 0 };
        size_t n = 0;
        for (size_t i = 0; i < sample->n; i++) {
            const float length = scaled(water, sample, i, z);
            double along = 0;
            if (length < CORE) continue;
            for (int b = 0; b < water->bands; b++)
                along += axis[b] * z[b] / length;
            if (along < least) continue;
            for (int b = 0; b < water->bands; b++)
                sum[b] += z[b] / length;
            n++;
        }
        if ((float)n < support * (float)sample->n) break;
        norm = 0;
        for (int b = 0; b < water->bands; b++)
            norm += sum[b] * sum[b];
        for (int b = 0; b < water->bands; b++)
            axis[b] = sum[b] / sqrt(norm);
    }
    for (int b = 0; b < water->bands; b++)
        water->axis[b] = (float)axis[b];
}

static int bin_of(float along)
{
    const float bent = BINS_PER_E * log1pf(fabsf(along) / BIN_KNEE);
    const int bin = ZERO_BIN + (int)floorf(along < 0 ? -bent : bent);
    return bin < 0 ? 0 : bin >= TALLY_WATER_BINS ? TALLY_WATER_BINS - 1 : bin;
}

static float along_axis(const tally_water *water, const float *z)
{
    float along = 0;
    for (int b = 0; b < water->bands; b++)
        along += z[b] * water->axis[b];
    return along;
}

static void fill_bins(tally_water *water, const tally_water_sample *sample, float least,
                      tally_water_from from, unsigned char *bins, float *room)
{
    size_t held[TALLY_WATER_BINS] = { 0 };
    float z[TALLY_WATER_BANDS];

    for (size_t i = 0; i < sample->n; i++) {
        scaled(water, sample, i, z);
        bins[i] = (unsigned char)bin_of(along_axis(water, z));
        held[bins[i]]++;
    }
    for (int k = 0; k < TALLY_WATER_BINS; k++) {
        if (held[k] < 30 || (float)held[k] < least * (float)sample->n) continue;
        if (from == TALLY_WATER_BERTHS && (k < bin_of(-BERTH_REACH) || k > bin_of(BERTH_REACH)))
            continue;
        water->known[k] = true;
        for (int b = 0; b < water->bands; b++) {
            size_t n = 0;
            for (size_t i = 0; i < sample->n; i++) {
                if (bins[i] != k) continue;
                scaled(water, sample, i, z);
                room[n++] = z[b] - along_axis(water, z) * water->axis[b];
            }
            centre_and_spread(room, n, &water->centre[k][b], &water->sigma[k][b]);
            /* what is left in `room` are the distances from the centre: real water has long tails
             */
            const float tail =
                fminf(tally_quantile(room, n, TAIL) / 2, TAIL_MOST * water->sigma[k][b]);
            const float noise = 0.7f * FLOOR * fabsf(water->mean[b]) / water->scale[b];
            const float least_sigma = from == TALLY_WATER_OPEN ? fmaxf(tail, 0.2f) : 0.7f;
            water->sigma[k][b] = fmaxf(water->sigma[k][b], fmaxf(noise, least_sigma));
        }
    }
}

static void copy_bin(tally_water *water, int from, int to)
{
    water->known[to] = true;
    memcpy(water->centre[to], water->centre[from], sizeof water->centre[to]);
    memcpy(water->sigma[to], water->sigma[from], sizeof water->sigma[to]);
}

/* Bins between known ones are mixtures of these; the two beyond either end are their tails. Each
 * takes after the nearest. */
static void spread_bins(tally_water *water)
{
    int low = TALLY_WATER_BINS, high = -1;
    bool known[TALLY_WATER_BINS];

    memcpy(known, water->known, sizeof known);
    for (int k = 0; k < TALLY_WATER_BINS; k++)
        if (known[k]) {
            low = k < low ? k : low;
            high = k;
        }
    if (high < 0) return;
    low = low > 2 ? low - 2 : 0;
    high = high < TALLY_WATER_BINS - 2 ? high + 2 : TALLY_WATER_BINS - 1;
    for (int k = low; k <= high; k++)
        for (int reach = 1; reach < TALLY_WATER_BINS && !water->known[k]; reach++) {
            if (k + reach < TALLY_WATER_BINS && known[k + reach])
                copy_bin(water, k + reach, k);
            else if (k >= reach && known[k - reach])
                copy_bin(water, k - reach, k);
        }
}

/* The share of the sample that one colour must have to be water: more than one ship has. */
static float support_of(const tally_water_sample *sample)
{
    const float area_m2 = (float)sample->n * sample->pixel_m2;
    if (!(area_m2 > 0)) return SUPPORT;
    return fminf(fmaxf(SHIP_M2 / area_m2, SUPPORT), SUPPORT_TOP);
}

tally_status tally_water_learn(tally_water *water, const tally_water_sample *sample, int dark_band,
                               tally_water_from from, tally_error *err)
{
    *water = (tally_water) { .bands = sample->bands };
    if (sample->n < LEAST || dark_band < 0 || dark_band >= sample->bands)
        return tally_fail(err, TALLY_E_NODATA, "%zu pixels of water are seen, %d are needed",
                          sample->n, LEAST);
    float *room = tally_alloc(sample->n, sizeof *room);
    unsigned char *bins = tally_alloc(sample->n, 1);
    tally_status s = room && bins ? TALLY_OK : tally_nomem(err, "a model of water");
    if (s == TALLY_OK) s = find_core(water, sample, dark_band, room);
    if (s == TALLY_OK) {
        find_axis(water, sample, support_of(sample));
        fill_bins(water, sample, support_of(sample), from, bins, room);
        spread_bins(water);
    }
    tally_free(bins);
    tally_free(room);
    return s;
}

static float distance_of(const tally_water *water, const float *z)
{
    const float along = along_axis(water, z);
    const int k = bin_of(along);
    float sum = 0;
    bool darker = true;

    for (int b = 0; b < water->bands; b++)
        darker &= z[b] < 0;
    if (darker) return 0;
    for (int b = 0; b < water->bands; b++) {
        const float off = z[b] - along * water->axis[b];
        const float term = water->known[k] ? (off - water->centre[k][b]) / water->sigma[k][b] : off;
        sum += term * term;
    }
    const float across = sqrtf(sum / (float)water->bands);
    return water->known[k] ? across : along > 0 ? fmaxf(across, BEYOND) : across;
}

tally_status tally_water_distance(const tally_water *water, const tally_patch *patch,
                                  tally_patch *out, tally_error *err)
{
    float z[TALLY_WATER_BANDS];
    tally_status s = tally_patch_init(out, patch->width, patch->height, 1, err);

    if (s != TALLY_OK) return s;
    memcpy(out->valid.bits, patch->valid.bits,
           out->valid.words * (size_t)out->height * sizeof *out->valid.bits);
    for (int y = 0; y < patch->height; y++)
        for (int x = 0; x < patch->width; x++) {
            if (!tally_bits_get(&patch->valid, x, y)) continue;
            for (int b = 0; b < water->bands; b++)
                z[b] = (tally_patch_row(patch, b, y)[x] - water->mean[b]) / water->scale[b];
            tally_patch_row(out, 0, y)[x] = distance_of(water, z);
        }
    return TALLY_OK;
}
