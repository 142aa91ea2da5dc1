/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * From slots to boxes. A block is an even mixture of stacks of a to b tiers, 1 <= a <= b <= 6, all
 * such mixtures alike before anything was seen. What a shadow shows is the farthest of the front
 * row's and of the rows' behind, each set back by `steps` tiers; the chance of what was measured
 * under each mixture, by Bayes' rule, gives the mean height and its doubt. So three heights of one
 * tier in forty slots leave more open than twenty do.
 *
 * Forty-foot boxes are one box on two slots. Neighbours in a row are one box where their roofs are
 * of one colour and no gap darkens the joint.
 *
 * Where no shadow can be read the range is stated: one to five tiers, and one to two slots a box;
 * the best value is the geometric middle of the tiers, since footprint alone leaves a factor of
 * four and more open.
 *
 * Known failures: the edge of a block stands for its inside; blocks that are stepped down toward
 * the edge are undercounted. Roofs of one owner that touch are taken for one box.
 *
 * Constants: tiers to 6 (a reach stacker's reach is 5, a gantry's 6); 5 in the stated range. Gap
 * and step of colour by eye on drawn scenes at 0.5 m.
 */
#include <math.h>
#include <string.h>

#include "base/base.h"
#include "count/yard_tiers.h"

#define TIERS_MOST   6
#define TIERS_RANGE  5.0
#define GRID         0.05 /* tiers */
#define GRID_N       180
#define STEP_MOST    0.12f /* log, in any band: roofs of one colour */
#define GAP_LEAST    0.14f /* log, mean of bands: darker than this a joint is a gap */
#define PAIR_MOST_M  7.0   /* between the middles of the halves of a box */
#define PAIR_LEAST_M 5.6
#define PAIR_OFF_M   0.6
#define EDGE_SIGMA   0.08      /* share by which the edge of a block differs from its inside */
#define SHARE_USUAL  (2.0 / 3) /* as many of forty feet as of twenty */
#define SHARE_SIGMA  0.12

/* Chance that a stack of the mixture is at most so high. */
static double at_most(double tiers, int a, int b)
{
    const double whole = floor(tiers + 1e-9);
    if (whole < a) return 0;
    return whole >= b ? 1 : (whole - a + 1) / (b - a + 1);
}

/* Likelihood of one height under a mixture: what reaches farthest, blurred by the error. */
static double likelihood(const tally_yard_height *h, double sigma, int a, int b)
{
    double before = 0, sum = 0;

    for (int i = 0; i < GRID_N; i++) {
        const double tiers = (i + 0.5) * GRID;
        double below = at_most(tiers, a, b);
        for (int row = 1; row <= h->behind; row++)
            below *= at_most(tiers + row * h->steps, a, b);
        const double z = (h->tiers - tiers) / sigma;
        sum += (below - before) * exp(-0.5 * z * z);
        before = below;
    }
    return sum + 1e-4; /* a height may be plainly wrong */
}

/* Mean tiers of a stack and its standard error. */
static void mean_tiers(const tally_yard_heights *heights, double *mean, double *sigma)
{
    double logs[TIERS_MOST * TIERS_MOST], best = -INFINITY, total = 0, sum = 0, squares = 0;
    int n = 0;

    for (int a = 1; a <= TIERS_MOST; a++)
        for (int b = a; b <= TIERS_MOST; b++, n++) {
            logs[n] = 0;
            for (size_t i = 0; i < heights->n; i++)
                logs[n] += log(likelihood(&heights->heights[i], heights->sigma, a, b));
            best = fmax(best, logs[n]);
        }
    n = 0;
    for (int a = 1; a <= TIERS_MOST; a++)
        for (int b = a; b <= TIERS_MOST; b++, n++) {
            const double weight = exp(logs[n] - best), tiers = (a + b) / 2.0;
            total += weight;
            sum += weight * tiers;
            squares += weight * tiers * tiers;
        }
    *mean = sum / total;
    *sigma = sqrt(fmax(0, squares / total - *mean * *mean));
}

tally_boxes tally_yard_count_boxes(double slots, double slots_low, double slots_high, double share,
                                   double share_sigma, const tally_yard_heights *heights)
{
    tally_boxes boxes = { .basis = heights->n ? TALLY_BOXES_SHADOW : TALLY_BOXES_RANGE };

    if (!heights->n) {
        boxes.best = round(slots * share * sqrt(TIERS_RANGE));
        boxes.low = floor(fmin(slots_low * 0.5, boxes.best));
        boxes.high = ceil(fmax(slots_high * TIERS_RANGE, boxes.best));
        return boxes;
    }
    double tiers, sigma;
    mean_tiers(heights, &tiers, &sigma);
    const double each = hypot(hypot(sigma / tiers, EDGE_SIGMA),
                              hypot(heights->relative, share_sigma / fmax(share, 0.5)));
    const double below = slots > 0 ? (slots - slots_low) / 1.96 / slots : 0;
    const double above = slots > 0 ? (slots_high - slots) / 1.96 / slots : 0;
    const double best = slots * tiers * share;
    boxes.best = round(best);
    boxes.low = floor(fmax(slots_low * 0.5, best * (1 - 1.96 * hypot(each, below))));
    boxes.low = fmax(0, fmin(boxes.low, boxes.best));
    boxes.high = ceil(fmax(boxes.best, best * (1 + 1.96 * hypot(each, above))));
    boxes.high = fmax(boxes.high, slots_high); /* where none or few stand there may be more */
    return boxes;
}

/* Mean over the roof's width of each band at `along` metres from a place on the row. */
static bool across_mean(const tally_patch *ratio, const tally_yard_slot *slot, tally_point at,
                        double along, double gsd_m, float *out)
{
    int n = 0;

    memset(out, 0, 8 * sizeof *out);
    for (double off = -0.75; off < 0.8; off += 0.25) {
        const int x = (int)floor(at.x + (along * slot->ux - off * slot->uy) / gsd_m);
        const int y = (int)floor(at.y + (along * slot->uy + off * slot->ux) / gsd_m);
        if (x < 0 || y < 0 || x >= ratio->width || y >= ratio->height ||
            !tally_bits_get(&ratio->valid, x, y))
            continue;
        for (int b = 0; b < ratio->bands; b++)
            out[b] += tally_patch_row(ratio, b, y)[x];
        n++;
    }
    for (int b = 0; b < ratio->bands && n; b++)
        out[b] /= (float)n;
    return n >= 4;
}

/* Do two neighbouring slots carry one box? */
static bool is_one_box(const tally_patch *ratio, const tally_yard_slot *a, const tally_yard_slot *b,
                       double gsd_m)
{
    const tally_point joint = { (a->centre.x + b->centre.x) / 2, (a->centre.y + b->centre.y) / 2 };
    float left[8] = { 0 }, right[8] = { 0 }, v[8], gap = 0, roof = 0;

    for (int side = -1; side <= 1; side += 2)
        for (int k = 0; k < 6; k++) {
            float *sum = side < 0 ? left : right;
            if (!across_mean(ratio, a, joint, side * (1.2 + 0.25 * k), gsd_m, v)) return false;
            for (int i = 0; i < ratio->bands; i++)
                sum[i] += v[i] / 6;
        }
    for (int i = 0; i < ratio->bands; i++) {
        if (fabsf(left[i] - right[i]) > STEP_MOST) return false;
        roof += (left[i] + right[i]) / 2 / (float)ratio->bands;
    }
    for (int k = -3; k <= 3; k++) {
        float mean = 0;
        if (!across_mean(ratio, a, joint, 0.25 * k, gsd_m, v)) return false;
        for (int i = 0; i < ratio->bands; i++)
            mean += v[i] / (float)ratio->bands;
        gap = fminf(gap, mean - roof);
    }
    return gap > -GAP_LEAST;
}

void tally_yard_boxes_per_slot(const tally_patch *ratio, const tally_yard_slots *slots,
                               double gsd_m, double *share, double *sigma)
{
    size_t pairs = 0;

    *share = SHARE_USUAL;
    *sigma = SHARE_SIGMA;
    if (!ratio || slots->n == 0) return;
    /* a row's slots follow one another in the list, but from its far end or its near one */
    for (size_t i = 0; i + 1 < slots->n; i++) {
        const tally_yard_slot *a = &slots->slots[i], *b = &slots->slots[i + 1];
        const double dx = (b->centre.x - a->centre.x) * gsd_m;
        const double dy = (b->centre.y - a->centre.y) * gsd_m;
        const double along = fabs(dx * a->ux + dy * a->uy);
        if (along < PAIR_LEAST_M || along > PAIR_MOST_M ||
            fabs(dy * a->ux - dx * a->uy) > PAIR_OFF_M || !is_one_box(ratio, a, b, gsd_m))
            continue;
        pairs++;
        i++; /* each slot belongs to one box */
    }
    *share = 1 - (double)pairs / (double)slots->n;
    *sigma = SHARE_SIGMA / 2;
}
