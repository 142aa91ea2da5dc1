/* SPDX-License-Identifier: GPL-3.0-or-later */
/* From what counters found in a scene to the rows that the store keeps. */
#ifndef TALLY_RUN_SCENE_H
#define TALLY_RUN_SCENE_H

#include "count/counter.h"

/* A scene that was counted: its row, one observation per zone and class and one per class for the
 * site, its detections. */
tally_status tally_scene_rows(const tally_stack *stack, size_t scene, const char *basis,
                              const tally_findings *findings, tally_records *out,
                              tally_error *err) TALLY_MUST_CHECK;
/* A scene that was left out: its row with the reason, and `rejected` observations where its time is
 * known. */
tally_status tally_scene_rows_rejected(const tally_site *site, const tally_scene *scene,
                                       const char *reason, tally_records *out,
                                       tally_error *err) TALLY_MUST_CHECK;

#endif
