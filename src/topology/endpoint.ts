/**
 * Where hub and members meet on this machine: a local socket named after the port of the scrape.
 *
 * A Unix socket in a directory that only our user may enter; where no such directory can be had, on Linux, an abstract
 * socket; on Windows a named pipe. The hub listens at every place that it can, so that members with another
 * XDG_RUNTIME_DIR or TMPDIR find it.
 */
import { accessSync, constants, lstatSync, mkdirSync, readlinkSync, renameSync, unlinkSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { errorText, warn } from '../diagnostics/log';

/** What the system takes as the name of a socket, with its end: 108 bytes on Linux, 104 on macOS and BSD. */
const MAX_PATH_BYTES = 103;
/** Suffix of a socket until it takes its name, at its longest. */
const UNNAMED_CHARACTERS = 20;
const OTHERS_MODE = 0o077;

/** What the scrape's address says about where to meet. */
export interface Address {
  readonly port: number;
  readonly host: string | undefined;
}

interface Place {
  readonly path: string;
  /** Directory that must be ours; absent for names that are no files. */
  readonly folder?: string;
}

/** Paths for net.connect at which a hub of this address may listen, most private first. */
export function meetingPaths(address: Address): string[] {
  return places(address).map(({ path }) => path);
}

function places(address: Address): Place[] {
  const host = address.host === undefined ? '' : `-${address.host.replace(/[^\w.-]/g, '_')}`;
  const name = `${address.port}${host}${networkOfOwn()}`;
  if (process.platform === 'win32') {
    return [{ path: `\\\\.\\pipe\\channel-exporter-${userInfo().username}-${name}` }];
  }
  const uid = process.getuid?.() ?? 0;
  const { XDG_RUNTIME_DIR: runtime } = process.env;
  const folders = [...(runtime ? [join(runtime, 'channel-exporter')] : []), join(tmpdir(), `channel-exporter-${uid}`)];
  const files = folders
    .map((folder) => ({ folder, path: join(folder, `${name}.sock`) }))
    .filter(({ folder, path }) => isShort(path) && isOurs(folder, uid));
  // anybody may take an abstract name, so it is used only where there is no directory of our own
  if (files.length > 0 || !hasAbstractSockets()) return files;
  return [{ path: `\0channel-exporter-${uid}-${name}` }];
}

/** In 20.6 connecting to such a name never ends and keeps the process alive; 20.20 is the first release tried that can. */
function hasAbstractSockets(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return process.platform === 'linux' && (major > 20 || (major === 20 && minor >= 20));
}

function isShort(path: string): boolean {
  return Buffer.byteLength(path) + UNNAMED_CHARACTERS <= MAX_PATH_BYTES;
}

/**
 * Two containers may share a directory, but a port only if they share the network too.
 * @returns the number of this process's network as Linux names it
 */
function networkOfOwn(): string {
  try {
    const inode = /\d+/.exec(readlinkSync('/proc/self/ns/net'))?.[0];
    return inode === undefined ? '' : `-${inode}`;
  } catch {
    return '';
  }
}

/** Creates the directory where it is missing; one of somebody else's, or that others may enter, is not used. */
function isOurs(folder: string, uid: number): boolean {
  try {
    mkdirSync(folder, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return false;
  }
  try {
    const stat = lstatSync(folder);
    const fault = !stat.isDirectory()
      ? 'is no directory'
      : stat.uid !== uid
        ? `belongs to user ${stat.uid}`
        : (stat.mode & OTHERS_MODE) !== 0
          ? `may be entered by others (mode ${(stat.mode & 0o777).toString(8)})`
          : undefined;
    if (fault === undefined) {
      accessSync(folder, constants.W_OK); // a file system may be read-only
      return true;
    }
    const use = 'It is not used to join processes. Remove it, or give it to this user with mode 700.';
    warn('CHX_SOCKET_DIRECTORY', folder, `${folder} ${fault}. ${use}`);
    return false;
  } catch {
    return false;
  }
}

/** The hub's side of every meeting place. */
export interface MeetingPoint {
  /** Where members find it; empty when no place could be had, which has been said. */
  readonly paths: readonly string[];
  close(): void;
}

let opened = 0;

/** Listens at every place of the address. @param onConnection called for each peer that comes */
export async function openMeetingPoint(
  address: Address,
  onConnection: (socket: Socket) => void,
): Promise<MeetingPoint> {
  const servers: { server: Server; place: Place }[] = [];
  const errors: string[] = [];
  for (const place of places(address)) {
    try {
      servers.push({ server: await listenAt(place, onConnection), place });
    } catch (error) {
      errors.push(errorText(error));
    }
  }
  if (servers.length === 0) {
    const reason = errors.length > 0 ? errors.join('; ') : 'no directory for a local socket could be had';
    warn('CHX_SOCKET_REFUSED', 'meeting', `other processes of this service cannot join this one: ${reason}`);
  }
  // called while the port is still ours, so that nobody else has taken the names
  const remove = () => {
    for (const { place } of servers) if (place.folder !== undefined) removeQuietly(place.path);
  };
  process.on('exit', remove);
  return {
    paths: servers.map(({ place }) => place.path),
    close() {
      process.off('exit', remove);
      remove();
      for (const { server } of servers) server.close();
    },
  };
}

/**
 * A file takes its name when it listens: renaming replaces what a hub that died has left, and closing a server
 * removes the name under which it was created, which is then nobody's.
 */
function listenAt({ path, folder }: Place, onConnection: (socket: Socket) => void): Promise<Server> {
  const unnamed = folder === undefined ? path : `${path}.${process.pid}.${opened++ % 1000}`;
  return new Promise((resolve, reject) => {
    const server = createServer(onConnection);
    server.once('error', reject);
    // exclusive: in a cluster worker the primary would listen instead
    server.listen({ path: unnamed, exclusive: true }, () => {
      server.off('error', reject);
      server.on('error', () => undefined);
      try {
        if (unnamed !== path) renameSync(unnamed, path);
        resolve(server);
      } catch (error) {
        server.close();
        reject(error);
      }
    });
    server.unref();
  });
}

function removeQuietly(path: string): void {
  try {
    unlinkSync(path);
  } catch {
    // gone already
  }
}
