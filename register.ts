/**
 * The preload: `node -r channel-exporter/register app.js`. Starts the exporter from the environment. What keeps
 * it from starting is logged once on stderr, and the application runs as without it.
 *
 * The file with effects at import time: index.ts only looks whether it was preloaded in place of this one.
 */
import { errorText } from './src/diagnostics/log';
import { ConfigError } from './src/errors';
import { launcherOf } from './src/processes/launchers';

// a launcher has nothing to measure, and is not to pay for loading what it does not use; nor has the thread of Node's
// loader
if (launcherOf(process) === undefined && !isLoaderThread()) {
  try {
    const { startQuietly } = require('./src/start') as typeof import('./src/start');
    startQuietly();
  } catch (error) {
    const text = error instanceof ConfigError ? error.message : errorText(error);
    const { logStartProblems } = require('./src/processes/preload') as typeof import('./src/processes/preload');
    logStartProblems(`nothing is measured; the application runs without metrics:\n${text}`);
  }
}

/** That is the one thread without a parent to talk to. */
function isLoaderThread(): boolean {
  const { isMainThread, parentPort } = require('node:worker_threads') as typeof import('node:worker_threads');
  return !isMainThread && parentPort === null;
}
