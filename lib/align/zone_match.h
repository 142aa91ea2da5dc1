/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where the zones lie on what the stack shows: one shift for the whole set. */
#ifndef TALLY_ALIGN_ZONE_MATCH_H
#define TALLY_ALIGN_ZONE_MATCH_H

#include "align/zone_map.h"

typedef enum tally_zone_verdict {
    TALLY_ZONES_UNKNOWN, /* no place stands out: `why` */
    TALLY_ZONES_ACROSS,  /* known in one direction only; dx_m, dy_m point along it */
    TALLY_ZONES_FOUND
} tally_zone_verdict;

typedef struct tally_zone_match {
    tally_zone_verdict verdict;
    double dx_m, dy_m; /* the stack's content lies right of and below the zones */
    double agreement;  /* share of the draws that find the same, 0..1 */
    const char *why;   /* TALLY_ZONES_UNKNOWN: static */
} tally_zone_match;

/* How far the zones may be off to be found again, and how far a shift must be to be told from
 * the drawing's own inaccuracy. */
#define TALLY_ZONES_FARTHEST_M 17.0

/*
 * Shapes:  the cells of a map with labels and looks (zone_map.h).
 * Method:  mutual information of classes and looks (Viola and Wells 1997,
 *          doi:10.1023/A:1007958904918; Maes et al. 1997, doi:10.1109/42.563664) over all shifts;
 *          bootstrap over groups of cells (Efron 1979, doi:10.1214/aos/1176344552).
 * Memory:  one histogram a group and shift: about 25 MB.
 * Threads: in parallel inside; the result does not depend on how many.
 */
tally_status tally_zone_match_find(const tally_context *ctx, const tally_zone_map *map,
                                   tally_zone_match *out, tally_error *err) TALLY_MUST_CHECK;

#endif
