/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Whose counts the page shows, and the reviews. */
#include <string.h>

#include "report/html.h"

static size_t n_used(const tally_records *r)
{
    size_t n = 0;
    for (size_t i = 0; i < r->n_reviews; i++)
        n += !*r->reviews[i].problem;
    return n;
}

void tally_html_counts(tally_text *out, const tally_records *r)
{
    size_t n_rows = 0, n_zones = 0;
    for (size_t i = 0; i < r->n_observations; i++) {
        if (!strcmp(r->observations[i].zone, "*")) continue;
        n_zones++;
        n_rows += r->observations[i].reviewed.touched != 0;
    }
    tally_text_add(out, "<p class=\"note\"><b>Counts: %s.</b> ", tally_counts_name(r->counts));
    if (r->counts == TALLY_COUNTS_REVIEWED)
        tally_text_add(out,
                       "%zu of %zu counts of zones rest on %zu <a href=\"#reviews\">review%s</a> "
                       "by analysts, which say what the machine had; all others are the machine's. "
                       "Spikes are judged by these counts. Outlines in the pictures are the "
                       "machine's.",
                       n_rows, n_zones, n_used(r), n_used(r) == 1 ? "" : "s");
    else if (r->n_reviews)
        tally_text_add(
            out,
            "As the program gave them; %zu <a href=\"#reviews\">review%s</a> by analysts "
            "lie beside them and change nothing here (<code>tallyman report DIR "
            "--counts reviewed</code>, <code>reviewed.csv</code>).",
            r->n_reviews, r->n_reviews == 1 ? "" : "s");
    else
        tally_text_add(out, "As the program gave them; nobody has reviewed them.");
    tally_text_add(out, "</p>\n");
}

static void text_cell(tally_text *out, const char *text)
{
    tally_text_add(out, "<td>");
    tally_html_text(out, text);
    tally_text_add(out, "</td>");
}

static void review_row(tally_text *out, const tally_review *v)
{
    tally_text_add(out, "<tr%s>", *v->problem ? " class=\"out\"" : "");
    tally_text_add(out, "<td class=\"t\">");
    tally_html_text(out, *v->datetime ? v->datetime : v->scene);
    tally_text_add(out, "</td>");
    text_cell(out, v->class_);
    text_cell(out, strcmp(v->zone, "*") ? v->zone : "the site");
    tally_text_add(out, "<td>");
    tally_html_text(out, v->action);
    if (v->count != TALLY_NO_COUNT) tally_text_add(out, " %lld", (long long)v->count);
    if (*v->detection) {
        tally_text_add(out, " <small>");
        tally_html_text(out, v->detection);
        tally_text_add(out, "</small>");
    }
    tally_text_add(out, "</td>");
    text_cell(out, v->who);
    text_cell(out, v->why);
    text_cell(out, v->when);
    text_cell(out, *v->problem ? v->problem : "used");
    tally_text_add(out, "</tr>\n");
}

void tally_html_reviews(tally_text *out, const tally_records *r)
{
    if (r->n_reviews == 0) return;
    tally_text_add(out, "<section id=\"reviews\"><h2>Reviews</h2>\n<div class=\"scroll\"><table>"
                        "<thead><tr><th>scene of</th><th>class</th><th>zone</th><th>says</th>"
                        "<th>who</th><th>why</th><th>when</th><th>state</th></tr></thead>"
                        "<tbody>\n");
    for (size_t i = 0; i < r->n_reviews; i++)
        review_row(out, &r->reviews[i]);
    tally_text_add(out, "</tbody></table></div></section>\n");
}
