/**
 * Codes that the application has set by itself, the exporter that runs in this process, and what it makes of monitored
 * functions: shared by every copy of
 * the package that is loaded, so that two copies are one exporter.
 */

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { MeterProvider } from '@opentelemetry/api';
import type { Recorder } from './metrics/measurement';

/** Takes the calls of monitored functions. Nothing in it throws. */
export interface CallObserver {
  /**
   * First: a monitored function is about to run.
   * @param name as given to `monitor`
   * @param args of the call
   */
  begin(name: string, args: unknown[]): ObservedCall | undefined;
}

/** One call of a monitored function. */
export interface ObservedCall {
  /** What the function is to be called with. */
  readonly args: unknown[];
  /** Second: it has given back something other than a promise; what it does may go on in a callback. */
  returned(): void;
  /** Instead: it has thrown, or its promise is settled. */
  ended(isFailed: boolean): void;
}

/** What the running exporter has for the application's own code. */
export interface ExporterServices {
  /** Whose instruments come onto the scrape. */
  readonly meterProvider: MeterProvider;
  /** Answers a request of the application's own server with the scrape. */
  answer(request: IncomingMessage, response: ServerResponse): void;
  /** Counts that something of the application's own metrics is missing, and says it once a minute. */
  ownMetricsFailed(source: string, error: unknown): void;
}

/** What copies of this package share; its shape is fixed by the key's version. */
export interface SharedState {
  readonly businessCodes: WeakMap<object, string>;
  readonly methodCodes: WeakMap<object, string>;
  /** What `start()` gave back; undefined while nothing runs. */
  running: unknown;
  /** What the running exporter reads with, for spans; undefined while nothing runs. */
  reading: unknown;
  /** Whether it has been said that the exporter is switched off. */
  hasSaidOff: boolean;
  /** What wrapped functions of the application record to; undefined while nothing runs. */
  recorder: Recorder | undefined;
  /** Whether a function has been monitored, now or before `start()`. */
  hasMonitored?: boolean;
  /** Of the exporter that runs. */
  calls?: CallObserver | undefined;
  /** Undefined while nothing runs. */
  services: ExporterServices | undefined;
  /** Called when an exporter has started. */
  readonly onStart: Set<() => void>;
}

const KEY = Symbol.for('channel-exporter.1');

let found: SharedState | undefined;

/** The state of this process, created by the first copy that asks. */
export function sharedState(): SharedState {
  found ??= findOrCreate();
  return found;
}

function findOrCreate(): SharedState {
  const holder = globalThis as { [KEY]?: SharedState };
  let state = holder[KEY];
  if (state === undefined) {
    state = {
      businessCodes: new WeakMap(),
      methodCodes: new WeakMap(),
      running: undefined,
      reading: undefined,
      hasSaidOff: false,
      recorder: undefined,
      services: undefined,
      onStart: new Set(),
    };
    Object.defineProperty(holder, KEY, { value: state });
  }
  return state;
}
