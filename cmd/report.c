/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `tallyman report`: the tables and the page again, from the store. */
#include <stdio.h>

#include "cmd.h"

static const char doc[] =
    "Write the tables and report.html of DIR again from its store and pictures; needs no tile.\v"
    "DIR is what `tallyman run ... -o DIR` made.\n\n"
    "Example:\n"
    "  tallyman report out\n\n"
    "Exit status: 0 done; 1 failed; 2 the call was wrong.";
static const struct argp_child children[] = { { &cmd_common_argp, 0, "Common options:", 0 },
                                              { 0 } };

typedef struct call {
    tally_context *ctx;
    const char *folder;
} call;

static error_t parse(int key, char *arg, struct argp_state *state)
{
    call *c = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = c->ctx;
        return 0;
    case ARGP_KEY_ARG:
        if (c->folder) argp_error(state, "one folder at a time");
        c->folder = arg;
        return 0;
    case ARGP_KEY_END:
        if (!c->folder) argp_error(state, "wants the folder of a run");
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

int cmd_report(int argc, char **argv, tally_context *ctx)
{
    static const struct argp argp = { NULL, parse, "DIR", doc, children, NULL, NULL };
    call c = { .ctx = ctx };
    tally_error err = { 0 };

    if (argp_parse(&argp, argc, argv, 0, NULL, &c) != 0) return EXIT_CALL;
    if (tally_report_write(ctx, c.folder, &err) != TALLY_OK) return cmd_failed(&err);
    printf("%s/report.html\n", c.folder);
    return EXIT_DONE;
}
