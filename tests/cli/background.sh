#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A frozen background, used by another folder, gives what the first folder would have given; as a COG it can be looked at; and
# what too few scenes show has none.
. "$(dirname "$0")/lib.sh"
mapfile -t tiles < <(find "$set/scenes" -name '*.tif' ! -name '*udm2*' | sort)
n=${#tiles[@]}
old=("${tiles[@]:0:n-2}") new=("${tiles[@]:n-2}")
cog=$scratch/empty.tif

"$tallyman" run "$site" "${old[@]}" -o "$scratch/first" --save-background "$cog" --quiet >/dev/null 2>"$scratch/err" || [ $? -eq 3 ] || fail "first run: $(cat "$scratch/err")"
gdalinfo "$cog" >"$scratch/info"
grep -q 'LAYOUT=COG' "$scratch/info" || fail "no COG"
for band in 'blue empty' 'nir sigma' 'scenes'; do
    grep -q "Description = $band" "$scratch/info" || fail "no band '$band'"
done

# the same new scenes: into the first folder, and into others by folder, by the background's own folder, and by the COG
cp -r "$scratch/first" "$scratch/grown"
run_on "$scratch/grown" "${new[@]}"
for how in "$scratch/first" "$scratch"/first/backgrounds/*/ "$cog"; do
    rm -rf "$scratch/other"
    run_on "$scratch/other" "${new[@]}" --background "$how"
    grep -vxFf "$scratch/first/series.csv" "$scratch/grown/series.csv" >"$scratch/a.csv" || fail "nothing was added"
    tail -n +2 "$scratch/other/series.csv" >"$scratch/b.csv"
    cmp "$scratch/a.csv" "$scratch/b.csv" || fail "--background $how counts otherwise"
    grep -vxFf "$scratch/first/scenes.csv" "$scratch/grown/scenes.csv" >"$scratch/a.csv"
    tail -n +2 "$scratch/other/scenes.csv" >"$scratch/b.csv"
    cmp "$scratch/a.csv" "$scratch/b.csv" || fail "--background $how lays scenes otherwise"
done
mv "$scratch/first" "$scratch/moved" # the new folder stands alone
"$tallyman" verify "$scratch/other" --quiet >/dev/null || fail "verify says $?"

# refused, with nothing touched
refused() { # STATUS MESSAGE OPTIONS...
    local wanted=$1 words=$2 status=0
    shift 2
    "$tallyman" run "$site" "${new[@]}" -o "$scratch/refused" --quiet "$@" >/dev/null 2>"$scratch/err" || status=$?
    [ $status -eq "$wanted" ] || fail "$*: status $status"
    grep -q -- "$words" "$scratch/err" || fail "$*: says $(cat "$scratch/err")"
    [ ! -e "$scratch/refused" ] || fail "$*: the folder was made"
}
refused 1 "is not there" --background "$cog"
refused 1 "not what --save-background wrote" --background "${tiles[0]}"
refused 1 "No such file" --background "$scratch/nowhere"
refused 1 "no run.json" --background "$scratch/moved/pictures/../../.."
refused 2 "leave out --reference" --background "$scratch/moved" --datum mean
refused 2 "was made with --nodata" --background "$scratch/moved" --nodata 7
refused 2 "whole number of scenes" --min-background many
status=0
"$tallyman" run "$site" "${new[@]}" -o "$scratch/other" --save-background "$cog" --quiet >/dev/null 2>"$scratch/err" || status=$?
[ $status -eq 2 ] && grep -q "learned by an earlier run" "$scratch/err" || fail "--save-background into an old folder: status $status, $(cat "$scratch/err")"

# asked of more scenes than there are, no place has a background: nothing is seen, nothing is counted, and it is said
run_on "$scratch/thin" "${tiles[@]}" --min-background 64
awk -F, 'NR > 1 && ($13 != "unseen" || $6 != "" || $12 + 0 != 0)' "$scratch/thin/series.csv" | grep . && fail "--min-background 64: something was counted"
grep -q "too few scenes" "$scratch/thin/series.csv" || fail "--min-background 64: not said why"
finish
