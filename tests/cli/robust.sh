#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The same ground, delivered otherwise or with the zones drawn a little otherwise: counts stay within the interval of the first run.
# Usage: robust.sh TALLYMAN SET [CASE..]; cases: half turned gain zone_1m zones_8m four_tiles next_utm mercator bare
. "$(dirname "$0")/lib.sh"
wanted=("${@:3}")
[ ${#wanted[@]} -gt 0 ] || wanted=(half turned gain zone_1m zones_8m four_tiles next_utm mercator bare)
mapfile -t tiles < <(find "$set/scenes" -name '*.tif' ! -name '*_udm2.tif' | sort)
export GDAL_PAM_ENABLED=NO

# Bounds, pixel and CRS of a file, in $west .. $epsg; the first tile's CRS and pixel hold for the set.
read_grid() {
    read -r west south east north gsd epsg <<<"$(gdalinfo -json "$1" | python3 -c 'import json, re, sys
d = json.load(sys.stdin); c = d["cornerCoordinates"]; w = d["coordinateSystem"]["wkt"]
print(*c["lowerLeft"], *c["upperRight"], d["geoTransform"][1], re.findall(r"ID\[\"EPSG\",(\d+)\]", w)[-1])')"
}
degrees() { gdaltransform -s_srs "EPSG:$epsg" -t_srs EPSG:4326 -output_xy <<<"$1 $2"; }
# The middle of all tiles.
read -r middle_x middle_y <<<"$(for t in "${tiles[@]}"; do read_grid "$t"; echo "$west $south $east $north"; done |
    awk '{ if (NR == 1 || $1 < w) w = $1; if (NR == 1 || $2 < s) s = $2; if (NR == 1 || $3 > e) e = $3; if (NR == 1 || $4 > n) n = $4 }
         END { printf "%.3f %.3f", (w + e) / 2, (s + n) / 2 }')"
read_grid "${tiles[0]}"

# each FOLDER COMMAND..: what COMMAND makes of every tile and mask of the set, sidecars as they are
each() {
    local folder=$1 t
    shift
    mkdir -p "$folder"
    find "$set/scenes" -name '*.json' -exec cp {} "$folder" \;
    for t in "${tiles[@]}"; do
        "$@" "$t" "$folder/$(basename "$t")" cubic
        [ ! -e "$(mask_of "$t")" ] || "$@" "$(mask_of "$t")" "$folder/$(basename "$(mask_of "$t")")" near
    done
}
mask_of() { case $1 in *_3B_*) echo "${1%_AnalyticMS_SR.tif}_udm2.tif" ;; *) echo "${1%.tif}_udm2.tif" ;; esac; }
# cubic interpolation of pixels, the nearest of a mask; a mask has no nodata
warp() {
    local how=$1 from=$2 to=$3
    shift 3
    if [ "$how" = near ]; then gdalwarp -q -r near "$@" "$from" "$to"; else gdalwarp -q -r cubic -srcnodata 0 -dstnodata 0 "$@" "$from" "$to"; fi
}
half() {
    read_grid "$1"
    warp "$3" "$1" "$2" -tr "$gsd" "$gsd" -te $(awk -v w="$west" -v s="$south" -v e="$east" -v n="$north" -v g="$gsd" \
        'BEGIN { printf "%.3f %.3f %.3f %.3f", w + g / 2, s + g / 2, e - g / 2, n - g / 2 }')
}
# the pixels turned about the middle of the set
turned() {
    local to
    read_grid "$1"
    gdal_translate -q -a_ullr "$east" "$south" "$west" "$north" "$1" "$scratch/about.tif"
    read -r -a to <<<"$(awk -v w="$west" -v s="$south" -v e="$east" -v n="$north" -v x="$middle_x" -v y="$middle_y" \
        'BEGIN { printf "%.3f %.3f %.3f %.3f", 2 * x - e, 2 * y - n, 2 * x - w, 2 * y - s }')"
    gdalwarp -q -overwrite -te "$west" "$south" "$east" "$north" -tr "$gsd" "$gsd" "$scratch/about.tif" "$scratch/turned.tif"
    gdal_translate -q -a_ullr "${to[0]}" "${to[3]}" "${to[2]}" "${to[1]}" "$scratch/turned.tif" "$2"
}
gain() { # 1.3 DN + 50, where there is a DN
    if [ "$3" = near ]; then cp "$1" "$2"; return; fi
    gdal_translate -q -of VRT -scale 0 10000 0 10000 "$1" "$scratch/gain.vrt"
    sed -i 's|<ScaleOffset>.*</ScaleOffset>||; s|<ScaleRatio>.*</ScaleRatio>|<LUT>0:0,1:51.3,40000:52050</LUT>|' "$scratch/gain.vrt"
    gdal_translate -q "$scratch/gain.vrt" "$2"
    rm "$scratch/gain.vrt"
}
next_utm() { warp "$3" "$1" "$2" -t_srs "EPSG:$((epsg + 1))" -tr "$gsd" "$gsd"; }
mercator() { warp "$3" "$1" "$2" -t_srs EPSG:3857 -tr "$merc" "$merc"; }
# site METRES_EAST METRES_NORTH NAME..: the zones of these names moved, all when none is named
move_zones() {
    python3 - "$site" "$@" <<'EOF'
import json, math, sys
site, east, north, names = json.load(open(sys.argv[1])), float(sys.argv[2]), float(sys.argv[3]), sys.argv[4:]
def move(c):
    if isinstance(c[0], (int, float)):
        return [c[0] + east / (111320 * math.cos(math.radians(c[1]))), c[1] + north / 111132]
    return [move(k) for k in c]
for f in site["features"]:
    if not names or f["properties"]["name"] in names:
        f["geometry"]["coordinates"] = move(f["geometry"]["coordinates"])
json.dump(site, sys.stdout)
EOF
}
turn_site() { # about a place in degrees
    python3 - "$site" "$1" "$2" <<'EOF'
import json, sys
site, x, y = json.load(open(sys.argv[1])), float(sys.argv[2]), float(sys.argv[3])
def turn(c):
    return [2 * x - c[0], 2 * y - c[1]] if isinstance(c[0], (int, float)) else [turn(k) for k in c]
for f in site["features"]:
    f["geometry"]["coordinates"] = turn(f["geometry"]["coordinates"])
json.dump(site, sys.stdout)
EOF
}
turn_sidecars() { # sun and sensor stand on the other side
    python3 - "$1" <<'EOF'
import glob, json, sys
for path in glob.glob(sys.argv[1] + "/*.json"):
    item = json.load(open(path))
    for key in ("sun_azimuth", "satellite_azimuth", "view:sun_azimuth", "view:azimuth"):
        if key in item["properties"]:
            item["properties"][key] = (item["properties"][key] + 180) % 360
    json.dump(item, open(path, "w"))
EOF
}

id_of() { basename "$1" .tif | sed 's/_3B_.*//'; }
sidecar_of() { case $1 in *_3B_*) echo "${1%_3B_*}_metadata.json" ;; *) echo "${1%.tif}.json" ;; esac; }
# item SIDECAR STEM: a STAC Item beside STEM.tif; nothing where there is no sidecar
item() {
    [ -e "$1" ] || return 0
    python3 - "$1" "$2" <<'EOF'
import json, os, sys
old = json.load(open(sys.argv[1]))
p, stem = old["properties"], sys.argv[2]
if "acquired" in p:  # Planet counts the azimuth from the target, STAC from below the satellite
    p = {"datetime": p["acquired"], "gsd": p["gsd"], "view:sun_azimuth": p["sun_azimuth"], "view:sun_elevation": p["sun_elevation"],
         "view:off_nadir": p["view_angle"], "eo:cloud_cover": 100 * p["cloud_cover"], "view:azimuth": (p["satellite_azimuth"] + 180) % 360}
bands = [{"name": n, "common_name": n} for n in ("blue", "green", "red", "nir")]
json.dump({"type": "Feature", "stac_version": "1.0.0", "id": old["id"], "geometry": None, "properties": p, "links": [],
           "assets": {"image": {"href": "./" + os.path.basename(stem) + ".tif", "roles": ["data"], "eo:bands": bands}}}, open(stem + ".json", "w"))
EOF
}

# counts NAME SITE SCENES OPTION..: a run, and each of its counts beside the first run's interval. Scenes are known by their time.
counts() {
    local name=$1 file=$2 scenes=$3 status=0
    shift 3
    "$tallyman" run "$file" "$scenes" -o "$scratch/$name.out" --site "$(basename "$set")" --quiet "$@" >/dev/null 2>"$scratch/err" || status=$?
    [ $status -eq 0 ] || { fail "$name: status $status: $(head -3 "$scratch/err")"; return; }
    python3 - "$name" "$scratch/first.out/series.csv" "$scratch/$name.out/series.csv" <<'EOF' || failures=$((failures + 1))
import csv, sys
name = sys.argv[1]
first, got = ([r for r in csv.DictReader(open(p))] for p in sys.argv[2:])
there = {(r["datetime"], r["class"], r["zone"]): r for r in got}
bad = n = off = total = 0
for a in first:
    if not a["count"]:
        continue
    b = there.get((a["datetime"], a["class"], a["zone"]))
    n += 1
    if a["zone"] == "*":
        total += float(a["count"])
        off += abs(float(b["count"]) - float(a["count"])) if b and b["count"] else float(a["count"])
    if not b or not b["count"]:
        what = "no row" if not b else b["quality"]
    elif float(a["low"]) <= float(b["count"]) <= float(a["high"]):
        continue
    else:
        what = b["count"]
    bad += 1
    print(f"  {name}: {a['datetime']} {a['class']} {a['zone']}: {what}, at first {a['count']} in [{a['low']}, {a['high']}]", file=sys.stderr)
print(f"{name}: {n - bad} of {n} counts within the first run's intervals; totals differ by {off:.0f} of {total:.0f}")
# one count in forty may fall out of a 95 % interval, and then only of a zone's
worst = sum(1 for a in first if a["count"] and a["zone"] == "*")
sys.exit(1 if bad > n / 40 or not worst else 0)
EOF
}

counts_first() { "$tallyman" run "$site" "$set/scenes" -o "$scratch/first.out" --site "$(basename "$set")" --quiet >/dev/null || fail "the first run: status $?"; }
counts_first
for case in "${wanted[@]}"; do
    scenes=$scratch/$case
    case $case in
    half | gain | next_utm) each "$scenes" "$case"; counts "$case" "$site" "$scenes" ;;
    mercator)
        read -r _ latitude <<<"$(degrees "$middle_x" "$middle_y")"
        merc=$(awk -v g="$gsd" -v y="$latitude" 'BEGIN { print g / cos(y * atan2(0, -1) / 180) }')
        each "$scenes" mercator; counts "$case" "$site" "$scenes" ;;
    turned)
        each "$scenes" turned; turn_sidecars "$scenes"
        read -r x y <<<"$(degrees "$middle_x" "$middle_y")"
        turn_site "$x" "$y" >"$scratch/turned.geojson"; counts "$case" "$scratch/turned.geojson" "$scenes" ;;
    zone_1m)
        mapfile -t names < <(python3 -c 'import json, sys
z = [f["properties"] for f in json.load(open(sys.argv[1]))["features"]]
print(*[n[0] for r in ("track", "yard", "berth") for n in [[p["name"] for p in z if p["role"] == r]] if n], sep="\n")' "$site")
        move_zones 0.7 0.7 "${names[@]}" >"$scratch/one.geojson"; counts "$case" "$scratch/one.geojson" "$set/scenes" ;;
    zones_8m) move_zones 3 -7.4 >"$scratch/all.geojson"; counts "$case" "$scratch/all.geojson" "$set/scenes" ;;
    four_tiles) # each with a STAC Item of what the whole scene's sidecar says
        mkdir -p "$scenes"
        for t in "${tiles[@]}"; do
            for from in "$t" "$(mask_of "$t")"; do
                [ -e "$from" ] || continue
                read -r w h <<<"$(gdalinfo "$from" | sed -n 's/^Size is \([0-9]*\), *\([0-9]*\)/\1 \2/p')"
                for k in 0 1 2 3; do
                    r=$((k / 2)) c=$((k % 2)) suffix=; [ "$from" = "$t" ] || suffix=_udm2
                    to=$scenes/$(id_of "$t")_r$((r + 1))c$((c + 1))
                    gdal_translate -q -srcwin $((c * (w / 2))) $((r * (h / 2))) $((c ? w - w / 2 : w / 2)) $((r ? h - h / 2 : h / 2)) "$from" "$to$suffix.tif"
                    [ -n "$suffix" ] || item "$(sidecar_of "$t")" "$to"
                done
            done
        done
        counts "$case" "$site" "$scenes" ;;
    bare) # a date and time in the name, and nothing else
        mkdir -p "$scenes"
        for t in "${tiles[@]}"; do
            gdal_translate -q -co PROFILE=GeoTIFF -mo TIFFTAG_DATETIME= "$t" "$scenes/$(id_of "$t").tif"
        done
        counts "$case" "$site" "$scenes" --bands blue,green,red,nir ;;
    *) fail "no case $case" ;;
    esac
done
finish
