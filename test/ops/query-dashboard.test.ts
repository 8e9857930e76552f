/** ops/query-dashboard.mjs with answers that no Prometheus gives; a real one is in process/package/ten-minutes. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { IS_FULL } from '../support/effort';
import { readDashboards } from '../support/operations';
import { ROOT } from '../support/paths';

const SCRIPT = join(ROOT, 'ops/query-dashboard.mjs');
const MANY_BYTES = 9 * 1024 * 1024;

function run(args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [SCRIPT, ...args], (_error, stdout, stderr) =>
      resolve({ code: child.exitCode ?? -1, stdout, stderr }),
    );
  });
}

/** Asks the dashboard "service" of a server that answers so. */
async function runAgainst(answer: RequestListener, args: readonly string[] = []) {
  const asked: string[] = [];
  const server = createServer((request, response) => {
    asked.push(new URL(request.url ?? '', 'http://x').searchParams.get('query') ?? '');
    answer(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  try {
    const { port } = server.address() as AddressInfo;
    return { asked, ...(await run(['service', `http://127.0.0.1:${port}/`, ...args])) };
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

const rows = (...metrics: readonly Record<string, string>[]): string => {
  const result = metrics.map((metric, index) => ({ metric, value: [0, String(index)] }));
  return JSON.stringify({ status: 'success', data: { result } });
};

describe('query-dashboard', () => {
  const { panels = [] } = readDashboards().find(({ file }) => file === 'service.json') ?? {};
  const count = panels.flatMap(({ targets = [] }) => targets).length;

  it('asks every query, with values of variables as patterns in strings', async () => {
    const { asked, code, stdout } = await runAgainst((_, response) => response.end(rows({})), ['application=B1\\."']);
    assert.equal(code, 0);
    assert.equal(stdout.trimEnd().split('\n').length, count);
    assert.equal(asked.length, count);
    assert.ok(asked.every((query) => query.includes('application=~"B1\\\\.\\""') && query.includes('[5m]')));
    assert.ok(asked.every((query) => !query.includes('$')));
  });

  it('shows the greatest rows, without a control character of a label and not at any length', async () => {
    const path = `\u001b[2J\u202e\n${'x'.repeat(1_000)}`;
    const answer = rows({ path: '/a' }, { path: '/b' }, { path: '/c' }, { path: '/d' }, { path });
    const { stdout } = await runAgainst((_, response) => response.end(answer));
    const [first = ''] = stdout.split('\n');
    assert.equal(
      first,
      `Requests by route               \ufffd[2J\ufffd\ufffd${'x'.repeat(54)}… = 4, /d = 3, /c = 2, and 2 more`,
    );
  });

  it('fails where no query has rows', async () => {
    const { code, stdout } = await runAgainst((_, response) => response.end(rows()));
    assert.equal(code, 1);
    assert.match(stdout, /^Requests by route +-$/m);
  });

  const faults: readonly (readonly [string, RegExp, RequestListener])[] = [
    [
      'an error of Prometheus',
      /FAILED: parse error \ufffd\[1m$/,
      (_, response) => response.writeHead(400).end(JSON.stringify({ status: 'error', error: 'parse error \u001b[1m' })),
    ],
    ['another server', /status 404, and no answer of Prometheus$/, (_, response) => response.writeHead(404).end('no')],
    ['a redirect', /FAILED: .*redirect/, (_, response) => response.writeHead(302, { location: '/' }).end()],
    ['too much', /more than 8388608 bytes$/, (_, response) => response.end(Buffer.alloc(MANY_BYTES, '{'))],
    ['no JSON', /FAILED: \S/, (_, response) => response.end('{')],
    ['rows of another form', /FAILED: \S/, (_, response) => response.end('{"data":{"result":[1]}}')],
    ['a connection that breaks', /FAILED: \S/, (request) => request.socket.destroy()],
  ];
  for (const [title, line, answer] of faults) {
    it(`says of each query that it failed: ${title}`, async () => {
      const { code, stdout } = await runAgainst(answer);
      assert.equal(code, 1);
      const lines = stdout.trimEnd().split('\n');
      assert.equal(lines.length, count);
      for (const each of lines) assert.match(each, line);
    });
  }

  // half a minute
  if (IS_FULL) {
    it('does not wait for ever for all answers together', async () => {
      const { code, stdout } = await runAgainst(() => {});
      assert.equal(code, 1);
      assert.equal(stdout.match(/FAILED/g)?.length, count);
    });
  }

  for (const args of [
    [],
    ['none'],
    ['../service'],
    ['service', 'no address'],
    ['service', 'nobody=1'],
    ['service', 'http://x', 'y'],
  ]) {
    it(`refuses: ${args.join(' ')}`, async () => {
      const { code, stdout, stderr } = await run(args);
      assert.equal(code, 2);
      assert.equal(stdout, '');
      assert.match(stderr, /^\S.*\nusage: /);
    });
  }
});
