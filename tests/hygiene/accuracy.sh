#!/bin/bash
# SPDX-License-Identifier: GPL-3.0-or-later
# docs/accuracy.md says the same as every report: on what the accuracy of each class was measured.
set -euo pipefail
bad=0
while IFS= read -r row; do
    grep -qxF -- "$row" docs/accuracy.md || { echo "accuracy: docs/accuracy.md lacks: $row" >&2; bad=1; }
done < <("$1" report --accuracy)
[ $bad -eq 0 ] || echo "accuracy: put what \`tallyman report --accuracy\` prints into docs/accuracy.md" >&2
exit $bad
