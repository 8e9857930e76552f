/**
 * The catalogue of what can go wrong: one code, one sentence, one way out.
 *
 * Every code stands here, in docs/errors.md and in a test; a code is never reused, because users match on it and not
 * on the text. Values in a message are cut, and never contain a request's data or a body.
 */

/**
 * Codes of problems that keep the exporter from starting; `start()` throws them together as one {@link ConfigError}. Those
 * of a web configuration keep the port of the scrape closed instead.
 */
export const PROBLEM_CODES = [
  'CHX_SYSCODE_MISSING',
  'CHX_SYSCODE_INVALID',
  'CHX_OPTIONS_INVALID',
  'CHX_OPTION_UNKNOWN',
  'CHX_BOOLEAN_INVALID',
  'CHX_PORT_INVALID',
  'CHX_HOST_INVALID',
  'CHX_BUCKETS_INVALID',
  'CHX_IGNORE_PATHS_INVALID',
  'CHX_BODY_LIMIT_INVALID',
  'CHX_CODE_FROM_INVALID',
  'CHX_CODE_DEPTH_INVALID',
  'CHX_DROP_LABELS_INVALID',
  'CHX_LABEL_VALUES_LIMIT_INVALID',
  'CHX_SERIES_LIMIT_INVALID',
  'CHX_VIEWS_INVALID',
  'CHX_ENV_INVALID',
  'CHX_APP_METRICS_INVALID',
  'CHX_SUCCESS_CODES_INVALID',
  'CHX_PARTNERS_INVALID',
  'CHX_PARTNERS_UNREADABLE',
  'CHX_PARTNERS_SYNTAX',
  'CHX_PARTNERS_SHAPE',
  'CHX_PARTNER_KEY',
  'CHX_PARTNER_HOST',
  'CHX_PARTNER_CODE',
  'CHX_PARTNER_NAME',
  'CHX_PARTNER_SUCCESS',
  'CHX_PARTNER_CODE_FROM',
  'CHX_PARTNER_PATTERN',
  'CHX_PARTNER_ALIAS',
  'CHX_CALLERS_INVALID',
  'CHX_CALLERS_UNREADABLE',
  'CHX_CALLERS_SYNTAX',
  'CHX_CALLERS_SHAPE',
  'CHX_CALLERS_KEY',
  'CHX_CALLERS_REST',
  'CHX_CALLER_PATTERN',
  'CHX_CALLER_NAME',
  'CHX_PATHS_INVALID',
  'CHX_PATHS_UNREADABLE',
  'CHX_PATHS_SYNTAX',
  'CHX_PATHS_SHAPE',
  'CHX_PATHS_KEY',
  'CHX_PATH_PATTERN',
  'CHX_WEB_CONFIG_INVALID',
  'CHX_WEB_CONFIG_UNREADABLE',
  'CHX_WEB_CONFIG_SYNTAX',
  'CHX_WEB_CONFIG_SHAPE',
  'CHX_WEB_CONFIG_KEY',
  'CHX_WEB_TLS_CERTIFICATE',
  'CHX_WEB_TLS_CLIENT',
  'CHX_WEB_TLS_VERSION',
  'CHX_WEB_TLS_CIPHER',
  'CHX_WEB_HEADER',
  'CHX_WEB_USER',
  'CHX_WEB_RATE_LIMIT',
] as const;

/** Codes of warnings on stderr; the application runs on. */
export const WARNING_CODES = [
  'CHX_VARIABLE_UNKNOWN',
  'CHX_VARIABLE_VALUE',
  'CHX_REGISTER_MISSING',
  'CHX_ALREADY_STARTED',
  'CHX_PORT_TAKEN',
  'CHX_PORT_OF_APPLICATION',
  'CHX_PORT_REFUSED',
  'CHX_SYSCODE_OTHER',
  'CHX_SYSCODE_SHARED',
  'CHX_HUB_REFUSED',
  'CHX_HUB_SILENT',
  'CHX_DELTAS_DROPPED',
  'CHX_PEER_PAUSED',
  'CHX_SOCKET_DIRECTORY',
  'CHX_SOCKET_REFUSED',
  'CHX_PARTNERS_RELOAD',
  'CHX_PARTNER_PORT',
  'CHX_PARTNER_PATH',
  'CHX_CALLERS_RELOAD',
  'CHX_PATHS_RELOAD',
  'CHX_WEB_CONFIG_REFUSED',
  'CHX_WEB_CONFIG_RELOAD',
  'CHX_WEB_USERS_UNCHECKED',
  'CHX_LABEL_OVERFLOW',
  'CHX_SERIES_OVERFLOW',
  'CHX_COLLECT_FAILED',
  'CHX_PAGE_FAILED',
  'CHX_ROUTE_UNSEEN',
  'CHX_ROUTE_INVALID',
  'CHX_OWN_METRICS_FAILED',
  'CHX_NAME_CLASH',
  'CHX_GLOBAL_REFUSED',
  'CHX_EXPORTER_MISSING',
  'CHX_PUSH_FAILED',
  'CHX_CLIENT_UNKNOWN',
  'CHX_CLIENT_UNSEEN',
  'CHX_INTERNAL',
] as const;

export type ProblemCode = (typeof PROBLEM_CODES)[number];
export type WarningCode = (typeof WARNING_CODES)[number];

/** One thing that is wrong with the settings, or a file that they name. */
export interface Problem {
  readonly code: ProblemCode;
  /** `CODE: what was wrong; got <value>; expected <what is accepted>. <How to mend it.>` */
  readonly message: string;
}

/** Longest value shown in a message, in characters. */
const SHOWN_CHARACTERS = 120;

/**
 * Builds a problem in the house form.
 * @param got the value inspected, shown cut at 120 characters; leave it out where there is none
 */
export function problem(
  code: ProblemCode,
  what: { wrong: string; got?: unknown; expected: string; remedy: string },
): Problem {
  const got = 'got' in what ? `; got ${show(what.got)}` : '';
  return { code, message: `${code}: ${what.wrong}${got}; expected ${what.expected}. ${what.remedy}` };
}

/** A value as it stands in a message: JSON where it can be, cut at 120 characters. */
export function show(value: unknown): string {
  let text: string;
  if (typeof value === 'number' || typeof value === 'bigint' || value === undefined) text = String(value);
  else if (typeof value === 'function') text = 'a function';
  else {
    try {
      // JSON.stringify turns NaN and Infinity inside arrays into null, which would show a value that was not given
      text =
        JSON.stringify(value, (_key, inner) => (typeof inner === 'number' ? numberText(inner) : inner)) ?? typeof value;
    } catch {
      text = Object.prototype.toString.call(value);
    }
  }
  return text.length > SHOWN_CHARACTERS ? `${text.slice(0, SHOWN_CHARACTERS)}…` : text;
}

function numberText(value: number): number | string {
  return Number.isFinite(value) ? value : String(value);
}

/**
 * Thrown by `start()` when the settings, or files that they name, cannot be used. Its message lists every problem found.
 */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** The code of the first problem. */
  readonly code: ProblemCode;
  readonly problems: readonly Problem[];

  constructor(problems: readonly [Problem, ...Problem[]]) {
    super(problems.map((each) => each.message).join('\n'));
    this.code = problems[0].code;
    this.problems = problems;
  }
}

/**
 * The entry of `known` that is nearest to `word`, for "did you mean": at most two letters away.
 * @returns undefined when nothing is near
 */
export function nearest(word: string, known: readonly string[]): string | undefined {
  let best: string | undefined;
  let bestDistance = 3;
  for (const candidate of known) {
    const distance = editDistance(word.toLowerCase(), candidate.toLowerCase());
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, index) => index);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const substitution = (previous[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(substitution, (previous[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1));
    }
    previous = row;
  }
  return previous[b.length] ?? 0;
}
