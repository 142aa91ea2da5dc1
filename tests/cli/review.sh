#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Reviews lie beside the machine's counts: taken from a table once, used where asked for, kept by every later run and by --fresh.
. "$(dirname "$0")/lib.sh"
python=/usr/bin/python3
[ -x "$python" ] || python=python3
out=$scratch/out
store=$out/tallyman.gpkg
mapfile -t tiles < <(find "$set/scenes" -type f | sort | head -9)
run_on "$out" "${tiles[@]}"
cp "$out/series.csv" "$scratch/series.csv"
cp "$out/report.html" "$scratch/report.html"
[ ! -e "$out/reviewed.csv" ] || fail "reviewed.csv without reviews"
grep -q 'Counts: machine' "$out/report.html" && grep -q 'validation set rail_3m' "$out/report.html" || fail "report.html does not say whose counts they are and on what their accuracy was measured"

# A zone and a thing found of one counted date; zone names of the fixtures have no comma.
IFS=, read -r zone scene count <<<"$(awk -F, '$2 != "*" && $3 == "railcar" && $6 > 2 { print $2 "," $5 "," $6; exit }' "$out/series.csv")"
read -r id cars idzone idscene <<<"$("$python" - "$out/detections.geojson" "$zone" "$scene" <<'PYTHON'
import json, sys
for f in json.load(open(sys.argv[1]))['features']:
    p = f['properties']
    if p['class'] == 'railcar' and (p['zone'], p['scene']) != (sys.argv[2], sys.argv[3]):
        print(p['id'], p['count'], p['zone'].replace(' ', '_'), p['scene'])
        break
PYTHON
)"
idzone=${idzone//_/ }
[ -n "$count" ] && [ ${#id} -eq 12 ] || fail "nothing was counted to be reviewed"

# row_of ZONE SCENE COLUMN: a field of reviewed.csv
row_of() {
    "$python" -c 'import csv, sys
for r in csv.DictReader(open(sys.argv[1])):
    if (r["zone"], r["scene"], r["class"]) == (sys.argv[2], sys.argv[3], "railcar"): print(r[sys.argv[4]])' "$out/reviewed.csv" "$@"
}

# --- the table to be filled in, as it is, holds no review
"$tallyman" review "$out" --export >"$scratch/todo.csv" || fail "--export: status $?"
[ "$(wc -l <"$scratch/todo.csv")" -gt 3 ] || fail "--export: nothing is to be reviewed"
"$tallyman" review "$out" --csv "$scratch/todo.csv" | grep -q ' 0 reviews taken' || fail "an empty template is a review"

# --- taken once
cat >"$scratch/done.csv" <<CSV
action,class,zone,scene,detection,count,who,why
correct,railcar,$zone,$scene,,$((count + 5)),A. Analyst,"by hand, twice"
reject,railcar,,$idscene,$id,,B. Second,a shadow
CSV
"$tallyman" review "$out" --csv "$scratch/done.csv" | grep -q ' 2 reviews taken' || fail "the reviews were not taken"
"$tallyman" review "$out" --csv "$scratch/done.csv" | grep -q ' 0 reviews taken, 2 known' || fail "the same table changes something"
"$tallyman" review "$out" >"$scratch/list.csv"
[ "$(grep -c ',used$' "$scratch/list.csv")" -eq 2 ] || fail "not both are used: $(cat "$scratch/list.csv")"
"$tallyman" review "$out" --csv "$scratch/list.csv" | grep -q ' 0 reviews taken, 2 known' || fail "what it lists is not known to it"
[ "$(row_of "$zone" "$scene" count) $(row_of "$zone" "$scene" reviewed) $(row_of "$zone" "$scene" reviewed_high)" = "$count $((count + 5)) $((count + 5))" ] || fail "corrected: $(row_of "$zone" "$scene" reviewed)"
[ "$(row_of "$zone" "$scene" who)" = "A. Analyst" ] || fail "who corrected it is not said"
[ "$(row_of '*' "$scene" reviewed)" = $(($(row_of '*' "$scene" count) + 5)) ] || [ "$idscene" = "$scene" ] || fail "the total is not the sum"
[ "$(row_of "$idzone" "$idscene" reviewed)" = $(($(row_of "$idzone" "$idscene" count) - cars)) ] || fail "rejected: $(row_of "$idzone" "$idscene" reviewed)"

# --- beside, never over
"$tallyman" report "$out" --quiet >"$scratch/said" || fail "report: status $?"
cmp "$scratch/series.csv" "$out/series.csv" || fail "reviews changed the machine's series"
grep -q '^counts: machine$' "$scratch/said" && grep -q 'drawn scenes' "$scratch/said" || fail "report does not say whose counts, measured on what"
"$tallyman" report "$out" --counts reviewed --quiet | grep -q '^counts: reviewed$' || fail "report --counts reviewed does not say so"
grep -q 'Counts: reviewed' "$out/report.html" && grep -q 'by hand, twice' "$out/report.html" || fail "the reviewed report does not show the review"
cmp "$scratch/series.csv" "$out/series.csv" || fail "report --counts reviewed changed the machine's series"
"$tallyman" verify "$out" --quiet >/dev/null || fail "verify after a review: status $?"

# --- spikes and compare by either
for counts in machine reviewed; do
    "$tallyman" spikes "$out" --counts $counts >"$scratch/spikes" || fail "spikes --counts $counts: status $?"
    awk -F, -v c=$counts 'NR > 1 && $18 != c { bad = 1 } END { exit bad }' "$scratch/spikes" || fail "spikes --counts $counts does not say so"
    "$tallyman" spikes "$out/reviewed.csv" --counts $counts >/dev/null || fail "spikes of reviewed.csv by $counts: status $?"
done
day=$(row_of "$zone" "$scene" datetime)
printf 'site,class,date,count,zone,tolerance\n%s,railcar,%s,%d,%s,0.1\n' "$(row_of "$zone" "$scene" site)" "${day:0:10}" $((count + 5)) "$zone" >"$scratch/counts.csv"
status=0; "$tallyman" compare "$out" "$scratch/counts.csv" --quiet >"$scratch/table" || status=$?
[ $status -eq 4 ] && grep -q ',machine$' "$scratch/table" || fail "compare by the machine's: status $status: $(cat "$scratch/table")"
"$tallyman" compare "$out" "$scratch/counts.csv" --counts reviewed --quiet >"$scratch/table" || fail "compare by the reviewed: status $?: $(cat "$scratch/table")"
grep -q ',reviewed$' "$scratch/table" || fail "compare does not say whose counts"

# --- the layer, its form, and what a person adds in QGIS
"$python" - "$store" "$zone" <<'PYTHON' || fail "the layer review"
import sqlite3, sys, xml.etree.ElementTree as xml
db = sqlite3.connect(sys.argv[1])
assert db.execute("select data_type from gpkg_contents where table_name = 'review'").fetchone() == ('features',)
assert db.execute("select geometry_type_name, srs_id from gpkg_geometry_columns where table_name = 'review'").fetchone() == ('POLYGON', 4326)
(qml, default), = db.execute("select styleQML, useAsDefault from layer_styles where f_table_name = 'review' and f_table_schema = '' and f_geometry_column = 'geom'")
assert default == 1
root = xml.fromstring(qml)
widgets = {f.get('name'): f.find('editWidget').get('type') for f in root.iter('field') if f.find('editWidget') is not None}
columns = [c[1] for c in db.execute('pragma table_info(review)')]
assert set(widgets) <= set(columns), (widgets, columns)
assert {w: widgets[w] for w in ('action', 'class', 'zone', 'scene', 'count', 'when')} == {
    'action': 'ValueMap', 'class': 'ValueMap', 'zone': 'ValueMap', 'scene': 'ValueMap', 'count': 'Range', 'when': 'DateTime'}
choices = {f.get('name'): [o.get('value') for o in f.iter('Option') if o.get('type') == 'QString'] for f in root.iter('field')}
assert choices['action'] == ['accept', 'reject', 'add', 'correct'] and sys.argv[2] in choices['zone'] and '*' in choices['zone']
PYTHON
ogrinfo -q "$store" -sql "INSERT INTO review (action, class, zone, scene, who, why) VALUES ('correct', 'railcar', 'no such zone', '$scene', 'Q', 'typed')" >/dev/null
"$tallyman" report "$out" --quiet 2>"$scratch/err" >/dev/null || fail "a review that fits nothing: status $?"
grep -q '1 of 3 reviews cannot be used' "$scratch/err" || fail "a review that fits nothing is not told: $(cat "$scratch/err")"

# --- a later run and --fresh keep them; another program's hold on the store is respected
"$tallyman" review "$out" >"$scratch/list.csv"
run_on "$out" "${tiles[@]}"
"$tallyman" review "$out" | cmp - "$scratch/list.csv" || fail "a second run changed the reviews"
"$python" -c 'import sqlite3, sys, time
db = sqlite3.connect(sys.argv[1]); db.execute("pragma journal_mode = wal"); db.execute("select count(*) from review").fetchall()
db.execute("begin immediate"); print("held", flush=True); time.sleep(300)' "$store" >"$scratch/held" &
holder=$!
for _ in $(seq 100); do [ -s "$scratch/held" ] && break; sleep .1; done
status=0; "$tallyman" run "$site" "${tiles[@]}" -o "$out" --fresh --quiet >/dev/null 2>"$scratch/err" || status=$?
[ $status -eq 1 ] && grep -q 'another program' "$scratch/err" || fail "--fresh while the store is open: status $status: $(cat "$scratch/err")"
kill $holder
wait $holder 2>/dev/null || true
"$tallyman" run "$site" "${tiles[@]}" -o "$out" --fresh --quiet >/dev/null 2>&1 || [ $? -eq 3 ] || fail "--fresh: status"
"$tallyman" review "$out" | cmp - "$scratch/list.csv" || fail "--fresh changed the reviews"
cmp "$scratch/series.csv" "$out/series.csv" || fail "--fresh with reviews counts otherwise"

# --- a store of an earlier program gets what it lacks, and keeps what it has
ogrinfo -q "$store" -sql "DROP TABLE review" >/dev/null
"$python" -c 'import sqlite3, sys
db = sqlite3.connect(sys.argv[1])
db.execute("drop table layer_styles"); db.execute("delete from gpkg_contents where table_name = ?", ("layer_styles",))
db.execute("update gpkg_metadata set metadata = replace(metadata, ?, ?)", ("TALLYMAN_SCHEMA", "FORMERLY")); db.commit()' "$store"
ogrinfo -q "$store" -sql "ALTER TABLE detections DROP COLUMN id" >/dev/null
"$tallyman" report "$out" --quiet >/dev/null || fail "report of an older store: status $?"
grep -q "\"id\":\"$id\"" "$out/detections.geojson" || fail "an older store's detections have no id"
"$tallyman" review "$out" --csv "$scratch/done.csv" | grep -q ' 2 reviews taken' || fail "an older store takes no review"
ogrinfo -q "$store" detections -where "id = '$id'" | grep -q "$idscene" || fail "an older store's layer got no ids"

# --- all or nothing, and the line is named
printf 'action,class,zone,scene,count,who,why\ncorrect,railcar,%s,%s,1,A,b\ncorrect,railcar,%s,%s,-2,A,b\n' "$zone" "$scene" "$idzone" "$idscene" >"$scratch/bad.csv"
"$tallyman" review "$out" >"$scratch/list.csv"
status=0; "$tallyman" review "$out" --csv "$scratch/bad.csv" >"$scratch/said" 2>"$scratch/err" || status=$?
[ $status -eq 1 ] && grep -q 'bad.csv: line 3: count `-2`' "$scratch/err" && [ ! -s "$scratch/said" ] || fail "a negative count: status $status: $(cat "$scratch/err")"
"$tallyman" review "$out" | cmp - "$scratch/list.csv" || fail "a table that was refused left something behind"
status=0; "$tallyman" review "$scratch" --csv "$scratch/done.csv" >/dev/null 2>&1 || status=$?
[ $status -eq 1 ] && [ ! -e "$scratch/.lock" ] || fail "a folder without a store: status $status"
status=0; "$tallyman" report "$out" --counts mine >/dev/null 2>"$scratch/err" || status=$?
[ $status -eq 2 ] && grep -q 'machine or reviewed' "$scratch/err" || fail "--counts mine: status $status"
finish
