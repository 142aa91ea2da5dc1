/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Which cells of a scene lie under cloud, thick haze or a cloud's shadow. */
#ifndef TALLY_ALIGN_CLOUD_H
#define TALLY_ALIGN_CLOUD_H

#include "align/ground.h"

/* What one scene shows of the ground, by cell. */
typedef struct tally_cloud_evidence {
    tally_patch excess;  /* by band: (scene - ground) in units of the ground's level */
    tally_patch gain;    /* one band: the ground's structure that is left, 1 = as on clear ground */
    tally_patch match;   /* one band: correlation of that structure */
    tally_patch texture; /* one band: fine texture of the scene, of its own level */
    double land_texture; /* the same of the ground on land, its median */
    double clear_share;  /* of the windows with structure: those that show it clearly */
} tally_cloud_evidence;
tally_status tally_cloud_look(const tally_ground *ground, const tally_patch *scene,
                              tally_cloud_evidence *out, tally_error *err) TALLY_MUST_CHECK;
void tally_cloud_evidence_fini(tally_cloud_evidence *evidence);

/* What else is known of the scene. */
typedef struct tally_cloud_facts {
    double sun_azimuth, sun_elevation; /* degrees; NaN: unknown, and no shadow is looked for */
    bool snow;                         /* snow lies: only what has no texture at all */
    bool masked;                       /* its provider gave a mask: only what is beyond doubt */
} tally_cloud_facts;

/*
 * The cells that a scene does not show: under cloud, thick haze, or the shadow of such a cloud.
 * scene: coarse, by tally_ground_read over the whole grid. mask is initialised here: one bit a
 * cell.
 */
tally_status tally_cloud_find(const tally_ground *ground, const tally_patch *scene,
                              const tally_cloud_facts *facts, tally_bits *mask,
                              tally_error *err) TALLY_MUST_CHECK;

/* Add to a mask of clouds the shadows that they cast on land. */
tally_status tally_cloud_shade(const tally_ground *ground, const tally_cloud_evidence *evidence,
                               const tally_cloud_facts *facts, tally_bits *mask,
                               tally_error *err) TALLY_MUST_CHECK;

/* The scenes that the background is learned from, and how many of them must see a pixel for it to
 * have one; least <= 1: any. */
typedef struct tally_samples {
    const size_t *chosen;
    size_t n;
    int least;
} tally_samples;

/*
 * The whole stack, once its datum is set: learn the clear ground from its placed scenes without
 * snow (at least TALLY_GROUND_LEAST, else there are no own masks) and keep it in `folder`; then
 * find every scene's clouds, and take its gain and offset again without them. Where too few samples
 * see the ground, no scene is read from here on (stack->thin). `resume` finds the clouds of other
 * scenes against what lies in `folder`.
 */
tally_status tally_clouds_learn(const tally_context *ctx, tally_stack *stack,
                                const tally_samples *samples, const char *folder,
                                tally_error *err) TALLY_MUST_CHECK;
tally_status tally_clouds_resume(const tally_context *ctx, tally_stack *stack, const char *folder,
                                 tally_error *err) TALLY_MUST_CHECK;
/* A scene's own mask as a GeoTIFF, 1 where it hides the ground; nothing is written where it has
 * none.
 */
tally_status tally_clouds_write(const tally_stack *stack, size_t i, const char *path,
                                tally_error *err) TALLY_MUST_CHECK;
/* The share of a zone's shape that has no background for want of samples. */
tally_status tally_stack_thin_share(const tally_stack *stack, const tally_shape *metres,
                                    double *out, tally_error *err) TALLY_MUST_CHECK;

#endif
