/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Reviews laid over the machine's counts.
 *
 * Of several reviews of one thing (a detection, or a zone in a scene as a whole) the latest by
 * `when` holds, the later row where they are of one time. A zone that was corrected has that count,
 * low = high = count. Else what was rejected, corrected or added in it is taken from or added to
 * count, estimate and interval, which keeps its width: looking again at one thing tells nothing
 * new about the others. Where the machine gave no count there is nothing to add to: only a
 * corrected count makes such a zone known.
 *
 * The total of the site is the sum of its zones, its interval made from theirs as the machine makes
 * it (base/spread.h). What the machine scaled up to zones that it did not see shrinks with the
 * number of those zones, whose sizes the records do not hold. A total that was corrected itself
 * stands as it was given.
 */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/geometry.h"
#include "base/spread.h"
#include "series/review.h"

typedef struct change {
    int64_t by; /* what detections and additions change the count by */
    bool is_changed;
    bool is_summed; /* a total, which was made anew from its zones */
    size_t verdict; /* the review of the zone as a whole; TALLY_NONE: none */
} change;

typedef struct apply_job {
    tally_records *r;
    tally_review_target *targets; /* by review; unset where the review has a problem */
    size_t *order;                /* reviews that can be used, by time */
    size_t n;
    size_t *on_detection; /* by detection: the review that holds */
    change *zones;        /* by observation */
} apply_job;

static tally_status set_problem(tally_records *r, size_t i, const char *why, tally_error *err)
{
    const char *kept = tally_intern(r->strings, why);
    if (!kept) return tally_nomem(err, "the reviews");
    r->reviews[i].problem = kept;
    return TALLY_OK;
}

/* Insertion keeps the order of entry where times are equal; reviews are few. */
static void put_in_order(apply_job *job, size_t review)
{
    size_t at = job->n++;
    for (; at > 0 && job->targets[job->order[at - 1]].when > job->targets[review].when; at--)
        job->order[at] = job->order[at - 1];
    job->order[at] = review;
}

static tally_status understand(apply_job *job, tally_error *err)
{
    for (size_t i = 0; i < job->r->n_reviews; i++) {
        char why[TALLY_WHY_SIZE];
        const bool good = tally_review_check(job->r, &job->r->reviews[i], &job->targets[i], why);
        tally_status s = set_problem(job->r, i, why, err);
        if (s != TALLY_OK) return s;
        if (good) put_in_order(job, i);
    }
    return TALLY_OK;
}

static tally_status supersede(apply_job *job, size_t *held_by, size_t review, tally_error *err)
{
    const size_t before = *held_by;
    *held_by = review;
    if (before == TALLY_NONE) return TALLY_OK;
    char *why = tally_format(TALLY_LATER_HOLDS ", by %.100s", job->r->reviews[review].who);
    tally_status s = why ? set_problem(job->r, before, why, err) : tally_nomem(err, "the reviews");
    tally_free(why);
    return s;
}

static tally_status find_verdicts(apply_job *job, tally_error *err)
{
    tally_status s = TALLY_OK;
    for (size_t k = 0; k < job->n && s == TALLY_OK; k++) {
        const tally_review_target *t = &job->targets[job->order[k]];
        if (t->detection != TALLY_NONE)
            s = supersede(job, &job->on_detection[t->detection], job->order[k], err);
        else if (t->action != TALLY_ADD)
            s = supersede(job, &job->zones[t->observation].verdict, job->order[k], err);
    }
    return s;
}

static int64_t change_by(const apply_job *job, size_t review)
{
    const tally_review_target *t = &job->targets[review];
    const int64_t count = job->r->reviews[review].count;
    const int64_t found = t->detection == TALLY_NONE ? 0 : job->r->detections[t->detection].count;
    switch (t->action) {
    case TALLY_ADD:
        return count == TALLY_NO_COUNT ? 1 : count;
    case TALLY_REJECT:
        return -found;
    case TALLY_CORRECT:
        return count - found;
    default:
        return 0;
    }
}

static bool is_corrected(const apply_job *job, size_t observation)
{
    const size_t v = job->zones[observation].verdict;
    return v != TALLY_NONE && job->targets[v].action == TALLY_CORRECT;
}

/* Single things, as far as the zone's count is not given as a whole. */
static tally_status sum_changes(apply_job *job, tally_error *err)
{
    for (size_t k = 0; k < job->n; k++) {
        const size_t i = job->order[k];
        const tally_review_target *t = &job->targets[i];
        if (*job->r->reviews[i].problem) continue;
        if (t->detection == TALLY_NONE && t->action != TALLY_ADD) continue;
        const char *why = "";
        if (is_corrected(job, t->observation))
            why = "the zone's count was corrected as a whole";
        else if (job->r->observations[t->observation].count == TALLY_NO_COUNT)
            why = "the zone has no count in this scene; give it one with correct";
        if (*why) {
            tally_status s = set_problem(job->r, i, why, err);
            if (s != TALLY_OK) return s;
            continue;
        }
        job->zones[t->observation].by += change_by(job, i);
        job->zones[t->observation].is_changed = true;
    }
    return TALLY_OK;
}

static void keep_machine(tally_observation *o)
{
    o->reviewed = (tally_reviewed) { .touched = 1,
                                     .quality = o->quality,
                                     .count = o->count,
                                     .low = o->low,
                                     .high = o->high,
                                     .estimate = o->estimate,
                                     .reason = o->reason,
                                     .action = "",
                                     .who = "",
                                     .why = "",
                                     .when = TALLY_NO_TIME };
}

/* A count that somebody gave is known, whatever the pixels showed. */
static void set_count(tally_observation *o, int64_t count)
{
    o->count = count;
    o->low = o->high = o->estimate = (double)count;
    o->quality = TALLY_QUALITY_OK;
}

static void shift_count(tally_observation *o, int64_t by)
{
    o->count = o->count + by > 0 ? o->count + by : 0;
    o->estimate = fmax(0, o->estimate + (double)by);
    o->low = fmax(0, o->low + (double)by);
    o->high = fmax(o->estimate, o->high + (double)by);
}

static void change_zones(apply_job *job)
{
    for (size_t i = 0; i < job->r->n_observations; i++) {
        tally_observation *o = &job->r->observations[i];
        const change *c = &job->zones[i];
        if (c->verdict == TALLY_NONE && !c->is_changed) continue;
        keep_machine(o);
        if (is_corrected(job, i))
            set_count(o, job->r->reviews[c->verdict].count);
        else if (c->by != 0)
            shift_count(o, c->by);
    }
}

/* What the zones of one class and scene came to, before and after. */
typedef struct sums {
    int64_t count;
    double estimate, machine_estimate, seen;
    size_t n, n_counted, n_machine, n_refused;
    tally_spread below, above;
} sums;

static sums sum_zones(const tally_records *r, const tally_observation *total)
{
    sums t = { 0 };
    for (size_t i = 0; i < r->n_observations; i++) {
        const tally_observation *o = &r->observations[i];
        if (o->class_ != total->class_ || o->scene != total->scene || !strcmp(o->zone, "*"))
            continue;
        const bool touched = o->reviewed.touched;
        const bool given = touched && o->quality == TALLY_QUALITY_OK && o->low == o->high;
        const int64_t machine = touched ? o->reviewed.count : o->count;
        t.n++;
        t.seen += given ? 1 : isfinite(o->seen) ? o->seen : 0;
        t.n_refused += o->quality == TALLY_QUALITY_REFUSED;
        if (machine != TALLY_NO_COUNT) {
            t.n_machine++;
            t.machine_estimate += touched ? o->reviewed.estimate : o->estimate;
        }
        if (o->count == TALLY_NO_COUNT) continue;
        t.n_counted++;
        t.count += o->count;
        t.estimate += o->estimate;
        tally_spread_add(&t.below, (double)o->count - o->low);
        tally_spread_add(&t.above, o->high - o->estimate);
    }
    return t;
}

static void sum_total(tally_observation *total, const sums *t)
{
    const tally_quality quality = t->n_refused   ? TALLY_QUALITY_REFUSED
                                  : t->n_counted ? tally_quality_of(t->seen / (double)t->n)
                                                 : TALLY_QUALITY_UNSEEN;
    double added = 0;
    if (total->count != TALLY_NO_COUNT && t->n_machine < t->n)
        added = fmax(0, total->estimate - t->machine_estimate) * (double)(t->n - t->n_counted) /
                (double)(t->n - t->n_machine);
    total->quality = quality;
    if (quality == TALLY_QUALITY_REFUSED || quality == TALLY_QUALITY_UNSEEN) {
        total->count = TALLY_NO_COUNT;
        total->low = total->high = total->estimate = NAN;
        return;
    }
    const double doubt = t->n_counted < t->n ? tally_spread_of_added(added) : 0;
    total->count = t->count;
    total->estimate = t->estimate + added;
    total->low = fmax(0, (double)t->count - tally_spread_half(&t->below, 0));
    total->high = total->estimate + tally_spread_half(&t->above, doubt);
}

/* Of the class and scene of a row. */
static size_t total_of(const tally_records *r, size_t observation)
{
    const tally_observation *o = &r->observations[observation];
    for (size_t i = 0; i < r->n_observations; i++)
        if (r->observations[i].class_ == o->class_ && r->observations[i].scene == o->scene &&
            strcmp(r->observations[i].zone, "*") == 0)
            return i;
    return TALLY_NONE;
}

static void change_totals(apply_job *job)
{
    tally_observation *all = job->r->observations;
    for (size_t i = 0; i < job->r->n_observations; i++) {
        if (!all[i].reviewed.touched || strcmp(all[i].zone, "*") == 0) continue;
        const size_t total = total_of(job->r, i);
        if (total == TALLY_NONE || is_corrected(job, total) || job->zones[total].is_summed)
            continue;
        const sums t = sum_zones(job->r, &all[total]);
        job->zones[total].is_summed = true;
        if (!all[total].reviewed.touched) keep_machine(&all[total]);
        sum_total(&all[total], &t);
    }
}

/* "a; b": `more` joins what is there, once. */
static tally_status join(tally_records *r, const char **to, const char *more, tally_error *err)
{
    if (!*more || strcmp(*to, more) == 0) return TALLY_OK;
    const size_t n = strlen(more);
    for (const char *p = *to; (p = strstr(p, more)); p++)
        if ((p == *to || p[-1] == ' ') && (!p[n] || p[n] == ';')) return TALLY_OK;
    char *both = tally_format("%s%s%s", *to, **to ? "; " : "", more);
    const char *kept = both ? tally_intern(r->strings, both) : NULL;
    tally_free(both);
    if (!kept) return tally_nomem(err, "the reviews");
    *to = kept;
    return TALLY_OK;
}

static tally_status sign(apply_job *job, size_t review, size_t observation, const char *action,
                         tally_error *err)
{
    const tally_review *v = &job->r->reviews[review];
    tally_reviewed *to = &job->r->observations[observation].reviewed;
    const int64_t when = job->targets[review].when;
    if (!to->touched) return TALLY_OK;
    if (when > to->when) to->when = when;
    tally_status s = join(job->r, &to->action, action, err);
    if (s == TALLY_OK) s = join(job->r, &to->who, v->who, err);
    return s == TALLY_OK ? join(job->r, &to->why, v->why, err) : s;
}

/* Who says so, and why, on the zone's row and on the total that rests on it. */
static tally_status sign_all(apply_job *job, tally_error *err)
{
    tally_status s = TALLY_OK;
    for (size_t k = 0; k < job->n && s == TALLY_OK; k++) {
        const size_t i = job->order[k], at = job->targets[i].observation;
        if (*job->r->reviews[i].problem) continue;
        s = sign(job, i, at, tally_action_name(job->targets[i].action), err);
        const size_t total = total_of(job->r, at);
        if (s == TALLY_OK && total != TALLY_NONE && total != at && !is_corrected(job, total))
            s = sign(job, i, total, "sum", err);
    }
    return s;
}

/* The row's reason tells whose count it is, and what the machine had. */
static tally_status give_reasons(apply_job *job, tally_error *err)
{
    for (size_t i = 0; i < job->r->n_observations; i++) {
        tally_observation *o = &job->r->observations[i];
        if (!o->reviewed.touched) continue;
        char machine[32] = "no count";
        if (o->reviewed.count != TALLY_NO_COUNT)
            snprintf(machine, sizeof machine, "%lld", (long long)o->reviewed.count);
        char *text = tally_format("%s by %s%s%s (machine: %s)", o->reviewed.action, o->reviewed.who,
                                  *o->reviewed.why ? ": " : "", o->reviewed.why, machine);
        o->reason = text ? tally_intern(job->r->strings, text) : NULL;
        tally_free(text);
        if (!o->reason) return tally_nomem(err, "the reviews");
    }
    return TALLY_OK;
}

/* Metres a degree on WGS 84, to a few metres in a hundred thousand (series of the meridian). */
static void metres_a_degree(double latitude_deg, double *east, double *north)
{
    const double phi = latitude_deg * M_PI / 180;
    *north = 111132.95 - 559.85 * cos(2 * phi) + 1.17 * cos(4 * phi);
    *east = 111412.88 * cos(phi) - 93.5 * cos(3 * phi);
}

/* A drawn outline as a thing found, so that visits know of it. */
static tally_status add_drawn(apply_job *job, size_t review, tally_error *err)
{
    const tally_review *v = &job->r->reviews[review];
    const tally_observation *o = &job->r->observations[job->targets[review].observation];
    tally_point *points = tally_alloc(v->n_ring, sizeof *points);
    tally_rect rect;
    double east, north, area = 0;
    if (!points) return tally_nomem(err, "the reviews");
    metres_a_degree(v->ring[0][1], &east, &north);
    for (size_t i = 0; i < v->n_ring; i++)
        points[i] = (tally_point) { (v->ring[i][0] - v->ring[0][0]) * east,
                                    (v->ring[i][1] - v->ring[0][1]) * north };
    for (size_t i = 0; i < v->n_ring; i++) {
        const tally_point a = points[i], b = points[(i + 1) % v->n_ring];
        area += (a.x * b.y - b.x * a.y) / 2;
    }
    const bool good = tally_rect_around(points, v->n_ring, &rect);
    tally_free(points);
    if (!good) return TALLY_OK;
    const tally_detection row = { .site = o->site,
                                  .zone = o->zone,
                                  .scene = o->scene,
                                  .type = "added",
                                  .class_ = o->class_,
                                  .utc = o->utc,
                                  .count = change_by(job, review),
                                  .length_m = rect.length,
                                  .width_m = rect.width,
                                  .heading_deg = tally_heading_deg(rect.ux, rect.uy),
                                  .area_m2 = fabs(area),
                                  .score = 1,
                                  .ring = v->ring,
                                  .n_ring = v->n_ring };
    return tally_records_add_detection(job->r, &row, err);
}

/* The things found as the analysts see them: rejected ones go, corrected ones count so many. */
static tally_status change_detections(apply_job *job, tally_error *err)
{
    tally_records *r = job->r;
    const size_t n_found = r->n_detections;
    size_t kept = 0;
    for (size_t i = 0; i < n_found; i++) {
        const size_t v = job->on_detection[i];
        const bool used = v != TALLY_NONE && !*r->reviews[v].problem;
        if (used && job->targets[v].action == TALLY_REJECT) {
            tally_free(r->detections[i].ring);
            continue;
        }
        if (used && job->targets[v].action == TALLY_CORRECT)
            r->detections[i].count = r->reviews[v].count;
        r->detections[kept++] = r->detections[i];
    }
    r->n_detections = kept;
    tally_status s = TALLY_OK;
    for (size_t k = 0; k < job->n && s == TALLY_OK; k++) {
        const size_t i = job->order[k];
        if (job->targets[i].action == TALLY_ADD && !*r->reviews[i].problem &&
            r->reviews[i].n_ring >= 3)
            s = add_drawn(job, i, err);
    }
    return s;
}

static tally_status begin(apply_job *job, tally_error *err)
{
    const tally_records *r = job->r;
    job->targets = tally_alloc(r->n_reviews, sizeof *job->targets);
    job->order = tally_alloc(r->n_reviews, sizeof *job->order);
    job->on_detection = tally_alloc(r->n_detections, sizeof *job->on_detection);
    job->zones = tally_alloc(r->n_observations, sizeof *job->zones);
    if (!job->targets || !job->order || !job->on_detection || !job->zones)
        return tally_nomem(err, "the reviews");
    for (size_t i = 0; i < r->n_detections; i++)
        job->on_detection[i] = TALLY_NONE;
    for (size_t i = 0; i < r->n_observations; i++)
        job->zones[i].verdict = TALLY_NONE;
    return TALLY_OK;
}

tally_status tally_review_apply(tally_records *records, tally_error *err)
{
    if (records->counts == TALLY_COUNTS_REVIEWED) return TALLY_OK;
    apply_job job = { .r = records };
    tally_status s = begin(&job, err);
    if (s == TALLY_OK) s = understand(&job, err);
    if (s == TALLY_OK) s = find_verdicts(&job, err);
    if (s == TALLY_OK) s = sum_changes(&job, err);
    if (s == TALLY_OK) {
        change_zones(&job);
        change_totals(&job);
        s = sign_all(&job, err);
    }
    if (s == TALLY_OK) s = give_reasons(&job, err);
    if (s == TALLY_OK) s = change_detections(&job, err);
    if (s == TALLY_OK) {
        records->counts = TALLY_COUNTS_REVIEWED;
        tally_records_sort(records);
    }
    tally_free(job.targets);
    tally_free(job.order);
    tally_free(job.on_detection);
    tally_free(job.zones);
    return s;
}
