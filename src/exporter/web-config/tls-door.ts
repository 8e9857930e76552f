/**
 * What stands between a connection and the server where the port speaks TLS: the handshake, of which only so many are
 * done in a second, and which a connection has to finish in time.
 *
 * Connections are handed to a server of Node's that never listens, one for each version of the settings: a new
 * certificate is that of new connections, and tickets of sessions that were begun under other settings are worth nothing.
 */
import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { type TLSSocket, Server as TlsServer } from 'node:tls';
import { Allowance } from '../http/allowance';
import type { Arriving } from '../http/connections';
import { Turns } from '../http/turns';
import { hasAllowedName } from './client-names';
import { secureOptions } from './secure-options';
import type { TlsSettings } from './web-config';

/** Time for a handshake, in whatever pieces it comes, its turn included. */
const HANDSHAKE_LIMIT_MS = 10_000;
/** Handshakes begun at once after a rest, and in a second after that: each takes the event loop up to some milliseconds. */
const HANDSHAKE_BURST = 32;
const HANDSHAKES_PER_SECOND = 50;

// as it is before the application's instrumentation replaces it
const { emit } = EventEmitter.prototype;

export class TlsDoor {
  private server: TlsServer | undefined;
  private settings: TlsSettings | undefined;
  private readonly turns = new Turns(new Allowance(HANDSHAKE_BURST, HANDSHAKES_PER_SECOND));
  /** Connections before the end of their handshake, by their ends. */
  private readonly arriving = new Map<string, { readonly socket: Socket; readonly limit: NodeJS.Timeout }>();

  /**
   * @param counted where connections are counted that are not served yet
   * @param serve takes those that have shaken hands
   */
  constructor(
    private readonly counted: Arriving,
    private readonly serve: (socket: TLSSocket) => void,
  ) {}

  get isTls(): boolean {
    return this.settings !== undefined;
  }

  /** Puts settings in force for new connections, undefined for plain HTTP. @throws {Error} when Node refuses them */
  use(settings: TlsSettings | undefined): void {
    this.server = settings === undefined ? undefined : this.createServer(settings);
    this.settings = settings;
  }

  /** @returns whether it takes the connection; otherwise it is plain */
  takes(socket: Socket): boolean {
    if (this.server === undefined) return false;
    const key = endsOf(socket);
    // nobody else listens to it until then
    socket.on('error', () => undefined);
    if (key === undefined) {
      socket.destroy();
      return true;
    }
    socket.unref();
    this.counted.add(socket);
    const limit = setTimeout(() => socket.destroy(), HANDSHAKE_LIMIT_MS).unref();
    this.arriving.set(key, { socket, limit });
    socket.once('close', () => {
      clearTimeout(limit);
      if (this.arriving.get(key)?.socket === socket) this.arriving.delete(key);
    });
    const shakeHands = () => {
      try {
        if (this.server === undefined) socket.destroy();
        else emit.call(this.server, 'connection', socket);
      } catch {
        // it would be thrown in the application
        socket.destroy();
      }
    };
    if (this.turns.take()) shakeHands();
    else this.turns.wait(socket, shakeHands);
    return true;
  }

  /** Closes connections that have not shaken hands. */
  close(): void {
    for (const { socket } of this.arriving.values()) socket.destroy();
  }

  private createServer(settings: TlsSettings): TlsServer {
    const server = new TlsServer({
      ...secureOptions(settings),
      ALPNProtocols: ['http/1.1'],
      handshakeTimeout: HANDSHAKE_LIMIT_MS,
    });
    Object.defineProperty(server, 'emit', { get: () => emit, set: () => undefined, configurable: true });
    server.on('tlsClientError', (_error, socket) => socket.destroy());
    server.on('secureConnection', (socket) => {
      const key = endsOf(socket);
      const arrived = key === undefined ? undefined : this.arriving.get(key);
      if (key === undefined || arrived === undefined || !mayEnter(socket, settings)) {
        socket.destroy();
        return;
      }
      clearTimeout(arrived.limit);
      this.arriving.delete(key);
      this.counted.remove(arrived.socket);
      this.serve(socket);
    });
    return server;
  }
}

/** Whether a client that has shaken hands is one that is asked for. */
function mayEnter(socket: TLSSocket, { clientAuth, allowedSans }: TlsSettings): boolean {
  if (clientAuth === 'none' || clientAuth === 'request') return true;
  let certificate: ReturnType<TLSSocket['getPeerX509Certificate']>;
  try {
    certificate = socket.getPeerX509Certificate();
  } catch {
    return false; // one that cannot be read
  }
  if (certificate === undefined) return clientAuth === 'verify if given' && allowedSans.length === 0;
  if (clientAuth !== 'any' && !socket.authorized) return false;
  return allowedSans.length === 0 || hasAllowedName(certificate.subjectAltName, allowedSans);
}

/** Both ends of a connection, which no other open one has; undefined for one that is closed. */
function endsOf(socket: Socket): string | undefined {
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  if (remoteAddress === undefined || localAddress === undefined) return undefined;
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
