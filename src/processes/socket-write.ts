/** Writes to a local socket synchronously, past its stream. */
import { writeSync } from 'node:fs';
import type { Socket } from 'node:net';

/** Longest wait for room in the socket's buffer. */
const ROOM_LIMIT_MS = 200;
const ROOM_PAUSE_MS = 2;

/** Everything was written; the buffer is full or the stream has data queued; the peer has closed. */
export type Sent = 'whole' | 'full' | 'gone';

/**
 * Writes before it returns. A stream is destroyed by a failed write, together with what the peer sent before it ended
 * and what is not read yet; and in an `exit` listener a stream no longer writes.
 * @param waitForRoom blocks for up to 200 ms while the buffer is full
 */
export function sendNow(socket: Socket, bytes: Buffer, { waitForRoom = false } = {}): Sent {
  const fd = (socket as unknown as { _handle?: { fd?: number } | null })._handle?.fd;
  if (fd === undefined || fd < 0) return sendByStream(socket, bytes);
  if (socket.writableLength > 0) return 'full';
  const until = Date.now() + ROOM_LIMIT_MS;
  for (let written = 0; written < bytes.length; ) {
    try {
      written += writeSync(fd, bytes, written);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return 'gone';
      if (!waitForRoom || Date.now() > until) return 'full';
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ROOM_PAUSE_MS);
    }
  }
  return 'whole';
}

/** A named pipe of Windows has no file descriptor. */
function sendByStream(socket: Socket, bytes: Buffer): Sent {
  if (!socket.writable) return 'gone';
  socket.write(bytes);
  return 'whole';
}
