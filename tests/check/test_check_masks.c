/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Packed-bit rows: morphology and runs, every variant against the definition, the definition
 * against single bits. */
#include "check/guarded.h"

static int bit(const uint64_t *bits, long n, long i)
{
    return i >= 0 && i < n && (bits[i >> 6] >> (i & 63) & 1);
}

static void definition_pixel_by_pixel(void **state)
{
    enum { WORDS = 4, N = WORDS * 64 };
    const tally_kernels *k = tally_kernels_select(0);
    tally_rng rng = { 9 };

    (void)state;
    for (int r = 0; r <= 31; r++) {
        uint64_t src[WORDS], eroded[WORDS], dilated[WORDS];
        random_bits(&rng, src, N, r < 3 ? 12 : 15);
        k->erode_row(src, WORDS, r, eroded);
        k->dilate_row(src, WORDS, r, dilated);
        for (long i = 0; i < N; i++) {
            int all = 1, any = 0;
            for (long d = -r; d <= r; d++) {
                all &= bit(src, N, i + d);
                any |= bit(src, N, i + d);
            }
            assert_int_equal(bit(eroded, N, i), all);
            assert_int_equal(bit(dilated, N, i), any);
        }
    }
}

static void rows_agree(const tally_kernels *k, tally_rng *rng, size_t words, int end)
{
    const tally_kernels *scalar = tally_kernels_select(0);
    guarded src = guarded_open(words * 8, end), a = guarded_open(words * 8, end),
            b = guarded_open(words * 8, end);

    for (int r = 0; r <= 31; r += r < 4 ? 1 : 9) {
        random_bits(rng, src.at, words * 64, 15);
        scalar->erode_row(src.at, words, r, a.at);
        k->erode_row(src.at, words, r, b.at);
        assert_memory_equal(a.at, b.at, words * 8);
        random_bits(rng, src.at, words * 64, 2);
        scalar->dilate_row(src.at, words, r, a.at);
        k->dilate_row(src.at, words, r, b.at);
        assert_memory_equal(a.at, b.at, words * 8);
    }
    random_bits(rng, a.at, words * 64, 8);
    memcpy(b.at, a.at, words * 8);
    random_bits(rng, src.at, words * 64, 8);
    scalar->and_row(a.at, src.at, words);
    k->and_row(b.at, src.at, words);
    assert_memory_equal(a.at, b.at, words * 8);
    random_bits(rng, src.at, words * 64, 8);
    scalar->or_row(a.at, src.at, words);
    k->or_row(b.at, src.at, words);
    assert_memory_equal(a.at, b.at, words * 8);
    guarded_close(&src);
    guarded_close(&a);
    guarded_close(&b);
}

static void variants_agree(void **state)
{
    const tally_kernels *table[3];
    const int n_tables = variants(table);
    tally_rng rng = { 31 };

    (void)state;
    for (int t = 0; t < n_tables; t++) {
        for (size_t words = 0; words < 40; words++)
            rows_agree(table[t], &rng, words, (int)words % 2);
    }
}

/* Runs of every table, the scalar one too, against a walk over the pixels; never more room than
 * promised. */
static void runs_cover_the_bits(void **state)
{
    const tally_kernels *table[4] = { tally_kernels_select(0) };
    const int n_tables = 1 + variants(table + 1);
    tally_rng rng = { 12 };

    (void)state;
    for (int t = 0; t < n_tables; t++) {
        for (int l = 0; l < LENGTHS; l++) {
            const size_t n = length_of(l), room = (n + 1) / 2;
            for (unsigned density = 0; density <= 16; density += 4) {
                guarded bits = guarded_open((n + 63) / 64 * 8, 1),
                        runs = guarded_open(room * sizeof(tally_span), 1);
                random_bits(&rng, bits.at, n, density);
                const size_t found = table[t]->bits_to_runs(bits.at, n, 7, runs.at);
                const tally_span *run = runs.at;
                assert_true(found <= room);
                size_t at = 0;
                for (long i = 0; i < (long)n;) {
                    if (!bit(bits.at, (long)n, i)) {
                        i++;
                        continue;
                    }
                    long end = i;
                    while (bit(bits.at, (long)n, end))
                        end++;
                    assert_true(at < found);
                    assert_int_equal(run[at].y, 7);
                    assert_int_equal(run[at].x0, i);
                    assert_int_equal(run[at++].x1, end);
                    i = end;
                }
                assert_int_equal(at, found);
                guarded_close(&bits);
                guarded_close(&runs);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(definition_pixel_by_pixel),
                                        cmocka_unit_test(variants_agree),
                                        cmocka_unit_test(runs_cover_the_bits) };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
