// Checks the package as it would be published: that it is whole, that its entry points and types resolve, and that its
// command runs where it is installed.
// What else it may carry is in test/process/package/packed.test.ts.
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'channel-exporter-package-'));
const run = (command, args, options = {}) =>
  execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'], ...options });

try {
  const [packed] = JSON.parse(run('npm', ['pack', '--json', '--silent', '--pack-destination', folder]));
  const paths = packed.files.map(({ path }) => path);
  const needed = [
    'bin/channel-exporter.js',
    'dist/register.js',
    'dist/src/index.d.ts',
    'dist/src/external.js',
    'dist/src/external.d.ts',
    'dist/src/page/page.json',
    'schema/callers.schema.json',
    'schema/partners.schema.json',
    'schema/paths.schema.json',
    'ops/README.md',
    'ops/dashboards/fleet.json',
    'ops/rules/recording.yaml',
    'ops/rules/alerts.yaml',
    'README.zh-CN.md',
    'LICENSE',
  ];
  const missing = needed.filter((path) => !paths.includes(path));
  if (missing.length > 0) throw new Error(`the package lacks ${missing.join(', ')}`);

  const tarball = join(folder, packed.filename);
  process.stdout.write(run('npx', ['--no-install', 'publint', '--strict', tarball]));
  process.stdout.write(run('npx', ['--no-install', 'attw', tarball]));

  const application = join(folder, 'application');
  mkdirSync(application);
  const flags = ['--no-audit', '--no-fund', '--ignore-scripts', '--prefer-offline', '--silent'];
  run('npm', ['install', ...flags, tarball], { cwd: application });
  const command = ['--no-install', 'channel-exporter'];
  const version = run('npx', [...command, '--version'], { cwd: application }).trim();
  if (version !== packed.version) throw new Error(`the command has version ${version}, the package ${packed.version}`);
  // any free port: another service may have the usual one
  const env = { ...process.env, SYSCODE: 'Z000000000', CHANNEL_EXPORTER_PORT: '0' };
  for (const name of ['check', 'doctor'])
    console.log(run('npx', [...command, name], { cwd: application, env }).split('\n')[0]);

  console.log(`${packed.files.length} files, ${packed.size} bytes packed, ${packed.unpackedSize} bytes unpacked`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
