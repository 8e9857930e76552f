/**
 * Detects that a process is an application at work and not a short-lived tool: a server of its own listens on TCP, it
 * forks a process or starts a thread, or it has been running for ten seconds.
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { Server } from 'node:net';

/** Command-line tools have usually ended by then. */
const LATEST_MS = 10_000;
const THREAD_CHANNEL = 'worker_threads';
const LISTEN_CHANNEL = 'tracing:net.server.listen:asyncStart';
/**
 * Releases of Node that publish LISTEN_CHANNEL, major to first minor. @see https://github.com/nodejs/node/pull/53136
 */
const LISTEN_PUBLISHED_SINCE: Readonly<Record<number, number>> = { 20: 16, 22: 3 };

/**
 * Calls back once, at the first use.
 * @returns a function that ends the waiting
 */
export function onFirstUse(callback: () => void): () => void {
  let isOver = false;
  const restore: (() => void)[] = [];
  const end = () => {
    isOver = true;
    clearTimeout(timer);
    // later: removed while the channel is publishing, it would make the channel skip the application's next subscriber
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
    // published before the child is spawned; only fork() gives it an IPC channel, other programs may be anything
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

/** Calls back once, when this process starts its first thread. */
export function onFirstThread(callback: () => void): void {
  let isOver = false;
  const happened = () => {
    // others may be started before the channel is left
    if (isOver) return;
    isOver = true;
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

/** A pipe or a local socket serves other programs of the machine, not the service's clients. */
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
