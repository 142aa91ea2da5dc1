/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where a hull ends that is partly in the shade of its own superstructure. */
#ifndef TALLY_COUNT_HULL_ENDS_H
#define TALLY_COUNT_HULL_ENDS_H

#include "count/hull.h"

/*
 * Move the ends of a hull outward, as far as what lies there is deck: unlike the water around the
 * hull, lit or shaded. Only where pixels are small beside the hull. `rect` never becomes shorter.
 */
tally_status tally_hull_find_ends(const tally_hull_view *view, tally_rect *rect,
                                  tally_error *err) TALLY_MUST_CHECK;

/* Join to each hull the blocks, too short for ships, that are its superstructure. */
void tally_hulls_join_blocks(tally_hulls *hulls, const tally_hulls *blocks);

/* Leave out hulls whose middle lies inside a larger one: parts of it, as a rule. */
void tally_hulls_drop_parts(tally_hulls *hulls);

#endif
