/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `tallyman scan`: what lies in the folders. The work is in lib/scene/. */
#include <stdio.h>

#include "cmd.h"

static const char doc[] =
    "List tiles and scenes as `run` would see them: time and where it is from, family, sun "
    "(degrees, azimuth "
    "clockwise from north), view (degrees off nadir), cloud (percent), and below each scene its "
    "tiles with CRS, ground "
    "sample distance, bands and roles, mask, and what is wrong.\v"
    "TILES are GeoTIFFs (or whatever GDAL opens), folders (searched to the bottom), quoted globs, "
    "or STAC "
    "ItemCollections.\n\n"
    "Example:\n"
    "  tallyman scan fixtures/sets/tumangang_0.5m/scenes\n\n"
    "Exit status: 0 done; 1 failed; 2 the call was wrong; 3 done, but some scenes cannot be used.";

enum { OPT_BANDS = 256, OPT_NODATA, OPT_SENSOR, OPT_JSON };
static const struct argp_option options[] = {
    { "bands", OPT_BANDS, "LIST", 0,
      "Roles of the bands in their order, e.g. blue,green,red,nir (default: what the files say)",
      0 },
    { "nodata", OPT_NODATA, "V", 0,
      "Value of pixels without a measurement (default: what the files say)", 0 },
    { "sensor", OPT_SENSOR, "KIND", 0,
      "auto, optical or sar: what took the tiles (default: auto, as bands, items, tags and names "
      "tell)",
      0 },
    { "json", OPT_JSON, NULL, 0, "Print JSON (default: text)", 0 },
    { 0 },
};
static const struct argp_child children[] = { { &cmd_common_argp, 0, "Common options:", 0 },
                                              { 0 } };

typedef struct call {
    tally_context *ctx;
    tally_scan_settings settings;
} call;

static error_t parse(int key, char *arg, struct argp_state *state)
{
    call *c = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = c->ctx;
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
    case OPT_JSON:
        c->settings.format = TALLY_SCAN_JSON;
        return 0;
    case ARGP_KEY_ARGS:
        c->settings.inputs = (const char *const *)(state->argv + state->next);
        c->settings.n_inputs = (size_t)(state->argc - state->next);
        return 0;
    case ARGP_KEY_END:
        if (c->settings.n_inputs == 0) argp_error(state, "wants tiles: files, folders or globs");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int cmd_scan(int argc, char **argv, tally_context *ctx)
{
    static const struct argp argp = { options, parse, "TILES...", doc, children, NULL, NULL };
    call c = { .ctx = ctx };
    tally_scan_result result;
    tally_error err = { 0 };

    if (argp_parse(&argp, argc, argv, 0, NULL, &c) != 0) return EXIT_CALL;
    if (tally_scan(ctx, &c.settings, &result, &err) != TALLY_OK) return cmd_failed(&err);
    fputs(result.text, stdout); /* main() looks whether it went out */
    int status = result.n_left_out ? EXIT_LEFT_OUT : EXIT_DONE;
    tally_scan_fini(&result);
    return status;
}
