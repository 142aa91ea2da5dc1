/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What every counter looks like. A counter cuts its zones into units (neighbouring tracks; one
 * yard; a water area with its berths), learns each unit once from chosen scenes (step 2), then
 * counts each (unit, scene) on its own (step 3).
 */
#ifndef TALLY_COUNT_COUNTER_H
#define TALLY_COUNT_COUNTER_H

#include "base/spread.h"
#include "change/model.h"
#include "tallyman/records.h"

/* Boxes in all tiers, of container stacks; nothing of other classes. */
typedef enum tally_boxes_basis {
    TALLY_BOXES_UNKNOWN,
    TALLY_BOXES_RANGE,  /* as many tiers as are usual */
    TALLY_BOXES_SHADOW, /* as high as shadows tell */
} tally_boxes_basis;
const char *tally_boxes_basis_name(tally_boxes_basis basis); /* "", `range`, `shadow` */
typedef struct tally_boxes {
    tally_boxes_basis basis;
    double best, low, high;
} tally_boxes;

/* One zone of one scene. Becomes an observation; the total over zones is made by
 * tally_findings_total. */
typedef struct tally_zone_count {
    size_t zone; /* index in site->zones */
    tally_quality quality;
    int64_t count; /* TALLY_NO_COUNT: unseen or refused */
    double low, high, estimate, extent, occupancy, seen;
    tally_boxes boxes;
    char reason[96];
} tally_zone_count;

/* A row that has nothing but a reason. */
tally_zone_count tally_zone_blank(size_t zone, tally_quality quality, const char *reason);

/* One thing found, outline in site metres, true position (tally_stack_metres). */
typedef struct tally_found {
    size_t zone;
    int64_t count;
    double length_m, width_m, heading_deg, area_m2, score;
    const char *type; /* static string */
    char *cars;       /* of what a cut is made; the findings keep a copy; NULL: not known */
    tally_point ring[8];
    int n_ring;
} tally_found;

typedef struct tally_findings {
    tally_zone_count *zones;
    size_t n_zones;
    tally_found *found;
    size_t n_found;
} tally_findings;
tally_status tally_findings_add_zone(tally_findings *f, const tally_zone_count *row,
                                     tally_error *err) TALLY_MUST_CHECK;
tally_status tally_findings_add_found(tally_findings *f, const tally_found *row,
                                      tally_error *err) TALLY_MUST_CHECK;
void tally_findings_fini(tally_findings *f);

typedef struct tally_unit {
    char name[40]; /* safe in a file name, unique within the run: `rail0`, `yard3`, `water1` */
    size_t *zones; /* indices in site->zones */
    size_t n_zones;
    tally_box box; /* on the grid: all that the counter reads */
} tally_unit;

typedef struct tally_counter {
    tally_class class_;
    /* Cut the site into units. *out is n units, freed with tally_units_free. */
    tally_status (*plan)(const tally_stack *stack, tally_unit **out, size_t *n, tally_error *err);
    /* Step 2, from the scenes `chosen` (indices into the stack; accepted, at most 64). May find
     * that it needs nothing. Memory: blocks, not the whole unit times the scenes, where the unit is
     * large. */
    tally_status (*learn)(const tally_context *ctx, const tally_stack *stack,
                          const tally_unit *unit, const size_t *chosen, size_t n_chosen,
                          tally_model *model, tally_error *err);
    /* Step 3. Adds one zone row for each zone of the unit, and what was found. Depends on this
     * scene and the model alone. */
    tally_status (*count)(const tally_context *ctx, const tally_stack *stack,
                          const tally_unit *unit, size_t scene, const tally_model *model,
                          tally_findings *out, tally_error *err);
} tally_counter;
void tally_units_free(tally_unit **units, size_t n);
/* A row for each zone of the unit: seen, but not counted, and why. */
tally_status tally_findings_refuse(const tally_unit *unit, const char *why, tally_findings *out,
                                   tally_error *err) TALLY_MUST_CHECK;

extern const tally_counter tally_rail_counter;   /* count/rail.c */
extern const tally_counter tally_yard_counter;   /* count/yard.c */
extern const tally_counter tally_vessel_counter; /* count/vessel.c */

#endif
