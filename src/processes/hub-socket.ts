/**
 * Where hub and members meet on this machine: a local socket named after the port of the scrape.
 *
 * A Unix socket in a directory that only our user may enter; where no such directory can be had, on Linux, an abstract
 * socket; on Windows a named pipe. The hub listens at every place that it can, so that members with another
 * XDG_RUNTIME_DIR or TMPDIR find it.
 */
import { accessSync, constants, existsSync, lstatSync, mkdirSync, readlinkSync, renameSync, unlinkSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { errorText, logLine, warn } from '../diagnostics/log';

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
export function hubSocketPaths(address: Address): string[] {
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
  // anybody may take an abstract name, so it is used only where there is no directory of our own to write to. One that
  // cannot be written to is looked into all the same: it may have been writable when the hub began
  if (files.some(({ folder }) => isWritable(folder)) || !hasAbstractSockets()) return files;
  return [...files, { path: `\0channel-exporter-${uid}-${name}` }];
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
    if (fault === undefined) return true;
    const use = 'It is not used to join processes. Remove it, or give it to this user with mode 700.';
    warn('CHX_SOCKET_DIRECTORY', folder, `${folder} ${fault}. ${use}`);
    return false;
  } catch {
    return false;
  }
}

/** A file system may be read-only. */
function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** The hub's side: listens at every place of the address. */
export class MeetingPoint {
  private readonly servers = new Map<string, { readonly server: Server; readonly place: Place }>();
  private readonly onExit = () => this.removeNames();
  private underWay: Promise<void> = Promise.resolve();
  private hasSaid = false;
  private isClosed = false;

  /** @param onConnection called for each peer that comes */
  constructor(
    private readonly address: Address,
    private readonly onConnection: (socket: Socket) => void,
  ) {
    // called while the port is still ours, so that nobody else has taken the names
    process.on('exit', this.onExit);
  }

  /**
   * Listens where nobody does yet: at first everywhere, later where it could not, for want of room perhaps, or where
   * somebody has cleaned up. Says it when members cannot come at all, and when they can again.
   */
  open(): Promise<void> {
    const before = this.underWay.catch(() => undefined);
    this.underWay = before.then(() => this.openMissing());
    return this.underWay;
  }

  /** Later members find nobody; those that are here stay. */
  async close(): Promise<void> {
    this.isClosed = true;
    process.off('exit', this.onExit);
    await this.underWay.catch(() => undefined);
    this.removeNames();
    for (const { server } of this.servers.values()) server.close();
  }

  private async openMissing(): Promise<void> {
    if (this.isClosed) return;
    for (const [path, { server, place }] of this.servers) {
      if (place.folder === undefined || existsSync(path)) continue;
      server.close();
      this.servers.delete(path);
    }
    const errors: string[] = [];
    for (const place of places(this.address)) {
      if (this.servers.has(place.path)) continue;
      try {
        this.servers.set(place.path, { server: await listenAt(place, this.onConnection), place });
      } catch (error) {
        errors.push(errorText(error));
      }
    }
    if (this.servers.size > 0) {
      if (this.hasSaid) logLine('info', 'other processes of this service can join this one now');
      this.hasSaid = false;
    } else if (!this.hasSaid) {
      const reason = errors.length > 0 ? errors.join('; ') : 'no directory for a local socket could be had';
      warn('CHX_SOCKET_REFUSED', 'meeting', `other processes of this service cannot join this one: ${reason}`);
      this.hasSaid = true;
    }
  }

  private removeNames(): void {
    for (const { place } of this.servers.values()) if (place.folder !== undefined) removeQuietly(place.path);
  }
}

let opened = 0;

async function listenAt(place: Place, onConnection: (socket: Socket) => void): Promise<Server> {
  try {
    return await listenOnce(place, onConnection);
  } catch (error) {
    if (place.folder === undefined || (error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    // what a hub that died has left may be all the room there is
    removeQuietly(place.path);
    return listenOnce(place, onConnection);
  }
}

/**
 * A file takes its name when it listens: renaming replaces what a hub that died has left, and closing a server
 * removes the name under which it was created, which is then nobody's.
 */
function listenOnce({ path, folder }: Place, onConnection: (socket: Socket) => void): Promise<Server> {
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
