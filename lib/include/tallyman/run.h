/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TALLYMAN_RUN_H
#define TALLYMAN_RUN_H

#include <stddef.h>
#include <stdint.h>

#include "tallyman/context.h"

/* What a run is told. Strings that are NULL take the default. */
typedef struct tally_run_settings {
    const char *site_path;
    const char *site_id;       /* NULL: as the site file says */
    const char *const *inputs; /* files, folders, globs, STAC ItemCollections */
    size_t n_inputs;
    const char *folder;    /* DIR: made when it is not there */
    const char *bands;     /* "blue,green,red,nir" */
    const char *nodata;    /* a number */
    const char *catalogue; /* file of rail vehicles; NULL: the built-in one */
    const char *sensor;    /* "auto", "optical", "sar"; NULL: auto */
    const char *reference; /* scene id that the others are aligned to */
    const char *datum; /* "mean", "scene:ID", "DX,DY" (px), or NULL: mean, refined by the zones */
    const char *min_background; /* scenes that must see a pixel for it to have a background: "3" */
    const char *background;     /* an earlier run's folder, or what its save_background wrote: count
                                   against that */
    const char *save_background; /* file.tif: the background as a COG */
    int64_t as_of;               /* TALLY_NO_TIME_GIVEN: whole series */
    enum tally_freshness {
        TALLY_CONTINUE,
        TALLY_FRESH
    } freshness; /* FRESH: forget what DIR holds */
} tally_run_settings;

#define TALLY_NO_TIME_GIVEN INT64_MIN

/* What a run came to. */
typedef struct tally_run_result {
    size_t n_scenes;   /* in the store afterwards */
    size_t n_counted;  /* by this run */
    size_t n_left_out; /* rejected, this run's inputs */
    size_t n_spikes;   /* dates on which a total stands out */
    int nothing_new;   /* every input was counted before */
} tally_run_result;

/*
 * The main job: from tiles to series, store and report in settings->folder (CONTRACT.md 5). Scenes
 * that are already in the store are not counted again; new ones are counted against the frozen
 * background. Errors: all; what was stored before stays. TALLY_E_BUSY when another run holds the
 * folder.
 */
TALLY_API tally_status tally_run(const tally_context *ctx, const tally_run_settings *settings,
                                 tally_run_result *result, tally_error *err) TALLY_MUST_CHECK;

/* The time zone of the site that a folder was made from, by its IANA name; "" when its site file
 * names none. out: freed with free(). */
TALLY_API tally_status tally_run_timezone(const char *folder, char **out,
                                          tally_error *err) TALLY_MUST_CHECK;

/*
 * Run again, in a scratch folder, what folder/run.json describes, and compare all tables byte for
 * byte. differs: the name of the first table that differs, or "" ; static storage.
 */
TALLY_API tally_status tally_verify(const tally_context *ctx, const char *folder,
                                    const char **differs, tally_error *err) TALLY_MUST_CHECK;

#endif
