#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# One image alone: at 0.5 m railcars are counted in an interval that holds the truth, on the basis `single`; at 3 m they
# are refused with a reason.
. "$(dirname "$0")/lib.sh"
sets=$(dirname "$set")
fine=$sets/tumangang_0.5m coarse=$sets/tumangang_3m

run_on "$scratch/fine" "$fine/scenes/tumangang_20250903.tif"
truth=$(awk -F, '$3 == "tumangang_20250903" && $4 == "railcar" && $5 == "*" { print $6 }' "$fine/truth.csv")
python3 - "$scratch/fine" "$truth" <<'EOF' || fail "one fine scene: $(grep railcar "$scratch/fine/series.csv")"
import csv, json, sys
folder, truth = sys.argv[1], float(sys.argv[2])
row = [r for r in csv.DictReader(open(f"{folder}/series.csv")) if r["class"] == "railcar" and r["zone"] == "*"][0]
low, high, count = float(row["low"]), float(row["high"]), int(row["count"])
assert low <= truth <= high and high - low >= 0.4 * truth, row
assert [r["basis"] for r in csv.DictReader(open(f"{folder}/scenes.csv"))] == ["single"]
cars = [f["properties"] for f in json.load(open(f"{folder}/detections.geojson"))["features"]]
assert sum(int(c["count"]) for c in cars if c["class"] == "railcar") == count
EOF

one=$(ls "$coarse"/scenes/*.tif | grep -v udm2 | head -1)
run_on "$scratch/coarse" "${one%.tif}"*
awk -F, 'NR > 1 && $3 == "railcar" && $6 != "" { bad = 1 } END { exit bad }' "$scratch/coarse/series.csv" || fail "one coarse scene got a count"
grep railcar "$scratch/coarse/series.csv" | grep -q "one scene alone" || fail "one coarse scene: no reason"
finish
