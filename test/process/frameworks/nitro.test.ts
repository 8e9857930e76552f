/**
 * Small applications of Nitro 2 and 3, installed and built in temporary folders, and run by what is built, as it stands
 * alone: h3 is a part of it. Where they cannot be installed the test says so, and fails in CI.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { INNER, nodeBinary, runApp } from '../../support/app';
import { reportNotRun } from '../../support/debian';
import { FIXTURES, ROOT } from '../../support/paths';

interface Version {
  readonly title: string;
  /** Folder of its source. */
  readonly fixture: string;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly config: object;
  /** Command that builds, in node_modules. */
  readonly build: readonly string[];
  /** Its base path in the templates: Nitro 3 leaves it out of its routes. */
  readonly base: '/shop' | '';
  /** `path` of an answer of the first middleware. */
  readonly stopped: string;
}

const CONFIG = { preset: 'node-server', compatibilityDate: '2025-01-01', baseURL: '/shop/' };
const VERSIONS: readonly Version[] = [
  {
    title: 'Nitro 2',
    fixture: 'nitro2',
    dependencies: { nitropack: '2.13.6' },
    config: { ...CONFIG, srcDir: 'server' },
    build: ['nitropack/dist/cli/index.mjs', 'build'],
    base: '/shop',
    stopped: '/shop/api/users/17',
  },
  {
    title: 'Nitro 3',
    fixture: 'nitro3',
    dependencies: { nitro: '3.0.260903-beta', jiti: '2.6.1' },
    config: { ...CONFIG, serverDir: 'server' },
    build: ['nitro/dist/cli/index.mjs', 'build'],
    base: '',
    stopped: '/api/users/:id',
  },
];
const LIMIT_MS = 240_000;

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

/** @returns where the application stands; undefined where Nitro cannot be installed */
function build({ fixture, dependencies, config, build }: Version): { folder?: string; missing: string } {
  const folder = mkdtempSync(join(tmpdir(), `channel-exporter-${fixture}-`));
  folders.push(folder);
  const run = (command: string, args: readonly string[]) =>
    spawnSync(command, args, {
      cwd: folder,
      encoding: 'utf8',
      env: { ...process.env, NODE_ENV: 'production' },
      timeout: LIMIT_MS,
    });
  cpSync(join(FIXTURES, 'frameworks', fixture), join(folder, 'server'), { recursive: true });
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ private: true, type: 'module', dependencies }));
  writeFileSync(join(folder, 'nitro.config.mjs'), `export default ${JSON.stringify(config)};`);
  const { status, stderr } = run('npm', ['install', '--no-audit', '--no-fund', '--prefer-offline']);
  if (status !== 0) return { missing: `Nitro could not be installed: ${stderr}` };
  const [command = '', ...args] = build;
  const built = run(nodeBinary(), [join('node_modules', command), ...args]);
  assert.equal(built.status, 0, `${built.stdout}${built.stderr}`);
  // what is built stands alone
  rmSync(join(folder, 'node_modules'), { recursive: true });
  rmSync(join(folder, 'package.json'));
  return { folder, missing: '' };
}

describe('what Nitro builds', { concurrency: 1 }, () => {
  for (const version of VERSIONS) {
    it(`is counted by its routes: ${version.title}`, async (test) => {
      const { base, stopped } = version;
      const { folder, missing } = build(version);
      if (folder === undefined) return reportNotRun(test, missing);
      const rows: readonly (readonly [request: string, status: number, path?: string, code?: string])[] = [
        ['GET /shop/missing', 404],
        ['GET /shop/api/users/17', 200, `${base}/api/users/:id`, '0000'],
        ['GET /shop/api/users/18?a=b', 200, `${base}/api/users/:id`, '0000'],
        ['GET /shop/files/a/b', 200, `${base}/files/**:path`, '0'],
        ['GET /shop/api/throw', 500, `${base}/api/throw`, ''],
        ['STOP /shop/api/users/17', 403, stopped, 'FIRST'],
      ];
      const app = await runApp('.output/server/index.mjs', {
        nodeArgs: ['-r', join(ROOT, 'dist/register.js')],
        cwd: folder,
        env: { NITRO_HOST: '127.0.0.1', NITRO_PORT: '0', PORT: undefined },
        ready: /http:\/\/[^\s/]*:(\d+)/,
      });
      try {
        for (const [request, status] of rows) {
          const [method = '', path] = request.split(' ');
          const response = await fetch(`http://127.0.0.1:${app.port}${path}`, {
            method: method === 'STOP' ? 'GET' : method,
            headers: method === 'STOP' ? { 'x-stop': 'first' } : {},
          });
          await response.arrayBuffer();
          assert.equal(response.status, status, request);
        }
        const expected = rows
          .filter(([, , path]) => path)
          .map(([, status, path, code]) => [path, status, code].join(' '));
        const metrics = await app.metricsWhen(
          (now) => now.counts(INNER).reduce((sum, { count }) => sum + count, 0) >= expected.length,
        );
        const counted = metrics
          .counts(INNER)
          .flatMap(({ labels, count }) =>
            Array<string>(count).fill([labels.path, labels.http_status, labels.code].join(' ')),
          );
        assert.deepEqual(counted.sort(), expected.sort());
      } finally {
        await app.stop();
      }
    });
  }
});
