/** The file system of the local socket is full or read-only: a real one, in a mount of the service's own. */
import assert from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { nodeBinary } from '../../support/app';
import { reportNotRun } from '../../support/debian';
import { mountedOver, whyNoMount } from '../../support/mount';
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
const WORKERS = 2;
const REQUESTS = 20;
/** Inside, the service is run by root, whoever runs this. */
const FOLDER = 'channel-exporter-0';
/** The root of the file system is one of them. */
const INODES = 'size=64k,nr_inodes';
const FILLER = 'filler';

/** A program with its workers, all in one file system of their own. */
class Mounted {
  readonly service: Service;
  private readonly folder: string;

  constructor(
    private readonly world: World,
    options: string,
    prepare: string,
  ) {
    this.folder = join(world.folder, 'disk');
    mkdirSync(this.folder);
    const node = [nodeBinary(), ...PRELOAD, `${PROGRAMS}/forks.js`];
    this.service = world.start({
      ...mountedOver(this.folder, options, prepare, node),
      env: { TMPDIR: this.folder, WORKERS: String(WORKERS) },
    });
  }

  /** A path of this file system as it is seen from outside. */
  seen(name: string): string {
    return join(`/proc/${this.service.child.pid}/root`, this.folder, name);
  }

  /** Sends to every worker, and waits for the sum. */
  async isWhole(): Promise<void> {
    const ready = await this.service.ready(WORKERS);
    const before = countOf(await this.world.scrape());
    for (const { port } of ready) await send(port, REQUESTS);
    const expected = before + WORKERS * REQUESTS;
    assert.equal(countOf(await this.world.counted(expected)), expected);
  }

  async hasAllMembers(): Promise<void> {
    await this.world.scrapeWhen((seen) => stateOf(seen, PROCESSES, { state: 'member' }) === WORKERS);
  }
}

async function inMount(t: TestContext, use: (world: World) => Promise<void>): Promise<void> {
  const world = await openWorld();
  try {
    const reason = whyNoMount(world.folder);
    if (reason === undefined) await use(world);
    else reportNotRun(t, reason);
  } finally {
    await world.end();
  }
}

const OURS = `mkdir -m 700 ${FOLDER}`;
// a user namespace may not change the file system itself
const READ_ONLY = 'mount -o remount,bind,ro .';

describe('processes join in another private directory, and nothing is logged, where the file system', () => {
  const CASES = [
    { name: 'is read-only', options: 'size=64k', prepare: READ_ONLY },
    { name: 'has become read-only', options: 'size=64k', prepare: `${OURS} && ${READ_ONLY}` },
    { name: 'has no room for a directory', options: `${INODES}=2`, prepare: `: > ${FILLER}` },
  ];
  for (const { name, options, prepare } of CASES) {
    it(name, (t) =>
      inMount(t, async (world) => {
        const mounted = new Mounted(world, options, prepare);
        await mounted.service.ready(WORKERS);
        await mounted.hasAllMembers();
        await mounted.isWhole();
        assert.deepEqual(mounted.service.said('CHX_'), []);
      }),
    );
  }
});

describe('a full disk', () => {
  it('without room for content has room for a socket', (t) =>
    inMount(t, async (world) => {
      const mounted = new Mounted(world, 'size=4k', `head -c 4096 /dev/zero > ${FILLER}`);
      await mounted.service.ready(WORKERS);
      await mounted.hasAllMembers();
      await mounted.isWhole();
      assert.deepEqual(mounted.service.said('CHX_'), []);
    }));

  it('with room for one socket alone lets the next hub have it when the hub is killed', (t) =>
    inMount(t, async (world) => {
      const mounted = new Mounted(world, `${INODES}=3`, OURS);
      const { service } = mounted;
      const ready = await service.ready(WORKERS);
      await mounted.hasAllMembers();
      service.child.kill('SIGKILL');
      await world.scrapeWhen((seen) => stateOf(seen, PROCESSES, { state: 'member' }) === WORKERS - 1);
      for (const { port } of ready) await send(port, REQUESTS);
      assert.equal(countOf(await world.counted(WORKERS * REQUESTS)), WORKERS * REQUESTS);
      assert.deepEqual(service.said('CHX_'), []);
    }));

  it('without room for the socket is said once; when there is room again, nothing that was measured is missing', (t) =>
    inMount(t, async (world) => {
      const mounted = new Mounted(world, `${INODES}=3`, `${OURS} && : > ${FILLER}`);
      const { service } = mounted;
      const ready = await service.ready(WORKERS);
      for (const { port } of ready) await send(port, REQUESTS);
      await until(
        async () => service.said('CHX_PORT_TAKEN').length === WORKERS,
        () => service.output(),
      );
      // whoever has got the port, the first process or a worker, has its own counts alone
      assert.ok([0, REQUESTS].includes(countOf(await world.scrape())), 'nobody could hand over');
      rmSync(mounted.seen(FILLER));
      await world.counted(WORKERS * REQUESTS);
      await mounted.isWhole();
      const [line, ...more] = service.said('CHX_SOCKET_REFUSED');
      assert.match(line ?? '', /cannot join this one: .*ENOSPC/);
      assert.deepEqual(more, []);
      assert.equal(service.said('can join this one now').length, 1);
    }));
});
