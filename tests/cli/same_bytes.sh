#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The same tables byte for byte, and the store row for row, on any thread count and any SIMD level; verify agrees, and
# notices a number that was changed.
. "$(dirname "$0")/lib.sh"

run_on "$scratch/first" "$set/scenes" --jobs 1
levels=$(for l in scalar avx2 avx512 neon; do TALLYMAN_CPU=$l "$tallyman" scan "$set/scenes" >/dev/null 2>&1; [ $? -ne 2 ] && echo $l || true; done)
echo "levels of this CPU:" $levels
for level in $levels; do
    TALLYMAN_CPU=$level run_on "$scratch/$level" "$set/scenes" --jobs 2
    same_tables "$scratch/first" "$scratch/$level"
    diff <(dump_store "$scratch/first") <(dump_store "$scratch/$level") >"$scratch/diff" ||
        { head -5 "$scratch/diff" >&2; fail "the store differs at $level"; }
done

"$tallyman" verify "$scratch/first" --quiet >/dev/null || fail "verify says that a run differs from itself"
sed -i '2s/,[0-9]*\.*[0-9]*,/,4711,/3' "$scratch/first/series.csv"
status=0
"$tallyman" verify "$scratch/first" --quiet >/dev/null || status=$?
[ $status -eq 4 ] || fail "verify did not notice a changed count (status $status)"
finish
