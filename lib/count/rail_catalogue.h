/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The sizes of rail vehicles: a table, the built-in one (share/wagons.csv) or the user's own. */
#ifndef TALLY_COUNT_RAIL_CATALOGUE_H
#define TALLY_COUNT_RAIL_CATALOGUE_H

#include "base/base.h"

enum { TALLY_FLEETS_MAX = 8 };

typedef struct tally_car_kind {
    char type[32]; /* as `detections` tells it: gondola, tank, locomotive */
    char name[48];
    double length_m; /* over coupler faces, or over buffers */
    double width_m, height_m;
    double weight; /* share of the fleet's cars; those of a fleet sum to 1 */
    int fleet;
    bool locomotive;
} tally_car_kind;

/* A fleet is what runs together: on one site, the cars of one fleet are likely. */
typedef struct tally_rail_catalogue {
    tally_car_kind *kinds;
    size_t n;
    char fleets[TALLY_FLEETS_MAX][32];
    int n_fleets;
    char sha256[65]; /* of the file's bytes */
} tally_rail_catalogue;

/*
 * From CSV text (docs/files.md tells the columns). `name` is what messages call it.
 * Errors: TALLY_E_FORMAT names line, column and what is asked for; TALLY_E_NOMEM.
 * Owns: tally_rail_catalogue_destroy.
 */
tally_status tally_rail_catalogue_parse(const char *text, size_t size, const char *name,
                                        tally_rail_catalogue **out,
                                        tally_error *err) TALLY_MUST_CHECK;
/* path NULL: the built-in one. */
tally_status tally_rail_catalogue_read(const char *path, tally_rail_catalogue **out,
                                       tally_error *err) TALLY_MUST_CHECK;
void tally_rail_catalogue_destroy(tally_rail_catalogue **catalogue);
/* Mean length of a fleet's cars, by weight. */
double tally_rail_catalogue_pitch(const tally_rail_catalogue *catalogue, int fleet);

/* share/wagons.csv, put into the library when it is built. */
extern const char tally_wagons_csv[];
extern const size_t tally_wagons_csv_size;

#endif
