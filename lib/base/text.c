/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"

struct tally_strings {
    char **slots; /* open addressing; a power of two of them, at most half in use */
    size_t n_slots, n;
};

static uint64_t hash_of(const char *text)
{
    uint64_t h = 1469598103934665603u; /* FNV-1a (Fowler, Noll, Vo) */
    for (; *text; text++)
        h = (h ^ (unsigned char)*text) * 1099511628211u;
    return h;
}

tally_strings *tally_strings_create(void)
{
    tally_strings *s = tally_alloc(1, sizeof *s);
    if (!s) return NULL;
    s->n_slots = 64;
    s->slots = tally_alloc(s->n_slots, sizeof *s->slots);
    if (!s->slots) {
        tally_free(s);
        return NULL;
    }
    return s;
}

void tally_strings_destroy(tally_strings **strings)
{
    if (!strings || !*strings) return;
    for (size_t i = 0; i < (*strings)->n_slots; i++)
        tally_free((*strings)->slots[i]);
    tally_free((*strings)->slots);
    tally_free(*strings);
    *strings = NULL;
}

static size_t slot_of(char *const *slots, size_t n_slots, const char *text)
{
    size_t i = hash_of(text) & (n_slots - 1);
    while (slots[i] && strcmp(slots[i], text) != 0)
        i = (i + 1) & (n_slots - 1);
    return i;
}

static bool grow(tally_strings *s)
{
    size_t n_slots = s->n_slots * 2;
    char **slots = tally_alloc(n_slots, sizeof *slots);
    if (!slots) return false;
    for (size_t i = 0; i < s->n_slots; i++)
        if (s->slots[i]) slots[slot_of(slots, n_slots, s->slots[i])] = s->slots[i];
    tally_free(s->slots);
    s->slots = slots;
    s->n_slots = n_slots;
    return true;
}

const char *tally_intern(tally_strings *strings, const char *text)
{
    if (!text) text = "";
    size_t i = slot_of(strings->slots, strings->n_slots, text);
    if (strings->slots[i]) return strings->slots[i];
    if (strings->n * 2 >= strings->n_slots) {
        if (!grow(strings)) return NULL;
        i = slot_of(strings->slots, strings->n_slots, text);
    }
    strings->slots[i] = tally_strdup(text);
    if (strings->slots[i]) strings->n++;
    return strings->slots[i];
}

static bool reserve(tally_text *text, size_t more)
{
    if (text->failed) return false;
    size_t wanted = text->size + more + 1;
    if (wanted <= text->capacity) return true;
    size_t capacity = text->capacity ? text->capacity * 2 : 1024;
    while (capacity < wanted)
        capacity *= 2;
    char *bytes = tally_realloc(text->bytes, capacity, 1);
    if (!bytes) {
        text->failed = true;
        return false;
    }
    text->bytes = bytes;
    text->capacity = capacity;
    return true;
}

void tally_text_bytes(tally_text *text, const char *bytes, size_t size)
{
    if (!reserve(text, size)) return;
    memcpy(text->bytes + text->size, bytes, size);
    text->size += size;
    text->bytes[text->size] = '\0';
}

void tally_text_add(tally_text *text, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (n < 0 || !reserve(text, (size_t)n)) return;
    va_start(args, format);
    vsnprintf(text->bytes + text->size, (size_t)n + 1, format, args);
    va_end(args);
    text->size += (size_t)n;
}

void tally_text_csv(tally_text *text, const char *field)
{
    if (!strpbrk(field, ",\"\r\n")) {
        tally_text_bytes(text, field, strlen(field));
        return;
    }
    tally_text_bytes(text, "\"", 1);
    for (; *field; field++)
        tally_text_bytes(text, *field == '"' ? "\"\"" : field, *field == '"' ? 2 : 1);
    tally_text_bytes(text, "\"", 1);
}

void tally_text_number(tally_text *text, double value, int decimals)
{
    char digits[400];
    if (!isfinite(value)) return;
    int n = snprintf(digits, sizeof digits, "%.*f", decimals, value);
    if (n < 0 || (size_t)n >= sizeof digits) return;
    if (strchr(digits, '.')) {
        while (digits[n - 1] == '0')
            n--;
        if (digits[n - 1] == '.') n--;
        digits[n] = '\0';
    }
    tally_text_add(text, "%s", strcmp(digits, "-0") == 0 ? "0" : digits);
}

void tally_text_fini(tally_text *text)
{
    tally_free(text->bytes);
    *text = (tally_text) { 0 };
}

size_t tally_utf8_size(const unsigned char *p)
{
    if (p[0] < 0x80) return 1;
    const size_t n = p[0] >= 0xC2 && p[0] < 0xE0   ? 2
                     : (p[0] & 0xF0) == 0xE0       ? 3
                     : p[0] >= 0xF0 && p[0] < 0xF5 ? 4
                                                   : 0;
    for (size_t i = 1; i < n; i++)
        if ((p[i] & 0xC0) != 0x80) return 0;
    if (n == 3 && ((p[0] == 0xE0 && p[1] < 0xA0) || (p[0] == 0xED && p[1] > 0x9F))) return 0;
    if (n == 4 && ((p[0] == 0xF0 && p[1] < 0x90) || (p[0] == 0xF4 && p[1] > 0x8F))) return 0;
    return n;
}

bool tally_text_is_utf8(const char *text)
{
    const unsigned char *p = (const unsigned char *)text;
    while (*p) {
        const size_t n = tally_utf8_size(p);
        if (n == 0) return false;
        p += n;
    }
    return true;
}
