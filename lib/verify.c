/* SPDX-License-Identifier: GPL-3.0-or-later */
/* `verify`: the runs that made a folder are made again, in their order, in a scratch folder; the
 * tables must be equal. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "run_state.h"

static const char *const tables[] = { "scenes.csv", "series.csv", "detections.geojson",
                                      "spikes.csv", "visits.csv" };
enum { N_TABLES = sizeof tables / sizeof *tables };

static tally_status read_table(const char *folder, const char *name, char **text, size_t *size,
                               tally_error *err)
{
    char *path = tally_format("%s/%s", folder, name);
    if (!path) return tally_nomem(err, name);
    tally_status s = tally_file_read(path, SIZE_MAX / 4, text, size, err);
    tally_free(path);
    return s;
}

static tally_status same_table(const char *a, const char *b, const char *name, bool *same,
                               tally_error *err)
{
    char *left = NULL, *right = NULL;
    size_t n_left = 0, n_right = 0;
    tally_status s = read_table(a, name, &left, &n_left, err);
    if (s == TALLY_OK) s = read_table(b, name, &right, &n_right, err);
    *same = s == TALLY_OK && n_left == n_right && memcmp(left, right, n_left) == 0;
    tally_free(left);
    tally_free(right);
    return s;
}

static tally_status replay(const tally_context *ctx, const tally_run_state *state,
                           const char *folder, const char *scratch, tally_error *err)
{
    tally_status s = TALLY_OK;
    for (size_t i = 0; i < tally_run_state_n_runs(state) && s == TALLY_OK; i++) {
        tally_run_settings settings;
        tally_run_result result;
        if ((s = tally_run_state_run(state, i, &settings, err)) != TALLY_OK) break;
        settings.folder = scratch;
        /* the folder has a copy of the background that it was counted against */
        if (settings.background) settings.background = folder;
        s = tally_run(ctx, &settings, &result, err);
        tally_free((void *)settings.inputs);
    }
    return s;
}

tally_status tally_verify(const tally_context *ctx, const char *folder, const char **differs,
                          tally_error *err)
{
    *differs = "";
    tally_run_state *state = NULL;
    char *scratch = tally_format("%s/verify-XXXXXX", folder);
    tally_status s =
        scratch ? tally_run_state_open(folder, &state, err) : tally_nomem(err, "verify");
    if (s == TALLY_OK && tally_run_state_is_new(state))
        s = tally_fail(err, TALLY_E_IO,
                       "%s: no run.json; it is not a folder that `tallyman run` made", folder);
    if (s == TALLY_OK && !mkdtemp(scratch))
        s = tally_fail(err, TALLY_E_IO,
                       "%s: no scratch folder can be made in it: %s; check who may write there",
                       folder, strerror(errno));
    bool made = s == TALLY_OK;
    if (s == TALLY_OK) s = replay(ctx, state, folder, scratch, err);
    for (int i = 0; i < N_TABLES && s == TALLY_OK && !**differs; i++) {
        bool same;
        s = same_table(folder, scratch, tables[i], &same, err);
        if (s == TALLY_OK && !same) *differs = tables[i];
    }
    tally_error leftover;
    if (made && tally_remove_tree(scratch, &leftover) != TALLY_OK)
        tally_warn(ctx, "%s", leftover.message);
    tally_run_state_close(&state);
    tally_free(scratch);
    return s;
}
