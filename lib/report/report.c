/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tallyman/report.h"

#include "base/base.h"
#include "report/html.h"
#include "series/review.h"
#include "tallyman/review.h"
#include "tallyman/series.h"
#include "tallyman/store.h"

static tally_status read_store(const char *folder, tally_records **out, char **title,
                               tally_error *err)
{
    tally_store *store = NULL;
    char *path = tally_format("%s/tallyman.gpkg", folder);
    tally_status s = path ? tally_store_open(path, TALLY_STORE_READ, &store, err)
                          : tally_nomem(err, "a file's name");
    if (s == TALLY_OK) s = tally_store_read(store, out, err);
    if (s == TALLY_OK && title && !(*title = tally_strdup(tally_store_title(store))))
        s = tally_nomem(err, folder);
    tally_store_close(&store);
    tally_free(path);
    return s;
}

/* A review that says nothing of what is there now is told, and kept. */
static void name_unused(const tally_context *ctx, const tally_records *r, const char *folder)
{
    size_t n = 0, first = 0;
    for (size_t i = 0; i < r->n_reviews; i++)
        if (tally_review_is_unfit(&r->reviews[i]) && n++ == 0) first = i;
    if (n > 0)
        tally_warn(ctx,
                   "%s/tallyman.gpkg: %zu of %zu reviews cannot be used, the first: %s; they are "
                   "kept: `tallyman review %s` lists them",
                   folder, n, r->n_reviews, r->reviews[first].problem, folder);
}

/* reviewed.csv is there where reviews are. */
static tally_status write_reviewed(const tally_context *ctx, const tally_records *records,
                                   const char *folder, tally_error *err)
{
    if (records->n_reviews > 0) {
        name_unused(ctx, records, folder);
        return tally_report_reviewed_table(records, folder, err);
    }
    char *path = tally_format("%s/reviewed.csv", folder);
    tally_status s = path ? tally_remove_tree(path, err) : tally_nomem(err, folder);
    tally_free(path);
    return s;
}

tally_status tally_report_reviewed(const tally_context *ctx, const char *folder, tally_error *err)
{
    tally_records *records = NULL;
    tally_status s = read_store(folder, &records, NULL, err);
    if (s == TALLY_OK) s = tally_review_apply(records, err);
    if (s == TALLY_OK) s = write_reviewed(ctx, records, folder, err);
    tally_records_destroy(&records);
    return s;
}

/* Whether a review is used is known once the reviews are laid over the counts. */
static tally_status note_problems(tally_records *machine, const tally_records *reviewed,
                                  tally_error *err)
{
    for (size_t i = 0; i < machine->n_reviews && i < reviewed->n_reviews; i++) {
        const char *why = tally_intern(machine->strings, reviewed->reviews[i].problem);
        if (!why) return tally_nomem(err, "the reviews");
        machine->reviews[i].problem = why;
    }
    return TALLY_OK;
}

tally_status tally_report_write_by(const tally_context *ctx, const char *folder,
                                   tally_counts counts, tally_error *err)
{
    const tally_series_settings all = { .as_of = TALLY_NO_TIME };
    tally_records *machine = NULL, *reviewed = NULL;
    char *title = NULL;
    tally_status s = read_store(folder, &machine, &title, err);
    if (s == TALLY_OK) s = tally_report_tables(machine, folder, err);
    if (s == TALLY_OK && (machine->n_reviews > 0 || counts == TALLY_COUNTS_REVIEWED)) {
        s = read_store(folder, &reviewed, NULL, err);
        if (s == TALLY_OK) s = tally_review_apply(reviewed, err);
    }
    if (s == TALLY_OK) s = write_reviewed(ctx, reviewed ? reviewed : machine, folder, err);
    if (s == TALLY_OK && counts == TALLY_COUNTS_REVIEWED)
        s = tally_series_find(reviewed, &all, err);
    if (s == TALLY_OK && reviewed) s = note_problems(machine, reviewed, err);
    if (s == TALLY_OK)
        s = tally_report_html(ctx, counts == TALLY_COUNTS_REVIEWED ? reviewed : machine, title,
                              folder, err);
    tally_records_destroy(&machine);
    tally_records_destroy(&reviewed);
    tally_free(title);
    return s;
}

tally_status tally_report_write(const tally_context *ctx, const char *folder, tally_error *err)
{
    return tally_report_write_by(ctx, folder, TALLY_COUNTS_MACHINE, err);
}
