/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The site's zones as a map of classes, beside what the stack shows there: square cells along the
 * outlines and tracks, at pixels of about a metre. Input of zone_match.h.
 */
#ifndef TALLY_ALIGN_ZONE_MAP_H
#define TALLY_ALIGN_ZONE_MAP_H

#include "align/stack.h"

typedef enum tally_map_class {
    TALLY_MAP_OUTSIDE,
    TALLY_MAP_STABLE,
    TALLY_MAP_YARD,
    TALLY_MAP_WATER, /* and berths */
    TALLY_MAP_IGNORE,
    TALLY_MAP_BED,   /* beside a track */
    TALLY_MAP_STRIP, /* where its wagons stand */
    TALLY_MAP_CLASSES,
    TALLY_MAP_FAR = 255 /* from every outline: says nothing of where they lie */
} tally_map_class;

/* What a pixel looks like over the chosen scenes, each in bins of equal number. */
typedef enum tally_look {
    TALLY_LOOK_BRIGHT, /* median of the bands' mean */
    TALLY_LOOK_COLOUR, /* median of the contrast of the reddest band with the others */
    TALLY_LOOK_UNREST, /* how much changes from date to date */
    TALLY_LOOKS
} tally_look;
enum { TALLY_LOOK_BINS = 8, TALLY_LOOK_UNSEEN = TALLY_LOOK_BINS };

/* A cell's window reaches `reach` pixels around it, so that the labels can be moved over it. */
typedef struct tally_map_cell {
    int x0, y0;                 /* of the labels, in pixels of the map */
    uint8_t *label;             /* side x side, tally_map_class */
    uint8_t *look[TALLY_LOOKS]; /* (side + 2 reach) squared: a bin, or unseen */
} tally_map_cell;

typedef struct tally_zone_map {
    double pixel_m;
    int shrink,
        grow; /* a pixel is shrink x shrink of the grid, or the grid's is grow x grow here */
    int side, reach;
    tally_map_cell *cells;
    size_t n;
    bool has_tracks;
    double across_x,
        across_y; /* unit vector across the tracks, in pixels; 0, 0: no one direction */
} tally_zone_map;

/* Pixels of a cell with what lies around it. */
static inline int tally_map_window(const tally_zone_map *map)
{
    return map->side + 2 * map->reach;
}

/* Lay cells along the zones and label them where the stack's datum puts the zones; nothing is read.
 * No cell: nothing is drawn, or pixels too coarse. */
tally_status tally_zone_map_draw(const tally_stack *stack, tally_zone_map *out,
                                 tally_error *err) TALLY_MUST_CHECK;
enum { TALLY_ZONE_SCENES = 16 }; /* at most, to look at */
/* Read what `scenes` show there, in parallel over cells; memory goes with threads, not scenes. */
tally_status tally_zone_map_look(const tally_context *ctx, const tally_stack *stack,
                                 const size_t *scenes, size_t n, tally_zone_map *map,
                                 tally_error *err) TALLY_MUST_CHECK;
/* Bins of equal number over all cells: `values` holds a window a cell, NaN where unseen. */
tally_status tally_zone_map_bin(tally_zone_map *map, tally_look look, const float *values,
                                tally_error *err) TALLY_MUST_CHECK;
void tally_zone_map_fini(tally_zone_map *map);

#endif
