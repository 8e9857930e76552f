/**
 * The local socket at which the hub accepts members, named after the port of the scrape.
 *
 * A Unix socket in a directory that only our user may enter; where there is no such directory, on Linux, an abstract
 * socket; on Windows a named pipe. The hub listens at every path that it can, so that members with another
 * XDG_RUNTIME_DIR or TMPDIR find it.
 */
import { accessSync, constants, existsSync, lstatSync, mkdirSync, readlinkSync, renameSync, unlinkSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { errorText, logLine, warn } from '../diagnostics/log';

/** Longest path of a socket: with its final zero 104 bytes on macOS and BSD, 108 on Linux. */
const MAX_PATH_BYTES = 103;
/** Longest suffix of a socket's temporary name. */
const SUFFIX_CHARACTERS = 20;
const OTHERS_MODE = 0o077;

/** The scrape's address, which the name of the socket is derived from. */
export interface Address {
  readonly port: number;
  readonly host: string | undefined;
}

interface Place {
  readonly path: string;
  /** Absent for names that are not files. */
  readonly directory?: string;
}

/** @returns paths for net.connect at which a hub of this address may listen, in the order to try them */
export function hubSocketPaths(address: Address): string[] {
  return places(address).map(({ path }) => path);
}

function places(address: Address): Place[] {
  const host = address.host === undefined ? '' : `-${address.host.replace(/[^\w.-]/g, '_')}`;
  const name = `${address.port}${host}${networkSuffix()}`;
  if (process.platform === 'win32') {
    return [{ path: `\\\\.\\pipe\\channel-exporter-${userInfo().username}-${name}` }];
  }
  const uid = process.getuid?.() ?? 0;
  const { XDG_RUNTIME_DIR: runtime } = process.env;
  const directories = [
    ...(runtime ? [join(runtime, 'channel-exporter')] : []),
    join(tmpdir(), `channel-exporter-${uid}`),
  ];
  const files = directories
    .map((directory) => ({ directory, path: join(directory, `${name}.sock`) }))
    .filter(({ directory, path }) => isShort(path) && isOurs(directory, uid));
  // any user may take an abstract name, so it is used only without a writable directory of our own. A directory that
  // cannot be written to is still tried: it may have been writable when the hub started
  if (files.some(({ directory }) => isWritable(directory)) || !hasAbstractSockets()) return files;
  return [...files, { path: `\0channel-exporter-${uid}-${name}` }];
}

/**
 * In 20.6 connecting to such a name never ends and keeps the process alive; 20.20 is the first release tried that can.
 */
function hasAbstractSockets(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  return process.platform === 'linux' && (major > 20 || (major === 20 && minor >= 20));
}

function isShort(path: string): boolean {
  return Buffer.byteLength(path) + SUFFIX_CHARACTERS <= MAX_PATH_BYTES;
}

/**
 * Tells apart containers that share a directory but not the network, and therefore not the port.
 * @returns `-` and the inode of this process's network namespace; empty where there is none
 */
function networkSuffix(): string {
  try {
    const inode = /\d+/.exec(readlinkSync('/proc/self/ns/net'))?.[0];
    return inode === undefined ? '' : `-${inode}`;
  } catch {
    return '';
  }
}

/** Creates the directory if it is missing. @returns whether it belongs to this user alone; logs why it does not */
function isOurs(directory: string, uid: number): boolean {
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') return false;
  }
  try {
    const stat = lstatSync(directory);
    const fault = !stat.isDirectory()
      ? 'is no directory'
      : stat.uid !== uid
        ? `belongs to user ${stat.uid}`
        : (stat.mode & OTHERS_MODE) !== 0
          ? `may be entered by others (mode ${(stat.mode & 0o777).toString(8)})`
          : undefined;
    if (fault === undefined) return true;
    const use = 'It is not used to join processes. Remove it, or give it to this user with mode 700.';
    warn('CHX_SOCKET_DIRECTORY', directory, `${directory} ${fault}. ${use}`);
    return false;
  } catch {
    return false;
  }
}

function isWritable(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** The hub's listening sockets. */
export class HubSocket {
  private readonly servers = new Map<string, { readonly server: Server; readonly place: Place }>();
  private readonly onExit = () => this.removeFiles();
  /** Settles when the last open() has ended; they run one after the other. */
  private opened: Promise<void> = Promise.resolve();
  private hasLoggedRefusal = false;
  private isClosed = false;

  /** @param onConnection called for each peer that connects */
  constructor(
    private readonly address: Address,
    private readonly onConnection: (socket: Socket) => void,
  ) {
    // at exit the port is still bound, so no other hub has created these files yet
    process.on('exit', this.onExit);
  }

  /**
   * Listens at every path where it does not listen yet: at first all of them, later those that failed or whose file has
   * been removed. Logs when members cannot connect at all, and when they can again.
   */
  open(): Promise<void> {
    const before = this.opened.catch(() => undefined);
    this.opened = before.then(() => this.openMissing());
    return this.opened;
  }

  /** Stops listening; connections that are open stay. */
  async close(): Promise<void> {
    this.isClosed = true;
    process.off('exit', this.onExit);
    await this.opened.catch(() => undefined);
    this.removeFiles();
    for (const { server } of this.servers.values()) server.close();
  }

  private async openMissing(): Promise<void> {
    if (this.isClosed) return;
    for (const [path, { server, place }] of this.servers) {
      if (place.directory === undefined || existsSync(path)) continue;
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
      if (this.hasLoggedRefusal) logLine('info', 'other processes of this service can join this one now');
      this.hasLoggedRefusal = false;
    } else if (!this.hasLoggedRefusal) {
      const reason = errors.length > 0 ? errors.join('; ') : 'there is no private directory for a local socket';
      warn('CHX_SOCKET_REFUSED', 'hub socket', `other processes of this service cannot join this one: ${reason}`);
      this.hasLoggedRefusal = true;
    }
  }

  private removeFiles(): void {
    for (const { place } of this.servers.values()) if (place.directory !== undefined) removeQuietly(place.path);
  }
}

/** Numbers the temporary names of this process; several hubs may start one after the other. */
let listens = 0;

async function listenAt(place: Place, onConnection: (socket: Socket) => void): Promise<Server> {
  try {
    return await listenOnce(place, onConnection);
  } catch (error) {
    if (place.directory === undefined || (error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    // the socket that a killed hub left may use up the last inode
    removeQuietly(place.path);
    return listenOnce(place, onConnection);
  }
}

/**
 * Listens under a temporary name first: renaming replaces the file that a killed hub left, and server.close() removes
 * only the temporary name, never the socket of the next hub.
 */
function listenOnce({ path, directory }: Place, onConnection: (socket: Socket) => void): Promise<Server> {
  const temporary = directory === undefined ? path : `${path}.${process.pid}.${listens++ % 1000}`;
  return new Promise((resolve, reject) => {
    const server = createServer(onConnection);
    server.once('error', reject);
    // exclusive: in a cluster worker the primary would listen in its place
    server.listen({ path: temporary, exclusive: true }, () => {
      server.off('error', reject);
      server.on('error', () => undefined);
      try {
        if (temporary !== path) renameSync(temporary, path);
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
    // it does not exist any more
  }
}
