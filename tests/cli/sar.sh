#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Radar: told by --sensor, by names and by tags; vessels are counted, railcars and containers refused.
. "$(dirname "$0")/lib.sh"
python3 "$(dirname "$0")/draw_sar.py" "$scratch" 8 3
mkdir "$scratch/scenes"
for pgm in "$scratch"/*.pgm; do
    gdal_translate -q -co COMPRESS=DEFLATE -a_srs EPSG:32652 -a_ullr 500000 4700480 500640 4700000 \
        "$pgm" "$scratch/scenes/$(basename "$pgm" .pgm).tif" 2>/dev/null
done
rm -f "$scratch"/scenes/*.aux.xml
cat >"$scratch/zones.py" <<'EOF'
import json, sys
# metres from the upper left corner to degrees at 42.46 N, 129 E: near enough for zones
def at(x, y): return [129 + x / 82270.0, 42.456657 - y / 111070.0]
def box(x0, y0, x1, y1): return {"type": "Polygon", "coordinates": [[at(x0, y0), at(x1, y0), at(x1, y1), at(x0, y1), at(x0, y0)]]}
zones = [("water", "basin", box(10, 10, 630, 376)), ("yard", "boxes", box(100, 400, 300, 470))]
features = [{"type": "Feature", "properties": {"role": r, "name": n}, "geometry": g} for r, n, g in zones]
features.append({"type": "Feature", "properties": {"role": "track", "name": "spur"},
                 "geometry": {"type": "LineString", "coordinates": [at(50, 390), at(600, 390)]}})
json.dump({"type": "FeatureCollection", "tallyman": {"site": "port"}, "features": features}, open(sys.argv[1], "w"))
EOF
python3 "$scratch/zones.py" "$scratch/port.geojson"
site=$scratch/port.geojson

# What tells a radar image.
one=$scratch/scenes/port_20240101T060000.tif
family() { "$tallyman" scan --json "$@" 2>/dev/null | python3 -c 'import json, sys; print(json.load(sys.stdin)["scenes"][0]["family"])'; }
[ "$(family "$one")" = image-p-2m ] || fail "a grey picture is $(family "$one")"
[ "$(family --sensor sar "$one")" = sar-any-2m ] || fail "--sensor sar: $(family --sensor sar "$one")"
cp "$one" "$scratch/S1A_port_VV_20240101T060000.tif"
[ "$(family "$scratch"/S1A_*.tif)" = sar-any-vv-2m ] || fail "Sentinel-1 by its name: $(family "$scratch"/S1A_*.tif)"
[ "$(family --sensor optical "$scratch"/S1A_*.tif)" = image-p-2m ] || fail "--sensor optical: $(family --sensor optical "$scratch"/S1A_*.tif)"
gdal_translate -q -mo SATELLITE=ICEYE-X2 "$one" "$scratch/tagged.tif"
[ "$(family "$scratch/tagged.tif")" = sar-any-2m ] || fail "a tag: $(family "$scratch/tagged.tif")"
cp "$one" "$scratch/item.tif"
cat >"$scratch/item.json" <<'EOF'
{"type": "Feature", "id": "item", "properties": {"datetime": "2024-01-01T06:00:00Z", "sar:polarizations": ["HH"], "sat:orbit_state": "ascending", "sat:relative_orbit": 61},
 "assets": {"image": {"href": "item.tif"}}}
EOF
[ "$(family "$scratch/item.tif")" = sar-ascending-61-hh-2m ] || fail "an item: $(family "$scratch/item.tif")"

status=0; "$tallyman" run --sensor radar "$site" "$one" -o "$scratch/none" 2>"$scratch/err" || status=$?
[ $status -eq 2 ] && grep -q "auto, optical, sar" "$scratch/err" || fail "--sensor radar: $status, $(cat "$scratch/err")"

# rows DIR CLASS: date, count, quality of the whole site
rows() { awk -F, -v c="$2" '$2 == "*" && $3 == c { print $5, $6, $11 == "" ? $12 : $12 }' "$1/series.csv"; }
# hits DIR: scenes whose count is the truth, or within TOLERANCE of it
off_by() {
    awk -F, 'NR == FNR { split($0, t, " "); truth[t[1]] = t[2]; next }
             $2 == "*" && $3 == "vessel" { d = $6 - truth[$5]; sum += d < 0 ? -d : d; n++ } END { print n, sum }' "$scratch/truth.txt" "$1/series.csv"
}
"$tallyman" run --quiet --sensor sar "$site" "$scratch/scenes" -o "$scratch/stack" >/dev/null 2>"$scratch/err" || fail "a stack: $(cat "$scratch/err")"
[ "$(off_by "$scratch/stack")" = "8 0" ] || fail "the stack: scenes and sum of errors are $(off_by "$scratch/stack")"
for class in railcar container_stack; do
    [ "$(awk -F, -v c=$class '$3 == c && $2 != "*" && /refused/ && $6 == ""' "$scratch/stack/series.csv" | wc -l)" -eq 8 ] || fail "$class: $(grep $class "$scratch/stack/series.csv" | head -2)"
done
grep -q "radar shows" "$scratch/stack/series.csv" || fail "no reason for the refusal"
"$tallyman" verify "$scratch/stack" >/dev/null 2>"$scratch/err" || fail "verify: $(cat "$scratch/err")"

# One image: the rock and the jetty may be taken for ships, the ships must be there.
"$tallyman" run --quiet --sensor sar "$site" "$one" -o "$scratch/single" >/dev/null 2>"$scratch/err" || fail "one image: $(cat "$scratch/err")"
awk -F, '$2 == "*" && $3 == "vessel" { ok = $6 >= 2 && $6 <= 4 } END { exit !ok }' "$scratch/single/series.csv" || fail "one image: $(grep vessel "$scratch/single/series.csv")"
finish
