/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A loop over independent tasks. Threads take the next index from a counter; what a task finds goes
 * to a place that belongs to its index, so the order in which threads run is never seen in the
 * result.
 */
#include <pthread.h>
#include <stdatomic.h>

#include "base/base.h"

typedef struct loop {
    const tally_context *ctx;
    const char *stage;
    tally_task task;
    void *user;
    size_t n, done;
    atomic_size_t next;
    atomic_int stop;
    pthread_mutex_t lock; /* guards done, failed, status, error */
    size_t failed;
    tally_status status;
    tally_error error;
} loop;

static bool cancelled(const tally_context *ctx)
{
    return ctx->cancel && atomic_load(ctx->cancel);
}

static void keep_error(loop *l, size_t i, tally_status s, const tally_error *error)
{
    pthread_mutex_lock(&l->lock);
    if (l->status == TALLY_OK || i < l->failed) {
        l->status = s;
        l->failed = i;
        l->error = *error;
    }
    pthread_mutex_unlock(&l->lock);
    atomic_store(&l->stop, 1);
}

static void *work(void *arg)
{
    loop *l = arg;
    for (;;) {
        size_t i = atomic_fetch_add(&l->next, 1);
        if (i >= l->n || atomic_load(&l->stop)) return NULL;
        tally_error error = { 0 };
        tally_status s = cancelled(l->ctx) ? tally_fail(&error, TALLY_E_CANCELLED,
                                                        "interrupted; what was stored is complete")
                                           : l->task(l->user, i, &error);
        if (s != TALLY_OK) keep_error(l, i, s, &error);
        if (l->stage) {
            pthread_mutex_lock(&l->lock);
            tally_progress(l->ctx, l->stage, ++l->done, l->n);
            pthread_mutex_unlock(&l->lock);
        }
    }
}

tally_status tally_parallel_for(const tally_context *ctx, const char *stage, size_t n,
                                tally_task task, void *user, tally_error *err)
{
    enum { MAX_THREADS = 256 };
    pthread_t threads[MAX_THREADS];
    loop l = { .ctx = ctx, .stage = stage, .task = task, .user = user, .n = n };
    size_t wanted = ctx->jobs < 1 ? 1 : ctx->jobs > MAX_THREADS ? MAX_THREADS : (size_t)ctx->jobs;
    if (wanted > n) wanted = n;

    pthread_mutex_init(&l.lock, NULL);
    size_t started = 0;
    /* This thread is one of the workers: with --jobs 1, or when no thread can be had, the loop
     * still runs. */
    while (started + 1 < wanted && pthread_create(&threads[started], NULL, work, &l) == 0)
        started++;
    work(&l);
    for (size_t i = 0; i < started; i++)
        pthread_join(threads[i], NULL);
    pthread_mutex_destroy(&l.lock);
    if (l.status != TALLY_OK) return tally_fail(err, l.status, "%s", l.error.message);
    return TALLY_OK;
}
