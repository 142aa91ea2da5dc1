/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "unit/scene_files.h"

#include <ogr_srs_api.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

static char folder[64];

const char *files_begin(void)
{
    snprintf(folder, sizeof folder, "/tmp/tally_scene_XXXXXX");
    assert_non_null(mkdtemp(folder));
    strcat(folder, "/");
    return folder;
}

void files_end(void)
{
    char command[128];
    snprintf(command, sizeof command, "rm -rf %s", folder);
    assert_int_equal(system(command), 0);
}

const char *files_path(const char *name)
{
    static char paths[8][320];
    static int next;
    char *path = paths[next++ % 8];
    snprintf(path, sizeof paths[0], "%s%s", folder, name);
    return path;
}

void files_text(const char *name, const char *text)
{
    FILE *f = fopen(files_path(name), "wb");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void place(GDALDatasetH data, const made *m)
{
    double c[6] = { m->x0 ? m->x0 : 634000, m->gsd ? m->gsd : 3, 0, m->y0 ? m->y0 : 4697000, 0,
                    m->gsd ? -m->gsd : -3 };
    if (m->no_place) return;
    assert_int_equal(GDALSetGeoTransform(data, c), CE_None);
    if (m->epsg < 0) return;
    OGRSpatialReferenceH srs = OSRNewSpatialReference(NULL);
    assert_int_equal(OSRImportFromEPSG(srs, m->epsg ? m->epsg : 32652), OGRERR_NONE);
    assert_int_equal(GDALSetSpatialRef(data, srs), CE_None);
    OSRDestroySpatialReference(srs);
}

void files_tif(const char *name, made m, GDALDatasetH *open)
{
    int n = m.bands ? m.bands : 4;
    GDALDatasetH data =
        GDALCreate(GDALGetDriverByName("GTiff"), files_path(name), m.width ? m.width : 8,
                   m.height ? m.height : 6, n, m.type ? m.type : GDT_UInt16, (char **)m.options);
    assert_non_null(data);
    place(data, &m);
    if (m.when) GDALSetMetadataItem(data, "TIFFTAG_DATETIME", m.when, NULL);
    for (int b = 1; b <= n; b++) {
        GDALRasterBandH band = GDALGetRasterBand(data, b);
        if (m.described) GDALSetDescription(band, m.described[b - 1]);
        if (m.nodata) GDALSetRasterNoDataValue(band, atof(m.nodata));
        GDALFillRaster(band, m.fill ? m.fill : 100.0 * b, 0);
    }
    if (open)
        *open = data;
    else
        GDALClose(data);
}
