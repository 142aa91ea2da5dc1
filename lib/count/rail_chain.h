/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The chain of cars and spaces behind rail_cars.c: sums and best ways by dynamic programming. */
#ifndef TALLY_COUNT_RAIL_CHAIN_H
#define TALLY_COUNT_RAIL_CHAIN_H

#include "base/base.h"

enum { TALLY_CHAIN_LENGTHS = 24, TALLY_CHAIN_SPAN = 12 };

typedef struct tally_chain_length {
    double length, weight; /* columns */
    int shortest, n_spans; /* columns */
    double span[TALLY_CHAIN_SPAN];
} tally_chain_length;

/* The distinct lengths of one fleet. */
typedef struct tally_chain_fleet {
    tally_chain_length lengths[TALLY_CHAIN_LENGTHS];
    int n;
    int longest, shortest; /* columns */
} tally_chain_fleet;

/* One piece of a cut on its own grid of columns. */
typedef struct tally_chain_piece {
    int first, n;        /* columns of the track, margins included */
    double *lr;          /* n: likelihood ratio of a boundary between coupled cars */
    double *start, *end; /* n: weight of the cut's beginning or ending there */
    double *bare;        /* n: likelihood ratio of empty ground to a car; NULL: no spaces */
    double *shaded;      /* n: the same when it may lie in the cut's own shadow */
    double shade;        /* columns that the shadow of an end reaches; negative: backward */
    bool bare_before, bare_after; /* the piece may begin, or end, with a space */
    double from, to;              /* places, relative to first */
    bool from_open, to_open;
    int most; /* cars */
    int edge; /* columns of half a gap between bodies */
} tally_chain_piece;

/* A car of the best way. */
typedef struct tally_chain_car {
    int from, to; /* columns of the piece */
    int length;   /* index in the fleet */
} tally_chain_car;

/* Sum over all ways: out[m], m = 0 .. most, is the likelihood of m cars over exp(*scale_log). */
tally_status tally_chain_sum(const tally_chain_piece *piece, const tally_chain_fleet *fleet,
                             double *out, double *scale_log, tally_error *err) TALLY_MUST_CHECK;
/* The best way with n cars; *found: how many were written, n or, when there is no such way, 0. */
tally_status tally_chain_best(const tally_chain_piece *piece, const tally_chain_fleet *fleet, int n,
                              tally_chain_car *out, int *found, tally_error *err) TALLY_MUST_CHECK;

#endif
