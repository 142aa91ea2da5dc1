/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Which band is what: --bands, else of a radar image (sensor.c) its polarisation, else STAC
 * eo:bands, else the bands' descriptions, else their colour interpretation, else the product's
 * name. The first source that knows any band is believed for all. A single grey band is `pan`; of
 * several unknown bands the first stands in as `pan`, so that one can at least look and align.
 */
#include <gdal.h>
#include <string.h>
#include <strings.h>

#include "scene/roles.h"
#include "scene/sensor.h"

static const char *const names[TALLY_BAND_ROLES] = { "blue", "green", "red", "nir", "pan",
                                                     "vv",   "vh",    "hh",  "hv",  "sar" };

const char *tally_band_role_name(tally_band_role role)
{
    return (unsigned)role < TALLY_BAND_ROLES ? names[role] : "?";
}

/* Vendors' other spellings of the same. */
int tally_band_role_parse(const char *word)
{
    static const struct {
        const char *word;
        int role;
    } others[] = { { "near infrared", TALLY_NIR },
                   { "near-infrared", TALLY_NIR },
                   { "nir1", TALLY_NIR },
                   { "nir08", TALLY_NIR },
                   { "n", TALLY_NIR },
                   { "panchromatic", TALLY_PAN },
                   { "b", TALLY_BLUE },
                   { "g", TALLY_GREEN },
                   { "r", TALLY_RED } };
    for (int i = 0; i < TALLY_BAND_ROLES; i++)
        if (strcasecmp(word, names[i]) == 0) return i;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (strcasecmp(word, others[i].word) == 0) return others[i].role;
    return -1;
}

/* The first band of a role is it. True when any is known. */
static bool take(tally_draft *d, const int *roles, int n)
{
    bool any = false;
    for (int i = 0; i < n && i < d->tile.n_bands; i++) {
        if (roles[i] < 0 || d->tile.bands[roles[i]]) continue;
        d->tile.bands[roles[i]] = i + 1;
        any = true;
    }
    return any;
}

static int from_colour(GDALRasterBandH band)
{
    switch (GDALGetRasterColorInterpretation(band)) {
    case GCI_RedBand:
        return TALLY_RED;
    case GCI_GreenBand:
        return TALLY_GREEN;
    case GCI_BlueBand:
        return TALLY_BLUE;
    default:
        return -1;
    }
}

static bool from_name(tally_draft *d)
{
    static const int bgrn[] = { TALLY_BLUE, TALLY_GREEN, TALLY_RED, TALLY_NIR };
    static const int rgbn[] = { TALLY_RED, TALLY_GREEN, TALLY_BLUE, TALLY_NIR };
    /* coastal, blue, green I, green, yellow, red, red edge, near infrared */
    static const int eight[] = { -1, TALLY_BLUE, -1, TALLY_GREEN, -1, TALLY_RED, -1, TALLY_NIR };
    int n = d->tile.n_bands;

    if (d->naming.is_naip && n == 4) return take(d, rgbn, 4);
    if (d->naming.is_maxar) {
        /* coastal, blue, green, yellow, red, red edge, near infrared 1 and 2 */
        static const int ms8[] = { -1, TALLY_BLUE, TALLY_GREEN, -1, TALLY_RED, -1, TALLY_NIR, -1 };
        return n == 4 ? take(d, bgrn, 4) : n == 8 && take(d, ms8, 8);
    }
    if (!d->naming.is_planet) return false;
    if (strcasestr(d->naming.product, "Visual")) return n >= 3 && take(d, rgbn, 3);
    if (strcasestr(d->naming.product, "Analytic") == NULL) return false;
    if (n == 4) return take(d, bgrn, 4);
    return n == 8 && take(d, eight, 8);
}

static void forget_radar(int *roles, int n)
{
    for (int i = 0; i < n; i++)
        if (roles[i] >= 0 && tally_band_is_radar((tally_band_role)roles[i])) roles[i] = -1;
}

/* Bands named by polarisation, else the first: what another band of a radar file holds (an angle, a
 * mask) is nothing to count in. */
static void take_radar(tally_draft *d, const int *described, int n)
{
    const int *sources[] = { d->said.roles, described };
    const int sizes[] = { d->said.n_roles, n };
    for (int k = 0; k < 2; k++) {
        int radar[TALLY_NAMED_BANDS];
        for (int i = 0; i < sizes[k]; i++)
            radar[i] = sources[k][i] >= 0 && tally_band_is_radar((tally_band_role)sources[k][i])
                           ? sources[k][i]
                           : -1;
        if (take(d, radar, sizes[k])) return;
    }
    d->tile.bands[tally_draft_polarisation(d)] = 1;
}

void tally_roles_set(const tally_builder *b, void *data, tally_draft *d)
{
    int described[TALLY_NAMED_BANDS], coloured[TALLY_NAMED_BANDS];
    int n = d->tile.n_bands < TALLY_NAMED_BANDS ? d->tile.n_bands : TALLY_NAMED_BANDS;

    for (int i = 0; i < n; i++) {
        GDALRasterBandH band = GDALGetRasterBand(data, i + 1);
        described[i] = tally_band_role_parse(GDALGetDescription(band));
        coloured[i] = from_colour(band);
        if (GDALGetRasterColorInterpretation(band) == GCI_AlphaBand) d->tile.has_alpha = i + 1;
    }
    if (take(d, b->roles, b->n_roles)) return;
    if (tally_draft_is_radar(b, data, d)) {
        take_radar(d, described, n);
        return;
    }
    if (b->settings->sensor == TALLY_SENSOR_OPTICAL) {
        forget_radar(d->said.roles, d->said.n_roles);
        forget_radar(described, n);
    }
    if (take(d, d->said.roles, d->said.n_roles) || take(d, described, n) || take(d, coloured, n) ||
        from_name(d))
        return;
    d->tile.bands[TALLY_PAN] = 1;
    d->roles_guessed = n > 1;
}
