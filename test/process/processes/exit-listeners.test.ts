/** What the exporter leaves on the application's `process` object. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { openWorld, PRELOAD, PROGRAMS, until } from '../../support/service';

const script = `${PROGRAMS}/first-tick-threads.js`;

describe('a process that starts twelve threads in its first tick', () => {
  for (const { name, args, port, most } of [
    { name: 'without the preload', args: [script], port: '0', most: 0 },
    { name: 'on port 0', args: [...PRELOAD, script], port: '0', most: 1 },
    { name: 'on a port of its own', args: [...PRELOAD, script], port: undefined, most: 1 },
  ]) {
    it(`has ${most} exit listeners of ours at most, and no warning of Node, ${name}`, async () => {
      const world = await openWorld();
      try {
        const env = port === undefined ? {} : { CHANNEL_EXPORTER_PORT: port };
        const { child, output } = world.start({ args, env });
        await until(async () => child.exitCode !== null, output);
        const [, listeners] = /^listeners (\d+)/m.exec(output()) ?? [];
        assert.ok(Number(listeners) <= most, output());
        assert.doesNotMatch(output(), /Warning/);
      } finally {
        await world.end();
      }
    });
  }
});
