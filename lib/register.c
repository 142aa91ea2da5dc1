/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * `register`: the pair of `diff` (change/pair.h) opened and aligned, and AFTER written as it is
 * read through that alignment. Here and not in a room, because it walks two of them.
 */
#include "tallyman/register.h"

#include <math.h>
#include <stdatomic.h>

#include "change/pair.h"
#include "scene/sink.h"

/* Rows without gaps; NaN where not seen. */
static void pack_band(const tally_patch *p, int band, float *out)
{
    for (int y = 0; y < p->height; y++) {
        const float *row = tally_patch_row(p, band, y);
        for (int x = 0; x < p->width; x++)
            *out++ = tally_bits_get(&p->valid, x, y) ? row[x] : NAN;
    }
}

static tally_status write_strip(const tally_context *ctx, tally_pair *pair, tally_box box,
                                tally_sink *sink, float *rows, tally_error *err)
{
    tally_patch fixed, moving;
    tally_status s = tally_pair_read(ctx, pair, box, &fixed, &moving, err);
    if (s != TALLY_OK) return s;
    for (int b = 0; b < moving.bands && s == TALLY_OK; b++) {
        pack_band(&moving, b, rows);
        s = tally_sink_rows(sink, b, box.y0, tally_box_height(box), rows, err);
    }
    tally_patch_fini(&fixed);
    tally_patch_fini(&moving);
    return s;
}

static tally_status write_aligned(const tally_context *ctx, tally_pair *pair, const char *path,
                                  tally_error *err)
{
    const tally_tile *fixed = &pair->tiles[0];
    const char *names[TALLY_BAND_ROLES];
    tally_sink *sink = NULL;
    float *rows = tally_alloc((size_t)fixed->width * TALLY_SINK_ROWS, sizeof *rows);
    for (int b = 0; b < pair->bands; b++)
        names[b] = tally_band_role_name(pair->roles[b]);
    tally_status s = rows ? tally_sink_create(path, fixed, pair->bands, names, &sink, err)
                          : tally_nomem(err, "a strip of pixels");
    for (int y0 = 0; y0 < fixed->height && s == TALLY_OK; y0 += TALLY_SINK_ROWS) {
        const tally_box strip = { 0, y0, fixed->width,
                                  y0 + TALLY_SINK_ROWS < fixed->height ? y0 + TALLY_SINK_ROWS
                                                                       : fixed->height };
        if (ctx->cancel && atomic_load(ctx->cancel))
            s = tally_fail(err, TALLY_E_CANCELLED, "register was stopped");
        else
            s = write_strip(ctx, pair, strip, sink, rows, err);
        tally_progress(ctx, "aligned", (size_t)strip.y1, (size_t)fixed->height);
    }
    if (s == TALLY_OK)
        s = tally_sink_finish(&sink, err);
    else
        tally_sink_abandon(&sink);
    tally_free(rows);
    return s;
}

tally_status tally_register(const tally_context *ctx, const tally_register_settings *settings,
                            tally_register_result *result, tally_error *err)
{
    tally_pair pair = { 0 };
    bool found = false;
    double dx, dy;
    /* the reason becomes the error: once is enough */
    tally_context silent = *ctx;
    silent.on_message = NULL;

    *result = (tally_register_result) { .dx_px = NAN,
                                        .dy_px = NAN,
                                        .rmse_px = NAN,
                                        .model = "translation",
                                        .rotation_deg = NAN,
                                        .scale = NAN,
                                        .gsd_ratio = NAN,
                                        .vanishing = NAN };
    tally_status s =
        tally_pair_open(ctx, settings->fixed, settings->moving, settings->bands, &pair, err);
    if (s != TALLY_OK) return s;
    if ((s = tally_pair_align(&silent, &pair, &dx, &dy, &found, err)) != TALLY_OK) goto out;
    result->windows = pair.placement.windows;
    result->rmse_px = pair.placement.rmse_px;
    result->gsd_ratio = pair.tiles[1].gsd_m / pair.tiles[0].gsd_m;
    if (!found) {
        const char *why = pair.placement.reason;
        s = tally_fail(
            err, TALLY_E_NO_MATCH, "%s: not aligned to %s: %s", settings->moving, settings->fixed,
            why && *why ? why : "too little that both show, or nothing with edges in it");
        goto out;
    }
    result->dx_px = dx;
    result->dy_px = dy;
    result->model = pair.bend.scale != 0 ? "local" : tally_placement_model(&pair.placement);
    result->accepted = 1;
    result->vanishing = pair.placement.vanishing;
    const double *c = pair.placement.residual.c;
    result->rotation_deg = atan2(c[4] - c[2], c[1] + c[5]) * 180 / M_PI;
    result->scale = sqrt(c[1] * c[5] - c[2] * c[4]);
    if (settings->output) s = write_aligned(ctx, &pair, settings->output, err);
out:
    tally_pair_close(&pair);
    return s;
}
