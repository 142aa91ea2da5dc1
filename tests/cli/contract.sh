#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The files of a run are as CONTRACT.md 5 says; odd names of zones come through whole; `report` needs no tile; `verify` agrees.
. "$(dirname "$0")/lib.sh"
here=$(dirname "$0")
python=/usr/bin/python3
[ -x "$python" ] || python=python3
keeps_contract() { "$python" "$here/contract.py" "$1" "$2" || fail "$3: the contract is broken"; }

# --- as it is, into a folder whose parents are not there yet
mkdir "$scratch/tiles"
cp -r "$set/scenes" "$scratch/tiles/scenes"
out=$scratch/a/b/c
run_on "$out" "$scratch/tiles/scenes"
keeps_contract "$out" "$site" "plain names"
"$tallyman" verify "$out" --quiet >/dev/null || fail "verify: status $?"
[ -z "$(find "$out" -name 'verify-*' -o -name '*.part')" ] || fail "something was left behind in $out"

# --- again from the store alone
mv "$scratch/tiles" "$scratch/gone"
mkdir "$scratch/kept"
for t in "${tables[@]}" report.html; do mv "$out/$t" "$scratch/kept/$t"; done
"$tallyman" report "$out" --quiet >/dev/null || fail "report without tiles: status $?"
same_tables "$scratch/kept" "$out"
cmp "$scratch/kept/report.html" "$out/report.html" || fail "report.html differs without tiles"
status=0
"$tallyman" verify "$out" --quiet >/dev/null 2>"$scratch/err" || status=$?
[ $status -eq 1 ] || fail "verify without tiles: status $status, not 1"
mv "$scratch/gone" "$scratch/tiles"
# a table that was touched is another result
printf '%s\n' "$(sed '2s/,ok,/,partial,/' "$out/series.csv")" >"$scratch/touched.csv"
cmp -s "$scratch/touched.csv" "$out/series.csv" && fail "the test touched nothing"
cp "$scratch/touched.csv" "$out/series.csv"
status=0
"$tallyman" verify "$out" --quiet >/dev/null 2>"$scratch/err" || status=$?
[ $status -eq 4 ] || fail "verify of a touched table: status $status, not 4"

# --- odd names: a comma, quotes, a formula, Cyrillic, markup; they must come through every file
"$python" - "$site" "$scratch/odd.geojson" <<'PYTHON'
import json, sys
d = json.load(open(sys.argv[1], encoding='utf-8'))
odd = ['=1+1', 'a, "b"; c', 'Причал № 1', '<b>bold</b> & <script>alert(1)</script>', "it's", '-3', '../up', '%s%n', '100 %']
for f, name in zip(d['features'], odd):
    f['properties']['name'] = name
d['tallyman'] = {'site': 'odd, "site"', 'title': '<i>Порт</i> & "quay"'}
json.dump(d, open(sys.argv[2], 'w', encoding='utf-8'), ensure_ascii=False)
PYTHON
status=0
"$tallyman" run "$scratch/odd.geojson" "$scratch/tiles/scenes" -o "$scratch/odd" --quiet >/dev/null 2>"$scratch/err" || status=$?
[ $status -eq 0 ] || fail "odd names: status $status: $(cat "$scratch/err")"
keeps_contract "$scratch/odd" "$scratch/odd.geojson" "odd names"
grep -q '&lt;i&gt;Порт&lt;/i&gt; &amp; &quot;quay&quot;' "$scratch/odd/report.html" || fail "the title is not in the report"
ogrinfo -q "$scratch/odd/tallyman.gpkg" observations -where "zone = '=1+1'" >"$scratch/rows" 2>&1
grep -q 'zone (String) = =1+1' "$scratch/rows" || fail "the store lost a name: $(head -3 "$scratch/rows")"

# --- the part that cannot be made is named
touch "$scratch/file"
status=0
"$tallyman" run "$site" "$scratch/tiles/scenes" -o "$scratch/file/x/y" --quiet >/dev/null 2>"$scratch/err" || status=$?
[ $status -eq 1 ] && grep -q "^tallyman: $scratch/file: is a file" "$scratch/err" || fail "a file in the way: status $status: $(cat "$scratch/err")"
finish
