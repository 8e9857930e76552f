/**
 * Callers that make up paths, agents, interface numbers, codes and bodies grow neither the memory nor the scrape beyond
 * what docs/limits.md states.
 * HOSTILE_REQUESTS=1000000 npm run test:full -- process/metrics/limits sends as many; the page has the figures of that run.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type App, INNER, runApp } from '../../support/app';
import { effort } from '../../support/effort';
import { flood } from '../../support/flood';
import { FIXTURES } from '../../support/paths';
import { Random } from '../../support/random';

const REQUESTS = Number(process.env.HOSTILE_REQUESTS ?? effort({ short: 24_000, full: 60_000 }));
const CONNECTIONS = 8;
/** Parts of the run; before the last the limits are reached. */
const PARTS = 4;

/** Less than that of the package, so that some thousand requests come to it. */
const SERIES_LIMIT = effort({ short: 1_000, full: 3_000 });
const LIMITS: Readonly<Record<string, number>> = { path: 100, f_code: 200, method_code: 200 };
/** Of a path, beside the empty one and `other`. */
const CODES = 50;
const STATUSES = [200, 201, 400, 422, 500, 503];
const MAX_LABEL_CHARACTERS = 255;
/** Of one line, as docs/limits.md reckons it. */
const MAX_LINE_BYTES = 1_700;
const LINES_PER_SERIES = 16;
/** What a heap after a collection may differ by chance. */
const HEAP_BOUND_BYTES = 4 * 1024 * 1024;

interface Sample {
  readonly heapUsed: number;
  readonly rss: number;
  readonly series: number;
  readonly bytes: number;
}

const ALPHABETS = ['abcdefghijkl', '0123456789', 'äöü€', '"\\\t', '\u{1f600}\u{1f601}'] as const;

function word(random: Random, longest: number): string {
  const letters = Array.from(random.pick(ALPHABETS));
  return Array.from({ length: 1 + random.below(longest) }, () => letters[random.below(letters.length)]).join('');
}

function request(random: Random): string {
  const path = encodeURIComponent(word(random, random.below(20) === 0 ? 600 : 12));
  const query = random.below(3) === 0 ? `?method_code=${encodeURIComponent(word(random, 100))}` : '';
  const body = JSON.stringify({ method_code: word(random, 100), [word(random, 5)]: [word(random, 20)] });
  return [
    `POST /${path}${query} HTTP/1.1`,
    'Host: 127.0.0.1',
    `User-Agent: ${encodeURIComponent(word(random, 60))}`,
    ...(random.below(3) === 0 ? [`Method-Code: ${encodeURIComponent(word(random, 300))}`] : []),
    `X-Code: ${encodeURIComponent(word(random, 100))}`,
    `X-Status: ${random.pick(STATUSES)}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    '',
    body,
  ].join('\r\n');
}

describe(`a service after ${REQUESTS} hostile requests`, () => {
  let app: App;
  const samples: Sample[] = [];
  let last: Awaited<ReturnType<App['metrics']>>;

  before(async () => {
    app = await runApp(join(FIXTURES, 'hostile/service.js'), {
      nodeArgs: ['--expose-gc', '-r', 'channel-exporter/register'],
      env: { CHANNEL_EXPORTER_SERIES_LIMIT: String(SERIES_LIMIT) },
    });
    const each = REQUESTS / PARTS / CONNECTIONS;
    for (let part = 0; part < PARTS; part++) {
      const seeds = Array.from({ length: CONNECTIONS }, (_, index) => part * CONNECTIONS + index + 1);
      await Promise.all(
        seeds.map((seed) => {
          const random = new Random(seed);
          return flood(app.port, each, () => request(random));
        }),
      );
      last = await app.metrics();
      const headers = { connection: 'close' };
      const memory = await (await fetch(`http://127.0.0.1:${app.port}/healthcheck`, { headers })).json();
      const series = last.counts(INNER).length;
      samples.push({ ...(memory as Pick<Sample, 'heapUsed' | 'rss'>), series, bytes: Buffer.byteLength(last.text) });
    }
  });
  after(() => app?.stop());

  it('has recorded every one', () => {
    const recorded = last.counts(INNER).reduce((sum, { count }) => sum + count, 0);
    assert.equal(recorded, REQUESTS);
  });

  it('has no more series than callers may begin', () => {
    const { length } = last.counts(INNER);
    // full at the first share; how far beyond depends on the order in which the requests came
    assert.ok(length >= SERIES_LIMIT * (10 / 16) && length <= SERIES_LIMIT * (15 / 16), `${length} series`);
  });

  it('has no more values of a label than its limit, and other', () => {
    for (const [label, limit] of Object.entries(LIMITS)) {
      const values = new Set(last.counts(INNER).map(({ labels }) => labels[label] ?? ''));
      assert.ok(values.delete('other'), `${label} is full`);
      values.delete('');
      assert.ok(values.size <= limit, `${label} has ${values.size} values`);
      for (const value of values) assert.ok(value.length <= MAX_LABEL_CHARACTERS, value);
    }
  });

  it('has no more codes of a path than its limit, and other', () => {
    const codes = new Map<string, Set<string>>();
    for (const { labels } of last.counts(INNER)) {
      const { path = '', code = '' } = labels;
      codes.set(path, (codes.get(path) ?? new Set()).add(code));
    }
    assert.ok(codes.get('other')?.has('other'));
    for (const [path, { size }] of codes) assert.ok(size <= CODES + 2, `${path} has ${size} codes`);
  });

  it('says what became other', () => {
    const counted = (family: string) => last.counts(family).filter(({ count }) => count > 0);
    const labels = counted('channel_exporter_label_overflow_total').map((each) => each.labels.label);
    assert.deepEqual(labels.sort(), [...Object.keys(LIMITS), 'code'].sort());
    const [overflow] = counted('channel_exporter_series_overflow_total');
    assert.equal(overflow?.labels.family, INNER);
    assert.match(app.stderr(), /CHX_LABEL_OVERFLOW: .*label path/);
    assert.match(app.stderr(), /CHX_SERIES_OVERFLOW: /);
  });

  it('has a scrape and a heap that have stopped growing', (t) => {
    for (const { heapUsed, rss, series, bytes } of samples) {
      const figures = [heapUsed, rss, bytes].map((each) => `${(each / 1e6).toFixed(1)} MB`);
      t.diagnostic(`heap ${figures[0]}, resident ${figures[1]}, ${series} series, scrape ${figures[2]}`);
    }
    const [before, final] = samples.slice(-2) as [Sample, Sample];
    assert.ok(final.heapUsed <= before.heapUsed + HEAP_BOUND_BYTES, `${before.heapUsed} to ${final.heapUsed} bytes`);
    // the last series of a family begin seldom: each step of its shares is for fewer of them
    assert.ok(final.bytes <= before.bytes * 1.1, `${before.bytes} to ${final.bytes} bytes`);
    assert.ok(final.bytes <= SERIES_LIMIT * LINES_PER_SERIES * MAX_LINE_BYTES);
  });
});
