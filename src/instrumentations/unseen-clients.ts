/**
 * Reports clients that are in use and cannot be seen, because they are part of a bundle: the process is connected to the
 * usual port of a broker, and the package that speaks to it has never been loaded. Another client may speak to it, or
 * another server listen there, so the line says "may be", and comes once.
 *
 * A look costs a pass over the open sockets, and is taken some time after connections have been opened; a bounded number
 * of times, so that a process that opens connections all the time is left alone.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { warn } from '../diagnostics/log';
import { doNoHarm } from './patching/do-no-harm';

interface WatchedClient {
  /** Of the source and the package. */
  readonly name: string;
  readonly ports: readonly number[];
  isSeen(): boolean;
}

/** The part of a socket that is read. */
interface OpenSocket {
  readonly remotePort?: unknown;
  /** On connections that a server of this process has accepted. */
  readonly server?: unknown;
}

/** Published whenever a connection is opened by net.connect(); connections of TLS are found by the first look. */
const CHANNEL = 'net.client.socket';
/** From the start, or from a connection on. */
const LOOK_AFTER_MS = 7_000;
const MAX_LOOKS = 20;
/** Of the connections, those that were opened first: asking a thousand for their ports takes the event loop 7 ms. */
const MAX_SOCKETS = 500;

const clients = new Set<WatchedClient>();
/** Of brokers for which another package has been loaded than the one that is watched. */
const explained = new Set<number>();
let timer: NodeJS.Timeout | undefined;
let looks = 0;

/** @returns a function that ends it */
export function watchForUnseen(client: WatchedClient): () => void {
  if (clients.size === 0) begin();
  clients.add(client);
  return () => {
    clients.delete(client);
    if (clients.size === 0) end();
  };
}

/** Connections to these ports belong to a package that has been loaded, and are reported for no other. */
export function explainPorts(ports: readonly number[]): void {
  for (const port of ports) explained.add(port);
}

function begin(): void {
  looks = 0;
  subscribe(CHANNEL, lookLater);
  lookLater();
}

function end(): void {
  unsubscribe(CHANNEL, lookLater);
  clearTimeout(timer);
  timer = undefined;
}

function lookLater(): void {
  timer ??= setTimeout(look, LOOK_AFTER_MS).unref();
}

function look(): void {
  timer = undefined;
  for (const client of clients) {
    if (client.isSeen() || client.ports.some((port) => explained.has(port))) clients.delete(client);
  }
  doNoHarm(reportUnseen, () => undefined);
  if (++looks === MAX_LOOKS || clients.size === 0) end();
}

function reportUnseen(): void {
  const ports = new Set(openSockets().map(({ remotePort }) => remotePort));
  for (const client of clients) {
    const port = client.ports.find((each) => ports.has(each));
    if (port === undefined) continue;
    clients.delete(client);
    const { name } = client;
    warn(
      'CHX_CLIENT_UNSEEN',
      name,
      `connected to port ${port}, while ${name} has not been loaded from node_modules: it may be part of a bundle, where its messages are not counted. Leave it out of the bundle (channel-exporter/external), or hand it in by observe(${name}).`,
    );
  }
}

/** Connections that this process has opened. Node has no public list of them. */
function openSockets(): OpenSocket[] {
  const { _getActiveHandles } = process as unknown as { _getActiveHandles?: () => OpenSocket[] };
  const handles = _getActiveHandles?.call(process) ?? [];
  return handles.filter(({ server }) => server === undefined || server === null).slice(0, MAX_SOCKETS);
}
