/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TALLYMAN_REVIEW_H
#define TALLYMAN_REVIEW_H

#include "tallyman/context.h"
#include "tallyman/records.h"

/*
 * Lay the reviews of `records` over its counts: records->counts becomes REVIEWED, each row that a
 * review speaks of holds the analysts' numbers and, in `reviewed`, the machine's. What each action
 * does stands in docs/review.md. Reviews that cannot be used keep the reason in `problem` and
 * change nothing; so a zone that was not seen stays not seen. `records` must be sorted; spikes and
 * visits are the caller's to find again. A second call changes nothing.
 */
TALLY_API tally_status tally_review_apply(tally_records *records,
                                          tally_error *err) TALLY_MUST_CHECK;

/* What a table of reviews came to. */
typedef struct tally_review_result {
    size_t n_added; /* rows that were new */
    size_t n_known; /* that were there before, word for word */
    size_t n_blank; /* without an action: lines of a template that nobody filled in */
} tally_review_result;

/*
 * Append to records->reviews what the CSV file says (columns: docs/files.md) and the records do not
 * hold yet. All or nothing. now_utc: the time of rows that name none. Errors: TALLY_E_IO,
 * TALLY_E_FORMAT, which names file and line: an unknown action, class, scene, zone or detection, a
 * count that is none, a formula, the same said twice.
 */
TALLY_API tally_status tally_review_read(const char *path, int64_t now_utc, tally_records *records,
                                         tally_review_result *result,
                                         tally_error *err) TALLY_MUST_CHECK;

/* The reviews as CSV, in the columns that tally_review_read takes, with `state` after them: `used`,
 * or why not. The caller frees it with free(); NULL: no memory. */
TALLY_API char *tally_reviews_csv(const tally_records *records);
/* What is to be looked at, as CSV to be filled in: zones and things found of the scenes that stand
 * out, of the latest and of the highest, as far as no review speaks of them. */
TALLY_API char *tally_review_template_csv(const tally_records *records);

/* tally_review_read into the store of a folder that `run` made, which is locked meanwhile; its
 * reviewed.csv is written again. */
TALLY_API tally_status tally_review_import(const tally_context *ctx, const char *folder,
                                           const char *path, int64_t now_utc,
                                           tally_review_result *result,
                                           tally_error *err) TALLY_MUST_CHECK;

#endif
