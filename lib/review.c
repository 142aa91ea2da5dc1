/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reviews from a table into the store of a folder. */
#include "tallyman/review.h"

#include <unistd.h>

#include "run_lock.h"
#include "tallyman/report.h"
#include "tallyman/store.h"

static tally_status import_into(const char *store_path, const char *path, int64_t now_utc,
                                tally_review_result *result, tally_error *err)
{
    tally_store *store = NULL;
    tally_records *records = NULL;
    tally_status s = tally_store_open(store_path, TALLY_STORE_UPDATE, &store, err);
    if (s == TALLY_OK) s = tally_store_read(store, &records, err);
    if (s == TALLY_OK) s = tally_review_read(path, now_utc, records, result, err);
    if (s == TALLY_OK && result->n_added)
        s = tally_store_put_reviews(store, records->reviews + records->n_reviews - result->n_added,
                                    result->n_added, err);
    if (s == TALLY_OK) s = tally_store_dress_review(store, records, err);
    tally_records_destroy(&records);
    tally_store_close(&store);
    return s;
}

tally_status tally_review_import(const tally_context *ctx, const char *folder, const char *path,
                                 int64_t now_utc, tally_review_result *result, tally_error *err)
{
    int lock = -1;
    *result = (tally_review_result) { 0 };
    char *store_path = tally_format("%s/tallyman.gpkg", folder);
    tally_status s = store_path ? TALLY_OK : tally_nomem(err, folder);
    if (s == TALLY_OK && access(store_path, F_OK) != 0)
        s = tally_fail(err, TALLY_E_IO, "%s: no such store; name a folder that `tallyman run` made",
                       store_path);
    if (s == TALLY_OK) s = tally_folder_lock(folder, &lock, err);
    if (s == TALLY_OK) s = import_into(store_path, path, now_utc, result, err);
    if (s == TALLY_OK && result->n_added) s = tally_report_reviewed(ctx, folder, err);
    if (lock >= 0) close(lock);
    tally_free(store_path);
    return s;
}
