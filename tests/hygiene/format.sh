#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# Layout by clang-format 14, the version that scripts/setup installs; another version would disagree with itself.
set -euo pipefail
if ! command -v clang-format-14 >/dev/null; then
    echo "format: clang-format-14 is missing; install the package clang-format-14 (scripts/setup does)" >&2
    exit 1
fi
find cmd lib kernels fixtures tests bench \( -name '*.c' -o -name '*.h' -o -name '*.cpp' \) -print0 |
    xargs -0 clang-format-14 --dry-run --Werror
