/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TALLYMAN_COMPARE_H
#define TALLYMAN_COMPARE_H

#include "tallyman/records.h"

/* How one published count and ours go together. */
typedef enum tally_verdict { TALLY_AGREES, TALLY_DIFFERS, TALLY_INCOMPARABLE } tally_verdict;
TALLY_API const char *tally_verdict_name(tally_verdict v);

typedef struct tally_comparison {
    const char *site, *class_, *zone, *date, *source, *reason; /* live as long as the records */
    double published, ours, low, high;
    tally_verdict verdict;
} tally_comparison;

/*
 * Set the observations beside COUNTS.csv (CONTRACT.md 4). A date is a day in UTC here, since the
 * records do not keep the site's time zone; the scene of that day or, failing that, of the day
 * before or after is taken, the nearest one. They agree when the intervals meet, or the difference
 * is within the row's tolerance (in objects), else within a tenth. out: n rows, freed with
 * tally_comparisons_free.
 */
TALLY_API tally_status tally_compare(tally_records *records, const char *counts_path,
                                     tally_comparison **out, size_t *n,
                                     tally_error *err) TALLY_MUST_CHECK;
TALLY_API void tally_comparisons_free(tally_comparison **rows);

#endif
