/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The kernels: rows in, rows out. No allocation, no I/O, no dependency; any length including 0; any
 * alignment; nothing is touched outside what the contract names. Bit i of word j of a mask is pixel
 * 64 j + i; bits past n are written 0 and read as 0. The scalar variant is the definition; every
 * variant gives the same bits (floats too: -ffp-contract=off).
 */
#ifndef TALLY_KERNELS_H
#define TALLY_KERNELS_H

#include <stddef.h>
#include <stdint.h>

#define TALLY_MEDIAN_MAX 64

typedef struct tally_span {
    int32_t y, x0, x1; /* half-open */
} tally_span;

typedef struct tally_kernels {
    const char *name;
    /*
     * Fused difference of one row against a background: score[i] = sum over bands b of
     * ((x[b][i] - median[b][i]) * inv_sigma[b][i])^2, sum[i] = sum of the same terms unsquared.
     * Sets bits: above  -> score > threshold;  bright -> above and sum >= 0. Not valid -> 0 in
     * both. score may be NULL (not wanted). bands 1..8.
     */
    void (*diff_bits_f32)(const float *const *x, const float *const *median,
                          const float *const *inv_sigma, int bands, const uint64_t *valid,
                          float threshold, size_t n, uint64_t *above, uint64_t *bright,
                          float *score);
    /* The same on stored integers with gain and offset applied first: value = gain[b] * x +
     * offset[b]. */
    void (*diff_bits_u16)(const uint16_t *const *x, const float *gain, const float *offset,
                          const float *const *median, const float *const *inv_sigma, int bands,
                          const uint64_t *valid, float threshold, size_t n, uint64_t *above,
                          uint64_t *bright, float *score);
    void (*diff_bits_u8)(const uint8_t *const *x, const float *gain, const float *offset,
                         const float *const *median, const float *const *inv_sigma, int bands,
                         const uint64_t *valid, float threshold, size_t n, uint64_t *above,
                         uint64_t *bright, float *score);
    /*
     * Over k <= TALLY_MEDIAN_MAX rows (scenes), per pixel, of the values whose valid bit is set:
     * the median (mean of the middle two), the MAD (median of |v - median|, not scaled), and how
     * many there were. None valid -> 0, 0, 0.
     * A NaN counts as not valid. Rows may not overlap the outputs.
     */
    void (*median_mad_f32)(const float *const *rows, const uint64_t *const *valid, int k, size_t n,
                           float *median, float *mad, uint8_t *count);
    /* The half-sample mode (Robertson and Cryer 1974; Bickel 2002) of the same; of equally narrow
     * halves the middle one. */
    void (*mode_f32)(const float *const *rows, const uint64_t *const *valid, int k, size_t n,
                     float *mode);
    /* dst = src eroded / dilated horizontally by r <= 31 pixels to each side; past the ends is 0.
     * words per row; dst != src.
     * The row's width is not known here: dilation may set bits past it in the last word, which the
     * caller clears. */
    void (*erode_row)(const uint64_t *src, size_t words, int r, uint64_t *dst);
    void (*dilate_row)(const uint64_t *src, size_t words, int r, uint64_t *dst);
    /* dst &= src, dst |= src: vertical erosion and dilation by rows. */
    void (*and_row)(uint64_t *dst, const uint64_t *src, size_t words);
    void (*or_row)(uint64_t *dst, const uint64_t *src, size_t words);
    /* Runs of set bits of a row of n pixels, at most (n + 1) / 2; returns how many. */
    size_t (*bits_to_runs)(const uint64_t *bits, size_t n, int32_t y, tally_span *runs);
    /*
     * Gather along a line: dst[i] = src interpolated at (x + i * dx, y + i * dy) in pixel centres
     * (0.0 = centre of the first pixel), Catmull-Rom cubic where all 16 neighbours lie inside and
     * are valid, bilinear where the 4 do, else dst 0 and bit 0. src: planes `bands` of height rows,
     * stride floats a row, `plane` floats a band; valid: words a row. dst: bands rows of n floats
     * at dst_plane floats from each other. Serves affine resampling and strips alike.
     */
    void (*gather_f32)(const float *src, size_t stride, size_t plane, int bands, int width,
                       int height, const uint64_t *valid, size_t words, double x, double y,
                       double dx, double dy, size_t n, float *dst, size_t dst_plane,
                       uint64_t *dst_valid);
    /* y[i] = gain * x[i] + offset */
    void (*scale_f32)(const float *x, float gain, float offset, size_t n, float *y);
    /* |gradient| by central differences of three rows (above, middle, below); first and last of the
     * row are 0. n >= 0. */
    void (*gradient_f32)(const float *above, const float *middle, const float *below, size_t n,
                         float *dst);
    /* The gradient's direction: x += gx / max(|g|, least), y += gy / max(|g|, least), by central
     * differences as in gradient_f32; the first and last of the row stay. least > 0. */
    void (*direction_f32)(const float *above, const float *middle, const float *below, size_t n,
                          float least, float *x, float *y);
    /* Cross power of interleaved complex rows and the powers of both, added to what is there:
     * cross += conj(a) b; power_a += |a|^2 and power_b += |b|^2, in both places of the pair. */
    void (*cross_power_f32)(const float *a, const float *b, size_t n_complex, float *cross,
                            float *power_a, float *power_b);
    /* Sum and sum of squares in double over valid pixels, eight lanes then a tree; returns how
     * many. */
    size_t (*moments_f32)(const float *x, const uint64_t *valid, size_t n, double *sum,
                          double *sum2);
} tally_kernels;

/* What this CPU and OS can do; no policy. */
#define TALLY_CPU_AVX2   1u
#define TALLY_CPU_AVX512 2u
#define TALLY_CPU_NEON   4u
unsigned tally_cpu_flags(void);
/* The best table for these flags; a pure function. */
const tally_kernels *tally_kernels_select(unsigned cpu);

#endif
