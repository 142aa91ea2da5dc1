/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Orthophotos of one place differ by a shift, and by a turn and a stretch that are small: a few
 * thousandths of a degree, a ten-thousandth of the length, which over a kilometre of half-metre
 * pixels is a tenth of a pixel. Whether the windows can tell is asked of them: each is foretold
 * from all others (Stone 1974, cross-validation) under a plain shift, a similarity, an affine map,
 * and the richer model is taken only where its foretelling is better by the shares below. Both are
 * fitted by least squares about the votes' middle, with what lies beyond 2.5 robust deviations left
 * out.
 *
 * Where enough windows carry it, what the map leaves over is fitted by a field of second order in
 * place (relief, an old camera's bow), under the same test.
 *
 * Known failures: relief that all windows show alike (a slope) looks like an affine map, and is
 * taken for one, which is right where the windows are and wrong on the slope's other side.
 */
#include "align/votes.h"

#include <math.h>

#include "align/stack.h"

enum { LEAST_FOR_SIMILARITY = 8, LEAST_FOR_AFFINE = 16, MOST_VOTES = 64 };
/* Foretelling has to be better by this factor. With noise alone, leaving one out makes a needless
 * slope worse by about 1 + p / n, so anything under 1 is a gain; 0.95 keeps chance out. */
static const double GAIN_NEEDED = 0.95;
static const double MOST_SLOPE = 4e-3; /* a few per mille; the validation sets have 1.5e-4 */
static const double AGREE_PX = 1;      /* from their map, for votes that agree about it */

typedef enum kind { SHIFT, SIMILARITY, AFFINE } kind;

/* Offsets as a plane through places: off = mean + L (at - middle). */
typedef struct plane {
    tally_point middle, mean;
    double xx, xy, yx, yy;
} plane;

/* `left_out` takes no part; n or more: none is left out. False: the places do not span the plane.
 */
static bool fit_plane(const tally_vote *v, const double *weight, size_t n, size_t left_out, kind k,
                      plane *out)
{
    double sum = 0, sxx = 0, sxy = 0, syy = 0, ax = 0, ay = 0, bx = 0, by = 0;
    *out = (plane) { 0 };
    for (size_t i = 0; i < n; i++) {
        const double w = i == left_out ? 0 : weight[i];
        sum += w;
        out->middle.x += w * v[i].at.x;
        out->middle.y += w * v[i].at.y;
        out->mean.x += w * v[i].off.x;
        out->mean.y += w * v[i].off.y;
    }
    if (!(sum > 0)) return false;
    out->middle = (tally_point) { out->middle.x / sum, out->middle.y / sum };
    out->mean = (tally_point) { out->mean.x / sum, out->mean.y / sum };
    if (k == SHIFT) return true;
    for (size_t i = 0; i < n; i++) {
        const double w = i == left_out ? 0 : weight[i];
        const double x = v[i].at.x - out->middle.x, y = v[i].at.y - out->middle.y;
        const double dx = v[i].off.x - out->mean.x, dy = v[i].off.y - out->mean.y;
        sxx += w * x * x;
        sxy += w * x * y;
        syy += w * y * y;
        ax += w * x * dx;
        ay += w * y * dx;
        bx += w * x * dy;
        by += w * y * dy;
    }
    const double det = sxx * syy - sxy * sxy;
    if (!(det > 1e-3 * sxx * syy) || !(sxx + syy > 0)) return false;
    if (k == SIMILARITY) {
        const double scale = (ax + by) / (sxx + syy), turn = (bx - ay) / (sxx + syy);
        out->xx = out->yy = scale;
        out->xy = -turn;
        out->yx = turn;
        return true;
    }
    out->xx = (ax * syy - ay * sxy) / det;
    out->xy = (ay * sxx - ax * sxy) / det;
    out->yx = (bx * syy - by * sxy) / det;
    out->yy = (by * sxx - bx * sxy) / det;
    return true;
}

static double miss(const plane *p, const tally_vote *v)
{
    const double x = v->at.x - p->middle.x, y = v->at.y - p->middle.y;
    return hypot(v->off.x - p->mean.x - p->xx * x - p->xy * y,
                 v->off.y - p->mean.y - p->yx * x - p->yy * y);
}

/* Weights 0 for votes far from the plane of their kind. */
static void trim(const tally_vote *v, size_t n, const plane *p, double *weight)
{
    float far[MOST_VOTES], sorted[MOST_VOTES];
    for (size_t i = 0; i < n; i++)
        far[i] = sorted[i] = (float)miss(p, &v[i]);
    /* the median length of a two-dimensional normal deviate is 1.1774 sigma */
    const double sigma = tally_median(sorted, n) / 1.1774;
    for (size_t i = 0; i < n; i++)
        weight[i] = far[i] <= 2.5 * 1.1774 * sigma + 1e-6;
}

enum whom { TRUSTED, EVERYONE };

/* The rms by which each vote misses what the others foretell; those of weight 0 foretell nothing.
 */
static double left_out_error(const tally_vote *v, const double *weight, size_t n, kind k,
                             enum whom whom)
{
    double square = 0, sum = 0;
    plane p;
    for (size_t i = 0; i < n; i++) {
        if (weight[i] == 0 && whom == TRUSTED) continue;
        if (!fit_plane(v, weight, n, i, k, &p)) return INFINITY;
        const double m = miss(&p, &v[i]);
        square += m * m;
        sum++;
    }
    return sum > 0 ? sqrt(square / sum) : INFINITY;
}

static bool is_small(const plane *p)
{
    return fabs(p->xx) < MOST_SLOPE && fabs(p->xy) < MOST_SLOPE && fabs(p->yx) < MOST_SLOPE &&
           fabs(p->yy) < MOST_SLOPE;
}

/* The map of a plane whose shift at its middle is `shift`. */
static tally_affine plane_map(const plane *p, tally_point shift)
{
    const double xx = tally_round_to(p->xx, 1 << 24), xy = tally_round_to(p->xy, 1 << 24),
                 yx = tally_round_to(p->yx, 1 << 24), yy = tally_round_to(p->yy, 1 << 24);
    const double mx = tally_round_to(p->middle.x, 1), my = tally_round_to(p->middle.y, 1);
    return (tally_affine) { { tally_round_to(shift.x, 1024) - xx * mx - xy * my, 1 + xx, xy,
                              tally_round_to(shift.y, 1024) - yx * mx - yy * my, yx, 1 + yy } };
}

void tally_votes_fit(const tally_vote *votes, size_t n, tally_point joint, tally_affine *out,
                     double *rmse_px)
{
    static const size_t least[] = { 1, LEAST_FOR_SIMILARITY, LEAST_FOR_AFFINE };
    double weight[MOST_VOTES];
    plane best = { 0 };
    kind taken = SHIFT;
    double error = INFINITY;

    *rmse_px = NAN;
    if (n > MOST_VOTES) n = MOST_VOTES;
    for (size_t i = 0; i < n; i++)
        weight[i] = 1;
    if (n > 0 && fit_plane(votes, weight, n, n, SHIFT, &best)) trim(votes, n, &best, weight);
    for (kind k = SHIFT; k <= AFFINE && n >= least[k]; k++) {
        plane p;
        const double e = left_out_error(votes, weight, n, k, TRUSTED);
        if (!(e < GAIN_NEEDED * error) || !fit_plane(votes, weight, n, n, k, &p) || !is_small(&p))
            continue;
        error = e;
        best = p;
        taken = k;
    }
    if (taken !=
        SHIFT) { /* what lay far from a shift may lie on the map, and the other way round */
        plane p;
        trim(votes, n, &best, weight);
        if (fit_plane(votes, weight, n, n, taken, &p) && is_small(&p)) best = p;
    }
    *out = plane_map(&best, joint);
    if (n > 1) *rmse_px = tally_round_to(left_out_error(votes, weight, n, taken, EVERYONE), 1024);
}

enum { TERMS = 6, LEAST_FOR_BEND = 24 };
static const double BEND_NEEDED = 0.9; /* twice the terms of an affine map, so more is asked */

typedef struct field_fit {
    const tally_bend *frame;
    const tally_vote *left; /* places, and what the map leaves over there */
    const double *weight;
    size_t n;
} field_fit;

static void terms_at(const tally_bend *frame, tally_point at, double *term)
{
    const double u = (at.x - frame->middle.x) * frame->scale,
                 v = (at.y - frame->middle.y) * frame->scale;
    const double all[TERMS] = { 1, u, v, u * u, u * v, v * v };
    for (int i = 0; i < TERMS; i++)
        term[i] = all[i];
}

/* Gauss's elimination with pivots of the system a | x, y. False: singular. */
static bool solve(double a[TERMS][TERMS + 2])
{
    for (int c = 0; c < TERMS; c++) {
        int pivot = c;
        for (int r = c + 1; r < TERMS; r++)
            if (fabs(a[r][c]) > fabs(a[pivot][c])) pivot = r;
        if (!(fabs(a[pivot][c]) > 1e-6)) return false;
        for (int k = 0; k < TERMS + 2; k++) {
            const double t = a[c][k];
            a[c][k] = a[pivot][k];
            a[pivot][k] = t;
        }
        for (int r = 0; r < TERMS; r++) {
            const double f = r == c ? 0 : a[r][c] / a[c][c];
            for (int k = c; k < TERMS + 2 && f != 0; k++)
                a[r][k] -= f * a[c][k];
        }
    }
    return true;
}

/* Least squares without vote `left_out` (n: with all). False: the places do not span the field. */
static bool fit_field(const field_fit *f, size_t left_out, tally_bend *out)
{
    double a[TERMS][TERMS + 2] = { { 0 } }, term[TERMS];
    for (size_t i = 0; i < f->n; i++) {
        const double w = i == left_out ? 0 : f->weight[i];
        terms_at(f->frame, f->left[i].at, term);
        for (int r = 0; r < TERMS; r++) {
            for (int k = 0; k < TERMS; k++)
                a[r][k] += w * term[r] * term[k];
            a[r][TERMS] += w * term[r] * f->left[i].off.x;
            a[r][TERMS + 1] += w * term[r] * f->left[i].off.y;
        }
    }
    if (!solve(a)) return false;
    *out = *f->frame;
    for (int r = 0; r < TERMS; r++) {
        out->x[r] = tally_round_to(a[r][TERMS] / a[r][r], 1 << 24);
        out->y[r] = tally_round_to(a[r][TERMS + 1] / a[r][r], 1 << 24);
    }
    return true;
}

static tally_bend frame_of(const tally_vote *v, size_t n)
{
    tally_bend f = { .low = { INFINITY, INFINITY }, .high = { -INFINITY, -INFINITY } };
    for (size_t i = 0; i < n; i++) {
        f.low = (tally_point) { fmin(f.low.x, v[i].at.x), fmin(f.low.y, v[i].at.y) };
        f.high = (tally_point) { fmax(f.high.x, v[i].at.x), fmax(f.high.y, v[i].at.y) };
    }
    f.middle = (tally_point) { (f.low.x + f.high.x) / 2, (f.low.y + f.high.y) / 2 };
    const double half = fmax(f.high.x - f.low.x, f.high.y - f.low.y) / 2;
    f.scale = half > 0 ? 1 / half : 0;
    return f;
}

void tally_votes_bend(const tally_vote *votes, size_t n, tally_point joint, const tally_affine *map,
                      tally_bend *bend, double *rmse_px)
{
    tally_vote left[MOST_VOTES];
    double weight[MOST_VOTES], plain = 0, bent = 0, sum = 0;
    const plane none = { 0 };
    *bend = (tally_bend) { 0 };
    if (n > MOST_VOTES) n = MOST_VOTES;
    if (n < LEAST_FOR_BEND) return;
    for (size_t i = 0; i < n; i++) {
        const tally_point at = votes[i].at, to = tally_affine_apply(map, at);
        left[i].at = at;
        left[i].off = (tally_point) { joint.x + votes[i].off.x - (to.x - at.x),
                                      joint.y + votes[i].off.y - (to.y - at.y) };
    }
    const tally_bend frame = frame_of(left, n);
    const field_fit f = { &frame, left, weight, n };
    trim(left, n, &none, weight);
    for (size_t i = 0; i < n; i++)
        sum += weight[i];
    if (sum < LEAST_FOR_BEND || frame.scale == 0) return;
    /* the affine map's own left-out error, by a plane through what it leaves over */
    for (size_t i = 0; i < n; i++) {
        tally_bend b;
        plane p;
        if (weight[i] == 0) continue;
        if (!fit_field(&f, i, &b) || !fit_plane(left, weight, n, i, AFFINE, &p)) return;
        const tally_point said = tally_bend_at(&b, left[i].at);
        const double m = miss(&p, &left[i]);
        plain += m * m;
        bent += (said.x - left[i].off.x) * (said.x - left[i].off.x) +
                (said.y - left[i].off.y) * (said.y - left[i].off.y);
    }
    if (!(sqrt(bent) < BEND_NEEDED * sqrt(plain))) return;
    if (fit_field(&f, n, bend))
        *rmse_px = tally_round_to(sqrt(bent / sum), 1024);
    else
        *bend = (tally_bend) { 0 };
}

/* The turn, scale and shift that take two votes along. False: they lie too close to each other to
 * tell. */
static bool through_two(const tally_vote *a, const tally_vote *b, plane *out)
{
    static const double APART_PX = 128;
    const double x = b->at.x - a->at.x, y = b->at.y - a->at.y, r2 = x * x + y * y;
    const double dx = b->off.x - a->off.x, dy = b->off.y - a->off.y;
    if (r2 < APART_PX * APART_PX) return false;
    const double scale = (x * dx + y * dy) / r2, turn = (x * dy - y * dx) / r2;
    *out = (plane) { .middle = a->at, .mean = a->off, scale, -turn, turn, scale };
    return is_small(out);
}

/* Weight 1 for votes near the plane; how many. */
static size_t side_with(const tally_vote *v, size_t n, const plane *p, double *weight)
{
    size_t agree = 0;
    for (size_t i = 0; i < n; i++) {
        weight[i] = miss(p, &v[i]) <= AGREE_PX;
        agree += weight[i] > 0;
    }
    return agree;
}

size_t tally_votes_agree(const tally_vote *votes, size_t n, tally_affine *out, double *rmse_px)
{
    double weight[MOST_VOTES];
    plane best = { 0 }, p;
    size_t most = 0;
    if (n > MOST_VOTES) n = MOST_VOTES;
    *rmse_px = NAN;
    for (size_t i = 0; i < n; i++)
        for (size_t k = i + 1; k < n; k++) {
            if (!through_two(&votes[i], &votes[k], &p)) continue;
            const size_t agree = side_with(votes, n, &p, weight);
            if (agree <= most) continue;
            most = agree;
            best = p;
        }
    if (most < 3) return 0;
    side_with(votes, n, &best, weight);
    if (!fit_plane(votes, weight, n, n, SIMILARITY, &p) || !is_small(&p)) return 0;
    *out = plane_map(&p, p.mean);
    *rmse_px = tally_round_to(left_out_error(votes, weight, n, SIMILARITY, TRUSTED), 1024);
    return most;
}

const char *tally_placement_model(const tally_placement *placement)
{
    const double *c = placement->residual.c;
    if (c[1] == 1 && c[5] == 1 && c[2] == 0 && c[4] == 0) return "translation";
    return c[1] == c[5] && c[2] == -c[4] ? "similarity" : "affine";
}
