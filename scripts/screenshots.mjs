// Takes the pictures of the README from the running demo: node scripts/screenshots.mjs, after a build. It needs Chromium
// (CHROMIUM, or /usr/bin/chromium) with a font for Chinese, such as Debian's fonts-noto-cjk; it takes two minutes, so
// that the curves have something to show.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { ROUND, send } from '../examples/demo/traffic.mjs';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const IMAGES = join(ROOT, 'docs/images');
const MAX_BYTES = 150_000;
const WATCHED_MS = 110_000;
const VIEWPORT = { width: 1120, height: 690 };
const PICTURES = [
  { file: 'page.png', locale: 'en-US', colorScheme: 'light' },
  { file: 'page-dark.png', locale: 'en-US', colorScheme: 'dark' },
  { file: 'page-zh-CN.png', locale: 'zh-CN', colorScheme: 'light' },
  { file: 'page-zh-CN-dark.png', locale: 'zh-CN', colorScheme: 'dark' },
];

// where no other service of the same code finds it and joins in
const folder = mkdtempSync(join(tmpdir(), 'pictures-'));
const demo = spawn(process.execPath, [join(ROOT, 'examples/demo/demo.mjs')], {
  stdio: ['ignore', 'pipe', 'inherit'],
  env: { ...process.env, TMPDIR: folder, XDG_RUNTIME_DIR: undefined },
});
let said = '';
demo.stdout.setEncoding('utf8').on('data', (text) => {
  said += text;
});
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
  args: ['--no-sandbox'],
});
try {
  const metrics = await lineOf('metrics');
  const service = new URL(await lineOf('service')).origin;
  const pages = await Promise.all(
    PICTURES.map(async ({ locale, colorScheme }) => {
      const page = await browser.newPage({ locale, colorScheme, viewport: VIEWPORT });
      await page.goto(new URL('/', metrics).href);
      return page;
    }),
  );
  for (const until = Date.now() + WATCHED_MS; Date.now() < until; ) await sendSome(service);
  mkdirSync(IMAGES, { recursive: true });
  for (const [index, { file }] of PICTURES.entries()) {
    const path = join(IMAGES, file);
    await pages[index].screenshot({ path });
    const { size } = statSync(path);
    if (size > MAX_BYTES) throw new Error(`${file} has ${size} bytes, more than ${MAX_BYTES}`);
    console.log(`${file}: ${size} bytes`);
  }
} finally {
  await browser.close();
  demo.kill('SIGINT');
  if (demo.exitCode === null) await once(demo, 'exit');
  rmSync(folder, { recursive: true, force: true });
}

/** The address that the demo has said under a name. */
async function lineOf(name) {
  const line = new RegExp(`^ {3}${name} +(http\\S+)$`, 'm');
  for (const until = Date.now() + 30_000; Date.now() < until; await sleep(100)) {
    const found = line.exec(said);
    if (found) return found[1];
  }
  throw new Error(`the demo has not said where its ${name} is:\n${said}`);
}

/** Requests that come and go in waves; most are for what works. */
async function sendSome(service) {
  const wave = 6 + 5 * Math.sin(Date.now() / 9_000);
  const lines = Array.from({ length: Math.round(wave) }, () => {
    const line = ROUND[Math.floor(Math.random() ** 1.7 * ROUND.length)];
    return send(service, line);
  });
  await Promise.all([...lines, sleep(400)]);
}
