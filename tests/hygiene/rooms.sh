#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Who may include whom: cmd -> lib -> kernels; within lib only base/ and the rooms above; guests in their rooms only.
set -euo pipefail
order=(base site scene align change count series store report)
bad=0
complain() { echo "rooms: $*" >&2; bad=1; }

place() { for i in "${!order[@]}"; do [ "${order[$i]}" = "$1" ] && echo "$i" && return; done; echo -1; }
for room in "${order[@]}"; do
    mine=$(place "$room")
    while IFS=: read -r file _ line; do
        other=$(sed -E 's/.*"([a-z]+)\/.*/\1/' <<<"$line")
        theirs=$(place "$other")
        [ "$theirs" -ge 0 ] && [ "$theirs" -gt "$mine" ] && complain "$file includes $other/, which lies below $room/"
        [ "$other" = cmd ] && complain "$file includes cmd/"
    done < <(grep -rnE '^#include "[a-z]+/' "lib/$room" --include='*.[ch]' --include='*.cpp' || true)
done
grep -rlE '#include [<"](lib|base|site|scene|align|change|count|series|store|report|tallyman)/' kernels --include='*.[ch]' |
    while read -r f; do echo "rooms: $f: kernels know nothing of lib/" >&2; done | tee /dev/stderr | grep -q . && bad=1
# series/ knows records, no pixels
grep -rlE '#include "(base/patch|site/|scene/|align/|change/|count/)' lib/series && complain "series/ looks at pixels"

guest() { # pattern, allowed paths (regex)
    while read -r f; do
        grep -qE "$2" <<<"$f" || complain "$f includes $1"
    done < <(grep -rlE "#include <($1)" cmd lib kernels 2>/dev/null || true)
}
guest 'gdal|cpl_'       '^lib/(site|scene|store)/'
guest 'ogr_|ogrsf'      '^lib/(site|scene|store)/'
guest 'tiff'            '^lib/(scene|store)/'
guest 'fftw3'           '^lib/align/'
guest 'opencv'          '^lib/change/opencv_adapter\.cpp$'
guest '[a-z]*mmintrin|immintrin|arm_neon' '^kernels/(x86|arm)/'
# No third-party type in a public header
grep -rnE '#include <(gdal|cpl_|ogr_|tiff|fftw|opencv|jansson|openssl)' lib/include && complain "a public header shows a guest"
# The library does not print, exit, or read the environment
grep -rnE '\b(printf|puts|exit|getenv|setlocale)\(' lib kernels --include='*.c' | grep -vE 'f?printf\(f|snprintf|vsnprintf|fprintf' && complain "the library prints, exits or reads the environment"
exit $bad
