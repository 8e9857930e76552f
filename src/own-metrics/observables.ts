/** Observable instruments that follow whichever exporter runs, and the callbacks that observe several at once. */
import type {
  BatchObservableCallback,
  BatchObservableResult,
  Meter,
  Observable,
  ObservableCallback,
  ObservableResult,
} from '@opentelemetry/api';
import { sharedState } from '../shared-state';
import { Late, type MeterScope } from './late';
import { observeWhole } from './observation';

export class LateObservable implements Observable {
  private readonly guarded = new Map<ObservableCallback, ObservableCallback>();
  private readonly late: Late<Observable>;
  private readonly bind = () => this.late.use((real) => this.addAll(real));

  constructor(scope: MeterScope, create: (meter: Meter) => Observable) {
    this.late = new Late(scope, create);
    this.late.get();
  }

  /** The instrument of the running exporter. */
  real(): Observable | undefined {
    return this.late.get();
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
    this.late.use((real) => real.removeCallback(guarded));
  }

  /** The SDK takes each callback once. */
  private addAll(real: Observable): void {
    for (const callback of this.guarded.values()) real.addCallback(callback);
  }
}

/** One callback for several instruments. */
export class LateBatch {
  private readonly late: Late<Meter>;
  private readonly guarded: BatchObservableCallback;
  private readonly bind = () => this.late.use((meter) => meter.addBatchObservableCallback(this.guarded, this.reals()));

  constructor(
    scope: MeterScope,
    private readonly callback: BatchObservableCallback,
    private readonly observables: ReadonlySet<Observable>,
  ) {
    this.late = new Late(scope, (meter) => meter);
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
    this.late.use((meter) => meter.removeBatchObservableCallback(this.guarded, this.reals()));
  }

  private reals(): Observable[] {
    return [...this.observables].map(realOf);
  }
}

function realOf(observable: Observable): Observable {
  return (observable instanceof LateObservable ? observable.real() : undefined) ?? observable;
}
