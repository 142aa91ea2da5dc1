/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Railcars: the parts of the rail counter, which work on strips alone. */
#ifndef TALLY_COUNT_RAIL_H
#define TALLY_COUNT_RAIL_H

#include <math.h>

#include "count/counter.h"
#include "count/strip.h"

enum { TALLY_RAIL_BANDS = TALLY_BAND_ROLES, TALLY_TRACKS_A_UNIT = 8 };

#define TALLY_RAIL_HALF_WAGON_M 1.55 /* wagons are 2.9 to 3.25 m wide (DOMAIN.md) */

/* Does a lane lie under a wagon, its side and the dark line under it included? */
static inline bool tally_rail_in_body(const tally_track *track, int lane)
{
    return fabs(tally_track_lane_m(track, lane)) <= 1.9;
}

/* Do pixels show the ground beside a wagon apart from it? */
static inline bool tally_rail_sees_sides(const tally_track *track)
{
    return track->lane_m <= 0.5;
}

/* Root mean squared distance of a column from empty track, in units of noise, at which a wagon is
 * as likely as not. Chosen on the validation sets: empty track keeps below 1.5, wagons of ballast's
 * colour begin at 3. */
#define TALLY_RAIL_EMPTY_SCORE 2.3

/* A track with nothing on it: level per place, noise per lane. */
typedef struct tally_rail_empty {
    tally_patch level; /* n x lanes x bands; valid where it was ever seen */
    float sigma[TALLY_LANES_MAX][TALLY_RAIL_BANDS];
    float spread[TALLY_LANES_MAX][TALLY_RAIL_BANDS]; /* of the profile, where it stands in */
    float *known; /* per column: 1 seen empty, 0 the track's profile stands in */
    float *usual; /* per column: the share of dates that show it occupied; NULL: not learned */
    float *over;  /* the share of dates on which something reaches across it; NULL: not learned */
} tally_rail_empty;

/* What a cross-section of empty track looks like, and how much it varies along. */
typedef struct tally_rail_profile {
    float level[TALLY_LANES_MAX][TALLY_RAIL_BANDS], spread[TALLY_LANES_MAX][TALLY_RAIL_BANDS];
    double reach; /* how far empty cross-sections lie from it, of the level */
} tally_rail_profile;

/* Where shadows fall, along a track. */
typedef struct tally_rail_sun {
    double across_m; /* how far right of the track a 3.8 m wagon's shadow reaches; negative: left.
                        0: sun unknown or overhead */
    double along_m;  /* how far ahead */
    double lean_m; /* how far right of the track its roof is seen, for the sensor looks from a side;
                      NAN: view unknown */
} tally_rail_sun;

/* What full shade leaves of a scene's light, by band: skylight. */
typedef struct tally_rail_shade {
    double full[TALLY_RAIL_BANDS];
} tally_rail_shade;
/* Before it is measured. */
tally_rail_shade tally_rail_usual_shade(const tally_band_role *roles, int bands);

/* What is believed of each column. All arrays have n entries. */
typedef struct tally_rail_state {
    bool snow;  /* lies: set by the caller */
    bool sides; /* the view shows the ground on both sides of a wagon */
    bool *seen;
    bool *occupied;
    float *logit;        /* evidence for "occupied", natural log odds per column */
    float *shaded_logit; /* the same where the ground may lie in the shadow of the track's own cut:
                            tally_rail_judge_shaded */
    float *noise;        /* of the light there, in units of the empty track's; >= 1 */
    tally_bits shadow;   /* n x lanes: in the shadow of what is believed to stand on the tracks */
    tally_bits shaded;   /* n x lanes: may be in some shadow, a tall wagon's or a building's */
    tally_bits other;    /* n x lanes: dark, by something that is no wagon; fine pixels */
    bool *dim;           /* n: such a shadow lies across the track */
    bool *over;          /* n: something reaches across it to both sides: a crane; fine pixels */
} tally_rail_state;

tally_status tally_rail_state_init(tally_rail_state *s, const tally_track *track,
                                   tally_error *err) TALLY_MUST_CHECK;
void tally_rail_state_fini(tally_rail_state *s);
/* Believed empty, and in a light that can be trusted. */
bool tally_rail_shows_empty(const tally_rail_state *s, int column);
/* Seen, but in a light in which a wagon would not stand out, so that none found means nothing: from
 * 0, none found is none there, to 1. By degrees, for the light is measured and no threshold is that
 * sure. */
double tally_rail_blindness(const tally_rail_state *s, int column);

/* Level and noise from strips of k scenes, leaving out what `occupied` (k states; NULL at first)
 * says. */
tally_status tally_rail_learn(const tally_context *ctx, const tally_track *track,
                              const tally_patch *strips, const tally_rail_state *states, size_t k,
                              tally_rail_empty *out, tally_error *err) TALLY_MUST_CHECK;
/* Once all tracks of a unit are learned: a busy track's noise is its wagons, so no track is granted
 * much more than the quietest. */
tally_status tally_rail_quiet_noise(const tally_track *tracks, size_t n_tracks,
                                    tally_rail_empty *empty, tally_error *err) TALLY_MUST_CHECK;
/* The empty cross-section of each track, from the strips of k scenes; those of scene d and track i
 * stand at strips[d * apart + i]. */
tally_status tally_rail_profiles(const tally_track *tracks, size_t n_tracks,
                                 const tally_patch *strips, size_t k, size_t apart,
                                 const tally_rail_empty *empty, tally_rail_profile *out,
                                 tally_error *err) TALLY_MUST_CHECK;
/* Nothing is believed yet: at each place the dates that look most like the profile, of k scenes
 * whose strips stand `apart`. shadow_side: where shadows mostly fall, 1 right of the track, -1
 * left, 0 not known. */
tally_status tally_rail_start(const tally_track *track, const tally_rail_profile *profile,
                              const tally_patch *strips, size_t k, size_t apart, int shadow_side,
                              tally_rail_empty *empty, tally_error *err) TALLY_MUST_CHECK;
/* The profile where `states` of k scenes never show a place empty. */
tally_status tally_rail_fill(const tally_track *track, const tally_rail_profile *profile,
                             const tally_rail_state *states, size_t k, tally_rail_empty *empty,
                             tally_error *err) TALLY_MUST_CHECK;
void tally_rail_empty_fini(tally_rail_empty *e);
/* How many cars may stand where the light blinds, at most in 19 of 20 cases. */
double tally_rail_cars_unseen(const tally_track *track, const tally_rail_empty *e,
                              const tally_rail_state *s, double pitch_m);
/* The same of columns that are not seen at all. usual: share of dates, per column. */
double tally_rail_cars_hidden(const tally_track *track, const float *usual,
                              const tally_rail_state *s, double cars_a_column);

/* Per track, where no wagon of any track stands: the ground that light is measured on. `open`: one
 * for each track, initialised here. */
tally_status tally_rail_open_ground(const tally_track *tracks, size_t n_tracks, double gsd_m,
                                    tally_bits *open, tally_error *err) TALLY_MUST_CHECK;

/* One scene of a unit; all pointers are to n. */
typedef struct tally_rail_scene {
    const tally_track *tracks;
    size_t n;
    double gsd_m;
    const tally_bits *open;
    const tally_rail_empty *empty;
    const tally_patch *raw;
    tally_patch *lit;
    tally_rail_state *states;
} tally_rail_scene;

/* Marks states' `over`, of columns whose sides say so, and makes `logit` there say nothing:
 * rail_over.c. */
void tally_rail_find_over(const tally_track *track, const tally_rail_empty *empty,
                          const tally_bits *open, const tally_patch *strip,
                          const tally_rail_sun *sun, tally_rail_state *state);
/* The share of dates on which something reaches across each column, of k states that stand `apart`.
 */
void tally_rail_usually_over(const tally_track *track, const tally_rail_state *states, size_t k,
                             size_t apart, float *share);

/* A map of the wagons found so far, to see where their shadows fall. */
typedef struct tally_rail_wagons {
    tally_bits cells;
    double x0, y0, per_px; /* grid px of the first cell's corner; cells a px */
    double gsd_m;
} tally_rail_wagons;
tally_status tally_rail_wagons_init(const tally_track *tracks, size_t n_tracks, double gsd_m,
                                    tally_rail_wagons *out, tally_error *err) TALLY_MUST_CHECK;
void tally_rail_wagons_fini(tally_rail_wagons *w);
void tally_rail_wagons_add(tally_rail_wagons *w, const tally_track *track,
                           const tally_rail_state *state);
/* The cells of a strip (n x lanes) in their shadow. shadow: grid px from a roof to where its shadow
 * ends. */
void tally_rail_wagons_shadow(const tally_rail_wagons *w, const tally_track *track,
                              tally_point shadow, tally_bits *out);
/* What is left of the light on open ground in states' shadow; `shade` stays as it is where there is
 * too little of it. */
tally_status tally_rail_measure_shade(const tally_rail_scene *scene, tally_rail_shade *shade,
                                      tally_error *err) TALLY_MUST_CHECK;

/* Bring the raw strips into the light of the empty tracks, as `lit`; writes states' noise. Places
 * under cloud become not valid, unless snow lies. Ground in states' shadow is left out. */
tally_status tally_rail_relight(const tally_rail_scene *scene, bool snow,
                                tally_error *err) TALLY_MUST_CHECK;

/* What a scene changes of the look of empty track alike all along, of the body's lanes alone: rain
 * on ballast and not on rails, frost, another sun. Taken off `lit`; measured on the columns nearest
 * to empty. */
tally_status tally_rail_own_look(const tally_rail_scene *scene, const tally_rail_shade *shade,
                                 tally_error *err) TALLY_MUST_CHECK;

/* Where even the emptiest quarter of the unit's quietest track lies farther from empty than noise
 * does, the scene is less like the others than its open ground tells (a shift that is left, frost,
 * another sun): states' noise becomes so much more. Fine pixels. */
tally_status tally_rail_scene_noise(const tally_rail_scene *scene, const tally_rail_shade *shade,
                                    tally_error *err) TALLY_MUST_CHECK;

/*
 * Judge a strip, in the empty track's light, against it. Where out->shaded says so, a neighbour's
 * wagon may throw its shadow, and anything from lit to fully shaded is empty ground. Writes seen,
 * logit and, by the best path of two states, occupied.
 */
tally_status tally_rail_judge(const tally_track *track, const tally_rail_empty *empty,
                              const tally_bits *open, const tally_patch *strip,
                              const tally_rail_sun *sun, const tally_rail_shade *shade, double bias,
                              tally_rail_state *out, tally_error *err) TALLY_MUST_CHECK;

/* From seen and logit alone: writes occupied, by the best path of two states. */
tally_status tally_rail_join(const tally_track *track, tally_rail_state *state,
                             tally_error *err) TALLY_MUST_CHECK;

/* Of a judged strip: writes shaded_logit, as if every cell may lie in a shadow. */
void tally_rail_judge_shaded(const tally_track *track, const tally_rail_empty *empty,
                             const tally_patch *strip, const tally_rail_shade *shade, double bias,
                             tally_rail_state *out);

#endif
