/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Does a review speak of something that is there, and say something that can be said of it? */
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "series/review.h"

enum { MOST = 1000000, LONGEST = 2000 };

static bool refuse(char *why, const char *format, ...) __attribute__((format(printf, 2, 3)));
static bool refuse(char *why, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(why, TALLY_WHY_SIZE, format, args);
    va_end(args);
    return false;
}

static bool check_words(const tally_review *v, tally_review_target *t, char *why)
{
    const int action = tally_action_parse(v->action), class_ = tally_class_parse(v->class_);
    if (action < 0)
        return refuse(why, "action `%.40s` is none of accept, reject, add, correct", v->action);
    if (class_ < 0)
        return refuse(why, "class `%.40s` is none of railcar, container_stack, vessel", v->class_);
    t->action = (tally_action)action;
    t->when = TALLY_NO_TIME;
    if (*v->when && !tally_utc_parse(v->when, &t->when, NULL))
        return refuse(why, "when `%.40s` is no time; write it as 2026-03-01T12:00:00Z", v->when);
    if (!*v->who) return refuse(why, "`who` is empty; say whose review it is");
    if (!*v->why && t->action != TALLY_ACCEPT)
        return refuse(why, "`why` is empty; say what was seen");
    if (strlen(v->who) > LONGEST || strlen(v->why) > LONGEST)
        return refuse(why, "`who` or `why` is longer than %d letters; say it shorter", LONGEST);
    if (!tally_text_is_utf8(v->who) || !tally_text_is_utf8(v->why))
        return refuse(why, "`who` or `why` is not UTF-8; save the file as UTF-8");
    return true;
}

static bool check_count(const tally_review *v, const tally_review_target *t, char *why)
{
    const bool given = v->count != TALLY_NO_COUNT;
    if (given && (v->count < 0 || v->count > MOST))
        return refuse(why, "a count of %lld; counts run from 0 to %d", (long long)v->count, MOST);
    if (t->action == TALLY_CORRECT && !given)
        return refuse(why, "correct wants the right count in `count`");
    if (t->action == TALLY_ADD && given && v->count == 0)
        return refuse(why, "adds 0; leave `count` empty for 1, or give how many");
    if ((t->action == TALLY_ACCEPT || t->action == TALLY_REJECT) && given)
        return refuse(why, "%s takes no count; to give another one use correct", v->action);
    return true;
}

static bool check_place(const tally_review *v, const tally_review_target *t, char *why)
{
    const bool lon = !isnan(v->longitude), lat = !isnan(v->latitude);
    if (lon != lat) return refuse(why, "a longitude and a latitude go together; give both or none");
    if (lon && !(fabs(v->longitude) <= 180 && fabs(v->latitude) <= 90))
        return refuse(why, "%g, %g is no longitude and latitude", v->longitude, v->latitude);
    for (size_t i = 0; i < v->n_ring; i++)
        if (!(fabs(v->ring[i][0]) <= 180 && fabs(v->ring[i][1]) <= 90))
            return refuse(why, "the outline leaves longitude and latitude at %g, %g", v->ring[i][0],
                          v->ring[i][1]);
    if (lon && t->action != TALLY_ADD)
        return refuse(why, "only add takes a place; name a detection instead");
    return true;
}

/* The scene by its id, else the only one of that time or day. */
static bool find_scene(const tally_records *r, const tally_review *v, tally_review_target *t,
                       char *why)
{
    int64_t utc = TALLY_NO_TIME;
    bool clock = false;
    size_t n = 0;
    if (*v->datetime && !tally_utc_parse(v->datetime, &utc, &clock))
        return refuse(why, "datetime `%.40s` is no time; write it as in scenes.csv", v->datetime);
    if (!*v->scene && !*v->datetime) return refuse(why, "names neither scene nor datetime");
    t->scene = TALLY_NONE;
    for (size_t i = 0; i < r->n_scenes; i++) {
        const tally_scene_record *s = &r->scenes[i];
        const bool then = utc == TALLY_NO_TIME ||
                          (s->utc != TALLY_NO_TIME &&
                           (clock ? s->utc == utc : tally_utc_day(s->utc) == tally_utc_day(utc)));
        if (*v->scene ? strcmp(s->scene, v->scene) != 0 : !then) continue;
        if (!then)
            return refuse(why, "scene `%.60s` is not of %.30s; leave one of the two empty",
                          v->scene, v->datetime);
        t->scene = i;
        n++;
    }
    if (n == 0 && *v->scene)
        return refuse(why, "scene `%.60s` is not in this folder; scenes.csv lists them", v->scene);
    if (n == 0) return refuse(why, "no scene of %.30s; scenes.csv lists them", v->datetime);
    if (n > 1)
        return refuse(why, "%zu scenes of %.30s; name one of them in `scene`", n, v->datetime);
    return true;
}

static bool find_detection(const tally_records *r, const tally_review *v, tally_review_target *t,
                           char *why)
{
    t->detection = TALLY_NONE;
    if (!*v->detection) {
        if (t->action == TALLY_REJECT)
            return refuse(
                why, "reject wants the id of a thing found in `detection`; to say that a zone is "
                     "empty use correct with 0");
        return true;
    }
    if (t->action == TALLY_ADD)
        return refuse(why, "add takes no detection: what was found is there already");
    for (size_t i = 0; i < r->n_detections && t->detection == TALLY_NONE; i++)
        if (strcmp(r->detections[i].id, v->detection) == 0) t->detection = i;
    if (t->detection == TALLY_NONE)
        return refuse(why,
                      "detection `%.40s` is not there (any more); detections.geojson has the ids",
                      v->detection);
    const tally_detection *d = &r->detections[t->detection];
    if (strcmp(d->scene, r->scenes[t->scene].scene) != 0)
        return refuse(why, "detection `%.40s` is of scene `%.60s`", v->detection, d->scene);
    if (strcmp(tally_class_name(d->class_), v->class_) != 0)
        return refuse(why, "detection `%.40s` is a %s", v->detection, tally_class_name(d->class_));
    if (*v->zone && strcmp(d->zone, v->zone) != 0)
        return refuse(why, "detection `%.40s` is in zone `%.60s`", v->detection, d->zone);
    return true;
}

static bool find_zone(const tally_records *r, const tally_review *v, tally_review_target *t,
                      char *why)
{
    const char *zone = t->detection == TALLY_NONE ? v->zone : r->detections[t->detection].zone;
    const char *scene = r->scenes[t->scene].scene;
    if (!*zone) return refuse(why, "names no zone; series.csv lists them, * is the whole site");
    if (strcmp(zone, "*") == 0 && t->action == TALLY_ADD)
        return refuse(why, "add wants the zone in which the thing lies, not *");
    for (size_t i = 0; i < r->n_observations; i++) {
        const tally_observation *o = &r->observations[i];
        if (strcmp(o->scene, scene) != 0 || strcmp(o->zone, zone) != 0 ||
            strcmp(tally_class_name(o->class_), v->class_) != 0)
            continue;
        t->observation = i;
        return true;
    }
    return refuse(why, "zone `%.60s` has no %s in scene `%.60s`; series.csv lists them", zone,
                  v->class_, scene);
}

bool tally_review_is_unfit(const tally_review *review)
{
    return *review->problem &&
           strncmp(review->problem, TALLY_LATER_HOLDS, strlen(TALLY_LATER_HOLDS)) != 0;
}

bool tally_review_check(const tally_records *r, const tally_review *review,
                        tally_review_target *out, char why[TALLY_WHY_SIZE])
{
    why[0] = '\0';
    return check_words(review, out, why) && check_count(review, out, why) &&
           check_place(review, out, why) && find_scene(r, review, out, why) &&
           find_detection(r, review, out, why) && find_zone(r, review, out, why);
}
