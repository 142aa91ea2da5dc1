/* SPDX-License-Identifier: GPL-3.0-or-later */
/* accuracy_basis.c as HTML, as Markdown and as lines of text. */
#include <math.h>
#include <string.h>

#include "report/accuracy_basis.h"
#include "report/html.h"
#include "tallyman/report.h"
#include "tallyman/store.h"

static void say_gsd(tally_text *t, const tally_accuracy_row *row)
{
    if (row->gsd_from_m > 0 && isfinite(row->gsd_to_m))
        tally_text_add(t, "%g to %g m", row->gsd_from_m, row->gsd_to_m);
    else if (row->gsd_from_m > 0)
        tally_text_add(t, "above %g m", row->gsd_from_m);
    else
        tally_text_add(t, "up to %g m", row->gsd_to_m);
}

static void html_row(tally_text *out, const tally_accuracy_row *row)
{
    const char *const texts[] = { row->what, row->error, tally_basis_name(row->kind), row->basis };
    tally_text_add(out, "<tr><td>%s</td><td class=\"t\">", tally_html_noun(row->class_));
    say_gsd(out, row);
    tally_text_add(out, "</td>");
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        tally_text_add(out, "<td>%s", i == 2 ? "<b>" : "");
        tally_html_text(out, texts[i]);
        tally_text_add(out, "%s</td>", i == 2 ? "</b>" : "");
    }
    tally_text_add(out, "</tr>\n");
}

void tally_html_accuracy(tally_text *out, const tally_records *records)
{
    size_t n = 0;
    for (size_t i = 0; i < tally_n_accuracy_rows; i++) {
        if (!tally_accuracy_concerns(&tally_accuracy_rows[i], records)) continue;
        if (n++ == 0) {
            tally_text_add(out, "<section id=\"accuracy\"><h2>How good such counts are</h2>\n<p>");
            tally_html_text(out, tally_accuracy_caveat);
            tally_text_add(out, "</p>\n<div class=\"scroll\"><table><thead><tr><th>class</th>"
                                "<th>GSD</th><th>scenes</th><th>how far off</th><th>scenes "
                                "are</th><th>measured on</th></tr></thead><tbody>\n");
        }
        html_row(out, &tally_accuracy_rows[i]);
    }
    if (n) tally_text_add(out, "</tbody></table></div></section>\n");
}

char *tally_report_accuracy_markdown(void)
{
    tally_text t = { 0 };
    tally_text_add(&t, "| class | GSD | scenes | how far off | scenes are | measured on |\n"
                       "| --- | --- | --- | --- | --- | --- |\n");
    for (size_t i = 0; i < tally_n_accuracy_rows; i++) {
        const tally_accuracy_row *row = &tally_accuracy_rows[i];
        tally_text_add(&t, "| %s | ", tally_html_noun(row->class_));
        say_gsd(&t, row);
        tally_text_add(&t, " | %s | %s | %s | %s |\n", row->what, row->error,
                       tally_basis_name(row->kind), row->basis);
    }
    if (t.failed) tally_text_fini(&t);
    return t.bytes;
}

static void text_of(tally_text *t, const tally_records *records)
{
    for (size_t i = 0; i < tally_n_accuracy_rows; i++) {
        const tally_accuracy_row *row = &tally_accuracy_rows[i];
        if (!tally_accuracy_concerns(row, records)) continue;
        tally_text_add(t, "%s, ", tally_html_noun(row->class_));
        say_gsd(t, row);
        tally_text_add(t, ", %s: %s (%s scenes: %s)\n", row->what, row->error,
                       tally_basis_name(row->kind), row->basis);
    }
    tally_text_add(t, "%s\n", tally_accuracy_caveat);
}

char *tally_report_accuracy_text(const char *folder, tally_error *err)
{
    tally_store *store = NULL;
    tally_records *records = NULL;
    tally_text t = { 0 };
    char *path = tally_format("%s/tallyman.gpkg", folder);
    tally_status s = path ? tally_store_open(path, TALLY_STORE_READ, &store, err)
                          : tally_nomem(err, "a file's name");
    if (s == TALLY_OK) s = tally_store_read(store, &records, err);
    if (s == TALLY_OK) text_of(&t, records);
    if (s == TALLY_OK && t.failed) s = tally_nomem(err, folder);
    if (s != TALLY_OK) tally_text_fini(&t);
    tally_records_destroy(&records);
    tally_store_close(&store);
    tally_free(path);
    return t.bytes;
}
