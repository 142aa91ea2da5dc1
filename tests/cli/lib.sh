# SPDX-License-Identifier: GPL-3.0-or-later
# What the whole-run tests share. Each gets the program and a fixture set, and works in a scratch folder of its own.
set -euo pipefail
tallyman=$1 set=$2
site=$(dirname "$set")/../sites/$(basename "$set" | sed 's/_.*//').geojson
scratch=$(mktemp -d "${TMPDIR:-/tmp}/tallyman-test-XXXXXX")
trap 'rm -rf "$scratch"' EXIT
tables=(scenes.csv series.csv detections.geojson spikes.csv visits.csv)
failures=0

fail() { echo "FAIL: $*" >&2; failures=$((failures + 1)); }

# run_on DIR TILES...: status 0 and 3 are good ends
run_on() {
    local out=$1 status=0
    shift
    "$tallyman" run "$site" "$@" -o "$out" --quiet >/dev/null 2>"$scratch/err" || status=$?
    case $status in 0 | 3) ;; *) cat "$scratch/err" >&2; fail "run into $out ended with $status" ;; esac
}

same_tables() {
    local t
    for t in "${tables[@]}"; do
        cmp "$1/$t" "$2/$t" || fail "$t differs between $1 and $2"
    done
}

# The store row for row: every layer as CSV, in the order of its rows.
dump_store() {
    local layer
    for layer in scenes observations detections spikes visits; do
        echo "== $layer"
        ogr2ogr -f CSV /vsistdout/ "$1/tallyman.gpkg" "$layer" -lco GEOMETRY=AS_WKT
    done
}

finish() { [ "$failures" -eq 0 ] || exit 1; echo "passed"; }
