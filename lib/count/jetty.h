/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Land inside water zones: by pixel, and by what is shaped like a hull. */
#ifndef TALLY_COUNT_JETTY_H
#define TALLY_COUNT_JETTY_H

#include "base/geometry.h"
#include "base/patch.h"

#define TALLY_LAND_SHADED 0.4f /* perhaps land: hardly ever lit water, often of one colour */
#define TALLY_LAND_MAYBE  0.2f /* the same, but water in up to a third of the scenes */

/* Of the scenes that show a pixel, the share in which it was water, in which it was darker than
 * water (these are part of the former), and in which it had its usual colour. 1: land; one of the
 * above; 0: none. */
float tally_landness(float wet, float dark, float steady);
/* Whether more than half of a rectangle, in pixels of a patch of landness, has `least` of it. */
bool tally_is_jetty(const tally_patch *land, const tally_rect *rect, float least);

#endif
