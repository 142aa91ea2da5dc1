/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The empty pad. The mode over dates is no answer where boxes stand: two grey boxes on nine dates
 * outvote seven dates that differ among themselves, and an empty yard then counts as full. But a
 * pad shows what it is: in each scene by itself a pixel is more or less like bare pad in the sun
 * (yard_light.h). So its own texture is the mean over scenes of what it looked like, each weighted
 * by how like bare pad it looked there; a pixel that never did was never seen empty, and the even
 * pad stands in. The weights fall off fast, so that one empty date outweighs several on which a box
 * stood that is nearly of the pad's colour. Half lit pixels count for little beside sunlit ones:
 * half shadow, or a dark grey box. A place of little weight that differs from date to date held
 * boxes that came and went: it was never seen empty.
 *
 * The pad's level in a scene is looked for near where most scenes have it (yard_light.h), so all
 * are looked at before the first is added.
 *
 * In coarse pixels the rim of a yard drawn too wide is ground of another kind, or half of it. It is
 * told from boxes that never move by two things: it looks the same on all dates, and it goes on
 * beyond the yard. Such ground is its own background. (In fine pixels a rim holds no slot.)
 *
 * Known failures: where boxes of the pad's own grey stood on all dates they are the pad. Ground
 * that greens outside of the yard is not the same on all dates, and its rim counts.
 *
 * Constants, chosen on four drawn sets at 3 m, `rail_3m` and `tumangang_3m`, where they took the
 * error of the slots in bare scenes from 23 % (with a factor fitted to each) to 13 %. LIKE between
 * 0.3 and 2 gave the same there within 2 %; at 0.5 m below 0.7 it takes stains from the pad, above
 * it lets boxes in. LIKE_COARSE, EVEN_COARSE (inside of the yard only: at its rim other ground
 * needs its own look, hard sets at 3 m 33 against 48 %), UNLIKELY, LIT and HALF_LIT by sets of
 * bench/accuracy, seeds 1 to 6.
 */
#include "count/yard_pad.h"

#include <math.h>

#include "base/base.h"
#include "change/blobs.h"
#include "count/yard_light.h"

#define LIKE        0.7f  /* distance over which the weight falls to 1/e */
#define LIKE_COARSE 0.3f  /* the same in coarse pixels: half a box in one is still near the pad */
#define EVEN_COARSE 4.0f  /* scenes: what an even pad is worth there, its texture being small */
#define NEVER_AT    4.0f  /* distance: bare pad never looks like this */
#define NEVER_LIT   0.30f /* darker than this the pad was in deep shadow, or is a box */
#define NEVER_MIXED 0.75f /* the same in coarse pixels, none of which is all shadow */
#define COARSE_M    1.2   /* from here on rims matter: a box is two pixels wide */
#define UNLIKELY                                                                                   \
    0.1f /* weight of all dates: less, and not the same on all, is boxes that came and went */
#define LIT        0.75f /* share of sun: what is less is half shadow, or a dark grey box, */
#define HALF_LIT   0.1f  /* and counts for so much beside pad in the sun */
#define STEADY     0.10f /* log, sigma over dates and mean of bands: ground in changing light */
#define STEADY_MIN 3     /* dates to say so */

tally_status tally_yard_lesson_init(tally_yard_lesson *lesson, int width, int height, int bands,
                                    tally_error *err)
{
    *lesson = (tally_yard_lesson) { 0 };
    tally_status s = tally_patch_init(&lesson->like, width, height, bands + 1, err);
    if (s == TALLY_OK) s = tally_patch_init(&lesson->plain, width, height, 2 * bands + 1, err);
    if (s != TALLY_OK) tally_yard_lesson_fini(lesson);
    return s;
}

void tally_yard_lesson_fini(tally_yard_lesson *lesson)
{
    tally_patch_fini(&lesson->plain);
    tally_patch_fini(&lesson->like);
}

static int bands_of(const tally_yard_lesson *lesson)
{
    return lesson->like.bands - 1;
}

static void add_pixel(tally_yard_lesson *lesson, const tally_patch *ratio,
                      const tally_yard_light *light, bool coarse, int x, int y)
{
    const int bands = ratio->bands;
    float v[8] = { 0 }, lit;

    for (int b = 0; b < bands; b++)
        v[b] = tally_patch_row(ratio, b, y)[x];
    const float distance = tally_yard_distance(v, bands, light, &lit);
    const float least_lit = coarse ? NEVER_MIXED : NEVER_LIT;
    const float likely = distance < NEVER_AT && lit >= least_lit
                             ? expf(-distance / (coarse ? LIKE_COARSE : LIKE))
                             : 0;
    const float weight = likely * (lit > LIT ? 1 : HALF_LIT);
    for (int b = 0; b < bands; b++) {
        tally_patch_row(&lesson->like, b, y)[x] += weight * v[b];
        tally_patch_row(&lesson->plain, b, y)[x] += v[b];
        tally_patch_row(&lesson->plain, bands + b, y)[x] += v[b] * v[b];
    }
    tally_patch_row(&lesson->like, bands, y)[x] += weight;
    tally_patch_row(&lesson->plain, 2 * bands, y)[x] += 1;
}

tally_status tally_yard_lesson_look(tally_yard_lesson *lesson, const tally_patch *scene,
                                    const tally_bits *zone, tally_error *err)
{
    return tally_yard_peaks_add(&lesson->peaks, scene, zone, err);
}

tally_status tally_yard_lesson_add(tally_yard_lesson *lesson, const tally_patch *scene,
                                   const tally_bits *zone, const tally_bits *near, bool own,
                                   double gsd_m, tally_error *err)
{
    tally_yard_light light;
    tally_patch ratio = { 0 };
    float level[8];
    const bool told = !own && tally_yard_peaks_expect(&lesson->peaks, scene->bands, level);
    tally_status s =
        tally_yard_ratio(scene, NULL, told ? level : NULL, zone, near, gsd_m, &light, &ratio, err);

    if (s == TALLY_OK) s = tally_yard_shade(&ratio, near, &light, err);
    if (s != TALLY_OK || !light.found || lesson->n == TALLY_LESSON_SCENES) goto out;
    for (int b = 0; b < ratio.bands; b++)
        lesson->levels[b][lesson->n] = light.level[b];
    lesson->n++;
    for (int y = 0; y < ratio.height; y++)
        for (int x = 0; x < ratio.width; x++)
            if (tally_bits_get(&ratio.valid, x, y))
                add_pixel(lesson, &ratio, &light, gsd_m > COARSE_M, x, y);
out:
    tally_patch_fini(&ratio);
    return s;
}

/* Was it the same on all dates? */
static bool is_steady(const tally_patch *plain, int bands, int x, int y)
{
    const float n = tally_patch_row(plain, 2 * bands, y)[x];
    float sigma = 0;

    if (n < STEADY_MIN) return false;
    for (int b = 0; b < bands; b++) {
        const float mean = tally_patch_row(plain, b, y)[x] / n;
        const float square = tally_patch_row(plain, bands + b, y)[x] / n;
        sigma += sqrtf(fmaxf(square - mean * mean, 0) * n / (n - 1)) / (float)bands;
    }
    return sigma < STEADY;
}

static bool was_empty(const tally_yard_lesson *lesson, int x, int y)
{
    return tally_patch_row(&lesson->like, bands_of(lesson), y)[x] > 0;
}

/* A blob goes on beyond the yard: by more than a pixel anywhere, or by a quarter of it. */
static bool goes_on(const tally_blobs *blobs, size_t blob, const tally_bits *zone,
                    const tally_bits *around)
{
    const tally_span *runs = blobs->runs + blobs->blobs[blob].first_run;
    int64_t outside = 0;

    for (size_t j = 0; j < blobs->blobs[blob].n_runs; j++)
        for (int x = runs[j].x0; x < runs[j].x1; x++) {
            if (!tally_bits_get(around, x, runs[j].y)) return true;
            outside += !tally_bits_get(zone, x, runs[j].y);
        }
    return outside * 4 > blobs->blobs[blob].area;
}

/* Ground of another kind at the yard's rim. */
static tally_status find_surroundings(const tally_kernels *k, const tally_yard_lesson *lesson,
                                      const tally_bits *zone, tally_bits *out, tally_error *err)
{
    const tally_patch *plain = &lesson->plain;
    tally_bits steady = { 0 }, around = { 0 };
    tally_blobs blobs = { 0 };
    tally_status s = tally_bits_init(&steady, plain->width, plain->height, err);

    if (s == TALLY_OK) s = tally_bits_init(&around, plain->width, plain->height, err);
    for (int y = 0; s == TALLY_OK && y < plain->height; y++)
        for (int x = 0; x < plain->width; x++) {
            if (tally_bits_get(zone, x, y)) tally_bits_set(&around, x, y);
            if (!was_empty(lesson, x, y) && is_steady(plain, bands_of(lesson), x, y))
                tally_bits_set(&steady, x, y);
        }
    if (s == TALLY_OK) s = tally_bits_dilate(k, &around, 1, 1, err);
    if (s == TALLY_OK) s = tally_blobs_label(k, &steady, 1, &blobs, err);
    for (size_t i = 0; s == TALLY_OK && i < blobs.n; i++) {
        const tally_span *runs = blobs.runs + blobs.blobs[i].first_run;
        if (!goes_on(&blobs, i, zone, &around)) continue;
        for (size_t j = 0; j < blobs.blobs[i].n_runs; j++)
            for (int x = runs[j].x0; x < runs[j].x1; x++)
                tally_bits_set(out, x, runs[j].y);
    }
    tally_blobs_fini(&blobs);
    tally_bits_fini(&around);
    tally_bits_fini(&steady);
    return s;
}

/* Its neighbours lie in the yard, too: no rim of other ground in it. */
static bool is_inner(const tally_bits *zone, int x, int y)
{
    for (int j = y - 1; j <= y + 1; j++)
        for (int i = x - 1; i <= x + 1; i++)
            if (i < 0 || j < 0 || i >= zone->width || j >= zone->height ||
                !tally_bits_get(zone, i, j))
                return false;
    return true;
}

tally_status tally_yard_lesson_end(const tally_kernels *k, tally_yard_lesson *lesson,
                                   const tally_bits *zone, double gsd_m, tally_patch *pad,
                                   float level[8], bool *found, tally_error *err)
{
    const tally_patch *like = &lesson->like, *plain = &lesson->plain;
    const int bands = bands_of(lesson);
    tally_bits ground = { 0 };
    tally_status s;

    *found = lesson->n > 0;
    *pad = (tally_patch) { 0 };
    if (!*found) return TALLY_OK;
    for (int b = 0; b < bands; b++)
        level[b] = tally_median(lesson->levels[b], lesson->n);
    if ((s = tally_bits_init(&ground, like->width, like->height, err)) != TALLY_OK) return s;
    if (gsd_m > COARSE_M) s = find_surroundings(k, lesson, zone, &ground, err);
    if (s == TALLY_OK) s = tally_patch_init(pad, like->width, like->height, bands + 1, err);
    for (int y = 0; s == TALLY_OK && y < pad->height; y++)
        for (int x = 0; x < pad->width; x++) {
            const bool other = tally_bits_get(&ground, x, y);
            const tally_patch *from = other ? plain : like;
            float weight = tally_patch_row(from, other ? 2 * bands : bands, y)[x];
            if (!other && gsd_m <= COARSE_M && weight < UNLIKELY && !is_steady(plain, bands, x, y))
                weight = 0;
            tally_bits_set(&pad->valid, x, y);
            tally_patch_row(pad, bands, y)[x] = !(weight > 0);
            const float even =
                other || gsd_m <= COARSE_M || !is_inner(zone, x, y) ? 0 : EVEN_COARSE;
            for (int b = 0; b < bands && weight > 0; b++)
                tally_patch_row(pad, b, y)[x] = tally_patch_row(from, b, y)[x] / (weight + even);
        }
    tally_bits_fini(&ground);
    return s;
}
