/**
 * What stands between two slashes of a path: a word of the application's, which stays as it is, or a value, of which the
 * kind is kept. A guess by the characters alone, the same for all processes. It takes time in proportion to the text.
 */

const ID = ':id';
const HASH = ':hash';
const TOKEN = ':token';

/** Characters of a word; whatever is longer is data. */
const MAX_WORD_CHARACTERS = 128;
/** Hexadecimal digits, of which one is a figure: a shorter commit hash may be a word. */
const MIN_HASH_CHARACTERS = 8;
/** The same without a figure, which no word has. */
const MIN_LETTER_HASH_CHARACTERS = 16;
/** Letters and figures in one piece; the names of functions and products that have figures are shorter. */
const MIN_TOKEN_CHARACTERS = 20;
/** The same with upper and lower case, figures and `-`, `_` and the like, as nanoid and JWT have them. */
const MIN_MIXED_TOKEN_CHARACTERS = 16;
/** Letters and figures that change often, such as `Bc12ab9`. */
const MIN_CHANGING_CHARACTERS = 7;
/** Figures beside a separator; fewer are a version or a step. In the name of a file, more are. */
const MIN_ID_FIGURES = 3;
const MIN_FILE_ID_FIGURES = 5;
/** Of the hashes that Vite and Rollup put into names, in the alphabet of base64url. */
const ROLLUP_HASH_CHARACTERS = 8;

const UUID = /[\da-f]{8}-[\da-f]{4}-[\da-f]{4}-[\da-f]{4}-[\da-f]{12}/gi;
const UUID_CHARACTERS = 36;
/** Crockford's Base32; the first character holds three bits. */
const ULID = /^[0-7][\dA-HJKMNP-TV-Z]{25}$/i;
const DATE = /(?<!\d)(?:19|20)\d\d([-_.])(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])(?!\d)/g;
/** The same with a time, or without separators but with a time, or a month alone. */
const WHOLE_DATE =
  /^(?:19|20)\d\d(?:-?(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12]\d|3[01])[T ]\d\d[:.-]?\d\d[\d:.-]{0,16}(?:Z|[+-]\d\d:?\d\d)?|[-_.](?:0[1-9]|1[0-2]))$/;
const IPV4 = /^\d{1,3}(?:\.\d{1,3}){3}$/;
const EXTENSION = /^[A-Za-z][A-Za-z\d]{0,4}$/;
/** Between the parts of a token, beside letters and figures. */
const TOKEN_SIGNS = /^[\w.~+=-]*$/;
const CHUNK_NUMBER = /^\d+(?=[-.])/;
const FIGURES = /\d{5,}/g;
const WORDS = /[A-Za-z\d]+/g;

/** What a text is made of. */
interface Marks {
  readonly figures: number;
  readonly lower: number;
  readonly upper: number;
  /** Letters from a to f. */
  readonly hexLetters: number;
  readonly hasAt: boolean;
  /** Places where a letter stands beside a figure. */
  readonly changes: number;
  /** Places where an upper case letter follows a lower case one. */
  readonly rises: number;
}

/** @returns the segment itself, or what stands for its values, such as `:id` or `index-:hash.js` */
export function generalSegment(segment: string): string {
  if (segment.length > MAX_WORD_CHARACTERS) return TOKEN;
  const marks = marksOf(segment);
  const { figures, upper, hasAt, hexLetters } = marks;
  if (figures === 0 && upper === 0 && !hasAt) {
    return hexLetters === segment.length && hexLetters >= MIN_LETTER_HASH_CHARACTERS ? HASH : segment;
  }
  if (figures === segment.length) return ID;
  return wholeValue(segment, marks) ?? mixed(segment, marks);
}

/** @returns the kind of a segment that is one value; undefined for any other */
function wholeValue(segment: string, marks: Marks): string | undefined {
  if (marks.hasAt && isEmail(segment)) return ':email';
  if (marks.figures === 0) return undefined;
  if (marks.lower + marks.upper === 0) {
    if (IPV4.test(segment)) return ':ip';
    if (segment.startsWith('-') && marks.figures === segment.length - 1) return ID;
  }
  if (marks.lower + marks.upper <= 2 && WHOLE_DATE.test(segment)) return ':date';
  return undefined;
}

/** A name with an extension, or words and values with something between them. */
function mixed(segment: string, marks: Marks): string {
  const dot = segment.lastIndexOf('.');
  const isFile = dot > 0 && EXTENSION.test(segment.slice(dot + 1));
  if (!isFile) return isMixedToken(segment, marks) ? TOKEN : withoutValues(segment, false);
  const stem = segment.slice(0, dot);
  const extension = segment.slice(dot);
  const inStem = marksOf(stem);
  if (inStem.figures === stem.length) return ID + extension;
  if (isMixedToken(stem, inStem)) return HASH + extension;
  const general = withoutValues(withoutRollupHash(stem), true) + extension;
  // bundlers number chunks that have no name
  return general.includes(HASH) ? general.replace(CHUNK_NUMBER, ID) : general;
}

/** @returns the text with what stands for each value in it */
function withoutValues(text: string, isFile: boolean): string {
  const hasUuid = text.length >= UUID_CHARACTERS;
  const known = (hasUuid ? text.replace(UUID, ':uuid') : text).replace(DATE, ':date');
  return known.replace(WORDS, (word, at: number) => wordValue(word, isFile, at > 0) ?? word.replace(FIGURES, ID));
}

/** @returns what stands for a word of letters and figures; undefined for one that may stay */
function wordValue(word: string, isFile: boolean, isLater: boolean): string | undefined {
  const { length } = word;
  const { figures, hexLetters, changes } = marksOf(word);
  if (figures === length) return length >= (isFile ? MIN_FILE_ID_FIGURES : MIN_ID_FIGURES) ? ID : undefined;
  const minHash = figures > 0 ? MIN_HASH_CHARACTERS : MIN_LETTER_HASH_CHARACTERS;
  if (figures + hexLetters === length && length >= minHash) return HASH;
  if (figures === 0) return undefined;
  if (ULID.test(word)) return ':ulid';
  // a word such as md5sum or oauth2callback changes twice
  const isChanging = length >= MIN_CHANGING_CHARACTERS && changes >= (isFile && isLater ? 2 : 3);
  if (length >= MIN_TOKEN_CHARACTERS || isChanging) return isFile ? HASH : TOKEN;
  return undefined;
}

function isMixedToken(text: string, { figures, lower, upper, changes, rises }: Marks): boolean {
  const { length } = text;
  if (length < MIN_MIXED_TOKEN_CHARACTERS || figures === 0 || lower === 0 || upper === 0) return false;
  // in words the case changes every seven letters or so, in random characters every two
  return (changes + rises) * 5 >= length && TOKEN_SIGNS.test(text);
}

/** `index-DiwrgTda` and `index-C2_a-9xQ`: the hash may have no figure, and have separators of its own. */
function withoutRollupHash(stem: string): string {
  const at = stem.length - ROLLUP_HASH_CHARACTERS;
  if (at < 2 || !'-._'.includes(stem[at - 1] as string)) return stem;
  const tail = stem.slice(at);
  const { figures, lower, upper, rises } = marksOf(tail);
  const isAlnum = figures + lower + upper === tail.length;
  const isHash = upper > 0 && lower > 0 && (rises > 0 || figures > 0 || !isAlnum) && /^[\w-]+$/.test(tail);
  return isHash ? stem.slice(0, at) + HASH : stem;
}

function isEmail(text: string): boolean {
  const at = text.indexOf('@');
  const dot = text.lastIndexOf('.');
  return at > 0 && at === text.lastIndexOf('@') && dot > at + 1 && dot < text.length - 1;
}

function marksOf(text: string): Marks {
  let figures = 0;
  let lower = 0;
  let upper = 0;
  let hexLetters = 0;
  let hasAt = false;
  let changes = 0;
  let rises = 0;
  /** 1: figure, 2: lower case, 3: upper case, 0: anything else. */
  let before = 0;
  for (let n = 0; n < text.length; n++) {
    const character = text.charCodeAt(n);
    let kind = 0;
    if (character >= 0x61 && character <= 0x7a) {
      kind = 2;
      lower++;
      if (character <= 0x66) hexLetters++;
    } else if (character >= 0x30 && character <= 0x39) {
      kind = 1;
      figures++;
    } else if (character >= 0x41 && character <= 0x5a) {
      kind = 3;
      upper++;
      if (character <= 0x46) hexLetters++;
      if (before === 2) rises++;
    } else if (character === 0x40) {
      hasAt = true;
    }
    if (kind !== 0 && before !== 0 && (kind === 1) !== (before === 1)) changes++;
    before = kind;
  }
  return { figures, lower, upper, hexLetters, hasAt, changes, rises };
}
