/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The tables of CONTRACT.md 5: columns and their order are fixed there. What is unknown is empty.
 */
#include <math.h>

#include "base/base.h"
#include "tallyman/report.h"

enum { SHARE = 4, METRES = 2, DEGREES = 2, PIXELS = 4, COUNT = 2, LONLAT = 8 };

static void text(tally_text *t, const char *field)
{
    if (t->size && t->bytes[t->size - 1] != '\n') tally_text_bytes(t, ",", 1);
    tally_text_csv(t, field);
}

static void number(tally_text *t, double value, int decimals)
{
    tally_text_bytes(t, ",", 1);
    tally_text_number(t, value, decimals);
}

static void whole(tally_text *t, int64_t value)
{
    tally_text_add(t, ",%lld", (long long)value);
}

static void when(tally_text *t, int64_t utc)
{
    char stamp[24];
    tally_utc_format(utc, stamp);
    tally_text_add(t, ",%s", stamp);
}

static void end_row(tally_text *t)
{
    tally_text_bytes(t, "\n", 1);
}

static void scenes_csv(const tally_records *r, tally_text *t)
{
    tally_text_add(t,
                   "site,scene,datetime,files,epsg,gsd_m,sun_azimuth,sun_elevation,off_nadir,cloud,"
                   "reference,dx_px,dy_px,"
                   "rmse_px,windows,quality,reason,family,sensor,time_source,time_precision,basis,"
                   "model,vanishing\n");
    for (size_t i = 0; i < r->n_scenes; i++) {
        const tally_scene_record *s = &r->scenes[i];
        text(t, s->site);
        text(t, s->scene);
        when(t, s->utc);
        text(t, s->files);
        if (s->epsg)
            whole(t, s->epsg);
        else
            tally_text_bytes(t, ",", 1);
        number(t, s->gsd_m, PIXELS);
        number(t, s->sun_azimuth, DEGREES);
        number(t, s->sun_elevation, DEGREES);
        number(t, s->off_nadir, DEGREES);
        number(t, s->cloud, DEGREES);
        whole(t, s->reference);
        number(t, s->dx_px, PIXELS);
        number(t, s->dy_px, PIXELS);
        number(t, s->rmse_px, PIXELS);
        whole(t, s->windows);
        text(t, s->quality == TALLY_QUALITY_REJECTED ? "rejected" : "ok");
        text(t, s->reason);
        text(t, s->family);
        text(t, s->sensor);
        text(t, s->time_source);
        text(t, s->time_precision);
        text(t, s->basis);
        text(t, s->model);
        number(t, s->vanishing, SHARE);
        end_row(t);
    }
}

static const char series_columns[] = "site,zone,class,datetime,scene,count,low,high,extent,unit,"
                                     "occupancy,seen,quality,estimate,reason,family,gsd_m";

static double counted(int64_t count)
{
    return count == TALLY_NO_COUNT ? NAN : (double)count;
}

static void series_row(tally_text *t, const tally_observation *o)
{
    text(t, o->site);
    text(t, o->zone);
    text(t, tally_class_name(o->class_));
    when(t, o->utc);
    text(t, o->scene);
    number(t, counted(o->count), 0);
    number(t, o->low, COUNT);
    number(t, o->high, COUNT);
    number(t, o->extent, METRES);
    text(t, tally_class_unit(o->class_));
    number(t, o->occupancy, SHARE);
    number(t, o->seen, SHARE);
    text(t, tally_quality_name(o->quality));
    number(t, o->estimate, COUNT);
    text(t, o->reason);
    text(t, o->family);
    number(t, o->gsd_m, PIXELS);
}

static void series_csv(const tally_records *r, tally_text *t)
{
    tally_text_add(t, "%s,containers,containers_low,containers_high,containers_basis\n",
                   series_columns);
    for (size_t i = 0; i < r->n_observations; i++) {
        const tally_observation *o = &r->observations[i];
        series_row(t, o);
        number(t, o->containers, 0);
        number(t, o->containers_low, 0);
        number(t, o->containers_high, 0);
        text(t, o->containers_basis);
        end_row(t);
    }
}

/* The row as the machine has it. */
static tally_observation machine_row(const tally_observation *o)
{
    tally_observation row = *o;
    if (!o->reviewed.touched) return row;
    row.quality = o->reviewed.quality;
    row.count = o->reviewed.count;
    row.low = o->reviewed.low;
    row.high = o->reviewed.high;
    row.estimate = o->reviewed.estimate;
    row.reason = o->reviewed.reason;
    return row;
}

/* series.csv, and beside each row of it what the reviews made of it. */
static void reviewed_csv(const tally_records *r, tally_text *t)
{
    tally_text_add(t,
                   "%s,reviewed,reviewed_low,reviewed_high,reviewed_estimate,counts,action,who,"
                   "why,when\n",
                   series_columns);
    for (size_t i = 0; i < r->n_observations; i++) {
        const tally_observation *o = &r->observations[i], row = machine_row(o);
        const tally_reviewed *v = &o->reviewed;
        series_row(t, &row);
        number(t, counted(o->count), 0);
        number(t, o->low, COUNT);
        number(t, o->high, COUNT);
        number(t, o->estimate, COUNT);
        text(t, tally_counts_name(v->touched ? TALLY_COUNTS_REVIEWED : TALLY_COUNTS_MACHINE));
        text(t, v->touched ? v->action : "");
        text(t, v->touched ? v->who : "");
        text(t, v->touched ? v->why : "");
        when(t, v->touched ? v->when : TALLY_NO_TIME);
        end_row(t);
    }
}

static void spikes_csv(const tally_records *r, tally_text *t)
{
    tally_text_add(t, "site,zone,class,datetime,scene,count,expected,low,high,score,kind,record_"
                      "since,count_low,count_high,n_seen,"
                      "series_since,previous_record,counts\n");
    for (size_t i = 0; i < r->n_spikes; i++) {
        const tally_spike *s = &r->spikes[i];
        text(t, s->site);
        text(t, s->zone);
        text(t, tally_class_name(s->class_));
        when(t, s->utc);
        text(t, s->scene);
        number(t, s->count, COUNT);
        number(t, s->expected, COUNT);
        number(t, s->low, COUNT);
        number(t, s->high, COUNT);
        number(t, s->score, SHARE);
        text(t, s->kind);
        when(t, s->record_since);
        number(t, s->count_low, COUNT);
        number(t, s->count_high, COUNT);
        whole(t, s->n_seen);
        when(t, s->series_since);
        number(t, s->previous_record, COUNT);
        text(t, tally_counts_name(r->counts));
        end_row(t);
    }
}

static void visits_csv(const tally_records *r, tally_text *t)
{
    tally_text_add(t, "site,zone,visit,length_m,first_seen,last_seen,arrived_after,arrived_before,"
                      "departed_after,departed_before,scenes,call\n");
    for (size_t i = 0; i < r->n_visits; i++) {
        const tally_visit *v = &r->visits[i];
        text(t, v->site);
        text(t, v->zone);
        text(t, v->visit);
        number(t, v->length_m, METRES);
        when(t, v->first_seen);
        when(t, v->last_seen);
        when(t, v->arrived_after);
        when(t, v->arrived_before);
        when(t, v->departed_after);
        when(t, v->departed_before);
        text(t, v->scenes);
        text(t, v->call);
        end_row(t);
    }
}

/* A JSON string: the seven that must be escaped, and nothing else; the text is UTF-8 already. */
static void json_text(tally_text *t, const char *key, const char *value)
{
    tally_text_add(t, "\"%s\":\"", key);
    for (; *value; value++) {
        unsigned char c = (unsigned char)*value;
        if (c == '"' || c == '\\')
            tally_text_add(t, "\\%c", c);
        else if (c < 0x20)
            tally_text_add(t, "\\u%04x", c);
        else
            tally_text_bytes(t, value, 1);
    }
    tally_text_bytes(t, "\",", 2);
}

static void json_number(tally_text *t, const char *key, double value, int decimals,
                        const char *after)
{
    tally_text_add(t, "\"%s\":", key);
    if (isfinite(value))
        tally_text_number(t, value, decimals);
    else
        tally_text_bytes(t, "null", 4);
    tally_text_add(t, "%s", after);
}

static double signed_area(const tally_detection *d)
{
    double twice = 0;
    for (size_t i = 0; i < d->n_ring; i++) {
        const double *a = d->ring[i], *b = d->ring[(i + 1) % d->n_ring], *o = d->ring[0];
        twice += (a[0] - o[0]) * (b[1] - o[1]) - (b[0] - o[0]) * (a[1] - o[1]);
    }
    return twice / 2;
}

/* RFC 7946: closed, and counterclockwise. */
static void json_ring(tally_text *t, const tally_detection *d)
{
    bool turned = signed_area(d) < 0;
    for (size_t i = 0; i <= d->n_ring; i++) {
        size_t k = i % d->n_ring;
        const double *p = d->ring[turned ? (d->n_ring - k) % d->n_ring : k];
        tally_text_bytes(t, i ? ",[" : "[", i ? 2 : 1);
        tally_text_number(t, p[0], LONLAT);
        tally_text_bytes(t, ",", 1);
        tally_text_number(t, p[1], LONLAT);
        tally_text_bytes(t, "]", 1);
    }
}

static void detections_geojson(const tally_records *r, tally_text *t)
{
    char stamp[24];
    tally_text_add(t, "{\"type\":\"FeatureCollection\",\"features\":[");
    for (size_t i = 0; i < r->n_detections; i++) {
        const tally_detection *d = &r->detections[i];
        tally_utc_format(d->utc, stamp);
        tally_text_add(t, "%s\n{\"type\":\"Feature\",\"properties\":{", i ? "," : "");
        json_text(t, "site", d->site);
        json_text(t, "zone", d->zone);
        json_text(t, "class", tally_class_name(d->class_));
        json_text(t, "datetime", stamp);
        json_text(t, "scene", d->scene);
        json_number(t, "count", (double)d->count, 0, ",");
        json_number(t, "length_m", d->length_m, METRES, ",");
        json_number(t, "width_m", d->width_m, METRES, ",");
        json_number(t, "heading_deg", d->heading_deg, DEGREES, ",");
        json_number(t, "area_m2", d->area_m2, METRES, ",");
        json_number(t, "score", d->score, SHARE, ",");
        json_text(t, "type", d->type);
        json_text(t, "id", d->id ? d->id : "");
        if (d->cars && *d->cars) json_text(t, "cars", d->cars);
        t->size -= t->failed ? 0 : 1; /* the last comma */
        tally_text_add(t, "},\"geometry\":{\"type\":\"Polygon\",\"coordinates\":[[");
        if (d->n_ring) json_ring(t, d);
        tally_text_add(t, "]]}}");
    }
    tally_text_add(t, "\n]}\n");
}

static tally_status save(const tally_records *r, void (*fill)(const tally_records *, tally_text *),
                         const char *folder, const char *name, tally_error *err)
{
    tally_text t = { 0 };
    char *path = tally_format("%s/%s", folder, name);
    fill(r, &t);
    tally_status s = path ? tally_text_save(&t, path, err) : tally_nomem(err, name);
    tally_free(path);
    tally_text_fini(&t);
    return s;
}

tally_status tally_report_tables(const tally_records *records, const char *folder, tally_error *err)
{
    tally_status s = save(records, scenes_csv, folder, "scenes.csv", err);
    if (s == TALLY_OK) s = save(records, series_csv, folder, "series.csv", err);
    if (s == TALLY_OK) s = save(records, detections_geojson, folder, "detections.geojson", err);
    if (s == TALLY_OK) s = save(records, spikes_csv, folder, "spikes.csv", err);
    if (s == TALLY_OK) s = save(records, visits_csv, folder, "visits.csv", err);
    return s;
}

tally_status tally_report_reviewed_table(const tally_records *records, const char *folder,
                                         tally_error *err)
{
    return save(records, reviewed_csv, folder, "reviewed.csv", err);
}

char *tally_report_spikes_csv(const tally_records *records)
{
    tally_text t = { 0 };
    spikes_csv(records, &t);
    if (t.failed) tally_text_fini(&t);
    return t.bytes;
}
