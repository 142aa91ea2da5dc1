/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "count/counter.h"

#include <math.h>
#include <stdio.h>

/* One more row; capacity is the next power of two. */
static void *grow(void *rows, size_t n, size_t size)
{
    if (n != 0 && (n < 8 || (n & (n - 1)) != 0)) return rows;
    return tally_realloc(rows, n < 8 ? 8 : 2 * n, size);
}

tally_zone_count tally_zone_blank(size_t zone, tally_quality quality, const char *reason)
{
    tally_zone_count z = { .zone = zone,
                           .quality = quality,
                           .count = TALLY_NO_COUNT,
                           .low = NAN,
                           .high = NAN,
                           .estimate = NAN,
                           .extent = NAN,
                           .occupancy = NAN };
    snprintf(z.reason, sizeof z.reason, "%s", reason);
    return z;
}

tally_status tally_findings_add_zone(tally_findings *f, const tally_zone_count *row,
                                     tally_error *err)
{
    tally_zone_count *rows = grow(f->zones, f->n_zones, sizeof *rows);
    if (!rows) return tally_nomem(err, "what was found");
    f->zones = rows;
    f->zones[f->n_zones++] = *row;
    return TALLY_OK;
}

tally_status tally_findings_add_found(tally_findings *f, const tally_found *row, tally_error *err)
{
    tally_found *rows = grow(f->found, f->n_found, sizeof *rows);
    if (!rows) return tally_nomem(err, "what was found");
    f->found = rows;
    f->found[f->n_found] = *row;
    if (row->cars && !(f->found[f->n_found].cars = tally_strdup(row->cars)))
        return tally_nomem(err, "what was found");
    f->n_found++;
    return TALLY_OK;
}

void tally_findings_fini(tally_findings *f)
{
    for (size_t i = 0; i < f->n_found; i++)
        tally_free(f->found[i].cars);
    tally_free(f->zones);
    tally_free(f->found);
    *f = (tally_findings) { 0 };
}

void tally_units_free(tally_unit **units, size_t n)
{
    if (!units || !*units) return;
    for (size_t i = 0; i < n; i++)
        tally_free((*units)[i].zones);
    tally_free(*units);
    *units = NULL;
}

tally_status tally_findings_refuse(const tally_unit *unit, const char *why, tally_findings *out,
                                   tally_error *err)
{
    tally_status s = TALLY_OK;
    for (size_t z = 0; z < unit->n_zones && s == TALLY_OK; z++) {
        tally_zone_count row = tally_zone_blank(unit->zones[z], TALLY_QUALITY_REFUSED, why);
        row.seen = 1;
        s = tally_findings_add_zone(out, &row, err);
    }
    return s;
}

const char *tally_boxes_basis_name(tally_boxes_basis basis)
{
    static const char *const names[] = { "", "range", "shadow" };
    return (unsigned)basis <= TALLY_BOXES_SHADOW ? names[basis] : "";
}
