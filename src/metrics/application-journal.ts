/**
 * What the application's own instruments recorded and what is not collected yet, for a process that ends: it cannot wait
 * for the SDK's collection.
 *
 * Each record is added to its series here, and each collection takes off what it read. So what is left is exact at any
 * moment, whichever part of the records a collection covers: meters are read one after the other, when their callbacks
 * have ended. Series that are collected whole are forgotten. Observable instruments are as of their last collection.
 */
import type { Attributes } from '@opentelemetry/api';
import type { MetricData, ScopeMetrics } from '@opentelemetry/sdk-metrics';
import { type ApplicationFamily, type Descriptor, familyOf, LabelledRows, lastOf } from './application-deltas';
import type { ApplicationInstrument, Deltas } from './deltas';
import type { Value } from './values';

type Scope = ScopeMetrics['scope'];

/** The types of synchronous instruments, in the SDK's words. */
export const KINDS = {
  COUNTER: 'counter',
  UP_DOWN_COUNTER: 'upDownCounter',
  GAUGE: 'gauge',
  HISTOGRAM: 'histogram',
} as const satisfies Record<string, ApplicationInstrument['kind']>;

/** What an instrument is, in the SDK's words. */
export type SyncDescriptor = Descriptor & { readonly type: keyof typeof KINDS };

/** What was recorded under one set of attributes and is not collected. */
interface Pending {
  readonly key: string;
  /** A copy: what the SDK is given in their place, and hands back. */
  readonly attributes: Attributes;
  /** The sum of a counter, the last value of a gauge. */
  value: number;
  /** Of a gauge, in ms since the epoch. */
  at: number;
  /** Of a histogram. */
  count: number;
  readonly buckets: number[];
}

/** As the SDK labels what is beyond its own limit. */
const SDK_OVERFLOW: Attributes = Object.freeze({ 'otel.metric.overflow': true });
/** What is left of a sum by rounding alone, in proportion to what was collected. */
const ROUNDING = 1e-9;

export class ApplicationJournal {
  private readonly notes = new Map<string, InstrumentNotes>();

  /** @param seriesLimit series that an instrument may have in one collection */
  constructor(private readonly seriesLimit: number) {}

  /**
   * @param boundaries of a histogram
   * @returns the notes of an instrument: the same for the same instrument
   */
  notesOf(scope: Scope, descriptor: SyncDescriptor, boundaries: readonly number[] | undefined): InstrumentNotes {
    const key = keyOf(scope, descriptor);
    let notes = this.notes.get(key);
    if (notes === undefined) {
      notes = new InstrumentNotes(scope, descriptor, boundaries, this.seriesLimit);
      this.notes.set(key, notes);
    }
    return notes;
  }

  /** First: a collection begins. */
  begin(): void {
    for (const notes of this.notes.values()) notes.begin();
  }

  /** @returns when the gauge that was collected with these attributes was recorded; now for those that were observed */
  timeOf = (attributes: Attributes): number => pendingOf.get(attributes)?.at ?? Date.now();

  /** Last: it has ended. @param scopeMetrics everything that it read */
  end(scopeMetrics: readonly ScopeMetrics[]): void {
    const unread = new Set(this.notes.values());
    for (const { scope, metrics } of scopeMetrics) {
      for (const metric of metrics) {
        const notes = this.notes.get(keyOf(scope, metric.descriptor));
        if (notes === undefined) continue;
        notes.collected(metric);
        unread.delete(notes);
      }
    }
    for (const notes of unread) notes.notCollected();
  }

  /** @returns all that is noted */
  take(): Deltas {
    const rows = new LabelledRows();
    for (const notes of this.notes.values()) notes.take(rows);
    return rows.toDeltas();
  }
}

/** By the attributes that the SDK hands back. */
const pendingOf = new WeakMap<Attributes, Pending>();

/** What one instrument recorded. */
export class InstrumentNotes {
  private pending = new Map<string, Pending>();
  private readonly kind: ApplicationInstrument['kind'];
  private wasPending = false;
  /**
   * A View of the application has renamed the instrument or changed what becomes of its records, so that what is
   * collected cannot be taken off what is noted: it is as of its last collection, then.
   */
  private isBlind = false;

  constructor(
    private readonly scope: Scope,
    private readonly descriptor: SyncDescriptor,
    private readonly boundaries: readonly number[] | undefined,
    private readonly seriesLimit: number,
  ) {
    this.kind = KINDS[descriptor.type];
  }

  /**
   * Call with each measurement that the SDK takes.
   * @returns the attributes to record it with
   */
  note(amount: number, attributes: Attributes): Attributes {
    if (this.isBlind) return attributes;
    const pending = this.pendingOf(attributes);
    pending.count++;
    if (this.kind === 'gauge') {
      pending.value = amount;
      pending.at = Date.now();
    } else pending.value += amount;
    if (this.boundaries !== undefined) {
      const bucket = bucketOf(this.boundaries, amount);
      pending.buckets[bucket] = (pending.buckets[bucket] as number) + 1;
    }
    return pending.attributes === SDK_OVERFLOW ? attributes : pending.attributes;
  }

  begin(): void {
    this.wasPending = this.pending.size > 0;
  }

  /** Takes off what was collected. */
  collected({ dataPoints }: MetricData): void {
    for (const { attributes, value } of dataPoints) {
      const known = pendingOf.get(attributes);
      // which of the series were folded is not known: what was recorded just now may be missing, nothing counts twice
      if (known === undefined) {
        if (!this.isFolded(attributes)) this.isBlind = true;
        this.pending.clear();
        return;
      }
      // a series whose records were collected whole may have begun anew
      const pending = this.pending.get(known.key);
      if (pending === undefined || this.takeOff(pending, value as Value)) continue;
      if (pending === known) {
        this.stop();
        return;
      }
      this.pending.delete(known.key);
    }
  }

  /** The collection did not have it. */
  notCollected(): void {
    if (this.wasPending) this.stop();
  }

  take(rows: LabelledRows): void {
    const family = this.pending.size > 0 ? this.family() : undefined;
    if (family === undefined) return;
    for (const { attributes, value, at, count, buckets } of this.pending.values()) {
      if (this.kind === 'gauge') rows.add(family, attributes, { last: lastOf(value), at });
      else if (this.boundaries === undefined) rows.add(family, attributes, { add: value });
      else rows.add(family, attributes, { count, sum: Math.max(value, 0), buckets });
    }
    this.pending.clear();
  }

  private stop(): void {
    this.isBlind = true;
    this.pending.clear();
  }

  private isFolded(attributes: Attributes): boolean {
    return attributes['otel.metric.overflow'] === true || this.pending.has(OVERFLOW_KEY);
  }

  private family(): ApplicationFamily | undefined {
    return familyOf(this.scope, this.descriptor, this.kind, this.boundaries);
  }

  private pendingOf(attributes: Attributes): Pending {
    const key = seriesKey(attributes);
    const known = this.pending.get(key);
    if (known !== undefined) return known;
    // as the SDK, which keeps one place for the rest
    return this.pending.size < this.seriesLimit - 1
      ? this.insert(key, Object.freeze({ ...attributes }))
      : (this.pending.get(OVERFLOW_KEY) ?? this.insert(OVERFLOW_KEY, SDK_OVERFLOW));
  }

  private insert(key: string, attributes: Attributes): Pending {
    const buckets = this.boundaries === undefined ? [] : new Array<number>(this.boundaries.length + 1).fill(0);
    const pending: Pending = { key, attributes, value: 0, at: 0, count: 0, buckets };
    this.pending.set(key, pending);
    if (attributes !== SDK_OVERFLOW) pendingOf.set(attributes, pending);
    return pending;
  }

  /** @returns false where more was collected than was noted */
  private takeOff(pending: Pending, value: Value): boolean {
    if (this.kind === 'gauge') {
      if (typeof value !== 'number') return false;
      if (Object.is(pending.value, value)) this.pending.delete(pending.key);
      return true;
    }
    const { boundaries } = this;
    if (typeof value === 'number') {
      if (boundaries !== undefined) return false;
      pending.value = withoutRounding(pending.value - value, value);
      if (pending.value === 0) this.pending.delete(pending.key);
      return pending.value >= 0 || this.kind === 'upDownCounter';
    }
    if (boundaries === undefined || !('buckets' in value) || !isSame(boundaries, value.buckets.boundaries))
      return false;
    pending.count -= value.count;
    pending.value = withoutRounding(pending.value - (value.sum ?? 0), value.sum ?? 0);
    for (const [bucket, count] of value.buckets.counts.entries()) {
      pending.buckets[bucket] = (pending.buckets[bucket] as number) - count;
    }
    if (pending.count === 0) this.pending.delete(pending.key);
    return pending.count >= 0;
  }
}

const OVERFLOW_KEY = '\n';

function keyOf({ name, version = '', schemaUrl = '' }: Scope, descriptor: Descriptor): string {
  const { type, unit, valueType } = descriptor as SyncDescriptor;
  return JSON.stringify([name, version, schemaUrl, type, String(descriptor.name).toLowerCase(), unit, valueType]);
}

/** The same for the same attributes in any order; cheaper than the SDK's hash, which it comes in addition to. */
function seriesKey(attributes: Attributes): string {
  const names = Object.keys(attributes);
  if (names.length > 1) names.sort();
  let key = '';
  for (const name of names) {
    const value = attributes[name];
    const text = typeof value === 'string' ? `"${value}` : (JSON.stringify(value) ?? '');
    key += `${name.length} ${name}${text.length} ${text}`;
  }
  return key;
}

function withoutRounding(rest: number, collected: number): number {
  return Math.abs(rest) <= Math.abs(collected) * ROUNDING ? 0 : rest;
}

/** A boundary is an inclusive upper bound. */
function bucketOf(boundaries: readonly number[], amount: number): number {
  let bucket = 0;
  while (bucket < boundaries.length && amount > (boundaries[bucket] as number)) bucket++;
  return bucket;
}

function isSame(one: readonly number[], other: readonly number[]): boolean {
  return one.length === other.length && one.every((boundary, index) => boundary === other[index]);
}
