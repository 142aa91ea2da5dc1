/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Messages and progress on standard error: a bar on a terminal, lines elsewhere. */
#ifndef TALLY_TERMINAL_H
#define TALLY_TERMINAL_H

#include <pthread.h>
#include <stdbool.h>
#include <time.h>

#include "tallyman/tallyman.h"

typedef struct terminal {
    pthread_mutex_t lock;
    bool quiet, is_tty, bar_shown;
    int last_percent;
    struct timespec last_line;
    const char *last_stage;
} terminal;

void terminal_init(terminal *t);
/* The callbacks of tally_context; user is a terminal. */
void terminal_message(void *user, tally_level level, const char *text);
void terminal_progress(void *user, const char *stage, size_t done, size_t total);

#endif
