/** What every harness waits for: a condition, and a port that nobody has. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';

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

/** A port that is free now, for a program that cannot report which one it took. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
