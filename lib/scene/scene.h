/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What lies in the folders: tiles, the scenes that they make up, and the pixels in them.
 * catalogue: names, sidecars, siblings, times, families (CONTRACT.md 3). raster: windows of native
 * pixels.
 */
#ifndef TALLY_SCENE_SCENE_H
#define TALLY_SCENE_SCENE_H

#include "base/geometry.h"

typedef enum tally_band_role {
    TALLY_BLUE,
    TALLY_GREEN,
    TALLY_RED,
    TALLY_NIR,
    TALLY_PAN,
    TALLY_VV,
    TALLY_VH,
    TALLY_HH,
    TALLY_HV,
    TALLY_RADAR, /* radar of a polarisation that nothing tells */
    TALLY_BAND_ROLES
} tally_band_role;

static inline bool tally_band_is_radar(tally_band_role role)
{
    return role >= TALLY_VV && role < TALLY_BAND_ROLES;
}

/* --sensor */
typedef enum tally_sensor_kind {
    TALLY_SENSOR_AUTO, /* as bands, items, tags and names tell */
    TALLY_SENSOR_OPTICAL,
    TALLY_SENSOR_SAR
} tally_sensor_kind;
/* `auto` (or NULL), `optical`, `sar`; -1 for another word. */
int tally_sensor_parse(const char *word);

/* `blue`, `green`, ... and back; -1 for another word. */
const char *tally_band_role_name(tally_band_role role);
int tally_band_role_parse(const char *word);

typedef struct tally_tile {
    const char *path;      /* as GDAL opens it */
    const char *mask_path; /* udm2 or _mask file; NULL: none */
    int width, height, n_bands;
    int bands[TALLY_BAND_ROLES]; /* 1-based band of each role; 0: not there */
    tally_affine affine;         /* pixel -> CRS, x east, y north */
    const char *wkt;             /* its CRS */
    int epsg;                    /* 0: no code */
    double gsd_m;                /* true metres, geometric mean of both axes */
    double nodata;               /* NaN: none */
    int has_alpha;               /* 1-based alpha band, 0: none */
    const tally_bits
        *border; /* coarse: where a JPEG-compressed picture is black up to its edge; NULL: none */
    const char *reason;  /* "" when fit for use; else what is wrong and what to do */
    const char *warning; /* "" or what is odd about it; it is used all the same */
} tally_tile;

typedef struct tally_scene {
    const char *id, *family, *sensor, *time_source, *time_precision; /* "second", "day" */
    const char *reason;                                              /* "" or why it is rejected */
    const char *duplicate_of;                                        /* scene id, or NULL */
    int64_t utc;
    const tally_tile **tiles; /* first usable pixel in this order */
    size_t n_tiles;
    int bands[TALLY_BAND_ROLES]; /* 1 where every tile has the role */
    double gsd_m, sun_azimuth,
        sun_elevation;              /* NaN unknown; sun from time and place when not said */
    double off_nadir, view_azimuth; /* view_azimuth: at the ground, toward the sensor */
    double cloud;                   /* percent */
    int epsg;
} tally_scene;

typedef struct tally_catalogue {
    tally_strings *strings;
    tally_tile *tiles;
    size_t n_tiles;
    tally_scene *scenes; /* by time, then id; rejected ones included */
    size_t n_scenes;
} tally_catalogue;

/* A scene that an earlier run into the same folder named: its names are kept. */
typedef struct tally_known_scene {
    const char *id, *family, *file; /* file: its first tile, absolute */
    int64_t utc;
} tally_known_scene;

typedef struct tally_catalogue_settings {
    const char *const *inputs; /* files, folders, globs, STAC ItemCollections (.json / .geojson) */
    size_t n_inputs;
    const char *bands; /* "blue,green,red,nir" or NULL */
    double nodata;     /* NaN: as the files say */
    tally_sensor_kind sensor;
    const tally_known_scene *known;
    size_t n_known;
} tally_catalogue_settings;

/*
 * Find the tiles, read what is said about them, and group them. A tile that cannot be used stays in
 * the list with its reason; only an input that names nothing at all is an error. Order and result
 * depend on the files alone, not on the order of the folder. Errors: TALLY_E_IO no such file,
 * folder, or match; TALLY_E_FORMAT a bad ItemCollection; TALLY_E_ARG bad --bands.
 */
tally_status tally_catalogue_read(const tally_context *ctx,
                                  const tally_catalogue_settings *settings, tally_catalogue **out,
                                  tally_error *err) TALLY_MUST_CHECK;
void tally_catalogue_destroy(tally_catalogue **catalogue);

/* Where on the ground, in another CRS: the affine map from pixels of a north-up `epsg` grid to
 * pixels of the tile near `at`, exact to 1/100 px over a few kilometres. TALLY_E_CRS when it cannot
 * be had. */
tally_status tally_tile_affine_from(const tally_tile *tile, int epsg, double x0, double y0,
                                    double gsd_m, tally_box at, tally_affine *grid_to_tile,
                                    tally_error *err) TALLY_MUST_CHECK;

/* An open tile. Stays on one thread. */
typedef struct tally_raster tally_raster;
tally_status tally_raster_open(const tally_tile *tile, tally_raster **out,
                               tally_error *err) TALLY_MUST_CHECK;
void tally_raster_close(tally_raster **raster);
/*
 * The window of native pixels of the given roles, as floats, and which of them are usable (nodata,
 * alpha, dataset mask, udm2 or mask file, NaN). `window` may reach past the tile: what lies outside
 * is not valid. patch is initialised here.
 */
tally_status tally_raster_read(tally_raster *raster, const tally_band_role *roles, int n_roles,
                               tally_box window, tally_patch *patch,
                               tally_error *err) TALLY_MUST_CHECK;

/* A GeoTIFF of floats (Float32, tiled, DEFLATE), written beside and renamed. names: one per band or
 * NULL. epsg 0: no CRS. Not valid -> NaN. `affine` NULL: none. */
tally_status tally_raster_write(const char *path, const tally_patch *patch, int epsg,
                                const tally_affine *affine, const char *const *names,
                                tally_error *err) TALLY_MUST_CHECK;
/* Read one written by it: all bands, the whole of it. */
tally_status tally_raster_load(const char *path, tally_patch *patch,
                               tally_error *err) TALLY_MUST_CHECK;
/* An 8-bit RGB picture as PNG file; rgb is 3 x width x height interleaved. */
tally_status tally_picture_write(const char *path, const unsigned char *rgb, int width, int height,
                                 tally_error *err) TALLY_MUST_CHECK;

/* GDAL's registration, its own messages caught. Call once, before anything else of scene/ or
 * store/. */
void tally_gdal_begin(void);
/* "3.6.2" and "4.5.0": the libraries that read the pixels, for run.json. Static storage. */
const char *tally_gdal_version(void);
const char *tally_tiff_version(void);

#endif
