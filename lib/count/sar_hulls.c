/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Hulls among what is brighter than water.
 *
 * A ship in a radar image is a row of bright points on a dimmer body, all brighter than the water,
 * with smears around the brightest. At a quay it runs together with cranes and sheds. No single
 * threshold cuts all that well, so the contrast is cut at many, a factor STEP apart, each with gaps
 * closed over a little and over more (the component tree of a maximally stable region, after
 * Matas, Chum, Urban and Pajdla 2002, doi:10.1016/j.imavis.2004.02.006). Each piece is asked how
 * much it is like a hull: how well it fills its rectangle, how slim it is, how much water lies
 * along its sides, and how far it stands out from the brighter of its long sides. The best is
 * taken, then the best that does not touch it, and so on.
 *
 * Water along one long side is a must. A moored hull has its quay on the other, so there it has to
 * be a good deal brighter than what it lies at, and slim, and not small: pieces of a shore are like
 * that, too, but shorter.
 *
 * Known failures: a dark hull at a bright quay; a floating dock or a finger of a jetty, as long as
 * a ship and in water on three sides, in a single scene; ships rafted side by side are one where no
 * level parts them; a ship smeared over a ship's breadth in azimuth by its motion is too broad.
 *
 * Constants by eye on two X-band chips at about 1 m and on drawn scenes at 0.5 to 10 m.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "count/sar.h"

#define STEP          1.3f
#define LEVELS        20
#define LEAST_M       18.0 /* 20 m, known to a cell of 2 m */
#define LONGEST_M     520.0
#define WIDEST_M      110.0 /* with layover and the smear of a bright hull */
#define LEAST_M2      60.0
#define LEAST_PX      3
#define SLIMMEST      12.0
#define FILL          0.4   /* of its rectangle, at least; */
#define FULL          0.65  /* solid */
#define SLIM          2.5   /* length over width that asks no questions */
#define TRIM          0.015 /* of a piece's pixels, at either end: spikes */
#define SIDE_STEPS    21
#define ALONG         0.6 /* share of a long side that must be water */
#define WORTH         0.4
#define WORTH_MOORED  0.48
#define MOORED        0.6  /* less water around than this: moored */
#define QUAY          0.45 /* and less than this: along a quay with bright things at both ends */
#define LONG_M        60.0 /* the least there */
#define FAINTEST      2.2  /* a hull's mean over the water's, if all else speaks for it */
#define BRIGHT        4.0  /* and if not */
#define PARTED_ALONG  0.2
#define PARTED_ACROSS 0.5
#define PARTED        0.75
#define MOST_PARTS    64
#define LARGE_M       100.0 /* a ship so long, */
#define BRILLIANT     12.0  /* so bright */
#define FACES_M       25.0  /* and this near to water may lie in the glare of its quay: beside it */
#define DIM           0.25  /* what is darker than this share of its mean is as good as water */
#define LOBE          0.02  /* of the power of the hull that it is a sidelobe of */
#define LOBE_REACH    0.15  /* of its length */
#define ECHO          0.2
#define ECHO_REACH_M  10.0

typedef struct candidate {
    tally_hull hull;
    size_t first_run, n_runs;
    double rank, power;
    size_t order;
} candidate;

typedef struct search {
    const tally_kernels *k;
    const tally_sar_view *view;
    tally_patch smooth;
    candidate *all;
    size_t n;
    tally_span *runs;
    size_t n_runs;
} search;

/* What lies along one side of a rectangle. */
typedef struct side {
    double water, level; /* share of it that is water; median contrast; NaN: beyond the image */
    double seen;         /* share of it that the image shows */
} side;

/* From `from`, in steps along (ux, uy) over `length`, at several distances along (nx, ny). */
static side look_along(const search *s, tally_point from, double ux, double uy, double length,
                       double nx, double ny, double dim)
{
    const tally_sar_view *view = s->view;
    const double gsd = view->gsd_m, unit = gsd < 2 ? 2 / gsd : 1;
    const int distances = gsd < 2 ? 4 : 3;
    float levels[4 * SIDE_STEPS];
    size_t n = 0;
    double wet = 0;
    for (int d = 1; d <= distances; d++)
        for (int i = 0; i < SIDE_STEPS; i++) {
            const double t = length * ((double)i / (SIDE_STEPS - 1) - 0.5);
            const int x = (int)floor(from.x + t * ux + d * unit * nx);
            const int y = (int)floor(from.y + t * uy + d * unit * ny);
            if (x < 0 || y < 0 || x >= view->water->width || y >= view->water->height) continue;
            if (!tally_bits_get(&view->contrast->valid, x, y)) continue;
            wet += tally_bits_get(view->water, x, y) || tally_patch_row(&s->smooth, 0, y)[x] < dim;
            levels[n++] = tally_patch_row(view->contrast, 0, y)[x];
        }
    const double all = (double)distances * SIDE_STEPS, shown = (double)n;
    if (n == 0) return (side) { NAN, NAN, 0 };
    return (side) { wet / shown, tally_median(levels, n), shown / all };
}

static void look_around(const search *s, const tally_rect *r, double dim, side sides[4])
{
    const double vx = -r->uy, vy = r->ux;
    for (int i = 0; i < 2; i++) {
        const double sign = i ? -1 : 1;
        const tally_point flank = { r->centre.x + sign * vx * r->width / 2,
                                    r->centre.y + sign * vy * r->width / 2 };
        const tally_point end = { r->centre.x + sign * r->ux * r->length / 2,
                                  r->centre.y + sign * r->uy * r->length / 2 };
        sides[i] = look_along(s, flank, r->ux, r->uy, r->length, sign * vx, sign * vy, dim);
        sides[2 + i] = look_along(s, end, vx, vy, r->width, sign * r->ux, sign * r->uy, dim);
    }
}

/* Whether there is water FACES_M from a long side, for a good part of it. */
static bool faces_water(const tally_sar_view *view, const tally_rect *r)
{
    const double vx = -r->uy, vy = r->ux;
    for (int sign = -1; sign <= 1; sign += 2) {
        double wet = 0;
        for (int i = 0; i < SIDE_STEPS; i++) {
            const double t = r->length * ((double)i / (SIDE_STEPS - 1) - 0.5);
            const double far = r->width / 2 + FACES_M / view->gsd_m;
            const int x = (int)floor(r->centre.x + t * r->ux + sign * far * vx);
            const int y = (int)floor(r->centre.y + t * r->uy + sign * far * vy);
            if (x < 0 || y < 0 || x >= view->water->width || y >= view->water->height) continue;
            wet += tally_bits_get(view->water, x, y);
        }
        if (wet >= 0.6 * SIDE_STEPS) return true;
    }
    return false;
}

static double or_half(double v)
{
    return isnan(v) ? 0.5 : v;
}

/* How far a hull in open water must stand out, on the mean. Products of 8 bits may cut off at a few
 * times the water's level. */
static double need_in_open(double ceiling)
{
    return tally_clamp(sqrt(fmax(ceiling, 0)), FAINTEST, BRIGHT);
}

/* How much like a hull: 0 to 1. */
static double worth_of(const tally_rect *r, double gsd_m, double area_px, double mean,
                       double ceiling, const side sides[4], double *least)
{
    const double more = fmax(or_half(sides[0].water), or_half(sides[1].water));
    const double less = fmin(or_half(sides[0].water), or_half(sides[1].water));
    const double ends = or_half(sides[2].water) + or_half(sides[3].water);
    const double wet = (1.5 * more + 1.5 * less + ends) / 5;
    const double beside = fmax(fmax(isnan(sides[0].level) ? 0 : sides[0].level,
                                    isnan(sides[1].level) ? 0 : sides[1].level),
                               1);
    const double fill = fmin(1, area_px / (r->length * r->width) / FULL);
    /* one that the image's edge cuts is as long as it likes */
    const bool is_cut = sides[2].seen < 0.5 || sides[3].seen < 0.5;
    const double slim = is_cut || r->width < 3 ? 1 : pow(fmin(1, r->length / r->width / SLIM), 2);
    /* slim, solid and in the open: its outline is evidence enough */
    const bool is_plain = wet > 0.8 && fill >= 1 && r->width >= 3 && r->length > SLIM * r->width;
    const double open = is_plain ? FAINTEST : need_in_open(ceiling);
    const double need = fmin(0.75 * fmax(ceiling, 1.0),
                             open * (2 - wet) * (1 + 2 * (1 - wet) * r->width * gsd_m / 100));
    const double out = fmin(1, mean / beside / (is_plain ? FAINTEST : 3)) * fmin(1, mean / need);
    if (mean < need) return 0;
    if (more < ALONG) return 0;
    /* with land on two sides and more, only what is as long as a ship of some size */
    if (wet < QUAY && r->length * gsd_m < LONG_M) return 0;
    *least = wet < MOORED ? WORTH_MOORED : WORTH;
    return fill * slim * out * (0.5 + 0.5 * wet);
}

static bool has_shape(const tally_rect *r, double gsd_m, double area_px)
{
    const double length_m = r->length * gsd_m, width_m = r->width * gsd_m;
    if (length_m < LEAST_M || length_m > LONGEST_M || width_m > WIDEST_M) return false;
    if (r->width < 3) return true; /* too few pixels for a shape */
    return r->length >= 1.5 * r->width && r->length <= SLIMMEST * r->width &&
           area_px >= FILL * r->length * r->width;
}

/* Places of a blob's pixels along a direction, sorted, and how far apart the TRIM quantiles lie. */
static double extent(const tally_blobs *blobs, size_t b, tally_point about, double ux, double uy,
                     float *scratch, double *middle)
{
    const tally_blob *blob = &blobs->blobs[b];
    size_t n = 0;
    for (size_t i = blob->first_run; i < blob->first_run + blob->n_runs; i++)
        for (int x = blobs->runs[i].x0; x < blobs->runs[i].x1; x++)
            scratch[n++] =
                (float)((x + 0.5 - about.x) * ux + (blobs->runs[i].y + 0.5 - about.y) * uy);
    tally_sort(scratch, n);
    const size_t cut = (size_t)(TRIM * (double)n);
    const double low = scratch[cut], high = scratch[n - 1 - cut];
    *middle = (low + high) / 2;
    return (high - low) / (1 - 2 * (double)cut / (double)n) + 1;
}

/* The rectangle along a blob's own axis, thin spikes (sidelobes, smears) left out. */
static tally_status measure(const tally_blobs *blobs, size_t b, tally_rect *r, tally_error *err)
{
    const tally_blob *blob = &blobs->blobs[b];
    const double turn = 0.5 * atan2(2 * blob->mxy, blob->mxx - blob->myy);
    const tally_point about = { blob->cx, blob->cy };
    double along, across;
    float *scratch = tally_alloc((size_t)blob->area, sizeof *scratch);
    if (!scratch) return tally_nomem(err, "pieces of a radar image");
    *r = (tally_rect) { .ux = cos(turn), .uy = sin(turn) };
    r->length = extent(blobs, b, about, r->ux, r->uy, scratch, &along);
    r->width = extent(blobs, b, about, -r->uy, r->ux, scratch, &across);
    r->centre = (tally_point) { about.x + along * r->ux - across * r->uy,
                                about.y + along * r->uy + across * r->ux };
    tally_free(scratch);
    return TALLY_OK;
}

static tally_status keep_runs(search *s, const tally_blobs *blobs, size_t b, candidate *c,
                              tally_error *err)
{
    const tally_blob *blob = &blobs->blobs[b];
    tally_span *runs = tally_realloc(s->runs, s->n_runs + blob->n_runs, sizeof *runs);
    if (!runs) return tally_nomem(err, "pieces of a radar image");
    s->runs = runs;
    memcpy(runs + s->n_runs, blobs->runs + blob->first_run, blob->n_runs * sizeof *runs);
    c->first_run = s->n_runs;
    c->n_runs = blob->n_runs;
    s->n_runs += blob->n_runs;
    return TALLY_OK;
}

/* Mean contrast of a blob and the largest of the smoothed. */
static double mean_of(const search *s, const tally_blobs *blobs, size_t b, float *most)
{
    const tally_blob *blob = &blobs->blobs[b];
    double sum = 0;
    *most = 0;
    for (size_t i = blob->first_run; i < blob->first_run + blob->n_runs; i++) {
        const tally_span run = blobs->runs[i];
        for (int x = run.x0; x < run.x1; x++) {
            sum += tally_patch_row(s->view->contrast, 0, run.y)[x];
            *most = fmaxf(*most, tally_patch_row(&s->smooth, 0, run.y)[x]);
        }
    }
    return sum / (double)blob->area;
}

/* How deep the deepest valley of a profile is: its floor over the lower of the peaks beside it.
 * right: room for n. */
static double valley(const double *v, double *right, int n)
{
    double deepest = 1, left = 0;
    for (int i = n - 1; i >= 0; i--)
        right[i] = fmax(v[i], i + 1 < n ? right[i + 1] : 0);
    for (int i = 1; i < n - 1; i++) {
        left = fmax(left, v[i - 1]);
        deepest = fmin(deepest, v[i] / fmax(fmin(left, right[i + 1]), 1e-9));
    }
    return deepest;
}

/* Two ships end to end, or side by side, leave a cut of water between them that runs through: along
 * the axis the brightest pixel of each slice, across it the mean of each. */
static tally_status is_parted(const search *s, const tally_rect *r, bool *out, tally_error *err)
{
    const int n = (int)fmin(ceil(r->length), 4096), m = (int)fmin(ceil(r->width), 1024);
    double *along = tally_alloc(2 * (size_t)(n + m) + 1, sizeof *along);
    *out = false;
    if (!along) return tally_nomem(err, "a hull's profile");
    double *across = along + n, *scratch = across + m;
    for (int i = 0; i < n; i++)
        for (int j = 0; j < m; j++) {
            const double u = i + 0.5 - n / 2.0, v = j + 0.5 - m / 2.0;
            const int x = (int)floor(r->centre.x + u * r->ux - v * r->uy);
            const int y = (int)floor(r->centre.y + u * r->uy + v * r->ux);
            if (x < 0 || y < 0 || x >= s->smooth.width || y >= s->smooth.height) continue;
            const double c = tally_patch_row(&s->smooth, 0, y)[x];
            along[i] = fmax(along[i], c);
            across[j] += c / n;
        }
    *out = valley(along, scratch, n) < PARTED_ALONG || valley(across, scratch, m) < PARTED_ACROSS;
    tally_free(along);
    return TALLY_OK;
}

static tally_status weigh_blob(search *s, const tally_blobs *blobs, size_t b, tally_error *err)
{
    const tally_blob *blob = &blobs->blobs[b];
    const double gsd_m = s->view->gsd_m;
    const int across = tally_box_width(blob->box), down = tally_box_height(blob->box);
    candidate c = { .order = s->n };
    side sides[4];
    double least = WORTH;
    float most;

    if (fmax(across, down) * gsd_m > LONGEST_M || hypot(across, down) * gsd_m < LEAST_M)
        return TALLY_OK;
    tally_status status = measure(blobs, b, &c.hull.rect, err);
    if (status != TALLY_OK) return status;
    if (!has_shape(&c.hull.rect, gsd_m, (double)blob->area)) return TALLY_OK;
    const double mean = mean_of(s, blobs, b, &most);
    if (most < 1.2 * FAINTEST) return TALLY_OK;
    const bool is_large = c.hull.rect.length * gsd_m > LARGE_M && mean > BRILLIANT &&
                          faces_water(s->view, &c.hull.rect);
    look_around(s, &c.hull.rect, is_large ? DIM * mean : 0, sides);
    c.hull.score =
        worth_of(&c.hull.rect, gsd_m, (double)blob->area, mean, s->view->ceiling, sides, &least);
    if (c.hull.score < least) return TALLY_OK;
    bool parted;
    if ((status = is_parted(s, &c.hull.rect, &parted, err)) != TALLY_OK) return status;
    if (parted) c.hull.score *= PARTED;
    if (c.hull.score < least) return TALLY_OK;
    c.hull.area_px = (double)blob->area;
    c.power = mean * (double)blob->area;
    c.rank = c.hull.score * pow((double)blob->area * gsd_m * gsd_m, 0.15);
    status = keep_runs(s, blobs, b, &c, err);
    if (status != TALLY_OK) return status;
    candidate *all = tally_realloc(s->all, s->n + 1, sizeof *all);
    if (!all) return tally_nomem(err, "pieces of a radar image");
    s->all = all;
    s->all[s->n++] = c;
    return TALLY_OK;
}

static tally_status cut_at(search *s, float level, double gap_m, tally_error *err)
{
    const double gsd_m = s->view->gsd_m;
    const int gap = (int)lround(gap_m / gsd_m);
    const int64_t least = (int64_t)fmax(LEAST_PX, LEAST_M2 / (gsd_m * gsd_m));
    tally_bits bits = { 0 };
    tally_blobs blobs = { 0 };
    if (gap_m > 0 && gap == 0) return TALLY_OK;
    tally_status status = tally_bits_init(&bits, s->smooth.width, s->smooth.height, err);
    for (int y = 0; y < bits.height && status == TALLY_OK; y++)
        for (int x = 0; x < bits.width; x++)
            if (tally_patch_row(&s->smooth, 0, y)[x] > level &&
                tally_bits_get(s->view->where, x, y))
                tally_bits_set(&bits, x, y);
    if (status == TALLY_OK && gap > 0)
        status = tally_bits_close(s->k, &bits, gap < 31 ? gap : 31, gap < 31 ? gap : 31, err);
    if (status == TALLY_OK) status = tally_blobs_label(s->k, &bits, least, &blobs, err);
    for (size_t b = 0; b < blobs.n && status == TALLY_OK; b++)
        status = weigh_blob(s, &blobs, b, err);
    tally_blobs_fini(&blobs);
    tally_bits_fini(&bits);
    return status;
}

static int by_rank(const void *a, const void *b)
{
    const candidate *p = a, *q = b;
    if (p->rank != q->rank) return p->rank > q->rank ? -1 : 1;
    return (p->order > q->order) - (p->order < q->order);
}

/* Whether a candidate's pixels are free; then they are no longer. */
static bool claim(const search *s, const candidate *c, tally_bits *taken)
{
    for (size_t i = c->first_run; i < c->first_run + c->n_runs; i++)
        for (int x = s->runs[i].x0; x < s->runs[i].x1; x++)
            if (tally_bits_get(taken, x, s->runs[i].y)) return false;
    for (size_t i = c->first_run; i < c->first_run + c->n_runs; i++)
        for (int x = s->runs[i].x0; x < s->runs[i].x1; x++)
            tally_bits_set(taken, x, s->runs[i].y);
    return true;
}

/* Whether one lies beside the other: slim, alike in heading, and apart across it. */
static bool lies_beside(const tally_rect *p, const tally_rect *q)
{
    const double dx = p->centre.x - q->centre.x, dy = p->centre.y - q->centre.y;
    const double along = fabs(dx * p->ux + dy * p->uy), across = fabs(dy * p->ux - dx * p->uy);
    return p->length > 2 * p->width && q->length > 2 * q->width &&
           fabs(p->ux * q->ux + p->uy * q->uy) > 0.9 && across > 0.45 * (p->width + q->width) &&
           along < fmax(p->length, q->length) / 2;
}

static bool holds(const tally_rect *whole, const tally_rect *part)
{
    const double dx = part->centre.x - whole->centre.x, dy = part->centre.y - whole->centre.y;
    return fabs(dx * whole->ux + dy * whole->uy) < whole->length / 2 &&
           fabs(dy * whole->ux - dx * whole->uy) < whole->width / 2 &&
           part->length > 0.45 * whole->length &&
           part->length * part->width < 0.6 * whole->length * whole->width;
}

/* Whether two ships side by side explain what one candidate holds nearly as well as one does. */
static bool is_pair(const search *s, const candidate *whole)
{
    const candidate *parts[MOST_PARTS];
    size_t n = 0;
    for (size_t i = 0; i < s->n && n < MOST_PARTS; i++)
        if (holds(&whole->hull.rect, &s->all[i].hull.rect)) parts[n++] = &s->all[i];
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < i; j++) {
            const tally_hull *a = &parts[i]->hull, *b = &parts[j]->hull;
            const double area = a->area_px + b->area_px;
            const double score = (a->score * a->area_px + b->score * b->area_px) / area;
            if (area > 0.5 * whole->hull.area_px && score > 0.75 * whole->hull.score &&
                lies_beside(&a->rect, &b->rect))
                return true;
        }
    return false;
}

/* A faint thing close to a hull many times as bright is a sidelobe or smear of it; a dim thing
 * alongside a bright hull is its echo off the water or its gear. */
static bool is_lobe(const candidate *c, const candidate *of, double gsd_m)
{
    const double dx = c->hull.rect.centre.x - of->hull.rect.centre.x;
    const double dy = c->hull.rect.centre.y - of->hull.rect.centre.y;
    const tally_rect *r = &of->hull.rect;
    const double along = fabs(dx * r->ux + dy * r->uy) - r->length / 2;
    const double beside = fabs(dy * r->ux - dx * r->uy) - r->width / 2;
    const double off = fmax(along, beside);
    return (c->power < LOBE * of->power && off < LOBE_REACH * r->length) ||
           (c->power < ECHO * of->power && off < ECHO_REACH_M / gsd_m);
}

static tally_status pick(search *s, tally_hulls *out, tally_error *err)
{
    tally_bits taken = { 0 };
    if (s->n == 0) return TALLY_OK;
    tally_status status = tally_bits_init(&taken, s->smooth.width, s->smooth.height, err);
    out->hulls = status == TALLY_OK ? tally_alloc(s->n, sizeof *out->hulls) : NULL;
    size_t *picked = tally_alloc(s->n, sizeof *picked);
    if (status == TALLY_OK && (!out->hulls || !picked)) status = tally_nomem(err, "the hulls");
    if (status == TALLY_OK) {
        qsort(s->all, s->n, sizeof *s->all, by_rank);
        size_t n = 0;
        for (size_t i = 0; i < s->n; i++)
            if (!is_pair(s, &s->all[i]) && claim(s, &s->all[i], &taken)) picked[n++] = i;
        for (size_t i = 0; i < n; i++) {
            bool lobe = false;
            for (size_t j = 0; j < n; j++)
                lobe = lobe || is_lobe(&s->all[picked[i]], &s->all[picked[j]], s->view->gsd_m);
            if (!lobe) out->hulls[out->n++] = s->all[picked[i]].hull;
        }
    }
    tally_free(picked);
    tally_bits_fini(&taken);
    return status;
}

tally_status tally_sar_hulls_find(const tally_kernels *k, const tally_sar_view *view,
                                  tally_hulls *out, tally_error *err)
{
    static const double gaps_m[] = { 0, 2, 5 };
    search s = { .k = k, .view = view };
    float most = 0;

    *out = (tally_hulls) { 0 };
    tally_status status = tally_sar_smooth(view->contrast, &view->contrast->valid,
                                           tally_sar_smooth_px(view->gsd_m), &s.smooth, err);
    for (int y = 0; y < s.smooth.height && status == TALLY_OK; y++)
        for (int x = 0; x < s.smooth.width; x++)
            most = fmaxf(most, tally_patch_row(&s.smooth, 0, y)[x]);
    float level = view->threshold;
    for (int i = 0; i < LEVELS && level < most && status == TALLY_OK; i++, level *= STEP)
        for (size_t g = 0; g < sizeof gaps_m / sizeof *gaps_m && status == TALLY_OK; g++)
            status = cut_at(&s, level, gaps_m[g], err);
    if (status == TALLY_OK) status = pick(&s, out, err);
    if (status != TALLY_OK) tally_hulls_fini(out);
    tally_patch_fini(&s.smooth);
    tally_free(s.runs);
    tally_free(s.all);
    return status;
}
