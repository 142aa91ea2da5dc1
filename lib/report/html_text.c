/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <string.h>

#include "report/html.h"

void tally_html_text(tally_text *out, const char *text)
{
    const unsigned char *p = (const unsigned char *)(text ? text : "");

    while (*p) {
        const size_t n = tally_utf8_size(p);
        const char *as = n == 0                    ? "?"
                         : *p == '&'               ? "&amp;"
                         : *p == '<'               ? "&lt;"
                         : *p == '>'               ? "&gt;"
                         : *p == '"'               ? "&quot;"
                         : *p == '\''              ? "&#39;"
                         : *p < 0x20 || *p == 0x7F ? " "
                                                   : NULL;
        if (as)
            tally_text_bytes(out, as, strlen(as));
        else
            tally_text_bytes(out, (const char *)p, n);
        p += n ? n : 1;
    }
}

void tally_html_base64(tally_text *out, const unsigned char *bytes, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char line[4096];
    size_t n = 0;

    for (size_t i = 0; i < size; i += 3) {
        const size_t left = size - i;
        const unsigned v = (unsigned)bytes[i] << 16 | (left > 1 ? (unsigned)bytes[i + 1] << 8 : 0) |
                           (left > 2 ? bytes[i + 2] : 0);
        line[n++] = digits[v >> 18];
        line[n++] = digits[v >> 12 & 63];
        line[n++] = left > 1 ? digits[v >> 6 & 63] : '=';
        line[n++] = left > 2 ? digits[v & 63] : '=';
        if (n == sizeof line) {
            tally_text_bytes(out, line, n);
            n = 0;
        }
    }
    tally_text_bytes(out, line, n);
}

void tally_html_date(tally_text *out, int64_t utc)
{
    char text[24];
    tally_utc_format(utc, text);
    if (text[0])
        tally_text_bytes(out, text, 10);
    else
        tally_text_add(out, "–");
}

void tally_html_time(tally_text *out, int64_t utc)
{
    char text[24];
    tally_utc_format(utc, text);
    tally_html_date(out, utc);
    if (text[0] && strcmp(text + 10, "T00:00:00Z") != 0) tally_text_add(out, " %.5s", text + 11);
}

void tally_html_number(tally_text *out, double value, int decimals)
{
    if (isfinite(value))
        tally_text_number(out, value, decimals);
    else
        tally_text_add(out, "–");
}

void tally_html_count(tally_text *out, double value)
{
    tally_html_number(out, value, fabs(value) < 9.95 ? 1 : 0);
}

void tally_html_anchor(tally_text *out, const tally_records *records, tally_class c,
                       const char *scene)
{
    size_t i = 0;
    while (i < records->n_scenes && strcmp(records->scenes[i].scene, scene) != 0)
        i++;
    tally_text_add(out, "%s-%zu", tally_class_name(c), i);
}

const char *tally_html_noun(tally_class c)
{
    static const char *const nouns[TALLY_CLASS_COUNT] = { "railcars", "container slots",
                                                          "vessels" };
    return nouns[c];
}

const char *tally_html_noun_of(tally_class c, double value)
{
    static const char *const one[TALLY_CLASS_COUNT] = { "railcar", "container slot", "vessel" };
    return fabs(value - 1) < 0.05 ? one[c] : tally_html_noun(c);
}

tally_status tally_html_select(const tally_records *records, tally_class c, const char *zone,
                               tally_html_series *out, tally_error *err)
{
    size_t n = 0;

    *out = (tally_html_series) { 0 };
    for (size_t i = 0; i < records->n_observations; i++)
        n += records->observations[i].class_ == c && !strcmp(records->observations[i].zone, zone);
    out->rows = tally_alloc(n + 1, sizeof *out->rows);
    if (!out->rows) return tally_nomem(err, "the series of a report");
    for (size_t i = 0; i < records->n_observations; i++)
        if (records->observations[i].class_ == c && !strcmp(records->observations[i].zone, zone))
            out->rows[out->n++] = &records->observations[i];
    return TALLY_OK;
}

static bool is_spike(const tally_spike *s, tally_class c, const char *scene)
{
    return s->class_ == c && !strcmp(s->scene, scene);
}

tally_html_place tally_html_place_of(const tally_records *records, tally_class c, const char *scene)
{
    const tally_observation *latest = NULL, *most = NULL;
    bool zone = false;

    for (size_t i = 0; i < records->n_spikes; i++) {
        if (!is_spike(&records->spikes[i], c, scene)) continue;
        if (!strcmp(records->spikes[i].zone, "*")) return TALLY_HTML_STANDS_OUT;
        zone = true;
    }
    if (zone) return TALLY_HTML_ZONE_STANDS_OUT;
    for (size_t i = 0; i < records->n_observations; i++) {
        const tally_observation *o = &records->observations[i];
        if (o->class_ != c || strcmp(o->zone, "*") != 0 || o->count == TALLY_NO_COUNT) continue;
        latest = o;
        if (!most || o->estimate > most->estimate) most = o;
    }
    if (most && !strcmp(most->scene, scene)) return TALLY_HTML_MOST;
    return latest && !strcmp(latest->scene, scene) ? TALLY_HTML_LATEST : TALLY_HTML_NOWHERE;
}
