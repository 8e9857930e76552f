/** Processes of a service die, hang and are in each other's way; no count is invented, and only what must be is lost. */
import assert from 'node:assert/strict';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import {
  ask,
  countOf,
  openWorld,
  PRELOAD,
  PROGRAMS,
  type Service,
  send,
  stateOf,
  until,
  type World,
} from '../../support/service';

const PROCESSES = 'channel_exporter_processes';
const LATE = 'channel_exporter_late_deltas_total';
const DROPPED = 'channel_exporter_dropped_deltas_total';
const REQUESTS = 20;
/** A new hub is there within a second; the machine of a test may be slow. */
const TAKE_OVER_LIMIT_MS = 5_000;
/** Until 64 processes have started on a machine with few cores. */
const MANY_LIMIT_MS = 120_000;
/** Of many processes. */
const SENT_TO_AT_ONCE = 8;

async function inWorld(use: (world: World) => Promise<void>): Promise<void> {
  const world = await openWorld();
  try {
    await use(world);
  } finally {
    await world.end();
  }
}

const serviceArgs = [...PRELOAD, `${PROGRAMS}/service.js`];

/** Starts services, the first of which is the hub, and waits until all have joined. */
async function startServices(world: World, count: number, env = {}): Promise<{ service: Service; port: number }[]> {
  const services: { service: Service; port: number }[] = [];
  for (let i = 0; i < count; i++) {
    const service = world.start({ args: serviceArgs, env });
    const [ready] = await service.ready(1);
    services.push({ service, port: (ready as { port: number }).port });
    await world.scrapeWhen((seen) => stateOf(seen, PROCESSES, { state: 'member' }) === i);
  }
  return services;
}

const membersAre = (count: number) => (seen: Parameters<typeof stateOf>[0]) =>
  stateOf(seen, PROCESSES, { state: 'member' }) === count;

describe('a member', () => {
  it('that is killed leaves the counts that it has handed over', () =>
    inWorld(async (world) => {
      const [, victim] = await startServices(world, 2);
      assert.ok(victim);
      await send(victim.port, REQUESTS);
      await world.counted(REQUESTS);
      victim.service.child.kill('SIGKILL');
      const metrics = await world.scrapeWhen((seen) => stateOf(seen, PROCESSES, { state: 'gone' }) === 1);
      assert.equal(countOf(metrics), REQUESTS);
      assert.equal(stateOf(metrics, PROCESSES, { state: 'lost' }), 1);
    }));

  it('hands over within about a second without being asked', () =>
    inWorld(async (world) => {
      const [, victim] = await startServices(world, 2);
      assert.ok(victim);
      await send(victim.port, REQUESTS);
      // twice the interval; what is to be shown is that no scrape is needed
      await new Promise((resolve) => setTimeout(resolve, 2_000));
      victim.service.child.kill('SIGKILL');
      const metrics = await world.scrapeWhen((seen) => stateOf(seen, PROCESSES, { state: 'gone' }) === 1);
      assert.equal(countOf(metrics), REQUESTS);
    }));

  for (const end of ['/exit', '/throw', '/close']) {
    it(`that ends by ${end} hands over what is left`, () =>
      inWorld(async (world) => {
        const [, leaving] = await startServices(world, 2);
        assert.ok(leaving);
        await send(leaving.port, REQUESTS);
        await ask(leaving.port, end);
        const metrics = await world.scrapeWhen((seen) => stateOf(seen, PROCESSES, { state: 'gone' }) === 1);
        assert.equal(countOf(metrics), REQUESTS);
        assert.equal(stateOf(metrics, PROCESSES, { state: 'lost' }), 0);
      }));

    it(`that ends by ${end} with nothing left is not lost`, () =>
      inWorld(async (world) => {
        const [, leaving] = await startServices(world, 2);
        assert.ok(leaving);
        await send(leaving.port, 1);
        await world.counted(1);
        await ask(leaving.port, end);
        const metrics = await world.scrapeWhen((seen) => stateOf(seen, PROCESSES, { state: 'gone' }) === 1);
        assert.equal(stateOf(metrics, PROCESSES, { state: 'lost' }), 0);
      }));
  }

  it('whose exporter is shut down is not lost', () =>
    inWorld(async (world) => {
      await startServices(world, 1);
      const leaving = world.start({ args: [...PRELOAD, `${PROGRAMS}/shutdown.js`] });
      const [ready] = await leaving.ready(1);
      await world.scrapeWhen(membersAre(1));
      await ask((ready as { port: number }).port, '/shutdown');
      const metrics = await world.scrapeWhen((seen) => stateOf(seen, PROCESSES, { state: 'gone' }) === 1);
      assert.equal(stateOf(metrics, PROCESSES, { state: 'lost' }), 0);
    }));

  it('with a blocked event loop is late, and nothing of it is lost', () =>
    inWorld(async (world) => {
      const [, blocked] = await startServices(world, 2);
      assert.ok(blocked);
      await send(blocked.port, REQUESTS);
      await ask(blocked.port, '/block?3000');
      const during = await world.scrape();
      assert.ok(stateOf(during, LATE) >= 1);
      const metrics = await world.counted(REQUESTS);
      assert.equal(countOf(metrics), REQUESTS);
    }));

  it('that is stopped holds up one scrape, and its counts come when it goes on', () =>
    inWorld(async (world) => {
      const [, stopped] = await startServices(world, 2);
      assert.ok(stopped);
      await world.scrape();
      await send(stopped.port, REQUESTS);
      stopped.service.child.kill('SIGSTOP');
      const first = await world.scrape();
      const second = await world.scrape();
      assert.ok(countOf(second) <= REQUESTS);
      assert.equal(stateOf(second, LATE), stateOf(first, LATE) + 1);
      assert.ok(stateOf(second, 'channel_exporter_collection_seconds') < 0.4, 'the second scrape did not wait');
      stopped.service.child.kill('SIGCONT');
      assert.equal(countOf(await world.counted(REQUESTS)), REQUESTS);
    }));

  it('is replaced again and again, and every request is counted', () =>
    inWorld(async (world) => {
      const generations = 12;
      const service = world.start({
        args: [...PRELOAD, `${PROGRAMS}/cluster.js`],
        env: { WORKERS: '1', RESPAWN: '1', APP_PORT: '0' },
      });
      for (let i = 1; i <= generations; i++) {
        const ready = await service.ready(i);
        const { port } = ready[i - 1] as { port: number };
        await send(port, 3);
        await ask(port, '/exit');
      }
      await service.ready(generations + 1);
      const metrics = await world.counted(generations * 3);
      assert.equal(countOf(metrics), generations * 3);
      assert.equal(stateOf(metrics, PROCESSES, { state: 'gone' }), generations);
    }));
});

describe('the hub', () => {
  for (const { name, stopFirst } of [
    { name: 'that is killed', stopFirst: false },
    { name: 'that is stopped, then killed', stopFirst: true },
  ]) {
    it(`${name} is replaced, and no count is given twice`, () =>
      inWorld(async (world) => {
        const [hub, one, other] = await startServices(world, 3);
        assert.ok(hub && one && other);
        for (const { port } of [hub, one, other]) await send(port, REQUESTS);
        await world.counted(3 * REQUESTS);
        if (stopFirst) hub.service.child.kill('SIGSTOP');
        // not handed over, or to nobody who counts it
        await send(one.port, REQUESTS);
        const begin = Date.now();
        hub.service.child.kill('SIGKILL');
        await world.scrapeWhen(membersAre(1));
        assert.ok(Date.now() - begin < TAKE_OVER_LIMIT_MS);
        await send(other.port, REQUESTS);
        const metrics = await world.scrapeWhen((seen) => countOf(seen) >= 2 * REQUESTS);
        assert.equal(countOf(metrics), 2 * REQUESTS, 'what came after the last collection, and nothing before it');
        assert.equal([one, other].flatMap(({ service }) => service.said('this one does so now')).length, 1);
      }));
  }

  it('ends by shutdown() of its process, and the next goes on with its counts', () =>
    inWorld(async (world) => {
      const first = world.start({ args: [...PRELOAD, `${PROGRAMS}/shutdown.js`] });
      const [ready] = await first.ready(1);
      assert.ok(ready);
      await world.scrapeWhen(membersAre(0));
      const second = world.start({ args: serviceArgs });
      const [member] = await second.ready(1);
      assert.ok(member);
      world.start({ args: serviceArgs });
      await world.scrapeWhen(membersAre(2));
      for (const { port } of [ready, member]) await send(port, REQUESTS);
      assert.equal(countOf(await world.counted(2 * REQUESTS)), 2 * REQUESTS);
      // of these no scrape has shown anything
      for (const { port } of [ready, member]) await send(port, REQUESTS);
      await ask(ready.port, '/shutdown');
      await send(member.port, REQUESTS);
      assert.equal(countOf(await world.counted(5 * REQUESTS)), 5 * REQUESTS);
      const metrics = await world.scrapeWhen(membersAre(1));
      assert.equal(countOf(metrics), 5 * REQUESTS);
      // the member that is left joins a hub that knows it from the one before
      for (const state of ['gone', 'lost']) assert.equal(stateOf(metrics, PROCESSES, { state }), 0, state);
    }));

  it('is handed what is left by shutdown() of a member', () =>
    inWorld(async (world) => {
      await startServices(world, 1);
      const leaving = world.start({ args: [...PRELOAD, `${PROGRAMS}/shutdown.js`] });
      const [ready] = await leaving.ready(1);
      assert.ok(ready);
      await world.scrapeWhen(membersAre(1));
      await send(ready.port, REQUESTS);
      await ask(ready.port, '/shutdown');
      const metrics = await world.scrapeWhen(membersAre(0));
      assert.equal(countOf(metrics), REQUESTS);
    }));

  it('lets its process end at once, however often it is scraped, and with members', () =>
    inWorld(async (world) => {
      const services = await startServices(world, 2);
      const [hub] = services;
      assert.ok(hub);
      for (const { port } of services) await send(port, REQUESTS);
      const poll = setInterval(() => void world.scrape().catch(() => undefined), 100);
      try {
        await ask(hub.port, '/close');
        await until(async () => hub.service.child.exitCode === 0, 'the hub did not end', TAKE_OVER_LIMIT_MS);
        const metrics = await world.scrapeWhen(membersAre(0));
        assert.equal(countOf(metrics), 2 * REQUESTS, 'the next hub goes on with its counts');
      } finally {
        clearInterval(poll);
      }
    }));
});

describe('64 members', () => {
  it('are counted to the unit', { timeout: 2 * MANY_LIMIT_MS }, () =>
    inWorld(async (world) => {
      const workers = 64;
      const service = world.start({
        args: [...PRELOAD, `${PROGRAMS}/forks.js`],
        env: { WORKERS: String(workers) },
      });
      const ready = await service.ready(workers, MANY_LIMIT_MS);
      // in groups: requests to all at once wait longer for a core than the test waits for an answer
      for (let first = 0; first < workers; first += SENT_TO_AT_ONCE) {
        await Promise.all(ready.slice(first, first + SENT_TO_AT_ONCE).map(({ port }) => send(port, 5)));
      }
      await world.counted(workers * 5);
      const metrics = await world.scrapeWhen(membersAre(workers));
      assert.equal(countOf(metrics), workers * 5);
    }),
  );
});

describe('two services on one port', () => {
  it('are told apart: the second says whose the port is, and the first that it turned one away', () =>
    inWorld(async (world) => {
      const [first] = await startServices(world, 1);
      assert.ok(first);
      const second = world.start({ args: serviceArgs, env: { SYSCODE: 'B999999999' } });
      const [ready] = await second.ready(1);
      assert.ok(ready);
      await send(ready.port, REQUESTS);
      await until(
        async () => second.said('CHX_SYSCODE_OTHER').length > 0,
        () => second.output(),
      );
      const [line, ...more] = second.said('CHX_');
      assert.deepEqual(more, []);
      assert.ok(line?.includes(`the hub of A123010101 (pid ${first.service.child.pid})`), line);
      const metrics = await world.scrape();
      assert.equal(countOf(metrics), 0);
      assert.equal(stateOf(metrics, 'channel_exporter_refused', { syscode: 'B999999999' }), 1);
    }));
});

describe('the socket of the hub', () => {
  const directoryOf = (world: World) => join(world.folder, `channel-exporter-${process.getuid?.()}`);

  it('is a socket in a directory that nobody else may enter, and is gone with the hub', () =>
    inWorld(async (world) => {
      const [hub] = await startServices(world, 1);
      assert.ok(hub);
      assert.equal(statSync(directoryOf(world)).mode & 0o777, 0o700);
      assert.match(readdirSync(directoryOf(world)).join(), new RegExp(`^${world.port}\\b[-\\d]*\\.sock$`));
      await ask(hub.port, '/exit');
      await until(async () => hub.service.child.exitCode === 0, 'the hub did not end');
      assert.deepEqual(readdirSync(directoryOf(world)), []);
    }));

  const FAULTS = [
    {
      name: 'a directory that others may enter',
      prepare: (world: World) => {
        mkdirSync(directoryOf(world));
        chmodSync(directoryOf(world), 0o755);
      },
      says: /CHX_SOCKET_DIRECTORY: .* may be entered by others \(mode 755\)/,
    },
    {
      name: 'a parent in which every user may rename the directory',
      prepare: (world: World) => chmodSync(world.folder, 0o777),
      says: /CHX_SOCKET_DIRECTORY: .* is in .*, where every user may rename it \(mode 777\)\..* chmod \+t /,
    },
    {
      name: 'a file where the directory should be',
      prepare: (world: World) => writeFileSync(directoryOf(world), ''),
      says: /CHX_SOCKET_DIRECTORY: .* is no directory/,
    },
    {
      name: 'a link where the directory should be',
      prepare: (world: World) => symlinkSync(world.folder, directoryOf(world)),
      says: /CHX_SOCKET_DIRECTORY: .* is no directory/,
    },
    // only root can give a directory away
    ...(process.getuid?.() === 0
      ? [
          {
            name: 'a directory of another user',
            prepare: (world: World) => {
              mkdirSync(directoryOf(world), { mode: 0o700 });
              chownSync(directoryOf(world), 4711, 4711);
            },
            says: /CHX_SOCKET_DIRECTORY: .* belongs to user 4711/,
          },
        ]
      : []),
    {
      name: 'no directory at all',
      prepare: () => undefined,
      env: { TMPDIR: '/proc/nowhere' },
      says: undefined,
    },
  ];
  for (const { name, prepare, says, env = {} } of process.platform === 'linux' ? FAULTS : []) {
    it(`is in another private directory where there is ${name}, and no abstract socket is opened`, () =>
      inWorld(async (world) => {
        prepare(world);
        const [hub, member] = await startServices(world, 2, env);
        assert.ok(hub && member);
        await send(member.port, REQUESTS);
        assert.equal(countOf(await world.counted(REQUESTS)), REQUESTS);
        assert.doesNotMatch(readFileSync('/proc/net/unix', 'utf8'), /@channel-exporter/);
        const said = hub.service.said('CHX_');
        assert.equal(said.length, says === undefined ? 0 : 1, said.join('\n'));
        if (says !== undefined) assert.match(said[0] as string, says);
      }));
  }

  it('is there again at a later scrape when somebody has removed it', () =>
    inWorld(async (world) => {
      const [, before] = await startServices(world, 2);
      rmSync(directoryOf(world), { recursive: true });
      const after = world.start({ args: serviceArgs });
      const [ready] = await after.ready(1);
      assert.ok(before && ready);
      await world.scrapeWhen(membersAre(2));
      assert.equal(statSync(directoryOf(world)).mode & 0o777, 0o700);
      for (const port of [before.port, ready.port]) await send(port, REQUESTS);
      assert.equal(countOf(await world.counted(2 * REQUESTS)), 2 * REQUESTS);
    }));

  it('turns away a peer that sends malformed messages, and counts it', () =>
    inWorld(async (world) => {
      const [hub] = await startServices(world, 1);
      assert.ok(hub);
      const [name] = readdirSync(directoryOf(world));
      const socket = connect({ path: join(directoryOf(world), name as string) });
      socket.write('GET / HTTP/1.1\r\n\r\n');
      await new Promise((resolve) => socket.on('close', resolve).on('error', () => undefined));
      const metrics = await world.scrapeWhen((seen) => stateOf(seen, DROPPED, { reason: 'malformed' }) === 1);
      assert.equal(stateOf(metrics, PROCESSES, { state: 'member' }), 0);
    }));
});

describe('a foreign program on the port', () => {
  it('is named once, and when it leaves all processes are on one scrape', () =>
    inWorld(async (world) => {
      const foreign: Server = createServer();
      await new Promise<void>((resolve) => foreign.listen(world.port, resolve));
      const services = [1, 2, 3].map(() => world.start({ args: serviceArgs }));
      for (const service of services) {
        const [ready] = await service.ready(1);
        await send((ready as { port: number }).port, REQUESTS);
        await until(
          async () => service.said('CHX_PORT_TAKEN').length > 0,
          () => service.output(),
        );
      }
      await new Promise((resolve) => foreign.close(resolve));
      const metrics = await world.counted(services.length * REQUESTS);
      assert.equal(countOf(metrics), services.length * REQUESTS);
      for (const service of services) assert.equal(service.said('CHX_').length, 1, service.output());
    }));
});
