/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Mask files beside a tile: Planet's udm2 (1 or 8 bands) and STEM_mask. */
#ifndef TALLY_SCENE_MASK_H
#define TALLY_SCENE_MASK_H

#include "scene/scene.h"

/* As dark as JPEG leaves what was black: its ringing stays below this in 8 bits (seen on pictures
 * of quality 50). */
#define TALLY_BORDER_BLACK 8

/* An open mask file. Stays on one thread. Its grid may differ from the tile's, its CRS may not. */
typedef struct tally_mask tally_mask;
tally_status tally_mask_open(const tally_tile *tile, tally_mask **out,
                             tally_error *err) TALLY_MUST_CHECK;
void tally_mask_close(tally_mask **mask);
/* Clear the bits of what is not usable in `part` of the tile, which lies at (dx, dy) of `valid`. */
tally_status tally_mask_apply(tally_mask *mask, tally_box part, int dx, int dy, tally_bits *valid,
                              tally_error *err) TALLY_MUST_CHECK;

#endif
