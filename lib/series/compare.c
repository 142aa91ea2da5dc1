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
/* Counts by eye differ by as much between readers (DOMAIN.md C12: two readings agreed in 90.5 %).
 */
static const double DEFAULT_SHARE = 0.1;

typedef struct compare_job {
    tally_records *r;
    const tally_compare_settings *settings;
    const tally_csv *csv;
    int columns[COLUMNS];
} compare_job;

const char *tally_verdict_name(tally_verdict v)
{
    static const char *const words[] = { "agrees", "differs", "incomparable" };
    return (unsigned)v <= TALLY_INCOMPARABLE ? words[v] : "?";
}

static bool is_day_only(const tally_records *r, const char *scene)
{
    for (size_t i = 0; i < r->n_scenes; i++)
        if (strcmp(r->scenes[i].scene, scene) == 0)
            return strcmp(r->scenes[i].time_precision, "day") == 0;
    return false;
}

/* The day of an observation on the site's calendar. A day without a clock is taken as it is. */
static int64_t local_day(const compare_job *job, const tally_observation *o)
{
    const tally_compare_settings *zone = job->settings;
    if (!zone->ahead_s || is_day_only(job->r, o->scene)) return tally_utc_day(o->utc);
    return tally_utc_day(o->utc + zone->ahead_s(o->utc, zone->zone));
}

typedef struct found {
    const tally_observation *best;   /* the day's count that shows most of the zone */
    const tally_observation *silent; /* one of that day that gives no count */
    bool site, zone;                 /* whether the records know them */
} found;

/* What the records have of a row's site, class and zone, within so many days of its date. */
static found look_up(const compare_job *job, const tally_comparison *row, tally_class class_,
                     int64_t day, int64_t within)
{
    found f = { 0 };
    for (size_t i = 0; i < job->r->n_observations; i++) {
        const tally_observation *o = &job->r->observations[i];
        if (strcmp(o->site, row->site) != 0) continue;
        f.site = true;
        if (o->class_ != class_ || strcmp(o->zone, row->zone) != 0) continue;
        f.zone = true;
        int64_t away = local_day(job, o) - day;
        if (away < -within || away > within) continue;
        if (o->count == TALLY_NO_COUNT || !isfinite(o->estimate))
            f.silent = o;
        else if (!f.best || o->seen > f.best->seen)
            f.best = o;
    }
    return f;
}

static const char *why_silent(const found *f, const tally_observation *silent)
{
    if (!f->site) return "no such site in this folder";
    if (!f->zone) return "no such class or zone at this site";
    if (!silent) return "no scene of that day";
    switch (silent->quality) {
    case TALLY_QUALITY_REFUSED:
        return "the scene's resolution cannot carry a count";
    case TALLY_QUALITY_REJECTED:
        return "the scene of that day was left out";
    default:
        return "not seen that day";
    }
}

/* What a row says, beside its names. */
typedef struct published {
    double count, low, high;
    double tolerance; /* objects; NaN: none given */
} published;

static void judge(const tally_observation *o, const char *quantity, const published *p,
                  tally_comparison *row)
{
    const bool boxes = strcmp(quantity, "boxes") == 0;
    row->scene = o->scene;
    row->ours = boxes ? o->containers : o->estimate;
    row->low = boxes ? o->containers_low : o->low;
    row->high = boxes ? o->containers_high : o->high;
    if (!isfinite(row->ours)) { /* a store of before boxes were counted */
        row->reason =
            "the boxes of all tiers are not known of that scene; run it again with --fresh";
        return;
    }
    if (boxes && strcmp(o->containers_basis, "range") == 0)
        row->reason = "no shadow tells the tiers: a range of one to five";
    /* fmin and fmax pass over what is empty */
    double low = fmin(p->count, fmin(p->low, p->high)),
           high = fmax(p->count, fmax(p->low, p->high));
    double beyond = fmax(fmax(low - row->ours, row->ours - high), 0);
    bool meet = fmax(row->high, row->ours) >= low && fmin(row->low, row->ours) <= high;
    bool agrees =
        isfinite(p->tolerance) ? beyond <= p->tolerance : meet || beyond <= DEFAULT_SHARE * high;
    row->verdict = agrees ? TALLY_AGREES : TALLY_DIFFERS;
}

static const char *field_at(const compare_job *job, char **fields, int column,
                            const char *otherwise)
{
    int k = job->columns[column];
    return k >= 0 && *fields[k] ? fields[k] : otherwise;
}

static tally_status read_tolerance(const tally_csv *csv, char *field, published *p,
                                   tally_error *err)
{
    size_t n = strlen(field);
    bool percent = n > 0 && field[n - 1] == '%';
    if (percent) field[n - 1] = '\0';
    tally_status s = tally_csv_number(csv, field, &p->tolerance, err);
    if (s == TALLY_OK && p->tolerance < 0)
        return tally_fail(
            err, TALLY_E_FORMAT,
            "%s: line %zu: a tolerance of %g; write how far counts may differ, from 0", csv->path,
            csv->line, p->tolerance);
    if (percent) p->tolerance *= 0.01 * (isfinite(p->count) ? p->count : fmax(p->low, p->high));
    return s;
}

static tally_status read_published(const compare_job *job, char **fields, published *p,
                                   tally_error *err)
{
    const tally_csv *csv = job->csv;
    const struct {
        int column;
        double *slot;
    } numbers[] = { { COUNT, &p->count }, { LOW, &p->low }, { HIGH, &p->high } };
    *p = (published) { NAN, NAN, NAN, NAN };
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        int k = job->columns[numbers[i].column];
        if (k < 0) continue;
        tally_status s = tally_csv_number(csv, fields[k], numbers[i].slot, err);
        if (s != TALLY_OK) return s;
        if (*numbers[i].slot < 0)
            return tally_fail(err, TALLY_E_FORMAT, "%s: line %zu: %s is %g; counts run from 0",
                              csv->path, csv->line, names[numbers[i].column], *numbers[i].slot);
    }
    if (p->low > p->high)
        return tally_fail(err, TALLY_E_FORMAT, "%s: line %zu: low %g lies above high %g; swap them",
                          csv->path, csv->line, p->low, p->high);
    int k = job->columns[TOLERANCE];
    return k < 0 ? TALLY_OK : read_tolerance(csv, fields[k], p, err);
}

/* Why this quantity of this class is none that is counted; NULL: it is. */
static const char *other_quantity(int class_, const char *quantity)
{
    if (class_ < 0) return "a class that is not counted: railcar, container_stack, vessel are";
    if (class_ == TALLY_CONTAINER_STACK)
        return strcmp(quantity, "slots") == 0 ? NULL
               : strcmp(quantity, "boxes") == 0
                   ? NULL
                   : "ground slots are counted, not stacks: say `slots` where slots are meant";
    return strcmp(quantity, "objects") == 0 ? NULL : "objects are counted of this class";
}

static void compare_row(const compare_job *job, int64_t day, int class_, const char *quantity,
                        const published *p, tally_comparison *row)
{
    row->published = p->count;
    row->reason = other_quantity(class_, quantity);
    if (row->reason) return;
    row->reason = "";
    if (!isfinite(p->count) && !isfinite(p->low) && !isfinite(p->high)) {
        row->reason = "no published count";
        return;
    }
    found f = look_up(job, row, (tally_class)class_, day, 0);
    const tally_observation *silent = f.silent;
    if (!f.best && !silent && !job->settings->ahead_s) {
        f = look_up(job, row, (tally_class)class_, day, 1);
        if (f.best) row->reason = "scene of a day beside it; the site's time zone is not known";
    }
    if (f.best)
        judge(f.best, quantity, p, row);
    else
        row->reason = why_silent(&f, silent);
}

static tally_status take_row(const compare_job *job, char **fields, tally_comparison *row,
                             tally_error *err)
{
    const tally_csv *csv = job->csv;
    struct tally_strings *strings = job->r->strings;
    published p;
    int64_t utc;
    *row = (tally_comparison) { .site = tally_intern(strings, fields[job->columns[SITE]]),
                                .class_ = tally_intern(strings, fields[job->columns[CLASS]]),
                                .zone = tally_intern(strings, field_at(job, fields, ZONE, "*")),
                                .date = tally_intern(strings, fields[job->columns[DATE]]),
                                .source = tally_intern(strings, field_at(job, fields, SOURCE, "")),
                                .scene = "",
                                .reason = "",
                                .ours = NAN,
                                .low = NAN,
                                .high = NAN,
                                .verdict = TALLY_INCOMPARABLE,
                                .counts = job->r->counts };
    if (!row->site || !row->class_ || !row->zone || !row->date || !row->source)
        return tally_nomem(err, csv->path);
    if (!tally_utc_parse(row->date, &utc, NULL))
        return tally_fail(err, TALLY_E_FORMAT,
                          "%s: line %zu: date `%.40s` is none; write it as YYYY-MM-DD", csv->path,
                          csv->line, row->date);
    const char *quantity = field_at(job, fields, QUANTITY, "objects");
    if (strcmp(quantity, "objects") != 0 && strcmp(quantity, "slots") != 0 &&
        strcmp(quantity, "boxes") != 0)
        return tally_fail(err, TALLY_E_FORMAT,
                          "%s: line %zu: quantity `%.40s` is none of objects, slots, boxes",
                          csv->path, csv->line, quantity);
    tally_status s = read_published(job, fields, &p, err);
    if (s == TALLY_OK)
        compare_row(job, tally_utc_day(utc), tally_class_parse(row->class_), quantity, &p, row);
    return s;
}

static tally_status take_rows(compare_job *job, tally_csv *csv, tally_comparison **out, size_t *n,
                              tally_error *err)
{
    char *fields[TALLY_CSV_COLUMNS];
    bool more;
    tally_status s = tally_csv_columns(csv, names, COLUMNS, NEEDED, job->columns, err);
    while (s == TALLY_OK) {
        s = tally_csv_row(csv, fields, &more, err);
        if (s != TALLY_OK || !more) break;
        tally_comparison *rows = tally_realloc(*out, *n + 1, sizeof *rows);
        if (!rows) return tally_nomem(err, csv->path);
        *out = rows;
        s = take_row(job, fields, &rows[*n], err);
        *n += s == TALLY_OK;
    }
    return s;
}

tally_status tally_compare(tally_records *records, const char *counts_path,
                           const tally_compare_settings *settings, tally_comparison **out,
                           size_t *n, tally_error *err)
{
    tally_csv csv;
    *out = NULL;
    *n = 0;
    tally_status s = tally_csv_open(counts_path, &csv, err);
    if (s != TALLY_OK) return s;
    compare_job job = { .r = records, .settings = settings, .csv = &csv };
    s = take_rows(&job, &csv, out, n, err);
    if (s != TALLY_OK) {
        tally_comparisons_free(out);
        *n = 0;
    }
    tally_csv_close(&csv);
    return s;
}

char *tally_comparisons_csv(const tally_comparison *rows, size_t n)
{
    tally_text text = { 0 };
    tally_text_add(&text,
                   "site,class,zone,date,published,ours,low,high,verdict,reason,scene,source,"
                   "counts\n");
    for (size_t i = 0; i < n; i++) {
        const tally_comparison *row = &rows[i];
        const char *const before[] = { row->site, row->class_, row->zone, row->date };
        const double numbers[] = { row->published, row->ours, row->low, row->high };
        const char *const after[] = { tally_verdict_name(row->verdict), row->reason, row->scene,
                                      row->source, tally_counts_name(row->counts) };
        for (int k = 0; k < 4; k++) {
            tally_text_csv(&text, before[k]);
            tally_text_add(&text, ",");
        }
        for (int k = 0; k < 4; k++) {
            tally_text_number(&text, numbers[k], 2);
            tally_text_add(&text, ",");
        }
        for (int k = 0; k < 5; k++) {
            tally_text_csv(&text, after[k]);
            tally_text_add(&text, k < 4 ? "," : "\n");
        }
    }
    if (!text.failed) return text.bytes;
    tally_text_fini(&text);
    return NULL;
}

void tally_comparisons_free(tally_comparison **rows)
{
    tally_free(*rows);
    *rows = NULL;
}
