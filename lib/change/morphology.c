/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Morphology on packed bits with rectangles: a row pass by word shifts, then a column pass by whole
 * rows of words. A rectangle is separable, so both passes together are exact (Serra 1982). Closing
 * runs in a frame that is wider than the structuring element, or its erosion would eat what touches
 * the edge. Known limit: rectangles follow the pixel axes, so an opening takes more from slanting
 * thin objects than from upright ones.
 */
#include <string.h>

#include "change/blobs.h"

#define STEP_MAX 31 /* of the row kernels; wider elements are built from several */

static void clear_past_width(tally_bits *bits)
{
    if (bits->width % 64 == 0) return;
    const uint64_t keep = (UINT64_C(1) << bits->width % 64) - 1;
    for (int y = 0; y < bits->height; y++)
        tally_bits_row(bits, y)[bits->words - 1] &= keep;
}

/* dst = src, row by row through `kernel`, in steps that it can do. */
static void row_pass(void (*kernel)(const uint64_t *, size_t, int, uint64_t *), tally_bits *bits,
                     int rx, uint64_t *line)
{
    for (int left = rx; left > 0; left -= STEP_MAX) {
        for (int y = 0; y < bits->height; y++) {
            uint64_t *row = tally_bits_row(bits, y);
            kernel(row, bits->words, left < STEP_MAX ? left : STEP_MAX, line);
            memcpy(row, line, bits->words * sizeof *row);
        }
        clear_past_width(bits);
    }
}

static tally_status apply(const tally_kernels *k, tally_bits *bits, int rx, int ry, bool grow,
                          tally_error *err)
{
    const size_t row_bytes = bits->words * sizeof(uint64_t);
    tally_bits copy;
    tally_status s;

    if (rx < 0 || ry < 0)
        return tally_fail(err, TALLY_E_ARG, "morphology with a radius of %d x %d", rx, ry);
    if ((s = tally_bits_init(&copy, bits->width, bits->height, err)) != TALLY_OK) return s;
    if (bits->height > 0) {
        row_pass(grow ? k->dilate_row : k->erode_row, bits, rx, copy.bits);
        memcpy(copy.bits, bits->bits, (size_t)bits->height * row_bytes);
    }
    for (int y = 0; ry > 0 && y < bits->height; y++) {
        uint64_t *row = tally_bits_row(bits, y);
        for (int d = -ry; d <= ry; d++) {
            const int from = y + d;
            if (from < 0 || from >= bits->height) {
                if (!grow) memset(row, 0, row_bytes);
            } else if (d != 0) {
                (grow ? k->or_row : k->and_row)(row, tally_bits_row(&copy, from), bits->words);
            }
        }
    }
    tally_bits_fini(&copy);
    return TALLY_OK;
}

tally_status tally_bits_erode(const tally_kernels *k, tally_bits *bits, int rx, int ry,
                              tally_error *err)
{
    return apply(k, bits, rx, ry, false, err);
}

tally_status tally_bits_dilate(const tally_kernels *k, tally_bits *bits, int rx, int ry,
                               tally_error *err)
{
    return apply(k, bits, rx, ry, true, err);
}

tally_status tally_bits_open(const tally_kernels *k, tally_bits *bits, int rx, int ry,
                             tally_error *err)
{
    const tally_status s = tally_bits_erode(k, bits, rx, ry, err);
    return s == TALLY_OK ? tally_bits_dilate(k, bits, rx, ry, err) : s;
}

tally_status tally_bits_close(const tally_kernels *k, tally_bits *bits, int rx, int ry,
                              tally_error *err)
{
    if (rx < 0 || ry < 0)
        return tally_fail(err, TALLY_E_ARG, "morphology with a radius of %d x %d", rx, ry);
    const int pad_words = (rx + 63) / 64;
    const size_t row_bytes = bits->words * sizeof(uint64_t);
    tally_bits frame;
    tally_status s;

    if ((s = tally_bits_init(&frame, bits->width + 128 * pad_words, bits->height + 2 * ry, err)) !=
        TALLY_OK)
        return s;
    for (int y = 0; y < bits->height; y++)
        memcpy(tally_bits_row(&frame, y + ry) + pad_words, tally_bits_row(bits, y), row_bytes);
    if ((s = tally_bits_dilate(k, &frame, rx, ry, err)) == TALLY_OK)
        s = tally_bits_erode(k, &frame, rx, ry, err);
    for (int y = 0; s == TALLY_OK && y < bits->height; y++)
        memcpy(tally_bits_row(bits, y), tally_bits_row(&frame, y + ry) + pad_words, row_bytes);
    if (s == TALLY_OK) clear_past_width(bits);
    tally_bits_fini(&frame);
    return s;
}
