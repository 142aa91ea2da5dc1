/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Prototypes of the variants, taken from the table's own types so that they cannot drift from it.
 * For dispatch.c, the variant files, the checks and the benchmark; everyone else goes through the
 * table. */
#ifndef TALLY_KERNELS_VARIANTS_H
#define TALLY_KERNELS_VARIANTS_H

#include "kernels/kernels.h"

#define TALLY_VARIANT(kernel, function) extern __typeof__(*((tally_kernels *)0)->kernel) function

TALLY_VARIANT(diff_bits_f32, tally_diff_bits_f32_scalar);
TALLY_VARIANT(diff_bits_u16, tally_diff_bits_u16_scalar);
TALLY_VARIANT(diff_bits_u8, tally_diff_bits_u8_scalar);
TALLY_VARIANT(median_mad_f32, tally_median_mad_f32_scalar);
TALLY_VARIANT(mode_f32, tally_mode_f32_scalar);
TALLY_VARIANT(erode_row, tally_erode_row_scalar);
TALLY_VARIANT(dilate_row, tally_dilate_row_scalar);
TALLY_VARIANT(and_row, tally_and_row_scalar);
TALLY_VARIANT(or_row, tally_or_row_scalar);
TALLY_VARIANT(bits_to_runs, tally_bits_to_runs_scalar);
TALLY_VARIANT(gather_f32, tally_gather_f32_scalar);
TALLY_VARIANT(scale_f32, tally_scale_f32_scalar);
TALLY_VARIANT(gradient_f32, tally_gradient_f32_scalar);
TALLY_VARIANT(direction_f32, tally_direction_f32_scalar);
TALLY_VARIANT(cross_power_f32, tally_cross_power_f32_scalar);
TALLY_VARIANT(moments_f32, tally_moments_f32_scalar);

TALLY_VARIANT(diff_bits_f32, tally_diff_bits_f32_avx2);
TALLY_VARIANT(diff_bits_u16, tally_diff_bits_u16_avx2);
TALLY_VARIANT(diff_bits_u8, tally_diff_bits_u8_avx2);
TALLY_VARIANT(median_mad_f32, tally_median_mad_f32_avx2);
TALLY_VARIANT(mode_f32, tally_mode_f32_avx2);
TALLY_VARIANT(erode_row, tally_erode_row_avx2);
TALLY_VARIANT(dilate_row, tally_dilate_row_avx2);
TALLY_VARIANT(and_row, tally_and_row_avx2);
TALLY_VARIANT(or_row, tally_or_row_avx2);
TALLY_VARIANT(gather_f32, tally_gather_f32_avx2);
TALLY_VARIANT(scale_f32, tally_scale_f32_avx2);
TALLY_VARIANT(gradient_f32, tally_gradient_f32_avx2);
TALLY_VARIANT(direction_f32, tally_direction_f32_avx2);
TALLY_VARIANT(cross_power_f32, tally_cross_power_f32_avx2);
TALLY_VARIANT(moments_f32, tally_moments_f32_avx2);

/* What the scalar median and mode sort by. */
void tally_insertion_sort(float *v, int n);
/* Half-sample mode of n sorted values; shared by the variants of mode_f32. */
float tally_half_sample_mode(const float *v, int n);

#endif
