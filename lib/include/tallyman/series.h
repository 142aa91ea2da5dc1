/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TALLYMAN_SERIES_H
#define TALLYMAN_SERIES_H

#include "tallyman/records.h"

typedef struct tally_series_settings {
    int64_t as_of; /* judge by what was known then; INT64_MIN: by the whole series */
} tally_series_settings;

/*
 * Spikes, drops, level shifts and records of every zone and class, and the visits of vessels, from
 * the observations and detections of `records`, which must be sorted. What `records` held of spikes
 * and visits is replaced. Only what was seen speaks: unseen, refused and rejected observations are
 * missing, never zero.
 */
TALLY_API tally_status tally_series_find(tally_records *records,
                                         const tally_series_settings *settings,
                                         tally_error *err) TALLY_MUST_CHECK;

/* Observations from a table in the columns of series.csv (needed: site, class, datetime, count),
 * sorted. An empty count is missing, never zero. Errors name the file and the line. */
TALLY_API tally_status tally_series_read(const char *path, tally_records **out,
                                         tally_error *err) TALLY_MUST_CHECK;

/* The same by these counts: REVIEWED takes the columns `reviewed`, `reviewed_low`, `reviewed_high`
 * and `reviewed_estimate` of reviewed.csv in their place. */
TALLY_API tally_status tally_series_read_by(const char *path, tally_counts counts,
                                            tally_records **out, tally_error *err) TALLY_MUST_CHECK;

#endif
