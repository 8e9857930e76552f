/** The parsers of how codes are read: where and how deep they are looked for, and which mean success. Nothing here throws. */
import { ANY_DEPTH, type CodeDepths } from '../business-code/code-depth';
import { show } from '../errors';
import { shownText } from '../files/shown-text';
import { CODE_PLACES, isCodePlace, MAX_CODE_PLACES } from '../partners/code-places';
import { MAX_SUCCESS_CODES } from '../partners/meaning-check';
import { MAX_CODE_DEPTH } from './defaults';
import { fault, isPlainObject, listItems, type Parsed, wholeNumber } from './parsed';

/** Patterns are tried one after the other. */
const MAX_DEPTH_ITEMS = 100;
/** In place of a depth. */
const ALL = 'all';

/** The same codes as of a partner in its file. */
export function parseSuccessCodes(raw: unknown, from: string): Parsed<readonly string[]> {
  const items = listItems(raw);
  const codes = items?.flatMap((item) => shownText(item) ?? []);
  if (codes !== undefined && codes.length === items?.length && codes.length <= MAX_SUCCESS_CODES) {
    return { value: Object.freeze([...new Set(codes)]) };
  }
  return fault('CHX_SUCCESS_CODES_INVALID', {
    wrong: `${from} is not a list of business codes`,
    got: raw,
    expected: `at most ${MAX_SUCCESS_CODES} codes of 1 to 64 characters that can be seen, separated by commas`,
    remedy: 'For instance 0,00,SUCCESS; a code that holds a comma or a space can be written in a JSON array.',
  });
}

/** The same names and paths as of a partner in its file. */
export function parseCodeFrom(raw: unknown, from: string): Parsed<readonly string[]> {
  const items = listItems(raw);
  if (items === undefined) return codeFromFault(raw, from, ': it is not a list');
  if (items.length === 0) return codeFromFault(raw, from, ': it is empty');
  if (items.length > MAX_CODE_PLACES) return codeFromFault(raw, from, `: there are ${items.length}`);
  const bad = items.findIndex((item) => !isCodePlace(item));
  if (bad >= 0) return codeFromFault(raw, from, `: item ${bad + 1} is ${show(items[bad])}`);
  return { value: Object.freeze([...(items as string[])]) };
}

function codeFromFault(raw: unknown, from: string, detail: string): Parsed<never> {
  return fault('CHX_CODE_FROM_INVALID', {
    wrong: `${from} is no list of places of codes${detail}`,
    got: raw,
    expected: CODE_PLACES,
    remedy: 'For instance operationName,method or errors[0].extensions.code,error.code,code.',
  });
}

export function parseCodeDepth(raw: unknown, from: string): Parsed<CodeDepths> {
  const items = depthItems(raw);
  let otherwise: number | undefined;
  const patterns: [string, number][] = [];
  for (const { pattern, text } of items ?? []) {
    const number = text === ALL ? ANY_DEPTH : (wholeNumber(text) ?? 0);
    const isDepth = number === ANY_DEPTH || (number >= 1 && number <= MAX_CODE_DEPTH);
    if (!isDepth) return codeDepthFault(raw, from, `: ${show(text)} is no depth`);
    if (pattern === undefined && otherwise !== undefined) return codeDepthFault(raw, from, ': it has two defaults');
    if (pattern === undefined) otherwise = number;
    else if (!/^[/*]/.test(pattern)) return codeDepthFault(raw, from, `: ${show(pattern)} can match no path`);
    else patterns.push([pattern, number]);
  }
  if (items === undefined || items.length > MAX_DEPTH_ITEMS) return codeDepthFault(raw, from, '');
  return { value: Object.freeze({ otherwise: otherwise ?? ANY_DEPTH, patterns }) };
}

/** @returns undefined for what is neither a depth nor a list of them */
function depthItems(raw: unknown): { pattern?: string; text: unknown }[] | undefined {
  if (typeof raw === 'number') return [{ text: raw }];
  if (isPlainObject(raw)) return Object.entries(raw).map(([pattern, text]) => ({ pattern, text }));
  if (typeof raw !== 'string' || raw.trim() === '') return undefined;
  return raw.split(',').map((item) => {
    const equals = item.lastIndexOf('=');
    const text = item.slice(equals + 1).trim();
    return equals < 0 ? { text } : { pattern: item.slice(0, equals).trim(), text };
  });
}

function codeDepthFault(raw: unknown, from: string, detail: string): Parsed<never> {
  return fault('CHX_CODE_DEPTH_INVALID', {
    wrong: `${from} is not a depth of codes${detail}`,
    got: raw,
    expected: `1 to ${MAX_CODE_DEPTH} or ${ALL}, for every path or as path=depth pairs`,
    remedy: 'For instance 1, or /articles/*=1,/orders/:id=2; keys of the outermost object stand at 1.',
  });
}
