/**
 * Bounds the values of labels: length and alphabet of each, and how many distinct ones there are in the life of the
 * process.
 *
 * Beyond its limit that label alone becomes `other`; the SDK's own limit would drop every label of the
 * measurement, and counts anew in each collection. What callers choose has limits apart from what the application
 * defines: paths that no framework reports a route for do not take the room of routes, and the codes of one path not
 * that of another's.
 * @see docs/limits.md
 */

import { printable } from '../runtime/printable';

/**
 * Limits of labels whose values come from outside. `route` and `path` are both of the label `path`: templates that a
 * framework reported, and all other paths. `code` is a limit for each path, action of a partner, or topic.
 */
export const LABELS = ['route', 'path', 'f_code', 'method_code', 'code', 'topic', 'action_code', 'url'] as const;
export type LabelName = (typeof LABELS)[number];

/** Value of a label over its limit. */
export const OTHER = 'other';

/** AMQP allows 255 bytes for a name, Kafka 249; a longer path is no route. */
export const MAX_LABEL_CHARACTERS = 255;
const CUT = '...';
/** The label that holds routes and paths, and its name in the families of Flask exporters. */
const PATH_LABELS: readonly string[] = ['path', 'endpoint'];
/** Labels that a code belongs to, in whatever family. */
const CODE_OF: readonly string[] = ['path', 'partner', 'action_code', 'topic'];
/** Before the text of a path that is no route, among the values of a measurement; a route does not begin so. */
const PATH_MARK = '\u0000';
/** Paths, actions and topics whose codes are bounded apart; any further ones share a pool. */
const MAX_CODE_POOLS = 5_000;

/** What a code belongs to: a path, an action of a partner, or a topic. */
export interface CodePlace {
  readonly text: string;
  /** Whether it is a path that no framework reported, and may be made up. */
  readonly isPath: boolean;
}

/**
 * Called for each value that is replaced.
 * @param at of a code alone
 */
export type OnLabelFull = (label: LabelName, limit: number, at?: CodePlace) => void;

/** Texts that have been admitted, each as a text of its own, so that what it may be a part of is not kept. */
class Pool {
  private readonly texts = new Map<string, string>();

  constructor(private readonly limit: number) {}

  has(text: string): boolean {
    return this.texts.has(text);
  }

  /** The empty text always passes. @returns undefined beyond the limit */
  admit(text: string): string | undefined {
    if (text === '') return text;
    const known = this.texts.get(text);
    if (known !== undefined) return known;
    if (this.texts.size >= this.limit) return undefined;
    const own = copyOf(text);
    this.texts.set(own, own);
    return own;
  }
}

/** The values that each label of one kind of measurement has had so far, in all families that it is recorded in. */
export class LabelLimits {
  private readonly pools = new Map<LabelName, Pool>();
  /** Codes by what they belong to, of which there are few. */
  private readonly codes = new Map<string, Pool>();
  /** Paths that no framework reports, and their texts among the values of a measurement. */
  private readonly paths = new Map<string, string>();
  private readonly routes: Pool;

  /** @param limits distinct values a label may take */
  constructor(private readonly limits: Readonly<Record<LabelName, number>>) {
    for (const label of LABELS) this.pools.set(label, new Pool(limits[label]));
    this.routes = this.pools.get('route') as Pool;
  }

  /**
   * @param labels of a family, in their order
   * @param onFull absent where another family's values came first
   * @returns a function that cleans and caps values of these labels; values accepted once come back unchanged, but for
   *   the mark of {@link LabelLimits.pathValue}
   */
  admitterOf(labels: readonly string[], onFull?: OnLabelFull): (values: readonly string[]) => string[] {
    const bounded = labels.map(boundedAs);
    const codeOf = labels.flatMap((label, place) => (CODE_OF.includes(label) ? [place] : []));
    return (values) => {
      const admitted = values.map(withoutMark);
      for (const [place, label] of bounded.entries()) {
        const value = admitted[place] as string;
        if (label === undefined || (label === 'path' && isMarked(values[place] as string))) continue;
        // a code is looked at after what it belongs to: that stands before it in every family
        const at = label === 'code' ? codeOf.map((each) => admitted[each]).join(' ') : '';
        admitted[place] = this.admit(label, value, at, onFull);
      }
      return admitted;
    };
  }

  /**
   * The value to record for a path that no framework reported: marked, so that it is told from a route of the same
   * text, and `other` where there is no room.
   */
  pathValue(path: string, onFull: OnLabelFull | undefined): string {
    const known = this.paths.get(path);
    if (known !== undefined) return known;
    const text = cleanLabelValue(path);
    if (text === '' || this.routes.has(text)) return text;
    const cut = this.paths.get(text);
    if (cut !== undefined) return cut;
    if (this.paths.size >= this.limits.path) {
      onFull?.('path', this.limits.path);
      return OTHER;
    }
    const marked = copyOf(PATH_MARK + text);
    this.paths.set(marked.slice(PATH_MARK.length), marked);
    return marked;
  }

  /** Whether a value of the label `path` is a route that a framework reported. */
  isRoute(text: string): boolean {
    return this.routes.has(text);
  }

  private admit(label: LabelName, text: string, at: string, onFull: OnLabelFull | undefined): string {
    if (text === OTHER) return text;
    const isPath = label === 'path';
    const name = isPath ? 'route' : label;
    const admitted = (label === 'code' ? this.codesOf(at) : (this.pools.get(name) as Pool)).admit(text);
    // what was taken for a path until now leaves its room to another
    if (isPath && admitted !== undefined) this.paths.delete(admitted);
    if (admitted !== undefined) return admitted;
    const isOfPath = label === 'code' && (at === OTHER || this.paths.has(at));
    onFull?.(name, this.limits[name], label === 'code' ? { text: at, isPath: isOfPath } : undefined);
    return OTHER;
  }

  private codesOf(at: string): Pool {
    const place = this.codes.has(at) || this.codes.size < MAX_CODE_POOLS ? at : '';
    const pool = this.codes.get(place) ?? new Pool(this.limits.code);
    this.codes.set(place, pool);
    return pool;
  }
}

/** @returns the limit of a label; `path` for both of its limits, undefined where the values are our own */
export function boundedAs(label: string): LabelName | undefined {
  if (PATH_LABELS.includes(label)) return 'path';
  return LABELS.find((bounded) => bounded === label);
}

/** @returns the limits that the values of a label have; none where the values are our own */
export function limitsOf(label: string): readonly LabelName[] {
  const bounded = boundedAs(label);
  if (bounded === undefined) return [];
  return bounded === 'path' ? ['route', 'path'] : [bounded];
}

/** Whether values have been admitted as they are, apart from the mark of {@link LabelLimits.pathValue}. */
export function isSameButMarked(values: readonly string[], admitted: readonly string[]): boolean {
  return values.every((value, place) => value === admitted[place] || value === PATH_MARK + admitted[place]);
}

function isMarked(value: string): boolean {
  return value.startsWith(PATH_MARK);
}

/** The text of a value, printable and cut at {@link MAX_LABEL_CHARACTERS}. */
function withoutMark(value: string): string {
  return cleanLabelValue(isMarked(value) ? value.slice(PATH_MARK.length) : value);
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
