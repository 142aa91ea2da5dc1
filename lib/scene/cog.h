/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Cloud-optimised GeoTIFFs, and the tags in them. */
#ifndef TALLY_SCENE_COG_H
#define TALLY_SCENE_COG_H

#include "base/base.h"

typedef struct tally_tag {
    const char *key, *value;
} tally_tag;

/* Make a COG at `path` of the raster file `from`, in `epsg` (0: as it is), with these tags. Beside
 * its place and renamed. */
tally_status tally_cog_write(const char *path, const char *from, int epsg, const tally_tag *tags,
                             size_t n_tags, tally_error *err) TALLY_MUST_CHECK;
/* A tag of a raster file; *out NULL where it has none. Freed with tally_free. */
tally_status tally_tag_read(const char *path, const char *key, char **out,
                            tally_error *err) TALLY_MUST_CHECK;

#endif
