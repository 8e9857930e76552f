/**
 * Callers that make up paths, agents, interface numbers, codes and bodies grow neither the memory nor the scrape beyond
 * what docs/limits.md states.
 * HOSTILE_REQUESTS=1000000 npm run test:full -- process/metrics/limits sends as many; the page has the figures of that run.
 */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type App, INNER, runApp } from '../../support/app';
import { effort } from '../../support/effort';
import { FIXTURES } from '../../support/paths';
import { Random } from '../../support/random';

const REQUESTS = Number(process.env.HOSTILE_REQUESTS ?? effort({ short: 24_000, full: 60_000 }));
const CONNECTIONS = 8;
/** Requests written to a connection before their answers are awaited. */
const BATCH = 50;
/** Parts of the run; before the last the limits are reached. */
const PARTS = 4;

/** That of the package in the full run. */
const SERIES_LIMIT = effort({ short: 2_000, full: 5_000 });
const LIMITS: Readonly<Record<string, number>> = { path: 1_000, f_code: 200, code: 200, method_code: 200 };
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

/** Sends so many on one connection. */
async function attack(port: number, count: number, seed: number): Promise<void> {
  const random = new Random(seed);
  const socket = connect(port, '127.0.0.1');
  await once(socket, 'connect');
  for (let sent = 0; sent < count; sent += BATCH) {
    let answers = Math.min(BATCH, count - sent);
    const answered = new Promise<void>((resolve, reject) => {
      socket.removeAllListeners('data').on('data', (bytes: Buffer) => {
        // a status line may be cut in two: what ends an answer is its body
        answers -= bytes.toString('latin1').split('"}').length - 1;
        if (answers === 0) resolve();
      });
      socket.once('close', () => reject(new Error('the service has closed the connection')));
    });
    socket.write(Array.from({ length: answers }, () => request(random)).join(''));
    await answered;
    socket.removeAllListeners('close');
  }
  socket.destroy();
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
      await Promise.all(seeds.map((seed) => attack(app.port, each, seed)));
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

  it('has as many series as it may, and at most one for each status beyond them', () => {
    const { length } = last.counts(INNER);
    assert.ok(length >= SERIES_LIMIT && length <= SERIES_LIMIT + STATUSES.length, `${length} series`);
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

  it('says what became other', () => {
    const labels = last.counts('channel_exporter_label_overflow_total').map((each) => each.labels.label);
    assert.deepEqual(labels.sort(), Object.keys(LIMITS).sort());
    const [overflow] = last.counts('channel_exporter_series_overflow_total');
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
    assert.ok(final.bytes <= before.bytes * 1.02, `${before.bytes} to ${final.bytes} bytes`);
    assert.ok(final.bytes <= (SERIES_LIMIT + STATUSES.length) * LINES_PER_SERIES * MAX_LINE_BYTES);
  });
});
