/** An application traces `net`; connections of ours between processes leave no spans in its traces. */
import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { describe, it } from 'node:test';
import { ask, openWorld, PRELOAD, PROGRAMS, type Service, stateOf, until, type World } from '../../support/service';

const PROCESSES = 'channel_exporter_processes';
const TRACING = ['-r', `${PROGRAMS}/net-tracing.js`];
const program = `${PROGRAMS}/service.js`;

/** What the program under these preloads has become. */
const STATES: readonly { name: string; prepare: (world: World) => Promise<() => void>; isReached: Reached }[] = [
  {
    name: 'the hub',
    prepare: async () => () => undefined,
    isReached: async (world) =>
      void (await world.scrapeWhen((seen) => stateOf(seen, PROCESSES, { state: 'hub' }) === 1)),
  },
  {
    name: 'a member',
    prepare: async (world) => {
      await world.start({ args: [...PRELOAD, program] }).ready(1);
      await world.scrapeWhen((seen) => stateOf(seen, PROCESSES, { state: 'hub' }) === 1);
      return () => undefined;
    },
    isReached: async (world) =>
      void (await world.scrapeWhen((seen) => stateOf(seen, PROCESSES, { state: 'member' }) === 1)),
  },
  {
    name: 'neither, because another program has the port',
    prepare: async (world) => {
      const foreign = createServer();
      await new Promise<void>((resolve) => foreign.listen(world.port, resolve));
      return () => foreign.close();
    },
    isReached: (_world, service) =>
      until(
        async () => service.said('CHX_PORT_TAKEN').length > 0,
        () => service.output(),
      ),
  },
];

type Reached = (world: World, service: Service) => Promise<void>;

describe('an application that traces net', () => {
  for (const { order, args } of [
    { order: 'after our preload', args: [...PRELOAD, ...TRACING] },
    { order: 'before our preload', args: [...TRACING, ...PRELOAD] },
  ]) {
    for (const { name, prepare, isReached } of STATES) {
      it(`${order} has spans of its own connections alone, as ${name}`, async () => {
        const world = await openWorld();
        let undo = () => undefined as unknown;
        try {
          undo = await prepare(world);
          const service = world.start({ args: [...args, program] });
          const [ready] = await service.ready(1);
          await isReached(world, service);
          await ask((ready as { port: number }).port, '/exit');
          await until(async () => service.child.exitCode !== null, 'the program did not end');
          const spans = service
            .output()
            .split('\n')
            .filter((line) => line.startsWith('span '));
          assert.equal(spans.length, 1, spans.join('\n'));
          assert.match(spans[0] as string, /^span ipc\.connect \/nowhere\/own\.sock/);
        } finally {
          undo();
          await world.end();
        }
      });
    }
  }
});
