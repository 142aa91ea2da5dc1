/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tiers from shadows. From the edge of a stack on the side away from the sun rays go out along the
 * shadow: out of the box, through the dark, to where the sun is back. Let e be the sun's elevation,
 * s the unit vector away from it, n the normal of the edge, t the angle off nadir, and w the unit
 * vector away from the sensor. The shadow's tip is the roof's edge moved by h cot(e) s; the roof
 * itself appears moved by h tan(t) w. So along s the dark between roof and tip is
 *
 *     L = h (cot(e) - tan(t) (w.n) / (s.n)),
 *
 * which is h = w / (|cos a| cot e - |cos b| cot v) of the literature on building heights, derived
 * here for a straight wall. Where the sensor looks at the shaded wall (w.n < 0) the wall may pass
 * for box or for shadow: both readings are kept, as doubt.
 *
 * Only shadow that ends on bare ground is taken; what ends on another box, on the edge of what was
 * seen or in something else tells nothing. The shadow at a place is that of whatever reaches
 * farthest, so a higher row behind hides the height of the front row: how far back the rows stand
 * is kept beside each height and undone where boxes are counted (yard_boxes.c).
 *
 * Known failures: high-cube boxes (2.896 m) are counted as 1.12 tiers; a fence or lorry in the
 * shadow lengthens it; boxes that float on a chassis; slopes.
 *
 * Constants: an edge is known to 0.7 pixel and 0.15 m (half contrast of a blurred edge); a tier
 * must cast 1.5 pixels; five rays of seven must agree that there is an end.
 */
#include "count/yard_tiers.h"

#include <math.h>

#include "base/base.h"

#define RADIANS    (3.14159265358979323846 / 180)
#define RAYS       7
#define RAYS_MIN   3
#define RAY_PITCH  0.7 /* m along the edge */
#define INSIDE_M   0.9 /* rays begin so far inside of the edge */
#define EDGE_MOST  1.3 /* m that evidence may reach beyond the slot laid */
#define LONGEST_M  60.0
#define LIT        0.5f /* half of the sun: where a shadow ends */
#define DARK       0.35f
#define OTHER      2.0f /* times the threshold: surely no ground, after the edge */
#define FACING     0.35 /* s.n: below it the shadow grazes along the wall */
#define TIER_PX    1.5  /* least shadow of one tier, pixels */
#define EDGE_PX    0.7
#define EDGE_M     0.15
#define GSD_MOST   0.65
#define ROW_M      2.75
#define VIEW_DOUBT 0.09 /* tan(t) where it is not known: 5 degrees */

typedef struct ray {
    const tally_patch *distance;
    const tally_bits *seen;
    double gsd_m, sx, sy; /* unit vector away from the sun, pixels */
    float least;
} ray;

/* Both bands between pixels; false outside of what was seen. */
static bool look(const ray *r, double x, double y, float out[2])
{
    const int x0 = (int)floor(x - 0.5), y0 = (int)floor(y - 0.5);
    const float fx = (float)(x - 0.5 - x0), fy = (float)(y - 0.5 - y0);

    out[0] = out[1] = 0;
    if (x0 < 0 || y0 < 0 || x0 + 1 >= r->distance->width || y0 + 1 >= r->distance->height)
        return false;
    for (int j = 0; j < 2; j++)
        for (int i = 0; i < 2; i++) {
            const float w = (i ? fx : 1 - fx) * (j ? fy : 1 - fy);
            if (!tally_bits_get(r->seen, x0 + i, y0 + j)) return false;
            for (int b = 0; b < 2; b++)
                out[b] += w * tally_patch_row(r->distance, b, y0 + j)[x0 + i];
        }
    return true;
}

/* Length of the dark along one ray from (x, y) on a slot's edge; NaN: it has no end to be seen. */
static double follow(const ray *r, double x, double y)
{
    const double step = 0.5 * r->gsd_m;
    double edge = NAN, last = -INSIDE_M;
    float before = 0;
    bool box = false;

    for (double at = -INSIDE_M; at < LONGEST_M; at += step) {
        float v[2];
        if (!look(r, x + at * r->sx / r->gsd_m, y + at * r->sy / r->gsd_m, v)) return NAN;
        if (!isfinite(edge)) { /* still on the box */
            if (at > EDGE_MOST) return NAN;
            box = box || v[0] >= r->least;
            if (box && v[0] < r->least) {
                edge = last + (at - last) * (double)((before - r->least) / (before - v[0] + 1e-6f));
                before = 0;
            } else {
                before = v[0];
            }
        } else if (v[0] >= OTHER * r->least && at > edge + r->gsd_m) {
            return NAN; /* another thing lies in the shadow */
        } else if (v[1] >= LIT && at > edge + 1.5 * r->gsd_m) {
            if (before >= LIT) return NAN; /* never dark */
            return last + (at - last) * (double)((LIT - before) / (v[1] - before + 1e-6f));
        } else {
            before = v[1];
        }
        last = at;
    }
    return NAN;
}

static int by_value(double *v, int n)
{
    for (int i = 1; i < n; i++) /* few: insertion */
        for (int j = i; j > 0 && v[j] < v[j - 1]; j--) {
            const double t = v[j];
            v[j] = v[j - 1];
            v[j - 1] = t;
        }
    return n;
}

/* Is there a slot at this place? */
static bool any_slot_at(const tally_yard_slots *slots, double x, double y, double gsd_m)
{
    for (size_t i = 0; i < slots->n; i++) {
        const tally_yard_slot *s = &slots->slots[i];
        const double dx = (x - s->centre.x) * gsd_m, dy = (y - s->centre.y) * gsd_m;
        if (fabs(dx * s->ux + dy * s->uy) < TALLY_SLOT_LENGTH_M / 2 + 0.3 &&
            fabs(dy * s->ux - dx * s->uy) < TALLY_SLOT_WIDTH_M / 2 + 0.2)
            return true;
    }
    return false;
}

static int rows_behind(const tally_yard_slots *slots, const tally_yard_slot *slot, const ray *r,
                       double facing)
{
    const double pitch = ROW_M / facing / r->gsd_m;
    int rows = 0;

    while (rows < 8 && any_slot_at(slots, slot->centre.x - (rows + 1) * pitch * r->sx,
                                   slot->centre.y - (rows + 1) * pitch * r->sy, r->gsd_m))
        rows++;
    return rows;
}

/* Metres of dark along s for each metre of height, at a wall with this normal. doubt: one sigma. */
static double dark_per_metre(const tally_yard_angles *a, double nx, double ny, double facing,
                             double *doubt)
{
    const double cot = 1 / tan(a->sun_elevation * RADIANS);

    if (!isfinite(a->off_nadir) || !isfinite(a->view_azimuth)) {
        *doubt = (isfinite(a->off_nadir) ? tan(fabs(a->off_nadir) * RADIANS) : VIEW_DOUBT) / facing;
        return cot;
    }
    const double wx = -sin(a->view_azimuth * RADIANS), wy = cos(a->view_azimuth * RADIANS);
    const double lean = tan(a->off_nadir * RADIANS) * (wx * nx + wy * ny) / facing;
    *doubt = lean < 0 ? -lean / sqrt(12.0) : 0;
    return lean < 0 ? cot - lean / 2 : cot - lean;
}

/* The dark beside one slot's long edge; NaN: not to be had. */
static double dark_beside(const ray *r, const tally_yard_slot *slot, double nx, double ny)
{
    double lengths[RAYS];
    int n = 0;

    for (int k = 0; k < RAYS; k++) {
        const double along = (k - (RAYS - 1) / 2.0) * RAY_PITCH;
        const double x =
            slot->centre.x + (along * slot->ux + TALLY_SLOT_WIDTH_M / 2 * nx) / r->gsd_m;
        const double y =
            slot->centre.y + (along * slot->uy + TALLY_SLOT_WIDTH_M / 2 * ny) / r->gsd_m;
        const double length = follow(r, x, y);
        if (isfinite(length)) lengths[n++] = length;
    }
    return n < RAYS_MIN ? NAN : lengths[by_value(lengths, n) / 2];
}

tally_status tally_yard_measure_heights(const tally_patch *distance, const tally_bits *seen,
                                        const tally_yard_slots *slots,
                                        const tally_yard_angles *angles, double gsd_m, float least,
                                        tally_yard_heights *out, tally_error *err)
{
    const ray r = { .distance = distance,
                    .seen = seen,
                    .gsd_m = gsd_m,
                    .sx = -sin(angles->sun_azimuth * RADIANS),
                    .sy = cos(angles->sun_azimuth * RADIANS),
                    .least = least };

    *out = (tally_yard_heights) { 0 };
    if (slots->n == 0 || gsd_m > GSD_MOST || !isfinite(angles->sun_azimuth) ||
        !(angles->sun_elevation > 5 && angles->sun_elevation < 85))
        return TALLY_OK;
    /* all slots lie along one axis, so the wall and its shadow are the same for all */
    const tally_yard_slot *first = &slots->slots[0];
    const double across = -first->uy * r.sx + first->ux * r.sy;
    const double nx = across > 0 ? -first->uy : first->uy, ny = across > 0 ? first->ux : -first->ux;
    const double facing = fabs(across);
    double doubt;
    if (facing < FACING) return TALLY_OK;
    const double per_tier = TALLY_TIER_M * dark_per_metre(angles, nx, ny, facing, &doubt);
    if (!(per_tier >= TIER_PX * gsd_m)) return TALLY_OK;
    out->heights = tally_alloc(slots->n, sizeof *out->heights);
    if (!out->heights) return tally_nomem(err, "the heights of a yard");
    out->sigma = hypot(hypot(EDGE_PX * gsd_m, EDGE_M) / per_tier, 0.15);
    out->relative = doubt * TALLY_TIER_M / per_tier;
    for (size_t i = 0; i < slots->n; i++) {
        const double dark = dark_beside(&r, &slots->slots[i], nx, ny);
        if (!isfinite(dark)) continue;
        out->heights[out->n++] = (tally_yard_height) {
            .tiers = dark / per_tier,
            .steps = ROW_M / facing / per_tier,
            .behind = rows_behind(slots, &slots->slots[i], &r, facing),
        };
    }
    return TALLY_OK;
}

void tally_yard_heights_fini(tally_yard_heights *heights)
{
    tally_free(heights->heights);
    *heights = (tally_yard_heights) { 0 };
}
