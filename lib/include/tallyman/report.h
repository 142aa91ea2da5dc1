/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TALLYMAN_REPORT_H
#define TALLYMAN_REPORT_H

#include "tallyman/context.h"
#include "tallyman/records.h"

/* scenes.csv, series.csv, detections.geojson, spikes.csv, visits.csv (CONTRACT.md 5), each whole by
 * rename. */
TALLY_API tally_status tally_report_tables(const tally_records *records, const char *folder,
                                           tally_error *err) TALLY_MUST_CHECK;
/* The tables and report.html again from folder/tallyman.gpkg and folder/pictures/; needs no tile.
 */
TALLY_API tally_status tally_report_write(const tally_context *ctx, const char *folder,
                                          tally_error *err) TALLY_MUST_CHECK;
/* spikes.csv as text, for `tallyman spikes`; the caller frees it with free(). NULL: no memory. */
TALLY_API char *tally_report_spikes_csv(const tally_records *records);

#endif
