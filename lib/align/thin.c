/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What of a zone has no background, because too few scenes show it. */
#include <math.h>

#include "align/cloud.h"

/* Of a line, its points a coarse pixel apart; of a polygon, the middles of coarse pixels. */
typedef struct share {
    const tally_bits *thin;
    size_t n, hit;
} share;

static void ask(share *s, double x, double y)
{
    const int cx = (int)floor(x), cy = (int)floor(y);
    s->n++;
    s->hit += cx >= 0 && cy >= 0 && cx < s->thin->width && cy < s->thin->height &&
              tally_bits_get(s->thin, cx, cy);
}

static void walk(share *s, const tally_path *line)
{
    for (size_t i = 1; i < line->n; i++) {
        const tally_point a = line->points[i - 1], b = line->points[i];
        const int steps = (int)ceil(hypot(b.x - a.x, b.y - a.y)) + 1;
        for (int k = 0; k < steps; k++)
            ask(s, a.x + (b.x - a.x) * (k + 0.5) / steps, a.y + (b.y - a.y) * (k + 0.5) / steps);
    }
}

tally_status tally_stack_thin_share(const tally_stack *stack, const tally_shape *metres,
                                    double *out, tally_error *err)
{
    tally_shape shape;
    tally_bits inside;
    share found = { .thin = &stack->thin };
    *out = 0;
    if (!stack->thin.bits) return TALLY_OK;
    tally_status s = tally_stack_shape(stack, metres, &shape, err);
    if (s != TALLY_OK) return s;
    for (size_t i = 0; i < shape.n_paths; i++)
        for (size_t k = 0; k < shape.paths[i].n; k++) {
            shape.paths[i].points[k].x /= stack->thin_px;
            shape.paths[i].points[k].y /= stack->thin_px;
        }
    if (shape.is_line) {
        for (size_t i = 0; i < shape.n_paths; i++)
            walk(&found, &shape.paths[i]);
    } else if ((s = tally_bits_init(&inside, stack->thin.width, stack->thin.height, err)) ==
               TALLY_OK) {
        tally_shape_fill(&shape, &inside);
        for (int y = 0; y < inside.height; y++)
            for (int x = 0; x < inside.width; x++)
                if (tally_bits_get(&inside, x, y)) ask(&found, x, y);
        tally_bits_fini(&inside);
    }
    tally_shape_fini(&shape);
    if (found.n) *out = (double)found.hit / (double)found.n;
    return s;
}
