/**
 * `start()`: decides whether anything is measured in this process. The code that measures is loaded only then, so that a
 * process whose exporter is switched off pays next to nothing.
 */
import { offSwitch } from './config/off-switch';
import { given } from './config/standard-variables';
import { logLine, setLogLevel, warn } from './diagnostics/log';
import type { Exporter, StartOptions } from './options';
import { applicationEnvironment } from './processes/launchers';
import { sharedState } from './shared-state';

/**
 * Starts the exporter in this process: observes from now on and serves the scrape.
 *
 * Call it before anything else is loaded, or preload `channel-exporter/register` instead. Calling it again, from this
 * or another copy of the package, gives back the exporter that runs.
 * @throws {ConfigError} listing every problem of the settings and the partner file; nothing is started then
 */
export function start(options: StartOptions = {}): Exporter {
  const env = applicationEnvironment(process.env);
  const shared = sharedState();
  if (shared.running !== undefined) {
    if (Object.keys(options ?? {}).length > 0) {
      warn('CHX_ALREADY_STARTED', 'start', 'the exporter runs already; the options of this start() have no effect');
    }
    return shared.running.exporter;
  }
  setLogLevel(given(env, 'OTEL_LOG_LEVEL')?.value);
  const off = offSwitch(env);
  if (off !== undefined) {
    if (!shared.hasLoggedOff) logOff(off);
    shared.hasLoggedOff = true;
    return { url: '', shutdown: async () => undefined };
  }
  const { startExporter } = require('./compose') as typeof import('./compose');
  return startExporter(options, env);
}

/** How long a process runs before it is logged that the exporter is switched off: helpers have usually ended by then. */
const OFF_LOGGED_AFTER_MS = 10_000;

/** Logs in the main process of a service alone: a process with a channel to another one was forked by it. */
function logOff(why: string): void {
  if (process.channel !== undefined || !isMainThread()) return;
  setTimeout(() => logLine('info', `${why}; nothing is measured and nothing is served`), OFF_LOGGED_AFTER_MS).unref();
}

/** Required only here, because this module of Node's loads streams. */
function isMainThread(): boolean {
  return (require('node:worker_threads') as typeof import('node:worker_threads')).isMainThread;
}
