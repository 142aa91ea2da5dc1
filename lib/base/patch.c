/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "base/patch.h"

static int least(int a, int b)
{
    return a < b ? a : b;
}
static int most(int a, int b)
{
    return a > b ? a : b;
}

tally_box tally_box_intersect(tally_box a, tally_box b)
{
    tally_box c = { most(a.x0, b.x0), most(a.y0, b.y0), least(a.x1, b.x1), least(a.y1, b.y1) };
    if (tally_box_empty(c)) c = (tally_box) { 0, 0, 0, 0 };
    return c;
}

tally_box tally_box_union(tally_box a, tally_box b)
{
    if (tally_box_empty(a)) return b;
    if (tally_box_empty(b)) return a;
    return (tally_box) { least(a.x0, b.x0), least(a.y0, b.y0), most(a.x1, b.x1), most(a.y1, b.y1) };
}

tally_box tally_box_grow(tally_box b, int by)
{
    return (tally_box) { b.x0 - by, b.y0 - by, b.x1 + by, b.y1 + by };
}

tally_status tally_bits_init(tally_bits *bits, int width, int height, tally_error *err)
{
    *bits = (tally_bits) { 0 };
    if (width < 0 || height < 0)
        return tally_fail(err, TALLY_E_ARG, "a mask of %d x %d pixels", width, height);
    size_t words = ((size_t)width + 63) / 64;
    uint64_t *memory = tally_alloc(words * (size_t)height, sizeof *memory);
    if (!memory) return tally_nomem(err, "a mask");
    *bits = (tally_bits) { .width = width, .height = height, .words = words, .bits = memory };
    return TALLY_OK;
}

void tally_bits_fini(tally_bits *bits)
{
    tally_free(bits->bits);
    *bits = (tally_bits) { 0 };
}

size_t tally_bits_count(const tally_bits *b)
{
    size_t n = 0;
    for (size_t i = 0; i < b->words * (size_t)b->height; i++)
        n += (size_t)__builtin_popcountll(b->bits[i]);
    return n;
}

tally_status tally_patch_init(tally_patch *patch, int width, int height, int bands,
                              tally_error *err)
{
    *patch = (tally_patch) { 0 };
    if (width < 0 || height < 0 || bands < 1)
        return tally_fail(err, TALLY_E_ARG, "a window of %d x %d pixels, %d bands", width, height,
                          bands);
    size_t stride = ((size_t)width + 15) / 16 * 16, plane = stride * (size_t)height;
    if (plane > PTRDIFF_MAX / sizeof(float) / (size_t)bands)
        return tally_fail(err, TALLY_E_NOMEM, "a window of %d x %d pixels, %d bands, is too large",
                          width, height, bands);
    float *pixels = tally_alloc(plane * (size_t)bands, sizeof *pixels);
    if (!pixels) return tally_nomem(err, "a window of pixels");
    tally_status s = tally_bits_init(&patch->valid, width, height, err);
    if (s != TALLY_OK) {
        tally_free(pixels);
        return s;
    }
    patch->width = width;
    patch->height = height;
    patch->bands = bands;
    patch->stride = stride;
    patch->plane = plane;
    patch->pixels = pixels;
    return TALLY_OK;
}

void tally_patch_fini(tally_patch *patch)
{
    tally_free(patch->pixels);
    tally_bits_fini(&patch->valid);
    *patch = (tally_patch) { 0 };
}
