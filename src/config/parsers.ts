/**
 * The parsers of settings that are one plain value or a list of them: each takes a value as an option or as a variable's
 * text and gives back the value to use, or what is wrong with it. Labels and codes have parsers of their own
 * (label-parsers.ts, code-parsers.ts). Nothing here throws.
 */
import { cleanCode } from '../business-code/clean';
import { boundariesFault, MAX_BOUNDARIES } from '../views/boundaries';
import { parseSyscode } from '../views/metric-names';
import {
  BOUNDARIES_TEXT,
  DEFAULT_APP_METRICS,
  DEFAULT_BODY_LIMIT_BYTES,
  DEFAULT_ENV,
  DEFAULT_IGNORE_PATHS,
  DEFAULT_PORT,
  DEFAULT_SERIES,
  MAX_BODY_LIMIT_BYTES,
  MAX_SERIES,
} from './defaults';
import { decimalNumber, fault, isPlainObject, listItems, type Parsed, wholeNumber } from './parsed';
import { SWITCH_WORDS } from './switch-words';

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
  if (isPlainObject(raw)) return { value: raw };
  return fault('CHX_PARTNERS_INVALID', {
    wrong: `${from} is not a partner file`,
    got: raw,
    expected: 'the path of a JSON or YAML file, or as an option an object with "hosts"',
    remedy: 'Give the path, or leave it out to measure no partners of your own.',
  });
}

export function parseCallersSetting(raw: unknown, from: string): Parsed<string | object | undefined> {
  if (typeof raw === 'string' && raw.trim() !== '') return { value: raw };
  if (isPlainObject(raw)) return { value: raw };
  return fault('CHX_CALLERS_INVALID', {
    wrong: `${from} is not a callers file`,
    got: raw,
    expected: 'the path of a JSON or YAML file, or as an option an object with "callers"',
    remedy: 'Give the path, or leave it out to name callers by their User-Agents.',
  });
}

export function parsePathsSetting(raw: unknown, from: string): Parsed<string | object | undefined> {
  if (typeof raw === 'string' && raw.trim() !== '') return { value: raw };
  if (isPlainObject(raw)) return { value: raw };
  return fault('CHX_PATHS_INVALID', {
    wrong: `${from} is not a paths file`,
    got: raw,
    expected: 'the path of a JSON or YAML file, or as an option an object with "paths"',
    remedy: 'Give the path, or leave it out to have no patterns of your own.',
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
