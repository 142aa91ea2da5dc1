#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# The shared library exports what the headers promise, and nothing without the prefix.
set -euo pipefail
strange=$(nm -D --defined-only "$1" | awk '{print $3}' | grep -vE '^(tally_|_init$|_fini$|__asan|__ubsan|__odr_asan)' || true)
[ -z "$strange" ] || { echo "symbols: without the prefix: $strange" >&2; exit 1; }
nm -D --defined-only "$1" | grep -q ' T tally_run$' || { echo "symbols: tally_run is not exported" >&2; exit 1; }
