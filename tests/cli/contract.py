#!/usr/bin/python3
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `run` wrote against CONTRACT.md 5: columns and their order, the format of each value, and what must hold between rows.

    contract.py DIR SITE.geojson      prints each breach on a line; exit status 1 when there is one
"""
import csv
import html.parser
import json
import os
import re
import sqlite3
import sys

folder, site_path = sys.argv[1:3]
breaches = []


def check(good, what):
    if not good:
        breaches.append(what)


TIME = r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ'
CLASS = 'railcar|container_stack|vessel'
NUMBER, SHARE, POSITIVE = r'-?\d+(\.\d+)?', r'0(\.\d+)?|1', r'\d+(\.\d+)?'
TEXT, WHOLE = r'(?s).+', r'\d+'
COLUMNS = {  # name, what a value looks like, whether it may be empty
    'scenes.csv': [('site', TEXT, 0), ('scene', TEXT, 0), ('datetime', TIME, 1), ('files', TEXT, 0), ('epsg', WHOLE, 1), ('gsd_m', POSITIVE, 1),
                   ('sun_azimuth', POSITIVE, 1), ('sun_elevation', NUMBER, 1), ('off_nadir', POSITIVE, 1), ('cloud', POSITIVE, 1), ('reference', '0|1', 0),
                   ('dx_px', NUMBER, 1), ('dy_px', NUMBER, 1), ('rmse_px', POSITIVE, 1), ('windows', WHOLE, 1), ('quality', 'ok|rejected', 0), ('reason', TEXT, 1),
                   ('family', TEXT, 1), ('sensor', TEXT, 1), ('time_source', TEXT, 1), ('time_precision', 'second|day', 1), ('basis', 'background|pair|single', 1),
                   ('model', 'translation|similarity|affine', 1), ('vanishing', SHARE, 1)],
    'series.csv': [('site', TEXT, 0), ('zone', TEXT, 0), ('class', CLASS, 0), ('datetime', TIME, 0), ('scene', TEXT, 0), ('count', WHOLE, 1), ('low', POSITIVE, 1),
                   ('high', POSITIVE, 1), ('extent', POSITIVE, 1), ('unit', 'm|m2', 0), ('occupancy', SHARE, 1), ('seen', SHARE, 0),
                   ('quality', 'ok|partial|unseen|refused|rejected', 0), ('estimate', POSITIVE, 1), ('reason', TEXT, 1), ('family', TEXT, 1), ('gsd_m', POSITIVE, 1),
                   ('containers', POSITIVE, 1), ('containers_low', POSITIVE, 1), ('containers_high', POSITIVE, 1), ('containers_basis', '|range|shadow', 1)],
    'spikes.csv': [('site', TEXT, 0), ('zone', TEXT, 0), ('class', CLASS, 0), ('datetime', TIME, 0), ('scene', TEXT, 0), ('count', POSITIVE, 0), ('expected', POSITIVE, 1),
                   ('low', POSITIVE, 1), ('high', POSITIVE, 1), ('score', NUMBER, 1), ('kind', 'spike|drop|record|level_shift', 0), ('record_since', TIME, 1),
                   ('count_low', POSITIVE, 1), ('count_high', POSITIVE, 1), ('n_seen', WHOLE, 0), ('series_since', TIME, 0), ('previous_record', POSITIVE, 1), ('counts', 'machine|reviewed', 0)],
    'visits.csv': [('site', TEXT, 0), ('zone', TEXT, 0), ('visit', TEXT, 0), ('length_m', POSITIVE, 0), ('first_seen', TIME, 0), ('last_seen', TIME, 0),
                   ('arrived_after', TIME, 1), ('arrived_before', TIME, 1), ('departed_after', TIME, 1), ('departed_before', TIME, 1), ('scenes', TEXT, 0), ('call', TEXT, 0)],
}
LAYERS = {'scenes': 'scenes.csv', 'observations': 'series.csv', 'spikes': 'spikes.csv', 'visits': 'visits.csv'}
ROLE_OF = {'track': 'railcar', 'yard': 'container_stack', 'water': 'vessel', 'berth': 'vessel'}


def table(name):
    with open(os.path.join(folder, name), newline='', encoding='utf-8') as f:
        text = f.read()
    check('\r' not in text and '\0' not in text and text.endswith('\n'), f'{name}: line ends')
    rows = list(csv.reader(text.splitlines(keepends=True), strict=True))
    head = [c[0] for c in COLUMNS[name]]
    check(rows[0][:len(head)] == head, f'{name}: columns {rows[0]}')
    for n, row in enumerate(rows[1:], 2):
        check(len(row) == len(rows[0]), f'{name} row {n}: {len(row)} fields')
        for (column, pattern, empty), value in zip(COLUMNS[name], row):
            check(re.fullmatch(pattern, value) or (empty and value == ''), f'{name} row {n}: {column} is {value!r}')
    return [dict(zip(rows[0], r)) for r in rows[1:]]


def num(v):
    return None if v == '' else float(v)


scenes, series, spikes, visits = (table(n) for n in COLUMNS)
with open(site_path, encoding='utf-8') as f:
    drawn = json.load(f)
zones = {f['properties']['name']: ROLE_OF[f['properties']['role']] for f in drawn['features'] if f['properties']['role'] in ROLE_OF}
classes = sorted(set(zones.values()))
site = drawn.get('tallyman', {}).get('site', os.path.splitext(os.path.basename(site_path))[0])
dated = [s for s in scenes if s['datetime'] and not s['reason'].startswith('duplicate of')]

# --- scenes
check([s['datetime'] for s in scenes] == sorted(s['datetime'] for s in scenes), 'scenes.csv: not by time')
check(len({s['scene'] for s in scenes}) == len(scenes), 'scenes.csv: a scene twice')
for family in {s['family'] for s in scenes if s['quality'] == 'ok'}:
    check(sum(s['reference'] == '1' for s in scenes if s['family'] == family) <= 1, f'scenes.csv: references of {family}')
for s in scenes:
    check(s['site'] == site, f"scenes.csv: site {s['site']!r}")
    check((s['quality'] == 'rejected') <= (s['reason'] != ''), f"scenes.csv: {s['scene']} is left out without a reason")
    check(s['quality'] != 'ok' or (s['dx_px'] != '' and s['basis'] != ''), f"scenes.csv: {s['scene']} without shift or basis")
    check((s['rmse_px'] != '') <= (s['model'] != ''), f"scenes.csv: {s['scene']} is placed by no model")
    check((s['vanishing'] != '') <= (s['model'] != '' and s['reference'] == '0'), f"scenes.csv: {s['scene']}: change that vanishes, of nothing")

# --- series
want = {(s['scene'], c, z) for s in dated for c in classes for z in ['*'] + [z for z in zones if zones[z] == c]}
have = [(r['scene'], r['class'], r['zone']) for r in series]
check(len(have) == len(set(have)), 'series.csv: a row twice')
check(set(have) == want, f'series.csv: rows missing {sorted(want - set(have))[:3]} or too many {sorted(set(have) - want)[:3]}')
by = {k: r for k, r in zip(have, series)}
for r in series:
    at = f"series.csv: {r['scene']} {r['class']} {r['zone']!r}"
    seen, count, low, high, estimate = (num(r[k]) for k in ('seen', 'count', 'low', 'high', 'estimate'))
    check(r['site'] == site, f'{at}: site')
    check(r['unit'] == ('m2' if r['class'] == 'container_stack' else 'm'), f'{at}: unit')
    wanted = 'ok' if seen >= .95 else 'partial' if seen >= .05 else 'unseen'
    check(r['quality'] in (wanted, 'refused', 'rejected'), f"{at}: quality {r['quality']} with {seen} seen")
    if r['quality'] in ('unseen', 'rejected', 'refused'):
        check(count is None and estimate is None and low is None and high is None, f"{at}: {r['quality']}, yet counted")
    if r['quality'] in ('unseen', 'rejected'):
        check(r['extent'] == r['occupancy'] == '', f"{at}: {r['quality']}, yet occupied")
    if r['quality'] in ('ok', 'partial'):
        check(None not in (count, low, high, estimate), f'{at}: seen, yet not counted')
        if None not in (count, low, high, estimate):
            check(low <= estimate + .011 and estimate <= high + .011, f'{at}: {estimate} not in {low} to {high}')
            check(estimate >= count - .5 and (seen < .95 or count <= high), f'{at}: {count} shown, {estimate} estimated')
            check(seen < 1 or r['zone'] == '*' or abs(estimate - count) <= .5, f'{at}: all seen, {count} shown, {estimate} estimated')
for scene, c in {(s, c) for s, c, _ in want}:
    parts = [by[k] for k in by if k[:2] == (scene, c) and k[2] != '*']
    total = by.get((scene, c, '*'))
    if not total or total['quality'] == 'rejected':
        continue
    check(abs(num(total['seen']) - sum(num(p['seen']) for p in parts) / len(parts)) < 2e-4, f'series.csv: {scene} {c}: seen is no mean')
    if total['count'] != '':
        check(int(total['count']) == sum(int(p['count']) for p in parts if p['count'] != ''), f'series.csv: {scene} {c}: the total is no sum')
    else:
        check(total['quality'] != 'ok', f'series.csv: {scene} {c}: ok without a count')

# --- detections
with open(os.path.join(folder, 'detections.geojson'), encoding='utf-8') as f:
    found = json.load(f)
check(found['type'] == 'FeatureCollection' and 'crs' not in found, 'detections.geojson: not RFC 7946')
PROPERTIES = ['site', 'zone', 'class', 'datetime', 'scene', 'count', 'length_m', 'width_m', 'heading_deg', 'area_m2', 'score', 'type', 'id']
points = []


def gather(a):
    points.append(a) if isinstance(a[0], (int, float)) else [gather(b) for b in a]


for f in drawn['features']:
    gather(f['geometry']['coordinates'])
west, east = min(p[0] for p in points) - .02, max(p[0] for p in points) + .02
south, north = min(p[1] for p in points) - .02, max(p[1] for p in points) + .02
for n, f in enumerate(found['features']):
    p, g = f['properties'], f['geometry']
    at = f'detections.geojson: feature {n}'
    check(f['type'] == 'Feature' and list(p)[:len(PROPERTIES)] == PROPERTIES, f'{at}: properties {list(p)}')
    check(zones.get(p['zone']) == p['class'] and p['site'] == site, f"{at}: {p['class']} in {p['zone']!r}")
    row = by.get((p['scene'], p['class'], p['zone']))
    check(row and row['datetime'] == p['datetime'] and row['count'] != '', f'{at}: where nothing was counted')
    check(isinstance(p['count'], int) and p['count'] >= (0 if p['class'] != 'vessel' else 1), f"{at}: count {p['count']}")
    check(p['class'] != 'vessel' or p['count'] == 1, f"{at}: a vessel of {p['count']}")
    check(0 <= p['score'] <= 1 and 0 <= p['heading_deg'] < 180.001, f"{at}: score {p['score']}, heading {p['heading_deg']}")
    check(p['length_m'] > 0 and p['width_m'] > 0 and p['area_m2'] > 0 and p['length_m'] >= p['width_m'] * .99, f'{at}: size')
    check(g['type'] == 'Polygon' and len(g['coordinates']) == 1, f"{at}: {g['type']}")
    ring = g['coordinates'][0]
    check(len(ring) >= 4 and ring[0] == ring[-1], f'{at}: ring not closed')
    o = ring[0]
    check(sum((a[0] - o[0]) * (b[1] - o[1]) - (b[0] - o[0]) * (a[1] - o[1]) for a, b in zip(ring, ring[1:])) > 0, f'{at}: ring not counterclockwise')
    check(all(west < x < east and south < y < north for x, y in ring), f'{at}: far from the site')

# --- spikes and visits
for r in spikes:
    at = f"spikes.csv: {r['scene']} {r['zone']!r}"
    row = by.get((r['scene'], r['class'], r['zone']))
    check(row and row['datetime'] == r['datetime'] and row['count'] != '', f'{at}: where nothing was counted')
    check(row and abs(num(r['count']) - num(row['estimate'])) < .011, f"{at}: {r['count']} is not the estimate")
    check(num(r['low']) is None or num(r['low']) <= num(r['expected']) + .011 <= num(r['high']) + .022, f'{at}: expected outside its band')
    check(r['record_since'] == '' or r['record_since'] < r['datetime'], f'{at}: record_since')
    check(r['kind'] != 'record' or (int(r['n_seen']) >= 7 and r['record_since'] == ''), f'{at}: a record of few scenes')
    check(r['series_since'] <= r['datetime'], f'{at}: series_since')
for r in visits:
    at = f"visits.csv: {r['visit']}"
    check(zones.get(r['zone']) == 'vessel', f"{at}: zone {r['zone']!r}")
    check(r['first_seen'] <= r['last_seen'], f'{at}: seen')
    check(r['arrived_after'] == '' or r['arrived_after'] <= r['first_seen'], f'{at}: arrived_after')
    check(r['departed_before'] == '' or r['departed_before'] >= r['last_seen'], f'{at}: departed_before')
    check(all((s, 'vessel', r['zone']) in by for s in r['scenes'].split(';')), f"{at}: scenes {r['scenes']}")
check(len({r['visit'] for r in visits}) == len(visits), 'visits.csv: a visit twice')

# --- the store: a valid GeoPackage with the rows of the tables
db = sqlite3.connect(f'file:{os.path.join(folder, "tallyman.gpkg")}?mode=ro', uri=True)
check(db.execute('pragma application_id').fetchone()[0] == 0x47504B47, 'tallyman.gpkg: no GeoPackage by its application id')
check(db.execute('pragma integrity_check').fetchone()[0] == 'ok', 'tallyman.gpkg: integrity')
check(not db.execute('pragma foreign_key_check').fetchall(), 'tallyman.gpkg: foreign keys')
contents = dict(db.execute('select table_name, data_type from gpkg_contents'))
check(contents == {'detections': 'features', 'scenes': 'attributes', 'observations': 'attributes', 'spikes': 'attributes', 'visits': 'attributes',
                   'review': 'features', 'layer_styles': 'attributes'},
      f'tallyman.gpkg: layers {contents}')
check(db.execute("select geometry_type_name, srs_id from gpkg_geometry_columns where table_name = 'detections'").fetchall() == [('POLYGON', 4326)],
      'tallyman.gpkg: geometry of detections')
for layer, name in LAYERS.items():
    columns = [c[1] for c in db.execute(f'pragma table_info({layer})')]
    wanted = [c[0] for c in COLUMNS[name] if c[0] not in ('unit', 'counts')]
    check(columns[1:len(wanted) + 1] == wanted, f'tallyman.gpkg: {layer} has {columns}')
    rows = {'scenes.csv': scenes, 'series.csv': series, 'spikes.csv': spikes, 'visits.csv': visits}[name]
    check(db.execute(f'select count(*) from {layer}').fetchone()[0] == len(rows), f'tallyman.gpkg: rows of {layer}')
check(db.execute('select count(*) from detections').fetchone()[0] == len(found['features']), 'tallyman.gpkg: rows of detections')
check(not db.execute("select 1 from observations where quality in ('unseen', 'rejected') and (count is not null or extent is not null)").fetchall(),
      'tallyman.gpkg: an unseen zone has a number')

# --- run.json
with open(os.path.join(folder, 'run.json'), encoding='utf-8') as f:
    state = json.load(f)
check({'tallyman', 'settings', 'site_sha256', 'scenes', 'backgrounds', 'runs'} <= set(state), f'run.json: {sorted(state)}')
check({'tallyman', 'kernels', 'gdal', 'libtiff', 'fftw', 'opencv', 'sqlite'} <= set(k for k, v in state['versions'].items() if v), f"run.json: {state['versions']}")
check(state['runs'][-1]['versions'] == state['versions'], 'run.json: versions of the last run')
check(all(re.fullmatch('[0-9a-f]{64}', s['sha256']) for s in state['scenes'].values()), 'run.json: hashes')
check({s['scene'] for s in scenes if s['quality'] == 'ok'} <= set(state['scenes']), 'run.json: a scene without its hash')
check({s['family'] for s in scenes if s['quality'] == 'ok'} <= set(state['backgrounds']), 'run.json: a family without its background')


# --- the report: one file, nothing fetched, each link leads somewhere, each date of the chart is there
class Page(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.ids, self.links, self.images, self.tags, self.text = set(), set(), 0, set(), []

    def handle_starttag(self, tag, attrs):
        a = dict(attrs)
        self.tags.add(tag)
        if 'id' in a:
            check(a['id'] not in self.ids, f"report.html: id {a['id']} twice")
            self.ids.add(a['id'])
        for key in ('href', 'src'):
            if key in a:
                check(a[key].startswith('#') or a[key].startswith('data:image/png;base64,'), f'report.html: fetches {a[key][:60]}')
        if a.get('href', '').startswith('#'):
            self.links.add(a['href'][1:])
        self.images += tag == 'img'

    def handle_data(self, data):
        self.text.append(data)


with open(os.path.join(folder, 'report.html'), encoding='utf-8') as f:
    source = f.read()
page = Page()
page.feed(source)
text = ''.join(page.text)
check(not page.tags & {'script', 'link', 'iframe', 'object', 'base', 'form'}, f'report.html: tags {sorted(page.tags)}')
check('url(' not in source and '@import' not in source, 'report.html: its style fetches')
check(page.links <= page.ids, f'report.html: links to nowhere {sorted(page.links - page.ids)}')
check(page.images >= len({(r['class'], r['scene']) for r in spikes}), f'report.html: {page.images} pictures')
for z in zones:
    check(' '.join(z.split()) in ' '.join(text.split()), f'report.html: does not tell of {z!r}')
unseen = sum(r['zone'] == '*' and r['quality'] in ('unseen', 'refused') for r in series)
check(source.count('class="unseen"') == unseen, f"report.html: {source.count('class=unseen')} gaps for {unseen} unseen dates")

print('\n'.join(breaches[:40]))
sys.exit(bool(breaches))
