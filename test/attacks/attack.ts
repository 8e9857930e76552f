/** What every attacker is, and what keeps it bounded: a rate of acts, and a number of connections at a time. */
import { connect, type NetConnectOpts, type Socket } from 'node:net';

/** The cluster that is attacked. What only a service under the preload has is missing otherwise. */
export interface Target {
  readonly appPort: number;
  readonly http2Port: number;
  readonly scrapePort?: number;
  /** Path of the hub's socket. */
  readonly hubSocket?: string;
}

export interface Attack {
  /** One line of the report. */
  readonly name: string;
  /**
   * Begins; holds nothing open after its end.
   * @param acted to be called at each act: a request, or a connection
   * @returns what ends it
   */
  start(target: Target, acted: () => void): () => void;
}

const TICKS_PER_SECOND = 10;

/** Acts at the first tick and then so many times a second; what a busy machine has no time for is left out. */
export function repeat(perSecond: number, act: () => void): () => void {
  let due = 1;
  const timer = setInterval(() => {
    due += perSecond / TICKS_PER_SECOND;
    for (; due >= 1; due--) act();
  }, 1000 / TICKS_PER_SECOND);
  return () => clearInterval(timer);
}

/** Connections of one attacker. */
export class Connections {
  private readonly open = new Set<Socket>();

  /** @param limit at a time; beyond it the oldest is closed first */
  constructor(private readonly limit: number) {}

  /** A connection whose answers are read and dropped. */
  connect(to: NetConnectOpts): Socket {
    const [oldest] = this.open;
    if (this.open.size >= this.limit) oldest?.destroy();
    const socket = connect(to);
    this.open.add(socket);
    socket
      .on('error', () => undefined)
      .on('close', () => this.open.delete(socket))
      .resume();
    return socket;
  }

  end(): void {
    for (const socket of this.open) socket.destroy();
  }
}

/** An attack that opens a connection so many times a second and writes to it. */
export function connecting(
  name: string,
  bounds: { readonly perSecond: number; readonly connections: number },
  where: (target: Target) => NetConnectOpts | undefined,
  use: (socket: Socket) => void,
): Attack {
  return {
    name,
    start(target, acted) {
      const to = where(target);
      if (to === undefined) return () => undefined;
      const connections = new Connections(bounds.connections);
      const stop = repeat(bounds.perSecond, () => {
        use(connections.connect(to));
        acted();
      });
      return () => {
        stop();
        connections.end();
      };
    },
  };
}

export const application = ({ appPort }: Target): NetConnectOpts => ({ host: '127.0.0.1', port: appPort });

export const scrapePort = ({ scrapePort: port }: Target): NetConnectOpts | undefined =>
  port === undefined ? undefined : { host: '127.0.0.1', port };

export const hubSocket = ({ hubSocket: path }: Target): NetConnectOpts | undefined =>
  path === undefined ? undefined : { path };
