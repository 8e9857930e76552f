/** The status of a gRPC method, wherever it stands. */

/** The method is not there, or not done yet. @see https://grpc.io/docs/guides/status-codes/ */
export const UNIMPLEMENTED = '12';
/** The same in Connect, which has words. @see https://connectrpc.com/docs/protocol#error-codes */
export const UNIMPLEMENTED_WORD = 'unimplemented';
export const OK = '0';

/** 0 to 16 are defined; whoever has further ones has few digits. */
const STATUS = /^\d{1,10}$/;
const STATUS_LINE = /^grpc-status:[ \t]*(\d{1,10})[ \t]*\r?$/i;
/** Of a line, so much is looked at: the one that is wanted has a quarter of that. */
const LINE_CHARACTERS = 64;
const LINE_FEED = 0x0a;

/**
 * @param value of the header or trailer `grpc-status`, as the application or the peer gave it
 * @returns undefined where it is none
 */
export function grpcStatusOf(value: unknown): string | undefined {
  if (value === undefined || value === null) return undefined;
  const text = String(Array.isArray(value) ? value[0] : value).trim();
  return STATUS.test(text) ? text : undefined;
}

/** Finds the status in trailers that are written as lines, as they pass: of no line more is kept than its beginning. */
export class StatusLines {
  /** The first that was found. */
  status: string | undefined;
  private line = '';

  push(bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    while (at < end && this.status === undefined) {
      const feed = bytes.indexOf(LINE_FEED, at);
      const hasEnd = feed >= 0 && feed < end;
      const stop = hasEnd ? feed : end;
      const room = LINE_CHARACTERS - this.line.length;
      if (room > 0) this.line += textOf(bytes, at, Math.min(stop, at + room));
      if (hasEnd) this.endLine();
      at = stop + 1;
    }
  }

  /** Ends the line that is under way; the last one may have no line feed. */
  endLine(): void {
    this.status ??= STATUS_LINE.exec(this.line)?.[1];
    this.line = '';
  }
}

function textOf(bytes: Uint8Array, start: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
}
