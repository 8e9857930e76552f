/** A hub in another thread is asked for its port and waited for, in a bounded time, whatever it does. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { releasePort } from '../../src/processes/port-release';
import { PROTOCOL_VERSION, type ReleaseRequest } from '../../src/processes/protocol';
import { freePort } from '../support/waiting';

/** Of the second that an answer may take, and what a busy machine adds. */
const LIMIT_MS = 1_500;
/** What is waited at least where somebody has the port. */
const MOMENT_MS = 100;
/** What listens at a path: as the hub, as one whose event loop is blocked, and as one that refuses. */
const HUBS: Readonly<Record<string, string>> = {
  answers: `(socket) => socket.once('data', () => socket.end('answer'))`,
  'does not answer': `(socket) => socket.resume()`,
  'closes the connection': `(socket) => socket.once('data', () => socket.destroy())`,
};

describe('a hub that is asked for its port', { skip: process.platform === 'win32' }, () => {
  let folder: string;
  let request: ReleaseRequest;
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), 'chx-release-'));
    const port = await freePort();
    request = { type: 'release', version: PROTOCOL_VERSION, syscode: 'A123010101', pid: process.pid, port };
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  const asked = (paths: readonly string[], port = request.port) => {
    const begun = performance.now();
    const isReleased = releasePort(paths, { ...request, port });
    return { isReleased, ms: performance.now() - begun };
  };

  for (const [what, listener] of Object.entries(HUBS)) {
    it(`and ${what} is waited for, and no longer than a second`, async () => {
      const path = join(folder, `${what.replaceAll(' ', '-')}.sock`);
      const script = `
        const server = require('node:net').createServer(${listener});
        server.listen(${JSON.stringify(path)}, () => require('node:worker_threads').parentPort.postMessage('listens'));`;
      const hub = new Worker(script, { eval: true });
      try {
        await once(hub, 'message');
        const { isReleased, ms } = asked([join(folder, 'none.sock'), path, path]);
        assert.equal(isReleased, what === 'answers');
        assert.ok(ms < LIMIT_MS, `${ms} ms`);
      } finally {
        await hub.terminate();
      }
    });
  }

  it('is not waited for where nobody has the port, or nobody listens at its path any more', () => {
    const left = join(folder, 'left.sock');
    writeFileSync(left, '');
    for (const paths of [[], [join(folder, 'none.sock')], [left]]) {
      const answers = Array.from({ length: 10 }, () => asked(paths));
      assert.ok(answers.every(({ isReleased }) => !isReleased));
      // of a machine that is busy, the best says whether there is a wait
      const ms = Math.min(...answers.map((each) => each.ms));
      assert.ok(ms < MOMENT_MS, `${ms} ms`);
    }
  });

  it('is waited for a moment where somebody has the port who may be a hub soon', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const { isReleased, ms } = asked([join(folder, 'none.sock')], (server.address() as AddressInfo).port);
      assert.equal(isReleased, false);
      if (process.platform === 'linux') assert.ok(ms > 50 && ms < LIMIT_MS, `${ms} ms`);
    } finally {
      server.close();
    }
  });
});
