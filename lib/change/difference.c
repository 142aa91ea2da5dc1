/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The difference of a scene from its background in units of noise: the sum over the bands of
 * squared z-scores, which under the noise model follows a chi-square law with as many degrees of
 * freedom as there are bands. The threshold is that law's tail at a false-alarm rate a pixel. Known
 * failures: shadows and haze are change, too (counters tell them apart by the sign and by their
 * place); bands are correlated, so the true rate lies above the stated one.
 */
#include <math.h>

#include "change/background.h"
#include "kernels/kernels.h"

/* Tail of the chi-square law, closed form: erfc and a finite sum for odd k, a finite sum for even k
 * (Abramowitz and Stegun 1964, 26.4.4 and 26.4.5). */
double tally_chi_square_tail(double x, int k)
{
    double tail = k % 2 ? erfc(sqrt(0.5 * x)) : exp(-0.5 * x);
    double term = k % 2 ? sqrt(2.0 * x / M_PI) * exp(-0.5 * x) : 0.5 * x * exp(-0.5 * x);

    for (int i = k % 2 ? 1 : 2; i + 1 < k + (k + 1) % 2; i += 2) {
        tail += term;
        term *= x / (i + 2);
    }
    return tail;
}

float tally_threshold_far(double rate, int n_bands)
{
    double low = 0.0, high = 1500.0;

    for (int i = 0; i < 80; i++) {
        const double middle = 0.5 * (low + high);
        if (tally_chi_square_tail(middle, n_bands) > rate)
            low = middle;
        else
            high = middle;
    }
    return (float)(0.5 * (low + high));
}

static void invert(const float *sigma, size_t n, float *out)
{
    for (size_t i = 0; i < n; i++)
        out[i] = sigma[i] > 0.0f ? 1.0f / sigma[i] : 0.0f;
}

tally_status tally_difference(const tally_context *ctx, const tally_patch *scene,
                              const tally_patch *centre, const tally_patch *sigma, float threshold,
                              tally_bits *above, tally_bits *bright, tally_patch *score,
                              tally_error *err)
{
    const int width = scene->width, height = scene->height, bands = scene->bands;
    float *inverse = NULL;
    uint64_t *seen = NULL;
    tally_status s;

    *above = *bright = (tally_bits) { 0 };
    if (score) *score = (tally_patch) { 0 };
    if (bands < 1 || bands > 8 || centre->width != width || centre->height != height ||
        centre->bands != bands || sigma->width != width || sigma->height != height ||
        sigma->bands != bands)
        return tally_fail(err, TALLY_E_ARG,
                          "a scene of %d x %d x %d against a background of %d x %d x %d", width,
                          height, bands, centre->width, centre->height, centre->bands);
    if ((s = tally_bits_init(above, width, height, err)) != TALLY_OK) goto out;
    if ((s = tally_bits_init(bright, width, height, err)) != TALLY_OK) goto out;
    if (score && (s = tally_patch_init(score, width, height, 1, err)) != TALLY_OK) goto out;
    inverse = tally_alloc((size_t)width * (size_t)bands + 1, sizeof *inverse);
    seen = tally_alloc(above->words + 1, sizeof *seen);
    if (!inverse || !seen) {
        s = tally_nomem(err, "a row of a difference");
        goto out;
    }
    for (int y = 0; y < height; y++) {
        const float *x[8], *m[8], *inv[8];
        for (int b = 0; b < bands; b++) {
            float *row = inverse + (size_t)b * (size_t)width;
            invert(tally_patch_row(sigma, b, y), (size_t)width, row);
            x[b] = tally_patch_row(scene, b, y);
            m[b] = tally_patch_row(centre, b, y);
            inv[b] = row;
        }
        for (size_t j = 0; j < above->words; j++)
            seen[j] = tally_bits_row(&scene->valid, y)[j] & tally_bits_row(&centre->valid, y)[j];
        if (score) {
            for (size_t j = 0; j < above->words; j++)
                tally_bits_row(&score->valid, y)[j] = seen[j];
        }
        ctx->kernels->diff_bits_f32(x, m, inv, bands, seen, threshold, (size_t)width,
                                    tally_bits_row(above, y), tally_bits_row(bright, y),
                                    score ? tally_patch_row(score, 0, y) : NULL);
    }
out:
    if (s != TALLY_OK) {
        tally_bits_fini(above);
        tally_bits_fini(bright);
        if (score) tally_patch_fini(score);
    }
    tally_free(seen);
    tally_free(inverse);
    return s;
}
