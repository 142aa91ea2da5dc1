/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which variant, and why: the widest that the CPU has and that the benchmark (docs/kernels.md)
 * shows to pay. */
#include "kernels/variants.h"

static const tally_kernels scalar_table = {
    .name = "scalar",
    .diff_bits_f32 = tally_diff_bits_f32_scalar,
    .diff_bits_u16 = tally_diff_bits_u16_scalar,
    .diff_bits_u8 = tally_diff_bits_u8_scalar,
    .median_mad_f32 = tally_median_mad_f32_scalar,
    .mode_f32 = tally_mode_f32_scalar,
    .erode_row = tally_erode_row_scalar,
    .dilate_row = tally_dilate_row_scalar,
    .and_row = tally_and_row_scalar,
    .or_row = tally_or_row_scalar,
    .bits_to_runs = tally_bits_to_runs_scalar,
    .gather_f32 = tally_gather_f32_scalar,
    .scale_f32 = tally_scale_f32_scalar,
    .gradient_f32 = tally_gradient_f32_scalar,
    .direction_f32 = tally_direction_f32_scalar,
    .cross_power_f32 = tally_cross_power_f32_scalar,
    .moments_f32 = tally_moments_f32_scalar,
};

#if defined(TALLY_HAVE_X86)
static const tally_kernels avx2_table = {
    .name = "avx2",
    .diff_bits_f32 = tally_diff_bits_f32_avx2,
    .diff_bits_u16 = tally_diff_bits_u16_avx2,
    .diff_bits_u8 = tally_diff_bits_u8_avx2,
    .median_mad_f32 = tally_median_mad_f32_avx2,
    .mode_f32 = tally_mode_f32_avx2,
    .erode_row = tally_erode_row_avx2,
    .dilate_row = tally_dilate_row_avx2,
    .and_row = tally_and_row_avx2,
    .or_row = tally_or_row_avx2,
    .gather_f32 = tally_gather_f32_avx2,
    .scale_f32 = tally_scale_f32_avx2,
    .gradient_f32 = tally_gradient_f32_avx2,
    .direction_f32 = tally_direction_f32_avx2,
    .cross_power_f32 = tally_cross_power_f32_avx2,
    .moments_f32 = tally_moments_f32_avx2,
    .bits_to_runs = tally_bits_to_runs_scalar, /* one step a word already */
};
#endif

const tally_kernels *tally_kernels_select(unsigned cpu)
{
#if defined(TALLY_HAVE_X86)
    if (cpu & TALLY_CPU_AVX2) return &avx2_table;
#endif
    (void)cpu;
    return &scalar_table;
}
