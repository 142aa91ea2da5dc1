#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Bad input: one line on standard error that names the file and what is wrong; the rest is counted all the same.
. "$(dirname "$0")/lib.sh"
scenes=$scratch/scenes
cp -r "$set/scenes" "$scenes"
one=$(find "$scenes" -name '*SR*.tif' | sort | head -1)

# refuses NAME STATUS WORD ARGUMENTS...: ends with STATUS, says WORD in one line
refuses() {
    local name=$1 wanted=$2 word=$3 status=0
    shift 3
    "$tallyman" "$@" --quiet >/dev/null 2>"$scratch/err" || status=$?
    [ $status -eq "$wanted" ] || fail "$name: status $status, not $wanted: $(cat "$scratch/err")"
    [ "$(wc -l <"$scratch/err")" -eq 1 ] || fail "$name: $(wc -l <"$scratch/err") lines: $(cat "$scratch/err")"
    grep -q -- "$word" "$scratch/err" || fail "$name: does not say '$word': $(cat "$scratch/err")"
}
site_with() { cat >"$scratch/site_bad.geojson"; }
zone() { echo "{\"type\":\"Feature\",\"properties\":{\"name\":\"$1\",\"role\":\"$2\"},\"geometry\":$3}"; }
box='{"type":"Polygon","coordinates":[[[130.6,42.41],[130.601,42.41],[130.601,42.411],[130.6,42.41]]]}'

printf "type,kind,length_over_couplers_m\nhopper,wagon,1e9\n" >"$scratch/wagons.csv"
refuses "catalogue" 1 "wagons.csv: line 2: length" run --catalogue "$scratch/wagons.csv" "$site" "$scenes" -o "$scratch/o0"
refuses "missing tile" 1 nowhere.tif run "$site" "$scratch/nowhere.tif" -o "$scratch/o1"
refuses "missing site" 1 nowhere.geojson run "$scratch/nowhere.geojson" "$scenes" -o "$scratch/o2"
echo '{"type":"FeatureCollection","features":[]}' | site_with
refuses "no zone" 1 site_bad.geojson run "$scratch/site_bad.geojson" "$scenes" -o "$scratch/o3"
echo "{\"type\":\"FeatureCollection\",\"features\":[$(zone a harbour "$box")]}" | site_with
refuses "unknown role" 1 harbour run "$scratch/site_bad.geojson" "$scenes" -o "$scratch/o4"
echo "{\"type\":\"FeatureCollection\",\"features\":[$(zone a yard "$box"),$(zone a yard "$box")]}" | site_with
refuses "duplicate name" 1 site_bad.geojson run "$scratch/site_bad.geojson" "$scenes" -o "$scratch/o5"
echo "{\"type\":\"FeatureCollection\",\"features\":[$(zone a yard '{"type":"Polygon","coordinates":[[[130.6,42.41],[130.6,42.41],[130.6,42.41],[130.6,42.41]]]}')]}" | site_with
refuses "bad ring" 1 site_bad.geojson run "$scratch/site_bad.geojson" "$scenes" -o "$scratch/o6"
echo '{ "type": "Featu' | site_with
refuses "not JSON" 1 site_bad.geojson run "$scratch/site_bad.geojson" "$scenes" -o "$scratch/o7"
zoned() { echo "{\"type\":\"FeatureCollection\",\"features\":[$1]}" | site_with; }
bad_site() { refuses "$1" 1 "$2" run "$scratch/site_bad.geojson" "$scenes" -o "$scratch/o8"; }
zoned "$(zone a stable "$box")"
bad_site "nothing to count" "no zone in which anything is counted"
zoned "$(zone a yard '{"type":"Polygon","coordinates":[[[1e30,1e30],[1e31,1e30],[1e31,1e31],[1e30,1e30]]]}')"
bad_site "huge coordinates" "no longitude and latitude"
zoned "$(zone a yard '{"type":"Polygon","coordinates":[[[130.598,42.4145],[130.599,42.415],[130.599,42.4145],[130.598,42.415],[130.598,42.4145]]]}')"
bad_site "self-crossing polygon" "crosses or touches itself"
zoned "$(zone a track "$box")"
bad_site "a track that is a polygon" "LineString"
zoned "$(zone a yard '{"type":"Polygon","coordinates":[[[10,10],[10.001,10],[10.001,10.001],[10,10]]]}')"
bad_site "a site of elsewhere" "shows the site's zones"
zoned "$(zone a yard '{"type":"Polygon","coordinates":[[[179.999,10],[-179.999,10],[-179.999,10.001],[179.999,10.001],[179.999,10]]]}')"
bad_site "a site across the antimeridian is one place" "shows the site's zones"
echo '{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"role":7,"name":8},"geometry":null}]}' | site_with
bad_site "numbers for words" "unknown role 7"
: | site_with
bad_site "an empty site file" site_bad.geojson
mkdir "$scratch/nothing"
refuses "an empty folder" 1 "$scratch/nothing: holds no tile" run "$site" "$scratch/nothing" -o "$scratch/o9"
refuses "a glob without a match" 1 "no tile matches" run "$site" "$scratch/nothing/*.tif" -o "$scratch/o9"
refuses "nodata that is none" 2 "is no number" run "$site" "$scenes" --nodata inf -o "$scratch/o9"
[ ! -e "$scratch/o9" ] || fail "a folder was made for a call that was wrong"
refuses "no store" 1 "no such store" report "$scratch/nothing"
touch "$scratch/a_file"
refuses "output is a file" 1 a_file run "$site" "$scenes" -o "$scratch/a_file"
refuses "unwritable output" 1 /proc/nowhere run "$site" "$scenes" -o /proc/nowhere

# Broken tiles among good ones: left out with their reason, status 3, the rest counted.
head -c 3000 "$one" >"$scenes/20260101_000000_truncated.tif"
: >"$scenes/20260102_000000_empty.tif"
echo "this is no TIFF" >"$scenes/20260103_000000_text.tif"
gdal_translate -q -b 1 -co COMPRESS=DEFLATE -a_srs '' "$one" "$scenes/20260104_000000_nocrs.tif" 2>/dev/null || true
status=0
"$tallyman" run "$site" "$scenes" -o "$scratch/mixed" --quiet >/dev/null 2>"$scratch/err" || status=$?
[ $status -eq 3 ] || fail "broken tiles among good ones: status $status: $(cat "$scratch/err")"
for word in truncated empty text; do
    [ "$(grep -c "$word" "$scratch/err")" -ge 1 ] || fail "nothing was said of the $word tile"
done
grep -q '^[^,]*,\*,railcar,.*,ok,' "$scratch/mixed/series.csv" || fail "the good scenes were not counted"

# A zone that no tile reaches: the others are counted, and it is named.
zoned "$(zone near yard '{"type":"Polygon","coordinates":[[[130.598,42.4145],[130.599,42.4145],[130.599,42.415],[130.598,42.4145]]]}'),$(zone beyond yard '{"type":"Polygon","coordinates":[[[130.9,42.41],[130.901,42.41],[130.901,42.411],[130.9,42.41]]]}')"
refuses "a zone outside of every tile" 0 "zone beyond: none of" run "$scratch/site_bad.geojson" "$set/scenes" -o "$scratch/beyond"

# A full disk: what was complete stays, nothing half-written looks whole.
if [ "$(id -u)" -eq 0 ] && mkdir "$scratch/small" && mount -t tmpfs -o size=400k tmpfs "$scratch/small" 2>/dev/null; then
    status=0
    "$tallyman" run "$site" "$set/scenes" -o "$scratch/small/out" --quiet >/dev/null 2>"$scratch/err" || status=$?
    ls "$scratch/small/out"/*.part >/dev/null 2>&1 && fail "a .part file was left on a full disk"
    umount "$scratch/small"
    [ $status -eq 1 ] || fail "a full disk: status $status"
else
    echo "SKIPPED: the full disk; mounting a small tmpfs needs root"
fi
finish
