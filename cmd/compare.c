/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `tallyman compare`: the series beside published or hand counts. */
#include <math.h>
#include <stdio.h>

#include "cmd.h"

static const char doc[] =
    "Set the series of DIR beside published or hand counts.\v"
    "COUNTS.csv: site,class,date,count[,low,high,quantity,zone,source,tolerance]. What cannot be "
    "compared is said to be so. "
    "Dates are taken as days in UTC.\n\n"
    "Example:\n"
    "  tallyman compare out published.csv\n\n"
    "Exit status: 0 all agree; 4 one differs beyond its tolerance; 1 failed; 2 the call was wrong.";
static const struct argp_child children[] = { { &cmd_common_argp, 0, "Common options:", 0 },
                                              { 0 } };

typedef struct call {
    tally_context *ctx;
    const char *folder, *counts;
} call;

static error_t parse(int key, char *arg, struct argp_state *state)
{
    call *c = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = c->ctx;
        return 0;
    case ARGP_KEY_ARG:
        if (!c->folder)
            c->folder = arg;
        else if (!c->counts)
            c->counts = arg;
        else
            argp_error(state, "wants DIR and COUNTS.csv, no more");
        return 0;
    case ARGP_KEY_END:
        if (!c->counts) argp_error(state, "wants DIR and COUNTS.csv");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static tally_status read_records(const char *folder, tally_records **out, tally_error *err)
{
    char path[4096];
    tally_store *store = NULL;
    int n = snprintf(path, sizeof path, "%s/tallyman.gpkg", folder);
    if (n < 0 || (size_t)n >= sizeof path) n = snprintf(path, sizeof path, "%.200s...", folder);
    tally_status s = tally_store_open(path, TALLY_STORE_READ, &store, err);
    if (s == TALLY_OK) s = tally_store_read(store, out, err);
    tally_store_close(&store);
    return s;
}

static void print_number(double value)
{
    if (isfinite(value))
        printf(",%.6g", value);
    else
        printf(",");
}

int cmd_compare(int argc, char **argv, tally_context *ctx)
{
    static const struct argp argp = { NULL, parse, "DIR COUNTS.csv", doc, children, NULL, NULL };
    call c = { .ctx = ctx };
    tally_records *records = NULL;
    tally_comparison *rows = NULL;
    size_t n = 0, differ = 0;
    tally_error err = { 0 };

    if (argp_parse(&argp, argc, argv, 0, NULL, &c) != 0) return EXIT_CALL;
    tally_status s = read_records(c.folder, &records, &err);
    if (s == TALLY_OK) s = tally_compare(records, c.counts, &rows, &n, &err);
    if (s == TALLY_OK) puts("site,class,zone,date,published,ours,low,high,verdict,reason");
    for (size_t i = 0; i < n; i++) {
        printf("%s,%s,%s,%s", rows[i].site, rows[i].class_, rows[i].zone, rows[i].date);
        print_number(rows[i].published);
        print_number(rows[i].ours);
        print_number(rows[i].low);
        print_number(rows[i].high);
        printf(",%s,%s\n", tally_verdict_name(rows[i].verdict), rows[i].reason);
        differ += rows[i].verdict == TALLY_DIFFERS;
    }
    tally_comparisons_free(&rows);
    tally_records_destroy(&records);
    if (s != TALLY_OK) return cmd_failed(&err);
    return differ ? EXIT_DIFFERS : EXIT_DONE;
}
