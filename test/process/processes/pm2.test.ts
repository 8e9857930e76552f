/** PM2 in cluster and fork mode, with its own daemon in a world of its own. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { environment, nodeBinary } from '../../support/app';
import type { Metrics } from '../../support/metrics';
import { ROOT } from '../../support/paths';
import {
  ask,
  countOf,
  openWorld,
  PRELOAD_PATH,
  PROGRAMS,
  send,
  stateOf,
  until,
  type World,
} from '../../support/service';

const run = promisify(execFile);
const PM2 = 'pm2@7.0.4';
const INSTALL_LIMIT_MS = 180_000;
const PROCESSES = 'channel_exporter_processes';
const INSTANCES = 3;
const REQUESTS = 30;

// its licence keeps PM2 out of this project's own dependencies
describe('PM2', () => {
  let world: World;
  let pm2: (...args: string[]) => Promise<void>;
  let appPort = 0;

  before(async () => {
    world = await openWorld();
    const cwd = world.folder;
    writeFileSync(join(cwd, 'package.json'), JSON.stringify({ name: 'app', private: true, version: '1.0.0' }));
    const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline', '--no-package-lock'];
    await run('npm', ['install', ...flags, PM2], { cwd, timeout: INSTALL_LIMIT_MS });
    cpSync(join(PROGRAMS, 'service.js'), join(cwd, 'service.js'));
    cpSync(join(PROGRAMS, 'own-metrics.js'), join(cwd, 'own-metrics.js'));
    symlinkSync(ROOT, join(cwd, 'node_modules/channel-exporter'));
    symlinkSync(join(ROOT, 'node_modules/prom-client'), join(cwd, 'node_modules/prom-client'));
    // a free port, found by the world of the other port
    const other = await openWorld();
    appPort = other.port;
    await other.end();
    const env = environment({
      SYSCODE: undefined,
      CHANNEL_EXPORTER_PORT: undefined,
      TMPDIR: cwd,
      XDG_RUNTIME_DIR: undefined,
      PM2_HOME: join(cwd, 'pm2'),
      // the CLI and the daemon are preloaded too, and stay out
      NODE_OPTIONS: `-r ${PRELOAD_PATH}`,
    });
    pm2 = async (...args) => {
      await run(nodeBinary(), [join(cwd, 'node_modules/pm2/bin/pm2'), ...args], { cwd, env });
    };
  });

  after(async () => {
    await pm2('kill');
    await world.end();
  });

  /** Waits for PM2 to serve on the application's port. */
  const served = () =>
    until(
      () =>
        ask(appPort, '/y').then(
          () => true,
          () => false,
        ),
      'the application does not answer',
    );

  const membersAre = (count: number) =>
    world.scrapeWhen(
      (seen) =>
        stateOf(seen, PROCESSES, { state: 'hub' }) === 1 && stateOf(seen, PROCESSES, { state: 'member' }) === count,
    );

  const MODES = [
    { mode: 'cluster', instances: INSTANCES, members: INSTANCES - 1, reload: true },
    { mode: 'fork', instances: 1, members: 0, reload: false },
  ];
  for (const { mode, instances, members, reload } of MODES) {
    it(`in ${mode} mode is measured to the unit${reload ? ', and goes on without a gap when it is reloaded' : ''}`, async () => {
      const ecosystem = join(world.folder, `${mode}.config.js`);
      const application = {
        name: mode,
        script: 'service.js',
        exec_mode: mode,
        instances,
        node_args: `-r ${PRELOAD_PATH}`,
        env: { SYSCODE: 'A123010101', CHANNEL_EXPORTER_PORT: String(world.port), APP_PORT: String(appPort) },
      };
      writeFileSync(ecosystem, `module.exports = ${JSON.stringify({ apps: [application] })};`);
      await pm2('start', ecosystem);
      await served();
      await membersAre(members);
      const before = countOf(await world.scrape());
      await send(appPort, REQUESTS);
      const metrics = await world.counted(before + REQUESTS);
      assert.equal(countOf(metrics), before + REQUESTS);
      if (reload) {
        await pm2('reload', mode);
        await membersAre(members);
        const afterReload = countOf(await world.scrape());
        assert.ok(afterReload <= before + REQUESTS, 'nothing is counted twice');
        await send(appPort, REQUESTS);
        assert.equal(countOf(await world.counted(afterReload + REQUESTS)), afterReload + REQUESTS);
      }
      await pm2('delete', mode);
    });
  }

  it('runs the ecosystem of ops/deploy, each of its services under a port of its own', async () => {
    const other = await openWorld();
    const path = join(world.folder, 'ecosystem.config.js');
    const file = join(ROOT, 'ops/deploy/pm2/ecosystem.config.cjs');
    const ports = [world.port, other.port];
    // its ports may be taken here, and its services are this one
    writeFileSync(
      path,
      `const { apps } = require(${JSON.stringify(file)});
      const ports = ${JSON.stringify(ports)};
      for (const [index, app] of apps.entries()) {
        app.script = 'service.js';
        Object.assign(app.env, { CHANNEL_EXPORTER_PORT: String(ports[index]), APP_PORT: index === 0 ? ${appPort} : 0 });
      }
      module.exports = { apps };`,
    );
    await pm2('start', path);
    await served();
    await membersAre(3);
    await send(appPort, REQUESTS);
    await world.counted(REQUESTS);
    const billing = await other.scrapeWhen((seen) => stateOf(seen, PROCESSES, { state: 'hub' }) === 1);
    assert.ok(billing.text.includes('application="A123010102"'));
    await pm2('delete', 'all');
    await other.end();
  });

  it('has what the instances of a cluster measure themselves, to the unit', async () => {
    const ecosystem = join(world.folder, 'own.config.js');
    const application = {
      ...{ name: 'own', script: 'own-metrics.js', exec_mode: 'cluster', instances: INSTANCES },
      node_args: `-r ${PRELOAD_PATH}`,
      env: {
        ...{ SYSCODE: 'A123010101', CHANNEL_EXPORTER_PORT: String(world.port), APP_PORT: String(appPort) },
        CHANNEL_EXPORTER_PROM_CLIENT: '1',
      },
    };
    writeFileSync(ecosystem, `module.exports = ${JSON.stringify({ apps: [application] })};`);
    await pm2('start', ecosystem);
    await served();
    await membersAre(INSTANCES - 1);
    const sums = (metrics: Metrics) =>
      ['orders_total', 'orders_observed_total', 'wait_seconds_count', 'visits_total', 'waits_count'].map((name) =>
        metrics.samples.filter((sample) => sample.name === name).reduce((sum, { value }) => sum + value, 0),
      );
    const [before = 0] = sums(await world.scrape());
    await send(appPort, REQUESTS);
    const metrics = await world.scrapeWhen((seen) => (sums(seen)[0] ?? 0) >= before + REQUESTS);
    assert.deepEqual(sums(metrics), new Array(5).fill(before + REQUESTS));
    await pm2('delete', 'own');
  });
});
