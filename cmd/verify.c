/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `tallyman verify`: does the same input still give the same result? */
#include <stdio.h>

#include "cmd.h"

static const char doc[] =
    "Run again what DIR/run.json describes, in a scratch folder, and compare every table byte for "
    "byte.\v"
    "DIR is what `tallyman run ... -o DIR` made; its tiles must lie where they lay.\n\n"
    "Example:\n"
    "  tallyman verify out\n\n"
    "Exit status: 0 the same; 1 failed (a tile is gone or was changed); 2 the call was wrong; "
    "4 another result.";
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

int cmd_verify(int argc, char **argv, tally_context *ctx)
{
    static const struct argp argp = { NULL, parse, "DIR", doc, children, NULL, NULL };
    call c = { .ctx = ctx };
    const char *differs;
    tally_error err = { 0 };

    if (argp_parse(&argp, argc, argv, 0, NULL, &c) != 0) return EXIT_CALL;
    if (tally_verify(ctx, c.folder, &differs, &err) != TALLY_OK) return cmd_failed(&err);
    if (*differs) {
        printf("%s: %s differs\n", c.folder, differs);
        return EXIT_DIFFERS;
    }
    printf("%s: the same\n", c.folder);
    return EXIT_DONE;
}
