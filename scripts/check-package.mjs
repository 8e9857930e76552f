// Checks the package as it would be published: what it carries, that its entry points resolve, that its types do.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'channel-exporter-package-'));
const run = (command, args) => execFileSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });

try {
  const [packed] = JSON.parse(run('npm', ['pack', '--json', '--silent', '--pack-destination', folder]));
  const allowed =
    /^(dist\/.+\.(js|d\.ts|json)|schema\/.+\.json|package\.json|README(\.zh-CN)?\.md|LICENSE|CHANGELOG\.md)$/;
  const surplus = packed.files.map(({ path }) => path).filter((path) => !allowed.test(path));
  if (surplus.length > 0) throw new Error(`the package carries what no user needs: ${surplus.join(', ')}`);
  const needed = [
    'dist/register.js',
    'dist/src/index.d.ts',
    'schema/partners.schema.json',
    'README.zh-CN.md',
    'LICENSE',
  ];
  const missing = needed.filter((path) => !packed.files.some((file) => file.path === path));
  if (missing.length > 0) throw new Error(`the package lacks ${missing.join(', ')}`);

  const tarball = join(folder, packed.filename);
  process.stdout.write(run('npx', ['--no-install', 'publint', '--strict', tarball]));
  process.stdout.write(run('npx', ['--no-install', 'attw', tarball]));
  console.log(`${packed.files.length} files, ${packed.size} bytes packed, ${packed.unpackedSize} bytes unpacked`);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
