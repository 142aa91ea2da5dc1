/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Labelling against a flood fill, morphology against its definition pixel by pixel, and shapes
 * worked out by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "change/blobs.h"
#include "unit/random_mask.h"

static const tally_kernels *kernels(void)
{
    return tally_kernels_select(tally_cpu_flags());
}

/* A second labelling that shares nothing with the first: fill from each unseen pixel with a stack
 * of pixels. */
static int flood(const tally_bits *bits, int *label)
{
    const int width = bits->width, height = bits->height;
    int *todo = tally_alloc((size_t)width * (size_t)height + 1, sizeof *todo), n_labels = 0;

    assert_non_null(todo);
    memset(label, 0, (size_t)width * (size_t)height * sizeof *label);
    for (int start = 0; start < width * height; start++) {
        if (label[start] || !tally_bits_get(bits, start % width, start / width)) continue;
        int n = 0;
        todo[n++] = start;
        label[start] = ++n_labels;
        while (n > 0) {
            const int at = todo[--n];
            for (int d = 0; d < 9; d++) {
                const int x = at % width + d % 3 - 1, y = at / width + d / 3 - 1;
                if (x < 0 || y < 0 || x >= width || y >= height) continue;
                if (label[y * width + x] || !tally_bits_get(bits, x, y)) continue;
                label[y * width + x] = n_labels;
                todo[n++] = y * width + x;
            }
        }
    }
    tally_free(todo);
    return n_labels;
}

static void check_labels(const tally_bits *bits, int64_t min_area)
{
    const int width = bits->width, height = bits->height;
    int *label = tally_alloc((size_t)width * (size_t)height + 1, sizeof *label);
    tally_blobs blobs;
    tally_error err;

    assert_non_null(label);
    const int n = flood(bits, label);
    assert_int_equal(tally_blobs_label(kernels(), bits, min_area, &blobs, &err), TALLY_OK);
    size_t b = 0;
    for (int l = 1; l <= n; l++) { /* both number by the first pixel */
        int64_t area = 0;
        double sx = 0, sy = 0, sxx = 0, syy = 0, sxy = 0;
        for (int i = 0; i < width * height; i++) {
            if (label[i] != l) continue;
            const double x = i % width + 0.5, y = i / width + 0.5;
            area++;
            sx += x;
            sy += y;
            sxx += x * x;
            syy += y * y;
            sxy += x * y;
        }
        if (area < min_area) continue;
        assert_true(b < blobs.n);
        const tally_blob *blob = &blobs.blobs[b++];
        const double a = (double)area;
        assert_int_equal(blob->area, area);
        assert_float_equal(blob->cx, sx / a, 1e-6);
        assert_float_equal(blob->cy, sy / a, 1e-6);
        assert_float_equal(blob->mxx, sxx / a - sx / a * sx / a, 1e-4);
        assert_float_equal(blob->myy, syy / a - sy / a * sy / a, 1e-4);
        assert_float_equal(blob->mxy, sxy / a - sx / a * sy / a, 1e-4);
        int64_t covered = 0;
        for (size_t r = 0; r < blob->n_runs; r++) {
            const tally_span run = blobs.runs[blob->first_run + r];
            assert_true(run.x0 >= blob->box.x0 && run.x1 <= blob->box.x1);
            assert_true(run.y >= blob->box.y0 && run.y < blob->box.y1);
            for (int x = run.x0; x < run.x1; x++, covered++)
                assert_int_equal(label[run.y * width + x], l);
        }
        assert_int_equal(covered, area);
    }
    assert_int_equal(b, blobs.n);
    tally_blobs_fini(&blobs);
    tally_free(label);
}

static void labels_agree_with_flood_fill(void **state)
{
    static const int sizes[][2] = { { 1, 1 },  { 64, 3 },  { 65, 40 }, { 130, 70 },
                                    { 7, 90 }, { 128, 1 }, { 0, 5 } };
    tally_rng rng = { 42 };

    (void)state;
    for (int s = 0; s < 7; s++) {
        for (unsigned density = 0; density <= 16; density += 2) {
            tally_bits bits;
            assert_int_equal(tally_bits_init(&bits, sizes[s][0], sizes[s][1], NULL), TALLY_OK);
            random_mask(&rng, &bits, density, (int)density);
            check_labels(&bits, 1);
            check_labels(&bits, 6);
            tally_bits_fini(&bits);
        }
    }
}

/* A spiral and a comb: joins that come late, which naive two-pass labellers get wrong. */
static void late_joins(void **state)
{
    static const char *const rows[] = { "#.#.#.#.#", "#.#.#.#.#", "#########", ".........",
                                        "#########", "#.......#", "#.#####.#", "#.#...#.#",
                                        "#.###.#.#", "#.....#.#", "#######.#" };
    tally_bits bits;
    tally_blobs blobs;

    (void)state;
    assert_int_equal(tally_bits_init(&bits, 9, 11, NULL), TALLY_OK);
    for (int y = 0; y < 11; y++) {
        for (int x = 0; x < 9; x++) {
            if (rows[y][x] == '#') tally_bits_set(&bits, x, y);
        }
    }
    check_labels(&bits, 1);
    assert_int_equal(tally_blobs_label(kernels(), &bits, 1, &blobs, NULL), TALLY_OK);
    assert_int_equal(blobs.n, 2);
    assert_int_equal(blobs.blobs[0].area, 19);
    tally_blobs_fini(&blobs);
    tally_bits_fini(&bits);
}

static bool pixel(const tally_bits *b, int x, int y)
{
    return x >= 0 && y >= 0 && x < b->width && y < b->height && tally_bits_get(b, x, y);
}

static bool window(const tally_bits *b, int x, int y, int rx, int ry, bool grow)
{
    for (int dy = -ry; dy <= ry; dy++) {
        for (int dx = -rx; dx <= rx; dx++) {
            if (pixel(b, x + dx, y + dy) == grow) return grow;
        }
    }
    return !grow;
}

static void morphology_by_definition(void **state)
{
    static const int radius[][2] = { { 0, 0 }, { 1, 1 },  { 2, 0 }, { 0, 3 },
                                     { 5, 2 }, { 33, 1 }, { 70, 4 } };
    tally_rng rng = { 3 };

    (void)state;
    for (int r = 0; r < 7; r++) {
        const int rx = radius[r][0], ry = radius[r][1];
        for (int grow = 0; grow < 2; grow++) {
            tally_bits bits, out;
            assert_int_equal(tally_bits_init(&bits, 150, 30, NULL), TALLY_OK);
            assert_int_equal(tally_bits_init(&out, 150, 30, NULL), TALLY_OK);
            random_mask(&rng, &bits, grow ? 0 : rx > 20 ? 16 : 15, grow ? 4 : 0);
            memcpy(out.bits, bits.bits, out.words * 30 * 8);
            assert_int_equal(grow ? tally_bits_dilate(kernels(), &out, rx, ry, NULL)
                                  : tally_bits_erode(kernels(), &out, rx, ry, NULL),
                             TALLY_OK);
            for (int y = 0; y < 30; y++) {
                for (int x = 0; x < 150; x++)
                    assert_int_equal(tally_bits_get(&out, x, y), window(&bits, x, y, rx, ry, grow));
                assert_int_equal(tally_bits_row(&out, y)[2] >> 22, 0); /* nothing past the width */
            }
            tally_bits_fini(&bits);
            tally_bits_fini(&out);
        }
    }
}

/* Opening takes away only, closing adds only, both are idempotent: at the edges too. */
static void open_and_close(void **state)
{
    tally_rng rng = { 8 };

    (void)state;
    for (int round = 0; round < 10; round++) {
        tally_bits a, b;
        assert_int_equal(tally_bits_init(&a, 100, 40, NULL), TALLY_OK);
        assert_int_equal(tally_bits_init(&b, 100, 40, NULL), TALLY_OK);
        random_mask(&rng, &a, 3, 20);
        const size_t bytes = a.words * 40 * 8;
        memcpy(b.bits, a.bits, bytes);
        const tally_status s = round % 2 ? tally_bits_close(kernels(), &b, 2, 1, NULL)
                                         : tally_bits_open(kernels(), &b, 1, 1, NULL);
        assert_int_equal(s, TALLY_OK);
        for (size_t i = 0; i < a.words * 40; i++)
            assert_int_equal(round % 2 ? a.bits[i] & ~b.bits[i] : b.bits[i] & ~a.bits[i], 0);
        assert_true(memcmp(a.bits, b.bits, bytes) != 0);
        memcpy(a.bits, b.bits, bytes);
        assert_int_equal(round % 2 ? tally_bits_close(kernels(), &b, 2, 1, NULL)
                                   : tally_bits_open(kernels(), &b, 1, 1, NULL),
                         TALLY_OK);
        assert_memory_equal(a.bits, b.bits, bytes);
        tally_bits_fini(&a);
        tally_bits_fini(&b);
    }
    tally_bits none = { 0 };
    assert_int_equal(tally_bits_erode(kernels(), &none, -1, 0, NULL), TALLY_E_ARG);
}

static void rectangle_around_a_blob(void **state)
{
    tally_bits bits;
    tally_blobs blobs;
    tally_rect rect;

    (void)state;
    assert_int_equal(tally_bits_init(&bits, 40, 20, NULL), TALLY_OK);
    for (int y = 5; y < 9; y++) {
        for (int x = 10; x < 22; x++)
            tally_bits_set(&bits, x, y);
    }
    assert_int_equal(tally_blobs_label(kernels(), &bits, 1, &blobs, NULL), TALLY_OK);
    assert_int_equal(blobs.n, 1);
    assert_true(tally_blob_rect(&blobs, 0, &rect));
    assert_float_equal(rect.length, 12, 1e-9);
    assert_float_equal(rect.width, 4, 1e-9);
    assert_float_equal(rect.centre.x, 16, 1e-9);
    assert_float_equal(rect.centre.y, 7, 1e-9);
    tally_blobs_fini(&blobs);
    tally_bits_fini(&bits);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_agree_with_flood_fill), cmocka_unit_test(late_joins),
        cmocka_unit_test(morphology_by_definition),     cmocka_unit_test(open_and_close),
        cmocka_unit_test(rectangle_around_a_blob),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
