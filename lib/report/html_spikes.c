/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What stands out: the sentence an analyst would say, and the pictures that show why. */
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/html.h"

#define PICTURE_LIMIT ((size_t)16 << 20) /* bytes of one picture that is put into the page */
#define CAPTION_LIMIT ((size_t)4 << 10)
#define PAGE_LIMIT    ((size_t)64 << 20) /* of the whole page: browsers grow slow beyond */

static void say_kind(tally_text *out, const tally_spike *s)
{
    static const char *const kinds[][2] = { { "spike", "far above what is usual" },
                                            { "drop", "far below what is usual" },
                                            { "record", "a record" },
                                            { "level_shift", "the start of a new level" } };
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
        if (!strcmp(s->kind, kinds[i][0])) {
            tally_text_add(out, "%s", kinds[i][1]);
            return;
        }
    tally_html_text(out, s->kind);
}

/* "highest of 14 images since 2023-01-20", or since the last date that was as high. */
static void say_record(tally_text *out, const tally_spike *s)
{
    if (!strcmp(s->kind, "drop")) return;
    if (s->record_since != TALLY_NO_TIME) {
        tally_text_add(out, ", highest since ");
        tally_html_date(out, s->record_since);
    } else if (s->n_seen > 0) {
        tally_text_add(out, ", highest of %d images", s->n_seen);
        if (s->series_since != TALLY_NO_TIME) {
            tally_text_add(out, " since ");
            tally_html_date(out, s->series_since);
        }
    }
    if (isfinite(s->previous_record)) {
        tally_text_add(out, " (before: ");
        tally_html_count(out, s->previous_record);
        tally_text_add(out, ")");
    }
}

static void say(tally_text *out, const tally_spike *s)
{
    tally_text_add(out, "<b>");
    tally_html_count(out, s->count);
    tally_text_add(out, " %s</b>", tally_html_noun_of(s->class_, s->count));
    if (isfinite(s->count_low) && isfinite(s->count_high)) {
        tally_text_add(out, " (");
        tally_html_count(out, s->count_low);
        tally_text_add(out, " to ");
        tally_html_count(out, s->count_high);
        tally_text_add(out, ")");
    }
    tally_text_add(out, ": ");
    say_kind(out, s);
    say_record(out, s);
    if (isfinite(s->expected)) {
        tally_text_add(out, "; usual then: ");
        tally_html_count(out, s->expected);
        tally_text_add(out, " (");
        tally_html_count(out, s->low);
        tally_text_add(out, " to ");
        tally_html_count(out, s->high);
        tally_text_add(out, ")");
    }
    tally_text_add(out, ".");
}

/* The names of the pictures of a run, in order. */
typedef struct names {
    char **list;
    size_t n;
} names;

static void names_fini(names *a)
{
    for (size_t i = 0; i < a->n; i++)
        tally_free(a->list[i]);
    tally_free(a->list);
    *a = (names) { 0 };
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool add_name(names *a, const char *name)
{
    if ((a->n & (a->n - 1)) == 0) { /* a power of two: full */
        char **more = tally_realloc(a->list, a->n ? a->n * 2 : 1, sizeof *more);
        if (!more) return false;
        a->list = more;
    }
    a->list[a->n] = tally_strdup(name);
    return a->list[a->n] && ++a->n;
}

/* A folder that is not there has no pictures. */
static tally_status list_pictures(const char *folder, const char *prefix, names *out,
                                  tally_error *err)
{
    char *path = tally_format("%s/pictures", folder);
    DIR *dir = path ? opendir(path) : NULL;
    bool memory = path != NULL;

    *out = (names) { 0 };
    for (struct dirent *e; memory && dir && (e = readdir(dir));) {
        const size_t n = strlen(e->d_name);
        if (n > 4 && !strcmp(e->d_name + n - 4, ".png") &&
            !strncmp(e->d_name, prefix, strlen(prefix)))
            memory = add_name(out, e->d_name);
    }
    if (dir) closedir(dir);
    tally_free(path);
    if (memory) {
        if (out->n > 1) qsort(out->list, out->n, sizeof *out->list, by_name);
        return TALLY_OK;
    }
    names_fini(out);
    return tally_nomem(err, "the pictures of a report");
}

/* As the main job names its pictures: a scene's id with all but letters, digits, `-_.` replaced. */
static char *picture_prefix(tally_class c, const char *scene)
{
    char *prefix = tally_format("%s_%s_", tally_class_name(c), scene);
    const size_t start = strlen(tally_class_name(c)) + 1;

    if (!prefix) return NULL;
    for (char *p = prefix + start; *p; p++) {
        const bool plain = (*p >= '0' && *p <= '9') || (*p >= 'A' && *p <= 'Z') ||
                           (*p >= 'a' && *p <= 'z') || *p == '-' || *p == '_' || *p == '.';
        if (!plain || (p == prefix + start && *p == '.')) *p = '_';
    }
    return prefix;
}

/* The line that the main job left beside the picture; else the unit's name. */
static void say_caption(tally_text *out, const char *picture, const char *unit)
{
    char *path = tally_format("%.*s.txt", (int)strlen(picture) - 4, picture), *text = NULL;
    size_t size;
    if (path && tally_file_read(path, CAPTION_LIMIT, &text, &size, NULL) == TALLY_OK)
        tally_html_text(out, text);
    else
        tally_html_text(out, unit);
    tally_free(text);
    tally_free(path);
}

static tally_status show_picture(const tally_context *ctx, tally_text *out, const char *folder,
                                 const char *name, const char *unit, tally_class c,
                                 const char *scene, tally_error *err)
{
    char *path = tally_format("%s/pictures/%s", folder, name), *bytes = NULL;
    size_t size = 0;
    tally_error unread = { 0 };

    if (!path) return tally_nomem(err, "a picture's name");
    if (out->size > PAGE_LIMIT ||
        tally_file_read(path, PICTURE_LIMIT, &bytes, &size, &unread) != TALLY_OK) {
        const bool large = out->size > PAGE_LIMIT;
        const char *why = large ? "the page would grow too large" : "it cannot be read";
        tally_warn(ctx, "%s: not in the report: %s", path, large ? why : unread.message);
        tally_text_add(out, "<p class=\"note\">The picture <code>pictures/");
        tally_html_text(out, name);
        tally_text_add(out, "</code> is not in this page: ");
        tally_text_add(out, "%s.</p>\n", why);
    } else {
        tally_text_add(out, "<figure><img alt=\"%s outlined in ", tally_html_noun(c));
        tally_html_text(out, scene);
        tally_text_add(out, ", and the background\" src=\"data:image/png;base64,");
        tally_html_base64(out, (const unsigned char *)bytes, size);
        tally_text_add(out, "\"><figcaption>");
        say_caption(out, path, unit);
        tally_text_add(out, "</figcaption></figure>\n");
    }
    tally_free(bytes);
    tally_free(path);
    return TALLY_OK;
}

static tally_status show_pictures(const tally_context *ctx, tally_text *out, tally_class c,
                                  const char *scene, const char *folder, tally_error *err)
{
    char *prefix = picture_prefix(c, scene);
    names found = { 0 };
    tally_status status =
        prefix ? list_pictures(folder, prefix, &found, err) : tally_nomem(err, "a picture's name");

    if (found.n) tally_text_add(out, "<div class=\"pictures\">\n");
    for (size_t i = 0; i < found.n && status == TALLY_OK; i++) {
        char *unit = tally_strdup(found.list[i] + strlen(prefix));
        if (!unit) {
            status = tally_nomem(err, "a picture's name");
            break;
        }
        unit[strlen(unit) - 4] = '\0';
        status = show_picture(ctx, out, folder, found.list[i], unit, c, scene, err);
        tally_free(unit);
    }
    if (found.n) tally_text_add(out, "</div>\n");
    if (status == TALLY_OK && found.n == 0)
        tally_text_add(out,
                       "<p class=\"note\">No picture: this date did not stand out when its tiles "
                       "were read; <code>tallyman run --fresh</code> draws it.</p>\n");
    names_fini(&found);
    tally_free(prefix);
    return status;
}

/* What the total did on this date, or else what it was. */
static void say_total(tally_text *out, const tally_records *records, tally_class c,
                      const tally_observation *o)
{
    bool said = false;
    for (size_t i = 0; i < records->n_spikes; i++) {
        const tally_spike *s = &records->spikes[i];
        if (s->class_ != c || strcmp(s->scene, o->scene) != 0 || strcmp(s->zone, "*") != 0)
            continue;
        tally_text_add(out, "<p>");
        say(out, s);
        tally_text_add(out, "</p>\n");
        said = true;
    }
    if (said) return;
    tally_text_add(out, "<p><b>");
    if (o->count == TALLY_NO_COUNT) {
        tally_text_add(out, "Site: %s</b></p>\n", tally_quality_name(o->quality));
        return;
    }
    tally_html_count(out, o->estimate);
    tally_text_add(out, " %s</b> (", tally_html_noun_of(c, o->estimate));
    tally_html_count(out, o->low);
    tally_text_add(out, " to ");
    tally_html_count(out, o->high);
    tally_text_add(out, ")");
    if (o->quality == TALLY_QUALITY_PARTIAL)
        tally_text_add(out, ", %.0f %% of the site seen", 100 * o->seen);
    tally_text_add(out, ".</p>\n");
}

static void say_zones(tally_text *out, const tally_records *records, tally_class c,
                      const char *scene)
{
    bool open = false;
    for (size_t i = 0; i < records->n_spikes; i++) {
        const tally_spike *s = &records->spikes[i];
        if (s->class_ != c || strcmp(s->scene, scene) != 0 || !strcmp(s->zone, "*")) continue;
        tally_text_add(out, "%s<li>", open ? "" : "<ul>");
        open = true;
        tally_html_text(out, s->zone);
        tally_text_add(out, ": ");
        say(out, s);
        tally_text_add(out, "</li>\n");
    }
    if (open) tally_text_add(out, "</ul>\n");
}

static tally_status show_date(const tally_context *ctx, tally_text *out,
                              const tally_records *records, const tally_observation *o,
                              tally_html_place place, const char *folder, tally_error *err)
{
    tally_text_add(out, "<article class=\"%s\" id=\"",
                   place == TALLY_HTML_STANDS_OUT ? "spike" : "date");
    tally_html_anchor(out, records, o->class_, o->scene);
    tally_text_add(out, "\"><h4>");
    tally_html_time(out, o->utc);
    if (place == TALLY_HTML_LATEST || place == TALLY_HTML_MOST)
        tally_text_add(out, ", %s", place == TALLY_HTML_MOST ? "the most" : "the latest");
    tally_text_add(out, " <small>");
    tally_html_text(out, o->scene);
    tally_text_add(out, "</small></h4>");
    say_total(out, records, o->class_, o);
    say_zones(out, records, o->class_, o->scene);
    tally_status s = show_pictures(ctx, out, o->class_, o->scene, folder, err);
    tally_text_add(out, "</article>\n");
    return s;
}

tally_status tally_html_spikes(const tally_context *ctx, tally_text *out,
                               const tally_records *records, tally_class c, const char *folder,
                               tally_error *err)
{
    static const struct {
        tally_html_place from, to;
        const char *head;
    } groups[] = { { TALLY_HTML_STANDS_OUT, TALLY_HTML_STANDS_OUT, "What stands out" },
                   { TALLY_HTML_ZONE_STANDS_OUT, TALLY_HTML_ZONE_STANDS_OUT,
                     "What stands out in single zones" },
                   { TALLY_HTML_MOST, TALLY_HTML_LATEST, "The most, the latest" } };
    tally_html_series total;
    tally_status s = tally_html_select(records, c, "*", &total, err);

    for (size_t g = 0; g < sizeof groups / sizeof *groups && s == TALLY_OK; g++) {
        size_t n = 0;
        for (size_t i = 0; i < total.n && s == TALLY_OK; i++) {
            const tally_html_place place = tally_html_place_of(records, c, total.rows[i]->scene);
            if (place < groups[g].from || place > groups[g].to) continue;
            if (n++ == 0) tally_text_add(out, "<h3>%s</h3>\n", groups[g].head);
            s = show_date(ctx, out, records, total.rows[i], place, folder, err);
        }
        if (n == 0 && g == 0)
            tally_text_add(out, "<p class=\"note\">No date stands out in the site's total.</p>\n");
    }
    tally_free(total.rows);
    return s;
}
