/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whether a tile is a radar image, and of which polarisation. */
#ifndef TALLY_SCENE_SENSOR_H
#define TALLY_SCENE_SENSOR_H

#include "scene/draft.h"

/* data: the open GDALDatasetH. */
bool tally_draft_is_radar(const tally_builder *b, void *data, const tally_draft *d);
/* TALLY_VV, ..., TALLY_RADAR where neither the item nor the name says. */
int tally_draft_polarisation(const tally_draft *d);
/* Whether a STAC item's properties are those of a radar image. */
bool tally_item_is_radar(const struct json_t *properties);

#endif
