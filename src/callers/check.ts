/**
 * Checks what names callers, from a file or as an object from `start()`: every problem is reported; rules with problems
 * are not used at all.
 *
 * The shape is published as schema/callers.schema.json; a test holds this check equal to it.
 */
import { nearest, type Problem } from '../errors';
import { FileCheck, type FileWords } from '../files/check';
import { shownText } from '../files/shown-text';
import type { Locate, Path } from '../files/yaml-text';
import { wildcard } from '../runtime/wildcard';
import { CALLER_RESTS, type CallerRest, type CallerRules, NO_CALLER_RULES } from './callers';

/** What loading gives: the rules, or what is wrong. With problems the rules are not to be used. */
export interface LoadedCallers {
  readonly rules: CallerRules;
  readonly problems: readonly Problem[];
}

export const CALLER_WORDS: FileWords = {
  whole: 'the callers file',
  shapeCode: 'CHX_CALLERS_SHAPE',
  keyCode: 'CHX_CALLERS_KEY',
  page: 'docs/callers.md',
};

const MAX_ENTRIES = 1_000;
/** They are tried one after the other for each User-Agent that is new, and whoever calls may send a new one each time. */
const MAX_PATTERNS = 200;
/** A header arrives without spaces around it; what is not ASCII arrives as something else. The same as in the schema. */
const USER_AGENT = /^[!-~](?:[ -~]{0,126}[!-~])?$/;
const EXAMPLE = '{ "callers": { "axios/*": "axios" } }';

/**
 * Checks the names of callers.
 * @param value the object with `callers`
 * @param locate says where in the file a value stands
 */
export function parseCallers(value: unknown, locate: Locate = () => 'callers'): LoadedCallers {
  const check = new CallersCheck(locate);
  const rules = check.rules(value);
  const problems = check.problems.list();
  return { rules: problems.length > 0 ? NO_CALLER_RULES : rules, problems };
}

/** One pass over the entries, collecting what is wrong with them. */
class CallersCheck extends FileCheck {
  private count = 0;
  private readonly patterns: { readonly text: string; readonly matches: (text: string) => boolean }[] = [];

  constructor(locate: Locate) {
    super(CALLER_WORDS, locate);
  }

  rules(value: unknown): CallerRules {
    const root = this.record(value, [], 'the callers file', ['callers', 'rest', '$schema']);
    if (root === undefined) return NO_CALLER_RULES;
    const rest = this.rest(root.rest);
    if (!Object.hasOwn(root, 'callers')) {
      this.report('CHX_CALLERS_SHAPE', [], 'value', () => ({
        wrong: 'the file has no callers',
        expected: EXAMPLE,
        remedy: 'Put the User-Agents under the key "callers".',
      }));
      return NO_CALLER_RULES;
    }
    const callers = this.record(root.callers, ['callers'], 'callers') ?? {};
    const entries = Object.entries(callers).map(([pattern, name]) => this.entry(pattern, name));
    return { entries, rest };
  }

  private rest(value: unknown): CallerRest {
    const rest = value === undefined ? NO_CALLER_RULES.rest : CALLER_RESTS.find((word) => word === value);
    if (rest !== undefined) return rest;
    this.report('CHX_CALLERS_REST', ['rest'], 'value', () => {
      const near = typeof value === 'string' ? nearest(value, CALLER_RESTS) : undefined;
      return {
        wrong: 'rest says nothing of the User-Agents that no entry has',
        got: value,
        expected: CALLER_RESTS.join(' or '),
        remedy: near === undefined ? 'Use one of these words, or leave it out.' : `Did you mean ${near}?`,
      };
    });
    return NO_CALLER_RULES.rest;
  }

  private entry(pattern: string, value: unknown): [pattern: string, name: string] {
    const at: Path = ['callers', pattern];
    const fault = this.userAgentFault(pattern);
    if (fault !== undefined) {
      this.report('CHX_CALLER_PATTERN', at, 'key', () => ({
        wrong: `the User-Agent cannot be used: ${fault.wrong}`,
        got: pattern,
        expected: 'a User-Agent as it is sent, with * for any characters, such as axios/* or *Chrome/*',
        remedy: fault.remedy,
      }));
    }
    const name = shownText(value);
    if (name !== undefined && !name.includes('*')) return [pattern, name];
    this.report('CHX_CALLER_NAME', at, 'value', () => ({
      wrong: `what ${pattern} stands for is not a name`,
      got: value,
      expected: 'a text of 1 to 64 characters that can be seen, without *',
      remedy: name === undefined ? 'Write it in quotes.' : 'The pattern is the key, and the name its value.',
    }));
    return [pattern, ''];
  }

  private userAgentFault(text: string): { readonly wrong: string; readonly remedy: string } | undefined {
    if (this.count++ >= MAX_ENTRIES) {
      return { wrong: `the file has more than ${MAX_ENTRIES} entries`, remedy: 'Join some of them into a pattern.' };
    }
    if (!USER_AGENT.test(text)) {
      return {
        wrong: 'it is not 1 to 128 characters of printable ASCII, without spaces around them',
        remedy: 'Write * for what is longer, or is no ASCII.',
      };
    }
    if (!text.includes('*')) return undefined;
    if (this.patterns.length >= MAX_PATTERNS) {
      return {
        wrong: `the file has more than ${MAX_PATTERNS} patterns`,
        remedy: 'Join some of them into a wider one, or write whole User-Agents.',
      };
    }
    // a * in the narrower pattern is a character that only a * of the wider one takes
    const wider = this.patterns.find(({ matches }) => matches(text));
    this.patterns.push({ text, matches: wildcard(text) });
    if (wider === undefined) return undefined;
    return {
      wrong: `it can never match, everything it matches is taken by ${wider.text} before it`,
      remedy: 'Move it before the wider pattern, or remove it.',
    };
  }
}
