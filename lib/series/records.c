/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tallyman/records.h"

#include <stdlib.h>
#include <string.h>

#include "base/base.h"

static const char *const class_names[TALLY_CLASS_COUNT] = { "railcar", "container_stack",
                                                            "vessel" };
static const char *const class_units[TALLY_CLASS_COUNT] = { "m", "m2", "m" };
static const char *const quality_names[TALLY_QUALITY_COUNT] = { "ok", "partial", "unseen",
                                                                "refused", "rejected" };

const char *tally_class_name(tally_class c)
{
    return (unsigned)c < TALLY_CLASS_COUNT ? class_names[c] : "?";
}
const char *tally_class_unit(tally_class c)
{
    return (unsigned)c < TALLY_CLASS_COUNT ? class_units[c] : "?";
}
const char *tally_quality_name(tally_quality q)
{
    return (unsigned)q < TALLY_QUALITY_COUNT ? quality_names[q] : "?";
}

static int parse_word(const char *const *names, int n, const char *word)
{
    for (int i = 0; i < n; i++)
        if (strcmp(names[i], word) == 0) return i;
    return -1;
}

int tally_class_parse(const char *word)
{
    return parse_word(class_names, TALLY_CLASS_COUNT, word);
}
int tally_quality_parse(const char *word)
{
    return parse_word(quality_names, TALLY_QUALITY_COUNT, word);
}

tally_status tally_records_create(tally_records **out, tally_error *err)
{
    tally_records *r = tally_alloc(1, sizeof *r);
    *out = NULL;
    if (r && !(r->strings = tally_strings_create())) {
        tally_free(r);
        r = NULL;
    }
    if (!r) return tally_nomem(err, "the records");
    *out = r;
    return TALLY_OK;
}

void tally_records_destroy(tally_records **records)
{
    if (!records || !*records) return;
    tally_records *r = *records;
    for (size_t i = 0; i < r->n_detections; i++)
        tally_free(r->detections[i].ring);
    tally_free(r->scenes);
    tally_free(r->observations);
    tally_free(r->detections);
    tally_free(r->spikes);
    tally_free(r->visits);
    tally_strings_destroy(&r->strings);
    tally_free(r);
    *records = NULL;
}

/* Room for one more row; capacity is the next power of two, so it need not be kept. NULL: no
 * memory. */
static void *grow(void **rows, size_t n, size_t size)
{
    if (n < 8 ? n == 0 : (n & (n - 1)) == 0) {
        void *more = tally_realloc(*rows, n < 8 ? 8 : 2 * n, size);
        if (!more) return NULL;
        *rows = more;
    }
    return (char *)*rows + n * size;
}

/* Replace each text by the pool's copy. */
static tally_status intern_all(tally_records *r, const char **const *fields, size_t n,
                               tally_error *err)
{
    for (size_t i = 0; i < n; i++) {
        *fields[i] = tally_intern(r->strings, *fields[i]);
        if (!*fields[i]) return tally_nomem(err, "the records");
    }
    return TALLY_OK;
}

tally_status tally_records_add_scene(tally_records *r, const tally_scene_record *row,
                                     tally_error *err)
{
    tally_scene_record *to = grow((void **)&r->scenes, r->n_scenes, sizeof *to);
    if (!to) return tally_nomem(err, "the records");
    *to = *row;
    const char **const fields[] = { &to->site,   &to->scene,  &to->files,       &to->reason,
                                    &to->family, &to->sensor, &to->time_source, &to->time_precision,
                                    &to->basis,  &to->model };
    tally_status s = intern_all(r, fields, sizeof fields / sizeof *fields, err);
    if (s == TALLY_OK) r->n_scenes++;
    return s;
}

tally_status tally_records_add_observation(tally_records *r, const tally_observation *row,
                                           tally_error *err)
{
    tally_observation *to = grow((void **)&r->observations, r->n_observations, sizeof *to);
    if (!to) return tally_nomem(err, "the records");
    *to = *row;
    const char **const fields[] = { &to->site, &to->zone, &to->scene, &to->reason, &to->family };
    tally_status s = intern_all(r, fields, sizeof fields / sizeof *fields, err);
    if (s == TALLY_OK) r->n_observations++;
    return s;
}

tally_status tally_records_add_detection(tally_records *r, const tally_detection *row,
                                         tally_error *err)
{
    tally_detection *to = grow((void **)&r->detections, r->n_detections, sizeof *to);
    if (!to) return tally_nomem(err, "the records");
    *to = *row;
    const char **const fields[] = { &to->site, &to->zone, &to->scene, &to->type };
    tally_status s = intern_all(r, fields, sizeof fields / sizeof *fields, err);
    if (s != TALLY_OK) return s;
    to->ring = tally_alloc(row->n_ring, sizeof *to->ring);
    if (!to->ring) return tally_nomem(err, "the records");
    if (row->n_ring) memcpy(to->ring, row->ring, row->n_ring * sizeof *to->ring);
    r->n_detections++;
    return TALLY_OK;
}

tally_status tally_records_add_spike(tally_records *r, const tally_spike *row, tally_error *err)
{
    tally_spike *to = grow((void **)&r->spikes, r->n_spikes, sizeof *to);
    if (!to) return tally_nomem(err, "the records");
    *to = *row;
    const char **const fields[] = { &to->site, &to->zone, &to->scene, &to->kind };
    tally_status s = intern_all(r, fields, sizeof fields / sizeof *fields, err);
    if (s == TALLY_OK) r->n_spikes++;
    return s;
}

tally_status tally_records_add_visit(tally_records *r, const tally_visit *row, tally_error *err)
{
    tally_visit *to = grow((void **)&r->visits, r->n_visits, sizeof *to);
    if (!to) return tally_nomem(err, "the records");
    *to = *row;
    const char **const fields[] = { &to->site, &to->zone, &to->visit, &to->scenes, &to->call };
    tally_status s = intern_all(r, fields, sizeof fields / sizeof *fields, err);
    if (s == TALLY_OK) r->n_visits++;
    return s;
}

static int by_time(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}
static int by_number(double a, double b)
{
    return (a > b) - (a < b);
}
static int first_of(int a, int b)
{
    return a ? a : b;
}
/* The site's total stands after its zones. */
static int by_zone(const char *a, const char *b)
{
    int a_total = strcmp(a, "*") == 0, b_total = strcmp(b, "*") == 0;
    return a_total != b_total ? a_total - b_total : strcmp(a, b);
}

static int scene_order(const void *a, const void *b)
{
    const tally_scene_record *x = a, *y = b;
    return first_of(by_time(x->utc, y->utc), strcmp(x->scene, y->scene));
}

static int observation_order(const void *a, const void *b)
{
    const tally_observation *x = a, *y = b;
    int d = by_time(x->utc, y->utc);
    if (!d) d = strcmp(x->scene, y->scene);
    if (!d) d = (int)x->class_ - (int)y->class_;
    return d ? d : by_zone(x->zone, y->zone);
}

static int detection_order(const void *a, const void *b)
{
    const tally_detection *x = a, *y = b;
    int d = by_time(x->utc, y->utc);
    if (!d) d = strcmp(x->scene, y->scene);
    if (!d) d = (int)x->class_ - (int)y->class_;
    if (!d) d = strcmp(x->zone, y->zone);
    for (size_t i = 0; !d && i < x->n_ring && i < y->n_ring; i++)
        d = first_of(by_number(x->ring[i][0], y->ring[i][0]),
                     by_number(x->ring[i][1], y->ring[i][1]));
    return d;
}

static int spike_order(const void *a, const void *b)
{
    const tally_spike *x = a, *y = b;
    int d = by_time(x->utc, y->utc);
    if (!d) d = strcmp(x->scene, y->scene);
    if (!d) d = (int)x->class_ - (int)y->class_;
    if (!d) d = by_zone(x->zone, y->zone);
    return d ? d : strcmp(x->kind, y->kind);
}

static int visit_order(const void *a, const void *b)
{
    const tally_visit *x = a, *y = b;
    int d = by_time(x->first_seen, y->first_seen);
    return d ? d : strcmp(x->visit, y->visit);
}

static void sort_rows(void *rows, size_t n, size_t size, int (*order)(const void *, const void *))
{
    if (n > 1) qsort(rows, n, size, order);
}

void tally_records_sort(tally_records *r)
{
    sort_rows(r->scenes, r->n_scenes, sizeof *r->scenes, scene_order);
    sort_rows(r->observations, r->n_observations, sizeof *r->observations, observation_order);
    sort_rows(r->detections, r->n_detections, sizeof *r->detections, detection_order);
    sort_rows(r->spikes, r->n_spikes, sizeof *r->spikes, spike_order);
    sort_rows(r->visits, r->n_visits, sizeof *r->visits, visit_order);
}
