/** A peer floods the hub or a member, sends what it may not, or never answers; the honest processes count as without it. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { encodeFrame, FrameDecoder, type MemberMessage, PROTOCOL_VERSION } from '../../../src/processes/protocol';
import { INNER } from '../../support/app';
import type { Metrics } from '../../support/metrics';
import {
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
const DROPPED = 'channel_exporter_dropped_deltas_total';
const REQUESTS = 20;
const BOUNDARIES = [100, 200, 500, 800, 1000, 1500, 2000, 2500, 3000, 4000, 5000, 6000, 8000];
const LABELS = ['appid', 'application', 'f_code', 'path', 'http_status', 'code', 'method_code'];
const HELLO = {
  type: 'hello',
  version: PROTOCOL_VERSION,
  syscode: 'A123010101',
  member: 'hostile',
  pid: 1,
  isThread: false,
} as const satisfies MemberMessage;
const serviceArgs = [...PRELOAD, `${PROGRAMS}/service.js`];

async function inWorld(use: (world: World) => Promise<void>): Promise<void> {
  const world = await openWorld();
  try {
    await use(world);
  } finally {
    await world.end();
  }
}

const directoryOf = (world: World) => join(world.folder, `channel-exporter-${process.getuid?.()}`);

async function startHub(world: World) {
  const hub = world.start({ args: serviceArgs });
  await hub.ready(1);
  await world.scrapeWhen((seen) => stateOf(seen, PROCESSES, { state: 'hub' }) === 1);
  const [name] = readdirSync(directoryOf(world));
  return { hub, path: join(directoryOf(world), name as string) };
}

/** Starts an honest member and checks that its requests are counted. */
async function memberIsCounted(world: World): Promise<void> {
  const before = countOf(await world.scrape());
  const member = world.start({ args: serviceArgs });
  const [ready] = await member.ready(1);
  await send((ready as { port: number }).port, REQUESTS);
  assert.equal(countOf(await world.counted(before + REQUESTS)), before + REQUESTS);
}

/** A peer that reads and drops what it is answered. */
function peer(path: string): Socket {
  return connect({ path })
    .on('error', () => undefined)
    .resume();
}

function batch(number: number, labels: readonly string[], values: readonly string[]): Buffer {
  const buckets = [1, ...BOUNDARIES.map(() => 0)];
  const series = [{ values, count: 1, sum: 1, buckets }];
  return encodeFrame({ type: 'batch', number, deltas: [{ family: INNER, labels, boundaries: BOUNDARIES, series }] });
}

describe('a hub', () => {
  it('keeps the descriptors of its application when 1,000 peers connect and stay silent', () =>
    inWorld(async (world) => {
      const { hub, path } = await startHub(world);
      const peers = Array.from({ length: 1_000 }, () => peer(path));
      try {
        await until(
          async () => hub.said('CHX_DELTAS_DROPPED').length > 0,
          () => hub.output(),
        );
        const sockets = readdirSync(`/proc/${hub.child.pid}/fd`).filter((fd) => isSocket(hub.child.pid, fd));
        assert.ok(sockets.length < 100, `${sockets.length} sockets`);
        await memberIsCounted(world);
        assert.ok(stateOf(await world.scrape(), DROPPED, { reason: 'connections' }) > 0);
      } finally {
        for (const each of peers) each.destroy();
      }
    }));

  it('counts a peer that comes back, or that took leave, as not lost', () =>
    inWorld(async (world) => {
      const { path } = await startHub(world);
      const count = (seen: Metrics) =>
        ['member', 'gone', 'lost'].map((state) => stateOf(seen, PROCESSES, { state })).join(' ');
      const join = async () => {
        const socket = peer(path);
        socket.write(encodeFrame(HELLO));
        await world.scrapeWhen((seen) => count(seen) === '1 0 0');
        return socket;
      };
      (await join()).destroy();
      await world.scrapeWhen((seen) => count(seen) === '0 1 1');
      (await join()).end(encodeFrame({ type: 'batch', number: 1, deltas: [], isLast: true }));
      await world.scrapeWhen((seen) => count(seen) === '0 1 0');
    }));

  it('cuts long values of a member, and holds no more memory than for short ones', () =>
    inWorld(async (world) => {
      const { hub, path } = await startHub(world);
      const socket = peer(path);
      socket.write(encodeFrame(HELLO));
      const before = residentBytes(hub.child.pid);
      const batches = 1_000;
      for (let i = 1; i <= batches; i++) {
        const values = ['A123', 'A123010101', '', `/${i}/${'x'.repeat(140_000)}`, '200', '0', ''];
        if (!socket.write(batch(i, LABELS, values))) await new Promise((resolve) => socket.once('drain', resolve));
      }
      const metrics = await world.scrapeWhen((seen) => seen.counts(INNER).length >= batches);
      const grown = residentBytes(hub.child.pid) - before;
      assert.ok(metrics.counts(INNER).every(({ labels }) => (labels.path as string).length <= 255));
      assert.ok(grown < 100 * 1024 * 1024, `${grown} bytes more`);
      socket.destroy();
      await memberIsCounted(world);
    }));

  it('counts and logs once that it reads a peer no faster than it may send', () =>
    inWorld(async (world) => {
      const { hub, path } = await startHub(world);
      assert.equal(pausesOf(await world.scrape()), 0);
      const socket = peer(path);
      socket.write(encodeFrame(HELLO));
      const messages = Array.from({ length: 500 }, () => encodeFrame({ type: 'collected', id: 0 }));
      const flood = Buffer.concat(messages);
      const flooding = setInterval(() => socket.writableLength === 0 && socket.write(flood), 10);
      try {
        await world.scrapeWhen((seen) => (pausesOf(seen) ?? 0) >= 2);
      } finally {
        clearInterval(flooding);
        socket.destroy();
      }
      const [line, ...more] = hub.said('CHX_PEER_PAUSED');
      assert.match(
        line as string,
        new RegExp(`that gave ${HELLO.pid} as its pid .* counted in channel_exporter_read_pauses_total`),
      );
      assert.deepEqual(more, []);
      await memberIsCounted(world);
    }));

  it('drops series with other label names than its own, and counts them', () =>
    inWorld(async (world) => {
      const { hub, path } = await startHub(world);
      const socket = peer(path);
      socket.write(Buffer.concat([encodeFrame(HELLO), batch(1, ['instance'], ['foreign'])]));
      const metrics = await world.scrapeWhen((seen) => stateOf(seen, DROPPED, { reason: 'labels' }) === 1);
      assert.doesNotMatch(metrics.text, /foreign/);
      assert.equal(hub.said('CHX_DELTAS_DROPPED').length, 1);
      socket.destroy();
      await memberIsCounted(world);
    }));
});

describe('a member', () => {
  const network = /\d+/.exec(process.platform === 'linux' ? readlinkSync('/proc/self/ns/net') : '')?.[0];
  const listen = async (world: World, onConnection: (socket: Socket) => void): Promise<Server[]> => {
    mkdirSync(directoryOf(world), { mode: 0o700 });
    const name = `${world.port}${network === undefined ? '' : `-${network}`}.sock`;
    const port = createServer();
    const socket = createServer((each) => onConnection(each.on('error', () => undefined)));
    await new Promise<void>((resolve) => port.listen(world.port, resolve));
    await new Promise<void>((resolve) => socket.listen(join(directoryOf(world), name), resolve));
    return [port, socket];
  };

  it('of a hub that never answers logs it once, and has the port when it is free', () =>
    inWorld(async (world) => {
      const peers: Socket[] = [];
      const servers = await listen(world, (socket) => peers.push(socket.resume()));
      const service = world.start({ args: serviceArgs });
      const [ready] = await service.ready(1);
      await send((ready as { port: number }).port, REQUESTS);
      await until(
        async () => service.said('CHX_HUB_SILENT').length === 1,
        () => service.output(),
      );
      for (const each of peers) each.destroy();
      for (const server of servers) server.close();
      assert.equal(countOf(await world.counted(REQUESTS)), REQUESTS);
      assert.equal(service.said('CHX_').length, 1);
    }));

  it('of a hub with another protocol logs both, and that not the version of the package is compared', () =>
    inWorld(async (world) => {
      const syscode = 'A123010101';
      // as a later version refuses
      const refusal = JSON.stringify({
        type: 'refused',
        reason: 'version',
        syscode,
        pid: 4711,
        version: 3,
        release: '9.8.7',
      });
      const head = Buffer.alloc(4);
      head.writeUInt32BE(refusal.length);
      const servers = await listen(world, (socket) => socket.resume().end(Buffer.concat([head, Buffer.from(refusal)])));
      const service = world.start({ args: serviceArgs });
      await service.ready(1);
      await until(
        async () => service.said('CHX_HUB_REFUSED').length === 1,
        () => service.output(),
      );
      const [line] = service.said('CHX_HUB_REFUSED');
      assert.match(
        line as string,
        /protocol 3 between processes \(channel-exporter 9\.8\.7\), this process protocol 2 \(channel-exporter \d.*; versions with the same one go together/,
      );
      for (const server of servers) server.close();
    }));

  it('answers a hub that asks without end no more than 50 times a second, and its application goes on', () =>
    inWorld(async (world) => {
      let answers = 0;
      const peers: Socket[] = [];
      const flood = Buffer.concat(Array.from({ length: 500 }, (_, id) => encodeFrame({ type: 'collect', id })));
      const servers = await listen(world, (socket) => {
        peers.push(socket);
        const decoder = new FrameDecoder();
        const goOn = () => {
          while (!socket.destroyed && socket.write(flood));
          socket.once('drain', goOn);
        };
        socket.on('data', (bytes) => {
          for (const message of decoder.push(bytes) as Iterable<MemberMessage>) {
            if (message.type === 'hello') socket.write(encodeFrame({ type: 'welcome', pid: 1 }));
            if (message.type === 'collected') answers++;
            if (message.type !== 'batch') continue;
            socket.write(encodeFrame({ type: 'ack', number: message.number }));
            if (message.number === 1) goOn();
          }
        });
      });
      let perSecond = 0;
      let service: Service | undefined;
      try {
        service = world.start({ args: serviceArgs });
        const [ready] = await service.ready(1);
        await send((ready as { port: number }).port, 1);
        await until(async () => answers > 0, 'the member did not answer');
        const before = answers;
        const begin = Date.now();
        await new Promise((resolve) => setTimeout(resolve, 1_000));
        perSecond = ((answers - before) / (Date.now() - begin)) * 1000;
        await send((ready as { port: number }).port, REQUESTS);
      } finally {
        for (const each of peers) each.destroy();
        for (const server of servers) server.close();
      }
      assert.ok(perSecond <= 55, `${perSecond} answers a second`);
      assert.equal(service.said('CHX_PEER_PAUSED: the hub sends').length, 1, service.output());
    }));
});

/** @returns undefined where the scrape does not have it */
function pausesOf(metrics: Metrics): number | undefined {
  return metrics.samples.find(({ name }) => name === 'channel_exporter_read_pauses_total')?.value;
}

function isSocket(pid: number | undefined, fd: string): boolean {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`).startsWith('socket:');
  } catch {
    return false; // closed meanwhile
  }
}

function residentBytes(pid: number | undefined): number {
  const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
  return Number(kilobytes) * 1024;
}
