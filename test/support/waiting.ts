/** What every harness waits for: a condition, and a port that nobody has. */
import { once } from 'node:events';
import { createServer } from 'node:net';

const LOOK_EVERY_MS = 20;

/**
 * Waits for a condition, looking at it often.
 * @param what is waited for, or what has come in its place, for the error
 * @throws {Error} when it does not come true in time
 */
export async function until(
  isTrue: () => boolean | Promise<boolean>,
  what: string | (() => string),
  limitMs = 60_000,
): Promise<void> {
  const end = Date.now() + limitMs;
  while (!(await isTrue())) {
    if (Date.now() > end) throw new Error(`not within ${limitMs} ms: ${typeof what === 'string' ? what : what()}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }
}

/** Below the ports that systems give to those who ask for any: nobody gets one of these by chance. */
const LOWEST_PORT = 10_000;
const HIGHEST_PORT = 30_000;

/** A port that is free, for a program that cannot report which one it took, or that nothing listens on. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = LOWEST_PORT + Math.floor(Math.random() * (HIGHEST_PORT - LOWEST_PORT));
    const server = createServer();
    const isFree = await new Promise<boolean>((resolve) => {
      server.once('error', () => resolve(false));
      server.listen(port, () => resolve(true));
    });
    if (!isFree) continue;
    server.close();
    await once(server, 'close');
    return port;
  }
}
