/** An application's Views, laid over ours: what they change of the scrape of a real process. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { INNER, runApp, SYSCODE } from '../../support/app';
import type { Metrics } from '../../support/metrics';
import { ask, openWorld, PRELOAD, PROGRAMS, send, stateOf } from '../../support/service';

const PROGRAM = 'test/fixtures/apps/views.js';
const INNER_INSTRUMENT = 'channel.inner.duration';
const LOST = 'channel_exporter_lost_measurements_total';

type Views = readonly Readonly<Record<string, unknown>>[];

function explicit(...boundaries: number[]) {
  return { type: 'EXPLICIT_BUCKET_HISTOGRAM', options: { boundaries } };
}

/** The scrape after one request, under the preload, and the same where the application calls `start()`. */
async function scrapes(views: Views, isThere: (metrics: Metrics) => boolean): Promise<Metrics[]> {
  const text = JSON.stringify(views);
  const ways = [{ env: { CHANNEL_EXPORTER_VIEWS: text } }, { env: { VIEWS: text }, nodeArgs: [] }];
  return Promise.all(
    ways.map(async (options) => {
      const app = await runApp(PROGRAM, options);
      try {
        assert.equal(await (await fetch(`http://127.0.0.1:${app.port}/x`)).text(), 'ok');
        const metrics = await app.metricsWhen(isThere);
        assert.doesNotMatch(app.stderr(), /CHX_/);
        return metrics;
      } finally {
        await app.stop();
      }
    }),
  );
}

function boundariesOf({ samples }: Metrics, family: string): (string | undefined)[] {
  return samples.filter(({ name }) => name === `${family}_bucket`).map(({ labels }) => labels.le);
}

describe('a View of the application', () => {
  it('gives an instrument of ours other boundaries, and leaves the others alone', async () => {
    const views = [{ instrumentName: INNER_INSTRUMENT, aggregation: explicit(5, 7.5, 60_000) }];
    for (const metrics of await scrapes(views, (each) => each.counts(INNER).length > 0)) {
      assert.deepEqual(boundariesOf(metrics, INNER), ['5.0', '7.5', '60000.0', '+Inf']);
      assert.equal(metrics.counts(LOST)[0]?.labels.family, INNER);
      assert.match(metrics.text, /^shop_latency_bucket\{.*le="10000\.0"\} 1$/m);
    }
  });

  it('gives it another name and description, wherever the name stands', async () => {
    const views = [
      { instrumentName: INNER_INSTRUMENT, name: 'early', description: 'Early.' },
      { meterName: 'channel-exporter', instrumentName: INNER_INSTRUMENT, name: 'http_ms', aggregation: explicit(1) },
    ];
    for (const metrics of await scrapes(views, (each) => each.counts('http_ms').length > 0)) {
      assert.match(metrics.text, /^# HELP http_ms Early\.\n# TYPE http_ms histogram$/m);
      assert.deepEqual(boundariesOf(metrics, 'http_ms'), ['1.0', '+Inf']);
      assert.deepEqual(metrics.counts('http_ms')[0]?.labels.application, SYSCODE);
      assert.equal(metrics.counts(LOST)[0]?.labels.family, 'http_ms');
      assert.doesNotMatch(metrics.text, new RegExp(`${INNER}|early`));
    }
  });

  it('drops a family: it is neither shown nor counted as lost', async () => {
    const views = [
      { instrumentName: INNER_INSTRUMENT, aggregation: { type: 'DROP' } },
      { instrumentName: 'channel.exporter.errors', aggregation: { type: 'DROP' } },
    ];
    for (const metrics of await scrapes(views, (each) => /shop_latency_count/.test(each.text))) {
      assert.doesNotMatch(metrics.text, new RegExp(`${INNER}|channel_exporter_errors_total`));
      assert.match(metrics.text, /^# TYPE partner_http_metrics histogram$/m);
      assert.ok(metrics.counts(LOST).every(({ count }) => count === 0));
    }
  });

  it('limits the series of one family', async () => {
    const views = [{ instrumentName: INNER_INSTRUMENT, aggregationCardinalityLimit: 1 }];
    const app = await runApp(PROGRAM, { env: { CHANNEL_EXPORTER_VIEWS: JSON.stringify(views) } });
    try {
      for (const path of ['/a', '/b', '/c']) await fetch(`http://127.0.0.1:${app.port}${path}`);
      const metrics = await app.metricsWhen((each) => each.counts(INNER).length > 1);
      const paths = metrics.counts(INNER).map(({ labels, count }) => [labels.path, count]);
      assert.deepEqual(paths, [
        ['/a', 1],
        ['other', 2],
      ]);
      assert.match(app.stderr(), new RegExp(`CHX_SERIES_OVERFLOW: ${INNER} has had its 1 series`));
    } finally {
      await app.stop();
    }
  });

  it("is the SDK's own for instruments of the application", async () => {
    const views = [
      { instrumentName: 'shop.*', aggregation: explicit(20, 40) },
      { meterName: 'shop', instrumentName: 'shop.latency', name: 'shop.again', aggregation: explicit(50) },
    ];
    for (const metrics of await scrapes(views, (each) => each.counts(INNER).length > 0)) {
      assert.deepEqual(boundariesOf(metrics, 'shop_latency'), ['20.0', '40.0', '+Inf']);
      assert.deepEqual(boundariesOf(metrics, 'shop_again'), ['50.0', '+Inf']);
    }
  });
});

describe('a hub with Views', () => {
  it('refuses what a member without them counts in other buckets', async () => {
    const world = await openWorld();
    try {
      const views = JSON.stringify([{ instrumentName: INNER_INSTRUMENT, aggregation: explicit(1, 2) }]);
      const args = [...PRELOAD, `${PROGRAMS}/service.js`];
      const hub = world.start({ args, env: { CHANNEL_EXPORTER_VIEWS: views } });
      const [first] = await hub.ready(1);
      await ask(first?.port as number, '/x');
      await world.counted(1);
      const member = world.start({ args });
      const [second] = await member.ready(1);
      await send(second?.port as number, 3);
      const dropped = { reason: 'boundaries' };
      const metrics = await world.scrapeWhen(
        (each) => stateOf(each, 'channel_exporter_dropped_deltas_total', dropped) > 0,
      );
      assert.deepEqual(boundariesOf(metrics, INNER), ['1.0', '2.0', '+Inf']);
      assert.equal(metrics.counts(INNER)[0]?.count, 1);
    } finally {
      await world.end();
    }
  });
});
