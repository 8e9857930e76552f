/**
 * The messages between hub and members: frames of a length and JSON, every field checked.
 *
 *   member                       hub
 *   hello ───────────────────▶
 *         ◀─────────────────── welcome, or refused
 *   batch n ─────────────────▶             (n counts from 1 in the life of the member)
 *   batch n+1 ───────────────▶             (ahead of the ack; outbox.ts has the bounds)
 *         ◀─────────────────── ack n
 *         ◀─────────────────── ack n+1
 *         ◀─────────────────── collect id  (at each scrape)
 *   batch n+2 ───────────────▶
 *         ◀─────────────────── ack n+2
 *   collected id ────────────▶             (every batch before it is acknowledged; with a reading of the process)
 *         ◀─────────────────── legacy, totals, …  (last of all, of a hub that ends by itself: legacy-messages.ts)
 *   legacy, totals, … ───────▶             (first of all, to the next hub)
 *   batch n+3, the last ─────▶             (the process ends by itself; one that is killed sends none)
 *
 * Neither side trusts the other: a frame that is too long, is not JSON or is none of these messages throws a
 * {@link ProtocolError}, and the connection is closed.
 */
import type { Deltas } from '../metrics/deltas';
import { parseSyscode } from '../views/metric-names';
import { isDeltas } from './batches';
import { LEGACY_CHECKS, type LegacyMessage } from './legacy-messages';
import { MAX_PROGRAM_CHARACTERS } from './program';

/** Raised when a message changes its meaning; hub and member must agree on it. */
export const PROTOCOL_VERSION = 2;
/** Longest frame. Batches are far smaller (batches.ts). */
export const MAX_FRAME_BYTES = 1024 * 1024;
const LENGTH_BYTES = 4;
const MAX_ID_CHARACTERS = 64;
/** A version of the package: it is logged as it comes. */
const RELEASE = /^[0-9A-Za-z.+-]{1,50}$/;

/** Why a hub refuses a member. */
export const REFUSALS = ['syscode', 'version', 'full'] as const;
export type Refusal = (typeof REFUSALS)[number];

export const SCRAPE_FORMATS = ['text', 'openmetrics'] as const;
/** Headers that a scrape may have. */
const SCRAPE_HEADERS: ReadonlySet<string> = new Set(['Content-Type', 'Content-Encoding']);
const HEADER_VALUE = /^[\x20-\x7e]{1,200}$/;
const MAX_REASON_CHARACTERS = 256;
/** Of a host name. @see RFC 1035, section 2.3.4 */
const MAX_HOST_CHARACTERS = 255;

export interface Hello {
  readonly type: 'hello';
  readonly version: number;
  readonly syscode: string;
  /** A random identifier of the process or thread, for its life. */
  readonly member: string;
  readonly pid: number;
  readonly isThread: boolean;
  /** Process that started this one; not sent by every version. */
  readonly parent?: number;
  /** Program that it belongs to; absent where it is not known; not sent by every version. */
  readonly program?: string;
}

/** In place of a hello: the scrape, over a connection that is for this alone (scrape-exchange.ts). */
export interface ScrapeRequest {
  readonly type: 'scrape';
  readonly version: number;
  readonly syscode: string;
  readonly form: { readonly format: (typeof SCRAPE_FORMATS)[number]; readonly isCompressed: boolean };
}

/**
 * In place of a hello, over a connection that is for this alone: a server is about to bind the port, and waits until the hub
 * has let go of it (port-release.ts).
 */
export interface ReleaseRequest {
  readonly type: 'release';
  readonly version: number;
  readonly syscode: string;
  readonly pid: number;
  readonly port: number;
  /** Absent: all addresses. */
  readonly host?: string;
}

export type MemberMessage =
  | Hello
  | ScrapeRequest
  | ReleaseRequest
  | {
      readonly type: 'batch';
      readonly number: number;
      readonly deltas: Deltas;
      /** Whether the process takes leave: it ends, and has handed over everything. Empty deltas where nothing was left. */
      readonly isLast?: boolean;
    }
  | LegacyMessage
  | {
      readonly type: 'collected';
      readonly id: number;
      /** What the process says of itself, since it began; not sent by every version, by threads, or where it is off. */
      readonly reading?: Deltas;
    };

export interface Refused {
  readonly type: 'refused';
  readonly reason: Refusal;
  /** Of the hub's service. */
  readonly syscode: string;
  readonly pid: number;
  /** Version of the protocol that the hub speaks; not sent by every version. */
  readonly version?: number;
  /** Version of the package that the hub has; not sent by every version. */
  readonly release?: string;
}

export type HubMessage =
  | { readonly type: 'welcome'; readonly pid: number }
  | Refused
  | { readonly type: 'ack'; readonly number: number }
  | { readonly type: 'collect'; readonly id: number }
  | { readonly type: 'released' }
  | LegacyMessage
  | {
      readonly type: 'scraped';
      readonly headers: Readonly<Record<string, string>>;
      /** What follows the message. */
      readonly bytes: number;
    }
  | { readonly type: 'unscraped'; readonly reason: string };

/** The peer sent something that is none of the messages above. */
export class ProtocolError extends Error {
  override readonly name = 'ProtocolError';
}

/** @returns one frame: the length in four bytes, big-endian, and the message as JSON */
export function encodeFrame(message: MemberMessage | HubMessage): Buffer {
  const body = Buffer.from(JSON.stringify(message));
  const frame = Buffer.allocUnsafe(LENGTH_BYTES + body.length);
  frame.writeUInt32BE(body.length);
  body.copy(frame, LENGTH_BYTES);
  return frame;
}

/** Reads frames from bytes that arrive in chunks of any size; buffers one frame and one chunk at most. */
export class FrameDecoder {
  /** Longer frames are refused; may be changed between two frames. */
  maxFrameBytes: number;

  private chunks: Buffer[] = [];
  private held = 0;

  constructor(maxFrameBytes = MAX_FRAME_BYTES) {
    this.maxFrameBytes = maxFrameBytes;
  }

  /**
   * Yields the parsed value of each frame that is complete.
   * @throws {ProtocolError} for a frame that is too long or not JSON
   */
  *push(bytes: Buffer): Generator<unknown> {
    this.chunks.push(bytes);
    this.held += bytes.length;
    for (;;) {
      const length = this.frameLength();
      if (length === undefined || this.held < LENGTH_BYTES + length) return;
      const all = this.joined();
      const rest = all.subarray(LENGTH_BYTES + length);
      this.chunks = rest.length === 0 ? [] : [rest];
      this.held = rest.length;
      yield parseJson(all.toString('utf8', LENGTH_BYTES, LENGTH_BYTES + length));
    }
  }

  private frameLength(): number | undefined {
    if (this.held < LENGTH_BYTES) return undefined;
    const [first] = this.chunks;
    const head = first !== undefined && first.length >= LENGTH_BYTES ? first : this.joined();
    const length = head.readUInt32BE();
    if (length === 0 || length > this.maxFrameBytes) throw new ProtocolError(`a frame of ${length} bytes`);
    return length;
  }

  private joined(): Buffer {
    const all = this.chunks.length === 1 ? (this.chunks[0] as Buffer) : Buffer.concat(this.chunks);
    this.chunks = [all];
    return all;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new ProtocolError('a frame that is not JSON');
  }
}

type Fields = Readonly<Record<string, unknown>>;

/** One checker per message of a member. */
const MEMBER_MESSAGES: Readonly<Record<MemberMessage['type'], (fields: Fields) => boolean>> = {
  hello: ({ version, syscode, member, pid, isThread, parent, program }) =>
    isCount(version) &&
    isSyscode(syscode) &&
    typeof member === 'string' &&
    member.length > 0 &&
    member.length <= MAX_ID_CHARACTERS &&
    isCount(pid) &&
    typeof isThread === 'boolean' &&
    (parent === undefined || isCount(parent)) &&
    (program === undefined || (typeof program === 'string' && program.length <= MAX_PROGRAM_CHARACTERS)),
  release: ({ version, syscode, pid, port, host }) =>
    isCount(version) &&
    isSyscode(syscode) &&
    isCount(pid) &&
    isCount(port) &&
    (host === undefined || (typeof host === 'string' && host.length <= MAX_HOST_CHARACTERS)),
  scrape: ({ version, syscode, form }) => isCount(version) && isSyscode(syscode) && isForm(form),
  batch: ({ number, deltas, isLast }) =>
    isCount(number) && number > 0 && isDeltas(deltas) && (isLast === undefined || typeof isLast === 'boolean'),
  ...LEGACY_CHECKS,
  collected: ({ id, reading }) => isCount(id) && (reading === undefined || isDeltas(reading)),
};

/** One checker per message of a hub. */
const HUB_MESSAGES: Readonly<Record<HubMessage['type'], (fields: Fields) => boolean>> = {
  welcome: ({ pid }) => isCount(pid),
  refused: ({ reason, syscode, pid, version, release }) =>
    REFUSALS.includes(reason as Refusal) &&
    isSyscode(syscode) &&
    isCount(pid) &&
    (version === undefined || isCount(version)) &&
    (release === undefined || (typeof release === 'string' && RELEASE.test(release))),
  ack: ({ number }) => isCount(number),
  collect: ({ id }) => isCount(id),
  released: () => true,
  ...LEGACY_CHECKS,
  scraped: ({ headers, bytes }) => isScrapeHeaders(headers) && isCount(bytes),
  unscraped: ({ reason }) => typeof reason === 'string' && reason.length <= MAX_REASON_CHARACTERS,
};

/** @throws {ProtocolError} when the value is not a message of a member */
export function memberMessage(value: unknown): MemberMessage {
  return checked(value, MEMBER_MESSAGES) as MemberMessage;
}

/** @throws {ProtocolError} when the value is not a message of a hub */
export function hubMessage(value: unknown): HubMessage {
  return checked(value, HUB_MESSAGES) as HubMessage;
}

function checked(value: unknown, messages: Readonly<Record<string, (fields: Fields) => boolean>>): unknown {
  if (typeof value !== 'object' || value === null) throw new ProtocolError('a frame that is not an object');
  const fields = value as Fields;
  const type = typeof fields.type === 'string' && Object.hasOwn(messages, fields.type) ? fields.type : undefined;
  if (type === undefined) throw new ProtocolError('a message of no known type');
  if (!messages[type]?.(fields)) throw new ProtocolError(`a message ${type} with malformed fields`);
  return value;
}

function isSyscode(value: unknown): boolean {
  return typeof value === 'string' && parseSyscode(value) === value;
}

function isForm(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  const { format, isCompressed } = value as Fields;
  return SCRAPE_FORMATS.includes(format as (typeof SCRAPE_FORMATS)[number]) && typeof isCompressed === 'boolean';
}

function isScrapeHeaders(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).every(
    ([name, text]) => SCRAPE_HEADERS.has(name) && typeof text === 'string' && HEADER_VALUE.test(text),
  );
}

/** A non-negative integer. */
export function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
