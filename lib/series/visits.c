/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Visits: one vessel at one berth or in one water area, across scenes.
 *
 * Scenes are walked by time. A detection continues an open visit of its zone when its middle lies
 * within half a ship's length of where the vessel was and its length agrees within 20 % (both from
 * DESIGN.md's error of hull lengths); the nearest pair is matched first. A visit ends at the next
 * scene that shows the zone (seen >= 0.5) without it; scenes that do not show the zone say nothing,
 * and leave the bracket open. A `call` joins visits of like length in other zones when one begins
 * where the other has ended, with at most one day between.
 *
 * Known failure: one ship replaced by another of the same size in the same place between two scenes
 * reads as one visit.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "series/series.h"

enum { DAY = 86400 };
static const double SAME_LENGTH = 0.2, LEAST_REACH_M = 40, LEAST_SEEN = 0.5;

typedef struct open_visit {
    tally_visit row;
    double longitude, latitude;
    tally_text scenes;
    double length_sum;
    int n;
    bool open, matched;
    bool first_is_day, last_is_day; /* a day without a clock widens the brackets by a day */
    int call;                       /* index of the visit that began the call */
} open_visit;

typedef struct visit_job {
    tally_records *r;
    open_visit *visits;
    size_t n, capacity;
} visit_job;

static void middle_of(const tally_detection *d, double *longitude, double *latitude)
{
    *longitude = *latitude = 0;
    for (size_t i = 0; i < d->n_ring; i++) {
        *longitude += d->ring[i][0] / (double)d->n_ring;
        *latitude += d->ring[i][1] / (double)d->n_ring;
    }
}

/* Metres between two places that lie close together. */
static double distance_m(double lon_a, double lat_a, double lon_b, double lat_b)
{
    static const double METRES_A_DEGREE = 111195, RADIANS = 3.14159265358979323846 / 180;
    return METRES_A_DEGREE *
           hypot((lon_a - lon_b) * cos((lat_a + lat_b) / 2 * RADIANS), lat_a - lat_b);
}

static double mismatch(const open_visit *v, const tally_detection *d)
{
    double lon, lat, length = v->length_sum / v->n;
    if (!v->open || v->matched || strcmp(v->row.zone, d->zone) != 0) return INFINITY;
    middle_of(d, &lon, &lat);
    double away = distance_m(lon, lat, v->longitude, v->latitude);
    if (fabs(d->length_m - length) > SAME_LENGTH * fmax(d->length_m, length)) return INFINITY;
    return away > fmax(LEAST_REACH_M, length / 2) ? INFINITY : away;
}

static void continue_visit(open_visit *v, const tally_detection *d)
{
    middle_of(d, &v->longitude, &v->latitude);
    v->row.last_seen = d->utc;
    v->row.departed_after = d->utc;
    v->length_sum += d->length_m;
    v->n++;
    v->matched = true;
    tally_text_add(&v->scenes, "%s%s", v->scenes.size ? ";" : "", d->scene);
}

static tally_status begin_visit(visit_job *job, const tally_detection *d, int64_t arrived_after,
                                tally_error *err)
{
    if (job->n == job->capacity) {
        size_t capacity = job->capacity ? 2 * job->capacity : 32;
        open_visit *more = tally_realloc(job->visits, capacity, sizeof *more);
        if (!more) return tally_nomem(err, "the visits");
        job->visits = more;
        job->capacity = capacity;
    }
    open_visit *v = &job->visits[job->n++];
    *v = (open_visit) { .row = { .site = d->site,
                                 .zone = d->zone,
                                 .first_seen = d->utc,
                                 .arrived_after = arrived_after,
                                 .arrived_before = d->utc,
                                 .departed_before = TALLY_NO_TIME },
                        .open = true,
                        .call = (int)job->n - 1 };
    continue_visit(v, d);
    return TALLY_OK;
}

/* The last scene before that time that showed the zone; no time: none. */
static int64_t last_look(const tally_records *r, const char *zone, int64_t before)
{
    int64_t last = TALLY_NO_TIME;
    for (size_t i = 0; i < r->n_observations; i++) {
        const tally_observation *o = &r->observations[i];
        if (o->class_ == TALLY_VESSEL && o->seen >= LEAST_SEEN && o->count != TALLY_NO_COUNT &&
            o->utc < before && o->utc > last && strcmp(o->zone, zone) == 0)
            last = o->utc;
    }
    return last;
}

static bool shows_zone(const tally_records *r, const char *scene, const char *zone)
{
    for (size_t i = 0; i < r->n_observations; i++) {
        const tally_observation *o = &r->observations[i];
        if (o->class_ == TALLY_VESSEL && strcmp(o->scene, scene) == 0 && strcmp(o->zone, zone) == 0)
            return o->seen >= LEAST_SEEN && o->count != TALLY_NO_COUNT;
    }
    return false;
}

static bool is_day_only(const tally_scene_record *scene)
{
    return strcmp(scene->time_precision, "day") == 0;
}

/* Match the vessels of one scene, nearest pairs first. from..to: its detections. */
static tally_status take_scene(visit_job *job, const tally_scene_record *scene, size_t from,
                               size_t to, tally_error *err)
{
    size_t n = to - from;
    bool *taken = tally_alloc(n, sizeof *taken);
    if (!taken) return tally_nomem(err, "the visits");
    for (size_t v = 0; v < job->n; v++)
        job->visits[v].matched = false;
    for (;;) {
        double best = INFINITY;
        size_t best_v = 0, best_d = 0;
        for (size_t v = 0; v < job->n; v++)
            for (size_t d = 0; d < n; d++) {
                if (taken[d] || job->r->detections[from + d].class_ != TALLY_VESSEL) continue;
                double m = mismatch(&job->visits[v], &job->r->detections[from + d]);
                if (m < best) best = m, best_v = v, best_d = d;
            }
        if (!isfinite(best)) break;
        continue_visit(&job->visits[best_v], &job->r->detections[from + best_d]);
        taken[best_d] = true;
    }
    for (size_t v = 0; v < job->n; v++) {
        open_visit *visit = &job->visits[v];
        if (!visit->open || visit->matched || !shows_zone(job->r, scene->scene, visit->row.zone))
            continue;
        visit->open = false;
        visit->row.departed_before = scene->utc;
        visit->last_is_day = is_day_only(scene);
    }
    tally_status s = TALLY_OK;
    for (size_t d = 0; d < n && s == TALLY_OK; d++) {
        const tally_detection *vessel = &job->r->detections[from + d];
        if (taken[d] || vessel->class_ != TALLY_VESSEL) continue;
        s = begin_visit(job, vessel, last_look(job->r, vessel->zone, scene->utc), err);
        if (s == TALLY_OK) job->visits[job->n - 1].first_is_day = is_day_only(scene);
    }
    tally_free(taken);
    return s;
}

static void join_calls(visit_job *job)
{
    for (size_t i = 0; i < job->n; i++)
        for (size_t k = 0; k < i; k++) {
            const open_visit *a = &job->visits[k], *b = &job->visits[i];
            double la = a->length_sum / a->n, lb = b->length_sum / b->n;
            bool follows =
                b->row.first_seen > a->row.last_seen && b->row.first_seen - a->row.last_seen <= DAY;
            if (follows && strcmp(a->row.zone, b->row.zone) != 0 &&
                fabs(la - lb) <= SAME_LENGTH / 2 * fmax(la, lb))
                job->visits[i].call = job->visits[k].call;
        }
}

static tally_status write_visits(visit_job *job, tally_error *err)
{
    tally_status s = TALLY_OK;
    for (size_t i = 0; i < job->n && s == TALLY_OK; i++) {
        open_visit *v = &job->visits[i];
        if (v->scenes.failed) return tally_nomem(err, "the visits");
        char *name = tally_format("v%04zu", i + 1), *call = tally_format("c%04d", v->call + 1);
        tally_visit row = v->row;
        row.visit = name ? name : "";
        row.call = call ? call : "";
        row.scenes = v->scenes.bytes;
        row.length_m = v->length_sum / v->n;
        if (v->first_is_day && row.arrived_before != TALLY_NO_TIME) row.arrived_before += DAY;
        if (v->last_is_day && row.departed_before != TALLY_NO_TIME) row.departed_before += DAY;
        s = name && call ? tally_records_add_visit(job->r, &row, err)
                         : tally_nomem(err, "the visits");
        tally_free(name);
        tally_free(call);
    }
    return s;
}

tally_status tally_series_visits(tally_records *records, tally_error *err)
{
    visit_job job = { .r = records };
    tally_status s = TALLY_OK;
    for (size_t i = 0; i < records->n_scenes && s == TALLY_OK; i++) {
        const tally_scene_record *scene = &records->scenes[i];
        size_t from = 0;
        while (from < records->n_detections &&
               strcmp(records->detections[from].scene, scene->scene) != 0)
            from++;
        size_t to = from;
        while (to < records->n_detections &&
               strcmp(records->detections[to].scene, scene->scene) == 0)
            to++;
        s = take_scene(&job, scene, from, to, err);
    }
    join_calls(&job);
    if (s == TALLY_OK) s = write_visits(&job, err);
    for (size_t i = 0; i < job.n; i++)
        tally_text_fini(&job.visits[i].scenes);
    tally_free(job.visits);
    return s;
}
