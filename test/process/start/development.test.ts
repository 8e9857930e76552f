/** What a developer puts beside us: a debugger, and a service that is started anew at each change. */
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { INNER, runApp } from '../../support/app';
import { attach } from '../../support/debugger';
import { FIXTURES } from '../../support/paths';
import { freePort, until } from '../../support/waiting';

const REGISTER = ['-r', 'channel-exporter/register'];
const START_LINE = /^channel-exporter: .*; observes .*$/gm;

describe('under node --inspect', () => {
  it('a debugger attaches, stops in the handler and goes on, and the request is recorded once', async () => {
    const app = await runApp(join(FIXTURES, 'apps/debugged.js'), { nodeArgs: ['--inspect=127.0.0.1:0', ...REGISTER] });
    try {
      const url = /^Debugger listening on (ws:\S+)$/m.exec(app.stderr())?.[1];
      assert.ok(url, app.stderr());
      const session = await attach(url);
      await session.call('Debugger.enable');
      const paused = session.event('Debugger.paused');
      const answer = fetch(`http://127.0.0.1:${app.port}/here`);
      await paused;
      await session.call('Debugger.resume');
      assert.equal(await (await answer).text(), '{"code":"D1"}');
      session.close();
      const metrics = await app.metricsWhen((seen) => seen.counts(INNER).length > 0);
      assert.deepEqual(
        metrics.counts(INNER).map(({ labels, count }) => [labels.path, labels.code, count]),
        [['/here', 'D1', 1]],
      );
      assert.equal(app.stderr().match(/^channel-exporter: /gm)?.length, 1, app.stderr());
    } finally {
      await app.stop();
    }
  });
});

describe('under node --watch', () => {
  it('each start of the service takes the port again and counts from zero', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'channel-exporter-'));
    const script = join(folder, 'app.js');
    copyFileSync(join(FIXTURES, 'apps/hello.js'), script);
    const port = await freePort();
    const app = await runApp(script, {
      nodeArgs: ['--watch', '--watch-preserve-output', ...REGISTER],
      env: { CHANNEL_EXPORTER_PORT: String(port) },
    });
    try {
      for (const round of [1, 2, 3]) {
        const ports = () => [...app.stdout().matchAll(/^ready (\d+)$/gm)].map((match) => match[1]);
        await until(() => ports().length === round, `start ${round}`);
        const response = await fetch(`http://127.0.0.1:${ports().at(-1)}/round/${round}`);
        assert.equal(await response.text(), `GET /round/${round}`);
        const metrics = await app.metricsWhen((seen) => seen.counts(INNER).length > 0);
        assert.deepEqual(
          metrics.counts(INNER).map(({ labels, count }) => [labels.path, count]),
          [[`/round/${round}`, 1]],
        );
        writeFileSync(script, `${readFileSync(script, 'utf8')}// changed\n`);
      }
      // a start is logged when its port is open, which may be after the program is ready
      const starts = () => app.stderr().match(START_LINE) ?? [];
      await until(
        () => starts().length === 4,
        () => `four start lines; ${app.stderr()}`,
      );
      assert.equal(new Set(starts()).size, 1, 'every start is the same, on the same port');
      assert.equal(app.stderr().match(/^channel-exporter: /gm)?.length, 4, app.stderr());
    } finally {
      // the watcher takes the watched process with it
      app.child.kill('SIGTERM');
      await app.exited();
      rmSync(folder, { recursive: true, force: true });
    }
  });
});
