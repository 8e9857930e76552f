/** A file system of a service's own, mounted where nobody but that service sees it. */
import { spawnSync } from 'node:child_process';

/** Where a user may mount: in a mount namespace, and unless it is root in a user namespace around it. */
const NAMESPACE = process.getuid?.() === 0 ? ['-m'] : ['-U', '-r', '-m'];
const NOT_MOUNTED = 77;

/** What the shell runs: $1 folder, $2 options of the file system, $3 what is done in it before; then the program. */
const SCRIPT = `
mount -t tmpfs -o "$2" none "$1" || exit ${NOT_MOUNTED}
(cd "$1" && eval "$3") || exit ${NOT_MOUNTED}
shift 3
exec "$@"
`;

/** @returns a command that runs another one with an empty file system of its own over a folder */
export function mountedOver(
  folder: string,
  options: string,
  prepare: string,
  command: readonly string[],
): { command: string; args: string[] } {
  return {
    command: 'unshare',
    args: [...NAMESPACE, 'sh', '-c', SCRIPT, 'mount', folder, options, prepare, ...command],
  };
}

/** @returns why nothing can be mounted here; undefined when it can */
export function whyNoMount(folder: string): string | undefined {
  const { command, args } = mountedOver(folder, 'size=4k', 'true', ['true']);
  const { status, error, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 ? undefined : `no file system can be mounted: ${error?.message ?? stderr.trim()}`;
}
