/** Rates, the last minute, new codes and failures, from scrapes one after the other. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { History } from '../../src/page/history';
import { type Kind, type Snapshot, snapshotOf } from '../../src/page/snapshot';
import { FIRST_ORDER, linesOf, sorted } from '../../src/page/sorting';
import type { RowTotal } from '../../src/page/totals';

const INNER = 'A123010101_inner_metrics';
const PARTNER = 'partner_http_metrics';
const INFO = 'channel_exporter_info{application="A123010101",version="1"} 1\n';

/** Series of a family with two boundaries: [labels, counts below 100, below 200, all]. */
type Series = readonly [labels: string, low: number, middle: number, all: number];

function text(family: string, series: readonly Series[], more = ''): string {
  const lines = series.map(([labels, low, middle, all]) =>
    [
      `${family}_count{${labels}} ${all}`,
      `${family}_sum{${labels}} ${all * 120}`,
      `${family}_bucket{${labels},le="100.0"} ${low}`,
      `${family}_bucket{${labels},le="200.0"} ${middle}`,
      `${family}_bucket{${labels},le="+Inf"} ${all}`,
    ].join('\n'),
  );
  return `${INFO}${more}${lines.join('\n')}\n`;
}

const inner = (atMs: number, ...series: Series[]) => snapshotOf(text(INNER, series), atMs);
const rowOf = (snapshot: Snapshot | undefined, kind: Kind, key: string) =>
  snapshot?.families[kind].rows.get(key) as RowTotal;
const labels = (path: string, code = '0', status = '200', caller = 'T') =>
  `f_code="${caller}",path="${path}",http_status="${status}",code="${code}"`;

describe('the history of the page', () => {
  it('adds up the series of a path, with its buckets', () => {
    const snapshot = inner(0, [labels('/a'), 1, 3, 4], [labels('/a', 'E1', '200', 'U'), 0, 0, 2]);
    const row = rowOf(snapshot, 'inner', '/a');
    assert.deepEqual(
      [row.count, row.failures, row.sumMs, row.counts],
      [6, 2, 720, [1, 2, 3]],
      'buckets are each for itself',
    );
    assert.deepEqual(snapshot.families.inner.boundaries, [100, 200]);
    assert.equal(snapshot.families.inner.series, 2);
  });

  it('has no rate before the second scrape, and then that of the last minute', () => {
    const history = new History();
    history.add(inner(0, [labels('/a'), 10, 10, 10]), 0);
    assert.equal(history.rate('inner', rowOf(history.last, 'inner', '/a')), undefined);
    history.add(inner(5_000, [labels('/a'), 20, 20, 20]), 0);
    assert.equal(history.rate('inner', rowOf(history.last, 'inner', '/a')), 2);
    for (let at = 10; at <= 125; at += 5) history.add(inner(at * 1_000, [labels('/a'), 20, 20, 20 + at]), 0);
    assert.equal(history.secondsLately, 60, 'what is older than a minute is forgotten');
    assert.equal(history.rate('inner', rowOf(history.last, 'inner', '/a')), 1);
    assert.deepEqual(history.curve('inner', '/a').slice(0, 2), [2, 2]);
  });

  it('takes a service that has begun anew for what it has counted since', () => {
    const history = new History();
    history.add(inner(0, [labels('/a'), 90, 95, 100]), 0);
    history.add(inner(10_000, [labels('/a'), 1, 2, 5]), 0);
    const lately = history.lately('inner', rowOf(history.last, 'inner', '/a'));
    assert.deepEqual([lately?.count, lately?.counts], [5, [1, 1, 3]]);
    assert.equal(history.rate('inner', rowOf(history.last, 'inner', '/a')), 0.5);
  });

  it('gives a path that is new its whole count', () => {
    const history = new History();
    history.add(inner(0), 0);
    history.add(inner(1_000, [labels('/new'), 3, 3, 3]), 0);
    assert.equal(history.rate('inner', rowOf(history.last, 'inner', '/new')), 3);
  });

  it('calls codes new that were not in the first scrape, once, and no missing code', () => {
    const history = new History();
    assert.deepEqual(history.add(inner(0, [labels('/a'), 1, 1, 1]), 1), []);
    const both: Series[] = [
      [labels('/a'), 1, 1, 1],
      [labels('/a', 'E1'), 0, 0, 1],
      [labels('/a', '-1'), 0, 0, 1],
      [labels('/a', ''), 0, 0, 1],
    ];
    const found = history.add(inner(1_000, ...both), 77);
    assert.deepEqual(found, [{ kind: 'inner', names: ['/a'], code: 'E1', isFailure: true, seenMs: 77 }]);
    assert.deepEqual(history.add(inner(2_000, ...both), 78), []);
    assert.deepEqual([history.isNew('inner', '/a', 'E1'), history.isNew('inner', '/a', '0')], [true, false]);
    assert.equal(history.newCodes.length, 1);
  });

  it('sorts what fails most first, then what is slowest, and keeps equals in one order', () => {
    const history = new History();
    history.add(
      inner(
        0,
        [labels('/fast'), 9, 9, 9],
        [labels('/slow'), 0, 9, 9],
        [labels('/bad', 'E'), 9, 9, 9],
        [labels('/b'), 9, 9, 9],
      ),
      0,
    );
    const names = (order = FIRST_ORDER) => sorted(linesOf(history, 'inner', false), order).map(({ key }) => key);
    assert.deepEqual(names(), ['/bad', '/slow', '/b', '/fast']);
    assert.deepEqual(names({ column: 'p95', isDescending: true })[0], '/slow');
    assert.deepEqual(names({ column: 'name', isDescending: false }), ['/b', '/bad', '/fast', '/slow']);
  });
});

const meaning = (family: string, partner: string, code: string, success: boolean) =>
  `channel_business_code_info{family="${family}",partner="${partner}",code="${code}",success="${success}"} 1\n`;

const OUTCOMES: readonly {
  readonly name: string;
  readonly family?: string;
  readonly more?: string;
  readonly code: string;
  readonly status: string;
  readonly isFailure: boolean;
}[] = [
  { name: '0 is success where none is known', code: '0', status: '200', isFailure: false },
  { name: '0 is success whatever the status', code: '0', status: '500', isFailure: false },
  { name: 'another code fails', code: '7', status: '200', isFailure: true },
  { name: 'no code and 200 is success', code: '-1', status: '200', isFailure: false },
  { name: 'no code and 503 fails', code: '-1', status: '503', isFailure: true },
  { name: 'an empty code and 500 fails', code: '', status: '500', isFailure: true },
  { name: 'a client that left is no failure', code: '-1', status: '499', isFailure: false },
  { name: 'a known success', more: meaning(INNER, '', '00', true), code: '00', status: '200', isFailure: false },
  {
    name: 'a code beside those known',
    more: meaning(INNER, '', '00', true),
    code: '0',
    status: '200',
    isFailure: true,
  },
  {
    name: 'no code beside those known',
    more: meaning(INNER, '', '00', true),
    code: '-1',
    status: '200',
    isFailure: false,
  },
  { name: 'a call without an answer', family: PARTNER, code: '-1', status: '0', isFailure: true },
  {
    name: 'a partner that has to send a code and does not',
    family: PARTNER,
    more: meaning(PARTNER, '12', '00', true),
    code: '-1',
    status: '200',
    isFailure: true,
  },
  {
    name: 'a partner whose codes are not known, beside one whose are',
    family: PARTNER,
    more: meaning(PARTNER, '13', '00', true),
    code: '0',
    status: '200',
    isFailure: false,
  },
];

describe('what has failed', () => {
  for (const { name, family = INNER, more = '', code, status, isFailure } of OUTCOMES) {
    it(name, () => {
      const place = family === INNER ? 'path="/a"' : 'partner="12",action_code="1"';
      const series = `${place},http_status="${status}",code="${code}"`;
      const { families } = snapshotOf(text(family, [[series, 1, 1, 1]], more), 0);
      const [row] = families[family === INNER ? 'inner' : 'partner'].rows.values();
      assert.equal(row?.failures, isFailure ? 1 : 0);
    });
  }
});
