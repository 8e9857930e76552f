/** Writing to a local socket past its stream, for moments in which the stream would not do. */
import { writeSync } from 'node:fs';
import type { Socket } from 'node:net';

/** How long a writer waits for room in the socket's buffer, at most. */
const ROOM_LIMIT_MS = 200;
const ROOM_PAUSE_MS = 2;

/** How writing ended: whole; the buffer is full or was in use; the other side has gone. */
export type Sent = 'whole' | 'full' | 'gone';

/**
 * Writes at once. A stream would be destroyed by an error in writing, together with what the other side has sent
 * before it ended and nobody has read yet; and in an `exit` listener nothing would be written any more.
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

/** A named pipe of Windows has no descriptor to write to. */
function sendByStream(socket: Socket, bytes: Buffer): Sent {
  if (!socket.writable) return 'gone';
  socket.write(bytes);
  return 'whole';
}
