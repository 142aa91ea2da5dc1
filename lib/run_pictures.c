/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "run_pictures.h"

#include <math.h>
#include <string.h>

#include "report/chip.h"

/* Wider places are shown smaller; those of more pixels than can be read at once, in part. */
enum { MAX_SIDE = 1600, GOOD_SIDE = 900, MAX_ZOOM = 8, MAX_PIXELS = 6 << 20, MAX_PICTURES = 6 };
static const double MARGIN_M = 12, AROUND_M = 60;

/* Red, green, blue from what the stack has; one band alone is shown grey. */
static void choose_bands(const tally_stack *stack, int bands[3])
{
    static const tally_band_role wanted[3] = { TALLY_RED, TALLY_GREEN, TALLY_BLUE };
    for (int c = 0; c < 3; c++) {
        bands[c] = stack->n_bands >= 3 ? c : 0;
        for (int b = 0; b < stack->n_bands; b++)
            if (stack->roles[b] == wanted[c]) bands[c] = b;
    }
}

/* What was found of a class in a scene, or the zones of a unit, in pixels of the grid until
 * shift_outlines. Points and paths are two allocations. */
typedef struct outlines {
    tally_point *points;
    tally_path *paths;
    size_t n;
} outlines;

static void outlines_fini(outlines *o)
{
    tally_free(o->points);
    tally_free(o->paths);
    *o = (outlines) { 0 };
}

static bool is_of(const tally_detection *d, const char *scene, tally_class class_)
{
    return d->class_ == class_ && strcmp(d->scene, scene) == 0;
}

static tally_status outlines_init(outlines *o, const tally_stack *stack,
                                  const tally_records *records, const char *scene,
                                  tally_class class_, tally_error *err)
{
    size_t n_points = 0, n = 0;
    for (size_t i = 0; i < records->n_detections; i++)
        if (is_of(&records->detections[i], scene, class_))
            n++, n_points += records->detections[i].n_ring;
    *o = (outlines) { .points = tally_alloc(n_points, sizeof *o->points),
                      .paths = tally_alloc(n, sizeof *o->paths) };
    if (!o->points || !o->paths) {
        outlines_fini(o);
        return tally_nomem(err, "the outlines of a picture");
    }
    tally_point *next = o->points;
    for (size_t i = 0; i < records->n_detections; i++) {
        const tally_detection *d = &records->detections[i];
        if (!is_of(d, scene, class_)) continue;
        o->paths[o->n++] = (tally_path) { .points = next, .n = d->n_ring };
        for (size_t k = 0; k < d->n_ring; k++)
            *next++ = (tally_point) { d->ring[k][0], d->ring[k][1] };
    }
    if (n_points == 0) return TALLY_OK;
    tally_status s = tally_site_from_lonlat(stack->site, o->points, n_points, err);
    for (size_t i = 0; i < n_points && s == TALLY_OK; i++)
        o->points[i] = tally_stack_px(stack, o->points[i]);
    if (s != TALLY_OK) outlines_fini(o);
    return s;
}

/* Cut `box` out of a patch that covers `from`. */
static tally_status cut_out(const tally_patch *whole, tally_box from, tally_box box,
                            tally_patch *out, tally_error *err)
{
    tally_status s =
        tally_patch_init(out, tally_box_width(box), tally_box_height(box), whole->bands, err);
    if (s != TALLY_OK) return s;
    for (int y = 0; y < out->height; y++)
        for (int x = 0; x < out->width; x++) {
            int wx = x + box.x0 - from.x0, wy = y + box.y0 - from.y0;
            if (wx < 0 || wy < 0 || wx >= whole->width || wy >= whole->height ||
                !tally_bits_get(&whole->valid, wx, wy))
                continue;
            tally_bits_set(&out->valid, x, y);
            for (int b = 0; b < whole->bands; b++)
                tally_patch_row(out, b, y)[x] = tally_patch_row(whole, b, wy)[wx];
        }
    return TALLY_OK;
}

static bool is_small_enough(tally_box b)
{
    return (int64_t)tally_box_width(b) * tally_box_height(b) <= MAX_PIXELS;
}

static tally_box box_around(const outlines *found, int margin)
{
    tally_box box = { 0 };
    for (size_t i = 0; i < found->n; i++)
        for (size_t k = 0; k < found->paths[i].n; k++) {
            const tally_point p = found->paths[i].points[k];
            if (!(fabs(p.x) < 1e8 && fabs(p.y) < 1e8)) continue;
            const int x = (int)floor(p.x), y = (int)floor(p.y);
            box = tally_box_union(box, (tally_box) { x, y, x + 1, y + 1 });
        }
    return tally_box_empty(box) ? box : tally_box_grow(box, margin);
}

/* The part of the unit's box that is worth a picture: around its zones; where that is too much to
 * read at once (open water), around what was found; at last cut about the middle. */
static tally_box picture_box(const tally_stack *stack, const tally_unit *unit,
                             const outlines *found, bool *whole)
{
    tally_box box = { 0 };
    for (size_t i = 0; i < unit->n_zones; i++)
        box = tally_box_union(
            box, tally_stack_box(stack, &stack->site->zones[unit->zones[i]].shape, MARGIN_M));
    box = tally_box_intersect(box, unit->box);
    if ((*whole = is_small_enough(box))) return box;
    tally_box near = tally_box_intersect(
        box, box_around(found, (int)ceil(AROUND_M / fmax(stack->grid.gsd_m, 0.01))));
    if (!tally_box_empty(near)) box = near;
    if (is_small_enough(box)) return box;
    const int side = (int)sqrt((double)MAX_PIXELS);
    const int cut_x = tally_box_width(box) - side, cut_y = tally_box_height(box) - side;
    if (cut_x > 0) box.x0 += cut_x / 2, box.x1 = box.x0 + side;
    if (cut_y > 0) box.y0 += cut_y / 2, box.y1 = box.y0 + side;
    return box;
}

static void shift_outlines(outlines *o, tally_box box)
{
    for (size_t i = 0; i < o->n; i++)
        for (size_t k = 0; k < o->paths[i].n; k++) {
            o->paths[i].points[k].x -= box.x0;
            o->paths[i].points[k].y -= box.y0;
        }
}

/* The zones of a unit in the pixels of `box`. */
static tally_status zone_lines(const tally_stack *stack, const tally_unit *unit, tally_box box,
                               outlines *out, tally_error *err)
{
    size_t n = 0, n_points = 0;
    *out = (outlines) { 0 };
    for (size_t i = 0; i < unit->n_zones; i++) {
        const tally_shape *shape = &stack->site->zones[unit->zones[i]].shape;
        n += shape->n_paths;
        for (size_t k = 0; k < shape->n_paths; k++)
            n_points += shape->paths[k].n;
    }
    out->paths = tally_alloc(n, sizeof *out->paths);
    out->points = tally_alloc(n_points, sizeof *out->points);
    if (!out->paths || !out->points) {
        outlines_fini(out);
        return tally_nomem(err, "the zones of a picture");
    }
    tally_point *next = out->points;
    for (size_t i = 0; i < unit->n_zones; i++) {
        const tally_shape *shape = &stack->site->zones[unit->zones[i]].shape;
        for (size_t k = 0; k < shape->n_paths; k++) {
            out->paths[out->n++] = (tally_path) { .points = next, .n = shape->paths[k].n };
            for (size_t j = 0; j < shape->paths[k].n; j++)
                *next++ = tally_stack_px(stack, shape->paths[k].points[j]);
        }
    }
    shift_outlines(out, box);
    return TALLY_OK;
}

/* Beside the picture stands what it shows, for the report, which knows no units and no grid. */
static tally_status write_caption(const tally_stack *stack, const tally_unit *unit, tally_box box,
                                  bool whole, bool pair, const char *path, tally_error *err)
{
    tally_text text = { 0 };
    for (size_t i = 0; i < unit->n_zones; i++)
        tally_text_add(&text, "%s%s", i ? ", " : "", stack->site->zones[unit->zones[i]].name);
    const bool stacked = tally_box_width(box) > 2 * tally_box_height(box);
    tally_text_add(&text, ": %s%.0f by %.0f m, north is up", whole ? "" : "a part of it, ",
                   tally_box_width(box) * stack->grid.gsd_m,
                   tally_box_height(box) * stack->grid.gsd_m);
    if (pair)
        tally_text_add(&text, "; %s this date, %s the background", stacked ? "above" : "left",
                       stacked ? "below" : "right");
    tally_text_add(&text, "\n");
    tally_status s = tally_text_save(&text, path, err);
    tally_text_fini(&text);
    return s;
}

static void choose_scale(tally_box box, tally_chip_settings *out)
{
    const int longest =
        tally_box_width(box) > tally_box_height(box) ? tally_box_width(box) : tally_box_height(box);
    out->zoom = longest > 0 && GOOD_SIDE / longest > 1 ? GOOD_SIDE / longest : 1;
    if (out->zoom > MAX_ZOOM) out->zoom = MAX_ZOOM;
    out->shrink = (longest + MAX_SIDE - 1) / MAX_SIDE;
    if (out->shrink < 1) out->shrink = 1;
}

/* stem: of `stem.png` and `stem.txt` */
static tally_status draw_unit(const tally_family_job *job, const tally_task_unit *u, size_t scene,
                              const tally_records *records, const char *stem, tally_error *err)
{
    const tally_stack *stack = job->stack;
    char *picture = tally_format("%s.png", stem), *caption = tally_format("%s.txt", stem);
    tally_patch seen = { 0 }, whole = { 0 }, empty = { 0 };
    outlines found = { 0 }, zones = { 0 };
    tally_chip chip = { 0 };
    tally_chip_settings how = { 0 };
    bool all = true;
    tally_status s = picture && caption ? TALLY_OK : tally_nomem(err, "a picture's name");

    if (s == TALLY_OK)
        s = outlines_init(&found, stack, records, stack->scenes[scene].scene->id,
                          u->counter->class_, err);
    if (s != TALLY_OK) goto out;
    const tally_box box = picture_box(stack, &u->unit, &found, &all);
    if (tally_box_empty(box)) goto out;
    shift_outlines(&found, box);
    choose_bands(stack, how.bands);
    choose_scale(box, &how);

    s = tally_stack_read(job->ctx, stack, scene, box, &seen, err);
    if (s == TALLY_OK) s = zone_lines(stack, &u->unit, box, &zones, err);
    if (s == TALLY_OK &&
        tally_model_get(job->model, u->unit.name, TALLY_EMPTY_LAYER, &whole, NULL) == TALLY_OK)
        s = cut_out(&whole, u->unit.box, box, &empty, err);
    how.outlines = found.paths;
    how.n_outlines = found.n;
    how.zones = zones.paths;
    how.n_zones = zones.n;
    how.zones_are_lines = u->counter->class_ == TALLY_RAILCAR;
    if (s == TALLY_OK) s = tally_chip_draw(&seen, &empty, &how, &chip, err);
    if (s == TALLY_OK)
        s = write_caption(stack, &u->unit, box, all, empty.pixels != NULL, caption, err);
    if (s == TALLY_OK) s = tally_picture_write(picture, chip.rgb, chip.width, chip.height, err);
out:
    outlines_fini(&found);
    outlines_fini(&zones);
    tally_free(chip.rgb);
    tally_patch_fini(&seen);
    tally_patch_fini(&whole);
    tally_patch_fini(&empty);
    tally_free(picture);
    tally_free(caption);
    return s;
}

char *tally_safe_name(const char *text)
{
    char *name = tally_strdup(text);
    for (char *c = name; c && *c; c++) {
        bool plain = (*c >= '0' && *c <= '9') || (*c >= 'A' && *c <= 'Z') ||
                     (*c >= 'a' && *c <= 'z') || *c == '-' || *c == '_' || *c == '.';
        if (!plain || (c == name && *c == '.')) *c = '_';
    }
    return name;
}

/* Why a scene's pictures of a class are drawn: its total stands out, is the latest or the most
 * (all units), or a zone of it stands out (that zone's unit). */
typedef struct wanted {
    const tally_records *records;
    const char *scene;
    tally_class class_;
    bool all;
} wanted;

static bool is_counted_total(const tally_observation *o, tally_class class_)
{
    return o->class_ == class_ && strcmp(o->zone, "*") == 0 && o->count != TALLY_NO_COUNT;
}

static bool is_latest_or_most(const tally_records *records, const char *scene, tally_class class_)
{
    const tally_observation *latest = NULL, *most = NULL;
    for (size_t i = 0; i < records->n_observations; i++) {
        const tally_observation *o = &records->observations[i];
        if (!is_counted_total(o, class_)) continue;
        latest = o;
        if (!most || o->estimate > most->estimate) most = o;
    }
    return latest && (strcmp(latest->scene, scene) == 0 || strcmp(most->scene, scene) == 0);
}

static bool zone_stands_out(const wanted *w, const char *zone)
{
    for (size_t i = 0; i < w->records->n_spikes; i++) {
        const tally_spike *spike = &w->records->spikes[i];
        if (spike->class_ == w->class_ && strcmp(spike->zone, zone) == 0 &&
            strcmp(spike->scene, w->scene) == 0)
            return true;
    }
    return false;
}

static bool shows_something(const wanted *w, const char *zone)
{
    for (size_t i = 0; i < w->records->n_detections; i++)
        if (is_of(&w->records->detections[i], w->scene, w->class_) &&
            strcmp(w->records->detections[i].zone, zone) == 0)
            return true;
    return false;
}

/* 0: first to be drawn (something stands out or was found), 1: then, 2: not at all. */
static int rank_of(const wanted *w, const tally_site *site, const tally_task_unit *u)
{
    bool found = false, out = false;
    if (u->counter->class_ != w->class_) return 2;
    for (size_t i = 0; i < u->unit.n_zones; i++) {
        found = found || shows_something(w, site->zones[u->unit.zones[i]].name);
        out = out || zone_stands_out(w, site->zones[u->unit.zones[i]].name);
    }
    return out || (w->all && found) ? 0 : w->all ? 1 : 2;
}

static tally_status draw_scene(const tally_family_job *job, size_t scene, const wanted *w,
                               tally_error *err)
{
    char *name = tally_safe_name(w->scene);
    tally_status s = name ? TALLY_OK : tally_nomem(err, "a picture's name");
    int drawn = 0;
    for (int rank = 0; rank < 2; rank++)
        for (size_t i = 0; i < job->n_units && s == TALLY_OK && drawn < MAX_PICTURES; i++) {
            const tally_task_unit *u = &job->units[i];
            if (rank_of(w, job->site, u) != rank) continue;
            char *stem = tally_format("%s/pictures/%s_%s_%s", job->settings->folder,
                                      tally_class_name(w->class_), name, u->unit.name);
            s = stem ? draw_unit(job, u, scene, w->records, stem, err)
                     : tally_nomem(err, "a picture's name");
            tally_free(stem);
            drawn++;
        }
    tally_free(name);
    return s;
}

tally_status tally_run_pictures_draw(const tally_family_job *job, const tally_records *records,
                                     tally_error *err)
{
    char *folder = tally_format("%s/pictures", job->settings->folder);
    tally_status s = folder ? tally_mkdir(folder, err) : tally_nomem(err, "a folder's name");
    tally_free(folder);
    for (size_t i = 0; i < job->stack->n && s == TALLY_OK; i++) {
        if (!job->stack->scenes[i].placement.accepted) continue;
        for (int c = 0; c < TALLY_CLASS_COUNT && s == TALLY_OK; c++) {
            wanted w = { records, job->stack->scenes[i].scene->id, (tally_class)c, false };
            w.all = zone_stands_out(&w, "*") || is_latest_or_most(records, w.scene, w.class_);
            s = draw_scene(job, i, &w, err);
        }
    }
    return s;
}
