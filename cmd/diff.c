/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `tallyman diff`: what changed between two images. The work is in lib/change/diff.c. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd.h"
#include "tallyman/diff.h"

static const char doc[] =
    "What changed between two images: mask, score and sign of the change, and the blobs in it.\v"
    "change.tif has three Float32 bands on the grid of BEFORE: mask (0, 1; 255 not seen by both), "
    "score, and sign "
    "(-1 darker, 1 brighter). AFTER is warped to that grid, aligned, and brought to BEFORE's "
    "radiometry.\n\n"
    "Methods: auto: logratio where the images are radar (by their bands' names, or by speckle), "
    "else "
    "zscore, both over small neighbourhoods; zscore: squared difference in units of noise, summed "
    "over bands; difference: AFTER minus BEFORE as they are; cva: length of the change vector; "
    "irmad: iterated multivariate alteration detection; logratio: for radar; pca: principal "
    "components of squares of 5 pixels, in two clusters.\n\n"
    "Thresholds: auto: where noise ends and the histogram parts (docs/methods/thresholds.md).\n\n"
    "Example:\n"
    "  tallyman diff fixtures/sets/tumangang_0.5m/scenes/tumangang_20250918.tif \\\n"
    "      fixtures/sets/tumangang_0.5m/scenes/tumangang_20251015.tif \\\n"
    "      -o change.tif --blobs blobs.geojson --open 1 --min-area 12\n\n"
    "Exit status: 0 done; 1 failed; 2 the call was wrong.";

enum {
    OPT_METHOD = 256,
    OPT_ALIGN,
    OPT_THRESHOLD,
    OPT_OPEN,
    OPT_MIN_AREA,
    OPT_SITE,
    OPT_BLOBS,
    OPT_BANDS,
    OPT_SCALES
};
static const struct argp_option options[] = {
    { "output", 'o', "FILE", 0, "GeoTIFF of mask, score and sign", 0 },
    { "blobs", OPT_BLOBS, "FILE", 0, "Blobs as .geojson or .csv", 0 },
    { "method", OPT_METHOD, "NAME", 0,
      "auto, difference, zscore, cva, irmad, logratio or pca (default: auto)", 0 },
    { "align", OPT_ALIGN, "HOW", 0, "auto or none (default: auto)", 0 },
    { "threshold", OPT_THRESHOLD, "RULE", 0,
      "auto, far:P (false alarms per pixel), mad:K, otsu, ki, or a value in units of the score "
      "(default: auto)",
      0 },
    { "scales", OPT_SCALES, "LIST", 0,
      "Sides of the neighbourhoods that are looked at, pixels, e.g. 1,3 (default: those of the "
      "method: auto 1,3, logratio 3,5 and wider where needed, else the pixel alone)",
      0 },
    { "open", OPT_OPEN, "N", 0, "Open the mask with a square of 2 N + 1 pixels (default: 0)", 0 },
    { "min-area", OPT_MIN_AREA, "PX", 0, "Drop blobs of fewer pixels (default: 1)", 0 },
    { "site", OPT_SITE, "FILE", 0, "Look only within the zones of this site file", 0 },
    { "bands", OPT_BANDS, "LIST", 0,
      "Roles of the bands in their order, e.g. blue,green,red,nir (default: what the files say)",
      0 },
    { 0 },
};
static const struct argp_child children[] = { { &cmd_common_argp, 0, "Common options:", 0 },
                                              { 0 } };

typedef struct call {
    tally_context *ctx;
    tally_diff_settings settings;
} call;

static long whole(struct argp_state *state, const char *option, const char *arg, long most)
{
    char *end;
    errno = 0;
    const long value = strtol(arg, &end, 10);
    if (end == arg || *end || errno || value < 0 || value > most)
        argp_error(state, "--%s %s: wants a whole number from 0 to %ld", option, arg, most);
    return value;
}

static error_t parse(int key, char *arg, struct argp_state *state)
{
    call *c = state->input;
    tally_diff_settings *s = &c->settings;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = c->ctx;
        return 0;
    case 'o':
        s->output = arg;
        return 0;
    case OPT_BLOBS:
        s->blobs = arg;
        return 0;
    case OPT_METHOD:
        s->method = arg;
        return 0;
    case OPT_ALIGN:
        s->align = arg;
        return 0;
    case OPT_THRESHOLD:
        s->threshold = arg;
        return 0;
    case OPT_SCALES:
        s->scales = arg;
        return 0;
    case OPT_OPEN:
        s->open = (int)whole(state, "open", arg, 64);
        return 0;
    case OPT_MIN_AREA:
        s->min_area = whole(state, "min-area", arg, 1000000000);
        return 0;
    case OPT_SITE:
        s->site = arg;
        return 0;
    case OPT_BANDS:
        s->bands = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (s->after) argp_error(state, "wants two images, no more");
        *(s->before ? &s->after : &s->before) = arg;
        return 0;
    case ARGP_KEY_END:
        if (!s->after) argp_error(state, "wants two images, BEFORE and AFTER");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int cmd_diff(int argc, char **argv, tally_context *ctx)
{
    static const struct argp argp = { options, parse, "BEFORE AFTER", doc, children, NULL, NULL };
    call c = { .ctx = ctx };
    tally_diff_result r;
    tally_error err = { 0 };

    if (argp_parse(&argp, argc, argv, 0, NULL, &c) != 0) return EXIT_CALL;
    if (tally_diff(ctx, &c.settings, &r, &err) != TALLY_OK) return cmd_failed(&err);
    printf("{\"method\":\"%s\",\"scales\":[%s],\"threshold\":%.6g,\"centre\":%.6g,\"seen\":%.4f,"
           "\"changed\":%.6f,"
           "\"blobs\":%zu,"
           "\"regions\":%zu,\"aligned\":%s,\"dx_px\":%.3f,\"dy_px\":%.3f}\n",
           r.method, r.scales, r.threshold, r.centre, r.seen, r.changed, r.n_blobs, r.regions,
           r.aligned ? "true" : "false", r.dx_px, r.dy_px);
    return EXIT_DONE;
}
