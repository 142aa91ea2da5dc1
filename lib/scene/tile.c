/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One tile: where it lies, what its bands are, when it was taken, or why it cannot be used. */
#include <cpl_conv.h>
#include <cpl_error.h>
#include <cpl_string.h>
#include <gdal.h>
#include <math.h>
#include <ogr_srs_api.h>
#include <stdio.h>
#include <string.h>

#include "scene/roles.h"
#include "site/crs.h"

/* UTM zone of a place for a hint, with a stand-in where it is unknown. */
static const char *utm_hint(double longitude, double latitude, char *out, size_t size)
{
    int epsg = tally_utm_epsg(longitude, latitude);
    if (epsg)
        snprintf(out, size, "EPSG:%d", epsg);
    else
        snprintf(out, size, "EPSG:326ZZ");
    return out;
}

static bool not_rectified(GDALDatasetH data, const char *path, char *reason, size_t size)
{
    char **rpc = GDALGetMetadata(data, "RPC"), hint[32];
    if (rpc) {
        const char *x = CSLFetchNameValue(rpc, "LONG_OFF"), *y = CSLFetchNameValue(rpc, "LAT_OFF");
        utm_hint(x ? CPLAtof(x) : NAN, y ? CPLAtof(y) : NAN, hint, sizeof hint);
        snprintf(reason, size,
                 "not orthorectified (RPC only): gdalwarp -rpc -to RPC_DEM=dem.tif -t_srs %s -r "
                 "cubic %s ortho.tif",
                 hint, CPLGetFilename(path));
        return true;
    }
    if (GDALGetGCPCount(data) > 0) {
        const GDAL_GCP *gcp = GDALGetGCPs(data);
        utm_hint(gcp->dfGCPX, gcp->dfGCPY, hint, sizeof hint);
        snprintf(reason, size,
                 "not orthorectified (GCP only): gdalwarp -tps -t_srs %s -r cubic %s ortho.tif",
                 hint, CPLGetFilename(path));
        return true;
    }
    return false;
}

/* Metres on the ellipsoid between two near points in degrees (WGS 84, radii of curvature at the
 * middle). */
static double ground_m(tally_point a, tally_point b)
{
    const double axis = 6378137.0, e2 = 0.00669437999014;
    double lat = (a.y + b.y) / 2 * M_PI / 180, w = 1 - e2 * sin(lat) * sin(lat);
    double north = axis * (1 - e2) / (w * sqrt(w)) * (b.y - a.y) * M_PI / 180;
    double east = axis / sqrt(w) * cos(lat) * (b.x - a.x) * M_PI / 180;
    return hypot(north, east);
}

/* GSD over 100 pixels at the middle, and the bounds in degrees. */
static bool measure(tally_draft *d, tally_crs_map *map)
{
    double w = d->tile.width, h = d->tile.height;
    tally_point p[] = { { 0, 0 },
                        { w, 0 },
                        { 0, h },
                        { w, h },
                        { w / 2, h / 2 },
                        { w / 2 + 100, h / 2 },
                        { w / 2, h / 2 + 100 } };
    for (int i = 0; i < 7; i++)
        p[i] = tally_affine_apply(&d->tile.affine, p[i]);
    if (!tally_crs_map_points(map, p, 7)) return false;
    d->tile.gsd_m = sqrt(ground_m(p[4], p[5]) * ground_m(p[4], p[6])) / 100;
    d->low = d->high = p[0];
    for (int i = 1; i < 4; i++) {
        d->low = (tally_point) { fmin(d->low.x, p[i].x), fmin(d->low.y, p[i].y) };
        d->high = (tally_point) { fmax(d->high.x, p[i].x), fmax(d->high.y, p[i].y) };
    }
    d->has_footprint = true;
    return d->tile.gsd_m > 0.001 && d->tile.gsd_m < 100000;
}

static void read_crs(tally_builder *b, GDALDatasetH data, tally_draft *d)
{
    OGRSpatialReferenceH srs = GDALGetSpatialRef(data);
    char *wkt = NULL;

    if (!srs || OSRExportToWkt(srs, &wkt) != OGRERR_NONE || !wkt || !*wkt) {
        CPLFree(wkt);
        return;
    }
    d->tile.wkt = tally_keep(b, wkt);
    const char *name = OSRGetAuthorityName(srs, NULL), *code = OSRGetAuthorityCode(srs, NULL);
    if (name && code && strcmp(name, "EPSG") == 0) d->tile.epsg = atoi(code);
    CPLFree(wkt);
}

static void read_place(tally_builder *b, GDALDatasetH data, tally_draft *d, char *reason,
                       size_t size)
{
    tally_crs_map *map = NULL;
    tally_affine inverse;
    tally_error err = { 0 };
    const char *path = d->tile.path;

    read_crs(b, data, d);
    if (GDALGetGeoTransform(data, d->tile.affine.c) != CE_None) {
        if (!not_rectified(data, path, reason, size))
            snprintf(reason, size,
                     "says not where it lies: gdal_translate -a_srs EPSG:N -a_ullr LEFT TOP RIGHT "
                     "BOTTOM %s placed.tif",
                     CPLGetFilename(path));
        return;
    }
    if (!*d->tile.wkt) {
        snprintf(reason, size, "has no CRS: gdal_edit.py -a_srs EPSG:N %s", CPLGetFilename(path));
        return;
    }
    for (int i = 0; i < 6; i++)
        if (!isfinite(d->tile.affine.c[i])) d->tile.affine.c[1] = d->tile.affine.c[2] = 0;
    if (!tally_affine_invert(&d->tile.affine, &inverse)) {
        snprintf(reason, size, "its geotransform has no inverse: set it with gdal_edit.py -a_ullr");
        return;
    }
    if (tally_crs_map_open((tally_crs) { .wkt = d->tile.wkt }, (tally_crs) { .epsg = TALLY_LONLAT },
                           path, &map, &err) != TALLY_OK ||
        !measure(d, map))
        snprintf(
            reason, size,
            "its CRS and geotransform lead to no place on the ground: check them with gdalinfo");
    tally_crs_map_close(&map);
}

static void read_pixels(tally_builder *b, GDALDatasetH data, tally_draft *d, char *reason,
                        size_t size)
{
    int has = 0, depth = 0;

    if (d->tile.n_bands < 1) {
        char **parts = GDALGetMetadata(data, "SUBDATASETS");
        snprintf(reason, size, "has no bands%s",
                 parts ? ": it holds subdatasets, name one of them (gdalinfo lists them)"
                       : "; fetch it again");
        return;
    }
    for (int i = 1; i <= d->tile.n_bands; i++)
        if (GDALDataTypeIsComplex(GDALGetRasterDataType(GDALGetRasterBand(data, i)))) {
            snprintf(reason, size,
                     "has complex pixels (SAR before detection): give a detected product");
            return;
        }
    GDALRasterBandH first = GDALGetRasterBand(data, 1);
    const char *compression = GDALGetMetadataItem(data, "COMPRESSION", "IMAGE_STRUCTURE");
    depth = GDALGetDataTypeSizeBytes(GDALGetRasterDataType(first));
    d->is_byte = depth == 1;
    d->is_jpeg = compression && strstr(compression, "JPEG") != NULL;
    double nodata = GDALGetRasterNoDataValue(first, &has);
    d->tile.nodata = !isnan(b->settings->nodata) ? b->settings->nodata : has ? nodata : NAN;
    tally_roles_set(b, data, d);
    if (d->roles_guessed)
        d->tile.warning = tally_keep(
            b, "bands of unknown roles, the first stands in for grey; name them with --bands");
    tally_probe(data, d->tile.path, reason, size);
    if (!*reason && d->is_byte && d->is_jpeg && d->tile.n_bands == 3) {
        static const int rgb[] = { 1, 2, 3 };
        d->tile.border = tally_border_find(data, rgb, 3);
    }
}

static void add_moment(tally_draft *d, const char *source, int64_t utc, bool has_clock)
{
    if (d->n_moments == TALLY_MOMENTS) return;
    d->moments[d->n_moments++] = (tally_moment) { source, utc, has_clock };
}

/* A clock of exactly midnight in the TIFF's tag is a date that was written as a time. */
static void add_text(tally_draft *d, const char *source, const char *value)
{
    int64_t utc;
    bool clock = false;
    if (value && tally_utc_parse(value, &utc, &clock))
        add_moment(d, source, utc, clock && utc % 86400 != 0);
}

/* In the order of CONTRACT.md 3.4. */
static void read_moments(tally_builder *b, GDALDatasetH data, tally_draft *d)
{
    int64_t utc;

    for (int i = 0; i < d->said.n_moments; i++)
        add_moment(d, d->said.moments[i].source, d->said.moments[i].utc,
                   d->said.moments[i].has_clock);
    if (data) add_text(d, "imagery", GDALGetMetadataItem(data, "ACQUISITIONDATETIME", "IMAGERY"));
    if (tally_name_moment(d->stem, true, &utc)) add_moment(d, "name", utc, true);
    if (data) add_text(d, "tiff", GDALGetMetadataItem(data, "TIFFTAG_DATETIME", NULL));
    if (tally_name_moment(d->stem, false, &utc)) add_moment(d, "name", utc, false);
    for (int i = 1; i < d->n_moments; i++) {
        int64_t apart = d->moments[i].utc - d->moments[0].utc;
        if (apart > 86400 || apart < -86400) {
            char a[24], c[24];
            tally_utc_format(d->moments[0].utc, a);
            tally_utc_format(d->moments[i].utc, c);
            char *text = tally_format("its time is %s by %s and %s by %s; the first is taken", a,
                                      d->moments[0].source, c, d->moments[i].source);
            d->tile.warning = tally_keep(b, text ? text : "");
            tally_free(text);
            break;
        }
    }
}

static bool exists(const char *path)
{
    VSIStatBufL stat;
    return VSIStatExL(path, &stat, VSI_STAT_EXISTS_FLAG) == 0;
}

/* Planet: what precedes _3B_ ties tile and mask, clipped like the tile or not; elsewhere the stem
 * does. */
static const char *find_mask(tally_builder *b, const tally_draft *d)
{
    static const char *const planet[] = { "_3B_udm2_clip.tif", "_3B_udm2.tif" };
    static const char *const others[] = { "_udm2.tif", "_mask.tif",  "_udm2.TIF",
                                          "_mask.TIF", "_udm2.tiff", "_mask.tiff" };
    size_t n = d->naming.is_planet ? 2 : sizeof others / sizeof *others;
    bool clipped = strstr(d->stem, "_clip") != NULL;
    const char *found = NULL;

    for (size_t i = 0; i < n && !found; i++) {
        char *path = d->naming.is_planet ? tally_format("%s%s%s", d->folder, d->naming.tie,
                                                        planet[clipped ? i : 1 - i])
                                         : tally_format("%s%s%s", d->folder, d->stem, others[i]);
        if (path && exists(path)) found = tally_keep(b, path);
        tally_free(path);
    }
    return found;
}

void tally_draft_read(tally_builder *b, const tally_input *input, tally_draft *d)
{
    char reason[768] = "", second[768] = "", said[256];
    const char *name = CPLGetFilename(input->path);

    *d = (tally_draft) { .item = input->item, .item_asset = input->asset };
    d->tile = (tally_tile) { .path = input->path,
                             .wkt = "",
                             .nodata = NAN,
                             .gsd_m = NAN,
                             .mask_path = input->mask,
                             .reason = "",
                             .warning = "" };
    char *folder = tally_format("%.*s", (int)(name - input->path), input->path);
    d->folder = tally_keep(b, folder ? folder : "");
    tally_free(folder);
    d->stem = tally_keep(b, CPLGetBasename(input->path));
    d->naming = tally_naming_of(d->stem);
    tally_sidecar_read(b, d, &d->said);
    if (!d->tile.mask_path) d->tile.mask_path = find_mask(b, d);

    CPLErrorReset();
    GDALDatasetH data = GDALOpenEx(
        input->path, GDAL_OF_RASTER | GDAL_OF_READONLY | GDAL_OF_VERBOSE_ERROR, NULL, NULL, NULL);
    if (data) {
        d->tile.width = GDALGetRasterXSize(data);
        d->tile.height = GDALGetRasterYSize(data);
        d->tile.n_bands = GDALGetRasterCount(data);
        read_pixels(b, data, d, reason, sizeof reason);
        /* the first fault is the one that is told, but where it lies is of use all the same */
        read_place(b, data, d, *reason ? second : reason, sizeof reason);
    } else {
        snprintf(reason, sizeof reason, "cannot be opened (%s); check the file, or fetch it again",
                 tally_gdal_said(said, sizeof said));
    }
    read_moments(b, data, d);
    if (data) GDALClose(data);
    d->tile.reason = tally_keep(b, reason);
}
