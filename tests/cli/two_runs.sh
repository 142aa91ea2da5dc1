#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Adding tiles in two runs gives what one run gives against the same background; identical input: nothing is done.
. "$(dirname "$0")/lib.sh"
mapfile -t tiles < <(find "$set/scenes" -name '*.tif' ! -name '*udm2*' | sort)
n=${#tiles[@]}
[ "$n" -ge 9 ] || fail "too few tiles"
old=("${tiles[@]:0:n-2}")

run_on "$scratch/stepwise" "${old[@]}"
cp -r "$scratch/stepwise" "$scratch/at_once"
cp "$scratch/stepwise/series.csv" "$scratch/before.csv"
run_on "$scratch/stepwise" "${tiles[n-2]}"
run_on "$scratch/stepwise" "${tiles[n-1]}"
run_on "$scratch/at_once" "${tiles[@]}"
same_tables "$scratch/stepwise" "$scratch/at_once"
for run in stepwise at_once; do # rows are numbered in the order of writing: that alone may differ
    dump_store "$scratch/$run" | sort >"$scratch/$run.txt"
done
cmp "$scratch/stepwise.txt" "$scratch/at_once.txt" || fail "the stores differ"
# what was counted before stays as it was
grep -vxFf "$scratch/stepwise/series.csv" "$scratch/before.csv" && fail "rows of the first run changed"
[ "$(wc -l <"$scratch/before.csv")" -lt "$(wc -l <"$scratch/stepwise/series.csv")" ] || fail "the second run added nothing"

cp "$scratch/at_once/series.csv" "$scratch/before.csv"
"$tallyman" run "$site" "${tiles[@]}" -o "$scratch/at_once" >/dev/null 2>"$scratch/err" || fail "identical input: status $?"
grep -q "nothing to do" "$scratch/err" || fail "identical input: it did not say that nothing was done"
cmp "$scratch/before.csv" "$scratch/at_once/series.csv" || fail "identical input changed the series"
finish
