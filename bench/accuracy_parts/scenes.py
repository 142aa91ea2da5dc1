# SPDX-License-Identifier: GPL-3.0-or-later
"""What comes and goes at a site, and how each scene of it was taken: recipes for tally_draw (fixtures/README.md tells the keys).
A scene's `conditions` are the bench's own: snow, cloud, low_sun, oblique; none of them is `plain`."""
import datetime as dt
import math

from . import oddities, sites
from .sun import sun, time_of_day

PITCH = {'G': 13.92, 'B': 14.73, 'T': 12.02, 'H': 14.72, 'F': 14.62, 'C': 19.62, 'L': 16.97, 'P': 24.54}  # metres over couplers, fixtures/draw/rail.c

KINDS = {
    'rail_0.5m': {'site': sites.rail, 'length': (190, 260), 'gsd': 0.5, 'oversample': 3, 'vendor': 'plain'},
    'rail_3m': {'site': sites.rail, 'length': (280, 380), 'gsd': 3, 'oversample': 4, 'vendor': 'planet'},
    'port_0.5m': {'site': sites.port, 'length': (200, 250), 'gsd': 0.5, 'oversample': 3, 'vendor': 'stac'},
    'oil_3m': {'site': sites.oil, 'length': (500, 640), 'gsd': 3, 'oversample': 4, 'vendor': 'planet'},
}
SENSORS = {0.5: {'dn_per_reflectance': 800, 'noise_floor': 0.0005, 'noise_gain': 0.0022, 'psf_px': (0.45, 0.62)},
           3: {'dn_per_reflectance': 3000, 'noise_floor': 0.0004, 'noise_gain': 0.002, 'psf_px': (0.38, 0.55)}}


def window(site, bounds, gsd):
    """Middle and size in pixels of the north-up rectangle that holds the turned site."""
    x0, y0, x1, y1 = bounds
    a = math.radians(site['x_bearing'])
    c, s = abs(math.sin(a)), abs(math.cos(a))
    wide, high = (x1 - x0) * c + (y1 - y0) * s, (x1 - x0) * s + (y1 - y0) * c
    return [(x0 + x1) / 2, (y0 + y1) / 2], [int(math.ceil(wide / gsd)), int(math.ceil(high / gsd))]


def train(rng, style, room):
    """A cut of at most `room` metres, and how long it is."""
    mixes = {'coal': 'GGGGGG', 'oil': 'TTTTT', 'mixed': 'GGBTHF', 'box': 'CCFCB', 'grain': 'HHHHB', 'people': 'PPP'}
    letters = mixes[style]
    words, run, cars = [], 0.0, 0
    if rng.random() < 0.45 and room > 40:
        words.append(f'L{rng.choice([1, 1, 2]) if room > 60 else 1}')
        run = PITCH['L'] * int(words[0][1:])
        cars = int(words[0][1:])
    while True:
        letter = rng.choice(letters)
        n = rng.randint(1, 4) if style == 'mixed' else rng.randint(4, 12)
        n = min(n, int((room - run) / PITCH[letter]))
        if n < 1:
            break
        words.append(f'{letter}{n}')
        run += n * PITCH[letter]
        cars += n
        if rng.random() < 0.35:
            break
    return ' '.join(words), run, cars


def occupy(rng, track, share, look):
    """Cuts on one track that fill about `share` of it: one or two, somewhere along it."""
    a, b = track['zone']
    want = share * (b - a) * rng.uniform(0.6, 1.4)
    cuts, cars = [], 0
    x = a + rng.uniform(-6, max(1, 0.7 * (b - a - want)))
    for part in range(rng.choice([1, 1, 2])):
        room = min(want, b + 6 - x)
        if room < 14:
            break
        style = rng.choice(['coal', 'coal', 'oil', 'mixed', 'mixed', 'box', 'grain', 'people'])
        words, run, n = train(rng, style, room)
        if not words:
            break
        cuts.append({'track': track['name'], 'at': round(x, 2), 'cars': words, 'look': look[0]})
        look[0] += 1
        cars += n
        want -= run
        x += run + rng.uniform(4, 40)
    return cuts, cars


def rail_traffic(rng, site, n_scenes, level):
    """Cuts, scene by scene: some stay where they are, most change. One scene in some sets has far more."""
    stay, look = rng.choice([0, 0.1, 0.25, 0.4]), [1]
    burst = rng.randrange(3, n_scenes) if rng.random() < 0.6 else None
    base = rng.uniform(*level) * (0.6 if burst is not None else 1)
    busy = {t['name']: rng.uniform(0.3, 1.7) for t in site['tracks']}
    now, scenes, counts = {}, [], []
    for i in range(n_scenes):
        for t in site['tracks']:
            if i and t['name'] in now and rng.random() < stay and burst not in (i, i - 1):
                continue
            share = min(0.95, base * busy[t['name']]) if i != burst else rng.uniform(0.65, 0.95)
            empty = rng.random() < (0.05 if i == burst else 0.35)
            now[t['name']] = ([], 0) if empty else occupy(rng, t, share / 0.65, look)
        scenes.append([c for cuts, _ in now.values() for c in cuts])
        counts.append(sum(n for _, n in now.values()))
    if burst is not None:
        others = sum(counts) - counts[burst]
        usual = others / (n_scenes - 1)
        rest = counts[:burst] + counts[burst + 1:]
        if counts[burst] < 1.5 * max(rest) or counts[burst] < usual + 8:
            burst = None
    return scenes, burst


def yard_traffic(rng, site, n_scenes):
    stacks = [[] for _ in range(n_scenes)]
    for k, block in enumerate(site['blocks']):
        most = int(0.72 * block['bays'] * block['rows'])
        usual, spread = rng.uniform(0.25, 0.7), rng.uniform(0.05, 0.25)
        stay, style = rng.choice([0, 0.3, 0.6]), (rng.randint(1, 3), rng.uniform(0.1, 0.8))
        was = None
        for i in range(n_scenes):
            if was is None or rng.random() >= stay:
                slots = int(min(most, max(0, rng.gauss(usual, spread) * most)))
                at = rng.randint(0, int((0.72 * block['bays'] * block['rows'] - slots) / block['rows'])) if slots < most else 0
                was = {'block': block['name'], 'slots': slots, 'from': at, 'tiers': style[0], 'forty': round(style[1], 2),
                       'gaps': round(rng.uniform(0.02, 0.12), 3), 'look': 100 * k + i + 1}
            if was['slots'] > 0:
                stacks[i].append(dict(was))
    return stacks


def stays(rng, first, last, busy):
    """Arrivals and departures at one place, day by day, one vessel at a time."""
    t = first - dt.timedelta(days=rng.uniform(0, 8))
    out = []
    while t < last:
        if rng.random() < busy:
            stay = rng.choice([rng.uniform(1, 4), rng.uniform(3, 9), rng.uniform(6, 18)])
            out.append((t, t + dt.timedelta(days=stay)))
            t += dt.timedelta(days=stay)
        t += dt.timedelta(days=rng.uniform(0.5, 12))
    return out


def stamp(t):
    return t.strftime('%Y-%m-%dT%H:%M:%SZ')


def port_visits(rng, site, times):
    visits, busy = [], rng.uniform(0.4, 0.9)
    for z in [z for z in site['zones'] if z['role'] == 'berth']:
        a, b = z['poly'][0][0], z['poly'][1][0]
        for arrived, departed in stays(rng, times[0], times[-1], busy):
            length = rng.uniform(45, min(140, b - a - 8))
            width = length / rng.uniform(5.4, 7)
            x = rng.uniform(a + length / 2, b - length / 2)
            y = -20.3 - rng.uniform(0.4, 1.2) - width / 2
            kind = rng.choice(['cargo', 'cargo', 'container', 'tanker'])
            visits.append({'type': kind, 'length': length, 'width': width, 'arrived': arrived, 'departed': departed, 'at': [x, y], 'dir': rng.choice([0, 180])})
            if rng.random() < 0.2 and width < 16:  # another one moored outside it
                small = rng.uniform(0.5, 0.9) * length
                beam = small / rng.uniform(5.4, 6.5)
                outer = y - width / 2 - rng.uniform(0.5, 1.2) - beam / 2
                if outer > -49:
                    visits.append({'type': 'cargo', 'length': small, 'width': beam, 'arrived': arrived + dt.timedelta(hours=9),
                                   'departed': departed - dt.timedelta(hours=5), 'at': [x + rng.uniform(-8, 8), outer], 'dir': rng.choice([0, 180])})
    return visits


def oil_visits(rng, site, times):
    visits = []
    for x, face in site['berths']:
        for arrived, departed in stays(rng, times[0], times[-1], 0.75):
            length = rng.choice([rng.uniform(85, 140), rng.uniform(180, 250)])
            width = length / rng.uniform(5.6, 6.4)
            visits.append({'type': 'tanker', 'length': length, 'width': width, 'arrived': arrived, 'departed': departed,
                           'at': [x + rng.uniform(-6, 6), face - rng.uniform(0.5, 2) - width / 2], 'dir': rng.choice([0, 180])})
    bay = site['zones'][0]['poly']
    places = [(x, -150) for x in range(int(bay[0][0]) + 140, int(bay[1][0]) - 120, 230)]
    for x, y in places:
        for arrived, departed in stays(rng, times[0], times[-1], 0.45):
            length = rng.uniform(40, 150)
            visits.append({'type': rng.choice(['tanker', 'cargo']), 'length': length, 'width': length / rng.uniform(5.5, 6.6), 'arrived': arrived,
                           'departed': departed, 'at': [x + rng.uniform(-20, 20), y + rng.uniform(-12, 15)], 'dir': rng.uniform(-20, 20), 'swing': rng.uniform(0, 20)})
    return visits


def boats(rng, site, times, low, high):
    half = max(p[0] for p in site['zones'][-1]['poly'])
    out = []
    for _ in range(rng.randint(0, 3)):
        arrived = times[0] + dt.timedelta(days=rng.uniform(-5, 60))
        out.append({'type': 'boat', 'length': rng.uniform(9, 18), 'width': rng.uniform(3, 5.4), 'arrived': arrived,
                    'departed': arrived + dt.timedelta(days=rng.uniform(5, 60)), 'at': [rng.uniform(-half, half) * 0.8, rng.uniform(low, high)], 'dir': rng.uniform(0, 180)})
    return out


def clouds(rng, bounds, share):
    """Ellipses over the site whose areas add up to `share` of it."""
    x0, y0, x1, y1 = bounds
    out, left = [], share * (x1 - x0) * (y1 - y0)
    while left > 0 and len(out) < 6:
        rx, ry = rng.uniform(0.12, 0.32) * (x1 - x0), rng.uniform(0.15, 0.4) * (y1 - y0)
        out.append({'at': [round(rng.uniform(x0, x1), 1), round(rng.uniform(y0, y1), 1)], 'radius': [round(rx, 1), round(ry, 1)],
                    'opacity': round(rng.choice([1, 1, rng.uniform(0.4, 0.9)]), 2), 'base': round(rng.uniform(80, 220))})
        left -= math.pi * rx * ry
    return out


def conditions(rng, hard, n):
    """Scene by scene. The first two of an easy set are plain, so that it has somewhere to start from."""
    out = []
    snow_set = rng.random() < (0.5 if hard else 0.3)
    for i in range(n):
        c = []
        if hard:
            c = [w for w, p in (('cloud', 0.3), ('low_sun', 0.3), ('oblique', 0.3)) if rng.random() < p]
            if snow_set and rng.random() < 0.4:
                c.append('snow')
        elif i > 1:
            if snow_set and rng.random() < 0.3:
                c.append('snow')
            if rng.random() < 0.08:
                c.append('cloud')
        out.append(c)
    return out


def take(rng, site, day, wanted, bounds):
    """One scene's time and air."""
    longitude, latitude = site['origin']
    span = (12, 20) if 'low_sun' in wanted else (28, 75)
    when = time_of_day(rng, day, longitude, latitude, *span)
    if sun(when, longitude, latitude)[1] < 22 and 'low_sun' not in wanted:
        wanted = wanted + ['low_sun']
    summer = 0.5 - 0.5 * math.cos(2 * math.pi * (day.timetuple().tm_yday - 20) / 365)
    scene = {'green': round(min(1, max(0.03, summer + rng.uniform(-0.15, 0.15))), 2), 'conditions': wanted}
    if 'snow' in wanted:
        scene.update({'snow': round(rng.uniform(0.3, 0.95), 2), 'green': 0.05})
    if 'cloud' in wanted:
        scene['clouds'] = clouds(rng, bounds, 0.3)
    if 'oblique' in wanted:
        scene['off_nadir'] = round(rng.uniform(25, 29), 1)
    if rng.random() < 0.2:
        scene['wet'] = round(rng.uniform(0.4, 0.9), 2)
    if rng.random() < 0.07:  # the swath ends within the site
        x = rng.uniform(0.2, 0.45) * (bounds[1 + 1] - bounds[0])
        side = rng.choice([-1, 1])
        edge = (bounds[2] - x) if side > 0 else (bounds[0] + x)
        scene['nodata'] = [[edge - 30, -900], [edge + side * 2000, -900], [edge + side * 2000, 900], [edge + 30, 900]]
    return when, scene


def recipe(rng, kind, seed, form, n_scenes):
    """Layout and recipe of one set; its form is easy, hard or odd."""
    hard = form == 'hard'
    k = KINDS[kind]
    site, bounds, whole = k['site'](rng, kind, seed, rng.uniform(*k['length']))
    middle, size = window(site, whole, k['gsd'])
    wanted = conditions(rng, hard, n_scenes)
    winter = any('snow' in c for c in wanted) or any('low_sun' in c for c in wanted)
    if winter:  # the sun has to rise above 12 degrees in winter, and above 25 where it is not to be low
        site['origin'][1] = rng.uniform(34, 46 if hard else 39)
    day = dt.date(2025, rng.choice([1, 2, 11, 12] if winter else range(3, 8)), rng.randint(1, 28))
    scenes, times = [], []
    for i in range(n_scenes):
        when, scene = take(rng, site, day, wanted[i], bounds)
        scene['datetime'] = stamp(when)
        name = when.strftime('%Y%m%d_%H%M%S')
        scene['id'] = f'{name}_{rng.randrange(100):02d}_24{rng.randrange(256):02x}' if k['vendor'] == 'planet' else f'{site["site"]}_{when.strftime("%Y%m%dT%H%M%SZ")}'
        scenes.append(scene)
        times.append(when)
        day += dt.timedelta(days=rng.randint(4, 11))
    sensor = dict(SENSORS[k['gsd']])
    sensor['psf_px'] = round(rng.uniform(*sensor['psf_px']), 3)
    out = {'set': f'{kind}_{seed}', 'layout': 'layout.json', 'vendor': k['vendor'], 'seed': 7 + rng.randrange(1 << 20), 'gsd': k['gsd'],
           'oversample': k['oversample'], 'middle': middle, 'size_px': size, **sensor, 'scenes': scenes, 'hard': form == 'hard'}
    if kind == 'oil_3m':
        out['udm2'] = rng.random() < 0.5
    level = (0.05, 0.2) if kind == 'port_0.5m' else (0.12, 0.55)
    if site['tracks']:
        cuts, burst = rail_traffic(rng, site, n_scenes, level)
        for i, c in enumerate(cuts):
            scenes[i]['cuts'] = c
        if burst is not None and 'cloud' not in wanted[burst] and 'nodata' not in scenes[burst]:
            scenes[burst]['spike'] = ['railcar']
    if site['blocks']:
        for i, c in enumerate(yard_traffic(rng, site, n_scenes)):
            scenes[i]['stacks'] = c
    visits = []
    if kind == 'port_0.5m':
        visits = port_visits(rng, site, times) + boats(rng, site, times, -68, -52)
    if kind == 'oil_3m':
        visits = oil_visits(rng, site, times) + boats(rng, site, times, -190, -90)
    for i, v in enumerate(visits):
        v.update({'id': f'v{i + 1:02d}', 'look': i + 1, 'arrived': stamp(v['arrived']), 'departed': stamp(v['departed']),
                  'length': round(v['length'], 1), 'width': round(v['width'], 1), 'at': [round(a, 1) for a in v['at']], 'dir': round(v['dir'], 1)})
    if visits:
        out['visits'] = visits
    if form == 'odd':
        oddities.lay(rng, kind, site, out)
    return site, out
