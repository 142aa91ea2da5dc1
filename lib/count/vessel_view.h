/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One window of one scene as the vessel counter sees it: zones as bits, pixels, what may be hull.
 */
#ifndef TALLY_COUNT_VESSEL_VIEW_H
#define TALLY_COUNT_VESSEL_VIEW_H

#include "count/counter.h"
#include "count/hull.h"
#include "count/water.h"

typedef struct tally_vessel_masks {
    tally_box box;            /* on the grid */
    tally_bits where;         /* water and berths of the whole site, less `ignore` */
    tally_bits open;          /* water beyond the berths, less `ignore` */
    tally_hull_berth *berths; /* those that reach into the box */
    size_t n_berths;
} tally_vessel_masks;

tally_status tally_vessel_masks_init(tally_vessel_masks *masks, const tally_stack *stack,
                                     tally_box box, tally_error *err) TALLY_MUST_CHECK;
void tally_vessel_masks_fini(tally_vessel_masks *masks);

/* Pixels of one zone in a box, `ignore` zones taken out. */
tally_status tally_vessel_zone_bits(const tally_stack *stack, size_t zone, tally_box box,
                                    tally_bits *out, tally_error *err) TALLY_MUST_CHECK;
/* The band in which water is darkest: near infrared, else red, else the first. */
int tally_vessel_dark_band(const tally_stack *stack);

/* The berth that holds a place, else the water zone that does (site metres); false: neither, or
 * inside an `ignore` zone. */
bool tally_vessel_zone_at(const tally_site *site, tally_point metres, size_t *zone);
/* The same for a place known to `margin_m` only: in water, but as near to a berth, it is in that.
 */
bool tally_vessel_zone_near(const tally_site *site, tally_point metres, double margin_m,
                            size_t *zone);

#endif
