/**
 * A response's body of which the head says how long it is. Whoever has all bytes may close the connection at once: the
 * end of a file that is read, the call of `end`, and Node's own report come after that.
 */

/** For the length of a body of which the head does not say it. */
export const NOT_ANNOUNCED = -1;

export class AnnouncedBody {
  private written = 0;

  /** @param announced bytes; {@link NOT_ANNOUNCED} where the head does not say, or no body is due */
  constructor(private readonly announced: number) {}

  /**
   * Counts a chunk that is about to be written.
   * @returns whether it brings the last of the announced bytes
   */
  isLast(chunk: unknown, encoding: unknown): boolean {
    if (this.announced === NOT_ANNOUNCED) return false;
    this.written += bytesOf(chunk, encoding);
    return this.written >= this.announced;
  }
}

function bytesOf(chunk: unknown, encoding: unknown): number {
  if (chunk instanceof Uint8Array) return chunk.byteLength;
  if (typeof chunk !== 'string') return 0;
  return Buffer.byteLength(chunk, typeof encoding === 'string' ? (encoding as BufferEncoding) : undefined);
}

/** @param value of the header Content-Length, as the application gave it */
export function announcedLength(value: unknown): number {
  const text = Array.isArray(value) ? value[0] : value;
  const bytes = text === undefined || text === '' ? Number.NaN : Number(text);
  return Number.isSafeInteger(bytes) && bytes >= 0 ? bytes : NOT_ANNOUNCED;
}
