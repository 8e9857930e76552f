/**
 * The life of one delivered message: it begins when the client hands it over and ends with exactly one answer, however
 * many the application gives.
 *
 * Shared by the sources of consumed messages, which say what is a delivery and what an answer.
 */
import { types } from 'node:util';
import { observes } from '../../diagnostics/observed';
import type { ConsumerCode, Recorder } from '../../metrics/measurement';
import { nowMs } from '../../runtime/clock';
import type { Instrumentation } from '../instrumentation';
import { doNoHarm } from '../patching/do-no-harm';
import { type EsModuleLocals, onEsModuleLoaded } from '../patching/es-module-load';
import { followPromise } from '../patching/follow-promise';
import { onFileLoaded } from '../patching/module-load';

/** One message, or one batch, that waits for its answer. */
export class Delivery {
  private isAnswered = false;

  constructor(
    private readonly recorder: Pick<Recorder, 'recordConsumer'>,
    private readonly topic: string,
    private readonly startedMs = nowMs(),
  ) {}

  /** Acknowledged, or handled without an error. Without effect after another answer, as {@link fail}. */
  succeed(): void {
    this.answer('0');
  }

  /** Rejected, returned to the queue, given up by an error, or never answered. */
  fail(): void {
    this.answer('1');
  }

  private answer(code: ConsumerCode): void {
    if (this.isAnswered) return;
    this.isAnswered = true;
    this.recorder.recordConsumer({ topic: this.topic, code }, nowMs() - this.startedMs);
  }
}

/** What the handler's own end means for the message. */
export interface HandlerAnswer {
  /** It returned, or its promise was fulfilled with this value. */
  onEnd?(value: unknown): void;
  /** It threw, or its promise was rejected. */
  onError(): void;
}

/** The whole answer where a client knows no acknowledgement. */
export function handlerDecides(delivery: Delivery): HandlerAnswer {
  return { onEnd: () => delivery.succeed(), onError: () => delivery.fail() };
}

/**
 * Where a client acknowledges, the handler's end means nothing, but its error is a failure.
 * @param onFailed drops what is kept of the delivery
 */
export function errorDecides(delivery: Delivery, onFailed: () => void): HandlerAnswer {
  return {
    onError() {
      onFailed();
      delivery.fail();
    },
  };
}

/**
 * Runs a handler and follows its result.
 * @param followOther follows a result that is no promise in its own way, and says whether it did
 * @returns what the handler returned, or the promise that {@link followPromise} puts in its place; throws what it threw
 */
export function followHandler<Result>(
  answer: HandlerAnswer,
  run: () => Result,
  followOther?: (result: Result, answer: HandlerAnswer) => boolean,
): Result {
  let result: Result;
  try {
    result = run();
  } catch (error) {
    answer.onError();
    throw error;
  }
  // only a real promise: calling `then` on something else, such as a query builder, could set it going
  if (types.isPromise(result)) {
    const onFulfilled = (value: unknown) => answer.onEnd?.(value);
    const followed = followPromise(result, onFulfilled, () => answer.onError());
    if (followed !== undefined) return followed as Result;
    // how it ends cannot be seen: the handler has returned without an error, and its value is not known
    answer.onEnd?.(undefined);
  } else if (!followOther?.(result, answer)) {
    answer.onEnd?.(result);
  }
  return result;
}

/** Files of a client by the end of their path, and what patches their exports in place. */
export type FilePatches = Readonly<Record<string, (exports: unknown) => void>>;

/** ES modules of a client by the name of their rule, and what patches what they hand over. */
export type EsModulePatches = Readonly<Record<string, (locals: EsModuleLocals) => void>>;

/**
 * A client whose messages are measured.
 *
 * There is one per client for the life of the process, however often the exporter is started: what it has patched stays
 * patched, because handlers that a client was given stay with it, and ask here for each message whether and by whom it
 * is measured.
 */
export class ConsumerSource implements Instrumentation {
  private recorder: Recorder | undefined;
  private endWatching: (() => void)[] = [];
  private readonly patched = new WeakSet<object>();

  constructor(
    readonly name: string,
    private readonly patches: FilePatches,
    /** Patches what the client's public module leads to, where its files cannot be seen. */
    readonly observe: (prototype: object) => void,
    private readonly esModulePatches: EsModulePatches = {},
  ) {}

  enable({ recorder }: { readonly recorder: Recorder }): void {
    this.recorder = recorder;
    this.endWatching = [
      ...Object.entries(this.patches).map(([ending, patch]) => onFileLoaded(ending, patch)),
      ...Object.entries(this.esModulePatches).map(([rule, patch]) => onEsModuleLoaded(rule, patch)),
    ];
  }

  disable(): void {
    this.recorder = undefined;
    for (const end of this.endWatching) end();
  }

  /**
   * Whether a prototype, or another object with methods, is now to be patched: it has these methods, as a file of another
   * package may end alike, and has not been patched before.
   */
  claims(target: unknown, ...methods: readonly string[]): target is object {
    if (!hasMethods(target, ...methods) || this.patched.has(target)) return false;
    this.patched.add(target);
    observes(this.name);
    return true;
  }

  /** A message has been delivered, now or before. @returns undefined when nothing is measured */
  deliver(topic: string, startedMs?: number): Delivery | undefined {
    return this.recorder === undefined ? undefined : new Delivery(this.recorder, topic, startedMs);
  }

  /** Does the source's own work; what goes wrong in it is counted and does not reach the application. */
  guarded(work: () => void): void {
    doNoHarm(work, (error) => this.recorder?.failed(this.name, error, 'consumer'));
  }
}

/** @returns the prototype of a class that a module exports or has; undefined where it has none of that name */
export function prototypeOf(candidate: unknown): object | undefined {
  return typeof candidate === 'function' ? (candidate.prototype as object | undefined) : undefined;
}

export function hasMethods(target: unknown, ...names: readonly string[]): target is object {
  const candidate = target as Record<string, unknown> | undefined | null;
  return names.every((name) => typeof candidate?.[name] === 'function');
}

/** @returns the object of the prototype chain that a method belongs to; undefined where there is none */
export function ownerOf(target: unknown, method: string): object | undefined {
  let holder = typeof target === 'object' && target !== null ? target : undefined;
  while (holder !== undefined && !Object.hasOwn(holder, method)) holder = Object.getPrototypeOf(holder) ?? undefined;
  return holder;
}
