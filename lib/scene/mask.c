/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Of a udm2's bands clear (1), snow (2), shadow (3), light haze (4), heavy haze (5), cloud (6):
 * usable is clear, snow or light haze that is neither shadow nor heavy haze nor cloud. Of one band:
 * 1 (in a _mask file 255 too).
 *
 * Providers' masks end where cloud is still thin, and shadows blur, so what they hide is widened by
 * MARGIN_M. Pixels in which a udm2 says nothing (outside of the image) do not widen; a mask of one
 * band cannot tell those from cloud, so an image with such a mask loses the margin at its edges.
 */
#include "scene/mask.h"

#include <cpl_error.h>
#include <gdal.h>
#include <math.h>
#include <string.h>

#include "site/crs.h"

enum { UDM2_USED = 6 };
/* Measured on oil_3m and tumangang_3m (docs/methods/cloud.md). */
static const double MARGIN_M = 6;

struct tally_mask {
    GDALDatasetH data;
    const char *path;
    int width, height, bands; /* 1 or UDM2_USED */
    int white_is_good;
    int margin;             /* pixels of the mask */
    tally_affine from_tile; /* pixel of the tile -> pixel of the mask */
};

tally_status tally_mask_open(const tally_tile *tile, tally_mask **out, tally_error *err)
{
    char said[256];
    tally_affine own, inverse;

    *out = NULL;
    tally_mask *m = tally_alloc(1, sizeof *m);
    if (!m) return tally_nomem(err, tile->mask_path);
    m->path = tile->mask_path;
    CPLErrorReset();
    m->data = GDALOpenEx(m->path, GDAL_OF_RASTER | GDAL_OF_READONLY | GDAL_OF_VERBOSE_ERROR, NULL,
                         NULL, NULL);
    if (!m->data || GDALGetRasterCount(m->data) < 1) {
        tally_mask_close(&m);
        return tally_fail(err, TALLY_E_IO,
                          "%s: the mask cannot be opened (%s); fetch it again, or take it away",
                          tile->mask_path, tally_gdal_said(said, sizeof said));
    }
    m->width = GDALGetRasterXSize(m->data);
    m->height = GDALGetRasterYSize(m->data);
    m->bands = GDALGetRasterCount(m->data) >= UDM2_USED ? UDM2_USED : 1;
    m->white_is_good = !strstr(m->path, "udm2");
    m->from_tile = (tally_affine) { { 0, 1, 0, 0, 0, 1 } };
    if (GDALGetGeoTransform(m->data, own.c) == CE_None && tally_affine_invert(&own, &inverse))
        m->from_tile = tally_affine_compose(&inverse, &tile->affine);
    else if (m->width != tile->width || m->height != tile->height) {
        tally_status s =
            tally_fail(err, TALLY_E_FORMAT,
                       "%s: is %d x %d, its tile %d x %d, and says not where it lies; take it away",
                       m->path, m->width, m->height, tile->width, tile->height);
        tally_mask_close(&m);
        return s;
    }
    const double pixels = hypot(m->from_tile.c[1], m->from_tile.c[4]); /* of the mask, a tile's */
    m->margin = (int)fmin(lround(MARGIN_M * pixels / tile->gsd_m), 100);
    *out = m;
    return TALLY_OK;
}

void tally_mask_close(tally_mask **mask)
{
    if (!mask || !*mask) return;
    if ((*mask)->data) GDALClose((*mask)->data);
    tally_free(*mask);
    *mask = NULL;
}

static bool usable(const tally_mask *m, const unsigned char *bytes, size_t plane, size_t at)
{
    if (m->bands == 1) return bytes[at] == 1 || (m->white_is_good && bytes[at] == 255);
    bool seen = bytes[at] || bytes[at + plane] || bytes[at + 3 * plane];
    return seen && !bytes[at + 2 * plane] && !bytes[at + 4 * plane] && !bytes[at + 5 * plane];
}

/* Something lies over the ground here, other than the edge of the image. */
static bool hidden(const tally_mask *m, const unsigned char *bytes, size_t plane, size_t at)
{
    if (m->bands == 1) return !usable(m, bytes, plane, at);
    return bytes[at + 2 * plane] || bytes[at + 4 * plane] || bytes[at + 5 * plane];
}

/* near[i]: one of the n values within `reach` of i is set. */
static void reach_out(const unsigned char *set, int n, size_t step, int reach, unsigned char *near)
{
    int last = -reach - 1;
    for (int i = 0; i < n; i++) {
        if (set[(size_t)i * step]) last = i;
        near[(size_t)i * step] = i - last <= reach;
    }
    last = n + reach;
    for (int i = n - 1; i >= 0; i--) {
        if (set[(size_t)i * step]) last = i;
        near[(size_t)i * step] |= last - i <= reach;
    }
}

/* What lies within the margin of what is hidden: 1. Two planes of room. */
static void widen(const tally_mask *m, const unsigned char *bytes, int w, int h,
                  unsigned char *room, unsigned char *near)
{
    const size_t plane = (size_t)w * (size_t)h;
    for (size_t i = 0; i < plane; i++)
        near[i] = hidden(m, bytes, plane, i);
    for (int y = 0; y < h; y++)
        reach_out(near + (size_t)y * (size_t)w, w, 1, m->margin, room + (size_t)y * (size_t)w);
    for (int x = 0; x < w; x++)
        reach_out(room + x, h, (size_t)w, m->margin, near + x);
}

/* The box of the mask that holds the part of the tile, and the margin around it. */
static tally_box box_of(const tally_mask *m, tally_box part)
{
    tally_point corners[] = {
        { part.x0, part.y0 }, { part.x1, part.y0 }, { part.x0, part.y1 }, { part.x1, part.y1 }
    };
    double low[2] = { INFINITY, INFINITY }, high[2] = { -INFINITY, -INFINITY };
    for (int i = 0; i < 4; i++) {
        tally_point p = tally_affine_apply(&m->from_tile, corners[i]);
        low[0] = fmin(low[0], p.x);
        low[1] = fmin(low[1], p.y);
        high[0] = fmax(high[0], p.x);
        high[1] = fmax(high[1], p.y);
    }
    return (tally_box) { (int)tally_clamp(floor(low[0]) - m->margin, 0, m->width),
                         (int)tally_clamp(floor(low[1]) - m->margin, 0, m->height),
                         (int)tally_clamp(ceil(high[0]) + m->margin, 0, m->width),
                         (int)tally_clamp(ceil(high[1]) + m->margin, 0, m->height) };
}

tally_status tally_mask_apply(tally_mask *m, tally_box part, int dx, int dy, tally_bits *valid,
                              tally_error *err)
{
    char said[256];
    tally_box box = box_of(m, part);
    int w = tally_box_width(box), h = tally_box_height(box);
    size_t plane = tally_box_empty(box) ? 0 : (size_t)w * (size_t)h;
    tally_status s = TALLY_OK;
    int bands[UDM2_USED] = { 1, 2, 3, 4, 5, 6 };

    unsigned char *bytes = tally_alloc(plane ? plane : 1, (size_t)m->bands + 2);
    if (!bytes) return tally_nomem(err, m->path);
    CPLErrorReset();
    if (plane && GDALDatasetRasterIO(m->data, GF_Read, box.x0, box.y0, w, h, bytes, w, h, GDT_Byte,
                                     m->bands, bands, 0, 0, 0) != CE_None)
        s = tally_fail(err, TALLY_E_IO,
                       "%s: the mask cannot be read (%s); fetch it again, or take it away", m->path,
                       tally_gdal_said(said, sizeof said));
    unsigned char *near = bytes + plane * (size_t)m->bands;
    if (s == TALLY_OK && plane) widen(m, bytes, w, h, near + plane, near);
    for (int y = part.y0; y < part.y1 && s == TALLY_OK; y++)
        for (int x = part.x0; x < part.x1; x++) {
            tally_point p = tally_affine_apply(&m->from_tile, (tally_point) { x + 0.5, y + 0.5 });
            double mx = floor(p.x), my = floor(p.y);
            bool inside = mx >= box.x0 && mx < box.x1 && my >= box.y0 && my < box.y1;
            size_t at =
                inside ? (size_t)((int)my - box.y0) * (size_t)w + (size_t)((int)mx - box.x0) : 0;
            if (!inside || near[at] || !usable(m, bytes, plane, at))
                tally_bits_clear(valid, x - part.x0 + dx, y - part.y0 + dy);
        }
    tally_free(bytes);
    return s;
}
