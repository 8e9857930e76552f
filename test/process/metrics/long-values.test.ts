/** A label's value keeps no more in memory than its own characters, however long the text is that it was cut from. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { FIXTURES } from '../../support/paths';
import { openWorld, PRELOAD, until } from '../../support/service';

const VALUES = 5_000;

/** @returns bytes by which the heap has grown, with a series for each value */
async function heapOf(env: Readonly<Record<string, string>>): Promise<number> {
  const world = await openWorld();
  try {
    const limits = { CHANNEL_EXPORTER_LABEL_VALUES_LIMIT: `topic=${2 * VALUES}`, CHANNEL_EXPORTER_PORT: '0' };
    const service = world.start({
      args: ['--expose-gc', ...PRELOAD, join(FIXTURES, 'load/long-values.js')],
      env: { ...limits, CHANNEL_EXPORTER_SERIES_LIMIT: String(2 * VALUES), ...env },
    });
    await until(async () => service.child.exitCode !== null, service.output);
    const [, grown] = /^grown (-?\d+)$/m.exec(service.output()) ?? [];
    assert.ok(grown, service.output());
    return Number(grown);
  } finally {
    await world.end();
  }
}

describe('5,000 label values', () => {
  for (const { name, env, likened } of [
    { name: 'of 100,000 characters, which are cut', env: { LENGTH: '100000' }, likened: { LENGTH: '255' } },
    { name: 'that are parts of such texts', env: { LENGTH: '100000', KEPT: '100' }, likened: { LENGTH: '100' } },
  ]) {
    it(`${name} leave the heap as short texts do`, async () => {
      const grown = await heapOf(env);
      const bound = 1.5 * (await heapOf(likened));
      assert.ok(grown < bound, `${grown} bytes, more than ${bound}`);
    });
  }
});
