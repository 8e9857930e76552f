/** Another user of the machine takes names, floods or poses as the hub; an honest service counts as without him. */
import assert from 'node:assert/strict';
import { chmodSync, chownSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { reportNotRun } from '../../support/debian';
import { countOf, openWorld, PRELOAD, PROGRAMS, send, stateOf, until, type World } from '../../support/service';

const PROCESSES = 'channel_exporter_processes';
const REQUESTS = 20;
/** Users without an account. */
const SERVICE_UID = 47_120;
const SQUATTER_UID = 47_121;
const SHARED_MEMORY = `/dev/shm/channel-exporter-${SERVICE_UID}`;

const serviceArgs = [...PRELOAD, `${PROGRAMS}/service.js`];

async function inWorld(use: (world: World) => Promise<void>): Promise<void> {
  const world = await openWorld();
  try {
    // the service runs as another user than the test
    chmodSync(world.folder, 0o1777);
    await use(world);
  } finally {
    await world.end();
    rmSync(SHARED_MEMORY, { recursive: true, force: true });
  }
}

/** Creates a directory as another user would. */
function squat(directory: string): void {
  mkdirSync(directory, { mode: 0o755 });
  chownSync(directory, SQUATTER_UID, SQUATTER_UID);
}

function whyNotRun(): string | undefined {
  if (process.platform !== 'linux' || !existsSync('/dev/shm')) return 'there is no /dev/shm';
  return process.getuid?.() === 0 ? undefined : 'only root can run a program as another user';
}

describe('another user who creates our directory first', () => {
  it('makes the service use the next one, and no count is missing', (t) =>
    inWorld(async (world) => {
      const reason = whyNotRun();
      if (reason !== undefined) return reportNotRun(t, reason);
      squat(join(world.folder, `channel-exporter-${SERVICE_UID}`));
      const hub = world.start({ args: serviceArgs, uid: SERVICE_UID });
      await hub.ready(1);
      await world.scrapeWhen((seen) => stateOf(seen, PROCESSES, { state: 'hub' }) === 1);
      const member = world.start({ args: serviceArgs, uid: SERVICE_UID });
      const [ready] = await member.ready(1);
      await world.scrapeWhen((seen) => stateOf(seen, PROCESSES, { state: 'member' }) === 1);
      await send((ready as { port: number }).port, REQUESTS);
      assert.equal(countOf(await world.counted(REQUESTS)), REQUESTS);
      assert.match(hub.said('CHX_').join('\n'), new RegExp(`^\\S+ CHX_SOCKET_DIRECTORY: .* user ${SQUATTER_UID}.*$`));
      assert.doesNotMatch(readFileSync('/proc/net/unix', 'utf8'), /@channel-exporter/);
    }));

  it('and the next ones too keeps processes apart, and the hub logs the remedy', (t) =>
    inWorld(async (world) => {
      const reason = whyNotRun();
      if (reason !== undefined) return reportNotRun(t, reason);
      squat(join(world.folder, `channel-exporter-${SERVICE_UID}`));
      squat(SHARED_MEMORY);
      const hub = world.start({ args: serviceArgs, uid: SERVICE_UID });
      const [ready] = await hub.ready(1);
      await until(
        async () => hub.said('CHX_SOCKET_REFUSED').length === 1,
        () => hub.output(),
      );
      assert.match(hub.said('CHX_SOCKET_REFUSED')[0] as string, /belongs to this user alone; set XDG_RUNTIME_DIR/);
      await send((ready as { port: number }).port, REQUESTS);
      assert.equal(countOf(await world.counted(REQUESTS)), REQUESTS);
      const other = world.start({ args: serviceArgs, uid: SERVICE_UID });
      await until(
        async () => other.said('CHX_PORT_TAKEN').length === 1,
        () => other.output(),
      );
    }));
});
