/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Optical images have quiet ground: water, a field, a roof, where neighbours differ by a few
 * percent of the level. Under speckle nothing is quiet: the deviation of an even surface is its
 * level times 0.52 over the square root of the number of looks in amplitude (Goodman 1976),
 * whatever the level. So windows of 8 x 8 pixels are sorted by brightness into eight classes, and
 * in each the coefficient of variation of the quietest quarter is taken; the least of the eight
 * decides.
 *
 * It was 0.17 to 0.47 in six radar chips (amplitude and intensity, one to about four looks) and
 * 0.008 to 0.09 in the bands of Landsat, NAIP, PlanetScope and SWISSIMAGE pictures. Known failures:
 * radar that was averaged over more than 16 looks or filtered passes for optical; a picture that is
 * forest from edge to edge may pass for radar. --method says it instead.
 */
#include "change/speckle.h"

#include <math.h>

enum { SIDE = 8, CLASSES = 8, LEAST_WINDOWS = 64 };
static const double LEAST_OF_SPECKLE = 0.13; /* 16 looks in amplitude, 60 in intensity */

static tally_status add_window(tally_speckle *s, double mean, double deviation, tally_error *err)
{
    if (s->n == s->capacity) {
        const size_t capacity = 2 * s->capacity + 256;
        float *m = tally_realloc(s->mean, capacity, sizeof *m);
        if (m) s->mean = m;
        float *d = m ? tally_realloc(s->deviation, capacity, sizeof *d) : NULL;
        if (!d) return tally_nomem(err, "the windows of a sample");
        s->deviation = d;
        s->capacity = capacity;
    }
    s->mean[s->n] = (float)mean;
    s->deviation[s->n++] = (float)deviation;
    return TALLY_OK;
}

tally_status tally_speckle_add(tally_speckle *s, const tally_patch *patch, int band,
                               tally_error *err)
{
    tally_status status = TALLY_OK;

    for (int y0 = 0; y0 + SIDE <= patch->height; y0 += SIDE) {
        for (int x0 = 0; x0 + SIDE <= patch->width && status == TALLY_OK; x0 += SIDE) {
            double sum = 0, square = 0;
            int seen = 0;
            for (int y = y0; y < y0 + SIDE; y++) {
                const float *row = tally_patch_row(patch, band, y);
                for (int x = x0; x < x0 + SIDE; x++) {
                    seen += tally_bits_get(&patch->valid, x, y);
                    sum += (double)row[x];
                    square += (double)row[x] * (double)row[x];
                }
            }
            const double n = SIDE * SIDE, mean = sum / n;
            if (seen == SIDE * SIDE && mean > 0)
                status = add_window(s, mean, sqrt(fmax(square / n - mean * mean, 0)), err);
        }
    }
    return status;
}

double tally_speckle_quietest(tally_speckle *s)
{
    double least = INFINITY;
    float *room;

    if (s->n < LEAST_WINDOWS || !(room = tally_alloc(2 * s->n, sizeof *room))) return NAN;
    float *sorted = room + s->n;
    for (size_t i = 0; i < s->n; i++)
        sorted[i] = s->mean[i];
    for (int c = 0; c < CLASSES; c++) {
        const double from = (double)tally_quantile(sorted, s->n, (double)c / CLASSES);
        const double to = (double)tally_quantile(sorted, s->n, (c + 1.0) / CLASSES);
        size_t n = 0;
        for (size_t i = 0; i < s->n; i++) {
            if ((double)s->mean[i] >= from && (double)s->mean[i] <= to)
                room[n++] = s->deviation[i] / s->mean[i];
        }
        if (n >= LEAST_WINDOWS / CLASSES)
            least = fmin(least, (double)tally_quantile(room, n, 0.25));
    }
    tally_free(room);
    return isfinite(least) ? least : NAN;
}

bool tally_speckle_is(double quietest)
{
    return quietest >= LEAST_OF_SPECKLE;
}

void tally_speckle_fini(tally_speckle *s)
{
    tally_free(s->mean);
    tally_free(s->deviation);
    *s = (tally_speckle) { 0 };
}
