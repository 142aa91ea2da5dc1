/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * A catalogue of rail vehicles, read from CSV (RFC 4180: fields may be quoted).
 *
 * The file may be anybody's: sizes that no rail vehicle has, weights that are no shares, names that
 * would upset a table or a map are refused, each with its line. What is not needed may be left out;
 * columns that are not known are passed over, so that a table can carry notes.
 */
#include "count/rail_catalogue.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Of any rail vehicle: a two-axle wagon is 8 m, a unit of articulated ones 27 m, the longest flat
 * 37 m. */
static const double SHORTEST_M = 6, LONGEST_M = 40;
static const double NARROWEST_M = 1.5, WIDEST_M = 4.5, LOWEST_M = 0.5, HIGHEST_M = 7;
static const double USUAL_WIDTH_M = 3.1, USUAL_HEIGHT_M = 3.8;
static const double MOST_WEIGHT = 1e6;
enum { MOST_KINDS = 256, MOST_BYTES = 1 << 20, FIELD = 256, MOST_FIELDS = 64 };

typedef enum column { FLEET, TYPE, NAME, LENGTH, WIDTH, HEIGHT, KIND, WEIGHT, N_COLUMNS } column;
static const char *const column_names[N_COLUMNS] = {
    [FLEET] = "fleet",   [TYPE] = "type",
    [NAME] = "name",     [LENGTH] = "length_over_couplers_m",
    [WIDTH] = "width_m", [HEIGHT] = "height_m",
    [KIND] = "kind",     [WEIGHT] = "weight",
};

typedef struct reader {
    const char *at, *end, *name;
    int line;
    int where[N_COLUMNS]; /* field of the line; -1: not there */
    char fields[MOST_FIELDS][FIELD];
    int n_fields;
} reader;

static tally_status bad(const reader *r, tally_error *err, const char *what)
{
    return tally_fail(err, TALLY_E_FORMAT, "%s: line %d: %s; docs/files.md tells the columns",
                      r->name, r->line, what);
}

/* One field; true: another follows on this line. A field that is too long is cut: only the source,
 * which is not kept, may be so long. */
static bool read_field(reader *r, char out[FIELD])
{
    size_t n = 0;
    bool quoted = r->at < r->end && *r->at == '"';
    if (quoted) r->at++;
    for (; r->at < r->end; r->at++) {
        char c = *r->at;
        if (quoted && c == '"') {
            if (r->at + 1 < r->end && r->at[1] == '"') {
                r->at++;
            } else {
                quoted = false;
                continue;
            }
        } else if (!quoted && (c == ',' || c == '\n')) {
            break;
        }
        if (c == '\r') continue;
        if (n + 1 < FIELD) out[n++] = c;
    }
    while (n > 0 && (out[n - 1] == ' ' || out[n - 1] == '\t'))
        n--;
    out[n] = '\0';
    bool more = r->at < r->end && *r->at == ',';
    if (r->at < r->end) r->at++;
    return more;
}

/* False: too many fields. */
static bool read_line(reader *r)
{
    bool more = true;
    r->line++;
    for (r->n_fields = 0; more && r->n_fields < MOST_FIELDS; r->n_fields++)
        more = read_field(r, r->fields[r->n_fields]);
    return !more;
}

static bool is_blank(const reader *r)
{
    return r->fields[0][0] == '#' || (r->n_fields == 1 && r->fields[0][0] == '\0');
}

static tally_status read_head(reader *r, tally_error *err)
{
    do {
        if (r->at >= r->end) return bad(r, err, "no head line");
        if (!read_line(r)) return bad(r, err, "more than 64 columns");
    } while (is_blank(r));
    for (int c = 0; c < N_COLUMNS; c++) {
        r->where[c] = -1;
        for (int i = 0; i < r->n_fields; i++) {
            if (strcmp(r->fields[i], column_names[c]) != 0) continue;
            if (r->where[c] >= 0) return bad(r, err, "a column stands twice in the head line");
            r->where[c] = i;
        }
    }
    static const column needed[] = { TYPE, LENGTH, KIND };
    for (size_t i = 0; i < sizeof needed / sizeof *needed; i++)
        if (r->where[needed[i]] < 0)
            return tally_fail(err, TALLY_E_FORMAT,
                              "%s: line %d: no column `%s`; docs/files.md tells the columns",
                              r->name, r->line, column_names[needed[i]]);
    return TALLY_OK;
}

static const char *text_of(const reader *r, column c)
{
    return r->where[c] >= 0 && r->where[c] < r->n_fields ? r->fields[r->where[c]] : "";
}

static tally_status number_of(const reader *r, column c, double usual, double least, double most,
                              double *out, tally_error *err)
{
    const char *text = text_of(r, c);
    char *end;
    *out = usual;
    if (!*text && isfinite(usual)) return TALLY_OK;
    *out = strtod(text, &end);
    if (end == text || *end || !(*out >= least && *out <= most))
        return tally_fail(err, TALLY_E_FORMAT,
                          "%s: line %d: %s `%.40s`: wants a number from %g to %g", r->name, r->line,
                          column_names[c], text, least, most);
    return TALLY_OK;
}

/* Words go into tables and maps: no control characters, not longer than there is room. */
static tally_status word_of(const reader *r, column c, char *out, size_t room, tally_error *err)
{
    const char *text = text_of(r, c);
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p < 32 || *p == 127)
            return tally_fail(err, TALLY_E_FORMAT,
                              "%s: line %d: %s: holds a control character; take it out", r->name,
                              r->line, column_names[c]);
    if (strlen(text) >= room)
        return tally_fail(err, TALLY_E_FORMAT, "%s: line %d: %s: longer than %zu bytes; shorten it",
                          r->name, r->line, column_names[c], room - 1);
    strcpy(out, text);
    return TALLY_OK;
}

static tally_status fleet_of(const reader *r, tally_rail_catalogue *c, int *out, tally_error *err)
{
    char name[sizeof c->fleets[0]];
    tally_status s = word_of(r, FLEET, name, sizeof name, err);
    if (s != TALLY_OK) return s;
    for (*out = 0; *out < c->n_fleets; (*out)++)
        if (strcmp(c->fleets[*out], name) == 0) return TALLY_OK;
    if (c->n_fleets == TALLY_FLEETS_MAX) return bad(r, err, "more than 8 fleets");
    strcpy(c->fleets[c->n_fleets++], name);
    return TALLY_OK;
}

static tally_status read_kind(const reader *r, tally_rail_catalogue *c, tally_error *err)
{
    tally_car_kind k = { 0 };
    const char *kind = text_of(r, KIND);
    tally_status s = word_of(r, TYPE, k.type, sizeof k.type, err);
    if (s == TALLY_OK) s = word_of(r, NAME, k.name, sizeof k.name, err);
    if (s == TALLY_OK) s = number_of(r, LENGTH, NAN, SHORTEST_M, LONGEST_M, &k.length_m, err);
    if (s == TALLY_OK)
        s = number_of(r, WIDTH, USUAL_WIDTH_M, NARROWEST_M, WIDEST_M, &k.width_m, err);
    if (s == TALLY_OK)
        s = number_of(r, HEIGHT, USUAL_HEIGHT_M, LOWEST_M, HIGHEST_M, &k.height_m, err);
    if (s == TALLY_OK) s = number_of(r, WEIGHT, 1, 1e-6, MOST_WEIGHT, &k.weight, err);
    if (s == TALLY_OK) s = fleet_of(r, c, &k.fleet, err);
    if (s != TALLY_OK) return s;
    if (!*k.type) return bad(r, err, "no type");
    k.locomotive = strcmp(kind, "locomotive") == 0;
    if (!k.locomotive && strcmp(kind, "wagon") != 0)
        return bad(r, err, "kind is neither `wagon` nor `locomotive`");
    if (c->n == MOST_KINDS) return bad(r, err, "more than 256 kinds");
    c->kinds[c->n++] = k;
    return TALLY_OK;
}

static void share_out(tally_rail_catalogue *c)
{
    double sums[TALLY_FLEETS_MAX] = { 0 };
    for (size_t i = 0; i < c->n; i++)
        sums[c->kinds[i].fleet] += c->kinds[i].weight;
    for (size_t i = 0; i < c->n; i++)
        c->kinds[i].weight /= sums[c->kinds[i].fleet];
}

tally_status tally_rail_catalogue_parse(const char *text, size_t size, const char *name,
                                        tally_rail_catalogue **out, tally_error *err)
{
    *out = NULL;
    if (size > MOST_BYTES || memchr(text, '\0', size))
        return tally_fail(err, TALLY_E_FORMAT,
                          "%s: is no table of wagons; share/wagons.csv shows what one looks like",
                          name);
    reader *r = tally_alloc(1, sizeof *r);
    tally_rail_catalogue *c = tally_alloc(1, sizeof *c);
    if (c) c->kinds = tally_alloc(MOST_KINDS, sizeof *c->kinds);
    tally_status s = r && c && c->kinds ? TALLY_OK : tally_nomem(err, name);
    if (s == TALLY_OK) {
        *r = (reader) { .at = text, .end = text + size, .name = name };
        if (size >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) r->at += 3;
        s = read_head(r, err);
    }
    while (s == TALLY_OK && r->at < r->end) {
        if (!read_line(r))
            s = bad(r, err, "more than 64 columns");
        else if (!is_blank(r))
            s = read_kind(r, c, err);
    }
    if (s == TALLY_OK && c->n == 0) s = bad(r, err, "no kind of wagon is listed");
    if (s == TALLY_OK) {
        share_out(c);
        tally_sha256(text, size, c->sha256);
        *out = c;
        c = NULL;
    }
    tally_rail_catalogue_destroy(&c);
    tally_free(r);
    return s;
}

tally_status tally_rail_catalogue_read(const char *path, tally_rail_catalogue **out,
                                       tally_error *err)
{
    char *text = NULL;
    size_t size = 0;
    *out = NULL;
    if (!path)
        return tally_rail_catalogue_parse(tally_wagons_csv, tally_wagons_csv_size,
                                          "the built-in catalogue", out, err);
    tally_status s = tally_file_read(path, MOST_BYTES, &text, &size, err);
    if (s == TALLY_OK) s = tally_rail_catalogue_parse(text, size, path, out, err);
    tally_free(text);
    return s;
}

void tally_rail_catalogue_destroy(tally_rail_catalogue **catalogue)
{
    if (!catalogue || !*catalogue) return;
    tally_free((*catalogue)->kinds);
    tally_free(*catalogue);
    *catalogue = NULL;
}

double tally_rail_catalogue_pitch(const tally_rail_catalogue *c, int fleet)
{
    double sum = 0;
    for (size_t i = 0; i < c->n; i++)
        if (c->kinds[i].fleet == fleet) sum += c->kinds[i].weight * c->kinds[i].length_m;
    return sum;
}
