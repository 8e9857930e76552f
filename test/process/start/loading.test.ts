/** Every way to load an application and us: each program makes the same series, whatever the way. */
import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type App, type AppOptions, INNER, PARTNER, runApp, SYSCODE } from '../../support/app';
import { BUNDLERS, type BundleOptions, type Bundler, type Bundles, openBundles } from '../../support/bundle';
import { FIXTURES, ROOT } from '../../support/paths';

interface Row {
  readonly name: string;
  /** File in test/fixtures/loading. */
  readonly program: string;
  readonly options?: AppOptions;
  /** Where the program is bundled first. */
  readonly bundle?: BundleOptions & { readonly bundler: Bundler };
  /** What is left out of the bundle, and found in the project. */
  readonly external?: readonly string[];
  /** Labels `path` of two requests, where they are not the template. */
  readonly paths?: readonly string[];
  /** What is said beyond the line at the start. */
  readonly says?: RegExp;
}

const REGISTER = 'channel-exporter/register';
const TEMPLATE = '/api/users/:id';
const CONCRETE = ['/api/users/1', '/api/users/2'];
const TSX = ['--import', 'tsx'];

const ROWS: readonly Row[] = [
  { name: 'CommonJS under -r', program: 'express.js' },
  { name: 'CommonJS under --import', program: 'express.js', options: { nodeArgs: ['--import', REGISTER] } },
  { name: 'CommonJS under NODE_OPTIONS=-r', program: 'express.js', options: byVariable(`-r ${REGISTER}`) },
  { name: 'CommonJS under NODE_OPTIONS=--import', program: 'express.js', options: byVariable(`--import ${REGISTER}`) },
  { name: 'CommonJS, Express 4, under -r', program: 'express4.js' },
  { name: 'CommonJS, Fastify, under -r', program: 'fastify.js' },
  { name: 'CommonJS, the package router, under -r', program: 'router.js' },
  { name: 'an ES module under -r', program: 'express.mjs' },
  { name: 'an ES module under --import', program: 'express.mjs', options: { nodeArgs: ['--import', REGISTER] } },
  { name: 'an ES module under NODE_OPTIONS=-r', program: 'express.mjs', options: byVariable(`-r ${REGISTER}`) },
  {
    name: 'an ES module under NODE_OPTIONS=--import',
    program: 'express.mjs',
    options: byVariable(`--import ${REGISTER}`),
  },
  { name: 'CommonJS that starts in its first line', program: 'started.js', options: { nodeArgs: [] } },
  { name: 'an ES module that starts in its first line', program: 'started.mjs', options: { nodeArgs: [] } },
  { name: 'an ES module that starts behind its routes', program: 'started-late.mjs', options: { nodeArgs: [] } },
  { name: 'a start in the first line under -r', program: 'started.js' },
  { name: 'TypeScript through tsx, as CommonJS', program: 'express-typed.ts', options: tsx('-r', REGISTER, ...TSX) },
  {
    name: 'TypeScript through tsx, as an ES module',
    program: 'express-typed.mts',
    options: tsx('-r', REGISTER, ...TSX),
  },
  { name: 'TypeScript with us behind tsx', program: 'express-typed.mts', options: tsx(...TSX, '--import', REGISTER) },
  {
    name: 'TypeScript under NODE_OPTIONS',
    program: 'express-typed.ts',
    options: byVariable(`-r ${REGISTER} ${TSX.join(' ')}`),
  },

  ...bundled('Express 5', 'express.js'),
  ...bundled('Express 4', 'express4.js'),
  ...bundled('Express 5 behind a listener', 'wrapped.js'),
  ...bundled('Express 4 behind a listener', 'wrapped4.js'),
  ...bundled('Fastify', 'fastify.js'),
  ...bundled('node:http', 'http.js', { paths: CONCRETE }),
  ...bundled('a program that starts in its first line', 'started.js', { options: { nodeArgs: [] } }),
  ...bundled('Express 5 left out of the bundle', 'express.js', { external: ['express'] }),
  ...bundled('the package router', 'router.js', {
    paths: CONCRETE,
    says: /^channel-exporter: CHX_ROUTE_UNSEEN: .*--external:express.*externals.*$/,
  }),
];

function byVariable(value: string): AppOptions {
  return { nodeArgs: [], env: { NODE_OPTIONS: value } };
}

function tsx(...nodeArgs: string[]): AppOptions {
  // tsx keeps what it has compiled in a folder of the user
  return { nodeArgs, env: { TSX_DISABLE_CACHE: '1' } };
}

function bundled(what: string, program: string, rest: Partial<Row> = {}): Row[] {
  // webpack takes seconds to minify; once is enough
  const tried = BUNDLERS.filter(({ bundler, minify }) => program === 'express.js' || bundler === 'esbuild' || !minify);
  return tried.map(({ bundler, minify, name }) => ({
    name: `${what}, bundled by ${name}`,
    program,
    bundle: { bundler, minify },
    ...rest,
  }));
}

describe('a service loaded as', () => {
  let partner: Server;
  let bundles: Bundles;
  let partnerUrl: string;

  before(async () => {
    bundles = openBundles();
    partner = createServer((request, response) => request.resume().on('end', () => response.end('{"code":"00"}')));
    await new Promise<void>((resolve) => partner.listen(0, '127.0.0.1', resolve));
    partnerUrl = `http://127.0.0.1:${(partner.address() as AddressInfo).port}`;
    const hosts = { [new URL(partnerUrl).host]: { partner: '12', paths: { '/pay/:id': '1201' } } };
    writeFileSync(join(bundles.folder, 'partners.json'), JSON.stringify({ hosts }));
  });
  after(() => {
    partner?.close();
    partner?.closeAllConnections();
    bundles?.remove();
  });

  for (const row of ROWS) {
    it(`${row.name} makes complete series`, async () => {
      const { program, options, bundle, external = [], paths = [TEMPLATE, TEMPLATE], says } = row;
      const source = join(FIXTURES, 'loading', program);
      const script =
        bundle === undefined ? source : await bundles.makeFrom(bundle.bundler, source, { ...bundle, external });
      const env = {
        ...options?.env,
        ...(external.length > 0 ? { NODE_PATH: join(ROOT, 'node_modules') } : {}),
        PARTNER_URL: partnerUrl,
        CHANNEL_EXPORTER_PARTNERS: join(bundles.folder, 'partners.json'),
      };
      const app = await runApp(script, { ...options, env });
      try {
        await makesSeries(app, paths);
        const [start = '', ...lines] = app.stderr().trimEnd().split('\n');
        assert.match(start, /; observes /);
        // in a bundle Express is found with the first request, and behind tsx something has listened before
        const warnings = lines.filter((line) => line !== 'channel-exporter: observes express from now on');
        assert.equal(warnings.length, says === undefined ? 0 : 1, app.stderr());
        assert.ok(lines.length - warnings.length <= 1, app.stderr());
        if (says !== undefined) assert.match(warnings.join('\n'), says);
      } finally {
        await app.stop();
      }
    });
  }
});

async function makesSeries(app: App, paths: readonly string[]): Promise<void> {
  for (const id of [1, 2]) {
    const response = await fetch(`http://127.0.0.1:${app.port}/api/users/${id}`, { headers: { 'user-agent': 'T' } });
    assert.equal(response.status, 200);
    assert.deepEqual(await response.json(), { code: 'A1' });
  }
  const total = (counts: readonly { count: number }[]) => counts.reduce((sum, { count }) => sum + count, 0);
  const metrics = await app.metricsWhen((seen) => total(seen.counts(INNER)) === 2 && total(seen.counts(PARTNER)) === 2);
  const identity = { appid: SYSCODE.slice(0, 4), application: SYSCODE };
  const series = [...new Set(paths)].map((path) => ({
    labels: { ...identity, f_code: 'T', path, http_status: '200', code: 'A1', method_code: '' },
    count: paths.filter((each) => each === path).length,
  }));
  assert.deepEqual(metrics.counts(INNER), series);
  assert.deepEqual(metrics.counts(PARTNER), [
    { labels: { ...identity, partner: '12', action_code: '1201', http_status: '200', code: '00' }, count: 2 },
  ]);
}
