/**
 * The preload: `node -r channel-exporter/register app.js`. Starts the exporter from the environment; whatever keeps it
 * from starting is said once on stderr, and the application runs as without it.
 *
 * The only file with effects at import time.
 */
import { isMainThread } from 'node:worker_threads';
import { errorText, logLine } from './src/diagnostics/log';
import { ConfigError } from './src/errors';
import { start } from './src/start';

// Node preloads into worker threads too; the process's main thread has the port, and a thread's own requests are few
if (isMainThread) {
  try {
    start();
  } catch (error) {
    const text = error instanceof ConfigError ? error.message : errorText(error);
    logLine('error', `nothing is measured; the application runs without metrics:\n${text}`);
  }
}
