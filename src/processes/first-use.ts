/**
 * Detects that a process is an application at work and not a short-lived tool: a server of its own listens on TCP, it
 * forks a process or starts a thread, or it has been running for ten seconds. An application that calls the exporter,
 * by start() or an instrument of its own, says so itself (Election.used).
 */
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { onListenRequest } from './listen-requests';

/** Command-line tools have usually ended by then. */
const LATEST_MS = 10_000;
const THREAD_CHANNEL = 'worker_threads';

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
  restore.push(onListenRequest(happened));
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
