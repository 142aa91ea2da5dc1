/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The little dense algebra that we take from OpenCV, behind a plain C header; single-threaded, no
 * exception gets out. */
#ifndef TALLY_CHANGE_OPENCV_ADAPTER_H
#define TALLY_CHANGE_OPENCV_ADAPTER_H

#ifdef __cplusplus
extern "C" {
#else
#include <stdbool.h>
#endif

/* "4.6.0": what was linked, for run.json. Static storage. */
const char *tally_opencv_version(void);
/* Eigenvalues, largest first, and unit eigenvectors, one a row, of the symmetric n x n matrix `a`.
 * False: OpenCV failed. */
bool tally_eigen_symmetric(const double *a, int n, double *values, double *vectors);
/* Two clusters (k-means++, seeded, the best of four tries) of n points of `dims` <= 32 floats, one
 * point after the other: their centres, in no order, into centres[2 * dims]. False: OpenCV failed.
 */
bool tally_two_means(const float *points, int n, int dims, double *centres);

#ifdef __cplusplus
}
#endif
#endif
