/**
 * The meters that the application records in: the SDK's own, with each record of a synchronous instrument noted for a
 * process that ends.
 */
import type {
  Attributes,
  BatchObservableCallback,
  Context,
  Counter,
  Gauge,
  Histogram,
  Meter,
  MeterOptions,
  MeterProvider,
  MetricOptions,
  Observable,
  UpDownCounter,
} from '@opentelemetry/api';
import type { ScopeMetrics } from '@opentelemetry/sdk-metrics';
import { DEFAULT_BOUNDARIES } from '../views/sdk-constants';
import type { ApplicationJournal, InstrumentNotes, SyncDescriptor } from './application-journal';

/** As the API numbers the types of values. */
const INTEGER = 0;
const DOUBLE = 1;

type Record = (value: number, attributes: Attributes, context?: Context) => void;

/**
 * @param provider of the SDK
 * @param onRecord called at each measurement
 */
export function createApplicationMeters(
  provider: MeterProvider,
  journal: ApplicationJournal,
  onRecord: () => void,
): MeterProvider {
  return {
    getMeter(name: string, version?: string, options?: MeterOptions): Meter {
      const scope = { name, version: version ?? '', schemaUrl: options?.schemaUrl ?? '' };
      return new NotedMeter(provider.getMeter(name, version, options), scope, journal, onRecord);
    },
  };
}

class NotedMeter implements Meter {
  constructor(
    private readonly meter: Meter,
    private readonly scope: ScopeMetrics['scope'],
    private readonly journal: ApplicationJournal,
    private readonly onRecord: () => void,
  ) {}

  createCounter(name: string, options?: MetricOptions): Counter {
    const real = this.meter.createCounter(name, options);
    return { add: this.noted('COUNTER', name, options, (...record) => real.add(...record)) };
  }

  createUpDownCounter(name: string, options?: MetricOptions): UpDownCounter {
    const real = this.meter.createUpDownCounter(name, options);
    return { add: this.noted('UP_DOWN_COUNTER', name, options, (...record) => real.add(...record)) };
  }

  createGauge(name: string, options?: MetricOptions): Gauge {
    const real = this.meter.createGauge(name, options);
    return { record: this.noted('GAUGE', name, options, (...record) => real.record(...record)) };
  }

  createHistogram(name: string, options?: MetricOptions): Histogram {
    const real = this.meter.createHistogram(name, options);
    return { record: this.noted('HISTOGRAM', name, options, (...record) => real.record(...record)) };
  }

  createObservableCounter(name: string, options?: MetricOptions) {
    return this.meter.createObservableCounter(name, options);
  }

  createObservableUpDownCounter(name: string, options?: MetricOptions) {
    return this.meter.createObservableUpDownCounter(name, options);
  }

  createObservableGauge(name: string, options?: MetricOptions) {
    return this.meter.createObservableGauge(name, options);
  }

  addBatchObservableCallback(callback: BatchObservableCallback, observables: Observable[]): void {
    this.meter.addBatchObservableCallback(callback, observables);
  }

  removeBatchObservableCallback(callback: BatchObservableCallback, observables: Observable[]): void {
    this.meter.removeBatchObservableCallback(callback, observables);
  }

  /** @returns records what the SDK would take; one value that is no number would spoil a total for ever */
  private noted(type: SyncDescriptor['type'], name: string, options: MetricOptions | undefined, record: Record) {
    const { onRecord } = this;
    const { valueType = DOUBLE } = options ?? {};
    const notes = this.notesOf(type, name, options ?? {});
    const isMonotonic = type === 'COUNTER' || type === 'HISTOGRAM';
    return (value: number, attributes?: Attributes, context?: Context) => {
      if (typeof value !== 'number' || (type !== 'GAUGE' && !Number.isFinite(value))) return;
      const amount = valueType === INTEGER ? Math.trunc(value) : value;
      if (isMonotonic && amount < 0) return;
      if (valueType === INTEGER && !Number.isInteger(amount)) return;
      record(amount, notes.note(amount, attributes ?? {}), context);
      onRecord();
    };
  }

  private notesOf(type: SyncDescriptor['type'], name: string, options: MetricOptions): InstrumentNotes {
    const { description = '', unit = '', valueType = DOUBLE, advice } = options;
    const boundaries = type === 'HISTOGRAM' ? bounds(advice?.explicitBucketBoundaries) : undefined;
    return this.journal.notesOf(this.scope, { name, type, description, unit, valueType }, boundaries);
  }
}

/** As the SDK takes them. */
function bounds(advised: readonly number[] | undefined): readonly number[] {
  return [...(advised ?? DEFAULT_BOUNDARIES)].filter(Number.isFinite).sort((a, b) => a - b);
}
