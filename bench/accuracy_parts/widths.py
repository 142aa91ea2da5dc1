# SPDX-License-Identifier: GPL-3.0-or-later
"""How wide an interval has to be: the fit of bench/calibrate.

A row is (count, estimate, low, high, truth); a record has the rows of a scene's zones, `zones`, and that of its total, `total`. A width is
(stretch, floor): half = stretch x (the counter's half) + floor x sqrt(count + 1)."""
import itertools
import math

from . import score

STRETCH = (0.5, 0.7, 0.85, 1, 1.2, 1.5, 1.8, 2.2, 2.7, 3.3, 4)
FLOOR = (0, 0.1, 0.2, 0.3, 0.5, 0.75, 1, 1.3, 1.6, 2, 2.5, 3)
CORRELATION = 0.3  # of zones' doubts: lib/base/spread.c


def halves(row, down, up):
    """Of a zone, below its count and above its estimate."""
    count, estimate, low, high, _ = row
    return (min(count, down[0] * max(0, count - low) + down[1] * math.sqrt(count + 1)),
            up[0] * max(0, high - estimate) + up[1] * math.sqrt(estimate + 1))


def joined(values):
    one, squares = sum(values), sum(v * v for v in values)
    return math.sqrt((1 - CORRELATION) * squares + CORRELATION * one * one)


def bounds(record, down, up):
    """(low, high, truth) of the zones, and of the total."""
    halved = [halves(z, down, up) for z in record['zones']]
    zones = [(z[0] - a, z[1] + b, z[4]) for z, (a, b) in zip(record['zones'], halved)]
    count, estimate, _, _, true = record['total']
    return zones, (max(0.0, count - joined([a for a, _ in halved])), estimate + joined([b for _, b in halved]), true)


def mean(values):
    return sum(values) / len(values) if values else 0.0


def cost(records, down, up):
    """Interval scores of zones and totals, each as a share of what the counters' own bounds get."""
    zones, totals = [], []
    for r in records:
        z, t = bounds(r, down, up)
        zones += [score.interval_score(*b) for b in z]
        totals.append(score.interval_score(*t))
    return mean(zones), mean(totals)


def fit(records):
    """(down, up), by turns until neither changes."""
    down = up = (1, 0)
    own = cost(records, down, up)

    def loss(d, u):
        return sum(a / max(b, 1e-9) for a, b in zip(cost(records, d, u), own))
    for _ in range(4):
        before = (down, up)
        down = min(itertools.product(STRETCH, FLOOR), key=lambda w: loss(w, up))
        up = min(itertools.product(STRETCH, FLOOR), key=lambda w: loss(down, w))
        if (down, up) == before:
            break
    return down, up


def told(records, down, up):
    """Share inside, mean width and mean interval score, of zones and of totals."""
    every = [bounds(r, down, up) for r in records]
    out = []
    for rows in ([b for z, _ in every for b in z], [t for _, t in every]):
        out += [mean([low <= true <= high for low, high, true in rows]), mean([high - low for low, high, _ in rows]),
                mean([score.interval_score(*r) for r in rows])]
    return out
