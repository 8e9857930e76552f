/** Observable instruments of the exporter that runs at the moment, and the callbacks that observe several at once. */
import type {
  BatchObservableCallback,
  BatchObservableResult,
  Meter,
  Observable,
  ObservableCallback,
  ObservableResult,
} from '@opentelemetry/api';
import { sharedState } from '../shared-state';
import { Delegate, type MeterScope } from './delegate';
import { observeWhole } from './observation';

export class ProxyObservable implements Observable {
  private readonly guarded = new Map<ObservableCallback, ObservableCallback>();
  private readonly delegate: Delegate<Observable>;
  private readonly bind = () => this.delegate.use((real) => this.addAll(real));

  constructor(scope: MeterScope, create: (meter: Meter) => Observable) {
    this.delegate = new Delegate(scope, create);
    this.delegate.get();
  }

  /** The instrument of the running exporter. */
  real(): Observable | undefined {
    return this.delegate.get();
  }

  addCallback(callback: ObservableCallback): void {
    if (this.guarded.has(callback)) return;
    this.guarded.set(callback, (result: ObservableResult) =>
      observeWhole<Parameters<ObservableResult['observe']>>(
        (observe) => callback({ observe }),
        (...args) => result.observe(...args),
      ),
    );
    sharedState().onStart.add(this.bind);
    this.bind();
  }

  removeCallback(callback: ObservableCallback): void {
    const guarded = this.guarded.get(callback);
    if (guarded === undefined) return;
    this.guarded.delete(callback);
    if (this.guarded.size === 0) sharedState().onStart.delete(this.bind);
    this.delegate.use((real) => real.removeCallback(guarded));
  }

  /** The SDK takes each callback once. */
  private addAll(real: Observable): void {
    for (const callback of this.guarded.values()) real.addCallback(callback);
  }
}

/** One callback for several instruments. */
export class ProxyBatchCallback {
  private readonly delegate: Delegate<Meter>;
  private readonly guarded: BatchObservableCallback;
  private readonly bind = () =>
    this.delegate.use((meter) => meter.addBatchObservableCallback(this.guarded, this.reals()));

  constructor(
    scope: MeterScope,
    private readonly callback: BatchObservableCallback,
    private readonly observables: ReadonlySet<Observable>,
  ) {
    this.delegate = new Delegate(scope, (meter) => meter);
    this.guarded = (result) =>
      observeWhole<Parameters<BatchObservableResult['observe']>>(
        (observe) => callback({ observe }),
        (observable, ...rest) => result.observe(realOf(observable), ...rest),
      );
    sharedState().onStart.add(this.bind);
    this.bind();
  }

  isOf(callback: BatchObservableCallback, observables: readonly Observable[]): boolean {
    const others = new Set(observables);
    return (
      callback === this.callback &&
      others.size === this.observables.size &&
      [...others].every((other) => this.observables.has(other))
    );
  }

  end(): void {
    sharedState().onStart.delete(this.bind);
    this.delegate.use((meter) => meter.removeBatchObservableCallback(this.guarded, this.reals()));
  }

  private reals(): Observable[] {
    return [...this.observables].map(realOf);
  }
}

function realOf(observable: Observable): Observable {
  return (observable instanceof ProxyObservable ? observable.real() : undefined) ?? observable;
}
