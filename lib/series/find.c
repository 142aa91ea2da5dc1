/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <math.h>
#include <string.h>

#include "series/series.h"

static bool speaks(const tally_observation *o, int64_t as_of)
{
    bool counted = o->quality == TALLY_QUALITY_OK || o->quality == TALLY_QUALITY_PARTIAL;
    return counted && isfinite(o->estimate) && o->utc != TALLY_NO_TIME &&
           (as_of == TALLY_NO_TIME || o->utc <= as_of);
}

static bool same_line(const tally_observation *a, const tally_observation *b)
{
    return a->class_ == b->class_ && strcmp(a->zone, b->zone) == 0 && strcmp(a->site, b->site) == 0;
}

static tally_status find_spikes(tally_records *r, int64_t as_of, tally_error *err)
{
    tally_line line = { .points = tally_alloc(r->n_observations, sizeof *line.points) };
    bool *done = tally_alloc(r->n_observations, sizeof *done);
    tally_status s = line.points && done ? TALLY_OK : tally_nomem(err, "a series");
    for (size_t i = 0; i < r->n_observations && s == TALLY_OK; i++) {
        if (done[i]) continue;
        line.n = 0;
        for (size_t k = i; k < r->n_observations; k++) {
            if (done[k] || !same_line(&r->observations[i], &r->observations[k])) continue;
            done[k] = true;
            if (speaks(&r->observations[k], as_of)) line.points[line.n++] = &r->observations[k];
        }
        if (line.n > 0) s = tally_line_spikes(r, &line, as_of, err);
    }
    tally_free(line.points);
    tally_free(done);
    return s;
}

tally_status tally_series_find(tally_records *records, const tally_series_settings *settings,
                               tally_error *err)
{
    tally_free(records->spikes);
    tally_free(records->visits);
    records->spikes = NULL;
    records->visits = NULL;
    records->n_spikes = records->n_visits = 0;
    tally_status s = find_spikes(records, settings->as_of, err);
    if (s == TALLY_OK) s = tally_series_visits(records, err);
    if (s == TALLY_OK) tally_records_sort(records);
    return s;
}
