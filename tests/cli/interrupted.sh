#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# A run that is killed or interrupted at any stage, then run again, gives what an undisturbed one
# gives; two runs at a time do not share a folder; what cannot be written is said.
. "$(dirname "$0")/lib.sh"
run_on "$scratch/whole" "$set/scenes"
dump_store "$scratch/whole" | cut -d, -f2- | sort >"$scratch/whole.txt"

# disturb SIGNAL STAGE: the run gets the signal as soon as it says that it is at that stage
disturb() {
    local line status=0
    rm -rf "$scratch/cut"
    exec 3< <(exec "$tallyman" run "$site" "$set/scenes" -o "$scratch/cut" --jobs 1 2>&1 >/dev/null)
    local run=$!
    while read -r -u 3 line; do
        case $line in *" $2 "*) kill "-$1" "$run" && break ;; esac
    done
    cat <&3 >"$scratch/err"
    wait "$run" || status=$?
    exec 3<&-
    if [ "$1" = INT ]; then
        [ $status -eq 1 ] || fail "SIGINT while $2: status $status"
        grep -q 'interrupted' "$scratch/err" || fail "SIGINT while $2: $(cat "$scratch/err")"
    else
        [ $status -eq 137 ] || fail "SIGKILL while $2: the run ended before, with $status"
    fi
    run_on "$scratch/cut" "$set/scenes"
    same_tables "$scratch/whole" "$scratch/cut"
    dump_store "$scratch/cut" | cut -d, -f2- | sort | cmp - "$scratch/whole.txt" ||
        fail "$1 while $2: the store differs from an undisturbed one"
}
for stage in reading survey background counting; do
    disturb KILL "$stage"
done
disturb INT survey
disturb INT counting

# A folder in use.
(
    flock 9
    status=0
    "$tallyman" run "$site" "$set/scenes" -o "$scratch/whole" --quiet >/dev/null 2>"$scratch/err" || status=$?
    [ $status -eq 1 ] || fail "a folder in use: status $status"
    grep -q 'another run is at work' "$scratch/err" || fail "a folder in use: $(cat "$scratch/err")"
    [ "$(wc -l <"$scratch/err")" -eq 1 ] || fail "a folder in use: $(cat "$scratch/err")"
    finish >/dev/null
) 9>"$scratch/whole/.lock" || exit 1

# Standard output that takes nothing.
for call in "scan $set/scenes" "scan --json $set/scenes" "run $site $set/scenes -o $scratch/whole"; do
    status=0
    # shellcheck disable=SC2086
    "$tallyman" $call --quiet >/dev/full 2>"$scratch/err" || status=$?
    [ $status -eq 1 ] || fail "$call: a full standard output: status $status"
    [ "$(cat "$scratch/err")" = "tallyman: standard output: No space left on device" ] ||
        fail "$call: a full standard output: $(cat "$scratch/err")"
done

# A folder that one may read but not write: root may write anywhere, so it becomes nobody.
chmod 755 "$scratch"
mkdir "$scratch/locked"
chmod 555 "$scratch/locked" "$scratch/whole"
as_other=()
if [ "$(id -u)" -eq 0 ]; then
    as_other=(setpriv --reuid=65534 --regid=65534 --clear-groups)
    if ! "${as_other[@]}" test -x "$tallyman" -a -r "$site"; then
        echo "SKIPPED: a folder without write access; run as another user than root"
        finish
        exit
    fi
fi
for out in locked locked/deeper whole; do
    status=0
    "${as_other[@]}" "$tallyman" run "$site" "$set/scenes" -o "$scratch/$out" --quiet >/dev/null 2>"$scratch/err" || status=$?
    [ $status -eq 1 ] || fail "a folder without write access: status $status"
    [ "$(wc -l <"$scratch/err")" -eq 1 ] || fail "a folder without write access: $(cat "$scratch/err")"
    grep -q "$scratch/$out.*: choose\|$scratch/$out.*; c" "$scratch/err" || fail "a folder without write access: $(cat "$scratch/err")"
done
chmod 755 "$scratch/locked" "$scratch/whole"
finish
