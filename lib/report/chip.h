/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A picture of a place on a date: what the scene shows, outlined, beside the same place when empty.
 */
#ifndef TALLY_REPORT_CHIP_H
#define TALLY_REPORT_CHIP_H

#include "base/geometry.h"

typedef struct tally_chip {
    int width, height;
    unsigned char *rgb; /* 3 x width x height, interleaved */
} tally_chip;

/*
 * Shapes:  `scene` and `empty` have one size; empty may be NULL or have no pixels (then the scene
 * stands alone). Wide places are put one above the other, others side by side, four pixels apart.
 * `zoom` >= 1 repeats pixels. bands:   which bands are shown as red, green, blue. Colour:  one
 * stretch for both, from the 1st to the 99.5th percentile of the scene, so that they can be
 * compared by eye. Not seen is magenta-grey hatching, never black. outlines: rings in patch pixels,
 * drawn on the scene in yellow. Owns:    the caller frees out->rgb with tally_free.
 */
tally_status tally_chip_draw(const tally_patch *scene, const tally_patch *empty, const int bands[3],
                             const tally_path *outlines, size_t n_outlines, int zoom,
                             tally_chip *out, tally_error *err) TALLY_MUST_CHECK;

#endif
