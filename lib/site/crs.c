/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <cpl_error.h>
#include <math.h>
#include <ogr_srs_api.h>
#include <stdio.h>
#include <string.h>

#include "site/crs.h"

struct tally_crs_map {
    OGRCoordinateTransformationH map;
};

const char *tally_gdal_said(char *buffer, size_t size)
{
    const char *said = CPLGetLastErrorMsg();
    snprintf(buffer, size, "%s", said && *said ? said : "no reason given");
    for (char *p = buffer; *p; p++)
        if ((unsigned char)*p < ' ') *p = ' ';
    for (size_t n = strlen(buffer); n && (buffer[n - 1] == ' ' || buffer[n - 1] == '.'); n--)
        buffer[n - 1] = '\0';
    return buffer;
}

int tally_utm_epsg(double longitude, double latitude)
{
    if (!(latitude >= -80 && latitude <= 84) || !(longitude >= -180 && longitude <= 180)) return 0;
    int zone = (int)floor((longitude + 180) / 6) % 60 + 1;
    return (latitude < 0 ? 32700 : 32600) + zone;
}

static OGRSpatialReferenceH create(tally_crs crs)
{
    OGRSpatialReferenceH srs = OSRNewSpatialReference(NULL);
    char *wkt = (char *)crs.wkt; /* OSRImportFromWkt moves the pointer, not the text */
    if (!srs) return NULL;
    if ((crs.wkt ? OSRImportFromWkt(srs, &wkt) : OSRImportFromEPSG(srs, crs.epsg)) != OGRERR_NONE) {
        OSRDestroySpatialReference(srs);
        return NULL;
    }
    OSRSetAxisMappingStrategy(srs, OAMS_TRADITIONAL_GIS_ORDER);
    return srs;
}

tally_status tally_crs_map_open(tally_crs from, tally_crs to, const char *what, tally_crs_map **out,
                                tally_error *err)
{
    char said[256];
    tally_status s = TALLY_OK;
    *out = NULL;

    CPLPushErrorHandler(CPLQuietErrorHandler);
    CPLErrorReset();
    OGRSpatialReferenceH a = create(from), b = create(to);
    OGRCoordinateTransformationH map = a && b ? OCTNewCoordinateTransformation(a, b) : NULL;
    if (!map)
        s = tally_fail(
            err, TALLY_E_CRS,
            "%s: its CRS cannot be related to the site's (%s); give it one with gdalwarp "
            "-t_srs",
            what, tally_gdal_said(said, sizeof said));
    if (a) OSRDestroySpatialReference(a);
    if (b) OSRDestroySpatialReference(b);
    CPLPopErrorHandler();
    if (s != TALLY_OK) return s;

    tally_crs_map *m = tally_alloc(1, sizeof *m);
    if (!m) {
        OCTDestroyCoordinateTransformation(map);
        return tally_nomem(err, what);
    }
    m->map = map;
    *out = m;
    return TALLY_OK;
}

void tally_crs_map_close(tally_crs_map **map)
{
    if (!map || !*map) return;
    OCTDestroyCoordinateTransformation((*map)->map);
    tally_free(*map);
    *map = NULL;
}

bool tally_crs_map_points(tally_crs_map *map, tally_point *points, size_t n)
{
    bool good = true;
    CPLPushErrorHandler(CPLQuietErrorHandler);
    for (size_t i = 0; i < n && good; i++) {
        int fine = 0;
        good = OCTTransformEx(map->map, 1, &points[i].x, &points[i].y, NULL, &fine) && fine &&
               isfinite(points[i].x) && isfinite(points[i].y);
    }
    CPLPopErrorHandler();
    return good;
}
