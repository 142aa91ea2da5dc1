/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tallyman/compare.h"

#include <math.h>
#include <string.h>

#include "series/csv.h"

enum {
    SITE,
    CLASS,
    DATE,
    COUNT,
    NEEDED,
    LOW = NEEDED,
    HIGH,
    QUANTITY,
    ZONE,
    SOURCE,
    TOLERANCE,
    COLUMNS
};
static const char *const names[COLUMNS] = { "site", "class",    "date", "count",  "low",
                                            "high", "quantity", "zone", "source", "tolerance" };
static const double DEFAULT_SHARE =
    0.1; /* counts by eye differ by as much between readers (DOMAIN.md) */

const char *tally_verdict_name(tally_verdict v)
{
    static const char *const words[] = { "agrees", "differs", "incomparable" };
    return (unsigned)v <= TALLY_INCOMPARABLE ? words[v] : "?";
}

static const tally_observation *nearest(const tally_records *r, const tally_comparison *row,
                                        int class_, int64_t utc)
{
    const tally_observation *best = NULL;
    int64_t middle = utc + 43200, best_away = 0;
    for (size_t i = 0; i < r->n_observations; i++) {
        const tally_observation *o = &r->observations[i];
        if ((int)o->class_ != class_ || strcmp(o->zone, row->zone) != 0 ||
            strcmp(o->site, row->site) != 0 || o->count == TALLY_NO_COUNT)
            continue;
        int64_t days = tally_utc_day(o->utc) - tally_utc_day(utc),
                away = o->utc > middle ? o->utc - middle : middle - o->utc;
        if (days < -1 || days > 1) continue;
        if (!best || away < best_away) best = o, best_away = away;
    }
    return best;
}

static void judge(const tally_observation *o, double low, double high, double tolerance,
                  tally_comparison *row)
{
    row->ours = o->estimate;
    row->low = o->low;
    row->high = o->high;
    double slack = isfinite(tolerance) ? tolerance : DEFAULT_SHARE * row->published;
    double their_low = isfinite(low) ? low : row->published,
           their_high = isfinite(high) ? high : row->published;
    bool meet = !(o->high < their_low) && !(o->low > their_high);
    bool near = fabs(o->estimate - row->published) <= slack;
    row->verdict = (isfinite(tolerance) ? near : meet || near) ? TALLY_AGREES : TALLY_DIFFERS;
}

static tally_status take_row(const tally_csv *csv, char **fields, const int columns[COLUMNS],
                             tally_records *r, tally_comparison *row, tally_error *err)
{
    double low = NAN, high = NAN, tolerance = NAN;
    int64_t utc;
    const char *quantity = columns[QUANTITY] >= 0 && *fields[columns[QUANTITY]]
                               ? fields[columns[QUANTITY]]
                               : "objects";
    const char *zone = columns[ZONE] >= 0 && *fields[columns[ZONE]] ? fields[columns[ZONE]] : "*";
    *row = (tally_comparison) {
        .site = tally_intern(r->strings, fields[columns[SITE]]),
        .class_ = tally_intern(r->strings, fields[columns[CLASS]]),
        .zone = tally_intern(r->strings, zone),
        .date = tally_intern(r->strings, fields[columns[DATE]]),
        .source = tally_intern(r->strings, columns[SOURCE] >= 0 ? fields[columns[SOURCE]] : ""),
        .reason = "",
        .ours = NAN,
        .low = NAN,
        .high = NAN,
        .verdict = TALLY_INCOMPARABLE
    };
    if (!row->site || !row->class_ || !row->zone || !row->date || !row->source)
        return tally_nomem(err, csv->path);
    int class_ = tally_class_parse(row->class_);
    if (class_ < 0)
        return tally_fail(err, TALLY_E_FORMAT,
                          "%s: line %zu: class `%.40s` is none of railcar, container_stack, vessel",
                          csv->path, csv->line, row->class_);
    if (!tally_utc_parse(row->date, &utc, NULL))
        return tally_fail(err, TALLY_E_FORMAT, "%s: line %zu: date `%.40s` is not YYYY-MM-DD",
                          csv->path, csv->line, row->date);
    tally_status s = tally_csv_number(csv, fields[columns[COUNT]], &row->published, err);
    if (s == TALLY_OK && columns[LOW] >= 0)
        s = tally_csv_number(csv, fields[columns[LOW]], &low, err);
    if (s == TALLY_OK && columns[HIGH] >= 0)
        s = tally_csv_number(csv, fields[columns[HIGH]], &high, err);
    if (s == TALLY_OK && columns[TOLERANCE] >= 0)
        s = tally_csv_number(csv, fields[columns[TOLERANCE]], &tolerance, err);
    if (s != TALLY_OK) return s;
    bool slots = strcmp(quantity, "slots") == 0, objects = strcmp(quantity, "objects") == 0,
         boxes = strcmp(quantity, "boxes") == 0;
    if (!slots && !objects && !boxes)
        return tally_fail(err, TALLY_E_FORMAT,
                          "%s: line %zu: quantity `%.40s` is none of objects, slots, boxes",
                          csv->path, csv->line, quantity);
    const tally_observation *o = nearest(r, row, class_, utc);
    if (!isfinite(row->published))
        row->reason = "no published count";
    else if (class_ == TALLY_CONTAINER_STACK ? !slots : !objects)
        row->reason = class_ == TALLY_CONTAINER_STACK
                          ? "ground slots are counted here, not objects or boxes of all tiers"
                          : "objects are counted here";
    else if (!o)
        row->reason = "no scene within a day that shows it";
    else
        judge(o, low, high, tolerance, row);
    return TALLY_OK;
}

tally_status tally_compare(tally_records *records, const char *counts_path, tally_comparison **out,
                           size_t *n, tally_error *err)
{
    tally_csv csv;
    char *fields[TALLY_CSV_COLUMNS];
    int columns[COLUMNS];
    bool more = true;
    *out = NULL;
    *n = 0;
    tally_status s = tally_csv_open(counts_path, &csv, err);
    if (s != TALLY_OK) return s;
    for (int i = 0; i < COLUMNS && s == TALLY_OK; i++) {
        columns[i] = tally_csv_column(&csv, names[i]);
        if (columns[i] < 0 && i < NEEDED)
            s = tally_fail(err, TALLY_E_FORMAT,
                           "%s: no column `%s`; needed are site, class, date and count",
                           counts_path, names[i]);
    }
    while (s == TALLY_OK) {
        s = tally_csv_row(&csv, fields, &more, err);
        if (s != TALLY_OK || !more) break;
        tally_comparison *rows = tally_realloc(*out, *n + 1, sizeof *rows);
        if (!rows) {
            s = tally_nomem(err, counts_path);
            break;
        }
        *out = rows;
        s = take_row(&csv, fields, columns, records, &rows[*n], err);
        *n += s == TALLY_OK;
    }
    if (s != TALLY_OK) {
        tally_comparisons_free(out);
        *n = 0;
    }
    tally_csv_close(&csv);
    return s;
}

void tally_comparisons_free(tally_comparison **rows)
{
    tally_free(*rows);
    *rows = NULL;
}
