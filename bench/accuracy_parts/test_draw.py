#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What tally_draw can lay over a scene: each option changes the tile and, but for what counts, not the truth. Usage: test_draw.py TALLY_DRAW"""
import json
import os
import subprocess
import sys
import tempfile
import unittest

DRAW = ''
LAYOUT = {'site': 'odd', 'title': 'Odd', 'aliases': [], 'timezone': 'UTC', 'note': 'a test', 'origin': [10, 45], 'epsg': 32632, 'x_bearing': 80, 'base': 'apron',
          'ground': [{'material': 'water', 'poly': [[-90, -90], [90, -90], [90, -20], [-90, -20]]}],
          'tracks': [{'name': 'T1', 'points': [[-80, 5], [80, 5]], 'zone': [-60, 60]}], 'blocks': [{'name': 'A', 'at': [-40, 20], 'bays': 8, 'rows': 3}],
          'masts': [{'line': [[-60, 9], [60, 9]], 'spacing': 40, 'height': 8}],
          'zones': [{'role': 'yard', 'name': 'Y', 'poly': [[-42, 18], [14, 18], [14, 32], [-42, 32]]},
                    {'role': 'water', 'name': 'W', 'poly': [[-70, -60], [70, -60], [70, -20], [-70, -20]]}]}
RECIPE = {'set': 'odd', 'layout': 'layout.json', 'vendor': 'plain', 'seed': 3, 'gsd': 1, 'oversample': 2, 'middle': [0, -10], 'size_px': [150, 110],
          'dn_per_reflectance': 3000, 'noise_floor': 0, 'noise_gain': 0,
          'visits': [{'id': 'v1', 'type': 'cargo', 'length': 60, 'width': 10, 'arrived': '2025-06-01T00:00:00Z', 'departed': '2025-06-30T00:00:00Z', 'at': [0, -27]}],
          'scenes': [{'id': 'a', 'datetime': '2025-06-10T09:00:00Z', 'cuts': [{'track': 'T1', 'at': -50, 'cars': 'L1 G4 F2'}],
                      'stacks': [{'block': 'A', 'slots': 8, 'tiers': 2, 'look': 4}]}]}
SCENE = {'puddles': [{'at': [0, 25], 'radius': [6, 4]}], 'heaps': [{'at': [30, 30], 'radius': [7, 5], 'height': 4, 'material': 'ore'}],
         'machines': [{'kind': 'stacker', 'at': [5, 25], 'dir': 30, 'loaded': True}, {'kind': 'lorry', 'at': [40, 15], 'loaded': True}],
         'cranes': [{'at': [0, -11], 'reach': 25}], 'wakes': [{'at': [-40, -45], 'length': 60}], 'surf': [{'line': [[-60, -24], [-40, -24]]}],
         'plumes': [{'at': [40, -45], 'radius': [20, 8], 'kind': 'silt'}], 'ice': 0.7}
CUT = {'load': 'empty', 'tone': 'dark', 'sheets': 1}


def draw(layout, recipe):
    """The tile's bytes, and the truth."""
    with tempfile.TemporaryDirectory() as folder:
        for name, what in (('layout.json', layout), ('recipe.json', recipe)):
            with open(os.path.join(folder, name), 'w', encoding='utf-8') as f:
                json.dump(what, f)
        subprocess.run([DRAW, os.path.join(folder, 'recipe.json'), '-o', os.path.join(folder, 'out')], check=True)
        with open(os.path.join(folder, 'out', 'scenes', 'a.tif'), 'rb') as f:
            tile = f.read()
        with open(os.path.join(folder, 'out', 'truth.csv'), encoding='utf-8') as f:
            truth = f.read()
        with open(os.path.join(folder, 'out', 'truth.geojson'), encoding='utf-8') as f:
            return tile, truth, [g['properties'] for g in json.load(f)['features']]


class Draw(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tile, cls.truth, cls.objects = draw(LAYOUT, RECIPE)

    def changes(self, layout, recipe):
        tile, truth, _ = draw(layout, recipe)
        self.assertNotEqual(tile, self.tile)
        self.assertEqual(truth, self.truth)

    def test_truth(self):
        kinds = [o['type'] for o in self.objects if o['class'] == 'railcar']
        self.assertEqual([kinds.count(k) for k in ('locomotive', 'gondola', 'flat')], [1, 4, 2])
        boxes = [o for o in self.objects if o['class'] == 'container_stack']
        self.assertEqual(sum(o['count'] for o in boxes), 8)
        self.assertIn(f'container_stack,*,8,8,{sum(o["tiers"] for o in boxes)},', self.truth)
        self.assertIn('vessel,*,1,1,', self.truth)

    def test_same_again(self):
        self.assertEqual(draw(LAYOUT, RECIPE)[0], self.tile)

    def test_scene_options(self):
        for key, value in SCENE.items():
            with self.subTest(key):
                self.changes(LAYOUT, {**RECIPE, 'scenes': [{**RECIPE['scenes'][0], key: value}]})

    def test_cut_options(self):
        cut = RECIPE['scenes'][0]['cuts'][0]
        for key, value in CUT.items():
            with self.subTest(key):
                self.changes(LAYOUT, {**RECIPE, 'scenes': [{**RECIPE['scenes'][0], 'cuts': [{**cut, key: value}]}]})

    def test_layout_options(self):
        with self.subTest('bed'):
            self.changes({**LAYOUT, 'tracks': [{**LAYOUT['tracks'][0], 'bed': 'coal'}]}, RECIPE)
        with self.subTest('arm'):
            self.changes({**LAYOUT, 'masts': [{**LAYOUT['masts'][0], 'arm': 3}]}, RECIPE)
        with self.subTest('portals'):
            self.changes({**LAYOUT, 'portals': [{'line': [[0, 0], [0, 10]]}]}, RECIPE)


if __name__ == '__main__':
    DRAW = sys.argv.pop(1)
    unittest.main()
