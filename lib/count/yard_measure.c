/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A yard in a scene. The light on its pad comes from the scene itself (yard_light.h); what is
 * neither pad nor shadow is evidence; slots are laid into it on the yard's axes (yard_slots.h). At
 * 3 m a box is one pixel wide and mixed with its shadow: there the evidence is summed up as an area
 * and divided by what one slot takes, with an interval as wide as that number's spread.
 *
 * The pad of earlier scenes takes its own stains and texture out. Where it was never seen empty its
 * own even colour stands in, so that a box that never moves is still a box.
 *
 * Grey boxes lie on the line between sun and shadow. The rim of a shadow is narrow, so what is
 * evenly half lit over three pixels is taken for paint, where the pad was learned and its own dark
 * stains are known.
 *
 * Cloud over the yard: the whole level far above the learned one, nothing of the learned ground to
 * be recognised (yard_sight.h), or a bright patch broader than a
 * box that runs on beyond the yard (yards are drawn a little generously, boxes stand inside).
 *
 * The interval joins in quadrature: the counts at a stricter and at a laxer threshold, the spread
 * of packing (gaps between boxes), slots that the shadow of taller stacks may hide, and one slot
 * for what lies on the edge. What was not seen adds to the upper end the slots that it could hold
 * if it were half as full again as the rest, of all it has room for.
 *
 * Known failures: snow on pad and boxes alike leaves edges only, the interval says so; cranes and
 * lorries that touch boxes count where they fill a slot; a pad of more than one surface counts its
 * second one when it differs in hue and is as large as a slot.
 *
 * Constants, chosen by eye on port and rail yards at 0.5 m and their 3 m versions: threshold 1.5
 * (0.9 and 2.3 for the interval) on a distance that is about 0.3 on bare pad. At 3 m evidence grows
 * from 0.2 to 0.5 and a slot takes 32.8 m2 of it (rims of boxes fill pixels by half); what is
 * darker than the pad without other evidence is shadow or dark boxes and counts 1 slot in 20 m2,
 * less 0.40 of it for each unit of the cotangent of the sun's elevation: least absolute errors on
 * 121 cloudless counts of sets of bench/accuracy, 18 % off, evidence alone 20 %. MIXED_SHARE:
 * without it two drawn yards at 1 m came out 24 % too full together, with a half 17 % too empty, so
 * 4 %; two more went from 2 % to 7 % too empty.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "change/blobs.h"
#include "count/yard_light.h"
#include "count/yard_measure.h"
#include "count/yard_sight.h"

#define SLOT_M2       (TALLY_SLOT_LENGTH_M * TALLY_SLOT_WIDTH_M)
#define GSD_SLOTS     1.2  /* a box is two pixels wide */
#define GSD_GAPS      0.65 /* the gap between two boxes shows */
#define GSD_AREA      5.0  /* a box is half a pixel wide: area carries no count beyond */
#define STEP_M        0.25
#define MIXED_FROM_M  0.5 /* pixels at the rim of a box matter from here on, */
#define MIXED_FULL_M  1.0 /* and wholly from here: */
#define MIXED_SHARE   0.2f
#define THRESHOLD     1.5f
#define THRESHOLD_LOW 0.9f
#define THRESHOLD_TOP 2.3f
#define COARSE_AT     0.2f /* where only area is measured texture is averaged: from here */
#define COARSE_FULL   0.5f /* to here a pixel grows to evidence */
#define COARSE_M2     32.8
#define DARK_AT       0.05 /* log: darker than the pad's texture is */
#define DARK_FULL     0.15
#define DARK_M2       20.0
#define DARK_SHADOW   0.40
#define COARSE_SPREAD 0.22  /* one sigma, as a share */
#define PACKING       0.06  /* one sigma, as a share: gaps of 0.1 to 0.6 m */
#define PACKED_M2     17.3  /* a slot with its gaps, 6.30 x 2.75 m */
#define RECOUNT       0.5   /* one sigma, as a share of what the other thresholds change */
#define UNSEEN_FILL   0.5   /* two sigma of how full a part of a yard is beside the rest */
#define HIDDEN        0.10  /* share of shaded ground that may carry boxes unseen */
#define NEAR_M        3.0   /* around the yard, for the light */
#define GREY_LOW      0.15f /* share of sun: below it is full shadow, */
#define GREY_HIGH     0.70f /* above it texture */
#define GREY_FLAT     0.25f /* log, within 3 x 3 pixels: the rim of a shadow falls by 0.6 */
#define LIKENESS_MIN  0.15  /* structure enough to be recognised */
#define UNLIKE        0.4 /* of the usual likeness; cloud had 0.13, the poorest clear scene 0.65 */
#define BRIGHT        0.25f /* log, over pad and over usual ground */
#define GREY_DISTANCE 3.5f

tally_status tally_yard_near(const tally_kernels *k, const tally_bits *zone, double gsd_m,
                             tally_bits *out, tally_error *err)
{
    const int r = (int)tally_clamp(ceil(NEAR_M / gsd_m), 1, 31);
    tally_status s = tally_bits_init(out, zone->width, zone->height, err);

    if (s != TALLY_OK) return s;
    memcpy(out->bits, zone->bits, zone->words * (size_t)zone->height * sizeof *zone->bits);
    return tally_bits_dilate(k, out, r, r, err);
}

static void pixel_of(const tally_patch *p, int x, int y, float *v)
{
    for (int b = 0; b < p->bands; b++)
        v[b] = tally_patch_row(p, b, y)[x];
}

/* Distances and the share of sun, by pixel; not seen -> not valid. */
static tally_status distances(const tally_patch *ratio, const tally_yard_light *light,
                              tally_patch *out, tally_error *err)
{
    tally_status s = tally_patch_init(out, ratio->width, ratio->height, 2, err);

    for (int y = 0; s == TALLY_OK && y < ratio->height; y++)
        for (int x = 0; x < ratio->width; x++) {
            float v[8] = { 0 }, lit;
            if (!tally_bits_get(&ratio->valid, x, y)) continue;
            pixel_of(ratio, x, y, v);
            tally_patch_row(out, 0, y)[x] = tally_yard_distance(v, ratio->bands, light, &lit);
            tally_patch_row(out, 1, y)[x] = lit;
            tally_bits_set(&out->valid, x, y);
        }
    return s;
}

/* How much of a blob lies inside the yard. */
static int64_t area_inside(const tally_blobs *blobs, size_t blob, const tally_bits *zone)
{
    const tally_span *runs = blobs->runs + blobs->blobs[blob].first_run;
    int64_t inside = 0;

    for (size_t j = 0; j < blobs->blobs[blob].n_runs; j++)
        for (int x = runs[j].x0; x < runs[j].x1; x++)
            inside += tally_bits_get(zone, x, runs[j].y);
    return inside;
}

static void put_blob(const tally_blobs *blobs, size_t blob, tally_bits *out)
{
    const tally_span *runs = blobs->runs + blobs->blobs[blob].first_run;

    for (size_t j = 0; j < blobs->blobs[blob].n_runs; j++)
        for (int x = runs[j].x0; x < runs[j].x1; x++)
            tally_bits_set(out, x, runs[j].y);
}

static float brightness(const tally_patch *ratio, int x, int y)
{
    float v[8] = { 0 }, sum = 0;
    pixel_of(ratio, x, y, v);
    for (int b = 0; b < ratio->bands; b++)
        sum += v[b];
    return sum / (float)ratio->bands;
}

/* Neither sun nor shadow, and even: the rim of a shadow is narrow, a grey box is not. */
static bool is_even_grey(const tally_patch *ratio, const tally_patch *distance, int x, int y)
{
    float low = INFINITY, high = -INFINITY;
    const float lit = tally_patch_row(distance, 1, y)[x];

    if (lit < GREY_LOW || lit > GREY_HIGH) return false;
    for (int j = -1; j <= 1; j++)
        for (int i = -1; i <= 1; i++) {
            if (!tally_bits_get(&ratio->valid, x + i, y + j)) return false;
            const float v = brightness(ratio, x + i, y + j);
            low = fminf(low, v);
            high = fmaxf(high, v);
        }
    return high - low < GREY_FLAT;
}

/* Grey boxes lie on the very line of shadow. Give evidence to what is grey, even, and not part of
 * something that lies more than half outside the yard (the shadow of a cloud). */
static tally_status add_grey(const tally_kernels *k, const tally_yard_view *view,
                             const tally_patch *ratio, tally_patch *distance, tally_error *err)
{
    tally_bits grey = { 0 };
    tally_blobs blobs = { 0 };
    tally_status s = tally_bits_init(&grey, ratio->width, ratio->height, err);

    for (int y = 1; s == TALLY_OK && y + 1 < ratio->height; y++)
        for (int x = 1; x + 1 < ratio->width; x++)
            if (tally_bits_get(&ratio->valid, x, y) && is_even_grey(ratio, distance, x, y))
                tally_bits_set(&grey, x, y);
    if (s == TALLY_OK) s = tally_bits_dilate(k, &grey, 1, 1, err);
    if (s == TALLY_OK) s = tally_blobs_label(k, &grey, 1, &blobs, err);
    for (size_t i = 0; i < blobs.n; i++) {
        const tally_span *runs = blobs.runs + blobs.blobs[i].first_run;
        if (area_inside(&blobs, i, view->zone) * 2 < blobs.blobs[i].area) continue;
        for (size_t j = 0; j < blobs.blobs[i].n_runs; j++)
            for (int x = runs[j].x0; x < runs[j].x1; x++) {
                float *d = &tally_patch_row(distance, 0, runs[j].y)[x];
                const float lit = tally_patch_row(distance, 1, runs[j].y)[x];
                if (lit <= GREY_HIGH + 0.1f) *d = fmaxf(*d, GREY_DISTANCE);
            }
    }
    tally_blobs_fini(&blobs);
    tally_bits_fini(&grey);
    return s;
}

/* Bright and white, in every band. */
static bool is_bright(const float *ratio, int bands)
{
    float low = ratio[0], high = ratio[0];

    for (int b = 1; b < bands; b++) {
        low = fminf(low, ratio[b]);
        high = fmaxf(high, ratio[b]);
    }
    return low > BRIGHT && high - low < 0.6f;
}

/* Brighter than the learned ground, block by block: bright ground beside the yard is no cloud.
 * Where nothing was learned, everywhere. */
static tally_status find_brighter(const tally_yard_view *view, tally_bits *out, tally_error *err)
{
    const int side = tally_yard_block(view->gsd_m);
    tally_patch own = { 0 };
    tally_status s = tally_bits_init(out, view->scene->width, view->scene->height, err);

    if (s == TALLY_OK && view->ground && view->level)
        s = tally_yard_ground(view->scene, view->gsd_m, &own, err);
    for (int y = 0; s == TALLY_OK && y < out->height; y++)
        for (int x = 0; x < out->width; x++) {
            const int i = x / side, j = y / side;
            const bool told = own.pixels && i < own.width && j < own.height &&
                              i < view->ground->width && j < view->ground->height &&
                              tally_bits_get(&own.valid, i, j) &&
                              tally_bits_get(&view->ground->valid, i, j);
            if (!told ||
                tally_patch_row(&own, 0, j)[i] - tally_patch_row(view->ground, 0, j)[i] > BRIGHT)
                tally_bits_set(out, x, y);
        }
    tally_patch_fini(&own);
    return s;
}

/* Take clouds out of `seen`: bright patches broader than 3 m of which a quarter lies outside. */
static tally_status drop_clouds(const tally_kernels *k, const tally_yard_view *view,
                                const tally_patch *ratio, tally_bits *seen, tally_error *err)
{
    const int r = (int)tally_clamp(ceil(1.5 / view->gsd_m), 1, 31);
    tally_bits bright = { 0 }, brighter = { 0 }, cloud = { 0 };
    tally_blobs blobs = { 0 };
    tally_status s = find_brighter(view, &brighter, err);

    if (s == TALLY_OK) s = tally_bits_init(&bright, ratio->width, ratio->height, err);
    if (s == TALLY_OK) s = tally_bits_init(&cloud, ratio->width, ratio->height, err);
    for (int y = 0; s == TALLY_OK && y < ratio->height; y++)
        for (int x = 0; x < ratio->width; x++) {
            float v[8] = { 0 };
            if (!tally_bits_get(&ratio->valid, x, y)) continue;
            pixel_of(ratio, x, y, v);
            if (is_bright(v, ratio->bands) && tally_bits_get(&brighter, x, y))
                tally_bits_set(&bright, x, y);
        }
    if (s == TALLY_OK) s = tally_bits_open(k, &bright, r, r, err);
    if (s == TALLY_OK) s = tally_blobs_label(k, &bright, 1, &blobs, err);
    for (size_t i = 0; i < blobs.n && s == TALLY_OK; i++)
        if (area_inside(&blobs, i, view->zone) * 4 <= blobs.blobs[i].area * 3)
            put_blob(&blobs, i, &cloud);
    if (s == TALLY_OK) s = tally_bits_dilate(k, &cloud, 2 * r, 2 * r, err);
    for (int y = 0; s == TALLY_OK && y < ratio->height; y++)
        for (size_t j = 0; j < seen->words; j++)
            tally_bits_row(seen, y)[j] &= ~tally_bits_row(&cloud, y)[j];
    tally_blobs_fini(&blobs);
    tally_bits_fini(&cloud);
    tally_bits_fini(&bright);
    tally_bits_fini(&brighter);
    return s;
}

/* Haze or cloud over all of it: the sunlit pad at twice its learned level in every band, or nothing
 * of the learned ground to be recognised. Snow hides the ground, too, and is known from elsewhere.
 */
static tally_status covered(const tally_yard_view *view, const tally_yard_light *light, bool *out,
                            tally_error *err)
{
    tally_patch ground = { 0 };
    tally_status s;

    *out = view->level != NULL && !view->snow;
    for (int b = 0; b < view->scene->bands && *out; b++)
        *out = light->level[b] > 2.0f * view->level[b];
    if (*out || view->snow || !view->ground || view->likeness < LIKENESS_MIN) return TALLY_OK;
    if ((s = tally_yard_ground(view->scene, view->gsd_m, &ground, err)) != TALLY_OK) return s;
    *out = tally_yard_likeness(&ground, view->ground) < UNLIKE * view->likeness;
    tally_patch_fini(&ground);
    return TALLY_OK;
}

/* The largest distance within a pixel of this one. */
static float strongest_near(const tally_patch *distance, const tally_bits *seen, int x, int y)
{
    float most = 0;

    for (int j = y > 0 ? y - 1 : 0; j <= y + 1 && j < distance->height; j++)
        for (int i = x > 0 ? x - 1 : 0; i <= x + 1 && i < distance->width; i++)
            if (tally_bits_get(seen, i, j)) most = fmaxf(most, tally_patch_row(distance, 0, j)[i]);
    return most;
}

/* Distances to -1 .. 1 around a threshold; outside what was seen -1. Where pixels are large beside
 * a box, one that a box covers by a tenth is far from pad all the same: there the threshold is a
 * share of what its neighbours reach, so that outlines stay where they are. */
static tally_status evidence_at(const tally_patch *distance, const tally_bits *seen, double gsd_m,
                                float least, tally_patch *out, tally_error *err)
{
    const float share =
        MIXED_SHARE *
        (float)tally_clamp((gsd_m - MIXED_FROM_M) / (MIXED_FULL_M - MIXED_FROM_M), 0, 1);
    tally_status s = tally_patch_init(out, distance->width, distance->height, 1, err);

    for (int y = 0; s == TALLY_OK && y < out->height; y++)
        for (int x = 0; x < out->width; x++) {
            const float d = tally_patch_row(distance, 0, y)[x];
            const float threshold =
                share > 0 ? fmaxf(least, share * strongest_near(distance, seen, x, y)) : least;
            tally_patch_row(out, 0, y)[x] =
                tally_bits_get(seen, x, y)
                    ? (float)tally_clamp((d - threshold) / threshold, -1.0, 1.0)
                    : -1.0f;
        }
    return s;
}

/* What the pixels of the yard come to. */
typedef struct tallied {
    size_t zone, seen, shaded, never;
    double area_m2; /* evidence, summed, for coarse pixels */
    double dark_m2; /* beside it, what is darker than the sunlit pad: shadow, or dark boxes */
} tallied;

static tallied tally_pixels(const tally_yard_view *view, const tally_patch *ratio,
                            const tally_patch *distance, const tally_bits *seen)
{
    tallied t = { 0 };

    for (int y = 0; y < distance->height; y++)
        for (int x = 0; x < distance->width; x++) {
            if (!tally_bits_get(view->zone, x, y)) continue;
            t.zone++;
            if (!tally_bits_get(seen, x, y)) continue;
            const float d = tally_patch_row(distance, 0, y)[x];
            t.seen++;
            t.shaded += d < THRESHOLD && tally_patch_row(distance, 1, y)[x] < 0.5f;
            t.never += view->pad && tally_patch_row(view->pad, view->pad->bands - 1, y)[x] > 0.5f;
            const double evidence = tally_clamp((d - COARSE_AT) / (COARSE_FULL - COARSE_AT), 0, 1);
            t.area_m2 += evidence;
            t.dark_m2 += (1 - evidence) *
                         tally_clamp((-brightness(ratio, x, y) - DARK_AT) / DARK_FULL, 0, 1);
        }
    t.area_m2 *= view->gsd_m * view->gsd_m;
    t.dark_m2 *= view->gsd_m * view->gsd_m;
    return t;
}

/* Round a count's doubt into the row. above, below: one standard error. */
static void set_interval(tally_yard_answer *out, const tally_yard_view *view, const tallied *t,
                         double below, double above)
{
    tally_zone_count *row = &out->row;
    const double pixel_m2 = view->gsd_m * view->gsd_m;
    const double capacity = (double)t->zone * pixel_m2 / PACKED_M2;
    const double count = (double)row->count;
    /* what was not seen is filled as the rest is, give or take half of it all */
    const double filled = count / fmax(1, row->seen * capacity);
    const double unseen = (1 - row->seen) * capacity * fmin(1, filled + UNSEEN_FILL);
    const double hidden = HIDDEN * (double)t->shaded * pixel_m2 / PACKED_M2;

    if (!view->pad) { /* nothing to hold the scene against */
        below *= 1.5;
        above *= 1.5;
    }
    if (view->snow) { /* white on white: half may be missed, as many may be drifts */
        below = hypot(below, 0.3 * count);
        above = hypot(above, 0.5 * count + 0.04 * capacity + hidden);
    }
    row->estimate = row->seen >= 0.95 ? count : count / row->seen;
    if (row->estimate > capacity && count <= capacity) row->estimate = capacity;
    row->low = fmax(0, floor(count - 1.96 * below));
    row->high = ceil(fmax(count, fmin(count + 1.96 * above, capacity * 1.1)) + unseen);
    row->high = fmax(row->high, ceil(row->estimate));
    row->estimate = tally_round_to(row->estimate, 100);
}

static tally_status count_slots(const tally_kernels *k, const tally_yard_view *view,
                                const tally_patch *distance, const tally_bits *seen,
                                const tallied *t, tally_yard_answer *out, tally_error *err)
{
    const float thresholds[] = { THRESHOLD, THRESHOLD_TOP, THRESHOLD_LOW };
    double counts[3] = { 0 }, angle = view->drawn_angle;
    const double hidden = (double)t->shaded * view->gsd_m * view->gsd_m / PACKED_M2;
    tally_status s = TALLY_OK;

    for (int i = 0; i < 3 && s == TALLY_OK; i++) {
        tally_patch evidence = { 0 };
        tally_yard_slots slots = { 0 };
        s = evidence_at(distance, seen, view->gsd_m, thresholds[i], &evidence, err);
        if (s == TALLY_OK && i == 0)
            s = tally_yard_angle(k, &evidence, view->zone, view->gsd_m, view->drawn_angle, &angle,
                                 err);
        if (s == TALLY_OK)
            s = tally_yard_fit(k, &evidence, view->zone, view->gsd_m, angle, STEP_M, &slots, err);
        counts[i] = (double)slots.n;
        if (i == 0)
            out->slots = slots;
        else
            tally_yard_slots_fini(&slots);
        tally_patch_fini(&evidence);
    }
    if (s != TALLY_OK) return s;
    out->row.count = (int64_t)out->slots.n;
    out->row.extent = tally_round_to((double)out->slots.n * SLOT_M2, 10);
    const double packing = PACKING * counts[0], edge = counts[0] > 0 ? 0.5 : 0;
    const double below =
        hypot(hypot(RECOUNT * (counts[0] - fmin(counts[0], counts[1])), packing), edge);
    const double above = hypot(hypot(RECOUNT * (fmax(counts[0], counts[2]) - counts[0]), packing),
                               hypot(fmax(edge, 0.5), HIDDEN * hidden));
    set_interval(out, view, t, below, above);
    return TALLY_OK;
}

static void count_area(const tally_yard_view *view, const tallied *t, tally_yard_answer *out)
{
    /* the lower the sun, the more of what is dark is shadow */
    const double sun = view->angles.sun_elevation;
    const double cot = sun > 1 ? 1 / tan(sun * 3.14159265358979323846 / 180) : 1;
    const double boxes = fmax(0, 1 - DARK_SHADOW * cot);
    const double slots = t->area_m2 / COARSE_M2 + boxes * t->dark_m2 / DARK_M2;

    out->row.extent = tally_round_to(slots * SLOT_M2, 10);
    if (view->gsd_m > GSD_AREA || view->scene->bands < 3) return;
    out->row.count = llround(slots);
    const double error = hypot(COARSE_SPREAD * slots, 1.0 + 0.02 * (double)t->zone * view->gsd_m *
                                                                view->gsd_m / PACKED_M2);
    set_interval(out, view, t, error, error);
}

static void describe(const tally_yard_view *view, const tallied *t, tally_zone_count *row)
{
    if (row->quality == TALLY_QUALITY_UNSEEN) return;
    row->occupancy = tally_round_to(
        fmin(1, row->extent / fmax(1e-9, (double)t->seen * view->gsd_m * view->gsd_m)), 1000);
    if (view->scene->bands < 3)
        snprintf(row->reason, sizeof row->reason,
                 "slots need three optical bands or more, this family has %d", view->scene->bands);
    else if (view->gsd_m > GSD_AREA)
        snprintf(row->reason, sizeof row->reason,
                 "a slot is half a pixel wide at %.1f m: only the area is given", view->gsd_m);
    else if (view->snow)
        snprintf(row->reason, sizeof row->reason, "snow: boxes and pad look alike");
    else if (!view->pad)
        snprintf(row->reason, sizeof row->reason, "no background: judged within the image");
    else if (t->never * 2 > t->seen)
        snprintf(row->reason, sizeof row->reason, "most of the yard was never seen empty");
}

/* Boxes in all tiers, for the whole yard as the interval is. In snow neither roofs nor shadows are
 * to be trusted. */
static tally_status count_boxes(const tally_yard_view *view, const tally_patch *ratio,
                                const tally_patch *distance, const tally_bits *seen,
                                tally_yard_answer *out, tally_error *err)
{
    tally_yard_heights heights = { 0 };
    double share, sigma;
    tally_status s = TALLY_OK;

    if (out->row.count == TALLY_NO_COUNT) return TALLY_OK;
    tally_yard_boxes_per_slot(view->snow || view->gsd_m > GSD_GAPS ? NULL : ratio, &out->slots,
                              view->gsd_m, &share, &sigma);
    if (!view->snow)
        s = tally_yard_measure_heights(distance, seen, &out->slots, &view->angles, view->gsd_m,
                                       THRESHOLD, &heights, err);
    if (s == TALLY_OK)
        out->row.boxes = tally_yard_count_boxes(out->row.estimate, out->row.low, out->row.high,
                                                share, sigma, &heights);
    tally_yard_heights_fini(&heights);
    return s;
}

/* What the pad's level should be, logarithms; NULL in snow, which is another ground. */
static const float *expected_of(const tally_yard_view *view, float room[8])
{
    if (!view->level || view->snow) return NULL;
    for (int b = 0; b < view->scene->bands; b++)
        room[b] = logf(fmaxf(view->level[b], 1e-6f));
    return room;
}

tally_status tally_yard_measure(const tally_kernels *k, const tally_yard_view *view,
                                tally_yard_answer *out, tally_error *err)
{
    tally_bits near = { 0 }, seen = { 0 };
    tally_patch ratio = { 0 }, distance = { 0 };
    tally_yard_light light;
    float room[8];
    bool hidden;
    tally_status s;

    *out = (tally_yard_answer) { .row = tally_zone_blank(0, TALLY_QUALITY_UNSEEN, "") };
    if ((s = tally_yard_near(k, view->zone, view->gsd_m, &near, err)) != TALLY_OK) goto out;
    if ((s = tally_yard_ratio(view->scene, view->pad, expected_of(view, room), view->zone, &near,
                              view->gsd_m, &light, &ratio, err)) != TALLY_OK)
        goto out;
    if ((s = tally_yard_shade(&ratio, &near, &light, err)) != TALLY_OK) goto out;
    if ((s = distances(&ratio, &light, &distance, err)) != TALLY_OK) goto out;
    if (view->pad && !view->snow && view->gsd_m <= GSD_SLOTS &&
        (s = add_grey(k, view, &ratio, &distance, err)) != TALLY_OK)
        goto out;
    if ((s = tally_bits_init(&seen, ratio.width, ratio.height, err)) != TALLY_OK) goto out;
    if ((s = covered(view, &light, &hidden, err)) != TALLY_OK) goto out;
    if (light.found && !hidden)
        memcpy(seen.bits, ratio.valid.bits, seen.words * (size_t)ratio.height * sizeof *seen.bits);
    if (!view->snow && (s = drop_clouds(k, view, &ratio, &seen, err)) != TALLY_OK) goto out;

    const tallied t = tally_pixels(view, &ratio, &distance, &seen);
    out->row.seen = t.zone ? tally_round_to((double)t.seen / (double)t.zone, 1000) : 0;
    out->row.quality = tally_quality_of(out->row.seen);
    if (out->row.quality == TALLY_QUALITY_UNSEEN) {
        snprintf(out->row.reason, sizeof out->row.reason, "%s",
                 light.found ? "cloud or haze over the yard" : "no usable pixel over the yard");
        goto out;
    }
    if (view->gsd_m <= GSD_SLOTS && view->scene->bands >= 3)
        s = count_slots(k, view, &distance, &seen, &t, out, err);
    else
        count_area(view, &t, out);
    if (s == TALLY_OK && out->row.count == TALLY_NO_COUNT) out->row.quality = TALLY_QUALITY_REFUSED;
    if (s == TALLY_OK) describe(view, &t, &out->row);
    if (s == TALLY_OK) s = count_boxes(view, &ratio, &distance, &seen, out, err);
out:
    tally_bits_fini(&seen);
    tally_patch_fini(&distance);
    tally_patch_fini(&ratio);
    tally_bits_fini(&near);
    if (s != TALLY_OK) tally_yard_answer_fini(out);
    return s;
}

void tally_yard_answer_fini(tally_yard_answer *answer)
{
    tally_yard_slots_fini(&answer->slots);
}
