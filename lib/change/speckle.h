/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Is an image of the kind that radar makes? */
#ifndef TALLY_CHANGE_SPECKLE_H
#define TALLY_CHANGE_SPECKLE_H

#include "base/patch.h"

/* Speckle is found by the quietest ground of every brightness: collect the windows of patches, then
 * ask. */
typedef struct tally_speckle {
    size_t n, capacity;
    float *mean, *deviation; /* of windows of 8 x 8 pixels that are wholly seen */
} tally_speckle;

tally_status tally_speckle_add(tally_speckle *s, const tally_patch *patch, int band,
                               tally_error *err) TALLY_MUST_CHECK;
/* The least share of the level that the quietest quarter of windows varies by, over eight classes
 * of brightness; NAN: fewer than 64 windows to tell by. */
double tally_speckle_quietest(tally_speckle *s);
/* Whether such a share is one that only speckle leaves. */
bool tally_speckle_is(double quietest);
void tally_speckle_fini(tally_speckle *s);

#endif
