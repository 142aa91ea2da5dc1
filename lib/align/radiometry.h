/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TALLY_ALIGN_RADIOMETRY_H
#define TALLY_ALIGN_RADIOMETRY_H

#include "base/base.h"

/*
 * The line y = gain x + offset through n pairs, most of which lie on it (radiometry.c tells how).
 * residual, scratch: n floats of room. Returns the robust deviation of what is left; NaN when no
 * line can be had (then gain 1, offset 0).
 */
double tally_radiometry_fit(const float *x, const float *y, float *residual, float *scratch,
                            size_t n, double *gain, double *offset);

#endif
