/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Tie windows: small squares of the grid where the ground stays, spread over the zones'
 * surroundings. The reference's pixels in them are all that another scene is ever compared with, so
 * freezing a stack means keeping these.
 */
#ifndef TALLY_ALIGN_TIES_H
#define TALLY_ALIGN_TIES_H

#include "align/edges.h"
#include "align/stack.h"

enum { TALLY_TIE_SIZE = 128, TALLY_TIE_WIDE = 256, TALLY_TIES_MAX = 64 };

typedef struct tally_ties {
    size_t n;
    tally_box *boxes;    /* TALLY_TIE_SIZE squares of the grid */
    tally_bits *ground;  /* per window: 1 = outside of all zones where things move */
    tally_patch *pixels; /* the reference's, n_bands each */
} tally_ties;

/* Choose windows on the stack's grid by the zones alone. */
tally_status tally_ties_choose(const tally_stack *stack, tally_ties *out,
                               tally_error *err) TALLY_MUST_CHECK;
/* Read the reference's pixels into them; windows that it does not show keep no valid pixel. */
tally_status tally_ties_fill(const tally_context *ctx, const tally_stack *stack, size_t reference,
                             tally_ties *ties, tally_error *err) TALLY_MUST_CHECK;
void tally_ties_fini(tally_ties *ties);

/* The moving image in the tie windows. */
typedef struct tally_tie_view {
    tally_patch *windows; /* as many as ties */
    tally_point *off;     /* window i was read off[i] px left of and above its place, so that no
                             pixel had to be interpolated */
} tally_tie_view;
tally_status tally_tie_view_init(tally_tie_view *view, size_t n, tally_error *err) TALLY_MUST_CHECK;
void tally_tie_view_fini(tally_tie_view *view, size_t n);

/* Where the content of `moving` lies against `ties`: writes dx_px, dy_px (at the middle of the
 * windows), residual, rmse_px, windows, accepted, reason. Accepted with dx_px NaN: too little was
 * seen to tell. */
tally_status tally_ties_register(const tally_context *ctx, const tally_ties *ties,
                                 const tally_tie_view *moving, tally_edge_kind kind,
                                 tally_placement *out, tally_error *err) TALLY_MUST_CHECK;
/* The same with windows of TALLY_TIE_WIDE a side, each tie window in the middle of its own: finds
 * shifts up to 64 px, to a pixel. */
tally_status tally_ties_search(const tally_context *ctx, const tally_ties *ties,
                               const tally_tie_view *moving, tally_placement *out,
                               tally_error *err) TALLY_MUST_CHECK;

/* Reads the moving image where the tie windows, grown by `margin` pixels to each side, come to lie
 * by `map`, or up to half a pixel off that. */
typedef struct tally_tie_source {
    tally_status (*read)(void *user, const tally_affine *map, int margin, tally_tie_view *view,
                         tally_error *err);
    void *user;
} tally_tie_source;
/* All looks, from the first (`view` holds what lies there unmoved) to the last: dx_px and dy_px at
 * `middle`. `view` ends as what was looked at last. */
tally_status tally_ties_place(const tally_context *ctx, const tally_ties *ties,
                              const tally_tie_source *source, tally_point middle,
                              tally_tie_view *view, tally_placement *out,
                              tally_error *err) TALLY_MUST_CHECK;

/* After another look at the scene, read through `placement`: what that found still missing goes in.
 * Not accepted: no change. */
void tally_placement_refine(tally_placement *placement, const tally_placement *rest,
                            tally_point middle);
/* Take dx_px and dy_px from the residual at another place of the grid. */
void tally_placement_at(tally_placement *placement, tally_point middle);

/* Gain and offset per band that bring `moving` (already placed) to the reference, and the noise
 * that is left. */
tally_status tally_ties_radiometry(const tally_ties *ties, const tally_patch *moving, int n_bands,
                                   float *gain, float *offset, float *noise,
                                   tally_error *err) TALLY_MUST_CHECK;

/* Of the ground where `moving` (placed, gain and offset by band still to be applied) differs from
 * the reference, the share that would not if it lay a pixel elsewhere; NaN: nothing differs. */
tally_status tally_ties_vanishing(const tally_ties *ties, const tally_patch *moving,
                                  const float *gain, const float *offset, double *share,
                                  tally_error *err) TALLY_MUST_CHECK;

#endif
