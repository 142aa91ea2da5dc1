/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TALLY_SERIES_SERIES_H
#define TALLY_SERIES_SERIES_H

#include "base/base.h"
#include "tallyman/series.h"

/* The observations of one zone and class that bear an estimate, by time. */
typedef struct tally_line {
    const tally_observation **points;
    size_t n;
} tally_line;

/* Append what stands out in one line to records->spikes. */
tally_status tally_line_spikes(tally_records *records, const tally_line *line, int64_t as_of,
                               tally_error *err) TALLY_MUST_CHECK;
/* Append all visits to records->visits. */
tally_status tally_series_visits(tally_records *records, tally_error *err) TALLY_MUST_CHECK;

/* P(X >= k) of a negative binomial with this mean and variance (> mean), or of a Poisson where
 * variance <= mean. k real, >= 0. */
double tally_count_tail(double k, double mean, double variance);

#endif
