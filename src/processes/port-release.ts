/**
 * Has the hub, which is in another process or thread, let go of its port before a server of this one binds it. Binding is
 * synchronous: so the question is written, and the answer waited for, past the event loop.
 */
import { readSync } from 'node:fs';
import type { Socket } from 'node:net';
import { nowMs } from '../runtime/clock';
import { connectUntraced, mayListen } from './hub-connect';
import { isPortTaken } from './port-holder';
import { encodeFrame, type ReleaseRequest } from './protocol';
import { sendNow } from './socket-write';

/** A hub answers with its next turn of the event loop; the server that wants the port waits no longer. */
const ANSWER_LIMIT_MS = 1_000;
const ANSWER_PAUSE_MS = 2;
/** A hub that has just bound the port listens for other processes by then. */
const SOCKET_LIMIT_MS = 100;
const SOCKET_PAUSE_MS = 5;
/** More than the answer has. */
const ANSWER_BYTES = 1_024;

/**
 * Blocks until a hub that listens at one of the paths has let go of the port; without a hub it returns at once.
 * @returns whether one has
 */
export function releasePort(paths: readonly string[], request: ReleaseRequest): boolean {
  const until = nowMs() + SOCKET_LIMIT_MS;
  for (;;) {
    if (paths.some(mayListen)) {
      const answerUntil = nowMs() + ANSWER_LIMIT_MS;
      return paths.some((each) => mayListen(each) && askAt(each, request, answerUntil));
    }
    // somebody has it who may be a hub soon
    if (nowMs() > until || !isPortTaken(request.port)) return false;
    sleep(SOCKET_PAUSE_MS);
  }
}

function askAt(path: string, request: ReleaseRequest, until: number): boolean {
  // a local socket is connected when this returns, although Node reports it later
  const socket = connectUntraced(path);
  socket.on('error', () => undefined);
  socket.unref();
  try {
    const fd = fdOf(socket);
    return fd !== undefined && sendNow(socket, encodeFrame(request)) === 'whole' && isAnswered(fd, until);
  } finally {
    socket.destroy();
  }
}

/** @returns undefined for a socket that is not connected, and for a named pipe of Windows */
function fdOf(socket: Socket): number | undefined {
  const fd = (socket as unknown as { _handle?: { fd?: number } | null })._handle?.fd;
  return fd === undefined || fd < 0 ? undefined : fd;
}

/** Whether anything has come: the hub says nothing else, and closes the connection where it refuses. */
function isAnswered(fd: number, until: number): boolean {
  const answer = Buffer.alloc(ANSWER_BYTES);
  for (; nowMs() < until; sleep(ANSWER_PAUSE_MS)) {
    try {
      return readSync(fd, answer) > 0;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return false;
    }
  }
  return false;
}

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
