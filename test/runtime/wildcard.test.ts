import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { wildcard } from '../../src/runtime/wildcard';
import { Random } from '../support/random';

/** The same by the definition, in time that a hostile text could stretch. */
function byDefinition(pattern: string, text: string): boolean {
  if (pattern === '') return text === '';
  if (pattern[0] === '*') {
    return byDefinition(pattern.slice(1), text) || (text !== '' && byDefinition(pattern, text.slice(1)));
  }
  return text[0] === pattern[0] && byDefinition(pattern.slice(1), text.slice(1));
}

describe('a pattern with stars', () => {
  it('matches what it stands for, over random patterns and texts', () => {
    const random = new Random(7);
    const word = (letters: string, longest: number) =>
      Array.from({ length: random.below(longest + 1) }, () => letters[random.below(letters.length)]).join('');
    let matched = 0;
    for (let n = 0; n < 50_000; n++) {
      const pattern = word('ab*', 6);
      const text = word('ab', 8);
      const expected = byDefinition(pattern, text);
      assert.equal(wildcard(pattern)(text), expected, `${pattern} ${text}`);
      if (expected) matched++;
    }
    assert.ok(matched > 5_000, `${matched}`);
  });

  it('takes no longer for a text that nearly matches in many ways', () => {
    const matches = wildcard(`${'*a'.repeat(100)}*b`);
    const started = performance.now();
    for (let n = 0; n < 100; n++) assert.equal(matches('a'.repeat(10_000)), false);
    assert.ok(performance.now() - started < 1_000);
  });
});
