/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The zones of vessels as bits. Evidence comes from the water and berths of the whole site, so that
 * a ship across two zones is measured whole; each zone's own bits only tell what share of it was
 * seen. A berth's axis is its longest side.
 */
#include "count/vessel_view.h"

#include <math.h>

static tally_status window_shape(const tally_stack *stack, size_t zone, tally_box box,
                                 tally_shape *out, tally_error *err)
{
    tally_status s = tally_stack_shape(stack, &stack->site->zones[zone].shape, out, err);
    if (s != TALLY_OK) return s;
    for (size_t i = 0; i < out->n_paths; i++)
        for (size_t j = 0; j < out->paths[i].n; j++) {
            out->paths[i].points[j].x -= box.x0;
            out->paths[i].points[j].y -= box.y0;
        }
    return TALLY_OK;
}

static tally_status fill_zone(const tally_stack *stack, size_t zone, tally_box box,
                              tally_bits *bits, tally_error *err)
{
    tally_shape shape = { 0 };
    tally_status s = window_shape(stack, zone, box, &shape, err);
    if (s == TALLY_OK) tally_shape_fill(&shape, bits);
    tally_shape_fini(&shape);
    return s;
}

static void take_out(tally_bits *from, const tally_bits *what)
{
    for (size_t j = 0; j < from->words * (size_t)from->height; j++)
        from->bits[j] &= ~what->bits[j];
}

/* The pixels of all zones of a role. */
static tally_status fill_role(const tally_stack *stack, tally_role role, tally_box box,
                              tally_bits *bits, tally_error *err)
{
    tally_status s = tally_bits_init(bits, tally_box_width(box), tally_box_height(box), err);
    for (size_t i = 0; i < stack->site->n_zones && s == TALLY_OK; i++)
        if (stack->site->zones[i].role == role) s = fill_zone(stack, i, box, bits, err);
    return s;
}

static void find_axis(tally_hull_berth *berth)
{
    double best = 0;
    for (size_t i = 0; i < berth->shape.n_paths; i++)
        for (size_t j = 0; j < berth->shape.paths[i].n; j++) {
            const tally_path *path = &berth->shape.paths[i];
            const tally_point a = path->points[j], b = path->points[(j + 1) % path->n];
            const double length = hypot(b.x - a.x, b.y - a.y);
            if (length <= best) continue;
            best = length;
            berth->ux = (b.x - a.x) / length;
            berth->uy = (b.y - a.y) / length;
        }
}

static tally_status add_berths(tally_vessel_masks *masks, const tally_stack *stack,
                               tally_error *err)
{
    const tally_site *site = stack->site;

    masks->berths = tally_alloc(site->n_zones + 1, sizeof *masks->berths);
    if (!masks->berths) return tally_nomem(err, "the berths of a window");
    for (size_t i = 0; i < site->n_zones; i++) {
        if (site->zones[i].role != TALLY_BERTH) continue;
        const tally_box at = tally_stack_box(stack, &site->zones[i].shape, 0);
        if (tally_box_empty(tally_box_intersect(at, masks->box))) continue;
        tally_hull_berth *berth = &masks->berths[masks->n_berths];
        tally_status s = window_shape(stack, i, masks->box, &berth->shape, err);
        if (s != TALLY_OK) return s;
        masks->n_berths++;
        find_axis(berth);
    }
    return TALLY_OK;
}

tally_status tally_vessel_masks_init(tally_vessel_masks *masks, const tally_stack *stack,
                                     tally_box box, tally_error *err)
{
    tally_bits berths = { 0 }, ignore = { 0 };
    tally_status s;

    *masks = (tally_vessel_masks) { .box = box };
    if ((s = fill_role(stack, TALLY_WATER, box, &masks->open, err)) != TALLY_OK) goto out;
    if ((s = fill_role(stack, TALLY_BERTH, box, &berths, err)) != TALLY_OK) goto out;
    if ((s = fill_role(stack, TALLY_IGNORE, box, &ignore, err)) != TALLY_OK) goto out;
    s = tally_bits_init(&masks->where, berths.width, berths.height, err);
    if (s != TALLY_OK) goto out;
    for (size_t j = 0; j < berths.words * (size_t)berths.height; j++)
        masks->where.bits[j] = berths.bits[j] | masks->open.bits[j];
    take_out(&masks->where, &ignore);
    take_out(&masks->open, &berths);
    take_out(&masks->open, &ignore);
    s = add_berths(masks, stack, err);
out:
    tally_bits_fini(&ignore);
    tally_bits_fini(&berths);
    if (s != TALLY_OK) tally_vessel_masks_fini(masks);
    return s;
}

void tally_vessel_masks_fini(tally_vessel_masks *masks)
{
    for (size_t i = 0; i < masks->n_berths; i++)
        tally_shape_fini(&masks->berths[i].shape);
    tally_free(masks->berths);
    tally_bits_fini(&masks->open);
    tally_bits_fini(&masks->where);
    *masks = (tally_vessel_masks) { 0 };
}

tally_status tally_vessel_zone_bits(const tally_stack *stack, size_t zone, tally_box box,
                                    tally_bits *out, tally_error *err)
{
    tally_bits ignore = { 0 };
    tally_status s = tally_bits_init(out, tally_box_width(box), tally_box_height(box), err);

    if (s == TALLY_OK) s = fill_zone(stack, zone, box, out, err);
    if (s == TALLY_OK) s = fill_role(stack, TALLY_IGNORE, box, &ignore, err);
    if (s == TALLY_OK) take_out(out, &ignore);
    tally_bits_fini(&ignore);
    if (s != TALLY_OK) tally_bits_fini(out);
    return s;
}

int tally_vessel_dark_band(const tally_stack *stack)
{
    static const tally_band_role order[] = { TALLY_NIR, TALLY_RED };
    for (size_t k = 0; k < sizeof order / sizeof *order; k++)
        for (int b = 0; b < stack->n_bands && b < TALLY_WATER_BANDS; b++)
            if (stack->roles[b] == order[k]) return b;
    return 0;
}

bool tally_vessel_zone_near(const tally_site *site, tally_point metres, double margin_m,
                            size_t *zone)
{
    static const double sides[][2] = { { 1, 0 }, { -1, 0 }, { 0, 1 }, { 0, -1 } };
    bool found = tally_vessel_zone_at(site, metres, zone);

    for (size_t i = 0; i < 4; i++) {
        const tally_point beside = { metres.x + margin_m * sides[i][0],
                                     metres.y + margin_m * sides[i][1] };
        size_t other = *zone;
        if (!found || site->zones[*zone].role == TALLY_BERTH) break;
        if (tally_vessel_zone_at(site, beside, &other) && site->zones[other].role == TALLY_BERTH)
            *zone = other;
    }
    return found;
}

bool tally_vessel_zone_at(const tally_site *site, tally_point metres, size_t *zone)
{
    bool found = false;
    for (size_t i = 0; i < site->n_zones; i++) {
        const tally_role role = site->zones[i].role;
        if (role != TALLY_BERTH && role != TALLY_WATER && role != TALLY_IGNORE) continue;
        if (!tally_shape_contains(&site->zones[i].shape, metres)) continue;
        if (role == TALLY_IGNORE) return false;
        if (found && (role != TALLY_BERTH || site->zones[*zone].role == TALLY_BERTH)) continue;
        *zone = i;
        found = true;
    }
    return found;
}
