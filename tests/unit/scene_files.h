/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Small files in a vendor's layout, in a folder that goes when the test ends. */
#ifndef TALLY_TEST_SCENE_FILES_H
#define TALLY_TEST_SCENE_FILES_H

#include <gdal.h>

/* What a made GeoTIFF is like; what is left 0 gets a default: 8 x 6 pixels, 4 UInt16 bands of 3 m
 * in EPSG:32652. */
typedef struct made {
    int width, height, bands, epsg;
    GDALDataType type;
    double x0, y0, gsd;
    double fill;                  /* 0: band number times 100 */
    const char *nodata;           /* a number */
    const char *when;             /* TIFFTAG_DATETIME */
    const char *const *described; /* one per band */
    const char *const *options;   /* of the GTiff driver, NULL-terminated */
    int no_place;                 /* no geotransform */
} made;

/* A new folder under /tmp and its path with a slash; the same one until removed. */
const char *files_begin(void);
void files_end(void);
/* folder + name; one of eight static buffers. */
const char *files_path(const char *name);
void files_text(const char *name, const char *text);
/* Leaves the file open where `open` is not NULL, so that more can be put into it. */
void files_tif(const char *name, made m, GDALDatasetH *open);

#endif
