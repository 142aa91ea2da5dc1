/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `tallyman report`: the tables and the page again, from the store. */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "cmd.h"

static const char doc[] =
    "Write the tables and report.html of DIR again from its store and pictures; needs no tile.\v"
    "DIR is what `tallyman run ... -o DIR` made. What is printed: the page, whose counts it shows, "
    "and on what the accuracy of such counts was measured. With --counts reviewed the page and its "
    "spikes are by the counts that analysts reviewed; the tables stay the machine's, and "
    "reviewed.csv has both.\n\n"
    "Example:\n"
    "  tallyman report out\n\n"
    "Exit status: 0 done; 1 failed; 2 the call was wrong.";
enum { OPT_COUNTS = 256, OPT_ACCURACY };
static const struct argp_option options[] = {
    { "counts", OPT_COUNTS, "WHOSE", 0,
      "machine, or reviewed: with the reviews laid over them (default: machine)", 0 },
    { "accuracy", OPT_ACCURACY, NULL, 0,
      "Only print on what the accuracy of each class was measured, as a Markdown table", 0 },
    { 0 },
};
static const struct argp_child children[] = { { &cmd_common_argp, 0, "Common options:", 0 },
                                              { 0 } };

typedef struct call {
    tally_context *ctx;
    const char *folder;
    tally_counts counts;
    bool accuracy;
} call;

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
    case OPT_ACCURACY:
        c->accuracy = true;
        return 0;
    case ARGP_KEY_ARG:
        if (c->folder) argp_error(state, "one folder at a time");
        c->folder = arg;
        return 0;
    case ARGP_KEY_END:
        if (!c->folder && !c->accuracy) argp_error(state, "wants the folder of a run");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int cmd_report(int argc, char **argv, tally_context *ctx)
{
    static const struct argp argp = { options, parse, "DIR", doc, children, NULL, NULL };
    call c = { .ctx = ctx };
    tally_error err = { .status = TALLY_E_NOMEM };

    if (argp_parse(&argp, argc, argv, 0, NULL, &c) != 0) return EXIT_CALL;
    if (!c.accuracy && tally_report_write_by(ctx, c.folder, c.counts, &err) != TALLY_OK)
        return cmd_failed(&err);
    char *accuracy =
        c.accuracy ? tally_report_accuracy_markdown() : tally_report_accuracy_text(c.folder, &err);
    if (!accuracy) return cmd_failed(&err);
    if (!c.accuracy) printf("%s/report.html\ncounts: %s\n", c.folder, tally_counts_name(c.counts));
    fputs(accuracy, stdout);
    free(accuracy);
    return EXIT_DONE;
}
