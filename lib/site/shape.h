/* SPDX-License-Identifier: GPL-3.0-or-later */
/* An OGR geometry as a zone's shape. Only lib/site/ includes this: OGR's type stays in the room. */
#ifndef TALLY_SITE_SHAPE_H
#define TALLY_SITE_SHAPE_H

#include <ogr_api.h>

#include "tallyman/site.h"
#include "base/geometry.h"

/* The most points that one site may have: a drawing by hand has hundreds. */
#define TALLY_SITE_POINTS 1000000

/*
 * Lines and rings without points that repeat their neighbour; rings are open (the first point is
 * not repeated). Errors: TALLY_E_FORMAT, its message begins with `who`.
 */
tally_status tally_shape_from_ogr(OGRGeometryH geometry, tally_role role, const char *who,
                                  tally_shape *out, tally_error *err) TALLY_MUST_CHECK;
/* Too short or too small, crossing rings, holes outside, parts that overlap. */
tally_status tally_shape_check(const tally_shape *metres, const char *who,
                               tally_error *err) TALLY_MUST_CHECK;

#endif
