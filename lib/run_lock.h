/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One at a time: who changes a folder holds its lock. */
#ifndef TALLY_RUN_LOCK_H
#define TALLY_RUN_LOCK_H

#include "base/base.h"

/* *lock is a descriptor; close() gives the folder free. Errors: TALLY_E_BUSY, TALLY_E_IO. */
tally_status tally_folder_lock(const char *folder, int *lock, tally_error *err) TALLY_MUST_CHECK;

#endif
