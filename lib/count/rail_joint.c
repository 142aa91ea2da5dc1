/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * One scene of a unit whose ground is known (docs/methods/coarse.md).
 *
 * Light, from the outside in: of the scene, from all ground 4 m and more from any track; of the
 * place, from the same within 40 m along; what is left, from the best patterns of the slices
 * within 40 m; and at last each slice is granted a few percent of its own. Noise begins large and
 * becomes what the best patterns leave over, so that a scene in odd light is trusted less and no
 * pattern is settled on too early.
 *
 * Along the tracks: a chain of patterns in which each track changes by itself (a factorial hidden
 * Markov model: Ghahramani and Jordan 1997, doi:10.1023/A:1007425814087). With eight tracks its 256
 * states are few enough to sum over exactly, forward and backward; draws from all that is left
 * possible give the spread of a count. Likelihoods are raised to the power of 0.6, for neighbouring
 * slices share pixels' blur and one wagon.
 */
#include "count/rail_joint.h"

#include <math.h>
#include <string.h>

static const double FIRST_NOISE = 0.15, MOST_NOISE = 0.3, NOISE_UP = 1.2;
/* Of the usual: a scene may be quieter. At 1 trains a fifth darker than ballast are missed, at 0.6
 * what the model leaves over becomes wagons. */
static const double LEAST_NOISE = 0.7;
static const double QUIETER = 0.3, QUIETER_SIZE = 0.3853; /* a quantile of left-overs, and what it
                                                             is of a normal number's deviation */
static const double LIGHT_M = 40, FIRST_LIGHT_SD = 0.15, LAST_LIGHT_SD = 0.05;
static const double DARKEST = 0.2, BRIGHTEST = 4; /* light of a place, of the scene's */
static const double LIT = 0.55; /* quantile: shadows darken a part of the ground */
/* Over the ground, in the scene's light: white wagons come to 1.2 at 3 m, cloud to 3. */
static const double CLOUD = 2;
/* So many such pixels within so many rows and columns are a cloud, or a large one, which thins out
 * farther; fewer are a white roof. */
static const int RIM_PX = 2, RIM_PIXELS = 3, VEIL_PX = 7, VEIL_PIXELS = 40;
static const double TRUST = 0.8;
static const double COME = 0.02, GO = 0.04; /* a slice: cuts of 100 m, 250 m apart */
enum { PASSES = 3, LEAST_GROUND = 20, PATTERNS = TALLY_RAIL_PATTERNS };

tally_status tally_rail_belief_init(const tally_rail_frame *f, bool draws, tally_rail_belief *out,
                                    tally_error *err)
{
    *out = (tally_rail_belief) {
        .occupied = tally_alloc(f->n * (size_t)f->slices, sizeof *out->occupied),
        .covered = tally_alloc((size_t)f->n_pixels, sizeof *out->covered),
        .draws = draws ? tally_alloc(TALLY_RAIL_DRAWS, (size_t)f->slices) : NULL
    };
    if (out->occupied && out->covered && (!draws || out->draws)) return TALLY_OK;
    tally_rail_belief_fini(out);
    return tally_nomem(err, "a unit's tracks");
}

void tally_rail_belief_fini(tally_rail_belief *b)
{
    tally_free(b->occupied);
    tally_free(b->covered);
    tally_free(b->draws);
    *b = (tally_rail_belief) { 0 };
}

tally_status tally_rail_look_init(const tally_rail_frame *f, const tally_patch *patch,
                                  tally_rail_look *out, tally_error *err)
{
    out->patch = patch;
    out->light = tally_alloc((size_t)patch->bands * (size_t)f->slices, sizeof *out->light);
    out->uneven = tally_alloc((size_t)f->slices, sizeof *out->uneven);
    out->hidden = tally_alloc((size_t)f->n_pixels, sizeof *out->hidden);
    if (!out->light || !out->uneven || !out->hidden) {
        tally_rail_look_fini(out);
        return tally_nomem(err, "a unit's light");
    }
    for (int b = 0; b < patch->bands; b++)
        out->scale[b] = 1;
    for (int o = 0; o < f->n_pixels; o++)
        out->hidden[o] = !tally_bits_get(&patch->valid, f->pixels[o].x, f->pixels[o].y);
    return TALLY_OK;
}

void tally_rail_look_fini(tally_rail_look *look)
{
    tally_free(look->light);
    tally_free(look->hidden);
    tally_free(look->uneven);
    look->light = look->uneven = NULL;
    look->hidden = NULL;
}

bool tally_rail_joint_sees(const tally_rail_frame *f, const tally_rail_look *look, size_t track,
                           int slice)
{
    double at = tally_rail_frame_track(f, track, slice), near = fmax(2, 0.75 * f->gsd_m);
    for (int o = f->first[slice]; o < f->first[slice + 1]; o++)
        if (!look->hidden[o] && fabs(f->pixels[o].across_m - at) <= near) return true;
    return false;
}

/* A pixel in the scene's light, of its bare ground. */
static float of_ground(const tally_rail_frame *f, const tally_rail_ground *g,
                       const tally_rail_look *look, int band, int o)
{
    const tally_rail_pixel *p = &f->pixels[o];
    return (float)(tally_patch_row(look->patch, band, p->y)[p->x] * look->scale[band] /
                   g->level[band * g->n + o]);
}

static void scene_light(const tally_rail_frame *f, const tally_rail_ground *g,
                        tally_rail_look *look, float *room)
{
    for (int b = 0; b < g->bands; b++) {
        size_t n = 0;
        look->scale[b] = 1;
        for (int o = 0; o < f->n_pixels; o++)
            if (!look->hidden[o] && fabsf(f->pixels[o].off_m) > TALLY_RAIL_APART_M)
                room[n++] = of_ground(f, g, look, b, o);
        if (n >= LEAST_GROUND) look->scale[b] = 1 / fmax(tally_median(room, n), 0.05);
    }
}

/* How many pixels within so many rows and columns are flagged. */
static int bright_near(const tally_rail_frame *f, const uint8_t *flags, const tally_rail_pixel *p,
                       int reach)
{
    const int width = tally_box_width(f->box), height = tally_box_height(f->box);
    int n = 0;
    for (int y = p->y - reach; y <= p->y + reach; y++)
        for (int x = p->x - reach; x <= p->x + reach; x++)
            if (x >= 0 && y >= 0 && x < width && y < height) n += flags[y * width + x];
    return n;
}

/* Cloud that no mask knows, and its rim. flags: one a pixel of the box. */
static void hide_cloud(const tally_rail_frame *f, const tally_rail_ground *g, tally_rail_look *look,
                       uint8_t *flags)
{
    const int width = tally_box_width(f->box), height = tally_box_height(f->box);
    memset(flags, 0, (size_t)width * (size_t)height);
    for (int o = 0; o < f->n_pixels; o++) {
        const tally_rail_pixel *p = &f->pixels[o];
        double bright = 0;
        look->hidden[o] = !tally_bits_get(&look->patch->valid, p->x, p->y);
        for (int b = 0; b < g->bands && !look->hidden[o]; b++)
            bright += of_ground(f, g, look, b, o) / g->bands;
        flags[p->y * width + p->x] = bright > 1 + CLOUD;
    }
    for (int o = 0; o < f->n_pixels; o++) {
        const tally_rail_pixel *p = &f->pixels[o];
        look->hidden[o] |= bright_near(f, flags, p, RIM_PX) >= RIM_PIXELS ||
                           bright_near(f, flags, p, VEIL_PX) >= VEIL_PIXELS;
    }
}

static void place_light(const tally_rail_frame *f, const tally_rail_ground *g,
                        tally_rail_look *look, float *room)
{
    const int half = (int)(LIGHT_M / f->gsd_m);
    for (int b = 0; b < g->bands; b++)
        for (int s = 0; s < f->slices; s++) {
            size_t n = 0;
            int from = s > half ? s - half : 0,
                to = s + half + 1 < f->slices ? s + half + 1 : f->slices;
            for (int o = f->first[from]; o < f->first[to]; o++)
                if (!look->hidden[o] && fabsf(f->pixels[o].off_m) > TALLY_RAIL_APART_M)
                    room[n++] = of_ground(f, g, look, b, o);
            look->light[b * f->slices + s] =
                n >= LEAST_GROUND
                    ? (float)tally_clamp(tally_quantile(room, n, LIT), DARKEST, BRIGHTEST) - 1
                    : 0;
        }
}

/* Light is as sure as it is even: half of its range within reach, mean of bands. */
static void find_uneven(const tally_rail_frame *f, int bands, tally_rail_look *look)
{
    const int half = (int)(LIGHT_M / f->gsd_m);
    for (int s = 0; s < f->slices; s++) {
        double range = 0;
        for (int b = 0; b < bands; b++) {
            float low = INFINITY, high = -INFINITY;
            for (int k = s - half; k <= s + half; k++) {
                if (k < 0 || k >= f->slices) continue;
                low = fminf(low, look->light[b * f->slices + k]);
                high = fmaxf(high, look->light[b * f->slices + k]);
            }
            range += (high - low) / (2 * bands);
        }
        look->uneven[s] = (float)range;
    }
}

/* What the best patterns left of the light, smoothed along; and the noise that they left over. */
static void learn_light(const tally_rail_frame *f, const tally_rail_slice_fit *fits, int bands,
                        float *room, float *light)
{
    const int half = (int)(LIGHT_M / f->gsd_m);
    for (int b = 0; b < bands; b++) {
        float *row = light + b * f->slices;
        for (int s = 0; s < f->slices; s++) {
            size_t n = 0;
            for (int k = s - half; k <= s + half; k++)
                if (k >= 0 && k < f->slices && fits[k].any)
                    room[n++] = (float)((1 + fits[k].light[b]) * (1 + row[k]));
            room[f->slices + s] = n ? tally_median(room, n) : 1 + row[s];
        }
        for (int s = 0; s < f->slices; s++)
            row[s] = (float)tally_clamp(room[f->slices + s], DARKEST, BRIGHTEST) - 1;
    }
}

/* The noise that the best patterns left over, on the tracks or beside them, whichever is less:
 * trains leave more than ground does, and what grows beside the tracks changes with the season. */
static void learn_noise(const tally_rail_frame *f, const float *left_over, int bands, float *room,
                        double *noise)
{
    for (int m = 0; m < bands; m++) {
        double least = MOST_NOISE;
        for (int beside = 0; beside < 2; beside++) {
            size_t n = 0;
            for (int o = 0; o < f->n_pixels; o++) {
                float left = fabsf(left_over[m * f->n_pixels + o]);
                if (isfinite(left) && (fabsf(f->pixels[o].off_m) > TALLY_RAIL_APART_M) == beside)
                    room[n++] = left;
            }
            if (n >= LEAST_GROUND)
                least = fmin(least, NOISE_UP * tally_quantile(room, n, QUIETER) / QUIETER_SIZE);
        }
        noise[m] = fmax(least, LEAST_NOISE * tally_rail_usual_noise(m));
    }
}

/* ---- along ---- */

typedef struct chain {
    const tally_rail_frame *f;
    unsigned *mask;  /* per slice */
    double *says;    /* slices x PATTERNS: log likelihoods, then likelihoods of the best's */
    double *forward; /* the same, with all before */
} chain;

static void normalise(double *p)
{
    double sum = 0;
    for (int k = 0; k < PATTERNS; k++)
        sum += p[k];
    for (int k = 0; k < PATTERNS; k++)
        p[k] /= sum;
}

/* One track from a slice to the next; it may begin or end between them. */
static void pass_on(double *p, unsigned bit, bool was, bool is)
{
    const double usual = COME / (COME + GO);
    for (unsigned k = 0; k < PATTERNS; k++) {
        if (k & bit) continue;
        double bare = p[k], full = p[k | bit];
        if (was && is) {
            p[k] = bare * (1 - COME) + full * GO;
            p[k | bit] = bare * COME + full * (1 - GO);
        } else if (is) {
            p[k] = bare * (1 - usual);
            p[k | bit] = bare * usual;
        } else if (was) {
            p[k] = bare + full;
            p[k | bit] = 0;
        }
    }
}

/* The same backward: what comes after, as a slice before it sees it. */
static void pass_back(double *p, unsigned bit, bool was, bool is)
{
    const double usual = COME / (COME + GO);
    for (unsigned k = 0; k < PATTERNS; k++) {
        if (k & bit) continue;
        double bare = p[k], full = p[k | bit];
        if (was && is) {
            p[k] = bare * (1 - COME) + full * COME;
            p[k | bit] = bare * GO + full * (1 - GO);
        } else if (is) {
            p[k] = bare * (1 - usual) + full * usual;
            p[k | bit] = 0;
        } else if (was) {
            p[k | bit] = bare;
        }
    }
}

static void go_forward(chain *c)
{
    double p[PATTERNS] = { 1 };
    unsigned was = 0;
    for (int s = 0; s < c->f->slices; s++) {
        double *says = c->says + (size_t)s * PATTERNS, most = -INFINITY;
        for (int k = 0; k < PATTERNS; k++)
            most = fmax(most, says[k]);
        for (int k = 0; k < PATTERNS; k++)
            says[k] = isfinite(says[k]) ? exp(fmax(TRUST * (says[k] - most), -600)) : 0;
        for (size_t i = 0; i < c->f->n; i++)
            pass_on(p, 1u << i, was >> i & 1, c->mask[s] >> i & 1);
        for (int k = 0; k < PATTERNS; k++)
            p[k] *= says[k];
        normalise(p);
        memcpy(c->forward + (size_t)s * PATTERNS, p, sizeof p);
        was = c->mask[s];
    }
}

static void go_backward(const chain *c, float *occupied)
{
    double p[PATTERNS];
    const int slices = c->f->slices;
    for (int k = 0; k < PATTERNS; k++)
        p[k] = 1;
    for (int s = slices - 1; s >= 0; s--) {
        const double *forward = c->forward + (size_t)s * PATTERNS,
                     *says = c->says + (size_t)s * PATTERNS;
        double sum = 0, with[TALLY_TRACKS_A_UNIT] = { 0 };
        for (unsigned k = 0; k < PATTERNS; k++) {
            double both = forward[k] * p[k];
            sum += both;
            for (size_t i = 0; i < c->f->n; i++)
                with[i] += k >> i & 1 ? both : 0;
        }
        for (size_t i = 0; i < c->f->n; i++)
            occupied[i * (size_t)slices + (size_t)s] = (float)(with[i] / sum);
        if (s == 0) break;
        for (int k = 0; k < PATTERNS; k++)
            p[k] *= says[k];
        for (size_t i = 0; i < c->f->n; i++)
            pass_back(p, 1u << i, c->mask[s - 1] >> i & 1, c->mask[s] >> i & 1);
        normalise(p);
    }
}

/* How likely the step from one pattern to the next is, of the tracks in both slices. */
static double step(const tally_rail_frame *f, unsigned both, unsigned from, unsigned to)
{
    double p = 1;
    for (size_t i = 0; i < f->n; i++) {
        if (!(both >> i & 1)) continue;
        bool a = from >> i & 1, b = to >> i & 1;
        p *= a ? (b ? 1 - GO : GO) : (b ? COME : 1 - COME);
    }
    return p;
}

/* From the end back, each pattern given the one after it. */
static void draw(const chain *c, uint8_t *draws)
{
    for (int d = 0; d < TALLY_RAIL_DRAWS; d++) {
        tally_rng rng = { .state = 7919u + (uint64_t)d };
        unsigned after = 0, mask = 0;
        for (int s = c->f->slices - 1; s >= 0; s--) {
            const double *forward = c->forward + (size_t)s * PATTERNS;
            double p[PATTERNS], sum = 0;
            for (unsigned k = 0; k < PATTERNS; k++)
                sum += p[k] =
                    forward[k] > 0 ? forward[k] * step(c->f, c->mask[s] & mask, k, after) : 0;
            double at = tally_rng_uniform(&rng) * sum;
            unsigned k = 0;
            while (k + 1 < PATTERNS && at >= p[k])
                at -= p[k++];
            draws[(size_t)d * (size_t)c->f->slices + (size_t)s] = (uint8_t)k;
            after = k;
            mask = c->mask[s];
        }
    }
}

/* Wagons, their shadows and their leaning sides, with a slice's margin along. */
static void find_covered(const tally_rail_frame *f, const tally_rail_look *look,
                         const float *occupied, float *covered)
{
    const double half = TALLY_RAIL_HALF_WAGON_M;
    const int margin = 2;
    for (int s = 0; s < f->slices; s++) {
        const tally_point *r = &f->right[s];
        double shadow = look->sun ? (look->shadow.x * r->x + look->shadow.y * r->y) * f->gsd_m : 0,
               lean = (look->lean.x * r->x + look->lean.y * r->y) * f->gsd_m;
        double left = half - fmin(0, fmin(shadow, lean)),
               right = half + fmax(0, fmax(shadow, lean));
        for (int o = f->first[s]; o < f->first[s + 1]; o++)
            covered[o] = 0;
        for (size_t i = 0; i < f->n; i++) {
            double at = tally_rail_frame_track(f, i, s), most = 0;
            if (isnan(at)) continue;
            for (int k = s - margin; k <= s + margin; k++)
                if (k >= 0 && k < f->slices)
                    most = fmax(most, occupied[i * (size_t)f->slices + (size_t)k]);
            for (int o = f->first[s]; o < f->first[s + 1]; o++)
                covered[o] += (float)(most * tally_rail_share(f, at - left, at + right,
                                                              f->pixels[o].across_m));
        }
    }
}

typedef struct workroom {
    chain c;
    tally_rail_slice_fit *fits;
    float *left_over, *room;
    uint8_t *flags;
} workroom;

static tally_status workroom_init(const tally_rail_frame *f, int bands, workroom *w,
                                  tally_error *err)
{
    size_t slices = (size_t)f->slices, pixels = (size_t)f->n_pixels;
    size_t box = (size_t)tally_box_width(f->box) * (size_t)tally_box_height(f->box);
    *w = (workroom) { .c = { .f = f,
                             .mask = tally_alloc(slices, sizeof(unsigned)),
                             .says = tally_alloc(slices, PATTERNS * sizeof(double)),
                             .forward = tally_alloc(slices, PATTERNS * sizeof(double)) },
                      .fits = tally_alloc(slices, sizeof *w->fits),
                      .left_over = tally_alloc(pixels * (size_t)bands, sizeof(float)),
                      .room = tally_alloc(pixels + 2 * slices, sizeof(float)),
                      .flags = tally_alloc(box, 1) };
    if (w->c.mask && w->c.says && w->c.forward && w->fits && w->left_over && w->room && w->flags)
        return TALLY_OK;
    return tally_nomem(err, "a unit's tracks");
}

static void workroom_fini(workroom *w)
{
    tally_free(w->c.mask);
    tally_free(w->c.says);
    tally_free(w->c.forward);
    tally_free(w->fits);
    tally_free(w->left_over);
    tally_free(w->room);
    tally_free(w->flags);
}

static void fit_slices(const tally_rail_ground *g, const tally_rail_look *look, workroom *w)
{
    const tally_rail_frame *f = w->c.f;
    for (int k = 0; k < g->bands * f->n_pixels; k++)
        w->left_over[k] = NAN;
    for (int s = 0; s < f->slices; s++) {
        w->c.mask[s] = tally_rail_frame_mask(f, s);
        tally_rail_slice_odds(f, g, look, s, w->c.says + (size_t)s * PATTERNS, &w->fits[s],
                              w->left_over);
    }
}

tally_status tally_rail_joint_fit(const tally_rail_frame *f, const tally_rail_ground *g,
                                  tally_rail_look *look, tally_rail_belief *out, tally_error *err)
{
    workroom w;
    tally_status s = workroom_init(f, g->bands, &w, err);
    if (s == TALLY_OK) {
        scene_light(f, g, look, w.room);
        hide_cloud(f, g, look, w.flags);
        place_light(f, g, look, w.room);
        for (int m = 0; m < g->bands; m++)
            look->noise[m] = FIRST_NOISE * tally_rail_usual_noise(m) / tally_rail_usual_noise(0);
        for (int pass = 0; pass < PASSES; pass++) {
            look->light_sd = pass + 1 < PASSES ? FIRST_LIGHT_SD : LAST_LIGHT_SD;
            find_uneven(f, g->bands, look);
            fit_slices(g, look, &w);
            if (pass + 1 == PASSES) break;
            learn_light(f, w.fits, g->bands, w.room, look->light);
            learn_noise(f, w.left_over, g->bands, w.room, look->noise);
        }
        go_forward(&w.c);
        go_backward(&w.c, out->occupied);
        if (out->draws) draw(&w.c, out->draws);
        find_covered(f, look, out->occupied, out->covered);
    }
    workroom_fini(&w);
    return s;
}
