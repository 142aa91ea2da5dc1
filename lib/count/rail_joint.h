/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Where wagons stand on neighbouring tracks, solved together: pixels over 1.5 m. */
#ifndef TALLY_COUNT_RAIL_JOINT_H
#define TALLY_COUNT_RAIL_JOINT_H

#include "count/rail_slice.h"

enum { TALLY_RAIL_DRAWS = 64 };

/* What a scene shows. */
typedef struct tally_rail_belief {
    float *occupied; /* n x slices: probability of a wagon */
    uint8_t *draws;  /* TALLY_RAIL_DRAWS x slices: patterns drawn from all that is believed; NULL:
                        not wanted */
    float *covered;  /* per pixel: how likely, and how far, it is no bare ground in full light */
} tally_rail_belief;
tally_status tally_rail_belief_init(const tally_rail_frame *frame, bool draws,
                                    tally_rail_belief *out, tally_error *err) TALLY_MUST_CHECK;
void tally_rail_belief_fini(tally_rail_belief *belief);

/* Nothing is known of its light yet. patch is kept, not owned. */
tally_status tally_rail_look_init(const tally_rail_frame *frame, const tally_patch *patch,
                                  tally_rail_look *out, tally_error *err) TALLY_MUST_CHECK;
void tally_rail_look_fini(tally_rail_look *look);

/* Light, noise and cloud of a scene, and what stands on its tracks. Writes look and out. */
tally_status tally_rail_joint_fit(const tally_rail_frame *frame, const tally_rail_ground *ground,
                                  tally_rail_look *look, tally_rail_belief *out,
                                  tally_error *err) TALLY_MUST_CHECK;

/* Bare ground from k looks, in rounds of fits; looks and beliefs are those of the last. */
tally_status tally_rail_joint_learn(const tally_rail_frame *frame, tally_rail_look *looks,
                                    tally_rail_belief *beliefs, size_t k, tally_rail_ground *ground,
                                    tally_error *err) TALLY_MUST_CHECK;

/* Does a scene show what stands on a track in a slice? */
bool tally_rail_joint_sees(const tally_rail_frame *frame, const tally_rail_look *look, size_t track,
                           int slice);

#endif
