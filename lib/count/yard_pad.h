/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The empty pad of a yard, learned from scenes none of which need show it empty. */
#ifndef TALLY_COUNT_YARD_PAD_H
#define TALLY_COUNT_YARD_PAD_H

#include "base/patch.h"
#include "count/yard_light.h"
#include "kernels/kernels.h"

#define TALLY_LESSON_SCENES 64 /* whose levels are kept; the counter's contract gives no more */

/* Sums over scenes, by pixel; memory does not grow with their number. */
typedef struct tally_yard_lesson {
    tally_patch like;  /* by band: log of pixel over the scene's pad, weighted by how like bare pad
                          it looks; then the weights */
    tally_patch plain; /* by band the same without weights; by band its squares; then how many */
    float levels[8][TALLY_LESSON_SCENES];
    size_t n;
    tally_yard_peaks peaks;
} tally_yard_lesson;

tally_status tally_yard_lesson_init(tally_yard_lesson *lesson, int width, int height, int bands,
                                    tally_error *err) TALLY_MUST_CHECK;
void tally_yard_lesson_fini(tally_yard_lesson *lesson);
/* A look ahead at the scenes, before the first is added: where the pad's level lies on most. Only
 * scenes on the stack's radiometry. */
tally_status tally_yard_lesson_look(tally_yard_lesson *lesson, const tally_patch *scene,
                                    const tally_bits *zone, tally_error *err) TALLY_MUST_CHECK;
/* One scene more; own: not on the stack's radiometry. One without enough pixels of `near` to tell
 * its light is passed over. */
tally_status tally_yard_lesson_add(tally_yard_lesson *lesson, const tally_patch *scene,
                                   const tally_bits *zone, const tally_bits *near, bool own,
                                   double gsd_m, tally_error *err) TALLY_MUST_CHECK;
/*
 * What was learned. pad: bands of the scenes, log of the pad over its level; and one band more: 1
 * where it was never seen empty. level: by band, the middle of the scenes'. False in found: no
 * scene told.
 */
tally_status tally_yard_lesson_end(const tally_kernels *k, tally_yard_lesson *lesson,
                                   const tally_bits *zone, double gsd_m, tally_patch *pad,
                                   float level[8], bool *found, tally_error *err) TALLY_MUST_CHECK;

#endif
