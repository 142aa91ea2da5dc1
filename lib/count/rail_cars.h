/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An occupied cut of track taken apart into cars. */
#ifndef TALLY_COUNT_RAIL_CARS_H
#define TALLY_COUNT_RAIL_CARS_H

#include "align/stack.h"
#include "count/rail_catalogue.h"
#include "count/strip.h"

/* Coupler face to body, or buffer to body: (13.92 - 12.78) / 2 (DOMAIN.md). */
#define TALLY_CAR_HALF_GAP_M 0.57

/* What is known of one cut. Column c is the place c, in columns; the cut's ends are places, too. */
typedef struct tally_cut_evidence {
    const float *gap; /* n: log likelihood ratio of the middle of a gap between two bodies at this
                         column to the inside of a body; 0: it says nothing. NULL: nothing is known
                         anywhere. tally_cars_gaps makes it from pixels. */
    int n;            /* columns of the track */
    double step_m;    /* metres from column to column */
    double from, to;  /* where the first car's body begins and the last one's ends */
    double end_sd_m;  /* how well these are known */
    /* n: log odds of a car at each column, NULL: not known. Then cars may stand apart within the
     * cut and its ends are found anew, within the window [window_from, window_to). */
    const float *logit;
    int window_from, window_to;
    const float *shaded_logit; /* the same for ground in the cut's own shadow; NULL: none falls */
    double shade_m; /* how far past its end a cut's shadow reaches along the track; negative: past
                       its beginning */
    bool from_open, to_open; /* the cut goes on there, unseen: at an edge of the tile, the zone's
                                end, a cloud */
} tally_cut_evidence;

typedef struct tally_car {
    double from, to; /* places of its coupler faces, columns; may reach past an open end */
    int kind;        /* of the catalogue */
} tally_car;

typedef struct tally_cars {
    tally_car *cars; /* in order along the track */
    size_t n;        /* the count: the median of the posterior; cars[] is the likeliest way to have
                        so many */
    double *posterior; /* of the count: 0 .. n_posterior - 1; sums to 1 */
    size_t n_posterior;
    double mean;
    int64_t low, high;                  /* hold 95 % of the posterior */
    double fleet_log[TALLY_FLEETS_MAX]; /* log likelihood of each fleet; add them up over the cuts
                                           that belong together and hand them in again */
} tally_cars;

/*
 * Method, source, known failures: rail_cars.c.
 *
 * Units:   columns and metres as above.
 * Open ends: a car belongs to the cut when its middle lies inside [from, to].
 * fleet_log: prior log odds of the catalogue's fleets; NULL: all alike.
 * Cost:    columns x cars x lengths x 5; memory 2 bytes x columns x cars x lengths; cuts longer
 * than 1200 m are taken in pieces. Errors:  TALLY_E_ARG sizes; TALLY_E_NOMEM. Owns:
 * tally_cars_fini.
 */
tally_status tally_cars_split(const tally_rail_catalogue *catalogue, const double *fleet_log,
                              const tally_cut_evidence *cut, tally_cars *out,
                              tally_error *err) TALLY_MUST_CHECK;
void tally_cars_fini(tally_cars *cars);

/*
 * Gap evidence from a strip's pixels alone, over columns [from, to): a thin line across the body
 * that differs from both sides of it, or a change of colour. Writes gap[0 .. strip->width); 0
 * outside. Over the cut the likelihood ratios have mean one: gaps can move a boundary, and do not
 * say how many there are.
 */
tally_status tally_cars_gaps(const tally_track *track, const tally_patch *strip, int from, int to,
                             float *gap, tally_error *err) TALLY_MUST_CHECK;

/* The length that repeats along [from, to), by the autocorrelation of the gap evidence; NAN: none
 * stands out. For cuts of one kind of wagon; a second opinion beside the catalogue. */
double tally_cars_pitch(const float *gap, int from, int to, double step_m);

#endif
