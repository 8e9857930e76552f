/**
 * The parsers of settings: each takes a value as an option or as a variable's text and gives back the value to use, or
 * what is wrong with it. Nothing here throws.
 */
import { cleanCode } from '../business-code/clean';
import { ANY_DEPTH, type CodeDepths } from '../business-code/code-depth';
import { nearest, type Problem, type ProblemCode, problem, show } from '../errors';
import { shownText } from '../files/shown-text';
import { LABELS, type LabelName } from '../metrics/label-limits';
import { type DropLabels, KIND_LABELS, type MeasurementKind } from '../metrics/measurement';
import { MAX_SUCCESS_CODES } from '../partners/meaning-check';
import { boundariesFault, MAX_BOUNDARIES } from '../views/boundaries';
import { parseSyscode } from '../views/metric-names';
import {
  BOUNDARIES_TEXT,
  DEFAULT_APP_METRICS,
  DEFAULT_BODY_LIMIT_BYTES,
  DEFAULT_CODE_VALUES,
  DEFAULT_ENV,
  DEFAULT_IGNORE_PATHS,
  DEFAULT_LABEL_VALUES,
  DEFAULT_PATH_VALUES,
  DEFAULT_PORT,
  DEFAULT_ROUTE_VALUES,
  DEFAULT_SERIES,
  MAX_BODY_LIMIT_BYTES,
  MAX_CODE_DEPTH,
  MAX_LABEL_VALUES,
  MAX_SERIES,
} from './defaults';
import { SWITCH_WORDS } from './switch-words';

/** The value to use, or one problem. */
export type Parsed<T> = { readonly value: T } | { readonly problem: Problem };

/** Highest number of distinct values of each label. */
export type LabelValueLimits = Readonly<Record<LabelName, number>>;

export function parseSyscodeSetting(raw: unknown, from: string): Parsed<string> {
  const value = typeof raw === 'string' ? parseSyscode(raw) : undefined;
  if (value !== undefined) return { value };
  return fault('CHX_SYSCODE_INVALID', {
    wrong: `${from} is not a system code`,
    got: raw,
    expected: 'one ASCII letter and nine ASCII digits, such as A123010101',
    remedy: syscodeRemedy(raw),
  });
}

function syscodeRemedy(raw: unknown): string {
  if (typeof raw === 'string' && raw !== raw.trim() && parseSyscode(raw.trim()) !== undefined) {
    return 'Remove the white space around it.';
  }
  return 'Set it to the code under which this service is registered.';
}

export function parsePort(raw: unknown, from: string): Parsed<number> {
  const value = wholeNumber(raw);
  if (value !== undefined && value >= 0 && value <= 65535) return { value };
  const remedy =
    typeof raw === 'string' && /\s/.test(raw)
      ? `Remove the space, or unset it to use ${DEFAULT_PORT}.`
      : `Give a port, or unset it to use ${DEFAULT_PORT}.`;
  return fault('CHX_PORT_INVALID', { wrong: `${from} is not a port`, got: raw, expected: '0 to 65535', remedy });
}

export function parseHost(raw: unknown, from: string): Parsed<string | undefined> {
  if (typeof raw === 'string' && /^[\w.:%-]+$/.test(raw) && (!raw.includes(':') || isIpv6(raw))) return { value: raw };
  return fault('CHX_HOST_INVALID', {
    wrong: `${from} is not an address to listen on`,
    got: raw,
    expected: 'an IP address or a host name, without scheme, port or brackets',
    remedy: 'Give for instance 127.0.0.1, or unset it to listen on all interfaces.',
  });
}

/** Distinguishes an IPv6 address from `host:port`; whether it is valid, the socket finds out. */
function isIpv6(text: string): boolean {
  return /^[0-9A-Fa-f:.]+(%\w+)?$/.test(text) && text.split(':').length > 2;
}

export function parsePartners(raw: unknown, from: string): Parsed<string | object | undefined> {
  if (typeof raw === 'string' && raw.trim() !== '') return { value: raw };
  if (typeof raw === 'object' && raw !== null && !Array.isArray(raw)) return { value: raw };
  return fault('CHX_PARTNERS_INVALID', {
    wrong: `${from} is not a partner file`,
    got: raw,
    expected: 'the path of a JSON or YAML file, or as an option an object with "hosts"',
    remedy: 'Give the path, or leave it out to measure no partners of your own.',
  });
}

export function parseCallersSetting(raw: unknown, from: string): Parsed<string | object | undefined> {
  if (typeof raw === 'string' && raw.trim() !== '') return { value: raw };
  if (typeof raw === 'object' && raw !== null && !Array.isArray(raw)) return { value: raw };
  return fault('CHX_CALLERS_INVALID', {
    wrong: `${from} is not a callers file`,
    got: raw,
    expected: 'the path of a JSON or YAML file, or as an option an object with "callers"',
    remedy: 'Give the path, or leave it out to name callers by their User-Agents.',
  });
}

export function parseWebConfigFile(raw: unknown, from: string): Parsed<string | undefined> {
  if (typeof raw === 'string' && raw.trim() !== '') return { value: raw };
  return fault('CHX_WEB_CONFIG_INVALID', {
    wrong: `${from} is no path`,
    got: raw,
    expected: 'the path of a YAML file',
    remedy: 'Give the path, or leave it out for a port without protection.',
  });
}

export function parseSwitch(raw: unknown, from: string): Parsed<boolean> {
  const value = typeof raw === 'boolean' ? raw : SWITCH_WORDS.get(switchWord(raw));
  if (value !== undefined) return { value };
  return fault('CHX_BOOLEAN_INVALID', {
    wrong: `${from} is neither on nor off`,
    got: raw,
    expected: 'on, off, 1, 0, true, false, yes or no',
    remedy: 'Use one of these words, or unset it.',
  });
}

export function parseAppMetrics(raw: unknown, from: string): Parsed<string | undefined> {
  const isOn = typeof raw === 'boolean' ? raw : SWITCH_WORDS.get(switchWord(raw));
  if (isOn !== undefined) return { value: isOn ? DEFAULT_APP_METRICS : undefined };
  if (typeof raw === 'string' && /^\/[^\s?#]*$/.test(raw)) return { value: raw };
  return fault('CHX_APP_METRICS_INVALID', {
    wrong: `${from} is neither a switch nor a path`,
    got: raw,
    expected: 'on, off, or a path that begins with "/", without query',
    remedy: `Set it to 1 for ${DEFAULT_APP_METRICS}, or unset it to answer on our own port only.`,
  });
}

/** Only text and numbers: anything else an application passes may throw when it is made into a string. */
function switchWord(raw: unknown): string {
  return typeof raw === 'string' || typeof raw === 'number' ? String(raw).trim().toLowerCase() : '';
}

export function parseBuckets(raw: unknown, from: string): Parsed<readonly number[]> {
  const items = listItems(raw);
  const values = items?.map((item) => (typeof item === 'number' ? item : decimalNumber(item)));
  const notNumber = values?.indexOf(undefined) ?? -1;
  let wrong: string | undefined;
  if (values === undefined || items === undefined) wrong = 'it is not a list';
  else if (notNumber >= 0) wrong = `boundary ${notNumber + 1} is not a number`;
  else wrong = boundariesFault(values as number[]);
  if (wrong === undefined) return { value: Object.freeze([...(values as number[])]) };
  return fault('CHX_BUCKETS_INVALID', {
    wrong: `${from} is not a list of bucket boundaries: ${wrong}`,
    got: raw,
    expected: `1 to ${MAX_BOUNDARIES} ascending finite numbers of milliseconds, such as ${BOUNDARIES_TEXT}`,
    remedy: 'Sort the list and drop what is not a number; +Inf is added by itself.',
  });
}

export function parseIgnorePaths(raw: unknown, from: string): Parsed<readonly string[]> {
  const items = listItems(raw);
  if (items?.every((item): item is string => typeof item === 'string' && item.startsWith('/'))) {
    return { value: Object.freeze([...items]) };
  }
  return fault('CHX_IGNORE_PATHS_INVALID', {
    wrong: `${from} is not a list of paths`,
    got: raw,
    expected: 'paths that begin with "/", separated by commas',
    remedy: `For instance ${DEFAULT_IGNORE_PATHS.join(',')}; a path that holds a comma can be written in a JSON array.`,
  });
}

/** The same codes as of a partner in its file. */
export function parseSuccessCodes(raw: unknown, from: string): Parsed<readonly string[]> {
  const items = listItems(raw);
  const codes = items?.flatMap((item) => shownText(item) ?? []);
  if (codes !== undefined && codes.length === items?.length && codes.length <= MAX_SUCCESS_CODES) {
    return { value: Object.freeze([...new Set(codes)]) };
  }
  return fault('CHX_SUCCESS_CODES_INVALID', {
    wrong: `${from} is not a list of business codes`,
    got: raw,
    expected: `at most ${MAX_SUCCESS_CODES} codes of 1 to 64 characters that can be seen, separated by commas`,
    remedy: 'For instance 0,00,SUCCESS; a code that holds a comma or a space can be written in a JSON array.',
  });
}

export function parseBodyLimit(raw: unknown, from: string): Parsed<number> {
  const value = wholeNumber(raw);
  if (value !== undefined && value >= 0 && value <= MAX_BODY_LIMIT_BYTES) return { value };
  return fault('CHX_BODY_LIMIT_INVALID', {
    wrong: `${from} is not a number of bytes`,
    got: raw,
    expected: `a whole number, 0 to ${MAX_BODY_LIMIT_BYTES}`,
    remedy: `Write it without unit, or unset it to use ${DEFAULT_BODY_LIMIT_BYTES}.`,
  });
}

export function parseSeriesLimit(raw: unknown, from: string): Parsed<number> {
  const value = wholeNumber(raw);
  if (value !== undefined && value >= 1 && value <= MAX_SERIES) return { value };
  return fault('CHX_SERIES_LIMIT_INVALID', {
    wrong: `${from} is not a number of series`,
    got: raw,
    expected: `a whole number, 1 to ${MAX_SERIES}`,
    remedy: `Give for instance 20000, or unset it to use ${DEFAULT_SERIES}.`,
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

const ALL = 'all';

export function parseCodeDepth(raw: unknown, from: string): Parsed<CodeDepths> {
  const items = depthItems(raw);
  let otherwise: number | undefined;
  const patterns: [string, number][] = [];
  for (const { pattern, text } of items ?? []) {
    const number = text === ALL ? ANY_DEPTH : (wholeNumber(text) ?? 0);
    const isDepth = number === ANY_DEPTH || (number >= 1 && number <= MAX_CODE_DEPTH);
    if (!isDepth) return codeDepthFault(raw, from, `: ${show(text)} is no depth`);
    if (pattern === undefined && otherwise !== undefined) return codeDepthFault(raw, from, ': it has two defaults');
    if (pattern === undefined) otherwise = number;
    else if (!/^[/*]/.test(pattern)) return codeDepthFault(raw, from, `: ${show(pattern)} can match no path`);
    else patterns.push([pattern, number]);
  }
  if (items === undefined || items.length > MAX_DEPTH_ITEMS) return codeDepthFault(raw, from, '');
  return { value: Object.freeze({ otherwise: otherwise ?? ANY_DEPTH, patterns }) };
}

/** Patterns are tried one after the other. */
const MAX_DEPTH_ITEMS = 100;

/** @returns undefined for what is neither a depth nor a list of them */
function depthItems(raw: unknown): { pattern?: string; text: unknown }[] | undefined {
  if (typeof raw === 'number') return [{ text: raw }];
  if (isPlainObject(raw)) return Object.entries(raw).map(([pattern, text]) => ({ pattern, text }));
  if (typeof raw !== 'string' || raw.trim() === '') return undefined;
  return raw.split(',').map((item) => {
    const equals = item.lastIndexOf('=');
    const text = item.slice(equals + 1).trim();
    return equals < 0 ? { text } : { pattern: item.slice(0, equals).trim(), text };
  });
}

function codeDepthFault(raw: unknown, from: string, detail: string): Parsed<never> {
  return fault('CHX_CODE_DEPTH_INVALID', {
    wrong: `${from} is not a depth of codes${detail}`,
    got: raw,
    expected: `1 to ${MAX_CODE_DEPTH} or ${ALL}, for every path or as path=depth pairs`,
    remedy: 'For instance 1, or /articles/*=1,/orders/:id=2; keys of the outermost object stand at 1.',
  });
}

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

function isLabelLimit(value: number): boolean {
  return value >= 1 && value <= MAX_LABEL_VALUES;
}

function labelPairs(text: string): [string, string][] {
  return text.split(',').map((pair) => {
    const [label = '', limit = ''] = pair.split('=', 2);
    return [label.trim(), limit.trim()];
  });
}

const STANDARD_LIMITS: Partial<Record<LabelName, number>> = {
  route: DEFAULT_ROUTE_VALUES,
  path: DEFAULT_PATH_VALUES,
  code: DEFAULT_CODE_VALUES,
};

export function labelLimits(given: Partial<Record<LabelName, number>>, otherwise?: number): LabelValueLimits {
  const limits = LABELS.map((label) => {
    return [label, given[label] ?? otherwise ?? STANDARD_LIMITS[label] ?? DEFAULT_LABEL_VALUES];
  });
  return Object.freeze(Object.fromEntries(limits));
}

/** Any text will do: a variable of that name may be there for other reasons, and must not keep the exporter from starting. */
export function parseEnv(raw: unknown, from: string): Parsed<string> {
  if (typeof raw === 'string') return { value: cleanCode(raw) };
  return fault('CHX_ENV_INVALID', {
    wrong: `${from} is not the name of an environment`,
    got: raw,
    expected: 'a text, such as PROD',
    remedy: `Give it in quotes, or leave it out to use ${DEFAULT_ENV}.`,
  });
}

function isPlainObject(raw: unknown): raw is Record<string, unknown> {
  return typeof raw === 'object' && raw !== null && !Array.isArray(raw);
}

/** A list as an array, as JSON text, or as words separated by commas or spaces. */
function listItems(raw: unknown): unknown[] | undefined {
  if (Array.isArray(raw)) return raw;
  if (typeof raw !== 'string') return undefined;
  const text = raw.trim();
  if (text.startsWith('[')) {
    try {
      return JSON.parse(text);
    } catch {
      return undefined;
    }
  }
  return text.split(/\s*,\s*|\s+/);
}

/** A number written in decimals, as in `2.5` or `1e3`; `0x10` and words are none. */
function decimalNumber(raw: unknown): number | undefined {
  return typeof raw === 'string' && /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/.test(raw) ? Number(raw) : undefined;
}

function wholeNumber(raw: unknown): number | undefined {
  if (typeof raw === 'number') return Number.isInteger(raw) ? raw : undefined;
  return typeof raw === 'string' && /^\d{1,15}$/.test(raw) ? Number(raw) : undefined;
}

function fault(code: ProblemCode, what: Parameters<typeof problem>[1]): { problem: Problem } {
  return { problem: problem(code, what) };
}
