/** What the application measures itself adds up on the one scrape, in whichever processes it is measured. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type Metrics, parseMetrics } from '../../support/metrics';
import { ask, openWorld, PRELOAD, PROGRAMS, type Service, stateOf, until, type World } from '../../support/service';

const PROCESSES = 'channel_exporter_processes';
const REQUESTS = 50;
const SERVICE = './own-metrics.js';

async function inWorld(use: (world: World) => Promise<void>): Promise<void> {
  const world = await openWorld();
  try {
    await use(world);
  } finally {
    await world.end();
  }
}

/** The value of the one sample of a name with these labels. */
function sampleOf(
  { samples }: Metrics,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const found = samples.filter(
    (sample) =>
      sample.name === name && Object.entries(labels).every(([label, value]) => sample.labels[label] === value),
  );
  assert.ok(found.length <= 1, `one ${name}`);
  return found[0]?.value;
}

function sumOf({ samples }: Metrics, name: string): number {
  return samples.filter((sample) => sample.name === name).reduce((sum, { value }) => sum + value, 0);
}

/** One after the other, so that the last one is the newest. */
async function order(ports: readonly number[], from: number, to: number): Promise<void> {
  for (let number = from; number <= to; number++) await ask(ports[number % ports.length] as number, `/x?${number}`);
}

const portsOf = async (service: Service, count: number) => [
  ...new Set((await service.ready(count)).map(({ port }) => port)),
];

/** What requests 1 to `requests` have left on the scrape. */
function assertOrders(metrics: Metrics, requests: number): void {
  const odd = Math.ceil(requests / 2);
  const even = requests - odd;
  const seen = {
    odd: sampleOf(metrics, 'orders_total', { kind: 'odd' }),
    even: sampleOf(metrics, 'orders_total', { kind: 'even' }),
    none: sampleOf(metrics, 'orders_total', { kind: 'none' }),
    open: sampleOf(metrics, 'orders_open'),
    last: sampleOf(metrics, 'orders_last'),
    count: sampleOf(metrics, 'wait_seconds_count'),
    half: sampleOf(metrics, 'wait_seconds_bucket', { le: '0.5' }),
    one: sampleOf(metrics, 'wait_seconds_bucket', { le: '1.0' }),
    observed: sampleOf(metrics, 'orders_observed_total'),
    level: sampleOf(metrics, 'level'),
  };
  assert.deepEqual(seen, {
    ...{ odd, even, none: 0, open: 3 * odd - even, last: requests },
    ...{ count: requests, half: 0, one: requests, observed: requests, level: -requests },
  });
  assert.ok(metrics.text.includes('# HELP orders_total Orders taken.'), metrics.text);
}

describe("an application's own metrics are those of all its processes", () => {
  const CASES = [
    { name: 'a cluster of two workers', program: 'cluster.js', workers: 2 },
    {
      name: 'a cluster whose workers alone are preloaded, one of which is the hub',
      program: 'cluster.js',
      workers: 3,
      nodeArgs: [],
      env: { EXEC_ARGV: JSON.stringify(PRELOAD) },
      members: 2,
    },
    { name: 'a program that forks', program: 'forks.js', workers: 3 },
    { name: 'a program with threads', program: 'threads.js', workers: 3, state: 'thread' },
  ];
  for (const { name, program, workers, nodeArgs = PRELOAD, env = {}, members = workers, state = 'member' } of CASES) {
    it(`in ${name}`, () =>
      inWorld(async (world) => {
        const service = world.start({
          args: [...nodeArgs, `${PROGRAMS}/${program}`],
          env: { WORKERS: String(workers), SERVICE, ...env },
        });
        const ports = await portsOf(service, workers);
        await world.scrapeWhen((seen) => stateOf(seen, PROCESSES, { state }) === members);
        await order(ports, 1, REQUESTS);
        const metrics = await world.scrapeWhen((seen) => sumOf(seen, 'orders_total') >= REQUESTS);
        assertOrders(metrics, REQUESTS);
        assert.equal(sumOf(metrics, 'process_alive'), workers, 'each process is asked');
        assert.deepEqual(service.said('CHX_'), []);
      }));
  }

  it('and stay when a worker is killed, whose observations go', () =>
    inWorld(async (world) => {
      const service = world.start({ args: [...PRELOAD, `${PROGRAMS}/cluster.js`], env: { WORKERS: '2', SERVICE } });
      const ready = await service.ready(2);
      const ports = await portsOf(service, 2);
      await world.scrapeWhen((seen) => stateOf(seen, PROCESSES, { state: 'member' }) === 2);
      await order(ports, 1, REQUESTS);
      // a scrape asks for all that was measured before it
      await world.scrapeWhen((seen) => sumOf(seen, 'orders_total') >= REQUESTS);
      process.kill(ready[0]?.pid as number, 'SIGKILL');
      await world.scrapeWhen((seen) => stateOf(seen, PROCESSES, { state: 'gone' }) === 1);
      const metrics = await world.scrape();
      assertOrders(metrics, REQUESTS);
      assert.deepEqual(
        metrics.samples.filter((sample) => sample.name === 'process_alive').map(({ labels }) => labels.process),
        [`${ready[1]?.pid}.0`],
      );
      await order(ports, REQUESTS + 1, 2 * REQUESTS);
      const all = await world.scrapeWhen((seen) => sumOf(seen, 'orders_total') >= 2 * REQUESTS);
      assertOrders(all, 2 * REQUESTS);
    }));

  it("with what a member recorded before its shutdown(), prom-client's counts too", () =>
    inWorld(async (world) => {
      const env = { CHANNEL_EXPORTER_PROM_CLIENT: '1' };
      const hub = world.start({ args: [...PRELOAD, `${PROGRAMS}/own-metrics.js`], env });
      await hub.ready(1);
      await world.scrapeWhen((seen) => stateOf(seen, PROCESSES, { state: 'hub' }) === 1);
      const member = world.start({ args: [...PRELOAD, `${PROGRAMS}/own-metrics.js`], env });
      const [port] = await portsOf(member, 1);
      await world.scrapeWhen((seen) => stateOf(seen, PROCESSES, { state: 'member' }) === 1);
      for (let number = 1; number < REQUESTS; number++) await ask(port as number, `/x?${number}`);
      await ask(port as number, '/shutdown?1');
      const metrics = await world.scrapeWhen((seen) => stateOf(seen, PROCESSES, { state: 'member' }) === 0);
      const sums = ['visits_total', 'waits_count', 'sizes_count', 'orders_total', 'wait_seconds_count'];
      assert.deepEqual(
        sums.map((name) => sumOf(metrics, name)),
        sums.map(() => REQUESTS),
      );
      await ask(port as number, '/x?1');
    }));

  it('with what a process recorded in its last step, and nothing twice', () =>
    inWorld(async (world) => {
      const service = world.start({
        args: [...PRELOAD, `${PROGRAMS}/cluster.js`],
        env: { WORKERS: '2', SERVICE, RESPAWN: '1' },
      });
      const [port] = await portsOf(service, 2);
      await world.scrapeWhen((seen) => stateOf(seen, PROCESSES, { state: 'member' }) === 2);
      const ends = 6;
      for (let end = 1; end <= ends; end++) {
        for (let number = 1; number <= 4; number++) await ask(port as number, `/x?${number}`);
        await ask(port as number, '/exit?1');
        await service.ready(2 + end);
      }
      const expected = ends * 5;
      const seen = (metrics: Metrics) => ({
        ends: sampleOf(metrics, 'orders_total', { kind: 'last' }),
        orders: sumOf(metrics, 'orders_total'),
        late: sampleOf(metrics, 'wait_seconds_count'),
        slow:
          (sampleOf(metrics, 'wait_seconds_bucket', { le: '+Inf' }) ?? 0) -
          (sampleOf(metrics, 'wait_seconds_bucket', { le: '1.0' }) ?? 0),
      });
      const all = { ends, orders: expected + ends, late: expected + ends, slow: ends };
      const metrics = await world.scrapeWhen((shown) => seen(shown).orders >= all.orders);
      assert.deepEqual(seen(metrics), all);
    }));
});

describe('what prom-client holds', () => {
  const env = { SERVICE, CHANNEL_EXPORTER_PROM_CLIENT: '1' };
  const lines = ({ text }: Metrics) =>
    text.split('\n').filter((line) => /^(visits|waits|sizes|gauge_|# TYPE (visits|waits|sizes))/.test(line));

  it('is that of all workers of a cluster, and its counts outlive a worker', () =>
    inWorld(async (world) => {
      const service = world.start({
        args: [...PRELOAD, `${PROGRAMS}/cluster.js`],
        env: { ...env, WORKERS: '2', RESPAWN: '1' },
      });
      const ready = await service.ready(2);
      const ports = await portsOf(service, 2);
      await world.scrapeWhen((seen) => stateOf(seen, PROCESSES, { state: 'member' }) === 2);
      await order(ports, 1, REQUESTS);
      const expected = (requests: number, gauges: Readonly<Record<string, number>>) =>
        [
          '# TYPE visits_total counter',
          '# TYPE waits histogram',
          '# TYPE sizes summary',
          `visits_total{kind="odd"} ${requests / 2}`,
          `visits_total{kind="even"} ${requests / 2}`,
          ...[`waits_bucket{le="0.5"} 0`, `waits_bucket{le="1"} ${requests}`, `waits_bucket{le="+Inf"} ${requests}`],
          ...[`waits_count ${requests}`, `sizes_sum ${2 * requests}`, `sizes_count ${requests}`],
          ...Object.entries(gauges).map(([name, value]) => `gauge_${name} ${value}`),
        ].sort();
      const shown = (metrics: Metrics) =>
        lines(metrics)
          .filter((line) => !line.startsWith('waits_sum') && !line.startsWith('gauge_first'))
          .sort();
      const first = await world.scrapeWhen((seen) => sumOf(seen, 'visits_total') >= REQUESTS);
      assert.deepEqual(shown(first), expected(REQUESTS, { sum: 30, min: 10, max: 20, average: 15 }));
      assert.ok([10, 20].includes(sampleOf(first, 'gauge_first') ?? 0));
      const wait = sampleOf(first, 'waits_sum') ?? 0;
      assert.ok(Math.abs(wait - 0.7 * REQUESTS) < 1e-9, `${wait}`);
      process.kill(ready[0]?.pid as number, 'SIGKILL');
      await service.ready(3);
      await world.scrapeWhen((seen) => stateOf(seen, PROCESSES, { state: 'member' }) === 2);
      await order(ports, REQUESTS + 1, 2 * REQUESTS);
      const all = await world.scrapeWhen((seen) => sumOf(seen, 'visits_total') >= 2 * REQUESTS);
      assert.deepEqual(
        shown(all).filter((line) => !line.startsWith('gauge_')),
        expected(2 * REQUESTS, {}),
      );
      const max = sampleOf(all, 'gauge_max');
      assert.equal(max, 30, 'the worker that is new');
      assert.deepEqual(service.said('CHX_'), []);
    }));

  it('is added to what the hub holds itself', () =>
    inWorld(async (world) => {
      const service = world.start({
        args: [`${PROGRAMS}/cluster.js`],
        env: { ...env, WORKERS: '3', EXEC_ARGV: JSON.stringify(PRELOAD) },
      });
      const ports = await portsOf(service, 3);
      await world.scrapeWhen((seen) => stateOf(seen, PROCESSES, { state: 'member' }) === 2);
      await order(ports, 1, REQUESTS);
      const metrics = await world.scrapeWhen((seen) => sumOf(seen, 'visits_total') >= REQUESTS);
      assert.equal(sumOf(metrics, 'visits_total'), REQUESTS);
      assert.equal(sampleOf(metrics, 'waits_count'), REQUESTS);
      assert.equal(sampleOf(metrics, 'gauge_sum'), 60);
    }));
});

/** A scrape by a worker, over a connection of its own. */
async function scrapeOf(port: number, path: string, headers: Readonly<Record<string, string>> = {}) {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { connection: 'close', ...headers } });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

describe("a member's scrape on the application's own port", () => {
  const env = { WORKERS: '2', SERVICE, CHANNEL_EXPORTER_APP_METRICS: '1' };
  const start = async (world: World, program: string, more: Readonly<Record<string, string>> = {}) => {
    const service = world.start({ args: [...PRELOAD, `${PROGRAMS}/${program}`], env: { ...env, ...more } });
    const ready = await service.ready(2);
    await world.scrapeWhen((seen) => stateOf(seen, PROCESSES, { state: 'member' }) === 2);
    return { service, ready, ports: await portsOf(service, 2) };
  };

  it('is that of the whole service, in every form', () =>
    inWorld(async (world) => {
      const { ports, service } = await start(world, 'forks.js');
      await order(ports, 1, REQUESTS);
      for (const port of ports) {
        for (const path of ['/handler', '/metrics']) {
          for (const encoding of ['identity', 'gzip']) {
            const { status, headers, text } = await scrapeOf(port, path, { 'accept-encoding': encoding });
            assert.equal(status, 200, text);
            assertOrders(parseMetrics(text), REQUESTS);
            assert.match(headers.get('content-type') ?? '', /^text\/plain; version=0.0.4/);
            assert.equal(headers.get('content-encoding') ?? 'identity', encoding);
          }
        }
        const { text, headers } = await scrapeOf(port, '/handler', { accept: 'application/openmetrics-text' });
        assert.match(headers.get('content-type') ?? '', /^application\/openmetrics-text/);
        assert.ok(text.endsWith('# EOF\n'));
      }
      assert.deepEqual(service.said('CHX_'), []);
    }));

  it('comes whole when it is large, to several who ask at the same time', () =>
    inWorld(async (world) => {
      const { ports } = await start(world, 'forks.js');
      const [port = 0] = ports;
      await ask(port, '/big');
      await world.scrapeWhen(({ samples }) => samples.filter(({ name }) => name === 'orders_last').length === 4_990);
      const plain = { 'accept-encoding': 'identity' };
      const answers = await Promise.all(
        ports.flatMap((each) => [1, 2, 3].map(() => scrapeOf(each, '/handler', plain))),
      );
      for (const { status, text } of answers) {
        assert.equal(status, 200);
        assert.ok(text.length > 15e6, `${text.length}`);
        assert.equal(text.match(/^orders_last\{series/gm)?.length, 4_990);
      }
    }));

  it('is 503 with the reason while the hub does not answer, and there again with the next hub', () =>
    inWorld(async (world) => {
      const { ports, service } = await start(world, 'forks.js');
      const [port = 0] = ports;
      await order(ports, 1, REQUESTS);
      await world.scrapeWhen((seen) => sumOf(seen, 'orders_total') === REQUESTS);
      service.child.kill('SIGSTOP');
      const { status, text, headers } = await scrapeOf(port, '/handler');
      assert.equal(status, 503);
      assert.match(
        text,
        /^No metrics at the moment: the process that serves them cannot be asked \(.*no answer within 8 s\)\.$/m,
      );
      assert.equal(headers.get('retry-after'), '5');
      service.child.kill('SIGKILL');
      await until(async () => (await scrapeOf(port, '/handler')).status === 200, 'no scrape');
      for (const each of ports) {
        const after = await scrapeOf(each, '/handler');
        assert.equal(after.status, 200, after.text);
      }
    }));
});
