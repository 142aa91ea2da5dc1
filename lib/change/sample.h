/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Blocks of two images, spread over all of BEFORE, that `diff` learns from. */
#ifndef TALLY_CHANGE_SAMPLE_H
#define TALLY_CHANGE_SAMPLE_H

#include "change/pair.h"

#define TALLY_SCORE_BANDS 8
enum { TALLY_HALO = 4 }; /* pixels that a score may look at around a pixel */

typedef struct tally_block {
    tally_patch before, after; /* after.valid: what both saw */
    tally_box core;            /* of the patches; the rest is halo */
    tally_bits judged;         /* of the patches: core pixels that both saw, within the zones */
} tally_block;

typedef struct tally_sample {
    int bands;
    size_t n_blocks;
    tally_block *blocks;
    size_t n;                        /* judged pixels, over all blocks */
    bool named_radar, named_optical; /* by the roles of its bands */
    bool decibels;                   /* was in decibels, and is amplitude now */
} tally_sample;

/* Is a pixel of BEFORE to be judged? */
typedef bool (*tally_is_wanted)(const void *user, int x, int y);
/* Read at most about half a million pixels of `box` of BEFORE. */
tally_status tally_sample_read(const tally_context *ctx, tally_pair *pair, tally_box box,
                               tally_is_wanted is_wanted, const void *user, tally_sample *out,
                               tally_error *err) TALLY_MUST_CHECK;
void tally_sample_fini(tally_sample *sample);

/* Judged pixels of one band of one side (0 before, 1 after), block by block: n floats. */
void tally_sample_column(const tally_sample *sample, int side, int band, float *out);
/* All bands are copies of the first, on both sides: a grey picture in colours. */
bool tally_sample_is_grey(const tally_sample *sample);
/* Radar in decibels (most of what both images hold is negative) becomes amplitude. */
void tally_sample_undo_decibels(tally_sample *sample);
void tally_patch_undo_decibels(tally_patch *patch);
/* Both seen, within both patches: after's mask becomes that of both. */
void tally_both_saw(const tally_patch *before, tally_patch *after);

#endif
