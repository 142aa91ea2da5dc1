/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Neighbouring tracks solved together (docs/methods/coarse.md).
 *
 * At 3 m a wagon (3.1 m wide) fills two thirds of a pixel and spills into the next; its shadow
 * covers the track beside it. So no track can be judged alone. For each pattern of wagons on the k
 * tracks of a slice, what a pixel shows, of bare ground there, is
 *
 *     1 + light + sum_i body_i (a_i) + shadow (s) + noise
 *
 * body_i and shadow: the shares of the pixel that wagon i covers and that lie in the pattern's
 * shadow, the sensor's blur included (all wagons as high, so that the nearest occupied track
 * sunward decides what is shaded; no shadow on roofs). a_i is the wagon's brightness over the
 * ground's, unknown: normal, and so are the light that is left and the depth of the shade. They are
 * integrated out, as in Bayesian linear regression (Bishop 2006, Pattern Recognition and Machine
 * Learning, 3.3), which leaves the likelihood of the pattern. A pattern with more wagons explains
 * more and is charged for it by the integral itself.
 *
 * Bands are taken as mixtures: their mean, and their differences (Helmert), nearly independent.
 *
 * Constants: wagons over ballast, of the drawn sets' and of DOMAIN.md's colours, are -0.9 (coal) to
 * +1.5 (white), mean -0.2; differences of bands 0.18. MODEL: what the model itself leaves over,
 * walls, couplers, loads, places a third of a metre off.
 */
#include "count/rail_slice.h"

#include <math.h>
#include <string.h>

enum { K = TALLY_TRACKS_A_UNIT, MOST_PIXELS = 96, UNKNOWNS = K + 3 };
static const double MEAN_NOISE = 0.06, DIFFERENCE_NOISE = 0.03;
static const double WAGON = -0.2, WAGON_SD = 0.32, WAGON_COLOUR_SD = 0.07;
static const double SHADE_SD = 0.2, SHADE_COLOUR_SD = 0.08;
static const double MODEL = 0.06;
static const double COLOUR_OF_LIGHT = 0.5; /* differences of bands vary half as much as light */
/* Light that changes along changes across, too: a tilt of so much in 10 m, where it is uneven. */
static const double UNEVEN = 0.05, TILT_M = 10;
static const double SHORT_SHADOW_M = 0.3, LEAST_SHADE = 0.05;
static const double WAGONS_APART_M = 2.9, NO_ROOM = 8; /* log odds against two in one place */
static const double BRIGHTEST = 3;

double tally_rail_usual_noise(int mixture)
{
    return mixture == 0 ? MEAN_NOISE : DIFFERENCE_NOISE;
}

tally_status tally_rail_ground_init(const tally_rail_frame *f, int bands, tally_rail_ground *out,
                                    tally_error *err)
{
    *out = (tally_rail_ground) { .bands = bands, .n = f->n_pixels };
    out->level = tally_alloc((size_t)bands * (size_t)f->n_pixels, sizeof *out->level);
    out->doubt = tally_alloc((size_t)f->n_pixels, sizeof *out->doubt);
    bool got = out->level && out->doubt;
    for (size_t i = 0; i < f->n; i++)
        got = (out->usual[i] = tally_alloc((size_t)f->tracks[i].n, sizeof(float))) && got;
    if (got) return TALLY_OK;
    tally_rail_ground_fini(out);
    return tally_nomem(err, "a unit's ground");
}

void tally_rail_ground_fini(tally_rail_ground *g)
{
    tally_free(g->level);
    tally_free(g->doubt);
    for (size_t i = 0; i < K; i++)
        tally_free(g->usual[i]);
    *g = (tally_rail_ground) { 0 };
}

static void mix(int bands, const double *v, double *out)
{
    double run = v[0], sum = 0;
    for (int b = 0; b < bands; b++)
        sum += v[b];
    out[0] = sum / bands;
    for (int j = 1; j < bands; run += v[j++])
        out[j] = (run - j * v[j]) / sqrt(j * (j + 1.0) * bands);
}

static void unmix(int bands, const double *m, double *out)
{
    for (int b = 0; b < bands; b++)
        out[b] = m[0];
    for (int j = 1; j < bands; j++) {
        double k = m[j] * sqrt(bands / (j * (j + 1.0)));
        for (int b = 0; b < j; b++)
            out[b] += k;
        out[j] -= j * k;
    }
}

/* What is known of a slice before any pattern is looked at. Tracks from left to right. */
typedef struct slice {
    int bands, n, k;
    int track[K];
    double at_m[K];
    double across_m, lean_m; /* of shadow and roof, to the right */
    double light_sd, uneven;
    int pixel[MOST_PIXELS];
    double seen[TALLY_RAIL_BANDS][MOST_PIXELS], doubt[MOST_PIXELS], right_m[MOST_PIXELS];
    double body[K][MOST_PIXELS];
    /* by cell (2 i + 1: the track's own strip, 2 i: the ground before it) and the track whose
     * wagon shades it */
    double shaded[2 * K + 1][K][MOST_PIXELS];
    double dark[TALLY_RAIL_BANDS];
} slice;

static void put_tracks(const tally_rail_frame *f, int at, slice *s)
{
    for (size_t i = 0; i < f->n; i++) {
        double m = tally_rail_frame_track(f, i, at);
        if (isnan(m)) continue;
        int k = s->k++;
        for (; k > 0 && s->at_m[k - 1] > m; k--) {
            s->at_m[k] = s->at_m[k - 1];
            s->track[k] = s->track[k - 1];
        }
        s->at_m[k] = m;
        s->track[k] = (int)i;
    }
}

static void put_pixels(const tally_rail_frame *f, const tally_rail_ground *g,
                       const tally_rail_look *look, int at, slice *s)
{
    for (int o = f->first[at]; o < f->first[at + 1] && s->n < MOST_PIXELS; o++) {
        const tally_rail_pixel *p = &f->pixels[o];
        if (look->hidden[o] || fabsf(p->off_m) > TALLY_RAIL_BESIDE_M) continue;
        double seen[TALLY_RAIL_BANDS], mixed[TALLY_RAIL_BANDS];
        for (int b = 0; b < s->bands; b++)
            seen[b] = tally_patch_row(look->patch, b, p->y)[p->x] * look->scale[b] /
                          (g->level[b * g->n + o] * (1 + look->light[b * f->slices + at])) -
                      1;
        mix(s->bands, seen, mixed);
        for (int b = 0; b < s->bands; b++)
            s->seen[b][s->n] = tally_clamp(mixed[b], -BRIGHTEST, BRIGHTEST);
        s->doubt[s->n] = g->doubt[o];
        s->right_m[s->n] = p->across_m;
        s->pixel[s->n++] = o;
    }
}

static void put_bodies(const tally_rail_frame *f, slice *s)
{
    for (int i = 0; i < s->k; i++)
        for (int o = 0; o < s->n; o++)
            s->body[i][o] =
                tally_rail_share(f, s->at_m[i] - TALLY_RAIL_HALF_WAGON_M + fmin(s->lean_m, 0),
                                 s->at_m[i] + TALLY_RAIL_HALF_WAGON_M + fmax(s->lean_m, 0),
                                 f->pixels[s->pixel[o]].across_m);
}

/* Of a cell's ground, what a wagon on track `from` shades, less what its leaning side hides. */
static void shaded_part(const slice *s, int cell, int from, double *a, double *b)
{
    const double half = TALLY_RAIL_HALF_WAGON_M;
    int i = cell / 2;
    if (cell & 1) {
        *a = s->at_m[i] - half;
        *b = s->at_m[i] + half;
    } else {
        *a = i > 0 ? s->at_m[i - 1] + half : -INFINITY;
        *b = i < s->k ? s->at_m[i] - half : INFINITY;
    }
    *a = fmax(*a, s->at_m[from] - half + fmin(s->across_m, 0));
    *b = fmin(*b, s->at_m[from] + half + fmax(s->across_m, 0));
    if (s->lean_m > 0 && *a >= s->at_m[from]) *a = fmax(*a, s->at_m[from] + half + s->lean_m);
    if (s->lean_m < 0 && *b <= s->at_m[from]) *b = fmin(*b, s->at_m[from] - half + s->lean_m);
}

static void put_shadows(const tally_rail_frame *f, slice *s)
{
    for (int cell = 0; cell <= 2 * s->k; cell++)
        for (int from = 0; from < s->k; from++) {
            double a, b;
            shaded_part(s, cell, from, &a, &b);
            for (int o = 0; o < s->n; o++)
                s->shaded[cell][from][o] =
                    tally_rail_share(f, a, b, f->pixels[s->pixel[o]].across_m);
        }
}

/* The shadow of a pattern (by place from left to right): each cell lies in that of the nearest
 * occupied track sunward. */
static bool shadow_of(const slice *s, unsigned pattern, double *out)
{
    bool any = false;
    int from = -1, way = s->across_m > 0 ? 1 : -1;
    memset(out, 0, (size_t)s->n * sizeof *out);
    if (fabs(s->across_m) < SHORT_SHADOW_M) return false;
    for (int k = 0; k <= 2 * s->k; k++) {
        int cell = way > 0 ? k : 2 * s->k - k;
        if (cell & 1 && pattern >> (cell / 2) & 1)
            from = cell / 2;
        else if (from >= 0)
            for (int o = 0; o < s->n; o++) {
                out[o] += s->shaded[cell][from][o];
                any |= out[o] > LEAST_SHADE;
            }
    }
    return any;
}

/* The regression of one pattern. */
typedef struct fit {
    int n; /* unknowns: light, its tilt, wagons from left to right, shade */
    bool tilt, shade;
    double part[UNKNOWNS][MOST_PIXELS], weight[MOST_PIXELS];
    double gram[UNKNOWNS][UNKNOWNS]; /* lower half */
    double log_doubt;
} fit;

static void weigh(const slice *s, unsigned pattern, fit *out)
{
    double shadow[MOST_PIXELS];
    out->n = 0;
    out->shade = shadow_of(s, pattern, shadow);
    for (int o = 0; o < s->n; o++)
        out->part[0][o] = 1;
    out->n = 1;
    out->tilt = s->uneven > UNEVEN;
    for (int o = 0; o < s->n && out->tilt; o++)
        out->part[1][o] = (s->right_m[o] - (s->at_m[0] + s->at_m[s->k - 1]) / 2) / TILT_M;
    out->n += out->tilt;
    for (int i = 0; i < s->k; i++)
        if (pattern >> i & 1)
            memcpy(out->part[out->n++], s->body[i], (size_t)s->n * sizeof(double));
    if (out->shade) memcpy(out->part[out->n++], shadow, (size_t)s->n * sizeof(double));
    out->log_doubt = 0;
    for (int o = 0; o < s->n; o++) {
        double covered = 0;
        for (int a = 1 + out->tilt; a < out->n; a++)
            covered += out->part[a][o];
        covered = fmin(covered, 1) * MODEL / MEAN_NOISE;
        double doubt = s->doubt[o] + covered * covered;
        out->weight[o] = 1 / doubt;
        out->log_doubt += log(doubt);
    }
    for (int a = 0; a < out->n; a++)
        for (int b = 0; b <= a; b++) {
            double sum = 0;
            for (int o = 0; o < s->n; o++)
                sum += out->weight[o] * out->part[a][o] * out->part[b][o];
            out->gram[a][b] = sum;
        }
}

/* One mixture: log likelihood; `solved`: the unknowns, NULL when they are not wanted. */
static double explain(const slice *s, const fit *f, const tally_rail_look *look, int mixture,
                      double *solved)
{
    double expected[UNKNOWNS], sd[UNKNOWNS], to[UNKNOWNS] = { 0 }, left = 0;
    for (int a = 0; a < f->n; a++) {
        bool light = a <= f->tilt, shade = f->shade && a == f->n - 1;
        expected[a] = light ? 0 : shade ? s->dark[mixture] : mixture ? 0 : WAGON;
        sd[a] = light   ? (a == 0 ? s->light_sd : s->uneven) * (mixture ? COLOUR_OF_LIGHT : 1)
                : shade ? (mixture ? SHADE_COLOUR_SD : SHADE_SD)
                        : (mixture ? WAGON_COLOUR_SD : WAGON_SD);
    }
    const double precision = 1 / (look->noise[mixture] * look->noise[mixture]);
    for (int o = 0; o < s->n; o++) {
        double e = s->seen[mixture][o];
        for (int a = 0; a < f->n; a++)
            e -= expected[a] * f->part[a][o];
        left += f->weight[o] * e * e;
        for (int a = 0; a < f->n; a++)
            to[a] += f->weight[o] * e * f->part[a][o];
    }
    /* Cholesky: root root' = gram + prior */
    double root[UNKNOWNS][UNKNOWNS], z[UNKNOWNS], gain = 0, log_room = 0;
    for (int a = 0; a < f->n; a++) {
        for (int b = 0; b <= a; b++) {
            double sum = f->gram[a][b] * precision + (a == b ? 1 / (sd[a] * sd[a]) : 0);
            for (int c = 0; c < b; c++)
                sum -= root[a][c] * root[b][c];
            root[a][b] = a == b ? sqrt(sum) : sum / root[b][b];
        }
        log_room += 2 * log(root[a][a] * sd[a]);
        double sum = to[a] * precision;
        for (int c = 0; c < a; c++)
            sum -= root[a][c] * z[c];
        z[a] = sum / root[a][a];
        gain += z[a] * z[a];
    }
    for (int a = f->n - 1; solved && a >= 0; a--) {
        double sum = z[a];
        for (int c = a + 1; c < f->n; c++)
            sum -= root[c][a] * solved[c];
        solved[a] = sum / root[a][a];
    }
    for (int a = 0; solved && a < f->n; a++)
        solved[a] += expected[a];
    return -0.5 * (left * precision - gain + log_room + f->log_doubt +
                   2 * s->n * log(look->noise[mixture]));
}

/* Two wagons where there is room for one. */
static double crowded(const slice *s, unsigned pattern)
{
    double against = 0;
    for (int i = 0; i + 1 < s->k; i++)
        if ((pattern >> i & 3) == 3 && s->at_m[i + 1] - s->at_m[i] < WAGONS_APART_M)
            against += NO_ROOM;
    return against;
}

static void tell_fit(const tally_rail_look *look, const slice *s, unsigned pattern, fit *f,
                     int n_pixels, tally_rail_slice_fit *out, float *left_over)
{
    double light[TALLY_RAIL_BANDS], solved[UNKNOWNS];
    weigh(s, pattern, f);
    for (int m = 0; m < s->bands; m++) {
        explain(s, f, look, m, solved);
        light[m] = solved[0];
        for (int o = 0; left_over && o < s->n; o++) {
            double e = s->seen[m][o];
            for (int a = 0; a < f->n; a++)
                e -= solved[a] * f->part[a][o];
            left_over[m * n_pixels + s->pixel[o]] = (float)(e * sqrt(f->weight[o]));
        }
    }
    out->any = true;
    unmix(s->bands, light, out->light);
}

void tally_rail_slice_odds(const tally_rail_frame *frame, const tally_rail_ground *ground,
                           const tally_rail_look *look, int at, double odds[TALLY_RAIL_PATTERNS],
                           tally_rail_slice_fit *out, float *left_over)
{
    slice s = { .bands = ground->bands };
    fit f;
    unsigned best = 0, mask = tally_rail_frame_mask(frame, at);
    for (unsigned p = 0; p < TALLY_RAIL_PATTERNS; p++)
        odds[p] = p & ~mask ? -INFINITY : 0;
    if (out) out->any = false;
    s.uneven = look->uneven[at];
    s.light_sd = look->light_sd + s.uneven;
    put_tracks(frame, at, &s);
    put_pixels(frame, ground, look, at, &s);
    if (s.k == 0 || s.n < 3) return;
    const tally_point *right = &frame->right[at];
    s.across_m =
        look->sun ? (look->shadow.x * right->x + look->shadow.y * right->y) * frame->gsd_m : 0;
    s.lean_m = (look->lean.x * right->x + look->lean.y * right->y) * frame->gsd_m;
    double dark[TALLY_RAIL_BANDS];
    for (int b = 0; b < s.bands; b++)
        dark[b] = look->shade.full[b] - 1;
    mix(s.bands, dark, s.dark);
    put_bodies(frame, &s);
    put_shadows(frame, &s);
    double most = -INFINITY;
    for (unsigned p = 0; p < 1u << s.k; p++) {
        unsigned pattern = 0;
        for (int i = 0; i < s.k; i++)
            pattern |= (p >> i & 1) << s.track[i];
        double total = -crowded(&s, p);
        weigh(&s, p, &f);
        for (int m = 0; m < s.bands; m++)
            total += explain(&s, &f, look, m, NULL);
        odds[pattern] = total;
        if (total > most) {
            most = total;
            best = p;
        }
    }
    if (out) tell_fit(look, &s, best, &f, frame->n_pixels, out, left_over);
}
