# SPDX-License-Identifier: GPL-3.0-or-later
"""Sites of many shapes, as layouts for tally_draw (fixtures/README.md tells the keys). Each is drawn from its own seed: how many
tracks and how far apart, which way they run, how the yards lie, what stands about. Lengths in metres, x along the tracks or the quay."""
import math

SLOT, ROW = 6.44, 2.82  # a container slot and row with the gaps between, as fixtures/draw/port.c lays them


def box(x0, y0, x1, y1):
    return [[x0, y0], [x1, y0], [x1, y1], [x0, y1]]


def frame(rng, kind, seed):
    """Name, place and direction."""
    latitude, longitude = rng.uniform(34, 58), rng.uniform(-120, 140)
    return {'site': f'{kind}-{seed}'.replace('.', '_'), 'title': f'Drawn site {kind} {seed}', 'aliases': [], 'timezone': 'UTC',
            'note': 'Drawn for bench/accuracy; nowhere in the world.', 'origin': [longitude, latitude],
            'epsg': 32601 + int((longitude + 180) // 6), 'x_bearing': round(rng.uniform(0, 180), 1)}


def clutter(rng, site, x0, x1, y0, y1, stable_name):
    """Sheds, trees and parked lorries in a strip, and a stable zone over its middle."""
    if y1 - y0 < 14:
        return
    x = x0 + rng.uniform(2, 15)
    while x < x1 - 12:
        length, width = rng.uniform(10, 40), rng.uniform(7, min(14, y1 - y0 - 3))
        if x + length > x1:
            break
        if rng.random() < 0.7:
            site['buildings'].append({'at': [x + length / 2, rng.uniform(y0 + width / 2, y1 - width / 2)], 'size': [length, width],
                                      'dir': rng.choice([0, 0, rng.uniform(-8, 8)]), 'height': rng.uniform(3.5, 10),
                                      'roof': rng.choice(['tile', 'blue', 'grey', 'slate', 'rust', 'green', 'concrete']),
                                      'form': rng.choice(['gable', 'gable', 'flat'])})
        elif rng.random() < 0.6:
            site['trees'].append({'poly': box(x, y0, x + length, y1), 'spacing': rng.uniform(6, 10), 'radius': rng.uniform(1.6, 3),
                                  'share': rng.uniform(0.3, 0.9)})
        else:
            site['spots'].append([x + 6, (y0 + y1) / 2, rng.uniform(0, 360)])
        x += length + rng.uniform(4, 25)
    site['zones'].append({'role': 'stable', 'name': stable_name, 'poly': box(x0, y0, x1, y1)})


def surroundings(rng, site, inner, margin, water_below=None):
    """Fields of all tones, houses and copses round the site, as far as `margin`: what images are laid onto each other by."""
    x0, y0, x1, y1 = inner[0] - margin, inner[1] - margin, inner[2] + margin, inner[3] + margin
    step = 62
    y = y0
    while y < y1:
        x = x0 + rng.uniform(-20, 0)
        high = step * rng.uniform(0.7, 1.3)
        while x < x1 and len(site['ground']) < 90:
            wide = step * rng.uniform(0.7, 1.9)
            apart = x > inner[2] + 4 or x + wide < inner[0] - 4 or y > inner[3] + 4 or y + high < inner[1] - 4
            if apart and (water_below is None or y > water_below):
                ring = [[px + rng.uniform(-5, 5), py + rng.uniform(-5, 5)] for px, py in box(x + 3, y + 3, x + wide - 3, y + high - 3)]
                what = rng.random()
                if what < 0.62:
                    site['ground'].append({'material': rng.choice(['field', 'field', 'soil', 'grass', 'gravel']), 'poly': ring, 'ragged': 1.0, 'tone': rng.uniform(0.75, 1.25)})
                elif what < 0.75:
                    site['trees'].append({'poly': ring, 'spacing': rng.uniform(6.5, 9), 'radius': rng.uniform(2, 3.3), 'share': rng.uniform(0.5, 0.95)})
                else:
                    turn = rng.uniform(-12, 12)
                    for k in range(rng.randint(1, 5)):
                        site['buildings'].append({'at': [x + rng.uniform(8, max(9, wide - 8)), y + rng.uniform(8, max(9, high - 8))], 'dir': turn + rng.choice([0, 90]),
                                                  'size': [rng.uniform(8, 26), rng.uniform(6, 12)], 'height': rng.uniform(3, 8),
                                                  'roof': rng.choice(['tile', 'blue', 'grey', 'slate', 'rust', 'green', 'concrete']), 'form': rng.choice(['gable', 'flat'])})
            x += wide
        y += high
    for _ in range(2):
        y = rng.choice([rng.uniform(y0, inner[1] - 5), rng.uniform(inner[3] + 5, y1)]) if margin > 20 else inner[3] + 6
        if water_below is None or y > water_below:
            site['ground'].append({'material': 'asphalt', 'line': [[x0 - 300, y + rng.uniform(-15, 15)], [x1 + 300, y + rng.uniform(-15, 15)]], 'width': rng.uniform(5, 9), 'marks': True})
    return x0, y0, x1, y1


def yard(rng, site, name, x0, y0, bays, rows, direction=0.0):
    """A block of slots, and the analyst's generous zone round it; its paving below."""
    length, width = bays * SLOT, rows * ROW
    c, s = math.cos(math.radians(direction)), math.sin(math.radians(direction))
    m = rng.uniform(0.8, 2.5)

    def at(u, v):
        return [x0 + u * c - v * s, y0 + u * s + v * c]
    site['blocks'].append({'name': name, 'at': [x0, y0], 'dir': direction, 'bays': bays, 'rows': rows})
    site['zones'].append({'role': 'yard', 'name': name, 'poly': [at(-m, -m), at(length + m, -m), at(length + m, width + m), at(-m, width + m)]})
    site['ground'].append({'material': rng.choice(['concrete', 'apron', 'asphalt', 'gravel']),
                           'poly': [at(-4, -3), at(length + 4, -3), at(length + 4, width + 3), at(-4, width + 3)], 'ragged': 0.3})


def empty_site(rng, kind, seed, base):
    site = frame(rng, kind, seed)
    site.update({'base': base, 'ground': [], 'tracks': [], 'slabs': [], 'buildings': [], 'masts': [], 'trees': [], 'spots': [],
                 'blocks': [], 'zones': []})
    return site


def rail(rng, kind, seed, length):
    """A station: bands of tracks, platforms, masts, a transload yard."""
    site = empty_site(rng, kind, seed, rng.choice(['grass', 'grass', 'soil', 'gravel']))
    n = rng.randint(3, 7)
    pitch = rng.uniform(4.5, 5.6)
    bend = [rng.uniform(-6, 6), rng.uniform(-6, 6)]
    y, places = 0.0, []
    for k in range(n):
        places.append(y)
        wide = rng.random() < 0.2 and k + 1 < n
        if wide and rng.random() < 0.5:  # a platform between two tracks
            site['slabs'].append({'at': [rng.uniform(-20, 20), y + 5.2], 'size': [rng.uniform(80, 0.8 * length), rng.uniform(4, 5.5)],
                                  'height': rng.uniform(0.3, 1.1), 'color': rng.choice(['concrete', 'grey'])})
        y += rng.uniform(9.5, 12) if wide else pitch + rng.uniform(-0.15, 0.15)
    shift = -(places[-1]) / 2
    places = [p + shift for p in places]
    for item in site['slabs']:
        item['at'][1] += shift
    half = length / 2
    bed = rng.choice(['yardbed', 'yardbed', 'ballast', 'gravel', 'soil'])
    site['ground'].append({'material': bed, 'poly': box(-3 * half, places[0] - 4, 3 * half, places[-1] + 4), 'ragged': 1.5,
                           'tone': rng.uniform(0.75, 1.2)})
    for k, p in enumerate(places):
        # the ends of the zones differ, as an analyst's lines do
        a, b = -half + rng.uniform(0, 12), half - rng.uniform(0, 12)
        site['tracks'].append({'name': f'Track {k + 1}', 'points': [[-3 * half, p + 3 * bend[0]], [0, p], [3 * half, p + 3 * bend[1]]],
                               'zone': [round(a, 1), round(b, 1)]})
    if rng.random() < 0.7:
        for k in range(1, n, rng.choice([2, 3])):
            between = (places[k - 1] + places[k]) / 2
            site['masts'].append({'line': [[-half, between], [half, between + 0.2]], 'spacing': rng.uniform(38, 60), 'height': rng.uniform(7, 9)})
    low, high = places[0] - 6, places[-1] + 6
    if rng.random() < 0.85:
        bays, rows = rng.randint(7, 16), rng.randint(2, 4)
        x0 = rng.uniform(-half + 6, half - 6 - bays * SLOT)
        yard(rng, site, 'Transload yard', x0, high + 4, bays, rows, rng.choice([0, 0, rng.uniform(-2, 2)]))
        high += 8 + rows * ROW
    clutter(rng, site, -half, half, low - 24, low - 2, 'South side')
    clutter(rng, site, -half, half, high + 4, high + 20, 'North side')
    site['ground'].append({'material': 'asphalt', 'line': [[-3 * half, low - 27], [3 * half, low - 27 + rng.uniform(-3, 3)]], 'width': 6, 'marks': True})
    inner = (-half - 6, low - 30, half + 6, high + 22)
    return site, inner, surroundings(rng, site, inner, 130 if length > 275 else 10)


def port(rng, kind, seed, length):
    """A quay with berths, a spur or two, cranes, yards at angles of their own."""
    site = empty_site(rng, kind, seed, rng.choice(['apron', 'concrete', 'asphalt']))
    half, depth = length / 2, rng.uniform(55, 75)
    site['ground'] += [{'material': 'water', 'poly': box(-900, -900, 900, -20)},
                       {'material': 'concrete', 'poly': box(-900, -20, 900, -16)}]
    tracks = rng.randint(1, 2)
    for k in range(tracks):
        y = -11.5 + k * rng.uniform(4.8, 5.2)
        site['tracks'].append({'name': f'Quay track {k + 1}', 'points': [[-half - 80, y], [0, y + 0.2], [half + 80, y]],
                               'zone': [round(-half + rng.uniform(0, 15), 1), round(half - rng.uniform(0, 15), 1)], 'paved': rng.random() < 0.8})
    for k in range(rng.randint(0, 3)):  # portal cranes over the tracks
        x = rng.uniform(-half + 20, half - 20)
        site['slabs'] += [{'at': [x, -14.4], 'size': [9, 1.1], 'height': 11, 'color': 'steel'}, {'at': [x, -4.0], 'size': [9, 1.1], 'height': 11, 'color': 'steel'},
                          {'at': [x, -9.2], 'size': [1.4, 11], 'height': 12, 'color': 'steel'},
                          {'at': [x + rng.uniform(4, 12), -19], 'size': [rng.uniform(20, 34), 1.3], 'dir': rng.uniform(-70, -10), 'height': 19, 'color': 'rust'}]
    x = -half + 10
    for k in range(3):
        bays, rows = rng.randint(6, 12), rng.randint(3, 6)
        turn = rng.choice([0, 0, 90, rng.uniform(-25, 25)])
        c, s = abs(math.cos(math.radians(turn))), abs(math.sin(math.radians(turn)))
        wide = bays * SLOT * c + rows * ROW * s
        if x + wide > half - 10:
            break
        # the corner so that the turned block lies right of x and above the tracks
        lift = bays * SLOT * max(0, -math.sin(math.radians(turn)))
        yard(rng, site, f'Yard {"ABC"[k]}', x + rows * ROW * max(0, math.sin(math.radians(turn))), 5 + lift, bays, rows, turn)
        x += wide + rng.uniform(8, 16)
    clutter(rng, site, -half, half, depth - 20, depth - 2, 'Sheds')
    site['spots'] += [[rng.uniform(-half, half), rng.uniform(-3, 2), rng.choice([0, 180])] for _ in range(rng.randint(2, 6))]
    site['zones'].append({'role': 'stable', 'name': 'Quay apron', 'poly': box(-half + 5, -3.5, half - 5, 2)})
    site['zones'].append({'role': 'water', 'name': 'Basin', 'poly': box(-half, -72, half, -20.5)})
    berths = rng.randint(1, 2)
    for k in range(berths):
        a, b = -half + 4 + k * (length - 8) / berths, -half + 4 + (k + 1) * (length - 8) / berths - 4
        site['zones'].append({'role': 'berth', 'name': f'Berth {k + 1}', 'poly': box(a, -50, b, -20.2)})
    inner = (-half - 6, -76, half + 6, depth)
    return site, inner, surroundings(rng, site, inner, 45, depth)


def oil(rng, kind, seed, length):
    """An oil terminal on a bay: jetties with berths, tanks ashore, an anchorage."""
    site = empty_site(rng, kind, seed, 'grass')
    half, shore = length / 2, 100
    site['ground'] += [{'material': 'rock', 'poly': box(-1500, -1500, 1500, shore + 9), 'ragged': 5},
                       {'material': 'water', 'poly': box(-1500, -1500, 1500, shore), 'ragged': rng.uniform(1, 6)},
                       {'material': 'gravel', 'poly': box(-half + 20, shore + 25, half - 60, shore + 100), 'ragged': 3}]
    site['tanks'] = []
    for x in range(int(-half) + 40, int(half) - 80, 42):
        for y in (shore + 45, shore + 82):
            if rng.random() < 0.8:
                site['tanks'].append({'at': [x + rng.uniform(-3, 3), y], 'radius': rng.choice([10, 13, 16]), 'height': 14, 'roof': rng.choice(['white', 'white', 'grey', 'concrete'])})
    site['zones'] += [{'role': 'water', 'name': 'Bay', 'poly': box(-half, -200, half, shore - 12)},
                      {'role': 'stable', 'name': 'Tank farm', 'poly': box(-half + 20, shore + 22, half - 60, shore + 102)}]
    x = -half + rng.uniform(100, 140)
    for k in range(rng.randint(1, 2)):
        head, tip = rng.uniform(35, 75), rng.uniform(-25, 20)
        site['slabs'] += [{'at': [x, (shore + tip) / 2], 'size': [shore - tip, rng.uniform(4.5, 7)], 'dir': 90, 'height': 1.5, 'color': 'concrete', 'pipes': True},
                          {'at': [x, tip], 'size': [head, rng.uniform(9, 14)], 'height': 1.5, 'color': 'concrete', 'pipes': True}]
        for d in (-1, 1):
            site['slabs'].append({'at': [x + d * (head / 2 + 25), tip], 'size': [8, 8], 'height': 1.5, 'color': 'concrete'})
        reach = rng.uniform(118, 138)
        site['zones'].append({'role': 'berth', 'name': f'Berth {k + 1}', 'poly': box(max(x - reach, -half), tip - 62, min(x + reach, half), tip - 7.5)})
        if rng.random() < 0.5:
            site['zones'].append({'role': 'ignore', 'name': f'Jetty {k + 1}', 'poly': box(x - head / 2 - 2, tip - 7, x + head / 2 + 2, tip + 7)})
        site.setdefault('berths', []).append([x, tip - 8])
        x += rng.uniform(285, 310)
        if x > half - 130:
            break
    site['trees'].append({'poly': box(-1200, shore + 115, 1200, shore + 400), 'spacing': 6.5, 'radius': 3.4, 'share': 0.9})
    inner = (-half - 12, -212, half + 12, shore + 118)
    return site, inner, surroundings(rng, site, inner, 40, shore + 118)
