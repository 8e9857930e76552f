import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeFormText, decodePath } from '../../src/business-code/percent-decode';

describe('a path', () => {
  const cases: Readonly<Record<string, string>> = {
    '': '',
    '/plain': '/plain',
    '/a+b': '/a+b',
    '/%41%2f%2F': '/A//',
    '/%25': '/%',
    '/%2541': '/%41',
    '/%E4%B8%AD/%F0%9F%98%80': '/中/😀',
    '/%e4%b8%ad': '/中',
    '/%00%0a': '/\0\n',
    // escapes that are none stay
    '/%': '/%',
    '/%4': '/%4',
    '/%zz%4g': '/%zz%4g',
    '/100%': '/100%',
    '/%%41': '/%A',
    // bytes that are no UTF-8, as the standard counts them
    '/%FF': '/\uFFFD',
    '/%E4%B8': '/\uFFFD',
    '/%E4%B8/x': '/\uFFFD/x',
    '/%E4x%B8%AD': '/\uFFFDx\uFFFD\uFFFD',
    '/%C0%80': '/\uFFFD\uFFFD',
    '/%ED%A0%80': '/\uFFFD\uFFFD\uFFFD',
    '/%F5%80%80%80': '/\uFFFD\uFFFD\uFFFD\uFFFD',
  };
  for (const [encoded, decoded] of Object.entries(cases)) {
    it(`${encoded} is ${JSON.stringify(decoded)}`, () => assert.equal(decodePath(encoded), decoded));
  }

  it('is decoded as decodeURIComponent does, where that can', () => {
    for (let codePoint = 0; codePoint <= 0x10ffff; codePoint += 101) {
      if (codePoint >= 0xd800 && codePoint <= 0xdfff) continue;
      const text = `/a${String.fromCodePoint(codePoint)}b`;
      assert.equal(decodePath(encodeURIComponent(text)), text);
    }
  });
});

describe('the text of a form', () => {
  const cases: Readonly<Record<string, string>> = {
    'a+b': 'a b',
    'a%2Bb': 'a+b',
    '+%20+': '   ',
    '%E4%B8%AD+%FF': '中 \uFFFD',
  };
  for (const [encoded, decoded] of Object.entries(cases)) {
    it(`${encoded} is ${JSON.stringify(decoded)}`, () => assert.equal(decodeFormText(encoded), decoded));
  }

  it('is decoded as URLSearchParams does', () => {
    const pieces = ['%', '+', '%4', '1', '%E4', '%B8', '%AD', 'x', '%FF', 'y', '%2', '%25'];
    for (let number = 0; number < pieces.length ** 3; number++) {
      const text = [number, number / pieces.length, number / pieces.length ** 2]
        .map((part) => pieces[Math.floor(part) % pieces.length])
        .join('');
      assert.equal(decodeFormText(text), new URLSearchParams(`a=${text}`).get('a'), text);
    }
  });
});
