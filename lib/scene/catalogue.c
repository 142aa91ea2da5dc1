/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The catalogue: find the tiles, look at each, group them. */
#include <string.h>

#include "scene/draft.h"

const char *tally_keep(tally_builder *b, const char *text)
{
    pthread_mutex_lock(&b->lock);
    const char *kept = tally_intern(b->strings, text);
    if (!kept) b->no_memory = true;
    pthread_mutex_unlock(&b->lock);
    return kept ? kept : "";
}

/* "blue,green,red,nir"; a place left empty or "-" is a band of no role. */
static tally_status read_bands(tally_builder *b, tally_error *err)
{
    const char *p = b->settings->bands;
    while (p && *p) {
        char word[32];
        size_t n = strcspn(p, ",");
        if (n >= sizeof word || b->n_roles == TALLY_NAMED_BANDS)
            return tally_fail(err, TALLY_E_ARG,
                              "--bands %s: too long; give roles such as blue,green,red,nir",
                              b->settings->bands);
        memcpy(word, p, n);
        word[n] = '\0';
        int role = tally_band_role_parse(word);
        if (role < 0 && n > 0 && strcmp(word, "-") != 0)
            return tally_fail(err, TALLY_E_ARG,
                              "--bands %s: %s is no role; they are blue, green, red, nir, pan, vv, "
                              "vh, hh, hv, sar, or - for none",
                              b->settings->bands, word);
        for (int i = 0; i < b->n_roles && role >= 0; i++)
            if (b->roles[i] == role)
                return tally_fail(err, TALLY_E_ARG, "--bands %s: %s stands there twice",
                                  b->settings->bands, word);
        b->roles[b->n_roles++] = role;
        p += n + (p[n] == ',');
    }
    return TALLY_OK;
}

static tally_status look(void *user, size_t i, tally_error *err)
{
    tally_builder *b = user;
    (void)err;
    tally_draft_read(b, &b->inputs[i], &b->drafts[i]);
    return TALLY_OK;
}

static tally_status fill(tally_builder *b, tally_catalogue *c, tally_error *err)
{
    tally_status s = read_bands(b, err);
    if (s == TALLY_OK) s = tally_inputs_find(b, err);
    if (s != TALLY_OK) return s;

    b->drafts = tally_alloc(b->n_inputs, sizeof *b->drafts);
    c->tiles = tally_alloc(b->n_inputs, sizeof *c->tiles);
    if (!b->drafts || !c->tiles) return tally_nomem(err, "the list of tiles");
    b->n_drafts = b->n_inputs;
    s = tally_parallel_for(b->ctx, "looking at tiles", b->n_inputs, look, b, err);
    c->n_tiles = b->n_drafts;
    for (size_t i = 0; i < b->n_drafts; i++) {
        c->tiles[i] = b->drafts[i].tile;
        if (s == TALLY_OK && *c->tiles[i].warning)
            tally_warn(b->ctx, "%s: %s", c->tiles[i].path, c->tiles[i].warning);
    }
    if (s == TALLY_OK) s = tally_scenes_make(b, c, err);
    if (s == TALLY_OK) s = tally_families_name(b, c, err);
    if (s == TALLY_OK && b->no_memory) s = tally_nomem(err, "the list of tiles");
    return s;
}

tally_status tally_catalogue_read(const tally_context *ctx,
                                  const tally_catalogue_settings *settings, tally_catalogue **out,
                                  tally_error *err)
{
    tally_builder b = { .ctx = ctx, .settings = settings, .lock = PTHREAD_MUTEX_INITIALIZER };

    *out = NULL;
    tally_catalogue *c = tally_alloc(1, sizeof *c);
    if (!c) return tally_nomem(err, "the list of tiles");
    b.strings = c->strings = tally_strings_create();
    tally_status s = c->strings ? fill(&b, c, err) : tally_nomem(err, "the list of tiles");
    tally_free(b.drafts);
    tally_inputs_fini(&b);
    if (s != TALLY_OK) {
        tally_catalogue_destroy(&c);
        return s;
    }
    *out = c;
    return TALLY_OK;
}

void tally_catalogue_destroy(tally_catalogue **catalogue)
{
    if (!catalogue || !*catalogue) return;
    tally_catalogue *c = *catalogue;
    for (size_t i = 0; i < c->n_scenes; i++)
        tally_free(c->scenes[i].tiles);
    for (size_t i = 0; i < c->n_tiles; i++)
        if (c->tiles[i].border) {
            tally_bits_fini((tally_bits *)c->tiles[i].border);
            tally_free((tally_bits *)c->tiles[i].border);
        }
    tally_free(c->scenes);
    tally_free(c->tiles);
    tally_strings_destroy(&c->strings);
    tally_free(c);
    *catalogue = NULL;
}
