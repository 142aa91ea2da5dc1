/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What lies around something shaped like a hull: water it stands out from, cloud, land, an edge. */
#ifndef TALLY_COUNT_HULL_JUDGE_H
#define TALLY_COUNT_HULL_JUDGE_H

#include "count/hull.h"

/* Whether it is the rim of what was not seen: of a cloud, as a rule. */
bool tally_hull_is_rim(const tally_hull_view *view, const tally_rect *rect);

/* Whether the edge of the images may have cut it. */
bool tally_hull_meets_edge(const tally_hull_view *view, const tally_rect *rect);

/* Whether much of the blob's outline lies along the zones' edge with something other than water
 * beyond, away from berths: a quay or a rock that reaches in, or a ship moored there. `bits`: the
 * pixels of all blobs. */
bool tally_hull_hugs_edge(const tally_hull_view *view, const tally_blobs *blobs, size_t blob,
                          const tally_bits *bits);

/* Whether it differs from the water close by in units of that water's own spread. Plumes, ice of
 * two kinds and glint shade off into what is around them; hulls end at a step. True where too
 * little water is near to tell. */
tally_status tally_hull_stands_out(const tally_hull_view *view, const tally_rect *rect, bool *out,
                                   tally_error *err) TALLY_MUST_CHECK;

/*
 * What its long sides say, where water can be seen beside them across its middle. A hull ends at a
 * step and along a line; the level line of a field of colours in water, of a plume or of a cloud's
 * rim does neither.
 */
typedef enum tally_hull_sides {
    TALLY_SIDES_HIDDEN, /* by quay, cloud or another hull */
    TALLY_SIDES_OF_HULL,
    TALLY_SIDES_OF_NONE
} tally_hull_sides;
tally_status tally_hull_look_at_sides(const tally_hull_view *view, const tally_rect *rect,
                                      tally_hull_sides *out, tally_error *err) TALLY_MUST_CHECK;

#endif
