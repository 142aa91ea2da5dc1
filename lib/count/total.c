/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "count/total.h"

#include <math.h>
#include <stdio.h>

#include "base/spread.h"

static bool was_seen(const tally_zone_count *row)
{
    return row->quality != TALLY_QUALITY_UNSEEN && row->quality != TALLY_QUALITY_REJECTED;
}

tally_zone_count tally_total(const tally_zone_count *rows, const double *sizes, size_t n)
{
    tally_zone_count t = tally_zone_blank(SIZE_MAX, TALLY_QUALITY_UNSEEN, "");
    double all = 0, counted = 0, looked_at = 0, seen = 0, occupied = 0, extent = 0, estimate = 0;
    int64_t count = 0;
    size_t n_counted = 0, n_refused = 0, n_boxes = 0;
    tally_boxes boxes = { .basis = TALLY_BOXES_SHADOW };
    const char *reason = "";
    tally_spread below = { 0 }, above = { 0 }, fewer = { 0 }, more = { 0 };

    for (size_t i = 0; i < n; i++) {
        const tally_zone_count *r = &rows[i];
        all += sizes[i];
        seen += r->seen / (double)n;
        if (!*reason) reason = r->reason;
        if (!was_seen(r)) continue;
        looked_at += sizes[i];
        if (isfinite(r->extent)) extent += r->extent;
        if (isfinite(r->occupancy)) occupied += r->occupancy * sizes[i];
        if (r->quality == TALLY_QUALITY_REFUSED) n_refused++;
        if (r->count == TALLY_NO_COUNT) continue;
        n_counted++;
        counted += sizes[i];
        count += r->count;
        estimate += r->estimate;
        tally_spread_add(&below, (double)r->count - r->low);
        tally_spread_add(&above, r->high - r->estimate);
        if (r->boxes.basis == TALLY_BOXES_UNKNOWN) continue;
        n_boxes++;
        boxes.best += r->boxes.best;
        tally_spread_add(&fewer, r->boxes.best - r->boxes.low);
        tally_spread_add(&more, r->boxes.high - r->boxes.best);
        /* what holds nothing says nothing of heights */
        if (r->boxes.basis == TALLY_BOXES_RANGE && r->boxes.best > 0)
            boxes.basis = TALLY_BOXES_RANGE;
    }

    t.seen = tally_clamp(seen, 0, 1);
    t.quality = n_refused   ? TALLY_QUALITY_REFUSED
                : n_counted ? tally_quality_of(t.seen)
                            : TALLY_QUALITY_UNSEEN;
    if (t.quality == TALLY_QUALITY_UNSEEN && n_counted && !*reason)
        snprintf(t.reason, sizeof t.reason, "%zu of %zu zones are seen, too little of the site",
                 n_counted, n);
    else if (t.quality != TALLY_QUALITY_OK)
        snprintf(t.reason, sizeof t.reason, "%s", reason);
    /* what was not looked at is not empty */
    if (looked_at > 0 && t.quality != TALLY_QUALITY_UNSEEN) {
        t.extent = extent;
        t.occupancy = tally_clamp(occupied / looked_at, 0, 1);
    }
    if (t.quality == TALLY_QUALITY_REFUSED || n_counted == 0 || t.quality == TALLY_QUALITY_UNSEEN)
        return t;
    t.count = count;
    t.estimate = counted < all ? estimate * all / counted : estimate;
    double added = t.estimate - estimate, doubt = counted < all ? tally_spread_of_added(added) : 0;
    /* what was seen is there: only doubt about it reaches below the count */
    t.low = fmax(0, (double)count - tally_spread_half(&below, 0));
    t.high = t.estimate + tally_spread_half(&above, doubt);
    if (n_boxes == 0 || n_boxes < n_counted) return t;
    const double scale = counted < all ? all / counted : 1;
    boxes.low = fmax(0, floor(boxes.best - tally_spread_half(&fewer, 0)));
    boxes.high = ceil(scale * (boxes.best + tally_spread_half(&more, 0)) + doubt);
    boxes.best = round(scale * boxes.best);
    t.boxes = boxes;
    return t;
}
