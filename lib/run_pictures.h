/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Pictures of the dates that stand out, the latest and the most: the pixels with the detections
 * drawn on them, beside the empty background. They are kept in DIR/pictures/, so that `report`
 * needs no tile.
 */
#ifndef TALLY_RUN_PICTURES_H
#define TALLY_RUN_PICTURES_H

#include "run_family.h"

/*
 * Draw DIR/pictures/<class>_<scene>_<unit>.png, and .txt with its caption, for the scenes of this
 * family that stand out in `records`, in the total or in a zone, and for the latest and the highest
 * total. Needs the tiles of the scenes in the stack, nothing else; a scene that was counted in an
 * earlier run is not in the stack and keeps the pictures that it has.
 */
tally_status tally_run_pictures_draw(const tally_family_job *family, const tally_records *records,
                                     tally_error *err) TALLY_MUST_CHECK;

/* A scene's id, made safe for a file name; freed with tally_free. */
char *tally_safe_name(const char *text) TALLY_MUST_CHECK;

#endif
