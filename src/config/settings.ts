/**
 * Every setting, described once: the parser, the documentation and the tests read this table.
 *
 * A row's `parse` takes the value as an option or as a variable's text and gives back the value, or what is wrong
 * with it. Nothing here throws.
 */
import { cleanCode } from '../business-code/clean';
import { LABELS, type LabelName } from '../core/label-values';
import { type Problem, type ProblemCode, problem } from '../errors';
import { boundariesFault, DEFAULT_BOUNDARIES_MS, MAX_BOUNDARIES } from '../views/boundaries';
import { parseSyscode } from '../views/metric-names';

/** Highest number of distinct values of each label. */
export type LabelValueLimits = Readonly<Record<LabelName, number>>;

/** The value that each setting resolves to. */
export interface SettingValues {
  /** System code, upper case: one letter and nine digits. */
  syscode: string;
  /** Port of the scrape, 0 to 65535; 0 takes any free one. */
  port: number;
  /** Address or host name to listen on; undefined: all interfaces. */
  host: string | undefined;
  /** Path of the partner file, or the directory itself; undefined: none. */
  partners: string | object | undefined;
  partnersPreset: boolean;
  /** Milliseconds, ascending. */
  innerMetricsBuckets: readonly number[];
  partnerHttpMetricsBuckets: readonly number[];
  consumerMetricsBuckets: readonly number[];
  /** Decoded paths of inbound requests that are not recorded. */
  ignorePaths: readonly string[];
  /** Bytes of a body that are read for codes, after unpacking; 0: bodies are not read. */
  bodyLimit: number;
  labelValuesLimit: LabelValueLimits;
  /** The label of monitored functions. */
  env: string;
  /** Whether inbound requests are also counted under the names of Flask exporters. */
  flaskMetrics: boolean;
  /** Path under which the application's own port answers the scrape; undefined: it does not. */
  appMetrics: string | undefined;
  /** Whether our provider is the global one of the OpenTelemetry API. */
  global: boolean;
  promClient: boolean;
}

export type SettingName = keyof SettingValues;

/** What a row says of a value: the value to use, or one problem. */
export type Parsed<T> = { readonly value: T } | { readonly problem: Problem };

export interface Setting<Name extends SettingName> {
  readonly option: Name;
  readonly variable: string;
  /** Standard variables that are read after ours. */
  readonly alsoVariables?: readonly string[];
  readonly type: string;
  /** As it stands in the documentation; undefined: there is none, the setting is required. */
  readonly defaultText: string | undefined;
  readonly help: string;
  readonly defaultValue?: SettingValues[Name];
  /** @param from the option's or variable's name, for the message */
  parse(raw: unknown, from: string): Parsed<SettingValues[Name]>;
}

/** A row of the table, of whatever setting. */
export type AnySetting = { [Name in SettingName]: Setting<Name> }[SettingName];

export const DEFAULT_PORT = 9166;
export const DEFAULT_IGNORE_PATHS: readonly string[] = ['/healthcheck', '/metrics'];
export const DEFAULT_BODY_LIMIT_BYTES = 64 * 1024;
const MAX_BODY_LIMIT_BYTES = 16 * 1024 * 1024;
export const DEFAULT_PATH_VALUES = 1000;
export const DEFAULT_LABEL_VALUES = 200;
const MAX_LABEL_VALUES = 1_000_000;
export const DEFAULT_ENV = 'PROD';
const DEFAULT_APP_METRICS = '/metrics';

const BOUNDARIES_TEXT = DEFAULT_BOUNDARIES_MS.join(',');

function bucketsSetting<Name extends 'innerMetricsBuckets' | 'partnerHttpMetricsBuckets' | 'consumerMetricsBuckets'>(
  option: Name,
  variable: string,
  what: string,
): Setting<Name> {
  return {
    option,
    variable,
    type: 'ascending numbers, milliseconds',
    defaultText: BOUNDARIES_TEXT,
    help: `Bucket boundaries of ${what}: inclusive upper bounds, +Inf is implied.`,
    defaultValue: DEFAULT_BOUNDARIES_MS as SettingValues[Name],
    parse: (raw, from) => parseBuckets(raw, from) as Parsed<SettingValues[Name]>,
  };
}

/** The table. Its order is the order of the documentation and of reported problems. */
export const SETTINGS: readonly AnySetting[] = [
  {
    option: 'syscode',
    variable: 'SYSCODE',
    type: 'letter and 9 digits',
    defaultText: undefined,
    help: 'System code of this service. Its first four characters are the label appid, the whole is application.',
    parse: parseSyscodeSetting,
  },
  {
    option: 'port',
    variable: 'CHANNEL_EXPORTER_PORT',
    alsoVariables: ['OTEL_EXPORTER_PROMETHEUS_PORT'],
    type: '0 to 65535',
    defaultText: String(DEFAULT_PORT),
    help: 'Port of the scrape; 0 takes any free one and says which.',
    defaultValue: DEFAULT_PORT,
    parse: parsePort,
  },
  {
    option: 'host',
    variable: 'CHANNEL_EXPORTER_HOST',
    alsoVariables: ['OTEL_EXPORTER_PROMETHEUS_HOST'],
    type: 'address or host name',
    defaultText: 'all interfaces',
    help: 'Address to listen on, such as 127.0.0.1.',
    defaultValue: undefined,
    parse: parseHost,
  },
  {
    option: 'partners',
    variable: 'CHANNEL_EXPORTER_PARTNERS',
    type: 'path of a JSON or YAML file',
    defaultText: 'none',
    help: 'Partner file: hosts and paths mapped to partner and action codes; reread when it changes. As an option also the directory itself.',
    defaultValue: undefined,
    parse: parsePartners,
  },
  {
    option: 'partnersPreset',
    variable: 'CHANNEL_EXPORTER_PARTNERS_PRESET',
    type: 'on or off',
    defaultText: 'on',
    help: 'Whether the partner table of the Python package is in force below the partner file.',
    defaultValue: true,
    parse: parseSwitch,
  },
  bucketsSetting('innerMetricsBuckets', 'CHANNEL_EXPORTER_INNER_METRICS_BUCKETS', 'inbound requests'),
  bucketsSetting('partnerHttpMetricsBuckets', 'CHANNEL_EXPORTER_PARTNER_HTTP_METRICS_BUCKETS', 'partner calls'),
  bucketsSetting('consumerMetricsBuckets', 'CHANNEL_EXPORTER_CONSUMER_METRICS_BUCKETS', 'consumed messages'),
  {
    option: 'ignorePaths',
    variable: 'CHANNEL_EXPORTER_IGNORE_PATHS',
    type: 'paths, separated by commas',
    defaultText: DEFAULT_IGNORE_PATHS.join(','),
    help: 'Inbound paths that are not recorded: exact, case-sensitive, compared after percent-decoding. Replaces the default; [] records everything.',
    defaultValue: DEFAULT_IGNORE_PATHS,
    parse: parseIgnorePaths,
  },
  {
    option: 'bodyLimit',
    variable: 'CHANNEL_EXPORTER_BODY_LIMIT',
    type: 'bytes',
    defaultText: String(DEFAULT_BODY_LIMIT_BYTES),
    help: 'How much of a body is read for codes, after unpacking; 0 reads none.',
    defaultValue: DEFAULT_BODY_LIMIT_BYTES,
    parse: parseBodyLimit,
  },
  {
    option: 'labelValuesLimit',
    variable: 'CHANNEL_EXPORTER_LABEL_VALUES_LIMIT',
    type: 'number, or label=number pairs',
    defaultText: `path=${DEFAULT_PATH_VALUES}, any other label ${DEFAULT_LABEL_VALUES}`,
    help: 'Distinct values that a label may take in the life of the process; any further one is recorded as other.',
    defaultValue: labelLimits({}),
    parse: parseLabelValuesLimit,
  },
  {
    option: 'env',
    variable: 'ENV',
    type: 'text',
    defaultText: DEFAULT_ENV,
    help: 'The label env of monitored functions.',
    defaultValue: DEFAULT_ENV,
    parse: parseEnv,
  },
  {
    option: 'flaskMetrics',
    variable: 'CHANNEL_EXPORTER_FLASK_METRICS',
    type: 'on or off',
    defaultText: 'off',
    help: 'Whether inbound requests are also counted as flask_request_latency_seconds and flask_request_count_total.',
    defaultValue: false,
    parse: parseSwitch,
  },
  {
    option: 'appMetrics',
    variable: 'CHANNEL_EXPORTER_APP_METRICS',
    type: 'on, off or a path',
    defaultText: 'off',
    help: "Whether the application's own port answers the scrape too, where it would answer 404: on for /metrics, or the path.",
    defaultValue: undefined,
    parse: parseAppMetrics,
  },
  {
    option: 'global',
    variable: 'CHANNEL_EXPORTER_GLOBAL',
    type: 'on or off',
    defaultText: 'off',
    help: "Whether our meter provider is registered as the global one, through the application's own copy of the OpenTelemetry API.",
    defaultValue: false,
    parse: parseSwitch,
  },
  {
    option: 'promClient',
    variable: 'CHANNEL_EXPORTER_PROM_CLIENT',
    type: 'on or off',
    defaultText: 'off',
    help: 'Whether what the application registered in prom-client or @prometheus-io/client is on the scrape too.',
    defaultValue: false,
    parse: parseSwitch,
  },
];

const PREFIX = 'CHANNEL_EXPORTER_';

/** Variables with our prefix that no setting knows: most likely a spelling mistake. */
export function unknownVariables(env: NodeJS.ProcessEnv): string[] {
  const known = new Set<string>(SETTINGS.map((setting) => setting.variable));
  return Object.keys(env).filter((name) => name.startsWith(PREFIX) && !known.has(name));
}

function parseSyscodeSetting(raw: unknown, from: string): Parsed<string> {
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

function parsePort(raw: unknown, from: string): Parsed<number> {
  const value = wholeNumber(raw);
  if (value !== undefined && value >= 0 && value <= 65535) return { value };
  const remedy =
    typeof raw === 'string' && /\s/.test(raw)
      ? `Remove the space, or unset it to use ${DEFAULT_PORT}.`
      : `Give a port, or unset it to use ${DEFAULT_PORT}.`;
  return fault('CHX_PORT_INVALID', { wrong: `${from} is not a port`, got: raw, expected: '0 to 65535', remedy });
}

function parseHost(raw: unknown, from: string): Parsed<string | undefined> {
  if (typeof raw === 'string' && /^[\w.:%-]+$/.test(raw) && (!raw.includes(':') || isIpv6(raw))) return { value: raw };
  return fault('CHX_HOST_INVALID', {
    wrong: `${from} is not an address to listen on`,
    got: raw,
    expected: 'an IP address or a host name, without scheme, port or brackets',
    remedy: 'Give for instance 127.0.0.1, or unset it to listen on all interfaces.',
  });
}

/** Enough of a check to tell an IPv6 address from `host:port`; the socket has the last word. */
function isIpv6(text: string): boolean {
  return /^[0-9A-Fa-f:.]+(%\w+)?$/.test(text) && text.split(':').length > 2;
}

function parsePartners(raw: unknown, from: string): Parsed<string | object | undefined> {
  if (typeof raw === 'string' && raw.trim() !== '') return { value: raw };
  if (typeof raw === 'object' && raw !== null && !Array.isArray(raw)) return { value: raw };
  return fault('CHX_PARTNERS_INVALID', {
    wrong: `${from} is not a partner file`,
    got: raw,
    expected: 'the path of a JSON or YAML file, or as an option an object with "hosts"',
    remedy: 'Give the path, or leave it out to measure no partners of your own.',
  });
}

const SWITCH_WORDS = new Map([
  ['1', true],
  ['true', true],
  ['on', true],
  ['yes', true],
  ['0', false],
  ['false', false],
  ['off', false],
  ['no', false],
]);

function parseSwitch(raw: unknown, from: string): Parsed<boolean> {
  const value = typeof raw === 'boolean' ? raw : SWITCH_WORDS.get(switchWord(raw));
  if (value !== undefined) return { value };
  return fault('CHX_BOOLEAN_INVALID', {
    wrong: `${from} is neither on nor off`,
    got: raw,
    expected: 'on, off, 1, 0, true, false, yes or no',
    remedy: 'Use one of these words, or unset it.',
  });
}

function parseAppMetrics(raw: unknown, from: string): Parsed<string | undefined> {
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

function parseBuckets(raw: unknown, from: string): Parsed<readonly number[]> {
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

function parseIgnorePaths(raw: unknown, from: string): Parsed<readonly string[]> {
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

function parseBodyLimit(raw: unknown, from: string): Parsed<number> {
  const value = wholeNumber(raw);
  if (value !== undefined && value >= 0 && value <= MAX_BODY_LIMIT_BYTES) return { value };
  return fault('CHX_BODY_LIMIT_INVALID', {
    wrong: `${from} is not a number of bytes`,
    got: raw,
    expected: `a whole number, 0 to ${MAX_BODY_LIMIT_BYTES}`,
    remedy: `Write it without unit, or unset it to use ${DEFAULT_BODY_LIMIT_BYTES}.`,
  });
}

function parseLabelValuesLimit(raw: unknown, from: string): Parsed<LabelValueLimits> {
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
    remedy: 'For instance 500, or path=2000,code=300.',
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

function labelLimits(given: Partial<Record<LabelName, number>>, otherwise?: number): LabelValueLimits {
  const limits = LABELS.map((label) => {
    const standard = label === 'path' ? DEFAULT_PATH_VALUES : DEFAULT_LABEL_VALUES;
    return [label, given[label] ?? otherwise ?? standard];
  });
  return Object.freeze(Object.fromEntries(limits));
}

/** Any text will do: a variable of that name may be there for other reasons, and must not keep the exporter from starting. */
function parseEnv(raw: unknown, from: string): Parsed<string> {
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
