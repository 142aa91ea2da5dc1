/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Correlation surfaces and their peaks. A surface of n x n is the inverse transform of a spectrum
 * of n x (n / 2 + 1) interleaved complex numbers; the shift wraps at n / 2. */
#ifndef TALLY_ALIGN_PEAKS_H
#define TALLY_ALIGN_PEAKS_H

#include "base/geometry.h"

/* A cross power spectrum becomes what its peak is sought in: each frequency by the root of both
 * powers (so by how far the two agree there), high ones left out. The peak moves by -off. */
void tally_peak_whiten(int n, const float *cross, const float *power_a, const float *power_b,
                       tally_point off, float *out);
/* The highest pixel of a surface within `reach` of (cx, cy), and how far it stands over the
 * surface's rms. */
double tally_peak_highest(int n, const float *surface, tally_point at, double reach, int *px,
                          int *py);
/* From `at` to the top between the pixels, and the surface's height there as a share of the highest
 * that it could have: all frequencies in step. */
double tally_peak_climb(int n, const float *spectrum, tally_point *at);

#endif
