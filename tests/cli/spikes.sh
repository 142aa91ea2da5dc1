#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Spikes of a series made elsewhere: four columns are enough, an empty count is not zero, bad input is one line.
. "$(dirname "$0")/lib.sh"
csv=$scratch/counts.csv

# rows_of COUNTS...: one a week, `-` for a date that nothing shows
rows_of() {
    local day=0 c
    echo "site,class,datetime,count"
    for c in "$@"; do
        echo "tumangang,railcar,$(date -u -d "2023-01-01T02:30:00Z $day days" +%FT%TZ),${c/-/}"
        day=$((day + 7))
    done
}
kinds() { awk -F, 'NR > 1 { print substr($4, 1, 10), $11 }' "$1" | tr '\n' ';'; }

rows_of 12 9 14 - 11 10 13 - 73 8 12 - 11 15 >"$csv"
"$tallyman" spikes "$csv" >"$scratch/out" 2>"$scratch/err" || fail "spikes ended with $?: $(cat "$scratch/err")"
[ -s "$scratch/err" ] && fail "spikes: says $(cat "$scratch/err")"
[ "$(kinds "$scratch/out")" = "2023-02-26 spike;" ] || fail "one spike of 73 was wanted: $(kinds "$scratch/out")"
head -1 "$scratch/out" | grep -q '^site,zone,class,datetime,scene,count,expected,low,high,score,kind,record_since' || fail "spikes: header $(head -1 "$scratch/out")"
"$tallyman" spikes "$csv" --jobs 2 | cmp - "$scratch/out" || fail "spikes: two runs differ"

# The order of the rows and the line ends do not matter.
{ head -1 "$csv"; tail -n +2 "$csv" | tac; } | sed 's/$/\r/' >"$scratch/other.csv"
"$tallyman" spikes "$scratch/other.csv" | cmp - "$scratch/out" || fail "spikes: rows in another order give something else"

# As of a date: what came later is not known; the day itself is.
"$tallyman" spikes "$csv" --as-of 2023-02-25 >"$scratch/out"
[ "$(wc -l <"$scratch/out")" -eq 1 ] || fail "--as-of the day before knows: $(kinds "$scratch/out")"
"$tallyman" spikes "$csv" --as-of 2023-02-26 >"$scratch/out"
grep -q ',spike,' "$scratch/out" || fail "--as-of the day itself finds no spike"

# Unseen dates are no drops.
rows_of 52 49 - - 51 - - 50 48 52 - 55 53 >"$csv"
"$tallyman" spikes "$csv" >"$scratch/out"
[ "$(wc -l <"$scratch/out")" -eq 1 ] || fail "unseen dates stand out: $(kinds "$scratch/out")"

# refuses NAME WORD FILE
refuses() {
    local status=0
    "$tallyman" spikes "$3" >"$scratch/out" 2>"$scratch/err" || status=$?
    [ $status -eq 1 ] || fail "$1: status $status"
    [ "$(wc -l <"$scratch/err")" -eq 1 ] || fail "$1: not one line: $(cat "$scratch/err")"
    grep -q -- "$(basename "$3")" "$scratch/err" || fail "$1: does not name the file: $(cat "$scratch/err")"
    grep -q -- "$2" "$scratch/err" || fail "$1: does not say '$2': $(cat "$scratch/err")"
    [ -s "$scratch/out" ] && fail "$1: writes to standard output"
    return 0
}
refuses "missing file" nowhere.csv "$scratch/nowhere.csv"
refuses "a folder" "$(basename "$scratch")" "$scratch"
rows_of 1 2 3 | cut -d, -f1-3 >"$csv"
refuses "no count" 'no column `count`' "$csv"
rows_of 1 2 x >"$csv"
refuses "no number" "line 4" "$csv"
rows_of 1 2 -3 | sed 's/,3$/,-3/' >"$csv"
refuses "negative" "counts run from 0" "$csv"
rows_of 1 2 3 | tr , ';' >"$csv"
refuses "semicolons" "commas" "$csv"
: >"$csv"
refuses "empty file" "no header row" "$csv"
head -c 4000 /dev/zero >"$csv"
refuses "zeros" "not a CSV" "$csv"

status=0; "$tallyman" spikes 2>"$scratch/err" >/dev/null || status=$?
[ $status -eq 2 ] || fail "spikes without a file ends with $status"
rows_of 1 2 3 >"$csv"
status=0; "$tallyman" spikes "$csv" --as-of soon 2>"$scratch/err" >/dev/null || status=$?
[ $status -eq 2 ] && grep -q soon "$scratch/err" || fail "--as-of soon ends with $status"
finish
