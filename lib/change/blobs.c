/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Labelling by runs: each row falls into runs of set bits, a run joins the runs of the row above
 * that it touches (8- connected) in a union-find whose roots are the earliest runs (Rosenfeld and
 * Pfaltz 1966; He, Chao, Suzuki 2008). Blobs therefore come out in the order of their first pixel,
 * whatever was joined later. No label image is made. Known limit: diagonal contact joins, so
 * objects that touch at a corner are one blob; counters split them by shape.
 */
#include <string.h>

#include "change/blobs.h"

typedef struct run_list {
    tally_span *runs;
    size_t *parent;
    size_t n, capacity;
} run_list;

static tally_status reserve(run_list *list, size_t more, tally_error *err)
{
    if (list->n + more <= list->capacity) return TALLY_OK;
    const size_t capacity = (list->n + more) * 2;
    tally_span *runs = tally_realloc(list->runs, capacity, sizeof *runs);
    if (runs) list->runs = runs;
    size_t *parent = tally_realloc(list->parent, capacity, sizeof *parent);
    if (parent) list->parent = parent;
    if (!runs || !parent) return tally_nomem(err, "the runs of a change mask");
    list->capacity = capacity;
    return TALLY_OK;
}

static size_t root_of(size_t *parent, size_t i)
{
    while (parent[i] != i) {
        parent[i] = parent[parent[i]];
        i = parent[i];
    }
    return i;
}

static void join(size_t *parent, size_t a, size_t b)
{
    const size_t ra = root_of(parent, a), rb = root_of(parent, b);
    if (ra < rb)
        parent[rb] = ra;
    else
        parent[ra] = rb;
}

/* Join the runs [from, to) of a row with the runs [above, from) of the row over it. */
static void join_rows(run_list *list, size_t above, size_t from, size_t to)
{
    const tally_span *r = list->runs;
    size_t a = above;

    for (size_t i = from; i < to; i++) {
        while (a < from && r[a].x1 < r[i].x0)
            a++;
        for (size_t j = a; j < from && r[j].x0 <= r[i].x1; j++)
            join(list->parent, j, i);
    }
}

static tally_status collect(const tally_kernels *k, const tally_bits *bits, run_list *list,
                            tally_error *err)
{
    size_t above = 0;

    for (int y = 0; y < bits->height; y++) {
        const size_t from = list->n;
        const tally_status s = reserve(list, ((size_t)bits->width + 1) / 2, err);
        if (s != TALLY_OK) return s;
        list->n +=
            k->bits_to_runs(tally_bits_row(bits, y), (size_t)bits->width, y, list->runs + from);
        for (size_t i = from; i < list->n; i++)
            list->parent[i] = i;
        join_rows(list, above, from, list->n);
        above = from;
    }
    return TALLY_OK;
}

/* Sums relative to the blob's first pixel, so that they stay exact in a double. */
static void add_run(tally_blob *b, const tally_span *run, const tally_span *first)
{
    const double n = run->x1 - run->x0;
    const double x = (run->x0 + run->x1) * 0.5 - first->x0 - 0.5, y = run->y - first->y;

    b->area += run->x1 - run->x0;
    b->cx += n * x;
    b->cy += n * y;
    b->mxx += n * x * x + n * (n * n - 1.0) / 12.0;
    b->mxy += n * x * y;
    b->myy += n * y * y;
    b->box = tally_box_union(b->box, (tally_box) { run->x0, run->y, run->x1, run->y + 1 });
}

static void finish(tally_blob *b, const tally_span *first)
{
    const double n = (double)b->area;

    b->cx /= n;
    b->cy /= n;
    b->mxx = b->mxx / n - b->cx * b->cx;
    b->mxy = b->mxy / n - b->cx * b->cy;
    b->myy = b->myy / n - b->cy * b->cy;
    b->cx += first->x0 + 0.5;
    b->cy += first->y + 0.5;
}

/* From joined runs to blobs. list->parent becomes the blob's index + 1 of each run; 0: too small.
 */
static tally_status gather_blobs(run_list *list, int64_t min_area, tally_blobs *out,
                                 tally_error *err)
{
    int64_t *area = tally_alloc(list->n + 1, sizeof *area);
    size_t n = 0, at = 0, *index = tally_alloc(list->n + 1, sizeof *index), *place = NULL;
    tally_status s = TALLY_OK;

    if (!area || !index) goto nomem;
    for (size_t i = 0; i < list->n; i++) {
        list->parent[i] = root_of(list->parent, i);
        area[list->parent[i]] += list->runs[i].x1 - list->runs[i].x0;
    }
    for (size_t i = 0; i < list->n; i++) {
        const size_t root = list->parent[i];
        if (root == i && area[i] >= min_area) index[i] = ++n;
        out->n_runs += index[root] != 0;
    }
    out->blobs = tally_alloc(n + 1, sizeof *out->blobs);
    out->runs = tally_alloc(out->n_runs + 1, sizeof *out->runs);
    place = tally_alloc(n + 1, sizeof *place);
    if (!out->blobs || !out->runs || !place) goto nomem;
    out->n = n;
    for (size_t i = 0; i < list->n; i++) {
        if (index[list->parent[i]]) out->blobs[index[list->parent[i]] - 1].n_runs++;
    }
    for (size_t b = 0; b < n; b++) {
        out->blobs[b].first_run = place[b] = at;
        at += out->blobs[b].n_runs;
    }
    for (size_t i = 0; i < list->n; i++) {
        const size_t which = index[list->parent[i]];
        if (which) out->runs[place[which - 1]++] = list->runs[i];
    }
    for (size_t b = 0; b < n; b++) {
        tally_blob *blob = &out->blobs[b];
        const tally_span *first = &out->runs[blob->first_run];
        blob->box = (tally_box) { first->x0, first->y, first->x1, first->y + 1 };
        for (size_t r = 0; r < blob->n_runs; r++)
            add_run(blob, &first[r], first);
        finish(blob, first);
    }
    goto out;
nomem:
    s = tally_nomem(err, "the blobs of a change mask");
out:
    tally_free(place);
    tally_free(index);
    tally_free(area);
    return s;
}

tally_status tally_blobs_label(const tally_kernels *k, const tally_bits *bits, int64_t min_area,
                               tally_blobs *out, tally_error *err)
{
    run_list list = { 0 };
    tally_status s;

    *out = (tally_blobs) { 0 };
    s = collect(k, bits, &list, err);
    if (s == TALLY_OK) s = gather_blobs(&list, min_area, out, err);
    if (s != TALLY_OK) tally_blobs_fini(out);
    tally_free(list.runs);
    tally_free(list.parent);
    return s;
}

void tally_blobs_fini(tally_blobs *blobs)
{
    tally_free(blobs->blobs);
    tally_free(blobs->runs);
    *blobs = (tally_blobs) { 0 };
}

bool tally_blob_rect(const tally_blobs *blobs, size_t i, tally_rect *out)
{
    const tally_blob *b = &blobs->blobs[i];
    const tally_span *runs = blobs->runs + b->first_run;
    /* only the outermost corners of each row can lie on the hull */
    tally_point *corners = tally_alloc((size_t)tally_box_height(b->box), 4 * sizeof *corners);
    size_t n = 0;

    if (!corners) return false;
    for (size_t r = 0; r < b->n_runs;) {
        const double top = runs[r].y, left = runs[r].x0;
        while (r + 1 < b->n_runs && runs[r + 1].y == runs[r].y)
            r++;
        const double right = runs[r++].x1;
        corners[n++] = (tally_point) { left, top };
        corners[n++] = (tally_point) { right, top };
        corners[n++] = (tally_point) { left, top + 1 };
        corners[n++] = (tally_point) { right, top + 1 };
    }
    const bool ok = tally_rect_around(corners, n, out);
    tally_free(corners);
    return ok;
}
