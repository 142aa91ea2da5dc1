/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Is an image of the kind that radar makes? */
#ifndef TALLY_CHANGE_SPECKLE_H
#define TALLY_CHANGE_SPECKLE_H

#include "base/patch.h"

/* Speckle is found by the quietest ground of every brightness: collect the windows of patches, then
 * ask. */
typedef struct tally_speckle {
    size_t n, capacity;
    float *mean, *variation, *roughness; /* of windows of 8 x 8 pixels that are wholly seen; the
                                            last two as shares of the mean */
} tally_speckle;

tally_status tally_speckle_add(tally_speckle *s, const tally_patch *patch, int band,
                               tally_error *err) TALLY_MUST_CHECK;
/* Does the quietest ground vary as only speckle does? False for fewer than 64 windows. */
tally_status tally_speckle_found(const tally_speckle *s, bool *out,
                                 tally_error *err) TALLY_MUST_CHECK;
void tally_speckle_fini(tally_speckle *s);

#endif
