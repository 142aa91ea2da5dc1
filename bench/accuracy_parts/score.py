# SPDX-License-Identifier: GPL-3.0-or-later
"""One run's tables against the truth of its set, as records that can be pooled over sets.

A count's error is 0 between what the scene shows and what is there (they differ under cloud and past a scene's edge), else the
distance to the nearer. A scene at least half of which is seen and that has no count counts as all of it missed. An interval has to
hold what is there: that is what it claims, cloud or not. A vessel is found by a detection with IoU of at least 0.3, or whose middle
lies in the hull, in true position or where the scene shows it; hulls that the scene hides are neither missed nor false. A visit is
matched one to one by zone and overlap in time. A spike is found by a spike, record or level shift in the same scene; false are spikes
and level shifts of railcars and containers where the truth has none."""
import csv
import datetime as dt
import json
import math
import os

CLASSES = ('railcar', 'container_stack', 'vessel')
PENALTY = 2 / 0.05  # of the interval score (Winkler 1972, doi:10.1080/01621459.1972.10481224), for 95 %


def table(path):
    with open(path, newline='', encoding='utf-8') as f:
        return list(csv.DictReader(f))


def features(path, class_name):
    with open(path, encoding='utf-8') as f:
        return [f for f in json.load(f)['features'] if f['properties'].get('class') == class_name and f['geometry']]


def when(text):
    return dt.datetime.strptime(text[:19], '%Y-%m-%dT%H:%M:%S') if text else None


def error(count, visible, true):
    low, high = min(visible, true), max(visible, true)
    return count - high if count > high else count - low if count < low else 0.0


def interval_score(low, high, true):
    """Width, and 40 for each thing that the truth lies outside: small is good, and no one gains by lying."""
    return high - low + PENALTY * max(low - true, 0, true - high)


def counts(folder, out, conditions):
    """One record per class and scene, with the records of its zones."""
    got = {(r['scene'], r['class'], r['zone']): r for r in table(os.path.join(out, 'series.csv'))}
    records = {}
    for t in table(os.path.join(folder, 'truth.csv')):
        if float(t['seen']) < 0.5:
            continue
        r = got.get((t['scene'], t['class'], t['zone']), {})
        true, visible = float(t['count']), float(t['count_visible'])
        count = float(r['count']) if r.get('count') and r.get('quality') != 'rejected' else None
        bounds = (float(r['low']), float(r['high'])) if count is not None and r.get('low') and r.get('high') else None
        one = {'zone': t['zone'], 'true': true, 'answered': count is not None, 'count': count, 'low': bounds and bounds[0], 'high': bounds and bounds[1],
               'error': error(count, visible, true) if count is not None else -visible,
               'inside': bounds is not None and bounds[0] <= true <= bounds[1], 'width': bounds and bounds[1] - bounds[0],
               'interval_score': bounds and interval_score(*bounds, true)}
        key = (t['scene'], t['class'])
        record = records.setdefault(key, {'scene': t['scene'], 'class': t['class'], 'conditions': conditions.get(t['scene'], []), 'zones': []})
        if t['zone'] == '*':
            record.update(one)
        else:
            record['zones'].append(one)
    return [r for r in records.values() if 'zone' in r]


def area(ring):
    return sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(ring, ring[1:] + ring[:1])) / 2


def middle(ring):
    a = area(ring)
    if abs(a) < 1e-9:
        return sum(p[0] for p in ring) / len(ring), sum(p[1] for p in ring) / len(ring)
    x = sum((p[0] + q[0]) * (p[0] * q[1] - q[0] * p[1]) for p, q in zip(ring, ring[1:] + ring[:1])) / (6 * a)
    y = sum((p[1] + q[1]) * (p[0] * q[1] - q[0] * p[1]) for p, q in zip(ring, ring[1:] + ring[:1])) / (6 * a)
    return x, y


def hull(points):
    """Convex hull, turning left (Andrew's chain)."""
    points = sorted(set(map(tuple, points)))
    halves = []
    for order in (points, points[::-1]):
        h = []
        for p in order:
            while len(h) > 1 and (h[-1][0] - h[-2][0]) * (p[1] - h[-2][1]) <= (h[-1][1] - h[-2][1]) * (p[0] - h[-2][0]):
                h.pop()
            h.append(p)
        halves += h[:-1]
    return halves


def common_area(a, b):
    """Of two convex rings that turn left: b clipped by each side of a (Sutherland, Hodgman 1974)."""
    ring = b
    for (px, py), (qx, qy) in zip(a, a[1:] + a[:1]):
        side = [(qx - px) * (y - py) - (qy - py) * (x - px) for x, y in ring]
        out = []
        for i, p in enumerate(ring):
            j = (i + 1) % len(ring)
            if side[i] >= 0:
                out.append(p)
            if (side[i] >= 0) != (side[j] >= 0):
                t = side[i] / (side[i] - side[j])
                out.append((p[0] + t * (ring[j][0] - p[0]), p[1] + t * (ring[j][1] - p[1])))
        ring = out
        if len(ring) < 3:
            return 0.0
    return abs(area(ring))


def overlap(a, b):
    """Intersection over union of the convex hulls: hulls of ships, and what is drawn for them, are convex but for a few decimetres."""
    a, b = hull(a), hull(b)
    if len(a) < 3 or len(b) < 3:
        return 0.0
    common = common_area(a, b)
    return common / (abs(area(a)) + abs(area(b)) - common)


def holds(ring, x, y):
    inside = False
    for (ax, ay), (bx, by) in zip(ring, ring[1:] + ring[:1]):
        if (ay > y) != (by > y) and x < ax + (bx - ax) * (y - ay) / (by - ay):
            inside = not inside
    return inside


def metres(feature, origin):
    kx, ky = 111319.49 * math.cos(math.radians(origin[1])), 111132.0
    g = feature['geometry']
    ring = g['coordinates'][0] if g['type'] == 'Polygon' else max((p[0] for p in g['coordinates']), key=len)
    return [((p[0] - origin[0]) * kx, (p[1] - origin[1]) * ky) for p in ring[:-1]]


def match(pairs):
    """One to one, the best pairs first."""
    left, right, kept = set(), set(), []
    for value, i, j in sorted(pairs, reverse=True):
        if i not in left and j not in right:
            left.add(i), right.add(j), kept.append((i, j))
    return kept


def vessels(folder, out, conditions):
    """One record per scene: found, missed, false, and the errors in length and heading of those found."""
    truth, got = features(os.path.join(folder, 'truth.geojson'), 'vessel'), features(os.path.join(out, 'detections.geojson'), 'vessel')
    records = []
    for s in table(os.path.join(folder, 'shifts.csv')):
        t = [f for f in truth if f['properties']['scene'] == s['scene']]
        d = [f for f in got if f['properties']['scene'] == s['scene']]
        shift = (float(s['dx_m_east']), float(s['dy_m_north']))
        origin = (t or d)[0]['geometry']['coordinates'][0][0] if t or d else (0, 0)
        while t + d and isinstance(origin[0], list):
            origin = origin[0]
        rings = [metres(f, origin) for f in d]
        pairs = []
        for i, f in enumerate(t):
            ring = metres(f, origin)
            moved = [(x + shift[0], y + shift[1]) for x, y in ring]
            for j, other in enumerate(rings):
                share = max(overlap(ring, other), overlap(moved, other))
                if share >= 0.3 or holds(ring, *middle(other)) or holds(moved, *middle(other)):
                    pairs.append((share + (share >= 0.3), i, j))
        r = {'scene': s['scene'], 'conditions': conditions.get(s['scene'], []), 'found': 0, 'missed': 0, 'false': 0, 'length': [], 'heading': []}
        kept = match(pairs)
        for i, j in kept:
            a, b = t[i]['properties'], d[j]['properties']
            if not a['visible']:
                continue
            r['found'] += 1
            r['length'].append(abs(float(b['length_m']) - a['length_m']))
            turn = abs(float(b['heading_deg']) - a['heading_deg']) % 180
            r['heading'].append(min(turn, 180 - turn))
        hit, used = {i for i, _ in kept}, {j for _, j in kept}
        r['missed'] = sum(f['properties']['visible'] and i not in hit for i, f in enumerate(t))
        hidden = {j for _, i, j in pairs if not t[i]['properties']['visible']}
        r['false'] = sum(j not in used and j not in hidden for j in range(len(d)))
        records.append(r)
    return records


def visits(folder, out):
    truth, got = table(os.path.join(folder, 'visits.csv')), table(os.path.join(out, 'visits.csv'))
    pairs = []
    for i, t in enumerate(truth):
        for j, g in enumerate(got):
            if g['zone'] != t['zone']:
                continue
            both = (min(when(t['departed']), when(g['last_seen'])) - max(when(t['arrived']), when(g['first_seen']))).total_seconds()
            if both >= 0:
                wrong = abs(float(g['length_m'] or 0) - float(t['length_m']))
                pairs.append((both - 3600 * min(wrong, 100), i, j))
    return {'true': len(truth), 'reported': len(got), 'found': len(match(pairs))}


def spikes(folder, out):
    true = {(r['class'], r['scene']) for r in table(os.path.join(folder, 'spikes.csv'))}
    rows = [r for r in table(os.path.join(out, 'spikes.csv')) if r['zone'] == '*']
    found = {(r['class'], r['scene']) for r in rows if r['kind'] in ('spike', 'record', 'level_shift')} & true
    false = [r for r in rows if r['kind'] in ('spike', 'level_shift') and r['class'] != 'vessel' and (r['class'], r['scene']) not in true]
    return {'true': len([t for t in true if t[0] != 'vessel']), 'found': len([t for t in found if t[0] != 'vessel']), 'false': len(false)}


def score(folder, out, recipe):
    """All records of one set."""
    conditions = {s['id']: s['conditions'] for s in recipe['scenes']}
    r = {'counts': counts(folder, out, conditions), 'spikes': spikes(folder, out)}
    if any(c['class'] == 'vessel' for c in r['counts']):
        r['vessels'] = vessels(folder, out, conditions)
        r['visits'] = visits(folder, out)
    return r
