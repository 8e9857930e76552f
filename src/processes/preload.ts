/**
 * What a preloaded process reports of its start: why nothing is measured, and that its flag lacks `/register`. Modules of
 * Node's own are loaded where there is something to report.
 */
import { logLine, warn } from '../diagnostics/log';

/** Variable by which children know what has been logged: a digest of the text. */
const LOGGED_VARIABLE = 'CHANNEL_PROBLEMS_LOGGED';
const DIGEST_CHARACTERS = 12;

/**
 * Logs why nothing is measured, once in a service: at once in the process that was started first, in a child with
 * problems of its own at its first use, or after ten seconds. A child that only computes logs nothing.
 */
export function logStartProblems(text: string): void {
  const { createHash } = require('node:crypto') as typeof import('node:crypto');
  const digest = createHash('sha256').update(text).digest('hex').slice(0, DIGEST_CHARACTERS);
  const { isMainThread } = require('node:worker_threads') as typeof import('node:worker_threads');
  const { env, channel } = process;
  const logged = env[LOGGED_VARIABLE];
  const log = () => logLine('error', text);
  if (logged === undefined && channel === undefined && isMainThread) log();
  else if (logged !== digest) whenUsed(log);
  env[LOGGED_VARIABLE] = digest;
}

/** Flags by which Node preloads a module, with the package itself in place of its preload. */
const WITHOUT_REGISTER =
  /(?:^|[\s"'])(?:-r|--require|--import)(?:=|\s+)["']?(?:\S*\/)?channel-exporter(?:\/dist\/src\/index\.js|\/)?["']?(?=\s|$)/;

/** @returns the flag of a command line, or of NODE_OPTIONS, that preloads the API alone */
export function flagWithoutRegister(flags: string): string | undefined {
  return WITHOUT_REGISTER.exec(flags)?.[0].trim();
}

/**
 * Logs at the first use that the package was preloaded without its preload, so that nothing is measured.
 * @param isRunning whether the application has started the exporter itself
 */
export function warnOfMissingRegister(isRunning: () => boolean): void {
  const flags = [...process.execArgv, process.env.NODE_OPTIONS ?? ''].join(' ');
  const flag = flagWithoutRegister(flags);
  if (flag === undefined) return;
  whenUsed(() => {
    if (isRunning()) return;
    const text = `nothing is measured: ${flag} loads the API alone. Write -r channel-exporter/register.`;
    warn('CHX_REGISTER_MISSING', 'register', text);
  });
}

function whenUsed(callback: () => void): void {
  const { onFirstUse } = require('./first-use') as typeof import('./first-use');
  onFirstUse(callback);
}
