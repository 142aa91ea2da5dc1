#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The series beside published counts: 0 where none differs, 4 where one does; what cannot be compared is said.
. "$(dirname "$0")/lib.sh"
csv=$scratch/published.csv
# A site whose evening is the day before ours: the fixtures' scenes are taken about 02:00 UTC.
sed 's/"timezone": *"[^"]*"/"timezone": "America\/Los_Angeles"/' "$site" >"$scratch/$(basename "$site")"
site=$scratch/$(basename "$site")
grep -q Los_Angeles "$site" || fail "the fixture's site file names no time zone"
mapfile -t tiles < <(find "$set/scenes" -type f | sort | head -9)
run_on "$scratch/out" "${tiles[@]}"
grep -q '"timezone": "America/Los_Angeles"' "$scratch/out/run.json" || fail "run.json does not keep the time zone"

# One counted row of the whole site.
IFS=, read -r name when count <<<"$(awk -F, '$2 == "*" && $3 == "railcar" && $6 != "" { print $1 "," $4 "," $14; exit }' "$scratch/out/series.csv")"
# and the boxes in all tiers of the same scene
boxes=$(awk -F, -v t="$when" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "containers") k = i } $2 == "*" && $3 == "container_stack" && $4 == t { print $k; exit }' "$scratch/out/series.csv")
[ -n "$boxes" ] || fail "no boxes in all tiers"
[ -n "$when" ] || fail "nothing was counted to compare with"
day=${when:0:10}
before=$(date -u -d "${day}T00:00:00Z 1 day ago" +%F)

# compares STATUS VERDICT WORD ROW: the one row ends so, and is called so
compares() {
    local status=0
    printf 'site,class,date,count,quantity,tolerance\n%s\n' "$4" >"$csv"
    "$tallyman" compare "$scratch/out" "$csv" >"$scratch/table" 2>"$scratch/err" || status=$?
    [ $status -eq "$1" ] || fail "$4: status $status, not $1: $(cat "$scratch/err")"
    awk -F, -v v="$2" 'NR == 2 && $9 == v { found = 1 } END { exit !found }' "$scratch/table" || fail "$4: not called $2: $(cat "$scratch/table")"
    grep -q -- "$3" "$scratch/table" || fail "$4: does not say '$3': $(cat "$scratch/table")"
}
if [ -e /usr/share/zoneinfo/America/Los_Angeles ]; then
    compares 0 agrees "$name" "$name,railcar,$before,$count,,0.01"
    compares 0 incomparable "no scene of that day" "$name,railcar,$day,$count,,0.01"
    compares 4 differs "$name" "$name,railcar,$before,$(awk "BEGIN { print $count + 30 }"),,5"
    compares 0 agrees "$name" "$name,railcar,$before,$(awk "BEGIN { print $count + 30 }"),,31"
    compares 0 agrees "" "$name,container_stack,$before,$boxes,boxes,0.01"
    compares 4 differs "" "$name,container_stack,$before,$((${boxes%.*} + 500)),boxes,5"
    compares 0 incomparable "class" "$name,lorry,$before,10,,"
    compares 0 incomparable "no such site" "elsewhere,railcar,$before,10,,"
else
    echo "SKIPPED: local days; tzdata is not installed"
fi

# refuses NAME STATUS WORD ARGUMENTS...
refuses() {
    local name=$1 wanted=$2 word=$3 status=0
    shift 3
    "$tallyman" compare "$@" >"$scratch/table" 2>"$scratch/err" || status=$?
    [ $status -eq "$wanted" ] || fail "$name: status $status, not $wanted"
    [ "$wanted" -eq 2 ] || [ "$(wc -l <"$scratch/err")" -eq 1 ] || fail "$name: not one line: $(cat "$scratch/err")"
    grep -q -- "$word" "$scratch/err" || fail "$name: does not say '$word': $(cat "$scratch/err")"
    [ -s "$scratch/table" ] && fail "$name: writes to standard output"
    return 0
}
refuses "no table" 2 COUNTS.csv "$scratch/out"
refuses "missing table" 1 nowhere.csv "$scratch/out" "$scratch/nowhere.csv"
refuses "missing folder" 1 nowhere "$scratch/nowhere" "$csv"
printf 'site,class,date,count\n%s,railcar,someday,3\n' "$name" >"$csv"
refuses "bad date" 1 "line 2: date" "$scratch/out" "$csv"
printf 'site,class,count\n' >"$csv"
refuses "no date" 1 'no column `date`' "$scratch/out" "$csv"
finish
