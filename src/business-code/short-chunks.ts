/**
 * Gathers the short chunks of a body, so that whoever sends it byte by byte costs the readers little more than if it came
 * at once. A connection's chunks are read from the system many at a time, and pass one after the other: so one buffer
 * serves all bodies, and what one has gathered is read when it is full, or when another's chunk comes.
 */

/** What reads a body. */
export interface GatheredReader {
  /** Takes the next bytes of the body, which are overwritten later. */
  readGathered(bytes: Uint8Array, length: number): void;
}

/** Longer chunks are not worth a copy. */
export const SHORT_CHUNK_BYTES = 512;
const GATHERED_BYTES = 4096;
/** Fewer bytes are copied one by one: quicker than a call. */
const COPIED_BY_BYTE = 32;

const gathered = new Uint8Array(GATHERED_BYTES);
let gatheredLength = 0;
/** When so many are gathered, they are read. */
let dueLength = 0;
/** Whose the bytes are. It is held here no longer than until its body ends, or another's short chunk comes. */
let owner: GatheredReader | undefined;

/**
 * Adds a chunk to those that are gathered of the same body: all that most of the chunks cost that are a byte or two.
 * @returns false where none are, or the chunk is one for {@link gather}
 */
export function isAdded(reader: GatheredReader, chunk: string | Uint8Array): boolean {
  if (owner !== reader || typeof chunk === 'string') return false;
  const { length } = chunk;
  const end = gatheredLength + length;
  if (length >= COPIED_BY_BYTE || end >= dueLength) return false;
  for (let i = 0, at = gatheredLength; i < length; i++) gathered[at++] = chunk[i] as number;
  gatheredLength = end;
  return true;
}

/**
 * Keeps a copy of a chunk.
 * @param length bytes of the chunk, {@link SHORT_CHUNK_BYTES} at most
 * @param dueBytes so many bytes gathered are read at once; while some are, it may not change
 */
export function gather(reader: GatheredReader, bytes: Uint8Array, length: number, dueBytes: number): void {
  const start = roomFor(reader, length, dueBytes);
  if (length < COPIED_BY_BYTE) for (let i = 0; i < length; i++) gathered[start + i] = bytes[i] as number;
  else gathered.set(length === bytes.length ? bytes : bytes.subarray(0, length), start);
  keep(reader, start + length);
}

/**
 * The same for ASCII text, which UTF-8 leaves as it is.
 * @returns false for other text, of which nothing is kept
 */
export function gatherAscii(reader: GatheredReader, text: string, dueBytes: number): boolean {
  const start = roomFor(reader, text.length, dueBytes);
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit >= 0x80) return false;
    gathered[start + i] = unit;
  }
  keep(reader, start + text.length);
  return true;
}

/** Has a reader read what is gathered of its body: before a chunk that is not gathered, and at the end. */
export function readGathered(reader: GatheredReader): void {
  if (owner !== reader) return;
  const length = gatheredLength;
  gatheredLength = 0;
  owner = undefined;
  if (length > 0) reader.readGathered(gathered, length);
}

/** Forgets what is gathered of a body that is not wanted any more. */
export function discardGathered(reader: GatheredReader): void {
  if (owner !== reader) return;
  gatheredLength = 0;
  owner = undefined;
}

/** @returns where the next bytes go; until {@link keep} is called, none are kept */
function roomFor(reader: GatheredReader, length: number, dueBytes: number): number {
  if (owner !== undefined && (owner !== reader || gatheredLength + length > GATHERED_BYTES)) readGathered(owner);
  owner = reader;
  dueLength = Math.min(dueBytes, GATHERED_BYTES);
  return gatheredLength;
}

function keep(reader: GatheredReader, length: number): void {
  gatheredLength = length;
  if (length >= dueLength) readGathered(reader);
}
