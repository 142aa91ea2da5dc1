/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Principal components of squares of the change, in two clusters. */
#ifndef TALLY_CHANGE_CELIK_H
#define TALLY_CHANGE_CELIK_H

#include "change/score.h"

/* Fill filter and filter_cut. `score` knows its bands' transform already. TALLY_E_NODATA: the
 * images do not differ. */
tally_status tally_celik_learn(tally_score *score, const tally_sample *sample,
                               tally_error *err) TALLY_MUST_CHECK;

#endif
