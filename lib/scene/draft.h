/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the catalogue's steps hand to each other: paths, then what is said about each tile, then
 * scenes. */
#ifndef TALLY_SCENE_DRAFT_H
#define TALLY_SCENE_DRAFT_H

#include <pthread.h>

#include "scene/scene.h"

struct json_t; /* jansson's, borrowed */

/* Products of one acquisition, the one to be preferred first. */
typedef enum tally_product_level {
    TALLY_LEVEL_SR,
    TALLY_LEVEL_ANALYTIC,
    TALLY_LEVEL_VISUAL
} tally_product_level;

/* One source's word on when. */
typedef struct tally_moment {
    const char *source; /* stac, sidecar, imagery, name, tiff */
    int64_t utc;
    bool has_clock;
} tally_moment;

enum { TALLY_MOMENTS = 6, TALLY_NAMED_BANDS = 32 };

/* What a file's name tells. */
typedef struct tally_naming {
    char tie[256];    /* what siblings, masks and sidecars share; the scene's name */
    char product[64]; /* AnalyticMS_SR, Visual, ..., "" unknown */
    bool is_mask;     /* udm, udm2, mask */
    bool is_planet;   /* ID_3B_... */
    bool is_maxar;    /* 23OCT05021134-M2AS-...: M multispectral, S pan-sharpened, P panchromatic */
    bool is_sibling;  /* _r1c1, -P001 */
    bool is_naip;     /* m_4709963_se_14_1_20140720: red, green, blue, nir */
    tally_product_level level;
} tally_naming;

/* What the sidecars tell; strings are the catalogue's. */
typedef struct tally_sidecar {
    const char *id, *satellite, *sensor, *orbit;
    int relative_orbit; /* 0: not said */
    bool is_radar;
    int polarisation; /* a role; -1: not said */
    tally_moment moments[2];
    int n_moments;
    double sun_azimuth, sun_elevation, off_nadir, view_azimuth, cloud, gsd_m;
    int roles[TALLY_NAMED_BANDS]; /* of band i + 1, -1 unknown */
    int n_roles;
} tally_sidecar;

typedef struct tally_draft {
    tally_tile tile;
    tally_naming naming;
    tally_sidecar said;
    const struct json_t *item; /* the STAC item whose asset it is, NULL: look beside it */
    const char *item_asset;    /* key of the asset */
    const char *folder, *stem;
    tally_moment moments[TALLY_MOMENTS]; /* best first */
    int n_moments;
    int is_byte, is_jpeg, roles_guessed;
    tally_point low, high; /* footprint, degrees; low.x > high.x never */
    bool has_footprint;
    size_t group; /* acquisition: index of its first draft */
} tally_draft;

/* One path to look at, and the STAC item that named it. */
typedef struct tally_input {
    const char *path, *mask;
    const struct json_t *item;
    const char *asset;
} tally_input;

typedef struct tally_items tally_items; /* parsed STAC items, kept while the catalogue is made */

typedef struct tally_builder {
    const tally_context *ctx;
    const tally_catalogue_settings *settings;
    tally_strings *strings;
    bool no_memory;       /* a text could not be kept; under lock */
    pthread_mutex_t lock; /* around strings: tiles are looked at by several threads */
    tally_input *inputs;
    size_t n_inputs;
    tally_items *items;
    tally_draft *drafts;
    size_t n_drafts;
    int roles[TALLY_NAMED_BANDS]; /* --bands */
    int n_roles;
} tally_builder;

/* The pool's copy, safe from any thread; "" without memory, which the end of the work reports. */
const char *tally_keep(tally_builder *b, const char *text);

/* inputs.c: files, folders, globs and collections become paths, sorted, each once. */
tally_status tally_inputs_find(tally_builder *b, tally_error *err) TALLY_MUST_CHECK;
void tally_inputs_fini(tally_builder *b);

/* names.c */
tally_naming tally_naming_of(const char *stem);
/* A date in a name; with_clock: only those with a time of day. False: none. */
bool tally_name_moment(const char *stem, bool with_clock, int64_t *utc);

/* sidecar.c: all that lies beside the tile, or in its STAC item. Without any, everything is
 * unknown. */
void tally_sidecar_none(tally_sidecar *out);
void tally_sidecar_item(tally_builder *b, const struct json_t *item, const char *asset,
                        const char *file, tally_sidecar *out);
void tally_sidecar_read(tally_builder *b, const tally_draft *draft, tally_sidecar *out);
/* maxar.c: IMD or XML text, whichever it is. False: neither. */
bool tally_maxar_read(tally_builder *b, const char *path, tally_sidecar *out);

/* tile.c: open it, and say what it is or what is wrong with it. */
void tally_draft_read(tally_builder *b, const tally_input *input, tally_draft *out);
/* probe.c: "" or what is wrong with the bytes of the file. data is a GDALDatasetH. */
void tally_probe(void *data, const char *path, char *reason, size_t size);
/* Where a JPEG-compressed picture is black up to its edge; NULL: nowhere, or no memory. */
tally_bits *tally_border_find(void *data, const int *bands, int n);

/* group.c: tiles into scenes, scenes into families. */
tally_status tally_scenes_make(tally_builder *b, tally_catalogue *c,
                               tally_error *err) TALLY_MUST_CHECK;
tally_status tally_families_name(tally_builder *b, tally_catalogue *c,
                                 tally_error *err) TALLY_MUST_CHECK;

/* sun.c: degrees, azimuth clockwise from true north, elevation without refraction. */
void tally_sun_position(int64_t utc, double longitude, double latitude, double *azimuth,
                        double *elevation);

#endif
