/** The hub is stopped while a member measures, and the member is killed before the hub goes on. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { countOf, openWorld, PRELOAD, PROGRAMS, send, stateOf, until } from '../../support/service';

const PROCESSES = 'channel_exporter_processes';
const REQUESTS = 20;
const ROUNDS = 4;
/** Twice the time after which a member hands over. */
const ROUND_MS = 2_000;
const LAST = 30;

describe('a member that is killed while its hub is stopped', () => {
  it('loses what it measured in the last second, and nothing of what it measured before', async () => {
    const world = await openWorld();
    try {
      const start = async (members: number) => {
        const service = world.start({ args: [...PRELOAD, `${PROGRAMS}/service.js`] });
        const [ready] = await service.ready(1);
        await world.scrapeWhen((seen) => stateOf(seen, PROCESSES, { state: 'member' }) === members);
        return { child: service.child, port: (ready as { port: number }).port };
      };
      const hub = await start(0);
      const member = await start(1);
      hub.child.kill('SIGSTOP');
      for (let round = 0; round < ROUNDS; round++) {
        await send(member.port, REQUESTS);
        await new Promise((resolve) => setTimeout(resolve, ROUND_MS));
      }
      await send(member.port, LAST);
      member.child.kill('SIGTERM');
      await until(async () => member.child.signalCode === 'SIGTERM', 'the member did not end');
      hub.child.kill('SIGCONT');
      const metrics = await world.scrapeWhen((seen) => stateOf(seen, PROCESSES, { state: 'gone' }) === 1);
      const counted = countOf(metrics);
      assert.ok(
        counted >= ROUNDS * REQUESTS,
        `${ROUNDS * REQUESTS + LAST - counted} of the member's requests are missing`,
      );
      assert.ok(counted <= ROUNDS * REQUESTS + LAST, `${counted} counted, more than were sent`);
    } finally {
      await world.end();
    }
  });
});
