/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "scene/cog.h"

#include <cpl_error.h>
#include <cpl_string.h>
#include <errno.h>
#include <gdal.h>
#include <gdal_utils.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "site/crs.h"

static tally_status unwritable(const char *path, tally_error *err)
{
    char said[256];
    return tally_fail(err, TALLY_E_IO,
                      "%s: cannot be written (%s); free some space or choose another place", path,
                      tally_gdal_said(said, sizeof said));
}

static char **arguments(int epsg, const tally_tag *tags, size_t n_tags)
{
    static const char *const fixed[] = { "-of",       "COG",
                                         "-co",       "COMPRESS=DEFLATE",
                                         "-co",       "PREDICTOR=YES",
                                         "-co",       "BIGTIFF=IF_SAFER",
                                         "-co",       "OVERVIEWS=AUTO",
                                         "-a_nodata", "nan" };
    char **list = NULL;
    for (size_t i = 0; i < sizeof fixed / sizeof *fixed; i++)
        list = CSLAddString(list, fixed[i]);
    if (epsg) {
        list = CSLAddString(list, "-a_srs");
        list = CSLAddString(list, CPLSPrintf("EPSG:%d", epsg));
    }
    for (size_t i = 0; i < n_tags; i++) {
        list = CSLAddString(list, "-mo");
        list = CSLAddString(list, CPLSPrintf("%s=%s", tags[i].key, tags[i].value));
    }
    return list;
}

tally_status tally_cog_write(const char *path, const char *from, int epsg, const tally_tag *tags,
                             size_t n_tags, tally_error *err)
{
    char *beside = tally_format("%s.part", path);
    char **list = arguments(epsg, tags, n_tags);
    GDALTranslateOptions *options = GDALTranslateOptionsNew(list, NULL);
    GDALDatasetH in = NULL, out = NULL;
    tally_status s = beside && options ? TALLY_OK : tally_nomem(err, path);
    CPLErrorReset();
    if (s == TALLY_OK && !(in = GDALOpen(from, GA_ReadOnly))) s = unwritable(path, err);
    if (s == TALLY_OK && !(out = GDALTranslate(beside, in, options, NULL)))
        s = unwritable(path, err);
    if (out) GDALClose(out);
    if (s == TALLY_OK && CPLGetLastErrorType() >= CE_Failure) s = unwritable(path, err);
    if (in) GDALClose(in);
    if (s == TALLY_OK && rename(beside, path) != 0)
        s = tally_fail(err, TALLY_E_IO, "%s: cannot be replaced: %s; check who may write there",
                       path, strerror(errno));
    if (s != TALLY_OK && beside) unlink(beside);
    if (options) GDALTranslateOptionsFree(options);
    CSLDestroy(list);
    tally_free(beside);
    return s;
}

tally_status tally_tag_read(const char *path, const char *key, char **out, tally_error *err)
{
    char said[256];
    *out = NULL;
    CPLErrorReset();
    GDALDatasetH data = GDALOpenEx(path, GDAL_OF_RASTER | GDAL_OF_READONLY | GDAL_OF_VERBOSE_ERROR,
                                   NULL, NULL, NULL);
    if (!data)
        return tally_fail(err, TALLY_E_IO, "%s: cannot be opened (%s); check its name", path,
                          tally_gdal_said(said, sizeof said));
    const char *value = GDALGetMetadataItem(data, key, NULL);
    tally_status s = TALLY_OK;
    if (value && !(*out = tally_strdup(value))) s = tally_nomem(err, path);
    GDALClose(data);
    return s;
}
