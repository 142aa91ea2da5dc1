/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Civil dates by Howard Hinnant's algorithms ("chrono-compatible low-level date algorithms", 2013).
 */
#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/base.h"

static int64_t days_from_civil(int64_t y, int m, int d)
{
    y -= m <= 2;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t yoe = y - era * 400;
    int64_t doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    int64_t doe = yoe * 365 + yoe / 4 - yoe / 100 + doy;
    return era * 146097 + doe - 719468;
}

static int month_days(int year, int month)
{
    static const int days[] = { 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

int64_t tally_utc_from_civil(int year, int month, int day, int hour, int minute, int second)
{
    if (year < 1900 || year > 2200 || month < 1 || month > 12 || day < 1 ||
        day > month_days(year, month))
        return TALLY_NO_TIME;
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 60)
        return TALLY_NO_TIME;
    if (second == 60) second = 59; /* a leap second has no place of its own on this scale */
    return days_from_civil(year, month, day) * 86400 + hour * 3600 + minute * 60 + second;
}

static bool digits(const char **p, int n, int *out)
{
    int value = 0;
    for (int i = 0; i < n; i++) {
        if (!isdigit((unsigned char)(*p)[i])) return false;
        value = value * 10 + ((*p)[i] - '0');
    }
    *p += n;
    *out = value;
    return true;
}

/* "Z", nothing, or +hh:mm / +hhmm, in seconds east. */
static bool zone_offset(const char **p, int *seconds)
{
    *seconds = 0;
    if (**p == 'Z' || **p == 'z') {
        (*p)++;
        return true;
    }
    if (**p != '+' && **p != '-') return true;
    int sign = *(*p)++ == '-' ? -1 : 1, hours, minutes = 0;
    if (!digits(p, 2, &hours)) return false;
    if (**p == ':') (*p)++;
    if (**p && !digits(p, 2, &minutes)) return false;
    if (hours > 14 || minutes > 59) return false;
    *seconds = sign * (hours * 3600 + minutes * 60);
    return true;
}

bool tally_utc_parse(const char *text, int64_t *utc, bool *has_clock)
{
    const char *p = text;
    int year, month, day, hour = 0, minute = 0, second = 0, east = 0;
    bool clock = false;

    while (isspace((unsigned char)*p))
        p++;
    if (!digits(&p, 4, &year)) return false;
    char separator = *p;
    if (separator != '-' && separator != ':' && separator != '/')
        return false; /* TIFFTAG_DATETIME has colons */
    p++;
    if (!digits(&p, 2, &month) || *p++ != separator || !digits(&p, 2, &day)) return false;
    if (*p == 'T' || *p == 't' || (*p == ' ' && isdigit((unsigned char)p[1]))) {
        p++;
        if (!digits(&p, 2, &hour) || *p++ != ':' || !digits(&p, 2, &minute)) return false;
        if (*p == ':') {
            p++;
            if (!digits(&p, 2, &second)) return false;
            if (*p == '.')
                for (p++; isdigit((unsigned char)*p);)
                    p++;
        }
        if (!zone_offset(&p, &east)) return false;
        clock = true;
    }
    while (isspace((unsigned char)*p))
        p++;
    if (*p) return false;
    int64_t t = tally_utc_from_civil(year, month, day, hour, minute, second);
    if (t == TALLY_NO_TIME) return false;
    *utc = t - east;
    if (has_clock) *has_clock = clock;
    return true;
}

int tally_time_parse(const char *text, int64_t *utc)
{
    bool has_clock;
    if (!tally_utc_parse(text, utc, &has_clock)) return false;
    if (!has_clock) *utc += 86399; /* known that day: what the day brought is known */
    return true;
}

int64_t tally_utc_day(int64_t utc)
{
    int64_t day = utc / 86400;
    return utc % 86400 < 0 ? day - 1 : day;
}

void tally_utc_format(int64_t utc, char out[24])
{
    out[0] = '\0';
    /* years 0001 to 9999; what lies outside is no time that a sensor wrote */
    if (utc < -62135596800 || utc > 253402300799) return;
    int64_t days = tally_utc_day(utc), clock = utc - days * 86400, z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097, doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100), mp = (5 * doy + 2) / 153;
    int day = (int)(doy - (153 * mp + 2) / 5 + 1), month = (int)(mp < 10 ? mp + 3 : mp - 9);
    int year = (int)(yoe + era * 400 + (month <= 2));
    unsigned second = (unsigned)clock;
    snprintf(out, 24, "%04u-%02u-%02uT%02u:%02u:%02uZ", (unsigned)year % 10000,
             (unsigned)month % 100, (unsigned)day % 100, second / 3600 % 24, second / 60 % 60,
             second % 60);
}
