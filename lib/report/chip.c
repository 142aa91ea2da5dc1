/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "report/chip.h"

#include <math.h>

enum { GAP = 4, MAX_SAMPLES = 65536 };
static const double LOW_SHARE = 0.01, HIGH_SHARE = 0.995, GAMMA = 0.75;
static const double WIDEST = 3; /* stretches of the empty place; chosen by eye on half a cloud */
static const unsigned char PAPER = 255, OUTLINE[3] = { 255, 225, 0 }, HALO[3] = { 0, 0, 0 },
                           ZONE[3] = { 90, 230, 255 };
enum { DOTS = 6 }; /* the step of a dotted line, picture pixels */

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

/* No wider than WIDEST times what the empty place spans. */
static void tame(stretch *s, const stretch *empty)
{
    for (int c = 0; c < 3; c++) {
        float span = empty->high[c] - empty->low[c];
        float limit = empty->high[c] + (float)(WIDEST - 1) * span;
        if (s->high[c] > limit) s->high[c] = limit;
        if (s->low[c] > empty->low[c]) s->low[c] = empty->low[c];
        if (!(s->high[c] > s->low[c])) s->high[c] = s->low[c] + 1;
    }
}

/* A panel of the picture: a patch, and where it goes. */
typedef struct panel {
    tally_chip *chip;
    const tally_chip_settings *settings;
    int left, top, width, height;
} panel;

/* Mean of the pixels that picture pixel (x, y) stands for; false when none of them was seen. */
static bool value_at(const panel *p, const tally_patch *patch, int x, int y, float out[3])
{
    const tally_chip_settings *set = p->settings;
    int x0 = x * set->shrink / set->zoom, y0 = y * set->shrink / set->zoom, n = 0;
    out[0] = out[1] = out[2] = 0;
    for (int py = y0; py < y0 + set->shrink && py < patch->height; py++)
        for (int px = x0; px < x0 + set->shrink && px < patch->width; px++) {
            if (!tally_bits_get(&patch->valid, px, py)) continue;
            n++;
            for (int c = 0; c < 3; c++)
                out[c] += tally_patch_row(patch, set->bands[c], py)[px];
        }
    for (int c = 0; c < 3; c++)
        out[c] /= n ? (float)n : 1;
    return n > 0;
}

static void paint(const panel *p, const tally_patch *patch, const stretch *s)
{
    for (int y = 0; y < p->height; y++) {
        for (int x = 0; x < p->width; x++) {
            unsigned char *at = p->chip->rgb + 3 * ((size_t)(p->top + y) * (size_t)p->chip->width +
                                                    (size_t)(p->left + x));
            float value[3];
            bool seen = value_at(p, patch, x, y, value);
            for (int c = 0; c < 3; c++) {
                double v = (value[c] - s->low[c]) / (s->high[c] - s->low[c]);
                unsigned char hatch = (x + y) / 4 % 2 ? 150 : (c == 1 ? 120 : 180);
                at[c] =
                    seen ? (unsigned char)lround(255 * pow(tally_clamp(v, 0, 1), GAMMA)) : hatch;
            }
        }
    }
}

static void dot(const panel *p, int x, int y, const unsigned char colour[3])
{
    if (x < 0 || y < 0 || x >= p->width || y >= p->height) return;
    unsigned char *at =
        p->chip->rgb + 3 * ((size_t)(p->top + y) * (size_t)p->chip->width + (size_t)(p->left + x));
    for (int c = 0; c < 3; c++)
        at[c] = colour[c];
}

/* A line of one pixel (radius 0) or three (radius 1), every `step`-th pixel of it. */
static void draw_line(const panel *p, tally_point a, tally_point b, int radius, int step,
                      const unsigned char colour[3])
{
    const double scale = (double)p->settings->zoom / p->settings->shrink;
    double ax = a.x * scale, ay = a.y * scale, dx = b.x * scale - ax, dy = b.y * scale - ay;
    double steps = ceil(fmax(fabs(dx), fabs(dy)));
    if (!isfinite(steps) || steps > 1e5) return;
    for (double i = 0; i <= steps; i += step) {
        double t = steps > 0 ? i / steps : 0;
        int x = (int)floor(ax + t * dx), y = (int)floor(ay + t * dy);
        for (int v = -radius; v <= radius; v++)
            for (int u = -radius; u <= radius; u++)
                dot(p, x + u, y + v, colour);
    }
}

static void draw_paths(const panel *p, const tally_path *paths, size_t n, bool close, int radius,
                       int step, const unsigned char colour[3])
{
    for (size_t i = 0; i < n; i++)
        for (size_t k = 0; k + (close ? 0 : 1) < paths[i].n; k++)
            draw_line(p, paths[i].points[k], paths[i].points[(k + 1) % paths[i].n], radius, step,
                      colour);
}

tally_status tally_chip_draw(const tally_patch *scene, const tally_patch *empty,
                             const tally_chip_settings *settings, tally_chip *out, tally_error *err)
{
    *out = (tally_chip) { 0 };
    bool pair =
        empty && empty->pixels && empty->width == scene->width && empty->height == scene->height;
    bool stacked = scene->width > 2 * scene->height;
    int w = (scene->width + settings->shrink - 1) / settings->shrink * settings->zoom,
        h = (scene->height + settings->shrink - 1) / settings->shrink * settings->zoom;
    stretch s, usual;
    tally_status status = stretch_of(scene, settings->bands, &s, err);
    if (status == TALLY_OK && pair) status = stretch_of(empty, settings->bands, &usual, err);
    if (status != TALLY_OK) return status;
    if (pair) tame(&s, &usual);

    out->width = w + (pair && !stacked ? w + GAP : 0);
    out->height = h + (pair && stacked ? h + GAP : 0);
    out->rgb = tally_alloc((size_t)out->width * (size_t)out->height, 3);
    if (!out->rgb) return tally_nomem(err, "a picture");
    for (size_t i = 0; i < 3 * (size_t)out->width * (size_t)out->height; i++)
        out->rgb[i] = PAPER;

    const panel first = { .chip = out, .settings = settings, .width = w, .height = h };
    panel second = first;
    second.left = stacked ? 0 : w + GAP;
    second.top = stacked ? h + GAP : 0;
    const bool rings = !settings->zones_are_lines;
    paint(&first, scene, &s);
    /* the centre line of a track would lie on the wagons */
    if (rings) draw_paths(&first, settings->zones, settings->n_zones, true, 0, DOTS, ZONE);
    if (settings->zoom > 1) /* where pixels are large enough to spare some */
        draw_paths(&first, settings->outlines, settings->n_outlines, true, 1, 1, HALO);
    draw_paths(&first, settings->outlines, settings->n_outlines, true, 0, 1, OUTLINE);
    if (!pair) return TALLY_OK;
    paint(&second, empty, &s);
    draw_paths(&second, settings->zones, settings->n_zones, rings, 0, rings ? DOTS : 2 * DOTS,
               ZONE);
    return TALLY_OK;
}
