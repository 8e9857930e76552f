/**
 * Bounds what the labels of one family may become: length and alphabet of every value, and the number of distinct
 * values in the life of the process.
 *
 * Beyond its limit the guilty label alone becomes `other`; the SDK's own limit would drop every label of the
 * measurement, and counts anew in each collection.
 * @see docs/limits.md
 */

/** Labels whose values come from outside and are therefore bounded in number. */
export const LABELS = ['path', 'f_code', 'method_code', 'code', 'topic', 'action_code', 'url'] as const;
export type LabelName = (typeof LABELS)[number];

/** Value of a label over its limit. */
export const OTHER = 'other';

/** AMQP allows 255 bytes for a name, Kafka 249; a longer path is no route. */
export const MAX_LABEL_CHARACTERS = 255;
const CUT = '...';
// tab and line ends are kept, as in the business codes of the Python package
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it looks for
const UNPRINTABLE = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f]|\p{Surrogate}/gu;

/** The same under another name: Flask exporters call the path an endpoint. */
const LIMITED_AS: Readonly<Record<string, LabelName>> = { endpoint: 'path' };

export class LabelValues {
  /** By the label's place; undefined where the values are our own. */
  private readonly seen: readonly (Set<string> | undefined)[];
  private readonly limits: readonly number[];

  /**
   * @param labels of the family, in their order
   * @param limits distinct values a label may take
   * @param onOverflow called for each value that was replaced
   */
  constructor(
    private readonly labels: readonly string[],
    limits: Readonly<Record<LabelName, number>>,
    private readonly onOverflow: (label: string, limit: number) => void,
  ) {
    this.limits = labels.map((label) => limits[LIMITED_AS[label] ?? (label as LabelName)] ?? Number.POSITIVE_INFINITY);
    this.seen = this.limits.map((limit) => (Number.isFinite(limit) ? new Set() : undefined));
  }

  /** @returns the values as they may be kept, each `other` where it is new and its label full */
  admit(values: readonly string[]): string[] {
    return values.map((value, place) => this.admitOne(clean(value), place));
  }

  /** @returns the values with `other` for every one that came from outside; of the others there are few */
  fold(values: readonly string[]): string[] {
    return values.map((value, place) => (this.seen[place] === undefined || value === '' ? value : OTHER));
  }

  /** The empty value always passes. */
  private admitOne(value: string, place: number): string {
    const seen = this.seen[place];
    if (seen === undefined || value === '' || seen.has(value)) return value;
    const limit = this.limits[place] as number;
    if (seen.size < limit) {
      seen.add(value);
      return value;
    }
    this.onOverflow(this.labels[place] as string, limit);
    return OTHER;
  }
}

/** One lone surrogate would spoil the whole scrape. */
function clean(value: string): string {
  const short = value.length <= MAX_LABEL_CHARACTERS ? value : value.slice(0, MAX_LABEL_CHARACTERS - CUT.length) + CUT;
  return short.replace(UNPRINTABLE, '\uFFFD');
}
