/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Relative radiometry: reference = gain x + offset, per band, from ground that both scenes show.
 *
 * A line (reduced major axis) through pixels of the tie windows, taken again three times without
 * those whose residual exceeds 2.5 robust deviations: what changed (a lorry, a cloud's rim, melting
 * snow) does not vote, nor does what is saturated or clipped dark in either. As in the
 * pseudo-invariant features of Schott, Salvaggio and Volchok (1988,
 * doi:10.1016/0034-4257(88)90116-2), without choosing them by hand.
 *
 * Scenes of one family may come in other units (reflectance as 0 to 1 or times 10000): then medians
 * and spreads stand in the same far ratio, and that ratio is the gain.
 *
 * Known failures: thick haze over all windows gives a small gain and a large offset, which later
 * rooms read as haze; a scene half under snow has no single line.
 */
#include "align/radiometry.h"
#include "align/ties.h"

#include <math.h>

enum { STRIDE = 3, ROUNDS = 4, LEAST_PIXELS = 200 };
static const double TRIM = 2.5; /* robust deviations; the usual cut of a Huber-type estimate */
static const double LEAST_GAIN = 0.2,
                    MOST_GAIN =
                        5; /* beyond this, in one unit, two scenes do not show the same ground */

typedef struct pairs {
    const float *x, *y, *residual;
    size_t n;
} pairs;

static size_t collect(const tally_ties *ties, const tally_patch *moving, int band, float *to_x,
                      float *to_y)
{
    size_t n = 0;
    for (size_t i = 0; i < ties->n; i++) {
        const tally_patch *a = &ties->pixels[i], *b = &moving[i];
        if (a->width != b->width || a->height != b->height || !a->pixels || !b->pixels) continue;
        for (int y = 0; y < a->height; y += STRIDE)
            for (int x = 0; x < a->width; x += STRIDE) {
                if (!tally_bits_get(&ties->ground[i], x, y) || !tally_bits_get(&a->valid, x, y) ||
                    !tally_bits_get(&b->valid, x, y))
                    continue;
                to_x[n] = tally_patch_row(b, band, y)[x];
                to_y[n++] = tally_patch_row(a, band, y)[x];
            }
    }
    return n;
}

/*
 * The reduced major axis through the pairs whose last residual lies within `cut`: both scenes are
 * noisy, and least squares would blame it all on one of them and flatten the gain.
 */
static bool fit_line(const pairs *p, double cut, double *gain, double *offset)
{
    double n = 0, mx = 0, my = 0, xx = 0, yy = 0, xy = 0;
    for (size_t i = 0; i < p->n; i++)
        if (fabsf(p->residual[i]) <= cut) n++, mx += p->x[i], my += p->y[i];
    if (n < LEAST_PIXELS / 2) return false;
    mx /= n;
    my /= n;
    for (size_t i = 0; i < p->n; i++)
        if (fabsf(p->residual[i]) <= cut) {
            double dx = p->x[i] - mx, dy = p->y[i] - my;
            xx += dx * dx;
            yy += dy * dy;
            xy += dx * dy;
        }
    if (!(xx > 0 && yy > 0 && xy > 0)) return false;
    *gain = sqrt(yy / xx);
    *offset = my - *gain * mx;
    return true;
}

/* Median and robust deviation; scratch has room for n. */
static void middle_of(const float *v, size_t n, float *scratch, double *middle, double *sigma)
{
    for (size_t i = 0; i < n; i++)
        scratch[i] = v[i];
    *middle = tally_median(scratch, n);
    for (size_t i = 0; i < n; i++)
        scratch[i] = fabsf(v[i] - (float)*middle);
    *sigma = 1.4826 * tally_median(scratch, n);
}

double tally_radiometry_fit(const float *x, const float *y, float *residual, float *scratch,
                            size_t n, double *gain, double *offset)
{
    const pairs p = { .x = x, .y = y, .residual = residual, .n = n };
    double mx, my, sx, sy, sigma = NAN;
    *gain = 1;
    *offset = 0;
    if (n < LEAST_PIXELS) return NAN;
    /* start from medians and spreads, which half a scene of cloud cannot pull away */
    middle_of(x, n, scratch, &mx, &sx);
    middle_of(y, n, scratch, &my, &sy);
    if (!(sx > 0 && sy > 0)) return NAN;
    double g = sy / sx, o = my - g * mx;
    for (int round = 0; round < ROUNDS; round++) {
        double middle;
        for (size_t i = 0; i < n; i++)
            residual[i] = (float)(y[i] - (g * x[i] + o));
        middle_of(residual, n, scratch, &middle, &sigma);
        for (size_t i = 0; i < n; i++)
            residual[i] -= (float)middle;
        o += middle;
        if (round + 1 < ROUNDS && !fit_line(&p, TRIM * sigma + 1e-6, &g, &o)) return NAN;
    }
    *gain = g;
    *offset = o;
    return sigma;
}

/* Leave out what either scene clipped; returns how many pairs are left. */
static size_t drop_clipped(float *x, float *y, size_t n)
{
    float low[2], high[2];
    size_t kept = 0;

    tally_unclipped(x, n, &low[0], &high[0]);
    tally_unclipped(y, n, &low[1], &high[1]);
    for (size_t i = 0; i < n; i++) {
        if (!(x[i] > low[0] && x[i] < high[0] && y[i] > low[1] && y[i] < high[1])) continue;
        x[kept] = x[i];
        y[kept++] = y[i];
    }
    return kept;
}

static bool in_range(double ratio)
{
    return ratio >= LEAST_GAIN && ratio <= MOST_GAIN;
}

/* To 1e-6 of its size, so that a library's last bit cannot move a count. */
static float rounded(double v)
{
    double unit = 1e6;
    while (fabs(v) * unit < 1e5 && unit < 1e30)
        unit *= 10;
    return (float)tally_round_to(v, unit);
}

/* Is the gain one between units: beyond the range, but so are the medians, as far and no farther?
 */
static bool is_unit(const float *x, const float *y, float *scratch, size_t n, double gain)
{
    double mx, my, sigma;
    middle_of(x, n, scratch, &mx, &sigma);
    middle_of(y, n, scratch, &my, &sigma);
    return mx > 0 && my > 0 && !in_range(my / mx) && in_range(gain / (my / mx));
}

/* Do the medians say that the scenes are in one unit? */
static bool is_one_unit(const float *x, const float *y, float *scratch, size_t n)
{
    double mx, my, sigma;
    middle_of(x, n, scratch, &mx, &sigma);
    middle_of(y, n, scratch, &my, &sigma);
    return !(fabs(my) > 1000 * fabs(mx)) && !(fabs(mx) > 1000 * fabs(my));
}

/*
 * The deviation of a normal residual, whatever lies beyond TRIM of it: the median of |r| within the
 * last cut, until it stands. The plain MAD of all grows with the share of ground that changed or
 * stands under an unmasked cloud (by a quarter at 16 %).
 */
static double core_sigma(const float *residual, size_t n, float *scratch, double sigma)
{
    /* the median of |z| of a normal deviate that is cut at 2.5 */
    static const double CUT_MEDIAN = 0.66475;
    enum { CUTS = 20 };
    for (int i = 0; i < CUTS; i++) {
        size_t kept = 0;
        const double cut = TRIM * sigma + 1e-6;
        for (size_t k = 0; k < n; k++)
            if (fabsf(residual[k]) <= cut) scratch[kept++] = fabsf(residual[k]);
        if (kept == 0) break;
        const double next = tally_median(scratch, kept) / CUT_MEDIAN;
        if (fabs(next - sigma) <= 1e-4 * sigma) return next;
        sigma = next;
    }
    return sigma;
}

tally_status tally_ties_radiometry(const tally_ties *ties, const tally_patch *moving, int n_bands,
                                   float *gain, float *offset, float *noise, tally_error *err)
{
    size_t most = ties->n * (TALLY_TIE_SIZE / STRIDE + 1) * (TALLY_TIE_SIZE / STRIDE + 1);
    float *x = tally_alloc(most, sizeof *x), *y = tally_alloc(most, sizeof *y);
    float *residual = tally_alloc(most, sizeof *residual);
    float *scratch = tally_alloc(most, sizeof *scratch);
    bool room = x && y && residual && scratch;
    double total = 0;
    bool related = true;
    for (int b = 0; b < n_bands && room; b++) {
        double g, o;
        const size_t n = drop_clipped(x, y, collect(ties, moving, b, x, y));
        double sigma = tally_radiometry_fit(x, y, residual, scratch, n, &g, &o);
        if (!isfinite(sigma) || (!in_range(g) && !is_unit(x, y, scratch, n, g))) {
            g = 1, o = 0;
            related &= n < LEAST_PIXELS || is_one_unit(x, y, scratch, n);
        }
        gain[b] = rounded(g);
        offset[b] = (float)tally_round_to(o, 1e6);
        if (isfinite(sigma)) total += core_sigma(residual, n, scratch, sigma);
    }
    *noise = (float)(total / n_bands);
    tally_free(x);
    tally_free(y);
    tally_free(residual);
    tally_free(scratch);
    if (!room) return tally_nomem(err, "radiometry");
    return related ? TALLY_OK
                   : tally_fail(err, TALLY_E_NO_MATCH,
                                "its brightness cannot be related to the reference's");
}
