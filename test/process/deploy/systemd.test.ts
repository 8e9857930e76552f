/** The unit of ops/deploy/systemd, as systemd itself reads it, and what it starts. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { nodeBinary, runApp, SYSCODE } from '../../support/app';
import { type DebianProgram, findDebianProgram, reportNotRun } from '../../support/debian';
import { FIXTURES, ROOT } from '../../support/paths';
import { freePort } from '../../support/waiting';

const UNIT = readFileSync(join(ROOT, 'ops/deploy/systemd/orders.service'), 'utf8');
const ANALYZE: DebianProgram = { packages: ['systemd', 'libsystemd-shared'], program: 'usr/bin/systemd-analyze' };
const NODE = '/usr/bin/node';

const valuesOf = (key: string) =>
  Array.from(UNIT.matchAll(new RegExp(`^${key}=(.*)$`, 'gm')), ([, value]) => value as string);

/** @returns what systemd says about a unit; nothing where it has nothing to say */
function verify(program: string, unit: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'chx-unit-'));
  try {
    const file = join(folder, 'orders.service');
    writeFileSync(file, unit.replaceAll(NODE, nodeBinary()));
    const { stdout, stderr, error } = spawnSync(program, ['verify', '--man=no', file], { encoding: 'utf8' });
    if (error) throw error;
    return `${stdout}${stderr}`
      .split('\n')
      .filter((line) => line.includes('orders.service'))
      .join('\n');
  } finally {
    rmSync(folder, { recursive: true });
  }
}

describe('the unit for systemd', () => {
  it('is read by systemd without a remark', async (t) => {
    const found = await findDebianProgram(ANALYZE);
    if ('missing' in found) return reportNotRun(t, found.missing);
    assert.equal(verify(found.path, UNIT), '');
    assert.match(verify(found.path, UNIT.replace('RuntimeDirectory=', 'RuntimeDirectroy=')), /RuntimeDirectroy/);
  });

  it('starts a service that is measured and has its private directory', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'chx-unit-'));
    const runtime = join(folder, 'run');
    mkdirSync(join(runtime, 'orders'), { recursive: true, mode: 0o700 });
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(ROOT, join(folder, 'node_modules/channel-exporter'));
    writeFileSync(join(folder, 'partners.yaml'), 'hosts: {}\n');
    const variables = valuesOf('Environment')
      .flatMap((line) => line.split(' '))
      .map((pair) => pair.replace('%t', runtime).replace('/etc/orders', folder).split('='));
    const [start = ''] = valuesOf('ExecStart');
    const [node, ...nodeArgs] = start.split(' ').slice(0, -1);
    const env = { ...Object.fromEntries(variables), CHANNEL_EXPORTER_PORT: String(await freePort()) };
    assert.deepEqual([node, env.SYSCODE, nodeArgs.length], [NODE, SYSCODE, 2]);
    const app = await runApp(join(FIXTURES, 'apps/hello.js'), { nodeArgs, env, cwd: folder });
    try {
      await fetch(`http://127.0.0.1:${app.port}/`);
      await app.metricsWhen((metrics) => metrics.text.includes(`${SYSCODE}_inner_metrics_count{`));
      assert.equal(statSync(join(runtime, 'orders/channel-exporter')).mode & 0o777, 0o700);
    } finally {
      await app.stop();
      rmSync(folder, { recursive: true });
    }
  });
});
