/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Windows of native pixels, and which of them are usable.
 *
 * A pixel is not seen when all the bands asked for hold nodata (one band alone may be 0 by right:
 * deep water in the near infrared), when any of them is NaN, infinite or larger than any sensor's
 * number (a fill value that no tag names), when alpha or the dataset
 * mask is 0, when the mask file says so, or when it lies in the black border of a JPEG-compressed
 * picture.
 */
#include <cpl_error.h>
#include <gdal.h>
#include <math.h>
#include <string.h>

#include "scene/mask.h"
#include "scene/scene.h"
#include "site/crs.h"

struct tally_raster {
    GDALDatasetH data;
    tally_mask *mask;
    tally_tile tile;
};

tally_status tally_raster_open(const tally_tile *tile, tally_raster **out, tally_error *err)
{
    char said[256];
    tally_status s = TALLY_OK;

    *out = NULL;
    tally_raster *r = tally_alloc(1, sizeof *r);
    if (!r) return tally_nomem(err, tile->path);
    r->tile = *tile;
    CPLErrorReset();
    r->data = GDALOpenEx(tile->path, GDAL_OF_RASTER | GDAL_OF_READONLY | GDAL_OF_VERBOSE_ERROR,
                         NULL, NULL, NULL);
    if (!r->data)
        s = tally_fail(err, TALLY_E_IO,
                       "%s: cannot be opened (%s); check the file, or fetch it again", tile->path,
                       tally_gdal_said(said, sizeof said));
    else if (GDALGetRasterXSize(r->data) != tile->width ||
             GDALGetRasterYSize(r->data) != tile->height ||
             GDALGetRasterCount(r->data) != tile->n_bands)
        s = tally_fail(err, TALLY_E_FORMAT,
                       "%s: is %d x %d now and was %d x %d; it changed while it was read",
                       tile->path, GDALGetRasterXSize(r->data), GDALGetRasterYSize(r->data),
                       tile->width, tile->height);
    if (s == TALLY_OK && tile->mask_path) s = tally_mask_open(tile, &r->mask, err);
    if (s != TALLY_OK) {
        tally_raster_close(&r);
        return s;
    }
    *out = r;
    return TALLY_OK;
}

void tally_raster_close(tally_raster **raster)
{
    if (!raster || !*raster) return;
    tally_mask_close(&(*raster)->mask);
    if ((*raster)->data) GDALClose((*raster)->data);
    tally_free(*raster);
    *raster = NULL;
}

static tally_status unreadable(const tally_raster *r, tally_box w, tally_error *err)
{
    char said[256];
    return tally_fail(
        err, TALLY_E_IO,
        "%s: pixels %d..%d, %d..%d cannot be read (%s); the file is broken, fetch it again",
        r->tile.path, w.x0, w.x1, w.y0, w.y1, tally_gdal_said(said, sizeof said));
}

/* Past it stand fill values such as -3.4e38 and 1e20; squares stay within a float below it. */
#define MOST_VALUE 1e15f

/* One row of one band: which values are numbers, and which are more than nodata. Plain loops that
 * vectorise. */
static void judge_row(const float *v, int n, float nodata, float other, unsigned char *number,
                      unsigned char *measured)
{
    for (int x = 0; x < n; x++) {
        number[x] &= fabsf(v[x]) < MOST_VALUE; /* NaN is not */
        measured[x] |= (v[x] != nodata) & (v[x] != other);
    }
}

/* Everything below works on `part`, the window inside the tile, which lies at (dx, dy) of the
 * patch. */
static tally_status mark_values(const tally_raster *r, const int *bands, int n, tally_box part,
                                int dx, int dy, tally_patch *patch, tally_error *err)
{
    int width = tally_box_width(part), has;
    unsigned char *number = tally_alloc((size_t)width, 2);

    if (!number) return tally_nomem(err, r->tile.path);
    unsigned char *measured = number + width;
    for (int y = 0; y < tally_box_height(part); y++) {
        uint64_t *row = tally_bits_row(&patch->valid, y + dy);
        memset(number, 1, (size_t)width);
        memset(measured, 0, (size_t)width);
        for (int b = 0; b < n; b++) {
            double nodata = GDALGetRasterNoDataValue(GDALGetRasterBand(r->data, bands[b]), &has);
            /* NaN compares unequal to all */
            judge_row(tally_patch_row(patch, b, y + dy) + dx, width, has ? (float)nodata : NAN,
                      (float)r->tile.nodata, number, measured);
        }
        for (int x = 0; x < width; x++)
            row[(x + dx) >> 6] |= (uint64_t)(number[x] & measured[x]) << ((x + dx) & 63);
    }
    tally_free(number);
    return TALLY_OK;
}

static void drop_zeros(const unsigned char *row, int n, int dx, int y, tally_bits *valid)
{
    for (int x = 0; x < n; x++)
        if (!row[x]) tally_bits_clear(valid, x + dx, y);
}

/* Alpha or a dataset mask: a band of bytes, 0 where there is nothing. */
static tally_status mark_byte_band(const tally_raster *r, GDALRasterBandH band, tally_box part,
                                   int dx, int dy, tally_bits *valid, tally_error *err)
{
    int w = tally_box_width(part), h = tally_box_height(part);
    unsigned char *bytes = tally_alloc((size_t)w * (size_t)h, 1);
    tally_status s = TALLY_OK;

    if (!bytes) return tally_nomem(err, r->tile.path);
    CPLErrorReset();
    if (GDALRasterIO(band, GF_Read, part.x0, part.y0, w, h, bytes, w, h, GDT_Byte, 0, 0) != CE_None)
        s = unreadable(r, part, err);
    for (int y = 0; y < h && s == TALLY_OK; y++)
        drop_zeros(bytes + (size_t)y * (size_t)w, w, dx, y + dy, valid);
    tally_free(bytes);
    return s;
}

/* The border was found on a coarse copy; only what is near black itself goes, so that its rim stays
 * exact. */
static void mark_border(const tally_raster *r, int n, tally_box part, int dx, int dy,
                        tally_patch *patch)
{
    const tally_bits *border = r->tile.border;
    for (int y = part.y0; y < part.y1; y++)
        for (int x = part.x0; x < part.x1; x++) {
            int cx = (int)((int64_t)x * border->width / r->tile.width);
            int cy = (int)((int64_t)y * border->height / r->tile.height), dark = 1;
            if (!tally_bits_get(border, cx, cy)) continue;
            for (int b = 0; b < n; b++)
                dark &= tally_patch_row(patch, b, y - part.y0 + dy)[x - part.x0 + dx] <=
                        TALLY_BORDER_BLACK;
            if (dark) tally_bits_clear(&patch->valid, x - part.x0 + dx, y - part.y0 + dy);
        }
}

static tally_status mark_unusable(const tally_raster *r, const int *bands, int n, tally_box part,
                                  int dx, int dy, tally_patch *patch, tally_error *err)
{
    GDALRasterBandH first = GDALGetRasterBand(r->data, bands[0]);
    int flags = GDALGetMaskFlags(first);
    tally_status s = mark_values(r, bands, n, part, dx, dy, patch, err);

    if (s == TALLY_OK && r->tile.has_alpha)
        s = mark_byte_band(r, GDALGetRasterBand(r->data, r->tile.has_alpha), part, dx, dy,
                           &patch->valid, err);
    if (s == TALLY_OK && !(flags & (GMF_ALL_VALID | GMF_ALPHA)) &&
        (flags == 0 || flags & GMF_PER_DATASET))
        s = mark_byte_band(r, GDALGetMaskBand(first), part, dx, dy, &patch->valid, err);
    if (s == TALLY_OK && r->mask) s = tally_mask_apply(r->mask, part, dx, dy, &patch->valid, err);
    if (s == TALLY_OK && r->tile.border) mark_border(r, n, part, dx, dy, patch);
    return s;
}

static void clear_unseen(tally_patch *patch)
{
    for (int y = 0; y < patch->height; y++) {
        const uint64_t *bits = tally_bits_row(&patch->valid, y);
        for (int x0 = 0; x0 < patch->width; x0 += 64) {
            if (bits[x0 >> 6] == UINT64_MAX) continue;
            for (int b = 0; b < patch->bands; b++) {
                float *row = tally_patch_row(patch, b, y);
                for (int x = x0; x < x0 + 64 && x < patch->width; x++)
                    if (!(bits[x0 >> 6] >> (x & 63) & 1)) row[x] = 0;
            }
        }
    }
}

tally_status tally_raster_read(tally_raster *r, const tally_band_role *roles, int n_roles,
                               tally_box window, tally_patch *patch, tally_error *err)
{
    int bands[TALLY_BAND_ROLES];
    tally_status s;

    *patch = (tally_patch) { 0 };
    if (tally_box_empty(window) || n_roles < 1 || n_roles > TALLY_BAND_ROLES)
        return tally_fail(err, TALLY_E_ARG,
                          "%s: a window of %d x %d pixels and %d bands was asked for", r->tile.path,
                          tally_box_width(window), tally_box_height(window), n_roles);
    for (int b = 0; b < n_roles; b++) {
        bands[b] = r->tile.bands[roles[b]];
        if (bands[b] < 1 || bands[b] > r->tile.n_bands)
            return tally_fail(err, TALLY_E_FORMAT,
                              "%s: has no %s band; name its bands with --bands", r->tile.path,
                              tally_band_role_name(roles[b]));
    }
    s = tally_patch_init(patch, tally_box_width(window), tally_box_height(window), n_roles, err);
    if (s != TALLY_OK) return s;
    tally_box part =
        tally_box_intersect(window, (tally_box) { 0, 0, r->tile.width, r->tile.height });
    if (tally_box_empty(part)) return TALLY_OK;

    int dx = part.x0 - window.x0, dy = part.y0 - window.y0;
    CPLErrorReset();
    if (GDALDatasetRasterIOEx(r->data, GF_Read, part.x0, part.y0, tally_box_width(part),
                              tally_box_height(part), tally_patch_row(patch, 0, dy) + dx,
                              tally_box_width(part), tally_box_height(part), GDT_Float32, n_roles,
                              bands, sizeof(float), (GSpacing)(patch->stride * sizeof(float)),
                              (GSpacing)(patch->plane * sizeof(float)), NULL) != CE_None)
        s = unreadable(r, part, err);
    if (s == TALLY_OK) s = mark_unusable(r, bands, n_roles, part, dx, dy, patch, err);
    if (s != TALLY_OK) {
        tally_patch_fini(patch);
        return s;
    }
    clear_unseen(patch);
    return TALLY_OK;
}
