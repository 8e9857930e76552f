/**
 * What all copies of the package in one process share, so that two copies are one exporter: the codes and routes that the
 * application has set, the functions that it monitors, the clients that it has handed in, and the exporter that runs.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { MeterProvider } from '@opentelemetry/api';
import type { MetricProducer } from '@opentelemetry/sdk-metrics';
import type { Callers } from './callers/callers';
import type { Recorder } from './metrics/measurement';
import type { Exporter } from './options';
import type { PartnerDirectory } from './partners/directory';
import type { ConcretePaths } from './paths/concrete-paths';

/** Codes that the application has set itself, in place of those in the bodies. */
interface SetCodes {
  /** By response. */
  readonly businessCodes: WeakMap<object, string>;
  /** By request. */
  readonly methodCodes: WeakMap<object, string>;
}

/** Routes that the application has set itself, in place of those that frameworks report. */
interface SetRoutes {
  /** By request; undefined while none has been set. */
  routes: WeakMap<object, string> | undefined;
}

/** Functions that the application has given to `monitor`. */
interface MonitoredFunctions {
  /** Whether there has been one, before or after `start()`. */
  hasMonitored: boolean;
  /** Observes their calls; undefined while no exporter runs. */
  calls: CallObserver | undefined;
}

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
  /** Arguments to call the function with. */
  readonly args: unknown[];
  /** Second: it has returned something other than a promise; its work may go on in a callback. */
  returned(): void;
  /** Instead: it has thrown, or its promise is settled. */
  ended(isFailed: boolean): void;
}

/** Clients that the application has given to `observe`. */
interface ObservedClients {
  /** Names of sources, by the prototype that the source is to patch, or the exports that will lead to it. */
  readonly observed: Map<object, string>;
  /** Called for each prototype that comes later; the sources of the exporter that runs. */
  readonly onObserved: Set<(prototype: object, source: string) => void>;
}

/** The exporter that runs, and what the application's own code uses of it. */
export interface RunningExporter {
  /** As `start()` returns it. */
  readonly exporter: Exporter;
  /** Records the messages of functions given to `consume`. */
  readonly recorder: Recorder;
  /** What bodies and hosts are read with; spans are stamped by it. */
  readonly reading: {
    readonly partners: PartnerDirectory;
    readonly callers?: Callers | undefined;
    readonly paths?: ConcretePaths | undefined;
    readonly bodyLimit: number;
    readonly codeFrom?: readonly string[] | undefined;
    readonly methodCodeFrom?: readonly string[] | undefined;
    readonly codeDepth?: ((path: string) => number) | undefined;
  };
  readonly services: ExporterServices;
}

/** What the running exporter does for the application's own code. */
export interface ExporterServices {
  /** Its instruments are on the scrape. */
  readonly meterProvider: MeterProvider;
  /** The application has said that it is at work: its metrics are to be served from now on. */
  used(): void;
  /** Of the whole service, in its hub; for other readers than the scrape. */
  readonly producer: MetricProducer;
  /** Answers a request of the application's own server with the scrape. */
  answer(request: IncomingMessage, response: ServerResponse): void;
  /** The scrape in the plain format; rejects when it could not be collected. */
  text(): Promise<string>;
  /** Counts that some of the application's own metrics are missing, and logs it once a minute. */
  ownMetricsFailed(source: string, error: unknown): void;
}

export interface SharedState extends SetCodes, SetRoutes, MonitoredFunctions, ObservedClients {
  /** Undefined while none runs. */
  running: RunningExporter | undefined;
  /** Called when an exporter has started. */
  readonly onStart: Set<() => void>;
  /** Whether it has been logged that the exporter is switched off. */
  hasLoggedOff: boolean;
}

/** The number changes with the shape: copies of the package that disagree on it share nothing. */
const KEY = Symbol.for('channel-exporter.5');

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
      routes: undefined,
      hasMonitored: false,
      calls: undefined,
      observed: new Map(),
      onObserved: new Set(),
      running: undefined,
      onStart: new Set(),
      hasLoggedOff: false,
    };
    Object.defineProperty(holder, KEY, { value: state });
  }
  return state;
}
