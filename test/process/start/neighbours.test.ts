/** Other people's instrumentation in the same process: it sees what it would see without us, and we see everything. */
import assert from 'node:assert/strict';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type App, INNER, nodeBinary, PARTNER, runApp } from '../../support/app';
import { copyPrograms, openWorkshop, type Workshop } from '../../support/packed';
import { FIXTURES } from '../../support/paths';
import { NEWEST_LINE, OUR_LINE, readSpans, type Span, type SpanTree, treesOf } from '../../support/spans';

interface Observed {
  readonly spans: readonly Span[];
  readonly trees: readonly SpanTree[];
  /** Names of the headers that the partner was sent, call by call. */
  readonly partnerHeaders: readonly (readonly string[])[];
  readonly traceparents: readonly (string | undefined)[];
}

const OURS = 'channel-exporter/register';
const LINES = [
  { line: 'our versions', packages: OUR_LINE, api: '1.9.1', flags: [], isShared: true, isNewest: false },
  // the 2.x line names api below 1.10 as its peer; there are applications that force it
  {
    line: 'our versions',
    packages: OUR_LINE,
    api: '1.10.0',
    flags: ['--legacy-peer-deps'],
    isShared: false,
    isNewest: false,
  },
  // with api 1.9 the newest line does not load, with us or without
  { line: 'the newest versions', packages: NEWEST_LINE, api: '1.10.0', flags: [], isShared: false, isNewest: true },
];
const CJS = { system: 'CommonJS', app: 'app.cjs', bare: ['-r', './tracing.cjs'] };
const ESM = { system: 'ES modules', app: 'app.mjs', bare: ['--import', './tracing.mjs'] };
const STARTS = [
  { ...CJS, order: 'preloaded before it', args: ['-r', OURS, ...CJS.bare] },
  { ...CJS, order: 'preloaded after it', args: [...CJS.bare, '-r', OURS] },
  { ...ESM, order: 'preloaded before it', args: ['-r', OURS, ...ESM.bare] },
  { ...ESM, order: 'imported before it', args: ['--import', OURS, ...ESM.bare] },
  { ...ESM, order: 'imported after it', args: [...ESM.bare, '--import', OURS] },
];

/** What the service is asked, and the series that this makes. */
const CALLER = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';
const REQUESTS: readonly { path: string; route: string; status: number; init?: RequestInit; isPartner?: boolean }[] = [
  { path: '/api/orders/7', route: '/api/orders/:id', status: 200, isPartner: true },
  {
    path: '/api/orders/8',
    route: '/api/orders/:id',
    status: 200,
    isPartner: true,
    init: { headers: { traceparent: CALLER } },
  },
  {
    path: '/api/orders',
    route: '/api/orders',
    status: 201,
    isPartner: true,
    init: { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"method_code":"M1"}' },
  },
  { path: '/own-span', route: '/own-span', status: 200, isPartner: true },
  { path: '/fails', route: '/fails', status: 500 },
];
const PARTNER_CALLS = REQUESTS.filter(({ isPartner }) => isPartner === true).length;

let workshop: Workshop;
let partner: Server;
let partnerUrl: string;
let received: Record<string, string | string[] | undefined>[] = [];

before(async () => {
  workshop = await openWorkshop();
  partner = createServer((request, response) => {
    received.push(request.headers);
    request.resume().on('end', () => response.end('{"code":"00"}'));
  });
  await new Promise<void>((resolve) => partner.listen(0, '127.0.0.1', resolve));
  partnerUrl = `http://127.0.0.1:${(partner.address() as AddressInfo).port}`;
  const hosts = { [new URL(partnerUrl).host]: { partner: '12', paths: { '/pay': '1200', '/pay/:id': '1201' } } };
  writeFileSync(join(workshop.folder, 'partners.json'), JSON.stringify({ hosts }));
});

after(() => {
  partner.close();
  partner.closeAllConnections();
  workshop.remove();
});

async function prepare(name: string, packages: Readonly<Record<string, string>>, flags: readonly string[] = []) {
  const application = await workshop.install(name, { express: '5.3.0', ...packages }, flags);
  copyPrograms(join(FIXTURES, 'neighbours'), application);
  return application;
}

/** Runs the service, sends it every request, and gives back what its own tracing and its partner have seen. */
async function observe(
  application: string,
  start: { app: string; args: readonly string[]; node: string; env?: Readonly<Record<string, string>> },
  whileRunning: (app: App) => Promise<void> = async () => undefined,
): Promise<Observed> {
  const file = join(application, `spans-${process.hrtime.bigint()}.jsonl`);
  writeFileSync(file, '');
  received = [];
  const app = await runApp(join(application, start.app), {
    cwd: application,
    node: start.node,
    nodeArgs: start.args,
    env: {
      SPANS_FILE: file,
      PARTNER_URL: partnerUrl,
      CHANNEL_EXPORTER_PARTNERS: join(workshop.folder, 'partners.json'),
      ...start.env,
    },
  });
  try {
    for (const { path, init, status } of REQUESTS) {
      const response = await fetch(`http://127.0.0.1:${app.port}${path}`, init);
      await response.text();
      assert.equal(response.status, status, `${path}\n${app.stderr()}`);
    }
    await whileRunning(app);
    app.child.kill('SIGTERM');
    const { code } = await app.exited();
    assert.equal(code, 0, app.stderr());
  } finally {
    await app.stop();
  }
  const spans = readSpans(file);
  return {
    spans,
    trees: treesOf(spans, app.port),
    partnerHeaders: received.map((headers) => Object.keys(headers).sort()),
    traceparents: received.map(({ traceparent }) => traceparent?.toString()),
  };
}

/** Every request and every partner call is in our series, by its template. */
async function seriesAreComplete(app: App): Promise<void> {
  const total = (counts: readonly { count: number }[]) => counts.reduce((sum, { count }) => sum + count, 0);
  const metrics = await app.metricsWhen(
    (seen) => total(seen.counts(INNER)) >= REQUESTS.length && total(seen.counts(PARTNER)) >= PARTNER_CALLS,
  );
  const inner = metrics
    .counts(INNER)
    .flatMap(({ labels, count }) => Array(count).fill(`${labels.path} ${labels.http_status}`));
  assert.deepEqual(inner.sort(), REQUESTS.map(({ route, status }) => `${route} ${status}`).sort());
  const calls = metrics.counts(PARTNER).map(({ labels, count }) => [labels.action_code, labels.code, count]);
  assert.deepEqual(calls.sort(), [
    ['1200', '00', 1],
    ['1201', '00', PARTNER_CALLS - 1],
  ]);
}

for (const [index, { line, packages, api, flags, isShared, isNewest }] of LINES.entries()) {
  describe(`an application that traces with ${line} of OpenTelemetry on api ${api}`, () => {
    let application: string;
    let node: string;
    const bare = new Map<string, Observed>();

    before(async () => {
      node = isNewest ? await workshop.newerNode() : nodeBinary();
      application = await prepare(`application-${index}`, { ...packages, '@opentelemetry/api': api }, flags);
      for (const { system, app, bare: args } of [CJS, ESM])
        bare.set(system, await observe(application, { app, args, node }));
    });

    it(isShared ? 'shares every copy of OpenTelemetry with us' : 'has an api that is not ours', () => {
      const ours = join(application, 'node_modules/channel-exporter/node_modules/@opentelemetry');
      assert.equal(existsSync(ours), !isShared);
      assert.equal(existsSync(join(ours, 'api')), !isShared);
    });

    it('is traced when we are not there', () => {
      for (const { spans } of bare.values()) {
        const kinds = spans.map(({ kind }) => kind);
        assert.equal(kinds.filter((kind) => kind === 1).length, REQUESTS.length, 'SERVER spans');
        assert.equal(kinds.filter((kind) => kind === 2).length, PARTNER_CALLS, 'CLIENT spans');
        assert.ok(spans.some(({ scope }) => scope.endsWith('instrumentation-express')));
      }
    });

    for (const { system, order, app, args } of STARTS) {
      it(`has the same spans and its partner the same headers with us ${order}, in ${system}`, async () => {
        const without = bare.get(system) as Observed;
        const withUs = await observe(application, { app, args, node }, seriesAreComplete);
        assert.deepEqual(withUs.trees, without.trees);
        assert.deepEqual(withUs.partnerHeaders, without.partnerHeaders);
        const callSpans = withUs.spans.filter(({ kind }) => kind === 2);
        assert.deepEqual(
          withUs.traceparents,
          callSpans.map(({ traceId, spanId }) => `00-${traceId}-${spanId}-01`),
          'each call carries its own span',
        );
      });
    }
  });
}

describe('an application that writes its spans by hand', () => {
  const env = { TRACING: 'by hand' };

  it('has the same spans and sends its partner no header more', async () => {
    const application = await prepare('by-hand', { ...OUR_LINE, '@opentelemetry/api': '1.9.1' });
    const start = { app: CJS.app, node: nodeBinary(), env };
    const without = await observe(application, { ...start, args: CJS.bare });
    const withUs = await observe(application, { ...start, args: ['-r', OURS, ...CJS.bare] }, seriesAreComplete);
    assert.deepEqual(
      without.spans.map(({ name }) => name),
      ['work'],
    );
    assert.deepEqual(withUs.trees, without.trees);
    assert.deepEqual(withUs.partnerHeaders, without.partnerHeaders);
    assert.deepEqual(
      withUs.traceparents,
      withUs.traceparents.map(() => undefined),
    );
  });
});

describe('an application with metrics of its own in prom-client', () => {
  /** Without what both say of the process, each on its own page. */
  const families = (text: string) =>
    [...text.matchAll(/^# TYPE (?!process_|nodejs_)(\S+) /gm)].map((match) => match[1]).sort();

  it('serves the same families as without us, and neither shows those of the other', async () => {
    const application = await prepare('prom', { 'prom-client': '15.1.3' });
    const own = async (nodeArgs: readonly string[], whileRunning: (app: App) => Promise<void>) => {
      const app = await runApp(join(application, 'prom.cjs'), { cwd: application, nodeArgs });
      try {
        await (await fetch(`http://127.0.0.1:${app.port}/greet/ann`)).text();
        await (await fetch(`http://127.0.0.1:${app.port}/greet/bob`)).text();
        await whileRunning(app);
        return await (await fetch(`http://127.0.0.1:${app.port}/own-metrics`)).text();
      } finally {
        await app.stop();
      }
    };
    const without = await own([], async () => undefined);
    const withUs = await own(['-r', OURS], async (app) => {
      const metrics = await app.metricsWhen((seen) => seen.counts(INNER)[0]?.count === 2);
      assert.deepEqual(
        families(metrics.text).filter((name) => families(without).includes(name)),
        [],
      );
    });
    assert.match(withUs, /^greetings_total\{to="ann"\} 1$/m);
    assert.deepEqual(families(withUs), families(without));
  });
});
