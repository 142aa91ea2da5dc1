/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tallyman/report.h"

#include "base/base.h"
#include "report/html.h"
#include "tallyman/store.h"

tally_status tally_report_write(const tally_context *ctx, const char *folder, tally_error *err)
{
    tally_store *store = NULL;
    tally_records *records = NULL;
    char *path = tally_format("%s/tallyman.gpkg", folder);
    tally_status s = path ? tally_store_open(path, TALLY_STORE_READ, &store, err)
                          : tally_nomem(err, "a file's name");
    if (s == TALLY_OK) s = tally_store_read(store, &records, err);
    char *title = s == TALLY_OK ? tally_strdup(tally_store_title(store)) : NULL;
    tally_store_close(&store);
    if (s == TALLY_OK) s = tally_report_tables(records, folder, err);
    if (s == TALLY_OK) s = tally_report_html(ctx, records, title, folder, err);
    tally_records_destroy(&records);
    tally_free(title);
    tally_free(path);
    return s;
}
