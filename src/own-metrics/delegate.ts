/**
 * What a proxy passes on to: a meter or an instrument of the exporter that runs at the moment. There is none before
 * start() and after shutdown(), and another one after a later start(). Nothing in it throws.
 */
import type { Meter, MeterOptions } from '@opentelemetry/api';
import { type ExporterServices, sharedState } from '../shared-state';

/** Name, version and options of a meter. */
export type MeterScope = readonly [name: string, version: string | undefined, options: MeterOptions | undefined];

export class Delegate<T> {
  private readonly shared = sharedState();
  private services: ExporterServices | undefined;
  private current: T | undefined;

  constructor(
    private readonly scope: MeterScope,
    private readonly create: (meter: Meter) => T,
  ) {}

  /** @returns undefined while nothing runs */
  get(): T | undefined {
    const services = this.shared.running?.services;
    if (services === this.services) return this.current;
    this.services = services;
    this.current = undefined;
    try {
      if (services !== undefined) this.current = this.create(services.meterProvider.getMeter(...this.scope));
      // what the application measures itself is to be scraped, also where it has no server
      services?.used();
    } catch (error) {
      services?.ownMetricsFailed('meter', error);
    }
    return this.current;
  }

  /** Runs work with it, where there is one; an error is counted. */
  use(work: (delegate: T) => void): void {
    try {
      const delegate = this.get();
      if (delegate !== undefined) work(delegate);
    } catch (error) {
      this.shared.running?.services.ownMetricsFailed('meter', error);
    }
  }
}
