/**
 * Something of whichever exporter runs at the moment: none before start() and after shutdown(), another one after a
 * later start(). Nothing in it throws.
 */
import type { Meter, MeterOptions } from '@opentelemetry/api';
import { type ExporterServices, sharedState } from '../shared-state';

/** Name, version and options of a meter. */
export type MeterScope = readonly [name: string, version: string | undefined, options: MeterOptions | undefined];

export class Late<T> {
  private readonly shared = sharedState();
  private services: ExporterServices | undefined;
  private bound: T | undefined;

  constructor(
    private readonly scope: MeterScope,
    private readonly create: (meter: Meter) => T,
  ) {}

  /** @returns undefined while nothing runs */
  get(): T | undefined {
    const { services } = this.shared;
    if (services === this.services) return this.bound;
    this.services = services;
    this.bound = undefined;
    try {
      if (services !== undefined) this.bound = this.create(services.meterProvider.getMeter(...this.scope));
    } catch (error) {
      services?.ownMetricsFailed('meter', error);
    }
    return this.bound;
  }

  /** Runs what uses it; an error is counted. */
  use(work: (bound: T) => void): void {
    try {
      const bound = this.get();
      if (bound !== undefined) work(bound);
    } catch (error) {
      this.shared.services?.ownMetricsFailed('meter', error);
    }
  }
}
