/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "series/csv.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const size_t LARGEST = (size_t)256 << 20;

enum { TOO_MANY = -1, OPEN_QUOTE = -2 };

/* Take one row apart in place. Returns the number of fields, or what is wrong. */
static int split_row(tally_csv *csv, char *fields[TALLY_CSV_COLUMNS])
{
    char *p = csv->next, *to;
    int n = 0;
    for (;;) {
        if (n == TALLY_CSV_COLUMNS) return TOO_MANY;
        fields[n++] = to = p;
        if (*p == '"') {
            for (p++; *p && (*p != '"' || p[1] == '"'); p++) {
                if (*p == '"') p++;
                if (*p == '\n') csv->line++;
                *to++ = *p;
            }
            if (!*p) return OPEN_QUOTE;
            p++;
        }
        while (*p && *p != ',' && *p != '\n' && *p != '\r')
            *to++ = *p++;
        char end = *p;
        if (end == '\r' && p[1] == '\n') p++;
        *to = '\0';
        if (end == ',') {
            p++;
            continue;
        }
        csv->next = end ? p + 1 : NULL;
        if (end && !*csv->next) csv->next = NULL;
        return n;
    }
}

/* What split_row found wrong. */
static tally_status bad_row(const tally_csv *csv, int n, tally_error *err)
{
    if (n == OPEN_QUOTE)
        return tally_fail(err, TALLY_E_FORMAT, "%s: line %zu: a quote is never closed; close it",
                          csv->path, csv->line);
    if (n == TOO_MANY)
        return tally_fail(
            err, TALLY_E_FORMAT,
            "%s: line %zu: more than %d fields; leave out columns that are not needed", csv->path,
            csv->line, TALLY_CSV_COLUMNS);
    return tally_fail(err, TALLY_E_FORMAT,
                      "%s: line %zu: %d fields, the header names %d; quote fields that hold commas",
                      csv->path, csv->line, n, csv->n_columns);
}

tally_status tally_csv_open(const char *path, tally_csv *csv, tally_error *err)
{
    size_t size = 0;
    *csv = (tally_csv) { .path = path };
    tally_status s = tally_file_read(path, LARGEST, &csv->text, &size, err);
    if (s != TALLY_OK) return s;
    csv->next = csv->text;
    if (strlen(csv->text) != size)
        s = tally_fail(err, TALLY_E_FORMAT, "%s: holds zero bytes; it is not a CSV file", path);
    if (strncmp(csv->next, "\xef\xbb\xbf", 3) == 0) csv->next += 3;
    csv->line = 1;
    if (s == TALLY_OK) csv->n_columns = split_row(csv, csv->header);
    if (s == TALLY_OK && csv->n_columns < 1)
        s = bad_row(csv, csv->n_columns, err);
    else if (s == TALLY_OK && csv->n_columns == 1 && !*csv->header[0])
        s = tally_fail(err, TALLY_E_FORMAT,
                       "%s: line 1: no header row; the first line must name the columns", path);
    if (s != TALLY_OK) tally_csv_close(csv);
    return s;
}

void tally_csv_close(tally_csv *csv)
{
    tally_free(csv->text);
    *csv = (tally_csv) { 0 };
}

static int column_of(const tally_csv *csv, const char *name)
{
    for (int i = 0; i < csv->n_columns; i++)
        if (strcmp(csv->header[i], name) == 0) return i;
    return -1;
}

tally_status tally_csv_columns(const tally_csv *csv, const char *const *names, int n, int n_needed,
                               int *columns, tally_error *err)
{
    for (int i = 0; i < n; i++) {
        columns[i] = column_of(csv, names[i]);
        if (columns[i] >= 0 || i >= n_needed) continue;
        tally_text needed = { 0 };
        for (int k = 0; k < n_needed; k++)
            tally_text_add(&needed, "%s%s", k ? "," : "", names[k]);
        bool semicolons = csv->n_columns == 1 && strchr(csv->header[0], ';');
        tally_status s =
            tally_fail(err, TALLY_E_FORMAT, "%s: line 1: no column `%s`; %s %s", csv->path,
                       names[i], semicolons ? "separate by commas, not semicolons:" : "needed are",
                       needed.failed ? "more" : needed.bytes);
        tally_text_fini(&needed);
        return s;
    }
    return TALLY_OK;
}

tally_status tally_csv_row(tally_csv *csv, char *fields[TALLY_CSV_COLUMNS], bool *more,
                           tally_error *err)
{
    *more = false;
    while (csv->next) {
        csv->line++;
        int n = split_row(csv, fields);
        if (n == 1 && !*fields[0]) continue;
        if (n != csv->n_columns) return bad_row(csv, n, err);
        *more = true;
        return TALLY_OK;
    }
    return TALLY_OK;
}

tally_status tally_csv_number(const tally_csv *csv, const char *field, double *out,
                              tally_error *err)
{
    char *end;
    *out = NAN;
    if (!*field) return TALLY_OK;
    double value = strtod(field, &end);
    if (*end || !isfinite(value))
        return tally_fail(
            err, TALLY_E_FORMAT,
            "%s: line %zu: `%.40s` is no number; leave it empty where nothing was seen", csv->path,
            csv->line, field);
    *out = value;
    return TALLY_OK;
}
