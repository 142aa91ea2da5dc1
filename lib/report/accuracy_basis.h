/* SPDX-License-Identifier: GPL-3.0-or-later */
/* On what the accuracy of each class was measured. */
#ifndef TALLY_REPORT_ACCURACY_BASIS_H
#define TALLY_REPORT_ACCURACY_BASIS_H

#include <stdbool.h>
#include <stddef.h>

#include "tallyman/records.h"

typedef enum tally_basis_kind { TALLY_BASIS_DRAWN, TALLY_BASIS_REAL } tally_basis_kind;

typedef struct tally_accuracy_row {
    tally_class class_;
    double gsd_from_m, gsd_to_m;
    const char *what;  /* which scenes it holds for */
    const char *error; /* how far off the counts were */
    tally_basis_kind kind;
    const char *basis; /* which scenes it was measured on */
} tally_accuracy_row;

extern const tally_accuracy_row tally_accuracy_rows[];
extern const size_t tally_n_accuracy_rows;
/* The words that go before the table. */
extern const char tally_accuracy_caveat[];

/* "drawn" or "real". */
const char *tally_basis_name(tally_basis_kind kind);
/* Does the records' series hold this class at such a GSD? */
bool tally_accuracy_concerns(const tally_accuracy_row *row, const tally_records *records);

#endif
