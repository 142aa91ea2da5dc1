/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From the shifts of single windows to turn and scale. */
#ifndef TALLY_ALIGN_VOTES_H
#define TALLY_ALIGN_VOTES_H

#include "base/geometry.h"

/* What one window says: its middle, and how far its content is shifted beyond the joint shift. */
typedef struct tally_vote {
    tally_point at, off;
} tally_vote;

/*
 * The simplest model that holds on left-out windows: written as the affine map from a place to
 * where its content lies, the joint shift holding at the votes' middle. Translation unless there
 * are enough votes and a turn and scale, or a full affine map, foretells each vote from the others
 * clearly better. `rmse_px`: of each vote about what the others foretell by that model; NaN where
 * there are no two.
 */
void tally_votes_fit(const tally_vote *votes, size_t n, tally_point joint, tally_affine *out,
                     double *rmse_px);

/*
 * What a fitted map leaves over, as a field of second order: where at least 24 votes carry it and
 * it foretells left-out votes better by a tenth; `rmse_px` is then that of the left-out votes.
 * `bend` is none otherwise, and rmse_px stays.
 */
void tally_votes_bend(const tally_vote *votes, size_t n, tally_point joint, const tally_affine *map,
                      tally_bend *bend, double *rmse_px);

/*
 * Of votes that may be mostly wrong, the map of a small turn and scale that the most agree about to
 * a pixel: every two votes propose one (RANSAC of all pairs, Fischler and Bolles 1981). Returns how
 * many agree; `out` is fitted to them.
 */
size_t tally_votes_agree(const tally_vote *votes, size_t n, tally_affine *out, double *rmse_px);

#endif
