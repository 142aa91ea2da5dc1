/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Sub-pixel sampling along a line: Catmull-Rom where its 16 pixels are there, else bilinear, else
 * nothing. */
#include <math.h>
#include <string.h>

#include "kernels/variants.h"

/* Are the bits x0..x0+3 of a row all set? The caller has made sure that they lie inside. */
static int four_valid(const uint64_t *row, int x0)
{
    const size_t word = (size_t)x0 >> 6;
    const int shift = x0 & 63;
    uint64_t bits = row[word] >> shift;

    if (shift > 60) bits |= row[word + 1] << (64 - shift);
    return (bits & 15) == 15;
}

static void cubic_weights(float t, float w[4])
{
    w[0] = t * (-0.5f + t * (1.0f - 0.5f * t));
    w[1] = 1.0f + t * t * (-2.5f + 1.5f * t);
    w[2] = t * (0.5f + t * (2.0f - 1.5f * t));
    w[3] = t * t * (-0.5f + 0.5f * t);
}

static float cubic(const float *at, size_t stride, const float wx[4], const float wy[4])
{
    float column[4];

    for (int c = 0; c < 4; c++)
        column[c] = wy[0] * at[c] + wy[1] * at[stride + (size_t)c] +
                    wy[2] * at[2 * stride + (size_t)c] + wy[3] * at[3 * stride + (size_t)c];
    return (wx[0] * column[0] + wx[1] * column[1]) + (wx[2] * column[2] + wx[3] * column[3]);
}

/* A pixel of the bilinear four: 0 where it has no weight, so that it need not exist. */
static float tap(const float *src, size_t stride, int x, int y, int wanted)
{
    return wanted ? src[(size_t)y * stride + (size_t)x] : 0.0f;
}

static int tap_valid(const uint64_t *valid, size_t words, int width, int height, int x, int y)
{
    if (x >= width || y >= height) return 0;
    return valid[(size_t)y * words + ((size_t)x >> 6)] >> (x & 63) & 1;
}

void tally_gather_f32_scalar(const float *src, size_t stride, size_t plane, int bands, int width,
                             int height, const uint64_t *valid, size_t words, double x, double y,
                             double dx, double dy, size_t n, float *dst, size_t dst_plane,
                             uint64_t *dst_valid)
{
    memset(dst_valid, 0, (n + 63) / 64 * sizeof *dst_valid);
    for (size_t i = 0; i < n; i++) {
        const double px = x + (double)i * dx, py = y + (double)i * dy;

        for (int b = 0; b < bands; b++)
            dst[(size_t)b * dst_plane + i] = 0.0f;
        if (!(px >= 0.0 && py >= 0.0 && px <= (double)width - 1.0 && py <= (double)height - 1.0))
            continue;
        const int ix = (int)px, iy = (int)py;
        const float fx = (float)(px - ix), fy = (float)(py - iy);

        if (ix >= 1 && iy >= 1 && ix + 2 < width && iy + 2 < height) {
            const uint64_t *row = valid + (size_t)(iy - 1) * words;
            if (four_valid(row, ix - 1) && four_valid(row + words, ix - 1) &&
                four_valid(row + 2 * words, ix - 1) && four_valid(row + 3 * words, ix - 1)) {
                float wx[4], wy[4];
                cubic_weights(fx, wx);
                cubic_weights(fy, wy);
                const float *at = src + (size_t)(iy - 1) * stride + (size_t)(ix - 1);
                for (int b = 0; b < bands; b++)
                    dst[(size_t)b * dst_plane + i] = cubic(at + (size_t)b * plane, stride, wx, wy);
                dst_valid[i >> 6] |= UINT64_C(1) << (i & 63);
                continue;
            }
        }
        const int right = fx > 0.0f, below = fy > 0.0f;
        if (!tap_valid(valid, words, width, height, ix, iy) ||
            (right && !tap_valid(valid, words, width, height, ix + 1, iy)) ||
            (below && !tap_valid(valid, words, width, height, ix, iy + 1)) ||
            (right && below && !tap_valid(valid, words, width, height, ix + 1, iy + 1)))
            continue;
        for (int b = 0; b < bands; b++) {
            const float *band = src + (size_t)b * plane;
            const float top = (1.0f - fx) * tap(band, stride, ix, iy, 1) +
                              fx * tap(band, stride, ix + 1, iy, right);
            const float low = (1.0f - fx) * tap(band, stride, ix, iy + 1, below) +
                              fx * tap(band, stride, ix + 1, iy + 1, right && below);
            dst[(size_t)b * dst_plane + i] = (1.0f - fy) * top + fy * low;
        }
        dst_valid[i >> 6] |= UINT64_C(1) << (i & 63);
    }
}
