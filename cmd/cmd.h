/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the commands share: exit status, the options that all of them take, and how messages reach
 * the terminal. */
#ifndef TALLY_CMD_H
#define TALLY_CMD_H

#include <argp.h>

#include "tallyman/tallyman.h"

/* CONTRACT.md 4 */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_CALL = 2, EXIT_LEFT_OUT = 3, EXIT_DIFFERS = 4 };

/*
 * --jobs, --max-memory, --quiet, as a child of a command's own argp:
 *     static const struct argp_child children[] = {{&cmd_common_argp, 0, "Common options:", 0},
 * {0}}; and in its parser, on ARGP_KEY_INIT: state->child_inputs[0] = ctx.
 */
extern const struct argp cmd_common_argp;

/* Print the error as one line, `tallyman: message`, and turn it into an exit status. */
int cmd_failed(const tally_error *err);
/* A wrong call: one line and where the help is. */
int cmd_misused(const char *name, const char *message, const char *what);

/* The value of --counts; an unknown one ends the program as a wrong call. */
tally_counts cmd_counts(const char *word, struct argp_state *state);
/* All that DIR's store holds, by these counts; spikes are found again where reviews changed them.
 */
tally_status cmd_read_folder(const char *folder, tally_counts counts, tally_records **out,
                             tally_error *err) TALLY_MUST_CHECK;

int cmd_run(int argc, char **argv, tally_context *ctx);
int cmd_scan(int argc, char **argv, tally_context *ctx);
int cmd_diff(int argc, char **argv, tally_context *ctx);
int cmd_register(int argc, char **argv, tally_context *ctx);
int cmd_report(int argc, char **argv, tally_context *ctx);
int cmd_spikes(int argc, char **argv, tally_context *ctx);
int cmd_review(int argc, char **argv, tally_context *ctx);
int cmd_compare(int argc, char **argv, tally_context *ctx);
int cmd_verify(int argc, char **argv, tally_context *ctx);

#endif
