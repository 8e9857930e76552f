/**
 * Reads codes from a body that passes by: what a sender or receiver is shown byte for byte is shown here too, up to
 * the bound, and is neither kept nor delayed. Only a compressed body is copied, to be decompressed at its end.
 */
import { type Decompress, decompress, isIdentity } from './decompress';
import { CodeScanner, type Found } from './json/scanner';

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
 * whole, as the original does; the rest of a large one can change nothing and is not worth its time.
 */
const CHECKED_BEHIND_MATCH_BYTES = 1024;

/** Scanners kept for the next bodies; a new one for each body is half a kilobyte in six objects. */
const MAX_SPARE_SCANNERS = 16;
/** By the list of names that they look for, of which there are a few constant ones. */
const spareScanners = new Map<readonly string[], CodeScanner[]>();

/** Text is encoded by so many code units, where the last chunk was; none of them takes more than three bytes. */
const SHORT_TEXT_CHARACTERS = 1024;
const shortText = new Uint8Array(3 * SHORT_TEXT_CHARACTERS);
const encoder = new TextEncoder();

export class BodyReader {
  private readonly scanner: CodeScanner;
  private encoding: string | undefined;
  private compressed: Uint8Array[] | undefined;
  private bytesRead = 0;
  /** Where reading ends, counted from the start of the text; nearer, once the wanted code is settled. */
  private checkUntil: number;
  private isCut = false;
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
    this.scanner.reset();
    this.isCut = limitBytes === 0;
    this.checkUntil = limitBytes;
  }

  /** Whether no further byte can change the result. */
  get isDone(): boolean {
    return this.isCut || this.scanner.isBroken;
  }

  /** Says how the body is compressed, before its first byte. @param contentEncoding as in the header */
  setEncoding(contentEncoding: string | undefined): void {
    const encoding = contentEncoding?.trim().toLowerCase();
    if (isIdentity(encoding)) return;
    this.encoding = encoding;
    this.compressed = [];
  }

  /** Takes the next chunk. A string is taken as UTF-8 unless an encoding says otherwise. */
  push(chunk: Chunk, encoding?: BufferEncoding): void {
    if (this.isDone) return;
    if (typeof chunk === 'string') {
      this.pushText(chunk, encoding);
    } else {
      this.pushBytes(chunk);
    }
  }

  /**
   * Ends the body; only the first call counts.
   * @param isWhole false when it broke off
   * @param onCodes called once with what was found: at once, or for a compressed body when it has been decompressed
   * @param decompressBody in the background, when it is left out
   */
  end(isWhole: boolean, onCodes: (codes: BodyCodes) => void, decompressBody: Decompress = decompress): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    if (this.compressed === undefined || this.encoding === undefined) {
      onCodes(this.codes(isWhole));
      return;
    }
    const compressed = Buffer.concat(this.compressed);
    this.compressed = undefined;
    const wasCut = this.isCut;
    this.isCut = false;
    this.bytesRead = 0;
    decompressBody(
      this.encoding,
      compressed,
      (bytes) => {
        this.read(bytes);
        return !this.isDone;
      },
      (outcome) => {
        // of a body whose compressed bytes were cut, what could be decompressed is read like the first bytes of a plain one
        if (outcome === 'cut' || (outcome === 'whole' && wasCut)) this.isCut = true;
        onCodes(this.codes(isWhole && outcome === 'whole'));
      },
    );
  }

  private pushText(text: string, encoding: BufferEncoding | undefined): void {
    if (!isTextEncoding(encoding)) {
      this.pushBytes(Buffer.from(text, encoding));
    } else {
      // in chunks, as mostly all but the first of a long text need not be read, nor so encoded
      for (let at = 0; at < text.length && !this.isDone; ) {
        const end = chunkEnd(text, at);
        const chunk = end - at === text.length ? text : text.slice(at, end);
        this.pushBytes(shortText, encoder.encodeInto(chunk, shortText).written);
        at = end;
      }
    }
  }

  private pushBytes(bytes: Uint8Array, length = bytes.length): void {
    if (this.compressed === undefined) {
      this.read(bytes, length);
      return;
    }
    // a copy: the application may use its buffer again before this one is decompressed
    const taken = Math.min(length, this.limitBytes - this.bytesRead);
    this.compressed.push(Uint8Array.prototype.slice.call(bytes, 0, taken));
    this.bytesRead += taken;
    this.isCut = taken < length;
  }

  private read(bytes: Uint8Array, length = bytes.length): void {
    const end = Math.min(length, this.limitBytes - this.bytesRead);
    let at = 0;
    while (at < end && !this.scanner.isBroken) {
      // steps no longer than what is checked behind a match, so that where the match lay in a step does not matter
      const step = Math.min(end - at, this.checkUntil - this.bytesRead, CHECKED_BEHIND_MATCH_BYTES);
      if (step === 0) break;
      this.scanner.push(bytes, at, at + step);
      at += step;
      this.bytesRead += step;
      const settledAt = this.settledAt();
      if (settledAt !== undefined) this.checkUntil = settledAt + CHECKED_BEHIND_MATCH_BYTES;
    }
    if (at < length) this.isCut = true;
  }

  /**
   * Where the code was found that nothing behind can replace: a place in the text, not in the chunks it came in.
   * @returns bytes of the text up to its end; undefined while there is none
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
    // an array that is pushed to has room for seventeen
    const found = new Array<Found | undefined>(this.names.length);
    for (let n = 0; n < found.length; n++) found[n] = this.scanner.found(n);
    return found;
  }

  /** Nothing is read from now on. */
  private giveBack(): void {
    this.isCut = true;
    const spare = spareScanners.get(this.names);
    if (spare === undefined) spareScanners.set(this.names, [this.scanner]);
    else if (spare.length < MAX_SPARE_SCANNERS) spare.push(this.scanner);
  }
}

/** Where a chunk of a text ends that is encoded by itself: not within a character of two code units. */
function chunkEnd(text: string, start: number): number {
  const end = Math.min(start + SHORT_TEXT_CHARACTERS, text.length);
  const last = text.charCodeAt(end - 1);
  return end < text.length && last >= 0xd800 && last <= 0xdbff ? end - 1 : end;
}

function isTextEncoding(encoding: BufferEncoding | undefined): boolean {
  return encoding === undefined || encoding === 'utf8' || encoding === 'utf-8';
}
