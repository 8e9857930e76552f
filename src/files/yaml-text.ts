/**
 * A JSON or YAML text as plain values, each with its place. JSON is read as YAML, which it is part of.
 *
 * The text comes from outside: one that is nested without end, or that repeats its aliases, must neither overflow the
 * stack nor keep the application waiting.
 */
import type { Document, Node, Pair } from 'yaml';

/** Keys from the root to a value. */
export type Path = readonly (string | number)[];
/** What of an entry is meant: its key or its value. Only list items have no key of their own. */
export type Part = 'key' | 'value';
/** Says where it stands, such as `partners.yaml:4:9`; where it is missing, where the entry around it stands. */
export type Locate = (path: Path, part: Part) => string;

export interface Fault {
  readonly wrong: string;
  readonly expected: string;
}

/** The document's value, or what keeps the text from being one. */
export type YamlText = { readonly value: unknown; readonly locate: Locate } | { readonly faults: readonly Fault[] };

type Yaml = typeof import('yaml');
type PlaceOf = (offset: number) => string;

/** Levels in one another; a partner directory has four. The parser recurses, and at some thousands it ends the process. */
const MAX_DEPTH = 64;
/** Words and signs of a file: some ten thousand partner hosts, and few enough that malformed is refused within seconds. */
const MAX_TOKENS = 250_000;
/** Aliases in one file, and in what they stand for: each takes a walk through the document. */
const MAX_ALIASES = 100;
/** Tokens of the lexer's own, which stand for nothing in the text. */
const LEXER_MARKS = new Set(['\u0002', '\u0018', '\u001f']);
const TEXT_EXPECTED = 'a JSON or YAML text whose keys are unique';

/** @param file its name, for places */
export function parseYamlText(text: string, file: string): YamlText {
  // loaded only where there is such a file: it would be a quarter of the start-up time of every service
  const yaml: Yaml = require('yaml');
  const lines = new yaml.LineCounter();
  const placeOf: PlaceOf = (offset) => {
    const { line, col } = lines.linePos(offset);
    return `${file}:${line}:${col}`;
  };
  try {
    const excess = findExcess(yaml, text);
    if (excess !== undefined) return { faults: [{ ...excess, wrong: `${file}:${excess.wrong}` }] };
    // unique keys are checked here: the parser compares each key with every other
    const document = yaml.parseDocument(text, {
      lineCounter: lines,
      version: '1.2',
      schema: 'core',
      prettyErrors: false,
      uniqueKeys: false,
    });
    if (document.errors.length > 0) {
      return {
        faults: document.errors.map(({ pos, message }) => ({
          // thousands of them may follow from one; their places are wanted only of the first
          get wrong() {
            return `${placeOf(pos[0])} is neither JSON nor YAML: ${message}`;
          },
          expected: TEXT_EXPECTED,
        })),
      };
    }
    const faults = nodeFaults(yaml, document, placeOf);
    if (faults.length > 0) return { faults };
    keepDigits(yaml, document);
    const value: unknown = document.toJS({ maxAliasCount: MAX_ALIASES });
    return { value, locate: (path, part) => locate(yaml, document, path, part, placeOf) ?? file };
  } catch (error) {
    const wrong = `${file} cannot be used: ${(error as Error).message}`;
    return { faults: [{ wrong, expected: `a JSON or YAML text with at most ${MAX_ALIASES} aliases` }] };
  }
}

/**
 * Looks for what the parser must not be given, token by token and so without recursion: too much of everything, and
 * nesting, by brackets or in YAML's block style by columns further and further to the right.
 */
function findExcess(yaml: Yaml, text: string): Fault | undefined {
  let tokens = 0;
  let line = 1;
  let offset = 0;
  let lineStart = 0;
  let brackets = 0;
  let isIndentation = true;
  const columns: number[] = [];
  for (const token of new yaml.Lexer().lex(text)) {
    if (LEXER_MARKS.has(token)) continue;
    if (++tokens > MAX_TOKENS) {
      return { wrong: `${line}:1 is where it becomes too large`, expected: `at most ${MAX_TOKENS} words and signs` };
    }
    if (token === '[' || token === '{') brackets++;
    else if (token === ']' || token === '}') brackets = Math.max(0, brackets - 1);
    else if (brackets === 0 && (isIndentation || token === ':') && token.trim() !== '') {
      const column = offset - lineStart;
      while (columns.length > 0 && (columns.at(-1) as number) >= column) columns.pop();
      columns.push(column);
      isIndentation = /^(?:[-?:]$|[&!])/.test(token);
    }
    if (brackets + columns.length > MAX_DEPTH) {
      const wrong = `${line}:${offset - lineStart + 1} is nested too deep`;
      return { wrong, expected: `at most ${MAX_DEPTH} levels in one another` };
    }
    offset += token.length;
    const newLine = token.lastIndexOf('\n');
    if (newLine >= 0) {
      line += token.split('\n').length - 1;
      lineStart = offset - (token.length - newLine - 1);
      isIndentation = true;
    }
  }
  return undefined;
}

/** Keys that stand twice in one map, keys that are no text, and too many aliases. */
function nodeFaults(yaml: Yaml, document: Document, placeOf: PlaceOf): Fault[] {
  const faults: Fault[] = [];
  let aliases = 0;
  yaml.visit(document, {
    Alias(_key, alias) {
      if (++aliases <= MAX_ALIASES) return undefined;
      const wrong = `${placeOf(rangeStart(alias) ?? 0)} is one alias too many`;
      faults.push({ wrong, expected: `at most ${MAX_ALIASES} aliases` });
      return yaml.visit.BREAK;
    },
    Map(_key, map) {
      const seen = new Set<string>();
      for (const { key } of map.items) {
        const place = placeOf(rangeStart(key) ?? rangeStart(map) ?? 0);
        const text = yaml.isScalar(key) ? keyText(key) : undefined;
        if (text === undefined) {
          faults.push({ wrong: `${place} has a key that is not a plain text`, expected: TEXT_EXPECTED });
        } else if (seen.has(text)) {
          faults.push({ wrong: `${place} repeats the key ${JSON.stringify(text)}`, expected: TEXT_EXPECTED });
        } else seen.add(text);
      }
    },
  });
  return faults;
}

/** An integer is a code as it is written: `0120` is not 120, and a long one keeps every digit. */
function keepDigits(yaml: Yaml, document: Document): void {
  yaml.visit(document, {
    Scalar(part, node) {
      if (typeof node.value !== 'number' || node.source === undefined) return;
      if (part === 'key' || /^-?\d+$/.test(node.source)) node.value = node.source;
    },
  });
}

function keyText(key: { value?: unknown; source?: string }): string {
  if (typeof key.value === 'number') return key.source ?? String(key.value);
  return key.value === null || key.value === undefined ? '' : String(key.value);
}

function locate(yaml: Yaml, document: Document, path: Path, part: Part, placeOf: PlaceOf): string | undefined {
  let node: unknown = document.contents;
  let around = rangeStart(node);
  for (const key of path) {
    if (yaml.isAlias(node)) node = node.resolve(document);
    if (yaml.isMap(node)) {
      const pair: Pair | undefined = node.items.find((each) => yaml.isScalar(each.key) && keyText(each.key) === key);
      around = rangeStart(pair?.key) ?? around;
      node = pair?.value;
    } else {
      node = yaml.isSeq(node) && typeof key === 'number' ? node.items[key] : undefined;
      around = rangeStart(node) ?? around;
    }
    if (node === undefined) break;
  }
  const at = part === 'key' ? around : (rangeStart(node) ?? around);
  return at === undefined ? undefined : placeOf(at);
}

function rangeStart(node: unknown): number | undefined {
  return (node as Node | null | undefined)?.range?.[0];
}
