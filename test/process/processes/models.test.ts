/** However a service is started, the scrape has the requests that it answered, to the unit. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { describe, it } from 'node:test';
import { nodeBinary } from '../../support/app';
import {
  countOf,
  openWorld,
  PRELOAD,
  PROGRAMS,
  type Ready,
  send,
  stateOf,
  until,
  type World,
} from '../../support/service';

const PROCESSES = 'channel_exporter_processes';
const REQUESTS = 40;
const WORKERS = 3;
const NODE_OPTIONS = PRELOAD.join(' ');

async function inWorld(use: (world: World) => Promise<void>): Promise<void> {
  const world = await openWorld();
  try {
    await use(world);
  } finally {
    await world.end();
  }
}

/** Before 20.18 Node itself preloads nothing in a thread that is given an environment of its own. */
function arePreloadedWithEnv(): boolean {
  const thread = "new (require('worker_threads').Worker)('console.log(typeof pendingTimers)', { eval: true, env: {} })";
  const { stdout } = spawnSync(nodeBinary(), ['-r', `${PROGRAMS}/hurry.js`, '-e', thread], { encoding: 'utf8' });
  return stdout === 'function\n';
}

/** Every port once: workers of a cluster share one. */
function portsOf(ready: readonly Ready[]): number[] {
  return [...new Set(ready.map(({ port }) => port))];
}

interface Case {
  readonly name: string;
  readonly program: string;
  readonly nodeArgs?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Whether Node preloads anything where it listens. */
  readonly isMeasured?: boolean;
  /** Lines `ready` to wait for. */
  readonly ready?: number;
  readonly state: { readonly hub: number; readonly member: number; readonly thread: number };
}

describe('the scrape counts every request of all processes', () => {
  const withEnv = arePreloadedWithEnv();
  const CASES: readonly Case[] = [
    { name: 'one process', program: 'service.js', ready: 1, state: { hub: 1, member: 0, thread: 0 } },
    ...['rr', 'none'].flatMap((policy) => [
      {
        name: `a cluster under -r, scheduling ${policy}`,
        program: 'cluster.js',
        env: { NODE_CLUSTER_SCHED_POLICY: policy },
        state: { hub: 1, member: WORKERS, thread: 0 },
      },
      {
        name: `a cluster under NODE_OPTIONS, scheduling ${policy}`,
        program: 'cluster.js',
        nodeArgs: [],
        env: { NODE_CLUSTER_SCHED_POLICY: policy, NODE_OPTIONS },
        state: { hub: 1, member: WORKERS, thread: 0 },
      },
      {
        name: `a cluster whose workers alone are preloaded, scheduling ${policy}`,
        program: 'cluster.js',
        nodeArgs: [],
        env: { NODE_CLUSTER_SCHED_POLICY: policy, EXEC_ARGV: JSON.stringify(PRELOAD) },
        state: { hub: 1, member: WORKERS - 1, thread: 0 },
      },
    ]),
    { name: 'a program that forks services', program: 'forks.js', state: { hub: 1, member: WORKERS, thread: 0 } },
    {
      name: 'a program with services in threads',
      program: 'threads.js',
      state: { hub: 1, member: 0, thread: WORKERS },
    },
    {
      name: `a program with services in threads that have no environment${withEnv ? '' : ', which are not preloaded'}`,
      program: 'threads.js',
      env: { EMPTY_ENV: '1' },
      isMeasured: withEnv,
      state: { hub: 1, member: 0, thread: withEnv ? WORKERS : 0 },
    },
  ];

  for (const { name, program, nodeArgs = PRELOAD, env = {}, ready = WORKERS, isMeasured = true, state } of CASES) {
    it(`of ${name}`, () =>
      inWorld(async (world) => {
        const service = world.start({
          args: [...nodeArgs, `${PROGRAMS}/${program}`],
          env: { WORKERS: String(WORKERS), ...env },
        });
        const ports = portsOf(await service.ready(ready));
        await world.scrapeWhen((seen) => stateOf(seen, PROCESSES, { state: 'member' }) >= state.member);
        for (const port of ports) await send(port, REQUESTS);
        const expected = isMeasured ? REQUESTS * ports.length : 0;
        const metrics = await world.counted(expected);
        assert.equal(countOf(metrics), expected);
        const seen = Object.keys(state).map((key) => [key, stateOf(metrics, PROCESSES, { state: key })]);
        assert.deepEqual(Object.fromEntries(seen), state);
        assert.deepEqual(service.said('CHX_'), []);
      }));
  }

  it('of threads in a process whose port was any free one', () =>
    inWorld(async (world) => {
      const service = world.start({
        args: [...PRELOAD, `${PROGRAMS}/threads.js`],
        env: { WORKERS: String(WORKERS), CHANNEL_EXPORTER_PORT: '0' },
      });
      const ready = await service.ready(WORKERS);
      for (const { port } of ready) await send(port, REQUESTS);
      const url = /(http:\/\/\S+\/metrics);/.exec(service.output())?.[1] as string;
      let text = '';
      await until(
        async () => {
          text = await (await fetch(url)).text();
          return new RegExp(`_count{.*path="/x".*} ${REQUESTS * WORKERS}$`, 'm').test(text);
        },
        () => text,
      );
    }));
});

describe('the scrape keeps the counts of children that end right after their first request', () => {
  const CHILDREN = 5;
  for (const how of ['by itself', 'exit', 'throw']) {
    it(`${how}`, () =>
      inWorld(async (world) => {
        const service = world.start({
          args: [...PRELOAD, `${PROGRAMS}/short.js`],
          env: { WORKERS: String(CHILDREN), HOW: how },
        });
        await until(
          async () => service.output().includes('done'),
          () => service.output(),
        );
        const metrics = await world.counted(CHILDREN);
        assert.equal(countOf(metrics), CHILDREN);
        assert.equal(stateOf(metrics, PROCESSES, { state: 'gone' }), CHILDREN);
      }));
  }
});
