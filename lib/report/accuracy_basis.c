/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The one place that says on what each figure rests: report.html, `tallyman report` and
 * docs/accuracy.md show it. To bring it up to date: run scripts/accuracy on the sets and on the
 * real images, change the rows, and put what `tallyman report --accuracy` prints into
 * docs/accuracy.md (a hygiene test compares the two). `drawn`: scenes made by a program that knows
 * the truth; `real`: images of real places with a count by hand.
 */
#include "report/accuracy_basis.h"

#include <math.h>

const char tally_accuracy_caveat[] =
    "Drawn scenes are kinder than real ones: they hold what their authors thought of. Where no row "
    "says real, nobody has checked such counts against a real image yet.";

const tally_accuracy_row tally_accuracy_rows[] = {
    { TALLY_RAILCAR, 0, 0.6, "rail station, 14 dates",
      "total off by 1.4 of 37 (4 %), a track by 0.3; truth in interval on 14 of 14 dates",
      TALLY_BASIS_DRAWN, "validation set rail_0.5m" },
    { TALLY_RAILCAR, 0, 0.6, "spur of a port, 10 dates",
      "total off by 0.8 of 4.7; truth in interval on 10 of 10 dates", TALLY_BASIS_DRAWN,
      "validation set port_0.5m" },
    { TALLY_RAILCAR, 0, 0.6, "a single image",
      "held out: total off by 9 % (0.25 m) and 13 % (0.5 m), a track by 22 and 25 %; as built in, "
      "which was fitted on it: 1 and 3 %, 13 and 14 %",
      TALLY_BASIS_REAL,
      "Muttenz, one aerial image at 0.25 and 0.51 m, 191 railcars outlined by hand" },
    { TALLY_RAILCAR, 0.6, 5, "rail station, 13 dates",
      "total off by 5.2 of 32 (16 %), a track by 0.9; truth in interval on 13 of 13 dates",
      TALLY_BASIS_DRAWN, "validation set rail_3m" },
    { TALLY_RAILCAR, 5, INFINITY, "any", "refused: no count", TALLY_BASIS_DRAWN,
      "the generator's sets" },
    { TALLY_CONTAINER_STACK, 0, 0.6, "port, 10 dates",
      "slots off by 4.4 of 52 (8 %); truth in interval on 10 of 10 dates", TALLY_BASIS_DRAWN,
      "validation set port_0.5m" },
    { TALLY_CONTAINER_STACK, 0, 0.6, "rail yard, 13 dates",
      "slots off by 0.4 of 12 (3 %); truth in interval on 13 of 13 dates", TALLY_BASIS_DRAWN,
      "validation set rail_0.5m" },
    { TALLY_CONTAINER_STACK, 0.6, 5, "rail yard, 12 dates",
      "slots off by 6.5 of 21 (32 %); truth in interval on 12 of 12 dates", TALLY_BASIS_DRAWN,
      "validation set rail_3m" },
    { TALLY_VESSEL, 0, 0.6, "port, 10 dates",
      "17 of 17 found, 1 false (F1 0.97); lengths off by 1.4 m; 10 of 10 visits found, 12 reported",
      TALLY_BASIS_DRAWN, "validation set port_0.5m" },
    { TALLY_VESSEL, 0.6, 5, "oil terminal, 14 dates",
      "38 of 40 found, none false (F1 0.97); lengths off by 1.2 m; 20 of 20 visits found",
      TALLY_BASIS_DRAWN, "validation set oil_3m" },
    { TALLY_VESSEL, 0.6, 5, "a pair of images",
      "6 of 6 found, lengths within 9.1 %, none false of 60 m or more", TALLY_BASIS_REAL,
      "Long Beach, two dates" },
    { TALLY_VESSEL, 0, 5, "radar, single images", "13 of 18 found, 2 false", TALLY_BASIS_REAL,
      "HRSID, two chips, on which the constants were chosen" },
};
const size_t tally_n_accuracy_rows = sizeof tally_accuracy_rows / sizeof *tally_accuracy_rows;

const char *tally_basis_name(tally_basis_kind kind)
{
    return kind == TALLY_BASIS_REAL ? "real" : "drawn";
}

bool tally_accuracy_concerns(const tally_accuracy_row *row, const tally_records *records)
{
    for (size_t i = 0; i < records->n_observations; i++) {
        const tally_observation *o = &records->observations[i];
        if (o->class_ == row->class_ &&
            (isnan(o->gsd_m) || (o->gsd_m > row->gsd_from_m && o->gsd_m <= row->gsd_to_m)))
            return true;
    }
    return false;
}
