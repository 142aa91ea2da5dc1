/* SPDX-License-Identifier: GPL-3.0-or-later */
/*
 * The form of the layer `review`: a QML document in the table `layer_styles`, where QGIS looks for
 * a layer's default style (its table and columns are QGIS's own: QgsOgrProvider). Words, zones and
 * scenes are lists to choose from, so that a review cannot name what is not there; a count is a
 * whole number from 0; author and time fill themselves in.
 *
 * `description` holds the hash of the document: where the two no longer fit together somebody has
 * changed the form, and it is left alone. Tried in QGIS 3.22.
 */
#include <cpl_error.h>
#include <stdio.h>
#include <string.h>

#include "scene/scene.h"
#include "store/inside.h"

/* A list of so many scenes is no help any more, and the id is typed. */
enum { MANY_SCENES = 2000 };
#define STYLE "tallyman"

/* For an attribute in double quotes; control characters, which XML forbids, become blanks. */
static void xml_text(tally_text *t, const char *text)
{
    for (; *text; text++) {
        const unsigned char c = (unsigned char)*text;
        const char *as = c == '&'                ? "&amp;"
                         : c == '<'              ? "&lt;"
                         : c == '>'              ? "&gt;"
                         : c == '"'              ? "&quot;"
                         : c < 0x20 || c == 0x7F ? " "
                                                 : NULL;
        tally_text_bytes(t, as ? as : text, as ? strlen(as) : 1);
    }
}

static void begin_map(tally_text *t, const char *field)
{
    tally_text_add(t,
                   "<field name=\"%s\" configurationFlags=\"None\"><editWidget type=\"ValueMap\">"
                   "<config><Option type=\"Map\"><Option name=\"map\" type=\"List\">\n",
                   field);
}

static void map_choice(tally_text *t, const char *label, const char *value)
{
    tally_text_add(t, "<Option type=\"Map\"><Option name=\"");
    xml_text(t, label);
    tally_text_add(t, "\" type=\"QString\" value=\"");
    xml_text(t, value);
    tally_text_add(t, "\"/></Option>\n");
}

static void end_map(tally_text *t)
{
    tally_text_add(t, "</Option></Option></config></editWidget></field>\n");
}

static void action_widget(tally_text *t)
{
    static const char *const labels[TALLY_ACTION_COUNT] = { "accept: it is right",
                                                            "reject: it is no such thing",
                                                            "add: there is one more",
                                                            "correct: it is so many" };
    begin_map(t, "action");
    for (int a = 0; a < TALLY_ACTION_COUNT; a++)
        map_choice(t, labels[a], tally_action_name((tally_action)a));
    end_map(t);
}

static void class_widget(tally_text *t)
{
    begin_map(t, "class");
    for (int c = 0; c < TALLY_CLASS_COUNT; c++)
        map_choice(t, tally_class_name((tally_class)c), tally_class_name((tally_class)c));
    end_map(t);
}

static void zone_widget(tally_text *t, const tally_records *r)
{
    begin_map(t, "zone");
    map_choice(t, "* (the whole site)", "*");
    for (size_t i = 0; i < r->n_observations; i++) {
        const char *zone = r->observations[i].zone;
        bool first = strcmp(zone, "*") != 0;
        for (size_t k = 0; k < i && first; k++)
            first = r->observations[k].zone != zone; /* interned: equal names are one pointer */
        if (first) map_choice(t, zone, zone);
    }
    end_map(t);
}

static void scene_widget(tally_text *t, const tally_records *r)
{
    if (r->n_scenes > MANY_SCENES) {
        tally_text_add(t, "<field name=\"scene\" configurationFlags=\"None\"><editWidget "
                          "type=\"TextEdit\"><config><Option/></config></editWidget></field>\n");
        return;
    }
    begin_map(t, "scene");
    for (size_t i = 0; i < r->n_scenes; i++) {
        char stamp[24];
        tally_utc_format(r->scenes[i].utc, stamp);
        char *label =
            tally_format("%.10s %.5s  %s", stamp, stamp[0] ? stamp + 11 : "", r->scenes[i].scene);
        map_choice(t, label ? label : r->scenes[i].scene, r->scenes[i].scene);
        tally_free(label);
    }
    end_map(t);
}

static void plain_widgets(tally_text *t)
{
    tally_text_add(t, "<field name=\"fid\" configurationFlags=\"None\"><editWidget "
                      "type=\"Hidden\"><config><Option/></config></editWidget></field>\n");
    static const char *const lines[] = { "datetime", "detection", "who" };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++)
        tally_text_add(
            t,
            "<field name=\"%s\" configurationFlags=\"None\"><editWidget "
            "type=\"TextEdit\"><config><Option type=\"Map\"><Option name=\"IsMultiline\" "
            "type=\"bool\" value=\"false\"/></Option></config></editWidget></field>\n",
            lines[i]);
    tally_text_add(
        t, "<field name=\"why\" configurationFlags=\"None\"><editWidget type=\"TextEdit\"><config>"
           "<Option type=\"Map\"><Option name=\"IsMultiline\" type=\"bool\" value=\"true\"/>"
           "</Option></config></editWidget></field>\n"
           "<field name=\"count\" configurationFlags=\"None\"><editWidget type=\"Range\"><config>"
           "<Option type=\"Map\"><Option name=\"AllowNull\" type=\"bool\" value=\"true\"/>"
           "<Option name=\"Min\" type=\"int\" value=\"0\"/>"
           "<Option name=\"Max\" type=\"int\" value=\"1000000\"/>"
           "<Option name=\"Precision\" type=\"int\" value=\"0\"/>"
           "<Option name=\"Step\" type=\"int\" value=\"1\"/>"
           "<Option name=\"Style\" type=\"QString\" value=\"SpinBox\"/>"
           "</Option></config></editWidget></field>\n"
           "<field name=\"when\" configurationFlags=\"None\"><editWidget type=\"DateTime\"><config>"
           "<Option type=\"Map\"><Option name=\"allow_null\" type=\"bool\" value=\"true\"/>"
           "<Option name=\"calendar_popup\" type=\"bool\" value=\"true\"/>"
           "<Option name=\"display_format\" type=\"QString\" value=\"yyyy-MM-dd HH:mm:ss\"/>"
           "<Option name=\"field_format\" type=\"QString\" value=\"yyyy-MM-ddTHH:mm:ss\"/>"
           "<Option name=\"field_iso_format\" type=\"bool\" value=\"true\"/>"
           "</Option></config></editWidget></field>\n");
    for (int i = 0; i < 2; i++)
        tally_text_add(t,
                       "<field name=\"%s\" configurationFlags=\"None\"><editWidget "
                       "type=\"Range\"><config><Option type=\"Map\"><Option name=\"AllowNull\" "
                       "type=\"bool\" value=\"true\"/><Option name=\"Min\" type=\"double\" "
                       "value=\"-%d\"/><Option name=\"Max\" type=\"double\" value=\"%d\"/>"
                       "<Option name=\"Precision\" type=\"int\" value=\"7\"/>"
                       "<Option name=\"Style\" type=\"QString\" value=\"SpinBox\"/>"
                       "</Option></config></editWidget></field>\n",
                       i ? "latitude" : "longitude", i ? 90 : 180, i ? 90 : 180);
}

static const char form_head[] =
    "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
    "<qgis version=\"3.22.0\" styleCategories=\"Symbology|Fields|Forms\" readOnly=\"0\">\n"
    "<renderer-v2 type=\"singleSymbol\" symbollevels=\"0\" enableorderby=\"0\"><symbols>"
    "<symbol name=\"0\" type=\"fill\" alpha=\"1\" clip_to_extent=\"1\" force_rhr=\"0\">"
    "<layer class=\"SimpleFill\" enabled=\"1\" pass=\"0\" locked=\"0\">"
    "<prop k=\"color\" v=\"213,94,0,40\"/><prop k=\"outline_color\" v=\"213,94,0,255\"/>"
    "<prop k=\"outline_style\" v=\"solid\"/><prop k=\"outline_width\" v=\"0.5\"/>"
    "<prop k=\"outline_width_unit\" v=\"MM\"/><prop k=\"style\" v=\"solid\"/>"
    "</layer></symbol></symbols><rotation/><sizescale/></renderer-v2>\n"
    "<fieldConfiguration>\n";
/* constraints: 1 not null, 4 expression; strength: 1 hard, 2 a warning */
static const char form_tail[] =
    "</fieldConfiguration>\n"
    "<aliases>"
    "<alias field=\"datetime\" name=\"or its date\"/>"
    "<alias field=\"detection\" name=\"detection (id in the layer detections)\"/>"
    "<alias field=\"count\" name=\"count (correct, add)\"/>"
    "<alias field=\"longitude\" name=\"longitude (add, without an outline)\"/>"
    "<alias field=\"latitude\" name=\"latitude\"/>"
    "</aliases>\n"
    "<defaults>"
    "<default field=\"who\" expression=\"@user_full_name\" applyOnUpdate=\"0\"/>"
    "<default field=\"when\" expression=\"format_date(now(),'yyyy-MM-ddTHH:mm:ss')\" "
    "applyOnUpdate=\"0\"/>"
    "</defaults>\n"
    "<constraints>"
    "<constraint field=\"action\" constraints=\"1\" notnull_strength=\"1\" unique_strength=\"0\" "
    "exp_strength=\"0\"/>"
    "<constraint field=\"class\" constraints=\"1\" notnull_strength=\"1\" unique_strength=\"0\" "
    "exp_strength=\"0\"/>"
    "<constraint field=\"zone\" constraints=\"1\" notnull_strength=\"1\" unique_strength=\"0\" "
    "exp_strength=\"0\"/>"
    "<constraint field=\"who\" constraints=\"1\" notnull_strength=\"1\" unique_strength=\"0\" "
    "exp_strength=\"0\"/>"
    "<constraint field=\"why\" constraints=\"4\" notnull_strength=\"0\" unique_strength=\"0\" "
    "exp_strength=\"1\"/>"
    "<constraint field=\"count\" constraints=\"4\" notnull_strength=\"0\" unique_strength=\"0\" "
    "exp_strength=\"1\"/>"
    "<constraint field=\"detection\" constraints=\"4\" notnull_strength=\"0\" "
    "unique_strength=\"0\" exp_strength=\"1\"/>"
    "</constraints>\n"
    "<constraintExpressions>"
    "<constraint field=\"why\" exp=\"&quot;action&quot; = 'accept' or "
    "coalesce(&quot;why&quot;, '') &lt;&gt; ''\" desc=\"say why\"/>"
    "<constraint field=\"count\" exp=\"case when &quot;action&quot; = 'correct' then "
    "&quot;count&quot; is not null when &quot;action&quot; = 'add' then true else "
    "&quot;count&quot; is null end\" desc=\"correct wants a count, add may have one\"/>"
    "<constraint field=\"detection\" exp=\"&quot;action&quot; &lt;&gt; 'reject' or "
    "coalesce(&quot;detection&quot;, '') &lt;&gt; ''\" desc=\"what is rejected?\"/>"
    "</constraintExpressions>\n"
    "<editform tolerant=\"1\"/><featformsuppress>0</featformsuppress>"
    "<editorlayout>generatedlayout</editorlayout>\n"
    "<layerGeometryType>2</layerGeometryType>\n</qgis>\n";

static void write_form(tally_text *t, const tally_records *records)
{
    tally_text_bytes(t, form_head, strlen(form_head));
    action_widget(t);
    class_widget(t);
    zone_widget(t, records);
    scene_widget(t, records);
    plain_widgets(t);
    tally_text_bytes(t, form_tail, strlen(form_tail));
}

static bool make_styles_column(OGRLayerH layer, const char *name, OGRFieldType type, int width)
{
    OGRFieldDefnH field = OGR_Fld_Create(name, type);
    if (width > 0) OGR_Fld_SetWidth(field, width);
    if (strcmp(name, "useAsDefault") == 0) OGR_Fld_SetSubType(field, OFSTBoolean);
    if (type == OFTDateTime) OGR_Fld_SetDefault(field, "(strftime('%Y-%m-%dT%H:%M:%fZ','now'))");
    OGRErr bad = OGR_L_CreateField(layer, field, TRUE);
    OGR_Fld_Destroy(field);
    return bad == OGRERR_NONE;
}

/* The table as QGIS makes it. */
static OGRLayerH make_styles(tally_store *store)
{
    static const struct {
        const char *name;
        OGRFieldType type;
        int width;
    } columns[] = { { "f_table_catalog", OFTString, 256 },
                    { "f_table_schema", OFTString, 256 },
                    { "f_table_name", OFTString, 256 },
                    { "f_geometry_column", OFTString, 256 },
                    { "styleName", OFTString, 30 },
                    { "styleQML", OFTString, 0 },
                    { "styleSLD", OFTString, 0 },
                    { "useAsDefault", OFTInteger, 0 },
                    { "description", OFTString, 0 },
                    { "owner", OFTString, 30 },
                    { "ui", OFTString, 30 },
                    { "update_time", OFTDateTime, 0 } };
    char *options[] = { (char *)"FID=id", NULL };
    OGRLayerH layer =
        GDALDatasetCreateLayer(store->dataset, "layer_styles", NULL, wkbNone, options);
    for (size_t i = 0; layer && i < sizeof columns / sizeof *columns; i++)
        if (!make_styles_column(layer, columns[i].name, columns[i].type, columns[i].width))
            layer = NULL;
    return layer;
}

static const char *text_of(OGRFeatureH row, const char *column)
{
    const int i = OGR_F_GetFieldIndex(row, column);
    return i >= 0 && OGR_F_IsFieldSetAndNotNull(row, i) ? OGR_F_GetFieldAsString(row, i) : "";
}

static void set_text(OGRFeatureH row, const char *column, const char *text)
{
    const int i = OGR_F_GetFieldIndex(row, column);
    if (i >= 0) OGR_F_SetFieldString(row, i, text);
}

/* Our row of the table, and whether another one is the default of `review`. */
static OGRFeatureH find_form(OGRLayerH styles, const char *geometry, bool *other_default)
{
    OGRFeatureH row, ours = NULL;
    *other_default = false;
    OGR_L_ResetReading(styles);
    while ((row = OGR_L_GetNextFeature(styles))) {
        const bool of_review = strcmp(text_of(row, "f_table_name"), "review") == 0 &&
                               strcmp(text_of(row, "f_geometry_column"), geometry) == 0;
        const int i = OGR_F_GetFieldIndex(row, "useAsDefault");
        if (of_review && !ours && strcmp(text_of(row, "styleName"), STYLE) == 0) {
            ours = row;
            continue;
        }
        if (of_review && i >= 0 && OGR_F_GetFieldAsInteger(row, i)) *other_default = true;
        OGR_F_Destroy(row);
    }
    return ours;
}

static tally_status put_form(tally_store *store, OGRLayerH styles, const tally_text *form,
                             tally_error *err)
{
    char hash[65], kept[65];
    bool other_default;
    const char *geometry = OGR_L_GetGeometryColumn(store->layers[TALLY_REVIEWS]);
    OGRFeatureH row = find_form(styles, geometry, &other_default);
    const bool is_new = !row;

    tally_sha256(form->bytes, form->size, hash);
    if (row) {
        const char *qml = text_of(row, "styleQML");
        tally_sha256(qml, strlen(qml), kept);
        /* somebody's own by now, or just what it should be */
        if (!strstr(text_of(row, "description"), kept) || strcmp(kept, hash) == 0) {
            OGR_F_Destroy(row);
            return TALLY_OK;
        }
    } else if (!(row = OGR_F_Create(OGR_L_GetLayerDefn(styles)))) {
        return tally_nomem(err, store->path);
    }
    char *description = tally_format("made by tallyman, sha256 %s", hash);
    set_text(row, "f_table_catalog", "");
    set_text(row, "f_table_schema", "");
    set_text(row, "f_table_name", "review");
    set_text(row, "f_geometry_column", geometry);
    set_text(row, "styleName", STYLE);
    set_text(row, "styleQML", form->bytes);
    set_text(row, "styleSLD", "");
    set_text(row, "owner", "");
    set_text(row, "description", description ? description : "");
    const int use = OGR_F_GetFieldIndex(row, "useAsDefault");
    if (is_new && use >= 0) OGR_F_SetFieldInteger(row, use, !other_default);
    const OGRErr bad = is_new ? OGR_L_CreateFeature(styles, row) : OGR_L_SetFeature(styles, row);
    OGR_F_Destroy(row);
    tally_free(description);
    return bad ? tally_store_failed(store->path, "given a form", err) : TALLY_OK;
}

tally_status tally_store_dress_review(tally_store *store, const tally_records *records,
                                      tally_error *err)
{
    tally_text form = { 0 };
    write_form(&form, records);
    tally_status s = form.failed ? tally_nomem(err, store->path) : TALLY_OK;
    CPLPushErrorHandler(CPLQuietErrorHandler);
    OGRLayerH styles = GDALDatasetGetLayerByName(store->dataset, "layer_styles");
    if (s == TALLY_OK && !styles && !(styles = make_styles(store)))
        s = tally_store_failed(store->path, "given a form", err);
    CPLPopErrorHandler();
    if (s == TALLY_OK) {
        s = tally_store_begin(store, err);
        if (s == TALLY_OK) s = put_form(store, styles, &form, err);
        s = tally_store_end(store, s, err);
    }
    tally_text_fini(&form);
    return s;
}
