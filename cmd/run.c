/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `tallyman run`: the main job for one site. The work is in lib/run.c. */
#include <stdio.h>

#include "cmd.h"

static const char doc[] =
    "Count railcars, container slots and vessels of one site in all its scenes.\v"
    "TILES are GeoTIFFs (or whatever GDAL opens), folders, quoted globs, or STAC ItemCollections. "
    "DIR gets the store "
    "tallyman.gpkg, the tables scenes.csv, series.csv, detections.geojson, spikes.csv, visits.csv, "
    "run.json, pictures/ and report.html (open that one first). A second run with more tiles "
    "counts "
    "only those, against the same background. Lengths are metres on the ground, shares 0 to 1, "
    "times UTC.\n\n"
    "Example:\n"
    "  tallyman run fixtures/sites/tumangang.geojson \\\n"
    "      fixtures/sets/tumangang_0.5m/scenes -o out\n\n"
    "Exit status: 0 done; 1 failed; 2 the call was wrong; 3 done, but some scenes were left out.";

enum {
    OPT_SITE = 256,
    OPT_CATALOGUE,
    OPT_BANDS,
    OPT_NODATA,
    OPT_SENSOR,
    OPT_REFERENCE,
    OPT_DATUM,
    OPT_AS_OF,
    OPT_FRESH,
    OPT_BACKGROUND,
    OPT_SAVE_BACKGROUND,
    OPT_MIN_BACKGROUND
};
static const struct argp_option options[] = {
    { "output", 'o', "DIR", 0, "Folder for the results; it and its parents are made when missing",
      0 },
    { "site", OPT_SITE, "ID", 0, "Id of the site (default: the site file's, else its name)", 0 },
    { "bands", OPT_BANDS, "LIST", 0,
      "Roles of the bands in their order, e.g. blue,green,red,nir (default: what the files say)",
      0 },
    { "nodata", OPT_NODATA, "V", 0,
      "Value of pixels without a measurement (default: what the files say)", 0 },
    { "catalogue", OPT_CATALOGUE, "FILE", 0,
      "Sizes of the rail vehicles to look for, CSV as share/wagons.csv (default: that one, which "
      "is "
      "built in)",
      0 },
    { "sensor", OPT_SENSOR, "KIND", 0,
      "auto, optical or sar: what took the tiles (default: auto, as bands, items, tags and names "
      "tell). In radar images vessels are counted; railcars and containers are refused",
      0 },
    { "reference", OPT_REFERENCE, "ID", 0, "Scene that the others are laid onto (default: chosen)",
      0 },
    { "datum", OPT_DATUM, "WHERE", 0,
      "How far the scenes are off together: mean (their median position), scene:ID or DX,DY in "
      "pixels (default: mean, and where the zones are found again elsewhere, there)",
      0 },
    { "min-background", OPT_MIN_BACKGROUND, "N", 0,
      "Scenes that must show a place for it to have a background, 1 to 64; where fewer do it is "
      "not "
      "seen (default: 3; with less than 7 scenes: 1)",
      0 },
    { "background", OPT_BACKGROUND, "PATH", 0,
      "Count against the frozen background of an earlier run: its folder, or what its "
      "--save-background wrote (default: learned from TILES, or what DIR holds)",
      0 },
    { "save-background", OPT_SAVE_BACKGROUND, "FILE.tif", 0,
      "Write what the site looks like when empty as a cloud-optimised GeoTIFF: level and sigma of "
      "each band, and how many scenes show each pixel",
      0 },
    { "as-of", OPT_AS_OF, "DATE", 0,
      "Judge spikes by what was known that day, e.g. 2026-03-01 (default: by all dates)", 0 },
    { "fresh", OPT_FRESH, NULL, 0, "Forget what DIR holds and start over", 0 },
    { 0 },
};
static const struct argp_child children[] = { { &cmd_common_argp, 0, "Common options:", 0 },
                                              { 0 } };

typedef struct call {
    tally_context *ctx;
    tally_run_settings settings;
} call;

static error_t parse(int key, char *arg, struct argp_state *state)
{
    call *c = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = c->ctx;
        return 0;
    case 'o':
        c->settings.folder = arg;
        return 0;
    case OPT_SITE:
        c->settings.site_id = arg;
        return 0;
    case OPT_BANDS:
        c->settings.bands = arg;
        return 0;
    case OPT_NODATA:
        c->settings.nodata = arg;
        return 0;
    case OPT_SENSOR:
        c->settings.sensor = arg;
        return 0;
    case OPT_CATALOGUE:
        c->settings.catalogue = arg;
        return 0;
    case OPT_REFERENCE:
        c->settings.reference = arg;
        return 0;
    case OPT_DATUM:
        c->settings.datum = arg;
        return 0;
    case OPT_MIN_BACKGROUND:
        c->settings.min_background = arg;
        return 0;
    case OPT_BACKGROUND:
        c->settings.background = arg;
        return 0;
    case OPT_SAVE_BACKGROUND:
        c->settings.save_background = arg;
        return 0;
    case OPT_FRESH:
        c->settings.freshness = TALLY_FRESH;
        return 0;
    case OPT_AS_OF:
        if (!tally_time_parse(arg, &c->settings.as_of))
            argp_error(state, "--as-of %s: wants a date such as 2026-03-01", arg);
        return 0;
    case ARGP_KEY_ARGS:
        c->settings.site_path = state->argv[state->next];
        c->settings.inputs = (const char *const *)(state->argv + state->next + 1);
        c->settings.n_inputs = (size_t)(state->argc - state->next - 1);
        return 0;
    case ARGP_KEY_END:
        if (!c->settings.site_path || c->settings.n_inputs == 0)
            argp_error(state, "wants a site file and tiles");
        if (!c->settings.folder) argp_error(state, "wants -o DIR, the folder for the results");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int cmd_run(int argc, char **argv, tally_context *ctx)
{
    static const struct argp argp = { options, parse, "SITE TILES... -o DIR", doc, children,
                                      NULL,    NULL };
    call c = { .ctx = ctx, .settings = { .as_of = TALLY_NO_TIME_GIVEN } };
    tally_run_result result;
    tally_error err = { 0 };

    if (argp_parse(&argp, argc, argv, 0, NULL, &c) != 0) return EXIT_CALL;
    if (tally_run(ctx, &c.settings, &result, &err) != TALLY_OK) return cmd_failed(&err);
    printf("%s/report.html: %zu scenes, %zu counted now, %zu left out, %zu date%s out\n",
           c.settings.folder, result.n_scenes, result.n_counted, result.n_left_out, result.n_spikes,
           result.n_spikes == 1 ? " stands" : "s stand");
    return result.n_left_out ? EXIT_LEFT_OUT : EXIT_DONE;
}
