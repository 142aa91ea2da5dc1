/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The table of commands, the options that all share, and the exit status. Every command lives in a
 * file of its own. */
#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "terminal.h"

typedef struct command {
    const char *name;
    int (*run)(int argc, char **argv, tally_context *ctx);
    const char *does;
} command;

static const command commands[] = {
    { "run", cmd_run, "count railcars, containers and vessels of one site in all its scenes" },
    { "scan", cmd_scan, "list tiles and scenes, and what is wrong with each" },
    { "diff", cmd_diff, "what changed between two images: mask, score, sign, blobs" },
    { "register", cmd_register, "the shift between two images" },
    { "report", cmd_report, "write the tables and the report again from the store" },
    { "spikes", cmd_spikes, "spikes of a series made elsewhere" },
    { "review", cmd_review, "what analysts say of the counts: take it in, list it" },
    { "compare", cmd_compare, "set the series against published or hand counts" },
    { "verify", cmd_verify, "run again what run.json describes and compare" },
};
enum { N_COMMANDS = sizeof commands / sizeof *commands };

const char *argp_program_version = "tallyman " TALLYMAN_VERSION;

/* Set by SIGINT and SIGTERM; the library stops between two scenes. */
static atomic_int stop_wanted;

static void want_stop(int signal_number)
{
    (void)signal_number;
    atomic_store(&stop_wanted, 1);
}

static bool parse_size(const char *text, size_t *out)
{
    char *end;
    errno = 0;
    double value = strtod(text, &end);
    double unit = 1;
    if (*end == 'k' || *end == 'K')
        unit = 1024.0, end++;
    else if (*end == 'm' || *end == 'M')
        unit = 1024.0 * 1024, end++;
    else if (*end == 'g' || *end == 'G')
        unit = 1024.0 * 1024 * 1024, end++;
    if (end == text || *end || errno || !(value * unit >= 64.0 * 1024 * 1024) ||
        value * unit > 1e15)
        return false;
    *out = (size_t)(value * unit);
    return true;
}

static error_t parse_common(int key, char *arg, struct argp_state *state)
{
    tally_context *ctx = state->input;
    char *end;
    long jobs;
    switch (key) {
    case 'j':
        jobs = strtol(arg, &end, 10);
        if (end == arg || *end || jobs < 1 || jobs > 256)
            argp_error(state, "--jobs %s: wants a whole number from 1 to 256", arg);
        ctx->jobs = (int)jobs;
        return 0;
    case 'M':
        if (!parse_size(arg, &ctx->max_memory))
            argp_error(state, "--max-memory %s: wants a size of at least 64M, such as 500M or 4G",
                       arg);
        return 0;
    case 'q':
        ((terminal *)ctx->user)->quiet = true;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_option common_options[] = {
    { "jobs", 'j', "N", 0, "Worker threads, 1 to 256 (default: one a core)", 0 },
    { "max-memory", 'M', "SIZE", 0, "Memory for pixels, e.g. 500M or 4G (default: 2G)", 0 },
    { "quiet", 'q', NULL, 0, "Warnings and errors only", 0 },
    { 0 },
};
const struct argp cmd_common_argp = { .options = common_options, .parser = parse_common };

int cmd_failed(const tally_error *err)
{
    fprintf(stderr, "tallyman: %s\n",
            err->message[0] ? err->message : tally_status_name(err->status));
    return err->status == TALLY_E_ARG ? EXIT_CALL : EXIT_FAILED;
}

int cmd_misused(const char *name, const char *message, const char *what)
{
    fprintf(stderr, "tallyman: %s: %s%s; see `tallyman %s --help`\n", name, message, what, name);
    return EXIT_CALL;
}

static void print_usage(FILE *to)
{
    fputs("Usage: tallyman COMMAND ARGUMENTS... [OPTIONS]\n"
          "Counts railcars, containers and vessels in stacks of satellite images.\n\n",
          to);
    for (int i = 0; i < N_COMMANDS; i++)
        fprintf(to, "  %-10s %s\n", commands[i].name, commands[i].does);
    fputs("\n`tallyman COMMAND --help` shows the options of a command, and an example.\n"
          "Exit status: 0 done; 1 failed; 2 the call was wrong; 3 done, but some scenes were left "
          "out;\n"
          "4 `compare` or `verify` found a difference.\n",
          to);
}

/* What was printed has to arrive: a full disk or a closed pipe is a failure, whichever way the
 * program ends. argp's --help ends it on its own, so this waits for the exit. */
static void check_stdout(void)
{
    if (fflush(stdout) == 0 && !ferror(stdout)) return;
    fprintf(stderr, "tallyman: standard output: %s\n", strerror(errno ? errno : EIO));
    _exit(EXIT_FAILED);
}

static int default_jobs(void)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    return cores < 1 ? 1 : cores > 256 ? 256 : (int)cores;
}

int main(int argc, char **argv)
{
    terminal term;
    tally_error err = { 0 };
    atexit(check_stdout);
    if (argc < 2) {
        print_usage(stderr);
        return EXIT_CALL;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-?") == 0 ||
        strcmp(argv[1], "help") == 0) {
        print_usage(stdout);
        return EXIT_DONE;
    }
    if (strcmp(argv[1], "--version") == 0 || strcmp(argv[1], "-V") == 0) {
        puts(argp_program_version);
        return EXIT_DONE;
    }

    terminal_init(&term);
    tally_context ctx = { .jobs = default_jobs(),
                          .max_memory = (size_t)2 << 30,
                          .on_message = terminal_message,
                          .on_progress = terminal_progress,
                          .user = &term,
                          .cancel = &stop_wanted };
    if (tally_kernels_for(getenv("TALLYMAN_CPU"), &ctx.kernels, &err) != TALLY_OK)
        return cmd_failed(&err);
    struct sigaction act = { .sa_handler = want_stop, .sa_flags = SA_RESTART | SA_RESETHAND };
    sigaction(SIGINT, &act, NULL);
    sigaction(SIGTERM, &act, NULL);

    argp_err_exit_status = EXIT_CALL;
    for (int i = 0; i < N_COMMANDS; i++) {
        if (strcmp(argv[1], commands[i].name) != 0) continue;
        /* argp speaks of argv[0]: let it say `tallyman run` */
        char name[64];
        snprintf(name, sizeof name, "tallyman %s", commands[i].name);
        argv[1] = name;
        return commands[i].run(argc - 1, argv + 1, &ctx);
    }
    fprintf(stderr, "tallyman: no command `%s`; `tallyman --help` lists them\n", argv[1]);
    return EXIT_CALL;
}
