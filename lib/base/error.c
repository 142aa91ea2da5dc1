/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <string.h>

#include "base/base.h"

static const char *const names[TALLY_STATUS_COUNT] = {
    [TALLY_OK] = "TALLY_OK",
    [TALLY_E_ARG] = "TALLY_E_ARG",
    [TALLY_E_NOMEM] = "TALLY_E_NOMEM",
    [TALLY_E_IO] = "TALLY_E_IO",
    [TALLY_E_FORMAT] = "TALLY_E_FORMAT",
    [TALLY_E_CRS] = "TALLY_E_CRS",
    [TALLY_E_NODATA] = "TALLY_E_NODATA",
    [TALLY_E_NO_MATCH] = "TALLY_E_NO_MATCH",
    [TALLY_E_BUSY] = "TALLY_E_BUSY",
    [TALLY_E_CANCELLED] = "TALLY_E_CANCELLED",
};

const char *tally_status_name(tally_status status)
{
    if ((unsigned)status >= TALLY_STATUS_COUNT) return "?";
    return names[status];
}

/* A message is one line, whatever a hostile file name or a driver put into it. */
static void keep_to_one_line(char *text)
{
    for (char *c = text; *c; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f) *c = ' ';
}

tally_status tally_fail(tally_error *err, tally_status status, const char *format, ...)
{
    if (!err) return status;
    va_list args;
    va_start(args, format);
    vsnprintf(err->message, sizeof err->message, format, args);
    va_end(args);
    keep_to_one_line(err->message);
    err->status = status;
    return status;
}

tally_status tally_nomem(tally_error *err, const char *what)
{
    return tally_fail(err, TALLY_E_NOMEM, "no memory for %s; lower --jobs or --max-memory", what);
}

static void say(const tally_context *ctx, tally_level level, const char *format, va_list args)
{
    char line[1024];
    if (!ctx || !ctx->on_message) return;
    vsnprintf(line, sizeof line, format, args);
    keep_to_one_line(line);
    ctx->on_message(ctx->user, level, line);
}

void tally_note(const tally_context *ctx, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(ctx, TALLY_NOTE, format, args);
    va_end(args);
}

void tally_warn(const tally_context *ctx, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    say(ctx, TALLY_WARNING, format, args);
    va_end(args);
}

void tally_progress(const tally_context *ctx, const char *stage, size_t done, size_t total)
{
    if (ctx && ctx->on_progress) ctx->on_progress(ctx->user, stage, done, total);
}
