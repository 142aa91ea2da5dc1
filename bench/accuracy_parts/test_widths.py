#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fit of bench/calibrate on counts whose doubt is known."""
import os
import random
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..'))
from accuracy_parts import widths  # noqa: E402


def record(zones):
    count, true = sum(z[0] for z in zones), sum(z[4] for z in zones)
    return {'zones': zones, 'total': (count, count, None, None, true)}


def drawn(rng, spread, said):
    """Four zones of 50, off by a normal error of `spread` that is partly the same in all, with bounds that say 1.96 times `said`."""
    same = rng.gauss(0, spread * widths.CORRELATION ** 0.5)
    return record([(50.0, 50.0, 50 - 1.96 * said, 50 + 1.96 * said, 50 + same + rng.gauss(0, spread * (1 - widths.CORRELATION) ** 0.5)) for _ in range(4)])


class Widths(unittest.TestCase):
    def test_halves(self):
        down, up = widths.halves((8, 10, 6, 13, 9), (2, 1), (0.5, 0))
        self.assertAlmostEqual(down, 7)
        self.assertAlmostEqual(up, 1.5)
        self.assertEqual(widths.halves((2, 2, 1, 3, 2), (4, 0), (1, 0))[0], 2)  # never below nothing

    def test_total(self):
        self.assertAlmostEqual(widths.joined([3, 4]), (0.7 * 25 + 0.3 * 49) ** 0.5)
        zones, total = widths.bounds(record([(5, 5, 2, 8, 6), (5, 5, 1, 9, 4)]), (1, 0), (1, 0))
        self.assertEqual(zones, [(2, 8, 6), (1, 9, 4)])
        self.assertAlmostEqual(total[0], 10 - (0.7 * 25 + 0.3 * 49) ** 0.5)
        self.assertEqual(total[2], 10)

    def test_too_sure_is_widened(self):
        rng = random.Random(1)
        scenes = [drawn(rng, 6, 2) for _ in range(150)]
        raw, fitted = (widths.told(scenes, *w) for w in (((1, 0), (1, 0)), widths.fit(scenes)))
        self.assertLess(raw[0], 0.6)
        self.assertGreater(fitted[0], 0.93)
        self.assertLess(fitted[0], 0.99)  # and not more than need be
        self.assertLess(fitted[2], raw[2])
        fresh = widths.told([drawn(rng, 6, 2) for _ in range(150)], *widths.fit(scenes))
        self.assertGreater(fresh[0], 0.92)

    def test_too_wide_is_narrowed(self):
        rng = random.Random(2)
        scenes = [drawn(rng, 2, 6) for _ in range(150)]
        (down, up), raw = widths.fit(scenes), widths.told(scenes, (1, 0), (1, 0))
        fitted = widths.told(scenes, down, up)
        self.assertLess(fitted[1], 0.7 * raw[1])
        self.assertGreater(fitted[0], 0.9)


if __name__ == '__main__':
    unittest.main()
