#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A site file that was drawn on an image 9 m off: the zones are found again as a set, said, and kept by later runs.
. "$(dirname "$0")/lib.sh"

# displace NORTH: the site file, moved by metres
displace() {
    python3 - "$site" "$scratch/moved.geojson" "$1" <<'EOF'
import json, sys
site = json.load(open(sys.argv[1]))
def move(c):
    return [c[0], c[1] + float(sys.argv[3]) / 111132] if isinstance(c[0], float) else [move(k) for k in c]
for feature in site["features"]:
    feature["geometry"]["coordinates"] = move(feature["geometry"]["coordinates"])
json.dump(site, open(sys.argv[2], "w"))
EOF
}
# north FOLDER: how far north of where they are drawn the zones were found
north() { python3 -c 'import json, sys; print(*[d["zones_north_m"] for d in json.load(open(sys.argv[1]))["datum"].values()])' "$1/run.json"; }
within() { awk -v a="$1" -v b="$2" -v w="$3" 'BEGIN { exit !(a - b <= w && b - a <= w) }' || fail "$4: $1, not $2 within $3"; }

tiles=("$set/scenes")
displace -9
"$tallyman" run "$scratch/moved.geojson" "${tiles[@]}" -o "$scratch/moved" 2>"$scratch/err" || fail "a displaced site: status $?"
grep -q "zones lie [0-9.]* m off the scenes" "$scratch/err" || fail "the shift is not told"
within "$(north "$scratch/moved")" 9 2.5 "zones 9 m too far south"

"$tallyman" run --datum mean "$scratch/moved.geojson" "${tiles[@]}" -o "$scratch/mean" 2>"$scratch/err" || fail "--datum mean: status $?"
within "$(north "$scratch/mean")" 0 0 "--datum mean"
grep -q "zones lie" "$scratch/err" && fail "--datum mean speaks of the zones"

"$tallyman" run "$site" "${tiles[@]}" -o "$scratch/drawn" 2>"$scratch/err" || fail "the site as drawn: status $?"
within "$(north "$scratch/drawn")" 0 0 "the site as drawn"

# The counts are those of the site as drawn, but for what 1 m of datum does.
sum() { awk -F, '$2 == "*" && $3 == "railcar" { n += $6 } END { print n }' "$1/series.csv"; }
drawn=$(sum "$scratch/drawn")
within "$(sum "$scratch/moved")" "$drawn" "$(awk -v n="$drawn" 'BEGIN { print 0.25 * n }')" "railcars"
finish
