/* SPDX-License-Identifier: GPL-3.0-or-later */
/* GDAL's manners: it registers once, prints nothing, and does not list the folder of every tile it
 * opens. */
#include <cpl_conv.h>
#include <gdal.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <tiffio.h>

#include "scene/scene.h"

static void prefer(const char *option, const char *value)
{
    if (!CPLGetConfigOption(option, NULL)) CPLSetConfigOption(option, value);
}

void tally_gdal_begin(void)
{
    /* quiet: the last message of each thread stays to be asked for with CPLGetLastErrorMsg */
    CPLSetErrorHandler(CPLQuietErrorHandler);
    /* TRUE still finds .msk, .aux.xml and world files, by asking for them; EMPTY_DIR would not */
    prefer("GDAL_DISABLE_READDIR_ON_OPEN", "TRUE");
    /* decoded blocks of files that are open, of all threads together: windows are small and read in
     * order, so a little is enough; GDAL's own default grows with the machine */
    prefer("GDAL_CACHEMAX", "128");
    if (GDALGetDriverCount() == 0) GDALAllRegister();
}

const char *tally_gdal_version(void)
{
    return GDALVersionInfo("RELEASE_NAME");
}

static char tiff_version[32];

/* "LIBTIFF, Version 4.5.0\nCopyright ..." */
static void find_tiff_version(void)
{
    const char *said = TIFFGetVersion(), *word = said ? strstr(said, "Version ") : NULL;
    if (!word) return;
    word += strlen("Version ");
    snprintf(tiff_version, sizeof tiff_version, "%.*s", (int)strcspn(word, " \r\n"), word);
}

const char *tally_tiff_version(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, find_tiff_version);
    return tiff_version;
}
