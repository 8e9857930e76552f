/** The package as a user gets it: packed, installed into an empty application, and used in every way there is. */
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { environment, INNER, nodeBinary, runApp, SYSCODE } from '../../support/app';
import { copyPrograms, openWorkshop, type Workshop } from '../../support/packed';
import { FIXTURES } from '../../support/paths';

const PACKAGES = { express: '5.3.0', typescript: '5.9.3', '@types/node': '20.19.43' };
const REGISTER = 'channel-exporter/register';

const USES = [
  { name: 'CommonJS under -r', script: 'app.cjs', args: ['-r', REGISTER], code: 'A1', methodCode: '' },
  { name: 'CommonJS that starts in its first line', script: 'started.cjs', args: [], code: 'SET', methodCode: '7' },
  {
    name: 'CommonJS that starts under -r',
    script: 'started.cjs',
    args: ['-r', REGISTER],
    code: 'SET',
    methodCode: '7',
  },
  { name: 'an ES module under -r', script: 'app.mjs', args: ['-r', REGISTER], code: 'A1', methodCode: '' },
  { name: 'an ES module under --import', script: 'app.mjs', args: ['--import', REGISTER], code: 'A1', methodCode: '' },
  { name: 'an ES module that starts in its first line', script: 'started.mjs', args: [], code: 'SET', methodCode: '7' },
  {
    name: 'an ES module that starts after its imports',
    script: 'started-late.mjs',
    args: [],
    code: 'A1',
    methodCode: '',
  },
  {
    name: 'an ES module that starts under --import',
    script: 'started.mjs',
    args: ['--import', REGISTER],
    code: 'SET',
    methodCode: '7',
  },
] as const;

const RESOLUTIONS = [
  { module: 'nodenext', moduleResolution: 'nodenext', type: 'commonjs' },
  { module: 'nodenext', moduleResolution: 'nodenext', type: 'module' },
  { module: 'esnext', moduleResolution: 'bundler', type: 'module' },
  // the classic one of CommonJS projects, which does not read "exports"
  { module: 'commonjs', moduleResolution: 'node10', type: 'commonjs' },
] as const;

/** Everything that a user needs, and what its pages link to. What is built is told by its folder. */
const CARRIED = [
  /^dist\/(register|(src|bundles)\/.+)\.(js|d\.ts|json)$/,
  /^bin\/channel-exporter\.js$/,
  /^dist\/third-party-licences\.txt$/,
  /^schema\/.+\.json$/,
  /^ops\/(README\.md|query-dashboard\.mjs|dashboards\/\w+\.json|rules\/[\w.]+\.yaml)$/,
  /^(package\.json|LICENSE)$/,
  /^(README(\.zh-CN)?|CHANGELOG|CONTRIBUTING|SECURITY)\.md$/,
  /^docs\/.+\.md$/,
  /^examples\/.+\.(md|js|mjs|ts|yaml|json)$/,
  /^ops\/.+\/(Dockerfile|[\w.-]+\.(Dockerfile|ya?ml|json|cjs|service|md))$/,
  /^benchmarks\/README\.md$/,
];
/** Of the pages in two languages and the examples; they come with every installation. */
const PAGES_LIMIT_BYTES = 720_000;
/** Of all of it. Everything that it depends on, and cannot do without, has six times as much. */
const PACKAGE_LIMIT_BYTES = 2_400_000;
/** Of dashboards, rules and files for a deployment. */
const OPS_LIMIT_BYTES = 180_000;

/** Sums and buckets depend on the time that a request took. */
const withoutTime = (line: string) => line.replace(/^(\w+_(?:sum|bucket)\{.*\}) .*$/, '$1');
const blocksOf = (page: string, language: string) =>
  [...page.matchAll(/^```(\w+)\n(.*?)^```$/gms)].flatMap(([, name, block]) =>
    name === language ? [block as string] : [],
  );
const withoutPort = (line: string) => line.replace(/localhost:\d+/, 'localhost');

describe('the packed package, in an application that had nothing', () => {
  let workshop: Workshop;
  let application: string;

  before(async () => {
    workshop = await openWorkshop();
    application = await workshop.install('application', PACKAGES);
    copyPrograms(join(FIXTURES, 'packed'), application);
  });

  after(() => workshop.remove());

  for (const { name, script, args, code, methodCode } of USES) {
    it(`measures ${name}`, async () => {
      const app = await runApp(join(application, script), { cwd: application, nodeArgs: args });
      try {
        const response = await fetch(`http://127.0.0.1:${app.port}/users/5`, { headers: { 'user-agent': 'T' } });
        const answer = (await response.json()) as { code: string; url?: string; isError?: boolean };
        assert.equal(answer.code, 'A1');
        if (answer.url !== undefined) {
          assert.equal(answer.url, app.metricsUrl, 'the address that start() gives is the one that is served');
          assert.equal(answer.isError, true);
        }
        const metrics = await app.metricsWhen((seen) => seen.counts(INNER).length > 0);
        assert.deepEqual(metrics.counts(INNER), [
          {
            labels: {
              appid: 'A123',
              application: SYSCODE,
              f_code: 'T',
              path: '/users/:id',
              http_status: '200',
              code,
              method_code: methodCode,
            },
            count: 1,
          },
        ]);
        assert.equal(app.stdout(), `ready ${app.port}\n`);
      } finally {
        await app.stop();
      }
    });
  }

  it('has a command', () => {
    const command = join(application, 'node_modules/.bin/channel-exporter');
    const env = environment({ CHANNEL_EXPORTER_PORT: 'x' });
    const { status, stdout } = spawnSync(nodeBinary(), [command, 'check'], { cwd: application, env, encoding: 'utf8' });
    assert.match(stdout, /^CHX_PORT_INVALID: /);
    assert.equal(status, 1);
  });

  it('runs the service of the README, and gives the lines that it shows', async () => {
    const shown = readFileSync(join(application, 'node_modules/channel-exporter/README.md'), 'utf8');
    const [program = ''] = blocksOf(shown, 'js');
    const [start, calls] = blocksOf(shown, 'console').map((block) => block.trimEnd().split('\n'));
    const listen = "app.listen(0, function () { console.log('ready', this.address().port); })";
    writeFileSync(join(application, 'readme.js'), program.replace('app.listen(3000)', listen));
    const app = await runApp(join(application, 'readme.js'), { cwd: application });
    try {
      const caller = { 'user-agent': 'curl/7.88.1' };
      const response = await fetch(`http://127.0.0.1:${app.port}/api/orders/7`, { headers: caller });
      assert.equal(await response.text(), calls?.[1]);
      const { text } = await app.metricsWhen((seen) => seen.counts(INNER).length > 0);
      assert.deepEqual(text.split('\n').slice(0, 5).map(withoutTime), calls?.slice(3).map(withoutTime));
      assert.equal(withoutPort(app.stderr().trimEnd()), withoutPort(start?.[1] ?? ''));
    } finally {
      await app.stop();
    }
  });

  for (const { module, moduleResolution, type } of RESOLUTIONS) {
    it(`is typed for TypeScript, ${type}, module ${module}, resolution ${moduleResolution}`, () => {
      const file = join(application, `typed.${type === 'module' ? 'mts' : 'cts'}`);
      copyFileSync(join(FIXTURES, 'packed/typed.ts.txt'), file);
      const tsconfig = join(application, `tsconfig.${type}.${module}.json`);
      const compilerOptions = {
        strict: true,
        exactOptionalPropertyTypes: true,
        noUncheckedIndexedAccess: true,
        skipLibCheck: false,
        noEmit: true,
        target: 'es2022',
        lib: ['es2023'],
        types: ['node'],
        noUncheckedSideEffectImports: true,
        module,
        moduleResolution,
      };
      writeFileSync(tsconfig, JSON.stringify({ compilerOptions, files: [file] }));
      const tsc = join(application, 'node_modules/typescript/bin/tsc');
      const { status, stdout } = spawnSync(nodeBinary(), [tsc, '-p', tsconfig], { encoding: 'utf8' });
      assert.equal(status, 0, stdout);
    });
  }

  it('lets its version be read, and nothing inside it be reached', () => {
    const script = `
      console.log(require('channel-exporter/package.json').name);
      try { require('channel-exporter/dist/src/start.js'); } catch (error) { console.log(error.code); }`;
    const stdout = execFileSync(nodeBinary(), ['-e', script], {
      cwd: application,
      env: environment(),
      encoding: 'utf8',
    });
    assert.equal(stdout, 'channel-exporter\nERR_PACKAGE_PATH_NOT_EXPORTED\n');
  });

  it('carries what a user needs and nothing else', () => {
    const files = execFileSync('tar', ['-tzf', workshop.tarball], { encoding: 'utf8' })
      .split('\n')
      .filter((name) => name !== '')
      .map((name) => name.replace(/^package\//, ''));
    assert.deepEqual(
      files.filter((name) => !CARRIED.some((carried) => carried.test(name))),
      [],
    );
    for (const needed of ['dist/register.js', 'dist/register.d.ts', 'dist/src/index.js', 'LICENSE', 'docs/errors.md']) {
      assert.ok(files.includes(needed), needed);
    }
    const bytesOf = (names: readonly string[]) =>
      names.reduce((sum, name) => sum + statSync(join(application, 'node_modules/channel-exporter', name)).size, 0);
    const all = bytesOf(files);
    assert.ok(all < PACKAGE_LIMIT_BYTES, `${all} bytes in all`);
    const isOps = (name: string) => name.startsWith('ops/');
    const pages = bytesOf(files.filter((name) => !isOps(name) && !/^(dist|schema)\/|^package\.json$/.test(name)));
    assert.ok(pages < PAGES_LIMIT_BYTES, `${pages} bytes of pages and examples`);
    const ops = bytesOf(files.filter(isOps));
    assert.ok(ops < OPS_LIMIT_BYTES, `${ops} bytes of dashboards and rules`);
  });
});
