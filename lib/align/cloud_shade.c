/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The shadows that a scene's clouds cast.
 *
 * A cloud's shadow has the cloud's shape and lies away from the sun, the farther the higher the
 * cloud (Zhu and Woodcock 2012, doi:10.1016/j.rse.2011.10.028, match clouds and shadows by shape
 * over a range of heights). So the whole mask is moved along the sun's azimuth by base heights of
 * 100 m (fog, low stratus) to 6 km; the height at which most of the land that it then covers is
 * dark in every band, and darker than the rest of the scene, is taken, and what is dark there is
 * not seen.
 *
 * Known failures: a shadow whose cloud lies outside of the frame is left to the counters' own
 * light; clouds of two layers get one height; an oblique view moves the cloud along the line of
 * sight as well, which is not undone; on water nothing is looked for.
 */
#include "align/cloud.h"

#include <math.h>

static const double LOWEST_M = 100, HIGHEST_M = 6000;
static const float DARK = -0.15f; /* every band, of the ground's level: direct sun is most of it */
static const double MOST_DARK = 0.7,
                    CONTRAST = 0.3;  /* share that is dark; above the rest's share */
static const double LEAST_M2 = 3200; /* of land under the shadow, to judge by */
enum { RIM = 2 };                    /* cells beyond the moved mask */

static bool is_land(const tally_ground *g, const tally_cloud_evidence *e, int x, int y)
{
    return tally_bits_get(&e->excess.valid, x, y) && !tally_bits_get(&g->water, x, y);
}

static bool is_dark(const tally_cloud_evidence *e, int x, int y)
{
    for (int b = 0; b < e->excess.bands; b++)
        if (!(tally_patch_row(&e->excess, b, y)[x] < DARK)) return false;
    return true;
}

static bool is_set(const tally_bits *bits, int x, int y)
{
    return x >= 0 && y >= 0 && x < bits->width && y < bits->height && tally_bits_get(bits, x, y);
}

/* How well the mask moved by (dx, dy) cells fits what is dark; 0: not at all. */
static double fit(const tally_ground *g, const tally_cloud_evidence *e, const tally_bits *mask,
                  int dx, int dy)
{
    double covered = 0, hit = 0, rest = 0, dark = 0;
    for (int y = 0; y < mask->height; y++)
        for (int x = 0; x < mask->width; x++) {
            if (!is_land(g, e, x, y) || tally_bits_get(mask, x, y)) continue;
            const bool under = is_set(mask, x - dx, y - dy), is = is_dark(e, x, y);
            covered += under;
            hit += under && is;
            rest += !under;
            dark += !under && is;
        }
    if (covered * g->cell_m * g->cell_m < LEAST_M2 || hit < MOST_DARK * covered) return 0;
    const double contrast = hit / covered - (rest > 0 ? dark / rest : 0);
    return contrast > CONTRAST ? hit * contrast : 0;
}

static tally_status add_shadow(const tally_cloud_evidence *e, int dx, int dy, tally_bits *mask,
                               tally_error *err)
{
    tally_bits shadow;
    tally_status s = tally_bits_init(&shadow, mask->width, mask->height, err);
    if (s != TALLY_OK) return s;
    for (int y = 0; y < mask->height; y++)
        for (int x = 0; x < mask->width; x++) {
            bool near = false;
            if (!tally_bits_get(&e->excess.valid, x, y) || !is_dark(e, x, y)) continue;
            for (int v = y - dy - RIM; v <= y - dy + RIM && !near; v++)
                for (int u = x - dx - RIM; u <= x - dx + RIM && !near; u++)
                    near = is_set(mask, u, v);
            if (near) tally_bits_set(&shadow, x, y);
        }
    for (size_t i = 0; i < mask->words * (size_t)mask->height; i++)
        mask->bits[i] |= shadow.bits[i];
    tally_bits_fini(&shadow);
    return TALLY_OK;
}

tally_status tally_cloud_shade(const tally_ground *g, const tally_cloud_evidence *e,
                               const tally_cloud_facts *facts, tally_bits *mask, tally_error *err)
{
    const double reach = tan(facts->sun_elevation * M_PI / 180);
    const double away = (facts->sun_azimuth + 180) * M_PI / 180;
    const double farthest = hypot(mask->width, mask->height);
    double best = 0;
    int best_x = 0, best_y = 0;
    if (!(reach > 0.05) || !isfinite(away) || tally_bits_count(mask) == 0) return TALLY_OK;
    for (double d = LOWEST_M / reach / g->cell_m; d < HIGHEST_M / reach / g->cell_m && d < farthest;
         d++) {
        const int dx = (int)lround(d * sin(away)), dy = (int)lround(-d * cos(away));
        const double f = fit(g, e, mask, dx, dy);
        if (f > best) {
            best = f;
            best_x = dx;
            best_y = dy;
        }
    }
    return best > 0 ? add_shadow(e, best_x, best_y, mask, err) : TALLY_OK;
}
