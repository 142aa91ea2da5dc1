/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Pixels in memory: a window of a grid, several bands, and which of its pixels were seen. */
#ifndef TALLY_PATCH_H
#define TALLY_PATCH_H

#include "base/base.h"

/* Half-open window of a grid, in pixels. */
typedef struct tally_box {
    int x0, y0, x1, y1;
} tally_box;

static inline int tally_box_width(tally_box b)
{
    return b.x1 - b.x0;
}
static inline int tally_box_height(tally_box b)
{
    return b.y1 - b.y0;
}
static inline bool tally_box_empty(tally_box b)
{
    return b.x1 <= b.x0 || b.y1 <= b.y0;
}
tally_box tally_box_intersect(tally_box a, tally_box b);
tally_box tally_box_union(tally_box a, tally_box b);
tally_box tally_box_grow(tally_box b, int by);

/* One bit a pixel: bit i of word j is column 64 j + i; bits past the width are 0. */
typedef struct tally_bits {
    int width, height;
    size_t words; /* 64-bit words a row */
    uint64_t *bits;
} tally_bits;

tally_status tally_bits_init(tally_bits *bits, int width, int height,
                             tally_error *err) TALLY_MUST_CHECK;
void tally_bits_fini(tally_bits *bits);
static inline uint64_t *tally_bits_row(const tally_bits *b, int y)
{
    return b->bits + (size_t)y * b->words;
}
static inline bool tally_bits_get(const tally_bits *b, int x, int y)
{
    return tally_bits_row(b, y)[x >> 6] >> (x & 63) & 1;
}
static inline void tally_bits_set(tally_bits *b, int x, int y)
{
    tally_bits_row(b, y)[x >> 6] |= UINT64_C(1) << (x & 63);
}
static inline void tally_bits_clear(tally_bits *b, int x, int y)
{
    tally_bits_row(b, y)[x >> 6] &= ~(UINT64_C(1) << (x & 63));
}
size_t tally_bits_count(const tally_bits *b);

/* Planar float pixels. Where `valid` is 0 the pixel holds 0 and means nothing. */
typedef struct tally_patch {
    int width, height, bands;
    size_t stride; /* floats a row */
    size_t plane;  /* floats a band: stride * height */
    float *pixels;
    tally_bits valid;
} tally_patch;

tally_status tally_patch_init(tally_patch *patch, int width, int height, int bands,
                              tally_error *err) TALLY_MUST_CHECK;
void tally_patch_fini(tally_patch *patch);
static inline float *tally_patch_row(const tally_patch *p, int band, int y)
{
    return p->pixels + (size_t)band * p->plane + (size_t)y * p->stride;
}

#endif
