/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One slice across neighbouring tracks: how well each pattern of wagons explains it. */
#ifndef TALLY_COUNT_RAIL_SLICE_H
#define TALLY_COUNT_RAIL_SLICE_H

#include "count/rail_frame.h"

/* Bare ground of a unit: n_pixels of its frame. */
typedef struct tally_rail_ground {
    int bands, n;
    float *level;                      /* bands x n; above 0 */
    float *doubt;                      /* its variance, in units of the usual noise's; >= 1 */
    float *usual[TALLY_TRACKS_A_UNIT]; /* per column of each track: the share of dates occupied */
} tally_rail_ground;
tally_status tally_rail_ground_init(const tally_rail_frame *frame, int bands,
                                    tally_rail_ground *out, tally_error *err) TALLY_MUST_CHECK;
void tally_rail_ground_fini(tally_rail_ground *ground);

/* One scene as it lies on the frame. */
typedef struct tally_rail_look {
    const tally_patch *patch; /* of the frame's box */
    tally_point shadow, lean; /* grid px from a wagon's foot to where the shadow of its roof, and
                                 where its roof itself, is seen; 0: none or not known */
    bool sun;
    tally_rail_shade shade;
    double scale[TALLY_RAIL_BANDS]; /* brings the scene to the ground's light */
    float *light;                   /* bands x slices: what is left of that, of 1 */
    double light_sd;                /* how far that may be off */
    float *uneven;                  /* per slice: how far more, where light changes along */
    double noise[TALLY_RAIL_BANDS]; /* of mixtures of bands: see rail_slice.c */
    uint8_t *hidden;                /* n_pixels: cloud, or not seen */
} tally_rail_look;

/* The usual noise of bare ground: of the mean of bands, and of their differences. */
double tally_rail_usual_noise(int mixture);

/* The best pattern's light and left-overs. */
typedef struct tally_rail_slice_fit {
    bool any;
    double light[TALLY_RAIL_BANDS]; /* by band, to be multiplied onto look->light */
} tally_rail_slice_fit;

/*
 * Natural logarithm of the likelihood of a slice, for each pattern of its tracks (bit i: a wagon
 * stands on track i); other patterns: -INFINITY. fit may be NULL; left_over (bands x n_pixels,
 * mixtures, standardised for the pixel) is written where the slice has pixels.
 */
void tally_rail_slice_odds(const tally_rail_frame *frame, const tally_rail_ground *ground,
                           const tally_rail_look *look, int slice, double odds[TALLY_RAIL_PATTERNS],
                           tally_rail_slice_fit *fit, float *left_over);

#endif
