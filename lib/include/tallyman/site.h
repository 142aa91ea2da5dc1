/* SPDX-License-Identifier: GPL-3.0-or-later */
#ifndef TALLYMAN_SITE_H
#define TALLYMAN_SITE_H

#include "tallyman/status.h"

typedef enum tally_role {
    TALLY_TRACK,
    TALLY_YARD,
    TALLY_WATER,
    TALLY_BERTH,
    TALLY_STABLE,
    TALLY_IGNORE,
    TALLY_ROLE_COUNT
} tally_role;
TALLY_API const char *tally_role_name(tally_role role);

/* A place that is watched: one site file. See lib/site/site.h for what is inside. */
typedef struct tally_site tally_site;

/*
 * Read a site file (GeoJSON or any vector source that OGR opens).
 * id: what --site gave, or NULL: the file's foreign member `tallyman`, else its stem.
 * Errors: TALLY_E_IO, TALLY_E_FORMAT (no zone, bad ring, unknown role, duplicate name, ...: names
 * the feature), TALLY_E_CRS.
 */
TALLY_API tally_status tally_site_read(const char *path, const char *id, tally_site **out,
                                       tally_error *err) TALLY_MUST_CHECK;
TALLY_API void tally_site_destroy(tally_site **site);

#endif
