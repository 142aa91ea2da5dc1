/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `tallyman register`: the shift between two images. The work is in lib/register.c. */
#include <math.h>
#include <stdio.h>

#include "cmd.h"
#include "tallyman/register.h"

static const char doc[] =
    "The shift between two images as JSON, and the second laid onto the first.\v"
    "A ground point at (x, y) of FIXED lies at (x + dx_px, y + dy_px) of MOVING, in pixels of "
    "FIXED, beyond what the geotransforms already say. `windows` of 128 pixels agree about it to "
    "`rmse_px` (each about what the others foretell); `model` is translation, similarity or "
    "affine, or local (a smooth field beyond the affine map, which dx_px and dy_px hold in the "
    "middle); "
    "`rotation_deg` (clockwise) and `scale` are what it turns and stretches, `gsd_ratio` is "
    "MOVING's "
    "pixel over FIXED's, `vanishing` the share of what differs that would not if MOVING lay a "
    "pixel "
    "elsewhere. Without a trustworthy shift "
    "`accepted` is false, the numbers are null, nothing is written, and the exit status is 1.\n\n"
    "Example:\n"
    "  tallyman register \\\n"
    "      fixtures/sets/tumangang_0.5m/scenes/tumangang_20250918.tif \\\n"
    "      fixtures/sets/tumangang_0.5m/scenes/tumangang_20251015.tif \\\n"
    "      -o aligned.tif\n\n"
    "Exit status: 0 done; 1 failed; 2 the call was wrong.";

enum { OPT_BANDS = 256 };
static const struct argp_option options[] = {
    { "output", 'o', "FILE", 0, "GeoTIFF of MOVING on FIXED's grid, Float32, NaN: not seen", 0 },
    { "bands", OPT_BANDS, "LIST", 0,
      "Roles of the bands in their order, e.g. blue,green,red,nir (default: what the files say)",
      0 },
    { 0 },
};
static const struct argp_child children[] = { { &cmd_common_argp, 0, "Common options:", 0 },
                                              { 0 } };

typedef struct call {
    tally_context *ctx;
    tally_register_settings settings;
} call;

static error_t parse(int key, char *arg, struct argp_state *state)
{
    call *c = state->input;
    tally_register_settings *s = &c->settings;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = c->ctx;
        return 0;
    case 'o':
        s->output = arg;
        return 0;
    case OPT_BANDS:
        s->bands = arg;
        return 0;
    case ARGP_KEY_ARG:
        if (s->moving) argp_error(state, "wants two images, no more");
        *(s->fixed ? &s->moving : &s->fixed) = arg;
        return 0;
    case ARGP_KEY_END:
        if (!s->moving) argp_error(state, "wants two images, FIXED and MOVING");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static void print_number(const char *name, double value)
{
    if (isfinite(value))
        printf("\"%s\":%.4f,", name, value);
    else
        printf("\"%s\":null,", name);
}

/* What came later: after the fields that were always there. */
static void print_more(const char *name, double value)
{
    if (isfinite(value))
        printf(",\"%s\":%.6g", name, value);
    else
        printf(",\"%s\":null", name);
}

int cmd_register(int argc, char **argv, tally_context *ctx)
{
    static const struct argp argp = { options, parse, "FIXED MOVING", doc, children, NULL, NULL };
    call c = { .ctx = ctx };
    tally_register_result r;
    tally_error err = { 0 };

    if (argp_parse(&argp, argc, argv, 0, NULL, &c) != 0) return EXIT_CALL;
    const tally_status s = tally_register(ctx, &c.settings, &r, &err);
    if (s != TALLY_OK && s != TALLY_E_NO_MATCH) return cmd_failed(&err);
    putchar('{');
    print_number("dx_px", r.dx_px);
    print_number("dy_px", r.dy_px);
    printf("\"model\":\"%s\",", r.model);
    print_number("rmse_px", r.rmse_px);
    printf("\"windows\":%d,\"accepted\":%s", r.windows, r.accepted ? "true" : "false");
    print_more("rotation_deg", r.rotation_deg);
    print_more("scale", r.scale);
    print_more("gsd_ratio", r.gsd_ratio);
    print_more("vanishing", r.vanishing);
    printf("}\n");
    return s == TALLY_OK ? EXIT_DONE : cmd_failed(&err);
}
