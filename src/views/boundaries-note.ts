/** What a start says of bucket boundaries that are not those of the other services. */
import { DEFAULT_BOUNDARIES_MS } from './boundaries';
import type { Family } from './index';
import { INSTRUMENTS, type InstrumentName } from './metric-names';

/** Histograms that a fleet has in common, whose quantiles are computed over many services. */
const SHARED: readonly (InstrumentName | undefined)[] = [INSTRUMENTS.inner, INSTRUMENTS.partner, INSTRUMENTS.consumer];

/** @returns undefined where all have the default ones */
export function boundariesNote(catalogue: readonly Family[]): string | undefined {
  const own = catalogue.filter(
    ({ instrument, boundaries = [] }) =>
      SHARED.includes(instrument) && boundaries.join() !== DEFAULT_BOUNDARIES_MS.join(),
  );
  if (own.length === 0) return undefined;
  const families = own.map(({ name, boundaries = [] }) => {
    const missing = DEFAULT_BOUNDARIES_MS.filter((each) => !boundaries.includes(each));
    return `${name} has boundaries of its own${missing.length === 0 ? '' : ` and lacks ${missing.join(' ')}`}`;
  });
  const sums = 'sums over le with services of other boundaries are wrong, but for boundaries that all have';
  return `${families.join('; ')}: ${sums} (docs/boundaries.md)`;
}
