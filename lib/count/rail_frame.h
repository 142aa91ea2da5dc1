/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tracks of a unit side by side: slices across all of them, a pixel long. */
#ifndef TALLY_COUNT_RAIL_FRAME_H
#define TALLY_COUNT_RAIL_FRAME_H

#include "count/rail.h"

enum { TALLY_RAIL_PATTERNS = 1 << TALLY_TRACKS_A_UNIT };

typedef struct tally_rail_pixel {
    int x, y;       /* of the box */
    float across_m; /* right of the reference track */
    float off_m;    /* right of the nearest track */
    int nearest;
} tally_rail_pixel;

typedef struct tally_rail_frame {
    const tally_track *tracks;
    size_t n;
    double gsd_m; /* a slice is as long */
    tally_box box;
    int slices;
    float *across_m;                    /* n x slices: where each track lies; NaN: not here */
    int *slice_of[TALLY_TRACKS_A_UNIT]; /* of each column of each track */
    tally_point *right;                 /* per slice: across the tracks, in grid px */
    int *first;                         /* slices + 1: pixels of slice s from first[s] */
    tally_rail_pixel *pixels;
    int n_pixels;
} tally_rail_frame;

/* How far from a track pixels are kept; how far they bear on what stands on it: as far as a shadow
 * falls at 20 degrees. */
#define TALLY_RAIL_AROUND_M 20.0
#define TALLY_RAIL_BESIDE_M 9.0
/* Ground that no wagon covers. */
#define TALLY_RAIL_APART_M 4.0

/* The box that the frame of these tracks needs. */
int tally_rail_frame_margin_px(double gsd_m);
/* tracks and box are kept as they are. Owns: tally_rail_frame_fini. */
tally_status tally_rail_frame_init(const tally_track *tracks, size_t n, double gsd_m, tally_box box,
                                   tally_rail_frame *out, tally_error *err) TALLY_MUST_CHECK;
void tally_rail_frame_fini(tally_rail_frame *frame);
static inline float tally_rail_frame_track(const tally_rail_frame *f, size_t track, int slice)
{
    return f->across_m[track * (size_t)f->slices + (size_t)slice];
}
/* The tracks that pass through a slice, as bits. */
unsigned tally_rail_frame_mask(const tally_rail_frame *frame, int slice);
/* Share of a pixel (its blur included) that lies from a to b metres across. */
double tally_rail_share(const tally_rail_frame *frame, double a, double b, double across_m);

#endif
