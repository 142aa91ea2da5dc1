/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `tallyman review`: what analysts say of the counts. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "cmd.h"

static const char doc[] =
    "Take reviews of the counts of DIR from a table, or list those that are there.\v"
    "Reviews lie beside the machine's counts, never over them: `report`, `spikes` and `compare` "
    "take either by --counts. In QGIS they are the layer `review` of DIR/tallyman.gpkg.\n"
    "FILE has the columns action,class,who and, as needed, zone,scene,datetime,detection,count,why,"
    "when,longitude,latitude,wkt. action: accept; reject (a detection, by its id); add (a thing "
    "that was missed, count 1 unless given); correct (count: of the zone in the scene, or of the "
    "detection). All rows are taken or none; rows that are there already change nothing, rows "
    "without an action are passed over. Without options the reviews are printed as such a table, "
    "with whether each is used.\n\n"
    "Example:\n"
    "  tallyman review out --export >todo.csv\n"
    "  echo action,class,zone,datetime,count,who,why >done.csv\n"
    "  echo 'correct,railcar,Track 1,2025-10-15,7,A. Analyst,counted' >>done.csv\n"
    "  tallyman review out --csv done.csv\n"
    "  tallyman review out\n\n"
    "Exit status: 0 done; 1 failed, and nothing was taken; 2 the call was wrong.";
enum { OPT_CSV = 256, OPT_EXPORT };
static const struct argp_option options[] = {
    { "csv", OPT_CSV, "FILE", 0, "Take the reviews of this table", 0 },
    { "export", OPT_EXPORT, NULL, 0,
      "Print what is to be reviewed, as a table to be filled in: zones and detections of the "
      "scenes "
      "that stand out, of the latest and of the highest",
      0 },
    { 0 },
};
static const struct argp_child children[] = { { &cmd_common_argp, 0, "Common options:", 0 },
                                              { 0 } };

typedef struct call {
    tally_context *ctx;
    const char *folder, *csv;
    bool export;
} call;

static error_t parse(int key, char *arg, struct argp_state *state)
{
    call *c = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = c->ctx;
        return 0;
    case OPT_CSV:
        if (c->csv) argp_error(state, "one --csv at a time");
        c->csv = arg;
        return 0;
    case OPT_EXPORT:
        c->export = true;
        return 0;
    case ARGP_KEY_ARG:
        if (c->folder) argp_error(state, "one folder at a time");
        c->folder = arg;
        return 0;
    case ARGP_KEY_END:
        if (!c->folder) argp_error(state, "wants the folder of a run");
        if (c->csv && c->export) argp_error(state, "wants --csv or --export, not both");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static int import(const call *c)
{
    tally_review_result result;
    tally_error err = { 0 };
    if (tally_review_import(c->ctx, c->folder, c->csv, (int64_t)time(NULL), &result, &err) !=
        TALLY_OK)
        return cmd_failed(&err);
    printf("%s: %zu review%s taken, %zu known before, %zu rows without an action\n", c->csv,
           result.n_added, result.n_added == 1 ? "" : "s", result.n_known, result.n_blank);
    return EXIT_DONE;
}

int cmd_review(int argc, char **argv, tally_context *ctx)
{
    static const struct argp argp = { options, parse, "DIR", doc, children, NULL, NULL };
    call c = { .ctx = ctx };
    tally_records *records = NULL;
    tally_error err = { 0 };

    if (argp_parse(&argp, argc, argv, 0, NULL, &c) != 0) return EXIT_CALL;
    if (c.csv) return import(&c);
    tally_status s = cmd_read_folder(
        c.folder, c.export ? TALLY_COUNTS_MACHINE : TALLY_COUNTS_REVIEWED, &records, &err);
    char *table = s != TALLY_OK ? NULL
                  : c.export    ? tally_review_template_csv(records)
                                : tally_reviews_csv(records);
    if (table) fputs(table, stdout);
    free(table);
    tally_records_destroy(&records);
    return s == TALLY_OK ? EXIT_DONE : cmd_failed(&err);
}
