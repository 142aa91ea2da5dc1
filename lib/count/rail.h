/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Railcars: the parts of the rail counter, which work on strips alone. */
#ifndef TALLY_COUNT_RAIL_H
#define TALLY_COUNT_RAIL_H

#include "count/counter.h"
#include "count/strip.h"

enum { TALLY_RAIL_BANDS = TALLY_BAND_ROLES, TALLY_TRACKS_A_UNIT = 8 };

/* A track with nothing on it: level per place, noise per lane. */
typedef struct tally_rail_empty {
    tally_patch level; /* n x lanes x bands; valid where it was ever seen */
    float sigma[TALLY_LANES_MAX][TALLY_RAIL_BANDS];
    float *known; /* per column: how busy; after tally_rail_reject_trains 1 seen empty, 0 only
                     believed so */
} tally_rail_empty;

/* What a cross-section of empty track looks like, and how much it varies along. */
typedef struct tally_rail_profile {
    float level[TALLY_LANES_MAX][TALLY_RAIL_BANDS], spread[TALLY_LANES_MAX][TALLY_RAIL_BANDS];
} tally_rail_profile;

/* Where shadows fall, along a track. */
typedef struct tally_rail_sun {
    double across_m; /* how far right of the track a 3.8 m wagon's shadow reaches; negative: left.
                        0: sun unknown or overhead */
    double along_m;  /* how far ahead */
} tally_rail_sun;

/* What is believed of each column. All arrays have n entries. */
typedef struct tally_rail_state {
    bool *seen;
    bool *occupied;
    float *logit; /* evidence for "occupied", natural log odds per column */
} tally_rail_state;

tally_status tally_rail_state_init(tally_rail_state *s, int n, tally_error *err) TALLY_MUST_CHECK;
void tally_rail_state_fini(tally_rail_state *s);

/* Level and noise from strips of k scenes, leaving out what `occupied` (k states; NULL at first)
 * says. */
tally_status tally_rail_learn(const tally_context *ctx, const tally_track *track,
                              const tally_patch *strips, const tally_rail_state *states, size_t k,
                              tally_rail_empty *out, tally_error *err) TALLY_MUST_CHECK;
/* Once all tracks of a unit are learned: replace places whose cross-profile is no empty track's (a
 * train that is always there) by the track's own typical one; what that is, a quieter neighbour
 * decides. */
tally_status tally_rail_reject_trains(const tally_track *tracks, size_t n_tracks,
                                      tally_rail_empty *empty, tally_error *err) TALLY_MUST_CHECK;
void tally_rail_empty_fini(tally_rail_empty *e);

/*
 * Bring a scene's strips into the light of the empty tracks: gain and offset of blocks of 24 m,
 * fitted over all tracks nearby (haze, cloud shadow, season). Blocks under cloud are marked as not
 * seen, unless snow lies.
 */
tally_status tally_rail_relight(const tally_track *tracks, size_t n_tracks,
                                const tally_rail_empty *empty, bool snow, tally_patch *strips,
                                tally_error *err) TALLY_MUST_CHECK;

/*
 * Judge a strip against the empty track. shaded: per column, a neighbour's wagon throws its shadow
 * here, so that anything from lit to fully shaded is empty ground; NULL: nowhere. Writes seen,
 * logit and, by the best path of two states, occupied.
 */
tally_status tally_rail_judge(const tally_track *track, const tally_rail_empty *empty,
                              const tally_patch *strip, const tally_rail_sun *sun,
                              const bool *shaded, bool snow, double bias, tally_rail_state *out,
                              tally_error *err) TALLY_MUST_CHECK;

#endif
