/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "site/shape.h"

#include <cpl_error.h>
#include <math.h>

#include "site/crs.h"

static size_t count_paths(OGRGeometryH g, size_t depth)
{
    switch (wkbFlatten(OGR_G_GetGeometryType(g))) {
    case wkbLineString:
        return 1;
    case wkbPolygon:
        return (size_t)OGR_G_GetGeometryCount(g);
    case wkbMultiLineString:
    case wkbMultiPolygon: {
        size_t n = 0;
        if (depth > 0) return 0;
        for (int i = 0; i < OGR_G_GetGeometryCount(g); i++)
            n += count_paths(OGR_G_GetGeometryRef(g, i), depth + 1);
        return n;
    }
    default:
        return 0;
    }
}

/* Longitude and latitude of one line or ring, what repeats left out. */
static tally_status add_path(OGRGeometryH line, int part, bool ring, const char *who,
                             tally_shape *out, tally_error *err)
{
    int n = OGR_G_GetPointCount(line);
    tally_path *path = &out->paths[out->n_paths];
    if (n > TALLY_SITE_POINTS)
        return tally_fail(err, TALLY_E_FORMAT, "%s: has %d points, the limit is %d; simplify it",
                          who, n, TALLY_SITE_POINTS);
    path->points = tally_alloc((size_t)(n > 0 ? n : 1), sizeof *path->points);
    if (!path->points) return tally_nomem(err, who);
    out->part[out->n_paths++] = part;
    for (int i = 0; i < n; i++) {
        tally_point p = { OGR_G_GetX(line, i), OGR_G_GetY(line, i) };
        if (!isfinite(p.x) || !isfinite(p.y) || fabs(p.x) > 180 || fabs(p.y) > 90)
            return tally_fail(err, TALLY_E_FORMAT,
                              "%s: point %d (%g, %g) is no longitude and latitude in degrees; give "
                              "longitude first, or state the CRS of the file",
                              who, i + 1, p.x, p.y);
        if (path->n && path->points[path->n - 1].x == p.x && path->points[path->n - 1].y == p.y)
            continue;
        path->points[path->n++] = p;
    }
    if (ring && n > 0) {
        tally_point *q = path->points;
        if (OGR_G_GetX(line, 0) != OGR_G_GetX(line, n - 1) ||
            OGR_G_GetY(line, 0) != OGR_G_GetY(line, n - 1))
            return tally_fail(err, TALLY_E_FORMAT,
                              "%s: its ring is not closed; repeat the first point as the last",
                              who);
        while (path->n > 1 && q[0].x == q[path->n - 1].x && q[0].y == q[path->n - 1].y)
            path->n--;
    }
    if (path->n < (ring ? 3u : 2u))
        return tally_fail(err, TALLY_E_FORMAT,
                          "%s: has %zu different points, a %s needs %d; draw it again", who,
                          path->n, ring ? "ring" : "line", ring ? 3 : 2);
    return TALLY_OK;
}

static tally_status add_part(OGRGeometryH g, int part, const char *who, tally_shape *out,
                             tally_error *err)
{
    tally_status s = TALLY_OK;
    if (out->is_line) return add_path(g, part, false, who, out, err);
    for (int i = 0; i < OGR_G_GetGeometryCount(g) && s == TALLY_OK; i++)
        s = add_path(OGR_G_GetGeometryRef(g, i), part, true, who, out, err);
    return s;
}

tally_status tally_shape_from_ogr(OGRGeometryH g, tally_role role, const char *who,
                                  tally_shape *out, tally_error *err)
{
    OGRwkbGeometryType type = wkbFlatten(OGR_G_GetGeometryType(g));
    bool multi = type == wkbMultiLineString || type == wkbMultiPolygon;
    bool line = type == wkbLineString || type == wkbMultiLineString;
    size_t n = count_paths(g, 0);

    *out = (tally_shape) { .is_line = role == TALLY_TRACK };
    if ((!multi && type != wkbLineString && type != wkbPolygon) || line != out->is_line)
        return tally_fail(err, TALLY_E_FORMAT,
                          "%s: is a %s, a zone of role %s is a %s; draw it again", who,
                          OGR_G_GetGeometryName(g), tally_role_name(role),
                          out->is_line ? "LineString" : "Polygon");
    if (n == 0)
        return tally_fail(err, TALLY_E_FORMAT, "%s: its geometry is empty; draw it or take it out",
                          who);
    out->paths = tally_alloc(n, sizeof *out->paths);
    out->part = tally_alloc(n, sizeof *out->part);
    tally_status s = out->paths && out->part ? TALLY_OK : tally_nomem(err, who);
    if (s == TALLY_OK && !multi) s = add_part(g, 0, who, out, err);
    for (int i = 0; multi && s == TALLY_OK && i < OGR_G_GetGeometryCount(g); i++)
        s = add_part(OGR_G_GetGeometryRef(g, i), i, who, out, err);
    if (s != TALLY_OK) tally_shape_fini(out);
    return s;
}

static OGRGeometryH polygons_of(const tally_shape *shape)
{
    OGRGeometryH all = OGR_G_CreateGeometry(wkbMultiPolygon), polygon = NULL;
    for (size_t i = 0; i < shape->n_paths; i++) {
        const tally_path *p = &shape->paths[i];
        if (i == 0 || shape->part[i] != shape->part[i - 1]) {
            if (polygon) OGR_G_AddGeometryDirectly(all, polygon);
            polygon = OGR_G_CreateGeometry(wkbPolygon);
        }
        OGRGeometryH ring = OGR_G_CreateGeometry(wkbLinearRing);
        for (size_t j = 0; j <= p->n; j++)
            OGR_G_AddPoint_2D(ring, p->points[j % p->n].x, p->points[j % p->n].y);
        OGR_G_AddGeometryDirectly(polygon, ring);
    }
    if (polygon) OGR_G_AddGeometryDirectly(all, polygon);
    return all;
}

/* Shorter or smaller than this holds nothing that is counted: 1 m of track, 1 m2 of ground. */
#define LEAST_EXTENT 1.0

tally_status tally_shape_check(const tally_shape *metres, const char *who, tally_error *err)
{
    char said[256];
    tally_status s = TALLY_OK;

    for (size_t i = 0; i < metres->n_paths && metres->is_line; i++)
        if (tally_path_length(&metres->paths[i]) < LEAST_EXTENT)
            return tally_fail(err, TALLY_E_FORMAT,
                              "%s: is shorter than %g m; draw it or take it out", who,
                              LEAST_EXTENT);
    if (metres->is_line) return TALLY_OK;

    OGRGeometryH g = polygons_of(metres);
    CPLErrorReset();
    if (!OGR_G_IsValid(g))
        s = tally_fail(err, TALLY_E_FORMAT,
                       "%s: its ring crosses or touches itself or another (%s, in metres of the "
                       "site's UTM zone); draw it without crossings",
                       who, tally_gdal_said(said, sizeof said));
    OGR_G_DestroyGeometry(g);
    if (s == TALLY_OK && tally_shape_area(metres) < LEAST_EXTENT)
        s = tally_fail(err, TALLY_E_FORMAT, "%s: covers less than %g m2; draw it or take it out",
                       who, LEAST_EXTENT);
    return s;
}
