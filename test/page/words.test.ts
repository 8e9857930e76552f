/** Both languages of the page say the same things, and numbers are written as people read them. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { chooseLanguage } from '../../src/page/language';
import { numbersOf } from '../../src/page/numbers';
import { ENGLISH, fill, type Word } from '../../src/page/words';
import { CHINESE } from '../../src/page/words-zh';
import { ROOT } from '../support/paths';

const placeholders = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(String).sort();

describe('the words of the page', () => {
  it('are the same in both languages, with the same values', () => {
    assert.deepEqual(Object.keys(CHINESE), Object.keys(ENGLISH));
    for (const word of Object.keys(ENGLISH) as Word[]) {
      assert.notEqual(CHINESE[word], '', word);
      assert.deepEqual(placeholders(CHINESE[word]), placeholders(ENGLISH[word]), word);
    }
  });

  it('stand in the markup in English, for who has no JavaScript', () => {
    const markup = readFileSync(join(ROOT, 'src/page/page.html'), 'utf8');
    const shown = [...markup.matchAll(/data-word="(\w+)"[^>]*>([^<]*)</g)];
    assert.ok(shown.length > 10);
    for (const [, word, text] of shown) assert.equal(text, ENGLISH[word as Word], word);
  });

  for (const [wanted, tag] of [
    [['zh-CN', 'en'], 'zh-CN'],
    [['zh'], 'zh-CN'],
    [['zh-TW'], 'zh-CN'],
    [['de', 'zh-CN'], 'zh-CN'],
    [['en-GB', 'zh'], 'en'],
    [['de'], 'en'],
    [[], 'en'],
  ] as const) {
    it(`are ${tag} for ${wanted.join(', ') || 'nobody'}`, () => assert.equal(chooseLanguage(wanted).tag, tag));
  }

  it('take values as they are', () => {
    assert.equal(fill('{a} {b} {c}', { a: '{b}', b: '$&' }), '{b} $& {c}');
  });
});

describe('the numbers of the page', () => {
  const numbers = numbersOf(chooseLanguage(['en']));
  const chinese = numbersOf(chooseLanguage(['zh-CN']));

  it('give a rate by the second or, where that is less than one, by the minute', () => {
    assert.deepEqual([undefined, 0, 0.2, 3, 1234.5].map(numbers.rate), ['…', '0/s', '12/min', '3/s', '1,230/s']);
    assert.equal(chinese.rate(0.2), '12 次/分');
  });

  it('say of a percentile what it is', () => {
    assert.equal(numbers.percentile({ kind: 'below', ms: 100 }), '< 100 ms');
    assert.equal(numbers.percentile({ kind: 'about', ms: 1234 }), '≈ 1.23 s');
    assert.equal(numbers.percentile({ kind: 'above', ms: 8000 }), '> 8 s');
    assert.equal(numbers.percentile(undefined), '–');
  });

  it('give shares, and none as zero that is not', () => {
    assert.deepEqual([0, 0.00001, 0.123, 1].map(numbers.share), ['0%', '< 0.01%', '12%', '100%']);
  });

  it('give spans in their two largest units', () => {
    assert.deepEqual([0, 59, 3_661, 90_000].map(numbers.span), ['0s', '59s', '1h 1m', '1d 1h']);
    assert.equal(chinese.span(3_661), '1小时 1分钟');
  });
});
