/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Squared z-score of a pixel over its bands, against a threshold, straight to bits. */
#include <string.h>

#include "kernels/variants.h"

/* One pixel's verdict, bit by bit into the masks, which start out as zero. */
static void judge(float score, float sum, float threshold, uint64_t valid, size_t i,
                  uint64_t *above, uint64_t *bright, float *out)
{
    const uint64_t bit = UINT64_C(1) << (i & 63);
    const int seen = (valid & bit) != 0;

    if (out) out[i] = seen ? score : 0.0f;
    if (!seen || !(score > threshold)) return;
    above[i >> 6] |= bit;
    if (sum >= 0.0f) bright[i >> 6] |= bit;
}

void tally_diff_bits_f32_scalar(const float *const *x, const float *const *median,
                                const float *const *inv_sigma, int bands, const uint64_t *valid,
                                float threshold, size_t n, uint64_t *above, uint64_t *bright,
                                float *score)
{
    const size_t bytes = (n + 63) / 64 * sizeof *above;

    memset(above, 0, bytes);
    memset(bright, 0, bytes);
    for (size_t i = 0; i < n; i++) {
        float total = 0.0f, sum = 0.0f;
        for (int b = 0; b < bands; b++) {
            const float z = (x[b][i] - median[b][i]) * inv_sigma[b][i];
            total += z * z;
            sum += z;
        }
        judge(total, sum, threshold, valid[i >> 6], i, above, bright, score);
    }
}

void tally_diff_bits_u16_scalar(const uint16_t *const *x, const float *gain, const float *offset,
                                const float *const *median, const float *const *inv_sigma,
                                int bands, const uint64_t *valid, float threshold, size_t n,
                                uint64_t *above, uint64_t *bright, float *score)
{
    const size_t bytes = (n + 63) / 64 * sizeof *above;

    memset(above, 0, bytes);
    memset(bright, 0, bytes);
    for (size_t i = 0; i < n; i++) {
        float total = 0.0f, sum = 0.0f;
        for (int b = 0; b < bands; b++) {
            const float z = (gain[b] * (float)x[b][i] + offset[b] - median[b][i]) * inv_sigma[b][i];
            total += z * z;
            sum += z;
        }
        judge(total, sum, threshold, valid[i >> 6], i, above, bright, score);
    }
}

void tally_diff_bits_u8_scalar(const uint8_t *const *x, const float *gain, const float *offset,
                               const float *const *median, const float *const *inv_sigma, int bands,
                               const uint64_t *valid, float threshold, size_t n, uint64_t *above,
                               uint64_t *bright, float *score)
{
    const size_t bytes = (n + 63) / 64 * sizeof *above;

    memset(above, 0, bytes);
    memset(bright, 0, bytes);
    for (size_t i = 0; i < n; i++) {
        float total = 0.0f, sum = 0.0f;
        for (int b = 0; b < bands; b++) {
            const float z = (gain[b] * (float)x[b][i] + offset[b] - median[b][i]) * inv_sigma[b][i];
            total += z * z;
            sum += z;
        }
        judge(total, sum, threshold, valid[i >> 6], i, above, bright, score);
    }
}
