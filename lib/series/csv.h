/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Tables made elsewhere: RFC 4180, with or without a byte-order mark, any line ends. */
#ifndef TALLY_SERIES_CSV_H
#define TALLY_SERIES_CSV_H

#include "base/base.h"

enum { TALLY_CSV_COLUMNS = 64 };

typedef struct tally_csv {
    const char *path;
    char *text; /* fields point into it */
    char *next; /* NULL: at the end */
    char *header[TALLY_CSV_COLUMNS];
    int n_columns;
    size_t line; /* of the row read last, from 1 */
} tally_csv;

/* Read the file and its header row. Errors name the file. */
tally_status tally_csv_open(const char *path, tally_csv *csv, tally_error *err) TALLY_MUST_CHECK;
void tally_csv_close(tally_csv *csv);
/* Where each of n named columns is; -1: nowhere, which is an error for the first n_needed. */
tally_status tally_csv_columns(const tally_csv *csv, const char *const *names, int n, int n_needed,
                               int *columns, tally_error *err) TALLY_MUST_CHECK;
/* The next row that is not empty; *more false at the end. A row of another width is an error that
 * names the line. */
tally_status tally_csv_row(tally_csv *csv, char *fields[TALLY_CSV_COLUMNS], bool *more,
                           tally_error *err) TALLY_MUST_CHECK;
/* A number; an empty field is NaN; anything else is an error that names file and line. */
tally_status tally_csv_number(const tally_csv *csv, const char *field, double *out,
                              tally_error *err) TALLY_MUST_CHECK;

#endif
