#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# docs/errors.md says what to do about every status, and about no other.
set -euo pipefail
codes=$(grep -oE '^ +TALLY_(OK|E_[A-Z_]+)' lib/include/tallyman/status.h | tr -d ' ' | sort -u)
told=$(grep -oE '^\| `TALLY_[A-Z_]+`' docs/errors.md | grep -oE 'TALLY_[A-Z_]+' | sort -u)
diff <(echo "$codes") <(echo "$told") || { echo "errors: status.h and docs/errors.md differ" >&2; exit 1; }
