/** The parsers of what labels may hold: which are left out, and how many values each may have. Nothing here throws. */
import { nearest, show } from '../errors';
import { LABELS, type LabelName } from '../metrics/label-limits';
import { type DropLabels, KIND_LABELS, type MeasurementKind } from '../metrics/measurement';
import {
  DEFAULT_CODE_VALUES,
  DEFAULT_LABEL_VALUES,
  DEFAULT_PATH_VALUES,
  DEFAULT_ROUTE_VALUES,
  MAX_LABEL_VALUES,
} from './defaults';
import { fault, isPlainObject, type Parsed, wholeNumber } from './parsed';

/** Highest number of distinct values of each label. */
export type LabelValueLimits = Readonly<Record<LabelName, number>>;

const STANDARD_LIMITS: Partial<Record<LabelName, number>> = {
  route: DEFAULT_ROUTE_VALUES,
  path: DEFAULT_PATH_VALUES,
  code: DEFAULT_CODE_VALUES,
};

const KINDS = Object.keys(KIND_LABELS) as MeasurementKind[];
export const NO_DROPS: DropLabels = Object.freeze({ inner: [], partner: [], consumer: [], function: [] });

export function parseDropLabels(raw: unknown, from: string): Parsed<DropLabels> {
  const items = dropItems(raw);
  if (items === undefined || items.length === 0) return dropLabelsFault(raw, from, '');
  const dropped: Record<MeasurementKind, Set<string>> = {
    inner: new Set(),
    partner: new Set(),
    consumer: new Set(),
    function: new Set(),
  };
  for (const { kind, labels } of items) {
    const known = KINDS.filter((each) => kind === undefined || each === kind);
    if (known.length === 0)
      return dropLabelsFault(raw, from, `: there is no family ${kind}`, nearest(`${kind}`, KINDS));
    for (const label of labels) {
      const having = known.filter((each) => (KIND_LABELS[each] as readonly unknown[]).includes(label));
      const all = known.flatMap((each): readonly string[] => KIND_LABELS[each]);
      const where = kind === undefined ? '' : ` in ${kind}`;
      if (having.length === 0) {
        const detail = `: there is no label ${show(label)}${where}`;
        return dropLabelsFault(raw, from, detail, nearest(String(label), all));
      }
      for (const each of having) dropped[each].add(label as string);
    }
  }
  const value = Object.fromEntries(Object.entries(dropped).map(([kind, labels]) => [kind, [...labels]]));
  return { value: Object.freeze(value as Record<MeasurementKind, string[]>) };
}

interface DropItem {
  /** Absent: every family that has the label. */
  readonly kind?: string;
  readonly labels: readonly unknown[];
}

/** `f_code`, or `inner=f_code,method_code;partner=code`; as an option a list, or lists by family. */
function dropItems(raw: unknown): DropItem[] | undefined {
  if (Array.isArray(raw)) return [{ labels: raw }];
  if (isPlainObject(raw)) {
    return Object.entries(raw).map(([kind, labels]) => ({ kind, labels: Array.isArray(labels) ? labels : [labels] }));
  }
  if (typeof raw !== 'string') return undefined;
  return raw.split(';').map((item) => {
    const equals = item.indexOf('=');
    const labels = item
      .slice(equals + 1)
      .split(',')
      .map((label) => label.trim());
    return equals < 0 ? { labels } : { kind: item.slice(0, equals).trim(), labels };
  });
}

function dropLabelsFault(raw: unknown, from: string, detail: string, near?: string): Parsed<never> {
  return fault('CHX_DROP_LABELS_INVALID', {
    wrong: `${from} is not a list of labels${detail}`,
    got: raw,
    expected: `labels of ${KINDS.map((kind) => `${kind} (${KIND_LABELS[kind].join(', ')})`).join(', ')}`,
    remedy:
      near === undefined
        ? 'For instance f_code, or inner=f_code,method_code;partner=code.'
        : `Did you mean ${near}? Labels are written as on the scrape.`,
  });
}

export function parseLabelValuesLimit(raw: unknown, from: string): Parsed<LabelValueLimits> {
  const all = wholeNumber(raw);
  if (all !== undefined) return isLabelLimit(all) ? { value: labelLimits({}, all) } : labelLimitFault(raw, from, '');
  const pairs = typeof raw === 'string' ? labelPairs(raw) : isPlainObject(raw) ? Object.entries(raw) : undefined;
  if (pairs === undefined || pairs.length === 0) return labelLimitFault(raw, from, '');
  const given: Partial<Record<LabelName, number>> = {};
  for (const [label, limit] of pairs) {
    const value = wholeNumber(limit);
    if (!LABELS.includes(label as LabelName)) return labelLimitFault(raw, from, `: there is no label ${label}`);
    if (value === undefined || !isLabelLimit(value)) return labelLimitFault(raw, from, `: ${label} has no number`);
    given[label as LabelName] = value;
  }
  return { value: labelLimits(given) };
}

function labelLimitFault(raw: unknown, from: string, detail: string): Parsed<never> {
  return fault('CHX_LABEL_VALUES_LIMIT_INVALID', {
    wrong: `${from} is not a limit of label values${detail}`,
    got: raw,
    expected: `1 to ${MAX_LABEL_VALUES}, for every label or as pairs over ${LABELS.join(', ')}`,
    remedy: 'For instance 500, or route=2000,code=300.',
  });
}

function isLabelLimit(value: number): boolean {
  return value >= 1 && value <= MAX_LABEL_VALUES;
}

function labelPairs(text: string): [string, string][] {
  return text.split(',').map((pair) => {
    const [label = '', limit = ''] = pair.split('=', 2);
    return [label.trim(), limit.trim()];
  });
}

export function labelLimits(given: Partial<Record<LabelName, number>>, otherwise?: number): LabelValueLimits {
  const limits = LABELS.map((label) => {
    return [label, given[label] ?? otherwise ?? STANDARD_LIMITS[label] ?? DEFAULT_LABEL_VALUES];
  });
  return Object.freeze(Object.fromEntries(limits));
}
