/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A float GeoTIFF written strip by strip, on the grid of a tile; beside its place until it is
 * finished, then renamed. */
#ifndef TALLY_SCENE_SINK_H
#define TALLY_SCENE_SINK_H

#include "scene/scene.h"

#define TALLY_SINK_ROWS                                                                            \
    64 /* rows a block of the file: write multiples of it, starting at multiples */

typedef struct tally_sink tally_sink;
tally_status tally_sink_create(const char *path, const tally_tile *like, int bands,
                               const char *const *names, tally_sink **out,
                               tally_error *err) TALLY_MUST_CHECK;
/* `rows` rows of the tile's width, one after the other. band from 0. */
tally_status tally_sink_rows(tally_sink *sink, int band, int y0, int rows, const float *pixels,
                             tally_error *err) TALLY_MUST_CHECK;
/* Close and put into place; the sink is gone afterwards, whatever comes back. */
tally_status tally_sink_finish(tally_sink **sink, tally_error *err) TALLY_MUST_CHECK;
/* Close and remove. */
void tally_sink_abandon(tally_sink **sink);

#endif
