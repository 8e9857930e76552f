/**
 * Bounds the values of labels: length and alphabet of each, and how many distinct ones there are in the life of the
 * process.
 *
 * Beyond its limit that label alone becomes `other`; the SDK's own limit would drop every label of the
 * measurement, and counts anew in each collection.
 * @see docs/limits.md
 */

import { printable } from '../runtime/printable';

/** Labels whose values come from outside and are therefore bounded in number. */
export const LABELS = ['path', 'f_code', 'method_code', 'code', 'topic', 'action_code', 'url'] as const;
export type LabelName = (typeof LABELS)[number];

/** Value of a label over its limit. */
export const OTHER = 'other';

/** AMQP allows 255 bytes for a name, Kafka 249; a longer path is no route. */
export const MAX_LABEL_CHARACTERS = 255;
const CUT = '...';
/** The same under another name: Flask exporters call the path an endpoint. */
const LIMITED_AS: Readonly<Record<string, LabelName>> = { endpoint: 'path' };

/** The values that each label of one kind of measurement has had so far, in all families that it is recorded in. */
export class LabelLimits {
  /** Each value as a text of its own, so that the text which it may be a part of is not kept. */
  private readonly seen = new Map<LabelName, Map<string, string>>();

  /** @param limits distinct values a label may take */
  constructor(private readonly limits: Readonly<Record<LabelName, number>>) {
    for (const label of LABELS) this.seen.set(label, new Map());
  }

  /**
   * @param labels of a family, in their order
   * @param onOverflow called for each value that is replaced; absent where another family's values came first
   * @returns a function that cleans and caps values of these labels; values accepted once come back unchanged
   */
  admitterOf(
    labels: readonly string[],
    onOverflow?: (label: LabelName, limit: number) => void,
  ): (values: readonly string[]) => string[] {
    const bounded = labels.map(boundedAs);
    return (values) =>
      values.map((value, place) => {
        const text = cleanLabelValue(value);
        const label = bounded[place];
        if (label === undefined) return text;
        const admitted = this.admit(label, text);
        if (admitted === undefined) onOverflow?.(label, this.limits[label]);
        return admitted ?? OTHER;
      });
  }

  /** The empty value always passes. @returns the value; undefined beyond the limit */
  private admit(label: LabelName, value: string): string | undefined {
    const seen = this.seen.get(label) as Map<string, string>;
    if (value === '' || seen.has(value)) return seen.get(value) ?? value;
    if (seen.size >= this.limits[label]) return undefined;
    const own = copyOf(value);
    seen.set(own, own);
    return own;
  }
}

/** @returns a function that replaces every value that came from outside by `other`; of the rest there are few */
export function overflowOf(labels: readonly string[]): (values: readonly string[]) => string[] {
  const bounded = labels.map(boundedAs);
  return (values) => values.map((value, place) => (bounded[place] === undefined || value === '' ? value : OTHER));
}

/** @returns undefined where the values are our own */
function boundedAs(label: string): LabelName | undefined {
  return LIMITED_AS[label] ?? LABELS.find((bounded) => bounded === label);
}

/** @returns the value, printable and cut at {@link MAX_LABEL_CHARACTERS}; what is cut off is not kept in memory */
export function cleanLabelValue(value: string): string {
  if (value.length <= MAX_LABEL_CHARACTERS) return printable(value);
  return copyOf(printable(value.slice(0, MAX_LABEL_CHARACTERS - CUT.length) + CUT));
}

/** A part of a string keeps the whole one in memory; only a copy lets go of it. */
function copyOf(text: string): string {
  return Buffer.from(text).toString();
}
