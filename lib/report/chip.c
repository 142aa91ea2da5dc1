/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/chip.h"

#include <math.h>

enum { GAP = 4, MAX_SAMPLES = 65536 };
static const double LOW_SHARE = 0.01, HIGH_SHARE = 0.995, GAMMA = 0.75;
static const unsigned char PAPER = 255, OUTLINE[3] = { 255, 225, 0 };

typedef struct stretch {
    float low[3], high[3];
} stretch;

static tally_status stretch_of(const tally_patch *p, const int bands[3], stretch *out,
                               tally_error *err)
{
    float *sample = tally_alloc(MAX_SAMPLES, sizeof *sample);
    if (!sample) return tally_nomem(err, "a picture");
    size_t pixels = (size_t)p->width * (size_t)p->height, step = pixels / MAX_SAMPLES + 1;
    for (int c = 0; c < 3; c++) {
        size_t n = 0;
        for (size_t i = 0; i < pixels; i += step) {
            int x = (int)(i % (size_t)p->width), y = (int)(i / (size_t)p->width);
            if (tally_bits_get(&p->valid, x, y)) sample[n++] = tally_patch_row(p, bands[c], y)[x];
        }
        out->low[c] = n ? tally_quantile(sample, n, LOW_SHARE) : 0;
        out->high[c] = n ? tally_quantile(sample, n, HIGH_SHARE) : 1;
        if (!(out->high[c] > out->low[c])) out->high[c] = out->low[c] + 1;
    }
    tally_free(sample);
    return TALLY_OK;
}

static void paint(const tally_patch *p, const int bands[3], const stretch *s, int zoom, int left,
                  int top, tally_chip *chip)
{
    for (int y = 0; y < p->height * zoom; y++) {
        for (int x = 0; x < p->width * zoom; x++) {
            unsigned char *at =
                chip->rgb + 3 * ((size_t)(top + y) * (size_t)chip->width + (size_t)(left + x));
            int px = x / zoom, py = y / zoom;
            bool seen = tally_bits_get(&p->valid, px, py);
            for (int c = 0; c < 3; c++) {
                double v =
                    (tally_patch_row(p, bands[c], py)[px] - s->low[c]) / (s->high[c] - s->low[c]);
                unsigned char hatch = (x + y) / 4 % 2 ? 150 : (c == 1 ? 120 : 180);
                at[c] =
                    seen ? (unsigned char)lround(255 * pow(tally_clamp(v, 0, 1), GAMMA)) : hatch;
            }
        }
    }
}

static void dot(tally_chip *chip, int x, int y, const int limit[4])
{
    if (x < limit[0] || y < limit[1] || x >= limit[2] || y >= limit[3]) return;
    unsigned char *at = chip->rgb + 3 * ((size_t)y * (size_t)chip->width + (size_t)x);
    for (int c = 0; c < 3; c++)
        at[c] = OUTLINE[c];
}

/* limit: x0, y0, x1, y1 of the panel that the line must stay in. */
static void draw_line(tally_chip *chip, tally_point a, tally_point b, const int limit[4])
{
    double steps = ceil(fmax(fabs(b.x - a.x), fabs(b.y - a.y)));
    if (!isfinite(steps) || steps > 1e5) return;
    for (double i = 0; i <= steps; i++) {
        double t = steps > 0 ? i / steps : 0;
        dot(chip, (int)floor(a.x + t * (b.x - a.x)), (int)floor(a.y + t * (b.y - a.y)), limit);
    }
}

tally_status tally_chip_draw(const tally_patch *scene, const tally_patch *empty, const int bands[3],
                             const tally_path *outlines, size_t n_outlines, int zoom,
                             tally_chip *out, tally_error *err)
{
    *out = (tally_chip) { 0 };
    bool pair =
        empty && empty->pixels && empty->width == scene->width && empty->height == scene->height;
    bool stacked = scene->width > 2 * scene->height;
    int w = scene->width * zoom, h = scene->height * zoom;
    int second_left = pair && !stacked ? w + GAP : 0, second_top = pair && stacked ? h + GAP : 0;
    stretch s;
    tally_status status = stretch_of(scene, bands, &s, err);
    if (status != TALLY_OK) return status;

    out->width = w + second_left;
    out->height = h + second_top;
    out->rgb = tally_alloc((size_t)out->width * (size_t)out->height, 3);
    if (!out->rgb) return tally_nomem(err, "a picture");
    for (size_t i = 0; i < 3 * (size_t)out->width * (size_t)out->height; i++)
        out->rgb[i] = PAPER;
    paint(scene, bands, &s, zoom, 0, 0, out);
    if (pair) paint(empty, bands, &s, zoom, second_left, second_top, out);

    const int limit[4] = { 0, 0, w, h };
    for (size_t i = 0; i < n_outlines; i++)
        for (size_t k = 0; k < outlines[i].n; k++) {
            tally_point a = outlines[i].points[k], b = outlines[i].points[(k + 1) % outlines[i].n];
            draw_line(out, (tally_point) { a.x * zoom, a.y * zoom },
                      (tally_point) { b.x * zoom, b.y * zoom }, limit);
        }
    return TALLY_OK;
}
