/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * rail_looks SITE OUT SCENE...: the looks (lib/count/rail_looks.h) of every track of every scene,
 * each scene taken alone, for bench/fit_single. OUT: for each track an int32 header (scene, zone,
 * columns, looks a column, EPSG), then float64 x, y (metres of that EPSG) and float32 looks of each
 * column, all zero where nothing was seen.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "count/counter.h"
#include "count/rail_looks.h"
#include "kernels/kernels.h"

static void check(tally_status s, const tally_error *err)
{
    if (s == TALLY_OK) return;
    fprintf(stderr, "rail_looks: %s\n", err->message);
    exit(1);
}

static void write_track(FILE *file, const tally_stack *stack, int scene, const tally_track *t,
                        const tally_patch *strip, float *looks)
{
    const int head[5] = { scene, (int)t->zone, t->n, TALLY_LOOKS, stack->site->epsg };
    fwrite(head, sizeof *head, 5, file);
    for (int c = 0; c < t->n; c++) {
        const tally_point p = tally_stack_metres(stack, tally_track_at(t, c, 0));
        const double place[2] = { p.x, p.y };
        fwrite(place, sizeof *place, 2, file);
        for (int k = 0; k < TALLY_LOOKS; k++)
            if (!tally_rail_looks_seen(t, strip, c)) looks[(size_t)c * TALLY_LOOKS + (size_t)k] = 0;
    }
    fwrite(looks, sizeof *looks * TALLY_LOOKS, (size_t)t->n, file);
}

static void write_unit(FILE *file, const tally_context *ctx, const tally_stack *stack,
                       const tally_unit *unit, int scene)
{
    tally_error err = { 0 };
    tally_track tracks[16] = { 0 };
    tally_patch strips[16] = { 0 }, patch = { 0 };
    float *looks[16] = { 0 };
    size_t n = 0;
    check(tally_stack_read(ctx, stack, 0, unit->box, &patch, &err), &err);
    for (size_t i = 0; i < unit->n_zones && i < 16; i++) {
        if (tally_track_init(stack, unit->zones[i], 4.2, &tracks[n], &err) != TALLY_OK) continue;
        check(tally_rail_looks_sample(ctx, &tracks[n], &patch, unit->box, &strips[n], &err), &err);
        n++;
    }
    check(tally_rail_looks(tracks, strips, n, stack->roles, looks, &err), &err);
    for (size_t i = 0; i < n; i++) {
        write_track(file, stack, scene, &tracks[i], &strips[i], looks[i]);
        tally_free(looks[i]);
        tally_patch_fini(&strips[i]);
        tally_track_fini(&tracks[i]);
    }
    tally_patch_fini(&patch);
}

int main(int argc, char **argv)
{
    const tally_context ctx = { .jobs = 1,
                                .max_memory = (size_t)1 << 30,
                                .kernels = tally_kernels_select(tally_cpu_flags()) };
    tally_error err = { 0 };
    tally_site *site = NULL;
    if (argc < 4) return fputs("rail_looks SITE OUT SCENE...\n", stderr), 2;
    check(tally_site_read(argv[1], NULL, &site, &err), &err);
    FILE *file = fopen(argv[2], "wb");
    if (!file) return perror(argv[2]), 1;
    for (int i = 3; i < argc; i++) {
        tally_catalogue *catalogue = NULL;
        tally_stack *stack = NULL;
        tally_unit *units = NULL;
        size_t n_units = 0;
        const char *const inputs[] = { argv[i] };
        const tally_catalogue_settings look = { .inputs = inputs, .n_inputs = 1, .nodata = NAN };
        const tally_survey_settings survey = { 0 };
        check(tally_catalogue_read(&ctx, &look, &catalogue, &err), &err);
        const tally_scene *const scenes[] = { &catalogue->scenes[0] };
        if (tally_stack_survey(&ctx, site, scenes, 1, &survey, &stack, &err) != TALLY_OK) {
            fprintf(stderr, "%s: %s\n", argv[i], err.message);
        } else {
            check(tally_rail_counter.plan(stack, &units, &n_units, &err), &err);
            for (size_t u = 0; u < n_units; u++)
                write_unit(file, &ctx, stack, &units[u], i - 3);
        }
        tally_units_free(&units, n_units);
        tally_stack_destroy(&stack);
        tally_catalogue_destroy(&catalogue);
    }
    tally_site_destroy(&site);
    return fclose(file) ? 1 : 0;
}
