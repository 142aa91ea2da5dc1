#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Where scenes lie: shifts that are known because only the geotransform was moved, other grids, other places, clouds.
. "$(dirname "$0")/lib.sh"
tile=$set/../tumangang_0.5m/scenes/tumangang_20251113.tif
gsd=0.5

corner() { gdalinfo "$1" | sed -n "s/^$2 *( *\([-0-9.]*\), *\([-0-9.]*\)).*/\1 \2/p"; }
# georeference FROM TO DX DY GSD: the same pixels, lying DX px right of and DY px below where they lay
georeference() {
    local a b
    read -r -a a <<<"$(corner "$1" 'Upper Left')"
    read -r -a b <<<"$(corner "$1" 'Lower Right')"
    gdal_translate -q -a_ullr $(awk -v g="$5" -v dx="$3" -v dy="$4" -v x0="${a[0]}" -v y0="${a[1]}" -v x1="${b[0]}" -v y1="${b[1]}" \
        'BEGIN { printf "%.6f %.6f %.6f %.6f", x0 + dx * g, y0 - dy * g, x1 + dx * g, y1 - dy * g }') "$1" "$2"
}
# near NAME VALUE WANTED WITHIN
near() {
    awk -v a="$2" -v b="$3" -v w="$4" 'BEGIN { d = a - b; exit !(a != "" && d <= w && d >= -w) }' || fail "$1: $2, not $3 within $4"
}
field() { sed -n "s/.*\"$1\":\([^,}]*\).*/\1/p"; }
# registers NAME FIXED MOVING DX DY WITHIN
registers() {
    "$tallyman" register "$2" "$3" -o "$scratch/aligned.tif" --quiet >"$scratch/json" || fail "$1: status $?"
    near "$1, dx" "$(field dx_px <"$scratch/json")" "$4" "$6"
    near "$1, dy" "$(field dy_px <"$scratch/json")" "$5" "$6"
    grep -q '"accepted":true' "$scratch/json" || fail "$1: not accepted"
}
pixel() { gdallocationinfo -valonly -b 2 "$1" "$2" "$3"; }

# A ground point at (x, y) of FIXED lies at (x + dx, y + dy) of MOVING.
georeference "$tile" "$scratch/moved.tif" 2.25 -1.5 $gsd
registers "moved by its geotransform" "$tile" "$scratch/moved.tif" 2.25 -1.5 0.01
for at in "100 20" "301 60" "502 150"; do # laid back, the pixels are the ones they were
    read -r x y <<<"$at"
    near "aligned pixel $at" "$(pixel "$scratch/aligned.tif" "$x" "$y")" "$(pixel "$tile" "$x" "$y")" 3
done
registers "the other way round" "$scratch/moved.tif" "$tile" -2.25 1.5 0.03
gdalwarp -q -t_srs EPSG:32653 -tr $gsd $gsd -r cubic -srcnodata 0 -dstnodata 0 "$tile" "$scratch/zone53.tif"
registers "the next UTM zone" "$tile" "$scratch/zone53.tif" 0 0 0.1
gdalwarp -q -tr 0.6 0.6 -r cubic "$tile" "$scratch/coarser.tif"
registers "coarser pixels" "$tile" "$scratch/coarser.tif" 0 0 0.1
status=0
"$tallyman" register "$tile" "$set/../rajin_0.5m/scenes/rajin_20250427T023152Z_r1c1.tif" -o "$scratch/none.tif" --quiet >"$scratch/json" 2>"$scratch/err" || status=$?
[ $status -eq 1 ] && grep -q '"dx_px":null.*"accepted":false' "$scratch/json" || fail "another place: status $status, $(cat "$scratch/json")"
[ ! -e "$scratch/none.tif" ] || fail "another place: an aligned image was written"

# diff: what only lies elsewhere is no change when aligned, and is when not.
mean_score() { gdalinfo -stats "$1" | sed -n 's/.*STATISTICS_MEAN=//p' | head -1; }
for how in auto none; do
    "$tallyman" diff "$tile" "$scratch/moved.tif" --method difference --align $how -o "$scratch/$how.tif" --quiet >/dev/null || fail "diff --align $how: status $?"
    gdal_translate -q -b 2 -srcwin 20 20 640 136 "$scratch/$how.tif" "$scratch/score_$how.tif" # the rim is unseen
done
awk -v a="$(mean_score "$scratch/score_auto.tif")" -v n="$(mean_score "$scratch/score_none.tif")" 'BEGIN { exit !(n > 5 && a < 0.02 * n) }' ||
    fail "diff: a mean score of $(mean_score "$scratch/score_auto.tif") aligned, of $(mean_score "$scratch/score_none.tif") not"

# run: the same scenes, some of them delivered otherwise.
scenes=$scratch/scenes
run_on "$scratch/plain" "$set/scenes"
cp -r "$set/scenes" "$scenes"
mapfile -t tiles < <(find "$scenes" -name '*_SR.tif' | sort)
other() { mv "$1" "$scratch/was.tif"; }
id() { basename "$1" | sed 's/_3B_.*//'; }
column() { # column DIR SCENE NAME
    awk -F, -v id="$2" -v name="$3" 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i } $2 == id { print $at[name] }' "$1/scenes.csv"
}
reference=$(awk -F, 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i } $at["reference"] == 1 { print $2 }' "$scratch/plain/scenes.csv")
mapfile -t free < <(for t in "${tiles[@]}"; do [ "$(id "$t")" = "$reference" ] || echo "$t"; done)
moved=${free[1]} cut=${free[3]} warped=${free[4]} place=${free[5]} cloudy=${free[6]} bright=${free[7]}
mask_of() { echo "${1%_AnalyticMS_SR.tif}_udm2.tif"; }

other "$moved"; georeference "$scratch/was.tif" "$moved" -1.75 2.5 3
mv "$(mask_of "$moved")" "$scratch/was.tif"; georeference "$scratch/was.tif" "$(mask_of "$moved")" -1.75 2.5 3
width=$(gdalinfo "$cut" | sed -n 's/^Size is \([0-9]*\),.*/\1/p') height=$(gdalinfo "$cut" | sed -n 's/^Size is .*, *//p')
other "$cut"; gdal_translate -q -srcwin 7 3 $((width - 19)) $((height - 8)) "$scratch/was.tif" "$cut"
mv "$(mask_of "$cut")" "$scratch/was.tif"; gdal_translate -q -srcwin 7 3 $((width - 19)) $((height - 8)) "$scratch/was.tif" "$(mask_of "$cut")"
other "$warped"; gdalwarp -q -t_srs EPSG:32653 -tr 3 3 -r cubic -srcnodata 0 -dstnodata 0 "$scratch/was.tif" "$warped"
mv "$(mask_of "$warped")" "$scratch/was.tif"; gdalwarp -q -t_srs EPSG:32653 -tr 3 3 -r near "$scratch/was.tif" "$(mask_of "$warped")"
read -r -a a <<<"$(corner "$place" 'Upper Left')"
read -r -a b <<<"$(corner "$place" 'Lower Right')"
elsewhere=$(find "$set/../vostochny_3m/scenes" -name '*AnalyticMS*.tif' ! -name '*udm2*' | sort | head -1)
gdal_translate -q -srcwin 0 0 "$width" "$height" -a_srs EPSG:32652 -a_ullr "${a[@]}" "${b[@]}" "$elsewhere" "$place"
rm "$(mask_of "$place")"
mv "$(mask_of "$cloudy")" "$scratch/was.tif" # band 6 of a udm2: cloud
gdal_translate -q -ot Byte -b 2 -b 2 -b 2 -b 2 -b 2 -b 1 -b 7 -b 8 -scale_1 0 1 0 0 -scale_2 0 1 0 0 -scale_3 0 1 0 0 -scale_4 0 1 0 0 -scale_5 0 1 0 0 \
    -scale_6 0 1 1 1 -scale_7 0 1 0 0 -scale_8 0 1 100 100 "$scratch/was.tif" "$(mask_of "$cloudy")"
other "$bright" # all of it white, and no mask to say so
gdal_translate -q -srcwin 0 0 "$width" "$height" -a_srs EPSG:32652 -a_ullr $(corner "$scratch/was.tif" 'Upper Left') $(corner "$scratch/was.tif" 'Lower Right') \
    -scale 0 20000 6000 7500 "$elsewhere" "$bright"
rm "$(mask_of "$bright")"

status=0
"$tallyman" run "$site" "$scenes" -o "$scratch/other" --reference "$reference" --quiet >/dev/null 2>"$scratch/err" || status=$?
[ $status -eq 3 ] || fail "one scene of another place: status $status: $(cat "$scratch/err")"
[ "$(column "$scratch/other" "$reference" reference)" = 1 ] || fail "another reference was chosen: shifts cannot be compared"
check_shift() { # NAME TILE DX DY WITHIN: against the plain run
    local name
    for name in dx dy; do
        near "$1, $name" "$(column "$scratch/other" "$(id "$2")" ${name}_px)" \
            "$(awk -v a="$(column "$scratch/plain" "$(id "$2")" ${name}_px)" -v b="$([ $name = dx ] && echo "$3" || echo "$4")" 'BEGIN { print a + b }')" "$5"
    done
}
check_shift "moved" "$moved" -1.75 2.5 0.1
check_shift "another extent" "$cut" 0 0 0.1
check_shift "another CRS" "$warped" 0 0 0.15
[ "$(column "$scratch/other" "$(id "$place")" quality)" = rejected ] || fail "another place was not rejected"
[ -n "$(column "$scratch/other" "$(id "$place")" reason)" ] || fail "another place: no reason"
grep -q "$(id "$place")" "$scratch/err" || fail "another place: nothing was said"
for t in "$cloudy" "$bright"; do
    [ "$(column "$scratch/other" "$(id "$t")" quality)" = ok ] || fail "all cloud, $(id "$t"): $(column "$scratch/other" "$(id "$t")" quality)"
    grep ",$(id "$t")," "$scratch/other/series.csv" >"$scratch/rows" || fail "all cloud, $(id "$t"): no row"
    grep -v ',unseen,' "$scratch/rows" && fail "all cloud, $(id "$t"): seen"
done
finish
