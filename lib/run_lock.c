/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "run_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>

tally_status tally_folder_lock(const char *folder, int *lock, tally_error *err)
{
    char *path = tally_format("%s/.lock", folder);
    if (!path) return tally_nomem(err, "a file's name");
    tally_status s = TALLY_OK;
    *lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (*lock < 0)
        s = tally_fail(err, TALLY_E_IO,
                       "%s: cannot be written: %s; choose a folder that you may write to", path,
                       strerror(errno));
    else if (flock(*lock, LOCK_EX | LOCK_NB) != 0)
        s = tally_fail(err, TALLY_E_BUSY,
                       "%s: another run is at work here; wait for it or choose another folder",
                       folder);
    tally_free(path);
    return s;
}
