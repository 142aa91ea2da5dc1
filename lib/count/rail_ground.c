/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Bare ground of neighbouring tracks at pixels over 1.5 m (docs/methods/coarse.md).
 *
 * Scenes are brought to one brightness by the ground away from the tracks. Empty cross-sections
 * resemble each other at every place and date, on all tracks of a unit, and wagons do not: the
 * profile of bare track is the half-sample mode (Bickel and Fruehwirth 2006,
 * doi:10.1016/j.csda.2005.07.011), by distance from the centre line, over all of them. A pixel
 * begins as that of its dates (or the profile) which most dates and the profile agree with. Then,
 * in rounds: fit all scenes (rail_joint.c), take from each pixel the dates on which nothing covers
 * or shades it, and their median, drawn towards the track's own profile as if that were a quarter
 * of a date. Where no date shows it bare the profile stands in, and is trusted less.
 *
 * Known failure: a train that stands at one place on every date and is as long as the track.
 */
#include "count/rail_joint.h"

#include <math.h>

enum { BINS = 9, ROUNDS = 3, K = TALLY_TRACKS_A_UNIT };
static const double BIN_M = 0.75;
static const double PROFILE_SD = 0.15, DATE_SD = 0.08; /* of the level */
static const double PROFILE_DATES = 0.5;               /* of all dates: what the profile weighs */
static const double BESIDE = 0.6; /* quantile of ground beside: shadows darken a part of it */
static const double CLEAN = 0.12; /* of a pixel may be covered */
/* Each date that shows something there makes those that do not more doubtful: it may be there on
 * all of them. */
static const double PROFILE_DATE = 0.25, COVERED_DATE = 1, PROFILE_PIXELS = 10;
static const double DOUBT_BESIDE = 2, DOUBT_UNSEEN = 4, DOUBT_DATES = 0.7;

typedef struct lesson {
    const tally_rail_frame *f;
    tally_rail_look *looks;
    tally_rail_belief *beliefs;
    size_t k;
    tally_rail_ground *g;
    float *room;
    float pool[TALLY_RAIL_BANDS][BINS], own[K][TALLY_RAIL_BANDS][BINS];
} lesson;

/* Of the profile; -1: the pixel is too far from its track. */
static int bin_of(const tally_rail_pixel *p)
{
    int bin = (int)floor(p->off_m / BIN_M + BINS / 2.0);
    return bin < 0 || bin >= BINS ? -1 : bin;
}

static float pixel_of(const lesson *l, size_t date, int band, int o)
{
    const tally_rail_pixel *p = &l->f->pixels[o];
    return (float)(tally_patch_row(l->looks[date].patch, band, p->y)[p->x] *
                   l->looks[date].scale[band]);
}

/* The light of each scene is that of the middle one, on ground away from the tracks. */
static void level_scenes(lesson *l, float *medians)
{
    for (int b = 0; b < l->g->bands; b++) {
        size_t known = 0;
        for (size_t d = 0; d < l->k; d++) {
            size_t n = 0;
            for (int o = 0; o < l->f->n_pixels; o++)
                if (!l->looks[d].hidden[o] && fabsf(l->f->pixels[o].off_m) > TALLY_RAIL_APART_M)
                    l->room[n++] = pixel_of(l, d, b, o);
            double middle = n ? tally_median(l->room, n) : 0;
            l->looks[d].scale[b] = middle > 0 ? 1 / middle : 1;
            if (middle > 0) medians[known++] = (float)middle;
        }
        double usual = known ? tally_median(medians, known) : 1;
        for (size_t d = 0; d < l->k; d++)
            if (l->looks[d].scale[b] != 1) l->looks[d].scale[b] *= usual;
    }
}

static double half_sample_mode(float *v, size_t n)
{
    tally_sort(v, n);
    while (n > 3) {
        size_t half = (n + 1) / 2, best = 0;
        for (size_t i = 1; i + half <= n; i++)
            if (v[i + half - 1] - v[i] < v[best + half - 1] - v[best]) best = i;
        v += best;
        n = half;
    }
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += v[i];
    return n ? sum / (double)n : 0;
}

static void find_profile(lesson *l)
{
    for (int bin = 0; bin < BINS; bin++)
        for (int b = 0; b < l->g->bands; b++) {
            size_t n = 0;
            for (int o = 0; o < l->f->n_pixels; o++)
                for (size_t d = 0; bin_of(&l->f->pixels[o]) == bin && d < l->k; d++)
                    if (!l->looks[d].hidden[o]) l->room[n++] = pixel_of(l, d, b, o);
            l->pool[b][bin] = (float)half_sample_mode(l->room, n);
        }
}

/* How well a level agrees with the profile and with the dates. */
static double agreement(const lesson *l, int bin, int o, const double *level)
{
    double away = 0, sum;
    for (int b = 0; b < l->g->bands; b++)
        away += pow((level[b] / l->pool[b][bin] - 1) / PROFILE_SD, 2) / l->g->bands;
    sum = PROFILE_DATES * (double)l->k * exp(-0.5 * away);
    for (size_t d = 0; d < l->k; d++) {
        if (l->looks[d].hidden[o]) continue;
        away = 0;
        for (int b = 0; b < l->g->bands; b++)
            away += pow((pixel_of(l, d, b, o) / level[b] - 1) / DATE_SD, 2) / l->g->bands;
        sum += exp(-0.5 * away);
    }
    return sum;
}

static void start_on_track(lesson *l, int bin, int o)
{
    double best = -1, level[TALLY_RAIL_BANDS];
    for (size_t d = 0; d <= l->k; d++) { /* the last: the profile itself */
        bool usable = d == l->k || !l->looks[d].hidden[o];
        for (int b = 0; b < l->g->bands && usable; b++) {
            level[b] = d < l->k ? pixel_of(l, d, b, o) : l->pool[b][bin];
            usable = level[b] > 0;
        }
        double agrees = usable ? agreement(l, bin, o, level) : -1;
        if (!(agrees > best)) continue;
        best = agrees;
        for (int b = 0; b < l->g->bands; b++)
            l->g->level[b * l->g->n + o] = (float)level[b];
    }
}

static void start(lesson *l)
{
    for (int o = 0; o < l->f->n_pixels; o++) {
        int bin = bin_of(&l->f->pixels[o]);
        bool on_track = bin >= 0;
        for (int b = 0; b < l->g->bands; b++) {
            size_t n = 0;
            l->g->level[b * l->g->n + o] = 1;
            on_track = on_track && l->pool[b][bin] > 0;
            for (size_t d = 0; d < l->k; d++)
                if (!l->looks[d].hidden[o]) l->room[n++] = pixel_of(l, d, b, o);
            if (n) l->g->level[b * l->g->n + o] = fmaxf(tally_quantile(l->room, n, BESIDE), 1e-6f);
        }
        l->g->doubt[o] = on_track ? 1 : (float)DOUBT_BESIDE;
        if (on_track) start_on_track(l, bin, o);
    }
}

/* The values of the dates on which nothing covers a pixel, in full light. */
static size_t clean_values(const lesson *l, int slice, int band, int o, float *out)
{
    size_t n = 0;
    for (size_t d = 0; d < l->k; d++)
        if (!l->looks[d].hidden[o] && l->beliefs[d].covered[o] < CLEAN)
            out[n++] =
                pixel_of(l, d, band, o) / (1 + l->looks[d].light[band * l->f->slices + slice]);
    return n;
}

/* The dates on which something covers or shades a pixel. */
static double covered_dates(const lesson *l, int o)
{
    double n = 0;
    for (size_t d = 0; d < l->k; d++)
        n += !l->looks[d].hidden[o] && l->beliefs[d].covered[o] >= CLEAN;
    return n;
}

static void find_own_profiles(lesson *l)
{
    for (size_t i = 0; i < l->f->n; i++)
        for (int bin = 0; bin < BINS; bin++)
            for (int b = 0; b < l->g->bands; b++) {
                size_t n = 0;
                for (int s = 0; s < l->f->slices; s++)
                    for (int o = l->f->first[s]; o < l->f->first[s + 1]; o++)
                        if (l->f->pixels[o].nearest == (int)i && bin_of(&l->f->pixels[o]) == bin)
                            n += clean_values(l, s, b, o, l->room + n);
                double own = n ? tally_median(l->room, n) : 0, weight = (double)n;
                l->own[i][b][bin] = (float)((weight * own + PROFILE_PIXELS * l->pool[b][bin]) /
                                            (weight + PROFILE_PIXELS));
            }
}

static void learn_pixels(lesson *l)
{
    for (int s = 0; s < l->f->slices; s++)
        for (int o = l->f->first[s]; o < l->f->first[s + 1]; o++) {
            const tally_rail_pixel *p = &l->f->pixels[o];
            int bin = bin_of(p);
            bool on_track = bin >= 0 && l->pool[0][bin] > 0;
            double dates = 0;
            for (int b = 0; b < l->g->bands; b++) {
                float *level = &l->g->level[b * l->g->n + o];
                dates = (double)clean_values(l, s, b, o, l->room);
                double seen = dates > 0 ? tally_median(l->room, (size_t)dates) : 0,
                       weight = on_track ? PROFILE_DATE + COVERED_DATE * covered_dates(l, o) : 1e-3,
                       usual = on_track ? l->own[p->nearest][b][bin] : *level;
                *level = (float)fmax((dates * seen + weight * usual) / (dates + weight), 1e-6);
            }
            l->g->doubt[o] = (float)((on_track ? 1 : DOUBT_BESIDE) *
                                     (dates > 0 ? 1 + DOUBT_DATES / dates : DOUBT_UNSEEN));
        }
}

tally_status tally_rail_joint_learn(const tally_rail_frame *frame, tally_rail_look *looks,
                                    tally_rail_belief *beliefs, size_t k, tally_rail_ground *ground,
                                    tally_error *err)
{
    tally_status s = TALLY_OK;
    lesson *l = tally_alloc(1, sizeof *l);
    float *room = tally_alloc((size_t)frame->n_pixels * k, sizeof *room),
          *medians = tally_alloc(k, sizeof *medians);
    if (!l || !room || !medians) {
        s = tally_nomem(err, "a unit's ground");
        goto out;
    }
    *l = (lesson) { frame, looks, beliefs, k, ground, room, { { 0 } }, { { { 0 } } } };
    level_scenes(l, medians);
    find_profile(l);
    start(l);
    for (int round = 0; round < ROUNDS && s == TALLY_OK; round++) {
        for (size_t d = 0; d < k && s == TALLY_OK; d++)
            s = tally_rail_joint_fit(frame, ground, &looks[d], &beliefs[d], err);
        if (s != TALLY_OK) break;
        find_own_profiles(l);
        learn_pixels(l);
    }
out:
    tally_free(l);
    tally_free(room);
    tally_free(medians);
    return s;
}
