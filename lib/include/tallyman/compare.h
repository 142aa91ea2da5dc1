/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TALLYMAN_COMPARE_H
#define TALLYMAN_COMPARE_H

#include "tallyman/records.h"

/* How one published count and ours go together. */
typedef enum tally_verdict { TALLY_AGREES, TALLY_DIFFERS, TALLY_INCOMPARABLE } tally_verdict;
TALLY_API const char *tally_verdict_name(tally_verdict v);

typedef struct tally_comparison {
    /* live as long as the records; scene "" where none was found, reason "" where there is none */
    const char *site, *class_, *zone, *date, *source, *scene, *reason;
    double published, ours, low, high;
    tally_verdict verdict;
    tally_counts counts; /* whose ours are: the records' */
} tally_comparison;

typedef struct tally_compare_settings {
    /* Seconds that the site's clocks are ahead of UTC at that time. NULL: its time zone is not
     * known, and dates are days in UTC. */
    int64_t (*ahead_s)(int64_t utc, const void *zone);
    const void *zone;
} tally_compare_settings;

/*
 * Set the observations beside COUNTS.csv (CONTRACT.md 4). A row is compared with the scene of its
 * day that shows most of its zone. Where the time zone is not known, a scene of the day before or
 * after is taken for want of a better one, and `reason` says so. With a tolerance (a number of
 * objects, or of percent with a `%`) they agree when our estimate lies within it of the published
 * count, or of its low and high; without, when the intervals meet or a tenth is not exceeded.
 * What cannot be compared (another quantity, an unknown class, site or zone, a day that nothing
 * shows) is TALLY_INCOMPARABLE, with the reason. out: n rows, freed with tally_comparisons_free.
 * Errors: TALLY_E_IO, TALLY_E_FORMAT (names file and line).
 */
TALLY_API tally_status tally_compare(tally_records *records, const char *counts_path,
                                     const tally_compare_settings *settings, tally_comparison **out,
                                     size_t *n, tally_error *err) TALLY_MUST_CHECK;
/* The rows as CSV; the caller frees it with free(). NULL: no memory. */
TALLY_API char *tally_comparisons_csv(const tally_comparison *rows, size_t n);
TALLY_API void tally_comparisons_free(tally_comparison **rows);

#endif
