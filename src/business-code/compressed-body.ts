/**
 * A body that arrives compressed: what is kept of it, and its text, as often as it is asked for. What the text holds is
 * for the reader.
 */
import type { Decompress, Decompressed } from './decompress';
import { KeptBytes } from './kept-bytes';

export class CompressedBody {
  private readonly kept: KeptBytes;
  /** Whether the body goes on after what is kept of it. */
  private isKeptCut = false;

  /**
   * @param encoding in lower case, as of `Content-Encoding`
   * @param limitBytes the most that is kept
   */
  constructor(
    private readonly encoding: string,
    limitBytes: number,
  ) {
    this.kept = new KeptBytes(limitBytes);
  }

  /** Whether the body goes on after what is kept of it. */
  get isCut(): boolean {
    return this.isKeptCut;
  }

  /** Whether there was no memory for it, and it has no text. */
  get isRefused(): boolean {
    return this.kept.isRefused;
  }

  push(bytes: Uint8Array, length: number): void {
    this.isKeptCut = !this.kept.push(bytes, length);
  }

  /**
   * Gives its text.
   * @param readBytes of the text, which were read before and are left out
   * @param read called with each further chunk; returns whether more is wanted
   * @param onDone called once: how far it could be decompressed
   */
  decompress(
    decompressBody: Decompress,
    readBytes: number,
    read: (text: Uint8Array) => boolean,
    onDone: (outcome: Decompressed) => void,
  ): void {
    let again = readBytes;
    const onBytes = (bytes: Uint8Array) => {
      const known = Math.min(again, bytes.length);
      again -= known;
      return read(known === 0 ? bytes : bytes.subarray(known));
    };
    decompressBody(this.encoding, this.kept.bytes(), onBytes, onDone);
  }

  /** Gives the memory back; it has no text any more. */
  release(): void {
    this.kept.release();
  }
}
