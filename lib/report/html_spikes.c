/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What stands out: the sentence an analyst would say, and the pictures that show why. */
#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "report/html.h"

#define PICTURE_LIMIT ((size_t)16 << 20) /* bytes of one picture that is put into the page */
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
        tally_html_number(out, s->previous_record, 1);
        tally_text_add(out, ")");
    }
}

static void say(tally_text *out, const tally_spike *s)
{
    tally_text_add(out, "<b>");
    tally_html_number(out, s->count, 1);
    tally_text_add(out, " %s</b>", tally_html_noun(s->class_));
    if (isfinite(s->count_low) && isfinite(s->count_high)) {
        tally_text_add(out, " (");
        tally_html_number(out, s->count_low, 1);
        tally_text_add(out, " to ");
        tally_html_number(out, s->count_high, 1);
        tally_text_add(out, ")");
    }
    tally_text_add(out, ": ");
    say_kind(out, s);
    say_record(out, s);
    if (isfinite(s->expected)) {
        tally_text_add(out, "; usual then: ");
        tally_html_number(out, s->expected, 1);
        tally_text_add(out, " (");
        tally_html_number(out, s->low, 1);
        tally_text_add(out, " to ");
        tally_html_number(out, s->high, 1);
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

static tally_status show_picture(const tally_context *ctx, tally_text *out, const char *folder,
                                 const char *name, const char *unit, const tally_spike *s,
                                 tally_error *err)
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
        tally_text_add(out, "<figure><img alt=\"");
        tally_html_text(out, s->scene);
        tally_text_add(out, "\" src=\"data:image/png;base64,");
        tally_html_base64(out, (const unsigned char *)bytes, size);
        tally_text_add(out, "\"><figcaption>");
        tally_html_text(out, unit);
        tally_text_add(out, "</figcaption></figure>\n");
    }
    tally_free(bytes);
    tally_free(path);
    return TALLY_OK;
}

static tally_status show_pictures(const tally_context *ctx, tally_text *out, const tally_spike *s,
                                  const char *folder, tally_error *err)
{
    char *prefix = picture_prefix(s->class_, s->scene);
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
        status = show_picture(ctx, out, folder, found.list[i], unit, s, err);
        tally_free(unit);
    }
    if (found.n) tally_text_add(out, "</div>\n");
    names_fini(&found);
    tally_free(prefix);
    return status;
}

tally_status tally_html_spikes(const tally_context *ctx, tally_text *out,
                               const tally_records *records, tally_class c, const char *folder,
                               tally_error *err)
{
    size_t n = 0, n_zones = 0;
    tally_status status = TALLY_OK;

    for (size_t i = 0; i < records->n_spikes && status == TALLY_OK; i++) {
        const tally_spike *s = &records->spikes[i];
        if (s->class_ != c) continue;
        if (strcmp(s->zone, "*") != 0) {
            n_zones++;
            continue;
        }
        if (n++ == 0) tally_text_add(out, "<h3>What stands out</h3>\n");
        tally_text_add(out, "<article class=\"spike\"><h4>");
        tally_html_time(out, s->utc);
        tally_text_add(out, " <small>");
        tally_html_text(out, s->scene);
        tally_text_add(out, "</small></h4><p>");
        say(out, s);
        tally_text_add(out, "</p>\n");
        status = show_pictures(ctx, out, s, folder, err);
        tally_text_add(out, "</article>\n");
    }
    if (n == 0) tally_text_add(out, "<p class=\"note\">No date stands out.</p>\n");
    if (n_zones == 0 || status != TALLY_OK) return status;
    tally_text_add(out, "<details><summary>In single zones: %zu</summary><ul>\n", n_zones);
    for (size_t i = 0; i < records->n_spikes; i++) {
        const tally_spike *s = &records->spikes[i];
        if (s->class_ != c || !strcmp(s->zone, "*")) continue;
        tally_text_add(out, "<li>");
        tally_html_time(out, s->utc);
        tally_text_add(out, ", ");
        tally_html_text(out, s->zone);
        tally_text_add(out, ": ");
        say(out, s);
        tally_text_add(out, "</li>\n");
    }
    tally_text_add(out, "</ul></details>\n");
    return TALLY_OK;
}
