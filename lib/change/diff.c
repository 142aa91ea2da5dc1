/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Two images: a sample of blocks for gain, noise and threshold; then strip by strip the score and
 * the bits; the mask and the sign, once the blobs are known. Four bits a pixel (seen, changed,
 * brighter, darker) are all that is kept of the whole image. Known failures are those of the method
 * (score.c) and of alignment; BEFORE is taken as the truth for grid and radiometry.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "change/diff_blobs.h"
#include "change/regions.h"
#include "scene/sink.h"
#include "tallyman/diff.h"

enum { OPEN_MOST = 64 };
/* Within a fifth of a pixel nine tenths of the change are found all the same (Dai and Khorram 1998,
 * doi:10.1109/36.718860), and resampling has its own price. Under speckle, which is looked at
 * through windows of 3 pixels and more and becomes uneven by resampling, it is a pixel. */
static const double LEAST_PX = 0.2, SPECKLED_LEAST_PX = 1.0;
enum { LEAST_REGION = 4000 }; /* pixels to learn gain and noise from: a dozen ships' worth at 3 m */

typedef struct plan {
    tally_method method;
    tally_scales scales;
    tally_threshold threshold;
} plan;

typedef struct job {
    const tally_context *ctx;
    const tally_diff_settings *settings;
    tally_pair pair;
    tally_regions regions;
    bool decibels; /* both images, as they are read */
    tally_bits seen, changed, brighter, darker;
    float *hits; /* |value| of every changed pixel, before the opening, by row then column */
    size_t n_hits, hits_capacity;
    size_t *row_hits; /* index of a row's first hit */
    tally_sink *sink;
    int width, height, rows; /* rows of a strip */
} job;

/* The region's pixels of a strip into bits and `value`; core: the region's part of the patches. */
static tally_status judge_region(job *j, const tally_region *r, tally_box strip, int halo,
                                 const tally_patch *before, const tally_patch *after, float *value,
                                 tally_error *err)
{
    const tally_box here = tally_box_intersect(r->box, strip);
    const int down = strip.y0 - halo; /* from rows of the image to rows of the patches */
    const tally_box core = { here.x0, here.y0 - down, here.x1, here.y1 - down };
    const size_t width = (size_t)tally_box_width(here),
                 pixels = width * (size_t)tally_box_height(here);
    float *own = tally_alloc(2 * pixels, sizeof *own);

    if (!own) return tally_nomem(err, "a strip of scores");
    const float *sum = own + pixels;
    tally_status s = tally_score_window(&r->score, before, after, core, own, own + pixels, err);
    for (size_t i = 0; i < pixels && s == TALLY_OK; i++) {
        const int x = here.x0 + (int)(i % width), y = here.y0 + (int)(i / width);
        if (!tally_bits_get(&after->valid, x, y - down) || !tally_region_has(r, x, y)) continue;
        tally_bits_set(&j->seen, x, y);
        if (sum[i] > 0.0f) tally_bits_set(&j->brighter, x, y);
        if (sum[i] < 0.0f) tally_bits_set(&j->darker, x, y);
        if (fabsf(own[i] - r->score.centre) > r->score.limit) tally_bits_set(&j->changed, x, y);
        value[(size_t)(y - strip.y0) * (size_t)j->width + (size_t)x] = fabsf(own[i]);
    }
    tally_free(own);
    return s;
}

/* The values of the changed pixels of a row, in their order. */
static tally_status keep_hits(job *j, int y, const float *value, tally_error *err)
{
    if (j->n_hits + (size_t)j->width > j->hits_capacity) {
        const size_t capacity = 2 * j->hits_capacity + (size_t)j->width;
        float *hits = tally_realloc(j->hits, capacity, sizeof *hits);
        if (!hits) return tally_nomem(err, "the changed pixels");
        j->hits = hits;
        j->hits_capacity = capacity;
    }
    j->row_hits[y] = j->n_hits;
    for (int x = 0; x < j->width; x++)
        if (tally_bits_get(&j->changed, x, y)) j->hits[j->n_hits++] = value[x];
    return TALLY_OK;
}

static tally_status score_strip(job *j, tally_box strip, int halo, tally_patch *before,
                                tally_patch *after, tally_error *err)
{
    const size_t width = (size_t)j->width, rows = (size_t)tally_box_height(strip);
    float *value = tally_alloc(rows * width, sizeof *value);
    tally_status s = value ? TALLY_OK : tally_nomem(err, "a strip of scores");

    for (size_t i = 0; i < rows * width && value; i++)
        value[i] = NAN;
    if (j->decibels) {
        tally_patch_undo_decibels(before);
        tally_patch_undo_decibels(after);
    }
    for (size_t r = 0; r < j->regions.n && s == TALLY_OK; r++) {
        if (!tally_box_empty(tally_box_intersect(j->regions.regions[r].box, strip)))
            s = judge_region(j, &j->regions.regions[r], strip, halo, before, after, value, err);
    }
    for (int y = strip.y0; y < strip.y1 && s == TALLY_OK; y++)
        s = keep_hits(j, y, value + (size_t)(y - strip.y0) * width, err);
    if (s == TALLY_OK && j->sink) s = tally_sink_rows(j->sink, 1, strip.y0, (int)rows, value, err);
    tally_free(value);
    return s;
}

/* Strip by strip: the patches begin `halo` rows above a strip and end as far below, where rows are.
 */
static tally_status score_image(job *j, tally_error *err)
{
    const tally_box image = { 0, 0, j->width, j->height };
    tally_status s = TALLY_OK;

    for (int y0 = 0; y0 < j->height && s == TALLY_OK; y0 += j->rows) {
        const tally_box strip =
            tally_box_intersect((tally_box) { 0, y0, j->width, y0 + j->rows }, image);
        const tally_box wide = tally_box_intersect(tally_box_grow(strip, TALLY_HALO), image);
        tally_patch before, after;
        if (j->ctx->cancel && atomic_load(j->ctx->cancel))
            return tally_fail(err, TALLY_E_CANCELLED, "diff was stopped");
        if ((s = tally_pair_read(j->ctx, &j->pair, wide, &before, &after, err)) != TALLY_OK) break;
        tally_both_saw(&before, &after);
        s = score_strip(j, strip, strip.y0 - wide.y0, &before, &after, err);
        tally_patch_fini(&before);
        tally_patch_fini(&after);
        tally_progress(j->ctx, "score", (size_t)strip.y1, (size_t)j->height);
    }
    return s;
}

/* Bands 1 and 3, once the mask is final. */
static tally_status write_bits(job *j, tally_error *err)
{
    float *strip = tally_alloc((size_t)j->rows * (size_t)j->width, sizeof *strip);
    tally_status s = strip ? TALLY_OK : tally_nomem(err, "a strip of the mask");

    for (int band = 0; band < 3 && s == TALLY_OK; band += 2) {
        for (int y0 = 0; y0 < j->height && s == TALLY_OK; y0 += j->rows) {
            const int rows = y0 + j->rows < j->height ? j->rows : j->height - y0;
            for (int y = y0; y < y0 + rows; y++) {
                float *row = strip + (size_t)(y - y0) * (size_t)j->width;
                for (int x = 0; x < j->width; x++) {
                    const int sign =
                        tally_bits_get(&j->brighter, x, y) - tally_bits_get(&j->darker, x, y);
                    const float mask = tally_bits_get(&j->seen, x, y)
                                           ? (float)tally_bits_get(&j->changed, x, y)
                                           : 255.0f;
                    row[x] = band == 0 ? mask : (float)sign;
                }
            }
            s = tally_sink_rows(j->sink, band, y0, rows, strip, err);
        }
    }
    tally_free(strip);
    return s;
}

/* How many bits of a row are set before column x. */
static size_t bits_before(const uint64_t *row, int x)
{
    size_t n = 0;

    for (int w = 0; w < x / 64; w++)
        n += (size_t)__builtin_popcountll(row[w]);
    return x % 64 ? n + (size_t)__builtin_popcountll(row[x / 64] & ((UINT64_C(1) << x % 64) - 1))
                  : n;
}

/* Mean score and sign of each blob; `raw` is the mask that the hits were counted by. */
static void rate_blobs(const job *j, const tally_bits *raw, const tally_blobs *blobs,
                       tally_blob_score *out)
{
    for (size_t i = 0; i < blobs->n; i++) {
        const tally_blob *b = &blobs->blobs[i];
        double total = 0.0;
        int64_t up = 0;
        for (size_t r = b->first_run; r < b->first_run + b->n_runs; r++) {
            const tally_span *run = &blobs->runs[r];
            const float *hit =
                j->hits + j->row_hits[run->y] + bits_before(tally_bits_row(raw, run->y), run->x0);
            for (int x = run->x0; x < run->x1; x++) {
                total += (double)*hit++;
                up +=
                    tally_bits_get(&j->brighter, x, run->y) - tally_bits_get(&j->darker, x, run->y);
            }
        }
        out[i] =
            (tally_blob_score) { .score = total / (double)b->area, .sign = (up > 0) - (up < 0) };
    }
}

/* The mask is what the blobs that were kept cover. */
static void keep_blobs(tally_bits *mask, const tally_blobs *blobs)
{
    memset(mask->bits, 0, mask->words * (size_t)mask->height * sizeof *mask->bits);
    for (size_t r = 0; r < blobs->n_runs; r++) {
        for (int x = blobs->runs[r].x0; x < blobs->runs[r].x1; x++)
            tally_bits_set(mask, x, blobs->runs[r].y);
    }
}

/* Opening, least area, blobs. */
static tally_status shape(job *j, tally_diff_result *result, tally_error *err)
{
    const tally_diff_settings *want = j->settings;
    const tally_kernels *k = j->ctx->kernels;
    const size_t bytes = j->changed.words * (size_t)j->height * sizeof(uint64_t);
    tally_bits raw = { 0 };
    tally_blobs blobs = { 0 };
    tally_blob_score *scores = NULL;
    tally_status s = tally_bits_init(&raw, j->width, j->height, err);

    if (s != TALLY_OK) return s;
    memcpy(raw.bits, j->changed.bits, bytes);
    if (want->open > 0) s = tally_bits_open(k, &j->changed, want->open, want->open, err);
    if (s == TALLY_OK)
        s = tally_diff_label(k, &j->changed, &j->brighter, &j->darker,
                             want->min_area > 1 ? want->min_area : 1, &blobs, err);
    if (s == TALLY_OK) {
        keep_blobs(&j->changed, &blobs);
        result->n_blobs = blobs.n;
        if (want->blobs && !(scores = tally_alloc(blobs.n + 1, sizeof *scores)))
            s = tally_nomem(err, "the blobs' scores");
    }
    if (s == TALLY_OK && want->blobs) {
        rate_blobs(j, &raw, &blobs, scores);
        s = tally_diff_blobs_write(want->blobs, &blobs, scores, &j->pair, err);
    }
    tally_free(scores);
    tally_blobs_fini(&blobs);
    tally_bits_fini(&raw);
    return s;
}

static tally_status check(const tally_diff_settings *s, bool *align, tally_error *err)
{
    static const char *const endings[] = { ".geojson", ".json", ".csv" };
    bool known = !s->blobs;

    *align = !s->align || strcmp(s->align, "auto") == 0;
    if (!s->before || !s->after) return tally_fail(err, TALLY_E_ARG, "diff wants two images");
    if (!*align && strcmp(s->align, "none") != 0)
        return tally_fail(err, TALLY_E_ARG, "align '%s': wants auto or none", s->align);
    if (s->open < 0 || s->open > OPEN_MOST)
        return tally_fail(err, TALLY_E_ARG, "open %d: wants a radius of 0 to %d pixels", s->open,
                          OPEN_MOST);
    if (s->min_area < 0)
        return tally_fail(err, TALLY_E_ARG, "min-area %ld: wants a number of pixels", s->min_area);
    for (int i = 0; i < 3 && !known; i++) {
        const size_t n = strlen(s->blobs), m = strlen(endings[i]);
        known = n > m && strcmp(s->blobs + n - m, endings[i]) == 0;
    }
    if (!known)
        return tally_fail(err, TALLY_E_ARG, "%s: blobs go to a .geojson, .json or .csv file",
                          s->blobs);
    return TALLY_OK;
}

/* As `1,3`. */
static void tell_scales(const tally_scales *scales, char *out, size_t size)
{
    size_t used = 0;

    for (int i = 0; i < scales->n && used < size; i++)
        used += (size_t)snprintf(out + used, size - used, "%s%d", i ? "," : "", scales->side[i]);
}

/* Does the shift move every pixel by less, as far as its windows can tell (two standard errors)? */
static bool moves_less(const tally_pair *pair, double least_px)
{
    const tally_placement *p = &pair->placement;
    const double doubt =
        p->windows > 0 && isfinite(p->rmse_px) ? 2.0 * p->rmse_px / sqrt(p->windows) : 0.0;

    for (int i = 0; i < 4; i++) {
        const tally_point from = { i % 2 ? pair->tiles[0].width : 0,
                                   i / 2 ? pair->tiles[0].height : 0 },
                          to = tally_pair_shifted(pair, from);
        if (hypot(to.x - from.x, to.y - from.y) > least_px + doubt) return false;
    }
    return true;
}

/* A shift too small to be worth resampling for: the images lie on each other as they are. */
static void leave_as_is(tally_pair *pair, tally_diff_result *result)
{
    pair->shift = (tally_affine) { { 0, 1, 0, 0, 0, 1 } };
    pair->bend = (tally_bend) { 0 };
    result->dx_px = result->dy_px = 0.0;
}

static bool is_still(const tally_pair *pair)
{
    static const tally_affine none = { { 0, 1, 0, 0, 0, 1 } };
    return pair->bend.scale == 0 && memcmp(&pair->shift, &none, sizeof none) == 0;
}

static bool in_region(const void *user, int x, int y)
{
    return tally_region_has(user, x, y);
}

static bool in_any(const void *user, int x, int y)
{
    const tally_regions *all = user;

    for (size_t i = 0; i < all->n; i++)
        if (tally_region_has(&all->regions[i], x, y)) return true;
    return false;
}

/* Sample and method, of all regions together. A small shift of what turns out to be radar is
 * undone. */
static tally_status learn_all(job *j, const plan *want, tally_score *score,
                              tally_diff_result *result, tally_error *err)
{
    tally_box box = j->regions.regions[0].box;

    for (size_t i = 1; i < j->regions.n; i++)
        box = tally_box_union(box, j->regions.regions[i].box);
    for (;;) {
        tally_sample sample;
        tally_status s =
            tally_sample_read(j->ctx, &j->pair, box, in_any, &j->regions, &sample, err);
        if (s != TALLY_OK) return s;
        if (tally_sample_is_grey(&sample)) {
            j->pair.bands = sample.bands = 1;
            sample.named_optical = false;
        }
        s = tally_score_learn(score, want->method, &want->scales, &want->threshold, &sample, err);
        j->decibels = sample.decibels;
        tally_sample_fini(&sample);
        if (s != TALLY_OK || !score->speckled || is_still(&j->pair) ||
            !moves_less(&j->pair, SPECKLED_LEAST_PX))
            return s;
        leave_as_is(&j->pair, result);
    }
}

/* Each region's score: its own, or that of all where it is too small to learn from. */
static tally_status learn(job *j, const plan *want, tally_diff_result *result, tally_error *err)
{
    tally_score all;
    tally_status s = learn_all(j, want, &all, result, err);

    for (size_t i = 0; i < j->regions.n && s == TALLY_OK; i++) {
        tally_region *r = &j->regions.regions[i];
        tally_sample sample;
        tally_error why = { 0 };
        r->score = all;
        if (j->regions.n == 1) break;
        s = tally_sample_read(j->ctx, &j->pair, r->box, in_region, r, &sample, err);
        if (s != TALLY_OK) break;
        if (sample.n >= LEAST_REGION) {
            /* the method and the scales of all, so that scores can be compared */
            s = tally_score_learn(&r->score, all.method, &all.scales, &want->threshold, &sample,
                                  &why);
            if (s == TALLY_E_NODATA) {
                r->score = all;
                s = TALLY_OK;
            } else if (s != TALLY_OK) {
                s = tally_fail(err, s, "%s", why.message);
            }
        }
        tally_sample_fini(&sample);
    }
    if (s != TALLY_OK) return s;
    result->method = tally_method_name(all.method);
    result->threshold = (double)j->regions.regions[0].score.limit;
    result->centre = (double)j->regions.regions[0].score.centre;
    result->regions = j->regions.n;
    tell_scales(&all.scales, result->scales, sizeof result->scales);
    return TALLY_OK;
}

static tally_status prepare(job *j, bool align, tally_diff_result *result, tally_error *err)
{
    const tally_diff_settings *want = j->settings;
    bool found = false;
    tally_status s = tally_pair_open(j->ctx, want->before, want->after, want->bands, &j->pair, err);

    if (s != TALLY_OK) return s;
    j->width = j->pair.tiles[0].width;
    j->height = j->pair.tiles[0].height;
    /* a strip is a sixteenth of the memory: both images, AFTER's own pixels and the scores share
     * the rest */
    const size_t row = (size_t)j->width * (size_t)(j->pair.bands + 1) * sizeof(float);
    const size_t strips = j->ctx->max_memory / 16 / row / TALLY_SINK_ROWS;
    j->rows = TALLY_SINK_ROWS * (int)(strips < 1 ? 1 : strips > 16 ? 16 : strips);
    tally_site *site = NULL;
    if (want->site && (s = tally_site_read(want->site, NULL, &site, err)) != TALLY_OK) return s;
    s = tally_regions_init(site, &j->pair, &j->regions, err);
    tally_site_destroy(&site);
    if (s != TALLY_OK) return s;
    if (align) s = tally_pair_align(j->ctx, &j->pair, &result->dx_px, &result->dy_px, &found, err);
    result->aligned = found;
    if (s == TALLY_OK && found && moves_less(&j->pair, LEAST_PX)) leave_as_is(&j->pair, result);
    tally_bits *const bits[] = { &j->seen, &j->changed, &j->brighter, &j->darker };
    for (int i = 0; i < 4 && s == TALLY_OK; i++)
        s = tally_bits_init(bits[i], j->width, j->height, err);
    if (s == TALLY_OK && !(j->row_hits = tally_alloc((size_t)j->height + 1, sizeof *j->row_hits)))
        s = tally_nomem(err, "the rows of an image");
    return s;
}

static void close_job(job *j)
{
    tally_sink_abandon(&j->sink);
    tally_regions_fini(&j->regions);
    tally_bits_fini(&j->seen);
    tally_bits_fini(&j->changed);
    tally_bits_fini(&j->brighter);
    tally_bits_fini(&j->darker);
    tally_free(j->hits);
    tally_free(j->row_hits);
    tally_pair_close(&j->pair);
}

tally_status tally_diff(const tally_context *ctx, const tally_diff_settings *settings,
                        tally_diff_result *result, tally_error *err)
{
    static const char *const bands[] = { "mask", "score", "sign" };
    job j = { .ctx = ctx, .settings = settings };
    plan want;
    tally_status s;
    bool align;

    *result = (tally_diff_result) { 0 };
    if ((s = check(settings, &align, err)) != TALLY_OK) return s;
    if ((s = tally_method_parse(settings->method, &want.method, err)) != TALLY_OK) return s;
    if ((s = tally_threshold_parse(settings->threshold, &want.threshold, err)) != TALLY_OK)
        return s;
    if ((s = tally_scales_parse(settings->scales, &want.scales, err)) != TALLY_OK) return s;
    if ((s = prepare(&j, align, result, err)) != TALLY_OK) goto out;

    if ((s = learn(&j, &want, result, err)) != TALLY_OK) goto out;
    if (settings->output && (s = tally_sink_create(settings->output, &j.pair.tiles[0], 3, bands,
                                                   &j.sink, err)) != TALLY_OK)
        goto out;
    if ((s = score_image(&j, err)) != TALLY_OK) goto out;
    if ((s = shape(&j, result, err)) != TALLY_OK) goto out;
    if (j.sink && (s = write_bits(&j, err)) != TALLY_OK) goto out;
    if (j.sink) s = tally_sink_finish(&j.sink, err);
    double within = 0.0;
    for (size_t i = 0; i < j.regions.n; i++) {
        const tally_region *r = &j.regions.regions[i];
        within +=
            r->mask.words ? (double)tally_bits_count(&r->mask) : (double)j.width * (double)j.height;
    }
    const double seen = (double)tally_bits_count(&j.seen);
    result->seen = seen / within;
    result->changed = seen > 0.0 ? (double)tally_bits_count(&j.changed) / seen : 0.0;
out:
    close_job(&j);
    return s;
}
