/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Orientation images (Fitch, Kadyrov, Christmas and Kittler 2002, Orientation correlation, BMVC):
 * of each band's gradient only the direction is kept, so a bright roof's outline counts for no more
 * than a footpath's, and gain, offset and haze drop out. A gradient weaker than a tenth of the
 * window's root mean square is not lengthened to full: it is noise. Directions are summed over the
 * visible bands, where edges agree, and kept apart for the last quarter of the bands (near infrared
 * in most products), where plants are bright and many edges turn round.
 *
 * Chosen on the validation sets and, unlike those, the fixtures: error of the shift, rms px, of the
 * gradient's magnitude (what was here before), the gradient clipped at half its rms, and this:
 * rail_3m .075, .047, .046; oil_3m .081, .063, .062; port .052, .035, .029; tumangang_0.5m .27,
 * .14, .13; rajin_0.5m .16, .11, .08; vostochny_3m .14, .09, .08. A tenth or three hundredths makes
 * no difference. One sum over all bands is worse where infrared differs (tumangang_3m .10, not
 * .08), four images of their own are no better and cost twice as much. Doubled angles, which do not
 * care about light against dark, lose more than they win (rail_3m .060).
 *
 * The whole gradient is linear in the image, so a shift leaves nothing but a phase: under one light
 * it is three to ten times as exact (known shifts of real images, 20 dB: .0025 against .008 px in
 * nine windows), and under another it follows what is brightest. Which is the case the windows
 * tell (place.c).
 *
 * Known failures: a shadow's edge has a direction like any other, and wanders with the sun.
 */
#include "align/edges.h"

#include <math.h>
#include <string.h>

/* Of the rms gradient: what is weaker is not lengthened. Nothing is when all are weaker. */
static const double WEAKEST[] = { [TALLY_EDGE_DIRECTIONS] = 0.1, [TALLY_EDGE_GRADIENTS] = 1e4 };

int tally_edge_images(int bands)
{
    return bands > 1 ? 4 : 2;
}

/* The bands that are kept apart, from this one on. */
static int second_group(int bands)
{
    const int last = bands / 4 > 1 ? bands / 4 : 1;
    return bands > 1 ? bands - last : bands;
}

void tally_edge_usable(const tally_kernels *k, const tally_bits *ground, const tally_patch *a,
                       const tally_patch *b, tally_bits *out)
{
    uint64_t rows[3][TALLY_EDGE_SIDE / 64], wide[TALLY_EDGE_SIDE / 64];
    for (int y = 0; y < out->height; y++) {
        for (int d = -1; d <= 1; d++) {
            const int from = y + d < 0 ? 0 : y + d >= out->height ? out->height - 1 : y + d;
            for (size_t w = 0; w < out->words; w++)
                rows[d + 1][w] = tally_bits_row(&a->valid, from)[w] &
                                 (b ? tally_bits_row(&b->valid, from)[w] : UINT64_MAX);
        }
        k->and_row(rows[0], rows[1], out->words);
        k->and_row(rows[0], rows[2], out->words);
        k->erode_row(rows[0], out->words, 1, wide);
        for (size_t w = 0; w < out->words; w++)
            tally_bits_row(out, y)[w] =
                wide[w] & (ground ? tally_bits_row(ground, y)[w] : UINT64_MAX);
    }
}

float tally_edge_weights(const tally_bits *usable, int taper, float *weight)
{
    const int n = usable->width;
    double fade[TALLY_EDGE_SIDE], all = 0, shown = 0;
    for (int i = 0; i < n; i++) {
        const double inside = fmin(i, n - 1 - i) + 0.5;
        fade[i] = inside < taper ? 0.5 - 0.5 * cos(M_PI * inside / taper) : 1;
        all += fade[i];
    }
    for (int y = 0; y < n; y++)
        for (int x = 0; x < n; x++) {
            const double w = tally_bits_get(usable, x, y) ? fade[x] * fade[y] : 0;
            weight[y * n + x] = (float)w;
            shown += w;
        }
    return (float)(shown / (all * all));
}

/* Root mean square of a band's gradient under the weights. */
static double gradient_rms(const tally_kernels *k, const tally_patch *p, int band,
                           const float *weight)
{
    float row[TALLY_EDGE_SIDE];
    double square = 0, total = 0;
    const int n = p->width;
    for (int y = 1; y + 1 < n; y++) {
        float square_row = 0, total_row = 0;
        k->gradient_f32(tally_patch_row(p, band, y - 1), tally_patch_row(p, band, y),
                        tally_patch_row(p, band, y + 1), (size_t)n, row);
        for (int x = 0; x < n; x++) {
            square_row += weight[y * n + x] * row[x] * row[x];
            total_row += weight[y * n + x];
        }
        square += (double)square_row;
        total += (double)total_row;
    }
    return sqrt(square / (total + 1e-30));
}

void tally_edges(const tally_kernels *k, const tally_patch *p, const float *weight,
                 tally_edge_kind kind, float *out)
{
    const int n = p->width, images = tally_edge_images(p->bands);
    const size_t plane = (size_t)n * (size_t)n;
    memset(out, 0, (size_t)images * plane * sizeof *out);
    for (int b = 0; b < p->bands; b++) {
        const float least = (float)fmax(WEAKEST[kind] * gradient_rms(k, p, b, weight), 1e-12);
        float *right = out + (b < second_group(p->bands) ? 0 : 2 * plane), *down = right + plane;
        for (int y = 1; y + 1 < n; y++)
            k->direction_f32(tally_patch_row(p, b, y - 1), tally_patch_row(p, b, y),
                             tally_patch_row(p, b, y + 1), (size_t)n, least, right + y * n,
                             down + y * n);
    }
    for (int i = 0; i < images; i++)
        for (size_t j = 0; j < plane; j++)
            out[(size_t)i * plane + j] *= weight[j];
}
