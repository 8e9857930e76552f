/**
 * Who may still begin a series in a family that fills up. What callers choose goes first, so that callers cannot take
 * the room of what the application defines: from five eighths of the limit on, a new series has no caller of its own,
 * and so on; the last quarter is for routes, codes and statuses alone.
 * @see docs/limits.md
 */
import { boundedAs, type LabelLimits, type LabelName, type OnLabelFull, OTHER } from './label-limits';

interface Step {
  /** Part of the limit of series after which new ones go without. */
  readonly from: number;
  /** What becomes `other`, beside that of the steps before; `path`: one that is no route, with its code. */
  readonly label: LabelName;
}

const STEPS: readonly Step[] = [
  { from: 10 / 16, label: 'f_code' },
  { from: 11 / 16, label: 'method_code' },
  { from: 12 / 16, label: 'path' },
  { from: 15 / 16, label: 'code' },
];

export interface SeriesRoomOptions {
  /** Of the family, in their order. */
  readonly labels: readonly string[];
  readonly seriesLimit: number;
  readonly isRoute: (path: string) => boolean;
}

/** What a new series is folded to. */
export interface Fitted {
  readonly values: readonly string[];
  /** Whether even the application's own labels have no room any more. */
  readonly isFull: boolean;
}

/**
 * @returns a function that takes the admitted label values of a new series, and the number of series that there are;
 *   undefined where the series may begin as it is
 */
export function seriesRoom({ labels, seriesLimit, isRoute }: SeriesRoomOptions) {
  const bounded = labels.map(boundedAs);
  const steps = STEPS.filter(({ label }) => bounded.includes(label)).map(({ from, label }) => ({
    // in a family of a few series, the first one has all its labels
    from: Math.ceil(from * seriesLimit),
    place: bounded.indexOf(label),
    isKept: label === 'path' ? isRoute : () => false,
    // the codes of many paths would meet under one
    also: label === 'path' ? bounded.indexOf('code') : -1,
  }));
  const all = overflowOf(labels);
  return (values: readonly string[], size: number): Fitted | undefined => {
    if (size >= seriesLimit) return { values: all(values), isFull: true };
    let folded: string[] | undefined;
    for (const { from, place, isKept, also } of steps) {
      if (size < from) break;
      const value = values[place] as string;
      if (value === '' || value === OTHER || isKept(value)) continue;
      folded ??= [...values];
      folded[place] = OTHER;
      if (also >= 0 && folded[also] !== '') folded[also] = OTHER;
    }
    return folded && { values: folded, isFull: false };
  };
}

export type SeriesRoom = ReturnType<typeof seriesRoom>;

/** @returns a function that replaces every value that came from outside by `other`; of the rest there are few */
export function overflowOf(labels: readonly string[]): (values: readonly string[]) => string[] {
  const bounded = labels.map(boundedAs);
  return (values) => values.map((value, place) => (bounded[place] === undefined || value === '' ? value : OTHER));
}

/** What the hub needs to bound the series of its members as it does its own. */
export interface FamilyRoom {
  /** Whether a series has a path that is no route. */
  isPath(values: readonly string[]): boolean;
  /**
   * @param values of all labels of a member's series, which is new here
   * @param size series that there are
   * @returns the label values of the series that it is added to
   */
  fit(values: readonly string[], isPath: boolean, size: number): readonly string[];
}

export interface MemberRoomOptions {
  /** Number of the labels that are the same on every series of the family; they stand first. */
  readonly fixedCount: number;
  /** The others. */
  readonly labels: readonly string[];
  /** Absent where all values are our own. */
  readonly limits: LabelLimits | undefined;
  readonly onFull: OnLabelFull | undefined;
  /** As for this process's own series. */
  readonly admit: (values: readonly string[]) => readonly string[];
  readonly fold: (values: readonly string[], size: number) => readonly string[] | undefined;
}

/** The limits of this process, for the series of others. */
export function memberRoom({ fixedCount, labels, limits, onFull, admit, fold }: MemberRoomOptions): FamilyRoom {
  const place = labels.findIndex((label) => boundedAs(label) === 'path');
  const pathOf = (values: readonly string[]) => values[fixedCount + place] as string;
  return {
    isPath(values) {
      if (limits === undefined || place < 0) return false;
      const path = pathOf(values);
      return path !== '' && path !== OTHER && !limits.isRoute(path);
    },
    fit(values, isPath, size) {
      const own = values.slice(fixedCount);
      if (isPath && limits !== undefined && place >= 0) own[place] = limits.pathValue(pathOf(values), onFull);
      const admitted = admit(own);
      return [...values.slice(0, fixedCount), ...(fold(admitted, size) ?? admitted)];
    },
  };
}
