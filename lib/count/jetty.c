/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * What is never water and always looks the same is land. Snow, haze and low sun change a jetty's
 * look, and in the shade of a cloud it is as dark as water, so that no single pixel of it may pass.
 * A berth with another ship on every date is never water either, but seldom twice of one colour. So
 * what looks like a hull is held against all of its pixels: where more than half of these hardly
 * ever were lit water and often had their usual colour, it is a jetty.
 *
 * Away from berths water in a third of the scenes is borne as well, for there snow and cloud on
 * water hide a jetty now and then, while a ship that stays for two thirds of the dates lies at a
 * berth.
 *
 * Known failure: ships of one colour that fill a berth on nearly every date.
 *
 * Constants: by eye on drawn oil terminals with snow and cloud, whose jetties had their usual
 * colour in half of the scenes; of a port whose berth was never empty (`validation/port_0.5m`) no
 * ship was lost.
 */
#include "count/jetty.h"

#include <math.h>

#define WET          0.1f /* water in at most this share of the scenes, */
#define STEADY       0.7f /* of the usual colour in this: land */
#define MAYBE_WET    0.34f
#define MAYBE_STEADY 0.4f

float tally_landness(float wet, float dark, float steady)
{
    if (wet <= WET && steady >= STEADY) return 1;
    if (steady < MAYBE_STEADY || wet > MAYBE_WET) return 0;
    return wet - dark <= WET ? TALLY_LAND_SHADED : TALLY_LAND_MAYBE;
}

bool tally_is_jetty(const tally_patch *land, const tally_rect *rect, float least)
{
    size_t n = 0, maybe = 0;

    for (double u = 0.5 - rect->length / 2; u < rect->length / 2; u++)
        for (double v = 0.5 - rect->width / 2; v < rect->width / 2; v++) {
            const int x = (int)floor(rect->centre.x + u * rect->ux - v * rect->uy),
                      y = (int)floor(rect->centre.y + u * rect->uy + v * rect->ux);
            if (x < 0 || y < 0 || x >= land->width || y >= land->height) continue;
            n++;
            maybe += tally_patch_row(land, 0, y)[x] >= least;
        }
    return 2 * maybe > n;
}
