// Checks the package as it would be published: that it is whole, and that its entry points and types resolve.
// What else it may carry is in test/process/package/packed.test.ts.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'channel-exporter-package-'));
const run = (command, args) => execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

try {
  const [packed] = JSON.parse(run('npm', ['pack', '--json', '--silent', '--pack-destination', folder]));
  const paths = packed.files.map(({ path }) => path);
  const needed = [
    'dist/register.js',
    'dist/src/index.d.ts',
    'dist/src/external.js',
    'dist/src/external.d.ts',
    'dist/src/page/page.json',
    'schema/callers.schema.json',
    'schema/partners.schema.json',
    'README.zh-CN.md',
    'LICENSE',
  ];
  const missing = needed.filter((path) => !paths.includes(path));
  if (missing.length > 0) throw new Error(`the package lacks ${missing.join(', ')}`);

  const tarball = join(folder, packed.filename);
  process.stdout.write(run('npx', ['--no-install', 'publint', '--strict', tarball]));
  process.stdout.write(run('npx', ['--no-install', 'attw', tarball]));
  console.log(`${packed.files.length} files, ${packed.size} bytes packed, ${packed.unpackedSize} bytes unpacked`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
