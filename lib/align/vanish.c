/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The share of change that vanishes when a scene is moved by a pixel: of the ground in the tie
 * windows where a placed scene differs from the reference by more than three robust deviations, how
 * much would not at one of the eight places around. What is left of a misplacement is edges, which
 * vanish so; what changed does not. The bands' mean is compared, so that a band's noise makes no
 * change.
 *
 * Known failures: chance brings a pixel back, too: on texture finer than the change a tenth to a
 * quarter vanishes however well a scene lies. The share compares scenes of one family; it is no
 * measure by itself.
 */
#include <math.h>
#include <stdlib.h>

#include "align/ties.h"

enum { N = TALLY_TIE_SIZE, STRIDE = 3, SAMPLES = (N / STRIDE + 1) * (N / STRIDE + 1) };
static const double CHANGED = 3; /* robust deviations */

/* The mean of a row's bands, in the reference's radiometry; gain NULL: as it is. */
static void mean_row(const tally_patch *p, int y, const float *gain, const float *offset,
                     float *out)
{
    for (int x = 0; x < N; x++)
        out[x] = 0;
    for (int b = 0; b < p->bands; b++) {
        const float *row = tally_patch_row(p, b, y), g = gain ? gain[b] : 1,
                    o = offset ? offset[b] : 0;
        for (int x = 0; x < N; x++)
            out[x] += (g * row[x] + o) / (float)p->bands;
    }
}

typedef struct window {
    float fixed[N * N], moving[N * N];
    const tally_bits *ground, *seen, *shown;
} window;

static bool open_window(const tally_ties *ties, const tally_patch *moving, size_t i,
                        const float *gain, const float *offset, window *w)
{
    const tally_patch *a = &ties->pixels[i], *b = &moving[i];
    if (a->width != N || b->width != N || a->height != N || b->height != N) return false;
    for (int y = 0; y < N; y++) {
        mean_row(a, y, NULL, NULL, w->fixed + y * N);
        mean_row(b, y, gain, offset, w->moving + y * N);
    }
    w->ground = &ties->ground[i];
    w->seen = &a->valid;
    w->shown = &b->valid;
    return true;
}

static bool usable(const window *w, int x, int y)
{
    return tally_bits_get(w->ground, x, y) && tally_bits_get(w->seen, x, y) &&
           tally_bits_get(w->shown, x, y);
}

/* Is the reference's pixel like one of the scene's around that place? */
static bool is_near(const window *w, int x, int y, float middle, float most)
{
    for (int v = y - 1; v <= y + 1; v++)
        for (int u = x - 1; u <= x + 1; u++)
            if (tally_bits_get(w->shown, u, v) &&
                fabsf(w->moving[v * N + u] - w->fixed[y * N + x] - middle) <= most)
                return true;
    return false;
}

static void count(const window *w, float middle, float most, size_t *changed, size_t *vanished)
{
    for (int y = 1; y + 1 < N; y++)
        for (int x = 1; x + 1 < N; x++) {
            if (!usable(w, x, y) ||
                fabsf(w->moving[y * N + x] - w->fixed[y * N + x] - middle) <= most)
                continue;
            ++*changed;
            *vanished += is_near(w, x, y, middle, most);
        }
}

static size_t sample(const window *w, float *out)
{
    size_t n = 0;
    for (int y = 0; y < N; y += STRIDE)
        for (int x = 0; x < N; x += STRIDE)
            if (usable(w, x, y)) out[n++] = w->moving[y * N + x] - w->fixed[y * N + x];
    return n;
}

tally_status tally_ties_vanishing(const tally_ties *ties, const tally_patch *moving,
                                  const float *gain, const float *offset, double *share,
                                  tally_error *err)
{
    window *w = tally_alloc(1, sizeof *w);
    float *differences = tally_alloc(ties->n * SAMPLES, sizeof *differences);
    size_t n = 0, changed = 0, vanished = 0;
    tally_status s = w && differences ? TALLY_OK : tally_nomem(err, "a share of change");
    *share = NAN;
    for (size_t i = 0; i < ties->n && s == TALLY_OK; i++)
        if (open_window(ties, moving, i, gain, offset, w)) n += sample(w, differences + n);
    if (s == TALLY_OK && n > 0) {
        const float middle = tally_median(differences, n);
        for (size_t i = 0; i < n; i++)
            differences[i] = fabsf(differences[i] - middle);
        const float most = (float)(CHANGED * 1.4826 * (double)tally_median(differences, n));
        for (size_t i = 0; i < ties->n; i++)
            if (open_window(ties, moving, i, gain, offset, w))
                count(w, middle, most, &changed, &vanished);
    }
    if (changed > 0) *share = tally_round_to((double)vanished / (double)changed, 10000);
    tally_free(differences);
    tally_free(w);
    return s;
}
