/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `tallyman spikes`: what stands out in a series made elsewhere. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "cmd.h"

static const char doc[] = "Spikes, drops, level shifts and records of a series made elsewhere, or "
                          "of a run's folder, as spikes.csv on standard output.\v"
                          "SERIES.csv has the columns of series.csv; needed are site, class, "
                          "datetime and count. An empty count is a date that was "
                          "not seen, never zero.\n\n"
                          "Example:\n"
                          "  tallyman spikes out/series.csv --as-of 2025-12-31\n\n"
                          "Exit status: 0 done, also when nothing stands out; 1 failed; 2 the call "
                          "was wrong.";
enum { OPT_AS_OF = 256, OPT_COUNTS };
static const struct argp_option options[] = {
    { "as-of", OPT_AS_OF, "DATE", 0,
      "Judge by what was known that day, e.g. 2026-03-01 (default: by all dates)", 0 },
    { "counts", OPT_COUNTS, "WHOSE", 0,
      "machine, or reviewed: with the reviews laid over them; of a folder, or of a reviewed.csv "
      "(default: machine)",
      0 },
    { 0 },
};
static const struct argp_child children[] = { { &cmd_common_argp, 0, "Common options:", 0 },
                                              { 0 } };

typedef struct call {
    tally_context *ctx;
    const char *path;
    tally_counts counts;
    tally_series_settings settings;
} call;

static error_t parse(int key, char *arg, struct argp_state *state)
{
    call *c = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = c->ctx;
        return 0;
    case OPT_AS_OF:
        if (!tally_time_parse(arg, &c->settings.as_of))
            argp_error(state, "--as-of %s: wants a date such as 2026-03-01", arg);
        return 0;
    case OPT_COUNTS:
        c->counts = cmd_counts(arg, state);
        return 0;
    case ARGP_KEY_ARG:
        if (c->path) argp_error(state, "one series at a time");
        c->path = arg;
        return 0;
    case ARGP_KEY_END:
        if (!c->path) argp_error(state, "wants a series");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static bool is_run(const char *path)
{
    char store[4096];
    const int n = snprintf(store, sizeof store, "%s/tallyman.gpkg", path);
    return n > 0 && (size_t)n < sizeof store && access(store, F_OK) == 0;
}

int cmd_spikes(int argc, char **argv, tally_context *ctx)
{
    static const struct argp argp = { options, parse, "SERIES.csv|DIR", doc, children, NULL, NULL };
    call c = { .ctx = ctx, .settings = { .as_of = INT64_MIN } };
    tally_records *records = NULL;
    tally_error err = { 0 };

    if (argp_parse(&argp, argc, argv, 0, NULL, &c) != 0) return EXIT_CALL;
    tally_status s = is_run(c.path) ? cmd_read_folder(c.path, c.counts, &records, &err)
                                    : tally_series_read_by(c.path, c.counts, &records, &err);
    if (s == TALLY_OK) s = tally_series_find(records, &c.settings, &err);
    char *table = s == TALLY_OK ? tally_report_spikes_csv(records) : NULL;
    if (table) fputs(table, stdout);
    free(table);
    tally_records_destroy(&records);
    return s == TALLY_OK ? EXIT_DONE : cmd_failed(&err);
}
