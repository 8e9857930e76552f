/** Messages that are handed to the listeners of an event, each of which may give a promise. */
import type { EventEmitter } from 'node:events';
import { followHandler } from './delivery';

type Listener = (this: unknown, ...args: unknown[]) => unknown;

/** A message that is handled when each of its parts has ended. */
export interface Parts {
  begin(): void;
  end(): void;
  fail(): void;
}

/**
 * Runs the listeners as `emit` runs them, and follows what they give. Nobody takes that: a promise is followed by the
 * one that stands for it.
 * @param args of the event
 * @param parts has one for the emitting itself, and one for each listener
 * @returns whether there are listeners, as `emit`; throws what one of them throws
 */
export function emitFollowed(
  emitter: Pick<EventEmitter, 'rawListeners'>,
  event: string,
  args: unknown[],
  parts: Parts,
): boolean {
  parts.begin();
  const listeners = emitter.rawListeners(event) as Listener[];
  for (const listener of listeners) {
    parts.begin();
    followHandler({ onEnd: () => parts.end(), onError: () => parts.fail() }, () => listener.apply(emitter, args));
  }
  parts.end();
  return listeners.length > 0;
}

/** Whether the emitter itself does what is done here with promises, and something more: it captures rejections. */
export function isCapturing(emitter: object): boolean {
  return Object.getOwnPropertySymbols(emitter).some(
    (symbol) => symbol.description === 'kCapture' && (emitter as Record<symbol, unknown>)[symbol] === true,
  );
}
