/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the files about reviews share. */
#ifndef TALLY_SERIES_REVIEW_H
#define TALLY_SERIES_REVIEW_H

#include "base/base.h"
#include "tallyman/review.h"

#define TALLY_NONE SIZE_MAX

/* What a review speaks of, once its words are understood. */
typedef struct tally_review_target {
    tally_action action;
    size_t scene, observation; /* the zone's row */
    size_t detection;          /* TALLY_NONE: the zone as a whole */
    int64_t when;              /* TALLY_NO_TIME: it names none */
} tally_review_target;

enum { TALLY_WHY_SIZE = 256 };
#define TALLY_LATER_HOLDS "a later review holds"

/* It has a problem, and not that another review of the same thing came after it. */
bool tally_review_is_unfit(const tally_review *review);

/* False, and why: it says what is wrong and what to do. */
bool tally_review_check(const tally_records *r, const tally_review *review,
                        tally_review_target *out, char why[TALLY_WHY_SIZE]);

#endif
