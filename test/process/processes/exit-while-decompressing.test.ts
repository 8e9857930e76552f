import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { INNER } from '../../support/app';
import { openWorld, PRELOAD, PROGRAMS } from '../../support/service';

const REQUESTS = 40;
const UNREAD = 'channel_exporter_unread_bodies_total';

describe('a process that exits while bodies wait to be decompressed', () => {
  it('leaves their measurements, without a code, and counts the bodies', async () => {
    const world = await openWorld();
    try {
      await world.start({ args: [...PRELOAD, join(PROGRAMS, 'service.js')] }).ready(1);
      const leaving = world.start({ args: [...PRELOAD, join(PROGRAMS, 'exit-while-decompressing.js')] });
      await once(leaving.child, 'exit');
      const metrics = await world.counted(REQUESTS);
      const counts = metrics.counts(INNER).filter(({ labels }) => labels.path === '/x');
      assert.deepEqual(
        counts.map(({ labels, count }) => [labels.code, count]),
        [['-1', REQUESTS]],
      );
      const unread = metrics.counts(UNREAD).find(({ labels }) => labels.reason === 'exit');
      assert.ok(unread !== undefined && unread.count > 0, metrics.text);
    } finally {
      await world.end();
    }
  });
});
