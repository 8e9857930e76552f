/**
 * The local socket at which the hub accepts members, named after the port of the scrape.
 *
 * A Unix socket in a directory that only our user may enter; on Windows a named pipe. Without such a directory no process
 * can join, and each keeps what it measures until there is one. The hub listens at every path that it can, so that
 * members with another XDG_RUNTIME_DIR or TMPDIR find it.
 */
import { existsSync, readlinkSync, renameSync, unlinkSync } from 'node:fs';
import { createServer, Server, type Socket } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { errorText, logLine, warn } from '../diagnostics/log';
import { onProcessExit } from './process-exit';
import { socketDirectories } from './socket-directories';

/** Longest path of a socket: with its final zero 104 bytes on macOS and BSD, 108 on Linux. */
const MAX_PATH_BYTES = 103;
/** What helps where other users have taken every directory that is tried. */
const REMEDY = 'set XDG_RUNTIME_DIR to a directory that only this user may enter';
/** Longest suffix of a socket's temporary name. */
const SUFFIX_CHARACTERS = 20;

// as it is before the application's instrumentation replaces it
const { listen } = Server.prototype;

/** The scrape's address, which the name of the socket is derived from. */
export interface Address {
  readonly port: number;
  readonly host: string | undefined;
}

interface Place {
  readonly path: string;
  /** False for a named pipe. */
  readonly isFile: boolean;
}

/** @returns paths for net.connect at which a hub of this address may listen, in the order to try them */
export function hubSocketPaths(address: Address): string[] {
  return places(address).map(({ path }) => path);
}

function places(address: Address): Place[] {
  const host = address.host === undefined ? '' : `-${address.host.replace(/[^\w.-]/g, '_')}`;
  const name = `${address.port}${host}${networkSuffix()}`;
  if (process.platform === 'win32') {
    return [{ path: `\\\\.\\pipe\\channel-exporter-${userInfo().username}-${name}`, isFile: false }];
  }
  const pathIn = (directory: string) => join(directory, `${name}.sock`);
  return socketDirectories((directory) => isShort(pathIn(directory))).map((directory) => ({
    path: pathIn(directory),
    isFile: true,
  }));
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

/** The hub's listening sockets. */
export class HubSocket {
  private readonly servers = new Map<string, { readonly server: Server; readonly place: Place }>();
  private readonly endExitListener: () => void;
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
    this.endExitListener = onProcessExit(() => this.removeFiles());
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
    this.endExitListener();
    await this.opened.catch(() => undefined);
    this.removeFiles();
    for (const { server } of this.servers.values()) server.close();
  }

  private async openMissing(): Promise<void> {
    if (this.isClosed) return;
    for (const [path, { server, place }] of this.servers) {
      if (!place.isFile || existsSync(path)) continue;
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
      const reason =
        errors.length > 0 ? errors.join('; ') : `no directory for a socket belongs to this user alone; ${REMEDY}`;
      warn('CHX_SOCKET_REFUSED', 'hub socket', `other processes of this service cannot join this one: ${reason}`);
      this.hasLoggedRefusal = true;
    }
  }

  private removeFiles(): void {
    for (const { place } of this.servers.values()) if (place.isFile) removeQuietly(place.path);
  }
}

/** Numbers the temporary names of this process; several hubs may start one after the other. */
let listens = 0;

async function listenAt(place: Place, onConnection: (socket: Socket) => void): Promise<Server> {
  try {
    return await listenOnce(place, onConnection);
  } catch (error) {
    if (!place.isFile || (error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
    // the socket that a killed hub left may use up the last inode
    removeQuietly(place.path);
    return listenOnce(place, onConnection);
  }
}

/**
 * Listens under a temporary name first: renaming replaces the file that a killed hub left, and server.close() removes
 * only the temporary name, never the socket of the next hub.
 */
function listenOnce({ path, isFile }: Place, onConnection: (socket: Socket) => void): Promise<Server> {
  const temporary = isFile ? `${path}.${process.pid}.${listens++ % 1000}` : path;
  return new Promise((resolve, reject) => {
    const server = createServer(onConnection);
    server.once('error', reject);
    // exclusive: in a cluster worker the primary would listen in its place
    Reflect.apply(listen, server, [{ path: temporary, exclusive: true }]);
    server.once('listening', () => {
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
