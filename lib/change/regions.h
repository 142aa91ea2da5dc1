/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where `diff` looks, and what is learned there: the whole image, or a site's zones, each ground
 * with a score of its own. */
#ifndef TALLY_CHANGE_REGIONS_H
#define TALLY_CHANGE_REGIONS_H

#include "change/score.h"
#include "site/site.h"

#define TALLY_TRACK_HALF_M 3.0 /* of a track's ribbon, to each side */

typedef struct tally_region {
    tally_box box;     /* of BEFORE's grid */
    tally_bits mask;   /* of the box; no words: all of it */
    tally_score score; /* filled by tally_regions_learn */
} tally_region;

typedef struct tally_regions {
    size_t n;
    tally_region *regions; /* their pixels are disjoint */
} tally_regions;

/*
 * Without a site one region, everywhere. With one: each water zone with the berths in it or beside
 * it, each yard, all tracks together (TALLY_TRACK_HALF_M to each side); less `ignore`. A pixel of
 * two belongs to the first. Errors: TALLY_E_NODATA no zone lies on BEFORE; TALLY_E_CRS;
 * TALLY_E_NOMEM.
 */
tally_status tally_regions_init(const tally_site *site, const tally_pair *pair, tally_regions *out,
                                tally_error *err) TALLY_MUST_CHECK;
void tally_regions_fini(tally_regions *regions);
/* Is a pixel of BEFORE in the region? */
bool tally_region_has(const tally_region *region, int x, int y);

#endif
