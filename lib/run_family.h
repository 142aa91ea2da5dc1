/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One family of scenes: survey, background, count. The middle of the main job. */
#ifndef TALLY_RUN_FAMILY_H
#define TALLY_RUN_FAMILY_H

#include "count/counter.h"
#include "run_state.h"

/* The model's layer that shows a unit when empty, on the unit's box. */
#define TALLY_EMPTY_LAYER "empty"

/* A unit and the counter that counts it. */
typedef struct tally_task_unit {
    const tally_counter *counter;
    tally_unit unit;
} tally_task_unit;

typedef struct tally_family_job {
    const tally_context *ctx;
    const tally_site *site;
    const tally_run_settings *settings;
    tally_run_state *state;
    tally_stack *stack;
    tally_model *model;
    tally_task_unit *units;
    size_t n_units;
    size_t number;     /* of the run's families, from 1 */
    const char *basis; /* `background`, `pair` or `single` */
} tally_family_job;

/*
 * Step 1 and 2. Survey the scenes; learn the background, or take the frozen one up again. When this
 * returns TALLY_OK the background lies on disk and the state knows it.
 */
tally_status tally_family_begin(tally_family_job *job, const tally_scene *const *scenes, size_t n,
                                tally_error *err) TALLY_MUST_CHECK;

/*
 * Step 3. Count scenes [first, first + n) of the stack in parallel over (scene, unit). findings: n
 * of them, zeroed; what each holds does not depend on the threads. A scene that cannot be read
 * where it matters is accepted no longer. The caller frees them with tally_findings_fini, also on
 * failure.
 */
tally_status tally_family_count(tally_family_job *job, size_t first, size_t n,
                                tally_findings *findings, tally_error *err) TALLY_MUST_CHECK;
void tally_family_end(tally_family_job *job);

#endif
