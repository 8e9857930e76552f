/**
 * Tells when a process turns out to be an application at work, which is when it joins the others: a server of its own
 * listens, it forks a process or starts a thread, or it has been running for a while.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Server } from 'node:net';

/** A tool that is no service has usually ended by then. */
const LATEST_MS = 10_000;
const THREAD_CHANNEL = 'worker_threads';
const LISTEN_CHANNEL = 'tracing:net.server.listen:asyncStart';
/** Releases of Node from which on listening is published. @see https://github.com/nodejs/node/pull/53136 */
const LISTEN_PUBLISHED_SINCE: Readonly<Record<number, number>> = { 20: 16, 22: 3 };

/** Waits for the first use. @returns ends the waiting */
export function onFirstUse(callback: () => void): () => void {
  let isOver = false;
  const restore: (() => void)[] = [];
  const end = () => {
    isOver = true;
    clearTimeout(timer);
    // later, because a channel that is publishing would skip the application's own subscriber
    queueMicrotask(() => {
      for (const undo of restore.splice(0)) undo();
    });
  };
  const happened = () => {
    if (isOver) return;
    end();
    callback();
  };
  const listen = (channel: string, observer: (message: unknown) => void) => {
    subscribe(channel, observer);
    restore.push(() => unsubscribe(channel, observer));
  };
  const timer = setTimeout(happened, LATEST_MS).unref();
  listen(THREAD_CHANNEL, happened);
  listen('child_process', (message) => {
    // published before the child is spawned; one without a channel to its parent is a program of any kind
    const { process: child } = message as { process: { channel?: unknown } };
    queueMicrotask(() => {
      if (child.channel) happened();
    });
  });
  if (isListeningPublished()) {
    listen(LISTEN_CHANNEL, (message) => {
      if (isTcp((message as { options?: unknown }).options)) happened();
    });
  } else restore.push(patchListen(happened));
  return end;
}

/** Waits for the first thread that this process starts. */
export function onFirstThread(callback: () => void): void {
  const happened = () => {
    queueMicrotask(() => unsubscribe(THREAD_CHANNEL, happened));
    callback();
  };
  subscribe(THREAD_CHANNEL, happened);
}

function isListeningPublished(): boolean {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const since = LISTEN_PUBLISHED_SINCE[major];
  return since === undefined ? major > Math.max(...Object.keys(LISTEN_PUBLISHED_SINCE).map(Number)) : minor >= since;
}

/** A server on a pipe or a local socket talks to its own kind. */
function isTcp(options: unknown): boolean {
  if (typeof options === 'string') return /^\d+$/.test(options);
  return typeof options !== 'object' || options === null || !('path' in options) || options.path === undefined;
}

function patchListen(happened: () => void): () => void {
  const { listen } = Server.prototype;
  const patched = function (this: Server, ...args: unknown[]) {
    if (isTcp(args[0])) happened();
    return Reflect.apply(listen, this, args);
  } as typeof listen;
  Server.prototype.listen = patched;
  return () => {
    if (Server.prototype.listen === patched) Server.prototype.listen = listen;
  };
}
