/**
 * Reads codes from a body as it passes, up to a limit, without keeping or delaying it. Only a compressed body is
 * copied (compressed-body.ts), and decompressed at its end.
 */
import { CompressedBody } from './compressed-body';
import {
  type Decompress,
  type Decompressed,
  decompress,
  decompressAtOnce,
  decompressInBackground,
  isIdentity,
} from './decompress';
import type { Found } from './json/code-matches';
import type { CodeScanner } from './json/scanner';
import {
  discardGathered,
  type GatheredReader,
  gather,
  gatherAscii,
  isAdded,
  readGathered,
  SHORT_CHUNK_BYTES,
} from './short-chunks';
import { giveBackScanner, takeScanner } from './spare-scanners';
import { encodeInParts, isTextEncoding, type PartTaker } from './text-parts';

/** What a body held. */
export interface BodyCodes {
  /** Whether it was JSON, as far as it had to be read. */
  readonly isJson: boolean;
  /** For each name asked for, what was found; undefined where nothing was. */
  readonly found: readonly (Found | undefined)[];
}

/** One chunk of a body, as Node's streams take it. */
export type Chunk = string | Uint8Array;

const NOT_JSON: BodyCodes = { isJson: false, found: [] };

/**
 * Once the wanted code stands at the first level, this many bytes more are checked as JSON. Small bodies are checked
 * whole, as the Python package does; the rest of a large one cannot change the result.
 */
const CHECKED_AFTER_MATCH_BYTES = 1024;

export class BodyReader implements GatheredReader, PartTaker {
  private readonly scanner: CodeScanner;
  private compressed: CompressedBody | undefined;
  private bytesRead = 0;
  /** Where reading ends, counted from the start of the text; nearer, once the wanted code is settled. */
  private checkUntil: number;
  /** Whether the text goes on after what is read of it. */
  private isCut = false;
  /** What was found, if the body comes to its end, once no chunk comes any more; the scanner is another body's then. */
  private settled: BodyCodes | undefined;
  private hasEnded = false;
  /** Whether the body is also read by who cannot wait. */
  private isShared = false;
  private wasTriedAtOnce = false;

  /**
   * @param names names and paths to look for, as of {@link CodeScanner}; the first that is found and not empty is the code
   * @param limitBytes how much is read, after decompressing; 0: nothing
   * @param areApart whether one of them counts without those before it: of a body that is cut, what is settled is found
   */
  constructor(
    private readonly names: readonly string[],
    private readonly limitBytes: number,
    private readonly areApart = false,
  ) {
    this.scanner = takeScanner(names);
    this.isCut = limitBytes === 0;
    this.checkUntil = limitBytes;
  }

  /** Whether no further byte can change the result. */
  get isDone(): boolean {
    return this.compressed?.isCut === true || this.settled !== undefined || this.isTextDone;
  }

  private get isTextDone(): boolean {
    return this.isCut || this.scanner.isBroken;
  }

  /** Call before the end where {@link BodyReader.readAtOnce} is called as well, before or after it. */
  share(): void {
    this.isShared = true;
  }

  /** To be called before the first chunk. @param contentEncoding the header's value */
  setEncoding(contentEncoding: string | undefined): void {
    const encoding = contentEncoding?.trim().toLowerCase();
    if (encoding === undefined || isIdentity(encoding)) return;
    this.compressed = new CompressedBody(encoding, this.limitBytes);
  }

  /** Takes the next chunk. A string is taken as UTF-8 unless an encoding says otherwise. */
  push(chunk: Chunk, encoding?: BufferEncoding): void {
    // what has gathered chunks is not done
    if (isAdded(this, chunk) || this.isDone) return;
    if (typeof chunk === 'string') {
      this.pushText(chunk, encoding);
    } else {
      this.pushBytes(chunk);
    }
  }

  /**
   * No chunk comes any more, though it is not known yet whether the body comes to its end. Of one that is not compressed
   * only what was found is kept from here on: of many requests on one connection, the responses wait for the slowest.
   */
  complete(): void {
    if (this.hasEnded || this.compressed !== undefined || this.settled !== undefined) return;
    readGathered(this);
    this.settle();
  }

  /**
   * Ends the body; only the first call counts.
   * @param isWhole false when it broke off
   * @param onCodes called once with what was found: before this returns, or after a compressed body was decompressed
   * @param decompressBody by default in the background
   */
  end(isWhole: boolean, onCodes: (codes: BodyCodes) => void, decompressBody: Decompress = decompress): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    readGathered(this);
    if (this.isShared) this.tryAtOnce();
    if (this.settled === undefined && this.isReadable(this.compressed)) {
      this.unpack(this.compressed, this.wasTriedAtOnce ? decompressInBackground : decompressBody, (outcome) => {
        this.unpacked(outcome);
        onCodes(this.codes(isWhole));
      });
      return;
    }
    if (this.settled === undefined) this.settle();
    onCodes(this.codes(isWhole));
  }

  /**
   * What was found, for who cannot wait: of a compressed body, what can be decompressed at once. It is read once for this
   * and for {@link BodyReader.end}, whichever comes first; what could not be read at once is left to the end.
   * @param isWhole false when the body broke off, or goes on
   */
  readAtOnce(isWhole: boolean): BodyCodes {
    if (isWhole && !this.hasEnded) {
      this.complete();
      this.tryAtOnce();
    }
    if (this.settled !== undefined) return this.codes(isWhole);
    return this.isCut || this.wasTriedAtOnce ? this.codesSoFar() : NOT_JSON;
  }

  /** The body is not wanted any more: in place of {@link BodyReader.end}, after which it does nothing. */
  discard(): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    discardGathered(this);
    this.compressed?.release();
    if (this.settled !== undefined) return;
    const codes = this.isShared ? this.codesSoFar() : NOT_JSON;
    this.giveBack();
    this.settled = codes;
  }

  /** Chunks that were gathered. */
  readGathered(bytes: Uint8Array, length: number): void {
    this.read(bytes, length);
  }

  /** A part of a text that was encoded. */
  takePart(bytes: Uint8Array, length: number): boolean {
    this.pushBytes(bytes, length);
    return !this.isDone;
  }

  private pushText(text: string, encoding: BufferEncoding | undefined): void {
    if (!isTextEncoding(encoding)) {
      this.pushBytes(Buffer.from(text, encoding));
    } else if (!this.isGathered(text.length) || !gatherAscii(this, text, this.gatheredUntilRead())) {
      encodeInParts(text, this);
    }
  }

  private pushBytes(bytes: Uint8Array, length = bytes.length): void {
    if (this.compressed !== undefined) {
      this.compressed.push(bytes, length);
    } else if (this.isGathered(length)) {
      gather(this, bytes, length, this.gatheredUntilRead());
    } else {
      readGathered(this);
      this.read(bytes, length);
    }
  }

  /** Whether a chunk waits for others: not the first one, which mostly is the whole body. */
  private isGathered(length: number): boolean {
    return length < SHORT_CHUNK_BYTES && this.bytesRead > 0 && this.compressed === undefined;
  }

  /** How much may be gathered where the code is known, so that no chunk passes unread that settles the result. */
  private gatheredUntilRead(): number {
    return this.checkUntil - this.bytesRead;
  }

  private read(bytes: Uint8Array, length = bytes.length): void {
    const end = Math.min(length, this.limitBytes - this.bytesRead);
    let at = 0;
    while (at < end && !this.scanner.isBroken) {
      // Read at most this much per step, so that the result does not depend on how the body was chunked.
      const step = Math.min(end - at, this.checkUntil - this.bytesRead, CHECKED_AFTER_MATCH_BYTES);
      if (step === 0) break;
      this.scanner.push(bytes, at, at + step);
      at += step;
      this.bytesRead += step;
      const settledAt = this.settledAt();
      if (settledAt !== undefined) this.checkUntil = settledAt + CHECKED_AFTER_MATCH_BYTES;
    }
    if (at < length) this.isCut = true;
  }

  /**
   * Where the code ends that nothing after it can replace.
   * @returns bytes of the text up to there, however it was chunked; undefined while there is no such code
   */
  private settledAt(): number | undefined {
    let last = 0;
    for (let n = 0; n < this.names.length; n++) {
      const at = this.scanner.settledAt(n);
      if (at === undefined) return undefined;
      last = Math.max(last, at);
      if (this.scanner.found(n)?.text !== '') break;
    }
    return last;
  }

  private isReadable(compressed: CompressedBody | undefined): compressed is CompressedBody {
    return compressed !== undefined && !compressed.isRefused && !this.isTextDone;
  }

  /** Decompresses what can be at once; what is settled then need not be decompressed again. */
  private tryAtOnce(): void {
    if (this.wasTriedAtOnce || this.settled !== undefined || !this.isReadable(this.compressed)) return;
    this.wasTriedAtOnce = true;
    this.unpack(this.compressed, decompressAtOnce, (outcome) => {
      if (outcome === 'whole' || outcome === 'no' || this.isTextDone) this.unpacked(outcome);
    });
  }

  private unpack(body: CompressedBody, decompressBody: Decompress, onDone: (outcome: Decompressed) => void): void {
    const read = (text: Uint8Array) => {
      this.read(text);
      return !this.isTextDone;
    };
    // what was read at once comes again
    body.decompress(decompressBody, this.bytesRead, read, onDone);
  }

  private unpacked(outcome: Decompressed): void {
    this.compressed?.release();
    // if the compressed bytes were cut, what could be decompressed counts as the beginning of a longer body
    if (outcome === 'cut' || (outcome === 'whole' && this.compressed?.isCut === true)) this.isCut = true;
    this.settle(outcome === 'whole');
  }

  /** What was found in the end. */
  private codes(isWhole: boolean): BodyCodes {
    return (isWhole || this.isCut) && this.settled !== undefined ? this.settled : NOT_JSON;
  }

  /** What was found, if nothing more is read. */
  private codesSoFar(): BodyCodes {
    if (this.scanner.isBroken) return NOT_JSON;
    if (this.settledAt() !== undefined) return { isJson: true, found: this.found() };
    if (!this.areApart || !this.isCut) return NOT_JSON;
    const found = this.found().map((each) => (each?.depth === 1 ? each : undefined));
    return found.some((each) => each !== undefined) ? { isJson: true, found } : NOT_JSON;
  }

  /** No more of the text is read. @param isWhole whether this is its end, where it is not cut */
  private settle(isWhole = true): void {
    const { isCut } = this;
    let codes = NOT_JSON;
    if (isCut) codes = this.codesSoFar();
    else if (isWhole && this.scanner.finish()) codes = { isJson: true, found: this.found() };
    this.giveBack();
    this.settled = codes;
    this.isCut = isCut;
  }

  private found(): readonly (Found | undefined)[] {
    // of the right size at once: pushing to an empty array allocates room for seventeen
    const found = new Array<Found | undefined>(this.names.length);
    for (let n = 0; n < found.length; n++) found[n] = this.scanner.found(n);
    return found;
  }

  /** Hands the scanner on to a later body; nothing more is read. */
  private giveBack(): void {
    this.isCut = true;
    giveBackScanner(this.scanner, this.names);
  }
}
