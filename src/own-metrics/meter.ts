/**
 * `meter(name)`: an OpenTelemetry Meter for what the application measures itself; its families are on the same scrape.
 *
 * It can be created at any time, also as a constant at the top of a module: its instruments belong to whichever exporter
 * runs when they are used. What is recorded while none runs is dropped.
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
  ObservableCounter,
  ObservableGauge,
  ObservableUpDownCounter,
  UpDownCounter,
} from '@opentelemetry/api';
import { METER_NAME } from '../views/metric-names';
import { Delegate, type MeterScope } from './delegate';
import { ProxyBatchCallback, ProxyObservable } from './observables';

/**
 * @param name of the part of the application that measures, such as its package; it does not show on the scrape
 * @returns a Meter; nothing in it throws, also before `start()` and after `shutdown()`
 * @see docs/own-metrics.md
 */
export function meter(name: string, version?: string): Meter {
  return ownMeterProvider.getMeter(name, version);
}

/** The same as a provider, for libraries that ask for one. */
export const ownMeterProvider: MeterProvider = {
  getMeter(name: string, version?: string, options?: MeterOptions): Meter {
    const text = String(name ?? '');
    // under our own name the application's instruments would be among ours
    return new ProxyMeter([text === METER_NAME ? `${text} of the application` : text, version, options]);
  },
};

class ProxyMeter implements Meter {
  private readonly batches = new Set<ProxyBatchCallback>();

  constructor(private readonly scope: MeterScope) {}

  createCounter(name: string, options?: MetricOptions): Counter {
    return this.adder((real) => real.createCounter(name, options));
  }

  createUpDownCounter(name: string, options?: MetricOptions): UpDownCounter {
    return this.adder((real) => real.createUpDownCounter(name, options));
  }

  createGauge(name: string, options?: MetricOptions): Gauge {
    return this.recorder((real) => real.createGauge(name, options));
  }

  createHistogram(name: string, options?: MetricOptions): Histogram {
    return this.recorder((real) => real.createHistogram(name, options));
  }

  createObservableCounter(name: string, options?: MetricOptions): ObservableCounter {
    return new ProxyObservable(this.scope, (real) => real.createObservableCounter(name, options));
  }

  createObservableUpDownCounter(name: string, options?: MetricOptions): ObservableUpDownCounter {
    return new ProxyObservable(this.scope, (real) => real.createObservableUpDownCounter(name, options));
  }

  createObservableGauge(name: string, options?: MetricOptions): ObservableGauge {
    return new ProxyObservable(this.scope, (real) => real.createObservableGauge(name, options));
  }

  addBatchObservableCallback(callback: BatchObservableCallback, observables: Observable[]): void {
    if (this.findBatch(callback, observables) !== undefined) return;
    this.batches.add(new ProxyBatchCallback(this.scope, callback, new Set(observables)));
  }

  removeBatchObservableCallback(callback: BatchObservableCallback, observables: Observable[]): void {
    const batch = this.findBatch(callback, observables);
    if (batch === undefined) return;
    this.batches.delete(batch);
    batch.end();
  }

  private findBatch(callback: BatchObservableCallback, observables: Observable[]): ProxyBatchCallback | undefined {
    return [...this.batches].find((batch) => batch.isOf(callback, observables));
  }

  private adder(create: (real: Meter) => UpDownCounter): UpDownCounter {
    const delegate = new Delegate(this.scope, create);
    delegate.get();
    return {
      add(value: number, attributes?: Attributes, context?: Context) {
        delegate.use((real) => real.add(value, attributes, context));
      },
    };
  }

  private recorder(create: (real: Meter) => Gauge): Gauge {
    const delegate = new Delegate(this.scope, create);
    delegate.get();
    return {
      record(value: number, attributes?: Attributes, context?: Context) {
        delegate.use((real) => real.record(value, attributes, context));
      },
    };
  }
}
