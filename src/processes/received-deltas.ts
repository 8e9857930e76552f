/** Makes deltas of a member as bounded as those of this process: the family's own labels, and values cut and printable. */
import type { Deltas } from '../metrics/deltas';
import { cleanLabelValue } from '../metrics/label-limits';

/** Family to its label names in their order. */
export type FamilyLabels = ReadonlyMap<string, readonly string[]>;

export interface ReceivedDeltas {
  readonly deltas: Deltas;
  /** Series that were left out, because their family has other labels here. */
  readonly otherLabels: number;
}

/** @param known a family that is not in it is left as it is: whether it is accepted is for the totals to decide */
export function boundDeltas(received: Deltas, known: FamilyLabels): ReceivedDeltas {
  const hasOwnLabels = ({ family, labels, instrument, library }: Deltas[number]) =>
    instrument !== undefined || library !== undefined || isSame(known.get(family) ?? labels, labels);
  const deltas = received.filter(hasOwnLabels).map((delta) => {
    // the application's are bounded where they are added up, by their own rule
    if (delta.instrument !== undefined || delta.library !== undefined) return delta;
    return { ...delta, series: delta.series.map((row) => ({ ...row, values: row.values.map(cleanLabelValue) })) };
  });
  const count = (sum: number, { series }: Deltas[number]) => sum + series.length;
  return { deltas, otherLabels: received.reduce(count, 0) - deltas.reduce(count, 0) };
}

function isSame(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((label, index) => label === other[index]);
}
