/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TALLYMAN_SCAN_H
#define TALLYMAN_SCAN_H

#include "tallyman/context.h"

typedef enum tally_scan_format { TALLY_SCAN_TABLE, TALLY_SCAN_JSON } tally_scan_format;

typedef struct tally_scan_settings {
    const char *const *inputs; /* files, folders, globs, STAC ItemCollections */
    size_t n_inputs;
    const char *bands;  /* "blue,green,red,nir", or NULL: as the files say */
    const char *nodata; /* a number, or NULL: as the files say */
    const char *sensor; /* "auto", "optical", "sar"; NULL: auto */
    tally_scan_format format;
} tally_scan_settings;

typedef struct tally_scan_result {
    char *text; /* UTF-8, ends with a line end */
    size_t n_scenes, n_tiles;
    size_t n_left_out; /* scenes that cannot be used; each was warned of with its reason */
} tally_scan_result;

/*
 * List tiles and scenes as `run` would see them: time and where it is from, CRS, GSD, bands,
 * family, sun, cloud, masks, and what is wrong with each. No pixel is measured.
 *
 * Owns:    the text is the caller's, to be freed with tally_scan_fini; empty on failure.
 * Errors:  TALLY_E_IO an input that names nothing; TALLY_E_FORMAT a bad ItemCollection; TALLY_E_ARG
 * bands or nodata.
 */
TALLY_API tally_status tally_scan(const tally_context *ctx, const tally_scan_settings *settings,
                                  tally_scan_result *result, tally_error *err) TALLY_MUST_CHECK;
TALLY_API void tally_scan_fini(tally_scan_result *result);

#endif
