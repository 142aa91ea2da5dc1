/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Registration by phase correlation (Kuglin and Hines 1975) of orientation images (edges.c).
 *
 * What is not ground, or not seen, is 0 in both images, and the border is tapered. The cross-power
 * spectra of all windows are whitened (peaks.c) and added before the peak is sought: windows that
 * show the same shift agree, noise and moved things do not. Then each window is judged on its own
 * near the joint peak, and the spectra are added again, each by the weight that its own agreement
 * in phase, c, earns: c / (1 - c^2), which is the reciprocal of the shift's variance where noise
 * alone keeps c down (after Hannan and Thomson 1973, doi:10.1109/TIT.1973.1055077, who weigh
 * frequencies so). Windows within a pixel vote on turn and scale (votes.c).
 *
 * Where windows lie so far apart that a turn or scale of a per mille moves them by pixels, there
 * may be no joint peak, or few windows near it: then the windows' own peaks are asked for one map
 * that many of them agree about.
 *
 * A look in windows of 128 px finds shifts up to 24 px. Scenes that lie farther off are looked for
 * again in windows of 256 px of the moving image around the fixed 128, up to 64 px and a little.
 *
 * Known failures: snow that hides all edges; periodic texture (sleepers, furrows) in all windows;
 * heavy cloud.
 */
#include <math.h>
#include <string.h>

#include "align/edges.h"
#include "align/fft.h"
#include "align/peaks.h"
#include "align/ties.h"
#include "align/votes.h"
#include "kernels/kernels.h"

enum { LEAST_WINDOWS = 2, LEAST_CONSENSUS = 4 };
static const double NEAR_PX =
    24; /* orthophotos of one place differ by metres, mostly not by more (DESIGN.md 5.1) */
static const double FAR_PX = 68;       /* 64, and room for what windows differ by */
static const double LEAST_SEEN = 0.15; /* share of the window that is ground and seen in both */
/* A peak over its surface's rms. Jointly, over the validation sets, the fixtures and a real stack,
 * true ones are 21 (snow) to 70; a scene 33 px off its place reached 8.4. A window alone is only
 * asked near the joint peak, or must find many others. */
static const double LEAST_JOINT_PEAK = 12, LEAST_PEAK = 4.5, LEAST_OWN_PEAK = 5.5;
/* Where cloud that no mask knows of hides most windows, the few that see must have a peak that no
 * chance makes: half as many windows are asked for then. */
static const double SURE_JOINT_PEAK = 20;
/* Votes are looked for within a pixel of the joint peak. Were they strewn there at random, their
 * rmse would be 0.71; the worst true scene (snow, validation and fixtures) has 0.48 and 34 of 45
 * windows, 8 of 14 under unmasked cloud. */
static const double WORST_RMSE_PX = 0.6, LEAST_AGREEING = 0.4;
/* Of the windows those with ground to see: below CLOUDY_SHARE a shift rests on too few to be
 * checked; below HALF_HIDDEN what does not match may be cloud that no mask knows of. */
static const double CLOUDY_SHARE = 0.15, HALF_HIDDEN = 0.5;
static const double MOST_COHERENT = 0.95; /* a window's weight is bounded: no image is noiseless */

typedef struct correlation {
    int n; /* side of the windows */
    tally_fft *fft;
    float *weight, *edges, *fa, *fb, *cross, *power_a, *power_b, *joint, *surface;
    float *own;   /* a spectrum for each tie window */
    float *share; /* of each tie window; 0: not used */
    tally_bits usable;
} correlation;

static void correlation_fini(correlation *c)
{
    tally_fft_destroy(&c->fft);
    float *buffers[] = { c->weight,  c->edges, c->fa,      c->fb,  c->cross, c->power_a,
                         c->power_b, c->joint, c->surface, c->own, c->share };
    for (size_t i = 0; i < sizeof buffers / sizeof *buffers; i++)
        tally_free(buffers[i]);
    tally_bits_fini(&c->usable);
}

static tally_status correlation_init(correlation *c, int n, size_t windows, tally_error *err)
{
    *c = (correlation) { .n = n };
    tally_status s = tally_fft_create(n, &c->fft, err);
    if (s == TALLY_OK) s = tally_bits_init(&c->usable, n, n, err);
    if (s != TALLY_OK) return s;
    const size_t floats = tally_fft_spectrum_floats(c->fft), pixels = (size_t)n * (size_t)n;
    float **each[] = { &c->cross, &c->power_a, &c->power_b, &c->joint };
    bool all = true;
    for (size_t i = 0; i < sizeof each / sizeof *each; i++)
        all = (*each[i] = tally_alloc(floats, sizeof(float))) && all;
    c->weight = tally_alloc(pixels, sizeof(float));
    c->edges = tally_alloc(TALLY_EDGE_IMAGES * pixels, sizeof(float));
    c->fa = tally_alloc(TALLY_EDGE_IMAGES * floats, sizeof(float));
    c->fb = tally_alloc(TALLY_EDGE_IMAGES * floats, sizeof(float));
    c->surface = tally_alloc(pixels, sizeof(float));
    c->own = tally_alloc(windows, floats * sizeof(float));
    c->share = tally_alloc(windows, sizeof(float));
    if (!all || !c->weight || !c->edges || !c->fa || !c->fb || !c->surface || !c->own || !c->share)
        return tally_nomem(err, "a registration");
    return TALLY_OK;
}

/* Spectra of the edge images of `p`, which may be smaller than the correlation: it is put into the
 * middle then. */
static void transform(const tally_kernels *k, correlation *c, const tally_patch *p,
                      tally_edge_kind kind, float *spectra)
{
    const size_t floats = tally_fft_spectrum_floats(c->fft), n = (size_t)c->n,
                 side = (size_t)p->width, rim = (n - side) / 2;
    tally_edges(k, p, c->weight, kind, c->edges);
    for (int e = 0; e < tally_edge_images(p->bands); e++) {
        const float *image = c->edges + (size_t)e * side * side;
        if (rim > 0) {
            memset(c->surface, 0, n * n * sizeof(float));
            for (size_t y = 0; y < side; y++)
                memcpy(c->surface + (y + rim) * n + rim, image + y * side, side * sizeof(float));
            image = c->surface;
        }
        tally_fft_forward(c->fft, image, spectra + (size_t)e * floats);
    }
}

/* Both windows become spectra; false: too little to be seen in them. */
static bool transform_both(const tally_kernels *k, const tally_ties *ties, size_t i,
                           const tally_patch *moving, tally_edge_kind kind, correlation *c)
{
    const tally_patch *fixed = &ties->pixels[i];
    if (fixed->width != TALLY_TIE_SIZE || moving->width != c->n || moving->height != c->n)
        return false;
    const bool wide = c->n > TALLY_TIE_SIZE;
    tally_bits usable = { TALLY_TIE_SIZE, TALLY_TIE_SIZE, TALLY_TIE_SIZE / 64, c->usable.bits };
    tally_edge_usable(k, &ties->ground[i], fixed, wide ? NULL : moving, &usable);
    if ((double)tally_bits_count(&usable) < LEAST_SEEN * TALLY_TIE_SIZE * TALLY_TIE_SIZE)
        return false;
    c->share[i] = tally_edge_weights(&usable, TALLY_TIE_SIZE / 2, c->weight);
    transform(k, c, fixed, kind, c->fa);
    if (wide) {
        tally_edge_usable(k, NULL, moving, NULL, &c->usable);
        if ((double)tally_bits_count(&c->usable) < LEAST_SEEN * c->n * c->n) {
            c->share[i] = 0;
            return false;
        }
        tally_edge_weights(&c->usable, c->n / 16, c->weight);
    }
    transform(k, c, moving, kind, c->fb);
    return true;
}

/* Each window's spectrum; how many windows have one. */
static size_t correlate_windows(const tally_kernels *k, const tally_ties *ties,
                                const tally_tie_view *moving, tally_edge_kind kind, correlation *c)
{
    const size_t floats = tally_fft_spectrum_floats(c->fft);
    size_t n = 0;
    for (size_t i = 0; i < ties->n; i++) {
        if (!transform_both(k, ties, i, &moving->windows[i], kind, c)) continue;
        memset(c->cross, 0, floats * sizeof(float));
        memset(c->power_a, 0, floats * sizeof(float));
        memset(c->power_b, 0, floats * sizeof(float));
        for (int e = 0; e < tally_edge_images(moving->windows[i].bands); e++)
            k->cross_power_f32(c->fa + (size_t)e * floats, c->fb + (size_t)e * floats, floats / 2,
                               c->cross, c->power_a, c->power_b);
        tally_peak_whiten(c->n, c->cross, c->power_a, c->power_b, moving->off[i],
                          c->own + i * floats);
        n++;
    }
    return n;
}

/* The windows' spectra, added by `weight`. */
static void join(correlation *c, const float *weight, size_t windows)
{
    const size_t floats = tally_fft_spectrum_floats(c->fft);
    memset(c->joint, 0, floats * sizeof(float));
    for (size_t i = 0; i < windows; i++) {
        const float *own = c->own + i * floats;
        for (size_t f = 0; weight[i] > 0 && f < floats; f++)
            c->joint[f] += weight[i] * own[f];
    }
}

static tally_point middle_of_box(tally_box b)
{
    return (tally_point) { (b.x0 + b.x1) / 2.0, (b.y0 + b.y1) / 2.0 };
}

/* Each window on its own, near the joint peak: those that agree with it, and by how much not quite.
 * `weight` becomes what each has earned. */
static size_t vote(const tally_ties *ties, correlation *c, tally_point joint, tally_vote *votes,
                   float *weight)
{
    const size_t floats = tally_fft_spectrum_floats(c->fft);
    size_t n = 0;
    for (size_t i = 0; i < ties->n; i++) {
        int px = 0, py = 0;
        weight[i] = 0;
        if (!(c->share[i] > 0)) continue;
        tally_fft_inverse(c->fft, c->own + i * floats, c->surface);
        if (tally_peak_highest(c->n, c->surface, joint, 2.5, &px, &py) < LEAST_PEAK) continue;
        tally_point at = { px, py };
        const double coherent =
            tally_clamp(tally_peak_climb(c->n, c->own + i * floats, &at), 0, MOST_COHERENT);
        if (hypot(at.x - joint.x, at.y - joint.y) > 1) continue;
        weight[i] = (float)(c->share[i] * coherent / (1 - coherent * coherent));
        votes[n++] = (tally_vote) { .at = middle_of_box(ties->boxes[i]),
                                    .off = { at.x - joint.x, at.y - joint.y } };
    }
    return n;
}

/* The windows' own highest peaks. */
static size_t own_peaks(const tally_ties *ties, correlation *c, double reach, tally_vote *votes)
{
    const size_t floats = tally_fft_spectrum_floats(c->fft);
    size_t n = 0;
    for (size_t i = 0; i < ties->n; i++) {
        int px = 0, py = 0;
        if (!(c->share[i] > 0)) continue;
        tally_fft_inverse(c->fft, c->own + i * floats, c->surface);
        if (tally_peak_highest(c->n, c->surface, (tally_point) { 0, 0 }, reach, &px, &py) <
            LEAST_OWN_PEAK)
            continue;
        votes[n++] = (tally_vote) { .at = middle_of_box(ties->boxes[i]), .off = { px, py } };
    }
    return n;
}

static tally_point middle_of(const tally_ties *ties)
{
    tally_box all = ties->boxes[0];
    for (size_t i = 1; i < ties->n; i++)
        all = tally_box_union(all, ties->boxes[i]);
    return middle_of_box(all);
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
    placement->bend = rest->bend; /* maps are as good as unmoved over its pixel or less */
    placement->rmse_px = rest->rmse_px;
    placement->windows = rest->windows;
    tally_placement_at(placement, middle);
}

/* The joint peak and the windows that agree with it. False: no such peak, or too few. */
static bool find_joint(const tally_ties *ties, correlation *c, size_t n, double reach,
                       tally_placement *out)
{
    tally_vote votes[TALLY_TIES_MAX];
    float weight[TALLY_TIES_MAX];
    int px = 0, py = 0;
    join(c, c->share, ties->n);
    tally_fft_inverse(c->fft, c->joint, c->surface);
    const double height =
        tally_peak_highest(c->n, c->surface, (tally_point) { 0, 0 }, reach, &px, &py);
    if (height < LEAST_JOINT_PEAK) {
        out->reason =
            "its ground does not match the reference's; it cannot be laid onto the others";
        return false;
    }
    tally_point joint = { px, py }, again;
    tally_peak_climb(c->n, c->joint, &joint);
    const size_t agree = vote(ties, c, joint, votes, weight);
    again = joint;
    if (agree >= LEAST_WINDOWS) {
        join(c, weight, ties->n);
        tally_peak_climb(c->n, c->joint, &again);
    }
    out->windows = (int)agree;
    if (hypot(again.x - joint.x, again.y - joint.y) < 1) {
        for (size_t i = 0; i < agree; i++) {
            votes[i].off.x += joint.x - again.x;
            votes[i].off.y += joint.y - again.y;
        }
        joint = again;
    }
    tally_votes_fit(votes, agree, joint, &out->residual, &out->rmse_px);
    tally_votes_bend(votes, agree, joint, &out->residual, &out->bend, &out->rmse_px);
    const bool sure = height >= SURE_JOINT_PEAK && agree > LEAST_WINDOWS;
    const double wanted = (sure ? 0.5 : 1) * LEAST_AGREEING * (double)n;
    if (agree >= LEAST_WINDOWS && (double)agree >= wanted && out->rmse_px <= WORST_RMSE_PX)
        return true;
    out->reason = "its windows disagree about the shift; it cannot be laid onto the others";
    return false;
}

/* A map that many windows' own peaks agree about to a pixel. */
static bool find_consensus(const tally_ties *ties, correlation *c, size_t n, double reach,
                           tally_placement *out)
{
    tally_vote votes[TALLY_TIES_MAX];
    tally_affine map;
    double rmse_px;
    const size_t peaks = own_peaks(ties, c, reach, votes);
    const size_t agree = tally_votes_agree(votes, peaks, &map, &rmse_px);
    if (agree < LEAST_CONSENSUS || (double)agree < LEAST_AGREEING * (double)n) return false;
    out->residual = map;
    out->windows = (int)agree;
    out->rmse_px = rmse_px;
    return true;
}

static tally_status look(const tally_context *ctx, const tally_ties *ties, int side, double reach,
                         const tally_tie_view *moving, tally_edge_kind kind, tally_placement *out,
                         tally_error *err)
{
    correlation c;
    const tally_affine nowhere = { { 0, 1, 0, 0, 0, 1 } };
    *out = (tally_placement) { .residual = nowhere,
                               .dx_px = NAN,
                               .dy_px = NAN,
                               .rmse_px = NAN,
                               .vanishing = NAN,
                               .reason = "" };
    tally_status s = correlation_init(&c, side, ties->n, err);
    if (s != TALLY_OK) goto out;
    const size_t n = correlate_windows(ctx->kernels, ties, moving, kind, &c);
    /* merely too cloudy: kept, and put where the family lies (survey.c) */
    const bool hidden = (double)n < HALF_HIDDEN * (double)ties->n;
    if (n < LEAST_WINDOWS || (double)n < CLOUDY_SHARE * (double)ties->n) {
        out->accepted = true;
    } else if (find_joint(ties, &c, n, reach, out) || find_consensus(ties, &c, n, reach, out)) {
        out->accepted = true;
        out->reason = "";
        tally_placement_at(out, middle_of(ties));
    } else {
        out->residual = nowhere;
        out->accepted = hidden;
        if (hidden) out->reason = "";
    }
out:
    correlation_fini(&c);
    return s;
}

tally_status tally_ties_register(const tally_context *ctx, const tally_ties *ties,
                                 const tally_tie_view *moving, tally_edge_kind kind,
                                 tally_placement *out, tally_error *err)
{
    return look(ctx, ties, TALLY_TIE_SIZE, NEAR_PX, moving, kind, out, err);
}

tally_status tally_ties_search(const tally_context *ctx, const tally_ties *ties,
                               const tally_tie_view *moving, tally_placement *out, tally_error *err)
{
    return look(ctx, ties, TALLY_TIE_WIDE, FAR_PX, moving, TALLY_EDGE_DIRECTIONS, out, err);
}
