/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A stack: the scenes of one family on one grid, each with its placement and radiometry, read
 * window by window.
 *
 * The grid lies in the site's UTM zone, covers the zones with a margin, and keeps the reference
 * scene's own pixels where that is in the same CRS. A ground point (X, Y) of the site is seen at
 * grid pixel (X - x0)/gsd + datum_x, (y0 - Y)/gsd + datum_y: the datum says how far all scenes are
 * off together. Everything handed out by tally_stack_read lies on the reference, so zones must pass
 * through tally_stack_px and results back through tally_stack_metres.
 */
#ifndef TALLY_ALIGN_STACK_H
#define TALLY_ALIGN_STACK_H

#include "scene/scene.h"
#include "site/site.h"

/* How one scene's content lies on the reference. */
typedef struct tally_placement {
    tally_affine residual; /* grid px of the reference -> grid px where the scene has that content,
                              beyond its geotransform */
    tally_bend bend; /* what windows show beyond it, where enough of them carry a smooth field; the
                        pair of `diff` and `register` follows it, stacks do not */
    double dx_px, dy_px; /* residual at the middle of the zones: content lies right of and below the
                            reference's */
    double rmse_px;      /* of the windows, each about what the others foretell */
    int windows;         /* kept */
    double vanishing;    /* share of the change on stable ground that is none a pixel away; NaN:
                            not known */
    bool accepted;
    const char *reason; /* when not accepted: static or in the catalogue's strings */
} tally_placement;

/* `translation`, `similarity` or `affine`: what the residual amounts to. */
const char *tally_placement_model(const tally_placement *placement);

typedef struct tally_stack_scene {
    const tally_scene *scene;
    tally_placement placement;
    float gain[TALLY_BAND_ROLES],
        offset[TALLY_BAND_ROLES]; /* reference = gain * x + offset, by stack band */
    bool snow;                    /* snow lies on stable ground */
    bool hidden;      /* under a cloud that no mask knows of: reading it shows nothing */
    tally_bits cloud; /* own mask, by cells of cloud_px grid pixels; no bits: none */
    int cloud_px;
    float noise; /* robust sigma of (scene - reference) on stable ground, reference's units, mean of
                    bands */
} tally_stack_scene;

typedef struct tally_stack {
    const tally_site *site;
    char *family;
    tally_grid grid;
    tally_band_role roles[TALLY_BAND_ROLES]; /* of the patches' bands, in this order */
    int n_bands;
    tally_stack_scene *scenes; /* by time */
    size_t n;
    int reference; /* index, -1 when its scene is not among these (frozen stack) */
    double datum_x_px, datum_y_px;
    double zones_x_px,
        zones_y_px;  /* the part of the datum by which the zones were found to be off */
    tally_bits thin; /* by thin_px grid pixels: too few scenes for a background; no bits: nowhere */
    int thin_px;
    struct tally_survey *survey; /* tie windows and what else placing needs; align/survey.h */
} tally_stack;

static inline bool tally_stack_is_radar(const tally_stack *s)
{
    for (int b = 0; b < s->n_bands; b++)
        if (tally_band_is_radar(s->roles[b])) return true;
    return false;
}

static inline tally_point tally_stack_px(const tally_stack *s, tally_point metres)
{
    tally_point p = tally_grid_to_px(&s->grid, metres);
    return (tally_point) { p.x + s->datum_x_px, p.y + s->datum_y_px };
}
static inline tally_point tally_stack_metres(const tally_stack *s, tally_point px)
{
    return tally_grid_to_metres(&s->grid,
                                (tally_point) { px.x - s->datum_x_px, px.y - s->datum_y_px });
}
/* A zone's shape in grid pixels (fresh copy; tally_shape_fini). */
tally_status tally_stack_shape(const tally_stack *s, const tally_shape *metres, tally_shape *px,
                               tally_error *err) TALLY_MUST_CHECK;
/* The box of grid pixels around a shape in site metres, grown by margin_m. May reach past the grid;
 * that is not seen. */
tally_box tally_stack_box(const tally_stack *s, const tally_shape *metres, double margin_m);

/*
 * Scene `i` in `box` of the grid: placed on the reference, in its radiometry (gain, offset
 * applied), `n_bands` float bands; valid where usable pixels stand under the whole kernel (cubic,
 * or nearest-in when the edge is near). patch is initialised here. Safe from several threads at
 * once.
 */
tally_status tally_stack_read(const tally_context *ctx, const tally_stack *stack, size_t i,
                              tally_box box, tally_patch *patch, tally_error *err) TALLY_MUST_CHECK;

/* Many windows of one scene: its tiles stay open between them, so that a block that two windows
 * touch is decoded once. Stays on one thread. The scene's radiometry and placement may change
 * between reads. */
typedef struct tally_stack_reader {
    const tally_stack *stack;
    size_t scene;
    struct tally_raster **rasters; /* one for each tile; NULL: not opened yet */
} tally_stack_reader;
tally_status tally_stack_reader_open(const tally_stack *stack, size_t i, tally_stack_reader *out,
                                     tally_error *err) TALLY_MUST_CHECK;
void tally_stack_reader_close(tally_stack_reader *reader);
tally_status tally_stack_reader_read(const tally_context *ctx, tally_stack_reader *reader,
                                     tally_box box, tally_patch *patch,
                                     tally_error *err) TALLY_MUST_CHECK;
/* The same without interpolation, where the scene's pixels are as large as the grid's and turned by
 * no more than a trifle: the nearest whole pixels, read `off` px left of and above their place.
 * Else interpolated, and off is 0. */
tally_status tally_stack_reader_read_whole(const tally_context *ctx, tally_stack_reader *reader,
                                           tally_box box, tally_patch *patch, tally_point *off,
                                           tally_error *err) TALLY_MUST_CHECK;

typedef struct tally_survey_settings {
    const char *reference; /* scene id, or NULL: chosen */
    const char *datum; /* "mean", "scene:ID", "DX,DY" (px), or NULL: mean refined by the zones */
} tally_survey_settings;

/*
 * Step 1. Survey the scenes of one family: grid, reference, placements, radiometry, datum. Scenes
 * that cannot be read or placed stay in the stack with accepted == false and a reason.
 */
tally_status tally_stack_survey(const tally_context *ctx, const tally_site *site,
                                const tally_scene *const *scenes, size_t n,
                                const tally_survey_settings *settings, tally_stack **out,
                                tally_error *err) TALLY_MUST_CHECK;
/* Gain, offset, noise and snow of a placed scene again, from what its cloud mask leaves of the tie
 * windows.
 */
tally_status tally_stack_rescale(const tally_context *ctx, tally_stack *stack, size_t i,
                                 tally_error *err) TALLY_MUST_CHECK;
/* Freeze grid, reference pixels (where surveyed) and datum into `folder` (stack.json,
 * reference.tif). */
tally_status tally_stack_save(const tally_context *ctx, const tally_stack *stack,
                              const char *folder, tally_error *err) TALLY_MUST_CHECK;
/* A stack of new scenes against what was frozen: gives each scene the placement that it would have
 * had in the first run. */
tally_status tally_stack_resume(const tally_context *ctx, const tally_site *site,
                                const char *folder, const tally_scene *const *scenes, size_t n,
                                tally_stack **out, tally_error *err) TALLY_MUST_CHECK;
void tally_stack_destroy(tally_stack **stack);

#endif
