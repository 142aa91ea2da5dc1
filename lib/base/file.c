/* SPDX-License-Identifier: GPL-3.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/base.h"

static tally_status write_all(int fd, const char *bytes, size_t size)
{
    while (size > 0) {
        ssize_t n = write(fd, bytes, size);
        if (n < 0 && errno == EINTR) continue;
        if (n <= 0) return TALLY_E_IO;
        bytes += n;
        size -= (size_t)n;
    }
    return TALLY_OK;
}

tally_status tally_text_save(const tally_text *text, const char *path, tally_error *err)
{
    if (text->failed) return tally_nomem(err, path);
    char *beside = tally_format("%s.part", path);
    if (!beside) return tally_nomem(err, path);

    tally_status s = TALLY_OK;
    int fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0 || write_all(fd, text->bytes ? text->bytes : "", text->size) != TALLY_OK ||
        fsync(fd) != 0)
        s = tally_fail(err, TALLY_E_IO,
                       "%s: cannot be written: %s; free some space or choose another folder", path,
                       strerror(errno));
    if (fd >= 0 && close(fd) != 0 && s == TALLY_OK)
        s = tally_fail(err, TALLY_E_IO,
                       "%s: cannot be written: %s; free some space or choose another folder", path,
                       strerror(errno));
    if (s == TALLY_OK && rename(beside, path) != 0)
        s = tally_fail(err, TALLY_E_IO, "%s: cannot be replaced: %s; check who may write there",
                       path, strerror(errno));
    if (s != TALLY_OK && fd >= 0) unlink(beside);
    tally_free(beside);
    return s;
}

static tally_status read_stream(FILE *f, const char *path, size_t limit, char **out, size_t *size,
                                tally_error *err)
{
    size_t used = 0, capacity = 1 << 16;
    char *bytes = tally_alloc(capacity + 1, 1);
    if (!bytes) return tally_nomem(err, path);
    for (;;) {
        used += fread(bytes + used, 1, capacity - used, f);
        if (used < capacity) break;
        if (capacity > limit) {
            tally_free(bytes);
            return tally_fail(err, TALLY_E_FORMAT,
                              "%s: larger than %zu bytes; this is not what it should be", path,
                              limit);
        }
        char *more = tally_realloc(bytes, capacity * 2 + 1, 1);
        if (!more) {
            tally_free(bytes);
            return tally_nomem(err, path);
        }
        bytes = more;
        capacity *= 2;
    }
    if (ferror(f)) {
        tally_free(bytes);
        return tally_fail(err, TALLY_E_IO, "%s: cannot be read: %s; check the file", path,
                          strerror(errno));
    }
    bytes[used] = '\0';
    *out = bytes;
    if (size) *size = used;
    return TALLY_OK;
}

tally_status tally_file_read(const char *path, size_t limit, char **out, size_t *size,
                             tally_error *err)
{
    *out = NULL;
    FILE *f = fopen(path, "rbe");
    if (!f)
        return tally_fail(err, TALLY_E_IO, "%s: cannot be opened: %s; check the name", path,
                          strerror(errno));
    tally_status s = read_stream(f, path, limit, out, size, err);
    fclose(f);
    return s;
}

static void to_hex(const unsigned char *digest, unsigned n, char out[65])
{
    for (unsigned i = 0; i < n && i < 32; i++)
        snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

void tally_sha256(const void *bytes, size_t size, char out[65])
{
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    out[0] = '\0';
    if (EVP_Digest(bytes, size, digest, &n, EVP_sha256(), NULL) == 1) to_hex(digest, n, out);
}

tally_status tally_file_sha256(const char *path, char out[65], tally_error *err)
{
    unsigned char buffer[1 << 16], digest[EVP_MAX_MD_SIZE];
    unsigned n = 0;
    out[0] = '\0';
    FILE *f = fopen(path, "rbe");
    if (!f)
        return tally_fail(err, TALLY_E_IO, "%s: cannot be opened: %s; check the name", path,
                          strerror(errno));
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    bool good = md && EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1;
    for (size_t got; good && (got = fread(buffer, 1, sizeof buffer, f)) > 0;)
        good = EVP_DigestUpdate(md, buffer, got) == 1;
    good = good && !ferror(f) && EVP_DigestFinal_ex(md, digest, &n) == 1;
    EVP_MD_CTX_free(md);
    fclose(f);
    if (!good) return tally_fail(err, TALLY_E_IO, "%s: cannot be read whole; check the file", path);
    to_hex(digest, n, out);
    return TALLY_OK;
}

static tally_status make_one(const char *path, tally_error *err)
{
    struct stat info;
    if (mkdir(path, 0777) == 0) return TALLY_OK;
    const int why = errno;
    /* a parent may be there and yet answer EROFS or EACCES instead of EEXIST */
    const bool there = stat(path, &info) == 0;
    if (there && S_ISDIR(info.st_mode)) return TALLY_OK;
    if (there)
        return tally_fail(err, TALLY_E_IO, "%s: is a file, not a folder; choose another place",
                          path);
    return tally_fail(err, TALLY_E_IO,
                      "%s: cannot be made: %s; choose a folder that you may write to", path,
                      strerror(why));
}

tally_status tally_mkdir(const char *path, tally_error *err)
{
    char *part = tally_strdup(path);
    if (!part) return tally_nomem(err, path);
    tally_status s = TALLY_OK;
    for (char *c = part; *c && s == TALLY_OK; c++) {
        if (*c != '/' || c == part || c[-1] == '/') continue;
        *c = '\0';
        s = make_one(part, err);
        *c = '/';
    }
    if (s == TALLY_OK) s = make_one(part, err);
    tally_free(part);
    return s;
}

static int remove_entry(const char *path, const struct stat *info, int kind, struct FTW *at)
{
    (void)info;
    (void)kind;
    (void)at;
    return remove(path);
}

tally_status tally_remove_tree(const char *path, tally_error *err)
{
    if (nftw(path, remove_entry, 16, FTW_DEPTH | FTW_PHYS) == 0 || errno == ENOENT) return TALLY_OK;
    return tally_fail(err, TALLY_E_IO, "%s: cannot be removed: %s; check who may write there", path,
                      strerror(errno));
}
