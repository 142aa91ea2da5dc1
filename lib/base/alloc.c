/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/base.h"

void *tally_alloc(size_t count, size_t size)
{
    if (size != 0 && count > PTRDIFF_MAX / size) return NULL;
    /* calloc(0) may be NULL, which would read as "no memory" */
    return calloc(count ? count : 1, size ? size : 1);
}

void *tally_realloc(void *old, size_t count, size_t size)
{
    if (size != 0 && count > PTRDIFF_MAX / size) return NULL;
    size_t bytes = count * size;
    return realloc(old, bytes ? bytes : 1);
}

void tally_free(void *memory)
{
    free(memory);
}

char *tally_strdup(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = tally_alloc(size, 1);
    if (copy) memcpy(copy, text, size);
    return copy;
}

char *tally_format(const char *format, ...)
{
    va_list args;
    char *out = NULL;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0 || !(out = tally_alloc((size_t)n + 1, 1))) return NULL;
    va_start(args, format);
    vsnprintf(out, (size_t)n + 1, format, args);
    va_end(args);
    return out;
}
