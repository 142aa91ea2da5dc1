/* SPDX-License-Identifier: GPL-3.0-or-later */
/* report.html: the series, what stands out, and the pixels beside the numbers, in one file. */
#ifndef TALLY_REPORT_HTML_H
#define TALLY_REPORT_HTML_H

#include "base/base.h"
#include "tallyman/records.h"

/*
 * Write FOLDER/report.html from `records` (in their order) and
 * FOLDER/pictures/<class>_<scene>_*.png, with the captions in *.txt beside them. The file needs no
 * network and runs no script. Every text from outside is escaped. Same records and pictures, same
 * bytes. Errors: TALLY_E_IO, TALLY_E_NOMEM.
 */
tally_status tally_report_html(const tally_context *ctx, const tally_records *records,
                               const char *title, const char *folder,
                               tally_error *err) TALLY_MUST_CHECK;

/* Used among the html files. */

/* Text for an element or a quoted attribute: & < > " ' escaped, control characters to blanks,
 * bytes that are no UTF-8 to question marks. */
void tally_html_text(tally_text *out, const char *text);
void tally_html_base64(tally_text *out, const unsigned char *bytes, size_t size);
/* "2024-03-09", with " 02:31" when that is wanted and known; a dash for no time. */
void tally_html_date(tally_text *out, int64_t utc);
void tally_html_time(tally_text *out, int64_t utc);
/* A measure, a dash for NaN. */
void tally_html_number(tally_text *out, double value, int decimals);
/* A count: one decimal below ten, where it tells; a dash for NaN. */
void tally_html_count(tally_text *out, double value);
/* The name of the place where the pictures of a class and scene are shown, for id and href. */
void tally_html_anchor(tally_text *out, const tally_records *records, tally_class c,
                       const char *scene);
/* "railcars", "container slots", "vessels". */
const char *tally_html_noun(tally_class c);
/* "railcar" for a value that is written as 1, else as above. */
const char *tally_html_noun_of(tally_class c, double value);

/* The observations of one class and zone ("*": the site), by time. */
typedef struct tally_html_series {
    const tally_observation **rows;
    size_t n;
} tally_html_series;
tally_status tally_html_select(const tally_records *records, tally_class c, const char *zone,
                               tally_html_series *out, tally_error *err) TALLY_MUST_CHECK;

/* Is the scene shown with pictures: it stands out (in the total, or in a zone), is the latest
 * counted or the highest? The most telling reason. */
typedef enum tally_html_place {
    TALLY_HTML_NOWHERE,
    TALLY_HTML_STANDS_OUT,
    TALLY_HTML_ZONE_STANDS_OUT,
    TALLY_HTML_MOST,
    TALLY_HTML_LATEST
} tally_html_place;
tally_html_place tally_html_place_of(const tally_records *records, tally_class c,
                                     const char *scene);

/* The chart of a class's total over time. */
tally_status tally_html_chart(tally_text *out, const tally_records *records, tally_class c,
                              tally_error *err) TALLY_MUST_CHECK;
/* The total of each date, with where its pixels are. */
tally_status tally_html_dates(tally_text *out, const tally_records *records, tally_class c,
                              tally_error *err) TALLY_MUST_CHECK;
/* What stands out in a class: statements and pictures; then the latest date and the most. */
tally_status tally_html_spikes(const tally_context *ctx, tally_text *out,
                               const tally_records *records, tally_class c, const char *folder,
                               tally_error *err) TALLY_MUST_CHECK;
tally_status tally_html_zones(tally_text *out, const tally_records *records, tally_class c,
                              tally_error *err) TALLY_MUST_CHECK;
void tally_html_visits(tally_text *out, const tally_records *records);
void tally_html_scenes(tally_text *out, const tally_records *records);

/* Whose counts these are; the reviews, with what became of each. */
void tally_html_counts(tally_text *out, const tally_records *records);
void tally_html_reviews(tally_text *out, const tally_records *records);
/* On what the accuracy of the classes was measured (accuracy_basis.c). */
void tally_html_accuracy(tally_text *out, const tally_records *records);

extern const char tally_html_style[];

#endif
