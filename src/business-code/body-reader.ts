/**
 * Reads codes from a body as it passes, up to a limit, without keeping or delaying it. Only a compressed body is
 * copied, and decompressed at its end.
 */
import { type Decompress, decompress, isIdentity } from './decompress';
import type { Found } from './json/code-matches';
import { CodeScanner } from './json/scanner';
import { KeptBytes } from './kept-bytes';
import {
  discardGathered,
  type GatheredReader,
  gather,
  gatherAscii,
  isAdded,
  readGathered,
  SHORT_CHUNK_BYTES,
} from './short-chunks';

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

/** Scanners kept for later bodies: creating one takes a kilobyte in a dozen objects. */
const MAX_SPARE_SCANNERS = 16;
/** By the list of names they look for; there are a few such lists, all constant. */
const spareScanners = new Map<readonly string[], CodeScanner[]>();

/** Text is encoded in parts of so many UTF-16 code units into one buffer; a code unit takes at most three bytes. */
const SHORT_TEXT_CHARACTERS = 1024;
const shortText = new Uint8Array(3 * SHORT_TEXT_CHARACTERS);
const encoder = new TextEncoder();

export class BodyReader implements GatheredReader {
  private readonly scanner: CodeScanner;
  private encoding: string | undefined;
  private compressed: KeptBytes | undefined;
  private bytesRead = 0;
  /** Where reading ends, counted from the start of the text; nearer, once the wanted code is settled. */
  private checkUntil: number;
  private isCut = false;
  /** What was found, once no chunk comes any more; the scanner is another body's then. */
  private settled: BodyCodes | undefined;
  private hasEnded = false;

  /**
   * @param names keys to look for, normalised; the first that is found and not empty is the code
   * @param limitBytes how much is read, after decompressing; 0: nothing
   */
  constructor(
    private readonly names: readonly string[],
    private readonly limitBytes: number,
  ) {
    this.scanner = spareScanners.get(names)?.pop() ?? new CodeScanner(names);
    this.isCut = limitBytes === 0;
    this.checkUntil = limitBytes;
  }

  /** Whether no further byte can change the result. */
  get isDone(): boolean {
    return this.isCut || this.settled !== undefined || this.scanner.isBroken;
  }

  /** To be called before the first chunk. @param contentEncoding the header's value */
  setEncoding(contentEncoding: string | undefined): void {
    const encoding = contentEncoding?.trim().toLowerCase();
    if (isIdentity(encoding)) return;
    this.encoding = encoding;
    this.compressed = new KeptBytes(this.limitBytes);
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
    // of a body that was cut, the end does not matter
    const isWhole = !this.isCut;
    this.settled = this.codes(isWhole);
    this.isCut = !isWhole;
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
    const { compressed, settled } = this;
    if (settled !== undefined) {
      onCodes(isWhole || this.isCut ? settled : NOT_JSON);
      return;
    }
    if (compressed === undefined || compressed.isRefused || this.encoding === undefined) {
      onCodes(this.codes(isWhole));
      return;
    }
    const wasCut = this.isCut;
    this.isCut = false;
    decompressBody(
      this.encoding,
      compressed.bytes(),
      (bytes) => {
        this.read(bytes);
        return !this.isDone;
      },
      (outcome) => {
        compressed.release();
        // if the compressed bytes were cut, what could be decompressed counts as the beginning of a longer body
        if (outcome === 'cut' || (outcome === 'whole' && wasCut)) this.isCut = true;
        onCodes(this.codes(isWhole && outcome === 'whole'));
      },
    );
  }

  /** The body is not wanted any more: in place of {@link BodyReader.end}, after which it does nothing. */
  discard(): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    discardGathered(this);
    this.compressed?.release();
    if (this.settled === undefined) this.giveBack();
  }

  /** Chunks that were gathered. */
  readGathered(bytes: Uint8Array, length: number): void {
    this.read(bytes, length);
  }

  private pushText(text: string, encoding: BufferEncoding | undefined): void {
    if (!isTextEncoding(encoding)) {
      this.pushBytes(Buffer.from(text, encoding));
    } else if (!this.isGathered(text.length) || !gatherAscii(this, text, this.gatheredUntilRead())) {
      // in parts: once the code was found, the rest of a long text is not read and need not be encoded
      for (let at = 0; at < text.length && !this.isDone; ) {
        const end = partEnd(text, at);
        const part = end - at === text.length ? text : text.slice(at, end);
        this.pushBytes(shortText, encoder.encodeInto(part, shortText).written);
        at = end;
      }
    }
  }

  private pushBytes(bytes: Uint8Array, length = bytes.length): void {
    if (this.compressed !== undefined) {
      this.isCut = !this.compressed.push(bytes, length);
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

  private codes(isWhole: boolean): BodyCodes {
    const isComplete = isWhole && !this.isCut;
    const isJson = isComplete
      ? this.scanner.finish()
      : this.isCut && !this.scanner.isBroken && this.settledAt() !== undefined;
    const codes = isJson ? { isJson, found: this.found() } : NOT_JSON;
    this.giveBack();
    return codes;
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
    this.scanner.reset();
    const spare = spareScanners.get(this.names);
    if (spare === undefined) spareScanners.set(this.names, [this.scanner]);
    else if (spare.length < MAX_SPARE_SCANNERS) spare.push(this.scanner);
  }
}

/** Where the part of a text ends that is encoded next: not within a character of two code units. */
function partEnd(text: string, start: number): number {
  const end = Math.min(start + SHORT_TEXT_CHARACTERS, text.length);
  const last = text.charCodeAt(end - 1);
  return end < text.length && last >= 0xd800 && last <= 0xdbff ? end - 1 : end;
}

function isTextEncoding(encoding: BufferEncoding | undefined): boolean {
  return encoding === undefined || encoding === 'utf8' || encoding === 'utf-8';
}
