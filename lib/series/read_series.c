/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A series made elsewhere, in the columns of series.csv; needed: site, class, datetime, count. */
#include <math.h>
#include <string.h>

#include "series/csv.h"
#include "tallyman/series.h"

enum {
    SITE,
    CLASS,
    DATETIME,
    COUNT,
    NEEDED,
    ZONE = NEEDED,
    SCENE,
    LOW,
    HIGH,
    ESTIMATE,
    SEEN,
    FAMILY,
    QUALITY,
    COLUMNS
};
static const char *const names[COLUMNS] = { "site",     "class", "datetime", "count",
                                            "zone",     "scene", "low",      "high",
                                            "estimate", "seen",  "family",   "quality" };

static const char *text_at(char **fields, int column, const char *otherwise)
{
    return column >= 0 && *fields[column] ? fields[column] : otherwise;
}

static tally_status take_row(const tally_csv *csv, char **fields, const int columns[COLUMNS],
                             tally_records *r, tally_error *err)
{
    tally_observation o = { .site = fields[columns[SITE]],
                            .zone = text_at(fields, columns[ZONE], "*"),
                            .reason = "",
                            .scene = text_at(fields, columns[SCENE], fields[columns[DATETIME]]),
                            .family = text_at(fields, columns[FAMILY], ""),
                            .extent = NAN,
                            .occupancy = NAN,
                            .gsd_m = NAN };
    double numbers[COLUMNS];
    int class_ = tally_class_parse(fields[columns[CLASS]]);
    if (class_ < 0)
        return tally_fail(err, TALLY_E_FORMAT,
                          "%s: line %zu: class `%.40s` is none of railcar, container_stack, vessel",
                          csv->path, csv->line, fields[columns[CLASS]]);
    o.class_ = (tally_class)class_;
    if (!tally_utc_parse(fields[columns[DATETIME]], &o.utc, NULL))
        return tally_fail(
            err, TALLY_E_FORMAT,
            "%s: line %zu: datetime `%.40s` is none; write it as YYYY-MM-DDThh:mm:ssZ", csv->path,
            csv->line, fields[columns[DATETIME]]);
    static const int wanted[] = { COUNT, LOW, HIGH, ESTIMATE, SEEN };
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        int k = wanted[i];
        numbers[k] = NAN;
        if (columns[k] < 0) continue;
        tally_status s = tally_csv_number(csv, fields[columns[k]], &numbers[k], err);
        if (s != TALLY_OK) return s;
    }
    if (numbers[COUNT] < 0 || numbers[COUNT] > 1e12)
        return tally_fail(err, TALLY_E_FORMAT, "%s: line %zu: a count of %g; counts run from 0",
                          csv->path, csv->line, numbers[COUNT]);
    for (size_t i = 1; i < sizeof wanted / sizeof *wanted; i++)
        if (numbers[wanted[i]] < 0 || (wanted[i] == SEEN && numbers[SEEN] > 1))
            return tally_fail(err, TALLY_E_FORMAT, "%s: line %zu: %s is %g; it runs from 0%s",
                              csv->path, csv->line, names[wanted[i]], numbers[wanted[i]],
                              wanted[i] == SEEN ? " to 1" : "");
    if (numbers[LOW] > numbers[HIGH])
        return tally_fail(err, TALLY_E_FORMAT, "%s: line %zu: low %g lies above high %g; swap them",
                          csv->path, csv->line, numbers[LOW], numbers[HIGH]);
    bool counted = isfinite(numbers[COUNT]);
    o.count = counted ? (int64_t)llround(numbers[COUNT]) : TALLY_NO_COUNT;
    const char *word = text_at(fields, columns[QUALITY], counted ? "ok" : "unseen");
    int quality = tally_quality_parse(word);
    if (quality < 0)
        return tally_fail(
            err, TALLY_E_FORMAT,
            "%s: line %zu: quality `%.40s` is none of ok, partial, unseen, refused, rejected",
            csv->path, csv->line, word);
    o.quality = (tally_quality)quality;
    /* a zone that somebody counted is known, whatever the pixels showed */
    if (r->counts == TALLY_COUNTS_REVIEWED && counted && o.quality != TALLY_QUALITY_PARTIAL)
        o.quality = TALLY_QUALITY_OK;
    o.estimate = isfinite(numbers[ESTIMATE]) ? numbers[ESTIMATE] : numbers[COUNT];
    o.low = numbers[LOW];
    o.high = numbers[HIGH];
    o.seen = isfinite(numbers[SEEN]) ? numbers[SEEN] : counted;
    return tally_records_add_observation(r, &o, err);
}

tally_status tally_series_read(const char *path, tally_records **out, tally_error *err)
{
    return tally_series_read_by(path, TALLY_COUNTS_MACHINE, out, err);
}

/* What reviews made of a row stands in columns of its own, for all rows of the table. */
static tally_status take_reviewed(const tally_csv *csv, int columns[COLUMNS], tally_error *err)
{
    static const char *const theirs[] = { "reviewed", "reviewed_low", "reviewed_high",
                                          "reviewed_estimate" };
    static const int instead_of[] = { COUNT, LOW, HIGH, ESTIMATE };
    int found[4];
    tally_status s = tally_csv_columns(csv, theirs, 4, 1, found, err);
    for (int i = 0; i < 4; i++)
        columns[instead_of[i]] = found[i];
    return s;
}

tally_status tally_series_read_by(const char *path, tally_counts counts, tally_records **out,
                                  tally_error *err)
{
    tally_csv csv;
    char *fields[TALLY_CSV_COLUMNS];
    int columns[COLUMNS];
    bool more = true;
    *out = NULL;
    tally_status s = tally_csv_open(path, &csv, err);
    if (s != TALLY_OK) return s;
    s = tally_csv_columns(&csv, names, COLUMNS, NEEDED, columns, err);
    if (s == TALLY_OK && counts == TALLY_COUNTS_REVIEWED) s = take_reviewed(&csv, columns, err);
    if (s == TALLY_OK) s = tally_records_create(out, err);
    if (s == TALLY_OK) (*out)->counts = counts;
    while (s == TALLY_OK && more) {
        s = tally_csv_row(&csv, fields, &more, err);
        if (s == TALLY_OK && more) s = take_row(&csv, fields, columns, *out, err);
    }
    if (s == TALLY_OK)
        tally_records_sort(*out);
    else
        tally_records_destroy(out);
    tally_csv_close(&csv);
    return s;
}
