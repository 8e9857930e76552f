/** channelSpanHooks(): the application's own spans carry our codes, the right ones and no others, and are else as ever. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import type { AddressInfo, Server } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import zlib from 'node:zlib';
import { nodeBinary, runApp } from '../../support/app';
import { copyPrograms, openWorkshop, type Workshop } from '../../support/packed';
import { FIXTURES } from '../../support/paths';
import { NEWEST_LINE, OUR_LINE, readSpans, type Span, treesOf } from '../../support/spans';

type Attributes = Readonly<Record<string, unknown>>;

/** What Node 26 says of `module.register`, by which the application's own OpenTelemetry hooks its imports. */
const LOADER_DEPRECATION = /^\(node:\d+\) \[DEP0205\] .*\n\(Use `node --trace-deprecation .*\n/m;
const SERVER = 1;
const CLIENT = 2;
const OURS = ['-r', 'channel-exporter/register'];
const CJS = { app: 'app.cjs', tracing: ['-r', './tracing.cjs'] };
const ESM = { app: 'app.mjs', tracing: ['--import', './tracing.mjs'] };
const CALLER = 'a caller with a very long name';
const F_CODE = 'a caller with a very...';
/** Nobody listens there. */
const REFUSED = '127.0.0.1:1';

/** Answers of the partner, by path. */
const ANSWERS: Readonly<Record<string, (response: http.ServerResponse) => void>> = {
  '/v1/plain': (response) => response.end('{"code":"00"}'),
  '/v1/orders/5': (response) => response.end('{"code":"","error_code":"E7"}'),
  '/v1/html': (response) => response.end('<p>'),
  '/v1/empty': (response) => response.writeHead(204).end(),
  '/v1/gzip': (response) =>
    response.setHeader('content-encoding', 'gzip').end(zlib.gzipSync(`{"code":"GZ","x":"${'x'.repeat(200_000)}"}`)),
  '/v1/br': (response) => response.setHeader('content-encoding', 'br').end(zlib.brotliCompressSync('{"code":"BR"}')),
  '/v1/faulty': (response) => response.setHeader('content-encoding', 'gzip').end('{"code":"00"}'),
  '/v1/large': (response) => response.end(`{"code":"L1","x":"${'x'.repeat(1_000_000)}"}`),
  '/v1/lingers': (response) => response.write('{"code":"00"'),
  '/v1/pieces'(response) {
    response.write('{"co');
    setImmediate(() => response.end('de":"PI"}'));
  },
  '/v1/broken'(response) {
    response.setHeader('content-length', '100');
    response.write('{"code":"00"');
    setImmediate(() => response.destroy());
  },
  '/v1/redirect': (response) => response.writeHead(302, { location: '/v1/plain' }).end('{"code":"RE"}'),
};

/** Calls of the service: where to, in which form, and what is on the span. `none`: no attribute of ours at all. */
const CALLS: readonly { to: string; form?: string; expect: Attributes | 'none'; what?: string }[] = [
  { to: 'partner/v1/plain', expect: { action_code: '1201', code: '00' } },
  { to: 'partner/v1/plain?x=1', expect: { action_code: '1201', code: '00' } },
  { to: 'partner/v1/plain', form: 'URL', expect: { action_code: '1201', code: '00' } },
  { to: 'partner/v1/plain', form: 'URL and options', expect: { action_code: '1201', code: '00' } },
  { to: 'partner/v1/plain', form: 'options', expect: { action_code: '1201', code: '00' } },
  { to: 'partner/v1/plain', form: 'host in options', expect: { action_code: '1201', code: '00' } },
  { to: 'partner/v1/plain', form: 'a proxy', expect: { action_code: '1201', code: 'OTHER' } },
  { to: 'tls/v1/plain', form: 'https options', expect: { action_code: '1301', code: '00' } },
  { to: 'tls/v1/plain', form: 'https URL', expect: { action_code: '1301', code: '00' } },
  { to: 'partner/v1/orders/5', expect: { action_code: '1202', code: 'E7' } },
  { to: 'partner/v1/html', expect: { code: '-1' }, what: 'no action code' },
  { to: 'partner/v1/empty', expect: { code: '-1' } },
  { to: 'partner/v1/gzip', expect: { code: 'GZ' } },
  { to: 'partner/v1/br', expect: { code: 'BR' } },
  { to: 'partner/v1/faulty', expect: { code: '00' }, what: 'plain text, whatever its header says' },
  { to: 'partner/v1/large', expect: { code: 'L1' } },
  { to: 'partner/v1/pieces', expect: { code: 'PI' } },
  { to: 'partner/v1/broken', expect: { code: '-1' } },
  { to: 'partner/v1/redirect', expect: { code: 'RE' } },
  { to: 'partner/v1/lingers', form: 'never read', expect: { code: '-1' } },
  { to: 'refused/v1/plain', expect: { action_code: '1401', code: '-1' } },
  { to: 'other/v1/plain', expect: 'none' },
  { to: 'other/v1/plain', form: 'options', expect: 'none' },
];
const PARTNERS: Readonly<Record<string, string>> = { partner: '12', tls: '13', refused: '14' };

interface Asked {
  readonly path: string;
  readonly init?: RequestInit;
  readonly status: number;
  /** On the SERVER span, besides the caller. */
  readonly expect: Attributes;
  readonly route?: string;
}

/** What the service is asked for itself. */
const REQUESTS: readonly Asked[] = [
  {
    path: '/api/users/5?method_code=M7',
    status: 200,
    expect: { code: 'A1', method_code: 'M7' },
    route: '/api/users/:id',
  },
  {
    path: '/api/users',
    init: { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"method_code":"M1"}' },
    status: 201,
    expect: { code: '7', method_code: 'M1' },
    route: '/api/users',
  },
  {
    path: '/api/packed/gzip',
    init: { headers: { 'method-code': 'M2' } },
    status: 200,
    expect: { code: 'P1', method_code: 'M2' },
    route: '/api/packed/:how',
  },
  { path: '/api/packed/br', status: 200, expect: { code: 'P1' }, route: '/api/packed/:how' },
  { path: '/api/set', status: 200, expect: { code: 'SET', method_code: 'M900' }, route: '/api/set' },
  { path: '/api/page', status: 200, expect: { code: '-1' }, route: '/api/page' },
  { path: '/api/no-code', status: 200, expect: {}, route: '/api/no-code' },
  { path: '/api/fails', status: 500, expect: { code: 'E1' }, route: '/api/fails' },
  { path: '/middleware/x', status: 200, expect: { code: 'MW' }, route: '/middleware' },
  { path: '/no/such', status: 404, expect: { code: '-1' } },
];
const HANGING: Asked = { path: '/api/hangs', status: 0, expect: { code: '-1' }, route: '/api/hangs' };

let workshop: Workshop;
let partnerFile: string;
const addresses: Record<string, string> = { refused: `http://${REFUSED}` };
const servers: (Server & { closeAllConnections(): void })[] = [];

async function listen(name: string, server: http.Server | https.Server): Promise<void> {
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const scheme = server instanceof https.Server ? 'https' : 'http';
  addresses[name] = `${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

before(async () => {
  workshop = await openWorkshop();
  const answer: http.RequestListener = (request, response) => ANSWERS[request.url?.split('?')[0] ?? '']?.(response);
  const tls = (name: string) => readFileSync(join(FIXTURES, 'tls', name));
  await listen('partner', http.createServer(answer));
  await listen('tls', https.createServer({ key: tls('partner.key'), cert: tls('partner.crt') }, answer));
  await listen(
    'other',
    http.createServer((_request, response) => response.end('{"code":"OTHER"}')),
  );
  const entry = (name: string) => [
    new URL(addresses[name] as string).host,
    {
      partner: PARTNERS[name],
      paths: { '/v1/plain': `${PARTNERS[name]}01`, '/v1/orders/:id': `${PARTNERS[name]}02` },
    },
  ];
  partnerFile = join(workshop.folder, 'partners.json');
  writeFileSync(partnerFile, JSON.stringify({ hosts: Object.fromEntries(Object.keys(PARTNERS).map(entry)) }));
});

after(() => {
  for (const server of servers) {
    server.close();
    server.closeAllConnections();
  }
  workshop.remove();
});

interface Run {
  readonly app: string;
  readonly args: readonly string[];
  readonly node: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

interface Observed {
  readonly spans: readonly Span[];
  readonly port: number;
  readonly bodies: readonly string[];
  readonly stderr: string;
}

function callPath({ to, form }: { to: string; form?: string }): string {
  const [name, ...path] = to.split('/');
  const query = new URLSearchParams({ to: [addresses[name as string], ...path].join('/'), ...(form && { form }) });
  return `/api/call?${query}`;
}

/** Runs the service and asks everything, in the order of the tables. */
async function observe(application: string, { app: script, args, node, env }: Run): Promise<Observed> {
  const file = join(application, `spans-${process.hrtime.bigint()}.jsonl`);
  writeFileSync(file, '');
  const app = await runApp(join(application, script), {
    cwd: application,
    node,
    nodeArgs: args,
    env: {
      SPANS_FILE: file,
      OTHER_URL: addresses.other,
      CHANNEL_EXPORTER_PARTNERS: partnerFile,
      ...env,
    },
  });
  try {
    const bodies = [];
    for (const path of [...CALLS.map(callPath), ...REQUESTS.map((request) => request.path)]) {
      const asked = REQUESTS.find((request) => request.path === path);
      const headers = { 'user-agent': CALLER, ...(asked?.init?.headers as Record<string, string>) };
      const response = await fetch(`http://127.0.0.1:${app.port}${path}`, { ...asked?.init, headers });
      bodies.push(`${response.status} ${await response.text()}`);
      assert.equal(response.status, asked?.status ?? 200, `${path}\n${app.stderr()}`);
    }
    await leaveMidway(app.port);
    app.child.kill('SIGTERM');
    const { code } = await app.exited();
    assert.equal(code, 0, app.stderr());
    return { spans: readSpans(file), port: app.port, bodies, stderr: app.stderr() };
  } finally {
    await app.stop();
  }
}

async function leaveMidway(port: number): Promise<void> {
  const request = http.get({ port, host: '127.0.0.1', path: HANGING.path, headers: { 'user-agent': CALLER } });
  const [response] = await once(request, 'response');
  await once(response, 'data');
  response.on('error', () => undefined);
  request.destroy();
  await once(request, 'close');
}

/** What we have put on a span, by the names of our labels. */
function ours({ attributes }: Span): Attributes {
  return Object.fromEntries(
    Object.entries(attributes).flatMap(([name, value]) =>
      name.startsWith('channel.') ? [[name.slice('channel.'.length), value]] : [],
    ),
  );
}

/** Spans as they would be without us; where `isRouteOurs`, the route of inbound requests is from us too. */
function withoutOurs(spans: readonly Span[], isRouteOurs: boolean): readonly Span[] {
  return spans.map((span) => {
    const kept = Object.entries(span.attributes).filter(
      ([name]) => !name.startsWith('channel.') && !(isRouteOurs && span.kind === SERVER && name === 'http.route'),
    );
    return { ...span, attributes: Object.fromEntries(kept) };
  });
}

function assertStamped({ spans }: Observed, areRoutesKnown = true): void {
  const serverSpan = (path: string) => {
    const [pathname, query = ''] = path.split('?');
    return spans.find(
      ({ kind, attributes }) =>
        kind === SERVER && attributes['url.path'] === pathname && (attributes['url.query'] ?? '').toString() === query,
    );
  };
  for (const call of CALLS) {
    const what = `${call.to} ${call.form ?? ''}`;
    const parent = serverSpan(callPath(call));
    assert.ok(parent, what);
    const inTrace = spans.filter(({ traceId, kind }) => traceId === parent.traceId && kind === CLIENT);
    assert.equal(inTrace.length, 1, what);
    const partner = PARTNERS[call.to.split('/')[0] as string];
    assert.deepEqual(ours(inTrace[0] as Span), call.expect === 'none' ? {} : { partner, ...call.expect }, what);
  }
  for (const { path, expect, route } of [...REQUESTS, HANGING]) {
    // of those with the same path the method tells
    const span = serverSpan(path) as Span;
    assert.ok(span, path);
    assert.deepEqual(ours(span), { f_code: F_CODE, ...expect }, path);
    if (areRoutesKnown) assert.equal(span.attributes['http.route'], route, path);
  }
  for (const span of spans.filter(({ kind }) => kind !== SERVER && kind !== CLIENT)) {
    const isHandler = span.attributes['express.type'] === 'request_handler';
    assert.deepEqual(ours(span), isHandler ? { f_code: F_CODE } : {}, span.name);
  }
}

const WITHOUT = { how: 'without the exporter', args: [], env: {} };
const BEFORE = { how: 'with the exporter', args: OURS, env: {} };
const AFTER = { how: 'with the exporter loaded after it', args: OURS, isAfter: true, env: {} };
const OWN_SETTINGS = {
  how: 'without the exporter, with settings of its own',
  args: [],
  env: { CHANNEL_EXPORTER_PARTNERS: undefined, CHANNEL_EXPORTER_PORT: 'none', SYSCODE: undefined },
};
const APPLICATIONS = [
  {
    title: 'Express 5 and our versions of OpenTelemetry',
    packages: { express: '5.3.0', ...OUR_LINE, '@opentelemetry/api': '1.9.1' },
    program: CJS,
    isNewest: false,
    runs: [WITHOUT, BEFORE, AFTER, OWN_SETTINGS],
  },
  {
    title: 'Express 4 and our versions of OpenTelemetry',
    packages: { express: '4.22.3', ...OUR_LINE, '@opentelemetry/api': '1.9.1' },
    program: CJS,
    isNewest: false,
    runs: [WITHOUT, BEFORE],
  },
  {
    title: 'Express 5 and the newest versions, in ES modules',
    packages: { express: '5.3.0', ...NEWEST_LINE, '@opentelemetry/api': '1.10.0' },
    program: ESM,
    isNewest: true,
    runs: [WITHOUT, BEFORE],
  },
];

for (const [index, { title, packages, program, isNewest, runs }] of APPLICATIONS.entries()) {
  describe(`spans of an application with ${title}`, () => {
    const { app, tracing } = program;
    let application: string;
    let node: string;
    let bare: Observed;

    before(async () => {
      node = isNewest ? await workshop.newerNode() : nodeBinary();
      application = await workshop.install(`tracing-${index}`, packages);
      copyPrograms(join(FIXTURES, 'neighbours'), application);
      copyPrograms(join(FIXTURES, 'span-hooks'), application);
      bare = await observe(application, { app, args: tracing, node });
    });

    it('have nothing of ours without the hooks', () => {
      assert.equal(bare.spans.filter(({ kind }) => kind === CLIENT).length, CALLS.length);
      assert.deepEqual(
        bare.spans.flatMap((span) => Object.keys(ours(span))),
        [],
      );
    });

    for (const run of runs) {
      it(`are stamped, and else the same, ${run.how}`, async () => {
        const args = 'isAfter' in run ? [...tracing, ...run.args] : [...run.args, ...tracing];
        const hooks = run === OWN_SETTINGS ? { partners: partnerFile, partnersPreset: false } : {};
        const env = { ...run.env, HOOKS: JSON.stringify(hooks) };
        const stamped = await observe(application, { app, args, node, env });
        assertStamped(stamped);
        assert.deepEqual(treesOf(withoutOurs(stamped.spans, false), stamped.port), treesOf(bare.spans, bare.port));
        assert.deepEqual(stamped.bodies, bare.bodies);
        if (run.args.length === 0) assert.equal(stamped.stderr.replace(LOADER_DEPRECATION, ''), '');
      });
    }

    if (index > 0) return;

    it('have the route that the exporter knows where no other instrumentation tells it', async () => {
      const alone = { TRACING: 'http alone' };
      const without = await observe(application, { app, args: tracing, node, env: alone });
      const env = { ...alone, HOOKS: '{}' };
      const stamped = await observe(application, { app, args: [...OURS, ...tracing], node, env });
      const route = (path: string) =>
        stamped.spans.find(({ kind, attributes }) => kind === SERVER && attributes['url.path'] === path)?.attributes[
          'http.route'
        ];
      assert.equal(route('/api/users/5'), '/api/users/:id');
      assert.equal(route('/api/packed/gzip'), '/api/packed/:how');
      assert.equal(route('/middleware/x'), undefined);
      assertStamped(stamped, false);
      assert.deepEqual(treesOf(withoutOurs(stamped.spans, true), stamped.port), treesOf(without.spans, without.port));
    });

    it('have no partner where the settings are faulty, which is said once', async () => {
      const env = { HOOKS: JSON.stringify({ partners: '/no/such/file', partnerPreset: false }) };
      const { spans, stderr, bodies } = await observe(application, { app, args: tracing, node, env });
      assert.match(
        stderr,
        /^channel-exporter: spans are not stamped with partners:\nCHX_OPTION_UNKNOWN: .*\nCHX_PARTNERS_UNREADABLE: .*\n$/,
      );
      assert.deepEqual(bodies, bare.bodies);
      for (const span of spans.filter(({ kind }) => kind === CLIENT)) assert.deepEqual(ours(span), {});
      assert.ok(spans.some((span) => ours(span).code === 'A1'));
    });
  });
}
