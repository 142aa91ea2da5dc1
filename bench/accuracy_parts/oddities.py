# SPDX-License-Identifier: GPL-3.0-or-later
"""What the plain sets leave out, laid over a set: dark and empty wagons, tarpaulins from car to car, dark beds, portals, a turnout
within the zones; puddles, heaps, lorries and stackers in the yards; cranes over ships; wakes, surf, plumes, ice, islands and jetties."""
import math

from .sites import ROW, SLOT


def tracks(rng, site, half):
    for t in site['tracks']:
        if rng.random() < 0.4 and not t.get('paved'):
            t['bed'] = rng.choice(['coal', 'yardbed', 'soil', 'gravel'])
    for m in site['masts']:
        m['arm'] = rng.uniform(2, 3.2)
    if len(site['tracks']) > 2:
        low, high = site['tracks'][0]['points'][1][1] - 3, site['tracks'][-1]['points'][1][1] + 3
        x = -half + rng.uniform(5, 30)
        site['portals'] = []
        while x < half:
            site['portals'].append({'line': [[x, low], [x + rng.uniform(-0.3, 0.3), high]], 'height': rng.uniform(7.5, 9.5)})
            x += rng.uniform(45, 65)


def turnout(site, scenes, half):
    """The last track swings into its neighbour near the right end; the neighbour's trains there are left out."""
    if len(site['tracks']) < 4:
        return
    last, other = site['tracks'][-1], site['tracks'][-2]
    start, join = half - 75, half - 2
    level, target = last['points'][1][1], other['points'][1][1]
    last['points'] = [last['points'][0], [0, level], [start, level], [join, target + 0.05], [3 * half, target + 0.1]]
    other['points'] = [other['points'][0], [0, target], [3 * half, target]]
    last['zone'][1] = round(join - 12, 1)
    for s in scenes:
        busy = any(c['track'] == last['name'] for c in s.get('cuts', []))
        s['cuts'] = [c for c in s.get('cuts', []) if not (busy and c['track'] == other['name'] and c['at'] > start - 110)]


def wagons(rng, scenes):
    for s in scenes:
        for cut in s.get('cuts', []):
            what = rng.random()
            if what < 0.25:
                cut['load'] = 'empty'
            elif what < 0.5:
                cut.update({'load': 'coal', 'tone': 'dark'})
            elif what < 0.65:
                cut['sheets'] = 0.5


def spot(rng, block, stack):
    """A place on a block that stays free, or None."""
    filled = (stack['from'] + math.ceil(stack['slots'] / block['rows'] * 1.15) + 3) if stack else 0
    if filled > block['bays'] - 2:
        return None
    u, v = rng.uniform(filled, block['bays'] - 1) * SLOT, rng.uniform(1, max(1.1, block['rows'] - 1)) * ROW
    a = math.radians(block.get('dir', 0))
    x, y = block['at']
    return [round(x + u * math.cos(a) - v * math.sin(a), 1), round(y + u * math.sin(a) + v * math.cos(a), 1)]


def yards(rng, site, scenes):
    for s in scenes:
        for block in site['blocks']:
            stack = next((k for k in s.get('stacks', []) if k['block'] == block['name']), None)
            at = spot(rng, block, stack)
            what = rng.random()
            if at is None or what > 0.85:
                continue
            if what < 0.25:
                s.setdefault('machines', []).append({'kind': 'lorry', 'at': at, 'dir': block.get('dir', 0) + rng.choice([0, 90, 180]), 'loaded': False})
            elif what < 0.45:
                s.setdefault('machines', []).append({'kind': 'stacker', 'at': at, 'dir': rng.uniform(0, 360), 'loaded': False})
            elif what < 0.65:
                s.setdefault('puddles', []).append({'at': at, 'radius': [rng.uniform(4, 10), rng.uniform(2, 5)], 'dir': rng.uniform(0, 180)})
            else:
                s.setdefault('heaps', []).append({'at': at, 'radius': [rng.uniform(3, 7), rng.uniform(2.5, 4)], 'height': rng.uniform(1.5, 4),
                                                  'material': rng.choice(['coal', 'ore', 'sand']), 'dir': block.get('dir', 0)})


def cranes(rng, scenes, visits):
    for s in scenes:
        here = [v for v in visits if v['arrived'] < s['datetime'] < v['departed'] and v['type'] != 'boat']
        for v in here[:3]:
            if rng.random() < 0.7:
                s.setdefault('cranes', []).append({'at': [round(v['at'][0] + rng.uniform(-0.3, 0.3) * v['length'], 1), -11.0], 'dir': rng.uniform(-110, -70),
                                                   'reach': rng.uniform(20, 34), 'height': rng.uniform(18, 28)})


def sea(rng, site, recipe, half, shore, low):
    """Wakes, plumes, surf and ice by scene; islands and jetties for good. `shore` and `low`: where the water ends and how far it goes."""
    for _ in range(rng.randint(0, 1)):  # an island in the corner, where no ship lies
        x, y = 22 - half, low + rng.uniform(0.05, 0.12) * (shore - low)
        r = rng.uniform(0.02, 0.045) * (shore - low) + 3
        ring = [[x + r * rng.uniform(0.7, 1.4) * math.cos(a), y + r * rng.uniform(0.7, 1.2) * math.sin(a)] for a in [k * math.pi / 4 for k in range(8)]]
        site['ground'].append({'material': 'rock', 'poly': ring, 'level': 2, 'ragged': 0.8})
    if rng.random() < 0.5 and shore > 0:
        x = rng.choice([-1, 1]) * (half - 40)
        site['slabs'].append({'at': [x, shore - 22], 'size': [60, rng.uniform(3.5, 6)], 'dir': 90, 'height': 1.5, 'color': 'concrete'})
    icy = rng.random() < 0.3
    for s in recipe['scenes']:
        if rng.random() < 0.3:
            s['wakes'] = [{'at': [rng.uniform(-half, half) * 0.7, low + rng.uniform(0.1, 0.4) * (shore - low)], 'dir': rng.uniform(0, 360),
                           'length': rng.uniform(0.2, 0.5) * (shore - low), 'width': rng.uniform(3, 6)}]
        if rng.random() < 0.3:
            s['plumes'] = [{'at': [rng.uniform(-half, half), rng.uniform(low, shore)], 'radius': [rng.uniform(15, 70), rng.uniform(6, 25)], 'dir': rng.uniform(0, 180),
                            'kind': rng.choice(['silt', 'silt', 'foam', 'oil']), 'strength': rng.uniform(0.4, 0.8)}]
        if rng.random() < 0.3:
            s['surf'] = [{'line': [[x, shore - 4] for x in range(int(-half), int(half) + 1, 60)], 'width': rng.uniform(4, 10)}]
        if icy and rng.random() < 0.4:
            s['ice'] = rng.uniform(0.3, 0.8)


def lay(rng, kind, site, recipe):
    half = max([abs(x) for t in site['tracks'] for x in t['zone']] + [abs(p[0]) for z in site['zones'] if z['role'] == 'water' for p in z['poly']] + [60])
    scenes = recipe['scenes']
    if kind.startswith('rail'):
        tracks(rng, site, half)
        if rng.random() < 0.5:
            turnout(site, scenes, half)
    wagons(rng, scenes)
    yards(rng, site, scenes)
    if kind.startswith('port'):
        cranes(rng, scenes, recipe.get('visits', []))
        sea(rng, site, recipe, half, -20, -72)
    if kind.startswith('oil'):
        sea(rng, site, recipe, half, 100, -200)
