/**
 * What a body's codes are, by the letter of the contract: a plain parser that builds the document, and a plain walk
 * through it. Slow and without any of the reader's shortcuts, so that it can judge the reader.
 */

export interface Outcome {
  /** Label `code` of an inbound request. */
  readonly inner: string;
  /** Label `code` of a partner call. */
  readonly partner: string;
  /** Label `method_code`, from a request's body. */
  readonly method: string;
}

type Scalar = { kind: 'string' | 'number' | 'boolean'; text: string; end: number };
type Tree =
  | Scalar
  | { kind: 'null' }
  | { kind: 'array'; items: Tree[] }
  | { kind: 'object'; entries: [string, Tree][] };

interface Text {
  readonly root: Tree | undefined;
  /** `cut`: a good beginning, of which more was to come. */
  readonly state: 'whole' | 'cut' | 'broken';
}

interface Match {
  readonly value: Scalar;
  readonly depth: number;
}

const MAX_CHARACTERS = 64;
const CHECKED_BEHIND_MATCH_BYTES = 1024;

/** @param limitBytes how much of the body is read */
export function referenceCodes(body: Uint8Array, limitBytes: number): Outcome {
  const text = parse(body, Math.min(body.length, limitBytes));
  const code = find(text.root, 'code');
  const errorCode = find(text.root, 'errorcode');
  const methodCode = find(text.root, 'methodcode');

  const isInner = isRead(body, limitBytes, text, settled(code));
  const isPartner = isRead(body, limitBytes, text, labelOf(code) === '' ? both(code, errorCode) : settled(code));
  const isMethod = isRead(body, limitBytes, text, settled(methodCode));
  return {
    inner: isInner ? labelOf(code) : '-1',
    partner: isPartner ? labelOf(code) || labelOf(errorCode) || '-1' : '-1',
    method: isMethod && methodCode !== undefined && !countsAsEmpty(methodCode.value) ? labelOf(methodCode) : '',
  };
}

/** Whether bytes are one JSON text in UTF-8. */
export function isJsonText(bytes: Uint8Array): boolean {
  return parse(bytes, bytes.length).state === 'whole';
}

/** Whether the text counts as JSON, given where the code was found that nothing can replace. */
function isRead(body: Uint8Array, limitBytes: number, text: Text, settledAt: number | undefined): boolean {
  const until = settledAt === undefined ? limitBytes : Math.min(limitBytes, settledAt + CHECKED_BEHIND_MATCH_BYTES);
  if (body.length <= until) return text.state === 'whole';
  if (settledAt === undefined) return false;
  return parse(body, until).state !== 'broken';
}

function settled(match: Match | undefined): number | undefined {
  return match?.depth === 1 ? match.value.end : undefined;
}

function both(one: Match | undefined, other: Match | undefined): number | undefined {
  const first = settled(one);
  const second = settled(other);
  return first === undefined || second === undefined ? undefined : Math.max(first, second);
}

function labelOf(match: Match | undefined): string {
  if (match === undefined) return '';
  const clean = Array.from(match.value.text, (character) =>
    /[^\P{Cc}\t\n\r]|\p{Cs}/u.test(character) ? '\uFFFD' : character,
  );
  return clean.slice(0, MAX_CHARACTERS).join('');
}

/** 0 and false, of what was kept of them. */
function countsAsEmpty({ kind, text }: Scalar): boolean {
  return kind === 'number' ? Number(text.slice(0, MAX_CHARACTERS)) === 0 : kind === 'boolean' && text === 'false';
}

/** The shallowest match, among equals the last. */
function find(root: Tree | undefined, name: string): Match | undefined {
  const matches: Match[] = [];
  if (root !== undefined) walk(root, name, 0, matches);
  const shallowest = Math.min(...matches.map(({ depth }) => depth));
  return matches.filter(({ depth }) => depth === shallowest).at(-1);
}

function walk(tree: Tree, name: string, depth: number, matches: Match[]): void {
  if (tree.kind === 'array') for (const item of tree.items) walk(item, name, depth + 1, matches);
  if (tree.kind !== 'object') return;
  for (const [key, value] of tree.entries) {
    const isScalar = value.kind === 'string' || value.kind === 'number' || value.kind === 'boolean';
    if (isScalar && key.replace(/[-_]/g, '').toLowerCase() === name) {
      matches.push({ value, depth: depth + 1 });
      return;
    }
    walk(value, name, depth + 1, matches);
  }
}

class Cut extends Error {}
class Broken extends Error {}
// thrown by the hundred thousand: one of each is enough
const CUT = new Cut();
const BROKEN = new Broken();

/** Parses the first `end` bytes; a container stands in the tree as soon as it opens, a value when it has ended. */
function parse(bytes: Uint8Array, end: number): Text {
  const parser = new Parser(bytes, end);
  try {
    parser.text();
    return { root: parser.root, state: 'whole' };
  } catch (error) {
    if (error !== CUT && error !== BROKEN) throw error;
    return { root: parser.root, state: error === CUT ? 'cut' : 'broken' };
  }
}

const ESCAPED: Readonly<Record<string, string>> = {
  '"': '"',
  '\\': '\\',
  '/': '/',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
};

/** RFC 8259 by recursive descent, over the bytes of RFC 3629. */
class Parser {
  root: Tree | undefined;
  private at = 0;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly end: number,
  ) {}

  text(): void {
    if (this.end > 0 && this.bytes[0] === 0xef) for (const byte of [0xef, 0xbb, 0xbf]) this.expect(byte);
    this.space();
    this.value((tree) => {
      this.root = tree;
    });
    this.space();
    if (this.at < this.end) throw BROKEN;
  }

  private value(place: (tree: Tree) => void): void {
    const first = String.fromCharCode(this.peek());
    if (first === '{') this.object(place);
    else if (first === '[') this.array(place);
    else if (first === '"') {
      const text = this.string();
      place({ kind: 'string', text, end: this.at });
    } else if (first === '-' || (first >= '0' && first <= '9')) {
      const text = this.number();
      place({ kind: 'number', text, end: this.at });
    } else if (first === 't' || first === 'f') {
      const text = first === 't' ? 'true' : 'false';
      this.word(text);
      place({ kind: 'boolean', text, end: this.at });
    } else {
      this.word('null');
      place({ kind: 'null' });
    }
  }

  private object(place: (tree: Tree) => void): void {
    const entries: [string, Tree][] = [];
    place({ kind: 'object', entries });
    this.at++;
    this.space();
    if (this.peek() === 0x7d) {
      this.at++;
      return;
    }
    for (;;) {
      if (this.peek() !== 0x22) throw BROKEN;
      const key = this.string();
      this.space();
      this.expect(0x3a);
      this.space();
      this.value((tree) => entries.push([key, tree]));
      this.space();
      if (this.peek() === 0x7d) break;
      this.expect(0x2c);
      this.space();
    }
    this.at++;
  }

  private array(place: (tree: Tree) => void): void {
    const items: Tree[] = [];
    place({ kind: 'array', items });
    this.at++;
    this.space();
    if (this.peek() === 0x5d) {
      this.at++;
      return;
    }
    for (;;) {
      this.value((tree) => items.push(tree));
      this.space();
      if (this.peek() === 0x5d) break;
      this.expect(0x2c);
      this.space();
    }
    this.at++;
  }

  private string(): string {
    let text = '';
    this.at++;
    for (;;) {
      const byte = this.next();
      if (byte === 0x22) return text;
      if (byte < 0x20) throw BROKEN;
      if (byte >= 0x80) text += this.sequence(byte);
      else if (byte === 0x5c) text += this.escape();
      else text += String.fromCharCode(byte);
    }
  }

  private escape(): string {
    const letter = String.fromCharCode(this.next());
    if (letter !== 'u') {
      const character = ESCAPED[letter];
      if (character === undefined) throw BROKEN;
      return character;
    }
    let digits = '';
    while (digits.length < 4) {
      const digit = String.fromCharCode(this.next());
      if (!/[0-9A-Fa-f]/.test(digit)) throw BROKEN;
      digits += digit;
    }
    return String.fromCharCode(Number.parseInt(digits, 16));
  }

  /** The table of well-formed sequences: Unicode, section 3.9, table 3-7. */
  private sequence(lead: number): string {
    const row = SEQUENCES.find(({ from, to }) => lead >= from && lead <= to);
    if (row === undefined) throw BROKEN;
    let point = lead & row.mask;
    for (const [low, high] of row.trail) {
      const byte = this.next();
      if (byte < low || byte > high) throw BROKEN;
      point = point * 64 + (byte - 0x80);
    }
    return String.fromCodePoint(point);
  }

  /** A number ends only before a byte that cannot be part of it, or where the whole text ends. */
  private number(): string {
    const start = this.at;
    if (this.peek() === 0x2d) this.at++;
    if (this.peek() === 0x30) this.at++;
    else this.digits();
    if (this.isNext('.')) {
      this.at++;
      this.digits();
    }
    if (this.isNext('eE')) {
      this.at++;
      this.peek();
      if (this.isNext('+-')) this.at++;
      this.digits();
    }
    if (this.at === this.end && this.end < this.bytes.length) throw CUT;
    return Buffer.from(this.bytes.subarray(start, this.at)).toString('latin1');
  }

  private digits(): void {
    this.peek();
    if (!this.isNext('0123456789')) throw BROKEN;
    while (this.isNext('0123456789')) this.at++;
  }

  private isNext(characters: string): boolean {
    return this.at < this.end && characters.includes(String.fromCharCode(this.bytes[this.at] as number));
  }

  private word(word: string): void {
    for (const letter of word) this.expect(letter.charCodeAt(0));
  }

  private space(): void {
    while (this.isNext(' \t\n\r')) this.at++;
  }

  private expect(byte: number): void {
    if (this.next() !== byte) throw BROKEN;
  }

  private next(): number {
    const byte = this.peek();
    this.at++;
    return byte;
  }

  private peek(): number {
    if (this.at >= this.end) throw CUT;
    return this.bytes[this.at] as number;
  }
}

type Range = readonly [low: number, high: number];
const TAIL: Range = [0x80, 0xbf];
const SEQUENCES: readonly { from: number; to: number; mask: number; trail: readonly Range[] }[] = [
  { from: 0xc2, to: 0xdf, mask: 0x1f, trail: [TAIL] },
  { from: 0xe0, to: 0xe0, mask: 0x0f, trail: [[0xa0, 0xbf], TAIL] },
  { from: 0xe1, to: 0xec, mask: 0x0f, trail: [TAIL, TAIL] },
  { from: 0xed, to: 0xed, mask: 0x0f, trail: [[0x80, 0x9f], TAIL] },
  { from: 0xee, to: 0xef, mask: 0x0f, trail: [TAIL, TAIL] },
  { from: 0xf0, to: 0xf0, mask: 0x07, trail: [[0x90, 0xbf], TAIL, TAIL] },
  { from: 0xf1, to: 0xf3, mask: 0x07, trail: [TAIL, TAIL, TAIL] },
  { from: 0xf4, to: 0xf4, mask: 0x07, trail: [[0x80, 0x8f], TAIL, TAIL] },
];
