/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>

#include "scene/scene.h"
#include "site/crs.h"

/* 5 x 5 points: the fit has 6 unknowns, and the residual shows whether an affine map will do. */
enum { SIDE = 5 };
/* More than this and the window is too wide for its CRS: registration works to about a tenth of a
 * pixel. */
#define MOST_RESIDUAL_PX 0.1

/* Least squares over a regular lattice: centred coordinates are orthogonal, so each coefficient
 * stands alone. */
static tally_affine fit(const tally_point *from, const tally_point *to, int n)
{
    tally_point m = { 0 }, t = { 0 };
    double xx = 0, yy = 0, xu = 0, yu = 0, xv = 0, yv = 0;
    for (int i = 0; i < n; i++) {
        m.x += from[i].x / n;
        m.y += from[i].y / n;
        t.x += to[i].x / n;
        t.y += to[i].y / n;
    }
    for (int i = 0; i < n; i++) {
        double x = from[i].x - m.x, y = from[i].y - m.y, u = to[i].x - t.x, v = to[i].y - t.y;
        xx += x * x;
        yy += y * y;
        xu += x * u;
        yu += y * u;
        xv += x * v;
        yv += y * v;
    }
    double a = xu / xx, b = yu / yy, c = xv / xx, d = yv / yy;
    return (tally_affine) { { t.x - a * m.x - b * m.y, a, b, t.y - c * m.x - d * m.y, c, d } };
}

tally_status tally_tile_affine_from(const tally_tile *tile, int epsg, double x0, double y0,
                                    double gsd_m, tally_box at, tally_affine *grid_to_tile,
                                    tally_error *err)
{
    tally_affine grid = { { x0, gsd_m, 0, y0, 0, -gsd_m } }, to_pixels;
    tally_point from[SIDE * SIDE], to[SIDE * SIDE];
    tally_crs_map *map = NULL;

    *grid_to_tile = (tally_affine) { { 0 } };
    if (tally_box_empty(at))
        return tally_fail(err, TALLY_E_ARG, "%s: an empty window was asked for", tile->path);
    if (!tally_affine_invert(&tile->affine, &to_pixels))
        return tally_fail(err, TALLY_E_CRS,
                          "%s: its geotransform has no inverse; warp it with gdalwarp", tile->path);
    if (tile->epsg == epsg && epsg) {
        *grid_to_tile = tally_affine_compose(&to_pixels, &grid);
        return TALLY_OK;
    }
    tally_status s = tally_crs_map_open((tally_crs) { .epsg = epsg },
                                        (tally_crs) { .wkt = tile->wkt }, tile->path, &map, err);
    if (s != TALLY_OK) return s;
    for (int i = 0; i < SIDE * SIDE; i++) {
        from[i] = (tally_point) { at.x0 + (double)tally_box_width(at) * (i % SIDE) / (SIDE - 1),
                                  at.y0 + (double)tally_box_height(at) * (i / SIDE) / (SIDE - 1) };
        to[i] = tally_affine_apply(&grid, from[i]);
    }
    if (!tally_crs_map_points(map, to, SIDE * SIDE))
        s = tally_fail(err, TALLY_E_CRS,
                       "%s: the site has no place in its CRS; warp it with gdalwarp -t_srs EPSG:%d",
                       tile->path, epsg);
    tally_crs_map_close(&map);
    if (s != TALLY_OK) return s;

    double worst = 0;
    for (int i = 0; i < SIDE * SIDE; i++)
        to[i] = tally_affine_apply(&to_pixels, to[i]);
    tally_affine a = fit(from, to, SIDE * SIDE);
    for (int i = 0; i < SIDE * SIDE; i++) {
        tally_point p = tally_affine_apply(&a, from[i]);
        worst = fmax(worst, hypot(p.x - to[i].x, p.y - to[i].y));
    }
    if (!(worst <= MOST_RESIDUAL_PX))
        return tally_fail(err, TALLY_E_CRS,
                          "%s: its CRS bends by %.2f px over the window; warp it with gdalwarp "
                          "-t_srs EPSG:%d -r cubic",
                          tile->path, worst, epsg);
    *grid_to_tile = a;
    return TALLY_OK;
}
