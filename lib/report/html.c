/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <string.h>

#include "report/html.h"

static const char *site_of(const tally_records *r)
{
    return r->n_scenes ? r->scenes[0].site : r->n_observations ? r->observations[0].site : "";
}

static void write_head(tally_text *out, const tally_records *records, const char *given)
{
    const char *site = site_of(records);
    const char *title = given && *given ? given : site;
    size_t n_used = 0;
    int64_t first = TALLY_NO_TIME, last = TALLY_NO_TIME;

    for (size_t i = 0; i < records->n_scenes; i++) {
        const tally_scene_record *s = &records->scenes[i];
        if (s->quality != TALLY_QUALITY_OK) continue;
        n_used++;
        if (s->utc == TALLY_NO_TIME) continue;
        if (first == TALLY_NO_TIME || s->utc < first) first = s->utc;
        if (last == TALLY_NO_TIME || s->utc > last) last = s->utc;
    }
    tally_text_add(out,
                   "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
                   "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
                   "img-src data:; style-src 'unsafe-inline'\">\n"
                   "<meta name=\"viewport\" content=\"width=device-width,initial-scale=1\">\n"
                   "<title>");
    tally_html_text(out, title);
    tally_text_add(out, " – counts</title>\n<style>\n%s</style></head><body>\n<header><h1>",
                   tally_html_style);
    tally_html_text(out, title);
    tally_text_add(out, "</h1>\n<p class=\"sub\">");
    if (strcmp(title, site)) {
        tally_html_text(out, site);
        tally_text_add(out, " · ");
    }
    tally_text_add(out, "%zu scene%s", n_used, n_used == 1 ? "" : "s");
    if (first != TALLY_NO_TIME) {
        tally_text_add(out, ", ");
        tally_html_date(out, first);
        tally_text_add(out, " to ");
        tally_html_date(out, last);
    }
    if (records->n_scenes > n_used)
        tally_text_add(out, " · %zu left out", records->n_scenes - n_used);
    tally_text_add(out, "</p></header>\n<main>\n");
}

static void card(tally_text *out, const tally_records *records, const tally_observation *o,
                 const char *what)
{
    tally_text_add(out, "<a class=\"card\" href=\"#");
    tally_html_anchor(out, records, o->class_, o->scene);
    tally_text_add(out, "\"><span>%s, ", what);
    tally_html_date(out, o->utc);
    tally_text_add(out, "</span><b>");
    tally_html_number(out, o->estimate, 0);
    tally_text_add(out, "</b><span>");
    tally_html_number(out, o->low, 0);
    tally_text_add(out, " to ");
    tally_html_number(out, o->high, 0);
    if (o->quality == TALLY_QUALITY_PARTIAL)
        tally_text_add(out, ", %.0f %% seen", 100 * (isfinite(o->seen) ? o->seen : 0));
    tally_text_add(out, "</span></a>\n");
}

static void write_cards(tally_text *out, const tally_html_series *series,
                        const tally_records *records, tally_class c)
{
    const tally_observation *latest = NULL, *most = NULL;
    size_t n_seen = 0, n_spikes = 0, n_zones = 0;

    for (size_t i = 0; i < series->n; i++) {
        const tally_observation *o = series->rows[i];
        const tally_html_place place = tally_html_place_of(records, c, o->scene);
        n_spikes += place == TALLY_HTML_STANDS_OUT;
        n_zones += place == TALLY_HTML_ZONE_STANDS_OUT;
        if (o->count == TALLY_NO_COUNT || !isfinite(o->estimate)) continue;
        n_seen++;
        latest = o;
        if (!most || o->estimate > most->estimate) most = o;
    }
    tally_text_add(out, "<div class=\"cards\">\n");
    if (latest) card(out, records, latest, "Latest");
    if (most) card(out, records, most, "Most");
    tally_text_add(out, "<div class=\"card\"><span>Dates counted</span><b>%zu</b><span>of %zu",
                   n_seen, series->n);
    if (n_seen < series->n) tally_text_add(out, "; the others are not known, not zero");
    tally_text_add(out,
                   "</span></div>\n<div class=\"card\"><span>Stand out</span><b>%zu</b>"
                   "<span>date%s",
                   n_spikes, n_spikes == 1 ? "" : "s");
    if (n_zones) tally_text_add(out, "; %zu more in single zones", n_zones);
    tally_text_add(out, "</span></div>\n</div>\n");
}

static tally_status write_class(const tally_context *ctx, tally_text *out,
                                const tally_records *records, tally_class c, const char *folder,
                                tally_error *err)
{
    tally_html_series total;
    tally_status s = tally_html_select(records, c, "*", &total, err);

    if (s != TALLY_OK) return s;
    if (total.n == 0) goto out;
    tally_text_add(out, "<section><h2>%s</h2>\n", tally_html_noun(c));
    write_cards(out, &total, records, c);
    if ((s = tally_html_chart(out, records, c, err)) != TALLY_OK) goto out;
    if ((s = tally_html_dates(out, records, c, err)) != TALLY_OK) goto out;
    if ((s = tally_html_spikes(ctx, out, records, c, folder, err)) != TALLY_OK) goto out;
    if ((s = tally_html_zones(out, records, c, err)) != TALLY_OK) goto out;
    tally_text_add(out, "</section>\n");
out:
    tally_free(total.rows);
    return s;
}

tally_status tally_report_html(const tally_context *ctx, const tally_records *records,
                               const char *title, const char *folder, tally_error *err)
{
    tally_text out = { 0 };
    char *path = tally_format("%s/report.html", folder);
    tally_status s = path ? TALLY_OK : tally_nomem(err, "a file's name");

    write_head(&out, records, title);
    if (records->n_observations > 0) tally_html_counts(&out, records);
    if (records->n_observations == 0)
        tally_text_add(&out, "<p>Nothing was counted: no scene could be used.</p>\n");
    for (int c = 0; c < TALLY_CLASS_COUNT && s == TALLY_OK; c++)
        s = write_class(ctx, &out, records, (tally_class)c, folder, err);
    tally_html_visits(&out, records);
    tally_html_reviews(&out, records);
    tally_html_accuracy(&out, records);
    tally_html_scenes(&out, records);
    tally_text_add(
        &out,
        "</main>\n<footer><p>Estimates are for the whole zone, with a 95 %% interval; what was not "
        "seen is never counted as zero, <i>shown</i> is what the pixels show. In the "
        "pictures what was counted is outlined in yellow and the zones are dotted. The "
        "background is how each pixel looks most often over the dates: what always "
        "stands there shows in it. Hatched: not seen. Times are UTC. The rows of all "
        "tables stand in <code>series.csv</code>, <code>detections.geojson</code> and "
        "<code>tallyman.gpkg</code> beside this file, settings, versions and the "
        "inputs' hashes in <code>run.json</code>.</p></footer>\n</body></html>\n");
    if (s == TALLY_OK) s = tally_text_save(&out, path, err);
    tally_text_fini(&out);
    tally_free(path);
    return s;
}
