/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Rasters and pictures, written beside their place and renamed. */
#include <cpl_conv.h>
#include <cpl_string.h>
#include <errno.h>
#include <gdal.h>
#include <math.h>
#include <ogr_srs_api.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "scene/scene.h"
#include "site/crs.h"

static tally_status unwritable(const char *path, tally_error *err)
{
    char said[256];
    return tally_fail(err, TALLY_E_IO,
                      "%s: cannot be written (%s); free some space or choose another folder", path,
                      tally_gdal_said(said, sizeof said));
}

/* GDAL reports what fails while a file is closed only through its last message. */
static tally_status finish(GDALDatasetH data, const char *beside, const char *path, tally_status s,
                           tally_error *err)
{
    if (data) {
        GDALFlushCache(data);
        GDALClose(data);
    }
    if (s == TALLY_OK && CPLGetLastErrorType() >= CE_Failure) s = unwritable(path, err);
    if (s == TALLY_OK && rename(beside, path) != 0)
        s = tally_fail(err, TALLY_E_IO, "%s: cannot be replaced: %s; check who may write there",
                       path, strerror(errno));
    if (s != TALLY_OK) unlink(beside);
    return s;
}

static tally_status place(GDALDatasetH data, const char *path, int epsg, const tally_affine *affine,
                          tally_error *err)
{
    double c[6];
    if (affine) {
        memcpy(c, affine->c, sizeof c);
        if (GDALSetGeoTransform(data, c) != CE_None) return unwritable(path, err);
    }
    if (!epsg) return TALLY_OK;
    OGRSpatialReferenceH srs = OSRNewSpatialReference(NULL);
    if (OSRImportFromEPSG(srs, epsg) != OGRERR_NONE || GDALSetSpatialRef(data, srs) != CE_None) {
        OSRDestroySpatialReference(srs);
        return tally_fail(err, TALLY_E_CRS, "%s: EPSG:%d cannot be written", path, epsg);
    }
    OSRDestroySpatialReference(srs);
    return TALLY_OK;
}

/* Rows of one block at a time, so that no second copy of the patch is made. */
static tally_status put_band(GDALDatasetH data, const char *path, const tally_patch *patch,
                             int band, tally_error *err)
{
    enum { ROWS = 256 };
    size_t width = (size_t)patch->width;
    float *rows = tally_alloc(width * ROWS, sizeof *rows);
    tally_status s = TALLY_OK;

    if (!rows) return tally_nomem(err, path);
    for (int y0 = 0; y0 < patch->height && s == TALLY_OK; y0 += ROWS) {
        int n = patch->height - y0 < ROWS ? patch->height - y0 : ROWS;
        for (int y = 0; y < n; y++) {
            const float *row = tally_patch_row(patch, band, y0 + y);
            for (int x = 0; x < patch->width; x++)
                rows[(size_t)y * width + (size_t)x] =
                    tally_bits_get(&patch->valid, x, y0 + y) ? row[x] : NAN;
        }
        if (GDALRasterIO(GDALGetRasterBand(data, band + 1), GF_Write, 0, y0, patch->width, n, rows,
                         patch->width, n, GDT_Float32, 0, 0) != CE_None)
            s = unwritable(path, err);
    }
    tally_free(rows);
    return s;
}

tally_status tally_raster_write(const char *path, const tally_patch *patch, int epsg,
                                const tally_affine *affine, const char *const *names,
                                tally_error *err)
{
    const char *options[] = { "TILED=YES",        "COMPRESS=DEFLATE", "PREDICTOR=3",
                              "BIGTIFF=IF_SAFER", "INTERLEAVE=BAND",  NULL };
    char *beside = tally_format("%s.part", path);
    tally_status s = TALLY_OK;

    if (!beside) return tally_nomem(err, path);
    CPLErrorReset();
    GDALDatasetH data = GDALCreate(GDALGetDriverByName("GTiff"), beside, patch->width,
                                   patch->height, patch->bands, GDT_Float32, (char **)options);
    if (!data) {
        s = unwritable(path, err);
        tally_free(beside);
        return s;
    }
    s = place(data, path, epsg, affine, err);
    for (int b = 0; b < patch->bands && s == TALLY_OK; b++) {
        if (names && names[b]) GDALSetDescription(GDALGetRasterBand(data, b + 1), names[b]);
        s = put_band(data, path, patch, b, err);
    }
    s = finish(data, beside, path, s, err);
    tally_free(beside);
    return s;
}

/* Not seen is what is NaN in all bands. */
static void find_valid(tally_patch *patch)
{
    for (int y = 0; y < patch->height; y++)
        for (int x = 0; x < patch->width; x++) {
            int nans = 0;
            for (int b = 0; b < patch->bands; b++)
                nans += isnan(tally_patch_row(patch, b, y)[x]) != 0;
            if (nans < patch->bands)
                tally_bits_set(&patch->valid, x, y);
            else
                for (int b = 0; b < patch->bands; b++)
                    tally_patch_row(patch, b, y)[x] = 0;
        }
}

tally_status tally_raster_load(const char *path, tally_patch *patch, tally_error *err)
{
    char said[256];

    *patch = (tally_patch) { 0 };
    CPLErrorReset();
    GDALDatasetH data = GDALOpenEx(path, GDAL_OF_RASTER | GDAL_OF_READONLY | GDAL_OF_VERBOSE_ERROR,
                                   NULL, NULL, NULL);
    if (!data)
        return tally_fail(err, TALLY_E_IO, "%s: cannot be opened (%s); run again with --fresh",
                          path, tally_gdal_said(said, sizeof said));
    int w = GDALGetRasterXSize(data), h = GDALGetRasterYSize(data), n = GDALGetRasterCount(data);
    tally_status s =
        n > 0 ? tally_patch_init(patch, w, h, n, err)
              : tally_fail(err, TALLY_E_FORMAT, "%s: has no bands; run again with --fresh", path);
    if (s == TALLY_OK &&
        GDALDatasetRasterIOEx(data, GF_Read, 0, 0, w, h, patch->pixels, w, h, GDT_Float32, n, NULL,
                              sizeof(float), (GSpacing)(patch->stride * sizeof(float)),
                              (GSpacing)(patch->plane * sizeof(float)), NULL) != CE_None)
        s = tally_fail(err, TALLY_E_IO, "%s: cannot be read (%s); run again with --fresh", path,
                       tally_gdal_said(said, sizeof said));
    GDALClose(data);
    if (s != TALLY_OK)
        tally_patch_fini(patch);
    else
        find_valid(patch);
    return s;
}

tally_status tally_picture_write(const char *path, const unsigned char *rgb, int width, int height,
                                 tally_error *err)
{
    char *beside = tally_format("%s.part", path);
    tally_status s = TALLY_OK;
    GDALDatasetH copy = NULL;

    if (!beside) return tally_nomem(err, path);
    CPLErrorReset();
    GDALDatasetH memory =
        GDALCreate(GDALGetDriverByName("MEM"), "", width, height, 3, GDT_Byte, NULL);
    if (!memory || GDALDatasetRasterIO(memory, GF_Write, 0, 0, width, height, (void *)rgb, width,
                                       height, GDT_Byte, 3, NULL, 3, 3 * width, 1) != CE_None)
        s = tally_nomem(err, path);
    /* no .aux.xml beside the picture */
    CPLSetThreadLocalConfigOption("GDAL_PAM_ENABLED", "NO");
    if (s == TALLY_OK) {
        copy = GDALCreateCopy(GDALGetDriverByName("PNG"), beside, memory, FALSE, NULL, NULL, NULL);
        if (!copy) s = unwritable(path, err);
    }
    s = finish(copy, beside, path, s, err);
    CPLSetThreadLocalConfigOption("GDAL_PAM_ENABLED", NULL);
    if (memory) GDALClose(memory);
    tally_free(beside);
    return s;
}
