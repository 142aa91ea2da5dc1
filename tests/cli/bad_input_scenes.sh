#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Odd scenes among good ones: one that is broken or of another place costs no other its count, and
# what differs only in how it is stored gives the same numbers.
. "$(dirname "$0")/lib.sh"
scenes=$scratch/scenes odd=$scratch/odd
cp -r "$set/scenes" "$scenes"
mkdir "$odd"
one=$(find "$scenes" -name '*SR*.tif' | sort | sed -n 2p)
corner() { gdalinfo "$one" | sed -n "s/^$1 *( *\([0-9.]*\), *\([0-9.]*\)).*/\1 \2/p"; }
read -r left top <<<"$(corner 'Upper Left')"
read -r right bottom <<<"$(corner 'Lower Right')"

# all at one time of another day, so that the sun is the same and only the storing differs
as() { echo "$odd/2026060${1}_020000_0${1}_${2}_3B_AnalyticMS_SR.tif"; }
make() { gdal_translate -q "$@" 2>/dev/null || fail "could not make a tile: $*"; }
make "$one" "$(as 1 uint16)"
make -ot Float64 -a_nodata none -scale 0 10000 0 1 "$one" "$(as 1 float64)"
make -ot UInt32 -scale 0 10000 0 100000000 "$one" "$(as 1 uint32)"
make -ot Int16 -co TILED=YES -co BLOCKXSIZE=16 -co BLOCKYSIZE=16 -co COMPRESS=LZW "$one" "$(as 1 int16)"
make -a_ullr "$((${left%.*} + 300))" "$top" "$((${right%.*} + 300))" "$bottom" "$one" "$(as 2 misplaced)"
make -a_ullr "$((${left%.*} + 100))" "$top" "$((${right%.*} + 100))" "$bottom" "$one" "$(as 7 moved)"
make -ot Float32 -a_nodata none -scale 0 1 5 5 "$one" "$(as 3 flat)"
make -ot Float32 -a_nodata none -scale 0 10000 -3.4e38 -3.39e38 "$one" "$(as 4 filled)"
make -a_ullr "$((${left%.*} + 50000))" "$top" "$((${right%.*} + 50000))" "$bottom" "$one" \
    "$odd/20260605_020000_05_far_3B_Visual.tif"

status=0
"$tallyman" run "$site" "$scenes" "$odd" -o "$scratch/out" --quiet >/dev/null 2>"$scratch/err" || status=$?
[ $status -eq 3 ] || fail "odd scenes among good ones: status $status: $(cat "$scratch/err")"
row() { grep ",\*,railcar,[^,]*,$1," "$scratch/out/series.csv" | cut -d, -f6-14; }
state() { grep "^[^,]*,$1," "$scratch/out/scenes.csv"; }
for id in $(cd "$set/scenes" && ls | sed -n 's/_3B_AnalyticMS_SR.tif//p'); do
    state "$id" | grep -q ',ok,' || fail "$id: a good scene was left out: $(state "$id")"
done
for type in float64 uint32 int16; do
    [ "$(row "20260601_020000_01_$type")" = "$(row 20260601_020000_01_uint16)" ] ||
        fail "$type counts otherwise than uint16: $(row "20260601_020000_01_$type")"
done
[ -n "$(row 20260601_020000_01_uint16)" ] || fail "the copy was not counted"
state 20260602_020000_02_misplaced | grep -q ',rejected,' || fail "a misplaced scene was counted"
# 100 m are 33 pixels, and within what is searched: found to a tenth of a pixel
state 20260607_020000_07_moved | grep -q ',ok,' || fail "a scene 100 m off was not found again"
off() { state "$1" | cut -d, -f12; }
awk -v a="$(off 20260607_020000_07_moved)" -v b="$(off 20260601_020000_01_uint16)" \
    'BEGIN { d = a - b - 100 / 3; exit !(d > -0.1 && d < 0.1) }' ||
    fail "a scene 100 m off lies at $(off 20260607_020000_07_moved) px, as delivered $(off 20260601_020000_01_uint16)"
state 20260603_020000_03_flat | grep -q ',rejected,' || fail "a flat scene was counted"
state 20260605_020000_05_far | grep -q ',rejected,shows nothing' || fail "a scene of elsewhere was counted"
[[ $(row 20260604_020000_04_filled) == ,,,,*unseen* ]] || fail "a fill value was counted: $(row 20260604_020000_04_filled)"

# Once more: nothing to do, and what is left out is said again.
again=0
"$tallyman" run "$site" "$scenes" "$odd" -o "$scratch/out" >/dev/null 2>"$scratch/err" || again=$?
[ $again -eq 3 ] || fail "the second time: status $again"
grep -q 'nothing to do' "$scratch/err" || fail "the second time: it did not say that nothing was done"
[ "$(grep -c 'left out' "$scratch/err")" -eq 3 ] || fail "the second time: $(cat "$scratch/err")"

# Blocks that do not decode, wherever they lie: the scene is left out, the rest is counted.
blocks=$(as 6 blocks)
make -co TILED=YES -co BLOCKXSIZE=16 -co BLOCKYSIZE=16 -co COMPRESS=LZW "$one" "$blocks"
size=$(stat -c %s "$blocks")
head -c 900 /dev/zero | tr "\0" "\377" | dd of="$blocks" bs=1 seek=$((size / 2)) conv=notrunc status=none
status=0
"$tallyman" run "$site" "$scenes" "$blocks" -o "$scratch/blocks" --quiet >/dev/null 2>"$scratch/err" || status=$?
[ $status -eq 3 ] || fail "broken blocks: status $status: $(cat "$scratch/err")"
grep -q "$blocks: .*cannot be read" "$scratch/err" || fail "broken blocks: $(cat "$scratch/err")"
finish
