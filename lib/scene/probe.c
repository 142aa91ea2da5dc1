/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Is the whole file there? A broken transfer mostly shows as blocks that point beyond the end:
 * their places are in the TIFF's directory, so that this costs no decoding. What lies within is not
 * read here; a block that does not decode shows when its window is read. Other formats: the last
 * block is read.
 */
#include <cpl_error.h>
#include <cpl_vsi.h>
#include <gdal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "scene/draft.h"
#include "scene/mask.h"
#include "site/crs.h"

static GUIntBig entry(GDALRasterBandH band, const char *what, int x, int y)
{
    char key[64];
    snprintf(key, sizeof key, "%s_%d_%d", what, x, y);
    const char *value = GDALGetMetadataItem(band, key, "TIFF");
    return value ? strtoull(value, NULL, 10) : 0;
}

/* A file can promise more blocks than one cares to ask for: then rows of blocks are left out, the
 * last never. */
#define MOST_BLOCKS 1000000

/* The bands of a pixel-interleaved TIFF share their blocks: one band stands for all. */
static GUIntBig blocks_beyond(GDALDatasetH data, GUIntBig size, GUIntBig *all)
{
    const char *interleave = GDALGetMetadataItem(data, "INTERLEAVE", "IMAGE_STRUCTURE");
    int bands = interleave && strcmp(interleave, "BAND") == 0 ? GDALGetRasterCount(data) : 1;
    GUIntBig beyond = 0;
    int w, h;

    *all = 0;
    GDALGetBlockSize(GDALGetRasterBand(data, 1), &w, &h);
    int64_t columns = (GDALGetRasterXSize(data) + (int64_t)w - 1) / w;
    int64_t rows = (GDALGetRasterYSize(data) + (int64_t)h - 1) / h;
    int64_t step = 1 + columns * rows * bands / MOST_BLOCKS;
    for (int b = 1; b <= bands; b++)
        for (int64_t y = rows - 1; y >= 0; y -= step)
            for (int64_t x = 0; x < columns; x++) {
                GDALRasterBandH band = GDALGetRasterBand(data, b);
                GUIntBig end = entry(band, "BLOCK_OFFSET", (int)x, (int)y) +
                               entry(band, "BLOCK_SIZE", (int)x, (int)y);
                beyond += end > size;
                (*all)++;
            }
    return beyond;
}

static bool read_last(GDALDatasetH data)
{
    GDALRasterBandH band = GDALGetRasterBand(data, GDALGetRasterCount(data));
    unsigned char pixel[16];
    int x = GDALGetRasterXSize(data) - 1, y = GDALGetRasterYSize(data) - 1;
    return GDALRasterIO(band, GF_Read, x, y, 1, 1, pixel, 1, 1, GDT_CFloat64, 0, 0) == CE_None;
}

void tally_probe(void *data, const char *path, char *reason, size_t size)
{
    const char *driver = GDALGetDriverShortName(GDALGetDatasetDriver(data));
    char said[256];
    VSIStatBufL stat;
    GUIntBig all = 0, beyond = 0;

    reason[0] = '\0';
    if (strcmp(driver, "GTiff") == 0 && VSIStatL(path, &stat) == 0 && stat.st_size > 0)
        beyond = blocks_beyond(data, (GUIntBig)stat.st_size, &all);
    CPLErrorReset();
    if (beyond)
        snprintf(reason, size, "truncated: %llu of %llu blocks lie beyond its end; fetch it again",
                 beyond, all);
    else if (!read_last(data))
        snprintf(reason, size, "its last block cannot be read (%s); fetch it again",
                 tally_gdal_said(said, sizeof said));
}

/* ---- the black border of a JPEG-compressed picture ---- */

enum { COARSE = 1024 }; /* longest side of the copy on which the border is found */

/* One pass over the rows, downward or upward, that carries what is known to be border along runs of
 * black. */
static bool spread(const tally_bits *black, tally_bits *border, bool upward)
{
    bool grew = false;
    for (int i = 0; i < black->height; i++) {
        int y = upward ? black->height - 1 - i : i, from = upward ? y + 1 : y - 1;
        for (int x = 0; x < black->width;) {
            int end = x, touches = 0, known = 1;
            while (end < black->width && tally_bits_get(black, end, y)) {
                known &= tally_bits_get(border, end, y);
                touches |= tally_bits_get(border, end, y) || from < 0 || from >= black->height ||
                           tally_bits_get(border, end, from);
                end++;
            }
            if (end > x && !known && (touches || x == 0 || end == black->width)) {
                for (int k = x; k < end; k++)
                    tally_bits_set(border, k, y);
                grew = true;
            }
            x = end + 1;
        }
    }
    return grew;
}

static tally_status find_black(GDALDatasetH data, const int *bands, int n, tally_bits *black)
{
    size_t plane = (size_t)black->width * (size_t)black->height;
    unsigned char *pixels = tally_alloc(plane, (size_t)n);
    tally_status s = pixels ? TALLY_OK : TALLY_E_NOMEM;

    if (pixels && GDALDatasetRasterIO(data, GF_Read, 0, 0, GDALGetRasterXSize(data),
                                      GDALGetRasterYSize(data), pixels, black->width, black->height,
                                      GDT_Byte, n, (int *)bands, 0, 0, 0) != CE_None)
        s = TALLY_E_IO;
    for (int y = 0; y < black->height && s == TALLY_OK; y++)
        for (int x = 0; x < black->width; x++) {
            int dark = 1;
            for (int b = 0; b < n; b++)
                dark &= pixels[(size_t)b * plane + (size_t)y * (size_t)black->width + (size_t)x] <=
                        TALLY_BORDER_BLACK;
            if (dark) tally_bits_set(black, x, y);
        }
    tally_free(pixels);
    return s;
}

/* The coarse pixel that holds the rim is bright or dark by chance: let the border reach one
 * further. */
static void grow(tally_bits *border, const tally_bits *old)
{
    for (int y = 0; y < old->height; y++)
        for (int x = 0; x < old->width; x++)
            for (int k = 0; k < 9 && !tally_bits_get(border, x, y); k++) {
                int nx = x + k % 3 - 1, ny = y + k / 3 - 1;
                if (nx >= 0 && ny >= 0 && nx < old->width && ny < old->height &&
                    tally_bits_get(old, nx, ny))
                    tally_bits_set(border, x, y);
            }
}

tally_bits *tally_border_find(void *data, const int *bands, int n)
{
    int w = GDALGetRasterXSize(data), h = GDALGetRasterYSize(data);
    int step = ((w > h ? w : h) + COARSE - 1) / COARSE, cw = (w + step - 1) / step,
        ch = (h + step - 1) / step;
    tally_bits black = { 0 }, found = { 0 };
    tally_bits *border = tally_alloc(1, sizeof *border);

    if (border && tally_bits_init(&black, cw, ch, NULL) == TALLY_OK &&
        tally_bits_init(&found, cw, ch, NULL) == TALLY_OK &&
        tally_bits_init(border, cw, ch, NULL) == TALLY_OK &&
        find_black(data, bands, n, &black) == TALLY_OK) {
        while (spread(&black, &found, false) | spread(&black, &found, true))
            ;
        grow(border, &found);
    }
    if (border && (!border->bits || tally_bits_count(&found) == 0)) {
        tally_bits_fini(border);
        tally_free(border);
        border = NULL;
    }
    tally_bits_fini(&black);
    tally_bits_fini(&found);
    return border;
}
