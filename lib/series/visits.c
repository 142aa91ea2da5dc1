/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Visits: one vessel at one berth or in one water area, across scenes.
 *
 * Scenes are walked by time. Each vessel of a scene is weighed against each open visit: the log of
 * the odds that it is the same vessel, from
 *   time      a vessel stays a week in the mean, so long gaps ask for better evidence;
 *   length    a normal of the hull lengths' errors against any other ship's length;
 *   position  moored: one end lies where it lay (an error of length moves the other), and the ship
 *             as far from the quay, against another ship somewhere along the same berth;
 *             at anchor: within the circle in which it swings, against anywhere in the roads;
 *   cloud     in a partly seen zone a hull may be cut, and may have been hidden in between.
 * The best pair is matched first, while the odds are above one. Zones in which most hulls lie the
 * same way are moorings; the others are roads. A hull on the line between two zones may change
 * its zone, not its place.
 *
 * A visit ends at the first scene that shows its place without it: its zone seen as far as any
 * scene shows it, or another vessel lying there. Scenes that show less leave the bracket open. The
 * bracket's begin is found the same way.
 *
 * A `call` joins visits of like length in two zones when one begins where the other has ended, with
 * at most one day between, each to one other.
 *
 * Constants: errors of hulls from pairs of sightings of one ship in drawn scenes at 0.5 and 3 m
 * (1 to 5 m of length, 1 to 3 m along the quay); spreads of other ships chosen by eye on the same.
 * Known failures: one ship replaced by another of the same length in the same place between two
 * scenes reads as one visit; a ship that was overlooked in one scene reads as two.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "series/series.h"

enum { DAY = 86400 };
static const double STAY_S = 7.0 * DAY, SURE_OF_STAY = 0.95;
/* Errors of one hull: metres, pixels, and a share of the length. */
static const double LENGTH_ERROR_M = 2, LENGTH_ERROR_PX = 0.5, LENGTH_ERROR_SHARE = 0.01;
static const double BAD_ENDS = 0.1, BAD_END_SHARE = 0.12; /* how often, and of the length */
static const double PLACE_ERROR_M = 1.5, PLACE_ERROR_PX = 0.6;
/* Another ship: its length within +-30 %, its end within 15 m along the berth, 4 m across it. */
static const double OTHER_LENGTH_SHARE = 0.6, OTHER_LENGTH_M = 40;
static const double OTHER_ALONG_M = 15, OTHER_ACROSS_M = 4, OTHER_ZONE = 0.05;
static const double ROADS_M2 = 1e6, CHAIN_M = 60; /* a roadstead; a chain's reach over ground */
static const double SAME_WAY_DEG = 10, MOORED_SHARE = 0.7, NEVER = -50;
static const double WHOLLY_SEEN = 0.95;

typedef struct sighting {
    double longitude, latitude, heading_deg, length_m, width_m, gsd_m;
    double unseen; /* share of the zone that this scene does not show */
} sighting;

typedef struct open_visit {
    tally_visit row;
    sighting last;
    tally_text scenes;
    double length_sum,
        cut_length; /* of sightings in wholly seen zones; the longest of the others */
    int n_whole;
    double hidden_odds; /* log of the chance that scenes since hid it */
    bool open, matched;
    bool first_is_day, last_is_day; /* a day without a clock widens the brackets by a day */
    size_t call;                    /* index of the visit that began the call */
    bool called;                    /* another visit of the call follows */
} open_visit;

/* What is known of a zone from all its scenes. */
typedef struct visit_zone {
    const char *name;
    double best_seen;
    bool moored;
} visit_zone;

typedef struct visit_job {
    tally_records *r;
    visit_zone *zones;
    open_visit *visits;
    size_t n_zones, n, capacity;
} visit_job;

static double turn_deg(double a, double b)
{
    double d = fmod(fabs(a - b), 180);
    return fmin(d, 180 - d);
}

static void middle_of(const tally_detection *d, double *longitude, double *latitude)
{
    *longitude = *latitude = 0;
    for (size_t i = 0; i < d->n_ring; i++) {
        *longitude += d->ring[i][0] / (double)d->n_ring;
        *latitude += d->ring[i][1] / (double)d->n_ring;
    }
}

static const double METRES_A_DEGREE = 111195;

static const visit_zone *zone_of(const visit_job *job, const char *name)
{
    for (size_t i = 0; i < job->n_zones; i++)
        if (strcmp(job->zones[i].name, name) == 0) return &job->zones[i];
    return NULL;
}

/* The share of the zone's best view that a scene gives; 0 where it was not counted. */
static double share_shown(const visit_job *job, const tally_observation *o)
{
    const visit_zone *zone = zone_of(job, o->zone);
    if (!zone || !(zone->best_seen > 0) || o->count == TALLY_NO_COUNT) return 0;
    return fmin(o->seen / zone->best_seen, 1);
}

static double share_shown_in(const visit_job *job, const char *scene, const char *zone)
{
    for (size_t i = 0; i < job->r->n_observations; i++) {
        const tally_observation *o = &job->r->observations[i];
        if (o->class_ == TALLY_VESSEL && strcmp(o->scene, scene) == 0 && strcmp(o->zone, zone) == 0)
            return share_shown(job, o);
    }
    return 0;
}

static sighting sight(const visit_job *job, const tally_scene_record *scene,
                      const tally_detection *d)
{
    double shown = share_shown_in(job, d->scene, d->zone);
    sighting s = { .heading_deg = d->heading_deg,
                   .length_m = d->length_m,
                   .width_m = d->width_m,
                   .gsd_m = isfinite(scene->gsd_m) ? scene->gsd_m : 0,
                   .unseen = shown >= WHOLLY_SEEN ? 0 : 1 - shown };
    middle_of(d, &s.longitude, &s.latitude);
    return s;
}

/* How far b's middle lies along a's axis and across it, metres. */
static void offset_m(const sighting *a, const sighting *b, double *along, double *across)
{
    static const double RADIANS = 3.14159265358979323846 / 180;
    double north = (b->latitude - a->latitude) * METRES_A_DEGREE;
    double east = (b->longitude - a->longitude) * METRES_A_DEGREE *
                  cos((a->latitude + b->latitude) / 2 * RADIANS);
    double heading = a->heading_deg * RADIANS;
    *along = east * sin(heading) + north * cos(heading);
    *across = east * cos(heading) - north * sin(heading);
}

/* Log of how much likelier a deviation is under an error of sigma than spread over a range. */
static double log_favour(double deviation, double sigma, double range)
{
    return log(range / (sigma * sqrt(2 * 3.14159265358979323846))) -
           deviation * deviation / (2 * sigma * sigma);
}

static double length_error_m(const sighting *a, const sighting *b)
{
    double one = hypot(LENGTH_ERROR_M, LENGTH_ERROR_SHARE * fmax(a->length_m, b->length_m));
    return hypot(hypot(one, LENGTH_ERROR_PX * a->gsd_m), hypot(one, LENGTH_ERROR_PX * b->gsd_m));
}

/* Most lengths are good to a pixel or two; of some, an end was lost in shade or found in ice. */
static double log_length_odds(const sighting *a, const sighting *b)
{
    double longer = fmax(a->length_m, b->length_m), away = b->length_m - a->length_m;
    double range = fmax(OTHER_LENGTH_M, OTHER_LENGTH_SHARE * longer);
    double good = exp(log_favour(away, length_error_m(a, b), range));
    double bad = exp(log_favour(away, BAD_END_SHARE * longer, range));
    return log((1 - BAD_ENDS) * good + BAD_ENDS * bad);
}

/* Moored: end_away is how far the nearer pair of ends lies apart. */
static double log_berth_odds(const sighting *a, const sighting *b, double end_away, double across)
{
    double error = fmax(PLACE_ERROR_M, PLACE_ERROR_PX * fmax(a->gsd_m, b->gsd_m));
    if (turn_deg(a->heading_deg, b->heading_deg) > SAME_WAY_DEG) return NEVER;
    double other = hypot(OTHER_ACROSS_M, error);
    return log_favour(end_away, error, 2 * OTHER_ALONG_M) + log_favour(across, error, 1) -
           log_favour(across, other, 1);
}

static double log_place_odds(const sighting *a, const sighting *b, bool moored, bool cut)
{
    double along, across, longer = fmax(a->length_m, b->length_m);
    offset_m(a, b, &along, &across);
    if (!moored) {
        double reach = longer + 2 * CHAIN_M;
        return hypot(along, across) <= reach ? log(ROADS_M2 / (3.14159265 * reach * reach)) : NEVER;
    }
    double half = (b->length_m - a->length_m) / 2;
    double end_away = cut ? fmax(0, fabs(along) - fabs(half)) /* the cut hull lies in the other */
                          : fmin(fabs(along + half), fabs(along - half));
    return log_berth_odds(a, b, end_away, across);
}

/* Log of the odds that a detection is the vessel of an open visit. */
static double same_odds(const visit_job *job, const open_visit *v, const tally_detection *d,
                        const sighting *now)
{
    if (!v->open || v->matched) return NEVER;
    const visit_zone *zone = zone_of(job, d->zone);
    bool other_zone = strcmp(v->row.zone, d->zone) != 0,
         moored = other_zone || !zone || zone->moored;
    double stays = fmin(exp(-(double)(d->utc - v->row.last_seen) / STAY_S), SURE_OF_STAY);
    double before = log(stays / (1 - stays)) + v->hidden_odds + (other_zone ? log(OTHER_ZONE) : 0);
    sighting was = v->last;
    double place = log_place_odds(&was, now, moored, false);
    if (v->n_whole > 0 && was.unseen <= 0) was.length_m = v->length_sum / v->n_whole;
    double whole = log_length_odds(&was, now) + place;
    /* the shorter of two hulls may be cut by what its scene does not show */
    double cut_share = (was.length_m < now->length_m ? was.unseen : now->unseen) / 2;
    if (!(cut_share > 0)) return before + whole;
    double cut = log_place_odds(&v->last, now, moored, true);
    return before + log((1 - cut_share) * exp(whole) + cut_share * exp(cut));
}

static void continue_visit(open_visit *v, const tally_detection *d, const sighting *now)
{
    v->last = *now;
    v->row.last_seen = d->utc;
    v->row.departed_after = d->utc;
    v->hidden_odds = 0;
    if (now->unseen > 0) {
        v->cut_length = fmax(v->cut_length, d->length_m);
    } else {
        v->length_sum += d->length_m;
        v->n_whole++;
    }
    v->matched = true;
    tally_text_add(&v->scenes, "%s%s", v->scenes.size ? ";" : "", d->scene);
}

static double length_of(const open_visit *v)
{
    return v->n_whole > 0 ? v->length_sum / v->n_whole : v->cut_length;
}

/* Whether b lies where a lay, so that a cannot be there any more. */
static bool takes_place_of(const sighting *b, const sighting *a)
{
    double along, across;
    offset_m(a, b, &along, &across);
    return fabs(along) < (a->length_m + b->length_m) / 3 &&
           fabs(across) < (a->width_m + b->width_m) / 4;
}

static tally_status begin_visit(visit_job *job, const tally_detection *d, const sighting *now,
                                int64_t arrived_after, tally_error *err)
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
                        .call = job->n - 1 };
    continue_visit(v, d, now);
    return TALLY_OK;
}

static bool is_day_only(const tally_scene_record *scene)
{
    return strcmp(scene->time_precision, "day") == 0;
}

/* The last scene before this one that showed the place without the vessel; no time: none. */
static int64_t last_look(const visit_job *job, const tally_detection *d, const sighting *now)
{
    const tally_records *r = job->r;
    int64_t last = TALLY_NO_TIME;
    for (size_t i = 0; i < r->n_observations; i++) {
        const tally_observation *o = &r->observations[i];
        if (o->class_ == TALLY_VESSEL && o->utc < d->utc && o->utc > last &&
            strcmp(o->zone, d->zone) == 0 && share_shown(job, o) >= WHOLLY_SEEN)
            last = o->utc;
    }
    for (size_t i = 0; i < r->n_detections; i++) {
        const tally_detection *other = &r->detections[i];
        if (other->class_ != TALLY_VESSEL || other->utc >= d->utc || other->utc <= last) continue;
        sighting then = { .length_m = other->length_m, .width_m = other->width_m };
        middle_of(other, &then.longitude, &then.latitude);
        if (takes_place_of(&then, now)) last = other->utc;
    }
    return last;
}

/* One scene's vessels. */
typedef struct scene_view {
    const tally_scene_record *scene;
    const tally_detection *vessels;
    sighting *sights;
    bool *taken;
    size_t n;
} scene_view;

static void match_vessels(visit_job *job, scene_view *view)
{
    for (size_t v = 0; v < job->n; v++)
        job->visits[v].matched = false;
    for (;;) {
        double best = 0;
        size_t best_v = 0, best_d = 0;
        for (size_t v = 0; v < job->n; v++)
            for (size_t d = 0; d < view->n; d++) {
                if (view->taken[d] || view->vessels[d].class_ != TALLY_VESSEL) continue;
                double odds = same_odds(job, &job->visits[v], &view->vessels[d], &view->sights[d]);
                if (odds > best) best = odds, best_v = v, best_d = d;
            }
        if (!(best > 0)) return;
        continue_visit(&job->visits[best_v], &view->vessels[best_d], &view->sights[best_d]);
        view->taken[best_d] = true;
    }
}

/* Visits that this scene does not continue: over, where it shows their place. */
static void close_visits(visit_job *job, const scene_view *view)
{
    for (size_t i = 0; i < job->n; i++) {
        open_visit *v = &job->visits[i];
        if (!v->open || v->matched) continue;
        double shown = share_shown_in(job, view->scene->scene, v->row.zone);
        bool over = shown >= WHOLLY_SEEN;
        for (size_t d = 0; d < view->n && !over; d++)
            over = view->vessels[d].class_ == TALLY_VESSEL &&
                   takes_place_of(&view->sights[d], &v->last);
        if (!over) {
            v->hidden_odds += log(1 - shown);
            continue;
        }
        v->open = false;
        v->row.departed_before = view->scene->utc;
        v->last_is_day = is_day_only(view->scene);
    }
}

static tally_status take_scene(visit_job *job, scene_view *view, tally_error *err)
{
    tally_status s = TALLY_OK;
    for (size_t d = 0; d < view->n; d++)
        view->sights[d] = sight(job, view->scene, &view->vessels[d]);
    match_vessels(job, view);
    close_visits(job, view);
    for (size_t d = 0; d < view->n && s == TALLY_OK; d++) {
        const tally_detection *vessel = &view->vessels[d];
        if (view->taken[d] || vessel->class_ != TALLY_VESSEL) continue;
        s = begin_visit(job, vessel, &view->sights[d], last_look(job, vessel, &view->sights[d]),
                        err);
        if (s == TALLY_OK) job->visits[job->n - 1].first_is_day = is_day_only(view->scene);
    }
    return s;
}

/* The visit that b may follow within one call: the one most like it in length. */
static open_visit *call_before(visit_job *job, const open_visit *b)
{
    open_visit *best = NULL;
    double best_away = INFINITY;
    for (open_visit *a = job->visits; a < b; a++) {
        double away = fabs(length_of(a) - length_of(b));
        bool follows =
            b->row.first_seen > a->row.last_seen && b->row.first_seen - a->row.last_seen <= DAY;
        if (!follows || a->called || strcmp(a->row.zone, b->row.zone) == 0 || away >= best_away ||
            away > 2 * length_error_m(&a->last, &b->last))
            continue;
        best = a;
        best_away = away;
    }
    return best;
}

static void join_calls(visit_job *job)
{
    for (size_t i = 0; i < job->n; i++) {
        open_visit *a = call_before(job, &job->visits[i]);
        if (!a) continue;
        a->called = true;
        job->visits[i].call = a->call;
    }
}

static tally_status write_visits(visit_job *job, tally_error *err)
{
    tally_status s = TALLY_OK;
    for (size_t i = 0; i < job->n && s == TALLY_OK; i++) {
        open_visit *v = &job->visits[i];
        if (v->scenes.failed) return tally_nomem(err, "the visits");
        char *name = tally_format("v%04zu", i + 1), *call = tally_format("c%04zu", v->call + 1);
        tally_visit row = v->row;
        row.visit = name ? name : "";
        row.call = call ? call : "";
        row.scenes = v->scenes.bytes;
        row.length_m = length_of(v);
        if (v->first_is_day && row.arrived_before != TALLY_NO_TIME) row.arrived_before += DAY;
        if (v->last_is_day && row.departed_before != TALLY_NO_TIME) row.departed_before += DAY;
        s = name && call ? tally_records_add_visit(job->r, &row, err)
                         : tally_nomem(err, "the visits");
        tally_free(name);
        tally_free(call);
    }
    return s;
}

/* Whether most hulls of a zone lie the same way, as ships at a quay do. */
static bool is_mooring(const tally_records *r, const char *zone)
{
    size_t most = 0, n = 0;
    for (size_t i = 0; i < r->n_detections; i++) {
        const tally_detection *a = &r->detections[i];
        if (a->class_ != TALLY_VESSEL || strcmp(a->zone, zone) != 0) continue;
        size_t like = 0;
        for (size_t k = 0; k < r->n_detections; k++) {
            const tally_detection *b = &r->detections[k];
            like += b->class_ == TALLY_VESSEL && strcmp(b->zone, zone) == 0 &&
                    turn_deg(a->heading_deg, b->heading_deg) <= SAME_WAY_DEG;
        }
        most = like > most ? like : most;
        n++;
    }
    return (double)most >= MOORED_SHARE * (double)n;
}

static tally_status learn_zones(visit_job *job, tally_error *err)
{
    const tally_records *r = job->r;
    job->zones = tally_alloc(r->n_observations, sizeof *job->zones);
    if (!job->zones) return tally_nomem(err, "the zones");
    for (size_t i = 0; i < r->n_observations; i++) {
        const tally_observation *o = &r->observations[i];
        if (o->class_ != TALLY_VESSEL) continue;
        size_t k = 0;
        while (k < job->n_zones && strcmp(job->zones[k].name, o->zone) != 0)
            k++;
        if (k == job->n_zones)
            job->zones[job->n_zones++] =
                (visit_zone) { .name = o->zone, .moored = is_mooring(r, o->zone) };
        if (o->seen > job->zones[k].best_seen) job->zones[k].best_seen = o->seen;
    }
    return TALLY_OK;
}

static tally_status walk_scenes(visit_job *job, tally_error *err)
{
    const tally_records *r = job->r;
    tally_status s = TALLY_OK;
    for (size_t i = 0; i < r->n_scenes && s == TALLY_OK; i++) {
        const char *name = r->scenes[i].scene;
        size_t from = 0;
        while (from < r->n_detections && strcmp(r->detections[from].scene, name) != 0)
            from++;
        size_t to = from;
        while (to < r->n_detections && strcmp(r->detections[to].scene, name) == 0)
            to++;
        scene_view view = { .scene = &r->scenes[i],
                            .vessels = r->detections + from,
                            .sights = tally_alloc(to - from, sizeof *view.sights),
                            .taken = tally_alloc(to - from, sizeof *view.taken),
                            .n = to - from };
        s = view.sights && view.taken ? take_scene(job, &view, err)
                                      : tally_nomem(err, "the visits");
        tally_free(view.sights);
        tally_free(view.taken);
    }
    return s;
}

tally_status tally_series_visits(tally_records *records, tally_error *err)
{
    visit_job job = { .r = records };
    tally_status s = learn_zones(&job, err);
    if (s == TALLY_OK) s = walk_scenes(&job, err);
    if (s == TALLY_OK) {
        join_calls(&job);
        s = write_visits(&job, err);
    }
    for (size_t i = 0; i < job.n; i++)
        tally_text_fini(&job.visits[i].scenes);
    tally_free(job.visits);
    tally_free(job.zones);
    return s;
}
