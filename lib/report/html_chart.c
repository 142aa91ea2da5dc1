/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A chart as inline SVG: estimates with their intervals over time, dates that stand out ringed,
 * unseen dates as crosses under the axis that break the line. Drawn here rather than by a chart
 * library, so that the page runs no script, prints, and is read by a screen reader
 * (docs/dependencies.md).
 */
#include <math.h>
#include <string.h>

#include "report/html.h"

enum { WIDTH = 960, HEIGHT = 300, LEFT = 52, RIGHT = 16, TOP = 22, BOTTOM = 44, COLOURS = 4 };
#define DAY 86400.0

typedef struct chart {
    tally_text *out;
    tally_html_series series;
    double from, to, top; /* seconds; highest value of the axis */
    const char *families[COLOURS];
    int n_families;
} chart;

static double x_of(const chart *c, double utc)
{
    return LEFT + (WIDTH - LEFT - RIGHT) * (utc - c->from) / (c->to - c->from);
}

static double y_of(const chart *c, double value)
{
    return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * tally_clamp(value, 0, c->top) / c->top;
}

static bool is_seen(const tally_observation *o)
{
    return o->count != TALLY_NO_COUNT && isfinite(o->estimate);
}

/* Colours go to families in the order of their first date; the last one is for all that follow. */
static int colour_of(chart *c, const char *family)
{
    for (int i = 0; i < c->n_families; i++)
        if (!strcmp(c->families[i], family)) return i;
    if (c->n_families < COLOURS) c->families[c->n_families++] = family;
    return c->n_families - 1;
}

static double nice_step(double range, int ticks)
{
    const double raw = range / ticks, base = pow(10, floor(log10(raw))), m = raw / base;
    return fmax(1, base * (m <= 1 ? 1 : m <= 2 ? 2 : m <= 5 ? 5 : 10));
}

static bool set_axes(chart *c)
{
    double low = INFINITY, high = -INFINITY, most = 0;

    for (size_t i = 0; i < c->series.n; i++) {
        const tally_observation *o = c->series.rows[i];
        if (o->utc == TALLY_NO_TIME) continue;
        low = fmin(low, (double)o->utc);
        high = fmax(high, (double)o->utc);
        if (!is_seen(o)) continue;
        most = fmax(most, o->estimate);
        if (isfinite(o->high)) most = fmax(most, fmin(o->high, 4 * fmax(o->estimate, 5)));
    }
    if (!(high >= low)) return false;
    const double room = fmax((high - low) * 0.02, DAY);
    c->from = low - room;
    c->to = high + room;
    const double step = nice_step(fmax(most, 4), 4);
    c->top = step * ceil(fmax(most, 4) * 1.02 / step);
    return true;
}

static void draw_values(const chart *c)
{
    const double step = nice_step(c->top, 4);

    for (double v = 0; v <= c->top * 1.001; v += step) {
        tally_text_add(c->out,
                       "<line class=\"grid\" x1=\"%d\" x2=\"%d\" y1=\"%.1f\" y2=\"%.1f\"/>"
                       "<text class=\"tick\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.0f</text>\n",
                       LEFT, WIDTH - RIGHT, y_of(c, v), y_of(c, v), LEFT - 8, y_of(c, v) + 4, v);
    }
}

static void draw_tick(const chart *c, int64_t utc, int n_characters)
{
    char text[24];
    tally_utc_format(utc, text);
    const double x = x_of(c, (double)utc);
    tally_text_add(c->out,
                   "<line class=\"mark\" x1=\"%.1f\" x2=\"%.1f\" y1=\"%d\" y2=\"%d\"/>"
                   "<text class=\"tick\" x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.*s</text>\n",
                   x, x, HEIGHT - BOTTOM, HEIGHT - BOTTOM + 5, fmin(x, WIDTH - 40),
                   HEIGHT - BOTTOM + 34, n_characters, text);
}

/* First days of months (years, on long series), or every so many days on short ones. */
static void draw_dates(const chart *c)
{
    static const int months[] = { 1, 2, 3, 6, 12, 24, 60, 120, 240 };
    const double days = (c->to - c->from) / DAY;

    if (days < 75) {
        const int64_t step = days <= 9 ? 1 : days <= 18 ? 2 : days <= 40 ? 5 : 10;
        const int64_t first = tally_utc_day((int64_t)c->from) + 1;
        for (int64_t day = first; (double)day * DAY <= c->to; day++)
            if ((day - first) % step == 0) draw_tick(c, day * (int64_t)DAY, 10);
        return;
    }
    int step = 0;
    while (step < 8 && days / 30.4 / months[step] > 10)
        step++;
    for (int m = 1900 * 12; m < 2200 * 12; m += months[step]) {
        const int64_t utc = tally_utc_from_civil(m / 12, m % 12 + 1, 1, 0, 0, 0);
        if ((double)utc >= c->from && (double)utc <= c->to)
            draw_tick(c, utc, months[step] >= 12 ? 4 : 7);
    }
}

/* Lines between neighbours in time of one family; a date that was not seen breaks them. */
static void draw_lines(chart *c)
{
    const tally_observation *last[COLOURS] = { 0 };

    for (size_t i = 0; i < c->series.n; i++) {
        const tally_observation *o = c->series.rows[i];
        const int colour = colour_of(c, o->family);
        if (o->utc == TALLY_NO_TIME || o->quality == TALLY_QUALITY_REJECTED) continue;
        if (is_seen(o) && last[colour])
            tally_text_add(c->out,
                           "<line class=\"line f%d\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" "
                           "y2=\"%.1f\"/>\n",
                           colour, x_of(c, (double)last[colour]->utc),
                           y_of(c, last[colour]->estimate), x_of(c, (double)o->utc),
                           y_of(c, o->estimate));
        last[colour] = is_seen(o) ? o : NULL;
    }
}

static void draw_title(const chart *c, const tally_observation *o)
{
    tally_text_add(c->out, "<title>");
    tally_html_time(c->out, o->utc);
    if (is_seen(o)) {
        tally_text_add(c->out, ": ");
        tally_html_number(c->out, o->estimate, 1);
        tally_text_add(c->out, " (");
        tally_html_number(c->out, o->low, 1);
        tally_text_add(c->out, " to ");
        tally_html_number(c->out, o->high, 1);
        tally_text_add(c->out, "), %.0f %% seen", 100 * (isfinite(o->seen) ? o->seen : 0));
    } else {
        tally_text_add(c->out, ": %s", tally_quality_name(o->quality));
    }
    tally_text_add(c->out, ", ");
    tally_html_text(c->out, o->scene);
    if (o->reason && *o->reason) {
        tally_text_add(c->out, ": ");
        tally_html_text(c->out, o->reason);
    }
    tally_text_add(c->out, "</title>");
}

static const tally_spike *spike_at(const tally_records *records, const tally_observation *o)
{
    for (size_t i = 0; i < records->n_spikes; i++) {
        const tally_spike *s = &records->spikes[i];
        if (s->class_ == o->class_ && !strcmp(s->zone, o->zone) && !strcmp(s->scene, o->scene))
            return s;
    }
    return NULL;
}

static void draw_point(chart *c, const tally_records *records, const tally_observation *o)
{
    const double x = x_of(c, (double)o->utc);
    const int colour = colour_of(c, o->family);

    const bool shown = tally_html_place_of(records, o->class_, o->scene) != TALLY_HTML_NOWHERE;

    if (shown) {
        tally_text_add(c->out, "<a href=\"#");
        tally_html_anchor(c->out, records, o->class_, o->scene);
        tally_text_add(c->out, "\">");
    }
    tally_text_add(c->out, "<g>");
    draw_title(c, o);
    if (!is_seen(o)) {
        const int y = HEIGHT - BOTTOM + 12;
        tally_text_add(c->out, "<path class=\"unseen\" d=\"M%.1f %dl7 7m0 -7l-7 7\"/></g>%s\n",
                       x - 3.5, y - 3, shown ? "</a>" : "");
        return;
    }
    const double y = y_of(c, o->estimate);
    if (isfinite(o->low) && isfinite(o->high))
        tally_text_add(c->out,
                       "<path class=\"whisker f%d\" d=\"M%.1f %.1fV%.1fm-3 0h6M%.1f %.1fh6\"/>",
                       colour, x, y_of(c, o->low), y_of(c, o->high), x - 3, y_of(c, o->low));
    const tally_spike *spike = spike_at(records, o);
    if (spike)
        tally_text_add(c->out,
                       "<circle class=\"ring\" cx=\"%.1f\" cy=\"%.1f\" r=\"9\"/>"
                       "<text class=\"label\" x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%.0f</text>",
                       x, y, x + (x > WIDTH - 70 ? -13 : 13), y + 4,
                       x > WIDTH - 70 ? "end" : "start", o->estimate);
    tally_text_add(c->out, "<circle class=\"%s f%d\" cx=\"%.1f\" cy=\"%.1f\" r=\"4\"/></g>%s\n",
                   o->quality == TALLY_QUALITY_OK ? "dot" : "dot hollow", colour, x, y,
                   shown ? "</a>" : "");
}

static void draw_legend(const chart *c)
{
    tally_text_add(c->out, "<p class=\"legend\">");
    for (int i = 0; i < c->n_families; i++) {
        tally_text_add(c->out, "<span><i class=\"key f%d\"></i>", i);
        tally_html_text(c->out, c->families[i]);
        tally_text_add(c->out, "%s</span> ", i == COLOURS - 1 ? " and others" : "");
    }
    tally_text_add(c->out, "<span><i class=\"key ringed\"></i>stands out</span> "
                           "<span><i class=\"key open\"></i>partly seen</span> "
                           "<span><b class=\"cross\">×</b> not seen or not counted</span> "
                           "<span>bars: 95 %% interval</span></p>\n");
}

tally_status tally_html_chart(tally_text *out, const tally_records *records, tally_class class_,
                              tally_error *err)
{
    chart c = { .out = out };
    tally_status s = tally_html_select(records, class_, "*", &c.series, err);

    if (s != TALLY_OK) return s;
    if (set_axes(&c)) {
        tally_text_add(
            out,
            "<div class=\"scroll\"><svg class=\"chart\" viewBox=\"0 0 %d %d\" role=\"img\" "
            "aria-label=\"%s over time\">\n",
            WIDTH, HEIGHT, tally_html_noun(class_));
        draw_values(&c);
        draw_dates(&c);
        draw_lines(&c);
        for (size_t i = 0; i < c.series.n; i++)
            if (c.series.rows[i]->utc != TALLY_NO_TIME &&
                c.series.rows[i]->quality != TALLY_QUALITY_REJECTED)
                draw_point(&c, records, c.series.rows[i]);
        tally_text_add(out, "</svg></div>\n");
        draw_legend(&c);
    }
    tally_free(c.series.rows);
    return TALLY_OK;
}
