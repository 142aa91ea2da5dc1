#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Every command has --help with an example on standard output; wrong calls end with 2 and say where the help is.
. "$(dirname "$0")/lib.sh"
for c in run scan diff register report spikes review compare verify; do
    "$tallyman" $c --help >"$scratch/help" 2>"$scratch/err" || fail "$c --help ends with $?"
    grep -q "Example" "$scratch/help" || fail "$c --help has no example"
    grep -q "tallyman $c" "$scratch/help" || fail "$c --help does not say tallyman $c"
    [ -s "$scratch/err" ] && fail "$c --help writes to standard error"
    status=0
    "$tallyman" $c --no-such-option >"$scratch/out" 2>"$scratch/err" || status=$?
    [ $status -eq 2 ] || fail "$c --no-such-option ends with $status"
    [ -s "$scratch/out" ] && fail "$c: a wrong call writes to standard output"
done
# What cannot be written is a failure, also where argp prints and ends the program.
for call in --help --version "run --help" "scan $set/scenes"; do
    status=0; "$tallyman" $call >/dev/full 2>"$scratch/err" || status=$?
    [ $status -eq 1 ] && grep -q "standard output" "$scratch/err" || fail "$call on a full disk: status $status: $(cat "$scratch/err")"
done
status=0; "$tallyman" no-such-command 2>/dev/null || status=$?
[ $status -eq 2 ] || fail "an unknown command ends with $status"
status=0; TALLYMAN_CPU=abacus "$tallyman" scan "$set/scenes" 2>"$scratch/err" >/dev/null || status=$?
[ $status -eq 2 ] && grep -q abacus "$scratch/err" || fail "an unknown TALLYMAN_CPU: status $status"
"$tallyman" --version | grep -q '^tallyman [0-9]' || fail "--version"

# The examples work as they stand, one after another, at the top of the source.
mkdir "$scratch/top" "$scratch/bin"
ln -s "$(cd "$(dirname "$set")/../.." && pwd)/fixtures" "$scratch/top/fixtures"
ln -s "$(realpath "$tallyman")" "$scratch/bin/tallyman"
for c in run scan diff register report spikes review compare verify; do
    "$tallyman" $c --help | sed -n '/^Example:/,/^Exit status:/p' | sed '1d;$d' >"$scratch/top/example.sh"
    grep -q "tallyman $c" "$scratch/top/example.sh" || fail "$c: no example before its exit status"
    status=0
    (cd "$scratch/top" && PATH=$scratch/bin:$PATH bash -e example.sh >out.txt 2>err.txt) || status=$?
    # 4: the example's count and the series may well differ
    [ $status -eq 0 ] || { [ $c = compare ] && [ $status -eq 4 ]; } || fail "$c: its example ends with $status: $(cat "$scratch/top/err.txt")"
    [ -s "$scratch/top/out.txt" ] || fail "$c: its example prints nothing"
done
[ -s "$scratch/top/change.tif" ] && [ -s "$scratch/top/blobs.geojson" ] && [ -s "$scratch/top/aligned.tif" ] && [ -s "$scratch/top/out/report.html" ] ||
    fail "the examples did not leave what they name"
finish
