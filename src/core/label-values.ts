/**
 * Bounds what a label may become: the number of its distinct values in the life of the process.
 *
 * Beyond its limit the guilty label alone becomes `other`; the SDK's own limit would drop every label of the
 * measurement, and counts anew in each collection.
 */

/** Labels whose values come from outside and are therefore bounded. */
export const LABELS = ['path', 'f_code', 'method_code', 'code', 'topic', 'action_code', 'url'] as const;
export type LabelName = (typeof LABELS)[number];

/** Value of a label over its limit. */
export const OTHER = 'other';

export class LabelValues {
  private readonly seen = new Map<LabelName, Set<string>>();

  /**
   * @param limits distinct values a label may take
   * @param onOverflow called for each value that was replaced
   */
  constructor(
    private readonly limits: Readonly<Record<LabelName, number>>,
    private readonly onOverflow: (label: LabelName) => void,
  ) {
    for (const label of LABELS) this.seen.set(label, new Set());
  }

  /** @returns the value, or `other` when it is new and the label is full; the empty value always passes */
  admit(label: LabelName, value: string): string {
    if (value === '') return value;
    const seen = this.seen.get(label) as Set<string>;
    if (seen.has(value)) return value;
    if (seen.size < this.limits[label]) {
      seen.add(value);
      return value;
    }
    this.onOverflow(label);
    return OTHER;
  }
}
