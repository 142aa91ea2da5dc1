/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Blobs with their place and size on the ground. A blob's length and width are those of the
 * smallest rectangle in pixels, carried to metres by the map at its middle; known limit: on a grid
 * whose pixels are not square the smallest rectangle in pixels need not be the smallest on the
 * ground.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "change/diff_blobs.h"

enum { REACH = 4 }; /* pixels around one that say whether its blob rises */

static int by_first_pixel(const void *a, const void *b)
{
    const tally_span *x = &((const tally_blobs *)a)->runs[0],
                     *y = &((const tally_blobs *)b)->runs[0];

    return x->y != y->y ? (x->y > y->y) - (x->y < y->y) : (x->x0 > y->x0) - (x->x0 < y->x0);
}

/* Two lists of blobs into one. */
static tally_status merge(const tally_blobs part[2], tally_blobs *out, tally_error *err)
{
    const size_t n = part[0].n + part[1].n;
    tally_blobs *one = tally_alloc(n + 1, sizeof *one); /* lists of one blob each, to be sorted */

    *out = (tally_blobs) { .n_runs = part[0].n_runs + part[1].n_runs };
    out->blobs = tally_alloc(n + 1, sizeof *out->blobs);
    out->runs = tally_alloc(out->n_runs + 1, sizeof *out->runs);
    if (!one || !out->blobs || !out->runs) {
        tally_free(one);
        tally_blobs_fini(out);
        return tally_nomem(err, "the blobs of a mask");
    }
    for (size_t i = 0; i < n; i++) {
        const tally_blobs *p = &part[i >= part[0].n];
        tally_blob *blob = &p->blobs[i - (p == part ? 0 : part[0].n)];
        one[i] = (tally_blobs) { .blobs = blob, .n = 1, .runs = &p->runs[blob->first_run] };
    }
    qsort(one, n, sizeof *one, by_first_pixel);
    for (size_t i = 0, at = 0; i < n; i++) {
        tally_blob *blob = &out->blobs[out->n++];
        *blob = *one[i].blobs;
        blob->first_run = at;
        memcpy(out->runs + at, one[i].runs, blob->n_runs * sizeof *out->runs);
        at += blob->n_runs;
    }
    tally_free(one);
    return TALLY_OK;
}

/* How many bits of the 2 REACH + 1 columns around x are set in both rows. */
static int set_around(const uint64_t *a, const uint64_t *b, size_t words, int x)
{
    const int from = x - REACH, at = from < 0 ? 0 : from / 64, shift = from < 0 ? 0 : from % 64;
    const int columns = 2 * REACH + 1 + (from < 0 ? from : 0);
    uint64_t bits = (a[at] & b[at]) >> shift;

    if (shift > 0 && (size_t)at + 1 < words) bits |= (a[at + 1] & b[at + 1]) << (64 - shift);
    return __builtin_popcountll(bits & ((UINT64_C(1) << columns) - 1));
}

/* Does most of the change around a pixel go up? The ribs of a crane over a ship, or a few dark
 * boxes on a bright deck, do not part it; its shadow does. */
static bool rises(const tally_bits *mask, const tally_bits *brighter, const tally_bits *darker,
                  int x, int y)
{
    int up = 0;

    for (int v = y - REACH < 0 ? 0 : y - REACH; v <= y + REACH && v < mask->height; v++) {
        const uint64_t *row = tally_bits_row(mask, v);
        up += set_around(row, tally_bits_row(brighter, v), mask->words, x) -
              set_around(row, tally_bits_row(darker, v), mask->words, x);
    }
    return up > 0;
}

tally_status tally_diff_label(const tally_kernels *kernels, const tally_bits *mask,
                              const tally_bits *brighter, const tally_bits *darker,
                              int64_t min_area, tally_blobs *out, tally_error *err)
{
    tally_blobs part[2] = { { 0 }, { 0 } };
    tally_bits up = { 0 }, down = { 0 };
    tally_status s = tally_bits_init(&up, mask->width, mask->height, err);

    *out = (tally_blobs) { 0 };
    if (s == TALLY_OK) s = tally_bits_init(&down, mask->width, mask->height, err);
    for (int y = 0; y < mask->height && s == TALLY_OK; y++) {
        for (size_t w = 0; w < mask->words; w++) {
            for (uint64_t left = tally_bits_row(mask, y)[w]; left; left &= left - 1) {
                const int x = (int)w * 64 + __builtin_ctzll(left);
                tally_bits_set(rises(mask, brighter, darker, x, y) ? &up : &down, x, y);
            }
        }
    }
    if (s == TALLY_OK) s = tally_blobs_label(kernels, &up, min_area, &part[0], err);
    if (s == TALLY_OK) s = tally_blobs_label(kernels, &down, min_area, &part[1], err);
    if (s == TALLY_OK) s = merge(part, out, err);
    tally_blobs_fini(&part[0]);
    tally_blobs_fini(&part[1]);
    tally_bits_fini(&up);
    tally_bits_fini(&down);
    return s;
}

typedef struct row {
    int64_t area_px;
    double area_m2, longitude, latitude, length_m, width_m, heading_deg;
    tally_point ring[4]; /* longitude and latitude */
} row;

static tally_status measure(const tally_pair *pair, const tally_blobs *blobs, size_t i, row *out,
                            tally_error *err)
{
    const tally_blob *b = &blobs->blobs[i];
    tally_point step[2], place, corner[4], unused[2];
    tally_rect rect;

    if (!tally_blob_rect(blobs, i, &rect)) return tally_nomem(err, "the outline of a blob");
    if (!tally_pair_ground(pair, (tally_point) { b->cx, b->cy }, step, &place))
        return tally_fail(err, TALLY_E_CRS, "%s: a changed pixel has no place on the ground",
                          pair->tiles[0].path);
    const double ex = rect.ux * step[0].x + rect.uy * step[1].x,
                 ny = rect.ux * step[0].y + rect.uy * step[1].y;
    const double wx = -rect.uy * step[0].x + rect.ux * step[1].x,
                 wy = -rect.uy * step[0].y + rect.ux * step[1].y;
    double length = rect.length * hypot(ex, ny), width = rect.width * hypot(wx, wy);
    *out = (row) { .area_px = b->area, .longitude = place.x, .latitude = place.y };
    out->area_m2 = (double)b->area * fabs(step[0].x * step[1].y - step[0].y * step[1].x);
    out->heading_deg = length >= width ? tally_heading_deg(ex, ny) : tally_heading_deg(wx, wy);
    out->length_m = fmax(length, width);
    out->width_m = fmin(length, width);
    tally_rect_corners(&rect, corner);
    for (int c = 0; c < 4; c++) {
        if (!tally_pair_ground(pair, corner[c], unused, &out->ring[c])) out->ring[c] = place;
    }
    return TALLY_OK;
}

static const char *const fields[] = { "x_px",    "y_px",        "longitude", "latitude", "length_m",
                                      "width_m", "heading_deg", "score",     "sign" };

/* In the order of `fields`, with the decimals that they carry. */
static void numbers(const tally_blob *b, const row *r, const tally_blob_score *score,
                    double value[9], int decimals[9])
{
    const double v[9] = { b->cx,      b->cy,          r->longitude, r->latitude, r->length_m,
                          r->width_m, r->heading_deg, score->score, score->sign };
    static const int d[9] = { 3, 3, 7, 7, 2, 2, 1, 4, 0 };
    memcpy(value, v, sizeof v);
    memcpy(decimals, d, sizeof d);
}

static void add_csv(tally_text *text, size_t id, const tally_blob *b, const row *r,
                    const tally_blob_score *score)
{
    double value[9];
    int decimals[9];

    numbers(b, r, score, value, decimals);
    tally_text_add(text, "%zu,%lld,", id, (long long)r->area_px);
    tally_text_number(text, r->area_m2, 2);
    for (int f = 0; f < 9; f++) {
        tally_text_add(text, ",");
        tally_text_number(text, value[f], decimals[f]);
    }
    tally_text_add(text, "\n");
}

static void add_geojson(tally_text *text, size_t id, const tally_blob *b, const row *r,
                        const tally_blob_score *score)
{
    double value[9];
    int decimals[9];

    numbers(b, r, score, value, decimals);
    tally_text_add(
        text,
        "%s\n{\"type\":\"Feature\",\"properties\":{\"blob\":%zu,\"area_px\":%lld,\"area_m2\":",
        id == 1 ? "" : ",", id, (long long)r->area_px);
    tally_text_number(text, r->area_m2, 2);
    for (int f = 0; f < 9; f++) {
        tally_text_add(text, ",\"%s\":", fields[f]);
        tally_text_number(text, value[f], decimals[f]);
    }
    tally_text_add(text, "},\"geometry\":{\"type\":\"Polygon\",\"coordinates\":[[");
    for (int c = 0; c < 5; c++) {
        tally_text_add(text, c ? ",[" : "[");
        tally_text_number(text, r->ring[c % 4].x, 7);
        tally_text_add(text, ",");
        tally_text_number(text, r->ring[c % 4].y, 7);
        tally_text_add(text, "]");
    }
    tally_text_add(text, "]]}}");
}

tally_status tally_diff_blobs_write(const char *path, const tally_blobs *blobs,
                                    const tally_blob_score *scores, const tally_pair *pair,
                                    tally_error *err)
{
    const char *dot = strrchr(path, '.');
    const bool csv = dot && strcasecmp(dot, ".csv") == 0;
    tally_text text = { 0 };
    tally_status s = TALLY_OK;

    tally_text_add(&text, csv ? "blob,area_px,area_m2,x_px,y_px,longitude,latitude,length_m,width_"
                                "m,heading_deg,score,sign\n"
                              : "{\"type\":\"FeatureCollection\",\"features\":[");
    for (size_t i = 0; i < blobs->n && s == TALLY_OK; i++) {
        row r;
        if ((s = measure(pair, blobs, i, &r, err)) != TALLY_OK) break;
        (csv ? add_csv : add_geojson)(&text, i + 1, &blobs->blobs[i], &r, &scores[i]);
    }
    if (!csv) tally_text_add(&text, "\n]}\n");
    if (s == TALLY_OK) s = tally_text_save(&text, path, err);
    tally_text_fini(&text);
    return s;
}
