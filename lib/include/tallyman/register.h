/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TALLYMAN_REGISTER_H
#define TALLYMAN_REGISTER_H

#include "tallyman/context.h"

/* Two images: how one lies on the other. */
typedef struct tally_register_settings {
    const char *fixed, *moving;
    const char
        *bands; /* roles of the bands in their order, as the files do not say them; or NULL */
    const char *output; /* MOVING laid onto FIXED's grid, Float32; NULL: not written */
} tally_register_settings;

typedef struct tally_register_result {
    double dx_px, dy_px; /* a ground point at (x, y) of FIXED lies at (x + dx, y + dy) of MOVING, in
                            pixels of FIXED at the middle of the windows, beyond what the
                            geotransforms say; NaN when none was found */
    double rmse_px;      /* of the windows that agree, each about what the others foretell; NaN when
                            none do */
    int windows;         /* that agree */
    const char *model;   /* translation, similarity, affine or local: the simplest that held on
                            left-out   windows; static */
    int accepted;        /* 1: the shift can be trusted */
    double rotation_deg, scale; /* of MOVING's content beyond what the geotransforms say: clockwise;
                                   NaN when none was found */
    double gsd_ratio;           /* MOVING's pixel over FIXED's */
    double vanishing; /* of what differs, the share that would not if MOVING lay a pixel elsewhere;
                         NaN: not known */
} tally_register_result;

/*
 * Estimate the shift between two georeferenced images, in windows spread over FIXED, and lay MOVING
 * onto FIXED where an output is wanted.
 *
 * Method:  phase correlation of orientation images, windows voting; see lib/align/registration.c.
 * Nodata:  what either does not show takes no part; in the output it is NaN.
 * Cost:    up to 49 windows of 128 x 128 px; the output is streamed in strips.
 * Owns:    nothing; result is written whole, on TALLY_E_NO_MATCH too.
 * Errors:  TALLY_E_IO, TALLY_E_FORMAT, TALLY_E_CRS a file; TALLY_E_NO_MATCH no trustworthy shift:
 *          no overlap, too few edges, cloud. Nothing is written then.
 */
TALLY_API tally_status tally_register(const tally_context *ctx,
                                      const tally_register_settings *settings,
                                      tally_register_result *result,
                                      tally_error *err) TALLY_MUST_CHECK;

#endif
