/**
 * Directories for the hub's socket that no other user can enter.
 *
 * Permissions are the only proof that a peer belongs to our user, so there is no fallback to a name that any user may
 * take, such as an abstract socket. Names have to be predictable, or processes that do not descend from each other could
 * not find the hub; another user can therefore create a directory first, but only where its parent is shared.
 */
import { accessSync, constants, lstatSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { warn } from '../diagnostics/log';

const OTHERS_MODE = 0o077;

/**
 * @param isShort whether the path of the socket in this directory is short enough for the system
 * @returns private directories in the order to try them; those that are missing are created
 */
export function socketDirectories(isShort: (directory: string) => boolean): string[] {
  const uid = process.getuid?.() ?? 0;
  const { XDG_RUNTIME_DIR: runtime } = process.env;
  const preferred = [
    ...(runtime ? [join(runtime, 'channel-exporter')] : []),
    join(tmpdir(), `channel-exporter-${uid}`),
  ];
  const isUsable = (directory: string) => isShort(directory) && isPrivate(directory, uid);
  const usable = preferred.filter(isUsable);
  if (usable.some(isWritable)) return usable;
  // a directory that cannot be written to is still tried: it may have been writable when the hub started.
  // Of the others, the first belongs to a user who has logged in, the second exists in containers with a read-only root
  const further = [`/run/user/${uid}/channel-exporter`, `/dev/shm/channel-exporter-${uid}`];
  return [...usable, ...further.filter(isUsable)];
}

/** Creates the directory if it is missing. @returns whether it belongs to this user alone; logs why it does not */
function isPrivate(directory: string, uid: number): boolean {
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return false;
  }
  const fault = faultOf(directory, uid);
  if (fault === undefined) return true;
  const use = 'It is not used to join processes. Remove it, or give it to this user with mode 700.';
  warn('CHX_SOCKET_DIRECTORY', directory, `${directory} ${fault}. ${use}`);
  return false;
}

function faultOf(directory: string, uid: number): string | undefined {
  try {
    // of the link itself, not of its target: another user could change where it points to
    const stat = lstatSync(directory);
    if (!stat.isDirectory()) return 'is no directory';
    if (stat.uid !== uid) return `belongs to user ${stat.uid}`;
    if ((stat.mode & OTHERS_MODE) === 0) return undefined;
    return `may be entered by others (mode ${(stat.mode & 0o777).toString(8)})`;
  } catch (error) {
    return `cannot be read (${(error as NodeJS.ErrnoException).code})`;
  }
}

/** A file system may be read-only. */
function isWritable(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
