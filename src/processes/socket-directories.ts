/**
 * Directories for the hub's socket that no other user can enter.
 *
 * Permissions are the only proof that a peer belongs to our user, so there is no fallback to a name that any user may
 * take, such as an abstract socket. Names have to be predictable, or processes that do not descend from each other could
 * not find the hub; another user can therefore create a directory first, but only where its parent is shared.
 */
import { accessSync, constants, lstatSync, mkdirSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { warn } from '../diagnostics/log';

const OTHERS_MODE = 0o077;
const WRITABLE_BY_ALL = 0o002;
/** Only its owner may rename or remove an entry of such a directory. */
const STICKY = 0o1000;

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
    const parent = dirname(directory);
    const { mode } = statSync(parent);
    if ((mode & WRITABLE_BY_ALL) !== 0 && (mode & STICKY) === 0) {
      const fault = `is in ${parent}, where every user may rename it (mode ${octal(mode)})`;
      return refuse(directory, fault, `Set the sticky bit with chmod +t ${parent}, or XDG_RUNTIME_DIR.`);
    }
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return false;
  }
  const fault = faultOf(directory, uid);
  return fault === undefined || refuse(directory, fault, 'Remove it, or give it to this user with mode 700.');
}

function refuse(directory: string, fault: string, remedy: string): false {
  warn('CHX_SOCKET_DIRECTORY', directory, `${directory} ${fault}. It is not used to join processes. ${remedy}`);
  return false;
}

function octal(mode: number): string {
  return (mode & 0o1777).toString(8);
}

function faultOf(directory: string, uid: number): string | undefined {
  try {
    // of the link itself, not of its target: another user could change where it points to
    const stat = lstatSync(directory);
    if (!stat.isDirectory()) return 'is no directory';
    if (stat.uid !== uid) return `belongs to user ${stat.uid}`;
    if ((stat.mode & OTHERS_MODE) === 0) return undefined;
    return `may be entered by others (mode ${octal(stat.mode)})`;
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
