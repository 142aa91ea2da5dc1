#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Every spike that the recipe injected is found, at its date and class; the log says what else was called a spike.
. "$(dirname "$0")/lib.sh"
run_on "$scratch/out" "$set/scenes"
awk -F, 'NR == FNR { if (FNR > 1 && $2 == "*" && $6 == "spike") wanted[$3 " " substr($4, 1, 10)] = 1; next }
    FNR > 1 && $2 == "*" && $11 == "spike" { found[$3 " " substr($4, 1, 10)] = 1 }
    END {
        for (k in wanted) { n++; if (!(k in found)) { print "not found: " k; missing = 1 } }
        for (k in found) if (!(k in wanted)) print "also called a spike: " k
        if (!n) { print "the truth names no spike"; missing = 1 }
        exit missing
    }' "$set/spikes.csv" "$scratch/out/spikes.csv" || fail "an injected spike was not found"
finish
