#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Every command has --help with an example on standard output; wrong calls end with 2 and say where the help is.
. "$(dirname "$0")/lib.sh"
for c in run scan diff register report spikes compare verify; do
    "$tallyman" $c --help >"$scratch/help" 2>"$scratch/err" || fail "$c --help ends with $?"
    grep -q "Example" "$scratch/help" || fail "$c --help has no example"
    grep -q "tallyman $c" "$scratch/help" || fail "$c --help does not say tallyman $c"
    [ -s "$scratch/err" ] && fail "$c --help writes to standard error"
    status=0
    "$tallyman" $c --no-such-option >"$scratch/out" 2>"$scratch/err" || status=$?
    [ $status -eq 2 ] || fail "$c --no-such-option ends with $status"
    [ -s "$scratch/out" ] && fail "$c: a wrong call writes to standard output"
done
status=0; "$tallyman" no-such-command 2>/dev/null || status=$?
[ $status -eq 2 ] || fail "an unknown command ends with $status"
status=0; TALLYMAN_CPU=abacus "$tallyman" scan "$set/scenes" 2>"$scratch/err" >/dev/null || status=$?
[ $status -eq 2 ] && grep -q abacus "$scratch/err" || fail "an unknown TALLYMAN_CPU: status $status"
"$tallyman" --version | grep -q '^tallyman [0-9]' || fail "--version"
finish
