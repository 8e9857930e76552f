/** When a process joins the others, and that it costs nothing afterwards. */
import assert from 'node:assert/strict';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { environment, nodeBinary } from '../../support/app';
import { ROOT } from '../../support/paths';
import { ask, openWorld, PRELOAD, PROGRAMS, send, stateOf, until, type World } from '../../support/service';

const PROCESSES = 'channel_exporter_processes';
const HURRY = ['-r', join(PROGRAMS, 'hurry.js')];

async function inWorld(use: (world: World) => Promise<void>): Promise<void> {
  const world = await openWorld();
  try {
    await use(world);
  } finally {
    await world.end();
  }
}

const isServed = (world: World) =>
  world.scrape().then(
    () => true,
    () => false,
  );

describe('a process takes the port', () => {
  const JOINS = ['fork', 'thread', 'listen', 'listen by options'];
  const WAITS = ['spawn', 'pipe', 'nothing'];
  for (const does of JOINS) {
    it(`when it does: ${does}`, () =>
      inWorld(async (world) => {
        const service = world.start({ args: [...PRELOAD, join(PROGRAMS, 'polls.js'), does] });
        await service.ready(1);
        // far below the ten seconds after which any process is there
        await until(() => isServed(world), 'it is not served', 5_000);
      }));
  }

  for (const does of WAITS) {
    it(`after ten seconds when it does: ${does}`, () =>
      inWorld(async (world) => {
        const unhurried = world.start({ args: [...PRELOAD, join(PROGRAMS, 'polls.js'), does] });
        await unhurried.ready(1);
        assert.equal(await isServed(world), false);
        await unhurried.stop();
        const service = world.start({ args: [...HURRY, ...PRELOAD, join(PROGRAMS, 'polls.js'), does] });
        await service.ready(1);
        await until(() => isServed(world), 'it is not served', 5_000);
      }));
  }
});

describe('a process at rest', () => {
  it('has no timer that wakes it, as hub and as member', () =>
    inWorld(async (world) => {
      const env = { CHANNEL_EXPORTER_PORT: String(world.port), TMPDIR: world.folder, XDG_RUNTIME_DIR: undefined };
      const children = [1, 2].map(() =>
        fork(join(PROGRAMS, 'rest.js'), {
          execPath: nodeBinary(),
          execArgv: [...HURRY, ...PRELOAD],
          cwd: ROOT,
          env: environment(env),
          stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
        }),
      );
      try {
        await world.scrapeWhen((seen) => stateOf(seen, PROCESSES, { state: 'member' }) === 1);
        for (const child of children) {
          await until(async () => {
            // to be asked is work: one that is asked all the time is not at rest
            await new Promise((resolve) => setTimeout(resolve, 1_000));
            const answer = once(child, 'message');
            child.send('timers');
            const [timers] = await answer;
            return (timers as number[]).length === 0;
          }, 'a timer stays');
        }
      } finally {
        for (const child of children) child.kill('SIGKILL');
        await Promise.all(children.map((child) => child.exitCode ?? child.signalCode ?? once(child, 'exit')));
      }
    }));
});

/** How often the thread that runs JavaScript has waited for something: once for each time that it was woken. */
function wakeUps(pid: number): number {
  const status = readFileSync(`/proc/${pid}/task/${pid}/status`, 'utf8');
  return Number(/^voluntary_ctxt_switches:\s+(\d+)$/m.exec(status)?.[1]);
}

describe('a service at rest', { skip: process.platform !== 'linux' && 'wake-ups are counted by /proc' }, () => {
  /** Longer than the 5 s in which Node looks after a server's connections; V8 comes back every 8 s until it has collected. */
  const REST_MS = 6_000;
  const LIMIT_MS = 60_000;

  it('is woken by nothing, as hub and as member, after it has served and was scraped', () =>
    inWorld(async (world) => {
      const pids: number[] = [];
      for (const members of [0, 1]) {
        const service = world.start({ args: [...PRELOAD, join(PROGRAMS, 'service.js')] });
        const [ready] = await service.ready(1);
        assert.ok(ready);
        await world.scrapeWhen((seen) => stateOf(seen, PROCESSES, { state: 'member' }) === members);
        await send(ready.port, 5);
        pids.push(ready.pid);
      }
      await world.counted(10);
      const wokenWhileResting = async (pid: number) => {
        const before = wakeUps(pid);
        await new Promise((resolve) => setTimeout(resolve, REST_MS));
        return wakeUps(pid) - before;
      };
      const comesToRest = async (pid: number) => {
        let woken = Number.NaN;
        await until(
          async () => {
            woken = await wokenWhileResting(pid);
            return woken === 0;
          },
          () => `woken ${woken} times in ${REST_MS} ms`,
          LIMIT_MS,
        );
      };
      await Promise.all(pids.map(comesToRest));
    }));
});

describe('a service on the port of another', () => {
  it('takes the port when it asks again and the other has gone', () =>
    inWorld(async (world) => {
      const first = world.start({ args: [...PRELOAD, join(PROGRAMS, 'service.js')] });
      const [holder] = await first.ready(1);
      assert.ok(holder);
      await world.scrapeWhen(() => true);
      const second = world.start({
        args: [...HURRY, ...PRELOAD, join(PROGRAMS, 'service.js')],
        env: { SYSCODE: 'B999999999' },
      });
      const [ready] = await second.ready(1);
      assert.ok(ready);
      await until(async () => second.said('CHX_SYSCODE_OTHER').length > 0, 'it does not say so');
      await send(ready.port, 5);
      await ask(holder.port, '/exit');
      const metrics = await world.scrapeWhen((seen) => seen.counts('B999999999_inner_metrics').length > 0);
      assert.equal(metrics.counts('B999999999_inner_metrics')[0]?.count, 5);
      assert.equal(second.said('CHX_').length, 1);
    }));
});
