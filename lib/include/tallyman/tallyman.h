/* SPDX-License-Identifier: GPL-3.0-or-later */
/* All of libtallyman, in reading order. */
#ifndef TALLYMAN_TALLYMAN_H
#define TALLYMAN_TALLYMAN_H

#include "tallyman/status.h"

#include "tallyman/context.h"

#include "tallyman/site.h"

#include "tallyman/records.h"

#include "tallyman/scan.h"

#include "tallyman/register.h"

#include "tallyman/diff.h"

#include "tallyman/series.h"

#include "tallyman/compare.h"

#include "tallyman/store.h"

#include "tallyman/review.h"

#include "tallyman/report.h"

#include "tallyman/run.h"

#endif
