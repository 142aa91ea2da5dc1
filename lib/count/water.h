/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What water looks like in one scene: its colours lie along one line, from dark to ice or haze. */
#ifndef TALLY_COUNT_WATER_H
#define TALLY_COUNT_WATER_H

#include "base/patch.h"

#define TALLY_WATER_BANDS 8
#define TALLY_WATER_BINS  48

/* Colours of water, band by band (planes of n values), picked by the caller. */
typedef struct tally_water_sample {
    float *values[TALLY_WATER_BANDS];
    size_t n, capacity;
    float pixel_m2; /* ground that each value stands for; 0: not known */
    int bands;
} tally_water_sample;
tally_status tally_water_sample_init(tally_water_sample *sample, int bands, size_t capacity,
                                     tally_error *err) TALLY_MUST_CHECK;
void tally_water_sample_fini(tally_water_sample *sample);
/* Every `step`-th pixel across and down that is valid and in `where`, as long as there is room. */
void tally_water_sample_add(tally_water_sample *sample, const tally_patch *patch,
                            const tally_bits *where, int step);

typedef struct tally_water {
    int bands;
    float mean[TALLY_WATER_BANDS], scale[TALLY_WATER_BANDS]; /* the dark core */
    float axis[TALLY_WATER_BANDS]; /* unit vector in scaled colours: toward ice, haze, glint */
    bool known[TALLY_WATER_BINS];  /* water was seen this far along the axis */
    float centre[TALLY_WATER_BINS][TALLY_WATER_BANDS];
    float sigma[TALLY_WATER_BINS][TALLY_WATER_BANDS];
} tally_water;

/* Whether the sample is open water, or berths in which vessels may fill much of what is sampled. */
typedef enum tally_water_from { TALLY_WATER_OPEN, TALLY_WATER_BERTHS } tally_water_from;

/*
 * Learn from at least 200 pixels. dark_band: where water is darkest (near infrared, else red). The
 * sample stays as it is. TALLY_E_NODATA: too few.
 */
tally_status tally_water_learn(tally_water *water, const tally_water_sample *sample, int dark_band,
                               tally_water_from from, tally_error *err) TALLY_MUST_CHECK;
/* How far each pixel is from water, in sigmas; 0 for what is darker than water in every band
 * (shadow) and where nothing is seen. One band, initialised here. */
tally_status tally_water_distance(const tally_water *water, const tally_patch *patch,
                                  tally_patch *out, tally_error *err) TALLY_MUST_CHECK;

#endif
