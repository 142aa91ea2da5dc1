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
/* The same, with report.html by these counts; the tables stay the machine's. Where there are
 * reviews, reviewed.csv has theirs beside the machine's, whichever is asked for. */
TALLY_API tally_status tally_report_write_by(const tally_context *ctx, const char *folder,
                                             tally_counts counts,
                                             tally_error *err) TALLY_MUST_CHECK;
/* reviewed.csv alone: from records that tally_review_apply has seen; from a folder. */
TALLY_API tally_status tally_report_reviewed_table(const tally_records *records, const char *folder,
                                                   tally_error *err) TALLY_MUST_CHECK;
TALLY_API tally_status tally_report_reviewed(const tally_context *ctx, const char *folder,
                                             tally_error *err) TALLY_MUST_CHECK;
/*
 * On what the accuracy of each class was measured, as a Markdown table (docs/accuracy.md), or as
 * lines of text on those rows that concern a folder. The caller frees it with free(); NULL: no
 * memory, or no such folder (err says which).
 */
TALLY_API char *tally_report_accuracy_markdown(void);
TALLY_API char *tally_report_accuracy_text(const char *folder, tally_error *err);
/* spikes.csv as text, for `tallyman spikes`; the caller frees it with free(). NULL: no memory. */
TALLY_API char *tally_report_spikes_csv(const tally_records *records);

#endif
