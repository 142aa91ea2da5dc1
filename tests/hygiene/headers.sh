#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Every header compiles alone; the public ones also as C++; the umbrella names all public headers.
set -euo pipefail
bad=0
# guests that a private header of their room shows
read -ra guests < <(pkg-config --cflags-only-I gdal)
for h in $(find lib kernels cmd -name '*.h'); do
    cpu=()
    [[ $h == kernels/x86/*avx2* ]] && cpu=(-mavx2)
    echo "#include \"$h\"" | cc -std=c17 -D_GNU_SOURCE -Wall -Werror -fsyntax-only "${guests[@]}" "${cpu[@]}" -I. -Ilib -Ilib/include -Icmd -x c - || { echo "headers: $h does not compile alone" >&2; bad=1; }
done
for h in lib/include/tallyman/*.h; do
    name=$(basename "$h")
    [ "$name" = tallyman.h ] || grep -q "tallyman/$name" lib/include/tallyman/tallyman.h || { echo "headers: tallyman.h leaves $name out" >&2; bad=1; }
done
exit $bad
