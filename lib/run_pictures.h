/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pictures of the dates that stand out: the pixels with the detections drawn on them, beside the
 * empty background. They are kept in DIR/pictures/, so that `report` needs no tile.
 */
#ifndef TALLY_RUN_PICTURES_H
#define TALLY_RUN_PICTURES_H

#include "run_family.h"

/*
 * Draw DIR/pictures/<class>_<scene>.png for the scenes of this family whose total stands out in
 * `records`, one a class. Pictures that are there already stay. Needs the tiles of the scenes in
 * the stack, nothing else.
 */
tally_status tally_run_pictures_draw(const tally_family_job *family, const tally_records *records,
                                     tally_error *err) TALLY_MUST_CHECK;

#endif
