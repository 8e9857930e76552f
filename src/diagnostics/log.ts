/**
 * The log of the package: lines on stderr, one per cause and minute, never on stdout.
 *
 * It writes to the file descriptor itself: `process.stderr` builds a stream when it is first touched, and an
 * application may have replaced it.
 */
import { writeSync } from 'node:fs';
import type { WarningCode } from '../errors';

/** Least severe first; a level shows itself and everything more severe. */
const LEVELS = ['debug', 'info', 'warn', 'error', 'none'] as const;
export type LogLevel = (typeof LEVELS)[number];
/** Further names of the level `debug`. */
const MOST = ['all', 'verbose'];
/** As in OTEL_LOG_LEVEL. */
export const LOG_LEVEL_NAMES: readonly string[] = [...LEVELS, ...MOST];

const PREFIX = 'channel-exporter';
/** One line per cause in this time. */
const QUIET_MS = 60_000;
/** Causes remembered for the quiet time; with more than this within a minute, some are logged again. */
const MAX_CAUSES = 100;

let threshold: number = LEVELS.indexOf('info');
const quietUntil = new Map<string, { until: number; suppressed: number }>();

/**
 * Sets what is shown from now on.
 * @param name as in OTEL_LOG_LEVEL, any case; an unknown word leaves the level as it is
 */
export function setLogLevel(name: string | undefined): void {
  const word = name?.trim().toLowerCase();
  const known = word !== undefined && MOST.includes(word) ? 'debug' : word;
  const index = LEVELS.indexOf(known as LogLevel);
  if (index >= 0) threshold = index;
}

/** @returns whether lines of a level are shown, for work that only serves them */
export function isLogged(level: Exclude<LogLevel, 'none'>): boolean {
  return LEVELS.indexOf(level) >= threshold;
}

/** Writes one line, at once. */
export function logLine(level: Exclude<LogLevel, 'none'>, text: string): void {
  if (!isLogged(level)) return;
  try {
    writeSync(2, `${PREFIX}: ${text}\n`);
  } catch {
    // stderr is closed or full, and there is nowhere else to log that
  }
}

/**
 * Logs that something went wrong, once a minute per code and cause.
 * @param cause distinguishes occurrences of one code, such as the name of the source; never user data
 */
export function warn(code: WarningCode, cause: string, text: string): void {
  const key = `${code} ${cause}`;
  const now = Date.now();
  const entry = quietUntil.get(key);
  if (entry !== undefined && now < entry.until) {
    entry.suppressed++;
    return;
  }
  if (quietUntil.size >= MAX_CAUSES) quietUntil.clear();
  quietUntil.set(key, { until: now + QUIET_MS, suppressed: 0 });
  const again = entry !== undefined && entry.suppressed > 0 ? ` (${entry.suppressed} more since the last line)` : '';
  logLine('warn', `${code}: ${text}${again}`);
}

/** An error's text for one line: its message without line breaks, cut. */
export function errorText(error: unknown): string {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  return text.replace(/\s+/g, ' ').slice(0, 300);
}
