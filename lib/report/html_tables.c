/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <string.h>

#include "report/html.h"

static void cell(tally_text *out, double value, int decimals)
{
    tally_text_add(out, "<td class=\"n\">");
    tally_html_number(out, value, decimals);
    tally_text_add(out, "</td>");
}

static void text_cell(tally_text *out, const char *text)
{
    tally_text_add(out, "<td>");
    tally_html_text(out, text);
    tally_text_add(out, "</td>");
}

static void time_cell(tally_text *out, int64_t utc)
{
    tally_text_add(out, "<td class=\"t\">");
    tally_html_time(out, utc);
    tally_text_add(out, "</td>");
}

static void interval_cell(tally_text *out, double low, double high)
{
    tally_text_add(out, "<td class=\"n\">");
    if (isfinite(low) && isfinite(high)) {
        tally_html_count(out, low);
        tally_text_add(out, "–");
        tally_html_count(out, high);
    }
    tally_text_add(out, "</td>");
}

static void count_cell(tally_text *out, double value)
{
    tally_text_add(out, "<td class=\"n\">");
    tally_html_count(out, value);
    tally_text_add(out, "</td>");
}

/* A row for a zone: the latest date, the middle and the most. */
static tally_status zone_row(tally_text *out, const tally_records *records, tally_class c,
                             const char *zone, tally_error *err)
{
    tally_html_series series;
    const tally_observation *latest = NULL, *most = NULL;
    size_t n = 0;
    tally_status s = tally_html_select(records, c, zone, &series, err);

    if (s != TALLY_OK) return s;
    float *values = tally_alloc(series.n + 1, sizeof *values);
    if (!values) {
        tally_free(series.rows);
        return tally_nomem(err, "a table of the report");
    }
    for (size_t i = 0; i < series.n; i++) {
        const tally_observation *o = series.rows[i];
        if (o->count == TALLY_NO_COUNT || !isfinite(o->estimate)) continue;
        values[n++] = (float)o->estimate;
        latest = o;
        if (!most || o->estimate > most->estimate) most = o;
    }
    tally_text_add(out, "<tr><th scope=\"row\" class=\"z\">");
    tally_html_text(out, strcmp(zone, "*") ? zone : "the site");
    tally_text_add(out, "</th>");
    if (latest) {
        count_cell(out, latest->estimate);
        interval_cell(out, latest->low, latest->high);
        time_cell(out, latest->utc);
        count_cell(out, n ? tally_median(values, n) : NAN);
        count_cell(out, most->estimate);
        time_cell(out, most->utc);
    } else {
        tally_text_add(out, "<td class=\"n\">–</td><td></td><td></td><td></td><td></td><td></td>");
    }
    tally_text_add(out, "<td class=\"n\">%zu of %zu</td></tr>\n", n, series.n);
    tally_free(values);
    tally_free(series.rows);
    return TALLY_OK;
}

/* Is this the first observation of its class and zone? */
static bool is_first(const tally_records *records, size_t i)
{
    const tally_observation *o = &records->observations[i];
    for (size_t j = 0; j < i; j++)
        if (records->observations[j].class_ == o->class_ &&
            !strcmp(records->observations[j].zone, o->zone))
            return false;
    return true;
}

static void series_rows(tally_text *out, const tally_records *records, tally_class c)
{
    for (size_t i = 0; i < records->n_observations; i++) {
        const tally_observation *o = &records->observations[i];
        if (o->class_ != c) continue;
        tally_text_add(out, "<tr%s>", strcmp(o->zone, "*") ? "" : " class=\"total\"");
        time_cell(out, o->utc);
        text_cell(out, strcmp(o->zone, "*") ? o->zone : "the site");
        cell(out, o->count == TALLY_NO_COUNT ? NAN : (double)o->count, 0);
        count_cell(out, o->estimate);
        interval_cell(out, o->low, o->high);
        cell(out, o->extent, 0);
        cell(out, isfinite(o->occupancy) ? 100 * o->occupancy : NAN, 0);
        cell(out, isfinite(o->seen) ? 100 * o->seen : NAN, 0);
        text_cell(out, tally_quality_name(o->quality));
        text_cell(out, o->reason);
        tally_text_add(out, "</tr>\n");
    }
}

static void date_row(tally_text *out, const tally_records *records, const tally_observation *o,
                     bool stands_out)
{
    const bool counted = o->count != TALLY_NO_COUNT;
    tally_text_add(out, "<tr%s>", !counted ? " class=\"out\"" : stands_out ? " class=\"hot\"" : "");
    time_cell(out, o->utc);
    if (counted) {
        count_cell(out, o->estimate);
        interval_cell(out, o->low, o->high);
        cell(out, (double)o->count, 0);
    } else {
        tally_text_add(out, "<td class=\"n\" colspan=\"3\">%s</td>",
                       o->quality == TALLY_QUALITY_UNSEEN    ? "not seen"
                       : o->quality == TALLY_QUALITY_REFUSED ? "not countable"
                                                             : "left out");
    }
    cell(out, isfinite(o->seen) ? 100 * o->seen : NAN, 0);
    tally_text_add(out, "<td>");
    if (tally_html_place_of(records, o->class_, o->scene) != TALLY_HTML_NOWHERE) {
        tally_text_add(out, "<a href=\"#");
        tally_html_anchor(out, records, o->class_, o->scene);
        tally_text_add(out, "\">pixels</a>");
    }
    tally_text_add(out, "</td>");
    tally_text_add(out, "<td class=\"id\">");
    tally_html_text(out, o->scene);
    if (o->reason && *o->reason) {
        tally_text_add(out, "<br><small>");
        tally_html_text(out, o->reason);
        tally_text_add(out, "</small>");
    }
    tally_text_add(out, "</td></tr>\n");
}

tally_status tally_html_dates(tally_text *out, const tally_records *records, tally_class c,
                              tally_error *err)
{
    enum { MANY = 40 }; /* more than that are folded away */
    tally_html_series total;
    tally_status s = tally_html_select(records, c, "*", &total, err);

    if (s != TALLY_OK) return s;
    tally_text_add(out, "<h3>By date</h3>\n");
    if (total.n > MANY) tally_text_add(out, "<details><summary>%zu dates</summary>\n", total.n);
    tally_text_add(out, "<div class=\"scroll\"><table><thead><tr><th>date</th>"
                        "<th class=\"n\">estimate</th><th class=\"n\">95 %%</th>"
                        "<th class=\"n\">shown</th><th class=\"n\">seen, %%</th><th></th>"
                        "<th>scene</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < total.n; i++)
        date_row(out, records, total.rows[i],
                 tally_html_place_of(records, c, total.rows[i]->scene) == TALLY_HTML_STANDS_OUT);
    tally_text_add(out, "</tbody></table></div>\n%s", total.n > MANY ? "</details>\n" : "");
    tally_free(total.rows);
    return TALLY_OK;
}

tally_status tally_html_zones(tally_text *out, const tally_records *records, tally_class c,
                              tally_error *err)
{
    size_t n = 0;
    tally_status s = TALLY_OK;

    tally_text_add(out, "<h3>By zone</h3>\n<div class=\"scroll\"><table><thead><tr><th>zone</th>"
                        "<th class=\"n\">latest</th><th class=\"n\">95 %%</th><th>on</th>"
                        "<th class=\"n\">median</th><th class=\"n\">most</th><th>on</th>"
                        "<th class=\"n\">dates counted</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < records->n_observations && s == TALLY_OK; i++) {
        const tally_observation *o = &records->observations[i];
        if (o->class_ != c) continue;
        n++;
        if (strcmp(o->zone, "*") && is_first(records, i))
            s = zone_row(out, records, c, o->zone, err);
    }
    if (s == TALLY_OK) s = zone_row(out, records, c, "*", err);
    tally_text_add(
        out,
        "</tbody></table></div>\n<details><summary>All %zu rows of the series</summary>"
        "<div class=\"scroll\"><table><thead><tr><th>date</th><th>zone</th>"
        "<th class=\"n\">count</th><th class=\"n\">estimate</th><th class=\"n\">95 %%</th>"
        "<th class=\"n\">extent, %s</th><th class=\"n\">occupied, %%</th>"
        "<th class=\"n\">seen, %%</th><th>quality</th><th>why</th></tr></thead><tbody>\n",
        n, strcmp(tally_class_unit(c), "m2") ? tally_class_unit(c) : "m²");
    series_rows(out, records, c);
    tally_text_add(out, "</tbody></table></div></details>\n");
    return s;
}

/* The two times may part at "to", so that the table fits its page. */
static void between(tally_text *out, int64_t after, int64_t before)
{
    tally_text_add(out, "<td><span class=\"t\">");
    if (after != TALLY_NO_TIME) {
        tally_html_time(out, after);
        tally_text_add(out, "</span> to <span class=\"t\">");
    } else {
        tally_text_add(out, "before ");
    }
    tally_html_time(out, before);
    tally_text_add(out, "</span></td>");
}

static void departure(tally_text *out, const tally_visit *v)
{
    if (v->departed_before != TALLY_NO_TIME) {
        between(out, v->departed_after, v->departed_before);
        return;
    }
    tally_text_add(out, "<td class=\"t\">after ");
    tally_html_time(out, v->departed_after != TALLY_NO_TIME ? v->departed_after : v->last_seen);
    tally_text_add(out, "</td>");
}

void tally_html_visits(tally_text *out, const tally_records *records)
{
    if (records->n_visits == 0) return;
    tally_text_add(
        out, "<section><h2>Visits</h2>\n<div class=\"scroll\"><table><thead><tr><th>zone</th>"
             "<th class=\"n\">length, m</th><th>first seen</th><th>last seen</th>"
             "<th>arrived between</th><th>left between</th><th>call</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < records->n_visits; i++) {
        const tally_visit *v = &records->visits[i];
        tally_text_add(out, "<tr>");
        tally_text_add(out, "<td class=\"z\">");
        tally_html_text(out, v->zone);
        tally_text_add(out, "</td>");
        cell(out, v->length_m, 0);
        time_cell(out, v->first_seen);
        time_cell(out, v->last_seen);
        between(out, v->arrived_after,
                v->arrived_before != TALLY_NO_TIME ? v->arrived_before : v->first_seen);
        departure(out, v);
        text_cell(out, v->call);
        tally_text_add(out, "</tr>\n");
    }
    tally_text_add(out, "</tbody></table></div></section>\n");
}

void tally_html_scenes(tally_text *out, const tally_records *records)
{
    tally_text_add(out,
                   "<section><h2>Scenes</h2>\n<div class=\"scroll\"><table><thead><tr><th>date</th>"
                   "<th>scene</th><th>family</th><th class=\"n\">GSD, m</th>"
                   "<th class=\"n\">sun, °</th><th class=\"n\">off nadir, °</th>"
                   "<th class=\"n\">cloud, %%</th><th class=\"n\">shift, px</th>"
                   "<th class=\"n\">rmse, px</th><th>rests on</th></tr></thead><tbody>\n");
    for (size_t i = 0; i < records->n_scenes; i++) {
        const tally_scene_record *s = &records->scenes[i];
        tally_text_add(out, "<tr%s>", s->quality == TALLY_QUALITY_OK ? "" : " class=\"out\"");
        time_cell(out, s->utc);
        tally_text_add(out, "<td class=\"id\">");
        tally_html_text(out, s->scene);
        tally_text_add(out, "%s", s->reference == 1 ? " <small>reference</small>" : "");
        if (s->reason && *s->reason) {
            tally_text_add(out, "<br><small>%s",
                           s->quality == TALLY_QUALITY_OK ? "" : "left out: ");
            tally_html_text(out, s->reason);
            tally_text_add(out, "</small>");
        }
        tally_text_add(out, "</td><td class=\"t\">");
        tally_html_text(out, s->family);
        tally_text_add(out, "</td>");
        cell(out, s->gsd_m, 2);
        cell(out, s->sun_elevation, 0);
        cell(out, s->off_nadir, 0);
        cell(out, s->cloud, 0);
        tally_text_add(out, "<td class=\"n\">");
        tally_html_number(out, s->dx_px, 2);
        tally_text_add(out, ", ");
        tally_html_number(out, s->dy_px, 2);
        tally_text_add(out, "</td>");
        cell(out, s->rmse_px, 2);
        text_cell(out, s->basis);
        tally_text_add(out, "</tr>\n");
    }
    tally_text_add(out, "</tbody></table></div></section>\n");
}
