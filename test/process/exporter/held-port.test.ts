/** A port that the application listens on, in another process or thread than the one that serves the scrape there. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { effort } from '../../support/effort';
import { FIXTURES } from '../../support/paths';
import { ask, openWorld, PRELOAD } from '../../support/service';
import { until } from '../../support/waiting';

const PROGRAM = `${FIXTURES}/exporter/own-port.js`;
const CODE = 'CHX_PORT_OF_APPLICATION';
/** Each start has its own order of events. */
const STARTS = effort({ short: 2, full: 5 });
const OTHERS: readonly {
  readonly what: string;
  readonly env: Readonly<Record<string, string>>;
  /** Whether another process of the service serves the scrape before. */
  readonly isHeld?: boolean;
}[] = [
  { what: 'a thread, at once', env: { THREAD: '1' } },
  { what: 'a thread, later', env: { THREAD: '1', DELAY_MS: '400' } },
  { what: 'a process whose hub is another one, at once', env: {}, isHeld: true },
  { what: 'a process whose hub is another one, later', env: { FIRST_USE: 'server', DELAY_MS: '400' }, isHeld: true },
  {
    what: 'a worker that binds it itself',
    env: { WORKERS: '2', DELAY_MS: '400', FIRST_USE: 'server', NODE_CLUSTER_SCHED_POLICY: 'none' },
  },
];

describe('a port that another process or thread of the service holds', () => {
  for (const { what, env, isHeld } of OTHERS) {
    it(`is left to ${what}, at each of ${STARTS} starts`, async () => {
      for (let start = 0; start < STARTS; start++) {
        const world = await openWorld();
        try {
          const holder = isHeld && world.start({ args: [...PRELOAD, PROGRAM], env: { HOLDS: '1' } });
          if (holder) await world.scrapeWhen((metrics) => metrics.types.size > 0);
          const service = world.start({ args: [...PRELOAD, PROGRAM], env: { PORT: String(world.port), ...env } });
          await service.ready(Number(env.WORKERS ?? 1));
          assert.equal(await ask(world.port, '/x'), 'application');
          const output = () => `${service.output()}${holder ? holder.output() : ''}`;
          assert.doesNotMatch(output(), /failed/);
          await until(async () => output().includes(CODE), output);
          assert.equal(output().split(CODE).length, 2, output());
        } finally {
          await world.end();
        }
      }
    });
  }
});
