/**
 * The frames of a streamed body: a byte of flags, four bytes of length, and the content. Only the content of the last one
 * is wanted; nothing is kept of the others, and no length that a peer names takes any memory.
 */

const HEAD_BYTES = 5;
const COMPRESSED = 0x01;

/** Its methods must not throw. */
export interface LastFrame {
  begin(isCompressed: boolean): void;
  content(bytes: Uint8Array, start: number, end: number): void;
}

export class Frames {
  private headBytes = 0;
  private flags = 0;
  /** Bytes of the content under way that are still to come. */
  private left = 0;
  private isLast = false;
  private hasEnded = false;

  /** @param lastFlag the flag of the frame that ends the body */
  constructor(
    private readonly lastFlag: number,
    private readonly taker: LastFrame,
  ) {}

  /** Whether the last frame has passed to its end; what follows it is not read. */
  get isWhole(): boolean {
    return this.hasEnded;
  }

  push(bytes: Uint8Array, length: number): void {
    let at = 0;
    while (at < length && !this.hasEnded) {
      if (this.headBytes < HEAD_BYTES) {
        this.takeHead(bytes[at++] as number);
        continue;
      }
      const end = at + Math.min(this.left, length - at);
      if (this.isLast) this.taker.content(bytes, at, end);
      this.left -= end - at;
      at = end;
      if (this.left === 0) this.endFrame();
    }
  }

  private takeHead(byte: number): void {
    if (this.headBytes === 0) this.flags = byte;
    else this.left = this.left * 256 + byte;
    if (++this.headBytes < HEAD_BYTES) return;
    this.isLast = (this.flags & this.lastFlag) !== 0;
    if (this.isLast) this.taker.begin((this.flags & COMPRESSED) !== 0);
    if (this.left === 0) this.endFrame();
  }

  private endFrame(): void {
    this.headBytes = 0;
    this.hasEnded = this.isLast;
  }
}
