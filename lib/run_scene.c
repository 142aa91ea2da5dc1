/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "run_scene.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "count/total.h"

enum { MAX_RING = sizeof(((tally_found *)0)->ring) / sizeof(tally_point) };

/* The class that a zone of this role carries; -1: none. */
static int class_of(tally_role role)
{
    switch (role) {
    case TALLY_TRACK:
        return TALLY_RAILCAR;
    case TALLY_YARD:
        return TALLY_CONTAINER_STACK;
    case TALLY_WATER:
    case TALLY_BERTH:
        return TALLY_VESSEL;
    default:
        return -1;
    }
}

static double size_of(const tally_zone *zone)
{
    double size = 0;
    if (!zone->shape.is_line) return fmax(tally_shape_area(&zone->shape), 1);
    for (size_t i = 0; i < zone->shape.n_paths; i++)
        size += tally_path_length(&zone->shape.paths[i]);
    return fmax(size, 1);
}

static tally_status scene_row(const tally_site *site, const tally_scene *scene,
                              const tally_scene_record *rest, tally_records *out, tally_error *err)
{
    tally_text files = { 0 };
    for (size_t i = 0; i < scene->n_tiles; i++) {
        const char *name = strrchr(scene->tiles[i]->path, '/');
        tally_text_add(&files, "%s%s", i ? ";" : "", name ? name + 1 : scene->tiles[i]->path);
    }
    tally_scene_record row = *rest;
    row.site = site->id;
    row.scene = scene->id;
    row.files = files.bytes ? files.bytes : "";
    row.family = scene->family;
    row.sensor = scene->sensor;
    row.time_source = scene->time_source;
    row.time_precision = scene->time_precision;
    row.utc = scene->utc;
    row.epsg = scene->epsg;
    row.gsd_m = scene->gsd_m;
    row.sun_azimuth = scene->sun_azimuth;
    row.sun_elevation = scene->sun_elevation;
    row.off_nadir = scene->off_nadir;
    row.cloud = scene->cloud;
    tally_status s =
        files.failed ? tally_nomem(err, scene->id) : tally_records_add_scene(out, &row, err);
    tally_text_fini(&files);
    return s;
}

static tally_status add_observation(const tally_site *site, const tally_scene *scene,
                                    const char *zone, tally_class class_, const tally_zone_count *c,
                                    tally_records *out, tally_error *err)
{
    tally_observation row = { .site = site->id,
                              .zone = zone,
                              .scene = scene->id,
                              .reason = c->reason,
                              .family = scene->family,
                              .class_ = class_,
                              .quality = c->quality,
                              .utc = scene->utc,
                              .count = c->count,
                              .low = c->low,
                              .high = c->high,
                              .extent = c->extent,
                              .occupancy = c->occupancy,
                              .seen = c->seen,
                              .estimate = c->estimate,
                              .gsd_m = scene->gsd_m,
                              .containers = c->boxes.best,
                              .containers_low = c->boxes.low,
                              .containers_high = c->boxes.high,
                              .containers_basis = tally_boxes_basis_name(c->boxes.basis) };
    return tally_records_add_observation(out, &row, err);
}

/* All zones of one class, then the site's total. rows: found ones for each zone of the site, by
 * zone index. */
static tally_status class_rows(const tally_site *site, const tally_scene *scene, tally_class class_,
                               const tally_zone_count *by_zone, tally_records *out,
                               tally_error *err)
{
    size_t n = 0;
    tally_zone_count *rows = tally_alloc(site->n_zones, sizeof *rows);
    double *sizes = tally_alloc(site->n_zones, sizeof *sizes);
    tally_status s = rows && sizes ? TALLY_OK : tally_nomem(err, scene->id);
    for (size_t z = 0; z < site->n_zones && s == TALLY_OK; z++) {
        if (class_of(site->zones[z].role) != (int)class_) continue;
        rows[n] = by_zone[z];
        sizes[n++] = size_of(&site->zones[z]);
        s = add_observation(site, scene, site->zones[z].name, class_, &by_zone[z], out, err);
    }
    if (s == TALLY_OK && n > 0) {
        tally_zone_count total = tally_total(rows, sizes, n);
        if (rows[0].quality == TALLY_QUALITY_REJECTED) total.quality = TALLY_QUALITY_REJECTED;
        s = add_observation(site, scene, "*", class_, &total, out, err);
    }
    tally_free(rows);
    tally_free(sizes);
    return s;
}

static tally_status observation_rows(const tally_site *site, const tally_scene *scene,
                                     const tally_findings *findings, const tally_zone_count *blank,
                                     tally_records *out, tally_error *err)
{
    tally_zone_count *by_zone = tally_alloc(site->n_zones, sizeof *by_zone);
    if (!by_zone) return tally_nomem(err, scene->id);
    for (size_t z = 0; z < site->n_zones; z++)
        by_zone[z] = *blank;
    for (size_t i = 0; findings && i < findings->n_zones; i++)
        if (findings->zones[i].zone < site->n_zones)
            by_zone[findings->zones[i].zone] = findings->zones[i];
    tally_status s = TALLY_OK;
    for (int c = 0; c < TALLY_CLASS_COUNT && s == TALLY_OK; c++)
        s = class_rows(site, scene, (tally_class)c, by_zone, out, err);
    tally_free(by_zone);
    return s;
}

static tally_status add_found(const tally_site *site, const tally_scene *scene,
                              const tally_found *found, const tally_point *lonlat,
                              tally_records *out, tally_error *err)
{
    double ring[MAX_RING][2];
    for (int i = 0; i < found->n_ring; i++) {
        ring[i][0] = lonlat[i].x;
        ring[i][1] = lonlat[i].y;
    }
    tally_detection row = { .site = site->id,
                            .zone = site->zones[found->zone].name,
                            .scene = scene->id,
                            .type = found->type,
                            .cars = found->cars,
                            .class_ = (tally_class)class_of(site->zones[found->zone].role),
                            .utc = scene->utc,
                            .count = found->count,
                            .length_m = found->length_m,
                            .width_m = found->width_m,
                            .heading_deg = found->heading_deg,
                            .area_m2 = found->area_m2,
                            .score = found->score,
                            .ring = ring,
                            .n_ring = (size_t)found->n_ring };
    return tally_records_add_detection(out, &row, err);
}

static tally_status detection_rows(const tally_site *site, const tally_scene *scene,
                                   const tally_findings *findings, tally_records *out,
                                   tally_error *err)
{
    tally_point *lonlat = tally_alloc(findings->n_found, MAX_RING * sizeof *lonlat);
    tally_status s = lonlat ? TALLY_OK : tally_nomem(err, scene->id);
    size_t n = 0;
    for (size_t i = 0; i < findings->n_found && s == TALLY_OK; i++) {
        const tally_found *f = &findings->found[i];
        if (f->zone >= site->n_zones || f->n_ring < 3 || f->n_ring > MAX_RING) {
            s = tally_fail(err, TALLY_E_ARG, "%s: a detection without zone or outline", scene->id);
            break;
        }
        memcpy(lonlat + n, f->ring, (size_t)f->n_ring * sizeof *lonlat);
        n += (size_t)f->n_ring;
    }
    if (s == TALLY_OK && n > 0) s = tally_site_to_lonlat(site, lonlat, n, err);
    for (size_t i = 0, at = 0; i < findings->n_found && s == TALLY_OK; i++) {
        s = add_found(site, scene, &findings->found[i], lonlat + at, out, err);
        at += (size_t)findings->found[i].n_ring;
    }
    tally_free(lonlat);
    return s;
}

tally_status tally_scene_rows(const tally_stack *stack, size_t i, const char *basis,
                              const tally_findings *findings, tally_records *out, tally_error *err)
{
    const tally_stack_scene *entry = &stack->scenes[i];
    const tally_placement *p = &entry->placement;
    const tally_zone_count unseen = tally_zone_blank(0, TALLY_QUALITY_UNSEEN, "not counted");
    tally_scene_record row = { .quality = TALLY_QUALITY_OK,
                               .reason = "",
                               .basis = basis,
                               .model = isfinite(p->rmse_px) || p->windows > 0
                                            ? tally_placement_model(p)
                                            : "",
                               .vanishing = p->vanishing,
                               .reference = (int)i == stack->reference,
                               .windows = p->windows,
                               .dx_px = p->dx_px,
                               .dy_px = p->dy_px,
                               .rmse_px = p->rmse_px };
    tally_status s = scene_row(stack->site, entry->scene, &row, out, err);
    if (s == TALLY_OK) s = observation_rows(stack->site, entry->scene, findings, &unseen, out, err);
    if (s == TALLY_OK) s = detection_rows(stack->site, entry->scene, findings, out, err);
    return s;
}

tally_status tally_scene_rows_rejected(const tally_site *site, const tally_scene *scene,
                                       const char *reason, tally_records *out, tally_error *err)
{
    const tally_zone_count blank = tally_zone_blank(0, TALLY_QUALITY_REJECTED, reason);
    tally_scene_record row = { .quality = TALLY_QUALITY_REJECTED,
                               .reason = reason,
                               .basis = "",
                               .model = "",
                               .vanishing = NAN,
                               .dx_px = NAN,
                               .dy_px = NAN,
                               .rmse_px = NAN };
    tally_status s = scene_row(site, scene, &row, out, err);
    if (s != TALLY_OK || scene->utc == TALLY_NO_TIME || scene->duplicate_of) return s;
    return observation_rows(site, scene, NULL, &blank, out, err);
}
