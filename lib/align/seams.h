/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TALLY_ALIGN_SEAMS_H
#define TALLY_ALIGN_SEAMS_H

#include "scene/scene.h"

/*
 * The window of tile `t` of a scene, as tally_raster_read gives it, and past the tile's edges what
 * the scene's other tiles hold there, if they were cut from the same image: same CRS, pixels on one
 * lattice. `rasters` has one place a tile, opened here when needed; the caller closes them.
 */
tally_status tally_seams_read(const tally_scene *scene, size_t t, tally_raster **rasters,
                              const tally_band_role *roles, int n_roles, tally_box window,
                              tally_patch *patch, tally_error *err) TALLY_MUST_CHECK;

#endif
