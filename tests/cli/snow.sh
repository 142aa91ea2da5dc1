#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A snowy scene among others at 0.5 m: counted by its own looks, says so, and the truth is within the interval.
. "$(dirname "$0")/lib.sh"
scene=tumangang_20251216
run_on "$scratch/out" "$set/scenes"
python3 - "$set/truth.csv" "$scratch/out/series.csv" "$scene" <<'EOP' || fail "the snowy scene is not counted as it should be"
import csv, sys
truth, got = ([r for r in csv.DictReader(open(p)) if r["class"] == "railcar" and r["scene"] == sys.argv[3]] for p in sys.argv[1:3])
total = {r["zone"]: r for r in got}["*"]
true = [int(r["count"]) for r in truth if r["zone"] == "*"][0]
said = all("snow" in r["reason"] for r in got if r["zone"] != "*" and r["count"])
print(f"{total['count']} in [{total['low']}, {total['high']}], true {true}; said: {said}")
sys.exit(not (said and float(total["low"]) <= true <= float(total["high"]) and abs(int(total["count"]) - true) <= 0.25 * true))
EOP
finish
