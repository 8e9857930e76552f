/** A reader takes over the scanner of one that has ended: nothing of the earlier body may show in the later. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { innerCode, innerCodeReader } from '../../../src/business-code/codes';

const LIMIT_BYTES = 64;

/** What a body leaves behind, and whether it came to its end. */
const EARLIER: readonly { title: string; body: string | Uint8Array; isWhole?: boolean }[] = [
  { title: 'a code', body: '{"code":"earlier"}' },
  { title: 'a code that nothing replaces', body: '{"code":true,' },
  { title: 'open objects and arrays', body: '{"a":[[{"b":' },
  { title: 'an open key that matches', body: '{"cod' },
  { title: 'a matching key without its value', body: '{"code":' },
  { title: 'an open value', body: '{"code":"earl', isWhole: false },
  { title: 'half an escape', body: '{"code":"\\ud83d', isWhole: false },
  { title: 'half a character', body: Buffer.from([0x7b, 0x22, 0xe4, 0xb8]), isWhole: false },
  { title: 'half a byte order mark', body: Buffer.from([0xef, 0xbb]), isWhole: false },
  { title: 'half a number', body: '[-', isWhole: false },
  { title: 'a text that is no JSON', body: '<html>' },
  { title: 'more than is read', body: `{"code":"earlier","rows":"${'x'.repeat(LIMIT_BYTES)}"}` },
];

/** What the later body must give, whatever came before. */
const LATER: readonly { body: string; code: string }[] = [
  { body: '{"a":1,"code":"later"}', code: 'later' },
  { body: '{"a":{"code":7}}', code: '7' },
  { body: '{"a":"b"}', code: '' },
  { body: '"code"', code: '' },
  { body: ']', code: '-1' },
  { body: '{"code":"cut', code: '-1' },
];

function codeOf(body: string | Uint8Array, isWhole = true): string | undefined {
  let found: string | undefined;
  const reader = innerCodeReader(LIMIT_BYTES);
  reader.push(body);
  reader.end(isWhole, (codes) => {
    found = innerCode(codes);
  });
  return found;
}

describe('a body read after another', () => {
  for (const { title, body, isWhole } of EARLIER) {
    it(`shows nothing of ${title}`, () => {
      for (const later of LATER) {
        codeOf(body, isWhole);
        assert.equal(codeOf(later.body), later.code, later.body);
      }
    });
  }

  it('shows nothing of one that is read at the same time', () => {
    const readers = LATER.map(({ body }) => ({ body, reader: innerCodeReader(LIMIT_BYTES), code: 'none' }));
    for (let at = 0; at < LIMIT_BYTES; at++) {
      for (const { body, reader } of readers) reader.push(body.slice(at, at + 1));
    }
    for (const each of readers) {
      each.reader.end(true, (codes) => {
        each.code = innerCode(codes);
      });
    }
    assert.deepEqual(
      readers.map(({ code }) => code),
      LATER.map(({ code }) => code),
    );
  });

  it('is not touched by one that is ended twice', () => {
    const earlier = innerCodeReader(LIMIT_BYTES);
    earlier.end(true, () => undefined);
    earlier.end(true, () => assert.fail('ended twice'));
    const [one, other] = [innerCodeReader(LIMIT_BYTES), innerCodeReader(LIMIT_BYTES)];
    one.push('{"code":1}');
    other.push('{"code":2}');
    const seen: string[] = [];
    for (const reader of [one, other]) reader.end(true, (codes) => seen.push(innerCode(codes)));
    assert.deepEqual(seen, ['1', '2']);
  });
});
