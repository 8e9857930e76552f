/**
 * Bucket boundaries of the histograms in milliseconds, inclusive upper bounds; `+Inf` is implied.
 *
 * They are the Python package's: dashboards and alerts over mixed fleets compute quantiles over both, and
 * histograms of different boundaries cannot be added.
 */
export const DEFAULT_BOUNDARIES_MS: readonly number[] = [
  100, 200, 500, 800, 1000, 1500, 2000, 2500, 3000, 4000, 5000, 6000, 8000,
];

/**
 * Bucket boundaries of the histograms in seconds: those of the Python client where none are given, for dashboards that
 * expect them.
 */
export const BOUNDARIES_SECONDS: readonly number[] = [
  0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10,
];

/** Boundaries that one histogram may have; each costs a series per label set. */
export const MAX_BOUNDARIES = 100;

/** What is wrong with a list of boundaries, in words; undefined when it can be used. */
export function boundariesFault(values: readonly number[]): string | undefined {
  if (values.length === 0) return 'the list is empty';
  if (values.length > MAX_BOUNDARIES) return `more than ${MAX_BOUNDARIES} boundaries`;
  for (const [index, value] of values.entries()) {
    if (!Number.isFinite(value)) return `boundary ${index + 1} is not a finite number`;
    const previous = values[index - 1];
    if (previous !== undefined && value <= previous) return `boundary ${index + 1} is not above the one before it`;
  }
  return undefined;
}
