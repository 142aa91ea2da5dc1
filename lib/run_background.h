/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A family's background out of a run and into another: as a COG to look at, and frozen, to count
 * against. */
#ifndef TALLY_RUN_BACKGROUND_H
#define TALLY_RUN_BACKGROUND_H

#include "run_family.h"

/*
 * What the site's grid looks like in the scenes `chosen`, as a COG: per band the mode and the
 * robust sigma (change/background.c), and how many scenes saw the pixel; the same once more for the
 * scenes in snow where there are `least` of them. A pixel that fewer than `least` saw is NaN. Its
 * tags say which run's background it is.
 */
tally_status tally_background_save(const tally_family_job *job, const size_t *chosen, size_t n,
                                   int least, const char *id, const char *path,
                                   tally_error *err) TALLY_MUST_CHECK;

/* Is settings->background fit to be counted against? Before anything is touched. */
tally_status tally_background_check(const tally_run_settings *settings, const char *site_sha256,
                                    tally_error *err) TALLY_MUST_CHECK;
/*
 * Before a run: take over the frozen backgrounds of another run's folder, of a folder of
 * backgrounds in it, or of the one that a COG of tally_background_save names. They are copied, so
 * that the new folder stands alone. TALLY_E_ARG where site or settings do not agree with it.
 */
tally_status tally_background_adopt(tally_run_state *own, const tally_run_settings *settings,
                                    const char *site_sha256, tally_error *err) TALLY_MUST_CHECK;

#endif
