/** Text as bytes in pieces. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { CHUNK_BYTES, Chunks, NUMBER_BYTES } from '../../../src/exporter/text/chunks';

function textOf(chunks: Chunks): string {
  return Buffer.concat(chunks.takeAll()).toString();
}

describe('a number', () => {
  const edges = [9, 10, 99, 100, 999_999_999, 1_000_000_000, 2 ** 31 - 1, 2 ** 31, 2 ** 53].flatMap((edge) => [
    edge - 1,
    edge,
    edge + 1,
  ]);
  const others = [0, -0, -1, 0.5, 1e21, 1e-7, -1.7976931348623157e308, Number.MAX_SAFE_INTEGER];
  for (const value of [...edges, ...others]) {
    it(`is written as JavaScript has it: ${value}`, () => {
      const chunks = new Chunks();
      chunks.reserve(NUMBER_BYTES);
      chunks.number(value);
      assert.equal(textOf(chunks), String(value));
    });
  }
});

describe('pieces', () => {
  it('hold together what was written, whatever its size, each within the bound', () => {
    const chunks = new Chunks();
    let expected = '';
    for (let i = 0; i < 3000; i++) {
      const text = `${'订单😀x'.repeat(i % 50)}${i}\n`;
      chunks.add(text);
      expected += text;
    }
    const pieces = chunks.takeAll();
    assert.ok(pieces.length > 2);
    for (const { length } of pieces) assert.ok(length <= CHUNK_BYTES);
    assert.equal(Buffer.concat(pieces).toString(), expected);
  });

  it('are as large as what was reserved at once', () => {
    const chunks = new Chunks();
    const large = 'é'.repeat(CHUNK_BYTES);
    chunks.add('a');
    chunks.add(large);
    chunks.add('b');
    assert.equal(textOf(chunks), `a${large}b`);
  });

  it('repeat what stands in them', () => {
    const chunks = new Chunks();
    chunks.reserve(100);
    chunks.write('x é,');
    const end = chunks.length;
    chunks.bytes(Buffer.from('1\n'));
    chunks.repeat(0, end);
    chunks.bytes(Buffer.from('2\n'));
    assert.equal(textOf(chunks), 'x é,1\nx é,2\n');
  });

  it('are used again once given back, and not before', () => {
    const chunks = new Chunks();
    const fill = (letter: string) => {
      while (!chunks.hasFull) chunks.add(letter.repeat(1000));
      return chunks.takeFull()[0] as Buffer;
    };
    const [first, second] = [fill('a'), fill('b')];
    const before = second.toString();
    assert.notEqual(first.buffer, second.buffer);
    chunks.recycle(first);
    const later = [fill('c'), fill('d'), fill('e')];
    assert.equal(later.filter(({ buffer }) => buffer === first.buffer).length, 1);
    assert.equal(second.toString(), before);
  });
});
