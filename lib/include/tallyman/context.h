/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TALLYMAN_CONTEXT_H
#define TALLYMAN_CONTEXT_H

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

#include "tallyman/status.h"

typedef enum tally_level { TALLY_NOTE, TALLY_WARNING } tally_level;

struct tally_kernels;
struct tally_rail_catalogue;

/*
 * What every call of the library travels with: how much of the machine it may use, which kernels,
 * and where its words go. The library itself prints nothing and reads no environment.
 *
 * Owns:    nothing; all pointers are the caller's and must outlive the calls.
 * Threads: on_message and on_progress may be called from any thread; the caller locks.
 */
typedef struct tally_context {
    int jobs;                            /* worker threads, 1..256 */
    size_t max_memory;                   /* bytes that pixels may take, all threads together */
    const struct tally_kernels *kernels; /* from tally_kernels_for() */
    void (*on_message)(void *user, tally_level level, const char *text);           /* may be NULL */
    void (*on_progress)(void *user, const char *stage, size_t done, size_t total); /* may be NULL */
    void *user;
    const atomic_int
        *cancel; /* non-zero: stop as soon as what is stored is consistent; may be NULL */
    const struct tally_rail_catalogue *wagons; /* tally_run sets its own; may be NULL */
} tally_context;

/*
 * The kernel table of a name (`scalar`, `avx2`, `avx512`, `neon`) or, with NULL, the best that this
 * CPU has. A name can only lower what the CPU offers. Errors: TALLY_E_ARG for an unknown name, or
 * one that this CPU cannot run.
 */
TALLY_API tally_status tally_kernels_for(const char *name, const struct tally_kernels **out,
                                         tally_error *err) TALLY_MUST_CHECK;
/* The name of a table: `scalar`, `avx2`, ... */
TALLY_API const char *tally_kernels_name(const struct tally_kernels *kernels);

/* What --as-of takes: a date (its last second) or a date and time, as CONTRACT.md writes them, to
 * seconds since 1970 UTC. 0: it is none. */
TALLY_API int tally_time_parse(const char *text, int64_t *utc);

#endif
