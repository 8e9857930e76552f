/** A launcher under NODE_OPTIONS stays out: what it starts has the port, and says the one line. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { nodeBinary } from '../../support/app';
import { reportNotRun } from '../../support/debian';
import { ROOT } from '../../support/paths';
import { countOf, openWorld, PRELOAD_PATH, PROGRAMS, send, stateOf } from '../../support/service';

const PROCESSES = 'channel_exporter_processes';
const REQUESTS = 10;
const bin = (name: string) => join(ROOT, 'node_modules/.bin', name);

interface Start {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** What package.json says beside the scripts. */
  readonly manifest?: object;
}

/** Proves that the service has the port, its requests to the unit, and the one line on stderr. */
async function isMeasuredAlone({ command, args, env, manifest }: Start): Promise<void> {
  const world = await openWorld();
  try {
    const cwd = join(world.folder, 'app');
    mkdirSync(cwd);
    cpSync(join(PROGRAMS, 'service.js'), join(cwd, 'service.js'));
    const scripts = { start: 'node service.js', watch: `"${bin('nodemon')}" service.js` };
    writeFileSync(join(cwd, 'package.json'), JSON.stringify({ name: 'app', version: '1.0.0', scripts, ...manifest }));
    const service = world.start({
      command,
      args,
      cwd,
      env: { NODE_OPTIONS: `-r ${PRELOAD_PATH}`, HOME: world.folder, CI: '1', ...env },
    });
    const [ready] = await service.ready(1);
    assert.ok(ready);
    await send(ready.port, REQUESTS);
    const metrics = await world.counted(REQUESTS);
    assert.equal(countOf(metrics), REQUESTS);
    const states = ['hub', 'member', 'gone'].map((state) => stateOf(metrics, PROCESSES, { state }));
    assert.deepEqual(states, [1, 0, 0]);
    assert.equal(service.said('/metrics;').length, 1, service.output());
    assert.equal(service.said('').length, 1, service.output());
  } finally {
    await world.end();
  }
}

describe('a service that is started under NODE_OPTIONS', () => {
  const STARTS: readonly Start[] = [
    { name: 'node', command: nodeBinary(), args: ['service.js'] },
    { name: 'npm start', command: 'npm', args: ['start'] },
    { name: 'npx', command: 'npx', args: ['--no-install', '-c', 'node service.js'] },
    { name: 'yarn start', command: bin('yarn'), args: ['start'] },
    { name: 'pnpm start', command: bin('pnpm'), args: ['start'] },
    { name: 'tsx', command: bin('tsx'), args: ['service.js'] },
    { name: 'tsx watch', command: bin('tsx'), args: ['watch', 'service.js'] },
    { name: 'nodemon', command: bin('nodemon'), args: ['service.js'] },
    { name: 'npm start over nodemon', command: 'npm', args: ['run', 'watch'] },
    { name: 'node --watch', command: nodeBinary(), args: ['--watch', 'service.js'] },
  ];
  for (const start of STARTS) {
    it(`by ${start.name} is measured, and nothing else is`, () => isMeasuredAlone(start));
  }
});

/**
 * Not among the project's packages, because its own `yarn` and `pnpm` would take the names of the real ones. It finds
 * those, copied from there, where it keeps what it has downloaded, and downloads nothing.
 */
describe('a service that is started by corepack under NODE_OPTIONS', () => {
  const COREPACK = 'corepack@0.34.7';
  const MANAGERS = ['yarn', 'pnpm'];
  const folder = mkdtempSync(join(tmpdir(), 'chx-corepack-'));
  const dist = join(folder, 'node_modules/corepack/dist');
  const env = { COREPACK_HOME: join(folder, 'home'), COREPACK_ENABLE_NETWORK: '0' };
  let missing: string | undefined;

  before(() => {
    const flags = ['--no-save', '--no-audit', '--no-fund', '--prefer-offline', '--prefix', folder];
    const { status, stderr } = spawnSync('npm', ['install', ...flags, COREPACK], { encoding: 'utf8' });
    if (status !== 0) missing = `corepack could not be installed: ${stderr}`;
    for (const name of MANAGERS) keep(name);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  /** As corepack does with an archive that it has decompressed. */
  function keep(name: string): void {
    const { version, bin } = manifestOf(name);
    const home = join(env.COREPACK_HOME, 'v1', name, version);
    cpSync(join(ROOT, 'node_modules', name), home, { recursive: true });
    const locator = { name, reference: version };
    writeFileSync(join(home, '.corepack'), JSON.stringify({ locator, bin, hash: 'sha1.none' }));
  }

  function manifestOf(name: string): { version: string; bin: Record<string, string> } {
    return JSON.parse(readFileSync(join(ROOT, 'node_modules', name, 'package.json'), 'utf8'));
  }

  const STARTS = MANAGERS.flatMap((name) => {
    const manifest = { packageManager: `${name}@${manifestOf(name).version}` };
    return [
      { name: `corepack ${name} start`, args: [join(dist, 'corepack.js'), name, 'start'], manifest },
      { name: `corepack's own ${name} start`, args: [join(dist, `${name}.js`), 'start'], manifest },
    ];
  });
  for (const start of STARTS) {
    it(`by ${start.name} is measured, and nothing else is`, async (t: TestContext) => {
      // it may need a newer Node than the service
      if (missing === undefined) await isMeasuredAlone({ ...start, command: process.execPath, env });
      else reportNotRun(t, missing);
    });
  }
});
