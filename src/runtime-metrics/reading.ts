/** One reading of a process, in the form in which it travels: as deltas since the process began. */
import { performance } from 'node:perf_hooks';
import type { FamilyDelta, SeriesDelta } from '../metrics/deltas';
import { RUNTIME_FAMILIES, type RuntimeFamily, type RuntimeValue } from '../views/runtime-families';

/** Counts of one histogram; one bucket more than there are boundaries. */
export interface Counts {
  /** Since when it counts, in milliseconds of the Unix epoch. */
  readonly begin: number;
  count: number;
  sum: number;
  readonly buckets: number[];
}

export class Reading {
  private readonly families = new Map<RuntimeValue, SeriesDelta[]>();

  /** @param value one that is no finite number is left out: the system does not say it */
  set(what: RuntimeValue, value: number | undefined, ...values: string[]): void {
    if (value === undefined || !Number.isFinite(value)) return;
    const isCounter = (RUNTIME_FAMILIES[what] as RuntimeFamily).kind === 'counter';
    this.seriesOf(what).push(
      isCounter ? { values, begin: performance.timeOrigin, add: value } : { values, last: value },
    );
  }

  setCounts(what: RuntimeValue, { begin, count, sum, buckets }: Counts, ...values: string[]): void {
    this.seriesOf(what).push({ values, begin, count, sum, buckets: [...buckets] });
  }

  toDeltas(): FamilyDelta[] {
    return Array.from(this.families, ([what, series]) => {
      const { name: family, labels, boundaries }: RuntimeFamily = RUNTIME_FAMILIES[what];
      return { family, labels, ...(boundaries && { boundaries }), series };
    });
  }

  private seriesOf(what: RuntimeValue): SeriesDelta[] {
    const series = this.families.get(what) ?? [];
    this.families.set(what, series);
    return series;
  }
}
