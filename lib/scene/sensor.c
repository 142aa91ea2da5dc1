/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * Radar or optical: --sensor, else bands named by polarisation, else the STAC item (any `sar:`
 * property, its platform or instruments), else the file's tags, else the file's name. Where nothing
 * tells, it is optical: a grey 8-bit picture does not say by itself what took it.
 */
#include <gdal.h>
#include <jansson.h>
#include <string.h>
#include <strings.h>

#include "scene/sensor.h"

/* What platforms and instruments call themselves, wherever in the text. */
static bool names_radar(const char *text)
{
    static const char *const names[] = { "sentinel-1",   "sentinel1", "iceye",       "capella",
                                         "umbra",        "terrasar",  "tandem-x",    "radarsat",
                                         "cosmo-skymed", "paz-1",     "alos-palsar", "c-sar",
                                         "x-sar" };
    for (size_t i = 0; text && i < sizeof names / sizeof *names; i++)
        if (strcasestr(text, names[i])) return true;
    return false;
}

/* S1A_IW_GRDH_..., ICEYE_X2_..., CAPELLA_C02_..., 2024-03-01-..._UMBRA-05_GEC, TSX1_SAR__... */
static bool name_is_radar(const char *stem)
{
    static const char *const starts[] = { "S1A_",  "S1B_",  "S1C_",  "S1D_",  "TSX1_",
                                          "TDX1_", "RS2_",  "RCM1_", "RCM2_", "RCM3_",
                                          "CSKS",  "PAZ1_", "ICEYE" };
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (strncasecmp(stem, starts[i], strlen(starts[i])) == 0) return true;
    return strcasestr(stem, "_UMBRA-") || strcasestr(stem, "CAPELLA_");
}

static bool tags_tell(void *data)
{
    static const char *const keys[] = { "SATELLITE", "SENSOR",     "PLATFORM",
                                        "MISSION",   "INSTRUMENT", "TIFFTAG_IMAGEDESCRIPTION" };
    static const char *const domains[] = { "", "IMAGERY" };
    for (size_t d = 0; d < 2; d++)
        for (char **tag = GDALGetMetadata(data, domains[d]); tag && *tag; tag++)
            for (size_t k = 0; k < sizeof keys / sizeof *keys; k++) {
                const char *value = strchr(*tag, '=');
                const char *key = strcasestr(*tag, keys[k]);
                if (value && key && key < value && names_radar(value + 1)) return true;
            }
    return false;
}

bool tally_item_is_radar(const json_t *properties)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)properties, key, value)
    {
        if (strncmp(key, "sar:", 4) == 0) return true;
        if ((strcmp(key, "platform") == 0 || strcmp(key, "constellation") == 0) &&
            names_radar(json_string_value(value)))
            return true;
        if (strcmp(key, "instruments") != 0) continue;
        for (size_t i = 0; i < json_array_size(value); i++) {
            const char *word = json_string_value(json_array_get(value, i));
            if (word && (strcasecmp(word, "sar") == 0 || names_radar(word))) return true;
        }
    }
    return false;
}

/* The polarisation that a name carries between its separators: ..._VV_..., s1a-iw-grd-vv-... */
static int polarisation_in(const char *stem)
{
    for (const char *p = stem; *p;) {
        const size_t n = strcspn(p, "_-. ");
        char word[3];
        if (n == 2) {
            memcpy(word, p, 2);
            word[2] = '\0';
            const int role = tally_band_role_parse(word);
            if (role >= 0 && tally_band_is_radar((tally_band_role)role)) return role;
        }
        p += n + (p[n] != '\0');
    }
    return -1;
}

bool tally_draft_is_radar(const tally_builder *b, void *data, const tally_draft *d)
{
    if (b->settings->sensor == TALLY_SENSOR_SAR) return true;
    if (b->settings->sensor == TALLY_SENSOR_OPTICAL) return false;
    return d->said.is_radar || tags_tell(data) || name_is_radar(d->stem);
}

int tally_draft_polarisation(const tally_draft *d)
{
    const int role = d->said.polarisation >= 0 ? d->said.polarisation : polarisation_in(d->stem);
    return role >= 0 ? role : TALLY_RADAR;
}

int tally_sensor_parse(const char *word)
{
    if (!word || strcmp(word, "auto") == 0) return TALLY_SENSOR_AUTO;
    if (strcmp(word, "optical") == 0) return TALLY_SENSOR_OPTICAL;
    return strcmp(word, "sar") == 0 ? TALLY_SENSOR_SAR : -1;
}
