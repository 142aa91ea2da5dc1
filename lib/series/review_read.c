/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reviews from a table. A row is checked against what the folder holds before anything is kept. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "series/csv.h"
#include "series/review.h"

enum {
    ACTION,
    CLASS,
    WHO,
    NEEDED,
    ZONE = NEEDED,
    SCENE,
    DATETIME,
    DETECTION,
    COUNT,
    WHY,
    WHEN,
    LONGITUDE,
    LATITUDE,
    WKT,
    COLUMNS
};
static const char *const names[COLUMNS] = { "action",    "class",     "who",   "zone", "scene",
                                            "datetime",  "detection", "count", "why",  "when",
                                            "longitude", "latitude",  "wkt" };
enum { MOST_POINTS = 10000 };

typedef struct read_job {
    const tally_csv *csv;
    const char *now;
    tally_records *r;
    tally_review_result *result;
    int columns[COLUMNS];
    size_t n_before; /* reviews that were there before the file */
    size_t *lines;   /* of each row that was added */
} read_job;

static const char *text_at(const read_job *job, char **fields, int column)
{
    return job->columns[column] < 0 ? "" : fields[job->columns[column]];
}

static tally_status bad(const read_job *job, const char *why, tally_error *err)
{
    return tally_fail(err, TALLY_E_FORMAT, "%s: line %zu: %s", job->csv->path, job->csv->line, why);
}

/* A text that a spreadsheet would compute. Names of zones, scenes and detections are looked up, so
 * only free text can carry one in. */
static bool is_formula(const char *text)
{
    return *text && strchr("=+-@\t\r", *text);
}

/* Whole and from 0: what tally_csv_number takes may be 2.5 or 1e3. */
static bool parse_count(const char *text, int64_t *out)
{
    char *end;
    *out = TALLY_NO_COUNT;
    if (!*text) return true;
    if (strlen(text) > 9 || strspn(text, "0123456789") != strlen(text)) return false;
    *out = strtoll(text, &end, 10);
    return !*end;
}

/* POLYGON ((x y, x y, ...)): the outer ring, open. */
static bool parse_polygon(const char *text, double (**out)[2], size_t *n_out)
{
    double(*points)[2] = NULL;
    size_t n = 0;
    int at = 0;
    *out = NULL;
    *n_out = 0;
    if (sscanf(text, " POLYGON ( ( %n", &at) != 0 || at == 0) return false;
    for (text += at;;) {
        char *end;
        const double x = strtod(text, &end), y = end == text ? NAN : strtod(end, &end);
        double(*more)[2] = isfinite(x) && isfinite(y) && n < MOST_POINTS
                               ? tally_realloc(points, n + 1, sizeof *points)
                               : NULL;
        if (!more) break;
        points = more;
        points[n][0] = x;
        points[n++][1] = y;
        text = end + strspn(end, " ");
        if (*text == ')') {
            text += 1 + strspn(text + 1, " ");
            /* a ring repeats its first point, and three others make a shape */
            if (*text != ')' || text[1 + strspn(text + 1, " ")] || n < 4 ||
                memcmp(points[0], points[n - 1], sizeof *points) != 0)
                break;
            *out = points;
            *n_out = n - 1;
            return true;
        }
        if (*text++ != ',') break;
    }
    tally_free(points);
    return false;
}

static bool same_place(const tally_review *a, const tally_review *b)
{
    const bool same_point =
        (isnan(a->longitude) ? isnan(b->longitude) : fabs(a->longitude - b->longitude) < 1e-9) &&
        (isnan(a->latitude) ? isnan(b->latitude) : fabs(a->latitude - b->latitude) < 1e-9);
    if (!same_point || a->n_ring != b->n_ring) return false;
    for (size_t i = 0; i < a->n_ring; i++)
        if (fabs(a->ring[i][0] - b->ring[i][0]) > 1e-9 ||
            fabs(a->ring[i][1] - b->ring[i][1]) > 1e-9)
            return false;
    return true;
}

/* Of the same thing: where two say of it that it is right, or none, or so many, one is too many. */
static bool same_thing(const tally_review *a, const tally_review *b)
{
    return strcmp(a->scene, b->scene) == 0 && strcmp(a->class_, b->class_) == 0 &&
           strcmp(a->zone, b->zone) == 0 && strcmp(a->detection, b->detection) == 0;
}

/* Word for word; a row that names no time is the one that was there before, whenever that was. */
static bool same_review(const tally_review *a, const tally_review *b, bool timed)
{
    return same_thing(a, b) && strcmp(a->action, b->action) == 0 && a->count == b->count &&
           strcmp(a->who, b->who) == 0 && strcmp(a->why, b->why) == 0 && same_place(a, b) &&
           (!timed || strcmp(a->when, b->when) == 0);
}

static tally_status check_twice(const read_job *job, const tally_review *row, bool timed,
                                tally_error *err)
{
    const bool adds = strcmp(row->action, "add") == 0;
    for (size_t i = job->n_before; i < job->r->n_reviews; i++) {
        const tally_review *other = &job->r->reviews[i];
        const bool other_adds = strcmp(other->action, "add") == 0;
        if (adds ? !same_review(row, other, timed) : other_adds || !same_thing(row, other))
            continue;
        return tally_fail(
            err, TALLY_E_FORMAT, "%s: line %zu: says the same thing%s as line %zu; leave one out%s",
            job->csv->path, job->csv->line, adds ? "" : "'s verdict again",
            job->lines[i - job->n_before], adds ? ", or give how many in `count`" : "");
    }
    return TALLY_OK;
}

static bool is_known(const read_job *job, const tally_review *row, bool timed)
{
    for (size_t i = 0; i < job->n_before; i++)
        if (same_review(row, &job->r->reviews[i], timed)) return true;
    return false;
}

/* Scene, time and zone as the folder spells them, whichever of them the row named. */
static void complete(const tally_records *r, const tally_review_target *t, char stamp[24],
                     tally_review *row)
{
    tally_utc_format(r->scenes[t->scene].utc, stamp);
    row->scene = r->scenes[t->scene].scene;
    row->datetime = stamp;
    row->zone = r->observations[t->observation].zone;
}

static tally_status add_row(read_job *job, tally_review *row, tally_error *err)
{
    tally_review_target target;
    char why[TALLY_WHY_SIZE], stamp[24], when[24];
    const bool timed = *row->when;

    if (!tally_review_check(job->r, row, &target, why)) return bad(job, why, err);
    if (is_formula(row->who) || is_formula(row->why))
        return bad(job, "`who` or `why` begins like a formula (= + - @); begin with a letter", err);
    complete(job->r, &target, stamp, row);
    tally_utc_format(target.when, when);
    row->when = timed ? when : job->now;
    tally_status s = check_twice(job, row, timed, err);
    if (s != TALLY_OK) return s;
    if (is_known(job, row, timed)) {
        job->result->n_known++;
        return TALLY_OK;
    }
    const size_t n = job->result->n_added;
    size_t *more = tally_realloc(job->lines, n + 1, sizeof *more);
    if (!more) return tally_nomem(err, job->csv->path);
    job->lines = more;
    job->lines[n] = job->csv->line;
    s = tally_records_add_review(job->r, row, err);
    if (s == TALLY_OK) job->result->n_added++;
    return s;
}

static tally_status take_row(read_job *job, char **fields, tally_error *err)
{
    tally_review row = { .action = text_at(job, fields, ACTION),
                         .class_ = text_at(job, fields, CLASS),
                         .zone = text_at(job, fields, ZONE),
                         .scene = text_at(job, fields, SCENE),
                         .datetime = text_at(job, fields, DATETIME),
                         .detection = text_at(job, fields, DETECTION),
                         .who = text_at(job, fields, WHO),
                         .why = text_at(job, fields, WHY),
                         .when = text_at(job, fields, WHEN),
                         .problem = "" };
    if (!*row.action) {
        job->result->n_blank++;
        return TALLY_OK;
    }
    const char *count = text_at(job, fields, COUNT), *wkt = text_at(job, fields, WKT);
    if (!parse_count(count, &row.count))
        return tally_fail(err, TALLY_E_FORMAT,
                          "%s: line %zu: count `%.40s` is no whole number; counts run from 0",
                          job->csv->path, job->csv->line, count);
    tally_status s =
        tally_csv_number(job->csv, text_at(job, fields, LONGITUDE), &row.longitude, err);
    if (s == TALLY_OK)
        s = tally_csv_number(job->csv, text_at(job, fields, LATITUDE), &row.latitude, err);
    if (s == TALLY_OK && *wkt && !parse_polygon(wkt, &row.ring, &row.n_ring))
        s = bad(job, "wkt is no POLYGON ((lon lat, lon lat, ...)) that ends where it began", err);
    if (s == TALLY_OK) s = add_row(job, &row, err);
    tally_free(row.ring);
    return s;
}

/* All or nothing: what was added before the row that is wrong goes again. */
static void take_back(read_job *job)
{
    while (job->r->n_reviews > job->n_before)
        tally_free(job->r->reviews[--job->r->n_reviews].ring);
    *job->result = (tally_review_result) { 0 };
}

tally_status tally_review_read(const char *path, int64_t now_utc, tally_records *records,
                               tally_review_result *result, tally_error *err)
{
    tally_csv csv;
    char *fields[TALLY_CSV_COLUMNS], now[24];
    bool more = true;
    *result = (tally_review_result) { 0 };
    tally_status s = tally_csv_open(path, &csv, err);
    if (s != TALLY_OK) return s;
    tally_utc_format(now_utc, now);
    read_job job = {
        .csv = &csv, .now = now, .r = records, .result = result, .n_before = records->n_reviews
    };
    s = tally_csv_columns(&csv, names, COLUMNS, NEEDED, job.columns, err);
    while (s == TALLY_OK && more) {
        s = tally_csv_row(&csv, fields, &more, err);
        if (s == TALLY_OK && more) s = take_row(&job, fields, err);
    }
    if (s != TALLY_OK) take_back(&job);
    tally_free(job.lines);
    tally_csv_close(&csv);
    return s;
}
