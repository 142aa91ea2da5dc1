/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "tallyman/records.h"

#include <math.h>
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

static const char *const action_names[TALLY_ACTION_COUNT] = { "accept", "reject", "add",
                                                              "correct" };
static const char *const counts_names[TALLY_COUNTS_COUNT] = { "machine", "reviewed" };

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

const char *tally_action_name(tally_action a)
{
    return (unsigned)a < TALLY_ACTION_COUNT ? action_names[a] : "?";
}
int tally_action_parse(const char *word)
{
    return parse_word(action_names, TALLY_ACTION_COUNT, word);
}
const char *tally_counts_name(tally_counts c)
{
    return (unsigned)c < TALLY_COUNTS_COUNT ? counts_names[c] : "?";
}
int tally_counts_parse(const char *word)
{
    return parse_word(counts_names, TALLY_COUNTS_COUNT, word);
}

/* Outlines are rounded to about a centimetre, as no file of ours keeps more that matters. */
void tally_detection_id(const tally_detection *d, char out[TALLY_ID_SIZE])
{
    tally_text text = { 0 };
    char sha256[65];
    tally_text_add(&text, "%s\n%s\n%s\n%lld\n", d->scene, tally_class_name(d->class_), d->zone,
                   (long long)d->count);
    for (size_t i = 0; i < d->n_ring; i++) {
        tally_text_number(&text, d->ring[i][0], 7);
        tally_text_bytes(&text, " ", 1);
        tally_text_number(&text, d->ring[i][1], 7);
        tally_text_bytes(&text, "\n", 1);
    }
    out[0] = '\0';
    if (!text.failed) {
        tally_sha256(text.bytes, text.size, sha256);
        memcpy(out, sha256, TALLY_ID_SIZE - 1);
        out[TALLY_ID_SIZE - 1] = '\0';
    }
    tally_text_fini(&text);
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
    for (size_t i = 0; i < r->n_reviews; i++)
        tally_free(r->reviews[i].ring);
    tally_free(r->reviews);
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
    if (!to->containers_basis) to->containers_basis = "";
    if (!*to->containers_basis) to->containers = to->containers_low = to->containers_high = NAN;
    const char **const fields[] = { &to->site,   &to->zone,   &to->scene,
                                    &to->reason, &to->family, &to->containers_basis };
    tally_status s = intern_all(r, fields, sizeof fields / sizeof *fields, err);
    if (s == TALLY_OK) r->n_observations++;
    return s;
}

static tally_status copy_ring(double (**to)[2], double (*from)[2], size_t n, tally_error *err)
{
    *to = tally_alloc(n, sizeof **to);
    if (!*to) return tally_nomem(err, "the records");
    if (n) memcpy(*to, from, n * sizeof **to);
    return TALLY_OK;
}

tally_status tally_records_add_detection(tally_records *r, const tally_detection *row,
                                         tally_error *err)
{
    tally_detection *to = grow((void **)&r->detections, r->n_detections, sizeof *to);
    if (!to) return tally_nomem(err, "the records");
    *to = *row;
    char id[TALLY_ID_SIZE];
    if (!row->id || !*row->id) {
        tally_detection_id(row, id);
        to->id = id;
    }
    if (!to->cars) to->cars = "";
    const char **const fields[] = {
        &to->site, &to->zone, &to->scene, &to->type, &to->id, &to->cars
    };
    tally_status s = intern_all(r, fields, sizeof fields / sizeof *fields, err);
    if (s == TALLY_OK) s = copy_ring(&to->ring, row->ring, row->n_ring, err);
    if (s == TALLY_OK) r->n_detections++;
    return s;
}

tally_status tally_records_add_review(tally_records *r, const tally_review *row, tally_error *err)
{
    tally_review *to = grow((void **)&r->reviews, r->n_reviews, sizeof *to);
    if (!to) return tally_nomem(err, "the records");
    *to = *row;
    const char **const fields[] = { &to->action,    &to->class_, &to->zone, &to->scene,
                                    &to->datetime,  &to->who,    &to->why,  &to->when,
                                    &to->detection, &to->problem };
    tally_status s = intern_all(r, fields, sizeof fields / sizeof *fields, err);
    if (s == TALLY_OK) s = copy_ring(&to->ring, row->ring, row->n_ring, err);
    if (s == TALLY_OK) r->n_reviews++;
    return s;
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
