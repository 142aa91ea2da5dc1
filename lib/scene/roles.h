/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which band of a tile is what. */
#ifndef TALLY_SCENE_ROLES_H
#define TALLY_SCENE_ROLES_H

#include "scene/draft.h"

/* Sets tile.bands and tile.has_alpha of the draft from its open GDALDatasetH and what was said
 * about it. */
void tally_roles_set(const tally_builder *b, void *data, tally_draft *d);

#endif
