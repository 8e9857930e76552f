/** The demo, as a reader of the README runs it. */
import assert from 'node:assert/strict';
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import { INNER, nodeBinary, PARTNER, PARTNER_ERRORS } from '../../support/app';
import { CONSUMER } from '../../support/consumers';
import { ROOT } from '../../support/paths';

const LIMIT_MS = 30_000;

interface Demo {
  readonly child: ChildProcessByStdio<null, Readable, Readable>;
  output(): string;
  readonly ended: Promise<[code: number | null, signal: NodeJS.Signals | null]>;
}

function runDemo(...args: string[]): Demo {
  const child = spawn(nodeBinary(), [join(ROOT, 'examples/demo/demo.mjs'), ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: LIMIT_MS,
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return { child, output: () => output, ended: once(child, 'close') as Demo['ended'] };
}

/** Series of the printed scrape that must be there: family, some of its labels, count. */
const EXPECTED: [family: string, labels: Record<string, string>, count: number][] = [
  [`${INNER}_count`, { f_code: 'C001', path: '/api/users/:id', http_status: '200', code: '0' }, 5],
  [`${INNER}_count`, { f_code: 'C002', path: '/api/users/:id', http_status: '200', code: '1404' }, 1],
  [`${INNER}_count`, { path: '/api/orders/:orderId/items/:itemId', code: '0' }, 2],
  [`${INNER}_count`, { path: '/api/orders/:orderId', method_code: 'M2' }, 2],
  [`${INNER}_count`, { path: '/api/pay', http_status: '200', code: '0', method_code: 'M1' }, 3],
  [`${INNER}_count`, { path: '/api/pay', http_status: '402', code: '2001', method_code: 'M1' }, 1],
  [`${INNER}_count`, { path: '/api/stock/:sku', http_status: '502', code: '3503' }, 2],
  [`${INNER}_count`, { path: '/api/receipt', http_status: '500', code: '9999' }, 1],
  [`${INNER}_count`, { f_code: 'a caller with a very...', path: '/api/export', code: '0' }, 1],
  [`${INNER}_count`, { path: '/api/page', http_status: '200', code: '-1' }, 1],
  [`${INNER}_count`, { path: '/api/broken', http_status: '500', code: '9999' }, 1],
  [`${PARTNER}_count`, { partner: '12', action_code: '1201', http_status: '200', code: '0' }, 3],
  [`${PARTNER}_count`, { partner: '12', action_code: '1201', http_status: '200', code: 'LIMIT' }, 1],
  [`${PARTNER}_count`, { partner: '12', action_code: '1202', http_status: '200', code: '0' }, 2],
  [`${PARTNER}_count`, { partner: '12', action_code: '1203', http_status: '503', code: '-1' }, 2],
  [`${PARTNER}_count`, { partner: '12', action_code: '1204', http_status: '200', code: '0' }, 1],
  [`${PARTNER}_count`, { partner: '12', action_code: '1205', http_status: '0', code: '-1' }, 1],
  [PARTNER_ERRORS, { partner: '12', action_code: '1205', error: 'reset' }, 1],
  [`${CONSUMER}_count`, { topic: 'receipts', code: '0' }, 3],
  [`${CONSUMER}_count`, { topic: 'receipts', code: '1' }, 1],
];

describe('npm run demo', () => {
  it('with --once prints the scrape of its traffic and ends by itself with exit code 0', async () => {
    const { output, ended } = runDemo('--once');
    assert.deepEqual(await ended, [0, null], output());
    const lines = output().split('\n');
    for (const [family, labels, count] of EXPECTED) {
      const wanted = Object.entries(labels).map(([name, value]) => `${name}="${value}"`);
      const found = lines.filter(
        (line) => line.startsWith(`${family}{`) && wanted.every((part) => line.includes(part)),
      );
      assert.ok(found.length > 0, `${family} ${wanted}\n${output()}`);
      assert.ok(
        found.every((line) => line.endsWith(` ${count}`)),
        found.join('\n'),
      );
    }
    assert.ok(!/path="\/(healthcheck|no\/such)/.test(output()));
    assert.match(output(), new RegExp(`^${INNER}_bucket\\{.*path="/api/report".*le="500\\.0"\\} 0$`, 'm'));
    assert.match(output(), new RegExp(`^${INNER}_bucket\\{.*path="/api/report".*le="\\+Inf"\\} 1$`, 'm'));
    for (const family of [INNER, PARTNER, PARTNER_ERRORS]) assert.ok(output().includes(`# TYPE ${family} `), family);
  });

  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    it(`stays open until ${signal}, and leaves neither a process nor a file behind`, async () => {
      const { child, output, ended } = runDemo();
      const isOpen = () => output().includes('Ctrl-C ends everything');
      while (!isOpen() && child.exitCode === null) await once(child.stdout, 'data');
      const ports = [...output().matchAll(/^ {3}\w+ +http:\/\/[^:]+:(\d+)\//gm)].map(([, port]) => Number(port));
      assert.equal(ports.length, 4, output());
      const [, metrics, page = ''] = /^ {3}metrics +(\S+)\/metrics\n {3}page +(\S+)$/m.exec(output()) ?? [];
      assert.equal(page, `${metrics}/`);
      assert.match(await (await fetch(page)).text(), /^<!doctype html>/);
      const folder = /(channel-exporter-demo-\w+)/.exec(output())?.[1] as string;
      assert.ok(readdirSync(tmpdir()).includes(folder));
      child.kill(signal);
      assert.deepEqual(await ended, [0, null], output());
      assert.ok(!readdirSync(tmpdir()).includes(folder));
      for (const port of ports) await assert.rejects(once(connect(port, '127.0.0.1'), 'connect'), /ECONNREFUSED/);
    });
  }
});
