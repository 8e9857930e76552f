/** Text that an application writes, as the bytes that are sent. */

/** It is encoded in parts of so many UTF-16 code units into one buffer; a code unit takes at most three bytes. */
const PART_CHARACTERS = 1024;
const part = new Uint8Array(3 * PART_CHARACTERS);
const encoder = new TextEncoder();

/** Whether a text of this encoding is sent as UTF-8. */
export function isTextEncoding(encoding: BufferEncoding | undefined): boolean {
  return encoding === undefined || encoding === 'utf8' || encoding === 'utf-8';
}

/** What takes a text. */
export interface PartTaker {
  /** @param bytes of the next part, which are overwritten by the one after it. @returns whether more is wanted */
  takePart(bytes: Uint8Array, length: number): boolean;
}

/** Encodes a text part by part: once the code was found, the rest of a long text is not read and need not be encoded. */
export function encodeInParts(text: string, taker: PartTaker): void {
  for (let at = 0; at < text.length; ) {
    const end = partEnd(text, at);
    const characters = end - at === text.length ? text : text.slice(at, end);
    if (!taker.takePart(part, encoder.encodeInto(characters, part).written)) return;
    at = end;
  }
}

/** Not within a character of two code units. */
function partEnd(text: string, start: number): number {
  const end = Math.min(start + PART_CHARACTERS, text.length);
  const last = text.charCodeAt(end - 1);
  return end < text.length && last >= 0xd800 && last <= 0xdbff ? end - 1 : end;
}
