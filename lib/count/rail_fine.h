/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Fine pixels: the cuts of a unit's tracks taken apart into cars. */
#ifndef TALLY_COUNT_RAIL_FINE_H
#define TALLY_COUNT_RAIL_FINE_H

#include "count/rail.h"
#include "count/rail_cars.h"

/* Gaps between wagons are 1.1 m wide: coarser pixels do not show them. */
#define TALLY_RAIL_FINEST_M 0.6

#define TALLY_RAIL_OTHER_FLEET (-5.0)

/* The cars of one track, in order along it. */
typedef struct tally_rail_row {
    tally_car *cars;
    size_t n;
} tally_rail_row;
void tally_rail_row_fini(tally_rail_row *row);

/*
 * Each run of occupied columns of the scene's states, taken apart. suns: one for each track. rows:
 * one for each track; those of all cuts are weighed together, for they are of one fleet;
 * other_fleet: prior log odds of a fleet that is not the catalogue's first. Owns:
 * tally_rail_row_fini. Errors: TALLY_E_NOMEM.
 */
tally_status tally_rail_take_apart(const tally_rail_catalogue *catalogue,
                                   const tally_rail_scene *scene, const tally_rail_sun *suns,
                                   bool snow, double other_fleet, tally_rail_row *rows,
                                   tally_error *err) TALLY_MUST_CHECK;

#endif
