/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What a file's name tells (CONTRACT.md 3.2 to 3.4). */
#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "scene/draft.h"

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static size_t digits_at(const char *p)
{
    size_t n = 0;
    while (is_digit(p[n]))
        n++;
    return n;
}

static int number(const char *p, int n)
{
    int value = 0;
    for (int i = 0; i < n; i++)
        value = value * 10 + (p[i] - '0');
    return value;
}

/* What is written at `p` as YYYYMMDD or YYYY-MM-DD; the length read, 0: no date. */
static size_t date_at(const char *p, int date[3])
{
    size_t run = digits_at(p);
    if (run == 8 || run == 14) {
        date[0] = number(p, 4);
        date[1] = number(p + 4, 2);
        date[2] = number(p + 6, 2);
        run = 8;
    } else if (run == 4 && p[4] == '-' && digits_at(p + 5) == 2 && p[7] == '-' &&
               digits_at(p + 8) == 2) {
        date[0] = number(p, 4);
        date[1] = number(p + 5, 2);
        date[2] = number(p + 8, 2);
        run = 10;
    } else {
        return 0;
    }
    if (date[0] < 1960 || date[0] > 2100) return 0;
    return tally_utc_from_civil(date[0], date[1], date[2], 0, 0, 0) != TALLY_NO_TIME ? run : 0;
}

/* HHMMSS after a date: straight on, after T or after one underscore. */
static bool clock_at(const char *p, int64_t *seconds)
{
    if (*p == 'T' || *p == 't' || *p == '_') p++;
    size_t run = digits_at(p);
    if (run != 6) return false;
    int h = number(p, 2), m = number(p + 2, 2), s = number(p + 4, 2);
    if (h > 23 || m > 59 || s > 60) return false;
    *seconds = h * 3600 + m * 60 + (s == 60 ? 59 : s);
    return true;
}

/* Maxar: 23OCT05021134 is 2023-10-05T02:11:34. */
static bool maxar_at(const char *p, int64_t *utc)
{
    static const char months[] = "JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC";
    if (digits_at(p) != 2 || strlen(p) < 13 || digits_at(p + 5) != 8) return false;
    for (int m = 0; m < 12; m++)
        if (strncasecmp(p + 2, months + 3 * m, 3) == 0) {
            const char *q = p + 5;
            int year = number(p, 2);
            *utc = tally_utc_from_civil(year + (year < 80 ? 2000 : 1900), m + 1, number(q, 2),
                                        number(q + 2, 2), number(q + 4, 2), number(q + 6, 2));
            return *utc != TALLY_NO_TIME;
        }
    return false;
}

bool tally_name_moment(const char *stem, bool with_clock, int64_t *utc)
{
    for (const char *p = stem; *p; p++) {
        int date[3];
        int64_t seconds = 0;
        if (!is_digit(*p) || (p > stem && is_digit(p[-1]))) continue;
        if (with_clock && maxar_at(p, utc)) return true;
        size_t n = date_at(p, date);
        if (n == 0 || (with_clock && !clock_at(p + n, &seconds))) continue;
        *utc = tally_utc_from_civil(date[0], date[1], date[2], 0, 0, 0) + seconds;
        return true;
    }
    return false;
}

/* The last word of a name that is split at underscores, and where it begins. */
static const char *last_word(const char *stem, size_t length, size_t *size)
{
    size_t i = length;
    while (i > 0 && stem[i - 1] != '_')
        i--;
    *size = length - i;
    return stem + i;
}

static bool same_word(const char *word, size_t size, const char *other)
{
    return strlen(other) == size && strncasecmp(word, other, size) == 0;
}

/* udm, udm2 or mask as the last word; what a clip adds at the end does not count. */
static bool names_mask(const char *stem)
{
    size_t length = strlen(stem), size;
    const char *word = last_word(stem, length, &size);
    while (length > size && (same_word(word, size, "clip") || same_word(word, size, "reproject") ||
                             same_word(word, size, "file") || same_word(word, size, "format"))) {
        length -= size + 1;
        word = last_word(stem, length, &size);
    }
    return same_word(word, size, "udm2") || same_word(word, size, "udm") ||
           same_word(word, size, "mask");
}

/* _r1c1 or _R1C1 anywhere, or -P001 at the end of a word, taken out of `tie`. */
static bool cut_sibling(char *tie)
{
    bool cut = false;
    for (char *p = tie; *p; p++) {
        size_t n = 0;
        if ((*p == '_' || *p == '-') && tolower((unsigned char)p[1]) == 'r' &&
            (n = digits_at(p + 2)) > 0 && n < 5 && tolower((unsigned char)p[2 + n]) == 'c') {
            size_t m = digits_at(p + 3 + n);
            char end = m ? p[3 + n + m] : 'x';
            if (m == 0 || m > 4 || isalnum((unsigned char)end)) continue;
            n = 3 + n + m;
        } else if ((*p == '-' || *p == '_') && p[1] == 'P' && digits_at(p + 2) == 3 &&
                   !isalnum((unsigned char)p[5])) {
            n = 5;
        } else {
            continue;
        }
        memmove(p, p + n, strlen(p + n) + 1);
        cut = true;
        p--;
    }
    return cut;
}

/* Any of the words of `text`, which are split at underscores and hyphens. */
static bool has_word(const char *text, const char *word)
{
    size_t n = strlen(word);
    for (const char *p = text; (p = strcasestr(p, word)) != NULL; p++)
        if ((p == text || !isalnum((unsigned char)p[-1])) && !isalnum((unsigned char)p[n]))
            return true;
    return false;
}

static void read_planet(const char *stem, const char *after, tally_naming *n)
{
    snprintf(n->tie, sizeof n->tie, "%.*s", (int)(after - stem), stem);
    snprintf(n->product, sizeof n->product, "%s", after + strlen("_3B_"));
    static const char *const not_product[] = { "_clip", "_harmonized", "_file_format",
                                               "_reproject" };
    for (size_t i = 0; i < sizeof not_product / sizeof *not_product; i++) {
        char *p = strcasestr(n->product, not_product[i]);
        if (p) memmove(p, p + strlen(not_product[i]), strlen(p + strlen(not_product[i])) + 1);
    }
    n->is_planet = true;
}

static bool names_naip(const char *stem)
{
    int at = 0;
    char quarter[3];
    return sscanf(stem, "m_%*7[0-9]_%2[nsew]_%*2[0-9]_%n", quarter, &at) == 1 && at > 0;
}

/* YYMMMDDHHMMSS-M2AS: kind, level of processing, two letters. */
static void read_maxar(const char *stem, tally_naming *n)
{
    int64_t utc;
    if (!maxar_at(stem, &utc) || stem[13] != '-' || !stem[14] || !strchr("MSP", stem[14]) ||
        !is_digit(stem[15]) || !isupper((unsigned char)stem[16]) ||
        !isupper((unsigned char)stem[17]) || isalnum((unsigned char)stem[18]))
        return;
    snprintf(n->product, sizeof n->product, "%.4s", stem + 14);
    n->is_maxar = true;
}

tally_naming tally_naming_of(const char *stem)
{
    tally_naming n = { .level = TALLY_LEVEL_ANALYTIC };
    const char *planet = strstr(stem, "_3B_");

    n.is_mask = names_mask(stem);
    n.is_naip = names_naip(stem);
    if (planet && planet != stem) {
        read_planet(stem, planet, &n);
    } else {
        snprintf(n.tie, sizeof n.tie, "%s", stem);
        n.is_sibling = cut_sibling(n.tie);
        read_maxar(stem, &n);
        if (!n.tie[0]) snprintf(n.tie, sizeof n.tie, "%s", stem);
    }
    const char *words = n.is_planet ? n.product : stem;
    if (has_word(words, "SR"))
        n.level = TALLY_LEVEL_SR;
    else if (has_word(words, "Visual"))
        n.level = TALLY_LEVEL_VISUAL;
    if (!n.is_planet && !n.is_maxar && n.level != TALLY_LEVEL_ANALYTIC)
        snprintf(n.product, sizeof n.product, "%s", n.level == TALLY_LEVEL_SR ? "SR" : "Visual");
    return n;
}
