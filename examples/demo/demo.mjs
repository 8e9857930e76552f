/**
 * Starts an Express service under the preload and a partner that it calls, sends traffic, prints the scrape, and stays
 * open until Ctrl-C: `npm run demo`. With `-- --once` it ends by itself.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { MESSAGES, PARTNER_CALLS, REQUESTS, ROUND, send, sendRound } from './traffic.mjs';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const SYSCODE = 'A123010101';
const METRICS_PORT = 9166;
/** The partner's address as partners.yaml has it. */
const PARTNER_IN_FILE = '127.0.0.1:9300';
const LIMIT_MS = 20_000;

const folder = mkdtempSync(join(tmpdir(), 'channel-exporter-demo-'));
const children = [];
let isEnding = false;

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => end(0));
process.on('uncaughtException', fail);

try {
  await main(process.argv.includes('--once'));
} catch (error) {
  fail(error);
}

async function main(isOnce) {
  say('1. The partner, a process of its own:  node partner.js');
  const partner = await start('partner', ['partner.js'], {});
  const partnerHost = `127.0.0.1:${await readyPort(partner)}`;
  const partnerFile = join(folder, 'partners.yaml');
  const template = readFileSync(join(HERE, 'partners.yaml'), 'utf8');
  writeFileSync(partnerFile, template.replaceAll(PARTNER_IN_FILE, partnerHost));

  const port = (await isFree(METRICS_PORT)) ? METRICS_PORT : 0;
  say(
    `2. The service, plain Express:  SYSCODE=${SYSCODE} CHANNEL_EXPORTER_PARTNERS=${partnerFile} node -r channel-exporter/register service.js`,
  );
  if (port === 0) say(`   (port ${METRICS_PORT} is taken, so the metrics go to a free one)`);
  const service = await start('service', ['-r', 'channel-exporter/register', 'service.js'], {
    SYSCODE,
    CHANNEL_EXPORTER_PORT: String(port),
    CHANNEL_EXPORTER_PARTNERS: partnerFile,
    PARTNER_URL: `http://${partnerHost}`,
    PORT: '0',
    // axios would send the partner's calls through a proxy of the environment
    NO_PROXY: '127.0.0.1',
    no_proxy: '127.0.0.1',
  });
  const serviceUrl = `http://127.0.0.1:${await readyPort(service)}`;
  const metricsUrl = await outputOf(service, 'stderr', /(http:\/\/\S+\/metrics);/, 'the address of the metrics');

  say(
    `\n3. Traffic: ${ROUND.length} kinds of requests, ${REQUESTS} to be recorded, ${PARTNER_CALLS} partner calls, ${MESSAGES} messages.`,
  );
  await sendRound(serviceUrl);
  const text = await scrapeWhole(metricsUrl);

  say(`\n4. The scrape, without its buckets (those of one series are below):  curl ${metricsUrl}\n`);
  say(withoutBuckets(text));
  say('\n   One series whole:\n');
  say(bucketsOfOneSeries(text));
  say('\n5. The addresses:');
  say(`   metrics  ${metricsUrl}`);
  say(`   page     ${new URL('/', metricsUrl)}`);
  say(`   service  ${serviceUrl}/api/users/7`);
  say(`   partner  http://${partnerHost}/v1/orders/1`);
  if (isOnce) return end(0);

  say('\nA request a second goes on, so that graphs move. Ctrl-C ends everything.');
  for (let turn = 0; !isEnding; turn++) {
    await sleep(1_000);
    if (!isEnding) await send(serviceUrl, ROUND[turn % ROUND.length]);
  }
}

/** Starts a program of this folder and shows what it says. */
async function start(name, args, env) {
  const outside = Object.entries(process.env).filter(([key]) => !/^(CHANNEL_EXPORTER_|OTEL_|NODE_OPTIONS$)/.test(key));
  const child = spawn(process.execPath, args, {
    cwd: HERE,
    env: { ...Object.fromEntries(outside), ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  children.push(child);
  const said = { stdout: '', stderr: '' };
  for (const stream of ['stdout', 'stderr']) {
    child[stream].setEncoding('utf8').on('data', (text) => {
      said[stream] += text;
      process.stdout.write(text.replace(/^(?=.)/gm, `   ${name} | `));
    });
  }
  child.on('error', fail);
  // Ctrl-C reaches the children as well, and perhaps before this process
  child.on('exit', (code, signal) => {
    if (signal !== 'SIGINT') fail(new Error(`the ${name} has ended (${signal ?? code})`));
  });
  await once(child, 'spawn');
  return { child, said, name };
}

async function readyPort(program) {
  return outputOf(program, 'stdout', /^ready (\d+)$/m, 'its port');
}

async function outputOf({ name, said }, stream, pattern, what) {
  for (const until = Date.now() + LIMIT_MS; Date.now() < until; await sleep(10)) {
    const found = pattern.exec(said[stream]);
    if (found) return found[1];
  }
  throw new Error(`the ${name} has not said ${what}`);
}

/** Scrapes until the whole round is there: the last measurements are made shortly after the answers. */
async function scrapeWhole(url) {
  let text = '';
  for (const until = Date.now() + LIMIT_MS; Date.now() < until; await sleep(20)) {
    const response = await fetch(url);
    text = await response.text();
    const isWhole = countOf(text, `${SYSCODE}_inner_metrics`) >= REQUESTS;
    const areCallsWhole = countOf(text, 'partner_http_metrics') >= PARTNER_CALLS;
    const areMessagesWhole = countOf(text, `${SYSCODE}_consumer_metrics`) >= MESSAGES;
    if (response.ok && isWhole && areCallsWhole && areMessagesWhole) return text;
  }
  throw new Error(`the scrape lacks requests that were sent:\n${text}`);
}

function countOf(text, family) {
  const counts = text.matchAll(new RegExp(`^${family}_count\\{.*\\} (\\d+)$`, 'gm'));
  return Array.from(counts, ([, count]) => Number(count)).reduce((total, count) => total + count, 0);
}

function withoutBuckets(text) {
  const lines = text.trimEnd().split('\n');
  return lines.filter((line) => !/^\w+_(bucket|sum)\{/.test(line)).join('\n');
}

function bucketsOfOneSeries(text) {
  const [, name, labels] = /^(\w+)_count(\{.*path="\/api\/report".*)\} \d+$/m.exec(text) ?? [];
  return text
    .split('\n')
    .filter((line) => [`${name}_count`, `${name}_sum`, `${name}_bucket`].some((each) => line.startsWith(each + labels)))
    .join('\n');
}

async function isFree(port) {
  const probe = createServer();
  try {
    await once(probe.listen({ port, exclusive: true }), 'listening');
    return true;
  } catch {
    return false;
  } finally {
    probe.close();
  }
}

function fail(error) {
  if (isEnding) return;
  process.stderr.write(`The demo has failed: ${error.stack ?? error}\n`);
  end(1);
}

/** Ends the children and then this process; nothing stays behind. */
async function end(exitCode) {
  if (isEnding) return;
  isEnding = true;
  for (const child of children) child.kill('SIGKILL');
  const running = children.filter(({ pid, exitCode: code, signalCode }) => pid && code === null && signalCode === null);
  await Promise.all(running.map((child) => once(child, 'exit')));
  rmSync(folder, { recursive: true, force: true });
  // what was printed into a pipe is still on its way
  process.stdout.write('', () => process.exit(exitCode));
}

function say(text) {
  process.stdout.write(`${text}\n`);
}
