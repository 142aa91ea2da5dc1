/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Across the seams of a scene that was delivered in tiles. A pixel is interpolated from those
 * around it; with each tile on its own, two or three pixels on either side of a seam would have
 * none, and a track that runs along the seam would count as unseen. Tiles that were cut from one
 * image continue each other pixel by pixel, so a tile's window is completed from its neighbours.
 * Tiles on lattices of their own (another CRS, pixels that do not line up) still leave a gap as
 * wide as the kernel reaches.
 */
#include "align/seams.h"

#include <math.h>
#include <string.h>

/* Where the first pixel of `other` lies in `tile`, in whole pixels; false: on no common lattice. */
static bool lattice_offset(const tally_tile *tile, const tally_tile *other, int *dx, int *dy)
{
    static const double SAME_PX = 1e-3;   /* over the length of a tile */
    static const double FAR_PX = 1 << 24; /* farther apart, they have no seam */
    tally_affine back;
    if (tile->epsg != other->epsg || strcmp(tile->wkt, other->wkt) ||
        !tally_affine_invert(&tile->affine, &back))
        return false;
    const tally_affine map = tally_affine_compose(&back, &other->affine);
    const double size = fmax(other->width, other->height);
    const tally_point at = { round(map.c[0]), round(map.c[3]) };
    if (!(fabs(at.x) < FAR_PX && fabs(at.y) < FAR_PX)) return false;
    if (hypot(map.c[0] - at.x, map.c[3] - at.y) > SAME_PX ||
        hypot(map.c[1] - 1, map.c[4]) * size > SAME_PX ||
        hypot(map.c[2], map.c[5] - 1) * size > SAME_PX)
        return false;
    *dx = (int)at.x;
    *dy = (int)at.y;
    return true;
}

/* Valid pixels of `from`, whose corner lies at (x0, y0) of `to`, where `to` has none. */
static void fill(const tally_patch *from, int x0, int y0, tally_patch *to)
{
    for (int y = 0; y < from->height; y++)
        for (int x = 0; x < from->width; x++) {
            if (!tally_bits_get(&from->valid, x, y) || tally_bits_get(&to->valid, x0 + x, y0 + y))
                continue;
            tally_bits_set(&to->valid, x0 + x, y0 + y);
            for (int b = 0; b < to->bands; b++)
                tally_patch_row(to, b, y0 + y)[x0 + x] = tally_patch_row(from, b, y)[x];
        }
}

/* One strip of the window, in pixels of tile `t`, from tile `u`. */
static tally_status fill_strip(const tally_scene *scene, size_t u, tally_raster **raster,
                               const tally_band_role *roles, int n_roles, tally_box strip, int dx,
                               int dy, tally_box window, tally_patch *patch, tally_error *err)
{
    const tally_tile *other = scene->tiles[u];
    const tally_box there = { dx, dy, dx + other->width, dy + other->height };
    const tally_box common = tally_box_intersect(strip, there);
    if (tally_box_empty(common)) return TALLY_OK;
    tally_patch piece = { 0 };
    tally_status s = *raster ? TALLY_OK : tally_raster_open(other, raster, err);
    if (s == TALLY_OK)
        s = tally_raster_read(
            *raster, roles, n_roles,
            (tally_box) { common.x0 - dx, common.y0 - dy, common.x1 - dx, common.y1 - dy }, &piece,
            err);
    if (s == TALLY_OK) fill(&piece, common.x0 - window.x0, common.y0 - window.y0, patch);
    tally_patch_fini(&piece);
    return s;
}

tally_status tally_seams_read(const tally_scene *scene, size_t t, tally_raster **rasters,
                              const tally_band_role *roles, int n_roles, tally_box window,
                              tally_patch *patch, tally_error *err)
{
    const tally_tile *tile = scene->tiles[t];
    tally_status s = rasters[t] ? TALLY_OK : tally_raster_open(tile, &rasters[t], err);
    if (s == TALLY_OK) s = tally_raster_read(rasters[t], roles, n_roles, window, patch, err);
    const tally_box strips[] = {
        { window.x0, window.y0, window.x1, 0 },
        { window.x0, tile->height, window.x1, window.y1 },
        { window.x0, 0, 0, tile->height },
        { tile->width, 0, window.x1, tile->height },
    };
    for (size_t u = 0; u < scene->n_tiles && s == TALLY_OK; u++) {
        int dx, dy;
        if (u == t || !lattice_offset(tile, scene->tiles[u], &dx, &dy)) continue;
        for (size_t k = 0; k < sizeof strips / sizeof *strips && s == TALLY_OK; k++)
            s = fill_strip(scene, u, &rasters[u], roles, n_roles,
                           tally_box_intersect(strips[k], window), dx, dy, window, patch, err);
    }
    return s;
}
