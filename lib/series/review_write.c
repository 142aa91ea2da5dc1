/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reviews as a table, and the table to be filled in. Both have the columns that review_read.c
 * takes. */
#include <math.h>
#include <string.h>

#include "series/review.h"

static const char columns[] = "action,class,zone,scene,datetime,detection,count,who,why,when,"
                              "longitude,latitude,wkt";

static void fields(tally_text *t, const char *const *texts, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (i) tally_text_bytes(t, ",", 1);
        tally_text_csv(t, texts[i]);
    }
}

static void number(tally_text *t, double value, int decimals)
{
    tally_text_bytes(t, ",", 1);
    tally_text_number(t, value, decimals);
}

static void outline(tally_text *t, double (*ring)[2], size_t n)
{
    if (n == 0) return;
    tally_text_add(t, "\"POLYGON ((");
    for (size_t i = 0; i <= n; i++) {
        tally_text_add(t, "%s", i ? ", " : "");
        tally_text_number(t, ring[i % n][0], 9);
        tally_text_bytes(t, " ", 1);
        tally_text_number(t, ring[i % n][1], 9);
    }
    tally_text_add(t, "))\"");
}

static char *text_or_null(tally_text *t)
{
    if (t->failed) tally_text_fini(t);
    return t->bytes;
}

char *tally_reviews_csv(const tally_records *r)
{
    tally_text t = { 0 };
    tally_text_add(&t, "%s,state\n", columns);
    for (size_t i = 0; i < r->n_reviews; i++) {
        const tally_review *v = &r->reviews[i];
        const char *const before[] = { v->action, v->class_,   v->zone,
                                       v->scene,  v->datetime, v->detection };
        const char *const after[] = { v->who, v->why, v->when };
        fields(&t, before, sizeof before / sizeof *before);
        number(&t, v->count == TALLY_NO_COUNT ? NAN : (double)v->count, 0);
        tally_text_bytes(&t, ",", 1);
        fields(&t, after, sizeof after / sizeof *after);
        number(&t, v->longitude, 9);
        number(&t, v->latitude, 9);
        tally_text_bytes(&t, ",", 1);
        outline(&t, v->ring, v->n_ring);
        tally_text_bytes(&t, ",", 1);
        tally_text_csv(&t, *v->problem ? v->problem : "used");
        tally_text_bytes(&t, "\n", 1);
    }
    return text_or_null(&t);
}

/* What one would look at first: scenes that stand out, the latest and the highest of the class. */
static bool is_to_be_reviewed(const tally_records *r, const tally_observation *o)
{
    const tally_observation *latest = NULL, *most = NULL;
    for (size_t i = 0; i < r->n_spikes; i++)
        if (r->spikes[i].class_ == o->class_ && strcmp(r->spikes[i].scene, o->scene) == 0)
            return true;
    for (size_t i = 0; i < r->n_observations; i++) {
        const tally_observation *p = &r->observations[i];
        if (p->class_ != o->class_ || strcmp(p->zone, "*") != 0 || p->count == TALLY_NO_COUNT)
            continue;
        latest = p;
        if (!most || p->estimate > most->estimate) most = p;
    }
    return (latest && latest->scene == o->scene) || (most && most->scene == o->scene);
}

static bool is_reviewed(const tally_records *r, const tally_observation *o, const char *detection)
{
    for (size_t i = 0; i < r->n_reviews; i++) {
        const tally_review *v = &r->reviews[i];
        if (strcmp(v->detection, detection) == 0 && strcmp(v->action, "add") != 0 &&
            strcmp(v->class_, tally_class_name(o->class_)) == 0 &&
            strcmp(v->scene, o->scene) == 0 && strcmp(v->zone, o->zone) == 0)
            return true;
    }
    return false;
}

static void blank_row(tally_text *t, const tally_observation *o, const char *detection,
                      double count, double low, double high)
{
    char stamp[24];
    tally_utc_format(o->utc, stamp);
    const char *const texts[] = { "",       tally_class_name(o->class_), o->zone, o->scene, stamp,
                                  detection };
    fields(t, texts, sizeof texts / sizeof *texts);
    tally_text_add(t, ",,,,,,,");
    number(t, count, 0);
    number(t, low, 2);
    number(t, high, 2);
    tally_text_bytes(t, "\n", 1);
}

char *tally_review_template_csv(const tally_records *r)
{
    tally_text t = { 0 };
    tally_text_add(&t, "%s,machine,machine_low,machine_high\n", columns);
    for (size_t i = 0; i < r->n_observations; i++) {
        const tally_observation *o = &r->observations[i];
        if (strcmp(o->zone, "*") == 0 || !is_to_be_reviewed(r, o)) continue;
        if (!is_reviewed(r, o, ""))
            blank_row(&t, o, "", o->count == TALLY_NO_COUNT ? NAN : (double)o->count, o->low,
                      o->high);
        for (size_t k = 0; k < r->n_detections; k++) {
            const tally_detection *d = &r->detections[k];
            if (d->class_ == o->class_ && d->scene == o->scene && d->zone == o->zone &&
                !is_reviewed(r, o, d->id))
                blank_row(&t, o, d->id, (double)d->count, NAN, NAN);
        }
    }
    return text_or_null(&t);
}
