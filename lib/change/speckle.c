/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Optical images have quiet ground: water, a field, a roof, where neighbours differ by a few
 * percent of the level. Under speckle nothing is quiet: the deviation of an even surface is its
 * level times 0.52 over the square root of the number of looks in amplitude (Goodman 1976),
 * whatever the level. So windows of 8 x 8 pixels are sorted by brightness into eight classes, and
 * in each two shares of the level are taken at the quietest quarter: the deviation, and the
 * roughness (the root mean square of the twisted difference a - b - c + d of neighbouring pixels,
 * halved), which slopes and edges hardly raise. The least of the eight classes decides.
 *
 * In six radar chips (amplitude and intensity, one to about four looks) the deviation was 0.17 to
 * 0.47 and the roughness 0.06 to 0.25; in the bands of Landsat, NAIP, PlanetScope and SWISSIMAGE
 * pictures 0.008 to 0.11 and 0.004 to 0.047; in drawn radar of 4 and 10 looks, blurred by the
 * sensor, 0.11 and 0.06, 0.07 and 0.04. That last one overlaps the optical, but is rough for how
 * much it deviates (0.57; optical bands as rough as that: up to 0.48). Known failures: radar of
 * more than ten looks or filtered passes for optical; a picture that is forest from edge to edge,
 * or so dark that its 8 bits are a few steps, may pass for radar. --method says it instead.
 */
#include "change/speckle.h"

#include <math.h>

enum { SIDE = 8, CLASSES = 8, LEAST_WINDOWS = 64 };
static const double LEAST_VARIATION = 0.13, LEAST_ROUGHNESS = 0.055;
/* less rough, but by noise: no texture is so fine */
static const double LEAST_NOISE = 0.035, NOISE_SHARE = 0.53;

static tally_status make_room(tally_speckle *s, tally_error *err)
{
    if (s->n < s->capacity) return TALLY_OK;
    const size_t capacity = 2 * s->capacity + 256;
    float **const lists[] = { &s->mean, &s->variation, &s->roughness };
    for (int i = 0; i < 3; i++) {
        float *grown = tally_realloc(*lists[i], capacity, sizeof *grown);
        if (!grown) return tally_nomem(err, "the windows of a sample");
        *lists[i] = grown;
    }
    s->capacity = capacity;
    return TALLY_OK;
}

static void measure(tally_speckle *s, const tally_patch *patch, int band, int x0, int y0)
{
    double sum = 0, square = 0, twist = 0;
    int seen = 0;

    for (int y = y0; y < y0 + SIDE; y++) {
        const float *row = tally_patch_row(patch, band, y);
        for (int x = x0; x < x0 + SIDE; x++) {
            seen += tally_bits_get(&patch->valid, x, y);
            sum += (double)row[x];
            square += (double)row[x] * (double)row[x];
            if (x + 1 == x0 + SIDE || y + 1 == y0 + SIDE) continue;
            const float *below = tally_patch_row(patch, band, y + 1);
            const double d =
                (double)row[x] - (double)row[x + 1] - (double)below[x] + (double)below[x + 1];
            twist += d * d / 4;
        }
    }
    const double n = SIDE * SIDE, mean = sum / n;
    if (seen < SIDE * SIDE || !(mean > 0)) return;
    s->mean[s->n] = (float)mean;
    s->variation[s->n] = (float)(sqrt(fmax(square / n - mean * mean, 0)) / mean);
    s->roughness[s->n++] = (float)(sqrt(twist / ((SIDE - 1) * (SIDE - 1))) / mean);
}

tally_status tally_speckle_add(tally_speckle *s, const tally_patch *patch, int band,
                               tally_error *err)
{
    tally_status status = TALLY_OK;

    for (int y0 = 0; y0 + SIDE <= patch->height; y0 += SIDE) {
        for (int x0 = 0; x0 + SIDE <= patch->width && status == TALLY_OK; x0 += SIDE) {
            status = make_room(s, err);
            if (status == TALLY_OK) measure(s, patch, band, x0, y0);
        }
    }
    return status;
}

/* The least of the classes' lower quartiles. `sorted` holds the means in order; room: n floats. */
static double quietest(const tally_speckle *s, const float *value, float *sorted, float *room)
{
    double least = INFINITY;

    for (int c = 0; c < CLASSES; c++) {
        const double from = (double)tally_quantile(sorted, s->n, (double)c / CLASSES);
        const double to = (double)tally_quantile(sorted, s->n, (c + 1.0) / CLASSES);
        size_t n = 0;
        for (size_t i = 0; i < s->n; i++) {
            if ((double)s->mean[i] >= from && (double)s->mean[i] <= to) room[n++] = value[i];
        }
        if (n >= LEAST_WINDOWS / CLASSES)
            least = fmin(least, (double)tally_quantile(room, n, 0.25));
    }
    return isfinite(least) ? least : 0.0;
}

tally_status tally_speckle_found(const tally_speckle *s, bool *out, tally_error *err)
{
    *out = false;
    if (s->n < LEAST_WINDOWS) return TALLY_OK;
    float *sorted = tally_alloc(2 * s->n, sizeof *sorted);
    if (!sorted) return tally_nomem(err, "the windows of a sample");
    for (size_t i = 0; i < s->n; i++)
        sorted[i] = s->mean[i];
    const double variation = quietest(s, s->variation, sorted, sorted + s->n),
                 roughness = quietest(s, s->roughness, sorted, sorted + s->n);
    *out = variation >= LEAST_VARIATION || roughness >= LEAST_ROUGHNESS ||
           (roughness >= LEAST_NOISE && roughness >= NOISE_SHARE * variation);
    tally_free(sorted);
    return TALLY_OK;
}

void tally_speckle_fini(tally_speckle *s)
{
    tally_free(s->mean);
    tally_free(s->variation);
    tally_free(s->roughness);
    *s = (tally_speckle) { 0 };
}
