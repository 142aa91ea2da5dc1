/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * AFTER on BEFORE's grid. Each strip is cut into pieces of 512 pixels; the exact map of a piece's
 * corners, through both CRS, gives an affine map for the piece (the error of leaving the curve out
 * is far under 1/100 px at that size), and the shift that registration found goes in front.
 * Resampling is the gather kernel's. An AFTER that is finer is averaged first, over squares of
 * whole pixels that are about as large as one of BEFORE's (valid where at least half of the square
 * is); the pieces are cut lower then, so that memory does not grow with the ratio.
 */
#include <math.h>
#include <string.h>

#include "change/pair.h"
#include "kernels/kernels.h"

enum { PIECE = 512, MARGIN = 4 };
/* A window of AFTER with more pixels than this a strip means grids that do not belong together. */
#define MOST_PIXELS (1 << 28)
/* Coordinates go to 2^-20 px and steps within 1e-9 of a plain shift are one, so that a library's
 * last bit cannot show. */
#define PLACES     1048576.0
#define STEP_NOISE 1e-9

static tally_status pick(const tally_context *ctx, const char *path, const char *bands,
                         tally_catalogue **catalogue, tally_tile *tile, tally_error *err)
{
    const tally_catalogue_settings settings = {
        .inputs = &path, .n_inputs = 1, .bands = bands, .nodata = NAN
    };
    tally_context silent =
        *ctx; /* two images need no time: what is said about it helps nobody here */

    silent.on_message = NULL;
    const tally_status s = tally_catalogue_read(&silent, &settings, catalogue, err);
    if (s != TALLY_OK) return s;
    if ((*catalogue)->n_tiles != 1)
        return tally_fail(err, TALLY_E_ARG, "%s: holds %zu tiles; diff wants one file on each side",
                          path, (*catalogue)->n_tiles);
    *tile = (*catalogue)->tiles[0];
    if (tile->reason && *tile->reason)
        return tally_fail(err, TALLY_E_FORMAT, "%s: %s", tile->path, tile->reason);
    return TALLY_OK;
}

/* A file of several unknown bands: the first stands in as `pan` (scene/roles.c). */
static bool is_stand_in(const tally_tile *t)
{
    for (int r = 0; r < TALLY_BAND_ROLES; r++)
        if (t->bands[r] && r != TALLY_PAN) return false;
    return t->n_bands - (t->has_alpha > 0) > 1;
}

/* Roles that both know; without any, bands by their position when both have as many. */
static tally_status match_bands(tally_pair *pair, tally_error *err)
{
    tally_tile *t = pair->tiles;
    const int colours[2] = { t[0].n_bands - (t[0].has_alpha > 0),
                             t[1].n_bands - (t[1].has_alpha > 0) };

    for (int r = 0; r < TALLY_BAND_ROLES && !is_stand_in(&t[0]) && !is_stand_in(&t[1]); r++) {
        if (t[0].bands[r] && t[1].bands[r]) pair->roles[pair->bands++] = (tally_band_role)r;
    }
    pair->roles_known = pair->bands > 0;
    if (pair->bands) return TALLY_OK;
    if (colours[0] != colours[1])
        return tally_fail(err, TALLY_E_FORMAT,
                          "%s has %d bands, %s has %d, and no band is known to be in both; name "
                          "them with --bands",
                          t[0].path, colours[0], t[1].path, colours[1]);
    for (int i = 0; i < 2; i++) {
        int at = 0;
        for (int b = 1; b <= t[i].n_bands && at < TALLY_BAND_ROLES; b++) {
            if (b != t[i].has_alpha) t[i].bands[at++] = b;
        }
        pair->bands = at;
    }
    for (int r = 0; r < pair->bands; r++)
        pair->roles[r] = (tally_band_role)r;
    return TALLY_OK;
}

tally_status tally_pair_open(const tally_context *ctx, const char *before, const char *after,
                             const char *bands, tally_pair *pair, tally_error *err)
{
    tally_tile *t = pair->tiles;
    tally_status s;

    memset(pair, 0, sizeof *pair);
    pair->shift = (tally_affine) { { 0, 1, 0, 0, 0, 1 } };
    tally_gdal_begin();
    if ((s = pick(ctx, before, bands, &pair->catalogues[0], &t[0], err)) != TALLY_OK) goto out;
    if ((s = pick(ctx, after, bands, &pair->catalogues[1], &t[1], err)) != TALLY_OK) goto out;
    if ((s = match_bands(pair, err)) != TALLY_OK) goto out;
    if (!tally_affine_invert(&t[1].affine, &pair->after_px)) {
        s = tally_fail(err, TALLY_E_CRS,
                       "%s: its geotransform has no inverse; warp it with gdalwarp", t[1].path);
        goto out;
    }
    const tally_crs crs[2] = { { .wkt = t[0].wkt }, { .wkt = t[1].wkt } };
    if (strcmp(t[0].wkt, t[1].wkt) != 0 && !(t[0].epsg && t[0].epsg == t[1].epsg) &&
        (s = tally_crs_map_open(crs[0], crs[1], t[1].path, &pair->to_after, err)) != TALLY_OK)
        goto out;
    s = tally_crs_map_open(crs[0], (tally_crs) { .epsg = TALLY_LONLAT }, t[0].path,
                           &pair->to_lonlat, err);
    if (s != TALLY_OK) goto out;
    for (int i = 0; i < 2; i++) {
        if ((s = tally_raster_open(&t[i], &pair->rasters[i], err)) != TALLY_OK) goto out;
    }
    return TALLY_OK;
out:
    tally_pair_close(pair);
    return s;
}

void tally_pair_close(tally_pair *pair)
{
    for (int i = 0; i < 2; i++) {
        tally_raster_close(&pair->rasters[i]);
        tally_catalogue_destroy(&pair->catalogues[i]);
    }
    tally_crs_map_close(&pair->to_after);
    tally_crs_map_close(&pair->to_lonlat);
}

tally_point tally_pair_shifted(const tally_pair *pair, tally_point px)
{
    const tally_point to = tally_affine_apply(&pair->shift, px),
                      off = tally_bend_at(&pair->bend, px);
    return (tally_point) { to.x + off.x, to.y + off.y };
}

/* Outer-corner pixel of BEFORE -> of AFTER. */
static bool to_after(const tally_pair *pair, tally_point *p)
{
    *p = tally_affine_apply(&pair->tiles[0].affine, tally_pair_shifted(pair, *p));
    if (pair->to_after && !tally_crs_map_points(pair->to_after, p, 1)) return false;
    *p = tally_affine_apply(&pair->after_px, *p);
    return isfinite(p->x) && isfinite(p->y);
}

/* The affine map of a piece, from three of its corners. False: no place in AFTER's CRS. */
static bool piece_map(const tally_pair *pair, tally_box piece, tally_affine *map)
{
    const double w = tally_box_width(piece), h = tally_box_height(piece);
    tally_point o = { piece.x0, piece.y0 }, x = { piece.x1, piece.y0 }, y = { piece.x0, piece.y1 };

    if (!to_after(pair, &o) || !to_after(pair, &x) || !to_after(pair, &y)) return false;
    map->c[1] = (x.x - o.x) / w;
    map->c[4] = (x.y - o.y) / w;
    map->c[2] = (y.x - o.x) / h;
    map->c[5] = (y.y - o.y) / h;
    map->c[0] = o.x - map->c[1] * piece.x0 - map->c[2] * piece.y0;
    map->c[3] = o.y - map->c[4] * piece.x0 - map->c[5] * piece.y0;
    return true;
}

/* The pixels of AFTER under a piece, cut to the tile; empty when it lies outside. */
static tally_box piece_window(const tally_pair *pair, tally_box piece, const tally_affine *map,
                              int margin)
{
    const tally_box tile = { 0, 0, pair->tiles[1].width, pair->tiles[1].height };
    double low[2] = { HUGE_VAL, HUGE_VAL }, high[2] = { -HUGE_VAL, -HUGE_VAL };

    for (int c = 0; c < 4; c++) {
        const tally_point p = tally_affine_apply(
            map, (tally_point) { c % 2 ? piece.x1 : piece.x0, c / 2 ? piece.y1 : piece.y0 });
        low[0] = fmin(low[0], p.x);
        low[1] = fmin(low[1], p.y);
        high[0] = fmax(high[0], p.x);
        high[1] = fmax(high[1], p.y);
    }
    const tally_box box = { (int)tally_clamp(floor(low[0]) - margin, 0, tile.x1),
                            (int)tally_clamp(floor(low[1]) - margin, 0, tile.y1),
                            (int)tally_clamp(ceil(high[0]) + margin, 0, tile.x1),
                            (int)tally_clamp(ceil(high[1]) + margin, 0, tile.y1) };
    return box;
}

/* A pixel of BEFORE whose middle falls on AFTER's outermost half pixel shows that pixel: without
 * this, a shift of a hundredth of a pixel would take a row and a column from what both saw. */
static void fill_rim(const tally_context *ctx, const tally_patch *native, const tally_pair *pair,
                     tally_box window, int by, tally_point at, double dx, double dy,
                     tally_box piece, tally_box box, int y, tally_patch *after)
{
    const double right = (pair->tiles[1].width - window.x0) / by - 1,
                 bottom = (pair->tiles[1].height - window.y0) / by - 1, left = -window.x0 / by,
                 top = -window.y0 / by;
    for (int i = 0; i < tally_box_width(piece); i++) {
        const int column = piece.x0 - box.x0 + i;
        if (tally_bits_get(&after->valid, column, y - box.y0)) continue;
        const double u = at.x + dx * i, v = at.y + dy * i;
        if (!(u >= left - 0.5 && u <= right + 0.5 && v >= top - 0.5 && v <= bottom + 0.5)) continue;
        if (u >= left && u <= right && v >= top && v <= bottom) continue;
        uint64_t seen = 0;
        ctx->kernels->gather_f32(
            native->pixels, native->stride, native->plane, native->bands, native->width,
            native->height, native->valid.bits, native->valid.words, tally_clamp(u, left, right),
            tally_clamp(v, top, bottom), 1.0, 0.0, 1,
            tally_patch_row(after, 0, y - box.y0) + column, after->plane, &seen);
        if (seen & 1) tally_bits_set(&after->valid, column, y - box.y0);
    }
}

/* How many of AFTER's pixels make one of BEFORE's, along one side. */
static int how_much_finer(const tally_affine *map)
{
    const double area = fabs(map->c[1] * map->c[5] - map->c[2] * map->c[4]);
    return area > 1 ? (int)fmin(round(sqrt(area)), 1024) : 1;
}

static void average_square(const tally_patch *from, int x0, int y0, int by, tally_patch *to, int x,
                           int y)
{
    int n = 0;
    for (int v = y0; v < y0 + by; v++)
        for (int u = x0; u < x0 + by; u++) {
            if (!tally_bits_get(&from->valid, u, v)) continue;
            n++;
            for (int b = 0; b < from->bands; b++)
                tally_patch_row(to, b, y)[x] += tally_patch_row(from, b, v)[u];
        }
    const bool shown = 2 * n >= by * by;
    for (int b = 0; b < from->bands; b++)
        tally_patch_row(to, b, y)[x] = shown ? tally_patch_row(to, b, y)[x] / (float)n : 0;
    if (shown) tally_bits_set(&to->valid, x, y);
}

/* The patch becomes its means over squares of by x by; what is left over at the far edges goes. */
static tally_status average(tally_patch *patch, int by, tally_error *err)
{
    tally_patch small;
    if (by <= 1) return TALLY_OK;
    const int width = patch->width / by, height = patch->height / by;
    tally_status s =
        tally_patch_init(&small, width > 0 ? width : 1, height > 0 ? height : 1, patch->bands, err);
    if (s != TALLY_OK) return s;
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            average_square(patch, x * by, y * by, by, &small, x, y);
    tally_patch_fini(patch);
    *patch = small;
    return TALLY_OK;
}

/* Resample one piece of AFTER into its columns of the patch that covers `box`. */
static tally_status read_piece(const tally_context *ctx, tally_pair *pair, tally_box piece,
                               tally_box box, tally_patch *after, tally_point *off,
                               tally_error *err)
{
    const size_t n = (size_t)tally_box_width(piece);
    tally_affine map;
    tally_patch native;

    if (!piece_map(pair, piece, &map)) return TALLY_OK;
    if (off)
        tally_affine_snap(
            &map, (tally_point) { (piece.x0 + piece.x1) / 2.0, (piece.y0 + piece.y1) / 2.0 }, off);
    const int by = how_much_finer(&map);
    const tally_box window = piece_window(pair, piece, &map, MARGIN * by);
    if (tally_box_empty(window)) return TALLY_OK;
    if ((double)tally_box_width(window) * tally_box_height(window) > MOST_PIXELS)
        return tally_fail(err, TALLY_E_FORMAT,
                          "%s: has far finer pixels than %s; bring them to one grid with gdalwarp",
                          pair->tiles[1].path, pair->tiles[0].path);
    tally_status s =
        tally_raster_read(pair->rasters[1], pair->roles, pair->bands, window, &native, err);
    if (s != TALLY_OK) return s;
    if ((s = average(&native, by, err)) != TALLY_OK) {
        tally_patch_fini(&native);
        return s;
    }
    const double step_x = map.c[1] / by, step_y = map.c[4] / by;
    const double dx = fabs(step_x - 1.0) < STEP_NOISE ? 1.0 : step_x;
    const double dy = fabs(step_y) < STEP_NOISE ? 0.0 : step_y;
    for (int y = piece.y0; y < piece.y1; y++) {
        const tally_point at = tally_affine_apply(&map, (tally_point) { piece.x0 + 0.5, y + 0.5 });
        const tally_point from = { tally_round_to((at.x - window.x0) / by - 0.5, PLACES),
                                   tally_round_to((at.y - window.y0) / by - 0.5, PLACES) };
        ctx->kernels->gather_f32(
            native.pixels, native.stride, native.plane, native.bands, native.width, native.height,
            native.valid.bits, native.valid.words, from.x, from.y, dx, dy, n,
            tally_patch_row(after, 0, y - box.y0) + (piece.x0 - box.x0), after->plane,
            tally_bits_row(&after->valid, y - box.y0) + (piece.x0 - box.x0) / 64);
        fill_rim(ctx, &native, pair, window, by, from, dx, dy, piece, box, y, after);
    }
    tally_patch_fini(&native);
    return TALLY_OK;
}

/* How many rows of BEFORE a piece may have: fewer where AFTER has many pixels to each. */
static int piece_rows(const tally_pair *pair, int rows)
{
    enum { LEAST = 16 };
    const double finer = pair->tiles[0].gsd_m / pair->tiles[1].gsd_m;
    if (!(finer > 1.5)) return rows;
    const int fit = (int)(PIECE / (finer * finer));
    return fit > LEAST ? fit : LEAST;
}

static tally_status read_both(const tally_context *ctx, tally_pair *pair, tally_box box,
                              tally_patch *before, tally_patch *after, tally_point *off,
                              tally_error *err)
{
    tally_status s;

    *before = *after = (tally_patch) { 0 };
    s = tally_raster_read(pair->rasters[0], pair->roles, pair->bands, box, before, err);
    if (s == TALLY_OK)
        s = tally_patch_init(after, tally_box_width(box), tally_box_height(box), pair->bands, err);
    const int rows = s == TALLY_OK ? piece_rows(pair, tally_box_height(box)) : 1;
    for (int y = box.y0; y < box.y1 && s == TALLY_OK; y += rows)
        for (int x = box.x0; x < box.x1 && s == TALLY_OK; x += PIECE) {
            const tally_box piece = { x, y, x + PIECE, y + rows };
            s = read_piece(ctx, pair, tally_box_intersect(piece, box), box, after, off, err);
        }
    if (s != TALLY_OK) {
        tally_patch_fini(before);
        tally_patch_fini(after);
    }
    return s;
}

tally_status tally_pair_read(const tally_context *ctx, tally_pair *pair, tally_box box,
                             tally_patch *before, tally_patch *after, tally_error *err)
{
    return read_both(ctx, pair, box, before, after, NULL, err);
}

tally_status tally_pair_read_whole(const tally_context *ctx, tally_pair *pair, tally_box box,
                                   tally_patch *before, tally_patch *after, tally_point *off,
                                   tally_error *err)
{
    *off = (tally_point) { 0, 0 };
    return read_both(ctx, pair, box, before, after, off, err);
}

bool tally_pair_map(const tally_pair *pair, tally_affine *out)
{
    return piece_map(pair, (tally_box) { 0, 0, pair->tiles[0].width, pair->tiles[0].height }, out);
}

bool tally_pair_ground(const tally_pair *pair, tally_point px, tally_point out[2],
                       tally_point *lonlat)
{
    tally_point p[3] = { px, { px.x + 1, px.y }, { px.x, px.y + 1 } };

    for (int i = 0; i < 3; i++)
        p[i] = tally_affine_apply(&pair->tiles[0].affine, p[i]);
    if (!tally_crs_map_points(pair->to_lonlat, p, 3)) return false;
    /* radii of curvature of the WGS 84 ellipsoid at this latitude */
    const double radian = M_PI / 180.0, phi = p[0].y * radian, e2 = 0.00669437999014;
    const double w = sqrt(1.0 - e2 * sin(phi) * sin(phi));
    const double north = 6378137.0 * (1.0 - e2) / (w * w * w) * radian,
                 east = 6378137.0 / w * cos(phi) * radian;
    for (int i = 0; i < 2; i++)
        out[i] = (tally_point) { (p[i + 1].x - p[0].x) * east, (p[i + 1].y - p[0].y) * north };
    *lonlat = p[0];
    return true;
}
