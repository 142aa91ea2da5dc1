/* SPDX-License-Identifier: GPL-3.0-or-later */
/* How a yard is lit: the level of its pad, the colour of shadow on it, and what is neither. */
#ifndef TALLY_COUNT_YARD_LIGHT_H
#define TALLY_COUNT_YARD_LIGHT_H

#include "base/patch.h"

typedef struct tally_yard_light {
    float level[8];    /* the sunlit pad, units of the scene, by band */
    float texture;     /* of the pad, log: what is left of it in pixels of this size */
    float shade[8];    /* log of (pad in shadow / pad in the sun), by band */
    bool found;        /* false: too few pixels to tell */
    float line[11][8]; /* log of the pad from full shadow to full sun, made from shade */
} tally_yard_light;

/*
 * Logarithm of scene over pad: ratio is initialised here with the scene's bands and validity. pad:
 * log of each pixel of the empty pad over the pad's own level (first bands of the patch), or NULL:
 * an even pad. expected: what the pad's level should be like, logarithms by band, or NULL. The
 * level is taken from the pixels of `zone`, from those of `near` where it has too few.
 */
tally_status tally_yard_ratio(const tally_patch *scene, const tally_patch *pad,
                              const float *expected, const tally_bits *zone, const tally_bits *near,
                              double gsd_m, tally_yard_light *light, tally_patch *ratio,
                              tally_error *err) TALLY_MUST_CHECK;
/* Brightness over several scenes, mean over bands of the logarithm: where the pad's peak lies. */
typedef struct tally_yard_peaks {
    double share[256];     /* summed over scenes, each scene's own peak cut off */
    double colour[8][256]; /* by band: sums of logarithms, each with its pixel's share */
    double weight[256];    /* those shares */
    float low;             /* of the first bin */
    int n;
} tally_yard_peaks;

tally_status tally_yard_peaks_add(tally_yard_peaks *peaks, const tally_patch *scene,
                                  const tally_bits *zone, tally_error *err) TALLY_MUST_CHECK;
/* The pad's level, logarithms by band. False: no scene told. */
bool tally_yard_peaks_expect(const tally_yard_peaks *peaks, int bands, float expected[8]);
/* The colour of shadow in this scene, from the dark pixels of `near`; a usual one where there are
 * too few. */
tally_status tally_yard_shade(const tally_patch *ratio, const tally_bits *near,
                              tally_yard_light *light, tally_error *err) TALLY_MUST_CHECK;
/*
 * How unlike bare pad, from full sun to full shadow, a pixel is: squared distance in units of
 * noise, per band. lit: 0 in shadow to 1 in the sun, of the nearest point of that line.
 */
float tally_yard_distance(const float *ratio, int bands, const tally_yard_light *light, float *lit);

#endif
