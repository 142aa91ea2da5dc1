/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a tie window becomes before it is correlated: the directions of its edges. */
#ifndef TALLY_ALIGN_EDGES_H
#define TALLY_ALIGN_EDGES_H

#include "base/patch.h"
#include "kernels/kernels.h"

enum { TALLY_EDGE_IMAGES = 4, TALLY_EDGE_SIDE = 256 /* the largest window */ };

/* How many images a window of so many bands becomes: two (right and down), or two times two. */
int tally_edge_images(int bands);
/* Ground (NULL: everywhere) that `a` and `b` (NULL: only `a`) show, one pixel away from what is
 * not: a gradient looks at its neighbours. All of one size, at most TALLY_EDGE_SIDE a side; `out`
 * is initialised. */
void tally_edge_usable(const tally_kernels *k, const tally_bits *ground, const tally_patch *a,
                       const tally_patch *b, tally_bits *out);
/* The weight of each pixel: fading over `taper` pixels to the border, 0 where it is not usable.
 * Returns their sum against that of a window of the same side that is usable throughout. */
float tally_edge_weights(const tally_bits *usable, int taper, float *weight);
/* What of the gradient goes into the images: its direction, or all of it (each band in its own
 * measure). */
typedef enum tally_edge_kind { TALLY_EDGE_DIRECTIONS, TALLY_EDGE_GRADIENTS } tally_edge_kind;
/* The images, width * height floats each, one after the other. */
void tally_edges(const tally_kernels *k, const tally_patch *p, const float *weight,
                 tally_edge_kind kind, float *out);

#endif
