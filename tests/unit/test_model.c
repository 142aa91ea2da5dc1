/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The frozen background: what is put comes back to the bit, with its holes; what was never learned
 * is said to be missing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "change/model.h"

static void layers_come_back(void **state)
{
    const tally_stack stack = {
        .grid = { .epsg = 32652, .x0 = 5e5, .y0 = 4.7e6, .gsd_m = 0.5, .width = 900, .height = 900 }
    };
    const tally_box box = { 100, 50, 170, 90 };
    char folder[] = "/tmp/tally_model_XXXXXX", path[64];
    tally_model *model = NULL;
    tally_patch in, out;
    tally_error err;

    (void)state;
    tally_gdal_begin();
    assert_non_null(mkdtemp(folder));
    assert_int_equal(tally_model_open(folder, &model, &err), TALLY_OK);
    assert_int_equal(tally_patch_init(&in, 70, 40, 2, NULL), TALLY_OK);
    for (int y = 0; y < 40; y++) {
        for (int x = 0; x < 70; x++) {
            if ((x * y) % 7 == 3) continue;
            tally_bits_set(&in.valid, x, y);
            tally_patch_row(&in, 0, y)[x] = 0.1f * (float)x + (float)y;
            tally_patch_row(&in, 1, y)[x] = -1e-3f * (float)(x * y);
        }
    }
    assert_int_equal(tally_model_get(model, "rail0", "centre", &out, &err), TALLY_E_NODATA);
    assert_int_equal(tally_model_put(model, &stack, "rail0", "centre", &in, &box, &err), TALLY_OK);
    assert_int_equal(tally_model_put(model, &stack, "rail0", "strip", &in, NULL, &err), TALLY_OK);
    static const char *const layers[] = { "centre", "strip" };
    for (int l = 0; l < 2; l++) {
        assert_int_equal(tally_model_get(model, "rail0", layers[l], &out, &err), TALLY_OK);
        assert_int_equal(out.bands, 2);
        for (int y = 0; y < 40; y++) {
            assert_memory_equal(tally_bits_row(&in.valid, y), tally_bits_row(&out.valid, y),
                                in.valid.words * 8);
            for (int b = 0; b < 2; b++)
                assert_memory_equal(tally_patch_row(&in, b, y), tally_patch_row(&out, b, y),
                                    70 * sizeof(float));
        }
        tally_patch_fini(&out);
        snprintf(path, sizeof path, "%s/rail0_%s.tif", folder, layers[l]);
        assert_int_equal(unlink(path), 0);
    }
    assert_int_equal(tally_model_put(model, &stack, "../rail0", "centre", &in, NULL, &err),
                     TALLY_E_ARG);
    assert_int_equal(tally_model_get(model, "rail0", "", &out, &err), TALLY_E_ARG);
    tally_patch_fini(&in);
    tally_model_close(&model);
    assert_null(model);
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(tally_model_open(folder, &model, &err), TALLY_E_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(layers_come_back) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
