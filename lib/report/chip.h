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

typedef struct tally_chip_settings {
    int bands[3];               /* shown as red, green, blue */
    int zoom;                   /* >= 1: repeats pixels */
    int shrink;                 /* >= 1: means of squares of so many pixels; one of the two is 1 */
    const tally_path *outlines; /* rings in patch pixels: what was counted, yellow */
    size_t n_outlines;
    const tally_path
        *zones; /* rings or lines in patch pixels, dotted; lines on the empty place only */
    size_t n_zones;
    int zones_are_lines; /* do not close them */
} tally_chip_settings;

/*
 * Shapes: `scene` and `empty` have one size; empty may be NULL or have no pixels (then the scene
 * stands alone). Wide places are put one above the other, others side by side, four pixels apart.
 * Colour: one stretch for both, so that they can be compared by eye: from the 1st to the 99.5th
 * percentile of the scene, but no wider than three times that of the empty place, so that a cloud
 * does not leave the ground black. Not seen is magenta-grey hatching, never black.
 * Owns:   the caller frees out->rgb with tally_free.
 */
tally_status tally_chip_draw(const tally_patch *scene, const tally_patch *empty,
                             const tally_chip_settings *settings, tally_chip *out,
                             tally_error *err) TALLY_MUST_CHECK;

#endif
