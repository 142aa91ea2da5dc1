/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Files, folders, globs and STAC collections become a sorted list of paths, each once. */
#include <cpl_conv.h>
#include <cpl_vsi.h>
#include <dirent.h>
#include <errno.h>
#include <glob.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

#include "scene/draft.h"

enum { MOST_DEPTH = 16, MOST_FILES = 1000000 };
#define MOST_JSON (256u << 20)

/* The collections stay in memory while the catalogue is made: drafts point into them. */
struct tally_items {
    json_t **roots;
    size_t n;
};

static bool ends_with(const char *name, const char *ending)
{
    size_t n = strlen(name), m = strlen(ending);
    return n >= m && strcasecmp(name + n - m, ending) == 0;
}

/* In folders only what is surely a raster is picked up; by name any file may be given. */
static bool is_raster_name(const char *name)
{
    static const char *const endings[] = {
        ".tif", ".tiff", ".jp2", ".vrt", ".img", ".ntf", ".nitf"
    };
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (ends_with(name, endings[i])) return true;
    return false;
}

/* What a shell's star brings along beside the tiles: left out without a word unless it stands
 * alone. */
static bool is_sidecar_name(const char *name)
{
    static const char *const endings[] = { ".imd", ".xml", ".rpb", ".til", ".tfw", ".prj",
                                           ".ovr", ".msk", ".txt", ".md5", ".csv" };
    for (size_t i = 0; i < sizeof endings / sizeof *endings; i++)
        if (ends_with(name, endings[i])) return true;
    return false;
}

static tally_status add(tally_builder *b, tally_input input, tally_error *err)
{
    if (b->n_inputs >= MOST_FILES)
        return tally_fail(err, TALLY_E_ARG, "more than %d tiles; name a smaller folder",
                          MOST_FILES);
    if (b->n_inputs % 256 == 0) {
        tally_input *more = tally_realloc(b->inputs, b->n_inputs + 256, sizeof *more);
        if (!more) return tally_nomem(err, "the list of tiles");
        b->inputs = more;
    }
    b->inputs[b->n_inputs++] = input;
    return TALLY_OK;
}

static tally_status add_file(tally_builder *b, const char *path, tally_error *err)
{
    return add(b, (tally_input) { .path = tally_keep(b, path) }, err);
}

/* A folder that a run wrote holds backgrounds, no tiles. */
static bool is_own_output(const char *folder)
{
    struct stat st;
    char *store = tally_format("%s/tallyman.gpkg", folder);
    bool is = store && stat(store, &st) == 0;
    tally_free(store);
    return is;
}

static tally_status add_folder(tally_builder *b, const char *folder, int depth, tally_error *err)
{
    struct dirent *entry;
    tally_status s = TALLY_OK;

    if (depth > MOST_DEPTH || (depth > 0 && is_own_output(folder))) return TALLY_OK;
    DIR *dir = opendir(folder);
    if (!dir)
        return tally_fail(err, TALLY_E_IO,
                          "%s: the folder cannot be read: %s; check who may read it", folder,
                          strerror(errno));
    while (s == TALLY_OK && (entry = readdir(dir)) != NULL) {
        struct stat st;
        if (entry->d_name[0] == '.') continue;
        char *path =
            tally_format("%s%s%s", folder, ends_with(folder, "/") ? "" : "/", entry->d_name);
        if (!path) s = tally_nomem(err, folder);
        if (path && stat(path, &st) == 0) {
            if (S_ISDIR(st.st_mode))
                s = add_folder(b, path, depth + 1, err);
            else if (S_ISREG(st.st_mode) && is_raster_name(path))
                s = add_file(b, path, err);
        }
        tally_free(path);
    }
    closedir(dir);
    return s;
}

/* ---- STAC ---- */

/* As GDAL opens it: relative to the collection, or through a network file system. */
static char *resolve(const char *base, const char *href)
{
    if (strncmp(href, "http://", 7) == 0 || strncmp(href, "https://", 8) == 0)
        return tally_format("/vsicurl/%s", href);
    if (strncmp(href, "s3://", 5) == 0) return tally_format("/vsis3/%s", href + 5);
    if (strncmp(href, "file://", 7) == 0) return tally_strdup(href + 7);
    if (href[0] == '/') return tally_strdup(href);
    while (strncmp(href, "./", 2) == 0)
        href += 2;
    const char *slash = strrchr(base, '/');
    return tally_format("%.*s%s", slash ? (int)(slash - base + 1) : 0, base, href);
}

static bool has_role(const json_t *asset, const char *role)
{
    const json_t *roles = json_object_get(asset, "roles");
    for (size_t i = 0; i < json_array_size(roles); i++) {
        const char *word = json_string_value(json_array_get(roles, i));
        if (word && strcmp(word, role) == 0) return true;
    }
    return false;
}

static char *stem_of(const char *path)
{
    return tally_strdup(CPLGetBasename(path));
}

static bool is_mask_asset(const char *key, const json_t *asset, const char *href)
{
    if (has_role(asset, "data-mask") || strcasestr(key, "udm2")) return true;
    char *stem = stem_of(href);
    bool is = stem && tally_naming_of(stem).is_mask;
    tally_free(stem);
    return is;
}

static bool is_data_asset(const json_t *asset, const char *href)
{
    static const char *const others[] = { "thumbnail", "overview", "metadata",
                                          "data-mask", "cloud",    "snow-ice" };
    const char *type = json_string_value(json_object_get(asset, "type"));
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (has_role(asset, others[i])) return false;
    return is_raster_name(href) || (type && (strstr(type, "tiff") || strstr(type, "jp2")));
}

static tally_status add_item(tally_builder *b, const char *base, json_t *item, tally_error *err)
{
    json_t *assets = json_object_get(item, "assets"), *asset;
    const char *key, *mask = NULL;
    tally_status s = TALLY_OK;

    for (int pass = 0; pass < 2 && s == TALLY_OK; pass++)
        json_object_foreach(assets, key, asset)
        {
            const char *href = json_string_value(json_object_get(asset, "href"));
            if (!href || s != TALLY_OK) continue;
            bool is_mask = is_mask_asset(key, asset, href);
            if (is_mask != (pass == 0) || (!is_mask && !is_data_asset(asset, href))) continue;
            char *path = resolve(base, href);
            if (!path)
                s = tally_nomem(err, base);
            else if (is_mask)
                mask = tally_keep(b, path);
            else
                s = add(b, (tally_input) { tally_keep(b, path), mask, item, tally_keep(b, key) },
                        err);
            tally_free(path);
        }
    return s;
}

/* An Item, or a FeatureCollection of Items. */
static tally_status add_collection(tally_builder *b, const char *path, tally_error *err)
{
    GByte *bytes = NULL;
    vsi_l_offset size = 0;
    json_error_t where = { 0 };
    size_t before = b->n_inputs;
    tally_status s = TALLY_OK;

    if (!VSIIngestFile(NULL, path, &bytes, &size, MOST_JSON))
        return tally_fail(err, TALLY_E_IO,
                          "%s: cannot be read, or is larger than %u MB; check the path", path,
                          MOST_JSON >> 20);
    json_t *root = json_loadb((const char *)bytes, (size_t)size, 0, &where);
    VSIFree(bytes);
    if (!root)
        return tally_fail(err, TALLY_E_FORMAT,
                          "%s: is no JSON (line %d: %s); give a STAC ItemCollection", path,
                          where.line, where.text);
    json_t **more = tally_realloc(b->items->roots, b->items->n + 1, sizeof(json_t *));
    if (!more) {
        json_decref(root);
        return tally_nomem(err, path);
    }
    b->items->roots = more;
    b->items->roots[b->items->n++] = root;
    const json_t *features = json_object_get(root, "features");
    if (json_object_get(root, "assets")) s = add_item(b, path, root, err);
    for (size_t i = 0; i < json_array_size(features) && s == TALLY_OK; i++)
        s = add_item(b, path, json_array_get(features, i), err);
    bool sidecar = b->settings->n_inputs > 1 && json_object_get(root, "properties");
    if (s == TALLY_OK && b->n_inputs == before && !sidecar)
        s = tally_fail(err, TALLY_E_FORMAT,
                       "%s: names no GeoTIFF in any asset; give a STAC ItemCollection of images",
                       path);
    return s;
}

static tally_status add_one(tally_builder *b, const char *path, tally_error *err)
{
    if (ends_with(path, ".json") || ends_with(path, ".geojson"))
        return add_collection(b, path, err);
    if (b->settings->n_inputs > 1 && is_sidecar_name(path)) return TALLY_OK;
    return add_file(b, path, err);
}

static tally_status add_glob(tally_builder *b, const char *pattern, tally_error *err)
{
    glob_t found = { 0 };
    size_t before = b->n_inputs;
    tally_status s = TALLY_OK;

    if (glob(pattern, GLOB_NOSORT, NULL, &found) == 0)
        for (size_t i = 0; i < found.gl_pathc && s == TALLY_OK; i++) {
            struct stat st;
            if (stat(found.gl_pathv[i], &st) != 0) continue;
            if (S_ISDIR(st.st_mode))
                s = add_folder(b, found.gl_pathv[i], 0, err);
            else if (is_raster_name(found.gl_pathv[i]))
                s = add_file(b, found.gl_pathv[i], err);
        }
    globfree(&found);
    if (s == TALLY_OK && b->n_inputs == before)
        s = tally_fail(err, TALLY_E_IO, "%s: no tile matches; check the pattern", pattern);
    return s;
}

static tally_status add_input(tally_builder *b, const char *input, tally_error *err)
{
    struct stat st;
    size_t before = b->n_inputs;

    if (strncmp(input, "/vsi", 4) == 0) return add_one(b, input, err);
    if (strstr(input, "://")) {
        char *path = resolve("", input);
        tally_status s = path ? add_one(b, path, err) : tally_nomem(err, input);
        tally_free(path);
        return s;
    }
    if (stat(input, &st) != 0) {
        if (strpbrk(input, "*?[")) return add_glob(b, input, err);
        return tally_fail(err, TALLY_E_IO, "%s: no such file or folder; check the path", input);
    }
    if (!S_ISDIR(st.st_mode)) return add_one(b, input, err);
    tally_status s = add_folder(b, input, 0, err);
    if (s == TALLY_OK && b->n_inputs == before)
        s = tally_fail(err, TALLY_E_IO, "%s: holds no tile (.tif, .jp2, .vrt, ...); check the path",
                       input);
    return s;
}

/* By path; of one path the entry that has a STAC item first. */
static int by_path(const void *a, const void *b)
{
    const tally_input *x = a, *y = b;
    int order = strcmp(x->path, y->path);
    if (order) return order;
    if (!x->item != !y->item) return x->item ? -1 : 1;
    return x->item ? strcmp(x->asset, y->asset) : 0;
}

tally_status tally_inputs_find(tally_builder *b, tally_error *err)
{
    tally_status s = TALLY_OK;
    size_t kept = 0;

    b->items = tally_alloc(1, sizeof *b->items);
    if (!b->items) return tally_nomem(err, "the list of tiles");
    for (size_t i = 0; i < b->settings->n_inputs && s == TALLY_OK; i++)
        s = add_input(b, b->settings->inputs[i], err);
    if (s != TALLY_OK) return s;
    if (b->n_inputs) qsort(b->inputs, b->n_inputs, sizeof *b->inputs, by_path);
    for (size_t i = 0; i < b->n_inputs; i++) {
        char *stem = stem_of(b->inputs[i].path);
        bool mask = stem && tally_naming_of(stem).is_mask;
        tally_free(stem);
        if (mask || (kept && strcmp(b->inputs[kept - 1].path, b->inputs[i].path) == 0)) continue;
        b->inputs[kept++] = b->inputs[i];
    }
    b->n_inputs = kept;
    if (!kept)
        return tally_fail(err, TALLY_E_IO, "%s: no tile but masks; name the folder of the images",
                          b->settings->n_inputs ? b->settings->inputs[0] : "no input");
    return TALLY_OK;
}

void tally_inputs_fini(tally_builder *b)
{
    for (size_t i = 0; b->items && i < b->items->n; i++)
        json_decref(b->items->roots[i]);
    if (b->items) tally_free(b->items->roots);
    tally_free(b->items);
    tally_free(b->inputs);
    b->items = NULL;
    b->inputs = NULL;
    b->n_inputs = 0;
}
