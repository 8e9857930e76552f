/** Launchers are told by their command lines; what may be the application never is one. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { applicationEnvironment, launcherOf } from '../../src/processes/launchers';

interface Case {
  readonly script: string;
  readonly args?: readonly string[];
  readonly execArgv?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

const nameOf = ({ script, args = [], execArgv = [], env = {} }: Case) =>
  launcherOf({ argv: ['/usr/bin/node', script, ...args], execArgv, env });

describe('a launcher', () => {
  const LAUNCHERS: readonly (Case & { readonly name: string })[] = [
    { name: 'npm', script: '/usr/bin/npm' },
    { name: 'npm', script: '/usr/lib/node_modules/npm/bin/npm-cli.js' },
    { name: 'npm', script: 'C:\\Program Files\\nodejs\\node_modules\\npm\\bin\\npx-cli.js' },
    { name: 'yarn', script: '/usr/local/bin/yarn' },
    { name: 'yarn', script: '/usr/local/lib/node_modules/yarn/bin/yarn.js' },
    { name: 'yarn', script: '/app/.yarn/releases/yarn-4.9.1.cjs' },
    { name: 'yarn', script: '/usr/lib/node_modules/corepack/dist/yarn.js' },
    { name: 'pnpm', script: '/usr/local/bin/pnpm' },
    { name: 'pnpm', script: '/usr/lib/node_modules/pnpm/bin/pnpm.cjs' },
    { name: 'pnpm', script: '/usr/lib/node_modules/corepack/dist/pnpm.js' },
    { name: 'corepack', script: '/usr/bin/corepack' },
    { name: 'nodemon', script: '/app/node_modules/.bin/nodemon' },
    { name: 'nodemon', script: 'C:\\app\\node_modules\\nodemon\\bin\\nodemon.js' },
    { name: 'tsx', script: '/app/node_modules/.bin/tsx' },
    { name: 'tsx', script: '/app/node_modules/tsx/dist/cli.mjs' },
    { name: 'pm2', script: '/usr/local/bin/pm2' },
    { name: 'pm2', script: '/usr/local/lib/node_modules/pm2/lib/Daemon.js' },
    { name: 'egg-scripts', script: '/app/node_modules/.bin/egg-scripts', args: ['start'] },
    { name: 'egg-scripts', script: '/app/node_modules/egg-scripts/bin/egg-scripts.js', args: ['stop'] },
    { name: 'egg-scripts', script: '/app/node_modules/@eggjs/scripts/bin/run.js', args: ['start', '--daemon'] },
    { name: 'egg-scripts', script: '/app/node_modules/egg-bin/bin/egg-bin.js', args: ['dev'] },
    { name: 'channel-exporter', script: '/app/node_modules/.bin/channel-exporter', args: ['doctor'] },
    { name: 'channel-exporter', script: '/app/node_modules/channel-exporter/bin/channel-exporter.js' },
    { name: 'next dev', script: '/app/node_modules/.bin/next' },
    { name: 'next dev', script: '/app/node_modules/next/dist/bin/next', args: ['dev', '-p', '80'] },
    { name: 'node --watch', script: '/app/server.js', execArgv: ['--watch'] },
    { name: 'node --watch', script: '/app/server.js', execArgv: ['-r', 'x', '--watch-path=src'] },
    { name: 'node --test', script: '', execArgv: ['--test'] },
  ];
  for (const row of LAUNCHERS) {
    it(`is ${[...(row.execArgv ?? []), row.script, ...(row.args ?? [])].join(' ')}`, () =>
      assert.equal(nameOf(row), row.name));
  }

  const APPLICATIONS: readonly Case[] = [
    { script: '/app/server.js' },
    { script: '/app/npm.js' },
    { script: '/app/channel-exporter.js' },
    { script: '/app/channel-exporter/server.js' },
    { script: '/app/yarn.js' },
    { script: '/app/src/pm2/index.js' },
    { script: '/app/nodemon/server.js' },
    { script: '/usr/local/lib/node_modules/pm2/lib/ProcessContainer.js' },
    { script: '/usr/local/lib/node_modules/pm2/lib/ProcessContainerFork.js' },
    { script: '/app/node_modules/egg-scripts/lib/start-cluster', args: ['{"baseDir":"/app"}'] },
    { script: '/app/node_modules/@eggjs/scripts/scripts/start-cluster.mjs' },
    { script: '/app/node_modules/egg-cluster/lib/app_worker.js' },
    { script: '/app/node_modules/egg-cluster/lib/agent_worker.js' },
    { script: '/app/node_modules/.bin/next', args: ['start'] },
    { script: '/app/server.js', execArgv: ['--watch'], env: { WATCH_REPORT_DEPENDENCIES: '1' } },
    { script: '/app/server.test.js', execArgv: ['--test'], env: { NODE_TEST_CONTEXT: 'child-v8' } },
    { script: '' },
  ];
  for (const row of APPLICATIONS) {
    it(`is not ${[...(row.execArgv ?? []), row.script, ...(row.args ?? [])].join(' ') || 'an interactive session'}`, () =>
      assert.equal(nameOf(row), undefined));
  }
});

describe('the environment of the application', () => {
  it('is the own one without PM2', () => {
    const env = { SYSCODE: 'A123010101' };
    assert.equal(applicationEnvironment(env), env);
  });

  it('has what PM2 has folded into pm2_env, which wins as it does later', () => {
    const pm2_env = JSON.stringify({ SYSCODE: 'B123010101', CHANNEL_EXPORTER_PORT: 9170, env: {}, axm_dynamic: null });
    const env = applicationEnvironment({ SYSCODE: 'A123010101', HOME: '/root', pm2_env });
    assert.deepEqual(env, { SYSCODE: 'B123010101', CHANNEL_EXPORTER_PORT: '9170', HOME: '/root', pm2_env });
  });

  for (const pm2_env of ['{', 'null', '7']) {
    it(`is the own one when pm2_env is ${pm2_env}`, () =>
      assert.deepEqual(applicationEnvironment({ pm2_env, A: '1' }), { pm2_env, A: '1' }));
  }
});
