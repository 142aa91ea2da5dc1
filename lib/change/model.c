/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The frozen background as GeoTIFFs in a folder: one float file a unit and layer, written whole by
 * rename, so that a later run counts against the very same numbers and a GIS shows them. Known
 * limit: the folder is trusted; whoever edits a layer changes the counts (run.json holds its hash).
 */
#include <string.h>
#include <unistd.h>

#include "change/model.h"

struct tally_model {
    char *folder;
};

tally_status tally_model_open(const char *folder, tally_model **out, tally_error *err)
{
    *out = NULL;
    if (access(folder, R_OK | X_OK) != 0)
        return tally_fail(err, TALLY_E_IO, "%s: the folder of the background cannot be read",
                          folder);
    tally_model *model = tally_alloc(1, sizeof *model);
    if (!model || !(model->folder = tally_strdup(folder))) {
        tally_model_close(&model);
        return tally_nomem(err, "a background model");
    }
    *out = model;
    return TALLY_OK;
}

void tally_model_close(tally_model **model)
{
    if (!model || !*model) return;
    tally_free((*model)->folder);
    tally_free(*model);
    *model = NULL;
}

static bool plain_name(const char *name)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_";
    const size_t n = strspn(name, letters);
    return n > 0 && n < 100 && name[n] == '\0';
}

static tally_status layer_path(const tally_model *model, const char *unit, const char *layer,
                               char **out, tally_error *err)
{
    *out = NULL;
    if (!plain_name(unit) || !plain_name(layer))
        return tally_fail(err, TALLY_E_ARG, "'%s' and '%s' cannot name a background layer", unit,
                          layer);
    *out = tally_format("%s/%s_%s.tif", model->folder, unit, layer);
    return *out ? TALLY_OK : tally_nomem(err, "the path of a background layer");
}

tally_status tally_model_put(tally_model *model, const tally_stack *stack, const char *unit,
                             const char *layer, const tally_patch *patch, const tally_box *at,
                             tally_error *err)
{
    char *path;
    tally_affine affine = { { 0 } };
    tally_status s = layer_path(model, unit, layer, &path, err);

    if (s != TALLY_OK) return s;
    if (at) {
        const tally_point corner = tally_stack_metres(stack, (tally_point) { at->x0, at->y0 });
        affine = (tally_affine) { { corner.x, stack->grid.gsd_m, 0.0, corner.y, 0.0,
                                    -stack->grid.gsd_m } };
    }
    s = tally_raster_write(path, patch, at ? stack->grid.epsg : 0, at ? &affine : NULL, NULL, err);
    tally_free(path);
    return s;
}

tally_status tally_model_get(const tally_model *model, const char *unit, const char *layer,
                             tally_patch *patch, tally_error *err)
{
    char *path;
    tally_status s = layer_path(model, unit, layer, &path, err);

    *patch = (tally_patch) { 0 };
    if (s != TALLY_OK) return s;
    if (access(path, F_OK) != 0)
        s = tally_fail(err, TALLY_E_NODATA, "%s: there is no such background layer", path);
    else
        s = tally_raster_load(path, patch, err);
    tally_free(path);
    return s;
}
