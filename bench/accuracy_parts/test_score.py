#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""The scoring of bench/accuracy on tables written here, whose figures were worked out by hand."""
import json
import os
import random
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.realpath(__file__)), '..'))
from accuracy_parts import pooled, scenes, score  # noqa: E402


def write(folder, name, text):
    with open(os.path.join(folder, name), 'w', encoding='utf-8') as f:
        f.write(text)


def ship(scene, x0, y0, length, width, **more):
    """A rectangle beside (10, 50), in metres."""
    kx, ky = 111319.49 * 0.6427876, 111132.0
    ring = [[10 + x / kx, 50 + y / ky] for x, y in ((x0, y0), (x0 + length, y0), (x0 + length, y0 + width), (x0, y0 + width), (x0, y0))]
    return {'type': 'Feature', 'properties': {'class': 'vessel', 'scene': scene, 'length_m': length, 'heading_deg': 90, **more},
            'geometry': {'type': 'Polygon', 'coordinates': [ring]}}


class Score(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.path = self.folder.name

    def tearDown(self):
        self.folder.cleanup()

    def test_counts(self):
        head = 'site,datetime,scene,class,zone,count,count_visible,containers_all_tiers,seen\n'
        write(self.path, 'truth.csv', head + 's,d,a,railcar,T1,10,10,,1\ns,d,a,railcar,T2,4,4,,1\ns,d,a,railcar,*,14,14,,1\n'
              's,d,b,railcar,T1,10,6,,.6\ns,d,b,railcar,T2,0,0,,.6\ns,d,b,railcar,*,10,6,,.6\n'
              's,d,c,railcar,*,8,2,,.4\ns,d,e,railcar,*,5,5,,1\n')
        write(self.path, 'series.csv', 'site,zone,class,datetime,scene,count,low,high,quality\n'
              's,T1,railcar,d,a,12,9,13,ok\ns,T2,railcar,d,a,2,1,3,ok\ns,*,railcar,d,a,14,11,17,ok\ns,*,railcar,d,b,8,6,9,partial\ns,*,railcar,d,e,,,,refused\n')
        records = {r['scene']: r for r in score.counts(self.path, self.path, {'b': ['cloud']})}
        self.assertEqual(sorted(records), ['a', 'b', 'e'])  # c: less than half of it is seen
        self.assertEqual([records['a']['error'], records['a']['inside'], records['a']['interval_score']], [0, True, 6])
        self.assertEqual([z['error'] for z in records['a']['zones']], [2, -2])
        self.assertEqual([z['inside'] for z in records['a']['zones']], [True, False])
        # between what is visible and what is there: no error; but the interval has to hold what is there
        self.assertEqual([records['b']['error'], records['b']['inside'], records['b']['interval_score']], [0, False, 3 + 40])
        self.assertEqual([records['e']['error'], records['e']['answered'], records['e']['inside']], [-5, False, False])
        p = pooled.pool_counts(list(records.values()))
        self.assertAlmostEqual(p['wape'], 5 / 29)
        self.assertAlmostEqual(p['inside'], 1 / 3)
        self.assertEqual(p['unanswered'], 1)
        self.assertEqual(len(pooled.of_condition(list(records.values()), 'cloud')), 1)

    def test_vessels(self):
        write(self.path, 'shifts.csv', 'scene,dx_m_east,dy_m_north\na,0,0\nb,0,30\n')
        truth = [ship('a', 0, 0, 100, 20, visible=True), ship('a', 0, 200, 80, 15, visible=True), ship('a', 0, 400, 50, 10, visible=False),
                 ship('b', 0, 0, 60, 10, visible=True)]
        got = [ship('a', 5, 2, 96, 20), ship('a', 0, 402, 50, 10), ship('a', 500, 0, 40, 10), ship('b', 0, 30, 61, 10)]
        for name, items in (('truth.geojson', truth), ('detections.geojson', got)):
            write(self.path, name, json.dumps({'type': 'FeatureCollection', 'features': items}))
        p = pooled.pool_vessels(score.vessels(self.path, self.path, {}))
        # the second is missed, the hidden one neither counts nor is false, the third got is false, scene b is found where it is shown
        self.assertEqual([p['true'], p['found'], p['false']], [3, 2, 1])
        self.assertAlmostEqual(p['f1'], 2 / 3)
        self.assertAlmostEqual(p['length'], 2.5)

    def test_overlap(self):
        a, b = [(0, 0), (10, 0), (10, 10), (0, 10)], [(5, 0), (15, 0), (15, 10), (5, 10)]
        self.assertAlmostEqual(score.overlap(a, b), 1 / 3)
        self.assertAlmostEqual(score.overlap(a, b[::-1]), 1 / 3)
        self.assertEqual(score.overlap(a, [(20, 20), (30, 20), (30, 30)]), 0)

    def test_visits_and_spikes(self):
        write(self.path, 'spikes.csv', 'zone,class,scene,kind\n*,railcar,a,spike\n*,railcar,b,level_shift\nT1,railcar,c,spike\n*,vessel,a,spike\n*,railcar,d,drop\n')
        self.assertEqual(score.spikes(self.path, self.path)['true'], 4)  # the same file as truth: all that it names
        got = os.path.join(self.path, 'out')
        os.mkdir(got)
        os.rename(os.path.join(self.path, 'spikes.csv'), os.path.join(got, 'spikes.csv'))
        write(self.path, 'spikes.csv', 'zone,class,scene,kind\n*,railcar,a,spike\n*,railcar,x,spike\n')
        self.assertEqual(score.spikes(self.path, got), {'true': 2, 'found': 1, 'false': 1})
        t = '2025-01-%02dT00:00:00Z'
        write(self.path, 'visits.csv', 'zone,length_m,arrived,departed\n' + f'B,100,{t % 1},{t % 9}\nB,90,{t % 10},{t % 12}\nC,50,{t % 1},{t % 2}\n')
        write(got, 'visits.csv', 'zone,length_m,first_seen,last_seen\n' + f'B,101,{t % 2},{t % 8}\nB,60,{t % 3},{t % 4}\nC,50,{t % 5},{t % 6}\n')
        self.assertEqual(score.visits(self.path, got), {'true': 3, 'reported': 3, 'found': 1})

    def test_recipes_repeat(self):
        for kind in scenes.KINDS:
            a, b, c = (scenes.recipe(random.Random(seed), kind, 1, 'odd', 7) for seed in ('x', 'x', 'y'))
            self.assertEqual(json.dumps(a), json.dumps(b))
            self.assertNotEqual(json.dumps(a), json.dumps(c))


if __name__ == '__main__':
    unittest.main()
