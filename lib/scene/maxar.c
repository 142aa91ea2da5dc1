/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Maxar's IMD (key = value;) and XML (<KEY>value</KEY>): the same keys, in other letters. GDAL's
 * own reading of the time has changed between versions (local time, then UTC), so that the raw text
 * is read here.
 */
#include <cpl_vsi.h>
#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "scene/draft.h"

#define MOST_BYTES (8 << 20)

/* The value of the first `key`, whichever of the two spellings. Blanks, quotes and the semicolon
 * are cut. */
static bool value_of(const char *all, const char *key, char *out, size_t size)
{
    size_t n = strlen(key);
    for (const char *p = all; (p = strcasestr(p, key)) != NULL; p++) {
        if (p > all && (isalnum((unsigned char)p[-1]) || p[-1] == '_' || p[-1] == '/')) continue;
        const char *q = p + n;
        q += strspn(q, " \t");
        if (*q != '=' && *q != '>') continue;
        q++;
        q += strspn(q, " \t\"");
        size_t length = strcspn(q, "\";<\r\n");
        if (length == 0 || length >= size) return false;
        snprintf(out, size, "%.*s", (int)length, q);
        return true;
    }
    return false;
}

static double number(const char *all, const char *key, double low, double high)
{
    char value[64], *end;
    if (!value_of(all, key, value, sizeof value)) return NAN;
    double x = strtod(value, &end);
    return end != value && x >= low && x <= high ? x : NAN;
}

static void read_time(const char *all, tally_sidecar *out)
{
    static const char *const keys[] = { "firstLineTime", "TLCTime", "earliestAcqTime" };
    char value[64];
    for (size_t i = 0; i < sizeof keys / sizeof *keys && out->n_moments == 0; i++) {
        tally_moment *m = &out->moments[0];
        m->source = "sidecar";
        if (value_of(all, keys[i], value, sizeof value) &&
            tally_utc_parse(value, &m->utc, &m->has_clock))
            out->n_moments = 1;
    }
}

static void read_keys(tally_builder *b, const char *all, tally_sidecar *out)
{
    char value[128];

    read_time(all, out);
    out->sun_azimuth = number(all, "meanSunAz", 0, 360);
    out->sun_elevation = number(all, "meanSunEl", -90, 90);
    out->view_azimuth = number(all, "meanSatAz", 0, 360);
    out->off_nadir = number(all, "meanOffNadirViewAngle", 0, 90);
    out->cloud = 100 * number(all, "cloudCover", 0, 1); /* -999: unknown */
    out->gsd_m = number(all, "meanProductGSD", 0.01, 10000);
    if (value_of(all, "satId", value, sizeof value))
        out->satellite = out->sensor = tally_keep(b, value);
    if (value_of(all, "CatId", value, sizeof value)) out->id = tally_keep(b, value);
}

bool tally_maxar_read(tally_builder *b, const char *path, tally_sidecar *out)
{
    GByte *bytes = NULL;
    vsi_l_offset size = 0;
    VSIStatBufL stat;
    bool found = false;

    if (VSIStatL(path, &stat) == 0 && VSIIngestFile(NULL, path, &bytes, &size, MOST_BYTES)) {
        const char *all = (const char *)bytes;
        found = strlen(all) == size && (strcasestr(all, "satId") || strcasestr(all, "meanSunAz"));
        if (found) read_keys(b, all, out);
    }
    VSIFree(bytes);
    return found;
}
