/**
 * What an application's Views change of the catalogue. The SDK applies every View that matches an instrument, each as a
 * stream of its own; so a View for an instrument of ours is laid over ours, and there is one for each.
 */
import type { ViewOptions } from '@opentelemetry/sdk-metrics';
import type { InstrumentName } from './metric-names';

/** What one View changes of one family. */
export interface FamilyChange {
  readonly instrument: InstrumentName;
  readonly name?: string;
  readonly help?: string;
  readonly boundaries?: readonly number[];
  /** Series that the family may have. */
  readonly seriesLimit?: number;
  /** Whether the family is not measured at all. */
  readonly isDropped?: boolean;
}

export interface ApplicationViews {
  /** In their order: a later one wins over those before it, and all of them over the catalogue. */
  readonly ours: readonly FamilyChange[];
  /** For instruments of the application; none of them matches one of ours. */
  readonly others: readonly ViewOptions[];
}

/** @returns the family with all that the changes say of it */
export function changed<Family extends { readonly instrument?: InstrumentName }>(
  family: Family,
  changes: readonly FamilyChange[],
): Family {
  const own = changes.filter(({ instrument }) => instrument === family.instrument);
  return own.length === 0 ? family : Object.assign({}, family, ...own);
}
