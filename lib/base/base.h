/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Errors, memory, words and threads: what every room stands on. */
#ifndef TALLY_BASE_H
#define TALLY_BASE_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tallyman/context.h"
#include "tallyman/status.h"

/* Write the message of a failure and hand the status back: `return tally_fail(err, TALLY_E_IO,
 * "...")`. err may be NULL. */
tally_status tally_fail(tally_error *err, tally_status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Heap. count * size is checked here, once; memory comes zeroed; NULL when there is none, or on
 * overflow. */
void *tally_alloc(size_t count, size_t size) TALLY_MUST_CHECK;
/* Grow or shrink; what is new is not zeroed. On failure NULL, and `old` stays. */
void *tally_realloc(void *old, size_t count, size_t size) TALLY_MUST_CHECK;
void tally_free(void *memory);
char *tally_strdup(const char *text) TALLY_MUST_CHECK;
char *tally_format(const char *format, ...) __attribute__((format(printf, 1, 2))) TALLY_MUST_CHECK;
tally_status tally_nomem(tally_error *err, const char *what) TALLY_MUST_CHECK;

/* Words on their way out, through the context; the library itself prints nothing. */
void tally_note(const tally_context *ctx, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void tally_warn(const tally_context *ctx, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void tally_progress(const tally_context *ctx, const char *stage, size_t done, size_t total);

/*
 * Run task(user, i) for i in [0, n) on ctx->jobs threads. Tasks write to places of their own, so
 * that the result does not depend on the order. The error of the lowest failing i is returned;
 * later tasks may be skipped then. Between tasks ctx->cancel is heeded (TALLY_E_CANCELLED). stage,
 * when not NULL, is reported as progress.
 */
typedef tally_status (*tally_task)(void *user, size_t i, tally_error *err);
tally_status tally_parallel_for(const tally_context *ctx, const char *stage, size_t n,
                                tally_task task, void *user, tally_error *err) TALLY_MUST_CHECK;

/* Strings that live as long as the pool; equal strings are one pointer. */
typedef struct tally_strings tally_strings;
tally_strings *tally_strings_create(void) TALLY_MUST_CHECK;
void tally_strings_destroy(tally_strings **strings);
/* The pool's copy of `text`; NULL without memory. */
const char *tally_intern(tally_strings *strings, const char *text) TALLY_MUST_CHECK;

/* A text that grows. Without memory it remembers (failed) and tally_text_save says so. */
typedef struct tally_text {
    char *bytes;
    size_t size, capacity;
    bool failed;
} tally_text;
void tally_text_add(tally_text *text, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
void tally_text_bytes(tally_text *text, const char *bytes, size_t size);
/* Is all of it UTF-8 (RFC 3629)? */
bool tally_text_is_utf8(const char *text);
/* Bytes of the UTF-8 character at `p`; 0: it is none. */
size_t tally_utf8_size(const unsigned char *p);
/* One CSV field, quoted where RFC 4180 asks for it. */
void tally_text_csv(tally_text *text, const char *field);
/* A number with at most `decimals` decimals, trailing zeros cut, "-0" as "0"; nothing for NaN. */
void tally_text_number(tally_text *text, double value, int decimals);
void tally_text_fini(tally_text *text);
/* Write the text whole: to a file beside `path`, synced, then renamed. */
tally_status tally_text_save(const tally_text *text, const char *path,
                             tally_error *err) TALLY_MUST_CHECK;

/* Whole file as a zero-terminated heap string; refuses more than `limit` bytes. */
tally_status tally_file_read(const char *path, size_t limit, char **out, size_t *size,
                             tally_error *err) TALLY_MUST_CHECK;
/* Lower-case hex SHA-256 of a file or bytes (libcrypto): out has 65 bytes. */
tally_status tally_file_sha256(const char *path, char out[65], tally_error *err) TALLY_MUST_CHECK;
void tally_sha256(const void *bytes, size_t size, char out[65]);
/* Make a folder and the parents that it lacks; fine when it is there. The error names the part that
 * cannot be made. */
tally_status tally_mkdir(const char *path, tally_error *err) TALLY_MUST_CHECK;

/* Remove a file, or a folder with all that is in it (links are not followed); fine when it is not
 * there. */
tally_status tally_remove_tree(const char *path, tally_error *err) TALLY_MUST_CHECK;

/* Seconds since 1970 UTC <-> text. INT64_MIN is "no time". */
#define TALLY_NO_TIME INT64_MIN
int64_t tally_utc_from_civil(int year, int month, int day, int hour, int minute,
                             int second); /* checks ranges: TALLY_NO_TIME */
/* RFC 3339 and its lenient kin (date alone, blank for T, fraction, Z, +hh:mm). False: not a time.
 */
bool tally_utc_parse(const char *text, int64_t *utc, bool *has_clock);
void tally_utc_format(int64_t utc, char out[24]); /* YYYY-MM-DDThh:mm:ssZ, "" for no time */
int64_t tally_utc_day(int64_t utc);               /* days since 1970, floor */

/* Seeded random numbers (PCG 32, O'Neill 2014, HMC-CS-2014-0905): the same on every machine. */
typedef struct tally_rng {
    uint64_t state;
} tally_rng;
uint32_t tally_rng_next(tally_rng *rng);
double tally_rng_uniform(tally_rng *rng); /* [0, 1) */
double tally_rng_normal(tally_rng *rng);  /* mean 0, deviation 1 */

/* Robust statistics; `values` are reordered. NaN for n == 0. */
float tally_median(float *values, size_t n);
/* Ascending. */
void tally_sort(float *values, size_t n);
/* The fraction q in 0..1, linear between neighbours. */
float tally_quantile(float *values, size_t n, double q);

/* The open interval of values that a sensor measured: where its least or greatest value is piled up
 * (at least 0.2 % of all, and five times what the next value has), that is a clipped level,
 * saturated or dark, and no measurement. Else that end is infinite. */
void tally_unclipped(const float *values, size_t n, float *low, float *high);

static inline double tally_clamp(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}
static inline double tally_round_to(double x, double step_inverse)
{
    return __builtin_round(x * step_inverse) / step_inverse;
}

#endif
