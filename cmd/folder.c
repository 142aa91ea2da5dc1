/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the commands that read a run's folder share. */
#include <stdio.h>

#include "cmd.h"

tally_counts cmd_counts(const char *word, struct argp_state *state)
{
    const int counts = tally_counts_parse(word);
    if (counts < 0) argp_error(state, "--counts %s: wants machine or reviewed", word);
    return counts == TALLY_COUNTS_REVIEWED ? TALLY_COUNTS_REVIEWED : TALLY_COUNTS_MACHINE;
}

tally_status cmd_read_folder(const char *folder, tally_counts counts, tally_records **out,
                             tally_error *err)
{
    const tally_series_settings all = { .as_of = INT64_MIN };
    char path[4096];
    tally_store *store = NULL;
    int n = snprintf(path, sizeof path, "%s/tallyman.gpkg", folder);
    if (n < 0 || (size_t)n >= sizeof path) n = snprintf(path, sizeof path, "%.200s...", folder);
    tally_status s = tally_store_open(path, TALLY_STORE_READ, &store, err);
    if (s == TALLY_OK) s = tally_store_read(store, out, err);
    tally_store_close(&store);
    if (s != TALLY_OK || counts == TALLY_COUNTS_MACHINE) return s;
    s = tally_review_apply(*out, err);
    return s == TALLY_OK ? tally_series_find(*out, &all, err) : s;
}
