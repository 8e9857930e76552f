// Puts the page for people into one file: markup, style and script, with the policy that names the two by their hashes,
// so that a browser runs nothing else, whatever the scrape holds.
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build, transform } from 'esbuild';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const SOURCES = join(ROOT, 'src/page');
const PAGE = join(ROOT, 'dist/src/page/page.json');
const MAX_BYTES = 60_000;
/** Browsers of the last four years. */
const TARGET = ['chrome103', 'firefox103', 'safari16'];

const read = (name) => readFileSync(join(SOURCES, name), 'utf8');
const hash = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;

export async function writePage() {
  const bundled = await build({
    entryPoints: [join(SOURCES, 'main.ts')],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    target: TARGET,
    charset: 'utf8',
    legalComments: 'none',
  });
  // the end of a script element is found in its text too
  const script = bundled.outputFiles[0].text.trim().replaceAll('</script', '<\\/script');
  const { code } = await transform(read('page.css'), { loader: 'css', minify: true, target: TARGET });
  const style = code.trim();
  const html = read('page.html')
    .replace(/\n\s*/g, '\n')
    .replace('/* style */', () => style)
    .replace('/* script */', () => script);
  const bytes = Buffer.byteLength(html);
  if (bytes > MAX_BYTES) throw new Error(`the page has ${bytes} bytes, more than ${MAX_BYTES}`);
  const policy = [
    "default-src 'none'",
    `script-src ${hash(script)}`,
    `style-src ${hash(style)}`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
    "require-trusted-types-for 'script'",
    "trusted-types 'none'",
  ].join('; ');
  mkdirSync(dirname(PAGE), { recursive: true });
  writeFileSync(PAGE, JSON.stringify({ policy, html }));
  return bytes;
}
