/**
 * The file system of a pod as ops/deploy/kubernetes has it: read-only but for /dev/shm, which every container has, and run
 * by the user of the manifest. Processes of a cluster join all the same.
 */
import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { nodeBinary } from '../../support/app';
import { reportNotRun } from '../../support/debian';
import { whyNoMount } from '../../support/mount';
import { ROOT } from '../../support/paths';
import { countOf, openWorld, PRELOAD_PATH, PROGRAMS, send, stateOf } from '../../support/service';

const WORKERS = 2;
const REQUESTS = 20;
const UID = '1000';

/**
 * What the shell runs: $1 is the new root, $2 the options of a file system over /tmp, if any, $3 the project, which may
 * lie below it; then the program.
 */
const SCRIPT = `
mount --rbind / "$1" && mount -o remount,bind,ro "$1" || exit 1
mount -o remount,bind,ro "$1/tmp" 2>/dev/null
if touch "$1/tmp/written" 2>/dev/null; then exit 1; fi
if [ -n "$2" ]; then
  mount -t tmpfs -o "$2" none "$1/tmp" || exit 1
  case "$3" in /tmp/*) mkdir -p "$1$3" && mount --rbind "$3" "$1$3" || exit 1 ;; esac
fi
mount -t tmpfs -o mode=1777 none "$1/dev/shm" || exit 1
root="$1"
shift 3
exec chroot "$root" setpriv --reuid ${UID} --clear-groups "$@"
`;

describe('processes of a pod join where the root file system is read-only', () => {
  const CASES = [
    { name: 'and nothing is logged', tmp: '', said: 0 },
    // mode 777 without the sticky bit is that of an emptyDir
    { name: 'and /tmp is an emptyDir, which each of them reports', tmp: 'mode=777', said: 1 + WORKERS },
  ];
  for (const { name, tmp, said } of CASES) {
    it(name, async (t) => {
      const world = await openWorld();
      try {
        const reason = process.getuid?.() === 0 ? whyNoMount(world.folder) : 'only root can change its user';
        if (reason !== undefined) return reportNotRun(t, reason);
        const root = join(world.folder, 'root');
        mkdirSync(root);
        const program = [nodeBinary(), '-r', PRELOAD_PATH, `${PROGRAMS}/forks.js`];
        const service = world.start({
          command: 'unshare',
          args: ['-m', 'sh', '-c', SCRIPT, 'pod', root, tmp, ROOT, ...program],
          env: { TMPDIR: undefined, WORKERS: String(WORKERS) },
        });
        const ready = await service.ready(WORKERS);
        await world.scrapeWhen((seen) => stateOf(seen, 'channel_exporter_processes', { state: 'member' }) === WORKERS);
        for (const { port } of ready) await send(port, REQUESTS);
        assert.equal(countOf(await world.counted(WORKERS * REQUESTS)), WORKERS * REQUESTS);
        assert.equal(service.said('CHX_').length, said, service.output());
        assert.equal(service.said('CHX_SOCKET_DIRECTORY').length, said);
      } finally {
        await world.end();
      }
    });
  }
});
