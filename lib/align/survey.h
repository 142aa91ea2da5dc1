/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TALLY_ALIGN_SURVEY_H
#define TALLY_ALIGN_SURVEY_H

#include "align/ties.h"

/* What a stack keeps beside itself until it is saved: the windows, and how bright bare ground is.
 */
typedef struct tally_survey {
    tally_ties ties;
    float bare_blue; /* median over scenes of the ground's median in the bluest band; 0: unknown */
} tally_survey;

/* Place every scene but the reference on the ties, and find its radiometry, noise and snow. In
 * parallel. */
tally_status tally_survey_scenes(const tally_context *ctx, tally_stack *stack, tally_survey *survey,
                                 tally_error *err) TALLY_MUST_CHECK;
/* Scenes too cloudy to be placed get the family's position, which is what the datum undoes, less
 * what the zones' own shift has in it. Call once it is set. */
void tally_survey_settle(tally_stack *stack);
/* An empty stack of these scenes: family, roles in band order, unplaced. */
tally_status tally_stack_create(const tally_site *site, const tally_scene *const *scenes, size_t n,
                                tally_stack **out, tally_error *err) TALLY_MUST_CHECK;

/* trust.c: whether scenes of this stack may be taken to lie where their files say, doing so with
 * one of them, and with all; the last returns the reference. */
bool tally_survey_may_trust(const tally_stack *stack);
void tally_survey_trust(tally_stack_scene *entry);
int tally_survey_trust_all(const tally_context *ctx, tally_stack *stack, const char *wanted);

#endif
