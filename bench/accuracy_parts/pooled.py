# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables: records of many sets, pooled."""
import statistics

CONDITIONS = ('plain', 'snow', 'cloud', 'low_sun', 'oblique')


def of_condition(records, name):
    """A scene with several conditions counts under each of them; `no snow` is all but those with snow."""
    if name == 'all':
        return records
    if name == 'plain':
        return [r for r in records if not r['conditions']]
    if name == 'no snow':
        return [r for r in records if 'snow' not in r['conditions']]
    return [r for r in records if name in r['conditions']]


def share(a, b):
    return a / b if b else None


def text(value, form):
    return '–' if value is None else format(value, form)


def percent(value):
    return '–' if value is None else f'{100 * value:.0f} %'


def line(cells):
    return '| ' + ' | '.join(cells) + ' |'


def head(words, left):
    return [line(words), line(['---'] * left + ['---:'] * (len(words) - left))]


def pool_counts(records):
    """The figures of one row."""
    zones = [z for r in records for z in r['zones']]
    bounded = [r for r in records if r['width'] is not None]
    true, zone_true = sum(r['true'] for r in records), sum(z['true'] for z in zones)
    n = len(records)
    return {'scenes': n, 'unanswered': sum(not r['answered'] for r in records), 'mean_true': share(true, n),
            'mae': share(sum(abs(r['error']) for r in records), n), 'wape': share(sum(abs(r['error']) for r in records), true),
            'bias': share(sum(r['error'] for r in records), n), 'zone_wape': share(sum(abs(z['error']) for z in zones), zone_true),
            'inside': share(sum(r['inside'] for r in records), n), 'width': share(sum(r['width'] for r in bounded), len(bounded)),
            'interval_score': share(sum(r['interval_score'] for r in bounded), len(bounded)),
            'zone_inside': share(sum(z['inside'] for z in zones), len(zones))}


def pool_vessels(records):
    found, missed, false = (sum(r[k] for r in records) for k in ('found', 'missed', 'false'))
    length, heading = ([v for r in records for v in r[k]] for k in ('length', 'heading'))
    return {'true': found + missed, 'found': found, 'false': false, 'precision': share(found, found + false), 'recall': share(found, found + missed),
            'f1': share(2 * found, 2 * found + missed + false), 'length': statistics.median(length) if length else None,
            'heading': statistics.median(heading) if heading else None}


def kinds_of(sets):
    return sorted({(s['kind'], s['form']) for s in sets})


def label(kind, form):
    return kind if form == 'easy' else f'{kind} {form}'


def count_rows(sets):
    out = head(['kind', 'class', 'condition', 'scenes', 'unanswered', 'mean truth', 'MAE', 'WAPE', 'bias', 'WAPE of zones', 'truth in interval',
                'mean width', 'interval score', 'zones in interval'], 3)
    for kind, form in kinds_of(sets):
        mine = [c for s in sets if (s['kind'], s['form']) == (kind, form) for c in s['counts']]
        for class_name in ('railcar', 'container_stack', 'vessel'):
            of_class = [c for c in mine if c['class'] == class_name]
            names = ['no snow'] + [c for c in CONDITIONS if c != 'plain' or form == 'hard']
            for name in names:
                p = pool_counts(of_condition(of_class, name))
                if not p['scenes']:
                    continue
                out.append(line([label(kind, form), class_name, name, str(p['scenes']), str(p['unanswered']), text(p['mean_true'], '.1f'), text(p['mae'], '.2f'),
                                 percent(p['wape']), text(p['bias'], '+.2f'), percent(p['zone_wape']), percent(p['inside']), text(p['width'], '.1f'),
                                 text(p['interval_score'], '.1f'), percent(p['zone_inside'])]))
    return out


def coverage_rows(sets):
    out = head(['class', 'GSD, m', 'scenes', 'counts', 'truth in interval', 'mean width', 'interval score', 'mean truth'], 1)
    every = [(c['class'], s['gsd'], s['name'], c) for s in sets for c in s['counts']]
    for key in sorted({(e[0], e[1]) for e in every}) + [('all', None)]:
        mine = [e for e in every if key[0] == 'all' or (e[0], e[1]) == key]
        p = pool_counts([e[3] for e in mine])
        scenes = len({(e[2], e[3]['scene']) for e in mine})
        out.append(line([key[0], text(key[1], 'g'), str(scenes), str(p['scenes']), '–' if p['inside'] is None else f"{100 * p['inside']:.1f} %", text(p['width'], '.1f'),
                         text(p['interval_score'], '.1f'), text(p['mean_true'], '.1f')]))
    return out


def vessel_rows(sets):
    out = head(['kind', 'condition', 'vessels', 'found', 'false', 'precision', 'recall', 'F1', 'median length error, m', 'median heading error, °'], 2)
    for kind, form in kinds_of(sets):
        mine = [v for s in sets if (s['kind'], s['form']) == (kind, form) for v in s.get('vessels', [])]
        for name in ('all',) + (CONDITIONS if form == 'hard' else ('snow',)):
            p = pool_vessels(of_condition(mine, name))
            if p['true'] + p['false']:
                out.append(line([label(kind, form), name, str(p['true']), str(p['found']), str(p['false']), text(p['precision'], '.2f'), text(p['recall'], '.2f'),
                                 text(p['f1'], '.2f'), text(p['length'], '.1f'), text(p['heading'], '.1f')]))
    return out


def event_rows(sets):
    out = head(['kind', 'sets', 'visits', 'reported', 'precision', 'recall', 'spikes', 'found', 'false', 'seconds a set'], 1)
    for kind, form in kinds_of(sets):
        mine = [s for s in sets if (s['kind'], s['form']) == (kind, form)]
        v = {k: sum(s['visits'][k] for s in mine if 'visits' in s) for k in ('true', 'reported', 'found')}
        p = {k: sum(s['spikes'][k] for s in mine) for k in ('true', 'found', 'false')}
        out.append(line([label(kind, form), str(len(mine)), str(v['true']), str(v['reported']), text(share(v['found'], v['reported']), '.2f'),
                         text(share(v['found'], v['true']), '.2f'), str(p['true']), str(p['found']), str(p['false']),
                         text(share(sum(s['seconds'] for s in mine), len(mine)), '.1f')]))
    return out


def tables(sets):
    """All of them, as Markdown."""
    parts = [count_rows(sets), coverage_rows(sets), vessel_rows(sets), event_rows(sets)]
    return '\n\n'.join('\n'.join(p) for p in parts if len(p) > 2) + '\n'
