/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Scenes that are taken to lie where their files say. Geocoded radar scenes are placed by orbits
 * that are known to a fraction of a metre, and speckle leaves little that matches between two of
 * them: where no window agrees, the file's word is better than none. The same for a single image
 * with no ground around its zones, for there is nothing to lay it onto.
 *
 * Known failure: layover. Quays and ships lie where they look, tens of metres from the map where
 * the terrain model was wrong; scenes of one orbit agree in that, those of another do not.
 */
#include <math.h>
#include <string.h>

#include "align/survey.h"

bool tally_survey_may_trust(const tally_stack *stack)
{
    return stack->n == 1 || tally_stack_is_radar(stack);
}

void tally_survey_trust(tally_stack_scene *entry)
{
    entry->placement = (tally_placement) { .residual = { { 0, 1, 0, 0, 0, 1 } },
                                           .dx_px = NAN,
                                           .dy_px = NAN,
                                           .rmse_px = NAN,
                                           .vanishing = NAN,
                                           .accepted = true,
                                           .reason = "" };
    for (int b = 0; b < TALLY_BAND_ROLES; b++) {
        entry->gain[b] = 1;
        entry->offset[b] = 0;
    }
}

int tally_survey_trust_all(const tally_context *ctx, tally_stack *stack, const char *wanted)
{
    int reference = (int)(stack->n - 1) / 2;
    for (size_t i = 0; i < stack->n; i++) {
        tally_survey_trust(&stack->scenes[i]);
        if (wanted && strcmp(stack->scenes[i].scene->id, wanted) == 0) reference = (int)i;
    }
    stack->scenes[reference].placement.dx_px = stack->scenes[reference].placement.dy_px = 0;
    tally_note(ctx,
               "%s: no ground outside of the zones: scenes are taken to lie where their files "
               "say",
               stack->family);
    return reference;
}
