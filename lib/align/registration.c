/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Registration by phase correlation (Kuglin and Hines 1975) of gradient images.
 *
 * In each tie window both images become the magnitude of their gradient, summed over bands: edges
 * stay where light and season change. What is not ground, or not seen, is set to the window's mean,
 * and a Hann window tapers the border. The normalised cross-power spectra of all windows are added
 * before the peak is sought: windows that show the same shift agree, noise and moved things do not.
 * The sub-pixel peak is the maximum of the trigonometric interpolation around the highest pixel, as
 * Guizar-Sicairos, Thurman and Fienup do it (2008, doi:10.1364/OL.33.000156), here on the joint
 * surface. Then each window is judged on its own near the joint peak: those within a pixel of it
 * vote on turn and scale (votes.c).
 *
 * Known failures: snow that hides all edges; periodic texture (sleepers, furrows) in all windows;
 * heavy cloud.
 */
#include "align/ties.h"

#include <math.h>
#include <string.h>

#include "align/fft.h"
#include "align/votes.h"
#include "kernels/kernels.h"

enum { N = TALLY_TIE_SIZE, HALF = N / 2 + 1, LEAST_WINDOWS = 2 };
static const double MAX_SHIFT_PX =
    24; /* orthophotos of one place differ by metres, not by more (DESIGN.md 5.1) */
static const double LEAST_SEEN = 0.15; /* share of the window that is ground and seen in both */
/* A peak over its surface's rms. Jointly, over the validation sets, the fixtures and a real stack,
 * true ones are 21 (snow) to 70; a scene 33 px off its place reached 8.4. A window alone is only
 * asked near the joint peak. */
static const double LEAST_JOINT_PEAK = 12, LEAST_PEAK = 4.5;
/* Edges count up to this many deviations over the window's mean: a lorry's or a bright roof's few
 * outlines would outvote the texture of all the rest in a whitened spectrum. Errors on the
 * validation sets (rms; rail 0.5 m, rail 3 m, oil 3 m) are .060, .084, .144 px without a limit,
 * .041, .074, .105 at 2, .036, .068, .083 at 1.5; at 1 the small fixtures gain most. */
static const double STRONGEST_EDGE = 1;
/* Votes are looked for within a pixel of the joint peak. Were they strewn there at random, their
 * rmse would be 0.71; the worst true scene (snow, validation and fixtures) has 0.48 and 34 of 45
 * windows, 8 of 14 under unmasked cloud. */
static const double WORST_RMSE_PX = 0.6, LEAST_AGREEING = 0.4;
/* Of the windows those with ground to see: below CLOUDY_SHARE a shift rests on too few to be
 * checked; below HALF_HIDDEN what does not match may be cloud that no mask knows of. */
static const double CLOUDY_SHARE = 0.15, HALF_HIDDEN = 0.5;

/* The weight of each pixel: a Hann window, 0 where it is not usable. Returns their mean against the
 * window's own. */
static float window_weights(const tally_bits *usable, float *out)
{
    static const double TURN = 2 * 3.14159265358979323846 / N;
    double taper[N], shown = 0;
    for (int i = 0; i < N; i++)
        taper[i] = 0.5 - 0.5 * cos(TURN * (i + 0.5));
    for (int y = 0; y < N; y++)
        for (int x = 0; x < N; x++) {
            const double w = tally_bits_get(usable, x, y) ? taper[x] * taper[y] : 0;
            out[y * N + x] = (float)w;
            shown += w;
        }
    return (float)(shown / (N * N / 4.0));
}

/* Gradient magnitude, summed over bands, less its mean, times the weights. */
static void edge_image(const tally_kernels *k, const tally_patch *p, const float *weight,
                       float *out)
{
    float row[N];
    double sum = 0, square = 0, total = 0;
    memset(out, 0, sizeof(float) * N * N);
    for (int b = 0; b < p->bands; b++)
        for (int y = 1; y + 1 < N; y++) {
            k->gradient_f32(tally_patch_row(p, b, y - 1), tally_patch_row(p, b, y),
                            tally_patch_row(p, b, y + 1), N, row);
            for (int x = 0; x < N; x++)
                out[y * N + x] += row[x];
        }
    for (int i = 0; i < N * N; i++) {
        out[i] = sqrtf(out[i]); /* the root tames single bright edges */
        sum += weight[i] * out[i];
        total += weight[i];
    }
    const float mean = (float)(sum / (total + 1e-30));
    for (int i = 0; i < N * N; i++)
        square += weight[i] * (out[i] - mean) * (out[i] - mean);
    const float most = (float)(STRONGEST_EDGE * sqrt(square / (total + 1e-30)));
    for (int i = 0; i < N * N; i++)
        out[i] = weight[i] * fminf(out[i] - mean, most);
}

/* Ground that both show, one pixel away from what is not (the gradient looks at neighbours). */
static void usable_bits(const tally_kernels *k, const tally_bits *ground, const tally_patch *a,
                        const tally_patch *b, tally_bits *out)
{
    uint64_t rows[3][N / 64], wide[N / 64];
    for (int y = 0; y < N; y++) {
        for (int d = -1; d <= 1; d++) {
            int from = y + d < 0 ? 0 : y + d >= N ? N - 1 : y + d;
            for (size_t w = 0; w < out->words; w++)
                rows[d + 1][w] =
                    tally_bits_row(&a->valid, from)[w] & tally_bits_row(&b->valid, from)[w];
        }
        k->and_row(rows[0], rows[1], out->words);
        k->and_row(rows[0], rows[2], out->words);
        k->erode_row(rows[0], out->words, 1, wide);
        for (size_t w = 0; w < out->words; w++)
            tally_bits_row(out, y)[w] = wide[w] & tally_bits_row(ground, y)[w];
    }
}

static int signed_index(int i)
{
    return i > N / 2 ? i - N : i;
}

/* The surface of a cross-power spectrum at a place between pixels: the inverse transform evaluated
 * there. */
static double surface_at(const float *spectrum, double x, double y)
{
    static const double TURN = 2 * 3.14159265358979323846 / N;
    double total = 0, cosine[N], sine[N];
    for (int v = 0; v < N; v++) {
        cosine[v] = cos(TURN * signed_index(v) * y);
        sine[v] = sin(TURN * signed_index(v) * y);
    }
    for (int u = 0; u < HALF; u++) {
        double re = 0, im = 0;
        for (int v = 0; v < N; v++) {
            const float *c = spectrum + 2 * ((size_t)v * HALF + (size_t)u);
            re += c[0] * cosine[v] - c[1] * sine[v];
            im += c[0] * sine[v] + c[1] * cosine[v];
        }
        double a = TURN * u * x, weight = u == 0 || u == N / 2 ? 1 : 2;
        total += weight * (re * cos(a) - im * sin(a));
    }
    return total;
}

/* Climb from (x, y) to the top of the surface by a parabola through three places a step apart, the
 * step halving. */
static void refine(const float *spectrum, double *x, double *y)
{
    for (double step = 0.5; step > 0.02; step /= 2) {
        double m = surface_at(spectrum, *x, *y);
        double l = surface_at(spectrum, *x - step, *y), r = surface_at(spectrum, *x + step, *y);
        double bend = l - 2 * m + r;
        if (bend < 0) *x += tally_clamp(step * (l - r) / (2 * bend), -step, step);
        m = surface_at(spectrum, *x, *y);
        l = surface_at(spectrum, *x, *y - step), r = surface_at(spectrum, *x, *y + step);
        bend = l - 2 * m + r;
        if (bend < 0) *y += tally_clamp(step * (l - r) / (2 * bend), -step, step);
    }
}

/* The highest pixel of the surface within `reach` of (cx, cy), and how far it stands over the
 * surface's rms. */
static double highest(const float *surface, double cx, double cy, double reach, int *px, int *py)
{
    double best = -INFINITY, power = 0;
    for (int y = 0; y < N; y++)
        for (int x = 0; x < N; x++) {
            double v = surface[y * N + x];
            power += v * v;
            if (fabs(signed_index(x) - cx) > reach || fabs(signed_index(y) - cy) > reach ||
                v <= best)
                continue;
            best = v;
            *px = signed_index(x);
            *py = signed_index(y);
        }
    return best / (sqrt(power / (N * N)) + 1e-30);
}

/* High frequencies of a sensor's image are noise: keep what lies under 0.6 of Nyquist, fading out.
 */
static void low_pass(float *spectrum)
{
    for (int v = 0; v < N; v++)
        for (int u = 0; u < HALF; u++) {
            double r = hypot(u, signed_index(v)) / (N / 2);
            float w = r > 0.7 || r == 0 ? 0
                      : r < 0.4
                          ? 1
                          : (float)(0.5 + 0.5 * cos((r - 0.4) / 0.3 * 3.14159265358979323846));
            spectrum[2 * ((size_t)v * HALF + (size_t)u)] *= w;
            spectrum[2 * ((size_t)v * HALF + (size_t)u) + 1] *= w;
        }
}

typedef struct correlation {
    tally_fft *fft;
    float *weight, *a, *b, *fa, *fb, *joint, *surface;
    float *own; /* n spectra */
    bool *used;
    tally_bits usable;
} correlation;

static void correlation_fini(correlation *c)
{
    tally_fft_destroy(&c->fft);
    float *buffers[] = { c->weight, c->a, c->b, c->fa, c->fb, c->joint, c->surface, c->own };
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        tally_free(buffers[i]);
    tally_free(c->used);
    tally_bits_fini(&c->usable);
}

static tally_status correlation_init(correlation *c, size_t n, tally_error *err)
{
    *c = (correlation) { 0 };
    tally_status s = tally_fft_create(N, &c->fft, err);
    if (s == TALLY_OK) s = tally_bits_init(&c->usable, N, N, err);
    if (s != TALLY_OK) return s;
    size_t floats = tally_fft_spectrum_floats(c->fft);
    c->weight = tally_alloc(N * N, sizeof(float));
    c->a = tally_alloc(N * N, sizeof(float));
    c->b = tally_alloc(N * N, sizeof(float));
    c->fa = tally_alloc(floats, sizeof(float));
    c->fb = tally_alloc(floats, sizeof(float));
    c->joint = tally_alloc(floats, sizeof(float));
    c->surface = tally_alloc(N * N, sizeof(float));
    c->own = tally_alloc(n, floats * sizeof(float));
    c->used = tally_alloc(n, sizeof(bool));
    if (!c->weight || !c->a || !c->b || !c->fa || !c->fb || !c->joint || !c->surface || !c->own ||
        !c->used)
        return tally_nomem(err, "a registration");
    return TALLY_OK;
}

static size_t correlate_windows(const tally_kernels *k, const tally_ties *ties,
                                const tally_patch *moving, correlation *c)
{
    size_t floats = tally_fft_spectrum_floats(c->fft), n = 0;
    for (size_t i = 0; i < ties->n; i++) {
        const tally_patch *p = &ties->pixels[i], *q = &moving[i];
        if (p->width != N || q->width != N || p->height != N || q->height != N) continue;
        usable_bits(k, &ties->ground[i], p, q, &c->usable);
        if ((double)tally_bits_count(&c->usable) < LEAST_SEEN * N * N) continue;
        const float share = window_weights(&c->usable, c->weight);
        edge_image(k, p, c->weight, c->a);
        edge_image(k, q, c->weight, c->b);
        tally_fft_forward(c->fft, c->a, c->fa);
        tally_fft_forward(c->fft, c->b, c->fb);
        float *own = c->own + i * floats;
        k->cross_power_f32(c->fa, c->fb, floats / 2, own);
        low_pass(own);
        for (size_t f = 0; f < floats; f++)
            c->joint[f] += share * own[f];
        c->used[i] = true;
        n++;
    }
    return n;
}

/* Each window on its own, near the joint peak: those that agree with it, and by how much not quite.
 */
static size_t vote(const tally_ties *ties, correlation *c, tally_point joint, tally_vote *votes)
{
    size_t floats = tally_fft_spectrum_floats(c->fft), n = 0;
    for (size_t i = 0; i < ties->n; i++) {
        int px = 0, py = 0;
        if (!c->used[i]) continue;
        tally_fft_inverse(c->fft, c->own + i * floats, c->surface);
        if (highest(c->surface, joint.x, joint.y, 2.5, &px, &py) < LEAST_PEAK) continue;
        double x = px, y = py;
        refine(c->own + i * floats, &x, &y);
        if (hypot(x - joint.x, y - joint.y) > 1) continue;
        votes[n++] = (tally_vote) {
            .at = { ties->boxes[i].x0 + N / 2, ties->boxes[i].y0 + N / 2 },
            .off = { x - joint.x, y - joint.y },
        };
    }
    return n;
}

static tally_point middle_of(const tally_ties *ties)
{
    tally_box all = ties->boxes[0];
    for (size_t i = 1; i < ties->n; i++)
        all = tally_box_union(all, ties->boxes[i]);
    return (tally_point) { (all.x0 + all.x1) / 2.0, (all.y0 + all.y1) / 2.0 };
}

void tally_placement_at(tally_placement *placement, tally_point middle)
{
    const tally_point to = tally_affine_apply(&placement->residual, middle);
    placement->dx_px = tally_round_to(to.x - middle.x, 1024);
    placement->dy_px = tally_round_to(to.y - middle.y, 1024);
}

void tally_placement_refine(tally_placement *placement, const tally_placement *rest,
                            tally_point middle)
{
    if (!rest->accepted || !isfinite(rest->dx_px)) return;
    placement->residual = tally_affine_compose(&placement->residual, &rest->residual);
    placement->rmse_px = rest->rmse_px;
    placement->windows = rest->windows;
    tally_placement_at(placement, middle);
}

tally_status tally_ties_register(const tally_context *ctx, const tally_ties *ties,
                                 const tally_patch *moving, tally_placement *out, tally_error *err)
{
    correlation c;
    tally_vote votes[TALLY_TIES_MAX];
    int px = 0, py = 0;
    *out = (tally_placement) { .residual = { { 0, 1, 0, 0, 0, 1 } },
                               .dx_px = NAN,
                               .dy_px = NAN,
                               .rmse_px = NAN,
                               .reason = "" };
    tally_status s = correlation_init(&c, ties->n, err);
    if (s != TALLY_OK) goto out;
    size_t n = correlate_windows(ctx->kernels, ties, moving, &c);
    /* merely too cloudy: kept, and put where the family lies (survey.c) */
    const bool hidden = (double)n < HALF_HIDDEN * (double)ties->n;
    if (n < LEAST_WINDOWS || (double)n < CLOUDY_SHARE * (double)ties->n) {
        out->accepted = true;
        goto out;
    }
    tally_fft_inverse(c.fft, c.joint, c.surface);
    if (highest(c.surface, 0, 0, MAX_SHIFT_PX, &px, &py) < LEAST_JOINT_PEAK) {
        out->accepted = hidden;
        if (!hidden)
            out->reason =
                "its ground does not match the reference's; it cannot be laid onto the others";
        goto out;
    }
    tally_point joint = { px, py };
    refine(c.joint, &joint.x, &joint.y);
    const size_t agree = vote(ties, &c, joint, votes);
    tally_affine model;
    out->windows = (int)agree;
    tally_votes_fit(votes, agree, joint, &model, &out->rmse_px);
    if (out->windows < LEAST_WINDOWS || (double)agree < LEAST_AGREEING * (double)n ||
        out->rmse_px > WORST_RMSE_PX) {
        out->accepted = hidden;
        if (!hidden)
            out->reason = "its windows disagree about the shift; it cannot be laid onto the others";
        goto out;
    }
    out->residual = model;
    tally_placement_at(out, middle_of(ties));
    out->accepted = true;
out:
    correlation_fini(&c);
    return s;
}
