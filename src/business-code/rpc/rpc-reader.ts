/**
 * Reads the status of a remote method's answer from where its protocol puts it (kind.ts). Messages are not read: no byte of
 * them is scanned or kept.
 */
import { type BodyCodes, BodyReader, type Chunk } from '../body-reader';
import type { AnswerHead, CodeReader } from '../code-reader';
import { isIdentity } from '../decompress';
import { encodeInParts, isTextEncoding, type PartTaker } from '../text-parts';
import { Base64 } from './base64';
import { Frames, type LastFrame } from './frames';
import { type RpcKind, rpcKindOf } from './kind';
import { grpcStatusOf, OK, StatusLines, UNIMPLEMENTED, UNIMPLEMENTED_WORD } from './status';

/** What an answer says of its method: that it is there and has succeeded, that it is there, or neither. */
export type RpcOutcome = 'ok' | 'failed' | 'unknown';

/** Flags of the frame that ends a body. */
const WEB_TRAILERS = 0x80;
const CONNECT_END = 0x02;

const NO_STATUS: BodyCodes = { isJson: false, found: [] };

/**
 * @param head of an answer, as far as it has been sent or received
 * @param names as for {@link BodyReader}; a status is found under the first of them
 * @param limitBytes how much of a body is read; 0: nothing
 * @returns undefined where it is not the answer of a remote method, or one in plain JSON
 */
export function rpcReaderOf(head: AnswerHead, names: readonly string[], limitBytes: number): RpcReader | undefined {
  const kind = rpcKindOf(head.header('content-type'));
  return kind && new RpcReader(kind, head, names, limitBytes);
}

export class RpcReader implements CodeReader, LastFrame, PartTaker {
  private readonly frames: Frames | undefined;
  private readonly base64: Base64 | undefined;
  private readonly lines = new StatusLines();
  /** Of Connect, the last message; it is JSON. */
  private json: BodyReader | undefined;
  private isShared = false;
  /** Whether the frames cannot be told, or their end cannot. */
  private isUnreadable: boolean;
  private hasEnded = false;
  private found: RpcOutcome = 'unknown';

  constructor(
    private readonly kind: RpcKind,
    private readonly head: AnswerHead,
    private readonly names: readonly string[],
    private readonly limitBytes: number,
  ) {
    this.isUnreadable = limitBytes === 0;
    if (kind === 'grpc-web-text') this.base64 = new Base64();
    if (kind === 'connect') this.frames = new Frames(CONNECT_END, this);
    else if (kind !== 'grpc' && kind !== 'proto') this.frames = new Frames(WEB_TRAILERS, this);
  }

  /** What the answer says of its method, once its end has been read. */
  get outcome(): RpcOutcome {
    return this.found;
  }

  /** Whether the frame that ends the body has passed: whoever has it may leave before the body itself ends. */
  get isAnswered(): boolean {
    return this.frames?.isWhole === true;
  }

  get isDone(): boolean {
    return this.frames !== undefined && (this.isUnreadable || this.frames.isWhole);
  }

  share(): void {
    this.isShared = true;
    this.json?.share();
  }

  /** Of the whole body: nothing is decompressed to find the last frame, as the messages before it may be of any length. */
  setEncoding(contentEncoding: string | undefined): void {
    if (!isIdentity(contentEncoding?.trim().toLowerCase())) this.isUnreadable = true;
  }

  push(chunk: Chunk, encoding?: BufferEncoding): void {
    if (this.frames === undefined || this.isDone || this.hasEnded) return;
    if (typeof chunk !== 'string') this.pushBytes(chunk, chunk.length);
    else if (isTextEncoding(encoding)) encodeInParts(chunk, this);
    else this.pushBytes(Buffer.from(chunk, encoding));
  }

  /** A part of a text that was encoded. */
  takePart(bytes: Uint8Array, length: number): boolean {
    this.pushBytes(bytes, length);
    return !this.isDone;
  }

  private pushBytes(bytes: Uint8Array, length = bytes.length): void {
    if (this.base64 === undefined) {
      this.frames?.push(bytes, length);
      return;
    }
    this.base64.push(bytes, length, (decoded, decodedLength) => this.frames?.push(decoded, decodedLength));
    if (this.base64.isBroken) this.isUnreadable = true;
  }

  /** The frame that ends the body. */
  begin(isCompressed: boolean): void {
    if (this.kind === 'connect') {
      this.json = new BodyReader(this.names, this.limitBytes);
      if (this.isShared) this.json.share();
      if (isCompressed) this.json.setEncoding(this.head.header('connect-content-encoding'));
    } else if (isCompressed) {
      this.isUnreadable = true;
    }
  }

  content(bytes: Uint8Array, start: number, end: number): void {
    if (this.json === undefined) this.lines.push(bytes, start, end);
    else this.json.push(start === 0 && end === bytes.length ? bytes : bytes.subarray(start, end));
  }

  complete(): void {
    this.json?.complete();
  }

  end(isWhole: boolean, onCodes: (codes: BodyCodes) => void): void {
    if (this.hasEnded) return;
    this.hasEnded = true;
    if (this.json === undefined) onCodes(this.codes(isWhole));
    else this.json.end(this.hasLastFrame, (codes) => onCodes(this.connectCodes(codes)));
  }

  readAtOnce(isWhole: boolean): BodyCodes {
    if (this.json === undefined) return this.codes(isWhole);
    return this.connectCodes(this.json.readAtOnce(this.hasLastFrame));
  }

  discard(): void {
    this.hasEnded = true;
    this.json?.discard();
  }

  private get hasLastFrame(): boolean {
    return this.isAnswered && !this.isUnreadable;
  }

  /** Of all kinds that have numbers. */
  private codes(isWhole: boolean): BodyCodes {
    const status = this.status();
    if (status === undefined) {
      // without a status of its own the HTTP status counts, which the caller has
      if (this.kind === 'proto' && isWhole) this.found = 'ok';
      return NO_STATUS;
    }
    if (status === OK) this.found = 'ok';
    else if (status !== UNIMPLEMENTED) this.found = 'failed';
    return { isJson: true, found: this.names.map((_, n) => (n === 0 ? codeOf(status) : undefined)) };
  }

  private status(): string | undefined {
    switch (this.kind) {
      case 'grpc':
        return grpcStatusOf(this.head.trailer?.('grpc-status')) ?? this.statusOfHead();
      case 'grpc-web':
      case 'grpc-web-text':
        if (!this.hasLastFrame) return this.statusOfHead();
        this.lines.endLine();
        return this.lines.status;
      default:
        return undefined;
    }
  }

  /** An answer without messages may have its trailers in its head. */
  private statusOfHead(): string | undefined {
    return grpcStatusOf(this.head.header('grpc-status'));
  }

  /** A message without an error has no code, as the JSON answer of a unary method has none. */
  private connectCodes(codes: BodyCodes): BodyCodes {
    if (!codes.isJson) return NO_STATUS;
    const code = codes.found.find((each) => each !== undefined)?.text;
    if (code === undefined) this.found = 'ok';
    else if (code !== UNIMPLEMENTED_WORD) this.found = 'failed';
    // it stands where the protocol puts it: no setting takes it for data
    return { isJson: true, found: codes.found.map((each) => each && { ...each, depth: 1 }) };
  }
}

function codeOf(text: string) {
  return { text, kind: 'string', depth: 1 } as const;
}
