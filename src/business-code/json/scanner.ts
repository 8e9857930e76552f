/**
 * Finds codes in JSON text that passes by in chunks, without building the document.
 *
 * A state machine over bytes: it checks the text as JSON (RFC 8259) and as UTF-8, and holds nothing but the values it
 * found and one byte per open container. `WholeTokens` reads what lies whole in a chunk, `TokenSteps` the rest byte by
 * byte.
 *
 * What is found: a key that equals a name after dropping `-` and `_` and lower-casing, with a string, number or
 * boolean as its value. The shallowest match wins, among equals the last in text order; a match ends the search of
 * its own object. null, arrays and objects under a matching key are no match and are searched further. A path is looked
 * for at its own place alone (path-matches.ts).
 */
import type { Found } from './code-matches';
import { codePaths } from './code-paths';
import { isBetweenTokens, STATE } from './grammar';
import { KeyMatcher } from './key-matcher';
import { skipString } from './string-skip';
import { TextState } from './text-state';
import { TokenSteps } from './token-steps';
import { WholeTokens } from './whole-tokens';

const { BROKEN, FINISHED } = STATE;

export class CodeScanner {
  private readonly text: TextState;
  private readonly steps: TokenSteps;
  private readonly tokens: WholeTokens;
  private readonly key: KeyMatcher;

  /** @param wanted names, normalised, at most seven; or names and paths, as wanted-places.ts gives them */
  constructor(wanted: readonly string[]) {
    const paths = codePaths(wanted);
    this.key = new KeyMatcher(paths?.keys ?? wanted);
    this.text = new TextState(wanted.length, paths);
    this.steps = new TokenSteps(this.text, this.key);
    this.tokens = new WholeTokens(this.text, this.steps, this.key);
  }

  /** Makes it ready for another text, as if it were new. */
  reset(): void {
    this.text.reset();
    this.steps.reset();
  }

  /** Reads the bytes from `start` to `end`, the next ones of the text. */
  push(bytes: Uint8Array, start = 0, end = bytes.length): void {
    const { text, steps } = this;
    const before = text.position - start;
    let i = start;
    while (i < end) {
      if (isBetweenTokens(text.state)) i = this.tokens.read(bytes, i, end, before);
      else if (steps.isPassedOver) i = skipString(bytes, i, end);
      else if (steps.isInKey) i = this.key.addPlain(bytes, i, end);
      if (i === end) break;
      text.position = before + i;
      if (text.state === BROKEN) return;
      // the byte after a number is no part of it: it is read again, between tokens
      if (!isBetweenTokens(text.state) && steps.step(bytes[i] as number)) i++;
    }
    text.position = before + end;
  }

  /** The text has ended. @returns whether it was one whole JSON text */
  finish(): boolean {
    this.steps.finish();
    return this.text.state === FINISHED;
  }

  /** Whether the text read so far can no longer become JSON. */
  get isBroken(): boolean {
    return this.text.state === BROKEN;
  }

  /** The value found for a name; undefined: there was none so far. */
  found(name: number): Found | undefined {
    return this.text.matches.found(name);
  }

  /**
   * Where a name was settled: found as a key of the outermost object, so that nothing after it can replace it. A path is
   * settled where it was found.
   * @returns bytes of the text up to the end of its value; undefined while something can still replace it
   */
  settledAt(name: number): number | undefined {
    const match = this.text.matches.found(name);
    return match?.depth === 1 ? match.endsAt : undefined;
  }
}
