/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `tallyman compare`: the series beside published or hand counts. */
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"

static const char doc[] =
    "Set the series of DIR beside published or hand counts.\v"
    "COUNTS.csv: site,class,date,count[,low,high,quantity,zone,source,tolerance]. `quantity` is "
    "objects (default; railcars, vessels), slots (containers) or boxes; `tolerance` a number of "
    "them, or of percent with a `%`; without one they agree where the intervals meet or a tenth is "
    "not exceeded. What cannot be compared is said to be so. Dates are local to the site where "
    "its site file names the time zone, else days in UTC. An empty zone is the whole site.\n\n"
    "Example:\n"
    "  echo site,class,date,count >published.csv\n"
    "  echo tumangang,railcar,2025-10-15,75 >>published.csv\n"
    "  tallyman compare out published.csv\n\n"
    "Exit status: 0 none differs; 4 one differs beyond its tolerance; 1 failed; 2 the call was "
    "wrong.";
static const struct argp_child children[] = { { &cmd_common_argp, 0, "Common options:", 0 },
                                              { 0 } };

typedef struct call {
    tally_context *ctx;
    const char *folder, *table;
    tally_counts counts;
} call;

enum { OPT_COUNTS = 256 };
static const struct argp_option options[] = {
    { "counts", OPT_COUNTS, "WHOSE", 0,
      "machine, or reviewed: with the reviews of DIR laid over them (default: machine)", 0 },
    { 0 },
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
    call *c = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = c->ctx;
        return 0;
    case OPT_COUNTS:
        c->counts = cmd_counts(arg, state);
        return 0;
    case ARGP_KEY_ARG:
        if (!c->folder)
            c->folder = arg;
        else if (!c->table)
            c->table = arg;
        else
            argp_error(state, "wants DIR and COUNTS.csv, no more");
        return 0;
    case ARGP_KEY_END:
        if (!c->table) argp_error(state, "wants DIR and COUNTS.csv");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

/* Seconds east of UTC in the zone that set_zone() chose. */
static int64_t ahead_s(int64_t utc, const void *zone)
{
    struct tm there;
    time_t at = (time_t)utc;
    (void)zone;
    return localtime_r(&at, &there) ? there.tm_gmtoff : 0;
}

/* Let the C library's clock run in the site's time zone. False: that zone is not installed. */
static bool set_zone(const char *name)
{
    char path[512];
    const char *folder = getenv("TZDIR");
    int n = snprintf(path, sizeof path, "%s/%s", folder ? folder : "/usr/share/zoneinfo", name);
    if (n < 0 || (size_t)n >= sizeof path || strstr(name, "..") || access(path, R_OK) != 0)
        return false;
    setenv("TZ", name, 1);
    tzset();
    return true;
}

static void say(const tally_context *ctx, tally_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void say(const tally_context *ctx, tally_level level, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (ctx->on_message) ctx->on_message(ctx->user, level, text);
}

static tally_status choose_zone(const call *c, tally_compare_settings *settings, tally_error *err)
{
    char *zone = NULL;
    tally_status s = tally_run_timezone(c->folder, &zone, err);
    if (s == TALLY_OK && *zone && set_zone(zone))
        settings->ahead_s = ahead_s;
    else if (s == TALLY_OK && *zone)
        say(c->ctx, TALLY_WARNING,
            "%s: time zone `%s` is not installed, so dates are days in UTC; install tzdata",
            c->folder, zone);
    free(zone);
    return s;
}

static void sum_up(const tally_context *ctx, tally_counts counts, const tally_comparison *rows,
                   size_t n, const size_t by_verdict[])
{
    for (size_t i = 0; i < n; i++)
        if (rows[i].verdict == TALLY_DIFFERS)
            say(ctx, TALLY_NOTE, "%s, %s, %s, %s: %g published, %g here", rows[i].site,
                rows[i].zone, rows[i].class_, rows[i].date, rows[i].published, rows[i].ours);
    say(ctx, TALLY_NOTE, "%s counts, %zu rows: %zu agree, %zu differ, %zu cannot be compared",
        tally_counts_name(counts), n, by_verdict[TALLY_AGREES], by_verdict[TALLY_DIFFERS],
        by_verdict[TALLY_INCOMPARABLE]);
}

int cmd_compare(int argc, char **argv, tally_context *ctx)
{
    static const struct argp argp = { options, parse, "DIR COUNTS.csv", doc, children, NULL, NULL };
    call c = { .ctx = ctx };
    tally_records *records = NULL;
    tally_comparison *rows = NULL;
    tally_compare_settings settings = { 0 };
    size_t n = 0, by_verdict[TALLY_INCOMPARABLE + 1] = { 0 };
    char *table = NULL;
    tally_error err = { 0 };

    if (argp_parse(&argp, argc, argv, 0, NULL, &c) != 0) return EXIT_CALL;
    tally_status s = cmd_read_folder(c.folder, c.counts, &records, &err);
    if (s == TALLY_OK) s = choose_zone(&c, &settings, &err);
    if (s == TALLY_OK) s = tally_compare(records, c.table, &settings, &rows, &n, &err);
    if (s == TALLY_OK && (table = tally_comparisons_csv(rows, n))) fputs(table, stdout);
    for (size_t i = 0; i < n; i++)
        by_verdict[rows[i].verdict]++;
    if (s == TALLY_OK) sum_up(ctx, c.counts, rows, n, by_verdict);
    free(table);
    tally_comparisons_free(&rows);
    tally_records_destroy(&records);
    if (s != TALLY_OK) return cmd_failed(&err);
    return by_verdict[TALLY_DIFFERS] ? EXIT_DIFFERS : EXIT_DONE;
}
