/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <cpl_conv.h>
#include <cpl_error.h>
#include <errno.h>
#include <gdal.h>
#include <ogr_srs_api.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "scene/sink.h"
#include "site/crs.h"

struct tally_sink {
    GDALDatasetH data;
    char *path, *beside;
    int width;
};

static tally_status unwritable(const tally_sink *sink, tally_error *err)
{
    char said[256];
    return tally_fail(err, TALLY_E_IO,
                      "%s: cannot be written (%s); free some space or choose another place",
                      sink->path, tally_gdal_said(said, sizeof said));
}

static tally_status place(tally_sink *sink, const tally_tile *like, tally_error *err)
{
    double c[6];

    memcpy(c, like->affine.c, sizeof c);
    if (GDALSetGeoTransform(sink->data, c) != CE_None) return unwritable(sink, err);
    if (!like->wkt || !*like->wkt) return TALLY_OK;
    OGRSpatialReferenceH srs = OSRNewSpatialReference(like->wkt);
    const bool ok = srs && GDALSetSpatialRef(sink->data, srs) == CE_None;
    OSRDestroySpatialReference(srs);
    return ok ? TALLY_OK
              : tally_fail(err, TALLY_E_CRS, "%s: the CRS of %s cannot be written", sink->path,
                           like->path);
}

tally_status tally_sink_create(const char *path, const tally_tile *like, int bands,
                               const char *const *names, tally_sink **out, tally_error *err)
{
    /* tiles as high as the strips that come: each is compressed once */
    static const char *const options[] = { "TILED=YES",       "BLOCKXSIZE=256",
                                           "BLOCKYSIZE=64",   "COMPRESS=DEFLATE",
                                           "PREDICTOR=3",     "BIGTIFF=IF_SAFER",
                                           "INTERLEAVE=BAND", NULL };
    tally_sink *sink = tally_alloc(1, sizeof *sink);
    tally_status s = TALLY_OK;

    *out = NULL;
    if (!sink || !(sink->path = tally_strdup(path)) ||
        !(sink->beside = tally_format("%s.part", path))) {
        tally_sink_abandon(&sink);
        return tally_nomem(err, path);
    }
    sink->width = like->width;
    CPLErrorReset();
    sink->data = GDALCreate(GDALGetDriverByName("GTiff"), sink->beside, like->width, like->height,
                            bands, GDT_Float32, (char **)options);
    s = sink->data ? place(sink, like, err) : unwritable(sink, err);
    if (s != TALLY_OK) {
        tally_sink_abandon(&sink);
        return s;
    }
    for (int b = 0; b < bands && names; b++)
        GDALSetDescription(GDALGetRasterBand(sink->data, b + 1), names[b]);
    *out = sink;
    return TALLY_OK;
}

tally_status tally_sink_rows(tally_sink *sink, int band, int y0, int rows, const float *pixels,
                             tally_error *err)
{
    CPLErrorReset();
    if (GDALRasterIO(GDALGetRasterBand(sink->data, band + 1), GF_Write, 0, y0, sink->width, rows,
                     (void *)pixels, sink->width, rows, GDT_Float32, 0, 0) != CE_None)
        return unwritable(sink, err);
    return TALLY_OK;
}

tally_status tally_sink_finish(tally_sink **sink, tally_error *err)
{
    tally_sink *k = *sink;
    tally_status s = TALLY_OK;

    CPLErrorReset(); /* what fails while a file is closed shows in the last message alone */
    GDALClose(k->data);
    k->data = NULL;
    if (CPLGetLastErrorType() >= CE_Failure) s = unwritable(k, err);
    if (s == TALLY_OK && rename(k->beside, k->path) != 0)
        s = tally_fail(err, TALLY_E_IO, "%s: cannot be replaced: %s; check who may write there",
                       k->path, strerror(errno));
    tally_sink_abandon(sink);
    return s;
}

void tally_sink_abandon(tally_sink **sink)
{
    if (!sink || !*sink) return;
    tally_sink *k = *sink;
    if (k->data) GDALClose(k->data);
    if (k->beside) unlink(k->beside);
    tally_free(k->beside);
    tally_free(k->path);
    tally_free(k);
    *sink = NULL;
}
