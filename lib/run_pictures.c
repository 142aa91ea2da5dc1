/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "run_pictures.h"

#include <string.h>
#include <unistd.h>

#include "report/chip.h"

/* A picture larger than this is of no use beside a table; the report shows the rest of the zone as
 * it is in the store. */
enum { MAX_SIDE = 1600, MAX_UNITS_A_PICTURE = 6, SMALL_SIDE = 400 };
static const double MARGIN_M = 12;

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

/* The part of the unit's box that is worth a picture: around the zones, cut to MAX_SIDE about the
 * middle. */
static tally_box picture_box(const tally_stack *stack, const tally_unit *unit)
{
    tally_box box = { 0 };
    for (size_t i = 0; i < unit->n_zones; i++)
        box = tally_box_union(
            box, tally_stack_box(stack, &stack->site->zones[unit->zones[i]].shape, MARGIN_M));
    box = tally_box_intersect(box, unit->box);
    int cut_x = tally_box_width(box) - MAX_SIDE, cut_y = tally_box_height(box) - MAX_SIDE;
    if (cut_x > 0) box.x0 += cut_x / 2, box.x1 = box.x0 + MAX_SIDE;
    if (cut_y > 0) box.y0 += cut_y / 2, box.y1 = box.y0 + MAX_SIDE;
    return box;
}

/* What was found of a class in a scene, as rings in the pixels of `box`. Points and paths are two
 * allocations. */
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
                                  tally_class class_, tally_box box, tally_error *err)
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
    for (size_t i = 0; i < n_points && s == TALLY_OK; i++) {
        tally_point px = tally_stack_px(stack, o->points[i]);
        o->points[i] = (tally_point) { px.x - box.x0, px.y - box.y0 };
    }
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

static tally_status draw_unit(const tally_family_job *job, const tally_task_unit *u, size_t scene,
                              const tally_records *records, const char *path, tally_error *err)
{
    const tally_stack *stack = job->stack;
    tally_box box = picture_box(stack, &u->unit);
    tally_patch seen = { 0 }, whole = { 0 }, empty = { 0 };
    outlines found = { 0 };
    tally_chip chip = { 0 };
    int bands[3];
    if (tally_box_empty(box)) return TALLY_OK;
    choose_bands(stack, bands);
    int longest =
        tally_box_width(box) > tally_box_height(box) ? tally_box_width(box) : tally_box_height(box);

    tally_status s = tally_stack_read(job->ctx, stack, scene, box, &seen, err);
    if (s == TALLY_OK)
        s = outlines_init(&found, stack, records, stack->scenes[scene].scene->id,
                          u->counter->class_, box, err);
    if (s == TALLY_OK &&
        tally_model_get(job->model, u->unit.name, TALLY_EMPTY_LAYER, &whole, NULL) == TALLY_OK)
        s = cut_out(&whole, u->unit.box, box, &empty, err);
    if (s == TALLY_OK)
        s = tally_chip_draw(&seen, &empty, bands, found.paths, found.n,
                            longest < SMALL_SIDE ? 2 : 1, &chip, err);
    if (s == TALLY_OK) s = tally_picture_write(path, chip.rgb, chip.width, chip.height, err);
    outlines_fini(&found);
    tally_free(chip.rgb);
    tally_patch_fini(&seen);
    tally_patch_fini(&whole);
    tally_patch_fini(&empty);
    return s;
}

/* A scene's id, made safe for a file name. */
static char *safe_name(const char *text)
{
    char *name = tally_strdup(text);
    for (char *c = name; c && *c; c++) {
        bool plain = (*c >= '0' && *c <= '9') || (*c >= 'A' && *c <= 'Z') ||
                     (*c >= 'a' && *c <= 'z') || *c == '-' || *c == '_' || *c == '.';
        if (!plain || (c == name && *c == '.')) *c = '_';
    }
    return name;
}

static tally_status draw_scene(const tally_family_job *job, size_t scene, tally_class class_,
                               const tally_records *records, tally_error *err)
{
    char *name = safe_name(job->stack->scenes[scene].scene->id);
    tally_status s = name ? TALLY_OK : tally_nomem(err, "a picture's name");
    int drawn = 0;
    for (size_t i = 0; i < job->n_units && s == TALLY_OK && drawn < MAX_UNITS_A_PICTURE; i++) {
        const tally_task_unit *u = &job->units[i];
        if (u->counter->class_ != class_) continue;
        char *path = tally_format("%s/pictures/%s_%s_%s.png", job->settings->folder,
                                  tally_class_name(class_), name, u->unit.name);
        if (!path)
            s = tally_nomem(err, "a picture's name");
        else if (access(path, F_OK) != 0)
            s = draw_unit(job, u, scene, records, path, err);
        tally_free(path);
        drawn++;
    }
    tally_free(name);
    return s;
}

static bool stands_out(const tally_records *records, const char *scene, tally_class class_)
{
    for (size_t i = 0; i < records->n_spikes; i++) {
        const tally_spike *spike = &records->spikes[i];
        if (spike->class_ == class_ && strcmp(spike->zone, "*") == 0 &&
            strcmp(spike->scene, scene) == 0)
            return true;
    }
    return false;
}

tally_status tally_run_pictures_draw(const tally_family_job *job, const tally_records *records,
                                     tally_error *err)
{
    char *folder = tally_format("%s/pictures", job->settings->folder);
    tally_status s = folder ? tally_mkdir(folder, err) : tally_nomem(err, "a folder's name");
    tally_free(folder);
    for (size_t i = 0; i < job->stack->n && s == TALLY_OK; i++) {
        if (!job->stack->scenes[i].placement.accepted) continue;
        for (int c = 0; c < TALLY_CLASS_COUNT && s == TALLY_OK; c++)
            if (stands_out(records, job->stack->scenes[i].scene->id, (tally_class)c))
                s = draw_scene(job, i, (tally_class)c, records, err);
    }
    return s;
}
