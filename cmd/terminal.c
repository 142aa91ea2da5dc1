/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "terminal.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { BAR_WIDTH = 30 };

void terminal_init(terminal *t)
{
    *t = (terminal) { .is_tty = isatty(STDERR_FILENO), .last_percent = -1 };
    pthread_mutex_init(&t->lock, NULL);
}

static void wipe_bar(terminal *t)
{
    if (t->bar_shown) fputs("\r\033[K", stderr);
    t->bar_shown = false;
}

void terminal_message(void *user, tally_level level, const char *text)
{
    terminal *t = user;
    if (t->quiet && level == TALLY_NOTE) return;
    pthread_mutex_lock(&t->lock);
    wipe_bar(t);
    fprintf(stderr, "tallyman: %s%s\n", level == TALLY_WARNING ? "warning: " : "", text);
    pthread_mutex_unlock(&t->lock);
}

static void draw_bar(terminal *t, const char *stage, size_t done, size_t total, int percent)
{
    char bar[BAR_WIDTH + 1];
    int full = percent * BAR_WIDTH / 100;
    memset(bar, '.', BAR_WIDTH);
    memset(bar, '#', (size_t)full);
    bar[BAR_WIDTH] = '\0';
    fprintf(stderr, "\r\033[K%-12s [%s] %zu/%zu", stage, bar, done, total);
    t->bar_shown = true;
    if (done == total) wipe_bar(t);
    fflush(stderr);
}

/* A log file gets a line when a stage starts, ends, and every ten seconds between. */
static bool line_is_due(terminal *t, const char *stage, bool ends)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    bool new_stage = !t->last_stage || strcmp(t->last_stage, stage) != 0;
    if (!new_stage && !ends && now.tv_sec - t->last_line.tv_sec < 10) return false;
    t->last_line = now;
    t->last_stage = stage;
    return true;
}

void terminal_progress(void *user, const char *stage, size_t done, size_t total)
{
    terminal *t = user;
    if (t->quiet || total == 0) return;
    pthread_mutex_lock(&t->lock);
    int percent = (int)(done * 100 / total);
    if (t->is_tty)
        draw_bar(t, stage, done, total, percent);
    else if (line_is_due(t, stage, done == total))
        fprintf(stderr, "tallyman: %s %zu/%zu\n", stage, done, total);
    pthread_mutex_unlock(&t->lock);
}
