/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A track pulled straight: rows are lanes beside the centre line, columns are places along it. */
#ifndef TALLY_COUNT_STRIP_H
#define TALLY_COUNT_STRIP_H

#include "align/stack.h"

enum { TALLY_LANES_MAX = 33 };

/* A stretch of the centre line with one direction. */
typedef struct tally_stretch {
    int first, n;  /* columns */
    double x, y;   /* grid px of column `first` */
    double dx, dy; /* px from column to column */
    double nx, ny; /* px to the right of the direction of travel, per metre */
} tally_stretch;

typedef struct tally_track {
    size_t zone;
    tally_stretch *stretches;
    size_t n_stretches;
    int n;         /* columns */
    double step_m; /* metres from column to column: half a GSD, at least 0.5 */
    int lanes;     /* odd; the middle one is the centre line */
    double lane_m; /* metres from lane to lane */
} tally_track;

/* TALLY_E_NODATA for a track shorter than three columns. Owns: tally_track_fini. */
tally_status tally_track_init(const tally_stack *stack, size_t zone, double half_width_m,
                              tally_track *out, tally_error *err) TALLY_MUST_CHECK;
void tally_track_fini(tally_track *track);
/* Grid px of a place: column (fractions allowed), metres to the right. */
tally_point tally_track_at(const tally_track *track, double column, double right_m);
/* Direction of travel at a column, a unit vector in grid px (x right, y down). */
tally_point tally_track_direction(const tally_track *track, int column);
/* The column whose place lies within half_width_m of p, across; -1: none. */
int tally_track_under(const tally_track *track, tally_point p, double gsd_m, double half_width_m);
/* Sample `patch`, which covers `box`, into a strip of track->n x track->lanes; initialised here. */
tally_status tally_track_sample(const tally_context *ctx, const tally_track *track,
                                const tally_patch *patch, tally_box box, tally_patch *strip,
                                tally_error *err) TALLY_MUST_CHECK;
static inline double tally_track_lane_m(const tally_track *t, int lane)
{
    return (lane - t->lanes / 2) * t->lane_m;
}

#endif
