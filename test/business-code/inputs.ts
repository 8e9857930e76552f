/** Random bodies: JSON of every shape, JSON gone wrong, and noise of JSON's own bytes. */
import type { Random } from '../support/random';

const NAMES = ['code', 'errorcode', 'methodcode'] as const;
const OTHER_KEYS = [
  '',
  'a',
  'data',
  'cod',
  'codes',
  'cöde',
  'ｃｏｄｅ',
  'errorcod',
  '-',
  'list',
  'ſode',
  'x'.repeat(40),
] as const;
const SPACES = [' ', '\n', '\r', '\t', '  \n'] as const;
const ESCAPES = [
  '\\"',
  '\\\\',
  '\\/',
  '\\b',
  '\\f',
  '\\n',
  '\\r',
  '\\t',
  '\\u0000',
  '\\u001f',
  '\\u007F',
  '\\u009f',
] as const;
const SURROGATES = ['\\ud83d', '\\ude00', '\\uD83D\\uDE00', '\\uDE00\\uD83D', '\\ud83d\\n', '\\ud83dx'] as const;
const CHARACTERS = [
  '0',
  'A',
  'code',
  ' ',
  '中文',
  'é',
  '😀',
  '\u007f',
  '\u0080',
  '\u009f',
  '\u00a0',
  '\ufffd',
  '\ufeff',
  '\u2028',
  '\u{10ffff}',
  '\ud7ff',
  '\ue000',
] as const;
const NUMBERS = [
  '0',
  '-0',
  '1',
  '-1',
  '0.0',
  '1.0',
  '1e3',
  '1E+3',
  '-0e-0',
  '1.50',
  '12345678901234567890123',
  '1e400',
  '1e-400',
  '0.1e-7',
] as const;
const NOT_NUMBERS = [
  '01',
  '+1',
  '.5',
  '1.',
  '1e',
  '-',
  '1e+',
  '0x1',
  'NaN',
  'Infinity',
  '-Infinity',
  '1_0',
  '１',
] as const;
const WORDS = ['true', 'false', 'null'] as const;
const NOT_WORDS = ['True', 'nul', 'falsey', 'undefined', 'tru e', "'a'", '//', '/**/'] as const;
const NOISE = Buffer.from('{}[]",:\\/bfnrtu0123456789.eE+-_ \n\tcodeCODErmth\u0000\u001f\ufeff中😀', 'utf8');

/** JSON, with a code in most of it. */
export function randomJson(random: Random): string {
  const mark = random.once(12) ? '\ufeff' : '';
  return mark + space(random) + (random.once(8) ? value(random, 4) : object(random, random.below(5))) + space(random);
}

/** A text, changed in one to four places; often no JSON any more. */
export function mutate(random: Random, body: Buffer): Buffer {
  let bytes = body;
  for (let left = 1 + random.below(4); left > 0; left--) {
    const at = random.below(bytes.length + 1);
    const until = Math.min(bytes.length, at + random.below(6));
    const middle =
      random.below(4) === 0
        ? Buffer.alloc(0)
        : random.once(3)
          ? Buffer.from(random.pick([...NOT_NUMBERS, ...NOT_WORDS, ',', ':', '"', '{', ']']))
          : random.once(2)
            ? Buffer.from([random.below(256)])
            : bytes.subarray(at, until);
    bytes = Buffer.concat([bytes.subarray(0, at), middle, bytes.subarray(random.once(2) ? at : until)]);
  }
  return bytes;
}

/** Bytes that JSON is made of, in no order, or any bytes at all, perhaps behind a good beginning. */
export function randomBytes(random: Random): Buffer {
  const bytes = Buffer.alloc(random.below(48));
  const isAny = random.once(4);
  for (let i = 0; i < bytes.length; i++)
    bytes[i] = isAny ? random.below(256) : random.pick(NOISE as unknown as number[]);
  const start = random.pick(['', '', '{"code":', '{"code":"', '{"error_code":"1","code":"', '[', '{"', '\ufeff']);
  return Buffer.concat([Buffer.from(start), bytes]);
}

/** Containers in containers, with a code at some of the levels. */
export function deepJson(random: Random, most: number): string {
  let before = '';
  let after = '';
  for (let left = 1 + random.below(most); left > 0; left--) {
    if (random.once(2)) {
      before += '[';
      after = `]${after}`;
    } else {
      const isFound = random.once(8);
      before += isFound && random.once(2) ? `{${member(random, 0)},"a":` : '{"code":';
      after = isFound ? `,${member(random, 0)}}${after}` : `}${after}`;
    }
  }
  return before + value(random, 1) + after;
}

/** A code and much behind it, so that the end of what is checked falls anywhere; sometimes broken there. */
export function longJson(random: Random): Buffer {
  const before = random.once(2) ? '' : `"x":"${'y'.repeat(random.below(3000))}",`;
  const first = random.repeat(2, () => `${member(random, 1)},`);
  const filling = `"fill":"${'z'.repeat(900 + random.below(240))}",${member(random, 2)},"more":[${'1,'.repeat(random.below(60))}1]`;
  const text = Buffer.from(`{${before}${first}${member(random, 0)},${filling}}${' '.repeat(random.below(80))}`);
  if (random.once(2)) return text;
  const at = text.length - 1 - random.below(Math.min(text.length, 400));
  text[at] = random.below(256);
  return text;
}

function space(random: Random): string {
  return random.once(6) ? random.pick(SPACES) : '';
}

function value(random: Random, depth: number): string {
  switch (random.below(depth > 0 ? 7 : 4)) {
    case 0:
    case 1:
      return string(random);
    case 2:
      return number(random);
    case 3:
      return random.pick(WORDS);
    case 4:
      return `[${list(random, () => value(random, depth - 1))}]`;
    default:
      return object(random, depth - 1);
  }
}

function object(random: Random, depth: number): string {
  return `{${list(random, () => member(random, depth))}}`;
}

function list(random: Random, item: () => string): string {
  let text = space(random);
  for (let left = random.below(4); left > 0; left--)
    text += `${text.trim() === '' ? '' : ','}${space(random)}${item()}`;
  return text + space(random);
}

function member(random: Random, depth: number): string {
  return `"${key(random)}"${space(random)}:${space(random)}${value(random, depth)}`;
}

function key(random: Random): string {
  if (random.once(3)) return random.pick(OTHER_KEYS);
  const name = random.pick(NAMES);
  if (random.once(2)) return name;
  let text = '';
  for (const letter of name) {
    if (random.once(5)) text += random.pick(['-', '_', '--', '\\u002d', '\\u005F']);
    if (random.once(9)) text += `\\u00${letter.charCodeAt(0).toString(16)}`;
    else text += random.once(4) ? letter.toUpperCase() : letter;
  }
  return random.once(40) ? `${text}${random.pick(ESCAPES)}` : text;
}

function string(random: Random): string {
  switch (random.below(5)) {
    case 0:
      return '""';
    case 1:
      return `"${random.below(10_000)}"`;
    case 2:
      return `"${random.repeat(6, () => random.pick(ESCAPES) + random.pick(CHARACTERS))}"`;
    case 3:
      return `"${random.repeat(6, () => random.pick(SURROGATES) + (random.once(2) ? random.pick(CHARACTERS) : ''))}"`;
    default:
      // about the length at which a value is cut, in characters of one unit or two
      return random.once(3) ? `"${random.pick(CHARACTERS.slice(4)).repeat(60 + random.below(8))}"` : '"0000"';
  }
}

function number(random: Random): string {
  if (random.once(2)) return random.pick(NUMBERS);
  if (random.once(8)) return `0.${'0'.repeat(58 + random.below(8))}1`;
  const sign = random.once(3) ? '-' : '';
  const fraction = random.once(2) ? `.${random.below(1000)}` : '';
  const exponent = random.once(3) ? `${random.pick(['e', 'E', 'e+', 'E-'])}${random.below(40)}` : '';
  return `${sign}${random.below(100_000)}${fraction}${exponent}`;
}
