/** A process that computes while it starts cannot greet its hub meanwhile: nothing is lost, and nothing is told. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { countOf, openWorld, PRELOAD, PROGRAMS, send, stateOf } from '../../support/service';

const REQUESTS = 5;

it('a worker that loads for three seconds without a pause is a member, and no connection of it is dropped', async () => {
  const world = await openWorld();
  try {
    const service = world.start({ args: [...PRELOAD, `${PROGRAMS}/slow-start.js`] });
    const [{ port } = { port: 0 }] = await service.ready(1);
    await send(port, REQUESTS);
    const metrics = await world.counted(REQUESTS);
    assert.equal(countOf(metrics), REQUESTS);
    assert.equal(stateOf(metrics, 'channel_exporter_processes', { state: 'member' }), 1);
    assert.equal(stateOf(metrics, 'channel_exporter_dropped_deltas_total', { reason: 'connections' }), 0);
    assert.deepEqual(service.said('CHX_'), []);
  } finally {
    await world.end();
  }
});
